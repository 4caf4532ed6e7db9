/* SPDX-License-Identifier: Apache-2.0
 * Image data: upload, stage, download and import. An upload streams into a file after the caller is
 * authorized; the file is examined outside the HTTP threads. */
#include "api/core/image_data.h"
#include "api/openstack/image/images.h"
#include "drivers/image/image_file.h"
#include "engine/quota.h"
#include "model/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

/* ---- upload ---- */

struct os_upload {
	struct image_filling wish;
	struct image_staging staging;
	struct api_image_sink data;
};
static const struct param upload_params[] = {OS_IMAGE_PATH(struct os_upload, wish.image)};

/* Runs once the headers have arrived. */
static RESULT prepare_upload(struct os_call *e, void *args)
{
	struct os_upload *a = args;
	const struct image *image = NULL;
	if (!str_starts_with(call_header(e->call, "Content-Type"), STR("application/octet-stream")))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Content-Type"),
				      "Data of images are sent as application/octet-stream.");
	TRY(os_find_changed_image(e, &a->wish.image, &image));
	TRY(engine_check_image_takes_data(e->c, os_tables(e), image));
	if (!e->config->reconciler)
		return ctx_fail(e->c, ERR_GONE, "there is no image store here");
	e->image = image->row.id;
	const struct disk_payer payer = engine_pay_disk(os_tables(e), image->account, KIND_IMAGE);
	return api_take_image_data(e->call, reconciler_image_directory(e->config->reconciler), &payer,
				   image->disk_format, &a->data);
}

/* Runs once the data have arrived, on the worker thread of the image. */
static RESULT keep_upload(struct work_item *w)
{
	struct os_upload *a = ((struct os_call *) w->arg)->args;
	TRY(a->data.sink.result);
	return api_keep_image_upload(w->ctx, a->data.upload, a->data.format, &a->wish);
}

static void undo_upload(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct os_upload *a = e->args;
	reconciler_drop_upload(e->config->reconciler, a->data.upload);
}

/* ---- stage ---- */

/* Stores the data as they are; their format is examined at import. */
static RESULT keep_staged(struct work_item *w)
{
	struct os_upload *a = ((struct os_call *) w->arg)->args;
	struct image_digests digests = {0};
	TRY(a->data.sink.result);
	TRY(image_upload_stage(a->data.upload, w->ctx, &digests));
	a->staging = (struct image_staging){.image = a->wish.image,
					    .data_size = digests.size,
					    .md5 = digests.md5,
					    .sha256 = digests.sha256,
					    .sha512 = digests.sha512};
	return OK;
}

static RESULT stage_image(struct op *op, void *wish)
{
	return engine_stage_image(op, &((struct os_upload *) wish)->staging);
}

/* ---- download ---- */

static const struct param target_params[] = {OS_IMAGE_PATH(struct os_image_target, image)};

static RESULT open_data(struct os_call *e, void *args)
{
	const struct os_image_target *a = args;
	const struct image *image = NULL;
	TRY(engine_find_image(e->c, os_tables(e), &a->image, &image));
	if (image->is_deactivated && !os_is_admin(e))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_IMAGE,
				     "The requested image has been deactivated.");
	TRY(api_open_image_data(&e->core, image));
	e->has_no_body = !e->file;
	if (!e->file)
		e->status = 204;
	else if (image->data_md5.n)
		call_set_answer_header(e->call, "Content-MD5", image->data_md5);
	return OK;
}

/* ---- import ---- */

struct os_import {
	struct image_fetching wish;
	struct os_import_method {
		struct str name, uri;
	} method;
	bool is_staged;
};
static const struct param method_params[] = {
	OS_BODY(struct os_import_method, "name", name, .flags = REQUIRED,
		.words = "web-download|glance-direct", .doc = "Import method."),
	OS_BODY(struct os_import_method, "uri", uri, .max = 4096,
		.doc = "URL for web-download: http or https."),
};
static const struct params method_table = OS_PARAMS(struct os_import_method, method_params);
static const struct param import_params[] = {
	OS_IMAGE_PATH(struct os_import, wish.image),
	OS_BODY_OBJECT(struct os_import, "method", method, method_table, .flags = REQUIRED,
		       .doc = "Import method."),
	OS_UNBUILT("stores"),
	OS_UNBUILT("all_stores", .only = "true|false"),
	OS_UNBUILT("all_stores_must_succeed", .only = "true|false"),
};

static RESULT prepare_import(struct os_call *e, void *args)
{
	struct os_import *a = args;
	const struct image *image = NULL;
	a->is_staged = str_is(a->method.name, "glance-direct");
	if (a->is_staged == (a->method.uri.n > 0))
		return ctx_fail_field(e->c, ERR_INVALID, STR("method.uri"),
				      "web-download needs a uri, and glance-direct has none.");
	a->wish.url = a->method.uri;
	return os_find_changed_image(e, &a->wish.image, &image);
}

static RESULT import_image(struct op *op, void *wish)
{
	struct os_import *a = wish;
	struct image_importing staged = {.image = a->wish.image};
	return a->is_staged ? engine_use_staged_image(op, &staged) : engine_fetch_image(op, &a->wish);
}

static RESULT show_methods(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open(w, "import-methods");
	json_write_z(w, "description", "Import methods available.");
	json_write_z(w, "type", "array");
	json_write_open_list(w, "value");
	json_write_z(w, NULL, "glance-direct");
	json_write_z(w, NULL, "web-download");
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_PUT, "/v2/images/{image_id}/file", .permit = "upload_image",
	 .flags = API_WRITES | OS_RAW_BODY | OS_UPLOAD, .status = 204,
	 .args = OS_PARAMS(struct os_upload, upload_params), .prepare = prepare_upload, .work = keep_upload,
	 .undo = undo_upload, .operation = engine_fill_image_run, .doc = "Uploads the data of an image."},
	{HTTP_GET, "/v2/images/{image_id}/file", .permit = "download_image",
	 .args = OS_PARAMS(struct os_image_target, target_params), .prepare = open_data,
	 .doc = "Downloads the data of an image, as they were uploaded."},
	{HTTP_POST, "/v2/images/{image_id}/import", .permit = "modify_image", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_import, import_params), .prepare = prepare_import,
	 .operation = import_image,
	 .doc = "Imports the data of an image from a URL, or from the staging area."},
	{HTTP_PUT, "/v2/images/{image_id}/stage", .permit = "modify_image",
	 .flags = API_WRITES | OS_RAW_BODY | OS_UPLOAD, .status = 204,
	 .args = OS_PARAMS(struct os_upload, upload_params), .prepare = prepare_upload, .work = keep_staged,
	 .undo = undo_upload, .operation = stage_image,
	 .doc = "Uploads data to the staging area of an image."},
	{HTTP_GET, "/v2/info/import", .permit = "get_images", .answer = show_methods,
	 .doc = "Lists the import methods."},
};
const struct os_actions os_image_data_actions = OS_ACTIONS(OS_IMAGE, actions);
