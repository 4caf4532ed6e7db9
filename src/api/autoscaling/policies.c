/* SPDX-License-Identifier: Apache-2.0
 * Scaling policies. Target tracking and predictive scaling need alarms, which are not in this region, and are refused. Source:
 * Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"

#include <math.h>
#include <stdlib.h>

enum { STEPS_MAX = 20, AMOUNT_MAX = 1000000, DAY_S = 86400 };
#define ADJUSTMENTS "ChangeInCapacity|ExactCapacity|PercentChangeInCapacity"

static const char *const adjustments[] = {
	[SCALING_POLICY_ADJUSTMENT_CHANGE] = "ChangeInCapacity",
	[SCALING_POLICY_ADJUSTMENT_EXACT] = "ExactCapacity",
	[SCALING_POLICY_ADJUSTMENT_PERCENT] = "PercentChangeInCapacity",
};

/* ---- put ---- */

struct step_args {
	struct str lower, upper;
	int64_t adjustment;
};
static const struct param step_rows[] = {
	PARAM(struct step_args, "MetricIntervalLowerBound", lower, .max = 32,
	      .doc = "From the threshold on."),
	PARAM(struct step_args, "MetricIntervalUpperBound", upper, .max = 32, .doc = "Likewise."),
	PARAM(struct step_args, "ScalingAdjustment", adjustment, .flags = REQUIRED, .min = -AMOUNT_MAX,
	      .max = AMOUNT_MAX, .doc = "Adjustment of the step."),
};
static const struct params step_table = PARAMS(struct step_args, step_rows);

struct put_args {
	struct scaling_policy_wish wish;
	struct str group, type, adjustment, aggregation;
	bool has_amount;
	enum choice is_enabled;
	struct {
		const struct step_args *at;
		size_t count;
	} steps;
};
static const struct param put_params[] = {
	AUTOSCALING_GROUP(struct put_args, group),
	AUTOSCALING_NAME(struct put_args, "PolicyName", wish.name, .flags = REQUIRED,
			 .doc = "Unique in the group."),
	PARAM(struct put_args, "PolicyType", type,
	      .words = "SimpleScaling|StepScaling|TargetTrackingScaling|PredictiveScaling",
	      .absent = "SimpleScaling", .doc = "SimpleScaling or StepScaling."),
	PARAM(struct put_args, "AdjustmentType", adjustment, .words = ADJUSTMENTS,
	      .doc = "Unit of the adjustment."),
	PARAM(struct put_args, "ScalingAdjustment", wish.amount, .min = -AMOUNT_MAX, .max = AMOUNT_MAX,
	      .given = offsetof(struct put_args, has_amount) + 1,
	      .doc = "Of simple scaling: the adjustment."),
	PARAM(struct put_args, "MinAdjustmentMagnitude", wish.least, .min = 1, .max = SCALING_SIZE_MAX,
	      .doc = "Of percentages: fewest units that change."),
	PARAM(struct put_args, "Cooldown", wish.cooldown_s.value, .min = 0, .max = DAY_S,
	      .given = offsetof(struct put_args, wish.cooldown_s.is_given) + 1,
	      .doc = "Of simple scaling: instead of the group's."),
	PARAM(struct put_args, "EstimatedInstanceWarmup", wish.warmup_s.value, .min = 0, .max = DAY_S,
	      .given = offsetof(struct put_args, wish.warmup_s.is_given) + 1,
	      .doc = "Of step scaling: instead of the group's."),
	PARAM(struct put_args, "MetricAggregationType", aggregation, .words = "Minimum|Maximum|Average",
	      .doc = "Of step scaling, for its alarm."),
	PARAM_LIST(struct put_args, "StepAdjustments.member", steps, step_table, .max = STEPS_MAX,
		   .doc = "Of step scaling."),
	PARAM(struct put_args, "Enabled", is_enabled, .doc = "False: it cannot be executed."),
	NOT_BUILT("MinAdjustmentStep|TargetTrackingConfiguration|PredictiveScalingConfiguration"),
};

static RESULT refuse(struct autoscaling_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field), "%s", words);
}

static bool is_bound(struct str text)
{
	char number[40], *end = NULL;
	if (!text.n)
		return true;
	memcpy(number, text.p, text.n);
	number[text.n] = 0;
	return isfinite(strtod(number, &end)) && !*end && end != number;
}

static RESULT take_steps(struct autoscaling_call *e, struct put_args *a)
{
	struct str *texts = arena_new_array(e->c->arena, struct str, 3 * a->steps.count + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->steps.count; k++) {
		const struct step_args *step = &a->steps.at[k];
		if (!is_bound(step->lower) || !is_bound(step->upper))
			return ctx_fail_field(e->c, ERR_INVALID, STR("StepAdjustments"),
					      "StepAdjustments: '%" STR_FMT "' or '%" STR_FMT
					      "' is no number.",
					      STR_ARG(step->lower), STR_ARG(step->upper));
		if (!step->lower.n && !step->upper.n && a->steps.count > 1)
			return refuse(e, "StepAdjustments",
				      "At least one of the StepAdjustment's bounds must be specified");
		texts[3 * k] = step->lower;
		texts[3 * k + 1] = step->upper;
		texts[3 * k + 2] = str_print(e->c->arena, "%lld", (long long) step->adjustment);
	}
	a->wish.steps = (struct strs){texts, 3 * a->steps.count};
	return OK;
}

/* Refuses parameters of the other type of policy. */
static RESULT check_foreign(struct autoscaling_call *e, const struct put_args *a, bool is_step)
{
	const char *foreign = is_step ? (a->has_amount                 ? "ScalingAdjustment"
					 : a->wish.cooldown_s.is_given ? "Cooldown"
								       : NULL)
				      : (a->steps.count              ? "StepAdjustments"
					 : a->aggregation.n          ? "MetricAggregationType"
					 : a->wish.warmup_s.is_given ? "EstimatedInstanceWarmup"
								     : NULL);
	if (!foreign)
		return OK;
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(foreign), "%s is not valid for policy type: %s",
			      foreign, is_step ? "StepScaling" : "SimpleScaling");
}

static RESULT check_type(struct autoscaling_call *e, const struct put_args *a)
{
	bool is_step = str_is(a->type, "StepScaling");
	if (!is_step && !str_is(a->type, "SimpleScaling"))
		return autoscaling_refuse(
			e, "PolicyType",
			"policies that make alarms of their own are not supported in this region; "
			"SimpleScaling and StepScaling are");
	if (!a->adjustment.n)
		return refuse(
			e, "AdjustmentType",
			"You must specify an AdjustmentType for policy type: SimpleScaling or StepScaling");
	if (is_step && !a->steps.count)
		return refuse(e, "StepAdjustments",
			      "You must specify StepAdjustments for policy type: StepScaling");
	if (!is_step && !a->has_amount)
		return refuse(e, "ScalingAdjustment",
			      "You must specify a ScalingAdjustment for policy type: SimpleScaling");
	if (a->wish.least && !str_is(a->adjustment, "PercentChangeInCapacity"))
		return refuse(e, "MinAdjustmentMagnitude",
			      "MinAdjustmentMagnitude is only supported for AdjustmentType "
			      "PercentChangeInCapacity");
	return check_foreign(e, a, is_step);
}

static RESULT prepare_put(struct autoscaling_call *e, void *args)
{
	struct put_args *a = args;
	TRY(check_type(e, a));
	TRY(take_steps(e, a));
	TRY(autoscaling_check_name(e, a->wish.name, "PolicyName"));
	a->wish.is_step = str_is(a->type, "StepScaling");
	a->wish.is_disabled = a->is_enabled == CHOICE_NO;
	a->wish.aggregation = a->aggregation.n ? a->aggregation : a->wish.is_step ? STR("Average") : STR_NONE;
	a->wish.adjustment = str_is(a->adjustment, "ExactCapacity")      ? SCALING_POLICY_ADJUSTMENT_EXACT
			     : str_is(a->adjustment, "ChangeInCapacity") ? SCALING_POLICY_ADJUSTMENT_CHANGE
									 : SCALING_POLICY_ADJUSTMENT_PERCENT;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

static RESULT answer_put(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct put_args *a = args;
	const struct scaling_policy *p = scaling_policy_find(autoscaling_tables(e), a->wish.policy);
	if (p)
		xml_text(x, "PolicyARN", autoscaling_arn(e, KIND_SCALING_POLICY, &p->row));
	xml_open(x, "Alarms");
	xml_close(x, "Alarms");
	return OK;
}

/* ---- find, delete, execute ---- */

struct act_args {
	struct scaling_policy_target wish;
	struct str group, name, metric, breach;
};
#define POLICY                                                                                               \
	AUTOSCALING_NAME(struct act_args, "AutoScalingGroupName", group,                                     \
			 .doc = "The group; absent: the first that has a policy of that name."),             \
		PARAM(struct act_args, "PolicyName", name, .flags = REQUIRED, .min = 1,                      \
		      .max = AUTOSCALING_ARN_MAX, .doc = "The policy, by name or ARN.")
static const struct param delete_params[] = {POLICY};
static const struct param execute_params[] = {
	POLICY,
	PARAM(struct act_args, "HonorCooldown", wish.honours_cooldown, .doc = "Refused during a cooldown."),
	PARAM(struct act_args, "MetricValue", metric, .min = 1, .max = 32,
	      .doc = "Of step scaling: the metric's value."),
	PARAM(struct act_args, "BreachThreshold", breach, .min = 1, .max = 32,
	      .doc = "Of step scaling: the alarm's threshold."),
};

static bool is_it(struct autoscaling_call *e, const struct scaling_policy *p, struct str name)
{
	return str_equal(p->name, name) || str_equal(autoscaling_arn(e, KIND_SCALING_POLICY, &p->row), name);
}

static const struct scaling_policy *find_policy(struct autoscaling_call *e, const struct scaling_group *group,
						struct str name)
{
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_policy *p = scaling_policy_first_by_scaling_group(t, group->row.id);
	while (p && !is_it(e, p, name))
		p = scaling_policy_next_by_scaling_group(t, p);
	return p;
}

static RESULT prepare_act(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_policy *p = NULL;
	struct ref ref = {0};
	if (a->group.n)
		TRY(autoscaling_find_group(e, a->group, "AutoScalingGroupName", &ref));
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g && !p;
	     g = scaling_group_next_by_account(t, g))
		if (!a->group.n || uuid_equal(g->row.id, ref.prefix))
			p = find_policy(e, g, a->name);
	a->wish.policy = ref_by_id(KIND_SCALING_POLICY, p ? p->row.id : UUID_NONE);
	a->wish.policy.text = a->name;
	a->wish.policy.field = STR("PolicyName");
	return p ? OK
		 : ctx_fail_field(e->c, ERR_NOT_FOUND, a->wish.policy.field,
				  "PolicyName not found: group '%" STR_FMT
				  "' does not contain policy %" STR_FMT,
				  STR_ARG(a->group), STR_ARG(a->name));
}

static RESULT take_number(struct autoscaling_call *e, struct str text, const char *field, double *ret_value)
{
	char number[40];
	if (!is_bound(text))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%s: '%" STR_FMT "' is no number.",
				      field, STR_ARG(text));
	memcpy(number, text.p, text.n);
	number[text.n] = 0;
	*ret_value = strtod(number, NULL);
	return OK;
}

static RESULT prepare_execute(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	if (!a->metric.n != !a->breach.n)
		return refuse(e, a->metric.n ? "BreachThreshold" : "MetricValue",
			      "MetricValue and BreachThreshold must be specified together.");
	if (a->metric.n) {
		TRY(take_number(e, a->metric, "MetricValue", &a->wish.metric));
		TRY(take_number(e, a->breach, "BreachThreshold", &a->wish.breach));
	}
	a->wish.has_metric = a->metric.n > 0;
	return prepare_act(e, args);
}

/* ---- list ---- */

struct list_args {
	struct str group;
	struct strs names, types;
	struct query_pages pages;
};
static const struct param list_params[] = {
	AUTOSCALING_NAME(struct list_args, "AutoScalingGroupName", group, .doc = "Only those of the group."),
	PARAM(struct list_args, "PolicyNames.member", names, .min = 1, .max = AUTOSCALING_ARN_MAX,
	      .doc = "By name or ARN."),
	PARAM(struct list_args, "PolicyTypes.member", types,
	      .words = "SimpleScaling|StepScaling|TargetTrackingScaling|PredictiveScaling",
	      .doc = "By type."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

static void write_steps(struct xml *x, const struct scaling_policy *p)
{
	xml_open(x, "StepAdjustments");
	for (size_t k = 0; k + 2 < p->steps.count; k += 3) {
		xml_open(x, "member");
		xml_text_opt(x, "MetricIntervalLowerBound", p->steps.at[k]);
		xml_text_opt(x, "MetricIntervalUpperBound", p->steps.at[k + 1]);
		xml_text(x, "ScalingAdjustment", p->steps.at[k + 2]);
		xml_close(x, "member");
	}
	xml_close(x, "StepAdjustments");
}

static void write_policy(struct autoscaling_call *e, struct xml *x, const struct scaling_group *group,
			 const struct scaling_policy *p)
{
	xml_open(x, "member");
	xml_text(x, "AutoScalingGroupName", group->name);
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyARN", autoscaling_arn(e, KIND_SCALING_POLICY, &p->row));
	xml_z(x, "PolicyType", p->is_step ? "StepScaling" : "SimpleScaling");
	xml_z(x, "AdjustmentType", adjustments[p->adjustment]);
	if (p->least)
		xml_int(x, "MinAdjustmentMagnitude", p->least);
	if (!p->is_step)
		xml_int(x, "ScalingAdjustment", p->amount);
	if (p->has_cooldown)
		xml_int(x, "Cooldown", p->cooldown_s);
	write_steps(x, p);
	xml_text_opt(x, "MetricAggregationType", p->aggregation);
	if (p->has_warmup)
		xml_int(x, "EstimatedInstanceWarmup", p->warmup_s);
	xml_open(x, "Alarms");
	xml_close(x, "Alarms");
	xml_bool(x, "Enabled", !p->is_disabled);
	xml_close(x, "member");
}

static bool fits(struct autoscaling_call *e, const struct list_args *a, const struct scaling_policy *p)
{
	bool is_named = !a->names.count;
	for (size_t k = 0; k < a->names.count; k++)
		is_named = is_named || is_it(e, p, a->names.at[k]);
	return is_named && request_asks_for(a->types, p->is_step ? STR("StepScaling") : STR("SimpleScaling"));
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_group *only = NULL;
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	if (a->group.n)
		TRY(autoscaling_find_group_row(e, a->group, &only));
	xml_open(x, "ScalingPolicies");
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g;
	     g = scaling_group_next_by_account(t, g))
		for (const struct scaling_policy *p = scaling_policy_first_by_scaling_group(t, g->row.id); p;
		     p = scaling_policy_next_by_scaling_group(t, p)) {
			struct str key = str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(g->name),
						   STR_ARG(p->name));
			if ((only && only != g) || !fits(e, a, p) || !query_page_takes(&page, key))
				continue;
			TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &g->row));
			write_policy(e, x, g, p);
		}
	xml_close(x, "ScalingPolicies");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("PutScalingPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, put_params), .prepare = prepare_put,
	 .operation = engine_put_scaling_policy_run, .answer = answer_put,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Creates or replaces a policy."},
	{AUTOSCALING_ACTION("DeletePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, delete_params), .prepare = prepare_act,
	 .operation = engine_delete_scaling_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a policy."},
	{AUTOSCALING_ACTION("ExecutePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, execute_params), .prepare = prepare_execute,
	 .operation = engine_execute_scaling_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes a group's capacity by a policy."},
	{AUTOSCALING_ACTION("DescribePolicies"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Policies of groups."},
};
const struct api_actions autoscaling_policy_actions = API_ACTIONS(actions);
