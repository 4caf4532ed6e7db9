/* SPDX-License-Identifier: Apache-2.0
 * Snapshots: a disk as it was at one moment. The moment is when the disk's host fixes it (stage
 * "cut"). Then its bytes go to the control plane's image store (stage "kept"). The file there
 * belongs to all rows with its digest together. reconcile/snapshot.c does what follows. */
#pragma once

#include "engine/storage/disk_crypt.h"
#include "engine/storage/sharing.h"
#include "store/snapshot.h"

/* How many snapshots of one volume may be in progress at a time. */
enum { SNAPSHOTS_PENDING_MAX = 5 };

/* Makes a snapshot of an existing volume, attached or not. Its moment is when the volume's host
 * cuts it, within a second if the host answers. ERR_STATE with KIND_VOLUME: there is no disk yet.
 * ERR_QUOTA with the field VolumeId: too many are in progress. */
struct snapshot_wish {
	struct ref volume;
	bool only_free;  /* ERR_IN_USE with KIND_VOLUME: it is attached */
	struct str name; /* Cinder's name */
	struct str description;
	struct tags tags;
	/* made: */
	uuid snapshot;
};
OPERATION(engine_create_snapshot, snapshot_wish)

/* Makes snapshots of an instance's volumes, each as engine_create_snapshot() would. */
struct instance_snapshots {
	struct ref instance;
	bool without_root;
	struct refs without; /* volumes */
	struct str description;
	enum choice with_tags; /* the volumes' own, too; default: no */
	struct tags tags;
	/* made: */
	struct uuids made;
};
OPERATION(engine_create_snapshots, instance_snapshots)

/* Changes what describes a snapshot. */
struct snapshot_settings {
	struct ref snapshot;
	bool set_name, set_description;
	struct str name, description; /* up to 255 characters */
	struct sharing sharing;       /* who may make volumes from it besides its owner */
};
OPERATION(engine_update_snapshot, snapshot_settings)

/* Makes a snapshot of the caller's own. It has the same file, which is stored once. If a plain
 * snapshot shall become an encrypted one, it gets a file of its own, which is made then. ERR_STATE:
 * the source is not completed. */
struct snapshot_copying {
	struct ref source;
	struct str description;
	struct disk_crypt crypt;
	struct tags tags;
	/* made: */
	uuid snapshot;
};
OPERATION(engine_copy_snapshot, snapshot_copying)

/* Marks a snapshot deleted. Its file is removed when no other row needs it. ERR_IN_USE: an image
 * has it. */
struct snapshot_target {
	struct ref snapshot;
	bool force; /* whatever holds it */
	/* Cinder knows of no images: a snapshot that only images of its own account have becomes theirs (is_bound), and
	 * goes with the last of them. */
	bool leaves_to_images;
};
OPERATION(engine_delete_snapshot, snapshot_target)

/* For administrators: forbids the use of a snapshot, or allows it again. */
struct snapshot_reserving {
	struct ref snapshot;
	enum snapshot_reservation to;
	struct str progress; /* as it shall be shown meanwhile; empty: as it is */
};
OPERATION(engine_reserve_snapshot, snapshot_reserving)

/* Whether the snapshot is still to be made: it is not kept, has not failed, and is not deleted. */
bool engine_snapshot_is_pending(const struct snapshot *snapshot);

/* ---- the reconciler's. Absent: OK. ---- */

/* What a step found. Stages and progress only rise; a snapshot that has failed stays so. */
struct snapshot_report {
	uuid snapshot;
	uint64_t gen; /* of the row that was acted on */
	enum snapshot_seen_stage stage;
	int64_t progress;    /* percent */
	bool is_held;        /* nothing but guests that have the volume is in the way of the cut */
	bool is_tracked;     /* cut: its volume records what is written since */
	struct str over;     /* cut: it is an increment over the file of that digest; else empty */
	struct str sha256;   /* of the kept file */
	int64_t file_size;   /* likewise */
	int64_t cut_size;    /* of what came for it */
	struct str data_key; /* sealed: the key of a copy that was encrypted; else empty */
	int64_t volume_size; /* as it was found at the cut; 0: as the row says */
	struct str problem;  /* it failed for good, and why; else empty */
};
OPERATION(engine_see_snapshot, snapshot_report)

/* The host has nothing of the snapshot any more. ERR_STATE: it is still to be made. */
struct snapshot_leaving {
	uuid snapshot;
};
OPERATION(engine_leave_snapshot_host, snapshot_leaving)

/* Forgets a snapshot. ERR_STATE: it is not deleted, or its host still has something of it.
 * ERR_IN_USE: a volume made from it exists, whose host may need the file again. */
struct snapshot_forget {
	uuid snapshot;
};
OPERATION(engine_forget_snapshot, snapshot_forget)
