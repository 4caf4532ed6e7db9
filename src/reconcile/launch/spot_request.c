/* SPDX-License-Identifier: Apache-2.0
 * Steps of spot requests. A step launches for a request that waits, terminates or stops an instance whose notice has
 * passed, and notes how an instance ended. engine/instance/launch/spot.c decides what is next. */
#include "engine/instance/launch/spot.h"

#include "base/clock.h"
#include "engine/tombstone.h"
#include "reconcile/work.h"
#include "store/spot_request.h"

/* Reads the launch again. A refusal is reported with the turn. */
static RESULT read_launch(struct step *s, const struct spot_request *row, struct spot_following *report)
{
	struct instance_launch *launch = STEP_NEW(s, struct instance_launch);
	const struct later_launch later = {s->r->store, s->r->later_guard};
	struct result result = s->r->read_spot(&s->ctx, &later, row, launch);
	if (result_is_ok(result)) {
		report->launch = launch;
		return OK;
	}
	if (result.code == ERR_NO_MEMORY || result.code == ERR_IO || result.code == ERR_INTERNAL ||
	    result.code == ERR_AGAIN)
		return result;
	report->problem = str_copy(s->ctx.arena, s->ctx.problem.message);
	ctx_clear_problem(&s->ctx);
	return report->problem.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT take_turn(struct step *s, const struct spot_request *row, enum spot_turn turn)
{
	struct spot_following *report = STEP_NEW(s, struct spot_following);
	*report = (struct spot_following){.request = s->id, .guard = s->r->later_guard};
	if (turn == SPOT_LAUNCH && !s->r->read_spot)
		return OK;
	if (turn == SPOT_LAUNCH)
		TRY(read_launch(s, row, report));
	step_report(s, engine_follow_spot_run, report);
	return OK;
}

static RESULT step_spot_request(struct step *s)
{
	const struct spot_request *row = NULL;
	enum spot_turn turn = SPOT_WAIT;
	int64_t due_us = INT64_MAX;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct spot_request *r = spot_request_find(view.tables, s->id);
		if (!r)
			return OK;
		turn = engine_find_spot_turn(view.tables, r, clock_now_us(), &due_us);
		row = STEP_COPY(s, KIND_SPOT_REQUEST, struct spot_request, r);
	}
	if (!row_is_live(&row->row))
		return step_ended(s);
	if (due_us != INT64_MAX)
		step_again_at(s, due_us);
	return turn == SPOT_WAIT ? OK : take_turn(s, row, turn);
}

static void wake_spot_request(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_SPOT_REQUEST, row->id, WAKE_WISH);
}

const struct resource reconcile_spot_request = {
	.step = step_spot_request, .is_swept = true, .wake = wake_spot_request};
