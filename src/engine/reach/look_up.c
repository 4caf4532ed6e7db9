/* SPDX-License-Identifier: Apache-2.0
 * A router's look-up: longest prefix match in a table, as drivers/ovn/ programs it. Connected networks are in
 * every table and win over a route of the same prefix; packets that arrive without a table see only the
 * router's own subnets (nb_router.c). Also decides which routes lead outside (nb_uplink.c, nb_egress.c). */
#include "engine/network/external_network.h"
#include "engine/network/ipv6.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/egress_gateway.h"
#include "engine/reach/reach_internal.h"
#include "model/egress_gateway.h"
#include "model/port_prefix.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- the look-up ---- */
static void take_subnet(struct reach_way *way, const struct subnet *s, struct ip ip)
{
	int rank = 2 * s->block.bits + 1; /* wins over a route of the same prefix */
	if (row_is_live(&s->row) && cidr_contains(s->block, ip) && rank > way->rank)
		*way = (struct reach_way){.subnet = s, .rank = rank};
}

/* Every table leads a prefix delegated to an interface to that interface. */
static void take_prefixes(const struct tables *t, uuid router, struct reach_way *way, struct ip ip)
{
	const struct port *port = ip.family == IP_V6 ? engine_find_port_by_ip(t, router, ip) : NULL;
	const struct port_prefix *p = port ? engine_first_prefix(t, port->row.id) : NULL;
	for (; p; p = engine_next_prefix(t, p)) {
		const struct subnet *s = cidr_contains(p->block, ip) ? subnet_find(t, p->subnet) : NULL;
		if (s && 2 * p->block.bits > way->rank)
			*way = (struct reach_way){.subnet = s, .rank = 2 * p->block.bits};
	}
}

static bool is_own_block(const struct router *router, struct cidr block)
{
	bool is = false;
	for (size_t k = 0; k < router->blocks.count; k++)
		is = is || cidr_contains_cidr(router->blocks.at[k], block);
	for (size_t k = 0; k < router->ipv6_blocks.count; k++)
		is = is || cidr_contains_cidr(router->ipv6_blocks.at[k], block);
	return is;
}

/* A route to a port for one of the router's own subnets, or for a block that covers subnets without a route
 * of their own, wins over the connected subnet. */
static int rank_of_own(const struct reach_walk *w, const struct router *router, const struct route *route,
		       struct ip ip)
{
	struct cidr to = cidr_canonical(route->destination);
	if (uuid_is_none(route->port) || !is_own_block(router, to))
		return 0;
	for (const struct subnet *s = subnet_first_by_router(w->t, router->row.id); s;
	     s = subnet_next_by_router(w->t, s)) {
		struct cidr block = cidr_canonical(s->block);
		if (row_is_live(&s->row) && cidr_contains(block, ip) && cidr_contains_cidr(to, block) &&
		    (cidr_equal(to, block) || !route_find_by_table(w->t, route->table, block)))
			return 2 * (block.bits + 1);
	}
	return 0;
}

struct reach_way reach_look_up(const struct reach_walk *w, const struct router *router, uuid table,
			       struct ip ip)
{
	struct reach_way way = {.rank = -1};
	uuid id = router->row.id;
	for (const struct subnet *s = subnet_first_by_router(w->t, id); s; s = subnet_next_by_router(w->t, s))
		take_subnet(&way, s, ip);
	for (const struct port *p = port_first_by_interface_of(w->t, id); p;
	     p = port_next_by_interface_of(w->t, p)) {
		const struct subnet *s = row_is_live(&p->row) ? subnet_find(w->t, p->subnet) : NULL;
		if (s)
			take_subnet(&way, s, ip);
	}
	take_prefixes(w->t, id, &way, ip);
	const struct route *r = uuid_is_none(table) ? NULL : route_first_by_table(w->t, table);
	for (; r; r = route_next_by_table(w->t, r)) {
		struct cidr to = cidr_canonical(r->destination);
		if (!row_is_live(&r->row) || !cidr_contains(to, ip))
			continue;
		int own = rank_of_own(w, router, r, ip), rank = own > 2 * to.bits ? own : 2 * to.bits;
		if (rank > way.rank)
			way = (struct reach_way){.route = r, .rank = rank};
	}
	return way;
}

/* ---- exits of a router ---- */

const struct gateway *reach_find_gateway(const struct tables *t, uuid router)
{
	const struct gateway *g = gateway_first_by_router(t, router);
	while (g &&
	       (!row_is_live(&g->row) || ip_is_none(g->ip) || !external_network_find(t, g->external_network)))
		g = gateway_next_by_router(t, g);
	return g;
}

/* True if the route leads outside; for IPv6 that needs a next hop of the family. */
bool reach_leads_out(const struct reach_walk *w, const struct router *router, const struct route *r)
{
	bool is_ipv6 = r->destination.base.family == IP_V6;
	const struct gateway *g = reach_find_gateway(w->t, router->row.id);
	const struct egress_gateway *egress = engine_get_egress_gateway(w->t, router->row.id);
	const struct external_network *x = egress ? engine_find_ipv6_outside(w->t, router) : NULL;
	bool by_gateway = g && uuid_equal(r->gateway, g->row.id);
	bool by_egress = is_ipv6 && x && uuid_equal(r->egress_gateway, egress->row.id);
	if (g)
		x = external_network_find(w->t, g->external_network);
	if (!(by_gateway || by_egress) || !x)
		return false;
	return !ip_is_none(is_ipv6 ? x->ipv6_next_hop : engine_get_outer_hop(w->t, x, g->ip));
}

/* True if the outside can reach the IPv6 subnet, and vice versa. */
bool reach_is_open_outwards(const struct reach_walk *w, const struct router *router, const struct subnet *s)
{
	const struct route *r = route_first_by_table(w->t, engine_get_subnet_route_table(w->t, router, s));
	while (r && !(row_is_live(&r->row) && r->destination.base.family == IP_V6 &&
		      reach_leads_out(w, router, r)))
		r = route_next_by_table(w->t, r);
	return r && engine_is_outer_subnet(w->t, s);
}

const struct route *reach_find_egress_only(const struct reach_walk *w, const struct router *router,
					   const struct subnet *subnet, struct ip ip)
{
	if (!uuid_equal(subnet->router, router->row.id) ||
	    engine_is_ipv6_of_router(router, (struct cidr){ip, 128}))
		return NULL;
	struct reach_way way =
		reach_look_up(w, router, engine_get_subnet_route_table(w->t, router, subnet), ip);
	const struct egress_gateway *egress = engine_get_egress_gateway(w->t, router->row.id);
	bool is = way.route && egress && uuid_equal(way.route->egress_gateway, egress->row.id) &&
		  engine_find_ipv6_outside(w->t, router);
	return is ? way.route : NULL;
}

const struct subnet *reach_find_subnet_of(const struct reach_walk *w, const struct router *router,
					  struct ip ip)
{
	struct reach_way way = reach_look_up(w, router, UUID_NONE, ip);
	return way.subnet;
}
