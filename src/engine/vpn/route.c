/* SPDX-License-Identifier: Apache-2.0
 * Static routes of VPN connections, and the routes of a VPC's route tables that follow from them. */
#include <stdlib.h>

#include "engine/limits.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_route.h"
#include "store/vpn_tunnel.h"

/* ---- operations ---- */

RESULT engine_create_vpn_route(struct op *op, struct vpn_route_wish *wish)
{
	const struct vpn_connection *c = NULL;
	char text[CIDR_TEXT_SIZE];
	TRY(engine_permit_vpn_connection(op, &wish->connection, "vpn.create_route", &c));
	TRY(vpn_check_leads(op, c, wish->connection.field));
	struct vpn_route route = {.row = {.id = engine_new_id(op, KIND_VPN_ROUTE), .gen = 1},
				  .account = c->account,
				  .connection = c->row.id,
				  .destination = cidr_canonical(wish->destination)};
	if (vpn_route_find_by_connection(op->head, c->row.id, route.destination))
		return OK;
	TRY(limit_check(op, LIMIT_VPN_ROUTES, c->row.id, 1, STR_NONE));
	TRY(vpn_route_put(op, &route));
	return engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "route created", "Route to %s.",
				cidr_write(route.destination, text));
}

RESULT engine_delete_vpn_route(struct op *op, struct vpn_route_wish *wish)
{
	const struct vpn_connection *c = NULL;
	char text[CIDR_TEXT_SIZE];
	TRY(engine_permit_vpn_connection(op, &wish->connection, "vpn.delete_route", &c));
	TRY(vpn_check_leads(op, c, wish->connection.field));
	cidr_write(wish->destination, text);
	const struct vpn_route *route =
		vpn_route_find_by_connection(op->head, c->row.id, cidr_canonical(wish->destination));
	if (!route)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VPN_ROUTE, STR("DestinationCidrBlock"),
				   "VPN connection %" STR_FMT " has no route to %s.",
				   STR_ARG(engine_write_id(op, KIND_VPN_CONNECTION, c->row.id)), text);
	TRY(vpn_route_forget(op, route->row.id));
	return engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "route deleted", "Route to %s.", text);
}

/* ---- ways ---- */

struct found_ways {
	VEC(struct vpn_way) at;
};

/* A tunnel of the connection, preferably one that is up. */
static const struct vpn_tunnel *choose_tunnel(const struct tables *t, uuid connection)
{
	const struct vpn_tunnel *best = NULL;
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, connection); n;
	     n = vpn_tunnel_next_by_connection(t, n))
		if (engine_runs_vpn_tunnel(t, n) && (!best || (n->is_up && !best->is_up)))
			best = n;
	return best;
}

/* Keeps one way to each destination. */
static bool add(struct arena *a, struct found_ways *ways, struct vpn_way way)
{
	for (size_t k = 0; k < ways->at.count; k++) {
		struct vpn_way *present = &ways->at.at[k];
		if (!cidr_equal(present->to, way.to))
			continue;
		if (way.tunnel && (!present->tunnel || (way.tunnel->is_up && !present->tunnel->is_up)))
			present->tunnel = way.tunnel;
		present->is_propagated = present->is_propagated || way.is_propagated;
		return true;
	}
	return VEC_PUSH(a, &ways->at, way);
}

/* All routes of the gateway's connections. */
static bool list_routes(struct arena *a, const struct tables *t, uuid gateway, struct found_ways *routes)
{
	for (const struct vpn_connection *c = engine_next_vpn_connection(t, gateway, NULL); c;
	     c = engine_next_vpn_connection(t, gateway, c)) {
		const struct vpn_tunnel *tunnel = choose_tunnel(t, c->row.id);
		for (const struct vpn_route *r = vpn_route_first_by_connection(t, c->row.id); r;
		     r = vpn_route_next_by_connection(t, r))
			if (!add(a, routes, (struct vpn_way){r->destination, tunnel, true}))
				return false;
	}
	return true;
}

static bool is_local(const struct router *router, struct cidr to)
{
	bool is = false;
	for (size_t k = 0; k < router->blocks.count; k++)
		is = is || cidr_contains_cidr(router->blocks.at[k], to);
	return is;
}

/* A static route to the gateway leads where the most specific route that contains its destination leads, and routes within
 * its destination lead on their own. Without any, it drops. */
static bool add_static(struct arena *a, const struct tables *t, const struct route *r,
		       const struct found_ways *routes, struct found_ways *ways)
{
	struct vpn_way whole = {.to = r->destination};
	unsigned bits = 0;
	for (size_t k = 0; k < routes->at.count; k++) {
		struct vpn_way way = routes->at.at[k];
		way.is_propagated = false;
		if (cidr_contains_cidr(way.to, r->destination)) {
			if (!whole.tunnel || way.to.bits >= bits) {
				whole.tunnel = way.tunnel;
				bits = way.to.bits;
			}
		} else if (cidr_contains_cidr(r->destination, way.to) &&
			   !route_find_by_table(t, r->table, way.to) && !add(a, ways, way)) {
			return false;
		}
	}
	return add(a, ways, whole);
}

bool engine_list_vpn_ways(struct arena *a, const struct tables *t, uuid table, struct vpn_ways *ret_ways)
{
	struct found_ways routes = {0}, ways = {0};
	const struct route_table *rt = route_table_find(t, table);
	const struct vpn_gateway *g = rt ? engine_get_vpn_gateway(t, rt->router) : NULL;
	const struct router *router = g ? router_find(t, rt->router) : NULL;
	*ret_ways = (struct vpn_ways){0};
	if (!router)
		return true;
	if (!list_routes(a, t, g->row.id, &routes))
		return false;
	for (const struct route *r = route_first_by_table(t, table); r; r = route_next_by_table(t, r))
		if (row_is_live(&r->row) && uuid_equal(r->vpn_gateway, g->row.id) &&
		    !add_static(a, t, r, &routes, &ways))
			return false;
	for (size_t k = 0; k < routes.at.count && uuid_equal(rt->vpn_gateway, g->row.id); k++)
		if (!route_find_by_table(t, table, routes.at.at[k].to) &&
		    !is_local(router, routes.at.at[k].to) && !add(a, &ways, routes.at.at[k]))
			return false;
	*ret_ways = (struct vpn_ways){ways.at.at, ways.at.count};
	return true;
}

const struct vpn_way *engine_find_vpn_way(const struct vpn_ways *ways, struct ip ip)
{
	const struct vpn_way *best = NULL;
	for (size_t k = 0; k < ways->count; k++)
		if (cidr_contains(ways->at[k].to, ip) && (!best || ways->at[k].to.bits > best->to.bits))
			best = &ways->at[k];
	return best;
}
