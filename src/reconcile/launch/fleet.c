/* SPDX-License-Identifier: Apache-2.0
 * Steps of fleets. A step launches what a fleet of type maintain or request lacks, ends instances in excess, and forgets
 * fleets that are listed no longer. engine/instance/launch/fleet_follow.c decides what is next. */
#include "engine/instance/launch/fleet.h"

#include "base/clock.h"
#include "reconcile/work.h"
#include "store/fleet.h"

/* Reads the fleet's overrides again. A refusal is reported with the turn. */
static RESULT read_overrides(struct step *s, const struct fleet *row, struct fleet_following *report)
{
	const struct later_launch later = {s->r->store, s->r->later_guard};
	struct result result = s->r->read_fleet(&s->ctx, &later, row, &report->overrides, &report->count);
	report->has_read = result_is_ok(result);
	if (report->has_read || result.code == ERR_NO_MEMORY || result.code == ERR_IO ||
	    result.code == ERR_INTERNAL || result.code == ERR_AGAIN)
		return result;
	report->is_denied = result.code == ERR_DENIED;
	report->problem = str_copy(s->ctx.arena, s->ctx.problem.message);
	ctx_clear_problem(&s->ctx);
	return report->problem.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT take_turn(struct step *s, const struct fleet *row, enum fleet_turn turn)
{
	struct fleet_following *report = STEP_NEW(s, struct fleet_following);
	*report = (struct fleet_following){.fleet = s->id, .guard = s->r->later_guard};
	if (turn == FLEET_LAUNCH && !s->r->read_fleet)
		return OK;
	if (turn == FLEET_LAUNCH)
		TRY(read_overrides(s, row, report));
	step_report(s, engine_follow_fleet_run, report);
	return OK;
}

static RESULT step_fleet(struct step *s)
{
	const struct fleet *row = NULL;
	enum fleet_turn turn = FLEET_WAIT;
	int64_t due_us = INT64_MAX;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct fleet *fleet = fleet_find(view.tables, s->id);
		if (!fleet)
			return OK;
		turn = engine_find_fleet_turn(view.tables, fleet, clock_now_us(), &due_us);
		row = STEP_COPY(s, KIND_FLEET, struct fleet, fleet);
	}
	step_again_by(s, due_us);
	return turn == FLEET_WAIT ? OK : take_turn(s, row, turn);
}

static void wake_fleet(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_FLEET, row->id, WAKE_WISH);
}

const struct resource reconcile_fleet = {.step = step_fleet, .is_swept = true, .wake = wake_fleet};
