/* SPDX-License-Identifier: Apache-2.0
 * Route tables and their routes. A route table is a route plan of the engine: in each virtual network where a subnet uses the plan,
 * the engine makes a route table from the plan's routes and the network's system routes. Source: Azure REST API reference, "Route Tables" and "Routes", 2022-07-01. */
#include "api/azure/network/network.h"

#include "base/vec.h"
#include "engine/tag.h"
#include "engine/virtual/route_plan.h"
#include "store/route_plan.h"
#include "store/route_plan_entry.h"
#include "store/route_table.h"
#include "store/subnet.h"

static const char *const hops[] = {[ROUTE_PLAN_ENTRY_HOP_APPLIANCE] = "VirtualAppliance",
				   [ROUTE_PLAN_ENTRY_HOP_INTERNET] = "Internet",
				   [ROUTE_PLAN_ENTRY_HOP_LOCAL] = "VnetLocal",
				   [ROUTE_PLAN_ENTRY_HOP_NONE] = "None"};
enum { HOPS = sizeof hops / sizeof hops[0] };

/* ---- what is shown ---- */

static const struct member route_properties[] = {
	AZ_SUCCEEDED,
	MEMBER(struct route_plan_entry, "addressPrefix", destination),
	MEMBER_AS(struct route_plan_entry, ENUM, "nextHopType", hop, .words = hops),
	MEMBER(struct route_plan_entry, "nextHopIpAddress", next_hop),
	MEMBER_FIXED("hasBgpOverride", "false"),
};
static const struct member route_members[] = {
	AZ_PART_HEAD(AZ_ROUTES, KIND_ROUTE_PLAN_ENTRY),
	MEMBER_OBJECT("properties", route_properties),
};
static const struct api_listing routes = {.kind = KIND_ROUTE_PLAN_ENTRY,
					  .whole = offsetof(struct route_plan_entry, plan),
					  .item = "value",
					  .matches = az_is_part,
					  .members = MEMBERS(route_members)};

/* Lists the subnets of all virtual networks that use the plan. */
static struct member_items list_subnets(struct api_call *core, const struct row *row)
{
	const struct tables *t = api_tables(core);
	VEC(struct str) ids = {0};
	const struct route_table *table = route_table_first_by_plan(t, row->id);
	for (; table; table = route_table_next_by_plan(t, table))
		for (const struct subnet *s = subnet_first_by_route_table(t, table->row.id); s;
		     s = subnet_next_by_route_table(t, s))
			if (row_is_live(&s->row))
				(void) VEC_PUSH(
					core->c->arena, &ids,
					az_id_of(az_call_of(core), AZ_SUBNETS, KIND_SUBNET, s->row.id));
	return az_list_links((struct strs){ids.at, ids.count});
}

static const struct member properties[] = {
	AZ_PROPERTIES,
	AZ_SAID_AS(AZ_TRUTH, "properties.", "disableBgpRoutePropagation", "false"),
	MEMBER_EACH("routes", routes.members, KIND_ROUTE_PLAN_ENTRY, ROUTE_PLAN_ENTRY_INDEX_PLAN),
	AZ_MADE_LINKS("subnets", list_subnets),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing plans = {
	.kind = KIND_ROUTE_PLAN, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- request bodies ---- */

struct route_says {
	struct str prefix, hop;
	struct ip ip;
};
static const struct param route_rows[] = {
	PARAM(struct route_says, "addressPrefix", prefix, .flags = REQUIRED, .doc = "Destination block."),
	PARAM(struct route_says, "nextHopType", hop, .flags = REQUIRED,
	      .doc = "Type of the next hop: VirtualAppliance, Internet, VnetLocal or None."),
	PARAM(struct route_says, "nextHopIpAddress", ip, .doc = "Address of a virtual appliance."),
	NOT_BUILT("nextHop"),
	AZ_READ_ONLY("provisioningState|hasBgpOverride"),
};
static const struct params route_params =
	PARAMS(struct route_says, route_rows, .object = "RoutePropertiesFormat");

static RESULT read_route(struct az_call *e, const struct route_says *says, struct route_plan_entry_wish *wish)
{
	size_t k = 0;
	if (!result_is_ok(cidr_parse(says->prefix, &wish->destination)))
		return az_fail(e, "properties.addressPrefix",
			       "Address prefix %" STR_FMT " is no block of addresses: service tags are not "
			       "supported.",
			       STR_ARG(str_slice(says->prefix, 0, 64)));
	while (k < HOPS && !str_equal_nocase(says->hop, str_from(hops[k])))
		k++;
	if (k == HOPS)
		return az_fail(
			e, "properties.nextHopType",
			"The next hop type '%" STR_FMT
			"' is not supported. Allowed values are: VirtualAppliance, Internet, VnetLocal, "
			"None.",
			STR_ARG(str_slice(says->hop, 0, 64)));
	wish->hop = (enum route_plan_entry_hop) k;
	wish->next_hop = says->ip;
	return OK;
}

/* ---- one route ---- */

struct route_args {
	struct route_plan_entry_wish wish;
	struct route_says properties;
};
static const struct param route_put_rows[] = {
	PARAM_OBJECT(struct route_args, "properties", properties, route_params,
		     .doc = "Destination and next hop."),
	AZ_NAMED_PART,
};

static RESULT prepare_route(struct az_call *e, void *args)
{
	struct route_args *a = args;
	a->wish.entry = e->target;
	a->wish.name = az_path_value(e, "routeName");
	return read_route(e, &a->properties, &a->wish);
}

/* ---- a whole table ---- */

struct listed_routes {
	const struct listed_route {
		struct str name;
		struct route_says properties;
	} * at;
	size_t count;
};
struct table_says {
	struct listed_routes routes;
	bool has_routes;
};
static const struct param listed_rows[] = {
	PARAM(struct listed_route, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct listed_route, "properties", properties, route_params,
		     .doc = "Destination and next hop."),
	AZ_PART,
};
static const struct params listed_params = PARAMS(struct listed_route, listed_rows, .object = "Route");
static const struct param table_rows[] = {
	PARAM_LIST(struct table_says, "routes", routes, listed_params, .max = 400,
		   .given = offsetof(struct table_says, has_routes) + 1,
		   .doc = "Routes, which replace all present ones."),
	NOT_BUILT("disablePeeringRoute", .only = "None"),
	AZ_KEPT("disableBgpRoutePropagation"),
	AZ_READ_ONLY("subnets|provisioningState|resourceGuid"),
};
static const struct params table_params =
	PARAMS(struct table_says, table_rows, .object = "RouteTablePropertiesFormat");

struct route_part {
	struct route_plan_entry_wish wish;
	struct str name;
};
struct table_args {
	struct table_says properties;
	struct route_plan_wish make;
	struct route_part *parts;
	size_t part_count;
	struct refs gone;
	uuid group, id;
};
static const struct param put_rows[] = {
	PARAM_OBJECT(struct table_args, "properties", properties, table_params,
		     .doc = "Routes of the table."),
	AZ_RESOURCE,
};

static RESULT read_part(struct az_call *e, struct table_args *a, const struct listed_route *listed)
{
	const struct row *row = NULL;
	struct route_part *part = &a->parts[a->part_count];
	if (!az_is_name(listed->name))
		return az_fail_name(e, "properties.routes.name");
	part->name = az_part_name(e, e->put.name, listed->name);
	part->wish.name = str_copy(e->c->arena, listed->name);
	TRY(read_route(e, &listed->properties, &part->wish));
	TRY(az_look_up(e, AZ_ROUTES, KIND_ROUTE_PLAN_ENTRY, part->name, &row));
	const struct route_plan_entry *r = route_plan_entry_of(row);
	bool stays = r && cidr_equal(r->destination, cidr_canonical(part->wish.destination));
	part->wish.entry = stays ? row->id : UUID_NONE;
	a->part_count++;
	return OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct table_args *a = args;
	const struct table_says *p = &a->properties;
	a->group = e->group;
	a->id = e->target;
	a->make.name = e->put.name;
	a->parts = arena_new_array(e->c->arena, struct route_part, p->routes.count + 1);
	if (!a->parts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < p->routes.count; k++)
		TRY(read_part(e, a, &p->routes.at[k]));
	if (!p->has_routes || uuid_is_none(e->target))
		return OK;
	/* routes that the body no longer lists, or lists with another destination */
	const struct az_kept kept = {&a->parts->wish.entry, a->part_count, sizeof *a->parts};
	return az_find_gone(e, KIND_ROUTE_PLAN_ENTRY, ROUTE_PLAN_ENTRY_INDEX_PLAN, &kept, NULL, &a->gone);
}

static RESULT put(struct op *op, void *args)
{
	struct table_args *a = args;
	if (uuid_is_none(a->id)) {
		TRY(engine_create_route_plan(op, &a->make));
		a->id = a->make.plan;
	}
	for (size_t k = 0; k < a->gone.count; k++)
		TRY(engine_delete_route_plan_entry(
			op, &(struct route_plan_entry_target){.entry = a->gone.at[k]}));
	for (size_t k = 0; k < a->part_count; k++) {
		struct route_plan_entry_wish *wish = &a->parts[k].wish;
		wish->plan = ref_by_id(KIND_ROUTE_PLAN, a->id);
		TRY(engine_put_route_plan_entry(op, wish));
		TRY(az_name_part(op, a->group, AZ_ROUTES, a->parts[k].name, KIND_ROUTE_PLAN_ENTRY,
				 wish->entry, STR_NONE));
	}
	return OK;
}

#define TABLES AZ_NETWORK "/routeTables"
#define TABLE AZ_GROUP TABLES "/{routeTableName}"
#define OF_ONE .type = AZ_ROUTE_TABLES, .kind = KIND_ROUTE_PLAN, .names = "routeTableName"
#define ROUTES TABLE "/routes"
#define ROUTE ROUTES "/{routeName}"
#define OF_TABLE AZ_WHOLE("routeTableName", AZ_ROUTE_TABLES, KIND_ROUTE_PLAN)
#define OF_ROUTE .type = AZ_ROUTES, .kind = KIND_ROUTE_PLAN_ENTRY, .names = "routeTableName/routeName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION TABLES, .name = "RouteTables_ListAll", .permit = "ec2:DescribeRoutePlans",
	 .type = AZ_ROUTE_TABLES, .listing = &plans, .doc = "Lists the subscription's route tables."},
	{HTTP_GET, AZ_GROUP TABLES, .name = "RouteTables_List", .permit = "ec2:DescribeRoutePlans",
	 .type = AZ_ROUTE_TABLES, .listing = &plans, .doc = "Lists a resource group's route tables."},
	{HTTP_GET, TABLE, .name = "RouteTables_Get", .permit = "ec2:DescribeRoutePlans", OF_ONE,
	 .shows = &plans, .doc = "Gets one route table."},
	{HTTP_PUT, TABLE, .name = "RouteTables_CreateOrUpdate", .permit = "ec2:CreateRoutePlan",
	 .flags = API_WRITES | AZ_PUT, OF_ONE, .parts = "properties.routes",
	 .keeps = "properties.disableBgpRoutePropagation",
	 .args = PARAMS(struct table_args, put_rows, .object = "RouteTable"), .prepare = prepare,
	 .operation = put, .returns = KIND_ROUTE_PLAN, AZ_SUBJECT(struct table_args, id), .shows = &plans,
	 .doc = "Creates a route table or replaces its routes."},
	{HTTP_PATCH, TABLE, .name = "RouteTables_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_ROUTE_PLAN,
	 .shows = &plans, .doc = "Changes a route table's tags."},
	{HTTP_DELETE, TABLE, .name = "RouteTables_Delete", .permit = "ec2:DeleteRoutePlan",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct route_plan_target)},
	 AZ_TARGET(struct route_plan_target, plan), .operation = engine_delete_route_plan_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a route table that no subnet uses."},
	{HTTP_GET, ROUTES, .name = "Routes_List", .permit = "ec2:DescribeRoutePlans", .type = AZ_ROUTES,
	 .kind = KIND_ROUTE_PLAN, .names = "routeTableName", .names_type = AZ_ROUTE_TABLES,
	 .listing = &routes, .doc = "Lists the routes of a route table."},
	{HTTP_GET, ROUTE, .name = "Routes_Get", .permit = "ec2:DescribeRoutePlans", OF_ROUTE,
	 .shows = &routes, .doc = "Gets one route."},
	{HTTP_PUT, ROUTE, .name = "Routes_CreateOrUpdate", .permit = "ec2:ModifyRoutePlan",
	 .flags = API_WRITES | AZ_PUT, OF_ROUTE, OF_TABLE, AZ_WHOLE_AT(struct route_args, wish.plan),
	 .args = PARAMS(struct route_args, route_put_rows, .object = "Route"), .prepare = prepare_route,
	 .operation = engine_put_route_plan_entry_run, .returns = KIND_ROUTE_PLAN_ENTRY,
	 AZ_SUBJECT(struct route_args, wish.entry), .shows = &routes, .doc = "Creates or changes a route."},
	{HTTP_DELETE, ROUTE, .name = "Routes_Delete", .permit = "ec2:ModifyRoutePlan", .flags = API_WRITES,
	 OF_ROUTE, OF_TABLE, .args = {0, 0, sizeof(struct route_plan_entry_target)},
	 AZ_TARGET(struct route_plan_entry_target, entry), .operation = engine_delete_route_plan_entry_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a route."},
};
const struct api_actions az_route_table_actions = API_ACTIONS(actions);
