/* SPDX-License-Identifier: Apache-2.0
 * Imports: disks that are fetched from elsewhere and become snapshots, and images made of such
 * disks. A task is active until it has completed, failed or been cancelled. Then it stays visible
 * for IMPORT_TASK_VISIBLE_US; of an account the last IMPORT_TASKS_KEPT_MAX do. What a failed or
 * cancelled task had made is removed. reconcile/import_task.c does what follows. */
#pragma once

#include "base/clock.h"
#include "engine/storage/disk_crypt.h"
#include "model/image.h"

#define IMPORT_TASK_VISIBLE_US (7 * 24 * HOUR)
enum {
	IMPORT_TASKS_ACTIVE_MAX = 20,
	IMPORT_TASKS_KEPT_MAX = 500,
	IMPORT_DISKS_MAX = 26,
	IMPORT_URL_MAX = 4096
};

/* A disk to import: either url or snapshot is given. */
struct import_disk {
	struct str url;      /* http or https, up to IMPORT_URL_MAX */
	struct ref snapshot; /* for an image: an existing snapshot; kind none: the disk is fetched */
	struct str format;   /* raw, qcow2, vmdk, vhd, vhdx; empty: by its first bytes */
	struct str description, device;
	struct str field; /* for messages */
};

/* Imports a snapshot. ERR_QUOTA: too many tasks are active, or the account has as many snapshots as
 * it may have. */
struct snapshot_importing {
	struct import_disk disk;
	struct disk_crypt crypt; /* only as given here: the account's default is for volumes and copies */
	struct str description;
	struct tags tags;
	struct str client_token, digest;
	/* made: */
	uuid task;
};
OPERATION(engine_begin_snapshot_import, snapshot_importing)

/* Imports an image. The first disk is the root disk. The image has its task's name, and belongs to
 * the same account. */
struct image_importing_disks {
	const struct import_disk *disks;
	size_t disk_count;       /* 1 to IMPORT_DISKS_MAX */
	struct disk_crypt crypt; /* as above; ERR_COMBINATION: a disk is an existing snapshot that is plain */
	struct str description;
	enum image_arch arch;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	struct tags tags;
	struct str client_token, digest;
	/* made: */
	uuid task;
};
OPERATION(engine_begin_image_import, image_importing_disks)

/* Cancels a task. ERR_STATE: it has ended already. */
struct import_cancelling {
	struct ref task; /* of either kind */
	struct str reason;
	/* made: */
	uuid cancelled;
};
OPERATION(engine_cancel_import, import_cancelling)

/* ---- the reconciler's. Absent, or ended meanwhile: OK. ---- */

struct import_report {
	uuid task;        /* of a disk */
	int64_t progress; /* percent; never goes back */
	/* When the disk has arrived: its file in the image store. */
	struct str sha256;   /* empty: it has not arrived */
	struct str data_key; /* sealed: the key of a disk that was encrypted */
	int64_t data_size, file_size, virtual_size;
	struct str problem; /* why the disk cannot be fetched; empty: no problem */
};
OPERATION(engine_see_import, import_report)

/* Forgets a task. ERR_STATE: it has not been over for IMPORT_TASK_VISIBLE_US. */
struct import_forget {
	enum kind kind;
	uuid task;
};
OPERATION(engine_forget_import, import_forget)
/* Whether a task has been over for so long. */
bool engine_import_is_over(int64_t ended_us, int64_t now_us);
