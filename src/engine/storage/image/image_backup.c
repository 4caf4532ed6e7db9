/* SPDX-License-Identifier: Apache-2.0
 * Nova's backups: images of an instance, of which only the newest of each type stay. Called by:
 * api/openstack. */
#include "engine/internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/states.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"

bool engine_is_being_imaged(const struct tables *t, uuid instance)
{
	for (const struct image *i = image_first_by_source_instance(t, instance); i;
	     i = image_next_by_source_instance(t, i))
		if (row_is_live(&i->row) && engine_derive_image_state(t, i) == IMAGE_PENDING)
			return true;
	return false;
}

static bool is_backup(const struct image *image, const struct image_backing_up *wish)
{
	const struct tag *kind = tags_find(image->properties, STR("image_type"));
	const struct tag *type = tags_find(image->properties, STR("backup_type"));
	return row_is_live(&image->row) && !image->is_protected && kind && str_is(kind->value, "backup") &&
	       type && str_equal(type->value, wish->type);
}

static const struct image *find_oldest(const struct tables *t, uuid instance,
				       const struct image_backing_up *wish, int64_t *ret_count)
{
	const struct image *oldest = NULL;
	*ret_count = 0;
	for (const struct image *i = image_first_by_source_instance(t, instance); i;
	     i = image_next_by_source_instance(t, i)) {
		if (!is_backup(i, wish))
			continue;
		++*ret_count;
		if (!oldest || i->row.created_us < oldest->row.created_us)
			oldest = i;
	}
	return oldest;
}

/* Deletes the snapshots that were made for the backup; keeps those in use by something else meanwhile. */
static RESULT delete_snapshots(struct op *op, struct uuids snapshots)
{
	for (size_t k = 0; k < snapshots.count; k++) {
		struct snapshot_target target = {
			.snapshot = {.kind = KIND_SNAPSHOT,
				     .prefix = snapshots.at[k],
				     .bits = 128,
				     .text = engine_write_id(op, KIND_SNAPSHOT, snapshots.at[k])}};
		struct result result = engine_delete_snapshot(op, &target);
		if (result.code != ERR_IN_USE)
			TRY(result);
		ctx_clear_problem(op->ctx);
	}
	return OK;
}

/* Bound snapshots are deleted with their image. */
static bool is_visible(const struct op *op, uuid snapshot)
{
	const struct snapshot *s = snapshot_find(op->head, snapshot);
	return s && row_is_live(&s->row) && !s->is_bound;
}

static RESULT delete_backup(struct op *op, const struct image *image)
{
	VEC(uuid) snapshots = {0};
	for (const struct image_device *d = image_device_first_by_image(op->head, image->row.id); d;
	     d = image_device_next_by_image(op->head, d))
		if (is_visible(op, d->snapshot) && !VEC_PUSH(op->ctx->arena, &snapshots, d->snapshot))
			return ctx_no_memory(op->ctx);
	struct image_target target = {.image = {.kind = KIND_IMAGE,
						.prefix = image->row.id,
						.bits = 128,
						.text = engine_write_id(op, KIND_IMAGE, image->row.id)}};
	TRY(engine_delete_image(op, &target));
	return delete_snapshots(op, (struct uuids){snapshots.at, snapshots.count});
}

RESULT engine_back_up_instance(struct op *op, struct image_backing_up *wish)
{
	const struct instance *instance = NULL;
	int64_t count = 0;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->capture.instance, &instance));
	if (instance->root_is_volume)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, wish->capture.instance.field,
				   "Backup is not supported for volume-backed instances.");
	TRY(engine_capture_image(op, &wish->capture));
	for (;;) {
		const struct image *oldest = find_oldest(op->head, instance->row.id, wish, &count);
		if (count <= wish->rotation)
			return OK;
		TRY(delete_backup(op, oldest));
	}
}
