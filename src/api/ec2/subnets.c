/* SPDX-License-Identifier: Apache-2.0
 * Subnets: DescribeSubnets, CreateSubnet, ModifySubnetAttribute, DeleteSubnet. */
#include "api/ec2/list.h"
#include "api/ec2/write.h"
#include "engine/subnet.h"

/* ---- describe ---- */

struct ec2_describe_subnets {
	struct ec2_query query;
};
static const struct param describe_subnets_params[] = {
	QUERY_IDS(struct ec2_describe_subnets, "SubnetId", KIND_SUBNET, "Subnets by id."),
	QUERY_FILTERS(struct ec2_describe_subnets),
	QUERY_PAGES(struct ec2_describe_subnets, 5, 1000),
};

static bool fits_zone_id(const struct filter_run *f, const struct row *row)
{
	const struct zone *zone = zone_find(f->t, ((const struct subnet *) row)->zone);
	return zone && filter_text(f, zone->short_id);
}

static bool fits_free(const struct filter_run *f, const struct row *row)
{
	return filter_int(f, engine_count_free_addresses((const struct subnet *) row));
}

static struct str subnet_arn(struct ec2_call *e, const struct subnet *subnet)
{
	char id[EC2_ID_TEXT_SIZE];
	return str_print(e->c->arena, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":subnet/%s",
			 STR_ARG(e->config->region), STR_ARG(e->owner),
			 id_write_ec2(KIND_SUBNET, subnet->row.id, id));
}

static bool fits_arn(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, subnet_arn(f->e, (const struct subnet *) row));
}

static const struct filter subnet_filters[] = {
	{"subnet-id", .is_id = true},
	{"vpc-id", .field = "router", .index = SUBNET_INDEX_ROUTER},
	{"availability-zone", .field = "zone"},
	{"availabilityZone", .field = "zone"},
	{"availability-zone-id", .get = fits_zone_id},
	{"availabilityZoneId", .get = fits_zone_id},
	{"available-ip-address-count", .get = fits_free},
	{"cidr-block", .field = "block"},
	{"cidr", .field = "block"},
	{"cidrBlock", .field = "block"},
	{"default-for-az", .field = "is_default"},
	{"defaultForAz", .field = "is_default"},
	{"map-public-ip-on-launch", .field = "public_on_launch"},
	{"map-customer-owned-ip-on-launch", .fixed = "false"},
	{"ipv6-native", .fixed = "false"},
	{"enable-dns64", .fixed = "false"},
	{"owner-id", .get = filter_owner},
	{"state", .fixed = "available"},
	{"subnet-arn", .get = fits_arn},
	{"private-dns-name-options-on-launch.hostname-type", .fixed = "ip-name"},
	{"private-dns-name-options-on-launch.enable-resource-name-dns-a-record", .fixed = "false"},
	{"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", .fixed = "false"},
	{"customer-owned-ipv4-pool", .get = filter_nothing},
	{"enable-lni-at-device-index", .get = filter_nothing},
	{"outpost-arn", .get = filter_nothing},
	{"ipv6-cidr-block-association.ipv6-cidr-block", .get = filter_nothing},
	{"ipv6-cidr-block-association.association-id", .get = filter_nothing},
	{"ipv6-cidr-block-association.state", .get = filter_nothing},
};

struct subnet_item {
	const struct subnet *subnet;
	const struct zone *zone;
	int64_t free_count;
};

/* Subnets without a router are no subnets of EC2's. */
static bool has_vpc(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return !uuid_is_none(((const struct subnet *) row)->router);
}

static const void *gather_subnet(struct ec2_call *e, const struct row *row)
{
	struct subnet_item *item = arena_new_object(e->c->arena, struct subnet_item);
	if (!item)
		return 0;
	item->subnet = (const struct subnet *) row;
	item->zone = zone_find(ec2_walk(e), item->subnet->zone);
	item->free_count = engine_count_free_addresses(item->subnet);
	return item;
}

static void write_name_options(struct xml *x)
{
	xml_open(x, "privateDnsNameOptionsOnLaunch");
	xml_z(x, "hostnameType", "ip-name");
	xml_bool(x, "enableResourceNameDnsARecord", false);
	xml_bool(x, "enableResourceNameDnsAAAARecord", false);
	xml_close(x, "privateDnsNameOptionsOnLaunch");
}

static void write_subnet(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct subnet_item *s = item;
	ec2_write_id(x, "subnetId", KIND_SUBNET, s->subnet->row.id);
	xml_text(x, "subnetArn", subnet_arn(e, s->subnet));
	xml_z(x, "state", "available");
	xml_text(x, "ownerId", e->owner);
	ec2_write_id(x, "vpcId", KIND_ROUTER, s->subnet->router);
	ec2_write_cidr(x, "cidrBlock", s->subnet->block);
	xml_empty(x, "ipv6CidrBlockAssociationSet");
	xml_int(x, "availableIpAddressCount", s->free_count);
	if (s->zone) {
		xml_text(x, "availabilityZone", s->zone->name);
		xml_text(x, "availabilityZoneId", s->zone->short_id);
	}
	xml_bool(x, "defaultForAz", s->subnet->is_default);
	xml_bool(x, "mapPublicIpOnLaunch", s->subnet->public_on_launch);
	xml_bool(x, "mapCustomerOwnedIpOnLaunch", false);
	xml_bool(x, "assignIpv6AddressOnCreation", false);
	xml_bool(x, "enableDns64", false);
	xml_bool(x, "ipv6Native", false);
	write_name_options(x);
	ec2_write_tags(x, s->subnet->tags);
}

static const struct ec2_listing subnet_listing = {.kind = KIND_SUBNET,
						  .set = "subnetSet",
						  .filters = FILTERS(subnet_filters),
						  .account_index = SUBNET_INDEX_ACCOUNT,
						  .shows = has_vpc,
						  .is_hiding = true,
						  .gather = gather_subnet,
						  .write = write_subnet};

/* ---- create ---- */

struct ec2_create_subnet {
	struct subnet_wish wish;
	struct ec2_tag_specs tag_specs;
	struct ref zone_id;
};
#define P(wire, member, ...) PARAM(struct ec2_create_subnet, wire, member, __VA_ARGS__)
static const struct param create_subnet_params[] = {
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC it is to be in."),
	P("CidrBlock", wish.block, .flags = REQUIRED, .doc = "Its addresses, within the VPC's."),
	P("AvailabilityZone", wish.zone, .flags = BY_NAME, .kind = KIND_ZONE, .doc = "The zone, by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .doc = "The zone, by id."),
	NOT_BUILT("Ipv6CidrBlock"),
	NOT_BUILT("Ipv4IpamPoolId"),
	NOT_BUILT("Ipv4NetmaskLength"),
	NOT_BUILT("Ipv6IpamPoolId"),
	NOT_BUILT("Ipv6NetmaskLength"),
	NOT_BUILT("OutpostArn"),
	NOT_BUILT("Ipv6Native", .only = "false"),
	TAG_SPECIFICATIONS(struct ec2_create_subnet, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_subnet *a = args;
	if (a->zone_id.kind != KIND_NONE && a->wish.zone.kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AvailabilityZoneId"),
				      "Specify either AvailabilityZone or AvailabilityZoneId");
	if (a->zone_id.kind != KIND_NONE)
		a->wish.zone = a->zone_id;
	return ec2_take_tags(e, &a->tag_specs, "subnet", "subnet", &a->wish.tags);
}

static RESULT ec2_create_subnet(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_subnet *a = args;
	return ec2_write_shown(e, &subnet_listing, a->wish.subnet, "subnet", x);
}

/* ---- the default one of a zone ---- */

struct ec2_create_default_subnet {
	struct default_subnet_wish wish;
	struct ref zone_id;
};
#define P(wire, member, ...) PARAM(struct ec2_create_default_subnet, wire, member, __VA_ARGS__)
static const struct param create_default_params[] = {
	P("AvailabilityZone", wish.zone, .flags = BY_NAME, .kind = KIND_ZONE, .doc = "The zone, by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .doc = "Or by id."),
	NOT_BUILT("Ipv6Native", .only = "false"),
};
#undef P

static RESULT prepare_create_default(struct ec2_call *e, void *args)
{
	struct ec2_create_default_subnet *a = args;
	return params_choose(e->c, &a->wish.zone, "AvailabilityZone", &a->zone_id, "AvailabilityZoneId",
			     &a->wish.zone);
}

static RESULT ec2_create_default_subnet(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_default_subnet *a = args;
	return ec2_write_shown(e, &subnet_listing, a->wish.subnet, "subnet", x);
}

/* ---- attributes ---- */

static const struct param modify_subnet_params[] = {
	PARAM(struct subnet_settings, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "The subnet."),
	PARAM(struct subnet_settings, "MapPublicIpOnLaunch.Value", public_on_launch,
	      .doc = "Whether launches in it get a public address."),
	NOT_BUILT("AssignIpv6AddressOnCreation.Value", .only = "false"),
	NOT_BUILT("MapCustomerOwnedIpOnLaunch.Value", .only = "false"),
	NOT_BUILT("CustomerOwnedIpv4Pool"),
	NOT_BUILT("EnableDns64.Value", .only = "false"),
	NOT_BUILT("PrivateDnsHostnameTypeOnLaunch", .only = "ip-name"),
	NOT_BUILT("EnableResourceNameDnsARecordOnLaunch.Value", .only = "false"),
	NOT_BUILT("EnableResourceNameDnsAAAARecordOnLaunch.Value", .only = "false"),
	NOT_BUILT("EnableLniAtDeviceIndex"),
	NOT_BUILT("DisableLniAtDeviceIndex.Value", .only = "false"),
};

/* ---- delete ---- */

static const struct param delete_subnet_params[] = {
	PARAM(struct subnet_target, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "The subnet."),
};

static const struct ec2_action actions[] = {
	{"DescribeSubnets", "ec2:DescribeSubnets", 0,
	 PARAMS(struct ec2_describe_subnets, describe_subnets_params), .list = &subnet_listing,
	 .doc = "Subnets of the account."},
	{"CreateSubnet", "ec2:CreateSubnet", WRITES, PARAMS(struct ec2_create_subnet, create_subnet_params),
	 prepare_create, engine_create_subnet_run, .shows = KIND_SUBNET, .answer = ec2_create_subnet,
	 .doc = "Makes a subnet in a VPC."},
	{"CreateDefaultSubnet", "ec2:CreateDefaultSubnet", WRITES,
	 PARAMS(struct ec2_create_default_subnet, create_default_params), prepare_create_default,
	 engine_create_default_subnet_run, .shows = KIND_SUBNET, .answer = ec2_create_default_subnet,
	 .doc = "Makes the default subnet of a zone where it was deleted."},
	{"ModifySubnetAttribute", "ec2:ModifySubnetAttribute", WRITES,
	 PARAMS(struct subnet_settings, modify_subnet_params), 0, engine_update_subnet_run,
	 .doc = "Changes an attribute of a subnet."},
	{"DeleteSubnet", "ec2:DeleteSubnet", WRITES, PARAMS(struct subnet_target, delete_subnet_params), 0,
	 engine_delete_subnet_run, .doc = "Deletes a subnet without network interfaces."},
};
const struct ec2_actions ec2_subnet_actions = ACTIONS(actions);
