/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of peerings. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* An accepted one, in either direction, or NULL. */
const struct peering *peering_find_between(const struct tables *t, uuid router, uuid peer);
/* It has an accepted one, or another account asked for one. */
bool peering_holds_router(const struct tables *t, uuid router);
/* It goes, and requests of its own with it. */
RESULT peering_leave_router(struct op *op, uuid router);
/* Why the router may not get that block, in words that follow its own; NULL: it may. */
const char *peering_refuses_block(const struct tables *t, const struct router *router, struct cidr block);
/* It got it: requests of those whose blocks it overlaps have failed. */
RESULT peering_fail_overlapping(struct op *op, const struct router *router, struct cidr block);
