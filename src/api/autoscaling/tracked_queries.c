/* SPDX-License-Identifier: Apache-2.0
 * Metric math of target tracking policies: queries for metrics, and expressions over them, of which one is tracked. Source: Amazon
 * EC2 Auto Scaling API Reference, TargetTrackingMetricDataQuery. */
#include "api/autoscaling/tracked_queries.h"

#include <stdlib.h>

#include "engine/alarm/alarm_queries.h"
#include "engine/alarm/metric_math.h"
#include "reconcile/figures/statistic.h"

enum { PERIOD_S = 60 };

static const struct param dimension_rows[] = {
	PARAM(struct metric_dimension, "Name", name, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Name of the dimension."),
	PARAM(struct metric_dimension, "Value", value, .flags = REQUIRED, .min = 1, .max = 1024,
	      .doc = "Value of the dimension."),
};
const struct params autoscaling_dimension_params = PARAMS(struct metric_dimension, dimension_rows);

static const struct param query_rows[] = {
	PARAM(struct tracked_query, "Id", id, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Id of the query, by which expressions refer to it."),
	PARAM(struct tracked_query, "Expression", expression, .min = 1, .max = MATH_EXPRESSION_MAX,
	      .doc = "Metric math expression over other queries."),
	PARAM(struct tracked_query, "Label", label, .max = 2048, .doc = "Label shown with the query."),
	PARAM(struct tracked_query, "Period", period_s, .min = 10, .max = 86400,
	      .doc = "Period of an expression in seconds; only 60."),
	PARAM(struct tracked_query, "ReturnData", returns,
	      .doc = "true for the query that is tracked; absent: true."),
	PARAM(struct tracked_query, "MetricStat.Metric.Namespace", name_space, .min = 1, .max = 255,
	      .doc = "Namespace of a metric."),
	PARAM(struct tracked_query, "MetricStat.Metric.MetricName", name, .min = 1, .max = 255,
	      .doc = "Name of a metric."),
	PARAM_LIST(struct tracked_query, "MetricStat.Metric.Dimensions.member", dimensions,
		   autoscaling_dimension_params, .max = TRACKED_DIMENSIONS_MAX,
		   .doc = "Dimensions of the metric."),
	PARAM(struct tracked_query, "MetricStat.Stat", stat, .min = 1, .max = 100,
	      .doc = "Statistic of each period."),
	PARAM(struct tracked_query, "MetricStat.Unit", unit, .min = 1, .max = 32,
	      .doc = "Unit; datapoints of other units are ignored."),
	PARAM(struct tracked_query, "MetricStat.Period", stat_period_s, .min = 10, .max = 86400,
	      .doc = "Period of a metric in seconds; only 60."),
};
const struct params autoscaling_query_params = PARAMS(struct tracked_query, query_rows);

/* ---- dimensions ---- */

/* A metric's dimensions are a set. Metrics keep them sorted by name, so a policy does the same and finds its metric by
 * comparing texts. */
static int compare_dimensions(const void *a, const void *b)
{
	return str_compare(((const struct metric_dimension *) a)->name,
			   ((const struct metric_dimension *) b)->name);
}

RESULT autoscaling_take_dimensions(struct autoscaling_call *e, struct metric_dimensions dimensions,
				   struct strs *ret_texts)
{
	struct str *texts = arena_new_array(e->c->arena, struct str, 2 * dimensions.count + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	if (dimensions.count > 1)
		qsort(dimensions.at, dimensions.count, sizeof *dimensions.at, compare_dimensions);
	for (size_t k = 0; k < dimensions.count; k++) {
		texts[2 * k] = dimensions.at[k].name;
		texts[2 * k + 1] = dimensions.at[k].value;
	}
	*ret_texts = (struct strs){texts, 2 * dimensions.count};
	return OK;
}

void autoscaling_write_dimensions(struct xml *x, const struct strs *texts)
{
	xml_open(x, "Dimensions");
	for (size_t k = 0; k + 1 < texts->count; k += 2) {
		xml_open(x, "member");
		xml_text(x, "Name", texts->at[k]);
		xml_text(x, "Value", texts->at[k + 1]);
		xml_close(x, "member");
	}
	xml_close(x, "Dimensions");
}

/* ---- queries ---- */

static RESULT fail(struct autoscaling_call *e, const char *words)
{
	return ctx_fail_field(e->c, ERR_COMBINATION, STR("TargetTrackingConfiguration"), "%s", words);
}

static RESULT take_query(struct autoscaling_call *e, const struct tracked_query *q,
			 struct alarm_query *ret_query)
{
	struct statistic statistic;
	int64_t period_s = q->expression.n ? q->period_s : q->stat_period_s;
	bool has_stat = q->name.n && q->name_space.n && q->stat.n;
	if (has_stat == (q->expression.n > 0))
		return fail(e, "Each metric data query needs either a MetricStat, with Namespace, MetricName "
			       "and Stat, or an Expression.");
	if (has_stat && !statistic_read(q->stat, &statistic))
		return fail(e, "Stat of a metric data query is not a valid statistic.");
	if (period_s && period_s != PERIOD_S)
		return autoscaling_refuse(e, "Period",
					  "only periods of 60 seconds are supported in this region");
	*ret_query = (struct alarm_query){.id = q->id,
					  .label = q->label,
					  .expression = q->expression,
					  .name_space = q->name_space,
					  .name = q->name,
					  .stat = q->stat,
					  .unit = q->unit,
					  .period_s = period_s,
					  .returns = q->returns != CHOICE_NO};
	return autoscaling_take_dimensions(e, q->dimensions, &ret_query->dimensions);
}

/* Evaluates the expressions once without values, so that a later evaluation cannot fail. */
static RESULT check_queries(struct autoscaling_call *e, struct alarm_queries *queries)
{
	static const double nothing[1] = {0};
	const char *fault = alarm_queries_find_fault(queries);
	if (fault)
		return fail(e, fault);
	for (size_t k = 0; k < queries->count; k++)
		if (!queries->at[k].expression.n)
			queries->at[k].at = (double *) nothing;
	struct result result = alarm_queries_evaluate(e->c, queries, 1, PERIOD_S);
	return result.code == ERR_INVALID
		       ? ctx_fail_field(e->c, ERR_COMBINATION, STR("TargetTrackingConfiguration"),
					"An Expression is not valid: %" STR_FMT,
					STR_ARG(str_copy(e->c->arena, e->c->problem.message)))
		       : result;
}

RESULT autoscaling_take_queries(struct autoscaling_call *e, const struct tracked_queries *queries,
				struct str *ret_text)
{
	struct alarm_queries taken = {arena_new_array(e->c->arena, struct alarm_query, queries->count + 1),
				      queries->count};
	if (!taken.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < queries->count; k++)
		TRY(take_query(e, &queries->at[k], &taken.at[k]));
	TRY(check_queries(e, &taken));
	*ret_text = alarm_queries_write(e->c->arena, &taken);
	if (ret_text->n > ALARM_QUERIES_TEXT_MAX)
		return fail(e, "The metric data queries are too long.");
	return ret_text->p ? OK : ctx_no_memory(e->c);
}

static void write_query(struct xml *x, const struct alarm_query *q)
{
	xml_open(x, "member");
	xml_text(x, "Id", q->id);
	if (q->expression.n) {
		xml_text(x, "Expression", q->expression);
		if (q->period_s)
			xml_int(x, "Period", q->period_s);
	} else {
		xml_open(x, "MetricStat");
		xml_open(x, "Metric");
		xml_text(x, "Namespace", q->name_space);
		xml_text(x, "MetricName", q->name);
		autoscaling_write_dimensions(x, &q->dimensions);
		xml_close(x, "Metric");
		xml_text(x, "Stat", q->stat);
		xml_text_opt(x, "Unit", q->unit);
		if (q->period_s)
			xml_int(x, "Period", q->period_s);
		xml_close(x, "MetricStat");
	}
	xml_text_opt(x, "Label", q->label);
	xml_bool(x, "ReturnData", q->returns);
	xml_close(x, "member");
}

RESULT autoscaling_write_queries(struct autoscaling_call *e, struct xml *x, struct str text)
{
	struct alarm_queries queries = {0};
	TRY(alarm_queries_read(e->c, text, &queries));
	xml_open(x, "Metrics");
	for (size_t k = 0; k < queries.count; k++)
		write_query(x, &queries.at[k]);
	xml_close(x, "Metrics");
	return OK;
}
