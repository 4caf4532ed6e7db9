/* SPDX-License-Identifier: Apache-2.0
 * Threshold rules of alarms, to what the engine evaluates. Sources: aodh.api.controllers.v2.alarm_rules.gnocchi; Aodh's
 * documentation, "Telemetry Alarming service". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/openstack/alarming/alarming.h"
#include "base/buf.h"
#include "engine/alarm/gnocchi.h"
#include "reconcile/figures/metrics.h"

enum { RULE_CAP = 65536, DIMENSIONS_MAX = 60, MINUTES_MAX = 55 };

/* ---- parameters ---- */

#define P(wire, member, ...) OS_BODY(struct aodh_rule, wire, member, __VA_ARGS__)
#define COMMON                                                                                               \
	P("granularity", granularity, .min = 1, .max = 3600 * 24 * 365, .absent = "60",                      \
	  .doc = "Seconds that a datapoint covers: 60, 300 or 3600."),                                       \
		P("evaluation_periods", periods, .min = 1, .max = AODH_PERIODS_MAX, .absent = "1",           \
		  .doc = "Newest datapoints that are compared with the threshold."),                         \
		P("comparison_operator", comparison, .words = "lt|le|eq|ne|ge|gt", .absent = "eq",           \
		  .doc = "When a datapoint is outside of the threshold."),                                   \
		OS_BODY_JSON(struct aodh_rule, "threshold", threshold, .doc = "Threshold, a number."),       \
		P("aggregation_method", method, .max = 32,                                                   \
		  .doc = "mean, min, max, sum or count; of counters rate:mean alone.")
#define METRIC P("metric", metric, .max = 255, .doc = "Name of the metric.")
#define TYPE                                                                                                 \
	P("resource_type", type, .max = 64,                                                                  \
	  .doc = "instance, instance_disk, instance_network_interface, volume or generic.")
static const struct param resource_rows[] = {
	COMMON, METRIC, TYPE, P("resource_id", resource, .max = 255, .doc = "Resource of the metric.")};
static const struct param resources_rows[] = {
	COMMON, METRIC, TYPE,
	P("query", query, .max = JSON_SEARCH_MAX, .doc = "Search for the resources, as JSON.")};
static const struct param metrics_rows[] = {
	COMMON, P("metrics", metrics, .max = 64, .doc = "Ids of the metrics, 30 at most.")};
#undef P
const struct params aodh_resource_params = PARAMS(struct aodh_rule, resource_rows);
const struct params aodh_resources_params = PARAMS(struct aodh_rule, resources_rows);
const struct params aodh_metrics_params = PARAMS(struct aodh_rule, metrics_rows);

/* ---- checks ---- */

/* In the words of WSME. */
static RESULT fail_missing(struct os_call *e, const char *name)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(name),
			      "Invalid input for field/attribute %s. Value: 'None'. Mandatory field missing.",
			      name);
}

static RESULT read_threshold(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm)
{
	char *end = NULL, text[40] = {0};
	struct str number = r->threshold;
	if (number.n > 1 && number.p[0] == '"')
		number = str_slice(number, 1, number.n - 1);
	if (!number.n || str_is(number, "null"))
		return fail_missing(e, "threshold");
	if (number.n < sizeof text)
		memcpy(text, number.p, number.n);
	double value = strtod(text, &end);
	if (!text[0] || *end || !isfinite(value))
		return ctx_fail_field(e->c, ERR_INVALID, STR("threshold"),
				      "Invalid input for field/attribute threshold. Value: '%" STR_FMT
				      "'. could not convert string to float: '%" STR_FMT "'",
				      STR_ARG(str_cut(number, 64)), STR_ARG(str_cut(number, 64)));
	alarm->threshold = str_print(e->c->arena, "%.15g", value);
	return OK;
}

/* The region keeps these granularities; Aodh would accept another, and find no datapoint. */
static RESULT read_window(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm)
{
	if (r->granularity != 60 && r->granularity != 300 && r->granularity != 3600)
		return ctx_fail_field(e->c, ERR_INVALID, STR("granularity"),
				      "No datapoint for granularity %lld: the archive policies have 60, 300 "
				      "and 3600.",
				      (long long) r->granularity);
	if (r->granularity == 60 && r->periods > MINUTES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("evaluation_periods"),
				      "Up to %d periods of 60 seconds are evaluated; use a granularity of "
				      "300 or 3600.",
				      MINUTES_MAX);
	alarm->period_s = r->granularity;
	alarm->evaluation_periods = r->periods;
	return OK;
}

static void read_comparison(const struct aodh_rule *r, struct alarm *alarm)
{
	static const struct {
		const char *word;
		enum alarm_comparison comparison;
	} words[] = {{"lt", ALARM_COMPARISON_LESS},
		     {"le", ALARM_COMPARISON_LESS_OR_EQUAL},
		     {"eq", ALARM_COMPARISON_EQUAL},
		     {"ne", ALARM_COMPARISON_NOT_EQUAL},
		     {"ge", ALARM_COMPARISON_GREATER_OR_EQUAL},
		     {"gt", ALARM_COMPARISON_GREATER}};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (str_is(r->comparison, words[k].word))
			alarm->comparison = words[k].comparison;
}

/* True for a counter among Ceilometer's metrics, of which there are rates alone. */
static bool is_counter(struct str metric)
{
	for (size_t k = 0; k < METRICS_OF_CEILOMETER; k++)
		if (str_is(metric, metrics_of_ceilometer[k].figure.name))
			return metrics_of_ceilometer[k].figure.form == FIGURE_RATE;
	return false;
}

static RESULT read_method(struct os_call *e, const struct aodh_rule *r, bool is_of_counter,
			  struct alarm *alarm)
{
	static const char *const methods[][2] = {{"mean", "Average"},
						 {"min", "Minimum"},
						 {"max", "Maximum"},
						 {"sum", "Sum"},
						 {"count", "SampleCount"}};
	bool is_rate = str_is(r->method, "rate:mean");
	if (!r->method.n)
		return fail_missing(e, "aggregation_method");
	if (is_rate != is_of_counter)
		return ctx_fail_field(e->c, ERR_INVALID, STR("aggregation_method"),
				      "aggregation_method should be in %s not %" STR_FMT,
				      is_of_counter ? "['rate:mean']"
						    : "['mean', 'min', 'max', 'sum', 'count']",
				      STR_ARG(r->method));
	alarm->statistic = is_rate ? STR("Average") : STR_NONE;
	for (size_t k = 0; k < sizeof methods / sizeof *methods; k++)
		if (str_is(r->method, methods[k][0]))
			alarm->statistic = str_from(methods[k][1]);
	return alarm->statistic.n ? OK
				  : ctx_fail_field(e->c, ERR_INVALID, STR("aggregation_method"),
						   "aggregation_method should be in ['mean', 'min', 'max', "
						   "'sum', 'count'] not %" STR_FMT,
						   STR_ARG(r->method));
}

static RESULT add_dimension(struct os_call *e, struct alarm *alarm, const char *name, struct str value)
{
	struct str *at = (struct str *) (uintptr_t) alarm->dimensions.at;
	if (!at)
		alarm->dimensions.at = at = arena_new_array(e->c->arena, struct str, DIMENSIONS_MAX);
	if (!at)
		return ctx_no_memory(e->c);
	at[alarm->dimensions.count++] = str_from(name);
	at[alarm->dimensions.count++] = value;
	return OK;
}

/* ---- the rule, shown ---- */

static void write_rule(struct json_writer *j, const struct aodh_rule *r, const struct alarm *alarm)
{
	json_write_int(j, "granularity", r->granularity);
	json_write_text(j, "comparison_operator", r->comparison);
	json_write_raw(j, "threshold", alarm->threshold);
	json_write_text(j, "aggregation_method", r->method);
	json_write_int(j, "evaluation_periods", r->periods);
	if (alarm->form == ALARM_FORM_METRICS) {
		json_write_open_list(j, "metrics");
		for (size_t k = 0; k < r->metrics.count; k++)
			json_write_text(j, NULL, r->metrics.at[k]);
		json_write_close_list(j);
		return;
	}
	json_write_text(j, "metric", r->metric);
	if (alarm->form == ALARM_FORM_RESOURCES)
		json_write_text(j, "query", r->query);
	else
		json_write_text(j, "resource_id", r->resource);
	json_write_text(j, "resource_type", r->type);
}

static RESULT keep_rule(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm)
{
	struct buf out;
	struct json_writer j;
	buf_init(&out, RULE_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	write_rule(&j, r, alarm);
	json_write_close(&j);
	struct result result = json_write_end(&j);
	if (result_is_ok(result))
		alarm->body = str_copy(e->c->arena, buf_str(&out));
	buf_done(&out);
	return result;
}

/* ---- by type ---- */

static RESULT read_type(struct os_call *e, const struct aodh_rule *r, enum gnocchi_type *ret_type)
{
	if (!r->metric.n)
		return fail_missing(e, "metric");
	if (!r->type.n)
		return fail_missing(e, "resource_type");
	return gnocchi_read_type(r->type, ret_type)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("resource_type"),
					"Resource type %" STR_FMT " does not exist", STR_ARG(r->type));
}

static RESULT read_resource(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm)
{
	enum gnocchi_type type;
	TRY(read_type(e, r, &type));
	if (!r->resource.n)
		return fail_missing(e, "resource_id");
	alarm->form = ALARM_FORM_RESOURCE;
	alarm->metric = r->metric;
	TRY(add_dimension(e, alarm, "resource_id", r->resource));
	return read_method(e, r, is_counter(r->metric), alarm);
}

static RESULT read_resources(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm)
{
	enum gnocchi_type type;
	json_t *query = NULL;
	TRY(read_type(e, r, &type));
	if (!r->query.n)
		return fail_missing(e, "query");
	struct gnocchi_search of = {e->c, NULL, type};
	const struct json_search search = gnocchi_search_of(&of);
	TRY(json_search_read(e->c, r->query, &search, &query));
	json_decref(query);
	alarm->form = ALARM_FORM_RESOURCES;
	alarm->metric = r->metric;
	TRY(add_dimension(e, alarm, "query", r->query));
	TRY(add_dimension(e, alarm, "resource_type", r->type));
	return read_method(e, r, is_counter(r->metric), alarm);
}

static RESULT read_metrics(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm)
{
	bool has_rate = false, has_other = false;
	if (!r->metrics.count)
		return fail_missing(e, "metrics");
	if (r->metrics.count > DIMENSIONS_MAX / 2)
		return ctx_fail_field(e->c, ERR_INVALID, STR("metrics"), "A rule names up to %d metrics.",
				      DIMENSIONS_MAX / 2);
	alarm->form = ALARM_FORM_METRICS;
	alarm->metric = STR("metrics");
	for (size_t k = 0; k < r->metrics.count; k++) {
		uuid id;
		size_t index = 0;
		const struct instance *i = NULL;
		if (!result_is_ok(uuid_parse(r->metrics.at[k], &id)))
			return ctx_fail_field(e->c, ERR_INVALID, STR("metrics"),
					      "Metric %" STR_FMT " does not exist",
					      STR_ARG(str_cut(r->metrics.at[k], 64)));
		bool is_rate = gnocchi_find_metric(os_tables(e), e->c->who->account, id,
						   METRICS_OF_CEILOMETER, &i, &index) &&
			       metrics_of_ceilometer[index].figure.form == FIGURE_RATE;
		has_rate |= is_rate;
		has_other |= !is_rate;
		TRY(add_dimension(e, alarm, "metric_id", r->metrics.at[k]));
	}
	if (has_rate && has_other)
		return ctx_fail_field(e->c, ERR_INVALID, STR("metrics"),
				      "Rates of counters cannot be aggregated with other metrics.");
	return read_method(e, r, has_rate, alarm);
}

RESULT os_aodh_read_rule(struct os_call *e, struct str type, const struct aodh_rules *rules,
			 struct alarm *alarm)
{
	static const struct {
		const char *word;
		size_t rule, has;
		RESULT (*read)(struct os_call *e, const struct aodh_rule *r, struct alarm *alarm);
	} types[] = {{"gnocchi_resources_threshold", offsetof(struct aodh_rules, resource),
		      offsetof(struct aodh_rules, has_resource), read_resource},
		     {"gnocchi_aggregation_by_resources_threshold", offsetof(struct aodh_rules, resources),
		      offsetof(struct aodh_rules, has_resources), read_resources},
		     {"gnocchi_aggregation_by_metrics_threshold", offsetof(struct aodh_rules, metrics),
		      offsetof(struct aodh_rules, has_metrics), read_metrics}};
	for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
		const void *at = (const char *) rules + types[k].rule;
		const struct aodh_rule *rule = at;
		if (!str_is(type, types[k].word))
			continue;
		if (!*(const bool *) ((const char *) rules + types[k].has))
			return ctx_fail_field(e->c, ERR_INVALID, STR("type"),
					      "%s_rule must be set for %s type alarm", types[k].word,
					      types[k].word);
		alarm->name_space = STR(METRICS_GNOCCHI);
		TRY(read_window(e, rule, alarm));
		TRY(read_threshold(e, rule, alarm));
		read_comparison(rule, alarm);
		TRY(types[k].read(e, rule, alarm));
		return keep_rule(e, rule, alarm);
	}
	return ctx_fail_field(e->c, ERR_INVALID, STR("type"),
			      "Invalid input for field/attribute type. Value: '%" STR_FMT
			      "'. Value should be one of: composite, "
			      "gnocchi_aggregation_by_metrics_threshold, "
			      "gnocchi_aggregation_by_resources_threshold, gnocchi_resources_threshold",
			      STR_ARG(str_cut(type, 64)));
}

const char *os_aodh_type_word(const struct alarm *alarm)
{
	static const char *const words[] = {
		[ALARM_FORM_UNSET] = "",
		[ALARM_FORM_RESOURCE] = "gnocchi_resources_threshold",
		[ALARM_FORM_RESOURCES] = "gnocchi_aggregation_by_resources_threshold",
		[ALARM_FORM_METRICS] = "gnocchi_aggregation_by_metrics_threshold",
		[ALARM_FORM_COMPOSITE] = "composite",
	};
	return words[alarm->form];
}
