/* SPDX-License-Identifier: Apache-2.0
 * Steps of scaling groups. A step takes one turn: it launches what is missing, terminates what is in excess or unhealthy, or
 * moves an instance of the group on. engine/scaling/scaling_follow.c decides what is next. Once a minute a step publishes the
 * metrics that the group collects; reconcile/alarm/alarm.c wakes it. */
#include "engine/scaling/scaling.h"

#include "base/clock.h"
#include "reconcile/figures/metrics.h"
#include "reconcile/work.h"
#include "store/metric.h"

/* The reader of the face whose parameters the group has. */
static reconcile_read_scaling *reader_of(const struct step *s, const struct scaling_group *row)
{
	if (!uuid_is_none(row->profile))
		return s->r->read_autoscale;
	return row->mode == SCALING_GROUP_MODE_GROUP ? s->r->read_scaling : s->r->read_scale_set;
}

/* Reads the group's launches again. A refusal is reported with the turn. */
static RESULT read_launches(struct step *s, reconcile_read_scaling *read, const struct scaling_group *row,
			    struct scaling_following *report)
{
	const struct later_launch later = {s->r->store, s->r->later_guard};
	struct result result = read(&s->ctx, &later, row, &report->launches, &report->count);
	report->has_read = result_is_ok(result);
	if (report->has_read || result.code == ERR_NO_MEMORY || result.code == ERR_IO ||
	    result.code == ERR_INTERNAL || result.code == ERR_AGAIN)
		return result;
	report->problem = str_copy(s->ctx.arena, s->ctx.problem.message);
	ctx_clear_problem(&s->ctx);
	return report->problem.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT take_turn(struct step *s, const struct scaling_group *row, uuid refresh, enum scaling_turn turn)
{
	reconcile_read_scaling *read = reader_of(s, row);
	struct scaling_following *report = STEP_NEW(s, struct scaling_following);
	*report = (struct scaling_following){
		.group = s->id, .guard = s->r->later_guard, .gen = row->row.gen, .refresh = refresh};
	bool launches = turn == SCALING_LAUNCH || turn == SCALING_PREPARE;
	if (launches && !read)
		return OK;
	if (launches)
		TRY(read_launches(s, read, row, report));
	step_report(s, engine_follow_scaling_run, report);
	return OK;
}

/* ---- metrics ---- */

/* Datapoints of a minute are published once: a second step in the minute, or one after a restart, finds them. */
static RESULT find_published(struct step *s, const struct metric_added *first, uuid account,
			     bool *ret_is_there)
{
	const struct metric_series series = {first->metric, STR_NONE};
	const struct metric_source source = {
		.is_there = true, .account = account, .series = &series, .series_count = 1};
	const struct metric_range range = {first->point.at_us, first->point.at_us + MINUTE, MINUTE, 0};
	struct metric_points points = {0};
	TRY(reconciler_read_metric(s->r, &s->ctx, &source, &range, &points));
	*ret_is_there = points.count > 0;
	return OK;
}

/* Returns the number of the datapoints of this minute; 0: rows of metrics are to be made first. */
static size_t gather_metrics(const struct tables *t, const struct scaling_group *group,
			     struct metric_added added[static SCALING_METRICS])
{
	double values[SCALING_METRICS];
	size_t count = 0;
	int64_t now_us = clock_now_us();
	engine_count_scaling_metrics(t, group, values);
	for (size_t k = 0; k < SCALING_METRICS && count < group->collected.count; k++) {
		if (!str_is(group->collected.at[count], scaling_metrics[k]))
			continue;
		const struct metric *m =
			engine_find_scaling_metric(t, group, group->collected.at[count], now_us);
		if (!m)
			return 0;
		added[count++] = (struct metric_added){
			m->row.id, {now_us / MINUTE * MINUTE, 1, values[k], values[k], values[k]}};
	}
	return count;
}

static RESULT publish_metrics(struct step *s)
{
	struct metric_added added[SCALING_METRICS];
	uuid account = UUID_NONE;
	size_t count = 0;
	bool is_there = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct scaling_group *group = scaling_group_find(view.tables, s->id);
		if (!group || !group->collected.count)
			return OK;
		account = group->account;
		count = gather_metrics(view.tables, group, added);
	}
	if (!count) {
		struct scaling_metrics_target *report = STEP_NEW(s, struct scaling_metrics_target);
		*report = (struct scaling_metrics_target){.group = s->id};
		step_report(s, engine_put_scaling_metrics_run, report);
		step_again(s);
		return OK;
	}
	TRY(find_published(s, &added[0], account, &is_there));
	struct result result =
		is_there ? OK : reconciler_add_metric_points(s->r, &s->ctx, account, added, count);
	if (result.code != ERR_THROTTLED) /* memory for datapoints is used up: this minute has none */
		return result;
	ctx_clear_problem(&s->ctx);
	return OK;
}

static RESULT step_scaling_group(struct step *s)
{
	const struct scaling_group *row = NULL;
	enum scaling_turn turn = SCALING_WAIT;
	int64_t due_us = INT64_MAX;
	uuid refresh = UUID_NONE;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct scaling_group *group = scaling_group_find(view.tables, s->id);
		if (!group)
			return OK;
		turn = engine_find_scaling_turn(view.tables, group, clock_now_us(), &due_us);
		struct scaling_group launching = *group;
		refresh = engine_use_scaling_refresh(view.tables, &launching);
		row = STEP_COPY(s, KIND_SCALING_GROUP, struct scaling_group, &launching);
	}
	step_again_by(s, due_us);
	if (turn != SCALING_WAIT)
		TRY(take_turn(s, row, refresh, turn));
	return publish_metrics(s); /* last: a failure here holds no launch */
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

const struct resource reconcile_scaling_refresh = {
	.wakes = {{KIND_SCALING_GROUP, offsetof(struct scaling_refresh, scaling_group)}},
};
