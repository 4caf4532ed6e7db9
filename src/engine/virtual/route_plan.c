/* SPDX-License-Identifier: Apache-2.0
 * Route plans, and the system routes of virtual networks. Called by: api/azure. */
#include "engine/virtual/route_plan.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/route_table_internal.h"
#include "engine/network/routing/router.h"
#include "engine/virtual/route_plan_internal.h"
#include "engine/virtual/virtual_network.h"
#include "model/gateway.h"
#include "model/peering.h"
#include "model/port.h"
#include "store/route.h"
#include "store/route_plan.h"
#include "store/route_plan_entry.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- wanted routes ---- */

struct wanted {
	VEC(struct route) routes;
};

static RESULT want(struct op *op, struct wanted *wanted, struct route route)
{
	for (size_t k = 0; k < wanted->routes.count; k++)
		if (cidr_equal(wanted->routes.at[k].destination, route.destination)) {
			wanted->routes.at[k] = route;
			return OK;
		}
	return VEC_PUSH(op->ctx->arena, &wanted->routes, route) ? OK : ctx_no_memory(op->ctx);
}

static RESULT want_peers(struct op *op, struct wanted *wanted, uuid router)
{
	for (const struct peering *p = engine_next_peering(op->head, router, NULL); p;
	     p = engine_next_peering(op->head, router, p)) {
		const struct router *peer = router_find(op->head, engine_get_peer(p, router));
		if (!p->is_accepted || !row_is_live(&p->row) || !peer)
			continue;
		struct cidrs blocks = engine_get_blocks(op->head, op->ctx->arena, peer);
		for (size_t k = 0; k < blocks.count; k++)
			TRY(want(op, wanted,
				 (struct route){.destination = cidr_canonical(blocks.at[k]),
						.peering = p->row.id}));
	}
	return OK;
}

/* Within the network's own blocks only a route to an interface has an effect. */
static RESULT want_entry(struct op *op, struct wanted *wanted, const struct router *router,
			 const struct route_plan_entry *e)
{
	struct route route = {.destination = e->destination};
	enum route_place place = route_find_place(op->head, router->row.id, e->destination);
	const struct gateway *gateway = gateway_of_router(op->head, router->row.id);
	const struct port *port = e->hop == ROUTE_PLAN_ENTRY_HOP_APPLIANCE
					  ? engine_find_port_by_ip(op->head, router->row.id, e->next_hop)
					  : NULL;
	switch ((int) e->hop) {
	case ROUTE_PLAN_ENTRY_HOP_LOCAL:
		return OK;
	case ROUTE_PLAN_ENTRY_HOP_INTERNET:
		route.gateway = gateway ? gateway->row.id : UUID_NONE;
		break;
	case ROUTE_PLAN_ENTRY_HOP_APPLIANCE:
		if (port)
			route.port = port->row.id;
		break;
	default:
		break;
	}
	return place != ROUTE_OUTSIDE && !port ? OK : want(op, wanted, route);
}

static RESULT want_all(struct op *op, struct wanted *wanted, const struct router *router, uuid plan)
{
	const struct gateway *gateway = gateway_of_router(op->head, router->row.id);
	struct route out = {.destination = {ip_from_v4(0), 0}};
	if (gateway) {
		out.gateway = gateway->row.id;
		TRY(want(op, wanted, out));
	}
	TRY(want_peers(op, wanted, router->row.id));
	for (const struct route_plan_entry *e = route_plan_entry_first_by_plan(op->head, plan); e;
	     e = route_plan_entry_next_by_plan(op->head, e))
		TRY(want_entry(op, wanted, router, e));
	return OK;
}

/* ---- present routes ---- */

static bool leads_alike(const struct route *x, const struct route *y)
{
	return uuid_equal(x->gateway, y->gateway) && uuid_equal(x->port, y->port) &&
	       uuid_equal(x->peering, y->peering) && ip_equal(x->next_hop, y->next_hop) &&
	       uuid_equal(x->nat_gateway, y->nat_gateway) &&
	       uuid_equal(x->transit_gateway, y->transit_gateway);
}

/* all: removes every route that is not wanted; otherwise only routes to peers. */
static RESULT settle_table(struct op *op, const struct route_table *table, const struct wanted *wanted,
			   bool all)
{
	uuid id = table->row.id, account = table->account;
	const struct route *r = route_first_by_table(op->head, id), *next = NULL;
	for (; r; r = next) {
		next = route_next_by_table(op->head, r);
		bool stays = !all && uuid_is_none(r->peering);
		for (size_t k = 0; k < wanted->routes.count && !stays; k++)
			stays = cidr_equal(wanted->routes.at[k].destination, r->destination) &&
				leads_alike(&wanted->routes.at[k], r);
		if (!stays)
			TRY(route_forget(op, r->row.id));
	}
	for (size_t k = 0; k < wanted->routes.count; k++) {
		struct route route = wanted->routes.at[k];
		if (route_find_by_table(op->head, id, route.destination))
			continue;
		TRY(limit_check(op, LIMIT_ROUTES, id, 1, STR_NONE));
		route.row = (struct row){.id = engine_new_id(op, KIND_ROUTE), .gen = 1};
		route.account = account;
		route.table = id;
		TRY(route_put(op, &route));
	}
	return OK;
}

static RESULT settle_one(struct op *op, const struct router *router, const struct route_table *table)
{
	struct wanted wanted = {0};
	TRY(want_all(op, &wanted, router, table->plan));
	return settle_table(op, table, &wanted, !uuid_is_none(table->plan));
}

RESULT engine_settle_system_routes(struct op *op, struct system_routes_wish *wish)
{
	const struct router *router = router_find(op->head, wish->router);
	const struct route_table *table = router && router->has_system_routes
						  ? route_table_first_by_router(op->head, wish->router)
						  : NULL;
	for (; table; table = route_table_next_by_router(op->head, table)) {
		bool is_main = uuid_equal(table->row.id, router->main_route_table);
		if (is_main || !uuid_is_none(table->plan))
			TRY(settle_one(op, router, table));
	}
	return OK;
}

/* ---- subnets with a plan ---- */

static const struct route_table *find_table(const struct tables *t, uuid router, uuid plan)
{
	const struct route_table *table = route_table_first_by_plan(t, plan);
	while (table && !uuid_equal(table->router, router))
		table = route_table_next_by_plan(t, table);
	return table;
}

static bool is_used(const struct tables *t, uuid table)
{
	return subnet_find_by_route_table(t, table) != NULL;
}

static RESULT make_table(struct op *op, const struct router *router, uuid plan, uuid *ret_table)
{
	const struct route_table *there = find_table(op->head, router->row.id, plan);
	if (there) {
		*ret_table = there->row.id;
		return OK;
	}
	TRY(route_table_write(op, router->account, router->row.id, false, (struct tags){0}, ret_table));
	struct route_table next = *route_table_find(op->head, *ret_table);
	next.plan = plan;
	TRY(route_table_put(op, &next));
	return settle_one(op, router, route_table_find(op->head, *ret_table));
}

RESULT route_plan_set(struct op *op, uuid subnet, const struct ref *ref)
{
	const struct route_plan *plan = NULL;
	uuid table = UUID_NONE;
	if (ref_is_given(ref))
		TRY(engine_find_own_route_plan(op->ctx, op->head, ref, &plan));
	const struct subnet *row = subnet_find(op->head, subnet);
	uuid before = row->route_table;
	const struct route_table *old = route_table_find(op->head, before);
	bool is_ours = old && !uuid_is_none(old->plan);
	if (!plan && !is_ours)
		return OK; /* another face set the table */
	if (plan)
		TRY(make_table(op, router_find(op->head, row->router), plan->row.id, &table));
	if (uuid_equal(table, before))
		return OK;
	struct subnet next = *subnet_find(op->head, subnet);
	next.route_table = table;
	next.route_association = uuid_is_none(table) ? UUID_NONE : uuid_random();
	next.row.gen++;
	TRY(subnet_put(op, &next));
	return is_ours && !is_used(op->head, before) ? route_table_forget(op, before) : OK;
}

RESULT route_plan_leave_router(struct op *op, uuid router)
{
	const struct route_table *table = route_table_first_by_router(op->head, router), *next = NULL;
	for (; table; table = next) {
		next = route_table_next_by_router(op->head, table);
		if (!uuid_is_none(table->plan) && !is_used(op->head, table->row.id))
			TRY(route_table_forget(op, table->row.id));
	}
	return OK;
}

/* ---- plans ---- */

RESULT engine_create_route_plan(struct op *op, struct route_plan_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_check_name(op, KIND_ROUTE_PLAN, wish->name));
	TRY(limit_check(op, LIMIT_ROUTE_PLANS, account, 1, STR_NONE));
	TRY(engine_permit(op, "route_plan.create", KIND_ROUTE_PLAN, NULL));
	struct route_plan plan = {.row = {.id = engine_new_id(op, KIND_ROUTE_PLAN), .gen = 1},
				  .account = account,
				  .name = wish->name};
	wish->plan = plan.row.id;
	TRY(route_plan_put(op, &plan));
	return engine_log_event(op, KIND_ROUTE_PLAN, &plan.row, "created", "Route plan %" STR_FMT ".",
				STR_ARG(wish->name));
}

static RESULT settle_all(struct op *op, uuid plan)
{
	const struct route_table *table = route_table_first_by_plan(op->head, plan);
	for (; table; table = route_table_next_by_plan(op->head, table)) {
		const struct router *router = router_find(op->head, table->router);
		if (router)
			TRY(settle_one(op, router, table));
	}
	return OK;
}

RESULT engine_delete_route_plan(struct op *op, struct route_plan_target *wish)
{
	const struct route_plan *plan = NULL;
	TRY(engine_permit_route_plan(op, &wish->plan, "route_plan.delete", &plan));
	uuid id = plan->row.id;
	struct str name = str_copy(op->ctx->arena, plan->name);
	const struct route_table *table = route_table_first_by_plan(op->head, id), *next = NULL;
	for (; table; table = next) {
		next = route_table_next_by_plan(op->head, table);
		if (is_used(op->head, table->row.id))
			return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ROUTE_PLAN, &wish->plan,
						 "Route table %" STR_FMT
						 " is in use and cannot be deleted: a subnet has it.",
						 STR_ARG(name));
		TRY(route_table_forget(op, table->row.id));
	}
	TRY(engine_log_event(op, KIND_ROUTE_PLAN, &route_plan_find(op->head, id)->row, "deleted",
			     "Route plan %" STR_FMT ".", STR_ARG(name)));
	return route_plan_forget(op, id);
}

/* ---- entries ---- */

static RESULT fail_entry(struct op *op, enum err err, const char *field, const char *why)
{
	return ENGINE_FAIL(op, err, KIND_ROUTE_PLAN_ENTRY, str_from(field), "%s", why);
}

static RESULT check_entry(struct op *op, const struct route_plan_entry_wish *wish, uuid plan)
{
	bool is_appliance = wish->hop == ROUTE_PLAN_ENTRY_HOP_APPLIANCE;
	const struct route_plan_entry *there =
		route_plan_entry_find_by_plan(op->head, plan, cidr_canonical(wish->destination));
	if (wish->destination.base.family != IP_V4)
		return fail_entry(op, ERR_INVALID, "properties.addressPrefix",
				  "A route's address prefix is one of IPv4.");
	if (is_appliance == ip_is_none(wish->next_hop))
		return fail_entry(
			op, ERR_INVALID, "properties.nextHopIpAddress",
			is_appliance ? "A route to a virtual appliance has the appliance's IP address."
				     : "Only a route to a virtual appliance has a next hop's IP address.");
	if (is_appliance && wish->next_hop.family != IP_V4)
		return fail_entry(op, ERR_INVALID, "properties.nextHopIpAddress",
				  "The next hop's IP address is one of IPv4.");
	if (there && !uuid_equal(there->row.id, wish->entry))
		return fail_entry(op, ERR_EXISTS, "properties.addressPrefix",
				  "Another route of the table has the address prefix.");
	return OK;
}

RESULT engine_put_route_plan_entry(struct op *op, struct route_plan_entry_wish *wish)
{
	const struct route_plan *plan = NULL;
	TRY(engine_permit_route_plan(op, &wish->plan, "route_plan.update", &plan));
	uuid id = plan->row.id;
	TRY(check_entry(op, wish, id));
	const struct route_plan_entry *before = route_plan_entry_find(op->head, wish->entry);
	if (before && !uuid_equal(before->plan, id))
		return engine_fail_gone(op->ctx, KIND_ROUTE_PLAN_ENTRY, wish->entry);
	if (!before)
		TRY(limit_check(op, LIMIT_ROUTE_PLAN_ENTRIES, id, 1, STR_NONE));
	struct route_plan_entry next = {
		.row = {.id = before ? wish->entry : engine_new_id(op, KIND_ROUTE_PLAN_ENTRY),
			.gen = before ? before->row.gen + 1 : 1},
		.account = plan->account,
		.plan = id,
		.name = wish->name,
		.destination = cidr_canonical(wish->destination),
		.hop = wish->hop,
		.next_hop = wish->next_hop};
	wish->entry = next.row.id;
	struct route_plan_entry as_before = next;
	as_before.row = before ? before->row : next.row;
	if (before && row_equal(&model_kinds[KIND_ROUTE_PLAN_ENTRY], &before->row, &as_before.row))
		return OK;
	TRY(route_plan_entry_put(op, &next));
	return settle_all(op, id);
}

RESULT engine_delete_route_plan_entry(struct op *op, struct route_plan_entry_target *wish)
{
	const struct route_plan_entry *entry = NULL;
	TRY(engine_find_own_route_plan_entry(op->ctx, op->head, &wish->entry, &entry));
	uuid plan = entry->plan;
	TRY(engine_permit(op, "route_plan.update", KIND_ROUTE_PLAN, &route_plan_find(op->head, plan)->row));
	TRY(route_plan_entry_forget(op, entry->row.id));
	return settle_all(op, plan);
}
