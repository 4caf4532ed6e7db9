/* SPDX-License-Identifier: Apache-2.0
 * Scaling policies: simple, step, target tracking. Predictive scaling is refused. Source: Amazon EC2 Auto Scaling API
 * Reference. */
#include "api/autoscaling/internal.h"
#include "api/autoscaling/tracked_queries.h"
#include "engine/alarm/alarm.h"
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
	      .doc = "Lower bound of the step, relative to the alarm's threshold; absent: infinite."),
	PARAM(struct step_args, "MetricIntervalUpperBound", upper, .max = 32,
	      .doc = "Upper bound of the step, relative to the alarm's threshold; absent: infinite."),
	PARAM(struct step_args, "ScalingAdjustment", adjustment, .flags = REQUIRED, .min = -AMOUNT_MAX,
	      .max = AMOUNT_MAX, .doc = "Adjustment of the step."),
};
static const struct params step_table = PARAMS(struct step_args, step_rows);

struct predefined {
	struct str type;
};
static const struct param predefined_rows[] = {
	PARAM(struct predefined, "PredefinedMetricType", type,
	      .words = "ASGAverageCPUUtilization|ASGAverageNetworkIn|ASGAverageNetworkOut|"
		       "ALBRequestCountPerTarget",
	      .doc = "Average of a metric over the group. Requests per target are not measured here."),
	NOT_BUILT("ResourceLabel", .doc = "Target group of ALBRequestCountPerTarget."),
};
static const struct params predefined_table = PARAMS(struct predefined, predefined_rows);

struct customized {
	struct str name_space, name, statistic, unit;
	int64_t period_s;
	struct metric_dimensions dimensions;
	struct tracked_queries queries;
};
static const struct param customized_rows[] = {
	PARAM(struct customized, "Namespace", name_space, .min = 1, .max = 255,
	      .doc = "Namespace of the metric."),
	PARAM(struct customized, "MetricName", name, .min = 1, .max = 255, .doc = "Name of the metric."),
	PARAM(struct customized, "Statistic", statistic, .words = "Average|Minimum|Maximum|SampleCount|Sum",
	      .doc = "Statistic of each period."),
	PARAM(struct customized, "Unit", unit, .min = 1, .max = 32,
	      .doc = "Unit; datapoints of other units are ignored."),
	PARAM(struct customized, "Period", period_s, .min = 10, .max = 86400,
	      .doc = "Period in seconds; only 60."),
	PARAM_LIST(struct customized, "Dimensions.member", dimensions, autoscaling_dimension_params,
		   .max = TRACKED_DIMENSIONS_MAX, .doc = "Dimensions of the metric."),
	PARAM_LIST(struct customized, "Metrics.member", queries, autoscaling_query_params,
		   .max = TRACKED_QUERIES_MAX, .doc = "Metric math, instead of a metric."),
};
static const struct params customized_table = PARAMS(struct customized, customized_rows);

struct tracking {
	struct predefined predefined;
	struct customized customized;
	struct str target;
	enum choice keeps;
};
static const struct param tracking_rows[] = {
	PARAM_OBJECT(struct tracking, "PredefinedMetricSpecification", predefined, predefined_table,
		     .doc = "Predefined metric of the group."),
	PARAM_OBJECT(struct tracking, "CustomizedMetricSpecification", customized, customized_table,
		     .doc = "Custom metric, which must fall when instances are added."),
	PARAM(struct tracking, "TargetValue", target, .min = 1, .max = 32,
	      .doc = "Target value of the metric."),
	PARAM(struct tracking, "DisableScaleIn", keeps, .doc = "true: the policy only adds instances."),
};
static const struct params tracking_table = PARAMS(struct tracking, tracking_rows);

struct put_args {
	struct scaling_policy_wish wish;
	struct tracking tracking;
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
			 .doc = "Name; unique in the group."),
	PARAM(struct put_args, "PolicyType", type,
	      .words = "SimpleScaling|StepScaling|TargetTrackingScaling|PredictiveScaling",
	      .absent = "SimpleScaling", .doc = "SimpleScaling, StepScaling or TargetTrackingScaling."),
	PARAM(struct put_args, "AdjustmentType", adjustment, .words = ADJUSTMENTS,
	      .doc = "Unit of the adjustment."),
	PARAM(struct put_args, "ScalingAdjustment", wish.amount, .min = -AMOUNT_MAX, .max = AMOUNT_MAX,
	      .given = offsetof(struct put_args, has_amount) + 1,
	      .doc = "Adjustment of a simple scaling policy."),
	PARAM(struct put_args, "MinAdjustmentMagnitude", wish.least, .min = 1, .max = SCALING_SIZE_MAX,
	      .doc = "Minimum number of units that a percentage changes."),
	PARAM(struct put_args, "Cooldown", wish.cooldown_s.value, .min = 0, .max = DAY_S,
	      .given = offsetof(struct put_args, wish.cooldown_s.is_given) + 1,
	      .doc = "Cooldown in seconds of a simple scaling policy; absent: the group's."),
	PARAM(struct put_args, "EstimatedInstanceWarmup", wish.warmup_s.value, .min = 0, .max = DAY_S,
	      .given = offsetof(struct put_args, wish.warmup_s.is_given) + 1,
	      .doc = "Warmup in seconds of a step scaling policy; absent: the group's."),
	PARAM(struct put_args, "MetricAggregationType", aggregation, .words = "Minimum|Maximum|Average",
	      .doc = "Aggregation of the metric for the alarm of a step scaling policy."),
	PARAM_LIST(struct put_args, "StepAdjustments.member", steps, step_table, .max = STEPS_MAX,
		   .doc = "Steps of a step scaling policy."),
	PARAM(struct put_args, "Enabled", is_enabled, .doc = "false: the policy is disabled."),
	PARAM_OBJECT(struct put_args, "TargetTrackingConfiguration", tracking, tracking_table,
		     .doc = "Configuration of a target tracking policy."),
	NOT_BUILT("MinAdjustmentStep|PredictiveScalingConfiguration"),
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

/* ---- target tracking ---- */

static RESULT take_customized(struct autoscaling_call *e, struct put_args *a)
{
	const struct customized *m = &a->tracking.customized;
	bool has_metric = m->name_space.n || m->name.n || m->statistic.n || m->unit.n || m->period_s ||
			  m->dimensions.count;
	if (m->queries.count)
		return has_metric
			       ? refuse(e, "TargetTrackingConfiguration",
					"A CustomizedMetricSpecification has either Metrics or one metric.")
			       : autoscaling_take_queries(e, &m->queries, &a->wish.queries);
	if (!m->name_space.n || !m->name.n || !m->statistic.n)
		return refuse(e, "TargetTrackingConfiguration",
			      "A CustomizedMetricSpecification needs Namespace, MetricName and Statistic.");
	if (m->period_s % 60)
		return autoscaling_refuse(e, "Period",
					  "periods of less than a minute are not supported in this region");
	a->wish.name_space = m->name_space;
	a->wish.metric = m->name;
	a->wish.statistic = m->statistic;
	a->wish.unit = m->unit;
	a->wish.period_s = m->period_s;
	return autoscaling_take_dimensions(e, m->dimensions, &a->wish.dimensions);
}

static bool is_positive(struct str text)
{
	char number[40] = {0};
	memcpy(number, text.p, text.n < sizeof number ? text.n : sizeof number - 1);
	return text.n && is_bound(text) && strtod(number, NULL) > 0;
}

/* Refuses what belongs to other types of policies. */
static RESULT check_tracking_alone(struct autoscaling_call *e, const struct put_args *a)
{
	const char *foreign = a->adjustment.n               ? "AdjustmentType"
			      : a->has_amount               ? "ScalingAdjustment"
			      : a->wish.least               ? "MinAdjustmentMagnitude"
			      : a->wish.cooldown_s.is_given ? "Cooldown"
			      : a->steps.count              ? "StepAdjustments"
			      : a->aggregation.n            ? "MetricAggregationType"
							    : NULL;
	if (!foreign)
		return OK;
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(foreign),
			      "%s is not valid for policy type: TargetTrackingScaling", foreign);
}

static RESULT take_tracking(struct autoscaling_call *e, struct put_args *a)
{
	bool has_predefined = a->tracking.predefined.type.n > 0;
	bool has_customized = a->tracking.customized.name.n || a->tracking.customized.name_space.n ||
			      a->tracking.customized.queries.count;
	TRY(check_tracking_alone(e, a));
	if (has_predefined == has_customized)
		return refuse(
			e, "TargetTrackingConfiguration",
			"A TargetTrackingConfiguration needs either a PredefinedMetricSpecification or a "
			"CustomizedMetricSpecification.");
	if (str_is(a->tracking.predefined.type, "ALBRequestCountPerTarget"))
		return autoscaling_refuse(e, "PredefinedMetricType",
					  "ALBRequestCountPerTarget is not measured in this region");
	if (!is_positive(a->tracking.target))
		return refuse(e, "TargetTrackingConfiguration",
			      "TargetValue must be a number greater than 0.");
	a->wish.tracks = true;
	a->wish.keeps = a->tracking.keeps == CHOICE_YES;
	a->wish.target = a->tracking.target;
	a->wish.predefined = a->tracking.predefined.type;
	return has_customized ? take_customized(e, a) : OK;
}

static RESULT check_type(struct autoscaling_call *e, struct put_args *a)
{
	bool is_step = str_is(a->type, "StepScaling");
	if (str_is(a->type, "TargetTrackingScaling"))
		return take_tracking(e, a);
	if (a->tracking.target.n || a->tracking.predefined.type.n || a->tracking.customized.name.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("TargetTrackingConfiguration"),
				      "TargetTrackingConfiguration is not valid for policy type: %" STR_FMT,
				      STR_ARG(a->type));
	if (!is_step && !str_is(a->type, "SimpleScaling"))
		return autoscaling_refuse(
			e, "PolicyType",
			"predictive scaling is not supported in this region; SimpleScaling, "
			"StepScaling and TargetTrackingScaling are");
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
	a->wish.region = e->config->region;
	a->wish.is_disabled = a->is_enabled == CHOICE_NO;
	a->wish.aggregation = a->aggregation.n ? a->aggregation : a->wish.is_step ? STR("Average") : STR_NONE;
	a->wish.adjustment = str_is(a->adjustment, "ExactCapacity")      ? SCALING_POLICY_ADJUSTMENT_EXACT
			     : str_is(a->adjustment, "ChangeInCapacity") ? SCALING_POLICY_ADJUSTMENT_CHANGE
									 : SCALING_POLICY_ADJUSTMENT_PERCENT;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

/* The two alarms of a target tracking policy; else those that execute it. */
static void write_alarms(struct autoscaling_call *e, struct xml *x, const struct scaling_policy *p)
{
	const struct tables *t = autoscaling_tables(e);
	struct str arn = autoscaling_arn(e, KIND_SCALING_POLICY, &p->row);
	xml_open(x, "Alarms");
	for (const struct alarm *a = p->tracks ? alarm_first_by_scaling_policy(t, p->row.id)
					       : alarm_first_by_account(t, p->account);
	     a; a = p->tracks ? alarm_next_by_scaling_policy(t, a) : alarm_next_by_account(t, a)) {
		bool is_named = p->tracks;
		for (size_t k = 0; k < a->alarm_actions.count && !is_named; k++)
			is_named = str_equal(a->alarm_actions.at[k], arn);
		if (!is_named)
			continue;
		xml_open(x, "member");
		xml_text(x, "AlarmName", a->name);
		xml_text(x, "AlarmARN",
			 engine_write_alarm_arn(e->c->arena, e->config->region, e->c->who->account_number,
						&a->row));
		xml_close(x, "member");
	}
	xml_close(x, "Alarms");
}

static RESULT answer_put(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct put_args *a = args;
	const struct scaling_policy *p = scaling_policy_find(autoscaling_tables(e), a->wish.policy);
	if (!p)
		return OK;
	xml_text(x, "PolicyARN", autoscaling_arn(e, KIND_SCALING_POLICY, &p->row));
	write_alarms(e, x, p);
	return OK;
}

/* ---- find, delete, execute ---- */

struct act_args {
	struct scaling_policy_target wish;
	struct str group, name, metric, breach;
};
#define POLICY                                                                                               \
	AUTOSCALING_NAME(struct act_args, "AutoScalingGroupName", group,                                     \
			 .doc = "Auto Scaling group; absent: the first one with a policy of that name."),    \
		PARAM(struct act_args, "PolicyName", name, .flags = REQUIRED, .min = 1,                      \
		      .max = AUTOSCALING_ARN_MAX, .doc = "Policy by name or ARN.")
static const struct param delete_params[] = {POLICY};
static const struct param execute_params[] = {
	POLICY,
	PARAM(struct act_args, "HonorCooldown", wish.honours_cooldown,
	      .doc = "Fails if the group is in a cooldown."),
	PARAM(struct act_args, "MetricValue", metric, .min = 1, .max = 32,
	      .doc = "Value of the metric, for a step scaling policy."),
	PARAM(struct act_args, "BreachThreshold", breach, .min = 1, .max = 32,
	      .doc = "Threshold of the alarm, for a step scaling policy."),
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
	AUTOSCALING_NAME(struct list_args, "AutoScalingGroupName", group, .doc = "Auto Scaling group."),
	PARAM(struct list_args, "PolicyNames.member", names, .min = 1, .max = AUTOSCALING_ARN_MAX,
	      .doc = "Policies by name or ARN."),
	PARAM(struct list_args, "PolicyTypes.member", types,
	      .words = "SimpleScaling|StepScaling|TargetTrackingScaling|PredictiveScaling",
	      .doc = "Types of the policies."),
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

static const char *type_word(const struct scaling_policy *p)
{
	return p->tracks ? "TargetTrackingScaling" : p->is_step ? "StepScaling" : "SimpleScaling";
}

static RESULT write_customized(struct autoscaling_call *e, struct xml *x, const struct scaling_policy *p)
{
	xml_open(x, "CustomizedMetricSpecification");
	if (p->queries.n) {
		TRY(autoscaling_write_queries(e, x, p->queries));
	} else {
		xml_text(x, "MetricName", p->metric);
		xml_text(x, "Namespace", p->name_space);
		autoscaling_write_dimensions(x, &p->dimensions);
		xml_text(x, "Statistic", p->statistic);
		xml_text_opt(x, "Unit", p->unit);
		if (p->period_s)
			xml_int(x, "Period", p->period_s);
	}
	xml_close(x, "CustomizedMetricSpecification");
	return OK;
}

static RESULT write_tracking(struct autoscaling_call *e, struct xml *x, const struct scaling_policy *p)
{
	xml_open(x, "TargetTrackingConfiguration");
	if (p->predefined.n) {
		xml_open(x, "PredefinedMetricSpecification");
		xml_text(x, "PredefinedMetricType", p->predefined);
		xml_close(x, "PredefinedMetricSpecification");
	} else {
		TRY(write_customized(e, x, p));
	}
	xml_text(x, "TargetValue", p->target);
	xml_bool(x, "DisableScaleIn", p->keeps);
	xml_close(x, "TargetTrackingConfiguration");
	return OK;
}

static RESULT write_policy(struct autoscaling_call *e, struct xml *x, const struct scaling_group *group,
			   const struct scaling_policy *p)
{
	xml_open(x, "member");
	xml_text(x, "AutoScalingGroupName", group->name);
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyARN", autoscaling_arn(e, KIND_SCALING_POLICY, &p->row));
	xml_z(x, "PolicyType", type_word(p));
	if (!p->tracks)
		xml_z(x, "AdjustmentType", adjustments[p->adjustment]);
	if (p->least)
		xml_int(x, "MinAdjustmentMagnitude", p->least);
	if (!p->is_step && !p->tracks)
		xml_int(x, "ScalingAdjustment", p->amount);
	if (p->has_cooldown)
		xml_int(x, "Cooldown", p->cooldown_s);
	write_steps(x, p);
	xml_text_opt(x, "MetricAggregationType", p->aggregation);
	if (p->has_warmup)
		xml_int(x, "EstimatedInstanceWarmup", p->warmup_s);
	if (p->tracks)
		TRY(write_tracking(e, x, p));
	write_alarms(e, x, p);
	xml_bool(x, "Enabled", !p->is_disabled);
	xml_close(x, "member");
	return OK;
}

static bool fits(struct autoscaling_call *e, const struct list_args *a, const struct scaling_policy *p)
{
	bool is_named = !a->names.count;
	for (size_t k = 0; k < a->names.count; k++)
		is_named = is_named || is_it(e, p, a->names.at[k]);
	return is_named && request_asks_for(a->types, str_from(type_word(p)));
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
			TRY(write_policy(e, x, g, p));
		}
	xml_close(x, "ScalingPolicies");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("PutScalingPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, put_params), .prepare = prepare_put,
	 .operation = engine_put_scaling_policy_run, .answer = answer_put,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Creates or replaces a scaling policy."},
	{AUTOSCALING_ACTION("DeletePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, delete_params), .prepare = prepare_act,
	 .operation = engine_delete_scaling_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a scaling policy."},
	{AUTOSCALING_ACTION("ExecutePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, execute_params), .prepare = prepare_execute,
	 .operation = engine_execute_scaling_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Executes a scaling policy."},
	{AUTOSCALING_ACTION("DescribePolicies"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the scaling policies of groups."},
};
const struct api_actions autoscaling_policy_actions = API_ACTIONS(actions);
