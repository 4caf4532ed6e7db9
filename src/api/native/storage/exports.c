/* SPDX-License-Identifier: Apache-2.0
 * Exports of images, and downloads of their files. */
#include <fcntl.h>
#include <sys/stat.h>

#include "api/native/write.h"
#include "base/cleanup.h"
#include "engine/storage/image/export_task.h"
#include "engine/tag.h"
#include "reconcile/reconcile.h"
#include "store/export_image_task.h"

struct export_args {
	struct image_exporting wish; /* first member: passed to the operation */
	struct str format;
};
#define X(name, member, ...) PARAM(struct export_args, name, member, __VA_ARGS__)
static const struct param export_params[] = {
	X("image", wish.image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "Image of the account."),
	X("format", format, .words = "vmdk|raw|vhd|vhdx|qcow2|ova", .absent = "qcow2",
	  .doc = "Format of the file. ova contains all disks, other formats one."),
	X("bucket", wish.bucket, .max = 63, .doc = "Folder of the file; absent: exports."),
	X("prefix", wish.prefix, .max = EXPORT_PREFIX_MAX, .doc = "Prefix of the file name."),
	X("description", wish.description, .max = 255, .doc = "Description: free text."),
	X("tags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};

static RESULT prepare_export(struct native_call *e, void *args)
{
	struct export_args *a = args;
	(void) e;
	a->wish.format = (enum export_image_task_format) native_place_of_word(export_image_task_format_words,
									      a->format);
	if (!a->wish.bucket.n)
		a->wish.bucket = STR("exports");
	return OK;
}

/* ---- download ---- */

static RESULT open_file(struct native_call *e, void *args)
{
	struct stat st;
	(void) args;
	TRY(native_prepare_row(e, NULL));
	const struct export_image_task *task = export_image_task_find(native_tables(e), e->target.prefix);
	if (!task || !engine_is_own(e->c, KIND_EXPORT_IMAGE_TASK, &task->row))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_EXPORT_IMAGE_TASK,
				     "The export is another account's.");
	if (!engine_export_has_file(task) || !e->config->reconciler)
		return ctx_fail_kind(e->c, ERR_STATE, KIND_EXPORT_IMAGE_TASK, "The export has no file.");
	struct str path =
		str_print(e->c->arena, "%s/%" STR_FMT, reconciler_export_directory(e->config->reconciler),
			  STR_ARG(engine_write_export_path(e->c->arena, task)));
	AUTO_FD fd = path.p ? open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(e->c, ERR_GONE, "The export's file cannot be read.");
	e->file = fd;
	e->file_size = st.st_size;
	fd = -1;
	return OK;
}

static const struct native_action actions[] = {
	CREATE("/export-image-tasks", "ec2:ExportImage", EXPORT_IMAGE_TASK,
	       .args = PARAMS(struct export_args, export_params), .prepare = prepare_export,
	       .operation = engine_begin_image_export_run,
	       .doc = "Exports the disks of an image to a file for use in other clouds."),
	CHANGE(POST, "/export-image-tasks/{id}/cancel", "ec2:CancelExportTask", EXPORT_IMAGE_TASK,
	       .args = {.size = sizeof(struct export_target)}, .target = NATIVE_AT(export_target, task),
	       .operation = engine_cancel_export_run,
	       .doc = "Cancels an export and deletes what it has written."),
	DELETION("/export-image-tasks/{id}", "ec2:DeleteExportTask", EXPORT_IMAGE_TASK, export_target, task,
		 engine_delete_export_run, .doc = "Deletes an export with its file."),
	{HTTP_GET, "/export-image-tasks/{id}/data", .name = "GetExportImageTaskData",
	 .permit = "ec2:DownloadExportTask", .kind = KIND_EXPORT_IMAGE_TASK, .flags = API_CHANGES_BY_TIME,
	 .prepare = open_file, .doc = "Returns the exported file, as " NATIVE_DATA_TYPE "."},
};
const struct api_actions native_exports_actions = API_ACTIONS(actions);
