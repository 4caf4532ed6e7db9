/* SPDX-License-Identifier: Apache-2.0
 * Scheduled events: begun when their time has come, over when their instance is off or elsewhere. They are
 * looked at as often as hosts are: a time that passed while nobody was looking is found by the next look. */
#include "engine/instance/instance_event.h"
#include "base/clock.h"
#include "reconcile/work.h"
#include "store/instance.h"
#include "store/instance_event.h"

static RESULT step_event(struct step *s)
{
	int64_t next_us = INT64_MAX;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct instance_event *e = instance_event_find(view.tables, s->id);
		if (e)
			next_us = engine_next_of_event(view.tables, e);
	}
	if (clock_now_us() < next_us)
		return OK;
	struct event_report *report = STEP_NEW(s, struct event_report);
	report->event = s->id;
	step_report(s, engine_follow_event_run, report);
	return OK;
}

/* ---- who looks because of it ---- */

static void wake_event(struct reconciler *r, const struct row *row)
{
	if (engine_may_follow_event(instance_event_of(row)))
		work_wake(r, lane_home(r), KIND_INSTANCE_EVENT, row->id, WAKE_WISH);
}

/* Its instance is kept off for it, or no longer. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) before;
	const struct instance *i = instance_find(t, instance_event_of(after)->instance);
	if (i)
		wake_for_row(r, KIND_INSTANCE, &i->row);
	wake_event(r, after);
}

const struct resource reconcile_instance_event = {
	.step = step_event,
	.is_swept = true,
	.wake = wake_event,
	.wake_changed = wake_changed,
};
