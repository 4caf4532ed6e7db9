/* SPDX-License-Identifier: Apache-2.0
 * Scheduled actions of scaling groups. Called by: api/autoscaling; reconcile/scaling/scaling_schedule.c, when their time has
 * come. */
#include "engine/limits.h"
#include "engine/scaling/scaling_internal.h"
#include "model/schedule.h"

int64_t engine_find_scaling_time(struct ctx *c, const struct scaling_schedule *schedule, int64_t after_us)
{
	struct schedule times;
	const struct time_zone *zone = NULL;
	int64_t at_us = schedule->start_us > after_us ? schedule->start_us : 0;
	if (schedule->recurrence.n) {
		int64_t from_us = schedule->start_us - 1 > after_us ? schedule->start_us - 1 : after_us;
		if (!result_is_ok(schedule_read_cron(schedule->recurrence, &times)) ||
		    !result_is_ok(time_zone_load(c, schedule->time_zone.n ? schedule->time_zone : STR("UTC"),
						 &zone)))
			return 0;
		at_us = schedule_next_us(&times, zone, from_us);
	}
	return schedule->end_us && at_us > schedule->end_us ? 0 : at_us;
}

static int64_t number_or_none(const struct scaling_number *n)
{
	return n->is_given ? n->value : -1;
}

static RESULT check_sizes(struct op *op, const struct scaling_schedule *next)
{
	if (next->min_size < 0 && next->max_size < 0 && next->desired < 0)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SCALING_SCHEDULE, STR("MinSize"),
			"You must specify one or more of the following: MinSize, MaxSize, DesiredCapacity.");
	bool is_crossed = next->min_size >= 0 && next->max_size >= 0 && next->min_size > next->max_size;
	bool is_low = next->desired >= 0 && next->min_size >= 0 && next->desired < next->min_size;
	bool is_high = next->desired >= 0 && next->max_size >= 0 && next->desired > next->max_size;
	if (is_crossed || is_low || is_high)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SCALING_SCHEDULE, STR("DesiredCapacity"),
			"The sizes contradict each other: MinSize, DesiredCapacity and MaxSize must be in "
			"this order.");
	return OK;
}

RESULT engine_put_scaling_schedule(struct op *op, struct scaling_schedule_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, wish->permission ? wish->permission : "scaling_schedule.put",
			 &group));
	const struct scaling_schedule *present =
		scaling_schedule_find_by_scaling_group(op->head, group->row.id, wish->name);
	if (!present)
		TRY(limit_check(op, LIMIT_SCALING_SCHEDULES, group->row.id, 1, STR_NONE));
	struct scaling_schedule next = {
		.row = present ? present->row : (struct row){.id = engine_new_id(op, KIND_SCALING_SCHEDULE)},
		.account = group->account,
		.scaling_group = group->row.id,
		.name = wish->name,
		.recurrence = wish->recurrence,
		.time_zone = wish->time_zone,
		.start_us = wish->start_us,
		.end_us = wish->end_us,
		.min_size = number_or_none(&wish->min),
		.max_size = number_or_none(&wish->max),
		.desired = number_or_none(&wish->desired),
		.next_us = wish->next_us};
	next.row.gen++;
	TRY(check_sizes(op, &next));
	TRY(scaling_schedule_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &group->row, "scheduled action put", "%" STR_FMT,
				STR_ARG(next.name));
}

RESULT engine_delete_scaling_schedule(struct op *op, struct scaling_schedule_target *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, wish->permission ? wish->permission : "scaling_schedule.delete",
			 &group));
	const struct scaling_schedule *present =
		scaling_schedule_find_by_scaling_group(op->head, group->row.id, wish->name);
	if (!present)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SCALING_SCHEDULE, STR("ScheduledActionName"),
				   "Scheduled action name not found");
	TRY(engine_log_event(op, KIND_SCALING_GROUP, &group->row, "scheduled action deleted", "%" STR_FMT,
			     STR_ARG(present->name)));
	return scaling_schedule_forget(op, present->row.id);
}

/* ---- when its time has come ---- */

/* Sizes that the schedule leaves alone give way, so that the result is always in order. */
static RESULT apply(struct op *op, const struct scaling_group *group, const struct scaling_schedule *s)
{
	struct scaling_group next = *group;
	if (s->min_size >= 0)
		next.min_size = s->min_size;
	if (s->max_size >= 0)
		next.max_size = s->max_size;
	if (next.min_size > next.max_size && s->max_size < 0)
		next.max_size = next.min_size;
	if (next.min_size > next.max_size)
		next.min_size = next.max_size;
	int64_t desired = s->desired >= 0 ? s->desired : next.desired;
	desired = desired < next.min_size ? next.min_size : desired > next.max_size ? next.max_size : desired;
	TRY(scaling_set_desired(
		op, &next, desired,
		str_print(op->ctx->arena, "the scheduled action %" STR_FMT " executed", STR_ARG(s->name))));
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "scheduled action executed", "%" STR_FMT,
				STR_ARG(s->name));
}

RESULT engine_run_scaling_schedule(struct op *op, struct scaling_schedule_due *wish)
{
	const struct scaling_schedule *s = scaling_schedule_find(op->head, wish->schedule);
	if (!s || s->next_us != wish->due_us || op->now_us < s->next_us)
		return OK;
	const struct scaling_group *group = scaling_group_find(op->head, s->scaling_group);
	struct scaling_schedule next = *s;
	next.next_us = wish->next_us;
	if (group && !group->is_deleting && !engine_is_scaling_suspended(group, "ScheduledActions"))
		TRY(apply(op, group, &next));
	return next.next_us ? scaling_schedule_put(op, &next) : scaling_schedule_forget(op, next.row.id);
}
