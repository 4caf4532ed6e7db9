/* SPDX-License-Identifier: Apache-2.0
 * Volumes. What happens next: reconcile/volume.c makes the disk on its host, or removes it. */
#include "engine/volume.h"

#include "engine/instance.h"
#include "engine/internal.h"

struct str volume_meter(const struct op *op, const struct volume *volume)
{
	return str_print(op->ctx->arena, "volume:%" STR_FMT, STR_ARG(volume->type));
}

void volume_leave_instance(struct volume *volume)
{
	volume->instance = volume->seen_instance = UUID_NONE;
	volume->device = STR_NONE;
	volume->device_slot = 0;
	volume->attached_us = 0;
	volume->delete_on_termination = false;
}

RESULT volume_delete_metered(struct op *op, const struct volume *volume)
{
	TRY(volume_delete(op, volume->row.id));
	TRY(op_usage(op, KIND_VOLUME, volume->row.id, volume->account, volume_meter(op, volume), 0));
	return engine_tell(op, KIND_VOLUME, &volume->row, "deleted", "Volume of %lld bytes.",
			   (long long) volume->size);
}

RESULT engine_delete_volume(struct op *op, struct volume_target *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_permit(op, "volume.delete", KIND_VOLUME, &volume->row));
	if (model_derive_attachment(volume->instance, volume->seen_instance) != ATTACHMENT_NONE)
		return ENGINE_FAIL(
			op, ERR_IN_USE, KIND_VOLUME, wish->volume.field,
			"Volume %" STR_FMT " is currently attached to %" STR_FMT, STR_ARG(wish->volume.text),
			STR_ARG(engine_write_id(op, KIND_INSTANCE,
						uuid_is_none(volume->instance) ? volume->seen_instance
									       : volume->instance)));
	return volume_delete_metered(op, volume);
}

/* A disk that was there and is not any more stays as it was seen: that is nothing to go on from. */
static RESULT tell_missing(struct op *op, const struct volume *volume)
{
	return condition_set(op, KIND_VOLUME, volume->row.id, "DiskMissing",
			     STR("Its host does not have the disk."),
			     "Bring the disk back, or delete the volume.");
}

RESULT engine_see_volume(struct op *op, struct volume_sight *sight)
{
	const struct volume *volume = volume_find(op->head, sight->volume);
	if (!volume)
		return OK;
	bool is_live = row_is_live(&volume->row);
	if (is_live && sight->size == 0 && volume->seen_size > 0)
		return tell_missing(op, volume);
	struct volume next = *volume;
	if ((int64_t) sight->gen > next.seen_gen)
		next.seen_gen = (int64_t) sight->gen;
	/* A look that is older than the last wish says nothing about a disk that was to go since. */
	if (is_live || sight->gen == volume->row.gen) {
		next.seen_size = sight->size;
		next.seen_host = sight->size > 0 ? sight->host : UUID_NONE;
	}
	if (row_equal(&model_kinds[KIND_VOLUME], &volume->row, &next.row))
		return OK;
	TRY(condition_clear(op, volume->row.id, STR("DiskMissing")));
	return volume_put(op, &next);
}

/* ---- plugged ---- */

static RESULT write_seen_in(struct op *op, const struct volume *volume, uuid instance)
{
	struct volume next = *volume;
	next.seen_instance = instance;
	if (model_derive_attachment(next.instance, instance) == ATTACHMENT_NONE)
		volume_leave_instance(&next);
	return volume_put(op, &next);
}

RESULT volume_see_plugged(struct op *op, const struct instance_sight *sight)
{
	bool is_absent = sight->power == INSTANCE_SEEN_POWER_ABSENT;
	if (!is_absent && !sight->devices_known)
		return OK;
	const struct volume *volume = volume_first_by_seen_instance(op->head, sight->instance), *next = NULL;
	for (; volume; volume = next) {
		next = volume_next_by_seen_instance(op->head, volume);
		if (is_absent || !uuids_have(&sight->volumes, volume->row.id))
			TRY(write_seen_in(op, volume, UUID_NONE));
	}
	for (size_t k = 0; k < sight->volumes.count && !is_absent; k++) {
		volume = volume_find(op->head, sight->volumes.at[k]);
		if (volume && !uuid_equal(volume->seen_instance, sight->instance))
			TRY(write_seen_in(op, volume, sight->instance));
	}
	return OK;
}

RESULT engine_forget_volume(struct op *op, struct volume_sight *sight)
{
	const struct volume *volume = volume_find(op->head, sight->volume);
	if (!volume)
		return OK;
	if (row_is_live(&volume->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_VOLUME, "The volume is not deleted.");
	TRY(condition_clear_all(op, sight->volume));
	return volume_forget(op, sight->volume);
}
