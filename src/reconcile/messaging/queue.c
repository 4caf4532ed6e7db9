/* SPDX-License-Identifier: Apache-2.0
 * Steps of queues: messages whose time has passed, that were purged, or whose queue was deleted go some at a time. A message that appears lets one waiting
 * receive go on. */
#include "base/clock.h"
#include "engine/messaging/messaging.h"
#include "reconcile/messaging/queue_waits.h"
#include "reconcile/work.h"

static RESULT step_queue(struct step *s)
{
	bool has_waste = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct queue *queue = queue_find(view.tables, s->id);
		has_waste = queue && engine_has_queue_waste(view.tables, queue, clock_now_us());
	}
	if (!has_waste)
		return OK;
	struct queue_sweep *report = STEP_NEW(s, struct queue_sweep);
	*report = (struct queue_sweep){.queue = s->id};
	step_report(s, engine_sweep_queue_run, report);
	step_again(s);
	return OK;
}

/* Each message changes its queue's row, too; only a purge and a deletion leave something to do at once. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	bool is_deleted = engine_is_queue_deleted(queue_of(after));
	if (before && (queue_of(before)->purged_number != queue_of(after)->purged_number || is_deleted))
		work_wake(r, lane_home(r), KIND_QUEUE, after->id, WAKE_WISH);
}

static void wake(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_QUEUE, row->id, WAKE_WISH);
}

const struct resource reconcile_queue = {
	.step = step_queue, .is_swept = true, .wake = wake, .wake_changed = wake_changed};

static void wake_receiver(struct reconciler *r, const struct tables *t, const struct row *before,
			  const struct row *after)
{
	const struct queue_message *m = queue_message_of(after);
	(void) t;
	(void) before;
	if (!m->is_gone && m->visible_us <= clock_now_us())
		queue_waits_wake(r->queue_waits, m->queue);
}

const struct resource reconcile_queue_message = {.wake_changed = wake_receiver};
