/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of instances: one snapshot of each disk, taken together, to which a stopped instance can return. They are
 * rows only; reconcile/snapshot.c cuts each of the snapshots, and reconcile/volume.c gives each disk its old content
 * back. As long as an instance has one it keeps its disks, and these their sizes: it returns with all of them or not at
 * all. Its snapshots go with the instance. Called by: api/cloudstack, which calls them VM snapshots; the other faces
 * show the snapshots of the disks. */
#pragma once

#include "engine/operation.h"

struct instance_snapshot;

enum { INSTANCE_SNAPSHOTS_MAX = 10 }; /* of an instance; CloudStack's vmsnapshot.max */

/* Takes one of an instance that runs or is stopped. ERR_STATE: it does neither, or something else is asked of it; or it
 * shares a disk with others. ERR_EXISTS: another one has the name. ERR_QUOTA: it has as many as it may have.
 * ERR_CONFLICT: a snapshot of one of its disks is being made, or returned to. */
struct instance_snapshot_wish {
	struct ref instance;
	struct str name;        /* empty: one is made of the instance's id and the time */
	struct str description; /* both up to 255 characters */
	/* made: */
	uuid snapshot;
};
OPERATION(engine_create_instance_snapshot, instance_snapshot_wish)

/* Deletes one with the snapshots that it consists of. ERR_STATE: something is being done with one of the instance's.
 * ERR_IN_USE: an image has one of them. */
struct instance_snapshot_target {
	struct ref snapshot;
	/* made: */
	uuid instance;
};
OPERATION(engine_delete_instance_snapshot, instance_snapshot_target)

/* Gives a stopped instance the disks and the type that it had. ERR_STATE: it is not stopped, something else is asked of
 * it, or the snapshot is not complete. */
OPERATION(engine_revert_instance, instance_snapshot_target)

enum instance_snapshot_state {
	INSTANCE_SNAPSHOT_CREATING,
	INSTANCE_SNAPSHOT_READY,
	INSTANCE_SNAPSHOT_REVERTING, /* the instance returns to it */
	INSTANCE_SNAPSHOT_ERROR      /* one of the disks could not be copied */
};
enum instance_snapshot_state engine_instance_snapshot_state(const struct tables *t,
							    const struct instance_snapshot *snapshot);
