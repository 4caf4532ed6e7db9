/* SPDX-License-Identifier: Apache-2.0
 * The disks that are lost with a host that never comes back: its volumes' files, and snapshots not yet
 * transferred. A lost volume is in state `error`, which EC2's user guide defines as failed hardware. Called
 * by: engine/region/host_forget.c. */
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/region/host_forget.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/snapshot.h"
#include "store/volume.h"

static bool add_lost(struct op *op, struct host_forgetting *wish, enum kind kind, uuid id)
{
	struct lost_thing lost = {kind, id};
	return VEC_PUSH(op->ctx->arena, &wish->lost, lost);
}

/* ---- volumes */

/* The file is unreachable for good, which counts as removed. */
static RESULT end_deleted(struct op *op, struct volume *next)
{
	struct volume_report forget = {.volume = next->row.id};
	next->seen_size = 0;
	next->seen_gen = (int64_t) next->row.gen;
	TRY(volume_put(op, next));
	return engine_forget_volume(op, &forget);
}

static RESULT lose(struct op *op, struct volume *next, struct host_forgetting *wish)
{
	if (!add_lost(op, wish, KIND_VOLUME, next->row.id))
		return ctx_no_memory(op->ctx);
	TRY(volume_give_up_swap(op, next->row.id, STR("Its disk was lost with its host.")));
	next->lost_us = op->now_us;
	next->reservation = VOLUME_RESERVATION_NONE;
	next->takes_over = next->tracked_from = UUID_NONE;
	next->seen_reverts = next->reverts;
	next->row.gen++;
	next->seen_gen = (int64_t) next->row.gen;
	TRY(volume_put(op, next));
	TRY(condition_clear_all(op, next->row.id));
	return engine_log_event(op, KIND_VOLUME, &next->row, "lost",
				"Its disk was on a host that never came back.");
}

static RESULT leave_volume(struct op *op, const struct volume *v, uuid host, struct host_forgetting *wish)
{
	struct volume next = *v;
	bool was_there =
		uuid_equal(v->seen_host, host) || (uuid_is_none(v->seen_host) && uuid_equal(v->host, host));
	if (uuid_equal(v->left_host, host))
		next.left_host = UUID_NONE;
	if (uuid_equal(v->ready_host, host))
		next.ready_host = UUID_NONE;
	if (!was_there) { /* the move to this host, or away from it, had not started or is complete: the file
			   * is elsewhere */
		if (uuid_equal(v->host, host))
			next.host = v->seen_host;
		return volume_put(op, &next);
	}
	next.host = next.seen_host = next.seen_instance = UUID_NONE;
	return row_is_live(&v->row) ? lose(op, &next, wish) : end_deleted(op, &next);
}

/* Volumes in shared pools survive their host. */
static RESULT list_volumes(struct op *op, uuid host, struct uuids *ret_ids)
{
	VEC(uuid) ids = {0};
	bool fits = true;
	for (const struct volume *v = volume_first_by_host(op->head, host); v && fits;
	     v = volume_next_by_host(op->head, v))
		fits = !uuid_is_none(v->pool) || VEC_PUSH(op->ctx->arena, &ids, v->row.id);
	for (const struct volume *v = volume_first_by_seen_host(op->head, host); v && fits;
	     v = volume_next_by_seen_host(op->head, v))
		fits = !uuid_is_none(v->pool) || VEC_PUSH(op->ctx->arena, &ids, v->row.id);
	for (const struct volume *v = volume_first_by_left_host(op->head, host); v && fits;
	     v = volume_next_by_left_host(op->head, v))
		fits = VEC_PUSH(op->ctx->arena, &ids, v->row.id);
	*ret_ids = (struct uuids){ids.at, ids.count};
	return fits ? OK : ctx_no_memory(op->ctx);
}

static bool is_of(const struct volume *v, uuid host)
{
	return uuid_equal(v->host, host) || uuid_equal(v->seen_host, host) || uuid_equal(v->left_host, host);
}

/* ---- snapshots */

static RESULT leave_snapshot(struct op *op, const struct snapshot *s, struct host_forgetting *wish)
{
	struct snapshot_leaving leaving = {s->row.id};
	struct snapshot_report failed = {.snapshot = s->row.id,
					 .gen = s->row.gen,
					 .problem = STR("Its volume was lost with its host.")};
	bool was_pending = engine_snapshot_is_pending(s);
	if (was_pending && !add_lost(op, wish, KIND_SNAPSHOT, s->row.id))
		return ctx_no_memory(op->ctx);
	if (was_pending)
		TRY(engine_see_snapshot(op, &failed));
	return engine_leave_snapshot_host(op, &leaving);
}

static RESULT leave_snapshots(struct op *op, uuid host, struct host_forgetting *wish)
{
	for (const struct snapshot *s = snapshot_first_by_host(op->head, host), *after = NULL; s; s = after) {
		after = snapshot_next_by_host(op->head, s);
		if (uuid_is_none(s->pool))
			TRY(leave_snapshot(op, s, wish));
	}
	return OK;
}

RESULT volume_lose_all(struct op *op, uuid host, struct host_forgetting *wish)
{
	struct uuids ids = {0};
	TRY(leave_snapshots(op, host, wish)); /* first, because they pin a deleted volume's file */
	TRY(list_volumes(op, host, &ids));
	for (size_t k = 0; k < ids.count; k++) {
		const struct volume *v = volume_find(op->head, ids.at[k]);
		if (v && is_of(v, host)) /* the list may contain a volume several times */
			TRY(leave_volume(op, v, host, wish));
	}
	return OK;
}
