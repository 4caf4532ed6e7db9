/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of gateways. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* router: attached at once; none: free. */
RESULT gateway_write(struct op *op, uuid account, struct tags tags, uuid router, uuid *ret_gateway);
/* The live gateway attached to a router, or NULL. */
const struct gateway *gateway_of_router(const struct tables *t, uuid router);
/* Leads the gateway, which is attached, to an external network, if one has an address left for it; only: to
 * no other one. */
void gateway_lead_out(const struct op *op, struct gateway *gateway, uuid only);
/* One that was set as a whole has its router's default route of IPv6, once its external network has that. */
RESULT gateway_lead_ipv6_out(struct op *op, const struct gateway *gateway);
/* The router has none any more. ERR_IN_USE with KIND_GATEWAY. */
RESULT gateway_clear(struct op *op, const struct router *router);
