/* SPDX-License-Identifier: Apache-2.0
 * External networks and their ranges of public addresses. For the operator only. */
#pragma once

#include "engine/operation.h"

/* Adds an external network; the first one becomes the region's default. Attached internet gateways without an
 * external network get this one. */
struct external_network_wish {
	struct str name, physical_network;
	struct ip next_hop;
	struct ip infra_first, infra_last; /* addresses of routers' gateway ports */
	struct ip first, last;             /* first range of public addresses; none: no range yet */
	/* outputs: */
	uuid external_network;
};
OPERATION(engine_add_external_network, external_network_wish)

/* The region's default external network, or NULL. */
const struct external_network *engine_find_default_external(const struct tables *t);

/* Sets or clears the region's default external network. ERR_EXISTS: another one is the default. */
struct external_default_wish {
	struct ref external_network;
	bool is_default;
};
OPERATION(engine_set_default_external, external_default_wish)

/* Adds a range of public addresses. ERR_STATE: the network's addresses come from allocation pools of subnets.
 * ERR_CONFLICT: the range overlaps another one, or the gateway ports' range. */
struct address_range_wish {
	struct ref external_network;
	struct ip first, last;
	/* outputs: */
	uuid address_range;
};
OPERATION(engine_add_address_range, address_range_wish)

/* Deletes an external network with its ranges and its unassociated addresses. ERR_IN_USE: a gateway, another
 * address or an IPv6 block still uses it. */
struct external_network_target {
	struct ref external_network;
};
OPERATION(engine_delete_external_network, external_network_target)

/* Removes a range of public addresses. ERR_IN_USE: one of them is allocated. ERR_STATE: the network's addresses
 * come from allocation pools of subnets. */
struct address_range_target {
	struct ref address_range;
};
OPERATION(engine_remove_address_range, address_range_target)

/* Enlarges the range of routers' gateway ports. Gateways that had no address left get an external network.
 * ERR_CONFLICT: the range does not contain the present one, or overlaps public addresses. */
struct gateway_range_wish {
	struct ref external_network;
	struct ip first, last;
};
OPERATION(engine_set_gateway_range, gateway_range_wish)

/* Sets the pool that VPCs get IPv6 blocks from, and the next hop of IPv6 egress. Blocks from an earlier pool
 * stay. ERR_INVALID: the pool is not a global or site-local IPv6 block of /40 to /56, or the next hop is not
 * an IPv6 address. ERR_CONFLICT: the pool overlaps another network's. */
struct external_ipv6_wish {
	struct ref external_network;
	struct cidr pool;
	struct ip next_hop; /* none: no IPv6 egress, VPCs only reach each other's subnets */
};
OPERATION(engine_set_external_ipv6, external_ipv6_wish)

struct external_network;
/* Next hop of a router whose gateway address is `ip`: the gateway of the external subnet that contains it,
 * otherwise the network's next hop. None: there is no way out. On any tables. */
struct ip engine_get_outer_hop(const struct tables *t, const struct external_network *external, struct ip ip);
