/* SPDX-License-Identifier: Apache-2.0
 * PutMetricData: datapoints of metrics of the account's own. Source: Amazon CloudWatch API Reference. */
#include <math.h>
#include <stdio.h>

#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "base/clock.h"
#include "reconcile/reconcile.h"

enum { DATA_MAX = 1000, VALUES_MAX = 150 };

struct statistics {
	struct str samples, sum, least, most;
};
static const struct param statistics_params[] = {
	PARAM(struct statistics, "SampleCount", samples, .flags = REQUIRED, .min = 1, .max = 40,
	      .doc = "Number of samples."),
	PARAM(struct statistics, "Sum", sum, .flags = REQUIRED, .min = 1, .max = 40,
	      .doc = "Sum of the samples."),
	PARAM(struct statistics, "Minimum", least, .flags = REQUIRED, .min = 1, .max = 40,
	      .doc = "Smallest sample."),
	PARAM(struct statistics, "Maximum", most, .flags = REQUIRED, .min = 1, .max = 40,
	      .doc = "Largest sample."),
};
static const struct params statistics_table = PARAMS(struct statistics, statistics_params);

struct datum {
	struct str name, at, value, unit;
	struct cloudwatch_dimensions dimensions;
	struct strs values, counts;
	struct statistics statistics;
};
static const struct param datum_params[] = {
	CLOUDWATCH_METRIC_PARAM(struct datum, .flags = REQUIRED, ),
	CLOUDWATCH_DIMENSIONS_PARAM(struct datum, CLOUDWATCH_DIMENSIONS_MAX),
	PARAM(struct datum, "Timestamp", at, .min = 1, .max = 64,
	      .doc = "Time, at most three days ago or two hours ahead; absent: now."),
	PARAM(struct datum, "Value", value, .min = 1, .max = 40, .doc = "One value."),
	PARAM(struct datum, "Values.member", values, .min = 1, .max = 40, .doc = "Up to 150 values."),
	PARAM(struct datum, "Counts.member", counts, .min = 1, .max = 40,
	      .doc = "Number of occurrences of each value; absent: one."),
	PARAM_OBJECT(struct datum, "StatisticValues", statistics, statistics_table,
		     .doc = "Statistics of several samples, instead of values."),
	PARAM(struct datum, "Unit", unit, .words = CLOUDWATCH_UNITS, .absent = "None", .doc = "Unit."),
	NOT_BUILT("StorageResolution", .only = "60", .doc = "Resolution in seconds; only 60."),
};
static const struct params datum_table = PARAMS(struct datum, datum_params);

struct put_args {
	struct metrics_wish wish;
	struct str name_space;
	struct {
		struct datum *at;
		size_t count;
	} data;
	struct metric_added *points; /* made, one of each datum */
};
static const struct param put_params[] = {
	CLOUDWATCH_NAMESPACE_PARAM(struct put_args, .flags = REQUIRED, ),
	PARAM_LIST(struct put_args, "MetricData.member", data, datum_table, .flags = REQUIRED,
		   .max = DATA_MAX, .doc = "Datapoints."),
	NOT_BUILT("EntityMetricData.member|StrictEntityValidation", .doc = "Entities."),
};

static RESULT fail_datum(struct cloudwatch_call *e, size_t k, const char *name, const char *words)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("MetricData"),
			      "The parameter MetricData.member.%zu.%s %s", k + 1, name, words);
}

static RESULT read_at(struct cloudwatch_call *e, const struct datum *d, size_t k, int64_t *ret_us)
{
	int64_t now_us = clock_now_us();
	*ret_us = now_us;
	if (d->at.n && !result_is_ok(clock_parse(d->at, ret_us)))
		return fail_datum(e, k, "Timestamp", "must be in ISO 8601 format.");
	if (*ret_us < now_us - METRICS_KEPT_US)
		return fail_datum(e, k, "Timestamp",
				  "must specify a time no more than three days in the past.");
	if (*ret_us > now_us + METRICS_AHEAD_US)
		return fail_datum(e, k, "Timestamp",
				  "must specify a time no more than two hours in the future.");
	return OK;
}

/* CloudWatch's range, -2^360 to 2^360: sums of such values stay finite. */
static RESULT read_part(struct cloudwatch_call *e, size_t k, const char *name, struct str text,
			double *ret_value)
{
	char field[64];
	(void) snprintf(field, sizeof field, "MetricData.member.%zu.%s", k + 1, name);
	TRY(cloudwatch_read_number(e, text, field, ret_value));
	return fabs(*ret_value) <= ldexp(1, 360)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("MetricData"),
					"The value %" STR_FMT " for parameter %s is invalid.",
					STR_ARG(str_cut(text, 64)), field);
}

/* An average that is finite stays so when points are merged. */
static bool is_sound(const struct metric_point *p)
{
	return p->samples > 0 && isfinite(p->sum / p->samples);
}

static RESULT read_statistics(struct cloudwatch_call *e, const struct statistics *s, size_t k,
			      struct metric_point *p)
{
	TRY(read_part(e, k, "StatisticValues.SampleCount", s->samples, &p->samples));
	TRY(read_part(e, k, "StatisticValues.Sum", s->sum, &p->sum));
	TRY(read_part(e, k, "StatisticValues.Minimum", s->least, &p->least));
	TRY(read_part(e, k, "StatisticValues.Maximum", s->most, &p->most));
	return is_sound(p) && p->least <= p->most
		       ? OK
		       : fail_datum(e, k, "StatisticValues",
				    "must have a SampleCount, and a Minimum up to its Maximum.");
}

static RESULT read_values(struct cloudwatch_call *e, const struct datum *d, size_t k, struct metric_point *p)
{
	if (d->counts.count && d->counts.count != d->values.count)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("MetricData"),
			"The parameters MetricData.member.%zu.Values and MetricData.member.%zu.Counts "
			"must be of the same size.",
			k + 1, k + 1);
	if (d->values.count > VALUES_MAX)
		return fail_datum(e, k, "Values", "must have up to 150 values.");
	struct metric_sample *samples =
		arena_new_array(e->c->arena, struct metric_sample, d->values.count + 1);
	if (!samples)
		return ctx_no_memory(e->c);
	for (size_t n = 0; n < d->values.count; n++) {
		double value = 0, count = 1;
		TRY(read_part(e, k, "Values", d->values.at[n], &value));
		if (d->counts.count)
			TRY(read_part(e, k, "Counts", d->counts.at[n], &count));
		if (count < 0)
			return fail_datum(e, k, "Counts", "must not be negative.");
		p->least = n && p->least < value ? p->least : value;
		p->most = n && p->most > value ? p->most : value;
		p->samples += count;
		p->sum += count * value;
		samples[n] = (struct metric_sample){value, count};
	}
	p->values = samples;
	p->value_count = d->values.count;
	return is_sound(p) ? OK : fail_datum(e, k, "Counts", "must not all be 0.");
}

/* A datum has one of three forms. */
static RESULT check_forms(struct cloudwatch_call *e, const struct datum *d, size_t k, bool has_statistics)
{
	static const char *const names[] = {"Value", "Values", "StatisticValues"};
	const bool has[] = {d->value.n > 0, d->values.count > 0, has_statistics};
	size_t first = 0, other;
	while (first < 3 && !has[first])
		first++;
	for (other = first + 1; other < 3 && !has[other];)
		other++;
	if (first == 3)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("MetricData"),
				      "At least one of the parameters must be specified.");
	if (other == 3)
		return OK;
	return ctx_fail_field(
		e->c, ERR_COMBINATION, STR("MetricData"),
		"The parameters MetricData.member.%zu.%s and MetricData.member.%zu.%s are mutually "
		"exclusive and you have specified both.",
		k + 1, names[first], k + 1, names[other]);
}

static RESULT read_datum(struct cloudwatch_call *e, const struct datum *d, size_t k, struct metric_point *p)
{
	bool has_statistics = d->statistics.samples.n > 0;
	TRY(check_forms(e, d, k, has_statistics));
	TRY(read_at(e, d, k, &p->at_us));
	if (has_statistics)
		return read_statistics(e, &d->statistics, k, p);
	if (d->values.count)
		return read_values(e, d, k, p);
	TRY(read_part(e, k, "Value", d->value, &p->sum));
	p->samples = 1;
	p->least = p->most = p->sum;
	return OK;
}

static RESULT prepare_put(struct cloudwatch_call *e, void *args)
{
	struct put_args *a = args;
	a->wish.count = a->data.count;
	a->wish.at = arena_new_array(e->c->arena, struct metric_name, a->data.count + 1);
	a->points = arena_new_array(e->c->arena, struct metric_added, a->data.count + 1);
	if (!a->wish.at || !a->points)
		return ctx_no_memory(e->c);
	if (str_starts_with(a->name_space, STR("AWS/")))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Namespace"),
				      "The value AWS/ for parameter Namespace is invalid.");
	for (size_t k = 0; k < a->data.count; k++) {
		const struct datum *d = &a->data.at[k];
		a->wish.at[k] =
			(struct metric_name){.name_space = a->name_space, .name = d->name, .unit = d->unit};
		TRY(cloudwatch_read_dimensions(e, &d->dimensions, &a->wish.at[k].dimensions));
		TRY(read_datum(e, d, k, &a->points[k].point));
	}
	return OK;
}

static RESULT answer_put(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct put_args *a = args;
	(void) w;
	for (size_t k = 0; k < a->data.count; k++)
		a->points[k].metric = a->wish.at[k].metric;
	cloudwatch_release_tables(e);
	return e->config->reconciler
		       ? reconciler_add_metric_points(e->config->reconciler, e->c, e->c->who->account,
						      a->points, a->data.count)
		       : OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("PutMetricData"), .flags = API_WRITES, .args = PARAMS(struct put_args, put_params),
	 .prepare = prepare_put, .operation = engine_put_metrics_run, .answer = answer_put,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Publishes datapoints of custom metrics."},
};
const struct api_actions cloudwatch_put_actions = API_ACTIONS(actions);
