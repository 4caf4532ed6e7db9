/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways: DescribeNatGateways, CreateNatGateway, DeleteNatGateway, and their secondary addresses:
 * AssociateNatGatewayAddress, DisassociateNatGatewayAddress. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/routing/nat_gateway.h"
#include "model/nat_gateway.h"
#include "model/states.h"
#include "store/address.h"

/* ---- describe ---- */

struct ec2_describe_nats {
	struct ec2_query query;
};
static const struct param describe_nats_params[] = {
	QUERY_IDS(struct ec2_describe_nats, "NatGatewayId", KIND_NAT_GATEWAY, "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_nats),
	QUERY_PAGES(struct ec2_describe_nats, 5, 1000),
};

static const char *address_status(const struct nat_gateway *nat)
{
	static const char *const words[NAT_GATEWAY_STATE_COUNT][2] = {
		[NAT_GATEWAY_PENDING] = {"assigning", "associating"},
		[NAT_GATEWAY_AVAILABLE] = {"succeeded", "succeeded"},
		[NAT_GATEWAY_FAILED] = {"failed", "failed"},
		[NAT_GATEWAY_DELETING] = {"unassigning", "disassociating"},
		[NAT_GATEWAY_DELETED] = {"succeeded", "succeeded"},
	};
	return words[model_derive_nat_gateway_state(nat)][nat->is_public];
}

/* Status of a secondary address: "associating" until the network has it. */
static const char *further_status(const struct nat_gateway *nat, const struct address *a)
{
	bool is_there = nat->seen_gen == (int64_t) nat->row.gen && a->seen_gen == (int64_t) a->row.gen;
	return row_is_live(&nat->row) && !is_there ? "associating" : address_status(nat);
}

struct shown_address {
	struct row row; /* no row of the store */
	uuid allocation, port, association;
	struct ip private_ip, public_ip;
	struct str is_primary, status; /* empty: not shown */
};

static struct shown_address show_further(const struct address *a, const char *status)
{
	return (struct shown_address){.allocation = a->row.id,
				      .port = a->port,
				      .association = a->association,
				      .private_ip = a->private_ip,
				      .public_ip = a->ip,
				      .is_primary = STR("false"),
				      .status = str_from(status)};
}

/* The answer of CreateNatGateway shows the addresses that were requested; for a private gateway one without members. */
static struct attribute_rows list_addresses(struct api_call *e, const struct row *row)
{
	const struct nat_gateway *nat = nat_gateway_of(row);
	const struct tables *t = api_tables(e);
	bool is_change = ec2_is_change(ec2_call_of(e));
	size_t count = 1;
	for (const struct address *a = address_first_by_port(t, nat->port); a; a = address_next_by_port(t, a))
		count++;
	struct shown_address *all = arena_new_array(e->c->arena, struct shown_address, count);
	if (!all)
		return (struct attribute_rows){0};
	all[0].allocation = nat->address;
	if (!is_change) {
		all[0].port = nat->port;
		all[0].private_ip = nat->private_ip;
		all[0].public_ip = nat->public_ip;
		all[0].is_primary = STR("true");
		all[0].status = str_from(address_status(nat));
	}
	count = 1;
	for (const struct address *a = address_first_by_port(t, nat->port); a;
	     a = address_next_by_port(t, a)) {
		if (row_is_live(&a->row) && uuid_equal(a->row.id, nat->address))
			all[0].association = is_change ? UUID_NONE : a->association;
		else if (row_is_live(&a->row) && is_change)
			all[count++].allocation = a->row.id;
		else if (row_is_live(&a->row))
			all[count++] = show_further(a, further_status(nat, a));
	}
	return attribute_rows_of(e, all, count, sizeof *all);
}

static const char *const connectivity[] = {"private", "public"};
static const struct attribute address_rows[] = {
	ATTRIBUTE_REF(shown_address, "allocationId", allocation, KIND_ADDRESS),
	ATTRIBUTE_REF(shown_address, "networkInterfaceId", port, KIND_PORT),
	ATTRIBUTE(shown_address, "privateIp", private_ip),
	ATTRIBUTE(shown_address, "publicIp", public_ip),
	ATTRIBUTE_PREFIXED(shown_address, "associationId", association, "eipassoc"),
	ATTRIBUTE(shown_address, "isPrimary", is_primary, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(shown_address, "status", status, .flags = ATTRIBUTE_OMIT_NONE),
};
static const struct attributes address_members = ATTRIBUTES(address_rows);
static const struct attribute nat_rows[] = {
	ATTRIBUTE_OWN_ID(nat_gateway, "natGatewayId", KIND_NAT_GATEWAY, .filter = "nat-gateway-id"),
	ATTRIBUTE_REF(nat_gateway, "subnetId", subnet, KIND_SUBNET, .filter = "subnet-id",
		      .index = NAT_GATEWAY_INDEX_SUBNET),
	ATTRIBUTE_REF(nat_gateway, "vpcId", router, KIND_ROUTER, .filter = "vpc-id",
		      .index = NAT_GATEWAY_INDEX_ROUTER),
	ATTRIBUTE_STATE_OF("state", KIND_NAT_GATEWAY, .filter = "state"),
	ATTRIBUTE_AS(TIME, nat_gateway, "createTime", row.created_us),
	ATTRIBUTE_AS(TIME, nat_gateway, "deleteTime", ended_us, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(nat_gateway, "failureCode", failure_code, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(nat_gateway, "failureMessage", failure_text, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_ROWS("natGatewayAddressSet", address_members, list_addresses),
	ATTRIBUTE(nat_gateway, "connectivityType", is_public, .words = connectivity),
	ATTRIBUTE(nat_gateway, "tagSet", tags),
};
static const struct attributes nat_members = ATTRIBUTES(nat_rows);

static const struct ec2_listing nat_listing = {.kind = KIND_NAT_GATEWAY,
					       .set = "natGatewaySet",
					       .filters = FILTERS_OF(nat_members),
					       .attributes = &nat_members};

/* ---- create ---- */

struct ec2_create_nat {
	struct nat_gateway_wish wish;
	struct str connectivity;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_nat, wire, member, __VA_ARGS__)
static const struct param create_nat_params[] = {
	P("SubnetId", wish.subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	  .doc = "Subnet of the NAT gateway."),
	P("AllocationId", wish.address, .kind = KIND_ADDRESS, .doc = "Elastic address of a public gateway."),
	P("ConnectivityType", connectivity, .words = "public|private", .absent = "public",
	  .doc = "public: translates to an elastic address; private: reaches what the VPC reaches without an "
		 "internet gateway."),
	P("PrivateIpAddress", wish.ip, .doc = "Private address of the gateway in its subnet."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	P("SecondaryAllocationId", wish.more, .kind = KIND_ADDRESS,
	  .doc = "Additional elastic addresses of a public gateway."),
	NOT_BUILT("SecondaryPrivateIpAddress|SecondaryPrivateIpAddressCount"),
	NOT_BUILT("AvailabilityMode", .only = "zonal"),
	NOT_BUILT("VpcId|AvailabilityZoneAddress"),
	TAG_SPECIFICATIONS(struct ec2_create_nat, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_nat *a = args;
	bool is_public = str_is(a->connectivity, "public"), has_address = a->wish.address.kind != KIND_NONE;
	if (is_public && !has_address)
		return ctx_fail_field(e->c, ERR_MISSING, STR("AllocationId"),
				      "The request must include the AllocationId parameter. Add the required "
				      "parameter and retry the request.");
	if (!is_public && has_address)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AllocationId"),
				      "A private NAT gateway has no elastic address: AllocationId");
	if (!is_public && a->wish.more.count > 0)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("SecondaryAllocationId"),
			"A private NAT gateway has no elastic addresses: SecondaryAllocationId");
	return OK;
}

static RESULT ec2_create_nat_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_nat *a = args;
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return ec2_write_returned(e, &nat_listing, a->wish.nat_gateway, "natGateway", x);
}

/* ---- delete ---- */

static const struct param delete_nat_params[] = {
	PARAM(struct nat_gateway_target, "NatGatewayId", nat_gateway, .flags = REQUIRED,
	      .kind = KIND_NAT_GATEWAY, .doc = "The NAT gateway."),
};

static RESULT ec2_delete_nat_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct nat_gateway_target *a = args;
	(void) e;
	ec2_write_id(x, "natGatewayId", KIND_NAT_GATEWAY, a->made);
	return OK;
}

/* ---- further addresses ---- */

#define P(wire, member, ...) PARAM(struct nat_gateway_addresses, wire, member, __VA_ARGS__)
static const struct param associate_nat_params[] = {
	P("NatGatewayId", nat_gateway, .flags = REQUIRED, .kind = KIND_NAT_GATEWAY,
	  .doc = "A public NAT gateway."),
	P("AllocationId", addresses, .flags = REQUIRED, .kind = KIND_ADDRESS,
	  .doc = "Additional elastic addresses."),
	P("PrivateIpAddress", ips, .doc = "Private addresses of the subnet for the additional addresses."),
	NOT_BUILT("AvailabilityZone|AvailabilityZoneId"),
};
#undef P

struct ec2_disassociate_nat {
	struct nat_gateway_addresses wish;
	int64_t drain_s;
};
#define P(wire, member, ...) PARAM(struct ec2_disassociate_nat, wire, member, __VA_ARGS__)
static const struct param disassociate_nat_params[] = {
	P("NatGatewayId", wish.nat_gateway, .flags = REQUIRED, .kind = KIND_NAT_GATEWAY,
	  .doc = "The NAT gateway."),
	P("AssociationId", wish.associations, .flags = REQUIRED, .prefix = "eipassoc",
	  .doc = "Associations of additional addresses to remove."),
	P("MaxDrainDurationSeconds", drain_s, .min = 1, .max = 4000,
	  .doc = "Accepted; connections end at once."),
};
#undef P

static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	(void) e;
	((struct nat_gateway_addresses *) args)->ip_field = STR("PrivateIpAddress");
	return OK;
}

static void write_changed(struct ec2_call *e, struct xml *x, const struct nat_gateway_addresses *wish)
{
	ec2_write_id(x, "natGatewayId", KIND_NAT_GATEWAY, wish->of);
	xml_open(x, "natGatewayAddressSet");
	for (size_t k = 0; k < wish->count; k++) {
		const struct shown_address shown =
			show_further(&wish->changed[k], ec2_state_in_answer(e, NULL));
		xml_open(x, "item");
		ec2_write_members(e, x, &address_members, &shown.row);
		xml_close(x, "item");
	}
	xml_close(x, "natGatewayAddressSet");
}

static RESULT ec2_associate_nat(struct ec2_call *e, const void *args, struct xml *x)
{
	write_changed(e, x, args);
	return OK;
}

static RESULT ec2_disassociate_nat(struct ec2_call *e, const void *args, struct xml *x)
{
	write_changed(e, x, &((const struct ec2_disassociate_nat *) args)->wish);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeNatGateways"), .args = PARAMS(struct ec2_describe_nats, describe_nats_params),
	 .list = &nat_listing,
	 .doc = "Lists the account's NAT gateways. Deleted ones stay listed for an hour."},
	{EC2_ACTION("CreateNatGateway"), .part = EC2_OF_NEW_NAT_GATEWAYS, .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_nat, create_nat_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_nat, "natgateway"), EC2_DIGEST(struct ec2_create_nat),
	 .operation = engine_create_nat_gateway_run, .returns = KIND_NAT_GATEWAY,
	 .answer = ec2_create_nat_gateway, .doc = "Creates a NAT gateway in a subnet."},
	{EC2_ACTION("DeleteNatGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct nat_gateway_target, delete_nat_params),
	 .operation = engine_delete_nat_gateway_run, .answer = ec2_delete_nat_gateway,
	 .doc = "Deletes a NAT gateway and disassociates its elastic addresses."},
	{EC2_ACTION("AssociateNatGatewayAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct nat_gateway_addresses, associate_nat_params), .prepare = prepare_associate,
	 .operation = engine_add_nat_gateway_addresses_run, .answer = ec2_associate_nat,
	 .state_in_answer = "associating",
	 .doc = "Adds elastic addresses to a NAT gateway, which distributes connections over them."},
	{EC2_ACTION("DisassociateNatGatewayAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_disassociate_nat, disassociate_nat_params),
	 .operation = engine_remove_nat_gateway_addresses_run, .answer = ec2_disassociate_nat,
	 .state_in_answer = "disassociating",
	 .doc = "Removes additional elastic addresses from a NAT gateway."},
};
const struct api_actions ec2_nat_actions = API_ACTIONS(actions);
