/* SPDX-License-Identifier: Apache-2.0
 * Subnets: DescribeSubnets, CreateSubnet, ModifySubnetAttribute, DeleteSubnet. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/cidr_associations.h"
#include "engine/network/ipv6.h"
#include "engine/network/subnet.h"
#include "model/subnet.h"
#include "store/router.h"
#include "store/zone.h"

/* ---- describe ---- */

struct ec2_describe_subnets {
	struct ec2_query query;
};
static const struct param describe_subnets_params[] = {
	QUERY_IDS(struct ec2_describe_subnets, "SubnetId", KIND_SUBNET, "Subnets by id."),
	QUERY_FILTERS(struct ec2_describe_subnets),
	QUERY_PAGES(struct ec2_describe_subnets, 5, 1000),
};

static bool is_ipv6(const struct subnet *subnet)
{
	return subnet->block.base.family == IP_V6;
}

/* EC2 counts free IPv4 addresses only. */
ATTRIBUTE_GETTER(subnet, s, int64_t, count_free, is_ipv6(s) ? 0 : engine_count_free_addresses(s))
ATTRIBUTE_GETTER(subnet, s, bool, is_native, is_ipv6(s))
ATTRIBUTE_GETTER(subnet, s, bool, assigns_ipv6, is_ipv6(s) || s->ipv6_on_create)
/* Instances without an IPv4 address are named by id in any case. */
ATTRIBUTE_GETTER(subnet, s, const char *, get_hostname_type,
		 is_ipv6(s) || s->id_names ? "resource-name" : "ip-name")
ATTRIBUTE_GETTER(subnet, s, struct str, get_arn, ec2_arn(ec2_call_of(e), "subnet", KIND_SUBNET, s->row.id))
/* The IPv6 block is a subnet of its own. */
static struct attribute_rows list_ipv6(struct api_call *core, const struct row *row)
{
	struct ec2_call *e = ec2_call_of(core);
	const struct tables *t = ec2_tables(e);
	const struct subnet *ipv6 = engine_find_ipv6_subnet(t, subnet_of(row));
	struct ec2_cidr_association *a = arena_new_object(e->c->arena, struct ec2_cidr_association);
	const struct router *router = ipv6 ? router_find(t, ipv6->router) : NULL;
	if (ipv6 && a)
		*a = ec2_ipv6_association(ipv6->row.id, ipv6->block,
					  router && engine_is_ipv6_of_named_pool(router, ipv6->block),
					  ec2_is_change(e) ? "associating" : "associated");
	return attribute_rows_of(core, a, ipv6 != NULL, sizeof *a);
}

static const struct attribute name_option_rows[] = {
	ATTRIBUTE_MADE(WORD, word, "hostnameType", get_hostname_type,
		       .filter = "private-dns-name-options-on-launch.hostname-type"),
	ATTRIBUTE(subnet, "enableResourceNameDnsARecord", id_names_have_a,
		  .filter = "private-dns-name-options-on-launch.enable-resource-name-dns-a-record"),
	ATTRIBUTE(subnet, "enableResourceNameDnsAAAARecord", id_names_have_aaaa,
		  .filter = "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record"),
};
static const struct attributes name_option_members = ATTRIBUTES(name_option_rows);

static const struct attribute subnet_rows[] = {
	ATTRIBUTE_OWN_ID(subnet, "subnetId", KIND_SUBNET, .filter = "subnet-id"),
	ATTRIBUTE_MADE(TEXT, text, "subnetArn", get_arn, .filter = "subnet-arn"),
	ATTRIBUTE_CONST("state", "available", .filter = "state"),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE_REF(subnet, "vpcId", router, KIND_ROUTER, .filter = "vpc-id", .index = SUBNET_INDEX_ROUTER),
	ATTRIBUTE(subnet, "cidrBlock", block, .flags = ATTRIBUTE_V4, .filter = "cidr-block"),
	ATTRIBUTE_ROWS("ipv6CidrBlockAssociationSet", ec2_subnet_ipv6_members, list_ipv6,
		       .flags = ATTRIBUTE_EMPTY_NONE | ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_MADE(INT, number, "availableIpAddressCount", count_free,
		       .filter = "available-ip-address-count"),
	ATTRIBUTE_OF(subnet, zone, KIND_ZONE, zone, "availabilityZone", name, .filter = "availability-zone"),
	ATTRIBUTE_OF(subnet, zone, KIND_ZONE, zone, "availabilityZoneId", short_id,
		     .filter = "availability-zone-id"),
	ATTRIBUTE(subnet, "defaultForAz", is_default, .filter = "default-for-az"),
	ATTRIBUTE(subnet, "mapPublicIpOnLaunch", public_on_launch, .filter = "map-public-ip-on-launch"),
	ATTRIBUTE_CONST("mapCustomerOwnedIpOnLaunch", "false", .filter = "map-customer-owned-ip-on-launch"),
	ATTRIBUTE_MADE(BOOL, truth, "assignIpv6AddressOnCreation", assigns_ipv6),
	ATTRIBUTE_CONST("enableDns64", "false", .filter = "enable-dns64"),
	ATTRIBUTE_MADE(BOOL, truth, "ipv6Native", is_native, .filter = "ipv6-native"),
	ATTRIBUTE_WITHIN("privateDnsNameOptionsOnLaunch", name_option_members,
			 .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(subnet, "tagSet", tags),
	/* EC2 accepts these members' names as filters, too. */
	ATTRIBUTE(subnet, "", block, .flags = ATTRIBUTE_HIDDEN | ATTRIBUTE_V4, .filter = "cidr"),
	ATTRIBUTE(subnet, "", block, .flags = ATTRIBUTE_HIDDEN | ATTRIBUTE_V4, .filter = "cidrBlock"),
	ATTRIBUTE(subnet, "", is_default, .flags = ATTRIBUTE_HIDDEN, .filter = "defaultForAz"),
	ATTRIBUTE_OF(subnet, zone, KIND_ZONE, zone, "", name, .flags = ATTRIBUTE_HIDDEN,
		     .filter = "availabilityZone"),
	ATTRIBUTE_OF(subnet, zone, KIND_ZONE, zone, "", short_id, .flags = ATTRIBUTE_HIDDEN,
		     .filter = "availabilityZoneId"),
	ATTRIBUTE_NOTHING("customer-owned-ipv4-pool"),
	ATTRIBUTE_NOTHING("enable-lni-at-device-index"),
	ATTRIBUTE_NOTHING("outpost-arn"),
};
static const struct attributes subnet_members = ATTRIBUTES(subnet_rows);

/* Subnets without a router are not shown; an IPv6 subnet is part of the IPv4 subnet it was added to, if
 * there is one. */
static bool has_vpc(struct ec2_call *e, const struct row *row)
{
	const struct subnet *subnet = subnet_of(row);
	return !uuid_is_none(subnet->router) &&
	       (!is_ipv6(subnet) || engine_is_ipv6_alone(ec2_tables(e), subnet));
}

static const struct ec2_listing subnet_listing = {.kind = KIND_SUBNET,
						  .set = "subnetSet",
						  .filters = FILTERS_OF(subnet_members),
						  .shows = has_vpc,
						  .is_hiding = true,
						  .attributes = &subnet_members};

/* ---- create ---- */

struct ec2_create_subnet {
	struct subnet_wish wish;
	struct ec2_tag_specs tag_specs;
	struct ref zone_id;
	bool ipv6_native;
};
#define P(wire, member, ...) PARAM(struct ec2_create_subnet, wire, member, __VA_ARGS__)
static const struct param create_subnet_params[] = {
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "VPC of the subnet."),
	P("CidrBlock", wish.block, .doc = "IPv4 block within the VPC's; absent only with Ipv6Native."),
	P("AvailabilityZone", wish.zone, .flags = BY_NAME, .kind = KIND_ZONE,
	  .doc = "Availability Zone by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE,
	  .doc = "Availability Zone by id."),
	P("Ipv6CidrBlock", wish.ipv6_block, .flags = IPV6,
	  .doc = "IPv6 block: a /44 to /64 in steps of 4, within the VPC's IPv6 blocks."),
	P("Ipv6Native", ipv6_native, .doc = "Creates an IPv6-only subnet."),
	NOT_BUILT("Ipv4IpamPoolId|Ipv4NetmaskLength|Ipv6IpamPoolId|Ipv6NetmaskLength|OutpostArn"),
	TAG_SPECIFICATIONS(struct ec2_create_subnet, tag_specs),
};
#undef P

/* An IPv6-only subnet is created with the IPv6 block. */
static RESULT take_blocks(struct ec2_call *e, struct ec2_create_subnet *a)
{
	if (a->ipv6_native && cidr_is_none(a->wish.ipv6_block))
		return ctx_fail_field(e->c, ERR_MISSING, STR("Ipv6CidrBlock"),
				      "Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.");
	if (!a->ipv6_native && cidr_is_none(a->wish.block))
		return ctx_fail_field(e->c, ERR_MISSING, STR("CidrBlock"),
				      "The request must contain the parameter cidrBlock");
	if (a->ipv6_native && !cidr_is_none(a->wish.block))
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("CidrBlock"),
			"When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set "
			"ipv6Native to true.");
	a->wish.ipv6_field = STR("Ipv6CidrBlock");
	if (!a->ipv6_native)
		return OK;
	a->wish.block = a->wish.ipv6_block;
	a->wish.ipv6_block = (struct cidr){0};
	return OK;
}

/* The error for an unknown zone lists the existing ones. */
static RESULT check_zone(struct ec2_call *e, const struct ref *ref)
{
	const struct tables *t = ec2_tables(e);
	const struct zone *zone = 0;
	struct str names = STR_NONE;
	if (ref->kind == KIND_NONE)
		return OK;
	struct result found = engine_find_zone(e->c, t, ref, &zone);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(e->c);
	const struct row *row = tables_first(t, KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	for (; row; row = tables_next(t, KIND_ZONE, ZONE_INDEX_NAME, row, 0))
		names = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(names), names.n ? ", " : "",
				  STR_ARG(zone_of(row)->name));
	return ctx_fail_field(e->c, ERR_INVALID, ref->field,
			      "Value (%" STR_FMT ") for parameter availabilityZone is invalid. Subnets can "
			      "currently only be created in the following availability zones: %" STR_FMT ".",
			      STR_ARG(ref->text), STR_ARG(names));
}

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_subnet *a = args;
	TRY(take_blocks(e, a));
	if (a->zone_id.kind != KIND_NONE && a->wish.zone.kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AvailabilityZoneId"),
				      "Specify either AvailabilityZone or AvailabilityZoneId");
	if (a->zone_id.kind != KIND_NONE)
		a->wish.zone = a->zone_id;
	return check_zone(e, &a->wish.zone);
}

/* ---- the default one of a zone ---- */

struct ec2_create_default_subnet {
	struct default_subnet_wish wish;
	struct ref zone_id;
};
#define P(wire, member, ...) PARAM(struct ec2_create_default_subnet, wire, member, __VA_ARGS__)
static const struct param create_default_params[] = {
	P("AvailabilityZone", wish.zone, .flags = BY_NAME, .kind = KIND_ZONE,
	  .doc = "Availability Zone by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE,
	  .doc = "Availability Zone by id, instead of its name."),
	NOT_BUILT("Ipv6Native", .only = "false"),
};
#undef P

static RESULT prepare_create_default(struct ec2_call *e, void *args)
{
	struct ec2_create_default_subnet *a = args;
	return request_choose(e->c, &a->wish.zone, "AvailabilityZone", &a->zone_id, "AvailabilityZoneId",
			      &a->wish.zone);
}

/* ---- attributes ---- */

static const struct param modify_subnet_params[] = {
	PARAM(struct subnet_settings, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "The subnet."),
	PARAM(struct subnet_settings, "MapPublicIpOnLaunch.Value", public_on_launch,
	      .doc = "Whether instances launched in the subnet get a public address."),
	PARAM(struct subnet_settings, "AssignIpv6AddressOnCreation.Value", ipv6_on_create,
	      .doc = "Whether interfaces created in the subnet get an IPv6 address."),
	NOT_BUILT("MapCustomerOwnedIpOnLaunch.Value", .only = "false"),
	NOT_BUILT("CustomerOwnedIpv4Pool"),
	NOT_BUILT("EnableDns64.Value", .only = "false"),
	PARAM(struct subnet_settings, "PrivateDnsHostnameTypeOnLaunch", id_names, .yes = "resource-name",
	      .no = "ip-name",
	      .doc = "Whether host names of instances launched in the subnet are formed from the IPv4 "
		     "address or the instance id."),
	PARAM(struct subnet_settings, "EnableResourceNameDnsARecordOnLaunch.Value", id_names_have_a,
	      .doc = "Whether host names formed from instance ids have an A record."),
	PARAM(struct subnet_settings, "EnableResourceNameDnsAAAARecordOnLaunch.Value", id_names_have_aaaa,
	      .doc = "Whether host names formed from instance ids have an AAAA record."),
	NOT_BUILT("EnableLniAtDeviceIndex"),
	NOT_BUILT("DisableLniAtDeviceIndex.Value", .only = "false"),
};

/* ---- IPv6 ---- */

static const struct param associate_params[] = {
	PARAM(struct ipv6_subnet_wish, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "The subnet."),
	PARAM(struct ipv6_subnet_wish, "Ipv6CidrBlock", block, .flags = REQUIRED | IPV6,
	      .doc = "IPv6 block: a /44 to /64 in steps of 4, within the VPC's IPv6 blocks."),
	NOT_BUILT("Ipv6IpamPoolId|Ipv6NetmaskLength"),
};
static const struct param disassociate_params[] = {
	PARAM(struct ipv6_subnet_target, "AssociationId", association, .flags = REQUIRED,
	      .prefix = "subnet-cidr-assoc", .doc = "Association of the IPv6 block with its subnet."),
};

static RESULT write_ipv6(struct ec2_call *e, struct xml *x, uuid subnet, uuid association, struct cidr block,
			 bool of_named_pool)
{
	const struct ec2_cidr_association a =
		ec2_ipv6_association(association, block, of_named_pool, ec2_state_in_answer(e, NULL));
	xml_open(x, "ipv6CidrBlockAssociation");
	ec2_write_members(e, x, &ec2_subnet_ipv6_members, &a.row);
	xml_close(x, "ipv6CidrBlockAssociation");
	ec2_write_id(x, "subnetId", KIND_SUBNET, subnet);
	return OK;
}

static RESULT ec2_associate_subnet_cidr_block(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ipv6_subnet_wish *a = args;
	return write_ipv6(e, x, a->made_in, a->ipv6_subnet, a->block, a->of_named_pool);
}

static RESULT ec2_disassociate_subnet_cidr_block(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ipv6_subnet_target *a = args;
	return write_ipv6(e, x, a->subnet, a->removed, a->block, a->of_named_pool);
}

static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	(void) e;
	((struct ipv6_subnet_wish *) args)->block_field = STR("Ipv6CidrBlock");
	return OK;
}

/* EC2 accepts one attribute per call. */
static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct subnet_settings *a = args;
	a->ipv6_field = STR("AssignIpv6AddressOnCreation.Value");
	a->public_field = STR("MapPublicIpOnLaunch.Value");
	const enum choice all[] = {a->public_on_launch, a->ipv6_on_create, a->id_names, a->id_names_have_a,
				   a->id_names_have_aaaa};
	int count = 0;
	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		count += all[k] != CHOICE_DEFAULT;
	if (count < 2)
		return OK;
	return ctx_fail_field(e->c, ERR_COMBINATION, STR("AssignIpv6AddressOnCreation.Value"),
			      "Only one attribute is modified at a time.");
}

/* ---- delete ---- */

static const struct param delete_subnet_params[] = {
	PARAM(struct subnet_target, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "The subnet."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSubnets"), .args = PARAMS(struct ec2_describe_subnets, describe_subnets_params),
	 .list = &subnet_listing, .doc = "Lists the account's subnets."},
	{EC2_ACTION("CreateSubnet"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_subnet, create_subnet_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_subnet, "subnet"), .operation = engine_create_subnet_run,
	 .returns = KIND_SUBNET, EC2_SHOWS(subnet_listing, struct ec2_create_subnet, wish.subnet, "subnet"),
	 .doc = "Creates a subnet in a VPC."},
	{EC2_ACTION("CreateDefaultSubnet"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_default_subnet, create_default_params),
	 .prepare = prepare_create_default, .operation = engine_create_default_subnet_run,
	 .returns = KIND_SUBNET,
	 EC2_SHOWS(subnet_listing, struct ec2_create_default_subnet, wish.subnet, "subnet"),
	 .doc = "Creates the default subnet of a zone that has none."},
	{EC2_ACTION("ModifySubnetAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct subnet_settings, modify_subnet_params), .prepare = prepare_modify,
	 .operation = engine_update_subnet_run, .doc = "Changes an attribute of a subnet."},
	{EC2_ACTION("AssociateSubnetCidrBlock"), .flags = API_WRITES,
	 .args = PARAMS(struct ipv6_subnet_wish, associate_params), .prepare = prepare_associate,
	 .operation = engine_add_ipv6_subnet_run, .answer = ec2_associate_subnet_cidr_block,
	 .state_in_answer = "associating", .doc = "Associates an IPv6 block with a subnet."},
	{EC2_ACTION("DisassociateSubnetCidrBlock"), .flags = API_WRITES,
	 .args = PARAMS(struct ipv6_subnet_target, disassociate_params),
	 .operation = engine_remove_ipv6_subnet_run, .answer = ec2_disassociate_subnet_cidr_block,
	 .state_in_answer = "disassociating",
	 .doc = "Disassociates the IPv6 block of a subnet. Fails while an interface there has an IPv6 "
		"address."},
	{EC2_ACTION("DeleteSubnet"), .flags = API_WRITES,
	 .args = PARAMS(struct subnet_target, delete_subnet_params), .operation = engine_delete_subnet_run,
	 .doc = "Deletes a subnet without network interfaces."},
};
const struct api_actions ec2_subnet_actions = API_ACTIONS(actions);
