/* SPDX-License-Identifier: Apache-2.0
 * Adding routers to subnets, and removing them. The router that has a subnet's gateway address is
 * named in the subnet's own row, as for EC2's subnets from the beginning. Any other interface is a
 * port with an address of its own. */
#pragma once

#include "engine/network/gateway.h"
#include "engine/network/route_table.h"
#include "engine/network/router.h"

struct subnet;

/* Adds a router to a subnet at the gateway's address; or by a port, which becomes the router's.
 * ERR_INVALID with KIND_SUBNET: the subnet has no gateway address; with KIND_PORT: the port has no
 * address. ERR_EXISTS with KIND_ROUTER: the router is in that subnet. ERR_IN_USE with KIND_PORT:
 * the gateway's address, or the port, is another's. ERR_CONFLICT with KIND_SUBNET: the subnet
 * overlaps another of the router's. */
struct router_interface_wish {
	struct ref router, subnet, port; /* one of the latter two */
	/* made: */
	uuid interface, in_subnet, in_network; /* the interface's id, as engine_get_gateway_port() says */
};
OPERATION(engine_add_router_interface, router_interface_wish)

/* Removes a router from a subnet, which is given by the subnet, the port or both. The port is
 * deleted. ERR_NOT_FOUND with KIND_ROUTER: the router is not there. ERR_IN_USE with KIND_ADDRESS:
 * ports in the subnet have public addresses; with KIND_ROUTE: routes lead over it; with
 * KIND_NAT_GATEWAY: one is there; with KIND_SUBNET: it is part of the router's blocks. */
OPERATION(engine_remove_router_interface, router_interface_wish)

/* The id by which a subnet's gateway address is known as a port: that of its row, or one that
 * follows from the subnet's id. */
uuid engine_get_gateway_port(const struct tables *t, const struct subnet *subnet);

/* A router with its gateway and routes, as one change. Each part behaves like its own operation. */
struct router_whole {
	struct router_wish create;       /* of engine_create_whole_router() */
	struct router_settings settings; /* of engine_change_router(), and names the router */
	bool sets_gateway, sets_routes;
	struct router_gateway_wish gateway; /* their router is set here */
	struct extra_routes_wish routes;
};
OPERATION(engine_create_whole_router, router_whole)
OPERATION(engine_change_router, router_whole)
