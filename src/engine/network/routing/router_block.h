/* SPDX-License-Identifier: Apache-2.0
 * Address blocks of routers that have any (EC2: VPCs). The first block is permanent; others can be added and
 * removed. */
#pragma once

#include "engine/network/ipv6.h"
#include "engine/operation.h"

struct router;

enum { ROUTER_BLOCKS_MAX = 5 };

/* EC2's id of the association of the n-th block: the router's own id for the first block, a UUIDv5 of router
 * and block for others. blocks: from engine_get_blocks(). */
uuid engine_get_block_association(const struct router *router, struct cidrs blocks, size_t n);

/* Adds a block, which is made canonical. ERR_RANGE with KIND_ROUTER: wrong size; overlap with a block, subnet
 * or peer of the router; a range that EC2 does not combine with the first block's; a route to part of the
 * block; or the router has no blocks. ERR_QUOTA with KIND_ROUTER and the field "CidrBlock". */
struct router_block_wish {
	struct ref router;
	struct cidr block;
	struct ipv6_block_wish ipv6; /* instead of block; errors as for ipv6_add_block() */
	/* outputs: */
	uuid made_in, association;
};
OPERATION(engine_add_router_block, router_block_wish)

/* Removes a block. ERR_NOT_FOUND with KIND_ROUTER and the field "AssociationId". ERR_PROTECTED: the block is
 * the first one. ERR_IN_USE: a subnet uses the block. */
struct router_block_target {    /* IPv4 or IPv6 */
	struct ref association; /* from id_parse_prefixed() */
	/* outputs: */
	uuid router, removed;
	struct cidr block;
	uuid pool; /* external network that the call named when it asked for the IPv6 block; none: the engine
		    * chose it */
};
OPERATION(engine_remove_router_block, router_block_target)
