/* SPDX-License-Identifier: Apache-2.0
 * Volumes that take the place of others in a running instance: the host copies while the guest runs, and the
 * guest goes over when both are the same. The rows say the old volume until the new one was seen in the guest,
 * or in the definition of one that has ended since; so a process that ends in the midst finds the copying where
 * it is, or done. A guest that goes off before, or is to, keeps what it has. */
#include "base/clock.h"
#include "engine/storage/volume_swap.h"
#include "reconcile/instance_rows.h"

enum { LOOK_AGAIN_S = 2 };

static RESULT report(struct step *s, const struct instance_swap *swap, bool is_done, struct str why)
{
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

/* Nothing is copied there any more when that is told: the volume is free then. */
static RESULT give_up(struct step *s, const struct instance_swap *swap, struct str why)
{
	struct compute_swapping wish = wish_of(s, swap);
	struct str kept = str_copy(s->ctx.arena, why);
	ctx_clear_problem(&s->ctx);
	TRY(s->connection->driver->end_swap(s->connection->connection, &s->ctx, &wish));
	return report(s, swap, false, kept);
}

static bool is_passing(struct result r)
{
	return r.code == ERR_GONE || r.code == ERR_AGAIN || r.code == ERR_NO_MEMORY;
}

static RESULT copy(struct step *s, const struct instance_swap *swap, bool *ret_is_over)
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
		return give_up(s, swap, s->ctx.problem.message);
	if (stage == COMPUTE_SWAP_DONE)
		return report(s, swap, true, STR_NONE);
	if (stage == COMPUTE_SWAP_NONE)
		return give_up(s, swap, STR("the copying failed on the host"));
	step_again_at(s, clock_now_us() + LOOK_AGAIN_S * SECOND);
	return OK;
}

/* One at a time is copied. */
RESULT instance_step_swaps(struct step *s, const struct instance_rows *rows, const struct compute_seen *seen,
			   bool *ret_is_over)
{
	bool is_on = seen->power == INSTANCE_SEEN_POWER_ON;
	bool stays = row_is_live(&rows->instance->row) && !rows->leaves_host &&
		     rows->power_wanted == INSTANCE_WANTED_POWER_ON;
	*ret_is_over = rows->swaps.count > 0;
	for (size_t k = 0; k < rows->swaps.count; k++) {
		const struct instance_swap *swap = &rows->swaps.at[k];
		if (uuids_have(&seen->volumes, swap->to.volume))
			return report(s, swap, true, STR_NONE);
		if (!is_on)
			return report(s, swap, false, STR("the instance is off"));
		if (!stays)
			return give_up(s, swap, STR("the instance is to be off"));
	}
	*ret_is_over = false;
	const struct instance_swap *first = rows->swaps.count ? &rows->swaps.at[0] : NULL;
	return first && first->is_ready ? copy(s, first, ret_is_over) : OK;
}
