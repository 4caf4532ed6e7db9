/* SPDX-License-Identifier: Apache-2.0
 * Steps of alarms: at the end of each period a step reads the newest datapoints, and reports only a change of state, or actions
 * that are to be taken. engine/alarm/alarm_weigh.c decides. Composite alarms have no datapoints: the engine carries them along,
 * and their steps take actions alone. A job wakes the alarms whose period has ended, so that alarms do not count as work that
 * waits. */
#include "engine/alarm/alarm.h"

#include "base/clock.h"
#include "reconcile/alarm/alarm_math.h"
#include "reconcile/figures/statistic.h"
#include "reconcile/work.h"
#include "store/scaling_group.h"

/* Figures of the last seconds of a period have arrived by then. */
#define GRACE_US (20 * SECOND)

struct evaluation {
	struct step *s;
	const struct alarm *alarm;
	int64_t period_us, end_us, from_us;
	struct alarm_point *points;
	size_t count;
};

static RESULT begin(struct evaluation *e, struct step *s, const struct alarm *alarm)
{
	e->s = s;
	e->alarm = alarm;
	e->period_us = alarm->period_s * SECOND;
	e->count = (size_t) alarm->evaluation_periods + ALARM_EXTRA_PERIODS;
	e->end_us = (clock_now_us() - GRACE_US) / e->period_us * e->period_us;
	e->from_us = e->end_us - (int64_t) e->count * e->period_us;
	e->points = arena_new_array(s->ctx.arena, struct alarm_point, e->count);
	if (!e->points)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < e->count; k++)
		e->points[k].at_us = e->from_us + (int64_t) k * e->period_us;
	return OK;
}

/* ---- datapoints ---- */

struct metric_range alarm_choose_range(int64_t from_us, int64_t before_us, int64_t period_us)
{
	struct metric_range range = {.from_us = from_us, .before_us = before_us, .period_us = period_us};
	bool is_recent = from_us >= clock_now_us() - METRICS_MINUTES_US - MINUTE;
	if (!is_recent && period_us % FIGURES_SHORT_US == 0)
		range.step_us =
			period_us % FIGURES_LONG_US == 0 && from_us < clock_now_us() - FIGURES_SHORT_KEPT_US
				? FIGURES_LONG_US
				: FIGURES_SHORT_US;
	return range;
}

static RESULT read_one_metric(struct evaluation *e)
{
	struct metric_source source;
	struct metric_points read = {0};
	struct ctx *c = &e->s->ctx;
	const struct alarm *a = e->alarm;
	struct metric_range range = alarm_choose_range(e->from_us, e->end_us, e->period_us);
	{
		AUTO_VIEW view = {0};
		view_open(e->s->r->store, &view);
		TRY(metric_find_source(c, view.tables, a->account, a->name_space, a->metric, &a->dimensions,
				       a->unit, &source));
	}
	struct statistic statistic;
	if (!statistic_read(a->statistic, &statistic))
		return OK;
	range.has_values = statistic.kind != STATISTIC_BASIC;
	TRY(reconciler_read_metric(e->s->r, c, &source, &range, &read));
	for (size_t k = 0; k < read.count; k++) {
		size_t place = (size_t) ((read.at[k].at_us - e->from_us) / e->period_us);
		if (place >= e->count)
			continue;
		e->points[place].is_there = statistic_value(&statistic, &read.at[k], &e->points[place].value);
		if (read.at[k].samples < statistic_needed_samples(&statistic))
			e->points[place].has_few_samples = true;
	}
	return OK;
}

/* Missing datapoints may be the fault of this process, which has not watched for long enough: then nothing is decided. */
static bool is_blind(const struct evaluation *e)
{
	size_t first = e->count - (size_t) e->alarm->evaluation_periods;
	if (e->points[first].at_us >= e->s->r->began_us)
		return false;
	for (size_t k = first; k < e->count; k++)
		if (!e->points[k].is_there)
			return true;
	return false;
}

/* The alarm was told to stay as it is while periods have too few samples for its percentile. */
static bool is_insignificant(const struct evaluation *e)
{
	for (size_t k = e->count - (size_t) e->alarm->evaluation_periods;
	     k < e->count && e->alarm->low_samples == ALARM_LOW_SAMPLES_IGNORE; k++)
		if (e->points[k].has_few_samples)
			return true;
	return false;
}

static RESULT evaluate(struct evaluation *e, struct alarm_verdict *ret_verdict)
{
	if (e->alarm->queries.n)
		TRY(alarm_math_read(e->s->r, &e->s->ctx, e->alarm, e->points, e->count));
	else
		TRY(read_one_metric(e));
	if (is_blind(e) || is_insignificant(e)) {
		ret_verdict->stays = true;
		return OK;
	}
	return alarm_weigh(e->s->ctx.arena, e->alarm, e->points, e->count, clock_now_us(), ret_verdict);
}

/* ---- steps ---- */

/* The state is newer than the period and the configuration: an evaluation found it, or a call set it, and it stays until the next
 * period has ended. A state of the future is left from before the clock was set back. */
static bool is_decided(const struct evaluation *e)
{
	int64_t state_us = e->alarm->state_us;
	return state_us > e->end_us + GRACE_US && state_us > e->alarm->configured_us &&
	       state_us <= clock_now_us() + GRACE_US;
}

static void note_value(const struct evaluation *e, struct alarm_acting *acting)
{
	for (size_t k = e->count; k-- > 0 && !acting->has_value;)
		if (e->points[k].is_there) {
			acting->has_value = true;
			acting->value = e->points[k].value;
		}
}

static RESULT report_act(struct step *s, const struct alarm *alarm, const struct alarm_acting *acting)
{
	bool has_work = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		has_work = engine_has_alarm_work(view.tables, alarm, acting, clock_now_us());
	}
	if (!has_work)
		return OK;
	struct alarm_acting *report = STEP_NEW(s, struct alarm_acting);
	*report = *acting;
	step_report(s, engine_act_on_alarm_run, report);
	return OK;
}

static RESULT step_metric_alarm(struct step *s, const struct alarm *alarm, struct alarm_acting *acting)
{
	struct evaluation e = {0};
	struct alarm_verdict verdict = {.stays = true};
	TRY(begin(&e, s, alarm));
	TRY(evaluate(&e, &verdict));
	note_value(&e, acting);
	if (verdict.stays || alarm->is_off || alarm->is_due || is_decided(&e))
		return report_act(s, alarm, acting);
	struct alarm_seen *seen = STEP_NEW(s, struct alarm_seen);
	*seen = (struct alarm_seen){.alarm = s->id, .gen = alarm->row.gen, .verdict = verdict};
	step_report(s, engine_see_alarm_run, seen);
	return OK;
}

static RESULT step_alarm(struct step *s)
{
	const struct alarm *alarm = NULL;
	struct alarm_acting acting = {.alarm = s->id, .guard = s->r->later_guard};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct alarm *row = alarm_find(view.tables, s->id);
		if (!row || (row->is_off && !row->is_due))
			return OK;
		alarm = STEP_COPY(s, KIND_ALARM, struct alarm, row);
	}
	if (alarm->is_composite)
		return report_act(s, alarm, &acting);
	return step_metric_alarm(s, alarm, &acting);
}

const struct resource reconcile_alarm = {
	.step = step_alarm,
	.is_swept = true,
	.wakes = {{KIND_ALARM, offsetof(struct alarm, row.id)}},
};

/* ---- the clock ---- */

/* The shortest period of alarms. Ticks follow it while there is an alarm with a period of less than a minute. */
#define SHORT_US (10 * SECOND)

/* True if a period of that length has ended, and its figures have arrived, between the two times. */
static bool has_ended(int64_t period_us, int64_t before_us, int64_t now_us)
{
	return (before_us - GRACE_US) / period_us != (now_us - GRACE_US) / period_us;
}

/* Scaling policies act again each minute while their alarm is in ALARM. */
static bool is_due(const struct alarm *alarm, int64_t before_us, int64_t now_us)
{
	if (alarm->is_off)
		return false;
	if (alarm->is_composite)
		return alarm->repeats && has_ended(MINUTE, before_us, now_us);
	return has_ended(alarm->period_s * SECOND, before_us, now_us) ||
	       (has_ended(MINUTE, before_us, now_us) && alarm->state == ALARM_STATE_ALARM && alarm->acts &&
		alarm->alarm_actions.count);
}

static void tick(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, alarms_job));
	int64_t now_us = clock_now_us(), before_us = r->ticked_us, next_us = MINUTE;
	{
		AUTO_VIEW view = {0};
		view_open(r->store, &view);
		for (const struct alarm *alarm = alarm_first(view.tables); alarm;
		     alarm = alarm_next(view.tables, alarm)) {
			if (is_due(alarm, before_us, now_us))
				work_wake(r, lane_home(r), KIND_ALARM, alarm->row.id, WAKE_WISH);
			if (!alarm->is_composite && alarm->period_s * SECOND < MINUTE)
				next_us = SHORT_US;
		}
		for (const struct scaling_group *g = scaling_group_first(view.tables); g;
		     g = scaling_group_next(view.tables, g))
			if (g->collected.count && has_ended(MINUTE, before_us, now_us))
				work_wake(r, lane_home(r), KIND_SCALING_GROUP, g->row.id, WAKE_WISH);
	}
	r->ticked_us = now_us;
	actor_post_at(r->home_actor, &r->alarms_job,
		      ((now_us - GRACE_US) / next_us + 1) * next_us + GRACE_US);
}

void reconciler_start_alarms(struct reconciler *r)
{
	r->ticked_us = clock_now_us();
	r->alarms_job = (struct job){.run = tick};
	actor_post(r->home_actor, &r->alarms_job);
}

/* ---- metrics that are not published any more ---- */

static RESULT step_metric(struct step *s)
{
	bool is_old = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct metric *metric = metric_find(view.tables, s->id);
		is_old = metric && engine_is_metric_old(metric, clock_now_us());
	}
	if (!is_old)
		return OK;
	struct metric_target *report = STEP_NEW(s, struct metric_target);
	*report = (struct metric_target){.metric = s->id};
	step_report(s, engine_expire_metric_run, report);
	return OK;
}

const struct resource reconcile_metric = {
	.step = step_metric,
	.is_swept = true,
};
