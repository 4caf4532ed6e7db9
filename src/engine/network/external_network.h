/* SPDX-License-Identifier: Apache-2.0
 * External networks, and the ranges of public addresses on them. Only for the operator. */
#pragma once

#include "engine/operation.h"

/* Makes an external network; the first is the region's default one. Internet gateways that are attached and lead nowhere yet lead here
 * from now on. */
struct external_network_wish {
	struct str name, physical_network;
	struct ip next_hop;
	struct ip infra_first, infra_last; /* for gateway ports of routers */
	struct ip first, last;             /* to hand out; none: no range yet */
	/* made: */
	uuid external_network;
};
OPERATION(engine_add_external_network, external_network_wish)

/* The region's default external network; NULL: none is. */
const struct external_network *engine_find_default_external(const struct tables *t);

/* Makes it the region's default one, or makes it so no more. ERR_EXISTS: another is. */
struct external_default_wish {
	struct ref external_network;
	bool is_default;
};
OPERATION(engine_set_default_external, external_default_wish)

/* Adds a range of public addresses. ERR_STATE: its addresses come from subnets. ERR_CONFLICT: it overlaps another range, or the
 * infrastructure's. */
struct address_range_wish {
	struct ref external_network;
	struct ip first, last;
	/* made: */
	uuid address_range;
};
OPERATION(engine_add_address_range, address_range_wish)

/* Gives routers' gateway ports more addresses; gateways that lead nowhere for want of one lead out from now on.
 * ERR_CONFLICT: the range does not contain the one before, or overlaps with public addresses. */
struct gateway_range_wish {
	struct ref external_network;
	struct ip first, last;
};
OPERATION(engine_set_gateway_range, gateway_range_wish)

/* Sets where VPCs get IPv6 blocks from, and by which next hop IPv6 leaves. Blocks that came from an
 * earlier pool stay. ERR_INVALID: the pool is not an IPv6 block from /40 to /56 for the internet or
 * for a site; or the next hop is not an IPv6 address. ERR_CONFLICT: it overlaps another network's
 * pool. */
struct external_ipv6_wish {
	struct ref external_network;
	struct cidr pool;
	struct ip next_hop; /* none: VPCs only reach each other's subnets */
};
OPERATION(engine_set_external_ipv6, external_ipv6_wish)

struct external_network;
/* The upstream router as a gateway with that address sees it: that of the subnet that the address is in, else the network's
 * own. None: nothing leaves. On any tables. */
struct ip engine_get_outer_hop(const struct tables *t, const struct external_network *external, struct ip ip);
