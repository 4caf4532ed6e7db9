/* SPDX-License-Identifier: Apache-2.0
 * GetMetricData: several metrics at once, a page at a time. Source: Amazon CloudWatch API Reference; words of refusals as AWS has
 * answered users of boto3, Telegraf and YACE, default labels as in LocalStack's recordings of AWS.
 *
 * A page has the first MaxDatapoints points of all queries in the order that ScanBy says, by time and then by query, behind those
 * of the pages before: that all queries advance together is guessed, for AWS only says that the newest or the oldest come first.
 * A token is the place of the last point that was told, so points that arrive meanwhile move nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "base/clock.h"
#include "engine/alarm/alarm_queries.h"
#include "engine/alarm/metric_math.h"

enum { QUERIES_MAX = 500, DATA_MAX = 100800 };

struct data_metric {
	struct str name_space, name;
	struct cloudwatch_dimensions dimensions;
};
static const struct param data_metric_params[] = {
	CLOUDWATCH_NAMESPACE_PARAM(struct data_metric, .flags = REQUIRED, ),
	CLOUDWATCH_METRIC_PARAM(struct data_metric, .flags = REQUIRED, ),
	CLOUDWATCH_DIMENSIONS_PARAM(struct data_metric, CLOUDWATCH_DIMENSIONS_MAX),
};
static const struct params data_metric_table = PARAMS(struct data_metric, data_metric_params);

struct data_stat {
	struct data_metric metric;
	struct str stat, unit;
	int64_t period_s;
};
static const struct param data_stat_params[] = {
	PARAM_OBJECT(struct data_stat, "Metric", metric, data_metric_table, .flags = REQUIRED,
		     .doc = "The metric."),
	PARAM(struct data_stat, "Period", period_s, .flags = REQUIRED, .min = 1, .max = 86400 * 365,
	      .doc = "Period of a value in seconds."),
	PARAM(struct data_stat, "Stat", stat, .flags = REQUIRED,
	      .doc = "Statistic, such as Average, p99 or TM(10%:90%)."),
	PARAM(struct data_stat, "Unit", unit, .words = CLOUDWATCH_UNITS,
	      .doc = "Unit. Other than the metric's own, nothing is returned."),
};
static const struct params data_stat_table = PARAMS(struct data_stat, data_stat_params);

struct data_query {
	struct str id, label, expression;
	struct data_stat stat;
	int64_t period_s; /* the period of an expression */
	enum choice returns;
	struct cloudwatch_question question; /* made */
};
static const struct param data_query_params[] = {
	PARAM(struct data_query, "Id", id, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Id of the query in the answer."),
	PARAM_OBJECT(struct data_query, "MetricStat", stat, data_stat_table, .doc = "Metric and statistic."),
	PARAM(struct data_query, "Expression", expression, .min = 1, .max = MATH_EXPRESSION_MAX,
	      .doc = "Metric math over other queries, which have one period; up to ten expressions."),
	PARAM(struct data_query, "Period", period_s, .min = 1, .max = 86400 * 365,
	      .doc = "Period of an expression in seconds; absent: that of the metrics."),
	PARAM(struct data_query, "Label", label, .max = 2048,
	      .doc = "Label of the result; absent: the metric's name."),
	PARAM(struct data_query, "ReturnData", returns, .yes = "true", .no = "false",
	      .doc = "false: omits the result."),
	NOT_BUILT("AccountId", .doc = "Other accounts."),
};
static const struct params data_query_table = PARAMS(struct data_query, data_query_params);

/* Position of a point among the points of all queries. */
struct place {
	int64_t at_us;
	size_t query;
	bool is_set;
};

struct data_args {
	struct {
		struct data_query *at;
		size_t count;
	} queries;
	struct str start, end, token, order;
	int64_t max;
	/* made: */
	bool is_ascending;
	struct place behind; /* what the pages before have told */
	size_t expressions;
	struct cloudwatch_grid grid; /* of expressions */
};
static const struct param data_params[] = {
	PARAM_LIST(struct data_args, "MetricDataQueries.member", queries, data_query_table, .flags = REQUIRED,
		   .max = QUERIES_MAX, .doc = "Queries."),
	PARAM(struct data_args, "StartTime", start, .flags = REQUIRED,
	      .doc = "Start of the interval, inclusive."),
	PARAM(struct data_args, "EndTime", end, .flags = REQUIRED, .doc = "End of the interval, exclusive."),
	PARAM(struct data_args, "NextToken", token,
	      .doc = "Token of the next page, from the previous answer."),
	PARAM(struct data_args, "ScanBy", order, .words = "TimestampDescending|TimestampAscending",
	      .absent = "TimestampDescending", .doc = "Order by time, newest or oldest first."),
	PARAM(struct data_args, "MaxDatapoints", max, .min = 1, .max = DATA_MAX, .absent = "100800",
	      .doc = "Maximum number of datapoints of all queries in one page."),
	NOT_BUILT("LabelOptions.Timezone", .only = "+0000", .doc = "Times in labels."),
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

static RESULT read_token(struct cloudwatch_call *e, struct data_args *a)
{
	struct str rest = a->token, order = STR_NONE, at = STR_NONE;
	int64_t query = 0;
	if (!a->token.n)
		return OK;
	a->behind.is_set = str_split_next(&rest, '.', &order) && str_split_next(&rest, '.', &at) &&
			   str_is(order, a->is_ascending ? "A" : "D") &&
			   result_is_ok(str_parse_int(at, &a->behind.at_us)) &&
			   result_is_ok(str_parse_int(rest, &query)) && a->behind.at_us >= 0 &&
			   a->behind.at_us < CLOUDWATCH_TIME_END_US && query >= 0 &&
			   query < (int64_t) a->queries.count;
	a->behind.query = (size_t) query;
	return a->behind.is_set ? OK
				: ctx_fail_field(e->c, ERR_INVALID, STR("NextToken"),
						 "The parameter NextToken is not valid."); /* words guessed */
}

static RESULT fail_query(struct cloudwatch_call *e, struct str value, size_t k, const char *name,
			 const char *is_what)
{
	return ctx_fail(e->c, ERR_MALFORMED,
			"The value %" STR_FMT " for parameter MetricDataQueries.member.%zu.%s is %s.",
			STR_ARG(str_cut(value, 255)), k + 1, name, is_what);
}

static RESULT check_query(struct cloudwatch_call *e, const struct data_args *a, size_t k)
{
	const struct data_query *d = &a->queries.at[k];
	if (!is_id(d->id))
		return fail_query(e, d->id, k, "Id",
				  "not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$");
	for (size_t n = 0; n < k; n++)
		if (str_equal(a->queries.at[n].id, d->id))
			return ctx_fail(e->c, ERR_MALFORMED,
					"The values for parameter id in MetricDataQueries are not unique.");
	if (d->expression.n && d->stat.stat.n)
		return ctx_fail(e->c, ERR_MALFORMED,
				"The parameters MetricDataQueries.member.%zu.Expression and "
				"MetricDataQueries.member.%zu.MetricStat are mutually exclusive and you have "
				"specified both.",
				k + 1, k + 1);
	if (d->expression.n)
		return OK;
	if (!d->stat.stat.n) /* CloudWatch's sentence ends its line */
		return ctx_fail(e->c, ERR_MALFORMED,
				"The parameter MetricDataQueries.member.%zu.MetricStat is required.\n",
				k + 1);
	struct statistic statistic;
	if (!statistic_read(d->stat.stat, &statistic))
		return fail_query(e, d->stat.stat, k, "MetricStat.Stat", "not a valid statistic");
	return cloudwatch_check_period(e, d->stat.period_s, "MetricDataQueries");
}

/* Chooses the grid of the expressions. Metrics of several periods would need rules that CloudWatch does not document. */
static RESULT choose_grid(struct cloudwatch_call *e, struct data_args *a,
			  const struct cloudwatch_question *times)
{
	int64_t period_s = 0;
	a->expressions = 0;
	for (size_t k = 0; k < a->queries.count; k++) {
		const struct data_query *d = &a->queries.at[k];
		int64_t other_s = d->expression.n ? d->period_s : d->stat.period_s;
		a->expressions += d->expression.n > 0;
		if (other_s && period_s && other_s != period_s)
			period_s = -1;
		else if (other_s)
			period_s = other_s;
	}
	if (!a->expressions)
		return OK;
	if (period_s <= 0 || a->expressions > MATH_QUERIES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("MetricDataQueries"), "%s",
				      period_s < 0
					      ? "Queries with an expression beside them must have one period."
				      : period_s > 0 ? "A call has up to ten expressions."
						     : "An expression without metrics needs a Period.");
	TRY(cloudwatch_check_period(e, period_s, "MetricDataQueries"));
	int64_t period_us = period_s * SECOND;
	a->grid = (struct cloudwatch_grid){times->from_us / period_us * period_us, period_us, 0};
	int64_t count = (times->before_us - a->grid.from_us + period_us - 1) / period_us;
	if (count * (int64_t) a->queries.count > DATA_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("MetricDataQueries"),
				      "Expressions are evaluated over up to %d datapoints of all queries.",
				      DATA_MAX);
	a->grid.count = (size_t) count;
	return OK;
}

static RESULT check_times(struct cloudwatch_call *e, const struct cloudwatch_question *times)
{
	if (times->from_us == times->before_us)
		return ctx_fail_field(e->c, ERR_MALFORMED, STR("StartTime"),
				      "The parameter StartTime must not equal parameter EndTime.");
	return times->from_us < times->before_us
		       ? OK
		       : ctx_fail_field(e->c, ERR_MALFORMED, STR("EndTime"),
					"The parameter EndTime must be greater than StartTime.");
}

static RESULT prepare_data(struct cloudwatch_call *e, void *args)
{
	struct data_args *a = args;
	struct cloudwatch_question times = {0};
	a->is_ascending = str_is(a->order, "TimestampAscending");
	TRY(cloudwatch_read_times(e, ERR_MALFORMED, a->start, a->end, &times));
	TRY(check_times(e, &times));
	for (size_t k = 0; k < a->queries.count; k++) {
		struct data_query *d = &a->queries.at[k];
		TRY(check_query(e, a, k));
		if (d->expression.n)
			continue;
		d->question = times;
		d->question.period_us = d->stat.period_s * SECOND;
		TRY(cloudwatch_ask(e, d->stat.metric.name_space, d->stat.metric.name, d->stat.unit,
				   &d->stat.metric.dimensions, &d->question));
	}
	TRY(choose_grid(e, a, &times));
	return read_token(e, a);
}

/* ---- a page ---- */

struct told {
	struct place place;
	double value;
};

struct page {
	const struct data_args *args;
	struct {
		struct told *at;
		size_t count, capacity;
	} points;
	struct place end; /* set: what stands behind it is another page's */
	bool has_more[QUERIES_MAX];
};

static int compare_queries(const struct place *a, const struct place *b)
{
	return a->query < b->query ? -1 : a->query > b->query;
}

static int compare_ascending(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	return a->at_us < b->at_us ? -1 : a->at_us > b->at_us ? 1 : compare_queries(a, b);
}

static int compare_descending(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	return a->at_us > b->at_us ? -1 : a->at_us < b->at_us ? 1 : compare_queries(a, b);
}
static_assert(offsetof(struct told, place) == 0, "a point is compared by its place");

static bool is_behind(const struct data_args *a, const struct place *p, const struct place *other)
{
	return (a->is_ascending ? compare_ascending(p, other) : compare_descending(p, other)) > 0;
}

/* Leaves the first so many, in their order. */
static void cut_page(struct page *page)
{
	const struct data_args *a = page->args;
	size_t max = (size_t) a->max;
	if (page->points.count)
		qsort(page->points.at, page->points.count, sizeof *page->points.at,
		      a->is_ascending ? compare_ascending : compare_descending);
	if (page->points.count <= max)
		return;
	for (size_t k = max; k < page->points.count; k++)
		page->has_more[page->points.at[k].place.query] = true;
	page->points.count = max;
	page->end = page->points.at[max - 1].place;
}

static RESULT add_point(struct cloudwatch_call *e, struct page *page, const struct told *point)
{
	const struct data_args *a = page->args;
	if (a->behind.is_set && !is_behind(a, &point->place, &a->behind))
		return OK;
	if (page->end.is_set && is_behind(a, &point->place, &page->end)) {
		page->has_more[point->place.query] = true;
		return OK;
	}
	if (!VEC_PUSH(e->c->arena, &page->points, *point))
		return ctx_no_memory(e->c);
	if (page->points.count == 2 * (size_t) a->max)
		cut_page(page);
	return OK;
}

/* Skips the periods that earlier pages have shown, except the one of their last point. */
static struct cloudwatch_question narrow(const struct data_args *a, const struct cloudwatch_question *whole)
{
	struct cloudwatch_question q = *whole;
	if (a->behind.is_set && a->is_ascending && a->behind.at_us > q.from_us)
		q.from_us = a->behind.at_us;
	if (a->behind.is_set && !a->is_ascending && a->behind.at_us + q.period_us < q.before_us)
		q.before_us = a->behind.at_us + q.period_us;
	return q;
}

static RESULT add_query(struct cloudwatch_call *e, struct page *page, size_t k, struct arena *scratch)
{
	const struct data_query *d = &page->args->queries.at[k];
	struct cloudwatch_question q = narrow(page->args, &d->question);
	struct metric_points points = {0};
	struct statistic statistic;
	if (!statistic_read(d->stat.stat, &statistic))
		return FAIL(INTERNAL); /* prepare_data() has read it, too */
	q.has_values = statistic.kind != STATISTIC_BASIC;
	TRY(cloudwatch_read_points(e, &q, scratch, &points));
	for (size_t n = 0; n < points.count; n++) {
		struct told point = {.place = {points.at[n].at_us, k, true}};
		if (statistic_value(&statistic, &points.at[n], &point.value))
			TRY(add_point(e, page, &point));
	}
	return OK;
}

/* Adds the values of the expressions that are to be returned. */
static RESULT add_expressions(struct cloudwatch_call *e, struct page *page)
{
	const struct data_args *a = page->args;
	size_t count = a->queries.count;
	struct alarm_queries queries = {arena_new_array(e->c->arena, struct alarm_query, count), count};
	struct cloudwatch_question *questions =
		arena_new_array(e->c->arena, struct cloudwatch_question, count);
	if (!queries.at || !questions)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++) {
		const struct data_query *d = &a->queries.at[k];
		questions[k] = d->question;
		queries.at[k] =
			(struct alarm_query){.id = d->id, .expression = d->expression, .stat = d->stat.stat};
	}
	TRY(cloudwatch_evaluate(e, &queries, questions, &a->grid));
	for (size_t k = 0; k < count; k++)
		for (size_t n = 0; n < a->grid.count; n++) {
			const struct told point = {
				{a->grid.from_us + (int64_t) n * a->grid.period_us, k, true},
				queries.at[k].at[n]};
			if (a->queries.at[k].expression.n && a->queries.at[k].returns != CHOICE_NO &&
			    isfinite(point.value))
				TRY(add_point(e, page, &point));
		}
	return OK;
}

static RESULT gather(struct cloudwatch_call *e, struct page *page)
{
	AUTO(arena) scratch = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP); /* reset after each query */
	if (!scratch)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < page->args->queries.count; k++) {
		const struct data_query *d = &page->args->queries.at[k];
		if (d->returns != CHOICE_NO && !d->expression.n)
			TRY(add_query(e, page, k, scratch));
		arena_reset(scratch);
	}
	if (page->args->expressions)
		TRY(add_expressions(e, page));
	cut_page(page);
	return OK;
}

/* ---- the answer ---- */

/* Without one of its own it has the metric's name, and what queries of that metric differ in. */
static struct str label_of(struct cloudwatch_call *e, const struct data_args *a, const struct data_query *d)
{
	struct str label = d->stat.metric.name;
	bool has_stats = false, has_periods = false;
	if (d->label.n)
		return d->label;
	if (d->expression.n)
		return d->id;
	for (size_t k = 0; k < a->queries.count; k++) {
		const struct data_stat *other = &a->queries.at[k].stat;
		if (!str_equal(other->metric.name, d->stat.metric.name))
			continue;
		has_stats |= !str_equal(other->stat, d->stat.stat);
		has_periods |= other->period_s != d->stat.period_s;
	}
	if (has_stats)
		label = str_print(e->c->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(label),
				  STR_ARG(d->stat.stat));
	if (has_periods)
		label = str_print(e->c->arena, "%" STR_FMT " %lld", STR_ARG(label),
				  (long long) d->stat.period_s);
	return label;
}

static void write_result(struct cloudwatch_call *e, const struct page *page, size_t query,
			 const struct told *points, size_t count, struct forms_writer *w)
{
	const struct data_query *d = &page->args->queries.at[query];
	forms_open(w, NULL);
	forms_text(w, "Id", d->id);
	forms_text(w, "Label", label_of(e, page->args, d));
	forms_open_list(w, "Timestamps");
	for (size_t k = 0; k < count; k++)
		forms_time(w, NULL, points[k].place.at_us);
	forms_close(w);
	forms_open_list(w, "Values");
	for (size_t k = 0; k < count; k++)
		forms_number(w, NULL, points[k].value);
	forms_close(w);
	forms_text(w, "StatusCode", page->has_more[query] ? STR("PartialData") : STR("Complete"));
	forms_close(w);
}

/* Each query's points together, in the page's order. */
static RESULT write_results(struct cloudwatch_call *e, const struct page *page, struct forms_writer *w)
{
	size_t ends[QUERIES_MAX + 1] = {0}; /* [k + 1]: end of the points of query k */
	const struct data_args *a = page->args;
	struct told *points = arena_new_array(e->c->arena, struct told, page->points.count);
	if (!points)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < page->points.count; k++)
		ends[page->points.at[k].place.query + 1]++;
	for (size_t k = 1; k <= a->queries.count; k++)
		ends[k] += ends[k - 1];
	size_t starts[QUERIES_MAX];
	memcpy(starts, ends, sizeof starts);
	for (size_t k = 0; k < page->points.count; k++)
		points[starts[page->points.at[k].place.query]++] = page->points.at[k];
	for (size_t k = 0; k < a->queries.count; k++)
		if (a->queries.at[k].returns != CHOICE_NO)
			write_result(e, page, k, points + ends[k], ends[k + 1] - ends[k], w);
	return OK;
}

static RESULT answer_data(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	struct page page = {.args = args};
	TRY(gather(e, &page));
	forms_open_list(w, "MetricDataResults");
	TRY(write_results(e, &page, w));
	forms_close(w);
	if (page.end.is_set)
		forms_text(w, "NextToken",
			   str_print(e->c->arena, "%s.%lld.%zu", page.args->is_ascending ? "A" : "D",
				     (long long) page.end.at_us, page.end.query));
	forms_open_list(w, "Messages");
	forms_close(w);
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("GetMetricData"), .args = PARAMS(struct data_args, data_params),
	 .prepare = prepare_data, .answer = answer_data, .doc = "Returns the datapoints of several metrics."},
};
const struct api_actions cloudwatch_data_actions = API_ACTIONS(actions);
