/* SPDX-License-Identifier: Apache-2.0
 * Routers into subnets and out of them. The router that holds a subnet's gateway address stands in the
 * subnet's own row, as EC2's do from the start; any other interface is a port with an address of its own. */
#pragma once

#include "engine/network/gateway.h"
#include "engine/network/route_table.h"
#include "engine/network/router.h"

struct subnet;

/* By the subnet, at its gateway's address; or by a port, which becomes the router's.
 * ERR_INVALID with KIND_SUBNET: it has no gateway; with KIND_PORT: the port has no address. ERR_EXISTS with
 * KIND_ROUTER: the router is in that subnet. ERR_IN_USE with KIND_PORT: the gateway's address, or the port,
 * is another's. ERR_CONFLICT with KIND_SUBNET: it overlaps with another of the router's. */
struct router_interface_wish {
	struct ref router, subnet, port; /* one of the latter two */
	/* made: */
	uuid interface, in_subnet, in_network; /* the interface's id, as engine_get_gateway_port() says */
};
OPERATION(engine_add_router_interface, router_interface_wish)

/* By the subnet, the port, or both. The port is deleted. ERR_NOT_FOUND with KIND_ROUTER: the router is not
 * there. ERR_IN_USE with KIND_ADDRESS: public addresses stand for ports in the subnet; with KIND_ROUTE:
 * routes lead over it; with KIND_NAT_GATEWAY; with KIND_SUBNET: it is part of the router's blocks. */
OPERATION(engine_remove_router_interface, router_interface_wish)

/* The id by which a subnet's gateway address is known as a port: one that has a row, or the one that follows
 * from the subnet's. */
uuid engine_get_gateway_port(const struct tables *t, const struct subnet *subnet);

/* A router with its gateway and routes, as one change: each as its own operation says. */
struct router_whole {
	struct router_wish create;       /* of engine_create_whole_router() */
	struct router_settings settings; /* of engine_change_router(), and names the router */
	bool sets_gateway, sets_routes;
	struct router_gateway_wish gateway; /* their router is set here */
	struct extra_routes_wish routes;
};
OPERATION(engine_create_whole_router, router_whole)
OPERATION(engine_change_router, router_whole)
