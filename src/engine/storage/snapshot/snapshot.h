/* SPDX-License-Identifier: Apache-2.0
 * Snapshots: the content of a disk at one moment. That moment is the cut, which the disk's host makes (stage
 * "cut"). Then the bytes go to the control plane's image store (stage "kept"). All rows with the same digest
 * share the file there. reconcile/storage/snapshot.c carries this out. */
#pragma once

#include "engine/storage/disk_crypt.h"
#include "engine/storage/sharing.h"
#include "model/snapshot_words.h"

struct snapshot;

/* Limit of snapshots in progress for one volume. */
enum { SNAPSHOTS_PENDING_MAX = 5 };

/* Creates a snapshot of an existing volume, attached or not. The volume's host makes the cut, within a second
 * if it answers. ERR_STATE with KIND_VOLUME: the volume has no disk yet. ERR_QUOTA with the field VolumeId:
 * too many snapshots are in progress. */
struct snapshot_wish {
	struct ref volume;
	bool only_free;  /* ERR_IN_USE with KIND_VOLUME: the volume is attached */
	struct str name; /* Cinder's name */
	struct str description;
	struct tags tags;
	/* result: */
	uuid snapshot;
};
OPERATION(engine_create_snapshot, snapshot_wish)

/* Creates snapshots of an instance's volumes, each like engine_create_snapshot(). */
struct instance_snapshots {
	struct ref instance;
	bool without_root;
	struct refs without; /* volumes */
	struct str description;
	enum choice with_tags; /* also copies each volume's tags; default: no */
	struct tags tags;
	/* result: */
	struct uuids made;
};
OPERATION(engine_create_snapshots, instance_snapshots)

/* Changes a snapshot's name, description and sharing. */
struct snapshot_settings {
	struct ref snapshot;
	bool set_name, set_description;
	struct str name, description; /* up to 255 characters */
	struct sharing sharing;       /* who else may create volumes from it */
};
OPERATION(engine_update_snapshot, snapshot_settings)

/* Creates a copy for the caller's account. The copy shares the source's file, which is stored once. Only an
 * encrypted copy of a plain snapshot gets its own file, which the reconciler writes. ERR_STATE: the source is
 * not completed. */
struct snapshot_copying {
	struct ref source;
	struct str description;
	struct disk_crypt crypt;
	struct tags tags;
	/* result: */
	uuid snapshot;
};
OPERATION(engine_copy_snapshot, snapshot_copying)

/* Marks a snapshot deleted. Its file is removed when no other row needs it. ERR_IN_USE: an image uses the
 * snapshot. */
struct snapshot_target {
	struct ref snapshot;
	bool force; /* also deletes a reserved snapshot */
	/* Cinder knows nothing of images. If only images of the snapshot's own account use it, it is bound to
	 * them (is_bound) and is deleted with the last of them. ERR_NOT_FOUND: it is bound already; Cinder does
	 * not list it. */
	bool leaves_to_images;
};
OPERATION(engine_delete_snapshot, snapshot_target)

/* Administrator call: forbids the use of a snapshot, or allows it again. */
struct snapshot_reserving {
	struct ref snapshot;
	enum snapshot_reservation to;
	struct str progress; /* shown meanwhile; empty: the real progress */
};
OPERATION(engine_reserve_snapshot, snapshot_reserving)

/* True if the snapshot is in progress: not kept, not failed, not deleted. */
bool engine_snapshot_is_pending(const struct snapshot *snapshot);

/* ---- for the reconciler; OK for an absent row ---- */

/* A step's findings. Stages and progress only rise, and a failed snapshot stays failed. */
struct snapshot_report {
	uuid snapshot;
	uint64_t gen; /* the generation that the step acted on */
	enum snapshot_seen_stage stage;
	int64_t progress;    /* percent */
	bool is_held;        /* the cut waits only for the guests that have the volume */
	bool is_tracked;     /* cut: the volume records writes since then */
	uuid moment;         /* cut: as of struct disk_cut_seen */
	struct str over;     /* cut: the digest of the file that this increment is based on; empty: a full
			      * cut */
	struct str sha256;   /* the kept file's */
	int64_t file_size;   /* the kept file's */
	int64_t cut_size;    /* bytes transferred from the host */
	struct str data_key; /* sealed: the key of an encrypted copy; else empty */
	int64_t volume_size; /* as the cut found it; 0: the row's value */
	struct str problem;  /* why it failed for good; else empty */
};
SYSTEM_OPERATION(engine_see_snapshot, snapshot_report)

/* The host has no more data of the snapshot. ERR_STATE: the snapshot is still in progress. */
struct snapshot_leaving {
	uuid snapshot;
};
SYSTEM_OPERATION(engine_leave_snapshot_host, snapshot_leaving)

/* Forgets a snapshot. ERR_STATE: it is not deleted, or its host still has data of it. ERR_IN_USE: a volume
 * was created from it, and that volume's host may need the file again. */
struct snapshot_forget {
	uuid snapshot;
};
SYSTEM_OPERATION(engine_forget_snapshot, snapshot_forget)
