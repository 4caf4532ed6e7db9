/* SPDX-License-Identifier: Apache-2.0
 * IPv6 beside IPv4, and alone. An IPv6 subnet is a subnet like any other; its modes say how guests get
 * addresses: made of their MACs (then ports have those, and no others), or asked for by DHCPv6. Where it
 * shares a network and a router with an IPv4 one it is, in EC2's words, that subnet's IPv6 block: it goes by
 * the same route table and the same network ACL, and ports of the IPv4 subnet have their IPv6 addresses,
 * which are secondary ones, in it. */
#pragma once

#include "engine/operation.h"

struct external_network;
struct router;
struct subnet;

enum {
	IPV6_ROUTER_BITS = 56, /* of a router's block */
	IPV6_SUBNET_BITS = 64,
	IPV6_POOL_BITS_MIN = 40, /* of an external network's pool: 65,536 blocks */
	ROUTER_IPV6_BLOCKS_MAX = 5
};

/* Reading, on any tables. The live IPv6 subnet beside an IPv4 one (one of IPv6 is its own), and the IPv4 one
 * beside it, the oldest where there are several; NULL: none. */
const struct subnet *engine_find_ipv6_subnet(const struct tables *t, const struct subnet *subnet);
const struct subnet *engine_find_ipv4_subnet(const struct tables *t, const struct subnet *subnet);
/* An IPv6 subnet without such an IPv4 one. */
bool engine_is_ipv6_alone(const struct tables *t, const struct subnet *subnet);
/* What holds for a live subnet at its own router, on any tables: what it says, or, being of IPv6, what the
 * IPv4 one beside it says; else the router's main route table and default network ACL. */
uuid engine_get_subnet_route_table(const struct tables *t, const struct router *router,
				   const struct subnet *subnet);
uuid engine_get_subnet_acl(const struct tables *t, const struct router *router, const struct subnet *subnet);
/* EC2's id of the association of an IPv6 block with its router. */
uuid engine_get_ipv6_association(const struct router *router, struct cidr block);
/* The external network that the router's IPv6 blocks are of, or NULL. */
const struct external_network *engine_find_ipv6_outside(const struct tables *t, const struct router *router);
/* It lies in one of the router's IPv6 blocks. */
bool engine_is_ipv6_of_router(const struct router *router, struct cidr block);
/* What is outside finds it behind its router: it is IPv6 of that router's blocks, or of an external network's
 * pool by one of the region's subnet pools. */
bool engine_is_outer_subnet(const struct tables *t, const struct subnet *subnet);

/* An IPv6 subnet beside an IPv4 one. ERR_RANGE with KIND_SUBNET: not a /64 of the router's blocks;
 * ERR_CONFLICT: another subnet's, or about SubnetId: it has one already. */
struct ipv6_subnet_wish {
	struct ref subnet;
	struct cidr block;
	struct str block_field; /* for messages about that */
	/* made: */
	uuid made_in, ipv6_subnet;
};
OPERATION(engine_add_ipv6_subnet, ipv6_subnet_wish)

/* ERR_NOT_FOUND with KIND_NONE; with KIND_SUBNET ERR_IN_USE: ports have addresses in it, ERR_PROTECTED: there
 * is none of IPv4 beside it. */
struct ipv6_subnet_target {
	struct ref association; /* from id_parse_prefixed(): the IPv6 subnet's */
	/* removed: */
	uuid subnet, removed;
	struct cidr block;
};
OPERATION(engine_remove_ipv6_subnet, ipv6_subnet_target)
