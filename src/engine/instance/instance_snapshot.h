/* SPDX-License-Identifier: Apache-2.0
 * Instance snapshots: a snapshot of each disk, taken together, to which a stopped instance can be reverted.
 * reconcile/storage/snapshot.c takes the disks' snapshots, and reconcile/storage/volume.c reverts the disks. An instance with
 * snapshots keeps its disks and their sizes, because a revert needs all of them. The snapshots are deleted
 * with the instance. Called by: api/cloudstack (VM snapshots); other faces show the snapshots of the
 * disks. */
#pragma once

#include "engine/operation.h"

struct instance_snapshot;

enum { INSTANCE_SNAPSHOTS_MAX = 10 }; /* per instance; CloudStack's vmsnapshot.max */

/* Takes a snapshot of a running or stopped instance. ERR_STATE: another state, the instance is busy, or a
 * disk may be shared. ERR_EXISTS: the instance has a snapshot of that name. ERR_QUOTA:
 * INSTANCE_SNAPSHOTS_MAX. ERR_CONFLICT: a snapshot of a disk is being made or reverted to. */
struct instance_snapshot_wish {
	struct ref instance;
	struct str name;        /* empty: made from the instance's id and the time */
	struct str description; /* both up to 255 characters */
	/* outputs: */
	uuid snapshot;
};
OPERATION(engine_create_instance_snapshot, instance_snapshot_wish)

/* Deletes an instance snapshot with the snapshots of its disks. ERR_STATE: a snapshot of the instance is
 * busy. ERR_IN_USE: an image uses one of them. */
struct instance_snapshot_target {
	struct ref snapshot;
	/* outputs: */
	uuid instance;
};
OPERATION(engine_delete_instance_snapshot, instance_snapshot_target)

/* Reverts a stopped instance to the disks and the type that it had. ERR_STATE: not stopped, busy, or the
 * snapshot is not complete. */
OPERATION(engine_revert_instance, instance_snapshot_target)

enum instance_snapshot_state {
	INSTANCE_SNAPSHOT_CREATING,
	INSTANCE_SNAPSHOT_READY,
	INSTANCE_SNAPSHOT_REVERTING, /* the instance is being reverted to it */
	INSTANCE_SNAPSHOT_ERROR      /* a disk could not be copied */
};
enum instance_snapshot_state engine_instance_snapshot_state(const struct tables *t,
							    const struct instance_snapshot *snapshot);
