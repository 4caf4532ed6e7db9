/* SPDX-License-Identifier: Apache-2.0
 * Metrics of machines by QueryPerf: points of five minutes, which vCenter keeps for a day. Ids of counters differ between
 * servers, and are found by group, name and rollup. Source: vSphere Web Services API reference 8.0, PerformanceManager. */
#include "drivers/remote/vmware/metrics.h"

#include <stdio.h>

#include "base/clock.h"
#include "drivers/remote/metric_points.h"

enum { NAME_SIZE = 64, POINTS_MAX = REMOTE_METRIC_POINTS + 2, STEP_S = 300 };
#define VALUE_MAX (INT64_C(1) << 40)
#define ENTITY "returnval"

/* cpu.usage and mem.usage are in hundredths of a per cent; the others are KiB a second. */
static const struct {
	const char *group, *name, *rollup;
	size_t offset;
	double factor;
} counters[VIM_COUNTERS_COUNT] = {
	{"cpu", "usage", "average", offsetof(struct remote_metric_point, cpu_percent), 0.01},
	{"net", "received", "average", offsetof(struct remote_metric_point, received), 1024.0 * STEP_S},
	{"net", "transmitted", "average", offsetof(struct remote_metric_point, sent), 1024.0 * STEP_S},
	{"disk", "read", "average", offsetof(struct remote_metric_point, read), 1024.0 * STEP_S},
	{"disk", "write", "average", offsetof(struct remote_metric_point, written), 1024.0 * STEP_S},
	{"mem", "usage", "average", offsetof(struct remote_metric_point, memory), 0.01},
};

/* ---- counters ---- */

struct naming {
	struct ctx *c;
	int64_t *ids;
	int64_t key;
	char group[NAME_SIZE], name[NAME_SIZE], rollup[NAME_SIZE];
};

static RESULT begin(void *self, struct str type, struct str ref)
{
	(void) self, (void) type, (void) ref;
	return OK;
}

static void end_counter(struct naming *n)
{
	for (size_t k = 0; k < VIM_COUNTERS_COUNT; k++)
		if (str_is(str_from(n->group), counters[k].group) &&
		    str_is(str_from(n->name), counters[k].name) &&
		    str_is(str_from(n->rollup), counters[k].rollup) && n->key > 0)
			n->ids[k] = n->key;
	n->key = 0;
	n->group[0] = n->name[0] = n->rollup[0] = '\0';
}

static RESULT take_counter(void *self, struct str property, struct str below, struct str text)
{
	struct naming *n = self;
	const struct {
		const char *path;
		char *field;
	} fields[] = {{"PerfCounterInfo/groupInfo/key", n->group},
		      {"PerfCounterInfo/nameInfo/key", n->name},
		      {"PerfCounterInfo/rollupType", n->rollup}};
	if (!str_is(property, "perfCounter"))
		return OK;
	if (str_is(below, "PerfCounterInfo"))
		end_counter(n);
	if (str_is(below, "PerfCounterInfo/key") && !result_is_ok(str_parse_int(text, &n->key)))
		n->key = 0;
	for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
		if (str_is(below, fields[k].path))
			(void) snprintf(fields[k].field, NAME_SIZE, "%" STR_FMT,
					STR_ARG(str_cut(text, NAME_SIZE - 1)));
	return OK;
}

static RESULT end(void *self)
{
	(void) self;
	return OK;
}

RESULT vmware_read_counters(struct ctx *c, struct str text, int64_t ret_ids[static VIM_COUNTERS_COUNT])
{
	struct naming n = {.c = c, .ids = ret_ids};
	struct vmware_page page;
	for (size_t k = 0; k < VIM_COUNTERS_COUNT; k++)
		ret_ids[k] = 0;
	return vmware_read_objects(c, text, "RetrievePropertiesEx",
				   &(struct vmware_visitor){&n, begin, NULL, take_counter, end}, &page);
}

static RESULT ask_counters(struct ctx *c, struct remote *r)
{
	static const char *const properties[] = {"perfCounter", NULL};
	int64_t ids[VIM_COUNTERS_COUNT] = {0};
	struct naming n = {.c = c, .ids = ids};
	struct str text = STR_NONE;
	TRY(vmware_get_object(
		c, r, &(struct vmware_get){"PerformanceManager", vmware_id(r, VIM_PERFORMANCE), properties},
		&(struct vmware_visitor){&n, begin, NULL, take_counter, end}));
	for (size_t k = 0; k < VIM_COUNTERS_COUNT; k++)
		text = str_print(c->arena, "%" STR_FMT "%s%lld", STR_ARG(text), k ? "," : "",
				 (long long) ids[k]);
	return remote_session_keep_id(c, r, VIM_COUNTERS, text);
}

/* The session's ids of the counters. */
static RESULT find_counters(struct ctx *c, struct remote *r, int64_t ids[static VIM_COUNTERS_COUNT])
{
	struct str rest, text;
	if (!vmware_id(r, VIM_COUNTERS).n)
		TRY(ask_counters(c, r));
	rest = vmware_id(r, VIM_COUNTERS);
	for (size_t k = 0; k < VIM_COUNTERS_COUNT && str_split_next(&rest, ',', &text); k++)
		TRY(str_parse_int(text, &ids[k]));
	return ids[0] ? OK : ctx_fail(c, ERR_UNSUPPORTED, "The server has no counter cpu.usage.average.");
}

/* ---- points ---- */

struct reading {
	struct ctx *c;
	const int64_t *ids;
	const struct remote_metrics_query *query;
	struct remote_metric_point *points;
	size_t machine; /* query->count: another one */
	int64_t times[POINTS_MAX], values[POINTS_MAX];
	size_t time_count, value_count;
	int64_t counter;
	bool is_total; /* the series is the machine's, not one of its devices' */
};

static RESULT enter_point(void *self, struct str path)
{
	struct reading *r = self;
	if (str_is(path, ENTITY)) {
		r->machine = r->query->count;
		r->time_count = 0;
	}
	if (str_is(path, ENTITY "/value")) {
		r->value_count = 0;
		r->counter = 0;
		r->is_total = true;
	}
	return OK;
}

/* A point's time is the end of its interval. Negative values are the server's word for none. */
static void put_series(struct reading *r)
{
	size_t counter = 0;
	while (counter < VIM_COUNTERS_COUNT && (!r->counter || r->ids[counter] != r->counter))
		counter++;
	if (counter == VIM_COUNTERS_COUNT || !r->is_total)
		return;
	for (size_t k = 0; k < r->time_count && k < r->value_count; k++) {
		struct remote_metric_point *p = remote_metric_at(r->points, r->query, r->machine,
								 r->times[k] - REMOTE_METRIC_STEP_US);
		if (!p || r->values[k] < 0)
			continue;
		p->is_there |= counter == 0; /* without the processors' there is no point */
		*remote_metric_member(p, counters[counter].offset) =
			(double) r->values[k] * counters[counter].factor;
	}
}

static RESULT take_value(struct reading *r, struct str text)
{
	int64_t count = 0;
	if (!result_is_ok(str_parse_int(text, &count)) || count > VALUE_MAX)
		return remote_fail_answer(r->c, "a value is no number");
	if (r->value_count < POINTS_MAX)
		r->values[r->value_count++] = count;
	return OK;
}

static RESULT take_time(struct reading *r, struct str text)
{
	int64_t time_us = 0;
	if (!result_is_ok(clock_parse(text, &time_us)))
		return remote_fail_answer(r->c, "a time cannot be read");
	if (r->time_count < POINTS_MAX)
		r->times[r->time_count++] = time_us;
	return OK;
}

static RESULT leave_point(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	if (str_is(path, ENTITY "/entity"))
		for (r->machine = 0; r->machine < r->query->count; r->machine++)
			if (str_equal(r->query->refs[r->machine], text))
				return OK;
	if (str_is(path, ENTITY "/sampleInfo/timestamp"))
		return take_time(r, text);
	if (str_is(path, ENTITY "/value/id/counterId") && !result_is_ok(str_parse_int(text, &r->counter)))
		r->counter = 0;
	if (str_is(path, ENTITY "/value/id/instance"))
		r->is_total = !text.n;
	if (str_is(path, ENTITY "/value/value"))
		return take_value(r, text);
	if (str_is(path, ENTITY "/value"))
		put_series(r);
	return OK;
}

RESULT vmware_read_points(struct ctx *c, struct str text, const int64_t ids[static VIM_COUNTERS_COUNT],
			  const struct remote_metrics_query *query, struct remote_metric_point *points)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	if (!r)
		return ctx_no_memory(c);
	memset(points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *points);
	*r = (struct reading){.c = c, .ids = ids, .query = query, .points = points, .machine = query->count};
	TRY(vmware_walk(c, text, "QueryPerf", &(struct xml_visitor){r, enter_point, leave_point, NULL}));
	remote_metric_convert_memory(points, query, true);
	return OK;
}

static void write_query(struct vmware_call *q, struct str ref, const struct remote_metrics_query *query,
			const int64_t ids[static VIM_COUNTERS_COUNT])
{
	char text[CLOCK_TEXT_SIZE];
	int64_t end_us = query->from_us + REMOTE_METRIC_POINTS * REMOTE_METRIC_STEP_US;
	vmware_open(q, "querySpec", NULL);
	vmware_ref(q, "entity", "VirtualMachine", ref);
	vmware_text(q, "startTime", str_from(clock_write_s(query->from_us, text)));
	vmware_text(q, "endTime", str_from(clock_write_s(end_us, text)));
	for (size_t k = 0; k < VIM_COUNTERS_COUNT; k++) {
		if (!ids[k])
			continue;
		vmware_open(q, "metricId", NULL);
		xml_int(&q->xml, "counterId", ids[k]);
		vmware_text(q, "instance", STR_NONE);
		vmware_close(q, "metricId");
	}
	xml_int(&q->xml, "intervalId", STEP_S);
	vmware_text(q, "format", STR("normal"));
	vmware_close(q, "querySpec");
}

struct work {
	const struct remote_metrics_query *query;
	struct remote_metric_point *points;
};

static RESULT read_points(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	struct vmware_call q;
	AUTO_VIM_ANSWER answer = {0};
	int64_t ids[VIM_COUNTERS_COUNT] = {0};
	TRY(find_counters(c, r, ids));
	vmware_begin(&q, c, "QueryPerf", "PerformanceManager", vmware_id(r, VIM_PERFORMANCE));
	q.only_reads = true;
	for (size_t k = 0; k < w->query->count; k++)
		write_query(&q, w->query->refs[k], w->query, ids);
	TRY(vmware_send(&q, r, &answer));
	return vmware_read_points(c, buf_str(&answer.body), ids, w->query, w->points);
}

RESULT vmware_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			   struct remote_metric_point *ret_points)
{
	struct work w = {query, ret_points};
	return vmware_run(c, r, read_points, &w);
}
