/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways: DescribeNatGateways, CreateNatGateway, DeleteNatGateway. */
#include "api/ec2/list.h"
#include "api/ec2/write.h"
#include "engine/nat_gateway.h"

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
	return filter_z(f, write_state((const struct nat_gateway *) row));
}

static const struct filter nat_filters[] = {
	{"nat-gateway-id", .is_id = true},
	{"vpc-id", .field = "router", .index = NAT_GATEWAY_INDEX_ROUTER},
	{"subnet-id", .field = "subnet", .index = NAT_GATEWAY_INDEX_SUBNET},
	{"state", .get = fits_state},
};

static void write_nat_address(struct xml *x, const struct nat_gateway *nat)
{
	xml_open(x, "natGatewayAddressSet");
	xml_open(x, "item");
	ec2_write_id(x, "allocationId", KIND_ADDRESS, nat->address);
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, nat->port);
	ec2_write_ip(x, "privateIp", nat->private_ip);
	ec2_write_ip(x, "publicIp", nat->public_ip);
	xml_close(x, "item");
	xml_close(x, "natGatewayAddressSet");
}

static void write_nat(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct nat_gateway *nat = item;
	(void) e;
	ec2_write_id(x, "natGatewayId", KIND_NAT_GATEWAY, nat->row.id);
	ec2_write_id(x, "subnetId", KIND_SUBNET, nat->subnet);
	ec2_write_id(x, "vpcId", KIND_ROUTER, nat->router);
	xml_z(x, "state", write_state(nat));
	xml_time_ms(x, "createTime", nat->row.created_us);
	if (nat->ended_us)
		xml_time_ms(x, "deleteTime", nat->ended_us);
	xml_text_opt(x, "failureCode", nat->failure_code);
	xml_text_opt(x, "failureMessage", nat->failure_text);
	write_nat_address(x, nat);
	xml_z(x, "connectivityType", nat->is_public ? "public" : "private");
	ec2_write_tags(x, nat->tags);
}

static const struct ec2_listing nat_listing = {.kind = KIND_NAT_GATEWAY,
					       .set = "natGatewaySet",
					       .filters = FILTERS(nat_filters),
					       .account_index = NAT_GATEWAY_INDEX_ACCOUNT,
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
	NOT_BUILT("SecondaryAllocationId"),
	NOT_BUILT("SecondaryPrivateIpAddress"),
	NOT_BUILT("SecondaryPrivateIpAddressCount"),
	NOT_BUILT("AvailabilityMode", .only = "zonal"),
	NOT_BUILT("VpcId"),
	NOT_BUILT("AvailabilityZoneAddress"),
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
				      "The request must contain the parameter AllocationId");
	if (!is_public && has_address)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AllocationId"),
				      "A private NAT gateway has no elastic address: AllocationId");
	a->wish.digest = params_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "natgateway", "natgateway", &a->wish.tags);
}

static RESULT ec2_create_nat_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_nat *a = args;
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return ec2_write_shown(e, &nat_listing, a->wish.nat_gateway, "natGateway", x);
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

static const struct ec2_action actions[] = {
	{"DescribeNatGateways", "ec2:DescribeNatGateways", 0,
	 PARAMS(struct ec2_describe_nats, describe_nats_params), .list = &nat_listing,
	 .doc = "NAT gateways of the account; those that have ended, for an hour."},
	{"CreateNatGateway", "ec2:CreateNatGateway", WRITES, PARAMS(struct ec2_create_nat, create_nat_params),
	 prepare_create, engine_create_nat_gateway_run, .shows = KIND_NAT_GATEWAY,
	 .answer = ec2_create_nat_gateway, .doc = "Makes a NAT gateway in a subnet."},
	{"DeleteNatGateway", "ec2:DeleteNatGateway", WRITES,
	 PARAMS(struct nat_gateway_target, delete_nat_params), 0, engine_delete_nat_gateway_run,
	 .answer = ec2_delete_nat_gateway, .doc = "Deletes a NAT gateway; its elastic address is freed."},
};
const struct ec2_actions ec2_nat_actions = ACTIONS(actions);
