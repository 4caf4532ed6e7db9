/* SPDX-License-Identifier: Apache-2.0
 * Exports: the disks of an image are written to one file, in a format that other clouds and hypervisors read. The
 * file lies in a folder of the image's account below the export directory, counts towards that account's bytes of files,
 * and goes with its task: EXPORT_TASK_VISIBLE_US after the end, or when the task is deleted. Encrypted disks are refused.
 * reconcile/storage/export_task.c converts the disks. */
#pragma once

#include "base/clock.h"
#include "engine/operation.h"
#include "model/export_image_task_words.h"

struct export_image_task;

#define EXPORT_TASK_VISIBLE_US (7 * 24 * HOUR)
enum {
	EXPORT_TASKS_ACTIVE_MAX = 5, /* in an account, as in EC2 */
	EXPORT_TASKS_KEPT_MAX = 100,
	EXPORT_DISKS_MAX = 26,
	EXPORT_PREFIX_MAX = 512,
	EXPORT_PREFIX_PARTS_MAX = 8
};

/* Starts an export. ERR_STATE: the image is not available. ERR_UNSUPPORTED with KIND_EXPORT_IMAGE_TASK: a disk is encrypted, or the
 * format holds one disk and the image has more. ERR_INVALID: the bucket or the prefix. ERR_QUOTA: too many tasks, or
 * bytes of files. */
struct image_exporting {
	struct ref image;
	enum export_image_task_format format;
	struct str bucket, prefix, role_name, description;
	struct tags tags;
	struct str client_token, digest;
	/* outputs: */
	uuid task;
};
OPERATION(engine_begin_image_export, image_exporting)

/* Exports an instance, running or stopped: makes an image of its disks as they are, exports the image, and deletes it when the task ends.
 * Errors as above; ERR_STATE with KIND_INSTANCE: neither running nor stopped. */
struct instance_exporting {
	struct ref instance;
	enum export_image_task_environment environment;
	struct image_exporting file; /* without `image`; its `task` is the result */
};
OPERATION(engine_begin_instance_export, instance_exporting)

/* Cancels a task, and deletes what it has written. ERR_STATE: not active. */
struct export_target {
	struct ref task;
};
OPERATION(engine_cancel_export, export_target)
/* Deletes a task with its file. */
OPERATION(engine_delete_export, export_target)

/* Path of the task's file below the export directory, without a leading slash. */
struct str engine_write_export_path(struct arena *a, const struct export_image_task *task);
/* Path of the task's file below its bucket: prefix, id and extension. */
struct str engine_write_export_key(struct arena *a, const struct export_image_task *task);
/* True if the file is there. */
bool engine_export_has_file(const struct export_image_task *task);
/* True if the task is deleted, or ended EXPORT_TASK_VISIBLE_US ago or earlier: its file goes, and the row after it. */
bool engine_export_is_over(const struct export_image_task *task, int64_t now_us);

/* ---- reports of the reconciler. OK if the task is gone or has ended ---- */

struct later_guard; /* engine/people/asker.h */
struct export_report {
	uuid task;
	int64_t progress;          /* percent; never decreases */
	int64_t file_size;         /* 0: not complete */
	struct str file_sha256;    /* hex */
	struct str problem;        /* why the image cannot be exported; empty: no problem */
	struct later_guard *guard; /* asks the asker's policies again; NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_see_export, export_report)

/* Forgets a task whose file is deleted. ERR_STATE: not over. */
struct export_forget {
	uuid task;
};
SYSTEM_OPERATION(engine_forget_export, export_forget)
