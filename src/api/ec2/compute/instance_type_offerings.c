/* SPDX-License-Identifier: Apache-2.0
 * DescribeInstanceTypeOfferings: which instance types are offered where. Every open zone offers all types
 * of the region, because hosts are not tied to types. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/region/offered.h"
#include "store/instance_type.h"
#include "store/zone.h"

struct ec2_describe_offerings {
	struct ec2_query query;
	struct str location_type;
};
static const struct param describe_params[] = {
	PARAM(struct ec2_describe_offerings, "LocationType", location_type,
	      .words = "region|availability-zone|availability-zone-id|outpost", .absent = "region",
	      .doc = "Kind of location: region, or availability zone by name or id. There are no Outposts."),
	QUERY_FILTERS(struct ec2_describe_offerings),
	QUERY_PAGES(struct ec2_describe_offerings, 5, 1000),
};

/* An instance type at a location. Its id is made of both, so that a page continues behind it even if
 * others come or go. */
struct offering {
	struct row row;
	struct str type, location;
};

struct offerings {
	VEC(const struct row *) at;
};

static bool fits_location(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ((const struct offering *) row)->location);
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ((const struct offering *) row)->type);
}

static const struct filter offering_filters[] = {
	{"location", .get = fits_location},
	{"instance-type", .get = fits_type},
};

/* Zone none: the whole region. */
static RESULT add_at(struct ec2_call *e, const struct filter_runs *runs, struct str location, uuid zone,
		     struct offerings *list)
{
	const struct tables *t = ec2_tables(e);
	for (const struct instance_type *type = instance_type_first(t); type;
	     type = instance_type_next(t, type)) {
		struct offering *offering = arena_new_object(e->c->arena, struct offering);
		if (!offering)
			return ctx_no_memory(e->c);
		*offering = (struct offering){
			.row.id = uuid_v5(type->row.id, location), .type = type->name, .location = location};
		if (row_is_live(&type->row) && type->enabled &&
		    engine_may_see(e->c, KIND_INSTANCE_TYPE, &type->row) &&
		    (uuid_is_none(zone) || engine_is_offered_in(&type->zones, zone)) &&
		    filters_fit(runs, t, &offering->row) && !VEC_PUSH(e->c->arena, &list->at, &offering->row))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static RESULT find_offerings(struct ec2_call *e, const struct filter_runs *runs, struct str location_type,
			     struct offerings *list)
{
	const struct tables *t = ec2_tables(e);
	if (str_is(location_type, "region"))
		return add_at(e, runs, e->config->region, UUID_NONE, list);
	bool by_name = str_is(location_type, "availability-zone"),
	     by_id = str_is(location_type, "availability-zone-id");
	for (const struct zone *zone = zone_first(t); zone && (by_name || by_id); zone = zone_next(t, zone))
		if (row_is_live(&zone->row) && zone->enabled)
			TRY(add_at(e, runs, by_name ? zone->name : zone->short_id, zone->row.id, list));
	return OK;
}

static RESULT ec2_describe_instance_type_offerings(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(offering_filters);
	const struct ec2_describe_offerings *a = args;
	struct filter_runs runs;
	struct offerings list = {0};
	struct query_page page;
	struct query q = {.c = e->c,
			  .limit = a->query.max_results ? (size_t) a->query.max_results : SIZE_MAX};
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(ec2_parse_token(e, a->query.next_token, &q.after));
	TRY(find_offerings(e, &runs, a->location_type, &list));
	q.given = (struct rows){list.at.at, list.at.count};
	TRY(query_run(&q, &page));
	xml_open(x, "instanceTypeOfferingSet");
	for (size_t k = 0; k < page.count; k++) {
		const struct offering *offering = (const struct offering *) page.rows[k];
		xml_open(x, "item");
		xml_text(x, "instanceType", offering->type);
		xml_text(x, "locationType", a->location_type);
		xml_text(x, "location", offering->location);
		xml_close(x, "item");
	}
	xml_close(x, "instanceTypeOfferingSet");
	if (page.found > page.count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page.rows[page.count - 1])));
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInstanceTypeOfferings"),
	 .args = PARAMS(struct ec2_describe_offerings, describe_params),
	 .answer = ec2_describe_instance_type_offerings, .filters = FILTERS(offering_filters),
	 .doc = "Lists the instance types offered in each location."},
};
const struct api_actions ec2_offering_actions = API_ACTIONS(actions);
