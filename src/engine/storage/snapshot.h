/* SPDX-License-Identifier: Apache-2.0
 * Snapshots: a disk as it was at one moment. The moment is when the disk's host fixes it (stage cut);
 * then its bytes go to the control plane's image store (stage kept), whose file the row owns together
 * with all rows of the same digest. What happens next: reconcile/snapshot.c. */
#pragma once

#include "engine/storage/disk_crypt.h"
#include "engine/storage/sharing.h"
#include "store/snapshot.h"

/* As many of one volume may be on their way at once. */
enum { SNAPSHOTS_PENDING_MAX = 5 };

/* Of a volume that is there, attached or not. The moment is when its host cuts it, within a second where
 * the host answers. ERR_STATE with KIND_VOLUME: there is no disk yet; ERR_QUOTA with field VolumeId: too
 * many are on their way. */
struct snapshot_wish {
	struct ref volume;
	bool only_free;  /* ERR_IN_USE with KIND_VOLUME: it is attached */
	struct str name; /* Cinder's */
	struct str description;
	struct tags tags;
	/* made: */
	uuid snapshot;
};
OPERATION(engine_create_snapshot, snapshot_wish)

/* Of the volumes of an instance, each as engine_create_snapshot() would. */
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

/* What is said of it. */
struct snapshot_settings {
	struct ref snapshot;
	bool set_name, set_description;
	struct str name, description; /* up to 255 characters */
	struct sharing sharing;       /* who may make volumes of it besides its owner */
};
OPERATION(engine_update_snapshot, snapshot_settings)

/* A snapshot of its own of the same file, which is kept once; or, of a plain one that is to be encrypted, of
 * a file of its own, which is made then. ERR_STATE: it is not completed. */
struct snapshot_copying {
	struct ref source;
	struct str description;
	struct disk_crypt crypt;
	struct tags tags;
	/* made: */
	uuid snapshot;
};
OPERATION(engine_copy_snapshot, snapshot_copying)

/* Marked deleted; its file goes when no other row needs it. ERR_IN_USE: an image has it. */
struct snapshot_target {
	struct ref snapshot;
	bool force; /* whatever holds it */
};
OPERATION(engine_delete_snapshot, snapshot_target)

/* Says of a snapshot that it is not to be used, or lets go of it. For administrators. */
struct snapshot_holding {
	struct ref snapshot;
	enum snapshot_hold to;
};
OPERATION(engine_hold_snapshot, snapshot_holding)

/* Whether it is still to be made: neither kept, nor failed, nor deleted. */
bool engine_snapshot_is_pending(const struct snapshot *snapshot);

/* ---- the reconciler's. Absent: OK. ---- */

/* Stages and progress only go on; one that failed stays so. */
struct snapshot_sight {
	uuid snapshot;
	uint64_t gen; /* of the row that was acted on */
	enum snapshot_seen_stage stage;
	int64_t progress;    /* percent */
	bool is_tracked;     /* cut: its volume notes what is written since */
	struct str over;     /* cut: it is to be laid over the file of that digest; else empty */
	struct str sha256;   /* of the kept file */
	int64_t file_size;   /* likewise */
	int64_t cut_size;    /* of what came for it */
	struct str data_key; /* sealed: that of a copy that was encrypted; else empty */
	int64_t volume_size; /* as found when it was cut; 0: as the row says */
	struct str problem;  /* it failed for good, and why; else empty */
};
OPERATION(engine_see_snapshot, snapshot_sight)

/* Its host has nothing of it any more. ERR_STATE while it is still to be made. */
struct snapshot_leaving {
	uuid snapshot;
};
OPERATION(engine_leave_snapshot_host, snapshot_leaving)

/* ERR_STATE unless deleted, and left by its host; ERR_IN_USE while a volume made from it stands: its host may
 * need the file again. */
struct snapshot_forget {
	uuid snapshot;
};
OPERATION(engine_forget_snapshot, snapshot_forget)
