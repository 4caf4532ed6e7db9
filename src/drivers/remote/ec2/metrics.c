/* SPDX-License-Identifier: Apache-2.0
 * Reads metrics of machines by CloudWatch's GetMetricData: one call for several machines. Source: Amazon CloudWatch API
 * Reference, GetMetricData; Amazon EC2 User Guide, "CloudWatch metrics that are available for your instances". */
#include "drivers/remote/ec2/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/remote/ec2/request.h"
#include "drivers/remote/metric_points.h"
#include "drivers/remote/xml_walk.h"

#define CLOUDWATCH_VERSION "2010-08-01"
#define RESULTS "GetMetricDataResult/MetricDataResults/member"
enum { NUMBER_MAX = 40, ID_MAX = 16 };

/* The share of memory is what CloudWatch's agent in the guest sends, if it sums up by InstanceId alone. */
static const struct {
	const char *space, *name, *statistic;
	size_t offset;
} metrics[] = {
	{"AWS%2FEC2", "CPUUtilization", "Average", offsetof(struct remote_metric_point, cpu_percent)},
	{"AWS%2FEC2", "NetworkIn", "Sum", offsetof(struct remote_metric_point, received)},
	{"AWS%2FEC2", "NetworkOut", "Sum", offsetof(struct remote_metric_point, sent)},
	{"AWS%2FEC2", "EBSReadBytes", "Sum", offsetof(struct remote_metric_point, read)},
	{"AWS%2FEC2", "EBSWriteBytes", "Sum", offsetof(struct remote_metric_point, written)},
	{"CWAgent", "mem_used_percent", "Average", offsetof(struct remote_metric_point, memory)},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

/* ---- the request ---- */

static void add_query(struct ec2_form *f, size_t n, size_t machine, size_t metric, struct str ref)
{
	static const char form[] = "MetricDataQueries.member";
	const struct str id = str_print(f->c->arena, "m%zu_%zu", machine, metric);
	ec2_form_add_nth(f, form, n, ".Id", id);
	ec2_form_add_nth(f, form, n, ".MetricStat.Period", STR("300"));
	ec2_form_add_nth(f, form, n, ".MetricStat.Stat", str_from(metrics[metric].statistic));
	buf_print(&f->text, "&%s.%zu.MetricStat.Metric.Namespace=%s", form, n, metrics[metric].space);
	buf_print(&f->text, "&%s.%zu.MetricStat.Metric.MetricName=%s", form, n, metrics[metric].name);
	buf_print(&f->text, "&%s.%zu.MetricStat.Metric.Dimensions.member.1.Name=InstanceId", form, n);
	buf_print(&f->text, "&%s.%zu.MetricStat.Metric.Dimensions.member.1.Value=", form, n);
	buf_add_str(&f->text, str_encode_url(f->c->arena, ref, false));
}

/* ---- the answer ---- */

struct reading {
	struct ctx *c;
	const struct remote_metrics_query *query;
	struct remote_metric_point *points;
	char id[ID_MAX];
	int64_t times[REMOTE_METRIC_POINTS];
	double values[REMOTE_METRIC_POINTS];
	size_t time_count, value_count;
};

static RESULT enter(void *self, struct str path)
{
	struct reading *r = self;
	if (str_is(path, RESULTS)) {
		r->id[0] = '\0';
		r->time_count = r->value_count = 0;
	}
	return OK;
}

/* False: no finite number, or a negative one. */
static bool read_value(struct str text, double *ret_value)
{
	char copy[NUMBER_MAX + 1];
	char *end = NULL;
	if (!text.n || text.n > NUMBER_MAX)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*ret_value = strtod(copy, &end);
	return !*end && isfinite(*ret_value) && *ret_value >= 0 && *ret_value < 1e15;
}

/* A series belongs to the machine and metric that its id names. Unknown ids and points outside of the query are ignored. */
static void put_series(struct reading *r)
{
	int64_t machine = 0, metric = 0;
	struct str rest = str_from(r->id), first = STR_NONE;
	if (!str_split_next(&rest, '_', &first) || !str_starts_with(first, STR("m")) ||
	    !result_is_ok(str_parse_int(str_slice(first, 1, first.n), &machine)) ||
	    !result_is_ok(str_parse_int(rest, &metric)) || machine < 0 ||
	    machine >= (int64_t) r->query->count || metric < 0 || metric >= METRICS)
		return;
	for (size_t k = 0; k < r->time_count && k < r->value_count; k++) {
		struct remote_metric_point *p =
			remote_metric_at(r->points, r->query, (size_t) machine, r->times[k]);
		if (!p)
			continue;
		p->is_there |= metrics[metric].offset != offsetof(struct remote_metric_point, memory);
		*remote_metric_member(p, metrics[metric].offset) = r->values[k];
	}
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	if (str_is(path, RESULTS "/Id"))
		(void) snprintf(r->id, sizeof r->id, "%" STR_FMT, STR_ARG(str_cut(text, ID_MAX)));
	else if (str_is(path, RESULTS "/Timestamps/member") && r->time_count < REMOTE_METRIC_POINTS) {
		if (!result_is_ok(clock_parse(text, &r->times[r->time_count++])))
			return remote_fail_answer(r->c, "a time cannot be read");
	} else if (str_is(path, RESULTS "/Values/member") && r->value_count < REMOTE_METRIC_POINTS) {
		if (!read_value(text, &r->values[r->value_count++]))
			return remote_fail_answer(r->c, "a value is no number");
	} else if (str_is(path, RESULTS))
		put_series(r);
	return OK;
}

RESULT ec2_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			struct remote_metric_point *ret_points)
{
	struct ec2_form f;
	char text[CLOCK_TEXT_SIZE];
	struct reading *reading = arena_new_object(c->arena, struct reading);
	if (!reading)
		return ctx_no_memory(c);
	*reading = (struct reading){.c = c, .query = query, .points = ret_points};
	memset(ret_points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *ret_points);
	ec2_form_begin(&f, c, "GetMetricData", CLOUDWATCH_VERSION);
	f.only_reads = true;
	ec2_form_add(&f, "StartTime", str_from(clock_write_s(query->from_us, text)));
	ec2_form_add(
		&f, "EndTime",
		str_from(clock_write_s(query->from_us + REMOTE_METRIC_POINTS * REMOTE_METRIC_STEP_US, text)));
	ec2_form_add(&f, "ScanBy", STR("TimestampAscending"));
	for (size_t m = 0; m < query->count; m++)
		for (size_t k = 0; k < METRICS; k++)
			add_query(&f, m * METRICS + k + 1, m, k, query->refs[m]);
	TRY(ec2_call_walk(&f, r, "monitoring", "GetMetricDataResponse",
			  &(struct xml_visitor){reading, enter, leave}));
	remote_metric_convert_memory(ret_points, query, true);
	return OK;
}
