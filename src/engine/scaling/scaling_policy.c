/* SPDX-License-Identifier: Apache-2.0
 * Scaling policies: simple and step scaling, which calls execute. Called by: api/autoscaling. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

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
		.steps = wish->steps};
	next.row.gen++;
	wish->policy = next.row.id;
	TRY(scaling_policy_put(op, &next));
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

/* True while an instance is not in service for as long as it needs to warm up. */
static bool is_warming(const struct op *op, const struct scaling_group *group, const struct scaling_policy *p)
{
	int64_t warmup_s = p->has_warmup       ? p->warmup_s
			   : group->has_warmup ? group->warmup_s
					       : group->cooldown_s;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(op->head, group->row.id);
	     m; m = scaling_member_next_by_scaling_group(op->head, m))
		if (scaling_member_counts(m) && (m->stage != SCALING_MEMBER_STAGE_IN_SERVICE ||
						 op->now_us < m->since_us + warmup_s * SECOND))
			return true;
	return false;
}

static RESULT choose_capacity(struct op *op, const struct scaling_group *group,
			      const struct scaling_policy *p, const struct scaling_policy_target *wish,
			      int64_t *ret_desired)
{
	int64_t amount = p->amount;
	if (p->is_step && !wish->has_metric)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SCALING_POLICY, STR("MetricValue"),
			"MetricValue and BreachThreshold must be specified for a StepScaling policy.");
	*ret_desired = group->desired;
	if (p->is_step && !find_step(p, wish->metric - wish->breach, &amount))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_POLICY, STR("MetricValue"),
				   "MetricValue is in no step of the policy.");
	*ret_desired = engine_adjust_scaling(group, p->adjustment, amount, p->least);
	if (p->is_step && *ret_desired < group->desired && is_warming(op, group, p))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SCALING_GROUP, wish->policy.field,
				   "The Auto Scaling group %" STR_FMT " has instances that are warming up.",
				   STR_ARG(group->name));
	return OK;
}

RESULT engine_execute_scaling_policy(struct op *op, struct scaling_policy_target *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_policy *p = NULL;
	int64_t desired = 0;
	TRY(find_policy(op, wish, "scaling_policy.execute", &group, &p));
	if (p->is_disabled)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_POLICY, wish->policy.field,
				   "The scaling policy %" STR_FMT " is disabled.", STR_ARG(p->name));
	if (wish->honours_cooldown && !p->is_step && op->now_us < group->cooldown_until_us)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SCALING_GROUP, wish->policy.field,
				   "The Auto Scaling group %" STR_FMT " is in a cooldown period.",
				   STR_ARG(group->name));
	TRY(choose_capacity(op, group, p, wish, &desired));
	struct scaling_group next = *group;
	TRY(scaling_set_desired(
		op, &next, desired,
		str_print(op->ctx->arena, "a user request executed policy %" STR_FMT, STR_ARG(p->name))));
	if (!p->is_step && desired != group->desired)
		next.cooldown_until_us =
			op->now_us + (p->has_cooldown ? p->cooldown_s : group->cooldown_s) * SECOND;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "policy executed",
				"%" STR_FMT ": %" PRId64 ".", STR_ARG(p->name), desired);
}
