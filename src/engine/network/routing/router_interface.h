/* SPDX-License-Identifier: Apache-2.0
 * Interfaces of routers in subnets. The subnet's row names the router that has the subnet's gateway address,
 * as in EC2's subnets from their creation. Any other interface is a port with an address of its own. */
#pragma once

#include "engine/network/routing/gateway.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"

struct subnet;

/* Adds a router to a subnet: at the gateway address, or by a port, which becomes the router's. ERR_INVALID
 * with KIND_SUBNET: the subnet has no gateway address; with KIND_PORT: the port has no address. ERR_EXISTS
 * with KIND_ROUTER: the router is in that subnet. ERR_IN_USE with KIND_PORT: the gateway address or the port
 * is in use. ERR_CONFLICT with KIND_SUBNET: the subnet overlaps another one of the router. */
struct router_interface_wish {
	struct ref router, subnet, port; /* exactly one of subnet and port */
	/* outputs: */
	uuid interface, in_subnet, in_network; /* interface: see engine_get_gateway_port() */
};
OPERATION(engine_add_router_interface, router_interface_wish)

/* Removes a router from a subnet, which is given by subnet, port or both; deletes the port. ERR_NOT_FOUND
 * with KIND_ROUTER: the router is not in the subnet. ERR_IN_USE with KIND_ADDRESS: ports in the subnet have
 * public addresses; with KIND_ROUTE: routes lead through the subnet; with KIND_NAT_GATEWAY: the subnet has
 * one; with KIND_SECURITY_GROUP: ports are in groups of the router; with KIND_SUBNET: the subnet is part of
 * the router's blocks. */
OPERATION(engine_remove_router_interface, router_interface_wish)

/* Port id of a subnet's gateway address: that of its port's row, or one derived from the subnet's id. */
uuid engine_get_gateway_port(const struct tables *t, const struct subnet *subnet);
struct address;
struct gateway;
/* Ids of the ports that a router's outer address and a floating IP have in Neutron. Neither has a row. */
uuid engine_get_outer_port(const struct gateway *gateway);
uuid engine_get_floating_port(const struct address *address);

/* Several settings of a router in one change. Each part behaves like its own operation. */
struct router_whole {
	struct router_wish create;       /* for engine_create_whole_router() */
	struct router_settings settings; /* for engine_change_router(); names the router */
	bool sets_gateway, sets_routes;
	struct router_gateway_wish gateway; /* gateway.router and routes.router are outputs */
	struct extra_routes_wish routes;
};
OPERATION(engine_create_whole_router, router_whole)
OPERATION(engine_change_router, router_whole)
