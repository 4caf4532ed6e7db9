/* SPDX-License-Identifier: Apache-2.0
 * IPv6 subnets, alone or beside IPv4 subnets. Their modes say how guests get addresses: by SLAAC, where ports
 * have the addresses that follow from their MAC and no others, or by DHCPv6. An IPv6 subnet that shares
 * network and router with an IPv4 subnet is what EC2 calls that subnet's IPv6 block: it uses the IPv4
 * subnet's route table and network ACL, and ports of the IPv4 subnet have their IPv6 addresses in it, as
 * secondary addresses. */
#pragma once

#include "engine/operation.h"

struct external_network;
struct router;
struct subnet;

enum {
	IPV6_ROUTER_BITS = 56, /* prefix length of a router's block */
	IPV6_SUBNET_BITS = 64,
	IPV6_SUBNET_BITS_MIN = 44, /* shortest prefix of a subnet made by EC2's API */
	IPV6_POOL_BITS_MIN = 40,   /* shortest prefix of an external network's pool: 65,536 router blocks */
	ROUTER_IPV6_BLOCKS_MAX = 5
};

/* Request for an IPv6 block of a router, from an external network's pool. */
struct ipv6_block_wish {
	bool is_wanted;
	struct ref pool;   /* names the external network; kind none: any that has a block left */
	struct cidr block; /* a block of that pool; none: the engine chooses */
	struct str field;  /* parameter at fault if no block is left */
	struct str block_field;
};

/* Find the live subnet beside another one, on any tables. engine_find_ipv6_subnet() returns an IPv6 subnet
 * itself; engine_find_ipv4_subnet() returns the oldest IPv4 subnet. NULL: there is none. */
const struct subnet *engine_find_ipv6_subnet(const struct tables *t, const struct subnet *subnet);
const struct subnet *engine_find_ipv4_subnet(const struct tables *t, const struct subnet *subnet);
/* True if an IPv6 subnet has no IPv4 subnet beside it. */
bool engine_is_ipv6_alone(const struct tables *t, const struct subnet *subnet);
/* Route table and network ACL that apply to a live subnet of the router, on any tables. An IPv6 subnet uses
 * those of the IPv4 subnet beside it. A subnet without its own has the router's main route table and default
 * ACL. */
uuid engine_get_subnet_route_table(const struct tables *t, const struct router *router,
				   const struct subnet *subnet);
uuid engine_get_subnet_acl(const struct tables *t, const struct router *router, const struct subnet *subnet);
/* EC2's id of the association of an IPv6 block with its router. */
uuid engine_get_ipv6_association(const struct router *router, struct cidr block);
/* External network that the call named when it asked for the router's block; none if the engine chose it. */
uuid engine_get_ipv6_pool(const struct tables *t, const struct router *router, struct cidr block);
/* True if the block lies in a router block whose pool was named by the call. */
bool engine_is_ipv6_of_named_pool(const struct router *router, struct cidr block);
/* External network that the router's IPv6 blocks come from, or NULL. */
const struct external_network *engine_find_ipv6_outside(const struct tables *t, const struct router *router);
/* True if the block lies in one of the router's IPv6 blocks. */
bool engine_is_ipv6_of_router(const struct router *router, struct cidr block);
/* True if the subnet is reachable from outside: it is IPv6, and comes from its router's blocks, or through
 * one of the region's subnet pools from an external network's pool. */
bool engine_is_outer_subnet(const struct tables *t, const struct subnet *subnet);

/* Adds an IPv6 subnet beside an IPv4 one. ERR_RANGE with KIND_SUBNET: the block is no /44 to /64 (in steps of
 * 4) of the router's blocks. ERR_CONFLICT: the block overlaps another subnet; with the field SubnetId: the
 * subnet has an IPv6 block. */
struct ipv6_subnet_wish {
	struct ref subnet;
	struct cidr block;
	struct str block_field; /* parameter that block came from */
	/* outputs: */
	uuid made_in, ipv6_subnet;
	bool of_named_pool; /* see engine_is_ipv6_of_named_pool() */
};
OPERATION(engine_add_ipv6_subnet, ipv6_subnet_wish)

/* Removes an IPv6 subnet. ERR_NOT_FOUND with KIND_SUBNET. With KIND_SUBNET: ERR_IN_USE, ports have addresses
 * in it; ERR_PROTECTED, no IPv4 subnet is beside it. */
struct ipv6_subnet_target {
	struct ref association; /* from id_parse_prefixed(): the IPv6 subnet's id */
	/* outputs: */
	uuid subnet, removed;
	struct cidr block;
	bool of_named_pool;
};
OPERATION(engine_remove_ipv6_subnet, ipv6_subnet_target)
