/* SPDX-License-Identifier: Apache-2.0
 * Steps of export tasks: convert an image's disks into one file, on a fetch lane. The file is written in a work
 * directory of the task and then renamed, so that its name never stands for half a file. A restarted process begins
 * again in an empty work directory; an error is final and recorded in the row. The files of a task that has failed, was
 * cancelled, is deleted or is over are removed at its wake-up and again at each resync, before the row is forgotten. */
#include "engine/storage/image/export_task.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/disk.h"
#include "drivers/image/ova.h"
#include "engine/quota.h"
#include "engine/storage/image/image.h"
#include "model/states.h"
#include "reconcile/work.h"
#include "store/export_image_task.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

enum { OVA_VCPUS = 2, BLOCK_SIZE = 512, MOVES_MAX = 5 };
enum { LOOK_AGAIN_S = 2 };            /* until the image of an instance is there */
#define OVA_MEMORY (INT64_C(2) << 30) /* if the image says none */

struct export_rows {
	const struct export_image_task *task; /* NULL: the row does not exist */
	const struct image *image;            /* NULL: it is gone */
	const struct snapshot *disks[EXPORT_DISKS_MAX];
	size_t disk_count;
	enum image_state image_state;
	struct disk_payer payer;
};

struct export_paths {
	const char *work;   /* directory */
	const char *made;   /* file in it, with the name of the final one */
	const char *final;  /* file */
	const char *folder; /* of that file */
	const char *name;   /* without the ending */
};

static RESULT gather(struct step *s, struct export_rows *ret_rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	*ret_rows = (struct export_rows){0};
	const struct export_image_task *task = export_image_task_find(view.tables, s->id);
	if (!task)
		return OK;
	ret_rows->task = STEP_COPY(s, KIND_EXPORT_IMAGE_TASK, struct export_image_task, task);
	ret_rows->payer = engine_pay_disk(view.tables, task->account, KIND_EXPORT_IMAGE_TASK);
	const struct image *image = image_find(view.tables, task->image);
	if (!image || !row_is_live(&image->row))
		return OK;
	ret_rows->image = STEP_COPY(s, KIND_IMAGE, struct image, image);
	ret_rows->image_state = engine_derive_image_state(view.tables, image);
	for (const struct image_device *d = image_device_first_by_image(view.tables, image->row.id);
	     d && ret_rows->disk_count < EXPORT_DISKS_MAX; d = image_device_next_by_image(view.tables, d)) {
		const struct snapshot *snapshot = snapshot_find(view.tables, d->snapshot);
		if (snapshot)
			ret_rows->disks[ret_rows->disk_count++] =
				STEP_COPY(s, KIND_SNAPSHOT, struct snapshot, snapshot);
	}
	return OK;
}

static RESULT find_paths(struct step *s, const struct export_image_task *task, struct export_paths *ret_paths)
{
	char id[UUID_TEXT_SIZE], name[EC2_ID_TEXT_SIZE];
	struct arena *a = s->ctx.arena;
	const char *root = s->r->export_directory;
	struct str below = engine_write_export_path(a, task);
	struct str work = str_print(a, "%s/%s.work", root, uuid_write(s->id, id));
	struct str final = str_print(a, "%s/%" STR_FMT, root, STR_ARG(below));
	struct str own = str_print(a, "%s", id_write_ec2(KIND_EXPORT_IMAGE_TASK, s->id, name));
	if (!below.p || !work.p || !final.p || !own.p)
		return ctx_no_memory(&s->ctx);
	const char *slash = strrchr(final.p, '/');
	struct str folder = str_copy(a, (struct str){final.p, (size_t) (slash - final.p)});
	struct str made =
		str_print(a, "%s/%s.%s", work.p, own.p, export_image_task_format_words[task->format]);
	if (!folder.p || !made.p)
		return ctx_no_memory(&s->ctx);
	*ret_paths = (struct export_paths){.work = work.p,
					   .made = made.p,
					   .final = final.p,
					   .folder = str_to_z(a, folder),
					   .name = own.p};
	return ret_paths->folder ? OK : ctx_no_memory(&s->ctx);
}

/* Removes the file, the work directory, and folders that are empty then. */
static RESULT remove_files(struct step *s, const struct export_image_task *task)
{
	struct export_paths paths;
	TRY(find_paths(s, task, &paths));
	file_remove_tree(paths.work);
	TRY(file_delete(&s->ctx, paths.final));
	struct str folder = str_from(paths.folder);
	size_t root_size = strlen(s->r->export_directory);
	while (folder.n > root_size && rmdir(str_to_z(s->ctx.arena, folder)) == 0)
		while (folder.p[--folder.n] != '/')
			;
	return OK;
}

static bool is_wanted(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct export_image_task *task = export_image_task_find(view.tables, s->id);
	return task && row_is_live(&task->row) && !task->ended && !work_is_stopping(s->r);
}

/* ---- conversion ---- */

static int64_t size_on_disk(const struct stat *st)
{
	int64_t held = (int64_t) st->st_blocks * BLOCK_SIZE;
	int64_t size = held < (int64_t) st->st_size ? held : (int64_t) st->st_size;
	return size > 0 ? size : 1;
}

static RESULT convert_disk(struct step *s, const struct snapshot *disk, struct str format, const char *to)
{
	const struct disk_export wish = {.from = gather_store_path(s, disk->sha256),
					 .sha256 = disk->sha256,
					 .file_size = disk->file_size,
					 .format = format,
					 .to = str_from(to)};
	if (!wish.from.p)
		return ctx_no_memory(&s->ctx);
	if (!disk->sha256.n)
		return ctx_fail(&s->ctx, ERR_STATE, "The data of a disk are not in the image store.");
	if (!is_wanted(s))
		return ctx_fail(&s->ctx, ERR_AGAIN, "The export is not wanted any more.");
	return s->r->disks[0]->export_file(&s->ctx, &wish);
}

static RESULT make_ova(struct step *s, const struct export_rows *rows, const struct export_paths *paths)
{
	int64_t sizes[EXPORT_DISKS_MAX] = {0};
	const struct image *image = rows->image;
	bool is_arm = image->arch == IMAGE_ARCH_ARM64;
	const struct ova ova = {.directory = paths->work,
				.name = paths->name,
				.is_windows = image->platform == IMAGE_PLATFORM_WINDOWS,
				.is_uefi = is_arm || image->boot_mode == IMAGE_BOOT_MODE_UEFI ||
					   image->boot_mode == IMAGE_BOOT_MODE_UEFI_PREFERRED,
				.is_arm = is_arm,
				.vcpus = OVA_VCPUS,
				.memory = image->min_memory > OVA_MEMORY ? image->min_memory : OVA_MEMORY,
				.disk_sizes = sizes,
				.disk_count = rows->disk_count};
	for (size_t k = 0; k < rows->disk_count; k++) {
		struct str path = ova_disk_path(s->ctx.arena, &ova, k + 1);
		sizes[k] = rows->disks[k]->volume_size;
		if (!path.p)
			return ctx_no_memory(&s->ctx);
		TRY(convert_disk(s, rows->disks[k], STR("vmdk"), path.p));
	}
	return ova_write(&s->ctx, &ova);
}

/* Another task's removal deletes folders that are empty, and may do so between the two calls here. */
static RESULT move(struct step *s, const struct export_paths *paths)
{
	for (int k = 1;; k++) {
		struct result result = file_make_directory(&s->ctx, paths->folder, 0750);
		if (result_is_ok(result))
			result = file_rename_synced(&s->ctx, paths->made, paths->final);
		if (result_is_ok(result) || k == MOVES_MAX || file_exists(paths->folder))
			return result;
		ctx_clear_problem(&s->ctx);
	}
}

/* Moves the complete file to its name, and reports it. */
static RESULT put_in_place(struct step *s, const struct export_rows *rows, const struct export_paths *paths,
			   struct export_report *report)
{
	uint8_t digest[SHA256_SIZE];
	struct stat st;
	AUTO_FD fd = open(paths->made, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0 || fsync(fd) != 0)
		return ctx_fail(&s->ctx, ERR_IO, "The exported file cannot be read: %s", strerror(errno));
	if (size_on_disk(&st) > disk_room_left_for(&rows->payer))
		return ctx_fail_kind(
			&s->ctx, ERR_QUOTA, KIND_EXPORT_IMAGE_TASK,
			"The file has %lld bytes, and the account's limit for files leaves less.",
			(long long) size_on_disk(&st));
	TRY(crypto_sha256_file(&s->ctx, fd, digest));
	TRY(move(s, paths));
	report->file_size = size_on_disk(&st);
	report->file_sha256 = str_encode_hex(s->ctx.arena, digest, sizeof digest);
	return report->file_sha256.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT write_file(struct step *s, const struct export_rows *rows, struct export_report *report)
{
	struct export_paths paths;
	struct str format = str_from(export_image_task_format_words[rows->task->format]);
	if (rows->image && rows->image_state == IMAGE_FAILED)
		return ctx_fail(&s->ctx, ERR_STATE, "The instance's disks could not be copied.");
	if (!rows->image || rows->disk_count == 0)
		return ctx_fail(&s->ctx, ERR_NOT_FOUND, "The image is gone.");
	TRY(find_paths(s, rows->task, &paths));
	file_remove_tree(paths.work);
	TRY(file_make_directory(&s->ctx, paths.work, 0700));
	if (rows->task->format == EXPORT_IMAGE_TASK_FORMAT_OVA)
		TRY(make_ova(s, rows, &paths));
	else
		TRY(convert_disk(s, rows->disks[0], format, paths.made));
	return put_in_place(s, rows, &paths, report);
}

static RESULT export(struct step *s, const struct export_rows *rows)
{
	struct export_paths paths;
	struct export_report *report = STEP_NEW(s, struct export_report);
	*report = (struct export_report){.task = s->id, .guard = s->r->later_guard};
	struct result result = write_file(s, rows, report);
	TRY(find_paths(s, rows->task, &paths));
	file_remove_tree(paths.work);
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (result.code == ERR_AGAIN) {
		if (is_wanted(s))
			return result;
		ctx_clear_problem(
			&s->ctx); /* cancelled: the next step removes the files; or the process stops, and the
					     * task begins again at the next start */
		return OK;
	}
	if (!result_is_ok(result)) {
		report->problem = s->ctx.problem.message;
		ctx_clear_problem(&s->ctx);
	}
	step_report(s, engine_see_export_run, report);
	return OK;
}

/* ---- the step ---- */

static RESULT forget(struct step *s)
{
	struct export_forget *forget = STEP_NEW(s, struct export_forget);
	*forget = (struct export_forget){.task = s->id};
	step_report(s, engine_forget_export_run, forget);
	return OK;
}

static RESULT step_export(struct step *s)
{
	struct export_rows rows;
	TRY(gather(s, &rows));
	const struct export_image_task *task = rows.task;
	if (!task)
		return OK;
	bool is_over = engine_export_is_over(task, clock_now_us());
	if (!is_over && !task->ended && rows.image && rows.image_state == IMAGE_PENDING) {
		step_again_at(s, clock_now_us() + LOOK_AGAIN_S * SECOND);
		return OK;
	}
	if (!is_over && !task->ended)
		return export(s, &rows);
	if (is_over || !engine_export_has_file(task))
		TRY(remove_files(s, task));
	return is_over ? forget(s) : OK;
}

static void wake_export(struct reconciler *r, const struct row *row)
{
	const struct export_image_task *task = export_image_task_of(row);
	work_wake(r, lane_fetches(task->account), KIND_EXPORT_IMAGE_TASK, row->id, WAKE_WISH);
}

const struct resource reconcile_export_image_task = {
	.step = step_export,
	.is_swept = true,
	.wake = wake_export,
};
