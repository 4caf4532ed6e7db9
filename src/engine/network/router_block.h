/* SPDX-License-Identifier: Apache-2.0
 * Address blocks of routers that have some, which EC2 calls VPCs. The first block is there from the
 * beginning and stays; further ones can be added and removed. */
#pragma once

#include "engine/network/ipv6.h"
#include "engine/operation.h"

struct router;

enum { ROUTER_BLOCKS_MAX = 5 };

/* The id under which EC2 knows the n-th block's association with the router: the router's own for
 * the first block, a UUIDv5 of router and block for the others. blocks: from
 * engine_get_blocks(). */
uuid engine_get_block_association(const struct router *router, struct cidrs blocks, size_t n);

/* Adds a block, which is made canonical. ERR_RANGE with KIND_ROUTER: its size; an overlap with what
 * the router has; a range that cannot be combined with the first block's; a route to a part of it;
 * or the router has no blocks. ERR_QUOTA with KIND_ROUTER and the field "CidrBlock". */
struct router_block_wish {
	struct ref router;
	struct cidr block;
	struct ipv6_block_wish ipv6; /* instead of block; errors as of ipv6_add_block() */
	/* made: */
	uuid made_in, association;
};
OPERATION(engine_add_router_block, router_block_wish)

/* Removes a block. ERR_NOT_FOUND with KIND_ROUTER and the field "AssociationId". ERR_PROTECTED: it
 * is the first block. ERR_IN_USE: a subnet is in it. */
struct router_block_target {    /* of either family */
	struct ref association; /* from id_parse_prefixed() */
	/* removed: */
	uuid router, removed;
	struct cidr block;
	uuid pool; /* the external network from whose IPv6 pool it was asked for by name, or none */
};
OPERATION(engine_remove_router_block, router_block_target)
