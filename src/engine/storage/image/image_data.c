/* SPDX-License-Identifier: Apache-2.0
 * Data of images that get them after their creation: uploaded by a face, which puts them into the image
 * store, or fetched (reconcile/storage/image.c). They become the root disk's snapshot, which is deleted with the
 * image. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/image/image_internal.h"
#include "engine/storage/sending.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

#define GIBIBYTE (INT64_C(1) << 30)

bool engine_image_is_empty(const struct tables *t, const struct image *image)
{
	return row_is_live(&image->row) && !image_device_first_by_image(t, image->row.id);
}

RESULT engine_check_image_takes_data(struct ctx *c, const struct tables *t, const struct image *image)
{
	const char *why = !engine_image_is_empty(t, image) ? "has its data already"
			  : image->fetch_url.n             ? "is being fetched"
			  : image->data_size               ? "has its data staged already"
			  : image->disk_format.n == 0      ? "has no disk format"
			  : image->container_format.n == 0 ? "has no container format"
							   : NULL;
	return why ? ctx_fail_kind(
			     c, image->container_format.n && image->disk_format.n ? ERR_STATE : ERR_MISSING,
			     KIND_IMAGE, "The image '%" STR_FMT "' %s.", STR_ARG(image->name), why)
		   : OK;
}

RESULT engine_fetch_image(struct op *op, struct image_fetching *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	if (wish->url.n > 4096 ||
	    (!str_starts_with(wish->url, STR("http://")) && !str_starts_with(wish->url, STR("https://"))))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("uri"),
				   "Images are fetched from http and https addresses of up to 4096 bytes.");
	TRY(engine_check_image_takes_data(op->ctx, op->head, image));
	struct image next = *image;
	next.fetch_url = wish->url;
	next.row.gen++;
	TRY(condition_clear(op, image->row.id, STR("NotFetched")));
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "fetch asked", "From %" STR_FMT ".",
				STR_ARG(wish->url));
}

RESULT engine_stage_image(struct op *op, struct image_staging *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	TRY(engine_check_image_takes_data(op->ctx, op->head, image));
	if (wish->data_size <= 0)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, wish->image.field, "There are no data.");
	struct image next = *image;
	next.data_size = wish->data_size;
	next.data_md5 = wish->md5;
	next.data_sha256 = wish->sha256;
	next.data_sha512 = wish->sha512;
	next.row.gen++;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "staged", "%lld bytes.",
				(long long) wish->data_size);
}

RESULT engine_use_staged_image(struct op *op, struct image_importing *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	if (!engine_image_is_empty(op->head, image) || !image->data_size || image->is_imported)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' has no data staged.", STR_ARG(wish->image.text));
	struct image next = *image;
	next.is_imported = true;
	next.row.gen++;
	TRY(condition_clear(op, image->row.id, STR("NotFetched")));
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "import asked", "Of what is staged.");
}

/* Checks the disk quota here, because the file's size is known only now. */
static RESULT write_root_disk(struct op *op, const struct image *image, const struct image_filling *wish)
{
	struct snapshot snapshot = {.account = image->account,
				    .description = str_print(op->ctx->arena, "Data of image %" STR_FMT,
							     STR_ARG(str_cut(image->name, 200))),
				    .volume_size = wish->virtual_size,
				    .sha256 = wish->sha256,
				    .file_size = wish->file_size,
				    .is_bound = true};
	TRY(quota_check_disk(op, image->account, wish->file_size, KIND_IMAGE));
	TRY(image_write_file_snapshot(op, &snapshot));
	int64_t size = wish->virtual_size > image->min_disk ? wish->virtual_size : image->min_disk;
	struct disk_plans disks = {.at = {{.device = INSTANCE_ROOT_DEVICE,
					   .snapshot = &snapshot,
					   .size = (size + GIBIBYTE - 1) / GIBIBYTE * GIBIBYTE,
					   .type = STR("gp3"),
					   .delete_on_termination = true}},
				   .count = 1};
	return image_write_disks(op, image->row.id, &disks);
}

RESULT engine_fill_image(struct op *op, struct image_filling *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	if (wish->gen && (wish->gen != image->row.gen || (!image->fetch_url.n && !image->is_imported)))
		return OK; /* no longer wanted, or not like this */
	if (!engine_image_is_empty(op->head, image) ||
	    (!wish->gen && (image->fetch_url.n || image->data_size)))
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' has its data already, or fetches them.",
				   STR_ARG(wish->image.text));
	struct image next = *image;
	next.root_device = INSTANCE_ROOT_DEVICE;
	next.data_size = wish->data_size;
	next.data_md5 = wish->md5;
	next.data_sha256 = wish->data_sha256;
	next.data_sha512 = wish->sha512;
	next.fetch_url = STR_NONE;
	next.is_imported = false;
	next.sending = IMAGE_SENDING_NONE;
	next.sending_until_us = 0;
	next.row.gen++;
	TRY(condition_clear(op, image->row.id, STR("NotFetched")));
	TRY(image_put(op, &next));
	TRY(write_root_disk(op, &next, wish));
	return engine_log_event(op, KIND_IMAGE, &next.row, "filled", "With %lld bytes, a disk of %lld.",
				(long long) wish->data_size, (long long) wish->virtual_size);
}

bool engine_image_is_to_be_exported(const struct tables *t, const struct image *image)
{
	const struct image_device *device = image_device_first_by_image(t, image->row.id);
	const struct snapshot *root = device ? snapshot_find(t, device->snapshot) : NULL;
	return row_is_live(&image->row) && image->is_exported && !image->data_size && root &&
	       model_derive_snapshot_state(root) == SNAPSHOT_COMPLETED;
}

RESULT engine_see_image_exported(struct op *op, struct image_exported *wish)
{
	const struct image *image = image_find(op->head, wish->image);
	if (!image || !engine_image_is_to_be_exported(op->head, image))
		return OK;
	struct image next = *image;
	next.data_size = wish->data_size;
	next.data_md5 = wish->md5;
	next.data_sha256 = wish->sha256;
	next.data_sha512 = wish->sha512;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "exported", "%lld bytes, as %" STR_FMT ".",
				(long long) wish->data_size, STR_ARG(next.disk_format));
}

RESULT engine_fail_image(struct op *op, struct image_failing *wish)
{
	const struct image *image = image_find(op->head, wish->image);
	if (!image || !row_is_live(&image->row) || image->row.gen != wish->gen)
		return OK;
	struct image next = *image;
	next.fetch_url = next.data_md5 = next.data_sha256 = next.data_sha512 = STR_NONE;
	next.data_size = 0;
	next.is_imported = false;
	next.row.gen++;
	TRY(image_put(op, &next));
	return condition_set(op, KIND_IMAGE, image->row.id, "NotFetched", wish->problem,
			     "Ask for it once more when it can be had, or upload the data.");
}

/* ---- uploads that are awaited ---- */

RESULT engine_await_image(struct op *op, struct image_creation *wish)
{
	TRY(engine_create_image(op, wish));
	struct image next = *image_find(op->head, wish->image);
	next.sending = IMAGE_SENDING_WAITING;
	next.sending_until_us = op->now_us + SENDING_WAITS_US;
	return image_put(op, &next);
}

static RESULT end_of_image(struct op *op, const struct sending_end *wish)
{
	const struct image *image = image_find(op->head, wish->id);
	if (!image || !row_is_live(&image->row) || image->sending != IMAGE_SENDING_WAITING ||
	    (!wish->failed && op->now_us < image->sending_until_us))
		return OK;
	struct image next = *image;
	next.sending = wish->failed ? IMAGE_SENDING_FAILED : IMAGE_SENDING_ABANDONED;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "not filled",
				wish->failed ? "What was sent is no disk." : "Nothing was sent in time.");
}

RESULT engine_end_sending(struct op *op, struct sending_end *wish)
{
	return wish->kind == KIND_IMAGE ? end_of_image(op, wish) : volume_end_sending(op, wish);
}
