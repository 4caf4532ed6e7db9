/* SPDX-License-Identifier: Apache-2.0
 * Replaces the volume of a running instance by another one, or copies it to another pool, by a block copy of
 * the host while the guest runs. The rows name the old volume until the new one was seen in the guest, or in
 * the definition of a guest that has ended since; a process that was restarted therefore finds the copy
 * running or done. A guest that goes off, or is to go off, before the copy is complete keeps its old volume.
 *
 * A volume that moves to another pool is copied onto a blank file there. If the guest goes off first, the
 * host's definition says which file is valid; the volume is then copied offline, or from the beginning once
 * the guest runs again. */
#include "base/clock.h"
#include "engine/storage/volume/volume_move.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/instance.h"
#include "reconcile/instance/instance_rows.h"

enum { LOOK_AGAIN_S = 2 }; /* between looks at a block copy, for its progress */

static RESULT report_move(struct step *s, const struct instance_rows *rows, const struct instance_swap *swap,
			  enum volume_move_stage stage, struct str why)
{
	struct volume_move_report *r = STEP_NEW(s, struct volume_move_report);
	*r = (struct volume_move_report){
		.volume = swap->from.volume,
		.pool = swap->pool,
		.host = rows->instance->host,
		.stage = stage,
		.why = str_copy(s->ctx.arena, why),
	};
	s->work->swap_begun = UUID_NONE;
	step_report(s, engine_see_volume_move_run, r);
	return OK;
}

static RESULT report(struct step *s, const struct instance_rows *rows, const struct instance_swap *swap,
		     bool is_done, struct str why)
{
	if (swap->is_move)
		return report_move(s, rows, swap, is_done ? VOLUME_MOVE_COPIED : VOLUME_MOVE_FAILED, why);
	struct volume_swap_report *r = STEP_NEW(s, struct volume_swap_report);
	*r = (struct volume_swap_report){
		.instance = s->id,
		.volume = swap->from.volume,
		.other = swap->to.volume,
		.is_done = is_done,
		.why = str_copy(s->ctx.arena, why),
	};
	s->work->swap_begun = UUID_NONE;
	step_report(s, engine_see_swap_run, r);
	return OK;
}

static struct compute_swapping wish_of(const struct step *s, const struct instance_swap *swap)
{
	return (struct compute_swapping){
		.instance = s->id, .from = &swap->from, .to = &swap->to, .tracked_from = swap->tracked_from};
}

/* Ends the host's copy before the failure is reported, because the report frees the target volume. */
static RESULT give_up(struct step *s, const struct instance_rows *rows, const struct instance_swap *swap,
		      struct str why)
{
	struct compute_swapping wish = wish_of(s, swap);
	struct str kept = str_copy(s->ctx.arena, why);
	ctx_clear_problem(&s->ctx);
	TRY(s->connection->driver->end_swap(s->connection->connection, &s->ctx, &wish));
	return report(s, rows, swap, false, kept);
}

static bool is_passing(struct result r)
{
	return r.code == ERR_GONE || r.code == ERR_AGAIN || r.code == ERR_NO_MEMORY;
}

static RESULT copy(struct step *s, const struct instance_rows *rows, const struct instance_swap *swap,
		   bool *ret_is_over)
{
	struct compute_swapping wish = wish_of(s, swap);
	enum compute_swap_stage stage = COMPUTE_SWAP_NONE;
	bool begins = !uuid_equal(s->work->swap_begun, swap->to.volume);
	struct result r =
		s->connection->driver->swap(s->connection->connection, &s->ctx, &wish, begins, &stage);
	if (is_passing(r))
		return r;
	s->work->swap_begun = swap->to.volume;
	*ret_is_over = !result_is_ok(r) || stage != COMPUTE_SWAP_COPYING;
	if (!result_is_ok(r))
		return give_up(s, rows, swap, s->ctx.problem.message);
	if (stage == COMPUTE_SWAP_DONE)
		return report(s, rows, swap, true, STR_NONE);
	if (stage == COMPUTE_SWAP_NONE)
		return give_up(s, rows, swap, STR("the copying failed on the host"));
	step_again_at(s, clock_now_us() + LOOK_AGAIN_S * SECOND);
	return OK;
}

/* The guest is off or is to go off: finds out whether it already uses the new file. If not, the partial copy
 * is discarded. */
static RESULT halt_move(struct step *s, const struct instance_rows *rows, const struct instance_swap *swap,
			bool is_on)
{
	struct compute_swapping wish = wish_of(s, swap);
	const struct compute_driver *driver = s->connection->driver;
	enum compute_swap_stage stage = COMPUTE_SWAP_NONE;
	TRY(driver->swap(s->connection->connection, &s->ctx, &wish, false, &stage));
	if (stage == COMPUTE_SWAP_DONE)
		return report_move(s, rows, swap, VOLUME_MOVE_COPIED, STR_NONE);
	if (is_on)
		TRY(driver->end_swap(s->connection->connection, &s->ctx, &wish));
	return report_move(s, rows, swap, VOLUME_MOVE_SPOILT, STR_NONE);
}

/* *ret_is_over: a result was reported. */
static RESULT step_swap(struct step *s, const struct instance_rows *rows, const struct instance_swap *swap,
			const struct compute_seen *seen, bool stays, bool *ret_is_over)
{
	bool is_on = seen->power == INSTANCE_SEEN_POWER_ON;
	*ret_is_over = false;
	if (swap->is_move && is_on && stays && !swap->is_ready)
		wake_on_host(s->r, rows->instance->host, KIND_VOLUME,
			     swap->from.volume); /* the volume's step creates the blank target file */
	if (swap->is_move && (!swap->is_ready || (is_on && stays)))
		return OK;
	*ret_is_over = true;
	if (swap->is_move)
		return halt_move(s, rows, swap, is_on);
	if (uuids_have(&seen->volumes, swap->to.volume))
		return report(s, rows, swap, true, STR_NONE);
	if (!is_on)
		return report(s, rows, swap, false, STR("the instance is off"));
	if (!stays)
		return give_up(s, rows, swap, STR("the instance is to be off"));
	*ret_is_over = false;
	return OK;
}

static const struct instance_swap *find_ready(const struct instance_rows *rows)
{
	for (size_t k = 0; k < rows->swaps.count; k++)
		if (rows->swaps.at[k].is_ready)
			return &rows->swaps.at[k];
	return NULL;
}

/* Advances all replacements, and copies one disk at a time. */
RESULT instance_step_swaps(struct step *s, const struct instance_rows *rows, const struct compute_seen *seen,
			   bool *ret_is_over)
{
	bool stays = row_is_live(&rows->instance->row) && !rows->leaves_host &&
		     rows->power_wanted == INSTANCE_WANTED_POWER_ON;
	for (size_t k = 0; k < rows->swaps.count; k++) {
		TRY(step_swap(s, rows, &rows->swaps.at[k], seen, stays, ret_is_over));
		if (*ret_is_over)
			return OK;
	}
	*ret_is_over = false;
	const struct instance_swap *ready = find_ready(rows);
	return ready && seen->power == INSTANCE_SEEN_POWER_ON ? copy(s, rows, ready, ret_is_over) : OK;
}
