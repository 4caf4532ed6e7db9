/* SPDX-License-Identifier: Apache-2.0
 * External networks and the ranges of public addresses on them. For the operator. */
#pragma once

#include "engine/operation.h"

/* Internet gateways that are attached and lead nowhere yet are led here. */
struct external_network_wish {
	struct str name, physical_network;
	struct ip next_hop;
	struct ip infra_first, infra_last; /* for gateway ports of routers */
	struct ip first, last;             /* to hand out; none: no range yet */
	/* made: */
	uuid external_network;
};
OPERATION(engine_add_external_network, external_network_wish)

/* ERR_CONFLICT when it overlaps with another range or the infrastructure's. */
struct address_range_wish {
	struct ref external_network;
	struct ip first, last;
	/* made: */
	uuid address_range;
};
OPERATION(engine_add_address_range, address_range_wish)

/* Where VPCs get IPv6 blocks from, and by which way IPv6 leaves. What was handed out of an earlier pool
 * stays. ERR_INVALID: not an IPv6 block from /40 to /56 for use on the internet or a site's own, or not an
 * IPv6 address; ERR_CONFLICT: overlaps another network's. */
struct external_ipv6_wish {
	struct ref external_network;
	struct cidr pool;
	struct ip next_hop; /* none: VPCs reach each other's subnets alone */
};
OPERATION(engine_set_external_ipv6, external_ipv6_wish)
