/* SPDX-License-Identifier: Apache-2.0
 * Steps of scheduled actions of scaling groups: when its time has come, a step has the action applied, and notes the next
 * time. Of times that passed while the process was down, the last one counts. */
#include "base/clock.h"
#include "engine/scaling/scaling.h"
#include "reconcile/work.h"

static RESULT step_scaling_schedule(struct step *s)
{
	const struct scaling_schedule *row = NULL;
	int64_t now_us = clock_now_us();
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct scaling_schedule *schedule = scaling_schedule_find(view.tables, s->id);
		if (!schedule)
			return OK;
		row = STEP_COPY(s, KIND_SCALING_SCHEDULE, struct scaling_schedule, schedule);
	}
	if (now_us < row->next_us) {
		step_again_by(s, row->next_us); /* no row changes when its time has come */
		return OK;
	}
	struct scaling_schedule_due *report = STEP_NEW(s, struct scaling_schedule_due);
	*report = (struct scaling_schedule_due){
		.schedule = s->id,
		.due_us = row->next_us,
		.next_us = row->recurrence.n ? engine_find_scaling_time(&s->ctx, row, now_us) : 0};
	step_report(s, engine_run_scaling_schedule_run, report);
	return OK;
}

const struct resource reconcile_scaling_schedule = {
	.step = step_scaling_schedule,
	.is_swept = true,
	.wakes = {{KIND_SCALING_SCHEDULE, offsetof(struct scaling_schedule, row.id)}},
};
