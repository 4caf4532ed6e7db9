/* SPDX-License-Identifier: Apache-2.0
 * Access to disks' bytes, by an image whose properties name the disk and the expiry. Called by:
 * api/azure/compute/. */
#include "engine/storage/disk_access.h"

#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/image/image_internal.h"
#include "model/state.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define OF STR("dari:access_of")
#define UNTIL STR("dari:access_until")

int64_t engine_get_disk_access_end(const struct image *image)
{
	int64_t until_us = 0;
	const struct tag *tag = tags_find(image->properties, UNTIL);
	return tag && result_is_ok(str_parse_int(tag->value, &until_us)) ? until_us : 0;
}

const struct image *engine_find_disk_access(const struct tables *t, uuid account, uuid disk)
{
	uuid of = UUID_NONE;
	const struct image *i = image_first_by_owner(t, account);
	for (; i; i = image_next_by_owner(t, i)) {
		const struct tag *tag = row_is_live(&i->row) ? tags_find(i->properties, OF) : NULL;
		if (tag && result_is_ok(uuid_parse(tag->value, &of)) && uuid_equal(of, disk))
			return i;
	}
	return NULL;
}

static RESULT check_free(struct op *op, const struct volume *volume, const struct ref *ref)
{
	const struct instance *holder = instance_find(op->head, volume->instance);
	if (!holder || model_derive_instance_state(holder) == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
			   "Disk is attached to a running VM: access to it is granted while the VM is "
			   "deallocated, or of a snapshot.");
}

static RESULT check_plain(struct op *op, bool is_encrypted, const struct ref *ref)
{
	return is_encrypted ? ENGINE_FAIL(op, ERR_UNSUPPORTED, ref->kind, ref->field,
					  "The disk is encrypted: its bytes are given to nobody.")
			    : OK;
}

static RESULT find_disk(struct op *op, const struct ref *ref, const struct row **ret_row)
{
	const struct volume *volume = NULL;
	const struct snapshot *snapshot = NULL;
	if (ref->kind == KIND_VOLUME) {
		TRY(engine_find_own_volume(op->ctx, op->head, ref, &volume));
		*ret_row = &volume->row;
		return OK;
	}
	TRY(engine_find_own_snapshot(op->ctx, op->head, ref, &snapshot));
	*ret_row = &snapshot->row;
	return OK;
}

static RESULT write_image(struct op *op, const struct row *row, enum kind kind, const struct image_form *form,
			  const struct ref *ref, uuid *ret_image)
{
	if (kind == KIND_VOLUME) {
		TRY(check_plain(op, volume_of(row)->is_encrypted, ref));
		TRY(check_free(op, volume_of(row), ref));
		return image_write_of_volume(op, volume_of(row), form, ret_image);
	}
	TRY(check_plain(op, snapshot_of(row)->is_encrypted, ref));
	return image_write_of_snapshot(op, snapshot_of(row)->account, snapshot_of(row), form, ret_image);
}

RESULT engine_grant_disk_access(struct op *op, struct disk_access_wish *wish)
{
	struct arena *a = op->ctx->arena;
	const struct row *row = NULL;
	TRY(find_disk(op, &wish->disk, &row));
	TRY(engine_permit(op, "volume.grant_access", wish->disk.kind, row));
	if (wish->duration_s < 1 || wish->duration_s > DISK_ACCESS_S_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, wish->disk.kind, STR("durationInSeconds"),
				   "Access to a disk lasts 1 to %d seconds.", DISK_ACCESS_S_MAX);
	const struct image *before = engine_find_disk_access(op->head, engine_get_account(op->ctx), row->id);
	if (before && engine_get_disk_access_end(before) > op->now_us)
		return ENGINE_FAIL(op, ERR_STATE, wish->disk.kind, wish->disk.field,
				   "Access to the disk is granted already: end it first.");
	if (before)
		TRY(image_write_end(op, before));
	struct str until = str_print(a, "%lld", (long long) (op->now_us + wish->duration_s * SECOND));
	const struct tag said[] = {{OF, uuid_to_str(a, row->id)}, {UNTIL, until}};
	const struct image_form form = {
		.name = str_print(a, "access to %" STR_FMT, STR_ARG(uuid_to_str(a, row->id))),
		.visibility = IMAGE_VISIBLE_PRIVATE,
		.is_hidden = true,
		.disk_format = STR("vhd"),
		.container_format = STR("bare"),
		.properties = {said, 2}};
	return write_image(op, row, wish->disk.kind, &form, &wish->disk, &wish->image);
}

RESULT engine_revoke_disk_access(struct op *op, struct disk_access_target *wish)
{
	const struct row *row = NULL;
	TRY(find_disk(op, &wish->disk, &row));
	TRY(engine_permit(op, "volume.revoke_access", wish->disk.kind, row));
	const struct image *image = engine_find_disk_access(op->head, engine_get_account(op->ctx), row->id);
	wish->image = image ? image->row.id : UUID_NONE;
	return image ? image_write_end(op, image) : OK;
}
