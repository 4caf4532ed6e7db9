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
	NOT_BUILT("domainid"),
	NOT_BUILT("tags"),
	NOT_BUILT("storageaccessgroup"),
	NOT_BUILT("showcapacities", .only = "false"),
};

static struct str get_name(struct cloudstack_call *e, const struct row *row)
{
	(void) e;
	return zone_of(row)->name;
}

static bool matches(struct cloudstack_call *e, const void *args, const struct row *row)
{
	const struct list_zones *a = args;
	(void) e;
	return (!a->network_type.n || str_equal_nocase(a->network_type, STR("Advanced"))) &&
	       (zone_of(row)->enabled || a->available == CHOICE_NO);
}

static void write_zone(struct cloudstack_call *e, struct json_writer *w, const struct row *row)
{
	const struct zone *z = zone_of(row);
	cloudstack_write_id(e, w, "id", row->id);
	json_write_text(w, "name", z->name);
	json_write_z(w, "networktype", "Advanced");
	json_write_bool(w, "securitygroupsenabled", true);
	json_write_z(w, "allocationstate", z->enabled ? "Enabled" : "Disabled");
	json_write_z(w, "dhcpprovider", "VirtualRouter");
	json_write_bool(w, "localstorageenabled", true);
	json_write_open_list(w, "tags");
	json_write_close_list(w);
}

static const struct cloudstack_listing zones = {.kind = KIND_ZONE,
						.item = "zone",
						.get_name = get_name,
						.is_by_name = true,
						.matches = matches,
						.write = write_zone};
const struct cloudstack_action cloudstack_zone_actions[1] = {{
	.name = "listZones",
	.permit = "ec2:DescribeAvailabilityZones",
	.args = PARAMS(struct list_zones, params),
	.list = &zones,
	.doc = "Zones.",
}};
