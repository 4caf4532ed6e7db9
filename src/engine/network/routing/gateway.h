/* SPDX-License-Identifier: Apache-2.0
 * Internet gateways: created detached, attached to one router, detached, deleted. An attached gateway without
 * an external network carries no traffic. That happens while the region has no external network, or, for a
 * default VPC's gateway, while the external networks have no address left. */
#pragma once

#include "engine/operation.h"

struct gateway_wish {
	struct tags tags;
	/* outputs: */
	uuid gateway;
};
OPERATION(engine_create_gateway, gateway_wish)

/* Condition of an attached gateway that has no external network. */
#define GATEWAY_NO_WAY_OUT "NoWayOut"

/* Attaches or detaches a gateway. Attaching: ERR_CONFLICT, the gateway is attached; ERR_EXISTS, the router
 * has a gateway; ERR_CAPACITY with KIND_GATEWAY, no external network has an address left for it. */
struct gateway_attachment {
	struct ref gateway, router;
};
OPERATION(engine_attach_gateway, gateway_attachment)
/* ERR_STATE: the gateway is not attached to that router. ERR_IN_USE with KIND_ROUTER: ports behind the router
 * have public addresses. */
OPERATION(engine_detach_gateway, gateway_attachment)

/* Deletes a gateway. ERR_IN_USE: it is attached. Routes to it become black holes until they are deleted. */
struct gateway_target {
	struct ref gateway;
};
OPERATION(engine_delete_gateway, gateway_target)

/* Sets or clears a router's gateway as Neutron does: gateway, public address and default routes in the main
 * table (IPv6 too if the external network has a pool) together. Clearing removes all of these; a gateway that
 * EC2's API attached is only detached. ERR_IN_USE with KIND_GATEWAY: the router's ports have public
 * addresses. ERR_CAPACITY with KIND_GATEWAY: the external network has no address left. ERR_RANGE and
 * ERR_EXISTS with KIND_ADDRESS as for engine_allocate_address(). */
struct router_gateway_wish {
	struct ref router;
	struct ref external_network; /* kind none: clears the gateway */
	enum choice translates;      /* source NAT; default: yes for a new gateway, else unchanged */
	struct ref subnet; /* subnet of the external network for the gateway's address; kind none: any, or
			    * unchanged */
	struct ip ip;      /* none: any, or unchanged */
};
OPERATION(engine_set_router_gateway, router_gateway_wish)
