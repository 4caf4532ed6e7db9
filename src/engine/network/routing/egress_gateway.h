/* SPDX-License-Identifier: Apache-2.0
 * Egress-only internet gateways: IPv6 egress of a router; only replies come in. A router has at most one,
 * which stays with it for life. Traffic leaves by the external network that the router's IPv6 blocks come
 * from; without such blocks nothing leaves. */
#pragma once

#include "engine/operation.h"

struct egress_gateway;

/* Creates a gateway. ERR_EXISTS: the router has one. */
struct egress_gateway_wish {
	struct ref router;
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	uuid gateway;
};
OPERATION(engine_create_egress_gateway, egress_gateway_wish)

/* Deletes a gateway. Routes to it become black holes until they are deleted. */
struct egress_gateway_target {
	struct ref gateway;
};
OPERATION(engine_delete_egress_gateway, egress_gateway_target)

/* The router's gateway, or NULL. On any tables. */
const struct egress_gateway *engine_get_egress_gateway(const struct tables *t, uuid router);
