/* SPDX-License-Identifier: Apache-2.0
 * Sides of Azure peerings: a side is a virtual network's declaration to peer with another. When both sides
 * exist, the engine creates the peering (engine/network/routing/peering.h), and their tables lead to each other. Both
 * belong to one account. */
#pragma once

#include "engine/operation.h"

/* Declares a side, or confirms it. With KIND_PEERING_SIDE: ERR_EXISTS, the router has another side for that
 * peer; ERR_CONFLICT, their blocks overlap (with KIND_PEERING: one overlaps a network that the other is
 * peered with); ERR_INVALID, it is the router itself. */
struct peering_side_wish {
	struct ref router, peer_router;
	uuid side; /* none: creates a side */
	struct str name;
	/* result: */
	uuid made;
};
OPERATION(engine_put_peering_side, peering_side_wish)

/* Deletes a side: the peering ends, and the other side waits. */
struct peering_side_target {
	struct ref side;
};
OPERATION(engine_delete_peering_side, peering_side_target)
