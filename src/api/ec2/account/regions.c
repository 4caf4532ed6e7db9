/* SPDX-License-Identifier: Apache-2.0
 * DescribeRegions and DescribeAvailabilityZones. The only region is the one that answers. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "model/zone.h"

/* ---- regions ---- */

struct ec2_describe_regions {
	struct ec2_query query;
	struct strs region_names;
	bool all_regions;
};
#define P(wire, member, ...) PARAM(struct ec2_describe_regions, wire, member, __VA_ARGS__)
static const struct param describe_regions_params[] = {
	P("RegionName", region_names, .doc = "Regions by name."),
	P("AllRegions", all_regions, .doc = "Accepted; no region requires an opt-in."),
	QUERY_FILTERS(struct ec2_describe_regions),
};
#undef P

static bool fits_region_name(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, f->e->config->region);
}

static bool fits_endpoint(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, f->e->config->endpoint);
}

static const struct filter region_filters[] = {
	{"region-name", .get = fits_region_name},
	{"endpoint", .get = fits_endpoint},
	{"opt-in-status", .fixed = "opt-in-not-required"},
};

static RESULT ec2_describe_regions(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(region_filters);
	const struct ec2_describe_regions *a = args;
	struct str region = e->config->region;
	struct filter_runs runs;
	for (size_t k = 0; k < a->region_names.count; k++)
		if (!str_equal(a->region_names.at[k], region))
			return ctx_fail_field(e->c, ERR_INVALID, STR("RegionName"),
					      "Invalid region names provided: %" STR_FMT,
					      STR_ARG(a->region_names.at[k]));
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	xml_open(x, "regionInfo");
	if (request_asks_for(a->region_names, region) && filters_fit(&runs, 0, 0)) {
		xml_open(x, "item");
		xml_text(x, "regionName", region);
		xml_text(x, "regionEndpoint", e->config->endpoint);
		xml_z(x, "optInStatus", "opt-in-not-required");
		xml_close(x, "item");
	}
	xml_close(x, "regionInfo");
	return OK;
}

/* ---- availability zones ---- */

struct ec2_describe_zones {
	struct ec2_query query;
	bool all;
};
static const struct param describe_zones_params[] = {
	QUERY_NAMES(struct ec2_describe_zones, "ZoneName", KIND_ZONE, "Zones by name."),
	PARAM(struct ec2_describe_zones, "ZoneId", query.ids, .flags = BY_NAME, .kind = KIND_ZONE,
	      .doc = "Zones by id."),
	PARAM(struct ec2_describe_zones, "AllAvailabilityZones", all,
	      .doc = "Accepted; all zones are always shown."),
	QUERY_FILTERS(struct ec2_describe_zones),
};

static const char *zone_state(const struct zone *zone)
{
	return zone->enabled ? "available" : "unavailable";
}

static bool fits_zone_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, zone_state(zone_of(row)));
}

/* All zones belong to one group, which is open to every account. */
static struct str zone_group(const struct ec2_call *e)
{
	return str_print(e->c->arena, "%" STR_FMT "-zg-1", STR_ARG(e->config->region));
}

static bool fits_zone_group(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, zone_group(f->e));
}

static struct str zone_group_title(const struct ec2_call *e)
{
	return str_print(e->c->arena, "%" STR_FMT " 1", STR_ARG(e->config->region));
}

static bool fits_zone_group_title(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, zone_group_title(f->e));
}

static const struct filter zone_filters[] = {
	{"zone-name", .field = "name"},
	{"zone-id", .field = "short_id"},
	{"region-name", .get = fits_region_name},
	{"group-name", .get = fits_zone_group},
	{"group-long-name", .get = fits_zone_group_title},
	{"state", .get = fits_zone_state},
	{"zone-type", .fixed = "availability-zone"},
	{"opt-in-status", .fixed = "opt-in-not-required"},
	{"message", .get = filter_nothing},
	{"parent-zone-id", .get = filter_nothing},
	{"parent-zone-name", .get = filter_nothing},
	{"parent-zoneID", .get = filter_nothing}, /* names in earlier versions of the reference */
	{"parent-zoneName", .get = filter_nothing},
};

static void write_zone(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct zone *zone = item;
	xml_text(x, "zoneName", zone->name);
	xml_z(x, "zoneState", zone_state(zone));
	xml_text(x, "regionName", e->config->region);
	xml_text(x, "zoneId", zone->short_id);
	xml_text(x, "groupName", zone_group(e));
	xml_text(x, "groupLongName", zone_group_title(e));
	xml_text(x, "networkBorderGroup", e->config->region);
	xml_z(x, "zoneType", "availability-zone");
	xml_z(x, "optInStatus", "opt-in-not-required");
	xml_empty(x, "messageSet");
}

static const struct ec2_listing zone_listing = {.kind = KIND_ZONE,
						.set = "availabilityZoneInfo",
						.filters = FILTERS(zone_filters),
						.write = write_zone};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeRegions"), .args = PARAMS(struct ec2_describe_regions, describe_regions_params),
	 .answer = ec2_describe_regions, .filters = FILTERS(region_filters),
	 .doc = "Describes the region and its endpoint."},
	{EC2_ACTION("DescribeAvailabilityZones"),
	 .args = PARAMS(struct ec2_describe_zones, describe_zones_params), .list = &zone_listing,
	 .doc = "Lists the region's Availability Zones."},
};
const struct api_actions ec2_region_actions = API_ACTIONS(actions);
