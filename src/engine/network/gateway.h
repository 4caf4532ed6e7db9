/* SPDX-License-Identifier: Apache-2.0
 * Internet gateways: made free, attached to one router, detached, deleted. In a region without an
 * external network a gateway leads nowhere until one is added; nor does a default VPC's, which is made
 * attached, while the external networks have no address left. */
#pragma once

#include "engine/operation.h"

struct gateway_wish {
	struct tags tags;
	/* made: */
	uuid gateway;
};
OPERATION(engine_create_gateway, gateway_wish)

/* The condition of a gateway that is attached and leads nowhere. */
#define GATEWAY_NO_WAY_OUT "NoWayOut"

/* Attaches or detaches a gateway. To attach: ERR_CONFLICT, the gateway is attached already;
 * ERR_EXISTS, the router has one; ERR_CAPACITY with KIND_GATEWAY, no external network has an address
 * left for it. */
struct gateway_attachment {
	struct ref gateway, router;
};
OPERATION(engine_attach_gateway, gateway_attachment)
/* ERR_STATE: it is not attached to that router. ERR_IN_USE with KIND_ROUTER: ports in the router
 * have public addresses. */
OPERATION(engine_detach_gateway, gateway_attachment)

/* Deletes a gateway. ERR_IN_USE: it is attached. Routes to it become black holes until they are
 * deleted. */
struct gateway_target {
	struct ref gateway;
};
OPERATION(engine_delete_gateway, gateway_target)

/* Sets a router's gateway as Neutron does: as a whole, with a public address of its own and a
 * default route in the main table, of IPv6 as well if the external network has a pool of it. If
 * none is wanted, what was set so is removed, and a gateway of EC2's is detached. ERR_IN_USE with
 * KIND_GATEWAY: the router's ports have public addresses. ERR_CAPACITY with KIND_GATEWAY: the external
 * network has no address left. ERR_RANGE and ERR_EXISTS with KIND_ADDRESS as for an address. */
struct router_gateway_wish {
	struct ref router;
	struct ref external_network; /* kind none: no gateway */
	enum choice translates;      /* default: yes, or as it is */
	struct ref subnet; /* of the external network, where its address is; kind none: any, or as it is */
	struct ip ip;      /* none: any, or as it is */
};
OPERATION(engine_set_router_gateway, router_gateway_wish)
