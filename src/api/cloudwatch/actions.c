/* SPDX-License-Identifier: Apache-2.0
 * ListMetrics, GetMetricStatistics, GetMetricData. Source: Amazon CloudWatch API Reference. */
#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "base/clock.h"
#include "model/id.h"
#include "store/instance.h"

enum { LIST_MAX = 500, QUERIES_MAX = 500, DATA_MAX = 100800 };

#define DIMENSIONS(T, member)                                                                                \
	PARAM_LIST(T, "Dimensions.member", member, cloudwatch_dimension_params,                              \
		   .max = CLOUDWATCH_DIMENSIONS_MAX, .doc = "Whose: InstanceId alone has figures.")
#define NAMESPACE(T, ...)                                                                                    \
	PARAM(T, "Namespace", name_space, .min = 1, .max = 255,                                              \
	      __VA_ARGS__.doc = "AWS/EC2: no other has any.")
#define METRIC_NAME(T, ...) PARAM(T, "MetricName", name, .min = 1, .max = 255, __VA_ARGS__.doc = "Which.")

/* A number of the order in which what is listed stands. */
static RESULT read_token(struct cloudwatch_call *e, struct str token, int64_t *ret_at)
{
	*ret_at = 0;
	if (token.n && (!result_is_ok(str_parse_int(token, ret_at)) || *ret_at < 0))
		return ctx_fail_field(e->c, ERR_INVALID, STR("NextToken"), "The NextToken is not valid.");
	return OK;
}

/* ---- ListMetrics ---- */

struct list_args {
	struct str name_space, name, token, active, owner;
	struct cloudwatch_dimensions dimensions;
	bool linked;
};
static const struct param list_params[] = {
	NAMESPACE(struct list_args),
	METRIC_NAME(struct list_args),
	DIMENSIONS(struct list_args, dimensions),
	PARAM(struct list_args, "NextToken", token, .max = 32, .doc = "The next page, by the last one's."),
	PARAM(struct list_args, "RecentlyActive", active, .words = "PT3H",
	      .doc = "Those of the last three hours: what is listed has figures now."),
	PARAM(struct list_args, "IncludeLinkedAccounts", linked, .doc = "There are none."),
	PARAM(struct list_args, "OwningAccount", owner, .min = 1, .max = 255,
	      .doc = "Of linked accounts: of another one nothing is listed."),
};

/* Dimensions that name other things than the instance fit nothing. */
static bool fits_dimensions(const struct list_args *a, const char *id)
{
	for (size_t k = 0; k < a->dimensions.count; k++)
		if (!str_is(a->dimensions.at[k].name, "InstanceId") ||
		    (a->dimensions.at[k].value.n && !str_is(a->dimensions.at[k].value, id)))
			return false;
	return true;
}

static void write_metric(struct forms_writer *w, const struct cloudwatch_metric *m, const char *id)
{
	forms_open(w, NULL);
	forms_open_list(w, "Dimensions");
	forms_open(w, NULL);
	forms_text(w, "Name", STR("InstanceId"));
	forms_text(w, "Value", str_from(id));
	forms_close(w);
	forms_close(w);
	forms_text(w, "MetricName", str_from(m->name));
	forms_text(w, "Namespace", STR(CLOUDWATCH_EC2));
	forms_close(w);
}

struct list_walk {
	const struct list_args *args;
	struct forms_writer *w;
	int64_t at, from; /* counted so far; the first of the page */
};

static void list_instance(struct list_walk *walk, const struct instance *i)
{
	char id[EC2_ID_TEXT_SIZE];
	(void) id_write_ec2(KIND_INSTANCE, i->row.id, id);
	if (!fits_dimensions(walk->args, id))
		return;
	for (size_t k = 0; k < CLOUDWATCH_METRICS; k++) {
		const struct cloudwatch_metric *m = &cloudwatch_metrics[k];
		bool is_listed = !walk->args->name.n || str_is(walk->args->name, m->name);
		int64_t place = is_listed ? walk->at++ : -1;
		if (place >= walk->from && place < walk->from + LIST_MAX)
			write_metric(walk->w, m, id);
	}
}

static RESULT answer_list(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct list_args *a = args;
	struct list_walk walk = {.args = a, .w = w};
	bool is_ours = (!a->name_space.n || str_is(a->name_space, CLOUDWATCH_EC2)) &&
		       (!a->owner.n || str_equal(a->owner, e->c->who->account_number));
	const struct tables *t = cloudwatch_tables(e);
	TRY(read_token(e, a->token, &walk.from));
	forms_open_list(w, "Metrics");
	for (const struct instance *i = instance_first_by_account(t, e->c->who->account); i && is_ours;
	     i = instance_next_by_account(t, i))
		if (row_is_live(&i->row) && !uuid_is_none(i->host))
			list_instance(&walk, i);
	forms_close(w);
	if (walk.at > walk.from + LIST_MAX)
		forms_text(w, "NextToken",
			   str_print(e->c->arena, "%lld", (long long) (walk.from + LIST_MAX)));
	return OK;
}

/* ---- GetMetricStatistics ---- */

struct statistics_args {
	struct str name_space, name, start, end, unit;
	struct cloudwatch_dimensions dimensions;
	struct strs statistics;
	int64_t period_s;
	struct cloudwatch_question question; /* made */
};
#define UNITS                                                                                                \
	"Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|"     \
	"Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second|"           \
	"Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|Megabits/Second|Gigabits/Second|"     \
	"Terabits/Second|Count/Second|None"
#define STATISTICS "SampleCount|Average|Sum|Minimum|Maximum"
static const struct param statistics_params[] = {
	NAMESPACE(struct statistics_args, .flags = REQUIRED, ),
	METRIC_NAME(struct statistics_args, .flags = REQUIRED, ),
	DIMENSIONS(struct statistics_args, dimensions),
	PARAM(struct statistics_args, "StartTime", start, .flags = REQUIRED, .doc = "Included."),
	PARAM(struct statistics_args, "EndTime", end, .flags = REQUIRED, .doc = "Not included."),
	PARAM(struct statistics_args, "Period", period_s, .flags = REQUIRED, .min = 1, .max = 86400 * 365,
	      .doc = "Seconds that a datapoint covers; figures are five minutes apart."),
	PARAM(struct statistics_args, "Statistics.member", statistics, .words = STATISTICS,
	      .doc = "What of each datapoint is told."),
	NOT_BUILT("ExtendedStatistics.member", .doc = "Percentiles."),
	PARAM(struct statistics_args, "Unit", unit, .words = UNITS, .doc = "Only if it is the metric's own."),
};

static RESULT read_times(struct cloudwatch_call *e, struct str start, struct str end,
			 struct cloudwatch_question *q)
{
	if (!result_is_ok(clock_parse(start, &q->from_us)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("StartTime"),
				      "The parameter StartTime must be in ISO 8601 format.");
	if (!result_is_ok(clock_parse(end, &q->before_us)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("EndTime"),
				      "The parameter EndTime must be in ISO 8601 format.");
	if (q->from_us >= q->before_us)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("StartTime"),
				      "The parameter StartTime must be less than the parameter EndTime.");
	return OK;
}

static bool has_unit(const struct cloudwatch_metric *m, struct str unit)
{
	return m && (!unit.n || str_is(unit, m->unit));
}

static RESULT prepare_statistics(struct cloudwatch_call *e, void *args)
{
	struct statistics_args *a = args;
	struct cloudwatch_question *q = &a->question;
	const struct cloudwatch_metric *m = cloudwatch_find_metric(a->name_space, a->name);
	if (!a->statistics.count)
		return ctx_fail_field(e->c, ERR_MISSING, STR("Statistics"),
				      "Must specify either Statistics or ExtendedStatistics");
	TRY(cloudwatch_check_period(e, a->period_s, "Period"));
	TRY(read_times(e, a->start, a->end, q));
	q->period_us = a->period_s * SECOND;
	int64_t wanted = (q->before_us - q->from_us) / q->period_us;
	if (wanted > CLOUDWATCH_POINTS_MAX)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("Period"),
			"You have requested up to %lld datapoints, which exceeds the limit of %d. You may "
			"reduce the datapoints requested by increasing Period, or decreasing the time range.",
			(long long) wanted, CLOUDWATCH_POINTS_MAX);
	q->metric = has_unit(m, a->unit) ? m : NULL;
	cloudwatch_find_subject(e, &a->dimensions, q);
	return OK;
}

static double value_of(const struct cloudwatch_datapoint *p, struct str statistic)
{
	return str_is(statistic, "SampleCount") ? p->samples
	       : str_is(statistic, "Sum")       ? p->sum
	       : str_is(statistic, "Minimum")   ? p->least
	       : str_is(statistic, "Maximum")   ? p->most
						: p->sum / p->samples;
}

static RESULT answer_statistics(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct statistics_args *a = args;
	struct cloudwatch_datapoints points = {0};
	TRY(cloudwatch_read_points(e, &a->question, &points));
	forms_text(w, "Label", a->name);
	forms_open_list(w, "Datapoints");
	for (size_t k = 0; k < points.count; k++) {
		forms_open(w, NULL);
		forms_time(w, "Timestamp", points.at[k].at_us);
		for (size_t n = 0; n < a->statistics.count; n++)
			forms_number(w, str_to_z(e->c->arena, a->statistics.at[n]),
				     value_of(&points.at[k], a->statistics.at[n]));
		forms_text(w, "Unit", str_from(a->question.metric->unit));
		forms_close(w);
	}
	forms_close(w);
	return OK;
}

/* ---- GetMetricData ---- */

struct data_metric {
	struct str name_space, name;
	struct cloudwatch_dimensions dimensions;
};
static const struct param data_metric_params[] = {
	NAMESPACE(struct data_metric, .flags = REQUIRED, ),
	METRIC_NAME(struct data_metric, .flags = REQUIRED, ),
	DIMENSIONS(struct data_metric, dimensions),
};
static const struct params data_metric_table = PARAMS(struct data_metric, data_metric_params);

struct data_stat {
	struct data_metric metric;
	struct str stat, unit;
	int64_t period_s;
};
static const struct param data_stat_params[] = {
	PARAM_OBJECT(struct data_stat, "Metric", metric, data_metric_table, .flags = REQUIRED,
		     .doc = "Which metric."),
	PARAM(struct data_stat, "Period", period_s, .flags = REQUIRED, .min = 1, .max = 86400 * 365,
	      .doc = "Seconds that a value covers."),
	PARAM(struct data_stat, "Stat", stat, .flags = REQUIRED, .words = STATISTICS,
	      .doc = "What of each is told; percentiles are not built."),
	PARAM(struct data_stat, "Unit", unit, .words = UNITS, .doc = "Only if it is the metric's own."),
};
static const struct params data_stat_table = PARAMS(struct data_stat, data_stat_params);

struct data_query {
	struct str id, label;
	struct data_stat stat;
	enum choice returns;
	struct cloudwatch_question question; /* made */
};
static const struct param data_query_params[] = {
	PARAM(struct data_query, "Id", id, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Its name in the answer."),
	PARAM_OBJECT(struct data_query, "MetricStat", stat, data_stat_table, .flags = REQUIRED,
		     .doc = "What is read."),
	PARAM(struct data_query, "Label", label, .max = 2048, .doc = "Told with it; else the metric's name."),
	PARAM(struct data_query, "ReturnData", returns, .yes = "true", .no = "false",
	      .doc = "false: it is not told."),
	NOT_BUILT("Expression|Period|AccountId", .doc = "Metric math, other accounts."),
};
static const struct params data_query_table = PARAMS(struct data_query, data_query_params);

struct data_args {
	struct {
		struct data_query *at;
		size_t count;
	} queries;
	struct str start, end, token, order;
	int64_t max;
};
static const struct param data_params[] = {
	PARAM_LIST(struct data_args, "MetricDataQueries.member", queries, data_query_table, .flags = REQUIRED,
		   .max = QUERIES_MAX, .doc = "What is asked."),
	PARAM(struct data_args, "StartTime", start, .flags = REQUIRED, .doc = "Included."),
	PARAM(struct data_args, "EndTime", end, .flags = REQUIRED, .doc = "Not included."),
	PARAM(struct data_args, "NextToken", token, .max = 32,
	      .doc = "An answer is whole: there is no next one."),
	PARAM(struct data_args, "ScanBy", order, .words = "TimestampDescending|TimestampAscending",
	      .absent = "TimestampDescending", .doc = "The newest or the oldest first."),
	PARAM(struct data_args, "MaxDatapoints", max, .min = 1, .max = DATA_MAX, .absent = "100800",
	      .doc = "Of all queries together; an answer of more is refused."),
	NOT_BUILT("LabelOptions.Timezone", .doc = "Times in labels."),
};

static bool is_id(struct str id)
{
	for (size_t k = 0; k < id.n; k++) {
		bool is_small = id.p[k] >= 'a' && id.p[k] <= 'z';
		bool is_other = (id.p[k] >= 'A' && id.p[k] <= 'Z') || (id.p[k] >= '0' && id.p[k] <= '9') ||
				id.p[k] == '_';
		if (!is_small && (!k || !is_other))
			return false;
	}
	return true;
}

static RESULT prepare_query(struct cloudwatch_call *e, struct data_query *d)
{
	struct cloudwatch_question *q = &d->question;
	const struct cloudwatch_metric *m =
		cloudwatch_find_metric(d->stat.metric.name_space, d->stat.metric.name);
	if (!is_id(d->id))
		return ctx_fail_field(e->c, ERR_MALFORMED, STR("MetricDataQueries"),
				      "The value %" STR_FMT
				      " for parameter Id does not match the pattern ^[a-z][a-zA-Z0-9_]*$.",
				      STR_ARG(d->id));
	TRY(cloudwatch_check_period(e, d->stat.period_s, "MetricDataQueries"));
	q->period_us = d->stat.period_s * SECOND;
	q->metric = has_unit(m, d->stat.unit) ? m : NULL;
	cloudwatch_find_subject(e, &d->stat.metric.dimensions, q);
	return OK;
}

static RESULT prepare_data(struct cloudwatch_call *e, void *args)
{
	struct data_args *a = args;
	struct cloudwatch_question times = {0};
	int64_t at = 0;
	TRY(read_token(e, a->token, &at));
	TRY(read_times(e, a->start, a->end, &times));
	for (size_t k = 0; k < a->queries.count; k++) {
		a->queries.at[k].question = times;
		TRY(prepare_query(e, &a->queries.at[k]));
	}
	return OK;
}

/* In the order that is asked for. */
static const struct cloudwatch_datapoint *point_at(const struct data_args *a,
						   const struct cloudwatch_datapoints *points, size_t k)
{
	return &points->at[str_is(a->order, "TimestampAscending") ? k : points->count - 1 - k];
}

static RESULT write_result(struct cloudwatch_call *e, const struct data_args *a, const struct data_query *d,
			   size_t *count, struct forms_writer *w)
{
	struct cloudwatch_datapoints points = {0};
	TRY(cloudwatch_read_points(e, &d->question, &points));
	*count += points.count;
	if ((int64_t) *count > a->max)
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("MaxDatapoints"),
			"The answer would have more than %lld datapoints: ask for fewer at a time.",
			(long long) a->max);
	forms_open(w, NULL);
	forms_text(w, "Id", d->id);
	forms_text(w, "Label", d->label.n ? d->label : d->stat.metric.name);
	forms_open_list(w, "Timestamps");
	for (size_t k = 0; k < points.count; k++)
		forms_time(w, NULL, point_at(a, &points, k)->at_us);
	forms_close(w);
	forms_open_list(w, "Values");
	for (size_t k = 0; k < points.count; k++)
		forms_number(w, NULL, value_of(point_at(a, &points, k), d->stat.stat));
	forms_close(w);
	forms_text(w, "StatusCode", STR("Complete"));
	forms_close(w);
	return OK;
}

static RESULT answer_data(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct data_args *a = args;
	size_t count = 0;
	forms_open_list(w, "MetricDataResults");
	for (size_t k = 0; k < a->queries.count; k++)
		if (a->queries.at[k].returns != CHOICE_NO)
			TRY(write_result(e, a, &a->queries.at[k], &count, w));
	forms_close(w);
	forms_open_list(w, "Messages");
	forms_close(w);
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("ListMetrics"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "The figures that the account's instances have."},
	{CLOUDWATCH_ACTION("GetMetricStatistics"), .args = PARAMS(struct statistics_args, statistics_params),
	 .prepare = prepare_statistics, .answer = answer_statistics, .doc = "One figure over a time."},
	{CLOUDWATCH_ACTION("GetMetricData"), .args = PARAMS(struct data_args, data_params),
	 .prepare = prepare_data, .answer = answer_data, .doc = "Several at once."},
};
const struct api_actions cloudwatch_actions = API_ACTIONS(actions);
