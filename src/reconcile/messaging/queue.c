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

/* Lets another receive go on if a message is left: its own wake may have met a receive that took another message. */
static void wake_for_rest(struct reconciler *r, const struct tables *t, uuid queue)
{
	int64_t next_us = 0;
	const struct queue *row = queue_waits_has(r->queue_waits, queue) ? queue_find(t, queue) : NULL;
	if (row && engine_has_message(t, row, clock_now_us(), &next_us))
		queue_waits_wake(r->queue_waits, queue);
}

/* A message that is hidden again appears later. A FIFO message that is gone no longer holds up its group. */
static void wake_receiver(struct reconciler *r, const struct tables *t, const struct row *before,
			  const struct row *after)
{
	const struct queue_message *m = queue_message_of(after);
	if (!m->is_gone && m->visible_us <= clock_now_us()) {
		queue_waits_wake(r->queue_waits, m->queue);
		return;
	}
	if (!m->is_gone)
		queue_waits_wake_at(r->queue_waits, m->queue, m->visible_us);
	if (before)
		wake_for_rest(r, t, m->queue);
}

static void wake_behind(struct reconciler *r, const struct tables *t, const struct row *row)
{
	if (queue_message_of(row)->message_group.n)
		wake_for_rest(r, t, queue_message_of(row)->queue);
}

const struct resource reconcile_queue_message = {.wake_changed = wake_receiver,
						 .wake_forgotten = wake_behind};
