/* SPDX-License-Identifier: Apache-2.0
 * Image data from a URL or from an upload. An upload is streamed to a file once its headers have
 * authenticated the call; the file is inspected off the HTTP threads.
 */
#include "api/core/image_data.h"
#include "api/native/write.h"
#include "drivers/image/image_file.h"
#include "engine/quota.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "reconcile/reconcile.h"

/* ---- an image that waits for its data ---- */

struct import_args {
	struct image_creation wish; /* first member: passed to the operation */
	struct str format, platform, boot_mode, url;
};
#define I(name, member, ...) PARAM(struct import_args, name, member, __VA_ARGS__)
static const struct param import_params[] = {
	I("name", wish.form.name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Name."),
	I("description", wish.form.description, .max = 255, .doc = "Description: free text."),
	I("format", format, .words = "qcow2|raw|vmdk|vhd|vhdx|iso", .absent = "qcow2",
	  .doc = "Format of the uploaded data."),
	I("platform", platform, .words = "linux|windows", .absent = "linux",
	  .doc = "Operating system of the guests."),
	I("boot_mode", boot_mode, .words = "unsaid|legacy-bios|uefi|uefi-preferred", .absent = "unsaid",
	  .doc = "Boot mode of the firmware; unsaid: BIOS."),
	I("min_disk", wish.form.min_disk, .min = 0, .max = INT64_MAX,
	  .doc = "Minimum size of the root disk, in bytes."),
	I("url", url, .max = 2048,
	  .doc = "URL to fetch the data from, http or https; absent: the data are uploaded."),
};

static RESULT prepare_import(struct native_call *e, void *args)
{
	struct import_args *a = args;
	struct image_form *form = &a->wish.form;
	(void) e;
	form->disk_format = a->format;
	form->container_format = STR("bare");
	form->platform = (enum image_platform) native_place_of_word(image_platform_words, a->platform);
	form->boot_mode = (enum image_boot_mode) native_place_of_word(image_boot_mode_words, a->boot_mode);
	return OK;
}

static RESULT import(struct op *op, void *args)
{
	struct import_args *a = args;
	TRY(engine_create_image(op, &a->wish));
	if (!a->url.n)
		return OK;
	struct image_fetching fetching = {.image = ref_by_id(KIND_IMAGE, a->wish.image), .url = a->url};
	return engine_fetch_image(op, &fetching);
}

/* ---- a file that is sent ---- */

struct upload_args {
	struct image_filling wish; /* first member: passed to the operation */
	struct api_image_sink data;
};

/* Runs when the headers are there, before the data. */
static RESULT prepare_upload(struct native_call *e, void *args)
{
	struct upload_args *a = args;
	const struct row *row = NULL;
	if (!str_starts_with(call_header(e->call, "Content-Type"), STR(NATIVE_DATA_TYPE)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Content-Type"),
				      "Data of images are sent as " NATIVE_DATA_TYPE ".");
	TRY(native_find_row(e, KIND_IMAGE, &e->target, &row));
	if (!engine_is_own(e->c, KIND_IMAGE, row))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_IMAGE, "The image is another account's.");
	TRY(engine_check_image_takes_data(e->c, native_tables(e), image_of(row)));
	if (!e->config->reconciler)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "There is no image store here.");
	e->image = row->id;
	const struct disk_payer payer = engine_pay_disk(native_tables(e), image_of(row)->account, KIND_IMAGE);
	return api_take_image_data(e->call, reconciler_image_directory(e->config->reconciler), &payer,
				   image_of(row)->disk_format, &a->data);
}

/* Runs when the data are there, on the image's worker thread. */
static RESULT keep_upload(struct work_item *w)
{
	struct upload_args *a = ((struct native_call *) w->arg)->args;
	TRY(a->data.sink.result);
	return api_keep_image_upload(w->ctx, a->data.upload, a->data.format, &a->wish);
}

static void undo_upload(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct upload_args *a = e->args;
	reconciler_drop_upload(e->config->reconciler, a->data.upload);
}

static const struct native_action actions[] = {
	CREATE("/images/import", "ec2:ImportImage", IMAGE, .args = PARAMS(struct import_args, import_params),
	       .prepare = prepare_import, .operation = import,
	       .doc = "Creates an image whose data are fetched from a URL or uploaded afterwards."),
	CHANGE_ROW(PUT, "/images/{id}/data", "ec2:ImportImage", IMAGE, KIND_IMAGE,
		   NATIVE_RAW_BODY | NATIVE_UPLOAD, .args = {.size = sizeof(struct upload_args)},
		   .target = NATIVE_AT(upload_args, wish.image), .prepare = prepare_upload,
		   .work = keep_upload, .undo = undo_upload, .operation = engine_fill_image_run,
		   .doc = "Uploads the data of an image, as " NATIVE_DATA_TYPE "."),
};
const struct api_actions native_image_data_actions = API_ACTIONS(actions);
