/* SPDX-License-Identifier: Apache-2.0
 * Address blocks of routers that have some, VPCs in EC2's words. The first one is there from the start and
 * stays; further ones come and go. */
#pragma once

#include "engine/operation.h"

struct router;

enum { ROUTER_BLOCKS_MAX = 5 };

/* EC2's id of the n-th block's association with the router: the router's own for the first one, UUIDv5 of
 * router and block for others. blocks: engine_get_blocks(). */
uuid engine_get_block_association(const struct router *router, struct cidrs blocks, size_t n);

/* The block is made canonical. ERR_RANGE with KIND_ROUTER: its size, an overlap with what the router has, a
 * range that does not go with the first block's, or a route to a part of it; a router without blocks has none
 * added. ERR_QUOTA with KIND_ROUTER about "CidrBlock". */
struct router_block_wish {
	struct ref router;
	struct cidr block;
	bool wants_ipv6;       /* instead: one of IPv6, which is found; errors as ipv6_add_block() */
	struct str ipv6_field; /* for messages about that */
	/* made: */
	uuid made_in, association;
};
OPERATION(engine_add_router_block, router_block_wish)

/* ERR_NOT_FOUND with KIND_ROUTER about "AssociationId"; ERR_PROTECTED: the first one; ERR_IN_USE: a subnet
 * lies in it. */
struct router_block_target {    /* of either family */
	struct ref association; /* from id_parse_prefixed() */
	/* removed: */
	uuid router, removed;
	struct cidr block;
};
OPERATION(engine_remove_router_block, router_block_target)
