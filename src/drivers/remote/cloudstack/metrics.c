/* SPDX-License-Identifier: Apache-2.0
 * Reads metrics of machines from CloudStack's usage history. A measurement covers the time since the one before, a minute in
 * most clouds: bytes of an interval are sums, its processors' use is the average. Source: CloudStack 4.17's
 * listVirtualMachinesUsageHistory. */
#include "drivers/remote/cloudstack/metrics.h"

#include <string.h>

#include "drivers/remote/cloudstack/answer.h"
#include "drivers/remote/metric_points.h"

enum { STATS_MAX = 100000, KIB = 1024 };

static const struct {
	const char *name;
	size_t offset;
} counters[] = {{"networkkbsread", offsetof(struct remote_metric_point, received)},
		{"networkkbswrite", offsetof(struct remote_metric_point, sent)},
		{"diskkbsread", offsetof(struct remote_metric_point, read)},
		{"diskkbswrite", offsetof(struct remote_metric_point, written)}};

struct reading {
	struct ctx *c;
	const struct remote_metrics_query *query;
	struct remote_metric_point *points;
	size_t machine;
	size_t measurements[REMOTE_METRIC_POINTS]; /* number of the machine's measurements in each interval */
};

/* A measurement at the end of an interval is about that interval. */
static void read_stat(struct reading *r, const json_t *stat)
{
	int64_t at_us = remote_json_time(r->c, stat, "timestamp") - 1;
	struct remote_metric_point *p = remote_metric_at(r->points, r->query, r->machine, at_us);
	double percent = 0, kib = 0;
	if (!p || !remote_metric_percent(remote_json_text(r->c, stat, "cpuused"), &percent))
		return;
	size_t place = (size_t) ((at_us - r->query->from_us) / REMOTE_METRIC_STEP_US);
	double before = (double) r->measurements[place]++;
	p->is_there = true;
	p->cpu_percent = (p->cpu_percent * before + percent) / (before + 1);
	for (size_t k = 0; k < sizeof counters / sizeof *counters; k++)
		if (remote_metric_number(json_object_get(stat, counters[k].name), &kib))
			*remote_metric_member(p, counters[k].offset) += kib * KIB;
}

RESULT cloudstack_read_points(struct ctx *c, const json_t *root, const struct remote_metrics_query *query,
			      struct remote_metric_point *points)
{
	const json_t *machines = json_object_get(cloudstack_inner(root), "virtualmachine");
	size_t count = 0;
	memset(points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *points);
	for (size_t k = 0; k < json_array_size(machines); k++) {
		const json_t *each = json_array_get(machines, k), *stats = json_object_get(each, "stats");
		struct reading r = {.c = c,
				    .query = query,
				    .points = points,
				    .machine = remote_metric_machine(query, remote_json_text(c, each, "id"))};
		count += json_array_size(stats);
		if (count > STATS_MAX)
			return ctx_fail(c, ERR_IO,
					"The answer is not usable: it has more than %d measurements.",
					STATS_MAX);
		for (size_t n = 0; n < json_array_size(stats); n++)
			read_stat(&r, json_array_get(stats, n));
	}
	return OK;
}
