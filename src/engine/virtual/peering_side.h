/* SPDX-License-Identifier: Apache-2.0
 * One side's word that its virtual network is to reach another one, as Azure has peerings: when both sides have given it there is
 * a peering (engine/network/peering.h), and their tables lead to each other. Both are of one account. */
#pragma once

#include "engine/operation.h"

/* Gives the word, or gives it again. With KIND_PEERING_SIDE: ERR_EXISTS, another of the router's is about that router;
 * ERR_CONFLICT, their blocks overlap (of KIND_PEERING: one's with those of a network that the other is peered with); ERR_INVALID, it is the router itself. */
struct peering_side_wish {
	struct ref router, peer_router;
	uuid side; /* none: a new one */
	struct str name;
	/* made: */
	uuid made;
};
OPERATION(engine_put_peering_side, peering_side_wish)

/* Takes it back: the peering ends, and the other side's word waits. */
struct peering_side_target {
	struct ref side;
};
OPERATION(engine_delete_peering_side, peering_side_target)
