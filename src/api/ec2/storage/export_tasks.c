/* SPDX-License-Identifier: Apache-2.0
 * Exports: ExportImage, its tasks, CancelExportTask. A bucket is a folder of the account in the region's export
 * directory. Beyond EC2's formats, QCOW2, VHDX and OVA are written. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/storage/image/export_task.h"
#include "model/export_image_task.h"
#include "model/states.h"

static struct str say_status(const struct export_image_task *task)
{
	if (task->ended == EXPORT_IMAGE_TASK_ENDED_NONE)
		return STR("converting");
	return task->problem.n ? task->problem : task->licence_note;
}

static void write_task(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct export_image_task *task = item;
	(void) e;
	xml_text_opt(x, "description", task->description);
	ec2_write_id(x, "exportImageTaskId", KIND_EXPORT_IMAGE_TASK, task->row.id);
	ec2_write_id(x, "imageId", KIND_IMAGE, task->image);
	if (!task->ended)
		xml_int(x, "progress", task->progress);
	xml_open(x, "s3ExportLocation");
	xml_text(x, "s3Bucket", task->bucket);
	xml_text_opt(x, "s3Prefix", task->prefix);
	xml_close(x, "s3ExportLocation");
	xml_z(x, "status", model_export_image_task_states[model_derive_export_image_task_state(task)].ec2);
	xml_text_opt(x, "statusMessage", say_status(task));
	ec2_write_tags_if_any(x, task->tags);
}

static const char *const format_words[] = {"VMDK", "RAW", "VHD", "VHDX", "QCOW2", "OVA", NULL};

/* ExportImage's own answer has two members more. */
static void write_new_task(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct export_image_task *task = item;
	xml_z(x, "diskImageFormat", format_words[task->format]);
	xml_text_opt(x, "roleName", task->role_name);
	write_task(e, x, item);
}

static bool has_state(const struct filter_run *f, unsigned state)
{
	return filter_z(f, model_export_image_task_states[state].ec2);
}

static const struct filter task_filters[] = {
	{"task-state", .in_state = has_state},
};

static const struct ec2_listing task_listing = {.kind = KIND_EXPORT_IMAGE_TASK,
						.set = "exportImageTaskSet",
						.filters = FILTERS(task_filters),
						.write = write_task};
static const struct ec2_listing new_task = {.kind = KIND_EXPORT_IMAGE_TASK, .write = write_new_task};

struct ec2_describe_exports {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_exports, "ExportImageTaskId", KIND_EXPORT_IMAGE_TASK, "Tasks by id."),
	QUERY_FILTERS(struct ec2_describe_exports),
	QUERY_PAGES(struct ec2_describe_exports, 1, 500),
};

/* ---- ExportImage ---- */

struct ec2_export_image {
	struct image_exporting wish;
	struct str format;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_export_image, wire, member, __VA_ARGS__)
static const struct param export_params[] = {
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("DiskImageFormat", format, .flags = REQUIRED,
	  .words = "VMDK|RAW|VHD|VHDX|QCOW2|OVA|vmdk|raw|vhd|vhdx|qcow2|ova",
	  .doc = "Format of the exported file. EC2 itself has only VMDK, RAW and VHD."),
	P("ImageId", wish.image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "Image of the account."),
	P("RoleName", wish.role_name, .max = 256,
	  .doc = "Stored and shown. No role is needed, because the region writes the file itself."),
	P("S3ExportLocation.S3Bucket", wish.bucket, .flags = REQUIRED, .max = 63,
	  .doc = "Folder in the account's part of the export directory."),
	P("S3ExportLocation.S3Prefix", wish.prefix, .max = EXPORT_PREFIX_MAX,
	  .doc = "Prefix of the file name, followed by the task's id and the format."),
	TAG_SPECIFICATIONS(struct ec2_export_image, tag_specs),
};
#undef P

static const char *const not_in_digest[] = {"ClientToken", "DryRun", NULL};

static RESULT prepare_export(struct ec2_call *e, void *args)
{
	struct ec2_export_image *a = args;
	for (size_t k = 0; format_words[k]; k++)
		if (str_equal_nocase(a->format, str_from(format_words[k])))
			a->wish.format = (enum export_image_task_format) k;
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "export-image-task", "export-image-task", &a->wish.tags);
}

static RESULT ec2_export_image(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_export_image *a = args;
	return ec2_write_returned(e, &new_task, a->wish.task, NULL, x);
}

/* ---- CancelExportTask ---- */

static const struct param cancel_params[] = {
	PARAM(struct export_target, "ExportTaskId", task, .kind = KIND_EXPORT_IMAGE_TASK, .flags = REQUIRED,
	      .doc = "Task that has not ended."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("ExportImage"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_export_image, export_params), .prepare = prepare_export,
	 .operation = engine_begin_image_export_run, .returns = KIND_EXPORT_IMAGE_TASK,
	 .answer = ec2_export_image,
	 .doc = "Exports the disks of an image to a file for use in other clouds."},
	{EC2_ACTION("DescribeExportImageTasks"), .args = PARAMS(struct ec2_describe_exports, describe_params),
	 .list = &task_listing,
	 .doc = "Lists export tasks: active ones, and those that ended in the last seven days."},
	{EC2_ACTION("CancelExportTask"), .flags = API_WRITES,
	 .args = PARAMS(struct export_target, cancel_params), .operation = engine_cancel_export_run,
	 .doc = "Cancels an export task and deletes what it has written."},
};
const struct api_actions ec2_export_actions = API_ACTIONS(actions);
