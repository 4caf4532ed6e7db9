/* SPDX-License-Identifier: Apache-2.0
 * listZones: the region's availability zones. Each is an advanced zone with security groups. */
#include "api/cloudstack/internal.h"
#include "model/zone.h"

struct list_zones {
	struct cloudstack_list_args list;
	struct str network_type;
	enum choice available;
};
static const struct param params[] = {
	CLOUDSTACK_LIST_PARAMS(struct list_zones, KIND_ZONE),
	PARAM(struct list_zones, "networktype", network_type,
	      .doc = "Basic or Advanced; all zones are Advanced."),
	PARAM(struct list_zones, "available", available, .doc = "Whether disabled zones are left out."),
	NOT_BUILT("domainid|tags|storageaccessgroup"),
	NOT_BUILT("showcapacities", .only = "false"),
};

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_zones *a = args;
	(void) e;
	return (!a->network_type.n || str_equal_nocase(a->network_type, STR("Advanced"))) &&
	       (zone_of(row)->enabled || a->available == CHOICE_NO);
}

static const struct member members[] = {
	MEMBER(struct zone, "id", row.id),
	MEMBER(struct zone, "name", name),
	MEMBER_FIXED("networktype", "\"Advanced\""),
	MEMBER_FIXED("securitygroupsenabled", "true"),
	MEMBER(struct zone, "allocationstate", enabled, .yes = "Enabled", .no = "Disabled"),
	MEMBER_FIXED("dhcpprovider", "\"VirtualRouter\""),
	MEMBER_FIXED("localstorageenabled", "true"),
	MEMBER_FIXED("tags", "[]"),
};

static const struct api_listing zones = {
	KIND_ZONE,          offsetof(struct zone, name), "zone",
	.is_by_name = true, .matches = matches,          .members = MEMBERS(members)};
static const struct cloudstack_action actions[] = {{
	.name = "listZones",
	.permit = "ec2:DescribeAvailabilityZones",
	.args = PARAMS(struct list_zones, params),
	.listing = &zones,
	.doc = "Zones.",
}};
const struct api_actions cloudstack_zone_actions = API_ACTIONS(actions);
