/* SPDX-License-Identifier: Apache-2.0
 * Steps of scaling groups. A step takes one turn: it launches what is missing, terminates what is in excess or unhealthy, or
 * moves an instance of the group on. engine/scaling/scaling_follow.c decides what is next. */
#include "engine/scaling/scaling.h"

#include "base/clock.h"
#include "reconcile/work.h"

/* Reads the group's launches again. A refusal is reported with the turn. */
static RESULT read_launches(struct step *s, const struct scaling_group *row, struct scaling_following *report)
{
	const struct later_launch later = {s->r->store, s->r->later_guard};
	struct result result = s->r->read_scaling(&s->ctx, &later, row, &report->launches, &report->count);
	report->has_read = result_is_ok(result);
	if (report->has_read || result.code == ERR_NO_MEMORY || result.code == ERR_IO ||
	    result.code == ERR_INTERNAL || result.code == ERR_AGAIN)
		return result;
	report->problem = str_copy(s->ctx.arena, s->ctx.problem.message);
	ctx_clear_problem(&s->ctx);
	return report->problem.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT take_turn(struct step *s, const struct scaling_group *row, enum scaling_turn turn)
{
	struct scaling_following *report = STEP_NEW(s, struct scaling_following);
	*report = (struct scaling_following){.group = s->id, .guard = s->r->later_guard};
	if (turn == SCALING_LAUNCH && !s->r->read_scaling)
		return OK;
	if (turn == SCALING_LAUNCH)
		TRY(read_launches(s, row, report));
	step_report(s, engine_follow_scaling_run, report);
	return OK;
}

static RESULT step_scaling_group(struct step *s)
{
	const struct scaling_group *row = NULL;
	enum scaling_turn turn = SCALING_WAIT;
	int64_t due_us = INT64_MAX;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct scaling_group *group = scaling_group_find(view.tables, s->id);
		if (!group)
			return OK;
		turn = engine_find_scaling_turn(view.tables, group, clock_now_us(), &due_us);
		row = STEP_COPY(s, KIND_SCALING_GROUP, struct scaling_group, group);
	}
	step_again_by(s, due_us);
	return turn == SCALING_WAIT ? OK : take_turn(s, row, turn);
}

const struct resource reconcile_scaling_group = {
	.step = step_scaling_group,
	.is_swept = true,
	.wakes = {{KIND_SCALING_GROUP, offsetof(struct scaling_group, row.id)}},
};

/* A member that is gone leaves a place that another one takes. */
const struct resource reconcile_scaling_member = {
	.wakes = {{KIND_SCALING_GROUP, offsetof(struct scaling_member, scaling_group)}},
	.wakes_forgotten = true,
};
