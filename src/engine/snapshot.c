/* SPDX-License-Identifier: Apache-2.0
 * Snapshots. What happens next: reconcile/snapshot.c cuts them and keeps their files. */
#include "engine/snapshot.h"

#include "engine/internal.h"

static struct str snapshot_meter(void)
{
	return STR("snapshot");
}

bool engine_snapshot_is_pending(const struct snapshot *snapshot)
{
	return model_derive_snapshot_state(snapshot) == SNAPSHOT_PENDING;
}

RESULT engine_delete_snapshot(struct op *op, struct snapshot_target *wish)
{
	const struct snapshot *snapshot = NULL;
	TRY(engine_find_own_snapshot(op->ctx, op->head, &wish->snapshot, &snapshot));
	TRY(engine_permit(op, "snapshot.delete", KIND_SNAPSHOT, &snapshot->row));
	const struct image_device *device = image_device_first_by_snapshot(op->head, snapshot->row.id);
	if (device)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_SNAPSHOT, wish->snapshot.field,
				   "The snapshot %" STR_FMT " is currently in use by %" STR_FMT,
				   STR_ARG(wish->snapshot.text),
				   STR_ARG(engine_write_id(op, KIND_IMAGE, device->image)));
	TRY(snapshot_delete(op, snapshot->row.id));
	TRY(op_usage(op, KIND_SNAPSHOT, snapshot->row.id, snapshot->account, snapshot_meter(), 0));
	return engine_tell(op, KIND_SNAPSHOT, &snapshot->row, "deleted", "Snapshot of %lld bytes.",
			   (long long) snapshot->volume_size);
}

static void apply_sight(const struct snapshot_sight *sight, struct snapshot *next)
{
	if ((int64_t) sight->gen > next->seen_gen)
		next->seen_gen = (int64_t) sight->gen;
	if (sight->stage > next->seen_stage)
		next->seen_stage = sight->stage;
	if (sight->progress > next->progress)
		next->progress = sight->progress;
	if (sight->volume_size > 0)
		next->volume_size = sight->volume_size;
	if (sight->stage == SNAPSHOT_SEEN_STAGE_KEPT) {
		next->progress = 100;
		next->sha256 = sight->sha256;
		next->file_size = sight->file_size;
	}
	next->problem = sight->problem;
}

RESULT engine_see_snapshot(struct op *op, struct snapshot_sight *sight)
{
	const struct snapshot *snapshot = snapshot_find(op->head, sight->snapshot);
	if (!snapshot || !engine_snapshot_is_pending(snapshot))
		return OK;
	struct snapshot next = *snapshot;
	apply_sight(sight, &next);
	if (row_equal(&model_kinds[KIND_SNAPSHOT], &snapshot->row, &next.row))
		return OK;
	TRY(snapshot_put(op, &next));
	enum snapshot_state state = model_derive_snapshot_state(&next);
	if (state == SNAPSHOT_ERROR)
		return engine_tell(op, KIND_SNAPSHOT, &next.row, "failed", "%" STR_FMT,
				   STR_ARG(next.problem));
	if (state != SNAPSHOT_COMPLETED)
		return OK;
	TRY(op_usage(op, KIND_SNAPSHOT, next.row.id, next.account, snapshot_meter(), next.file_size));
	return engine_tell(op, KIND_SNAPSHOT, &next.row, "completed", "It takes %lld bytes.",
			   (long long) next.file_size);
}

RESULT engine_leave_snapshot_host(struct op *op, struct snapshot_leaving *wish)
{
	const struct snapshot *snapshot = snapshot_find(op->head, wish->snapshot);
	if (!snapshot || uuid_is_none(snapshot->host))
		return OK;
	if (engine_snapshot_is_pending(snapshot))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SNAPSHOT, "The snapshot is still to be made.");
	struct snapshot next = *snapshot;
	next.host = UUID_NONE;
	return snapshot_put(op, &next);
}

RESULT engine_forget_snapshot(struct op *op, struct snapshot_forget *wish)
{
	const struct snapshot *snapshot = snapshot_find(op->head, wish->snapshot);
	if (!snapshot)
		return OK;
	if (row_is_live(&snapshot->row) || !uuid_is_none(snapshot->host))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SNAPSHOT,
				     "The snapshot is not deleted, or its host still has something of it.");
	if (volume_first_by_snapshot(op->head, wish->snapshot))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_SNAPSHOT, "Disks are made from the snapshot.");
	TRY(condition_clear_all(op, wish->snapshot));
	return snapshot_forget(op, wish->snapshot);
}
