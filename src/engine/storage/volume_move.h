/* SPDX-License-Identifier: Apache-2.0
 * A volume that goes to another storage pool, or to another host's directory. Until its row says that the new
 * file counts, the old one does: a free volume's file is copied over this machine (reconcile/volume.c), that of
 * one in a running guest by the guest's host, and the guest goes over when both are the same
 * (reconcile/instance_swap.c). What is left where it was, or of a move that came to nothing, is removed
 * afterwards. Meanwhile nothing else is done to the volume. */
#pragma once

#include "engine/operation.h"

struct volume;

/* Asks for it. ERR_STATE: the volume is being made, moved, swapped, reverted, modified, attached or detached, or
 * a snapshot of it is on its way; several instances have it, or one that is suspended or on its way to another
 * host; a host has yet to remove what a former move left. ERR_UNSUPPORTED: it lies in a CD-ROM drive.
 * ERR_INVALID: it is there already. ERR_CAPACITY: no host that may have it sees the pool; there is no room. */
struct volume_moving {
	struct ref volume;
	struct ref pool; /* by name or id; kind none: the directory of a host */
	struct ref host; /* by name: whose directory; kind none: its own host's */
	bool locks;      /* a free volume is in maintenance meanwhile, as Cinder calls it */
};
OPERATION(engine_move_volume, volume_moving)

/* ---- the reconciler's. Of a move that is over already: OK. ---- */

/* BLANK: a blank file waits for what its guest's host copies. SPOILT: that file has some of it, and nobody
 * copies any more. MOVED: the new file counts. COPIED: it does, and stands alone. FAILED: the guest's host could
 * not copy, and the old one counts for good. */
enum volume_move_stage {
	VOLUME_MOVE_BLANK,
	VOLUME_MOVE_SPOILT,
	VOLUME_MOVE_MOVED,
	VOLUME_MOVE_COPIED,
	VOLUME_MOVE_FAILED
};
struct volume_move_report {
	uuid volume, pool, host; /* where it was to go */
	enum volume_move_stage stage;
	struct str why; /* of FAILED */
};
OPERATION(engine_see_volume_move, volume_move_report)
