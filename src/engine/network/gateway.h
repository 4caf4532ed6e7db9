/* SPDX-License-Identifier: Apache-2.0
 * Internet gateways: made free, attached to one router, detached, deleted. A gateway in a region
 * without an external network leads nowhere until one is added. */
#pragma once

#include "engine/operation.h"

struct gateway_wish {
	struct tags tags;
	/* made: */
	uuid gateway;
};
OPERATION(engine_create_gateway, gateway_wish)

/* ERR_CONFLICT: it is attached already. ERR_EXISTS: the router has one. */
struct gateway_attachment {
	struct ref gateway, router;
};
OPERATION(engine_attach_gateway, gateway_attachment)
/* ERR_STATE: not attached to that router. ERR_IN_USE with KIND_ROUTER while public addresses stand for
 * ports in it. */
OPERATION(engine_detach_gateway, gateway_attachment)

/* ERR_IN_USE while attached. Routes to it are left as black holes until they are deleted. */
struct gateway_target {
	struct ref gateway;
};
OPERATION(engine_delete_gateway, gateway_target)

/* A router's gateway as a whole, with a public address of its own and a default route in the main table, of
 * IPv6, too, where the external network has a pool of it. None
 * wanted: what was set so goes, and one of EC2's is detached. ERR_IN_USE with KIND_GATEWAY: public addresses
 * stand for the router's ports. ERR_CAPACITY, ERR_RANGE, ERR_EXISTS with KIND_ADDRESS as for an address. */
struct router_gateway_wish {
	struct ref router;
	struct ref external_network; /* kind none: no gateway */
	enum choice translates;      /* default: yes, or as it is */
	struct ip ip;                /* none: any, or as it is */
};
OPERATION(engine_set_router_gateway, router_gateway_wish)
