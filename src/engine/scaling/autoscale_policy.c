/* SPDX-License-Identifier: Apache-2.0
 * Conditions and policies of CloudStack's AutoScale, and the scaling policies and alarms that groups have of them. Called by:
 * api/cloudstack/autoscale, autoscale_group.c. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/alarm/alarm.h"
#include "engine/limits.h"
#include "engine/region/region.h"
#include "engine/scaling/autoscale_internal.h"

/* Bytes of an interface in a minute at one Mbit/s. */
enum { MBIT_OF_MINUTE = 7500000, MINUTE_S = 60 };

bool engine_is_autoscale_disabled(const struct scaling_group *group)
{
	return engine_is_scaling_suspended(group, "Launch");
}

/* Number of groups of the policy that are not disabled. */
static size_t count_enabled(const struct tables *t, uuid policy)
{
	size_t count = 0;
	for (const struct scaling_policy *p = scaling_policy_first_by_autoscale_policy(t, policy); p;
	     p = scaling_policy_next_by_autoscale_policy(t, p))
		count += !engine_is_autoscale_disabled(scaling_group_find(t, p->scaling_group));
	return count;
}

/* ---- alarms ---- */

static const char *counter_metric(enum autoscale_condition_counter counter)
{
	return counter == AUTOSCALE_CONDITION_COUNTER_NETWORK_IN    ? "NetworkIn"
	       : counter == AUTOSCALE_CONDITION_COUNTER_NETWORK_OUT ? "NetworkOut"
								    : "CPUUtilization";
}

static enum alarm_comparison comparison_of(enum autoscale_condition_comparison comparison)
{
	switch (comparison) {
	case AUTOSCALE_CONDITION_COMPARISON_GT:
		return ALARM_COMPARISON_GREATER;
	case AUTOSCALE_CONDITION_COMPARISON_GE:
		return ALARM_COMPARISON_GREATER_OR_EQUAL;
	case AUTOSCALE_CONDITION_COMPARISON_LT:
		return ALARM_COMPARISON_LESS;
	case AUTOSCALE_CONDITION_COMPARISON_LE:
		return ALARM_COMPARISON_LESS_OR_EQUAL;
	}
	return ALARM_COMPARISON_GREATER;
}

/* Datapoints are minutes: the interval is rounded up to minutes, and the duration down to intervals. */
static RESULT put_alarm(struct op *op, const struct scaling_group *group, const struct scaling_policy *p,
			const struct autoscale_policy *policy, const struct autoscale_condition *condition,
			struct str action)
{
	bool is_cpu = condition->counter == AUTOSCALE_CONDITION_COUNTER_CPU;
	struct str dimensions[] = {STR("AutoScalingGroupName"), group->name};
	int64_t period_s = (group->interval_s + MINUTE_S - 1) / MINUTE_S * MINUTE_S;
	int64_t periods = policy->duration_s / period_s;
	struct alarm next = {
		.account = group->account,
		.scaling_policy = p->row.id,
		.name = str_print(op->ctx->arena, "AutoScale-%" STR_FMT "-%" STR_FMT,
				  STR_ARG(str_cut(group->name, 180)),
				  STR_ARG(uuid_to_str(op->ctx->arena, engine_new_id(op, KIND_ALARM)))),
		.description = str_print(op->ctx->arena,
					 "DO NOT EDIT OR DELETE. For the AutoScale policy %" STR_FMT ".",
					 STR_ARG(uuid_to_str(op->ctx->arena, policy->row.id))),
		.acts = true,
		.alarm_actions = {&action, 1},
		.name_space = STR("AWS/EC2"),
		.metric = str_from(counter_metric(condition->counter)),
		.dimensions = {dimensions, 2},
		.statistic = STR("Average"),
		.period_s = period_s,
		.evaluation_periods = periods > 0 ? periods : 1,
		.threshold = str_print(op->ctx->arena, "%" PRId64,
				       condition->threshold * (is_cpu ? 1 : MBIT_OF_MINUTE)),
		.comparison = comparison_of(condition->comparison)};
	return alarm_put_owned(op, &next);
}

static RESULT put_alarms(struct op *op, const struct scaling_policy *p)
{
	const struct scaling_group *group = scaling_group_find(op->head, p->scaling_group);
	const struct autoscale_policy *policy = autoscale_policy_find(op->head, p->autoscale_policy);
	struct str number = engine_account_number(op->head, group->account);
	struct str action =
		engine_write_scaling_arn(op->head, op->ctx->arena, engine_get_region_name(op->head), number,
					 KIND_SCALING_POLICY, &p->row);
	TRY(alarm_forget_tracking(op, p->row.id));
	for (size_t k = 0; k < policy->conditions.count; k++) {
		const struct autoscale_condition *condition =
			autoscale_condition_find(op->head, policy->conditions.at[k]);
		if (condition)
			TRY(put_alarm(op, group, p, policy, condition, action));
	}
	return OK;
}

/* Makes the group's scaling policy of an AutoScale policy, or updates it. CloudStack acts at most once in each interval of
 * the group, also with a quiet time of 0: the cooldown is never shorter than the interval. */
static RESULT put_policy(struct op *op, const struct scaling_group *group,
			 const struct autoscale_policy *policy)
{
	struct str name = uuid_to_str(op->ctx->arena, policy->row.id);
	const struct scaling_policy *present =
		scaling_policy_find_by_scaling_group(op->head, group->row.id, name);
	struct scaling_policy next = {
		.row = present ? present->row : (struct row){.id = engine_new_id(op, KIND_SCALING_POLICY)},
		.account = group->account,
		.scaling_group = group->row.id,
		.name = name,
		.amount = policy->is_down ? -1 : 1,
		.has_cooldown = true,
		.cooldown_s = policy->quiet_s > group->interval_s ? policy->quiet_s : group->interval_s,
		.autoscale_policy = policy->row.id};
	if (!present)
		TRY(limit_check(op, LIMIT_SCALING_POLICIES, group->row.id, 1, STR_NONE));
	next.row.gen++;
	TRY(scaling_policy_put(op, &next));
	return put_alarms(op, scaling_policy_find(op->head, next.row.id));
}

/* Writes the scaling policies and alarms of all groups of the policy again. */
static RESULT put_everywhere(struct op *op, uuid policy)
{
	for (const struct scaling_policy *p = scaling_policy_first_by_autoscale_policy(op->head, policy); p;
	     p = scaling_policy_next_by_autoscale_policy(op->head, p))
		TRY(put_policy(op, scaling_group_find(op->head, p->scaling_group),
			       autoscale_policy_find(op->head, policy)));
	return OK;
}

/* ---- policies of groups ---- */

static RESULT fail_group(struct op *op, const char *field, const char *words)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, str_from(field), "%s", words);
}

RESULT autoscale_check_duration(struct op *op, const struct autoscale_policy *policy, int64_t interval_s)
{
	return policy->duration_s >= interval_s
		       ? OK
		       : ENGINE_FAIL(
				 op, ERR_INVALID, KIND_SCALING_GROUP, STR("interval"),
				 "duration : %" PRId64
				 " specified in a policy cannot be less than vm group's interval : %" PRId64,
				 policy->duration_s, interval_s);
}

RESULT autoscale_put_policies(struct op *op, uuid group_id, const struct refs *named, bool is_down)
{
	const struct scaling_group *group = scaling_group_find(op->head, group_id);
	const char *field = is_down ? "scaledownpolicyids" : "scaleuppolicyids";
	struct uuids kept = {0};
	uuid *at = arena_new_array(op->ctx->arena, uuid, named->count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	if (named->count > AUTOSCALE_GROUP_POLICIES_MAX)
		return fail_group(op, field, "AutoScale VM group has too many policies");
	for (size_t k = 0; k < named->count; k++) {
		const struct autoscale_policy *policy = NULL;
		TRY(engine_find_own_autoscale_policy(op->ctx, op->head, &named->at[k], &policy));
		TRY(autoscale_check_duration(op, policy, group->interval_s));
		if (policy->is_down != is_down)
			return fail_group(
				op, field,
				is_down ? "Only scaledown policies can be specified in scaledownpolicyids"
					: "Only scaleup policies can be specified in scaleuppolicyids");
		at[k] = policy->row.id;
		kept = (struct uuids){at, k + 1};
		TRY(put_policy(op, group, policy));
	}
	for (const struct scaling_policy *p = scaling_policy_first_by_scaling_group(op->head, group_id); p;
	     p = scaling_policy_next_by_scaling_group(op->head, p)) {
		const struct autoscale_policy *policy = autoscale_policy_find(op->head, p->autoscale_policy);
		if (policy && policy->is_down == is_down && !uuids_have(&kept, policy->row.id))
			TRY(scaling_policy_forget(op, p->row.id));
	}
	return OK;
}

RESULT autoscale_refresh_policies(struct op *op, uuid group_id)
{
	const struct scaling_group *group = scaling_group_find(op->head, group_id);
	for (const struct scaling_policy *p = scaling_policy_first_by_scaling_group(op->head, group_id); p;
	     p = scaling_policy_next_by_scaling_group(op->head, p)) {
		const struct autoscale_policy *policy = autoscale_policy_find(op->head, p->autoscale_policy);
		if (!policy)
			continue;
		TRY(autoscale_check_duration(op, policy, group->interval_s));
		TRY(put_policy(op, group, policy));
	}
	return OK;
}

/* ---- conditions ---- */

static RESULT check_threshold(struct op *op, int64_t threshold)
{
	return threshold >= 0 ? OK
			      : ENGINE_FAIL(op, ERR_INVALID, KIND_AUTOSCALE_CONDITION, STR("threshold"),
					    "The threshold %" PRId64 " must be equal to or greater than 0.",
					    threshold);
}

RESULT engine_create_autoscale_condition(struct op *op, struct autoscale_condition_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "autoscale_condition.create", KIND_AUTOSCALE_CONDITION, NULL));
	TRY(check_threshold(op, wish->threshold));
	TRY(limit_check(op, LIMIT_AUTOSCALE_CONDITIONS, account, 1, STR_NONE));
	struct autoscale_condition made = {
		.row = {.id = engine_new_id(op, KIND_AUTOSCALE_CONDITION), .gen = 1},
		.account = account,
		.counter = wish->counter,
		.comparison = wish->comparison,
		.threshold = wish->threshold};
	TRY(autoscale_condition_put(op, &made));
	wish->condition = made.row.id;
	return engine_log_event(op, KIND_AUTOSCALE_CONDITION, &made.row, "created",
				"AutoScale condition %" STR_FMT ".",
				STR_ARG(uuid_to_str(op->ctx->arena, made.row.id)));
}

/* The first of the account's policies after `last` that names the condition. Accounts have few policies. */
static const struct autoscale_policy *next_user(const struct tables *t, const struct autoscale_condition *c,
						const struct autoscale_policy *last)
{
	const struct autoscale_policy *p = last ? autoscale_policy_next_by_account(t, last)
						: autoscale_policy_first_by_account(t, c->account);
	while (p && !uuids_have(&p->conditions, c->row.id))
		p = autoscale_policy_next_by_account(t, p);
	return p;
}

RESULT engine_update_autoscale_condition(struct op *op, struct autoscale_condition_change *wish)
{
	const struct autoscale_condition *condition = NULL;
	size_t enabled = 0;
	TRY(engine_permit_autoscale_condition(op, &wish->condition, "autoscale_condition.update",
					      &condition));
	TRY(check_threshold(op, wish->threshold));
	for (const struct autoscale_policy *p = NULL; (p = next_user(op->head, condition, p));)
		enabled += count_enabled(op->head, p->row.id);
	if (enabled)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_AUTOSCALE_CONDITION, wish->condition.field,
				   "Cannot update condition %" STR_FMT
				   " as it is being used in %zu vm groups NOT in Disabled state.",
				   STR_ARG(uuid_to_str(op->ctx->arena, condition->row.id)), enabled);
	struct autoscale_condition next = *condition;
	next.comparison = wish->comparison;
	next.threshold = wish->threshold;
	next.row.gen++;
	TRY(autoscale_condition_put(op, &next));
	for (const struct autoscale_policy *p = NULL; (p = next_user(op->head, &next, p));)
		TRY(put_everywhere(op, p->row.id));
	return engine_log_event(op, KIND_AUTOSCALE_CONDITION, &next.row, "changed",
				"AutoScale condition %" STR_FMT ".",
				STR_ARG(uuid_to_str(op->ctx->arena, next.row.id)));
}

RESULT engine_delete_autoscale_condition(struct op *op, struct autoscale_condition_target *wish)
{
	const struct autoscale_condition *condition = NULL;
	TRY(engine_permit_autoscale_condition(op, &wish->condition, "autoscale_condition.delete",
					      &condition));
	if (next_user(op->head, condition, NULL))
		return ENGINE_FAIL(
			op, ERR_IN_USE, KIND_AUTOSCALE_CONDITION, wish->condition.field,
			"Cannot delete Condition when it is in use by one or more AutoScale Policies.");
	TRY(engine_log_event(op, KIND_AUTOSCALE_CONDITION, &condition->row, "deleted",
			     "AutoScale condition %" STR_FMT ".",
			     STR_ARG(uuid_to_str(op->ctx->arena, condition->row.id))));
	return autoscale_condition_forget(op, condition->row.id);
}

/* ---- policies ---- */

static struct str get_policy_name(struct op *op, const struct autoscale_policy *policy)
{
	return policy->name.n ? policy->name : uuid_to_str(op->ctx->arena, policy->row.id);
}

static RESULT fail_policy(struct op *op, const char *field, const char *words)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_AUTOSCALE_POLICY, str_from(field), "%s", words);
}

static RESULT take_conditions(struct op *op, const struct refs *named, struct uuids *ret_conditions)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, named->count + 1);
	bool has_counter[AUTOSCALE_POLICY_CONDITIONS_MAX] = {false};
	if (!at)
		return ctx_no_memory(op->ctx);
	if (!named->count)
		return fail_policy(op, "conditionids", "AutoScale policy must have at least one condition");
	for (size_t k = 0; k < named->count; k++) {
		const struct autoscale_condition *condition = NULL;
		TRY(engine_find_own_autoscale_condition(op->ctx, op->head, &named->at[k], &condition));
		if (has_counter[condition->counter])
			return fail_policy(
				op, "conditionids",
				"at least two conditions in the conditionids have the same counter. "
				"It is not right to apply two different conditions for the same "
				"counter");
		has_counter[condition->counter] = true;
		at[k] = condition->row.id;
	}
	*ret_conditions = (struct uuids){at, named->count};
	return OK;
}

RESULT engine_create_autoscale_policy(struct op *op, struct autoscale_policy_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "autoscale_policy.create", KIND_AUTOSCALE_POLICY, NULL));
	TRY(limit_check(op, LIMIT_AUTOSCALE_POLICIES, account, 1, STR_NONE));
	struct autoscale_policy made = {.row = {.id = engine_new_id(op, KIND_AUTOSCALE_POLICY), .gen = 1},
					.account = account,
					.name = wish->name,
					.is_down = wish->is_down,
					.duration_s = wish->duration_s,
					.quiet_s = wish->quiet_s.is_given ? wish->quiet_s.value
									  : AUTOSCALE_QUIET_DEFAULT_S};
	TRY(take_conditions(op, &wish->conditions, &made.conditions));
	TRY(autoscale_policy_put(op, &made));
	wish->policy = made.row.id;
	return engine_log_event(op, KIND_AUTOSCALE_POLICY, &made.row, "created",
				"AutoScale policy %" STR_FMT ".", STR_ARG(get_policy_name(op, &made)));
}

static RESULT check_groups(struct op *op, const struct autoscale_policy *next)
{
	if (count_enabled(op->head, next->row.id))
		return fail_policy(
			op, "id",
			"The AutoScale Policy can be updated only if the Vm Group it is associated with "
			"is disabled in state");
	for (const struct scaling_policy *p =
		     scaling_policy_first_by_autoscale_policy(op->head, next->row.id);
	     p; p = scaling_policy_next_by_autoscale_policy(op->head, p))
		if (next->duration_s < scaling_group_find(op->head, p->scaling_group)->interval_s)
			return fail_policy(
				op, "duration",
				"duration is less than the associated AutoScaleVmGroup's interval");
	return OK;
}

RESULT engine_update_autoscale_policy(struct op *op, struct autoscale_policy_change *wish)
{
	const struct autoscale_policy *policy = NULL;
	TRY(engine_permit_autoscale_policy(op, &wish->policy, "autoscale_policy.update", &policy));
	struct autoscale_policy next = *policy;
	if (wish->name)
		next.name = *wish->name;
	if (wish->duration_s.is_given)
		next.duration_s = wish->duration_s.value;
	if (wish->quiet_s.is_given)
		next.quiet_s = wish->quiet_s.value;
	if (wish->conditions.count)
		TRY(take_conditions(op, &wish->conditions, &next.conditions));
	TRY(check_groups(op, &next));
	next.row.gen++;
	TRY(autoscale_policy_put(op, &next));
	TRY(put_everywhere(op, next.row.id));
	return engine_log_event(op, KIND_AUTOSCALE_POLICY, &next.row, "changed",
				"AutoScale policy %" STR_FMT ".", STR_ARG(get_policy_name(op, &next)));
}

RESULT engine_delete_autoscale_policy(struct op *op, struct autoscale_policy_target *wish)
{
	const struct autoscale_policy *policy = NULL;
	TRY(engine_permit_autoscale_policy(op, &wish->policy, "autoscale_policy.delete", &policy));
	if (scaling_policy_first_by_autoscale_policy(op->head, policy->row.id))
		return fail_policy(
			op, "id",
			"Cannot delete AutoScale Policy when it is in use by one or more AutoScale Vm "
			"Groups");
	TRY(engine_log_event(op, KIND_AUTOSCALE_POLICY, &policy->row, "deleted",
			     "AutoScale policy %" STR_FMT ".", STR_ARG(get_policy_name(op, policy))));
	return autoscale_policy_forget(op, policy->row.id);
}
