/* SPDX-License-Identifier: Apache-2.0
 * Nova's swap: a volume replaces another in a running instance, with its content. The instance's host copies
 * while the guest runs. The old volume's row stays attached until the host has switched over to the new one.
 * Then the old volume is free, with its content at that moment. A failed swap changes nothing, except that
 * the new volume's own content is lost: its file was recreated blank. */
#pragma once

#include "engine/operation.h"

struct volume;

/* Requests a swap. ERR_STATE with KIND_INSTANCE: the instance is neither running nor paused. ERR_INVALID with
 * the field volumeId, in Nova's words: the old volume is not attached to the instance or is reserved; the new
 * one is not free, or is smaller; several instances may write to the old one; only one of the two is shared.
 * ERR_STATE with KIND_VOLUME: a snapshot of one of them is in progress. ERR_CAPACITY: the instance's host
 * lacks room. */
struct volume_swapping {
	struct ref instance;
	struct ref volume; /* attached */
	struct ref other;  /* the replacement */
};
OPERATION(engine_swap_volume, volume_swapping)

/* The live volume that is to replace this one, or NULL. */
const struct volume *engine_find_successor(const struct tables *t, uuid volume);
/* True if the volume takes part in a swap, on either side, or moves to another pool. No other change is
 * possible meanwhile. */
bool engine_is_swapping(const struct tables *t, const struct volume *volume);
/* True if the successor's file is ready for the copy: blank, as large as the old volume, on the instance's
 * host. */
bool engine_successor_is_ready(const struct volume *volume);

/* ---- for the reconciler; OK if the swap is over ---- */

struct volume_swap_report {
	uuid instance, volume, other;
	bool is_done;   /* true: the instance uses the new volume; false: the swap failed */
	struct str why; /* the reason of a failure */
};
SYSTEM_OPERATION(engine_see_swap, volume_swap_report)
