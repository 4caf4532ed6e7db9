/* SPDX-License-Identifier: Apache-2.0
 * Moves of a volume to another storage pool or to another host's directory. The old file counts until the row
 * says that the new one does. A free volume's file is copied through the control plane (reconcile/storage/volume.c).
 * A running guest's volume is copied by its host, and the guest switches over when both files are equal
 * (reconcile/instance/instance_swap.c). Afterwards the old file is removed, or the new one if the move failed.
 * Meanwhile no other change to the volume is possible. */
#pragma once

#include "engine/operation.h"

struct volume;

/* Requests a move. ERR_STATE: the volume is being created, moved, swapped, reverted, modified, attached or
 * detached, or a snapshot of it is in progress; or it is attached to several instances, to a suspended one or
 * to one that is migrating; or a host has not removed the remains of an earlier move. ERR_UNSUPPORTED: it is
 * in a CD-ROM drive. ERR_INVALID: it is already there. ERR_CAPACITY: no suitable host sees the pool, or there
 * is too little room. */
struct volume_moving {
	struct ref volume;
	struct ref pool; /* by name or id; kind none: a host's own directory */
	struct ref host; /* by name: the host whose directory is meant; kind none: the present host */
	bool locks;      /* a free volume has Cinder's status "maintenance" meanwhile */
};
OPERATION(engine_move_volume, volume_moving)

/* ---- for the reconciler; OK if the move is over ---- */

/* BLANK: a blank file is ready for the copy by the guest's host. SPOILT: a copy into that file was
 * interrupted. MOVED: the new file counts. COPIED: the new file counts and has no backing file. FAILED: the
 * guest's host could not copy; the old file stays. */
enum volume_move_stage {
	VOLUME_MOVE_BLANK,
	VOLUME_MOVE_SPOILT,
	VOLUME_MOVE_MOVED,
	VOLUME_MOVE_COPIED,
	VOLUME_MOVE_FAILED
};
struct volume_move_report {
	uuid volume, pool, host; /* the target */
	enum volume_move_stage stage;
	struct str why; /* for FAILED */
};
SYSTEM_OPERATION(engine_see_volume_move, volume_move_report)
