/* SPDX-License-Identifier: Apache-2.0
 * Measures: posted ones, those of one metric, and aggregates over several. Sources: gnocchi.rest.api, gnocchi.rest.aggregates.api;
 * Gnocchi's documentation, "Dynamic aggregates". */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "api/openstack/metric/metric.h"
#include "base/clock.h"
#include "engine/resolve.h"

#define DAY (24 * HOUR)
#define AGO (14 * DAY)
enum { MEASURES_MAX = 1000, POINTS_MAX = 20000, SERIES_MAX = 30, GRANULARITIES = 3 };
static const int64_t granularities[GRANULARITIES] = {FIGURES_LONG_US, FIGURES_SHORT_US, MINUTE};

/* ---- times ---- */

/* Gnocchi reads "now", seconds since 1970, "-1 day" as well as ISO 8601. */
static bool read_relative(struct str text, int64_t *ret_us)
{
	static const struct {
		const char *word;
		int64_t us;
	} units[] = {{"second", SECOND}, {"minute", MINUTE}, {"hour", HOUR}, {"day", DAY}, {"week", 7 * DAY}};
	struct str rest = text, number = STR_NONE;
	int64_t count = 0;
	if (!text.n || text.p[0] != '-' || !str_split_next(&rest, ' ', &number) ||
	    !result_is_ok(str_parse_int(number, &count)) || count < -100000)
		return false;
	for (size_t k = 0; k < sizeof units / sizeof *units; k++)
		if (str_starts_with(rest, str_from(units[k].word))) {
			*ret_us = clock_now_us() + count * units[k].us;
			return true;
		}
	return false;
}

static bool read_time(struct str text, int64_t *ret_us)
{
	char number[40] = {0}, *end = number;
	if (str_is(text, "now")) {
		*ret_us = clock_now_us();
		return true;
	}
	if (read_relative(text, ret_us) || os_read_time(text, ret_us))
		return true;
	if (text.n && text.n < sizeof number)
		memcpy(number, text.p, text.n);
	double seconds = strtod(number, &end);
	bool is_number = end != number && !*end && seconds >= 0 && seconds < 1e11;
	*ret_us = is_number ? (int64_t) (seconds * SECOND) : 0;
	return is_number;
}

static RESULT take_time(struct os_call *e, struct str text, const char *name, int64_t *at_us)
{
	return !text.n || read_time(text, at_us)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, str_from(name),
					"Argument value error: %s: Must be a datetime or a timestamp", name);
}

/* ---- posting ---- */

struct posted {
	struct metric_added *at;
	size_t count, capacity;
};
struct os_post_measures {
	struct gnocchi_metrics_target wish;
	struct str id, resource, name;
	struct posted points;
};
static const struct param post_params[] = {
	OS_PATH_NAME(struct os_post_measures, "metric_id", id, .max = 64, .doc = "The metric."),
};
static const struct param post_of_params[] = {
	OS_PATH_NAME(struct os_post_measures, "resource_id", resource, .max = 255, .doc = "The resource."),
	OS_PATH_NAME(struct os_post_measures, "metric_name", name, .max = 255, .doc = "Name of the metric."),
};

static RESULT fail_measures(struct os_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("measures"), "Invalid input: %s", why);
}

static bool read_measure(const json_t *one, struct metric_point *p)
{
	const json_t *value = json_object_get(one, "value"), *at = json_object_get(one, "timestamp");
	double number = json_number_value(value);
	bool has_time = json_is_string(at) &&
			read_time((struct str){json_string_value(at), json_string_length(at)}, &p->at_us);
	if (json_is_number(at) && json_number_value(at) >= 0 && json_number_value(at) < 1e11) {
		p->at_us = (int64_t) (json_number_value(at) * SECOND);
		has_time = true;
	}
	p->samples = 1;
	p->sum = p->least = p->most = number;
	return has_time && json_is_number(value) && isfinite(number) && fabs(number) < 1e300;
}

static RESULT read_measures(struct os_call *e, const json_t *list, uuid metric, struct posted *points)
{
	size_t k;
	json_t *one;
	int64_t now_us = clock_now_us();
	if (!json_is_array(list) || json_array_size(list) + points->count > MEASURES_MAX)
		return fail_measures(e, "a call posts a list of up to 1000 measures");
	json_array_foreach (list, k, one) {
		struct metric_added added = {.metric = metric};
		if (!read_measure(one, &added.point))
			return fail_measures(e, "a measure has a timestamp and a value");
		if (added.point.at_us < now_us - AGO || added.point.at_us > now_us + METRICS_AHEAD_US)
			return fail_measures(e, "a measure is up to 14 days old, and not in the future");
		if (!VEC_PUSH(e->c->arena, points, added))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static RESULT take_metric(struct os_call *e, const struct os_metric *m, struct os_post_measures *a)
{
	uuid *at = (uuid *) (uintptr_t) a->wish.metrics.at;
	if (!m->row || !str_is(m->row->name_space, METRICS_GNOCCHI))
		return ctx_fail_field(e->c, ERR_DENIED, STR("metric_id"),
				      "Measures are posted to metrics that were created here.");
	if (!at)
		a->wish.metrics.at = at = arena_new_array(e->c->arena, uuid, MEASURES_MAX);
	if (!at)
		return ctx_no_memory(e->c);
	at[a->wish.metrics.count++] = m->row->row.id;
	return OK;
}

static RESULT prepare_post(struct os_call *e, void *args)
{
	struct os_post_measures *a = args;
	struct os_metric m;
	TRY(a->id.n ? os_metric_find(e, a->id, &m) : os_metric_find_named(e, a->resource, a->name, &m));
	TRY(take_metric(e, &m, a));
	json_t *body = json_loadb(e->call->body.p, e->call->body.n, 0, NULL);
	struct result result = read_measures(e, body, a->wish.metrics.at[0], &a->points);
	json_decref(body);
	return result;
}

static RESULT read_batch(struct os_call *e, json_t *body, struct os_post_measures *a)
{
	const char *key;
	json_t *value;
	if (!json_is_object(body) || json_object_size(body) > MEASURES_MAX)
		return fail_measures(e, "expected a dictionary");
	json_object_foreach (body, key, value) {
		struct os_metric m;
		TRY(os_metric_find(e, str_from(key), &m));
		TRY(take_metric(e, &m, a));
		TRY(read_measures(e, value, m.row->row.id, &a->points));
	}
	return OK;
}

static RESULT prepare_batch(struct os_call *e, void *args)
{
	json_t *body = json_loadb(e->call->body.p, e->call->body.n, 0, NULL);
	struct result result = read_batch(e, body, args);
	json_decref(body);
	return result;
}

static RESULT answer_post(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_post_measures *a = args;
	(void) w;
	os_release_tables(e);
	return e->config->reconciler
		       ? reconciler_add_metric_points(e->config->reconciler, e->c, e->c->who->account,
						      a->points.at, a->points.count)
		       : OK;
}

/* ---- reading ---- */

struct question {
	struct str start, stop, granularity, method;
	int64_t from_us, before_us;
	int64_t only_us; /* granularity; 0: all */
	const char *statistic;
};

static const char *statistic_of(struct str method)
{
	static const char *const words[][2] = {{"mean", "Average"},      {"min", "Minimum"},
					       {"max", "Maximum"},       {"sum", "Sum"},
					       {"count", "SampleCount"}, {"rate:mean", "Average"}};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (str_is(method, words[k][0]))
			return words[k][1];
	return NULL;
}

static RESULT read_question(struct os_call *e, struct question *q)
{
	char text[40] = {0}, *end = text;
	q->before_us = clock_now_us() + METRICS_AHEAD_US;
	q->from_us = 0;
	TRY(take_time(e, q->start, "start", &q->from_us));
	TRY(take_time(e, q->stop, "stop", &q->before_us));
	q->statistic = statistic_of(q->method);
	if (!q->granularity.n)
		return OK;
	if (q->granularity.n < sizeof text)
		memcpy(text, q->granularity.p, q->granularity.n);
	double seconds = strtod(text, &end);
	q->only_us = end != text && !*end && seconds > 0 && seconds < 1e9 ? (int64_t) (seconds * SECOND) : -1;
	for (size_t k = 0; k < GRANULARITIES; k++)
		if (q->only_us == granularities[k])
			return OK;
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("granularity"),
			      "Granularity '%" STR_FMT "' for metric does not exist",
			      STR_ARG(str_cut(q->granularity, 32)));
}

static void write_points(struct os_call *e, struct json_writer *w, const struct question *q, int64_t step_us,
			 const struct metric_points *points)
{
	char at[CLOCK_TEXT_SIZE];
	for (size_t k = 0; k < points->count; k++) {
		if (points->at[k].at_us + step_us <= q->from_us || points->at[k].at_us >= q->before_us)
			continue;
		clock_write_s(points->at[k].at_us, at); /* 2026-11-28T19:30:00Z */
		json_write_open_list(w, NULL);
		json_write_text(w, NULL, str_print(e->c->arena, "%.19s+00:00", at));
		json_write_raw(w, NULL, str_print(e->c->arena, "%" PRId64 ".0", step_us / SECOND));
		json_write_real(w, NULL, metric_value(&points->at[k], str_from(q->statistic)));
		json_write_close_list(w);
	}
}

/* Guests have an hour of minutes, three days of five minutes and ninety days of hours; what was published has three days. */
static RESULT read_points(struct os_call *e, const struct metric_source *source, const struct question *q,
			  int64_t step_us, struct metric_points *points)
{
	struct reconciler *r = e->config->reconciler;
	int64_t now_us = clock_now_us();
	int64_t kept_us = source->ec2 ? step_us == MINUTE             ? METRICS_MINUTES_US
					: step_us == FIGURES_SHORT_US ? FIGURES_SHORT_KEPT_US
								      : FIGURES_LONG_KEPT_US
				      : METRICS_KEPT_US;
	int64_t from_us = q->from_us > now_us - kept_us ? q->from_us : now_us - kept_us;
	struct metric_range range = {
		.from_us = from_us / step_us * step_us, .before_us = q->before_us, .period_us = step_us};
	bool is_recent = range.from_us >= now_us - METRICS_MINUTES_US - MINUTE;
	if (source->ec2 && step_us > MINUTE)
		range.step_us = is_recent && step_us == FIGURES_SHORT_US ? 0 : step_us;
	return r && range.from_us < range.before_us ? reconciler_read_metric(r, e->c, source, &range, points)
						    : OK;
}

/* The coarsest granularity comes first, as in Gnocchi. */
static RESULT write_measures(struct os_call *e, struct json_writer *w, const char *key,
			     const struct metric_source *source, const struct question *q)
{
	os_release_tables(e);
	json_write_open_list(w, key);
	for (size_t k = 0; k < GRANULARITIES; k++) {
		struct metric_points points = {0};
		if (q->only_us && q->only_us != granularities[k])
			continue;
		TRY(read_points(e, source, q, granularities[k], &points));
		write_points(e, w, q, granularities[k], &points);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT check_method(struct os_call *e, const struct os_metric *m, const struct question *q)
{
	const struct os_archive_policy *policy = os_archive_policy_of(m);
	return q->statistic && params_has_word(policy->methods, q->method)
		       ? OK
		       : ctx_fail_field(e->c, ERR_NOT_FOUND, STR("aggregation"),
					"Aggregation method '%" STR_FMT
					"' at granularity '*' for metric %" STR_FMT " does not exist",
					STR_ARG(str_cut(q->method, 32)),
					STR_ARG(uuid_to_str(e->c->arena, os_metric_id(m))));
}

static RESULT find_source(struct os_call *e, const struct os_metric *m, struct metric_source *source)
{
	const struct str dimensions[] = {STR("metric_id"), uuid_to_str(e->c->arena, os_metric_id(m))};
	return metric_find_source(e->c, os_tables(e), e->c->who->account, STR(METRICS_GNOCCHI),
				  STR("metrics"), &(struct strs){dimensions, 2}, STR_NONE, source);
}

struct os_get_measures {
	struct question q;
	struct str id, resource, name, refresh;
};
#define Q(wire, member, ...) OS_QUERY(struct os_get_measures, wire, member, __VA_ARGS__)
#define QUESTION                                                                                             \
	Q("start", q.start, .max = 64, .doc = "Beginning: a time, seconds since 1970, or -1 day."),          \
		Q("stop", q.stop, .max = 64, .doc = "End, which does not belong to the answer."),            \
		Q("granularity", q.granularity, .max = 32, .doc = "Seconds: 60, 300 or 3600; absent: all."), \
		Q("aggregation", q.method, .max = 32, .absent = "mean",                                      \
		  .doc = "mean, min, max, sum or count; of counters rate:mean alone."),                      \
		Q("refresh", refresh, .max = 8, .doc = "Measures are aggregated when they are read."),       \
		OS_UNBUILT("resample")
static const struct param get_params[] = {
	OS_PATH_NAME(struct os_get_measures, "metric_id", id, .max = 64, .doc = "The metric."), QUESTION};
static const struct param get_of_params[] = {
	OS_PATH_NAME(struct os_get_measures, "resource_id", resource, .max = 255, .doc = "The resource."),
	OS_PATH_NAME(struct os_get_measures, "metric_name", name, .max = 255, .doc = "Name of the metric."),
	QUESTION};
#undef Q

static RESULT show_measures(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_get_measures a = *(const struct os_get_measures *) args;
	struct metric_source source;
	struct os_metric m;
	TRY(a.id.n ? os_metric_find(e, a.id, &m) : os_metric_find_named(e, a.resource, a.name, &m));
	TRY(read_question(e, &a.q));
	TRY(check_method(e, &m, &a.q));
	TRY(find_source(e, &m, &source));
	return write_measures(e, w, NULL, &source, &a.q);
}

/* ---- aggregates ---- */

struct os_aggregate {
	struct question q;
	struct str operations, search, type, fill, overlap, details;
};
#define Q(wire, member, ...) OS_QUERY(struct os_aggregate, wire, member, __VA_ARGS__)
static const struct param aggregate_params[] = {
	Q("start", q.start, .max = 64, .doc = "Beginning: a time, seconds since 1970, or -1 day."),
	Q("stop", q.stop, .max = 64, .doc = "End, which does not belong to the answer."),
	Q("granularity", q.granularity, .max = 32, .doc = "Seconds: 60, 300 or 3600; absent: all."),
	Q("needed_overlap", overlap, .max = 16,
	  .doc = "Datapoints of some of the metrics are enough in any case."),
	Q("details", details, .words = "False|false|0", .doc = "Only without."),
	OS_UNBUILT("fill|groupby|use_history"),
	OS_BODY_JSON(
		struct os_aggregate, "operations", operations, .flags = REQUIRED,
		.doc = "[\"aggregate\", method, [\"metric\", metric, method], …], as a list or as text."),
	OS_BODY_JSON(struct os_aggregate, "search", search,
		     .doc = "Search for resources; metrics are then named, and not by their ids."),
	OS_BODY(struct os_aggregate, "resource_type", type, .max = 64, .absent = "generic",
		.doc = "Type of the resources."),
};
#undef Q

static RESULT fail_operations(struct os_call *e)
{
	return ctx_fail_field(
		e->c, ERR_INVALID, STR("operations"),
		"Invalid operations: the region has [\"aggregate\", METHOD, [\"metric\", METRIC, "
		"METHOD], …] with mean, min, max, sum, count or rate:mean.");
}

/* "(aggregate mean (metric cpu rate:mean))" as lists. Two levels are all that there are. */
static json_t *parse_text(const char *text)
{
	json_t *outer = NULL, *inner = NULL;
	while (*text) {
		size_t n = strcspn(text, " ()");
		json_t *into = inner ? inner : outer;
		if (n) {
			if (!into || json_array_append_new(into, json_stringn(text, n)))
				break;
			text += n;
			continue;
		}
		if (*text == '(' && inner)
			break;
		if (*text == '(' && outer) {
			inner = json_array();
			(void) json_array_append_new(outer, inner);
		} else if (*text == '(') {
			outer = json_array();
		} else if (*text == ')') {
			inner = NULL;
		}
		text++;
	}
	if (*text)
		json_decref(outer);
	return *text ? NULL : outer;
}

static struct str text_at(struct os_call *e, const json_t *list, size_t k)
{
	const json_t *value = json_array_get(list, k);
	return json_is_string(value) ? str_copy(e->c->arena, (struct str){json_string_value(value),
									  json_string_length(value)})
				     : STR_NONE;
}

static struct str text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

struct operation {
	struct str method, metrics[SERIES_MAX];
	size_t count;
};

/* ["metric", id, method] or ["metric", [id, method], …] */
static bool read_metric(struct os_call *e, const json_t *node, struct operation *o, struct str *ret_method)
{
	const json_t *first = json_array_get(node, 1);
	if (!str_is(text_at(e, node, 0), "metric"))
		return false;
	if (json_is_string(first)) {
		*ret_method = text_at(e, node, 2);
		if (json_array_size(node) != 3 || o->count == SERIES_MAX)
			return false;
		o->metrics[o->count++] = text_at(e, node, 1);
		return true;
	}
	for (size_t k = 1; k < json_array_size(node); k++) {
		const json_t *pair = json_array_get(node, k);
		if (json_array_size(pair) != 2 || o->count == SERIES_MAX)
			return false;
		o->metrics[o->count++] = text_at(e, pair, 0);
		*ret_method = text_at(e, pair, 1);
	}
	return o->count > 0;
}

/* The method within and the one around must be the same, or agree: rate:mean of means, as Aodh asks for it. */
static bool read_operation(struct os_call *e, const json_t *list, struct operation *o)
{
	struct str inner = STR_NONE;
	o->method = text_at(e, list, 1);
	if (!str_is(text_at(e, list, 0), "aggregate") || !o->method.n)
		return false;
	for (size_t k = 2; k < json_array_size(list); k++)
		if (!read_metric(e, json_array_get(list, k), o, &inner))
			return false;
	bool is_rate = str_is(o->method, "rate:mean") || str_is(inner, "rate:mean");
	if (is_rate)
		o->method = STR("rate:mean");
	return o->count > 0 &&
	       (is_rate ? str_is(inner, "mean") || str_is(inner, "rate:mean") : str_equal(o->method, inner));
}

static RESULT parse_operation(struct os_call *e, struct str text, struct operation *o)
{
	json_t *value = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	json_t *list = json_is_string(value) ? parse_text(json_string_value(value)) : json_incref(value);
	bool is_read = json_is_array(list) && read_operation(e, list, o);
	json_decref(list);
	json_decref(value);
	return is_read && statistic_of(o->method) ? OK : fail_operations(e);
}

/* A search in words becomes JSON. */
static RESULT take_search(struct os_call *e, struct os_aggregate *a)
{
	json_t *query = NULL, *text = NULL;
	if (!a->search.n || a->search.p[0] != '"')
		return OK;
	text = json_loadb(a->search.p, a->search.n, JSON_DECODE_ANY, NULL);
	struct result result = os_metric_read_filter(e, text_of(text), &query);
	char *json = result_is_ok(result) ? json_dumps(query, JSON_COMPACT) : NULL;
	a->search = json ? str_copy(e->c->arena, str_from(json)) : STR_NONE;
	free(json);
	json_decref(query);
	json_decref(text);
	return result;
}

/* Checks each metric's policy, and makes one source of all. */
static RESULT find_sources(struct os_call *e, const struct os_aggregate *a, const struct operation *o,
			   struct metric_source *source)
{
	struct str dimensions[2 * SERIES_MAX] = {STR_NONE};
	bool is_rate = str_is(o->method, "rate:mean");
	if (a->search.n) {
		dimensions[0] = STR("query");
		dimensions[1] = a->search;
		dimensions[2] = STR("resource_type");
		dimensions[3] = a->type;
		if (o->count != 1)
			return fail_operations(e);
		TRY(metric_find_source(e->c, os_tables(e), e->c->who->account, STR(METRICS_GNOCCHI),
				       o->metrics[0], &(struct strs){dimensions, 4}, STR_NONE, source));
		if (!source->is_there)
			return ctx_fail(e->c, ERR_NOT_FOUND, "Metrics not found: ['%" STR_FMT "']",
					STR_ARG(str_cut(o->metrics[0], 128)));
		return (source->ec2 && source->ec2->form == FIGURE_RATE) == is_rate ? OK : fail_operations(e);
	}
	for (size_t k = 0; k < o->count; k++) {
		struct os_metric m;
		struct question q = {.method = o->method, .statistic = statistic_of(o->method)};
		TRY(os_metric_find(e, o->metrics[k], &m));
		TRY(check_method(e, &m, &q));
		dimensions[2 * k] = STR("metric_id");
		dimensions[2 * k + 1] = o->metrics[k];
	}
	return metric_find_source(e->c, os_tables(e), e->c->who->account, STR(METRICS_GNOCCHI),
				  STR("metrics"), &(struct strs){dimensions, 2 * o->count}, STR_NONE, source);
}

static RESULT aggregate(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_aggregate a = *(const struct os_aggregate *) args;
	struct operation o = {0};
	struct metric_source source = {0};
	TRY(parse_operation(e, a.operations, &o));
	a.q.method = o.method;
	TRY(read_question(e, &a.q));
	TRY(take_search(e, &a));
	TRY(find_sources(e, &a, &o, &source));
	json_write_open(w, NULL);
	json_write_open(w, "measures");
	TRY(write_measures(e, w, "aggregated", &source, &a.q));
	json_write_close(w);
	json_write_close(w);
	return OK;
}

/* ---- the service ---- */

static RESULT show_capabilities(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const methods[] = {"count", "max", "mean", "min", "rate:mean", "sum"};
	(void) e;
	(void) args;
	json_write_open_list(w, "aggregation_methods");
	for (size_t k = 0; k < sizeof methods / sizeof *methods; k++)
		json_write_z(w, NULL, methods[k]);
	json_write_close_list(w);
	json_write_open_list(w, "dynamic_aggregation_methods");
	json_write_close_list(w);
	return OK;
}

/* The summary is zero because measures are aggregated when they are read, so none waits. */
static RESULT show_status(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open(w, "storage");
	json_write_open(w, "summary");
	json_write_int(w, "metrics", 0);
	json_write_int(w, "measures", 0);
	json_write_close(w);
	json_write_close(w);
	json_write_open(w, "metricd");
	json_write_open_list(w, "processors");
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

struct os_status {
	struct str details;
};
static const struct param status_params[] = {
	OS_QUERY(struct os_status, "details", details, .max = 8, .doc = "There are none.")};

#define OF_ONE "/v1/metric/{metric_id}/measures"
#define OF_NAMED "/v1/resource/generic/{resource_id}/metric/{metric_name}/measures"
#define POSTS(where, rows, prepared, words)                                                                  \
	{                                                                                                    \
		HTTP_POST, where, .permit = "metric:post_measures", .flags = API_WRITES | OS_RAW_BODY,       \
				  .status = 202, .args = OS_PARAMS(struct os_post_measures, rows),           \
				  .prepare = (prepared), .operation = engine_touch_gnocchi_metrics_run,      \
				  .returns = API_RETURNS_NOTHING_STORED, .answer = answer_post,              \
				  .doc = (words)                                                             \
	}
#define READS(where, rows)                                                                                   \
	{                                                                                                    \
		HTTP_GET, where, .permit = "metric:get_measures",                                            \
				 .flags = OS_IN_PLACE | API_CHANGES_BY_TIME,                                 \
				 .args = OS_PARAMS(struct os_get_measures, rows), .answer = show_measures,   \
				 .doc = "Measures of a metric."                                              \
	}
static const struct param no_params[] = {OS_UNBUILT("create_metrics")};
static const struct os_action actions[] = {
	READS(OF_ONE, get_params),
	READS(OF_NAMED, get_of_params),
	POSTS(OF_ONE, post_params, prepare_post, "Adds measures to a metric."),
	POSTS(OF_NAMED, post_of_params, prepare_post, "Adds measures to a metric of a resource."),
	POSTS("/v1/batch/metrics/measures", no_params, prepare_batch, "Adds measures to several metrics."),
	{HTTP_POST, "/v1/aggregates", .permit = "metric:get_measures", .flags = OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_aggregate, aggregate_params), .answer = aggregate,
	 .doc = "Aggregates the measures of several metrics."},
	{HTTP_GET, "/v1/capabilities", .permit = "metric:get_capabilities", .args = OS_NO_PARAMS,
	 .answer = show_capabilities, .doc = "Methods of aggregation."},
	{HTTP_GET, "/v1/status", .permit = "metric:get_status",
	 .args = OS_PARAMS(struct os_status, status_params), .answer = show_status,
	 .doc = "Measures that wait: none."},
};
const struct os_actions os_metric_measure_actions = OS_ACTIONS(OS_METRIC, actions);
