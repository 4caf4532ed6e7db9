/* SPDX-License-Identifier: Apache-2.0
 * A volume that takes the place of another one in a running instance, with what is on it: Nova's swap. The
 * instance's host copies while the guest runs; whatever happens meanwhile, the row of the old volume says that
 * the instance has it, until the host was seen to have gone over to the new one. Then the old one is free, with
 * its content of that moment. A swap that comes to nothing leaves all as it was, but for the content of the new
 * volume, which was made anew for it. */
#pragma once

#include "engine/operation.h"

struct volume;

/* Asks for it. ERR_STATE with KIND_INSTANCE: the instance neither runs nor is paused. ERR_INVALID with the
 * field volumeId, in Nova's words: the old volume is not attached to it, or somebody is about to detach it; the
 * new one is not free, or is smaller; several may write to the old one; one of them is shared, and the other is
 * not. ERR_STATE with KIND_VOLUME: a snapshot of one of them is on its way. ERR_CAPACITY: the instance's host
 * lacks room. */
struct volume_swapping {
	struct ref instance;
	struct ref volume; /* that it has */
	struct ref other;  /* that it gets */
};
OPERATION(engine_swap_volume, volume_swapping)

/* The live volume that is to take the place of this one; NULL: none is. */
const struct volume *engine_find_successor(const struct tables *t, uuid volume);
/* It takes part in a swap, on either side, or goes to another pool: nothing else is done to it meanwhile. */
bool engine_is_swapping(const struct tables *t, const struct volume *volume);
/* Its file is as the copying needs it: blank, of the size of the other one, on the instance's host. */
bool engine_successor_is_ready(const struct volume *volume);

/* ---- the reconciler's. A swap that is over already: OK. ---- */

struct volume_swap_report {
	uuid instance, volume, other;
	bool is_done;   /* the instance has the other one now; else it came to nothing */
	struct str why; /* it came to nothing */
};
OPERATION(engine_see_swap, volume_swap_report)
