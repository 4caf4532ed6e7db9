/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of gateways. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct address;

/* router: attached at once; none: free. */
RESULT gateway_write(struct op *op, uuid account, struct tags tags, uuid router, uuid *ret_gateway);
/* The router whose subnets reach out under the address (source NAT); none: it is no such address. */
uuid gateway_router_of_address(const struct tables *t, const struct address *address);
/* The live gateway attached to a router, or NULL. */
const struct gateway *gateway_of_router(const struct tables *t, uuid router);
/* It is attached, and leads nowhere though the region has an external network: those have no address left. */
bool gateway_lacks_address(const struct tables *t, const struct gateway *gateway);
/* Why the router's internet gateway leads nowhere, as a sentence or two; empty: it has none, or that leads out. */
struct str gateway_explain_nowhere(const struct op *op, uuid router);
/* Leads those that are attached and lead nowhere to external networks, while these have addresses left; and
 * gives instances behind them the public addresses that they want. */
RESULT gateway_lead_all_out(struct op *op);
/* One that was set as a whole has its router's default route of IPv6, once its external network has that. */
RESULT gateway_lead_ipv6_out(struct op *op, const struct gateway *gateway);
/* The router has none any more. ERR_IN_USE with KIND_GATEWAY. */
RESULT gateway_clear(struct op *op, const struct router *router);
