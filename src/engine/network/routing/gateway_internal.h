/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: gateways, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct address;

/* Creates a gateway attached to `router`; router none: a detached one. */
RESULT gateway_write(struct op *op, uuid account, struct tags tags, uuid router, uuid *ret_gateway);
/* Router whose subnets use the address for source NAT; none if no router does. */
uuid gateway_router_of_address(const struct tables *t, const struct address *address);
/* The live gateway attached to a router, or NULL. */
const struct gateway *gateway_of_router(const struct tables *t, uuid router);
/* True if the gateway is attached, has no external network, and the region's external networks have no
 * address left for it. */
bool gateway_lacks_address(const struct tables *t, const struct gateway *gateway);
/* Explains in a sentence or two why the router's gateway has no external network; empty if it has one, or
 * there is no gateway. */
struct str gateway_explain_nowhere(const struct op *op, uuid router);
/* Gives attached gateways without an external network one, while addresses are left; then gives instances
 * behind them the auto-assigned addresses that they want. */
RESULT gateway_lead_all_out(struct op *op);
/* Adds the router's IPv6 default route for a gateway that Neutron's API set, once its external network has an
 * IPv6 next hop. */
RESULT gateway_lead_ipv6_out(struct op *op, const struct gateway *gateway);
/* Removes the router's gateway. ERR_IN_USE with KIND_GATEWAY. */
RESULT gateway_clear(struct op *op, const struct router *router);
