/* SPDX-License-Identifier: Apache-2.0
 * Destroys volumes, which can be recovered for a while. Called by: api/cloudstack. reconcile/storage/volume.c
 * deletes them when the time is over. */
#include "engine/storage/volume/volume_destroy.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_internal.h"
#include "store/volume.h"

static int64_t get_delay_us(const struct tables *t)
{
	return engine_get_number(t, SETTING_EXPUNGE_DELAY, EXPUNGE_DELAY_S) * SECOND;
}

int64_t engine_get_volume_expunge_us(const struct tables *t, const struct volume *volume)
{
	return volume->destroyed_us && row_is_live(&volume->row) ? volume->destroyed_us + get_delay_us(t) : 0;
}

static RESULT write_destroyed(struct op *op, uuid id)
{
	struct volume next = *volume_find(op->head, id);
	next.destroyed_us = op->now_us;
	next.row.gen++;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "destroyed",
				"It is deleted in %" PRId64 " s, unless it is recovered.",
				get_delay_us(op->head) / SECOND);
}

RESULT engine_destroy_volume(struct op *op, struct volume_destruction *wish)
{
	struct volume_target target = {.volume = wish->volume};
	struct op_place place = op_place_now(op);
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	uuid id = volume->row.id;
	bool goes = wish->expunges || get_delay_us(op->head) == 0;
	if (volume->destroyed_us && !goes)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT "' is destroyed.", STR_ARG(wish->volume.text));
	TRY(engine_delete_volume(op, &target));
	if (goes)
		return OK;
	op_go_back(op, place); /* the deletion has shown that nothing keeps the volume */
	return write_destroyed(op, id);
}

RESULT engine_recover_volume(struct op *op, struct volume_destruction *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "volume.recover", &volume));
	if (!volume->destroyed_us)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT "' is not destroyed.", STR_ARG(wish->volume.text));
	struct volume next = *volume;
	next.destroyed_us = 0;
	next.row.gen++;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "recovered", "It is not deleted any more.");
}

RESULT engine_expunge_volume(struct op *op, struct volume_expunging *wish)
{
	const struct volume *volume = volume_find(op->head, wish->volume);
	int64_t due_us = volume ? engine_get_volume_expunge_us(op->head, volume) : 0;
	return due_us && op->now_us >= due_us ? volume_delete_metered(op, volume) : OK;
}
