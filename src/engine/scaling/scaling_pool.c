/* SPDX-License-Identifier: Apache-2.0
 * Warm pools: instances that a group launches ahead, stopped or running, and takes into service when it grows. The pool's size
 * follows from the group's; the reconciler fills it once the group has its capacity. Called by: api/autoscaling,
 * scaling_follow.c. Source: Amazon EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using
 * warm pools". */
#include <inttypes.h>

#include "engine/instance/instance.h"
#include "engine/instance/launch/fleet_internal.h"
#include "engine/scaling/scaling_internal.h"
#include "store/instance.h"

/* ---- sizes ---- */

int64_t engine_count_scaling_pool(const struct tables *t, uuid group)
{
	int64_t units = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group); m;
	     m = scaling_member_next_by_scaling_group(t, m))
		units += scaling_pool_counts(m) ? m->units : 0;
	return units;
}

int64_t engine_want_scaling_pool(const struct scaling_group *group)
{
	int64_t most = group->pool_max >= 0 ? group->pool_max : group->max_size;
	if (!group->has_pool || group->pool_is_deleting)
		return 0;
	return most - group->desired > group->pool_min ? most - group->desired : group->pool_min;
}

/* ---- what is next ---- */

static bool is_ready(const struct scaling_member *m)
{
	return scaling_is_warm(m) && !m->is_unhealthy &&
	       (m->stage == SCALING_MEMBER_STAGE_WARMED_STOPPED ||
		m->stage == SCALING_MEMBER_STAGE_WARMED_RUNNING);
}

/* Units in the zone: in the pool, or in the group. */
static int64_t count_zone(const struct tables *t, uuid group, uuid zone, bool is_warm)
{
	int64_t units = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group); m;
	     m = scaling_member_next_by_scaling_group(t, m))
		if (uuid_equal(m->zone, zone) &&
		    (is_warm ? scaling_pool_counts(m) : scaling_member_counts(m)))
			units += m->units;
	return units;
}

static bool is_stale(const struct tables *t, const struct scaling_group *group,
		     const struct scaling_refresh *refresh, const struct scaling_member *m)
{
	return refresh && scaling_is_stale(t, group, refresh, m);
}

/* The zone with the fewest units of the group comes first, then the instance that has waited longest. */
const struct scaling_member *scaling_find_drawn(const struct tables *t, const struct scaling_group *group)
{
	const struct scaling_refresh *refresh = engine_find_scaling_refresh(t, group->row.id);
	const struct scaling_member *found = NULL;
	int64_t least = 0;
	if (!group->has_pool || group->pool_is_deleting)
		return NULL;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		if (!is_ready(m) || is_stale(t, group, refresh, m))
			continue;
		int64_t units = count_zone(t, group->row.id, m->zone, false);
		if (found && (units > least || (units == least && m->stage_us >= found->stage_us)))
			continue;
		found = m;
		least = units;
	}
	return found;
}

/* The zone with the most units of the pool loses one; an instance that is not ready goes before a ready one. */
const struct scaling_member *scaling_find_shed(const struct tables *t, const struct scaling_group *group,
					       bool only_stale)
{
	const struct scaling_refresh *refresh = engine_find_scaling_refresh(t, group->row.id);
	int64_t excess = engine_count_scaling_pool(t, group->row.id) - engine_want_scaling_pool(group);
	const struct scaling_member *found = NULL;
	int64_t most = 0;
	if (only_stale && !refresh)
		return NULL;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		if (!scaling_pool_counts(m))
			continue;
		if (is_stale(t, group, refresh, m))
			return m;
		if (m->units > excess || only_stale)
			continue;
		int64_t units = 2 * count_zone(t, group->row.id, m->zone, true) + !is_ready(m);
		if (found && units <= most)
			continue;
		found = m;
		most = units;
	}
	return found;
}

bool scaling_is_pool_over(const struct tables *t, const struct scaling_group *group)
{
	const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id);
	while (m && !scaling_is_warm(m))
		m = scaling_member_next_by_scaling_group(t, m);
	return group->pool_is_deleting && !m;
}

/* The pool's own size limits it, too: what would be in excess there is terminated at once. */
bool scaling_takes_back(const struct tables *t, const struct scaling_group *group)
{
	return group->has_pool && !group->pool_is_deleting &&
	       group->pool_reuse == SCALING_GROUP_POOL_REUSE_YES &&
	       engine_count_scaling_pool(t, group->row.id) < engine_want_scaling_pool(group);
}

/* ---- turns ---- */

static RESULT run_start(struct op *op, void *arg)
{
	return engine_start_instances(op, arg);
}

static RESULT run_stop(struct op *op, void *arg)
{
	return engine_stop_instances(op, arg);
}

/* Starts or stops the instance as the system. After a refusal nothing has changed, and *ret_problem has the reason. */
static RESULT turn_power(struct op *op, uuid instance, op_run run, struct str *ret_problem)
{
	struct op_place place = op_place_now(op);
	struct ref ref = engine_ref_to(op, KIND_INSTANCE, instance, STR("InstanceId"));
	struct instances_wish wish = {.instances = {&ref, 1}};
	struct result result = scaling_as_system(op, run, &wish);
	*ret_problem = STR_NONE;
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	*ret_problem = op->ctx->problem.message.n ? op->ctx->problem.message : STR("It was refused.");
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT note_no_start(struct op *op, const struct scaling_group *group, struct str problem)
{
	struct scaling_group next = *group;
	uuid failed = UUID_NONE;
	const struct activity_wish activity = {
		.group = group->row.id,
		.status = SCALING_ACTIVITY_STATUS_FAILED,
		.description = str_print(op->ctx->arena,
					 "Launching a new EC2 instance from warm pool.  Status Reason: "
					 "%" STR_FMT " Launching EC2 instance failed.",
					 STR_ARG(str_cut(problem, 400))),
		.message = str_print(op->ctx->arena, "%" STR_FMT " Launching EC2 instance failed.",
				     STR_ARG(str_cut(problem, 900))),
		.cause = scaling_say_at(op, "an instance of the warm pool could not be started.")};
	next.tries++;
	next.again_us = fleet_next_try(op->now_us, next.tries);
	TRY(scaling_group_put(op, &next));
	TRY(scaling_begin_activity(op, &activity, &failed));
	return scaling_notify(op, next.row.id, SCALING_EVENT_LAUNCH_ERROR, failed);
}

RESULT scaling_draw(struct op *op, const struct scaling_group *group)
{
	const struct scaling_member *m = scaling_find_drawn(op->head, group);
	int64_t units = engine_count_scaling_units(op->head, group->row.id);
	struct str problem = STR_NONE, reason = group->reason;
	struct scaling_member next = *m;
	struct scaling_group after = *group;
	if (m->stage == SCALING_MEMBER_STAGE_WARMED_STOPPED)
		TRY(turn_power(op, m->instance, run_start, &problem));
	if (problem.n)
		return note_no_start(op, group, problem);
	struct str started = scaling_say_at(
		op,
		"an instance was started from the warm pool in response to a difference between desired and "
		"actual capacity, increasing the capacity from %" PRId64 " to %" PRId64 ".",
		units, units + next.units);
	const struct activity_wish activity = {
		.group = next.scaling_group,
		.instance = instance_find(op->head, next.instance),
		.description =
			str_print(op->ctx->arena, "Launching a new EC2 instance from warm pool: %" STR_FMT,
				  STR_ARG(engine_write_id(op, KIND_INSTANCE, next.instance))),
		.cause = str_print(op->ctx->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(reason),
				   reason.n ? "  " : "", STR_ARG(started))};
	TRY(scaling_begin_activity(op, &activity, &next.activity));
	next.pool = SCALING_MEMBER_POOL_DRAWN;
	next.is_protected = after.protects_new;
	TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_PENDING));
	if (units + next.units >= after.desired)
		after.reason = STR_NONE;
	return scaling_group_put(op, &after);
}

RESULT scaling_shed(struct op *op, const struct scaling_group *group)
{
	bool only_stale = engine_count_scaling_units(op->head, group->row.id) < group->desired;
	const struct scaling_member *m = scaling_find_shed(op->head, group, only_stale);
	return scaling_member_terminate(
		op, m,
		scaling_say_at(op,
			       "an instance was taken out of the warm pool, which has a size of %" PRId64 ".",
			       engine_want_scaling_pool(group)),
		false, NULL);
}

RESULT scaling_pool_rest(struct op *op, const struct scaling_member *m)
{
	const struct scaling_group *group = scaling_group_find(op->head, m->scaling_group);
	struct scaling_member next = *m;
	struct str problem = STR_NONE;
	if (group->pool_state == SCALING_GROUP_POOL_STATE_RUNNING)
		return scaling_pool_ready(op, m, SCALING_MEMBER_STAGE_WARMED_RUNNING);
	TRY(turn_power(op, m->instance, run_stop, &problem));
	if (problem.n) { /* protected from being stopped: it stays in the pool, running */
		TRY(engine_log_event(op, KIND_SCALING_GROUP, &group->row, "not stopped", "%" STR_FMT,
				     STR_ARG(str_cut(problem, 500))));
		return scaling_pool_ready(op, m, SCALING_MEMBER_STAGE_WARMED_RUNNING);
	}
	return scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_PENDING_PROCEED);
}

RESULT scaling_pool_ready(struct op *op, const struct scaling_member *m, enum scaling_member_stage stage)
{
	struct scaling_member next = *m;
	uuid activity = next.activity;
	TRY(scaling_set_activity(op, activity, SCALING_ACTIVITY_STATUS_SUCCESSFUL, NULL));
	next.hooks = (struct strs){0};
	next.activity = UUID_NONE;
	TRY(scaling_put_stage(op, &next, stage));
	return scaling_notify(op, next.scaling_group, SCALING_EVENT_LAUNCH, activity);
}

RESULT scaling_close_pool(struct op *op, const struct scaling_group *group)
{
	struct scaling_group next = *group;
	next.has_pool = next.pool_is_deleting = false;
	next.pool_min = next.pool_max = next.pool_tries = next.pool_again_us = 0;
	next.pool_state = SCALING_GROUP_POOL_STATE_STOPPED;
	next.pool_reuse = SCALING_GROUP_POOL_REUSE_UNSET;
	next.row.gen++;
	return scaling_group_put(op, &next);
}

/* ---- calls ---- */

RESULT scaling_check_pool(struct op *op, const struct scaling_group *next)
{
	if (!next->has_pool || !next->is_mixed || next->on_demand_percent == 100)
		return OK;
	return ENGINE_FAIL(
		op, ERR_INVALID, KIND_SCALING_GROUP, STR("AutoScalingGroupName"),
		"You can't add a warm pool to an Auto Scaling group that launches Spot Instances.");
}

static RESULT check_group(struct op *op, const struct scaling_group *group)
{
	if (group->mode != SCALING_GROUP_MODE_GROUP || !uuid_is_none(group->profile))
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_SCALING_GROUP, STR("AutoScalingGroupName"),
				   "%" STR_FMT " is no group of EC2 Auto Scaling: it has no warm pool.",
				   STR_ARG(group->name));
	if (group->pool_is_deleting)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_GROUP, STR("AutoScalingGroupName"),
				   "The warm pool of AutoScalingGroup %" STR_FMT " is pending delete.",
				   STR_ARG(group->name));
	return OK;
}

RESULT engine_put_scaling_pool(struct op *op, struct scaling_pool_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_warm_pool.put", &group));
	TRY(check_group(op, group));
	struct scaling_group next = *group;
	if (!next.has_pool)
		next.pool_max = -1;
	next.has_pool = true;
	TRY(scaling_check_pool(op, &next));
	if (wish->min.is_given)
		next.pool_min = wish->min.value;
	if (wish->max.is_given)
		next.pool_max = wish->max.value;
	if (wish->has_state)
		next.pool_state = wish->state;
	if (wish->reuses != CHOICE_DEFAULT)
		next.pool_reuse = wish->reuses == CHOICE_YES ? SCALING_GROUP_POOL_REUSE_YES
							     : SCALING_GROUP_POOL_REUSE_NO;
	next.pool_tries = next.pool_again_us = 0;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "warm pool put",
				"Auto Scaling group %" STR_FMT ".", STR_ARG(next.name));
}

/* Without hooks, all instances of the pool end with the call; otherwise the reconciler terminates them. */
static RESULT end_all(struct op *op, uuid group)
{
	const struct scaling_member *m = scaling_member_first_by_scaling_group(op->head, group);
	while (m) {
		uuid id = m->row.id;
		if (scaling_is_warm(m) && m->stage != SCALING_MEMBER_STAGE_TERMINATING &&
		    m->stage != SCALING_MEMBER_STAGE_TERMINATING_PROCEED)
			TRY(scaling_member_terminate(
				op, m,
				scaling_say_at(op,
					       "an instance was taken out of the warm pool in response to "
					       "its deletion."),
				true, NULL));
		m = scaling_member_next_by_scaling_group(op->head, scaling_member_find(op->head, id));
	}
	return OK;
}

RESULT engine_delete_scaling_pool(struct op *op, struct scaling_pool_target *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_warm_pool.delete", &group));
	if (!group->has_pool)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_GROUP, STR("AutoScalingGroupName"),
				   "No warm pool found for Auto Scaling group %" STR_FMT,
				   STR_ARG(group->name));
	uuid id = group->row.id;
	if (wish->is_forced)
		TRY(end_all(op, id));
	struct scaling_group next = *scaling_group_find(op->head, id);
	next.pool_is_deleting = true;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	TRY(engine_log_event(op, KIND_SCALING_GROUP, &next.row, "warm pool deleted",
			     "Auto Scaling group %" STR_FMT ".", STR_ARG(next.name)));
	const struct scaling_group *now = scaling_group_find(op->head, id);
	return wish->is_forced || scaling_is_pool_over(op->head, now) ? scaling_close_pool(op, now) : OK;
}
