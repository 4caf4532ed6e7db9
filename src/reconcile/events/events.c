/* SPDX-License-Identifier: Apache-2.0
 * Steps of the event bus: an event is compared with the rules of its account and delivered, a delivery is tried again, and a rule with a
 * schedule makes its events. Rows outlive the process: a step that a kill interrupts is repeated. */
#include "engine/events/events.h"
#include "base/clock.h"
#include "reconcile/work.h"

/* ---- events ---- */

static RESULT step_bus_event(struct step *s)
{
	struct event_spread *report = STEP_NEW(s, struct event_spread);
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct bus_event *event = bus_event_find(view.tables, s->id);
		if (!event)
			return OK;
		TRY(engine_find_event_targets(&s->ctx, view.tables, event, report));
	}
	step_report(s, engine_spread_event_run, report);
	if (!report->is_last)
		step_again(s);
	return OK;
}

/* Events that an account puts may be large: they take lanes of which an account has a share. Those of the region are short, and wait for no
 * download of the account's. */
static void wake_event(struct reconciler *r, const struct row *row)
{
	const struct bus_event *event = bus_event_of(row);
	bool is_short = str_starts_with(event->source, STR("aws."));
	work_wake(r, is_short ? lane_home(r) : lane_fetches(event->account), KIND_BUS_EVENT, row->id,
		  WAKE_WISH);
}

static void wake_new_event(struct reconciler *r, const struct tables *t, const struct row *before,
			   const struct row *after)
{
	(void) t;
	if (!before)
		wake_event(r, after);
}

const struct resource reconcile_bus_event = {
	.step = step_bus_event, .is_swept = true, .wake = wake_event, .wake_changed = wake_new_event};

/* ---- deliveries ---- */

static RESULT step_event_delivery(struct step *s)
{
	struct event_resending *report = STEP_NEW(s, struct event_resending);
	int64_t retry_us = 0;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct event_delivery *d = event_delivery_find(view.tables, s->id);
		if (!d)
			return OK;
		/* Without its target it is forgotten at once. */
		retry_us = event_target_find(view.tables, d->event_target) ? d->retry_us : 0;
	}
	if (retry_us > clock_now_us()) {
		step_again_at(s, retry_us);
		return OK;
	}
	report->delivery = s->id;
	step_report(s, engine_resend_event_run, report);
	step_again(s);
	return OK;
}

static void wake_delivery(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_EVENT_DELIVERY, row->id, WAKE_WISH);
}

static void wake_new_delivery(struct reconciler *r, const struct tables *t, const struct row *before,
			      const struct row *after)
{
	(void) t;
	if (!before)
		wake_delivery(r, after);
}

const struct resource reconcile_event_delivery = {.step = step_event_delivery,
						  .is_swept = true,
						  .wake = wake_delivery,
						  .wake_changed = wake_new_delivery};

/* ---- rules with a schedule ---- */

static RESULT step_event_rule(struct step *s)
{
	struct event_firing *report = STEP_NEW(s, struct event_firing);
	int64_t next_us = 0;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct event_rule *rule = event_rule_find(view.tables, s->id);
		next_us = rule ? rule->next_us : 0;
	}
	if (!next_us)
		return OK;
	if (next_us > clock_now_us()) {
		step_again_by(s, next_us);
		return OK;
	}
	report->rule = s->id;
	step_report(s, engine_fire_event_rule_run, report);
	step_again(s);
	return OK;
}

static void wake_rule(struct reconciler *r, const struct row *row)
{
	if (event_rule_of(row)->next_us)
		work_wake(r, lane_home(r), KIND_EVENT_RULE, row->id, WAKE_WISH);
}

const struct resource reconcile_event_rule = {.step = step_event_rule, .is_swept = true, .wake = wake_rule};

/* ---- targets ---- */

/* The deliveries of a target that is removed end, instead of waiting for their next try. */
static void wake_deliveries(struct reconciler *r, const struct tables *t, const struct row *row)
{
	for (const struct event_delivery *d = event_delivery_first_by_event_target(t, row->id); d;
	     d = event_delivery_next_by_event_target(t, d))
		wake_delivery(r, &d->row);
}

const struct resource reconcile_event_target = {.wake_forgotten = wake_deliveries};
