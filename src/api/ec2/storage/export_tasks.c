/* SPDX-License-Identifier: Apache-2.0
 * Exports: ExportImage, CreateInstanceExportTask, their tasks, CancelExportTask. A bucket is a folder of the account in the region's export
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

static bool is_of_image(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return uuid_is_none(export_image_task_of(row)->instance);
}

static const struct filter task_filters[] = {
	{"task-state", .in_state = has_state},
};

static const struct ec2_listing task_listing = {.kind = KIND_EXPORT_IMAGE_TASK,
						.set = "exportImageTaskSet",
						.filters = FILTERS(task_filters),
						.shows = is_of_image,
						.is_hiding = true,
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

/* ---- CreateInstanceExportTask, DescribeExportTasks ---- */

/* EC2 has no state for a task that has failed. */
static const char *const instance_task_states[] = {[EXPORT_IMAGE_TASK_ENDED_NONE] = "active",
						   [EXPORT_IMAGE_TASK_ENDED_COMPLETED] = "completed",
						   [EXPORT_IMAGE_TASK_ENDED_FAILED] = "cancelled",
						   [EXPORT_IMAGE_TASK_ENDED_CANCELLED] = "cancelled"};

static void write_instance_task(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct export_image_task *task = item;
	bool is_ova = task->format == EXPORT_IMAGE_TASK_FORMAT_OVA;
	xml_text_opt(x, "description", task->description);
	ec2_write_id(x, "exportTaskId", KIND_EXPORT_IMAGE_TASK, task->row.id);
	xml_open(x, "exportToS3");
	if (is_ova)
		xml_z(x, "containerFormat", "ova");
	xml_z(x, "diskImageFormat", is_ova ? "VMDK" : format_words[task->format]);
	xml_text(x, "s3Bucket", task->bucket);
	xml_text(x, "s3Key", engine_write_export_key(e->c->arena, task));
	xml_close(x, "exportToS3");
	xml_open(x, "instanceExport");
	ec2_write_id(x, "instanceId", KIND_INSTANCE, task->instance);
	if (task->environment)
		xml_z(x, "targetEnvironment", export_image_task_environment_words[task->environment]);
	xml_close(x, "instanceExport");
	xml_z(x, "state", instance_task_states[task->ended]);
	xml_text_opt(x, "statusMessage", say_status(task));
	ec2_write_tags_if_any(x, task->tags);
}

static bool is_of_instance(struct ec2_call *e, const struct row *row)
{
	return !is_of_image(e, row);
}

static const struct ec2_listing instance_task_listing = {.kind = KIND_EXPORT_IMAGE_TASK,
							 .set = "exportTaskSet",
							 .shows = is_of_instance,
							 .is_hiding = true,
							 .write = write_instance_task};

static const struct param describe_instance_params[] = {
	QUERY_IDS(struct ec2_describe_exports, "ExportTaskId", KIND_EXPORT_IMAGE_TASK, "Tasks by id."),
	QUERY_FILTERS(struct ec2_describe_exports),
};

struct ec2_export_instance {
	struct instance_exporting wish;
	struct str environment, format, container;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_export_instance, wire, member, __VA_ARGS__)
static const struct param export_instance_params[] = {
	P("InstanceId", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "Running or stopped instance. Its disks are copied as they are."),
	P("TargetEnvironment", environment, .flags = REQUIRED, .words = "citrix|vmware|microsoft",
	  .doc = "Where the file is used. Stored and shown; DiskImageFormat decides on the file."),
	P("ExportToS3.DiskImageFormat", format, .words = "VMDK|RAW|VHD",
	  .doc = "Format of the disk; absent: VHD for citrix and microsoft, VMDK for vmware."),
	P("ExportToS3.ContainerFormat", container, .words = "ova",
	  .doc = "ova: an archive of all disks in VMDK, with a description of the machine."),
	P("ExportToS3.S3Bucket", wish.file.bucket, .flags = REQUIRED, .max = 63,
	  .doc = "Folder in the account's part of the export directory."),
	P("ExportToS3.S3Prefix", wish.file.prefix, .max = EXPORT_PREFIX_MAX,
	  .doc = "Prefix of the file name, followed by the task's id and the format."),
	P("Description", wish.file.description, .max = 255, .doc = "Description: free text."),
	TAG_SPECIFICATIONS(struct ec2_export_instance, tag_specs),
};
#undef P

static RESULT prepare_export_instance(struct ec2_call *e, void *args)
{
	struct ec2_export_instance *a = args;
	bool is_vmware = str_is(a->environment, "vmware");
	for (int k = 1; export_image_task_environment_words[k]; k++)
		if (str_is(a->environment, export_image_task_environment_words[k]))
			a->wish.environment = (enum export_image_task_environment) k;
	a->wish.file.format = str_is(a->format, "RAW") ? EXPORT_IMAGE_TASK_FORMAT_RAW
			      : str_is(a->format, "VMDK") || (!a->format.n && is_vmware)
				      ? EXPORT_IMAGE_TASK_FORMAT_VMDK
				      : EXPORT_IMAGE_TASK_FORMAT_VHD;
	if (a->container.n && a->wish.file.format != EXPORT_IMAGE_TASK_FORMAT_VMDK)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("ExportToS3.ContainerFormat"),
				      "ExportToS3.ContainerFormat: an ova has disks of the format VMDK.");
	if (a->container.n)
		a->wish.file.format = EXPORT_IMAGE_TASK_FORMAT_OVA;
	return ec2_take_tags(e, &a->tag_specs, "export-instance-task", "export-instance-task",
			     &a->wish.file.tags);
}

static const struct ec2_listing new_instance_task = {.kind = KIND_EXPORT_IMAGE_TASK,
						     .write = write_instance_task};

static RESULT ec2_export_instance(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_export_instance *a = args;
	return ec2_write_returned(e, &new_instance_task, a->wish.file.task, "exportTask", x);
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
	{EC2_ACTION("CreateInstanceExportTask"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_export_instance, export_instance_params),
	 .prepare = prepare_export_instance, .operation = engine_begin_instance_export_run,
	 .returns = KIND_EXPORT_IMAGE_TASK, .answer = ec2_export_instance,
	 .doc = "Exports the disks of an instance to a file for use in other clouds."},
	{EC2_ACTION("DescribeExportTasks"),
	 .args = PARAMS(struct ec2_describe_exports, describe_instance_params),
	 .list = &instance_task_listing,
	 .doc = "Lists export tasks of instances: active ones, and those that ended in the last seven days."},
	{EC2_ACTION("CancelExportTask"), .flags = API_WRITES,
	 .args = PARAMS(struct export_target, cancel_params), .operation = engine_cancel_export_run,
	 .doc = "Cancels an export task and deletes what it has written."},
};
const struct api_actions ec2_export_actions = API_ACTIONS(actions);
