/* SPDX-License-Identifier: Apache-2.0
 * Route tables, which subnets use them, and their routes. The local route has no row. */
#pragma once

#include "engine/operation.h"

struct route;

struct route_table_wish {
	struct ref router;
	struct tags tags;
	struct str client_token, digest; /* empty: none; of the other parameters */
	/* made: */
	uuid route_table;
};
OPERATION(engine_create_route_table, route_table_wish)

/* Deletes a table with its routes. ERR_IN_USE: it is the main one, or a subnet or a gateway uses it. */
struct route_table_target {
	struct ref route_table;
};
OPERATION(engine_delete_route_table, route_table_target)

struct route_table_association {
	struct ref route_table, subnet, gateway; /* to associate: with one of the latter two */
	struct ref association; /* to disassociate, or replace by route_table: from id_parse_prefixed() */
	/* made: */
	uuid made;
};
/* ERR_CONFLICT: the subnet, or the gateway, has a table of its own already. ERR_INVALID with
 * KIND_ROUTE: a route of the table is none for what comes in by a gateway. */
OPERATION(engine_associate_route_table, route_table_association)
OPERATION(engine_disassociate_route_table, route_table_association)
/* Also replaces the main association: the router gets another main table. */
OPERATION(engine_replace_route_table, route_table_association)

struct route_wish {
	struct ref route_table;
	struct cidr destination; /* of either family */
	struct ref gateway, egress_gateway, nat_gateway, port, instance,
		peering; /* one of them; an instance: its only port */
	bool to_local;   /* to replace: instead of them, the local route as it was at first */
};
/* ERR_EXISTS: the destination has a route. ERR_CONFLICT with KIND_INSTANCE: the instance has
 * several ports. ERR_UNSUPPORTED with KIND_ROUTE: IPv6 over a NAT gateway. ERR_INVALID with
 * KIND_ROUTE: IPv4 over an egress-only gateway; or a part of the router's blocks that is no subnet's,
 * or that does not lead to a port. A local route is replaced by a port's, and never deleted. */
OPERATION(engine_create_route, route_wish)
OPERATION(engine_replace_route, route_wish)
OPERATION(engine_delete_route, route_wish)

enum { EXTRA_ROUTES_MAX = 100 };

/* All routes of the main table except those to gateways, or some to add or remove, as one list of
 * destinations, each over an address in one of the router's subnets. A destination may have several next
 * hops, over which flows are spread. ERR_INVALID with KIND_ROUTE: a next hop is not there. ERR_EXISTS: the
 * destination has a route of EC2's that leads elsewhere. ERR_QUOTA. */
struct extra_routes_wish {
	struct ref router;
	enum { EXTRA_ROUTES_SET, EXTRA_ROUTES_ADD, EXTRA_ROUTES_REMOVE } change;
	struct cidrs destinations;
	struct ips next_hops; /* as many */
};
OPERATION(engine_set_extra_routes, extra_routes_wish)
/* The live or deleted port that a route leads to, by itself or as a NAT gateway's; NULL: none. */
struct port;
const struct port *engine_find_hop_port(const struct tables *t, const struct route *route);
/* The address that a route leads over; none: it leads to a gateway, or nowhere. */
struct ip engine_get_next_hop(const struct tables *t, const struct route *route);
/* True if the route leads over the address: its next hop, or one of more_hops. */
bool engine_leads_over(const struct tables *t, const struct route *route, struct ip hop);
