/* SPDX-License-Identifier: Apache-2.0
 * Steps of scheduled events: an event begins at its time and ends when its instance is off or on another
 * host. Events are woken at every tick, as hosts are, so no timer of their own is needed. */
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

/* ---- wake-ups ---- */

static void wake_event(struct reconciler *r, const struct row *row)
{
	if (engine_may_follow_event(instance_event_of(row)))
		work_wake(r, lane_home(r), KIND_INSTANCE_EVENT, row->id, WAKE_WISH);
}

/* The event keeps the instance off, or no longer does. */
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
