/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: IPv6 blocks and subnets. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct ipv6_block_wish;
struct network_subnet_wish;
struct router_block_wish;

/* True for global unicast, documentation and unique local (fc00::/7) blocks. */
bool ipv6_is_usable_block(struct cidr block);
/* Checks the IPv6 modes of a new subnet. ERR_CONFLICT with KIND_SUBNET: the modes contradict each other, the
 * address family, or a subnet without DHCP. ERR_RANGE: SLAAC needs a /64. */
RESULT ipv6_check_modes(struct op *op, const struct network_subnet_wish *wish);
/* ipv6_subnet_has_modes(): the subnet tells guests by RA or DHCPv6 how to get addresses.
 * ipv6_subnet_is_auto(): ports have the addresses that follow from their MACs. */
bool ipv6_subnet_has_modes(const struct subnet *subnet);
bool ipv6_subnet_is_auto(const struct subnet *subnet);
/* Chooses the /56 that the wish names, or a free one of the named pool or of the first pool that has one.
 * ERR_CAPACITY with KIND_ADDRESS: no block is left. With KIND_EXTERNAL_NETWORK: ERR_UNSUPPORTED, no network
 * has a pool; ERR_NOT_FOUND, the named network has none; ERR_RANGE, the named block is no /56 of the pool;
 * ERR_CONFLICT, it is in use. */
RESULT ipv6_pick_block(struct op *op, const struct ipv6_block_wish *wish, struct cidr *ret_block);
/* Adds a block to an existing router. Fields of failures are those of the wish. Errors as for
 * ipv6_pick_block(); ERR_QUOTA with KIND_ROUTER: the router has ROUTER_IPV6_BLOCKS_MAX; ERR_RANGE: the router
 * has no blocks of its own. */
RESULT ipv6_add_block(struct op *op, const struct router *router, const struct router_block_wish *wish,
		      struct cidr *ret_block, uuid *ret_association);
/* Adds the IPv6 rules that EC2 adds to a VPC's default security group and ACL with its first IPv6 block. */
RESULT ipv6_let_through(struct op *op, const struct router *router);
/* Checks that the block is valid for a subnet of the router and overlaps no other one. ERR_RANGE,
 * ERR_CONFLICT with KIND_SUBNET. */
RESULT ipv6_check_block(struct op *op, const struct router *router, struct cidr block, struct str field);
/* Restores an invariant of the network's IPv6 subnets that are on a router. A subnet without an IPv4 subnet
 * beside it has an ACL: its own, or the router's default. One beside an IPv4 subnet has neither ACL nor route
 * table, because the IPv4 subnet's apply. Call it whenever subnets of the network change. */
RESULT ipv6_settle_lists(struct op *op, uuid network);
/* Writes an IPv6 subnet beside one that has none. Errors as for engine_add_ipv6_subnet(). */
RESULT ipv6_write_subnet(struct op *op, const struct subnet *beside, struct cidr block, struct str field,
			 uuid *ret_subnet);
/* True if a router, or a subnet of a region's pool, has a block that overlaps this one; *ret_held is that
 * block. */
bool ipv6_find_holder(const struct tables *t, struct cidr block, struct cidr *ret_held);
