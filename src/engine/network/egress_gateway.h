/* SPDX-License-Identifier: Apache-2.0
 * Egress-only internet gateways: a router's way out for IPv6, by which nothing comes in but answers. A router
 * has one at most, from its making to its end. It leads to the external network that the router's IPv6 blocks
 * are of; without such blocks nowhere. */
#pragma once

#include "engine/operation.h"

struct egress_gateway;

/* ERR_EXISTS: the router has one. */
struct egress_gateway_wish {
	struct ref router;
	struct tags tags;
	struct str client_token, digest; /* empty: none; of the other parameters */
	/* made: */
	uuid gateway;
};
OPERATION(engine_create_egress_gateway, egress_gateway_wish)

/* Routes to it are left as black holes until they are deleted. */
struct egress_gateway_target {
	struct ref gateway;
};
OPERATION(engine_delete_egress_gateway, egress_gateway_target)

/* The router's, or NULL. On any tables. */
const struct egress_gateway *engine_get_egress_gateway(const struct tables *t, uuid router);
