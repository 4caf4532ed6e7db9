/* SPDX-License-Identifier: Apache-2.0
 * IPv6 beside IPv4, and alone. An IPv6 subnet is a subnet like any other. Its modes say how guests
 * get addresses: they make them from their MAC addresses (then ports have those and no others), or
 * ask for them by DHCPv6. If an IPv6 subnet shares a network and a router with an IPv4 one, it is
 * what EC2 calls that subnet's IPv6 block: it has the same route table and network ACL, and the
 * IPv6 addresses of the IPv4 subnet's ports are in it, as secondary addresses. */
#pragma once

#include "engine/operation.h"

struct external_network;
struct router;
struct subnet;

enum {
	IPV6_ROUTER_BITS = 56, /* bits of a router's block */
	IPV6_SUBNET_BITS = 64,
	IPV6_SUBNET_BITS_MIN = 44, /* of a subnet that EC2 makes: as large as its router's block at most */
	IPV6_POOL_BITS_MIN = 40,   /* bits of an external network's pool: 65,536 blocks */
	ROUTER_IPV6_BLOCKS_MAX = 5
};

/* An IPv6 block of a router, from an external network's pool. */
struct ipv6_block_wish {
	bool is_wanted;
	struct ref pool;   /* names the external network; kind none: any that has a block left */
	struct cidr block; /* of that pool; none: the engine chooses */
	struct str field;  /* for messages about that there is none */
	struct str block_field;
};

/* For reading, on any tables. The first finds the live IPv6 subnet beside an IPv4 one (for an IPv6
 * subnet itself). The second finds the IPv4 subnet beside it, the oldest if there are several.
 * NULL: none. */
const struct subnet *engine_find_ipv6_subnet(const struct tables *t, const struct subnet *subnet);
const struct subnet *engine_find_ipv4_subnet(const struct tables *t, const struct subnet *subnet);
/* Whether an IPv6 subnet has no IPv4 subnet beside it. */
bool engine_is_ipv6_alone(const struct tables *t, const struct subnet *subnet);
/* The table and the ACL that hold for a live subnet at its own router, on any tables: the ones that
 * the subnet names, or for an IPv6 subnet those of the IPv4 one beside it; else the router's main
 * route table and default network ACL. */
uuid engine_get_subnet_route_table(const struct tables *t, const struct router *router,
				   const struct subnet *subnet);
uuid engine_get_subnet_acl(const struct tables *t, const struct router *router, const struct subnet *subnet);
/* The id under which EC2 knows the association of an IPv6 block with its router. */
uuid engine_get_ipv6_association(const struct router *router, struct cidr block);
/* The external network that the router's IPv6 block was asked for from by its id. None: by nobody. */
uuid engine_get_ipv6_pool(const struct tables *t, const struct router *router, struct cidr block);
/* Whether the block is inside one that was asked for so. */
bool engine_is_ipv6_of_named_pool(const struct router *router, struct cidr block);
/* The external network that the router's IPv6 blocks come from, or NULL. */
const struct external_network *engine_find_ipv6_outside(const struct tables *t, const struct router *router);
/* Whether the block is inside one of the router's IPv6 blocks. */
bool engine_is_ipv6_of_router(const struct router *router, struct cidr block);
/* Whether the outside can reach the subnet behind its router: it is IPv6, from that router's
 * blocks, or through one of the region's subnet pools from an external network's pool. */
bool engine_is_outer_subnet(const struct tables *t, const struct subnet *subnet);

/* Makes an IPv6 subnet beside an IPv4 one. ERR_RANGE with KIND_SUBNET: it is no /44 to /64 (in steps of 4) of the
 * router's blocks. ERR_CONFLICT: it is another subnet's; with the field SubnetId: the subnet has
 * one already. */
struct ipv6_subnet_wish {
	struct ref subnet;
	struct cidr block;
	struct str block_field; /* for messages about that */
	/* made: */
	uuid made_in, ipv6_subnet;
	bool of_named_pool; /* as engine_is_ipv6_of_named_pool() says */
};
OPERATION(engine_add_ipv6_subnet, ipv6_subnet_wish)

/* Deletes it. ERR_NOT_FOUND with KIND_NONE. With KIND_SUBNET: ERR_IN_USE, ports have addresses in
 * it; ERR_PROTECTED, there is no IPv4 subnet beside it. */
struct ipv6_subnet_target {
	struct ref association; /* from id_parse_prefixed(): names the IPv6 subnet */
	/* removed: */
	uuid subnet, removed;
	struct cidr block;
	bool of_named_pool;
};
OPERATION(engine_remove_ipv6_subnet, ipv6_subnet_target)
