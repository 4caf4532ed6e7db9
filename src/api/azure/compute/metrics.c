/* SPDX-License-Identifier: Apache-2.0
 * Metrics of virtual machines, made of the same figures as CloudWatch's. Source: Azure Monitor REST API reference, "Metrics - List" and
 * "Metric Definitions - List", 2018-01-01 and 2023-10-01; "Supported metrics for Microsoft.Compute/virtualMachines". */
#include <inttypes.h>
#include <stdio.h>

#include "api/azure/core/action.h"

#include "base/clock.h"
#include "model/id.h"
#include "reconcile/figures/metrics.h"
#include "store/instance.h"

#define NAMESPACE "Microsoft.Compute/virtualMachines"
#define DAY (24 * HOUR)
enum { POINTS_MAX = 1440, NAMES_MAX = 20 };

static const struct azure_metric {
	const char *name, *unit, *primary, *says;
	const char *metric; /* CloudWatch's */
} metrics[] = {
	{"Percentage CPU", "Percent", "Average",
	 "The percentage of allocated compute units that are currently in use by the Virtual Machine(s)",
	 "CPUUtilization"},
	{"Network In Total", "Bytes", "Total",
	 "The number of bytes received on all network interfaces by the Virtual Machine(s) (Incoming "
	 "Traffic)",
	 "NetworkIn"},
	{"Network Out Total", "Bytes", "Total",
	 "The number of bytes out on all network interfaces by the Virtual Machine(s) (Outgoing Traffic)",
	 "NetworkOut"},
	{"Disk Read Bytes", "Bytes", "Total", "Bytes read from disk during monitoring period",
	 "EBSReadBytes"},
	{"Disk Write Bytes", "Bytes", "Total", "Bytes written to disk during monitoring period",
	 "EBSWriteBytes"},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

static const struct {
	const char *name, *member, *statistic;
} aggregations[] = {{"Average", "average", "Average"},
		    {"Minimum", "minimum", "Minimum"},
		    {"Maximum", "maximum", "Maximum"},
		    {"Total", "total", "Sum"},
		    {"Count", "count", "SampleCount"}};
enum { AGGREGATIONS = sizeof aggregations / sizeof *aggregations };

static const struct {
	const char *word;
	int64_t us, kept_us;
} grains[] = {{"PT1M", MINUTE, METRICS_MINUTES_US},          {"PT5M", 5 * MINUTE, FIGURES_SHORT_KEPT_US},
	      {"PT15M", 15 * MINUTE, FIGURES_SHORT_KEPT_US}, {"PT30M", 30 * MINUTE, FIGURES_SHORT_KEPT_US},
	      {"PT1H", HOUR, FIGURES_LONG_KEPT_US},          {"PT6H", 6 * HOUR, FIGURES_LONG_KEPT_US},
	      {"PT12H", 12 * HOUR, FIGURES_LONG_KEPT_US},    {"P1D", DAY, FIGURES_LONG_KEPT_US}};
enum { GRAINS = sizeof grains / sizeof *grains };

/* ---- definitions ---- */

static void write_name(struct json_writer *w, const struct azure_metric *m)
{
	json_write_open(w, "name");
	json_write_z(w, "value", m->name);
	json_write_z(w, "localizedValue", m->name);
	json_write_close(w);
}

static struct str machine_id(struct az_call *e)
{
	return az_id_of(e, AZ_MACHINES, KIND_INSTANCE, e->target);
}

static void write_definition(struct az_call *e, struct json_writer *w, const struct azure_metric *m)
{
	struct str id = machine_id(e);
	json_write_open(w, NULL);
	json_write_text(w, "id",
			str_print(e->c->arena,
				  "%" STR_FMT "/providers/microsoft.insights/metricDefinitions/%s",
				  STR_ARG(id), m->name));
	json_write_text(w, "resourceId", id);
	json_write_z(w, "namespace", NAMESPACE);
	json_write_z(w, "category", "");
	write_name(w, m);
	json_write_z(w, "displayDescription", m->says);
	json_write_bool(w, "isDimensionRequired", false);
	json_write_z(w, "unit", m->unit);
	json_write_z(w, "primaryAggregationType", m->primary);
	json_write_open_list(w, "supportedAggregationTypes");
	for (size_t k = 0; k < AGGREGATIONS; k++)
		json_write_z(w, NULL, aggregations[k].name);
	json_write_close_list(w);
	json_write_open_list(w, "metricAvailabilities");
	for (size_t k = 0; k < GRAINS; k++) {
		char span[16];
		int64_t days = grains[k].kept_us / DAY;
		(void) snprintf(span, sizeof span, days ? "P%" PRId64 "D" : "PT1H", days);
		json_write_open(w, NULL);
		json_write_z(w, "timeGrain", grains[k].word);
		json_write_z(w, "retention", span);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT list_definitions(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "value");
	for (size_t k = 0; k < METRICS; k++)
		write_definition(e, w, &metrics[k]);
	json_write_close_list(w);
	return OK;
}

static RESULT list_namespaces(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "value");
	json_write_open(w, NULL);
	json_write_text(w, "id",
			str_print(e->c->arena,
				  "%" STR_FMT "/providers/microsoft.insights/metricNamespaces/" NAMESPACE,
				  STR_ARG(machine_id(e))));
	json_write_z(w, "name", "virtualMachines");
	json_write_z(w, "type", "Microsoft.Insights/metricNamespaces");
	json_write_z(w, "classification", "Platform");
	json_write_open(w, "properties");
	json_write_z(w, "metricNamespaceName", NAMESPACE);
	json_write_close(w);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

/* ---- the question ---- */

struct question {
	int64_t from_us, before_us;
	size_t grain;
	bool asks[AGGREGATIONS]; /* none: the metric's primary one */
	bool has_aggregation;
	const struct azure_metric *at[NAMES_MAX];
	size_t count;
};

/* az encodes timespan and metricnames twice. */
static struct str ask(struct az_call *e, const char *name)
{
	struct str text = az_query_value(e, name), plain = STR_NONE;
	bool is_encoded = str_find_char(text, '%', 0) < text.n;
	return is_encoded && result_is_ok(str_decode_url(e->c->arena, text, &plain)) ? plain : text;
}

/* A time without a zone is UTC. */
static bool read_time(struct az_call *e, struct str text, int64_t *ret_us)
{
	return result_is_ok(clock_parse(text, ret_us)) ||
	       result_is_ok(clock_parse(str_print(e->c->arena, "%" STR_FMT "Z", STR_ARG(text)), ret_us));
}

/* "2026-11-28T19:00:00Z/2026-11-28T20:00:00Z"; the last hour without. */
static RESULT read_span(struct az_call *e, struct question *q)
{
	struct str text = ask(e, "timespan"), rest = text, start = STR_NONE;
	q->before_us = clock_now_us();
	q->from_us = q->before_us - HOUR;
	if (!text.n)
		return OK;
	bool is_read = str_split_next(&rest, '/', &start) && read_time(e, start, &q->from_us) &&
		       read_time(e, rest, &q->before_us) && q->from_us < q->before_us;
	return is_read ? OK
		       : az_fail(e, "timespan", "Detected invalid time span input: %" STR_FMT,
				 STR_ARG(str_slice(text, 0, 128)));
}

static RESULT read_grain(struct az_call *e, struct question *q)
{
	struct str text = az_query_value(e, "interval");
	for (q->grain = 0; text.n && q->grain < GRAINS; q->grain++)
		if (str_equal_nocase(text, str_from(grains[q->grain].word)))
			break;
	if (q->grain == GRAINS)
		return az_fail(e, "interval",
			       "Detected invalid time grain input: %" STR_FMT
			       ", supported ones are: PT1M,PT5M,PT15M,PT30M,PT1H,PT6H,PT12H,P1D",
			       STR_ARG(str_slice(text, 0, 32)));
	return (q->before_us - q->from_us) / grains[q->grain].us <= POINTS_MAX
		       ? OK
		       : az_fail(e, "timespan",
				 "An answer has up to %d datapoints of a metric: choose a longer "
				 "interval.",
				 POINTS_MAX);
}

static RESULT read_aggregations(struct az_call *e, struct question *q)
{
	struct str rest = az_query_value(e, "aggregation"), word;
	while (str_split_next(&rest, ',', &word)) {
		size_t k = 0;
		word = str_trim(word);
		while (k < AGGREGATIONS && !str_equal_nocase(word, str_from(aggregations[k].name)))
			k++;
		if (k == AGGREGATIONS)
			return az_fail(e, "aggregation", "Aggregation type: %" STR_FMT " is not valid.",
				       STR_ARG(str_slice(word, 0, 32)));
		q->asks[k] = q->has_aggregation = true;
	}
	return OK;
}

static RESULT read_names(struct az_call *e, struct question *q)
{
	struct str rest = ask(e, "metricnames"), word;
	if (!rest.n)
		q->at[q->count++] = &metrics[0];
	while (str_split_next(&rest, ',', &word) && q->count < NAMES_MAX) {
		size_t k = 0;
		word = str_trim(word);
		while (k < METRICS && !str_equal_nocase(word, str_from(metrics[k].name)))
			k++;
		if (k == METRICS)
			return az_fail(
				e, "metricnames",
				"Failed to find metric configuration for provider: Microsoft.Compute, "
				"resource Type: virtualMachines, metric: %" STR_FMT
				", Valid metrics: Percentage CPU,Network In Total,Network Out Total,Disk "
				"Read Bytes,Disk Write Bytes",
				STR_ARG(str_slice(word, 0, 64)));
		q->at[q->count++] = &metrics[k];
	}
	struct str space = az_query_value(e, "metricnamespace");
	return !space.n || str_equal_nocase(space, STR(NAMESPACE))
		       ? OK
		       : az_fail(e, "metricnamespace", "Metric namespace %" STR_FMT " is not valid.",
				 STR_ARG(str_slice(space, 0, 64)));
}

static RESULT read_question(struct az_call *e, struct question *q)
{
	if (az_query_value(e, "$filter").n)
		return az_fail(e, "$filter", "The metrics of virtual machines have no dimensions to filter.");
	TRY(read_span(e, q));
	TRY(read_grain(e, q));
	TRY(read_aggregations(e, q));
	return read_names(e, q);
}

/* ---- the answer ---- */

static RESULT read_points(struct az_call *e, const struct question *q, const struct metric_source *source,
			  struct metric_points *points)
{
	struct reconciler *r = e->config->reconciler;
	int64_t step_us = grains[q->grain].us, now_us = clock_now_us();
	int64_t oldest_us = now_us - grains[q->grain].kept_us;
	int64_t from_us = q->from_us > oldest_us ? q->from_us : oldest_us;
	const struct metric_range range = {.from_us = from_us / step_us * step_us,
					   .before_us = q->before_us,
					   .period_us = step_us,
					   .step_us = step_us == MINUTE ? 0
						      : step_us % FIGURES_LONG_US == 0 &&
								      from_us < now_us - FIGURES_SHORT_KEPT_US
							      ? FIGURES_LONG_US
							      : FIGURES_SHORT_US};
	return r && range.from_us < range.before_us ? reconciler_read_metric(r, e->c, source, &range, points)
						    : OK;
}

static void write_points(struct az_call *e, struct json_writer *w, const struct question *q,
			 const struct azure_metric *m, const struct metric_points *points)
{
	char at[CLOCK_TEXT_SIZE];
	(void) e;
	json_write_open_list(w, "data");
	for (size_t k = 0; k < points->count; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "timeStamp", clock_write_s(points->at[k].at_us, at));
		for (size_t n = 0; n < AGGREGATIONS; n++)
			if (q->has_aggregation ? q->asks[n] : !strcmp(aggregations[n].name, m->primary))
				json_write_real(
					w, aggregations[n].member,
					metric_value(&points->at[k], str_from(aggregations[n].statistic)));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT write_metric(struct az_call *e, struct json_writer *w, const struct question *q,
			   const struct azure_metric *m, struct str id, const struct metric_source *source)
{
	struct metric_points points = {0};
	TRY(read_points(e, q, source, &points));
	json_write_open(w, NULL);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/providers/Microsoft.Insights/metrics/%s",
				  STR_ARG(id), m->name));
	json_write_z(w, "type", "Microsoft.Insights/metrics");
	write_name(w, m);
	json_write_z(w, "displayDescription", m->says);
	json_write_z(w, "unit", m->unit);
	json_write_open_list(w, "timeseries");
	json_write_open(w, NULL);
	json_write_open_list(w, "metadatavalues");
	json_write_close_list(w);
	write_points(e, w, q, m, &points);
	json_write_close(w);
	json_write_close_list(w);
	json_write_z(w, "errorCode", "Success");
	json_write_close(w);
	return OK;
}

static RESULT find_source(struct az_call *e, const struct azure_metric *m, struct metric_source *source)
{
	const struct instance *i = instance_find(az_tables(e), e->target);
	const struct str dimensions[] = {STR("InstanceId"), id_to_ec2(e->c->arena, KIND_INSTANCE, e->target)};
	return metric_find_source(e->c, az_tables(e), i ? i->account : UUID_NONE, STR(METRICS_EC2),
				  str_from(m->metric), &(struct strs){dimensions, 2}, STR_NONE, source);
}

static RESULT list_metrics(struct az_call *e, const void *args, struct json_writer *w)
{
	struct metric_source sources[NAMES_MAX];
	struct question q = {0};
	struct str id = machine_id(e);
	char from[CLOCK_TEXT_SIZE], before[CLOCK_TEXT_SIZE];
	(void) args;
	TRY(read_question(e, &q));
	for (size_t k = 0; k < q.count; k++)
		TRY(find_source(e, q.at[k], &sources[k]));
	az_release_tables(e);
	json_write_int(w, "cost", 0);
	json_write_text(w, "timespan",
			str_print(e->c->arena, "%s/%s", clock_write_s(q.from_us, from),
				  clock_write_s(q.before_us, before)));
	json_write_z(w, "interval", grains[q.grain].word);
	json_write_open_list(w, "value");
	for (size_t k = 0; k < q.count; k++)
		TRY(write_metric(e, w, &q, q.at[k], id, &sources[k]));
	json_write_close_list(w);
	json_write_z(w, "namespace", NAMESPACE);
	json_write_text(w, "resourceregion", e->config->region);
	return OK;
}

#define MACHINE AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}/providers/Microsoft.Insights/"
#define READS(what, word, shown, words, ...)                                                                 \
	{                                                                                                    \
		HTTP_GET, MACHINE what, .name = (word), .permit = "cloudwatch:GetMetricData",                \
					.type = AZ_METRICS, .names_type = AZ_MACHINES,                       \
					.kind = KIND_INSTANCE, .names = "vmName", .answer = (shown),         \
					.doc = (words), __VA_ARGS__                                          \
	}
static const struct az_action actions[] = {
	READS("metricDefinitions", "MetricDefinitions_List", list_definitions,
	      "Lists the metrics that a virtual machine has.", .query = "metricnamespace"),
	READS("metricNamespaces", "MetricNamespaces_List", list_namespaces,
	      "Lists the namespaces of a virtual machine's metrics.", .query = "startTime"),
	READS("metrics", "Metrics_List", list_metrics, "Lists datapoints of a virtual machine's metrics.",
	      .flags = API_CHANGES_BY_TIME,
	      /* top counts series of a filter, and az always sends it. */
	      .query = "timespan|interval|metricnames|aggregation|metricnamespace|$filter|top|resultType="
		       "Data"),
};
const struct api_actions az_machine_metric_actions = API_ACTIONS(actions);
