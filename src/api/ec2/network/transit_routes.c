/* SPDX-License-Identifier: Apache-2.0
 * Routes of transit gateways' route tables: Create…, Replace…, Delete… and SearchTransitGatewayRoutes. Static routes
 * are rows; propagated ones follow from the attachments. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/transit.h"
#include "engine/transit/transit.h"
#include "model/transit_attachment.h"
#include "model/transit_route.h"

/* ---- writing ---- */

/* attachment none: the route has none. */
static void write_members(struct xml *x, struct cidr to, uuid attachment, uuid router, bool is_static,
			  const char *state)
{
	ec2_write_cidr(x, "destinationCidrBlock", to);
	if (!uuid_is_none(attachment)) {
		xml_open(x, "transitGatewayAttachments");
		xml_open(x, "item");
		ec2_write_transit_resource(x, router);
		ec2_write_id(x, "transitGatewayAttachmentId", KIND_TRANSIT_ATTACHMENT, attachment);
		xml_close(x, "item");
		xml_close(x, "transitGatewayAttachments");
	}
	xml_z(x, "type", is_static ? "static" : "propagated");
	xml_z(x, "state", state);
}

/* ---- create, replace, delete ---- */

#define P(wire, member, ...) PARAM(struct transit_route_wish, wire, member, __VA_ARGS__)
#define PLACE                                                                                                \
	P("DestinationCidrBlock", destination, .flags = REQUIRED | ANY_FAMILY,                               \
	  .doc = "Destination of the route."),                                                               \
		P("TransitGatewayRouteTableId", route_table, .flags = REQUIRED,                              \
		  .kind = KIND_TRANSIT_ROUTE_TABLE, .doc = "The transit gateway route table.")
static const struct param route_params[] = {
	PLACE,
	P("TransitGatewayAttachmentId", attachment, .kind = KIND_TRANSIT_ATTACHMENT,
	  .doc = "Target: an attachment."),
	P("Blackhole", is_blackhole,
	  .doc = "Creates a black hole route, which drops matching traffic, instead of a target."),
};
static const struct param delete_params[] = {PLACE};
#undef P

static RESULT ec2_write_route(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct transit_route_wish *a = args;
	const char *state = ec2_state_in_answer(e, a->made_is_blackhole ? "blackhole" : "active");
	xml_open(x, "route");
	write_members(x, cidr_canonical(a->destination), a->made_attachment, a->made_router, true, state);
	xml_close(x, "route");
	return OK;
}

/* ---- search ---- */

enum { ROUTES_MAX = 1000 /* in an answer */ };

/* A route as filters see it. */
struct way_row {
	struct row row;
	struct transit_way way;
};

static const struct transit_way *way_of(const struct row *row)
{
	return &((const struct way_row *) row)->way;
}

static uuid attachment_of(const struct transit_way *way)
{
	if (way->attachment)
		return way->attachment->row.id;
	return way->route ? way->route->attachment : UUID_NONE;
}

static bool fits_attachment(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, KIND_TRANSIT_ATTACHMENT, attachment_of(way_of(row)));
}

static bool fits_resource(const struct filter_run *f, const struct row *row)
{
	const struct transit_attachment *a = way_of(row)->attachment;
	return a && filter_id(f, KIND_ROUTER, a->router);
}

static bool fits_resource_type(const struct filter_run *f, const struct row *row)
{
	return way_of(row)->attachment && filter_z(f, "vpc");
}

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, way_of(row)->is_blackhole ? "blackhole" : "active");
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, way_of(row)->route ? "static" : "propagated");
}

/* Compares the destination with blocks; an address stands for itself alone. The longest prefix among the routes
 * is chosen afterwards. */
static bool fits_block(const struct filter_run *f, const struct row *row)
{
	struct str name = str_from(f->filter->name);
	struct cidr to = way_of(row)->to;
	bool fits = false;
	for (size_t k = 0; k < f->patterns.count && !fits; k++) {
		struct cidr block = {0};
		if (!result_is_ok(cidr_parse(f->patterns.at[k], &block))) {
			if (!result_is_ok(ip_parse(f->patterns.at[k], &block.base)))
				continue;
			block.bits = block.base.family == IP_V6 ? 128 : 32;
		}
		block = cidr_canonical(block);
		if (str_ends_with(name, STR("exact-match")))
			fits = cidr_equal(to, block);
		else if (str_ends_with(name, STR("subnet-of-match")))
			fits = cidr_contains_cidr(block, to);
		else
			fits = cidr_contains_cidr(to, block);
	}
	return fits;
}

static const struct filter route_filters[] = {
	{"attachment.transit-gateway-attachment-id", .get = fits_attachment},
	{"attachment.resource-id", .get = fits_resource},
	{"attachment.resource-type", .get = fits_resource_type},
	{"prefix-list-id", .get = filter_nothing},
	{"route-search.exact-match", .get = fits_block},
	{"route-search.longest-prefix-match", .get = fits_block},
	{"route-search.subnet-of-match", .get = fits_block},
	{"route-search.supernet-of-match", .get = fits_block},
	{"state", .get = fits_state},
	{"type", .get = fits_type},
};

struct ec2_search_routes {
	struct ec2_query query;
	struct ref table;
};
static const struct param search_params[] = {
	PARAM(struct ec2_search_routes, "TransitGatewayRouteTableId", table, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_ROUTE_TABLE, .doc = "The transit gateway route table."),
	PARAM_LIST(struct ec2_search_routes, "Filter", query.filters, ec2_filter_params, .flags = REQUIRED,
		   .max = 200, .doc = "Filters. A route must match all of them, each by any of its values."),
	PARAM(struct ec2_search_routes, "MaxResults", query.max_results, .min = 5, .max = ROUTES_MAX,
	      .doc = "Maximum number of routes returned."),
	NOT_BUILT("NextToken"),
};

static bool wants_longest(const struct filter_runs *runs)
{
	for (size_t k = 0; k < runs->count; k++)
		if (strcmp(runs->at[k].filter->name, "route-search.longest-prefix-match") == 0)
			return true;
	return false;
}

struct found_ways {
	VEC(struct transit_way) at;
};

static RESULT find_ways(struct ec2_call *e, const struct ec2_search_routes *a, struct found_ways *found)
{
	static const struct filters filters = FILTERS(route_filters);
	struct filter_runs runs = {0};
	struct transit_ways ways = {0};
	const struct row *table = NULL;
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(engine_find_own(e->c, ec2_tables(e), KIND_TRANSIT_ROUTE_TABLE, &a->table, &table));
	if (!engine_list_transit_ways(e->c->arena, ec2_tables(e), table->id, &ways))
		return ctx_no_memory(e->c);
	bool is_longest = wants_longest(&runs);
	for (size_t k = 0; k < ways.count; k++) {
		const struct way_row row = {.way = ways.at[k]};
		if (!filters_fit(&runs, ec2_tables(e), &row.row))
			continue;
		if (is_longest && found->at.count && found->at.at[0].to.bits >= row.way.to.bits)
			continue;
		if (is_longest)
			found->at.count = 0;
		if (!VEC_PUSH(e->c->arena, &found->at, row.way))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static RESULT ec2_search_routes(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_search_routes *a = args;
	struct found_ways found = {0};
	size_t max = a->query.max_results ? (size_t) a->query.max_results : ROUTES_MAX;
	TRY(find_ways(e, a, &found));
	ec2_release_tables(e);
	xml_open(x, "routeSet");
	for (size_t k = 0; k < found.at.count && k < max; k++) {
		const struct transit_way *way = &found.at.at[k];
		xml_open(x, "item");
		write_members(x, way->to, way->attachment ? way->attachment->row.id : UUID_NONE,
			      way->attachment ? way->attachment->router : UUID_NONE, way->route != NULL,
			      way->is_blackhole ? "blackhole" : "active");
		xml_close(x, "item");
	}
	xml_close(x, "routeSet");
	xml_bool(x, "additionalRoutesAvailable", found.at.count > max);
	return OK;
}

#define CHANGE(word, params, run, words)                                                                     \
	EC2_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct transit_route_wish, params),            \
			  .operation = run, .answer = ec2_write_route, .doc = (words)
static const struct ec2_action actions[] = {
	{CHANGE("CreateTransitGatewayRoute", route_params, engine_create_transit_route_run,
		"Adds a static route.")},
	{CHANGE("ReplaceTransitGatewayRoute", route_params, engine_replace_transit_route_run,
		"Replaces the target of a static route.")},
	{CHANGE("DeleteTransitGatewayRoute", delete_params, engine_delete_transit_route_run,
		"Deletes a static route."),
	 .state_in_answer = "deleted"},
	{EC2_ACTION("SearchTransitGatewayRoutes"), .args = PARAMS(struct ec2_search_routes, search_params),
	 .answer = ec2_search_routes, .filters = FILTERS(route_filters),
	 .doc = "Lists the static and propagated routes of a transit gateway route table."},
};
const struct api_actions ec2_transit_route_actions = API_ACTIONS(actions);
