/* SPDX-License-Identifier: Apache-2.0
 * Static routes of VPCs: routes of the main table that lead to an address in one of the tiers. Routes through
 * private gateways are refused, because there are none. Source of messages: StaticRouteServiceImpl of 4.22.
 */
#include "api/cloudstack/network/network.h"
#include "engine/network/routing/route_table.h"
#include "engine/resolve.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"

/* ---- listStaticRoutes ---- */

struct list_routes {
	struct cs_list_args list;
	struct ref vpc, project;
	struct str state;
};
#define P(wire, member, ...) PARAM(struct list_routes, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_routes, KIND_ROUTE),
	CS_OWNER_PARAMS(struct list_routes),
	CS_PROJECT_PARAM(struct list_routes, project),
	P("vpcid", vpc, .kind = KIND_ROUTER, .doc = "VPC."),
	P("state", state, .doc = "State. All routes are Active."),
	NOT_BUILT("gatewayid|tags"),
};
#undef P

static const struct route_table *table_of(struct api_call *e, const struct row *row)
{
	return route_table_find(api_tables(e), route_of(row)->table);
}

/* The VPC whose main table has the route; NULL: none. */
static const struct router *vpc_of(struct api_call *e, const struct row *row)
{
	const struct route_table *table = table_of(e, row);
	const struct router *vpc = table ? cs_find_vpc(e, table->router) : NULL;
	return vpc && uuid_equal(vpc->main_route_table, table->row.id) ? vpc : NULL;
}

/* Routes have no index by account: unless a VPC is named, only the caller's match. */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_routes *a = args;
	const struct router *vpc = vpc_of(e, row);
	bool is_own = uuid_equal(route_of(row)->account, e->c->who->account) || ref_is_given(&a->vpc) ||
		      ref_is_given(&a->list.id) || a->list.lists_all == CHOICE_YES;
	return is_own && vpc && !ip_is_none(engine_get_next_hop(api_tables(e), route_of(row))) &&
	       (!ref_is_given(&a->vpc) || uuid_equal(vpc->row.id, a->vpc.prefix)) &&
	       (!a->state.n || str_is(a->state, "Active"));
}

static void write_vpc(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	json_write_text(w, name, uuid_to_str(e->c->arena, table_of(e, row)->router));
}

static struct str get_destination(struct api_call *e, const struct row *row)
{
	return cidr_to_str(e->c->arena, route_of(row)->destination);
}

static struct str get_next_hop(struct api_call *e, const struct row *row)
{
	return ip_to_str(e->c->arena, engine_get_next_hop(api_tables(e), route_of(row)));
}

static const struct member members[] = {
	MEMBER(struct route, "id", row.id),
	MEMBER_WRITTEN("vpcid", write_vpc),
	MEMBER_TEXT("cidr", get_destination),
	MEMBER_TEXT("nexthop", get_next_hop),
	CS_OWNER_MEMBERS(route),
	MEMBER_FIXED("state", "\"Active\""),
	MEMBER_FIXED("tags", "[]"),
};
static const struct api_listing routes =
	CS_LISTING(KIND_ROUTE, "staticroute", members, .is_all = true, .matches = matches);

/* ---- changes ---- */

/* CloudStack takes `gatewayid` instead of the VPC and the next hop. */
struct make_route {
	struct ref vpc;
	struct cidr destination;
	struct ip next_hop;
	uuid route; /* made */
};
#define P(wire, member, ...) PARAM(struct make_route, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("cidr", destination, .flags = REQUIRED, .doc = "Destination CIDR block, outside the VPC's block."),
	P("vpcid", vpc, .kind = KIND_ROUTER, .flags = REQUIRED, .doc = "The VPC."),
	P("nexthop", next_hop, .flags = REQUIRED, .doc = "Next hop: an address in one of the VPC's tiers."),
	NOT_BUILT("gatewayid"),
};
#undef P

static RESULT fail_at(struct op *op, const char *field, const char *text, struct cidr block)
{
	char shown[CIDR_TEXT_SIZE];
	return ctx_fail_field(op->ctx, ERR_INVALID, str_from(field), "%s%s", text, cidr_write(block, shown));
}

static RESULT check_destination(struct op *op, const struct router *vpc, struct cidr to)
{
	static const struct cidr link_local = {{.b = {169, 254}, .family = IP_V4}, 16};
	const struct route *other = route_first_by_table(op->head, vpc->main_route_table);
	for (size_t k = 0; k < vpc->blocks.count; k++)
		if (cidr_overlaps(vpc->blocks.at[k], to))
			return fail_at(op, "cidr", "CIDR should be outside of VPC cidr ", vpc->blocks.at[k]);
	if (cidr_overlaps(link_local, to))
		return fail_at(op, "cidr", "CIDR should be outside of link local cidr ", link_local);
	for (; other; other = route_next_by_table(op->head, other))
		if (!ip_is_none(engine_get_next_hop(op->head, other)) &&
		    cidr_overlaps(other->destination, to))
			return ctx_fail_field(op->ctx, ERR_CONFLICT, STR("cidr"),
					      "New static route cidr conflicts with existing route %s",
					      cidr_write(other->destination, (char[CIDR_TEXT_SIZE]){0}));
	return OK;
}

static RESULT create_route(struct op *op, void *args)
{
	struct make_route *a = args;
	const struct router *vpc = NULL;
	bool is_inside = false;
	TRY(engine_find_own_router(op->ctx, op->head, &a->vpc, &vpc));
	a->destination = cidr_canonical(a->destination);
	TRY(check_destination(op, vpc, a->destination));
	for (size_t k = 0; k < vpc->blocks.count; k++)
		is_inside |= cidr_contains(vpc->blocks.at[k], a->next_hop);
	if (!is_inside)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("nexthop"),
				      "Next hop %s is invalid. It must be within VPC CIDR or on the same "
				      "public or private network",
				      ip_write(a->next_hop, (char[IP_TEXT_SIZE]){0}));
	struct extra_routes_wish wish = {.router = a->vpc,
					 .change = EXTRA_ROUTES_ADD,
					 .destinations = {&a->destination, 1},
					 .next_hops = {&a->next_hop, 1}};
	TRY(engine_set_extra_routes(op, &wish));
	const struct route *made = route_find_by_table(op->head, vpc->main_route_table, a->destination);
	a->route = made ? made->row.id : UUID_NONE;
	return OK;
}

struct route_target {
	struct ref route;
};

static RESULT delete_route(struct op *op, void *args)
{
	struct route_target *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_ROUTE, &a->route, &row));
	const struct route *route = route_of(row);
	struct route_wish wish = {.route_table = cs_ref_of(op->ctx, KIND_ROUTE_TABLE, route->table, "id"),
				  .destination = route->destination};
	if (ip_is_none(engine_get_next_hop(op->head, route)))
		return engine_fail_not_found(op->ctx, KIND_ROUTE, &a->route);
	return engine_delete_route(op, &wish);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listStaticRoutes", "ec2:DescribeRouteTables"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_routes, list_params), .listing = &routes,
	 .doc = "Lists the static routes of VPCs."},
	{CS_ACTION("createStaticRoute", "ec2:CreateRoute"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct make_route, create_params), .operation = create_route,
	 CS_SUBJECT(struct make_route, route), .shows = &routes, CS_JOB(NOW),
	 .doc = "Creates a static route to an address in a tier of the VPC."},
	{CS_ACTION("deleteStaticRoute", "ec2:DeleteRoute"), .flags = API_WRITES,
	 .args = CS_ONE(struct route_target, "id", route, KIND_ROUTE, "The route."),
	 .operation = delete_route, CS_JOB(NOW), .doc = "Deletes a static route."},
};
const struct api_actions cs_static_route_actions = API_ACTIONS(actions);
