/* SPDX-License-Identifier: Apache-2.0
 * Imports. The reconciler (reconcile/storage/import_task.c) fetches the disks one by one, and reports. */
#include "engine/storage/image/import_task.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/people/asker.h"
#include "engine/quota_internal.h"
#include "engine/storage/image/image_internal.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/tag_internal.h"
#include "model/states.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/import_image_task.h"
#include "store/import_snapshot_task.h"
#include "store/snapshot.h"

#define GIBIBYTE (INT64_C(1) << 30)

bool engine_import_is_over(int64_t ended_us, int64_t now_us)
{
	return ended_us != 0 && now_us >= ended_us + IMPORT_TASK_VISIBLE_US;
}

/* ---- limits ---- */

/* Forgets the task that ended first, to make room for a new one. */
static RESULT forget_oldest(struct op *op, uuid account)
{
	const struct import_snapshot_task *oldest = NULL;
	for (const struct import_snapshot_task *k = import_snapshot_task_first_by_account(op->head, account);
	     k; k = import_snapshot_task_next_by_account(op->head, k))
		if (k->ended_us && (!oldest || k->ended_us < oldest->ended_us))
			oldest = k;
	if (!oldest)
		return OK;
	const struct import_image_task *whole = import_image_task_find(op->head, oldest->import_image_task);
	if (!whole)
		return import_snapshot_task_forget(op, oldest->row.id);
	return whole->ended_us ? import_image_task_forget(op, whole->row.id) : OK;
}

static RESULT check_count(struct op *op, enum kind kind, uuid account, size_t more)
{
	size_t active = 0, kept = more;
	for (const struct import_snapshot_task *k = import_snapshot_task_first_by_account(op->head, account);
	     k; k = import_snapshot_task_next_by_account(op->head, k)) {
		active += k->ended == IMPORT_SNAPSHOT_TASK_ENDED_NONE;
		kept++;
	}
	if (active >= IMPORT_TASKS_ACTIVE_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, (int) kind,
				     "The account has %d active import tasks, as many as it may have.",
				     IMPORT_TASKS_ACTIVE_MAX);
	for (; kept > IMPORT_TASKS_KEPT_MAX && more > 0; more--)
		TRY(forget_oldest(op, account));
	return OK;
}

/* ---- start ---- */

static RESULT check_disk(struct op *op, const struct import_disk *disk)
{
	if (ref_is_given(&disk->snapshot) == (disk->url.n > 0))
		return ENGINE_FAIL(op, ref_is_given(&disk->snapshot) ? ERR_COMBINATION : ERR_MISSING,
				   KIND_IMPORT_SNAPSHOT_TASK, disk->field,
				   "A disk container has either a URL or a snapshot: %" STR_FMT,
				   STR_ARG(disk->field));
	if (disk->url.n && (disk->url.n > IMPORT_URL_MAX || (!str_starts_with(disk->url, STR("http://")) &&
							     !str_starts_with(disk->url, STR("https://")))))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMPORT_SNAPSHOT_TASK, disk->field,
				   "Disks are fetched from http and https addresses of up to %d bytes.",
				   IMPORT_URL_MAX);
	return disk->device.n ? disk_plan_check_device(op, disk->device, disk->field) : OK;
}

static RESULT check_words(struct op *op, struct str description, struct str field)
{
	if (description.n <= 255 && str_is_xml_text(description))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_IMPORT_SNAPSHOT_TASK, field,
			   "A description has up to 255 characters.");
}

static RESULT check_snapshot(struct op *op, const struct import_disk *disk, const struct snapshot *snapshot,
			     bool is_encrypted)
{
	TRY(engine_permit(op, "snapshot.use", KIND_SNAPSHOT, &snapshot->row));
	TRY(snapshot_check_unreserved(op, snapshot, &disk->snapshot));
	if (model_derive_snapshot_state(snapshot) != SNAPSHOT_COMPLETED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, disk->snapshot.field,
				   "The snapshot '%" STR_FMT "' is not completed",
				   STR_ARG(disk->snapshot.text));
	if (is_encrypted && !snapshot->is_encrypted)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SNAPSHOT, disk->snapshot.field,
				   "The snapshot '%" STR_FMT
				   "' is not encrypted, and the image is to be: make an encrypted copy of it "
				   "first.",
				   STR_ARG(disk->snapshot.text));
	return OK;
}

static RESULT write_disk(struct op *op, const struct import_disk *disk, struct import_snapshot_task *task)
{
	const struct snapshot *snapshot = NULL;
	TRY(check_words(op, disk->description, disk->field));
	if (ref_is_given(&disk->snapshot)) {
		TRY(engine_find_snapshot(op->ctx, op->head, &disk->snapshot, &snapshot));
		TRY(check_snapshot(op, disk, snapshot, task->is_encrypted));
		task->snapshot = snapshot->row.id;
		task->ended = IMPORT_SNAPSHOT_TASK_ENDED_COMPLETED;
		task->ended_us = op->now_us;
		task->progress = 100;
	}
	task->row.id = engine_new_id(op, KIND_IMPORT_SNAPSHOT_TASK);
	task->row.gen = 1;
	task->url = disk->url;
	task->format = disk->format;
	task->device = disk->device;
	task->disk_description = disk->description;
	return import_snapshot_task_put(op, task);
}

RESULT engine_begin_snapshot_import(struct op *op, struct snapshot_importing *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_IMPORT_SNAPSHOT_TASK,
				   &wish->task));
	if (!uuid_is_none(wish->task))
		return OK;
	struct import_snapshot_task task = {.account = account,
					    .description = wish->description,
					    .is_encrypted = wish->crypt.is_wanted == CHOICE_YES};
	ASKER_NOTE(op, &task);
	TRY(check_disk(op, &wish->disk));
	TRY(disk_plan_check_key(op, &wish->crypt, task.is_encrypted));
	TRY(check_words(op, wish->description, STR("Description")));
	TRY(tag_normalize(op, wish->tags, &task.tags));
	TRY(engine_permit(op, "snapshot.import", KIND_SNAPSHOT, NULL));
	TRY(check_count(op, KIND_IMPORT_SNAPSHOT_TASK, task.account, 1));
	TRY(quota_check(op, task.account, QUOTA_SNAPSHOTS, 1));
	TRY(quota_check_disk(op, task.account, 1, KIND_SNAPSHOT));
	TRY(write_disk(op, &wish->disk, &task));
	wish->task = task.row.id;
	TRY(engine_log_event(op, KIND_IMPORT_SNAPSHOT_TASK, &task.row, "asked", "From %" STR_FMT ".",
			     STR_ARG(wish->disk.url)));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->task);
}

static RESULT check_image(struct op *op, const struct image_importing_disks *wish)
{
	if (wish->disk_count < 1 || wish->disk_count > IMPORT_DISKS_MAX)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_IMPORT_IMAGE_TASK, STR("DiskContainer"),
				   "An image has 1 to %d disks: DiskContainer", IMPORT_DISKS_MAX);
	for (size_t n = 0; n < wish->disk_count; n++) {
		const struct import_disk *disk = &wish->disks[n];
		TRY(check_disk(op, disk));
		for (size_t k = 0; k < n; k++)
			if (disk->device.n && str_equal(disk->device, wish->disks[k].device))
				return ENGINE_FAIL(op, ERR_INVALID, KIND_IMPORT_IMAGE_TASK, disk->field,
						   "Two disks are called '%" STR_FMT "'.",
						   STR_ARG(disk->device));
	}
	return OK;
}

static RESULT end_image(struct op *op, uuid task);

RESULT engine_begin_image_import(struct op *op, struct image_importing_disks *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_IMPORT_IMAGE_TASK,
				   &wish->task));
	if (!uuid_is_none(wish->task))
		return OK;
	struct import_image_task task = {.account = account,
					 .description = wish->description,
					 .arch = (enum import_image_task_arch) wish->arch,
					 .platform = (enum import_image_task_platform) wish->platform,
					 .is_encrypted = wish->crypt.is_wanted == CHOICE_YES,
					 .boot_mode = (enum import_image_task_boot_mode) wish->boot_mode};
	ASKER_NOTE(op, &task);
	TRY(check_image(op, wish));
	TRY(disk_plan_check_key(op, &wish->crypt, task.is_encrypted));
	TRY(check_words(op, wish->description, STR("Description")));
	TRY(tag_normalize(op, wish->tags, &task.tags));
	TRY(engine_permit(op, "image.import", KIND_IMAGE, NULL));
	TRY(check_count(op, KIND_IMPORT_IMAGE_TASK, task.account, wish->disk_count));
	TRY(quota_check(op, task.account, QUOTA_SNAPSHOTS, (int64_t) wish->disk_count));
	TRY(quota_check_disk(op, task.account, 1, KIND_SNAPSHOT));
	TRY(quota_check(op, task.account, QUOTA_IMAGES, 1));
	task.row.id = engine_new_id(op, KIND_IMPORT_IMAGE_TASK);
	task.row.gen = 1;
	TRY(import_image_task_put(op, &task));
	for (size_t n = 0; n < wish->disk_count; n++) {
		struct import_snapshot_task disk = {.account = task.account,
						    .import_image_task = task.row.id,
						    .number = (int64_t) n,
						    .is_encrypted = task.is_encrypted};
		ASKER_NOTE(op, &disk);
		TRY(write_disk(op, &wish->disks[n], &disk));
	}
	wish->task = task.row.id;
	TRY(engine_log_event(op, KIND_IMPORT_IMAGE_TASK, &task.row, "asked", "An image of %zu disks.",
			     wish->disk_count));
	TRY(end_image(op, task.row.id)); /* all disks may be existing snapshots */
	return client_token_write(op, account, wish->client_token, wish->digest, wish->task);
}

/* ---- end ---- */

/* Deletes what was fetched; existing snapshots stay. */
static RESULT drop_snapshot(struct op *op, const struct import_snapshot_task *disk)
{
	const struct snapshot *snapshot = snapshot_find(op->head, disk->snapshot);
	bool is_used = snapshot && image_device_first_by_snapshot(op->head, snapshot->row.id);
	if (!disk->url.n || !snapshot || !row_is_live(&snapshot->row) || is_used)
		return OK;
	return snapshot_delete_metered(op, snapshot);
}

static RESULT stop_disk(struct op *op, const struct import_snapshot_task *disk,
			enum import_snapshot_task_ended how, struct str why)
{
	struct import_snapshot_task next = *disk;
	next.ended = how;
	next.ended_us = op->now_us;
	next.problem = why;
	next.row.gen++;
	TRY(import_snapshot_task_put(op, &next));
	return engine_log_event(op, KIND_IMPORT_SNAPSHOT_TASK, &next.row,
				import_snapshot_task_ended_words[how], "%" STR_FMT, STR_ARG(why));
}

/* Ends an image import and all its disks' tasks. */
static RESULT stop_image(struct op *op, const struct import_image_task *task,
			 enum import_image_task_ended how, struct str why)
{
	struct import_image_task next = *task;
	next.ended = how;
	next.ended_us = op->now_us;
	next.problem = why;
	next.row.gen++;
	TRY(import_image_task_put(op, &next));
	for (const struct import_snapshot_task *disk =
		     import_snapshot_task_first_by_import_image_task(op->head, task->row.id);
	     disk; disk = import_snapshot_task_next_by_import_image_task(op->head, disk)) {
		if (disk->ended == IMPORT_SNAPSHOT_TASK_ENDED_NONE)
			TRY(stop_disk(op, disk, IMPORT_SNAPSHOT_TASK_ENDED_CANCELLED,
				      STR("The image is not made.")));
		else
			TRY(drop_snapshot(op, disk));
	}
	return engine_log_event(op, KIND_IMPORT_IMAGE_TASK, &next.row, import_image_task_ended_words[how],
				"%" STR_FMT, STR_ARG(why));
}

RESULT engine_cancel_import(struct op *op, struct import_cancelling *wish)
{
	const struct import_snapshot_task *disk = NULL;
	const struct import_image_task *image = NULL;
	if (wish->task.kind == KIND_IMPORT_IMAGE_TASK)
		TRY(engine_find_own_import_image_task(op->ctx, op->head, &wish->task, &image));
	else
		TRY(engine_find_own_import_snapshot_task(op->ctx, op->head, &wish->task, &disk));
	if (disk && !uuid_is_none(disk->import_image_task)) /* tasks of an image's disks are internal */
		return engine_fail_not_found(op->ctx, KIND_IMPORT_SNAPSHOT_TASK, &wish->task);
	TRY(engine_permit(op, "import_task.cancel", wish->task.kind, image ? &image->row : &disk->row));
	TRY(check_words(op, wish->reason, STR("CancelReason")));
	if (image ? image->ended : disk->ended)
		return ENGINE_FAIL(op, ERR_STATE, wish->task.kind, wish->task.field,
				   "The import task '%" STR_FMT "' is not active.", STR_ARG(wish->task.text));
	wish->cancelled = image ? image->row.id : disk->row.id;
	struct str why = wish->reason.n ? wish->reason : STR("Cancelled.");
	return image ? stop_image(op, image, IMPORT_IMAGE_TASK_ENDED_CANCELLED, why)
		     : stop_disk(op, disk, IMPORT_SNAPSHOT_TASK_ENDED_CANCELLED, why);
}

/* ---- completion ---- */

/* Plans the image's disks; false if one is not there yet. */
static bool plan_disks(struct op *op, uuid task, struct disk_plans *plans)
{
	plans->count = 0;
	for (const struct import_snapshot_task *k =
		     import_snapshot_task_first_by_import_image_task(op->head, task);
	     k && plans->count < DISK_PLANS_MAX;
	     k = import_snapshot_task_next_by_import_image_task(op->head, k)) {
		const struct snapshot *snapshot = snapshot_find(op->head, k->snapshot);
		if (k->ended != IMPORT_SNAPSHOT_TASK_ENDED_COMPLETED)
			return false;
		struct str device = k->device;
		if (!device.n)
			device = plans->count
					 ? str_print(op->ctx->arena, "/dev/sd%c", (char) ('a' + plans->count))
					 : STR("/dev/sda1");
		plans->at[plans->count++] = (struct disk_plan){
			.device = device,
			.snapshot = snapshot,
			.size = snapshot ? (snapshot->volume_size + GIBIBYTE - 1) / GIBIBYTE * GIBIBYTE : 0,
			.type = STR("gp3"),
			.delete_on_termination = true};
	}
	return plans->count > 0;
}

/* Checks what may have changed since the start. A failure ends the task. */
static RESULT check_plans(struct op *op, const struct import_image_task *task, struct str name,
			  const struct disk_plans *plans)
{
	for (size_t n = 0; n < plans->count; n++) {
		if (!plans->at[n].snapshot || !row_is_live(&plans->at[n].snapshot->row))
			return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_SNAPSHOT,
					     "The snapshot of its disk %zu is gone.", n + 1);
		for (size_t k = 0; k < n; k++)
			if (str_equal(plans->at[k].device, plans->at[n].device))
				return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_IMAGE,
						     "Two of its disks are called %" STR_FMT ".",
						     STR_ARG(plans->at[n].device));
	}
	if (image_find_by_account(op->head, task->account, name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_IMAGE, "There is an image of that name.");
	return quota_check(op, task->account, QUOTA_IMAGES, 1);
}

/* Makes the image if the last disk has arrived. */
static RESULT end_image(struct op *op, uuid id)
{
	struct disk_plans plans;
	const struct import_image_task *task = import_image_task_find(op->head, id);
	if (!task || task->ended || !plan_disks(op, id, &plans))
		return OK;
	struct str name = engine_write_id(op, KIND_IMPORT_IMAGE_TASK, id);
	struct result result = check_plans(op, task, name, &plans);
	if (!result_is_ok(result)) {
		struct str why = op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
		return stop_image(op, task, IMPORT_IMAGE_TASK_ENDED_FAILED, why);
	}
	struct image image = {.account = task->account,
			      .name = name,
			      .description = task->description,
			      .arch = (enum image_arch) task->arch,
			      .platform = (enum image_platform) task->platform,
			      .boot_mode = (enum image_boot_mode) task->boot_mode,
			      .ena_support = true};
	TRY(image_write(op, &image, &plans));
	struct import_image_task next = *task;
	next.image = image.row.id;
	next.ended = IMPORT_IMAGE_TASK_ENDED_COMPLETED;
	next.ended_us = op->now_us;
	next.row.gen++;
	TRY(import_image_task_put(op, &next));
	return engine_log_event(op, KIND_IMPORT_IMAGE_TASK, &next.row, "completed",
				"It is image %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_IMAGE, image.row.id)));
}

static RESULT fail_disk(struct op *op, const struct import_snapshot_task *task, struct str why)
{
	const struct import_image_task *image = import_image_task_find(op->head, task->import_image_task);
	TRY(stop_disk(op, task, IMPORT_SNAPSHOT_TASK_ENDED_FAILED, why));
	return image && !image->ended ? stop_image(op, image, IMPORT_IMAGE_TASK_ENDED_FAILED, why) : OK;
}

static RESULT complete_disk(struct op *op, const struct import_snapshot_task *task,
			    const struct import_report *report)
{
	struct str id = engine_write_id(op, KIND_IMPORT_SNAPSHOT_TASK, task->row.id);
	struct snapshot snapshot = {
		.account = task->account,
		.made_by = task->made_by,
		.description = task->disk_description.n
				       ? task->disk_description
				       : str_print(op->ctx->arena, "Imported by %" STR_FMT, STR_ARG(id)),
		.volume_size = report->virtual_size,
		.is_encrypted = task->is_encrypted,
		.data_key = report->data_key,
		.sha256 = report->sha256,
		.file_size = report->file_size};
	struct result result = quota_check(op, task->account, QUOTA_SNAPSHOTS, 1);
	if (result_is_ok(result))
		result = quota_check_disk(op, task->account, report->file_size, KIND_SNAPSHOT);
	if (!result_is_ok(result)) {
		struct str why = op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
		return fail_disk(op, task, why);
	}
	TRY(image_write_file_snapshot(op, &snapshot));
	TRY(snapshot_meter(op, &snapshot, snapshot.file_size));
	TRY(engine_log_event(op, KIND_SNAPSHOT, &snapshot.row, "imported", "By task %" STR_FMT ".",
			     STR_ARG(id)));
	struct import_snapshot_task next = *task;
	next.snapshot = snapshot.row.id;
	next.data_size = report->data_size;
	next.progress = 100;
	next.ended = IMPORT_SNAPSHOT_TASK_ENDED_COMPLETED;
	next.ended_us = op->now_us;
	next.row.gen++;
	TRY(import_snapshot_task_put(op, &next));
	TRY(engine_log_event(op, KIND_IMPORT_SNAPSHOT_TASK, &next.row, "completed", "%lld bytes.",
			     (long long) report->data_size));
	return uuid_is_none(next.import_image_task) ? OK : end_image(op, next.import_image_task);
}

/* *ret_why: the reason why its asker may not import any more; empty: may. */
static RESULT ask_again(struct op *op, const struct import_snapshot_task *task, struct later_guard *guard,
			struct str *ret_why)
{
	bool is_of_image = !uuid_is_none(task->import_image_task);
	const struct asker asker = ASKER_OF(task);
	const struct asker_work work = {guard, is_of_image ? "image.import" : "snapshot.import", op->now_us};
	struct result result =
		asker_permit(op, &asker, &work, is_of_image ? KIND_IMAGE : KIND_SNAPSHOT, NULL);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	*ret_why = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return OK;
}

RESULT engine_see_import(struct op *op, struct import_report *report)
{
	const struct import_snapshot_task *task = import_snapshot_task_find(op->head, report->task);
	if (!task || task->ended)
		return OK;
	struct str why = report->problem;
	if (!why.n)
		TRY(ask_again(op, task, report->guard, &why));
	if (why.n)
		return fail_disk(op, task, why);
	if (report->sha256.n)
		return complete_disk(op, task, report);
	if (report->progress <= task->progress)
		return OK;
	struct import_snapshot_task next = *task;
	next.progress = report->progress;
	return import_snapshot_task_put(op, &next);
}

RESULT engine_forget_import(struct op *op, struct import_forget *wish)
{
	const struct import_snapshot_task *disk = NULL;
	const struct import_image_task *image = NULL;
	if (wish->kind == KIND_IMPORT_IMAGE_TASK)
		image = import_image_task_find(op->head, wish->task);
	else
		disk = import_snapshot_task_find(op->head, wish->task);
	if (!disk && !image)
		return OK;
	if (!engine_import_is_over(image ? image->ended_us : disk->ended_us, op->now_us))
		return ctx_fail_kind(op->ctx, ERR_STATE, wish->kind, "The import task is still shown.");
	if (image)
		return import_image_task_forget(op, wish->task);
	return uuid_is_none(disk->import_image_task) ? import_snapshot_task_forget(op, wish->task) : OK;
}
