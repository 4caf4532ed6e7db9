/* SPDX-License-Identifier: Apache-2.0
 * Scaling policies: simple and step scaling, and target tracking, which calls and alarms execute. Called by: api/autoscaling,
 * engine/alarm. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "engine/acting.h"
#include "engine/alarm/alarm.h"
#include "engine/limits.h"
#include "engine/scaling/scaling_internal.h"

/* ---- arithmetic ---- */

/* Percentages are rounded toward zero, but to 1 at least; `least` instances change at least. */
int64_t engine_adjust_scaling(const struct scaling_group *group, enum scaling_policy_adjustment adjustment,
			      int64_t amount, int64_t least)
{
	int64_t change = amount;
	if (adjustment == SCALING_POLICY_ADJUSTMENT_EXACT)
		change = amount - group->desired;
	if (adjustment == SCALING_POLICY_ADJUSTMENT_PERCENT) {
		change = group->desired * amount / 100;
		if (!change && group->desired)
			change = (amount > 0) - (amount < 0);
		if (least && amount && llabs(change) < least)
			change = amount > 0 ? least : -least;
	}
	int64_t desired = group->desired + change;
	if (desired < group->min_size)
		return group->min_size;
	return desired > group->max_size ? group->max_size : desired;
}

static bool read_bound(struct str text, double *ret_value)
{
	char number[64];
	if (!text.n || text.n >= sizeof number)
		return false;
	memcpy(number, text.p, text.n);
	number[text.n] = 0;
	*ret_value = strtod(number, NULL);
	return true;
}

/* The adjustment of the step in whose bounds the value lies, relative to the threshold. Above the threshold the lower
 * bound belongs to the step, below it the upper one. False: none. */
static bool find_step(const struct scaling_policy *p, double distance, int64_t *ret_amount)
{
	for (size_t k = 0; k + 2 < p->steps.count; k += 3) {
		double lower = -INFINITY, upper = INFINITY;
		(void) read_bound(p->steps.at[k], &lower);
		(void) read_bound(p->steps.at[k + 1], &upper);
		bool fits = distance >= 0 ? distance >= lower && distance < upper
					  : distance > lower && distance <= upper;
		if (fits)
			return result_is_ok(str_parse_int(p->steps.at[k + 2], ret_amount));
	}
	return false;
}

/* ---- calls ---- */

/* A policy that does not track a target any more loses its alarms. */
static RESULT put_alarms(struct op *op, const struct scaling_group *group,
			 const struct scaling_policy *policy, struct str region)
{
	struct str number = engine_account_number(op->head, policy->account);
	if (!policy->tracks)
		return alarm_forget_tracking(op, policy->row.id);
	return alarm_put_tracking(op, policy, group->name,
				  engine_write_scaling_arn(op->head, op->ctx->arena, region, number,
							   KIND_SCALING_POLICY, &policy->row));
}

RESULT engine_put_scaling_policy(struct op *op, struct scaling_policy_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_policy.put", &group));
	const struct scaling_policy *present =
		scaling_policy_find_by_scaling_group(op->head, group->row.id, wish->name);
	if (!present)
		TRY(limit_check(op, LIMIT_SCALING_POLICIES, group->row.id, 1, STR_NONE));
	struct scaling_policy next = {
		.row = present ? present->row : (struct row){.id = engine_new_id(op, KIND_SCALING_POLICY)},
		.account = group->account,
		.scaling_group = group->row.id,
		.name = wish->name,
		.is_step = wish->is_step,
		.is_disabled = wish->is_disabled,
		.adjustment = wish->adjustment,
		.amount = wish->amount,
		.least = wish->least,
		.has_cooldown = wish->cooldown_s.is_given,
		.cooldown_s = wish->cooldown_s.value,
		.has_warmup = wish->warmup_s.is_given,
		.warmup_s = wish->warmup_s.value,
		.aggregation = wish->aggregation,
		.steps = wish->steps,
		.tracks = wish->tracks,
		.target = wish->target,
		.predefined = wish->predefined,
		.name_space = wish->name_space,
		.metric = wish->metric,
		.dimensions = wish->dimensions,
		.statistic = wish->statistic,
		.unit = wish->unit,
		.period_s = wish->period_s,
		.queries = wish->queries,
		.keeps = wish->keeps,
		.autoscale_policy = present ? present->autoscale_policy : UUID_NONE,
		.setting = present ? present->setting : UUID_NONE,
		.setting_profile = present ? present->setting_profile : 0};
	next.row.gen++;
	wish->policy = next.row.id;
	TRY(scaling_policy_put(op, &next));
	TRY(put_alarms(op, group, &next, wish->region));
	return engine_log_event(op, KIND_SCALING_GROUP, &group->row, "policy put", "%" STR_FMT,
				STR_ARG(next.name));
}

static RESULT find_policy(struct op *op, const struct scaling_policy_target *wish, const char *permission,
			  const struct scaling_group **ret_group, const struct scaling_policy **ret_policy)
{
	TRY(engine_find_own_scaling_policy(op->ctx, op->head, &wish->policy, ret_policy));
	struct ref ref =
		engine_ref_to(op, KIND_SCALING_GROUP, (*ret_policy)->scaling_group, wish->policy.field);
	return scaling_find(op, &ref, permission, ret_group);
}

RESULT engine_delete_scaling_policy(struct op *op, struct scaling_policy_target *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_policy *policy = NULL;
	TRY(find_policy(op, wish, "scaling_policy.delete", &group, &policy));
	TRY(engine_log_event(op, KIND_SCALING_GROUP, &group->row, "policy deleted", "%" STR_FMT,
			     STR_ARG(policy->name)));
	return scaling_policy_forget(op, policy->row.id);
}

/* ---- execution ---- */

static int64_t warmup_of(const struct scaling_group *group, const struct scaling_policy *p)
{
	return (p->has_warmup       ? p->warmup_s
		: group->has_warmup ? group->warmup_s
				    : group->cooldown_s) *
	       SECOND;
}

/* Units that are in service for as long as they need to warm up. *ret_warming: units that count and are not. */
static int64_t count_warm(const struct tables *t, const struct scaling_group *group,
			  const struct scaling_policy *p, int64_t now_us, int64_t *ret_warming)
{
	int64_t warm = 0, warmup_us = warmup_of(group, p);
	*ret_warming = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		if (!scaling_member_counts(m))
			continue;
		bool is_warm =
			m->stage == SCALING_MEMBER_STAGE_IN_SERVICE && now_us >= m->since_us + warmup_us;
		warm += is_warm ? m->units : 0;
		*ret_warming += is_warm ? 0 : m->units;
	}
	return warm;
}

/* Other policies that track a target must agree to remove instances: their low alarm is in ALARM. */
static bool others_agree(const struct tables *t, const struct scaling_policy *p)
{
	for (const struct scaling_policy *other = scaling_policy_first_by_scaling_group(t, p->scaling_group);
	     other; other = scaling_policy_next_by_scaling_group(t, other)) {
		bool agrees = uuid_equal(other->row.id, p->row.id) || !other->tracks || other->is_disabled ||
			      other->keeps;
		for (const struct alarm *a = alarm_first_by_scaling_policy(t, other->row.id); a && !agrees;
		     a = alarm_next_by_scaling_policy(t, a))
			agrees = a->comparison == ALARM_COMPARISON_LESS && a->state == ALARM_STATE_ALARM;
		if (!agrees)
			return false;
	}
	return true;
}

static int64_t within_sizes(const struct scaling_group *group, double wanted)
{
	return wanted <= (double) group->min_size   ? group->min_size
	       : wanted >= (double) group->max_size ? group->max_size
						    : (int64_t) wanted;
}

/* The capacity at which the metric would be at its target, if it is in proportion to the warm units. Units that are warming up
 * count as launched already, and while there are some, none is removed. */
static int64_t track(const struct tables *t, const struct scaling_group *group,
		     const struct scaling_policy *p, double value, int64_t now_us)
{
	double target = 0;
	int64_t warming = 0, warm = count_warm(t, group, p, now_us, &warming);
	if (!read_bound(p->target, &target) || target <= 0 || !isfinite(value))
		return group->desired;
	int64_t wanted = within_sizes(group, ceil((double) warm * value / target));
	if (value > target)
		return wanted > group->desired ? wanted : group->desired;
	bool may_shrink = !p->keeps && !warming && others_agree(t, p);
	return may_shrink && wanted < group->desired ? wanted : group->desired;
}

/* True if the policy has alarms, and all are in ALARM: an AutoScale policy has one for each condition. A policy without
 * alarms agrees to nothing. */
static bool all_hold(const struct tables *t, const struct scaling_policy *p)
{
	const struct alarm *first = alarm_first_by_scaling_policy(t, p->row.id), *a = first;
	while (a && a->state == ALARM_STATE_ALARM)
		a = alarm_next_by_scaling_policy(t, a);
	return first && !a;
}

static bool is_scale_in(const struct scaling_policy *p)
{
	return !p->is_disabled && p->adjustment != SCALING_POLICY_ADJUSTMENT_EXACT && p->amount < 0;
}

/* Azure removes machines only if all scale-in rules of the profile agree, and adds some if any rule does. */
static bool rules_agree(const struct tables *t, const struct scaling_policy *p)
{
	const struct scaling_policy *other = scaling_policy_first_by_setting(t, p->setting);
	while (other && (!is_scale_in(other) || all_hold(t, other)))
		other = scaling_policy_next_by_setting(t, other);
	return !other;
}

/* True if an alarm of the policy may execute it: other alarms that have to agree are in ALARM, too. */
static bool alarms_agree(const struct tables *t, const struct scaling_policy *p)
{
	if (!uuid_is_none(p->autoscale_policy))
		return all_hold(t, p);
	return uuid_is_none(p->setting) || !is_scale_in(p) || rules_agree(t, p);
}

enum scaling_refusal { SCALING_CHOSEN, SCALING_NO_METRIC, SCALING_NO_STEP, SCALING_WARMING };

static enum scaling_refusal choose_capacity(const struct tables *t, const struct scaling_group *group,
					    const struct scaling_policy *p,
					    const struct scaling_policy_target *wish, int64_t now_us,
					    int64_t *ret_desired)
{
	int64_t amount = p->amount, warming = 0;
	double breach = wish->breach;
	*ret_desired = group->desired;
	if (wish->alarm && !alarms_agree(t, p))
		return SCALING_CHOSEN;
	if ((p->is_step || p->tracks) && !wish->has_metric)
		return SCALING_NO_METRIC;
	if (p->tracks) {
		*ret_desired = track(t, group, p, wish->metric, now_us);
		return SCALING_CHOSEN;
	}
	if (wish->alarm)
		(void) read_bound(wish->alarm->threshold, &breach);
	if (p->is_step && !find_step(p, wish->metric - breach, &amount))
		return SCALING_NO_STEP;
	*ret_desired = engine_adjust_scaling(group, p->adjustment, amount, p->least);
	(void) count_warm(t, group, p, now_us, &warming);
	return p->is_step && *ret_desired < group->desired && warming ? SCALING_WARMING : SCALING_CHOSEN;
}

static RESULT check_choice(struct op *op, const struct scaling_group *group, enum scaling_refusal refusal,
			   const struct scaling_policy_target *wish)
{
	switch (refusal) {
	case SCALING_CHOSEN:
		return OK;
	case SCALING_NO_METRIC:
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SCALING_POLICY, STR("MetricValue"),
			"MetricValue and BreachThreshold must be specified for a StepScaling policy.");
	case SCALING_NO_STEP:
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_POLICY, STR("MetricValue"),
				   "MetricValue is in no step of the policy.");
	case SCALING_WARMING:
		break;
	}
	return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SCALING_GROUP, wish->policy.field,
			   "The Auto Scaling group %" STR_FMT " has instances that are warming up.",
			   STR_ARG(group->name));
}

/* The sentence for causes of activities. */
static struct str say_execution(struct op *op, const struct scaling_policy *p, const struct alarm *alarm)
{
	if (!alarm)
		return str_print(op->ctx->arena, "a user request executed policy %" STR_FMT,
				 STR_ARG(p->name));
	return str_print(op->ctx->arena,
			 "a monitor alarm %" STR_FMT " in state %s triggered policy %" STR_FMT,
			 STR_ARG(alarm->name), alarm_state_word(alarm->state), STR_ARG(p->name));
}

static RESULT check_execution(struct op *op, const struct scaling_group *group,
			      const struct scaling_policy *p, const struct scaling_policy_target *wish)
{
	if (p->is_disabled)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_POLICY, wish->policy.field,
				   "The scaling policy %" STR_FMT " is disabled.", STR_ARG(p->name));
	if (p->tracks && !wish->alarm)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_POLICY, STR("PolicyName"),
				   "The policy %" STR_FMT
				   " tracks a target: its alarms execute it, and calls cannot.",
				   STR_ARG(p->name));
	if (wish->alarm && engine_is_scaling_suspended(group, "AlarmNotification"))
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_GROUP, wish->policy.field,
				   "The process AlarmNotification of the Auto Scaling group %" STR_FMT
				   " is suspended.",
				   STR_ARG(group->name));
	if (wish->honours_cooldown && !p->is_step && !p->tracks && op->now_us < group->cooldown_until_us)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SCALING_GROUP, wish->policy.field,
				   "The Auto Scaling group %" STR_FMT " is in a cooldown period.",
				   STR_ARG(group->name));
	return OK;
}

RESULT engine_execute_scaling_policy(struct op *op, struct scaling_policy_target *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_policy *p = NULL;
	int64_t desired = 0;
	TRY(find_policy(op, wish, "scaling_policy.execute", &group, &p));
	TRY(check_execution(op, group, p, wish));
	TRY(check_choice(op, group, choose_capacity(op->head, group, p, wish, op->now_us, &desired), wish));
	if (wish->alarm && desired == group->desired)
		return OK;
	struct scaling_group next = *group;
	TRY(scaling_set_desired(op, &next, desired, say_execution(op, p, wish->alarm)));
	if (!p->is_step && !p->tracks && desired != group->desired)
		next.cooldown_until_us =
			op->now_us + (p->has_cooldown ? p->cooldown_s : group->cooldown_s) * SECOND;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "policy executed",
				"%" STR_FMT ": %" PRId64 ".", STR_ARG(p->name), desired);
}

bool scaling_would_change(const struct tables *t, uuid policy, const struct scaling_policy_target *target,
			  int64_t now_us)
{
	int64_t desired = 0;
	const struct scaling_policy *p = scaling_policy_find(t, policy);
	const struct scaling_group *group = p ? scaling_group_find(t, p->scaling_group) : NULL;
	if (!group || group->is_deleting || p->is_disabled ||
	    engine_is_scaling_suspended(group, "AlarmNotification"))
		return false;
	if (!p->is_step && !p->tracks && now_us < group->cooldown_until_us)
		return false;
	return choose_capacity(t, group, p, target, now_us, &desired) == SCALING_CHOSEN &&
	       desired != group->desired;
}
