/* SPDX-License-Identifier: Apache-2.0
 * Reads metrics of machines from Azure Monitor: one request for each machine. Source: REST reference of Microsoft.Insights
 * 2018-01-01, Metrics - List; "Supported metrics for Microsoft.Compute/virtualMachines". */
#include "drivers/remote/azure/metrics.h"

#include <string.h>

#include "base/clock.h"
#include "drivers/remote/azure/request.h"
#include "drivers/remote/metric_points.h"

#define NAMES                                                                                                \
	"Percentage%20CPU,Network%20In%20Total,Network%20Out%20Total,Disk%20Read%20Bytes,Disk%20Write%"      \
	"20Bytes"
#define WITH_MEMORY NAMES ",Available%20Memory%20Bytes"
enum { DATA_MAX = 1000 };

/* The processors' share and the free memory are averages, the rest are sums of bytes. */
static const struct {
	const char *name, *aggregation;
	size_t offset;
} metrics[] = {
	{"Percentage CPU", "average", offsetof(struct remote_metric_point, cpu_percent)},
	{"Network In Total", "total", offsetof(struct remote_metric_point, received)},
	{"Network Out Total", "total", offsetof(struct remote_metric_point, sent)},
	{"Disk Read Bytes", "total", offsetof(struct remote_metric_point, read)},
	{"Disk Write Bytes", "total", offsetof(struct remote_metric_point, written)},
	{"Available Memory Bytes", "average", offsetof(struct remote_metric_point, memory)},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

/* ---- the answer ---- */

/* Azure leaves the value out for intervals in which the machine was off. */
static void read_data(struct ctx *c, const json_t *data, size_t metric,
		      const struct remote_metrics_query *query, struct remote_metric_point *points)
{
	for (size_t k = 0; k < json_array_size(data) && k < DATA_MAX; k++) {
		const json_t *each = json_array_get(data, k);
		int64_t at_us = 0;
		double value = 0;
		if (!result_is_ok(clock_parse(remote_json_text(c, each, "timeStamp"), &at_us)) ||
		    !remote_metric_number(json_object_get(each, metrics[metric].aggregation), &value))
			continue;
		struct remote_metric_point *p = remote_metric_at(points, query, 0, at_us);
		if (!p)
			continue;
		p->is_there |= metric == 0; /* without the processors' there is no point */
		*remote_metric_member(p, metrics[metric].offset) = value;
	}
}

RESULT azure_read_points(struct ctx *c, const json_t *root, const struct remote_metrics_query *query,
			 struct remote_metric_point *points)
{
	const json_t *list = json_object_get(root, "value");
	memset(points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *points);
	if (!json_is_array(list))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of metrics.");
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *each = json_array_get(list, k);
		struct str name = remote_json_text(c, each, "name/value");
		for (size_t m = 0; m < METRICS; m++)
			if (str_equal_nocase(name, str_from(metrics[m].name)))
				read_data(c, remote_json_at(each, "timeseries/0/data"), m, query, points);
	}
	return OK;
}

/* ---- the request ---- */

static RESULT ask(struct ctx *c, struct remote *r, const struct remote_metrics_query *query, struct str path,
		  const char *names, struct remote_json *ret_answer)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	int64_t end_us = query->from_us + REMOTE_METRIC_POINTS * REMOTE_METRIC_STEP_US;
	path = str_print(c->arena,
			 "%" STR_FMT "/providers/Microsoft.Insights/metrics?api-version=2018-01-01"
			 "&metricnames=%s&timespan=%s/%s&interval=PT5M&aggregation=average,total",
			 STR_ARG(path), names, clock_write_s(query->from_us, from),
			 clock_write_s(end_us, to));
	return azure_ask(c, r, "GET", azure_url_of(c, r, path), STR_NONE, ret_answer);
}

/* Clouds with Azure's API may not know the metric of memory, and refuse all of them for it. */
RESULT azure_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			  struct remote_metric_point *ret_points)
{
	AUTO_ANSWER answer = {0};
	struct str path = azure_path_of_ref(c, query->refs[0], r->project);
	memset(ret_points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *ret_points);
	if (!path.n)
		return OK;
	struct result result = ask(c, r, query, path, WITH_MEMORY, &answer);
	if (result.code == ERR_INVALID) {
		ctx_clear_problem(c);
		remote_json_release(&answer);
		result = ask(c, r, query, path, NAMES, &answer);
	}
	if (result.code == ERR_NOT_FOUND) { /* deleted since the last listing */
		ctx_clear_problem(c);
		return OK;
	}
	TRY(result);
	TRY(azure_read_points(c, answer.root, query, ret_points));
	remote_metric_convert_memory(ret_points, query, false);
	return OK;
}
