/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: peerings, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Accepted peering of the two routers, in either direction, or NULL. */
const struct peering *peering_find_between(const struct tables *t, uuid router, uuid peer);
/* True if the router has an accepted peering, or a request of another account. */
bool peering_holds_router(const struct tables *t, uuid router);
/* Ends all pending peerings of a router that is being deleted. */
RESULT peering_leave_router(struct op *op, uuid router);
/* Why peerings forbid the block for the router, as the end of a sentence; NULL: they allow it. */
const char *peering_refuses_block(const struct tables *t, const struct router *router, struct cidr block);
/* Fails pending requests whose routers overlap a block that the router has got. */
RESULT peering_fail_overlapping(struct op *op, const struct router *router, struct cidr block);
