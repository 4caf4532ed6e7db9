/* SPDX-License-Identifier: Apache-2.0
 * Imports: disks fetched from a URL become snapshots, and images are made of them. A task is active until it
 * is completed, failed or cancelled, and then visible for IMPORT_TASK_VISIBLE_US; an account keeps at most
 * IMPORT_TASKS_KEPT_MAX. What a failed or cancelled task fetched is deleted. reconcile/storage/import_task.c fetches
 * the disks. */
#pragma once

#include "base/clock.h"
#include "engine/storage/disk_crypt.h"
#include "model/image_words.h"

#define IMPORT_TASK_VISIBLE_US (7 * 24 * HOUR)
enum {
	IMPORT_TASKS_ACTIVE_MAX = 20,
	IMPORT_TASKS_KEPT_MAX = 500,
	IMPORT_DISKS_MAX = 26,
	IMPORT_URL_MAX = 4096
};

/* A disk to import; exactly one of url and snapshot is given. */
struct import_disk {
	struct str url;      /* http or https, up to IMPORT_URL_MAX bytes */
	struct ref snapshot; /* existing snapshot, for an image; kind none: fetches the disk */
	struct str format;   /* raw, qcow2, vmdk, vhd, vhdx; empty: detected */
	struct str description, device;
	struct str field; /* for messages */
};

/* Imports a snapshot. ERR_QUOTA: too many active tasks, or too many snapshots. */
struct snapshot_importing {
	struct import_disk disk;
	struct disk_crypt crypt; /* only as given here: the account's default applies to volumes and copies */
	struct str description;
	struct tags tags;
	struct str client_token, digest;
	/* outputs: */
	uuid task;
};
OPERATION(engine_begin_snapshot_import, snapshot_importing)

/* Imports an image, named after its task. The first disk is the root disk. */
struct image_importing_disks {
	const struct import_disk *disks;
	size_t disk_count;       /* 1 to IMPORT_DISKS_MAX */
	struct disk_crypt crypt; /* see struct snapshot_importing; ERR_COMBINATION: an existing snapshot is
				  * not encrypted */
	struct str description;
	enum image_arch arch;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	struct tags tags;
	struct str client_token, digest;
	/* outputs: */
	uuid task;
};
OPERATION(engine_begin_image_import, image_importing_disks)

/* Cancels a task. ERR_STATE: not active. */
struct import_cancelling {
	struct ref task; /* a snapshot or an image import */
	struct str reason;
	/* outputs: */
	uuid cancelled;
};
OPERATION(engine_cancel_import, import_cancelling)

/* ---- reports of the reconciler. OK if the task is gone or has ended ---- */

struct later_guard; /* engine/people/asker.h */
struct import_report {
	uuid task;        /* task of a disk */
	int64_t progress; /* percent; never decreases */
	/* Once the disk has arrived, its file in the image store. */
	struct str sha256;   /* empty: not arrived */
	struct str data_key; /* sealed key of an encrypted disk */
	int64_t data_size, file_size, virtual_size;
	struct str problem;        /* why the disk cannot be fetched; empty: no problem */
	struct later_guard *guard; /* asks the asker's policies again; NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_see_import, import_report)

/* Forgets a task. ERR_STATE: ended less than IMPORT_TASK_VISIBLE_US ago. */
struct import_forget {
	enum kind kind;
	uuid task;
};
SYSTEM_OPERATION(engine_forget_import, import_forget)
/* True if the task ended IMPORT_TASK_VISIBLE_US ago or earlier. */
bool engine_import_is_over(int64_t ended_us, int64_t now_us);
