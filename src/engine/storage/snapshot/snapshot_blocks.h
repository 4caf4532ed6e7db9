/* SPDX-License-Identifier: Apache-2.0
 * Snapshots that a client writes block by block (EBS direct). The blocks go to a file beside the rows
 * (drivers/block_upload.h), without a commit for each; the row says that they are expected, and that all have come. The
 * reconciler then makes the snapshot's file (reconcile/storage/snapshot_blocks.c), or fails the snapshot after a time without a
 * block. */
#pragma once

#include "engine/storage/disk_crypt.h"

struct snapshot;

enum {
	BLOCK_SNAPSHOTS_PENDING_MAX = 100, /* in one account; AWS has this quota */
	BLOCK_SNAPSHOT_TIMEOUT_MIN = 10,   /* minutes */
	BLOCK_SNAPSHOT_TIMEOUT_MAX = 4320
};

/* Begins a snapshot. Its whole size counts against the account's limit of disk bytes until its file is made, since the
 * blocks have no rows. ERR_RANGE with the field VolumeSize: less than the parent's. ERR_COMBINATION: a parent and a choice of encryption. ERR_UNSUPPORTED with the field
 * ParentSnapshotId: the parent is encrypted. ERR_STATE: it is not completed. ERR_THROTTLED: too many are pending.
 * ERR_CONFLICT: the token was used with other parameters. ERR_QUOTA. */
struct block_snapshot_wish {
	int64_t size;      /* bytes of the disk */
	struct ref parent; /* a snapshot of the account; kind none: none */
	int64_t timeout_min;
	struct disk_crypt crypt;
	struct str description;
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* result: */
	uuid snapshot;
};
OPERATION(engine_start_block_snapshot, block_snapshot_wish)

/* All blocks have been written. ERR_STATE: the snapshot does not take blocks. */
struct block_snapshot_target {
	struct ref snapshot;
	/* result: */
	uuid completed;
};
OPERATION(engine_complete_block_snapshot, block_snapshot_target)

/* True while a client may write blocks of the snapshot. */
bool engine_snapshot_takes_blocks(const struct snapshot *snapshot);

/* True if both are snapshots of one volume, or descend from one by parents. */
bool engine_are_snapshots_related(const struct tables *t, const struct snapshot *a, const struct snapshot *b);
