/* SPDX-License-Identifier: Apache-2.0
 * Exports of images. Names of buckets and prefixes become a path, so they are held to characters that cannot leave the
 * account's folder. */
#include "engine/storage/image/export_task.h"

#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/people/asker.h"
#include "engine/quota_internal.h"
#include "engine/storage/image/image.h"
#include "engine/tag_internal.h"
#include "model/licence.h"
#include "model/states.h"
#include "store/export_image_task.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

enum { BUCKET_MIN = 3, BUCKET_MAX = 63, DESCRIPTION_MAX = 255 };

bool engine_export_has_file(const struct export_image_task *task)
{
	return row_is_live(&task->row) && task->ended == EXPORT_IMAGE_TASK_ENDED_COMPLETED;
}

bool engine_export_is_over(const struct export_image_task *task, int64_t now_us)
{
	return !row_is_live(&task->row) ||
	       (task->ended_us != 0 && now_us >= task->ended_us + EXPORT_TASK_VISIBLE_US);
}

struct str engine_write_export_path(struct arena *a, const struct export_image_task *task)
{
	char account[UUID_TEXT_SIZE], id[EC2_ID_TEXT_SIZE];
	return str_print(a, "%s/%" STR_FMT "/%" STR_FMT "%s.%s", uuid_write(task->account, account),
			 STR_ARG(task->bucket), STR_ARG(task->prefix),
			 id_write_ec2(KIND_EXPORT_IMAGE_TASK, task->row.id, id),
			 export_image_task_format_words[task->format]);
}

/* ---- checks ---- */

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Amazon S3 User Guide, "General purpose bucket naming rules". */
static bool is_bucket(struct str name)
{
	if (name.n < BUCKET_MIN || name.n > BUCKET_MAX || !is_lower_alnum(name.p[0]) ||
	    !is_lower_alnum(name.p[name.n - 1]))
		return false;
	for (size_t k = 0; k < name.n; k++)
		if (!is_lower_alnum(name.p[k]) &&
		    (name.p[k] == '.' ? name.p[k - 1] == '.' : name.p[k] != '-'))
			return false;
	return true;
}

/* Characters that the S3 user guide calls safe in keys, without those that shells treat specially. */
static bool is_key_character(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '/';
}

/* No part begins with a dot, so "..", "." and hidden files are impossible. */
static bool is_prefix(struct str prefix)
{
	size_t parts = 1;
	if (prefix.n > EXPORT_PREFIX_MAX)
		return false;
	for (size_t k = 0; k < prefix.n; k++) {
		bool begins = k == 0 || prefix.p[k - 1] == '/';
		if (!is_key_character(prefix.p[k]) || (begins && (prefix.p[k] == '.' || prefix.p[k] == '/')))
			return false;
		parts += prefix.p[k] == '/';
	}
	return parts <= EXPORT_PREFIX_PARTS_MAX;
}

static RESULT check_words(struct op *op, const struct image_exporting *wish)
{
	if (!is_bucket(wish->bucket))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_EXPORT_IMAGE_TASK, STR("S3ExportLocation.S3Bucket"),
			"The specified bucket is not valid: 3 to 63 lower-case letters, digits, dots and "
			"dashes.");
	if (!is_prefix(wish->prefix))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_EXPORT_IMAGE_TASK, STR("S3ExportLocation.S3Prefix"),
			"The prefix is not valid: up to %d letters, digits, '-', '_', '.' and '/' in up to "
			"%d parts, none of which begins with a dot.",
			EXPORT_PREFIX_MAX, EXPORT_PREFIX_PARTS_MAX);
	if (wish->description.n > DESCRIPTION_MAX || !str_is_xml_text(wish->description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_EXPORT_IMAGE_TASK, STR("Description"),
				   "A description has up to %d characters.", DESCRIPTION_MAX);
	return OK;
}

static RESULT check_disks(struct op *op, const struct image_exporting *wish, const struct image *image)
{
	size_t count = 0;
	for (const struct image_device *d = image_device_first_by_image(op->head, image->row.id); d;
	     d = image_device_next_by_image(op->head, d)) {
		const struct snapshot *snapshot = snapshot_find(op->head, d->snapshot);
		if (!snapshot) /* an empty disk, which has no data */
			continue;
		count++;
		if (snapshot->is_encrypted)
			return ENGINE_FAIL(
				op, ERR_UNSUPPORTED, KIND_EXPORT_IMAGE_TASK, wish->image.field,
				"The image '%" STR_FMT
				"' has an encrypted disk. Its key is not given out, so it is not exported.",
				STR_ARG(wish->image.text));
	}
	if (count > 1 && wish->format != EXPORT_IMAGE_TASK_FORMAT_OVA)
		return ENGINE_FAIL(
			op, ERR_UNSUPPORTED, KIND_EXPORT_IMAGE_TASK, wish->image.field,
			"The image '%" STR_FMT
			"' has %zu disks, and a file of the format %s holds one: export it as ova.",
			STR_ARG(wish->image.text), count, export_image_task_format_words[wish->format]);
	if (count == 0 || count > EXPORT_DISKS_MAX)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' has %zu disks with data.",
				   STR_ARG(wish->image.text), count);
	return OK;
}

static RESULT check_count(struct op *op, uuid account)
{
	size_t active = 0, kept = 0;
	for (const struct export_image_task *k = export_image_task_first_by_account(op->head, account); k;
	     k = export_image_task_next_by_account(op->head, k)) {
		active += row_is_live(&k->row) && k->ended == EXPORT_IMAGE_TASK_ENDED_NONE;
		kept++;
	}
	if (active >= EXPORT_TASKS_ACTIVE_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_EXPORT_IMAGE_TASK,
				     "The account has %d active export tasks, as many as it may have.",
				     EXPORT_TASKS_ACTIVE_MAX);
	if (kept >= EXPORT_TASKS_KEPT_MAX)
		return ctx_fail_kind(
			op->ctx, ERR_QUOTA, KIND_EXPORT_IMAGE_TASK,
			"The account has %d export tasks, as many as it may have. Delete one, or wait "
			"until one goes, a week after its end.",
			EXPORT_TASKS_KEPT_MAX);
	return OK;
}

/* ---- start ---- */

/* An included licence belongs to this region's price, so it ends here; a customer's own subscription goes along. */
static struct str note_licences(struct op *op, const struct image *image)
{
	struct str note = STR("");
	for (size_t k = 0; k < image->licences.count; k++) {
		struct licence licence;
		if (!licence_read(image->licences.at[k], &licence))
			continue;
		const struct product_info *info = product_info_find(licence.product);
		struct str title = info ? str_from(info->title) : licence.product;
		const char *says = licence.source == LICENCE_BYOS
					   ? "goes along with the customer's own subscription"
					   : "is not included elsewhere: it needs a licence there";
		note = str_print(op->ctx->arena, "%" STR_FMT "%s%" STR_FMT " %s.", STR_ARG(note),
				 note.n ? " " : "", STR_ARG(title), says);
	}
	return note;
}

RESULT engine_begin_image_export(struct op *op, struct image_exporting *wish)
{
	const struct image *image = NULL;
	uuid caller = engine_get_account(op->ctx);
	TRY(client_token_find_made(op, caller, wish->client_token, wish->digest, KIND_EXPORT_IMAGE_TASK,
				   &wish->task));
	if (!uuid_is_none(wish->task))
		return OK;
	TRY(engine_permit_image(op, &wish->image, "image.export", &image));
	if (engine_derive_image_state(op->head, image) != IMAGE_AVAILABLE)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' is not available", STR_ARG(wish->image.text));
	TRY(check_words(op, wish));
	TRY(check_disks(op, wish, image));
	TRY(check_count(op, image->account));
	TRY(quota_check_disk(op, image->account, 1, KIND_EXPORT_IMAGE_TASK));
	struct export_image_task task = {.account = image->account,
					 .image = image->row.id,
					 .description = wish->description,
					 .format = wish->format,
					 .bucket = wish->bucket,
					 .prefix = wish->prefix,
					 .role_name = wish->role_name,
					 .licence_note = note_licences(op, image)};
	ASKER_NOTE(op, &task);
	TRY(tag_normalize(op, wish->tags, &task.tags));
	task.row.id = engine_new_id(op, KIND_EXPORT_IMAGE_TASK);
	task.row.gen = 1;
	TRY(export_image_task_put(op, &task));
	wish->task = task.row.id;
	TRY(engine_log_event(op, KIND_EXPORT_IMAGE_TASK, &task.row, "asked", "Image %" STR_FMT " as %s.",
			     STR_ARG(engine_write_id(op, KIND_IMAGE, image->row.id)),
			     export_image_task_format_words[task.format]));
	return client_token_write(op, caller, wish->client_token, wish->digest, wish->task);
}

/* ---- end ---- */

static RESULT end_task(struct op *op, const struct export_image_task *task, enum export_image_task_ended how,
		       struct str why)
{
	struct export_image_task next = *task;
	next.ended = how;
	next.ended_us = op->now_us;
	next.problem = why;
	next.row.gen++;
	TRY(export_image_task_put(op, &next));
	return engine_log_event(op, KIND_EXPORT_IMAGE_TASK, &next.row, export_image_task_ended_words[how],
				"%" STR_FMT, STR_ARG(why));
}

RESULT engine_cancel_export(struct op *op, struct export_target *wish)
{
	const struct export_image_task *task = NULL;
	TRY(engine_permit_export_image_task(op, &wish->task, "export_image_task.cancel", &task));
	if (task->ended)
		return ENGINE_FAIL(op, ERR_STATE, KIND_EXPORT_IMAGE_TASK, wish->task.field,
				   "The export task '%" STR_FMT "' is not active.", STR_ARG(wish->task.text));
	return end_task(op, task, EXPORT_IMAGE_TASK_ENDED_CANCELLED, STR("Cancelled."));
}

RESULT engine_delete_export(struct op *op, struct export_target *wish)
{
	const struct export_image_task *task = NULL;
	TRY(engine_permit_export_image_task(op, &wish->task, "export_image_task.delete", &task));
	return export_image_task_delete(op, task->row.id);
}

/* *ret_why: the reason why its asker may not export any more; empty: may. */
static RESULT ask_again(struct op *op, const struct export_image_task *task, struct later_guard *guard,
			struct str *ret_why)
{
	const struct image *image = image_find(op->head, task->image);
	const struct asker asker = ASKER_OF(task);
	const struct asker_work work = {guard, "image.export", op->now_us};
	if (uuid_is_none(task->account))
		return OK; /* the region's own image: only administrators export those */
	struct result result = asker_permit(op, &asker, &work, KIND_IMAGE, image ? &image->row : NULL);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	*ret_why = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT complete(struct op *op, const struct export_image_task *task,
		       const struct export_report *report)
{
	struct result room = quota_check_disk(op, task->account, report->file_size, KIND_EXPORT_IMAGE_TASK);
	if (!result_is_ok(room)) {
		struct str why = op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
		return end_task(op, task, EXPORT_IMAGE_TASK_ENDED_FAILED, why);
	}
	struct export_image_task next = *task;
	next.file_size = report->file_size;
	next.file_sha256 = report->file_sha256;
	next.progress = 100;
	next.ended = EXPORT_IMAGE_TASK_ENDED_COMPLETED;
	next.ended_us = op->now_us;
	next.row.gen++;
	TRY(export_image_task_put(op, &next));
	return engine_log_event(op, KIND_EXPORT_IMAGE_TASK, &next.row, "completed", "%lld bytes.",
				(long long) report->file_size);
}

RESULT engine_see_export(struct op *op, struct export_report *report)
{
	const struct export_image_task *task = export_image_task_find(op->head, report->task);
	if (!task || task->ended || !row_is_live(&task->row))
		return OK;
	struct str why = report->problem;
	if (!why.n)
		TRY(ask_again(op, task, report->guard, &why));
	if (why.n)
		return end_task(op, task, EXPORT_IMAGE_TASK_ENDED_FAILED, why);
	if (report->file_size)
		return complete(op, task, report);
	if (report->progress <= task->progress)
		return OK;
	struct export_image_task next = *task;
	next.progress = report->progress;
	return export_image_task_put(op, &next);
}

RESULT engine_forget_export(struct op *op, struct export_forget *wish)
{
	const struct export_image_task *task = export_image_task_find(op->head, wish->task);
	if (!task)
		return OK;
	if (!engine_export_is_over(task, op->now_us))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_EXPORT_IMAGE_TASK,
				     "The export task is still shown.");
	return export_image_task_forget(op, wish->task);
}
