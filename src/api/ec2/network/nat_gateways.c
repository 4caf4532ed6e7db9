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

static const char *write_state(const struct nat_gateway *nat)
{
	return model_nat_gateway_states[model_derive_nat_gateway_state(nat)].ec2;
}

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, write_state(nat_gateway_of(row)));
}

static const struct filter nat_filters[] = {
	{"nat-gateway-id", .is_id = true},
	{"vpc-id", .field = "router", .index = NAT_GATEWAY_INDEX_ROUTER},
	{"subnet-id", .field = "subnet", .index = NAT_GATEWAY_INDEX_SUBNET},
	{"state", .get = fits_state},
};

struct nat_item {
	const struct nat_gateway *nat;
	const struct address *first; /* NULL: none, or released */
	VEC(const struct address *) more;
};

static const void *gather_nat(struct ec2_call *e, const struct row *row)
{
	struct nat_item *item = arena_new_object(e->c->arena, struct nat_item);
	if (!item)
		return 0;
	item->nat = nat_gateway_of(row);
	const struct tables *t = ec2_tables(e);
	for (const struct address *a = address_first_by_port(t, item->nat->port); a;
	     a = address_next_by_port(t, a)) {
		if (!row_is_live(&a->row))
			continue;
		if (uuid_equal(a->row.id, item->nat->address))
			item->first = a;
		else if (!VEC_PUSH(e->c->arena, &item->more, a))
			return 0;
	}
	return item;
}

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

static void write_further(struct xml *x, const struct address *a, const char *status)
{
	xml_open(x, "item");
	ec2_write_id(x, "allocationId", KIND_ADDRESS, a->row.id);
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, a->port);
	ec2_write_ip(x, "privateIp", a->private_ip);
	ec2_write_ip(x, "publicIp", a->ip);
	ec2_write_prefixed(x, "associationId", "eipassoc", a->association);
	xml_bool(x, "isPrimary", false);
	xml_z(x, "status", status);
	xml_close(x, "item");
}

static void write_asked(struct xml *x, uuid address)
{
	xml_open(x, "item");
	ec2_write_id(x, "allocationId", KIND_ADDRESS, address);
	xml_close(x, "item");
}

/* For the answer of CreateNatGateway: writes the address that was requested; for a private gateway an
 * address without members. */
static void write_asked_addresses(struct xml *x, const struct nat_item *i)
{
	xml_open(x, "natGatewayAddressSet");
	write_asked(x, i->nat->address);
	for (size_t k = 0; k < i->more.count; k++)
		write_asked(x, i->more.at[k]->row.id);
	xml_close(x, "natGatewayAddressSet");
}

static void write_nat_addresses(struct xml *x, const struct nat_item *i)
{
	const struct nat_gateway *nat = i->nat;
	xml_open(x, "natGatewayAddressSet");
	xml_open(x, "item");
	ec2_write_id(x, "allocationId", KIND_ADDRESS, nat->address);
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, nat->port);
	ec2_write_ip(x, "privateIp", nat->private_ip);
	ec2_write_ip(x, "publicIp", nat->public_ip);
	if (i->first)
		ec2_write_prefixed(x, "associationId", "eipassoc", i->first->association);
	xml_bool(x, "isPrimary", true);
	xml_z(x, "status", address_status(nat));
	xml_close(x, "item");
	for (size_t k = 0; k < i->more.count; k++)
		write_further(x, i->more.at[k], further_status(nat, i->more.at[k]));
	xml_close(x, "natGatewayAddressSet");
}

static void write_nat(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct nat_item *i = item;
	const struct nat_gateway *nat = i->nat;
	ec2_write_id(x, "natGatewayId", KIND_NAT_GATEWAY, nat->row.id);
	ec2_write_id(x, "subnetId", KIND_SUBNET, nat->subnet);
	ec2_write_id(x, "vpcId", KIND_ROUTER, nat->router);
	xml_z(x, "state", write_state(nat));
	xml_time_ms(x, "createTime", nat->row.created_us);
	if (nat->ended_us)
		xml_time_ms(x, "deleteTime", nat->ended_us);
	xml_text_opt(x, "failureCode", nat->failure_code);
	xml_text_opt(x, "failureMessage", nat->failure_text);
	if (ec2_is_change(e))
		write_asked_addresses(x, i);
	else
		write_nat_addresses(x, i);
	xml_z(x, "connectivityType", nat->is_public ? "public" : "private");
	ec2_write_tags(x, nat->tags);
}

static const struct ec2_listing nat_listing = {.kind = KIND_NAT_GATEWAY,
					       .set = "natGatewaySet",
					       .filters = FILTERS(nat_filters),
					       .gather = gather_nat,
					       .write = write_nat};

/* ---- create ---- */

struct ec2_create_nat {
	struct nat_gateway_wish wish;
	struct str connectivity;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_nat, wire, member, __VA_ARGS__)
static const struct param create_nat_params[] = {
	P("SubnetId", wish.subnet, .flags = REQUIRED, .kind = KIND_SUBNET, .doc = "Where it is to be."),
	P("AllocationId", wish.address, .kind = KIND_ADDRESS, .doc = "A public one's elastic address."),
	P("ConnectivityType", connectivity, .words = "public|private", .absent = "public",
	  .doc = "A private one reaches what the VPC reaches without an internet gateway."),
	P("PrivateIpAddress", wish.ip, .doc = "Its address in the subnet."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Same token, same answer."),
	P("SecondaryAllocationId", wish.more, .kind = KIND_ADDRESS,
	  .doc = "A public one's further addresses."),
	NOT_BUILT("SecondaryPrivateIpAddress|SecondaryPrivateIpAddressCount"),
	NOT_BUILT("AvailabilityMode", .only = "zonal"),
	NOT_BUILT("VpcId|AvailabilityZoneAddress"),
	TAG_SPECIFICATIONS(struct ec2_create_nat, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
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
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "natgateway", "natgateway", &a->wish.tags);
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
	      .kind = KIND_NAT_GATEWAY, .doc = "The gateway."),
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
	  .doc = "A public gateway."),
	P("AllocationId", addresses, .flags = REQUIRED, .kind = KIND_ADDRESS,
	  .doc = "Its further addresses."),
	P("PrivateIpAddress", ips, .doc = "Addresses of its subnet that they are to stand for."),
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
	  .doc = "The gateway."),
	P("AssociationId", wish.associations, .flags = REQUIRED, .prefix = "eipassoc",
	  .doc = "Further addresses of it that are to leave."),
	P("MaxDrainDurationSeconds", drain_s, .min = 1, .max = 4000,
	  .doc = "The most that connections may last; they end at once."),
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
	for (size_t k = 0; k < wish->count; k++)
		write_further(x, &wish->changed[k], ec2_state_in_answer(e, NULL));
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
	 .list = &nat_listing, .doc = "NAT gateways of the account; those that have ended, for an hour."},
	{EC2_ACTION("CreateNatGateway"), .part = EC2_OF_NEW_NAT_GATEWAYS, .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_nat, create_nat_params), .prepare = prepare_create,
	 .operation = engine_create_nat_gateway_run, .returns = KIND_NAT_GATEWAY,
	 .answer = ec2_create_nat_gateway, .doc = "Makes a NAT gateway in a subnet."},
	{EC2_ACTION("DeleteNatGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct nat_gateway_target, delete_nat_params),
	 .operation = engine_delete_nat_gateway_run, .answer = ec2_delete_nat_gateway,
	 .doc = "Deletes a NAT gateway; its elastic addresses are freed."},
	{EC2_ACTION("AssociateNatGatewayAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct nat_gateway_addresses, associate_nat_params), .prepare = prepare_associate,
	 .operation = engine_add_nat_gateway_addresses_run, .answer = ec2_associate_nat,
	 .state_in_answer = "associating",
	 .doc = "Gives a NAT gateway further addresses, which share what goes out through it."},
	{EC2_ACTION("DisassociateNatGatewayAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_disassociate_nat, disassociate_nat_params),
	 .operation = engine_remove_nat_gateway_addresses_run, .answer = ec2_disassociate_nat,
	 .state_in_answer = "disassociating", .doc = "Takes further addresses from a NAT gateway."},
};
const struct api_actions ec2_nat_actions = API_ACTIONS(actions);
