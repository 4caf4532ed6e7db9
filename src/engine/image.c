/* SPDX-License-Identifier: Apache-2.0
 * Images. What happens next: hosts fetch a snapshot's file when the first disk is made from it. */
#include "engine/image.h"

#include "engine/instance.h"
#include "engine/internal.h"

#define GIBIBYTE (INT64_C(1) << 30)

/* ---- states ---- */

enum image_state engine_derive_image_state(const struct tables *t, const struct image *image)
{
	enum image_state state = IMAGE_AVAILABLE;
	if (!row_is_live(&image->row))
		return IMAGE_DEREGISTERED;
	for (const struct image_device *d = image_device_first_by_image(t, image->row.id); d;
	     d = image_device_next_by_image(t, d)) {
		const struct snapshot *snapshot = snapshot_find(t, d->snapshot);
		if (uuid_is_none(d->snapshot))
			continue;
		if (!snapshot || model_derive_snapshot_state(snapshot) == SNAPSHOT_ERROR)
			return IMAGE_FAILED;
		if (engine_snapshot_is_pending(snapshot))
			state = IMAGE_PENDING;
	}
	return state;
}

/* ---- making ---- */

static RESULT check_name(struct op *op, uuid account, struct str name)
{
	if (name.n < 1 || name.n > 255 || !str_is_xml_text(name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_IMAGE,
				     "An image's name has 1 to 255 characters.");
	if (image_find_by_account(op->head, account, name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_IMAGE,
				     "The image name '%" STR_FMT "' is taken already.", STR_ARG(name));
	return OK;
}

RESULT image_write(struct op *op, struct image *image, const struct disk_plans *disks)
{
	TRY(check_name(op, image->account, image->name));
	TRY(quota_check(op, image->account, QUOTA_IMAGES, 1));
	image->row.id = engine_new_id(op, KIND_IMAGE);
	image->row.gen = 1;
	image->root_device = disks->at[0].device;
	TRY(image_put(op, image));
	for (size_t n = 0; n < disks->count; n++) {
		const struct disk_plan *disk = &disks->at[n];
		struct image_device device = {.row.id = engine_new_id(op, KIND_IMAGE_DEVICE),
					      .row.gen = 1,
					      .image = image->row.id,
					      .number = (int64_t) n,
					      .device = disk->device,
					      .snapshot = disk->snapshot ? disk->snapshot->row.id : UUID_NONE,
					      .size = disk->size,
					      .type = disk->type,
					      .iops = disk->iops,
					      .throughput = disk->throughput,
					      .delete_on_termination = disk->delete_on_termination};
		TRY(image_device_put(op, &device));
	}
	return engine_tell(op, KIND_IMAGE, &image->row, "registered", "Image %" STR_FMT ".",
			   STR_ARG(image->name));
}

/* Of a file that is kept already. */
static RESULT write_imported_snapshot(struct op *op, const struct image_import *wish, uuid account,
				      struct snapshot *ret_snapshot)
{
	*ret_snapshot = (struct snapshot){
		.row.id = engine_new_id(op, KIND_SNAPSHOT),
		.row.gen = 1,
		.account = account,
		.description = str_print(op->ctx->arena, "Imported for image %" STR_FMT, STR_ARG(wish->name)),
		.volume_size = wish->virtual_size,
		.sha256 = wish->sha256,
		.file_size = wish->file_size,
		.progress = 100,
		.seen_stage = SNAPSHOT_SEEN_STAGE_KEPT,
		.seen_gen = 1,
	};
	TRY(quota_check(op, account, QUOTA_SNAPSHOTS, 1));
	return snapshot_put(op, ret_snapshot);
}

RESULT engine_import_image(struct op *op, struct image_import *wish)
{
	uuid account = engine_get_account(op->ctx);
	TRY(check_name(op, account, wish->name));
	if (wish->virtual_size <= 0 || str_is_empty(wish->sha256))
		return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_IMAGE,
				     "An image's file has a size and a digest.");
	if (wish->secure_boot && wish->boot_mode != IMAGE_BOOT_MODE_UEFI &&
	    wish->boot_mode != IMAGE_BOOT_MODE_UEFI_PREFERRED)
		return ctx_fail_kind(op->ctx, ERR_COMBINATION, KIND_IMAGE, "Secure boot needs UEFI.");
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	struct image image = {.account = account,
			      .name = wish->name,
			      .description = wish->description,
			      .is_public = wish->is_public,
			      .arch = wish->arch,
			      .personality = wish->personality,
			      .platform = wish->platform,
			      .boot_mode = wish->boot_mode,
			      .secure_boot = wish->secure_boot,
			      .tpm = wish->tpm,
			      .disk_bus = wish->disk_bus,
			      .nic_model = wish->nic_model};
	TRY(tags_normalize(op, wish->tags, &image.tags));
	struct snapshot snapshot;
	TRY(write_imported_snapshot(op, wish, account, &snapshot));
	struct disk_plans disks = {.at = {{.device = INSTANCE_ROOT_DEVICE,
					   .snapshot = &snapshot,
					   .size = (wish->virtual_size + GIBIBYTE - 1) / GIBIBYTE * GIBIBYTE,
					   .type = STR("gp3"),
					   .delete_on_termination = true}},
				   .count = 1};
	TRY(image_write(op, &image, &disks));
	wish->image = image.row.id;
	wish->snapshot = snapshot.row.id;
	return OK;
}

/* ---- the end ---- */

/* No driver holds a device: they go at once, and with them what holds their snapshots. */
static RESULT forget_devices(struct op *op, uuid image)
{
	const struct image_device *device = image_device_first_by_image(op->head, image), *next = NULL;
	for (; device; device = next) {
		next = image_device_next_by_image(op->head, device);
		TRY(image_device_forget(op, device->row.id));
	}
	return OK;
}

RESULT engine_delete_image(struct op *op, struct image_target *wish)
{
	const struct image *image = NULL;
	TRY(engine_find_own_image(op->ctx, op->head, &wish->image, &image));
	TRY(engine_permit(op, "image.delete", KIND_IMAGE, &image->row));
	TRY(forget_devices(op, image->row.id));
	TRY(image_delete(op, image->row.id));
	return engine_tell(op, KIND_IMAGE, &image->row, "deregistered", "Image %" STR_FMT ".",
			   STR_ARG(image->name));
}

RESULT engine_forget_image(struct op *op, struct image_forget *wish)
{
	const struct image *image = image_find(op->head, wish->image);
	if (!image)
		return OK;
	if (row_is_live(&image->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_IMAGE, "The image is not deleted.");
	if (instance_first_by_image(op->head, wish->image))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_IMAGE, "Instances are made from the image.");
	TRY(condition_clear_all(op, wish->image));
	return image_forget(op, wish->image);
}
