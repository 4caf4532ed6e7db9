/* SPDX-License-Identifier: Apache-2.0
 * Route tables, their associations with subnets and gateways, and their routes. The local route has no
 * row. */
#pragma once

#include "engine/operation.h"

struct route;

struct route_table_wish {
	struct ref router;
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	uuid route_table;
};
OPERATION(engine_create_route_table, route_table_wish)

/* Deletes a table with its routes. ERR_IN_USE: the table is the main one, or associated with a subnet or
 * gateway. */
struct route_table_target {
	struct ref route_table;
};
OPERATION(engine_delete_route_table, route_table_target)

struct route_table_association {
	struct ref route_table, subnet, gateway; /* to associate: the table with a subnet or a gateway */
	struct ref association; /* to disassociate, or to replace by route_table; from id_parse_prefixed() */
	/* outputs: */
	uuid made;
};
/* ERR_CONFLICT: the subnet or gateway has a table. ERR_INVALID with KIND_ROUTE_TABLE: the table has a route
 * that is not allowed for a gateway's ingress traffic. */
OPERATION(engine_associate_route_table, route_table_association)
OPERATION(engine_disassociate_route_table, route_table_association)
/* Replaces an association by one with another table. Replacing the main association gives the router another
 * main table. */
OPERATION(engine_replace_route_table, route_table_association)

struct route_wish {
	struct ref route_table;
	struct cidr destination; /* IPv4 or IPv6 */
	struct ref gateway, egress_gateway, nat_gateway, port, instance, peering, transit_gateway,
		vpn_gateway; /* exactly one target; an instance stands for its only port */
	bool to_local;       /* replacement only: restores the local route instead */
};
/* ERR_EXISTS: the destination has a route. ERR_CONFLICT with KIND_INSTANCE: the instance has several ports.
 * With KIND_ROUTE: ERR_UNSUPPORTED, IPv6 through a NAT gateway; ERR_INVALID, IPv4 through an egress-only
 * gateway, or a destination inside the router's blocks that is not a subnet, or whose target is not a port. A
 * local route can be replaced by one to a port, but never deleted. */
OPERATION(engine_create_route, route_wish)
OPERATION(engine_replace_route, route_wish)
OPERATION(engine_delete_route, route_wish)

enum { EXTRA_ROUTES_MAX = 100 };

/* Sets, adds or removes routes of the main table, except those to gateways: a list of destinations, each with
 * a next hop address in one of the router's subnets. Several next hops of one destination share its flows
 * (ECMP). ERR_INVALID with KIND_ROUTE: a next hop is in no subnet of the router. ERR_EXISTS: a route made by
 * EC2's API has the destination. ERR_QUOTA. */
struct extra_routes_wish {
	struct ref router;
	enum { EXTRA_ROUTES_SET, EXTRA_ROUTES_ADD, EXTRA_ROUTES_REMOVE } change;
	struct cidrs destinations;
	struct ips next_hops; /* one a destination */
};
OPERATION(engine_set_extra_routes, extra_routes_wish)
/* Port that a route leads to, directly or as a NAT gateway's, even if it is marked deleted; NULL if there is
 * none. */
struct port;
const struct port *engine_find_hop_port(const struct tables *t, const struct route *route);
/* Next hop address of a route; none if the route leads to a gateway, or is a black hole. */
struct ip engine_get_next_hop(const struct tables *t, const struct route *route);
/* True if the address is the route's next hop, or one of more_hops. */
bool engine_leads_over(const struct tables *t, const struct route *route, struct ip hop);
