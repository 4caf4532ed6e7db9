/* SPDX-License-Identifier: Apache-2.0
 * Imports: ImportSnapshot, ImportImage, their tasks, CancelImportTask. The data of a container are fetched
 * from a URL; there is no object storage here, so that buckets are refused. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"
#include "engine/storage/image/import_task.h"
#include "model/image.h"
#include "model/import_image_task.h"
#include "model/states.h"
#include "store/import_snapshot_task.h"

/* EC2 shows sizes in GiB with decimals. */
static void write_gib(struct ec2_call *e, struct xml *x, int64_t bytes)
{
	xml_text(x, "diskImageSize",
		 str_print(e->c->arena, "%.6g", (double) bytes / (double) (INT64_C(1) << 30)));
}

static void write_percent(struct xml *x, const struct import_snapshot_task *task)
{
	if (!task->ended)
		xml_int(x, "progress", task->progress);
}

/* The status message; empty after completion. */
static struct str say_status(const struct import_snapshot_task *task)
{
	if (task->ended)
		return task->problem;
	return task->progress >= 70 ? STR("converting")
	       : task->progress     ? STR("downloading")
				    : STR("pending");
}

/* EC2 writes formats in capitals. */
static struct str shout(struct ec2_call *e, struct str word)
{
	char *out = arena_alloc(e->c->arena, word.n + 1);
	for (size_t k = 0; out && k < word.n; k++)
		out[k] = word.p[k] >= 'a' && word.p[k] <= 'z' ? (char) (word.p[k] - 'a' + 'A') : word.p[k];
	return out ? (struct str){out, word.n} : STR_NONE;
}

static void write_detail(struct ec2_call *e, struct xml *x, const struct import_snapshot_task *task)
{
	xml_text_opt(x, "description", task->disk_description);
	if (task->data_size)
		write_gib(e, x, task->data_size);
	xml_text_opt(x, "format", shout(e, task->format));
	write_percent(x, task);
	ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, task->snapshot);
	xml_z(x, "status",
	      model_import_snapshot_task_states[model_derive_import_snapshot_task_state(task)].ec2);
	xml_text_opt(x, "statusMessage", say_status(task));
	xml_text_opt(x, "url", task->url);
}

/* ---- snapshots' tasks ---- */

/* Snapshots of an image's import are shown with that import only. */
static bool stands_alone(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return uuid_is_none(import_snapshot_task_of(row)->import_image_task);
}

static void write_snapshot_task(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct import_snapshot_task *task = item;
	xml_text_opt(x, "description", task->description);
	ec2_write_id(x, "importTaskId", KIND_IMPORT_SNAPSHOT_TASK, task->row.id);
	xml_open(x, "snapshotTaskDetail");
	write_detail(e, x, task);
	ec2_write_encrypted(e, x, task->is_encrypted, task->account);
	xml_close(x, "snapshotTaskDetail");
	ec2_write_tags_if_any(x, task->tags);
}

static const struct ec2_listing snapshot_task_listing = {.kind = KIND_IMPORT_SNAPSHOT_TASK,
							 .set = "importSnapshotTaskSet",
							 .shows = stands_alone,
							 .is_hiding = true,
							 .write = write_snapshot_task};

struct ec2_describe_imports {
	struct ec2_query query;
};
/* Here the parameter is called "Filters", everywhere else "Filter". */
#define IMPORT_FILTERS                                                                                       \
	PARAM_LIST(struct ec2_describe_imports, "Filters", query.filters, ec2_filter_params, .max = 200,     \
		   .doc = "Filters. A resource must match all of them, each by any of its values.")
static const struct param describe_snapshot_tasks_params[] = {
	QUERY_IDS(struct ec2_describe_imports, "ImportTaskId", KIND_IMPORT_SNAPSHOT_TASK, "Tasks by id."),
	IMPORT_FILTERS,
	QUERY_PAGES(struct ec2_describe_imports, 1, 1000),
};

/* ---- images' tasks ---- */

struct image_task_item {
	const struct import_image_task *task;
	const struct import_snapshot_task *disks[IMPORT_DISKS_MAX];
	size_t disk_count;
};

static const void *gather_image_task(struct ec2_call *e, const struct row *row)
{
	struct image_task_item *item = arena_new_object(e->c->arena, struct image_task_item);
	const struct tables *t = ec2_tables(e);
	if (!item)
		return 0;
	item->task = import_image_task_of(row);
	for (const struct import_snapshot_task *k =
		     import_snapshot_task_first_by_import_image_task(t, row->id);
	     k && item->disk_count < IMPORT_DISKS_MAX;
	     k = import_snapshot_task_next_by_import_image_task(t, k))
		item->disks[item->disk_count++] = k;
	return item;
}

static int64_t progress_of(const struct image_task_item *item)
{
	int64_t sum = 0;
	for (size_t k = 0; k < item->disk_count; k++)
		sum += item->disks[k]->progress;
	return item->disk_count ? sum / (int64_t) item->disk_count : 0;
}

static struct str say_image_status(const struct image_task_item *item)
{
	if (item->task->ended)
		return item->task->problem;
	for (size_t k = 0; k < item->disk_count; k++)
		if (!item->disks[k]->ended)
			return say_status(item->disks[k]);
	return STR_NONE;
}

static void write_disks(struct ec2_call *e, struct xml *x, const struct image_task_item *item)
{
	xml_open(x, "snapshotDetailSet");
	for (size_t k = 0; k < item->disk_count; k++) {
		xml_open(x, "item");
		xml_text_opt(x, "deviceName", item->disks[k]->device);
		write_detail(e, x, item->disks[k]);
		xml_close(x, "item");
	}
	xml_close(x, "snapshotDetailSet");
}

static void write_image_task(struct ec2_call *e, struct xml *x, const void *found)
{
	const struct image_task_item *item = found;
	const struct import_image_task *task = item->task;
	xml_z(x, "architecture", import_image_task_arch_words[task->arch]);
	xml_text_opt(x, "description", task->description);
	ec2_write_encrypted(e, x, task->is_encrypted, task->account);
	ec2_write_id(x, "imageId", KIND_IMAGE, task->image);
	ec2_write_id(x, "importTaskId", KIND_IMPORT_IMAGE_TASK, task->row.id);
	xml_z(x, "licenseType", "BYOL");
	xml_z(x, "platform", task->platform == IMPORT_IMAGE_TASK_PLATFORM_WINDOWS ? "Windows" : "Linux");
	if (!task->ended)
		xml_int(x, "progress", progress_of(item));
	write_disks(e, x, item);
	xml_z(x, "status", model_import_image_task_states[model_derive_import_image_task_state(task)].ec2);
	xml_text_opt(x, "statusMessage", say_image_status(item));
	ec2_write_tags_if_any(x, task->tags);
}

/* ImportImage's own answer leaves these members out. */
static void write_described_image_task(struct ec2_call *e, struct xml *x, const void *found)
{
	const struct import_image_task *task = ((const struct image_task_item *) found)->task;
	write_image_task(e, x, found);
	if (task->boot_mode != IMPORT_IMAGE_TASK_BOOT_MODE_UNSAID)
		xml_z(x, "bootMode", import_image_task_boot_mode_words[task->boot_mode]);
}

static bool has_image_state(const struct filter_run *f, unsigned state)
{
	return filter_z(f, model_import_image_task_states[state].ec2);
}

static const struct filter image_task_filters[] = {
	{"task-state", .in_state = has_image_state},
};

static const struct ec2_listing image_task_listing = {.kind = KIND_IMPORT_IMAGE_TASK,
						      .set = "importImageTaskSet",
						      .filters = FILTERS(image_task_filters),
						      .gather = gather_image_task,
						      .write = write_described_image_task};
static const struct ec2_listing made_image_task = {
	.kind = KIND_IMPORT_IMAGE_TASK, .gather = gather_image_task, .write = write_image_task};

static const struct param describe_image_tasks_params[] = {
	QUERY_IDS(struct ec2_describe_imports, "ImportTaskId", KIND_IMPORT_IMAGE_TASK, "Tasks by id."),
	IMPORT_FILTERS,
	QUERY_PAGES(struct ec2_describe_imports, 1, 1000),
};

/* ---- what is fetched ---- */

static RESULT check_url(struct ec2_call *e, struct str url, struct str field)
{
	if (!str_starts_with(url, STR("s3://")))
		return OK;
	return ctx_fail_field(
		e->c, ERR_UNSUPPORTED, field,
		"The parameter %" STR_FMT
		" is not supported with an s3:// address: there is no S3 here. Put the file on a "
		"web server, and give its https:// address.",
		STR_ARG(field));
}

static RESULT take_format(struct ec2_call *e, struct str *format)
{
	char *out = arena_alloc(e->c->arena, format->n + 1);
	if (!out)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < format->n; k++)
		out[k] = format->p[k] >= 'A' && format->p[k] <= 'Z' ? (char) (format->p[k] - 'A' + 'a')
								    : format->p[k];
	format->p = out;
	return OK;
}

#define FORMATS "VHD|VHDX|VMDK|RAW|QCOW2|vhd|vhdx|vmdk|raw|qcow2"

/* ClientData of an upload is never shown, as in EC2. */
struct ec2_client_data {
	struct str comment, start, end, size;
};
#define CLIENT_DATA                                                                                          \
	P("ClientData.Comment", client.comment, .doc = "Accepted and not shown, as in EC2."),                \
		P("ClientData.UploadStart", client.start, .doc = "Accepted and not shown, as in EC2."),      \
		P("ClientData.UploadEnd", client.end, .doc = "Accepted and not shown, as in EC2."),          \
		P("ClientData.UploadSize", client.size, .doc = "Accepted and not shown, as in EC2.")

#define ENCRYPTION                                                                                           \
	P("Encrypted", wish.crypt.is_wanted, .doc = "Whether the result is encrypted at rest."),             \
		P("KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC)

static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};

/* ---- a snapshot ---- */

struct ec2_import_snapshot {
	struct snapshot_importing wish;
	struct str kms_key;
	struct ec2_client_data client;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_import_snapshot, wire, member, __VA_ARGS__)
static const struct param import_snapshot_params[] = {
	P("Description", wish.description, .max = 255, .doc = "Description of the task."),
	P("DiskContainer.Description", wish.disk.description, .max = 255,
	  .doc = "Description of the snapshot."),
	P("DiskContainer.Format", wish.disk.format, .words = FORMATS,
	  .doc = "Format of the file; absent: detected from its first bytes."),
	P("DiskContainer.Url", wish.disk.url, .flags = REQUIRED, .max = IMPORT_URL_MAX,
	  .doc = "URL of the file: http or https, and not on the region's own machines."),
	NOT_BUILT("DiskContainer.UserBucket.S3Bucket|DiskContainer.UserBucket.S3Key"),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	CLIENT_DATA,
	TAG_SPECIFICATIONS(struct ec2_import_snapshot, tag_specs),
	ENCRYPTION,
	NOT_BUILT("RoleName", .only = "vmimport"),
};
#undef P

static RESULT prepare_import_snapshot(struct ec2_call *e, void *args)
{
	struct ec2_import_snapshot *a = args;
	a->wish.disk.field = STR("DiskContainer.Url");
	TRY(check_url(e, a->wish.disk.url, a->wish.disk.field));
	TRY(take_format(e, &a->wish.disk.format));
	TRY(ec2_take_kms_key(e, a->kms_key, &a->wish.crypt));
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return OK;
}

/* ---- an image ---- */

struct ec2_container {
	struct import_disk disk;
};
#define P(wire, member, ...) PARAM(struct ec2_container, wire, member, __VA_ARGS__)
static const struct param container_params[] = {
	P("Description", disk.description, .max = 255, .doc = "Description of the disk's snapshot."),
	P("DeviceName", disk.device, .max = 32,
	  .doc = "Device name in the image. The first disk is the root disk."),
	P("Format", disk.format, .words = FORMATS,
	  .doc = "Format of the file; absent: detected from its first bytes."),
	P("Url", disk.url, .max = IMPORT_URL_MAX, .field = offsetof(struct ec2_container, disk.field) + 1,
	  .doc = "URL of the file: http or https, and not on the region's own machines."),
	P("SnapshotId", disk.snapshot, .kind = KIND_SNAPSHOT, .doc = "Existing snapshot, instead of a URL."),
	NOT_BUILT("UserBucket.S3Bucket|UserBucket.S3Key"),
};
#undef P
static const struct params container_table = PARAMS(struct ec2_container, container_params);

struct ec2_import_image {
	struct image_importing_disks wish;
	struct ec2_containers {
		const struct ec2_container *at;
		size_t count;
	} containers;
	struct str architecture, platform, boot_mode, kms_key;
	struct ec2_client_data client;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_import_image, wire, member, __VA_ARGS__)
static const struct param import_image_params[] = {
	P("Architecture", architecture, .words = "x86_64|arm64", .absent = "x86_64",
	  .doc = "Processor architecture. x86_64 stands for EC2's default i386."),
	P("BootMode", boot_mode, .words = "legacy-bios|uefi|uefi-preferred",
	  .doc = "Boot mode of the firmware; absent: BIOS."),
	P("Description", wish.description, .max = 255, .doc = "Description of the task and the image."),
	PARAM_LIST(struct ec2_import_image, "DiskContainer", containers, container_table, .flags = REQUIRED,
		   .max = IMPORT_DISKS_MAX, .doc = "Disks of the image. The first one is the root disk."),
	P("Platform", platform, .words = "Linux|Windows", .absent = "Linux",
	  .doc = "Operating system of the image."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	CLIENT_DATA,
	TAG_SPECIFICATIONS(struct ec2_import_image, tag_specs),
	ENCRYPTION,
	NOT_BUILT("Hypervisor", .only = "xen"),
	NOT_BUILT("LicenseType", .only = "byol"),
	NOT_BUILT("LicenseSpecifications"),
	NOT_BUILT("RoleName", .only = "vmimport"),
	NOT_BUILT("UsageOperation"),
};
#undef P

static RESULT take_containers(struct ec2_call *e, struct ec2_import_image *a)
{
	struct import_disk *disks = arena_new_array(e->c->arena, struct import_disk, a->containers.count + 1);
	if (!disks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->containers.count; k++) {
		disks[k] = a->containers.at[k].disk;
		disks[k].field = str_print(e->c->arena, "DiskContainer.%zu.Url", k + 1);
		TRY(check_url(e, disks[k].url, disks[k].field));
		TRY(take_format(e, &disks[k].format));
	}
	a->wish.disks = disks;
	a->wish.disk_count = a->containers.count;
	return OK;
}

static RESULT prepare_import_image(struct ec2_call *e, void *args)
{
	struct ec2_import_image *a = args;
	TRY(take_containers(e, a));
	TRY(ec2_take_kms_key(e, a->kms_key, &a->wish.crypt));
	a->wish.arch = str_is(a->architecture, "arm64") ? IMAGE_ARCH_ARM64 : IMAGE_ARCH_X86_64;
	a->wish.platform = str_is(a->platform, "Windows") ? IMAGE_PLATFORM_WINDOWS : IMAGE_PLATFORM_LINUX;
	for (enum image_boot_mode mode = IMAGE_BOOT_MODE_LEGACY_BIOS; image_boot_mode_words[mode]; mode++)
		if (str_is(a->boot_mode, image_boot_mode_words[mode]))
			a->wish.boot_mode = mode;
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return OK;
}

/* ---- cancelled ---- */

struct ec2_cancel_import {
	struct import_cancelling wish;
};
static const struct param cancel_import_params[] = {
	PARAM(struct ec2_cancel_import, "ImportTaskId", wish.task, .flags = REQUIRED | ANY_KIND,
	      .doc = "Task that has not ended."),
	PARAM(struct ec2_cancel_import, "CancelReason", wish.reason, .max = 255,
	      .doc = "Reason, shown with the task."),
};

static RESULT prepare_cancel(struct ec2_call *e, void *args)
{
	struct ec2_cancel_import *a = args;
	if (a->wish.task.kind == KIND_IMPORT_IMAGE_TASK || a->wish.task.kind == KIND_IMPORT_SNAPSHOT_TASK)
		return OK;
	struct result failed = ctx_fail_kind(e->c, ERR_MALFORMED, KIND_IMPORT_SNAPSHOT_TASK,
					     "Invalid id: \"%" STR_FMT "\" (expecting \"import-...\")",
					     STR_ARG(str_slice(a->wish.task.text, 0, 256)));
	e->c->problem.field = STR("ImportTaskId");
	return failed;
}

static RESULT ec2_cancel_import(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_cancel_import *a = args;
	(void) e;
	ec2_write_id(x, "importTaskId", a->wish.task.kind, a->wish.cancelled);
	xml_z(x, "previousState", "active");
	xml_z(x, "state", "deleted");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("ImportSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_import_snapshot, import_snapshot_params),
	 .prepare = prepare_import_snapshot, EC2_TAGS(struct ec2_import_snapshot, "import-snapshot-task"),
	 .operation = engine_begin_snapshot_import_run, .returns = KIND_IMPORT_SNAPSHOT_TASK,
	 EC2_SHOWS(snapshot_task_listing, struct ec2_import_snapshot, wish.task, NULL),
	 .doc = "Imports a disk from a web server as a snapshot."},
	{EC2_ACTION("ImportImage"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_import_image, import_image_params), .prepare = prepare_import_image,
	 EC2_TAGS(struct ec2_import_image, "import-image-task"), .operation = engine_begin_image_import_run,
	 .returns = KIND_IMPORT_IMAGE_TASK,
	 EC2_SHOWS(made_image_task, struct ec2_import_image, wish.task, NULL),
	 .doc = "Imports disks from web servers as an image."},
	{EC2_ACTION("DescribeImportSnapshotTasks"),
	 .args = PARAMS(struct ec2_describe_imports, describe_snapshot_tasks_params),
	 .list = &snapshot_task_listing,
	 .doc = "Lists snapshot import tasks: active ones, and those that ended in the last seven days."},
	{EC2_ACTION("DescribeImportImageTasks"),
	 .args = PARAMS(struct ec2_describe_imports, describe_image_tasks_params),
	 .list = &image_task_listing,
	 .doc = "Lists image import tasks: active ones, and those that ended in the last seven days."},
	{EC2_ACTION("CancelImportTask"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_cancel_import, cancel_import_params), .prepare = prepare_cancel,
	 .operation = engine_cancel_import_run, .answer = ec2_cancel_import,
	 .doc = "Cancels an import task and deletes what it has imported."},
};
const struct api_actions ec2_import_actions = API_ACTIONS(actions);
