/* SPDX-License-Identifier: Apache-2.0
 * Puts alarms, deletes them, sets their state, enables their actions. Source: Amazon CloudWatch API Reference. */
#include <jansson.h>

#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "base/clock.h"
#include "engine/alarm/alarm_queries.h"
#include "engine/alarm/metric_math.h"
#include "engine/resolve.h"

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S, PERIOD_MAX_S = DAY_S };

static RESULT fail_parameter(struct cloudwatch_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_MALFORMED, str_from(field), "%s", words);
}

RESULT cloudwatch_find_alarm(struct cloudwatch_call *e, struct str name, const char *field,
			     struct ref *ret_ref)
{
	const struct alarm *alarm = alarm_find_by_account(cloudwatch_tables(e), e->c->who->account, name);
	*ret_ref = alarm ? ref_by_id(KIND_ALARM, alarm->row.id) : (struct ref){.kind = KIND_ALARM};
	ret_ref->text = name;
	ret_ref->field = str_from(field);
	if (alarm)
		return OK;
	struct result result = ctx_fail_field(e->c, ERR_NOT_FOUND, str_from(field),
					      "Alarm %" STR_FMT " does not exist", STR_ARG(name));
	e->c->problem.kind = KIND_ALARM;
	return result;
}

RESULT cloudwatch_find_alarms(struct cloudwatch_call *e, struct strs names, struct refs *ret_refs)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, names.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	size_t count = 0;
	for (size_t k = 0; k < names.count; k++)
		if (result_is_ok(cloudwatch_find_alarm(e, names.at[k], "AlarmNames", &at[count])))
			count++;
	ctx_clear_problem(e->c);
	*ret_refs = (struct refs){at, count};
	return OK;
}

/* ---- what both kinds of alarms have ---- */

struct common_args {
	struct alarm_wish wish;
	enum choice acts;
	struct strs ok, alarm, no_data;
	struct tags tags;
};
#define ACTIONS_PARAM(T, name, member)                                                                       \
	PARAM(T, name, member, .min = 1, .max = 1024,                                                        \
	      .doc = "Up to 5 ARNs: arn:aws:automate:REGION:ec2:stop, terminate or reboot; a scaling "       \
		     "policy.")
#define COMMON_PARAMS(T)                                                                                     \
	CLOUDWATCH_ALARM_NAME(T, common.wish.row.name),                                                      \
		PARAM(T, "AlarmDescription", common.wish.row.description, .max = 1024,                       \
		      .doc = "Description."),                                                                \
		PARAM(T, "ActionsEnabled", common.acts, .yes = "true", .no = "false",                        \
		      .doc = "Whether the alarm performs its actions."),                                     \
		ACTIONS_PARAM(T, "OKActions.member", common.ok),                                             \
		ACTIONS_PARAM(T, "AlarmActions.member", common.alarm),                                       \
		ACTIONS_PARAM(T, "InsufficientDataActions.member", common.no_data),                          \
		PARAM_LIST(T, "Tags.member", common.tags, cloudwatch_tag_params, .max = CLOUDWATCH_TAGS_MAX, \
			   .doc = "Tags of a new alarm.")

static RESULT check_common(struct cloudwatch_call *e, struct common_args *a)
{
	struct alarm *row = &a->wish.row;
	if (a->ok.count > ALARM_ACTIONS_MAX || a->alarm.count > ALARM_ACTIONS_MAX ||
	    a->no_data.count > ALARM_ACTIONS_MAX)
		return fail_parameter(e, "AlarmActions", "An alarm has up to 5 actions of a state.");
	if (!str_is_line(row->name))
		return fail_parameter(e, "AlarmName", "AlarmName must be one line.");
	for (size_t k = 0; k < a->tags.count; k++)
		for (size_t n = 0; n < k; n++)
			if (str_equal(a->tags.at[k].key, a->tags.at[n].key))
				return fail_parameter(e, "Tags", "Tag keys must be unique.");
	row->acts = a->acts != CHOICE_NO;
	row->ok_actions = a->ok;
	row->alarm_actions = a->alarm;
	row->no_data_actions = a->no_data;
	row->tags = a->tags;
	return OK;
}

/* ---- PutMetricAlarm ---- */

struct query_metric {
	struct str name_space, name;
	struct cloudwatch_dimensions dimensions;
};
static const struct param query_metric_params[] = {
	CLOUDWATCH_NAMESPACE_PARAM(struct query_metric, .flags = REQUIRED, ),
	CLOUDWATCH_METRIC_PARAM(struct query_metric, .flags = REQUIRED, ),
	CLOUDWATCH_DIMENSIONS_PARAM(struct query_metric, CLOUDWATCH_DIMENSIONS_MAX),
};
static const struct params query_metric_table = PARAMS(struct query_metric, query_metric_params);
struct query_stat {
	struct query_metric metric;
	struct str stat, unit;
	int64_t period_s;
};
static const struct param query_stat_params[] = {
	PARAM_OBJECT(struct query_stat, "Metric", metric, query_metric_table, .doc = "The metric."),
	PARAM(struct query_stat, "Period", period_s, .min = 1, .max = PERIOD_MAX_S,
	      .doc = "Period in seconds."),
	PARAM(struct query_stat, "Stat", stat, .min = 1, .max = CLOUDWATCH_STATISTIC_MAX,
	      .doc = "Statistic, such as Average, p99 or TM(10%:90%)."),
	PARAM(struct query_stat, "Unit", unit, .words = CLOUDWATCH_UNITS,
	      .doc = "Unit. Other than the metric's own, nothing is returned."),
};
static const struct params query_stat_table = PARAMS(struct query_stat, query_stat_params);
struct query_args {
	struct str id, expression, label;
	struct query_stat stat;
	enum choice returns;
	int64_t period_s;
};
static const struct param query_params[] = {
	PARAM(struct query_args, "Id", id, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Id of the query, by which expressions refer to it."),
	PARAM_OBJECT(struct query_args, "MetricStat", stat, query_stat_table, .doc = "Metric and statistic."),
	PARAM(struct query_args, "Expression", expression, .min = 1, .max = MATH_EXPRESSION_MAX,
	      .doc = "Metric math expression over other queries."),
	PARAM(struct query_args, "Label", label, .max = 2048, .doc = "Label shown with the query."),
	PARAM(struct query_args, "ReturnData", returns, .yes = "true", .no = "false",
	      .doc = "true for the query that is compared with the threshold."),
	PARAM(struct query_args, "Period", period_s, .min = 1, .max = PERIOD_MAX_S,
	      .doc = "Period in seconds of an expression without metrics."),
	NOT_BUILT("AccountId", .doc = "Other accounts."),
};
static const struct params query_table = PARAMS(struct query_args, query_params);

struct put_args {
	struct common_args common;
	struct str statistic, extended, low, comparison, missing, threshold;
	struct cloudwatch_dimensions dimensions;
	int64_t period_s, periods, datapoints;
	struct {
		struct query_args *at;
		size_t count;
	} queries;
};
static const struct param put_params[] = {
	COMMON_PARAMS(struct put_args),
	PARAM(struct put_args, "MetricName", common.wish.row.metric, .min = 1, .max = 255,
	      .doc = "Name of the metric."),
	PARAM(struct put_args, "Namespace", common.wish.row.name_space, .min = 1, .max = 255,
	      .doc = "Namespace of the metric."),
	PARAM(struct put_args, "Statistic", statistic, .words = CLOUDWATCH_STATISTICS,
	      .doc = "Statistic of each period."),
	CLOUDWATCH_DIMENSIONS_PARAM(struct put_args, CLOUDWATCH_DIMENSIONS_MAX),
	PARAM(struct put_args, "Period", period_s, .min = 1, .max = PERIOD_MAX_S,
	      .doc = "Period in seconds: 10, 20, 30 or a multiple of 60. Metrics have datapoints each "
		     "minute."),
	PARAM(struct put_args, "Unit", common.wish.row.unit, .words = CLOUDWATCH_UNITS,
	      .doc = "Unit; datapoints of other units are ignored."),
	PARAM(struct put_args, "EvaluationPeriods", periods, .flags = REQUIRED, .min = 1,
	      .max = ALARM_PERIODS_MAX, .doc = "Number of the most recent periods to evaluate."),
	PARAM(struct put_args, "DatapointsToAlarm", datapoints, .min = 1, .max = ALARM_PERIODS_MAX,
	      .doc = "Number of breaching datapoints that raise the alarm; absent: all of the periods."),
	PARAM(struct put_args, "Threshold", threshold, .min = 1, .max = 32, .doc = "Threshold."),
	PARAM(struct put_args, "ComparisonOperator", comparison, .flags = REQUIRED,
	      .words = "GreaterThanOrEqualToThreshold|GreaterThanThreshold|LessThanThreshold|"
		       "LessThanOrEqualToThreshold|LessThanLowerOrGreaterThanUpperThreshold|"
		       "LessThanLowerThreshold|GreaterThanUpperThreshold",
	      .doc = "Comparison with the threshold. Those of anomaly detection are not implemented."),
	PARAM(struct put_args, "TreatMissingData", missing, .words = "missing|notBreaching|breaching|ignore",
	      .doc = "How missing datapoints are treated."),
	PARAM_LIST(struct put_args, "Metrics.member", queries, query_table, .max = MATH_QUERIES_MAX,
		   .doc = "Metric math queries, instead of a metric."),
	PARAM(struct put_args, "ExtendedStatistic", extended, .min = 2, .max = CLOUDWATCH_STATISTIC_MAX,
	      .doc = "Percentile or the like of each period: p99, TM(10%:90%)."),
	PARAM(struct put_args, "EvaluateLowSampleCountPercentile", low, .min = 1, .max = 255,
	      .doc = "ignore: the state stays while periods have too few samples for the percentile."),
	NOT_BUILT("ThresholdMetricId", .doc = "Anomaly detection."),
	NOT_BUILT("EvaluationCriteria|EvaluationInterval", .doc = "Alarms on queries in PromQL."),
	NOT_BUILT("EvaluationWindow|WarmUpConfiguration", .doc = "Wall clock windows, warm-up periods."),
	NOT_BUILT("ActionConfiguration", .doc = "Content of notifications."),
};

static RESULT check_window(struct cloudwatch_call *e, struct put_args *a, struct alarm *row)
{
	bool is_short = row->period_s == 10 || row->period_s == 20 || row->period_s == 30;
	if (!is_short && row->period_s % 60)
		return fail_parameter(e, "Period",
				      "Period must be 10, 20, 30 or a multiple of 60."); /* words guessed */
	int64_t window_s = row->period_s * a->periods;
	if (window_s > (row->period_s >= 3600 ? WEEK_S : DAY_S))
		return fail_parameter(
			e, "EvaluationPeriods",
			row->period_s >= 3600
				? "Metrics cannot be checked across more than seven days (EvaluationPeriods "
				  "* Period must be <= 604800)."
				: "Metrics cannot be checked across more than a day (EvaluationPeriods * "
				  "Period must be <= 86400).");
	if (a->datapoints > a->periods)
		return fail_parameter(e, "DatapointsToAlarm",
				      "DatapointsToAlarm must be less than or equal to EvaluationPeriods.");
	row->evaluation_periods = a->periods;
	row->datapoints = a->datapoints;
	return OK;
}

static RESULT take_query(struct cloudwatch_call *e, const struct query_args *q, struct alarm_query *ret)
{
	bool has_stat = q->stat.metric.name.n > 0;
	struct statistic statistic;
	if (has_stat == (q->expression.n > 0))
		return fail_parameter(
			e, "Metrics",
			"Invalid metrics list: each query has either a MetricStat or an Expression.");
	if (has_stat && (!q->stat.stat.n || !q->stat.period_s || q->period_s))
		return fail_parameter(
			e, "Metrics",
			"Invalid metrics list: a MetricStat needs Period and Stat, and its query no "
			"Period.");
	if (has_stat && !statistic_read(q->stat.stat, &statistic))
		return fail_parameter(e, "Metrics", "Invalid metrics list: Stat is not a valid statistic.");
	*ret = (struct alarm_query){.id = q->id,
				    .label = q->label,
				    .expression = q->expression,
				    .name_space = q->stat.metric.name_space,
				    .name = q->stat.metric.name,
				    .stat = q->stat.stat,
				    .unit = q->stat.unit,
				    .period_s = has_stat ? q->stat.period_s : q->period_s,
				    .returns = q->returns != CHOICE_NO};
	return cloudwatch_read_dimensions(e, &q->stat.metric.dimensions, &ret->dimensions);
}

/* Evaluates the expressions once without values, so that a later evaluation cannot fail. */
static RESULT check_expressions(struct cloudwatch_call *e, struct alarm_queries *queries, int64_t period_s)
{
	static const double nothing[1] = {0};
	const char *fault = alarm_queries_find_fault(queries);
	if (fault)
		return fail_parameter(e, "Metrics", fault);
	for (size_t k = 0; k < queries->count; k++)
		if (!queries->at[k].expression.n)
			queries->at[k].at = (double *) nothing;
	return alarm_queries_evaluate(e->c, queries, 1, (double) period_s);
}

/* All queries have the period of the alarm. */
static RESULT take_each_query(struct cloudwatch_call *e, const struct put_args *a,
			      struct alarm_queries *queries, struct alarm *row)
{
	for (size_t k = 0; k < queries->count; k++) {
		TRY(take_query(e, &a->queries.at[k], &queries->at[k]));
		int64_t period_s = queries->at[k].period_s;
		if (period_s && row->period_s && period_s != row->period_s)
			return fail_parameter(e, "Metrics",
					      "Invalid metrics list: all queries must have the same period.");
		row->period_s = period_s ? period_s : row->period_s;
	}
	return row->period_s ? OK
			     : fail_parameter(e, "Metrics", "Invalid metrics list: no query has a period.");
}

static RESULT take_queries(struct cloudwatch_call *e, struct put_args *a, struct alarm *row)
{
	struct alarm_queries queries = {
		arena_new_array(e->c->arena, struct alarm_query, a->queries.count + 1), a->queries.count};
	if (!queries.at)
		return ctx_no_memory(e->c);
	if (row->metric.n || row->name_space.n || a->statistic.n || a->extended.n || a->low.n ||
	    a->period_s || row->unit.n || a->dimensions.count)
		return fail_parameter(
			e, "Metrics",
			"Metrics cannot be specified with MetricName, Namespace, Dimensions, Period, Unit "
			"or Statistic.");
	TRY(take_each_query(e, a, &queries, row));
	TRY(check_expressions(e, &queries, row->period_s));
	row->queries = alarm_queries_write(e->c->arena, &queries);
	if (row->queries.n > ALARM_QUERIES_TEXT_MAX)
		return fail_parameter(e, "Metrics", "The queries are too long.");
	return row->queries.p ? OK : ctx_no_memory(e->c);
}

static RESULT check_low(struct cloudwatch_call *e, struct str option, enum statistic_kind kind)
{
	if (!option.n)
		return OK;
	if (str_is(option, "evaluate") || str_is(option, "ignore"))
		return kind == STATISTIC_PERCENTILE
			       ? OK
			       : fail_parameter(
					 e, "EvaluateLowSampleCountPercentile",
					 "EvaluateLowSampleCountPercentile is valid for percentiles alone.");
	struct str words = str_print(e->c->arena,
				     "Option %" STR_FMT " is not supported. Supported options for parameter "
				     "EvaluateLowSampleCountPercentile are evaluate and ignore.",
				     STR_ARG(option));
	return words.p ? fail_parameter(e, "EvaluateLowSampleCountPercentile", words.p) : ctx_no_memory(e->c);
}

static RESULT take_metric(struct cloudwatch_call *e, struct put_args *a, struct alarm *row)
{
	struct statistic statistic;
	if (!row->metric.n || !row->name_space.n || !a->period_s || !a->statistic.n == !a->extended.n)
		return fail_parameter(e, "MetricName",
				      "An alarm needs MetricName, Namespace, Period and either Statistic or "
				      "ExtendedStatistic, or Metrics.");
	row->statistic = a->statistic.n ? a->statistic : a->extended;
	if (!statistic_read(row->statistic, &statistic) ||
	    (a->extended.n && statistic.kind == STATISTIC_BASIC))
		return ctx_fail_field(e->c, ERR_INVALID, STR("ExtendedStatistic"),
				      "The value %" STR_FMT
				      " for parameter ExtendedStatistic is not supported.",
				      STR_ARG(row->statistic));
	TRY(check_low(e, a->low, statistic.kind));
	row->low_samples = !a->low.n                  ? ALARM_LOW_SAMPLES_UNSET
			   : str_is(a->low, "ignore") ? ALARM_LOW_SAMPLES_IGNORE
						      : ALARM_LOW_SAMPLES_EVALUATE;
	row->period_s = a->period_s;
	return cloudwatch_read_dimensions(e, &a->dimensions, &row->dimensions);
}

static RESULT take_words(struct cloudwatch_call *e, const struct put_args *a, struct alarm *row)
{
	bool is_known = false;
	row->has_missing = a->missing.n > 0;
	for (enum alarm_comparison k = 0; k <= ALARM_COMPARISON_LESS_OR_EQUAL; k++)
		if (str_is(a->comparison, alarm_comparison_word(k))) {
			row->comparison = (enum alarm_comparison) k;
			is_known = true;
		}
	for (enum alarm_missing k = 0; k <= ALARM_MISSING_IGNORE; k++)
		if (str_is(a->missing, alarm_treatment_word(k)))
			row->missing = (enum alarm_missing) k;
	return is_known ? OK
			: ctx_fail_field(
				  e->c, ERR_UNSUPPORTED, STR("ComparisonOperator"),
				  "ComparisonOperator: anomaly detection is not supported in this region.");
}

static RESULT prepare_put(struct cloudwatch_call *e, void *args)
{
	struct put_args *a = args;
	struct alarm *row = &a->common.wish.row;
	double threshold = 0;
	TRY(check_common(e, &a->common));
	if (a->queries.count)
		TRY(take_queries(e, a, row));
	else
		TRY(take_metric(e, a, row));
	TRY(check_window(e, a, row));
	if (!a->threshold.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("Threshold"),
				      "The parameter Threshold is required.");
	TRY(cloudwatch_read_number(e, a->threshold, "Threshold", &threshold));
	row->threshold = a->threshold;
	return take_words(e, a, row);
}

/* ---- PutCompositeAlarm ---- */

struct composite_args {
	struct common_args common;
};
static const struct param composite_params[] = {
	COMMON_PARAMS(struct composite_args),
	PARAM(struct composite_args, "AlarmRule", common.wish.row.rule, .flags = REQUIRED, .min = 1,
	      .max = ALARM_RULE_MAX,
	      .doc = "Rule: ALARM(\"name\"), OK(…), INSUFFICIENT_DATA(…), AND, OR, NOT, TRUE, FALSE."),
	NOT_BUILT("ActionsSuppressor|ActionsSuppressorWaitPeriod|ActionsSuppressorExtensionPeriod",
		  .doc = "Suppression of actions."),
	NOT_BUILT("ActionConfiguration", .doc = "Content of notifications."),
};

static RESULT prepare_composite(struct cloudwatch_call *e, void *args)
{
	struct composite_args *a = args;
	a->common.wish.row.is_composite = true;
	return check_common(e, &a->common);
}

static RESULT run_put(struct op *op, void *args)
{
	struct common_args *a = args;
	return engine_put_alarm(op, &a->wish);
}
static_assert(offsetof(struct put_args, common) == 0 && offsetof(struct composite_args, common) == 0,
	      "run_put() takes both");

/* ---- others ---- */

struct names_args {
	struct alarms_target wish;
	struct strs names;
};
static const struct param names_params[] = {
	PARAM(struct names_args, "AlarmNames.member", names, .flags = REQUIRED, .min = 1,
	      .max = ALARM_NAME_MAX, .doc = "Up to 100 alarms by name."),
};

static RESULT prepare_names(struct cloudwatch_call *e, void *args)
{
	struct names_args *a = args;
	if (a->names.count > CLOUDWATCH_NAMES_MAX)
		return fail_parameter(e, "AlarmNames", "A call names up to 100 alarms.");
	TRY(cloudwatch_find_alarms(e, a->names, &a->wish.alarms));
	e->skips_operation = !a->wish.alarms.count;
	return OK;
}

static RESULT prepare_enable(struct cloudwatch_call *e, void *args)
{
	((struct names_args *) args)->wish.acts = true;
	return prepare_names(e, args);
}

struct state_args {
	struct alarm_setting wish;
	struct str name, state;
};
static const struct param state_params[] = {
	CLOUDWATCH_ALARM_NAME(struct state_args, name),
	PARAM(struct state_args, "StateValue", state, .flags = REQUIRED,
	      .words = "OK|ALARM|INSUFFICIENT_DATA", .doc = "New state."),
	PARAM(struct state_args, "StateReason", wish.reason, .flags = REQUIRED, .max = 1023,
	      .doc = "Reason."),
	PARAM(struct state_args, "StateReasonData", wish.data, .max = 4000, .doc = "Reason, as JSON."),
};

static bool is_json(struct str text)
{
	json_error_t error;
	json_t *document = json_loadb(text.p, text.n, JSON_DECODE_ANY, &error);
	bool is_read = document != NULL;
	json_decref(document);
	return is_read;
}

static RESULT prepare_state(struct cloudwatch_call *e, void *args)
{
	struct state_args *a = args;
	a->wish.state = str_is(a->state, "OK")      ? ALARM_STATE_OK
			: str_is(a->state, "ALARM") ? ALARM_STATE_ALARM
						    : ALARM_STATE_INSUFFICIENT_DATA;
	if (a->wish.data.n && !is_json(a->wish.data))
		return ctx_fail_field(e->c, ERR_INVALID, STR("StateReasonData"),
				      "StateReasonData is not JSON.");
	return cloudwatch_find_alarm(e, a->name, "AlarmName", &a->wish.alarm);
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("PutMetricAlarm"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, put_params), .prepare = prepare_put, .operation = run_put,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates or replaces a metric alarm, on a metric or on metric math."},
	{CLOUDWATCH_ACTION("PutCompositeAlarm"), .flags = API_WRITES,
	 .args = PARAMS(struct composite_args, composite_params), .prepare = prepare_composite,
	 .operation = run_put, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates or replaces a composite alarm."},
	{CLOUDWATCH_ACTION("DeleteAlarms"), .flags = API_WRITES,
	 .args = PARAMS(struct names_args, names_params), .prepare = prepare_names,
	 .operation = engine_delete_alarms_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes alarms."},
	{CLOUDWATCH_ACTION("EnableAlarmActions"), .flags = API_WRITES,
	 .args = PARAMS(struct names_args, names_params), .prepare = prepare_enable,
	 .operation = engine_set_alarm_actions_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Enables the actions of alarms."},
	{CLOUDWATCH_ACTION("DisableAlarmActions"), .flags = API_WRITES,
	 .args = PARAMS(struct names_args, names_params), .prepare = prepare_names,
	 .operation = engine_set_alarm_actions_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Disables the actions of alarms."},
	{CLOUDWATCH_ACTION("SetAlarmState"), .flags = API_WRITES,
	 .args = PARAMS(struct state_args, state_params), .prepare = prepare_state,
	 .operation = engine_set_alarm_state_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets the state of an alarm until its next evaluation."},
};
const struct api_actions cloudwatch_alarm_actions = API_ACTIONS(actions);
