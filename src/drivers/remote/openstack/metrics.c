/* SPDX-License-Identifier: Apache-2.0
 * Reads metrics of servers from Gnocchi, into which Ceilometer writes counters that only grow: processor time, and bytes of each
 * interface and disk. Three searches find the metrics, and one request reads the measures of all of them. Sources: Gnocchi 4.3
 * REST API, "Searching for resources" and "Dynamic aggregates"; Ceilometer, "Measurements". */
#include "drivers/remote/openstack/metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/remote/metric_points.h"
#include "drivers/remote/openstack/request.h"

/* SLOTS: the interval before the first one is needed for a difference. */
enum { METRICS_MAX = 2, SLOTS = REMOTE_METRIC_POINTS + 1, MEASURES_MAX = 1000 };

static const struct {
	const char *path;  /* where resources of the type are searched for */
	const char *owner; /* attribute with the server's id */
	struct {
		const char *name;
		size_t offset;
	} metrics[METRICS_MAX];
} types[GNOCCHI_TYPES] = {
	[GNOCCHI_INSTANCE] = {"/v1/search/resource/instance",
			      "id",
			      {{"cpu", offsetof(struct remote_metric_point, cpu_percent)}}},
	[GNOCCHI_INTERFACE] = {"/v1/search/resource/instance_network_interface",
			       "instance_id",
			       {{"network.incoming.bytes", offsetof(struct remote_metric_point, received)},
				{"network.outgoing.bytes", offsetof(struct remote_metric_point, sent)}}},
	[GNOCCHI_DISK] = {"/v1/search/resource/instance_disk",
			  "instance_id",
			  {{"disk.device.read.bytes", offsetof(struct remote_metric_point, read)},
			   {"disk.device.write.bytes", offsetof(struct remote_metric_point, written)}}}};

/* ---- which metrics there are ---- */

static bool is_id(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (!strchr("0123456789abcdefABCDEF-", text.p[k]))
			return false;
	return text.n == GNOCCHI_ID_MAX;
}

static void add_series(struct gnocchi_list *list, struct str id, size_t machine, size_t offset)
{
	if (!is_id(id) || list->count == GNOCCHI_SERIES_MAX)
		return;
	struct gnocchi_series *s = &list->at[list->count++];
	*s = (struct gnocchi_series){.machine = machine, .offset = offset};
	memcpy(s->id, id.p, id.n);
}

RESULT openstack_read_series(struct ctx *c, const json_t *root, enum gnocchi_type type,
			     const struct remote_metrics_query *query, struct gnocchi_list *list)
{
	if (!json_is_array(root))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of resources.");
	for (size_t k = 0; k < json_array_size(root); k++) {
		const json_t *each = json_array_get(root, k), *ids = json_object_get(each, "metrics");
		struct str owner = remote_json_text(c, each, types[type].owner);
		size_t machine = remote_metric_machine(query, owner);
		for (size_t m = 0; m < METRICS_MAX && types[type].metrics[m].name; m++) {
			const json_t *id = json_object_get(ids, types[type].metrics[m].name);
			if (machine < query->count && json_is_string(id))
				add_series(list, str_from(json_string_value(id)), machine,
					   types[type].metrics[m].offset);
		}
	}
	return OK;
}

/* ---- their measures ---- */

/* Means of a counter, by interval; slot 0 is the interval before the query. */
struct means {
	bool is_there[SLOTS];
	double at[SLOTS];
};

/* A measure is [time, granularity, value]. */
static void read_means(struct ctx *c, const json_t *measures, int64_t from_us, struct means *m)
{
	for (size_t k = 0; k < json_array_size(measures) && k < MEASURES_MAX; k++) {
		const json_t *each = json_array_get(measures, k);
		int64_t since_us = remote_json_time(c, each, "0") - (from_us - REMOTE_METRIC_STEP_US);
		double value = 0;
		if (since_us < 0 || since_us >= SLOTS * REMOTE_METRIC_STEP_US ||
		    !remote_metric_number(json_array_get(each, 2), &value))
			continue;
		m->is_there[since_us / REMOTE_METRIC_STEP_US] = true;
		m->at[since_us / REMOTE_METRIC_STEP_US] = value;
	}
}

/* The difference of two means is the growth of an interval, however often Ceilometer polls. A counter that shrinks was
 * reset: that interval has no value. */
static void add_growth(const struct gnocchi_series *s, const struct means *m,
		       const struct remote_metrics_query *query, struct remote_metric_point *points)
{
	bool is_cpu = s->offset == offsetof(struct remote_metric_point, cpu_percent);
	double capacity_ns = (double) query->vcpus[s->machine] * (double) REMOTE_METRIC_STEP_US * 1000;
	for (size_t k = 0; k < REMOTE_METRIC_POINTS; k++) {
		struct remote_metric_point *p = &points[s->machine * REMOTE_METRIC_POINTS + k];
		double growth = m->at[k + 1] - m->at[k];
		if (!m->is_there[k] || !m->is_there[k + 1] || growth < 0 || (is_cpu && capacity_ns <= 0))
			continue;
		p->is_there |= is_cpu; /* without the processors' there is no point */
		*remote_metric_member(p, s->offset) += is_cpu ? growth * 100 / capacity_ns : growth;
	}
}

RESULT openstack_read_points(struct ctx *c, const json_t *root, const struct gnocchi_list *list,
			     const struct remote_metrics_query *query, struct remote_metric_point *points)
{
	const json_t *measures = json_object_get(root, "measures");
	memset(points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *points);
	if (!json_is_object(measures))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it has no measures.");
	for (size_t k = 0; k < list->count; k++) {
		const json_t *of_series = json_object_get(measures, list->at[k].id);
		struct means m = {0};
		read_means(c, json_object_get(of_series, "mean"), query->from_us, &m);
		add_growth(&list->at[k], &m, query, points);
	}
	return OK;
}

/* ---- requests ---- */

static RESULT write_search(struct ctx *c, enum gnocchi_type type, const struct remote_metrics_query *query,
			   struct str *ret_body)
{
	struct remote_body b;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_open(&b.json, "in");
	json_write_open_list(&b.json, types[type].owner);
	for (size_t k = 0; k < query->count; k++)
		json_write_text(&b.json, NULL, query->refs[k]);
	json_write_close_list(&b.json);
	json_write_close(&b.json);
	json_write_close(&b.json);
	return remote_body_end(c, &b, ret_body);
}

static RESULT search(struct ctx *c, struct remote *r, enum gnocchi_type type,
		     const struct remote_metrics_query *query, struct gnocchi_list *list)
{
	AUTO_ANSWER answer = {0};
	struct str body;
	TRY(write_search(c, type, query, &body));
	TRY(openstack_ask(c, r, REMOTE_SERVICE_METRIC, "POST", str_from(types[type].path), body, &answer));
	return openstack_read_series(c, answer.root, type, query, list);
}

/* ["metric", [ID, "mean"], …] asks for the measures of each metric by itself. */
static RESULT write_operations(struct ctx *c, const struct gnocchi_list *list, struct str *ret_body)
{
	struct remote_body b;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_open_list(&b.json, "operations");
	json_write_z(&b.json, NULL, "metric");
	for (size_t k = 0; k < list->count; k++) {
		json_write_open_list(&b.json, NULL);
		json_write_z(&b.json, NULL, list->at[k].id);
		json_write_z(&b.json, NULL, "mean");
		json_write_close_list(&b.json);
	}
	json_write_close_list(&b.json);
	json_write_close(&b.json);
	return remote_body_end(c, &b, ret_body);
}

RESULT openstack_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			      struct remote_metric_point *ret_points)
{
	AUTO_ANSWER answer = {0};
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	struct str body;
	struct gnocchi_list *list = arena_new_object(c->arena, struct gnocchi_list);
	if (!list)
		return ctx_no_memory(c);
	memset(ret_points, 0, query->count * REMOTE_METRIC_POINTS * sizeof *ret_points);
	for (int type = 0; type < GNOCCHI_TYPES; type++)
		TRY(search(c, r, (enum gnocchi_type) type, query, list));
	if (!list->count)
		return OK;
	TRY(write_operations(c, list, &body));
	clock_write_s(query->from_us - REMOTE_METRIC_STEP_US, from);
	clock_write_s(query->from_us + REMOTE_METRIC_POINTS * REMOTE_METRIC_STEP_US, to);
	struct str path = str_print(c->arena, "/v1/aggregates?granularity=300&start=%s&stop=%s", from, to);
	TRY(openstack_ask(c, r, REMOTE_SERVICE_METRIC, "POST", path, body, &answer));
	return openstack_read_points(c, answer.root, list, query, ret_points);
}
