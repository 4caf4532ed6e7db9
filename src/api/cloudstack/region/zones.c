/* SPDX-License-Identifier: Apache-2.0
 * listZones: the region's availability zones. Each is an advanced zone with security groups. */
#include "api/cloudstack/region/annotations.h"
#include "api/cloudstack/region/region.h"
#include "engine/resolve.h"
#include "model/zone.h"

RESULT cs_find_zones(struct cs_call *e, const struct refs *zones, struct uuids *ret_zones)
{
	const struct zone *zone = NULL;
	uuid *found = arena_new_array(e->c->arena, uuid, zones->count);
	if (!found)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < zones->count; k++) {
		TRY(engine_find_zone(e->c, cs_tables(e), &zones->at[k], &zone));
		found[k] = zone->row.id;
	}
	*ret_zones = (struct uuids){found, zones->count};
	return OK;
}

struct list_zones {
	struct cs_list_args list;
	struct str network_type;
	enum choice available, shows_capacities;
};
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_zones, KIND_ZONE),
	CS_NAME_PARAM(struct list_zones),
	CS_IDS_PARAM(struct list_zones, KIND_ZONE),
	PARAM(struct list_zones, "networktype", network_type,
	      .doc = "Network type: Basic or Advanced. All zones are Advanced."),
	PARAM(struct list_zones, "available", available, .doc = "Excludes disabled zones."),
	NOT_BUILT("domainid|tags|storageaccessgroup"),
	CS_SHOW_CAPACITIES_PARAM(struct list_zones, shows_capacities),
	NOT_BUILT("showicon", .only = "false"),
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
	MEMBER_WRITTEN("capacity", cs_write_capacities),
	CS_HAS_ANNOTATIONS,
	MEMBER_FIXED("tags", "[]"),
};

static const struct api_listing zones =
	CS_LISTING(KIND_ZONE, "zone", members, .name = offsetof(struct zone, name), .is_by_name = true,
		   .matches = matches);

/* ---- hypervisors ---- */

struct hypervisor_args {
	struct ref zone;
};
static const struct param hypervisor_params[] = {
	PARAM(struct hypervisor_args, "zoneid", zone, .kind = KIND_ZONE, .doc = "Zone."),
};

static RESULT list_hypervisors(struct cs_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_int(w, "count", 1);
	json_write_open_list(w, "hypervisor");
	json_write_open(w, NULL);
	json_write_z(w, "name", "KVM");
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("listZones", "ec2:DescribeAvailabilityZones"), .args = PARAMS(struct list_zones, params),
	 .listing = &zones, .doc = "Lists zones."},
	{CS_ACTION("listZonesMetrics", "ec2:DescribeAvailabilityZones"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_zones, params), .listing = &zones, .doc = "Lists zones, like listZones."},
	{CS_ACTION("listHypervisors", "ec2:DescribeAvailabilityZones"),
	 .args = PARAMS(struct hypervisor_args, hypervisor_params), .answer = list_hypervisors,
	 .says = "name", .doc = "Lists hypervisors. KVM is the only one."},
};
const struct api_actions cs_zone_actions = API_ACTIONS(actions);
