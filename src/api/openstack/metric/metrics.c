/* SPDX-License-Identifier: Apache-2.0
 * Metrics and archive policies. Metrics of guests have Ceilometer's names, and counters have rates alone, because the region keeps their growth only.
 * Sources: gnocchi.rest.api; Gnocchi's documentation, "REST API Usage". */
#include <inttypes.h>
#include <stdlib.h>

#include "api/openstack/metric/metric.h"
#include "base/clock.h"
#include "store/instance.h"

#define DAY (24 * HOUR)

/* ---- archive policies ---- */

#define METHODS "count|max|mean|min|sum"
static const struct os_archive_policy policies[] = {
	{"ceilometer-low", METHODS, HOUR, FIGURES_LONG_KEPT_US},
	{"ceilometer-low-rate", "rate:mean", HOUR, FIGURES_LONG_KEPT_US},
	{"low", METHODS, METRICS_KEPT_US, METRICS_KEPT_US},
	{"medium", METHODS, METRICS_KEPT_US, METRICS_KEPT_US},
	{"high", METHODS, METRICS_KEPT_US, METRICS_KEPT_US},
};
enum { POLICIES = sizeof policies / sizeof *policies };

const struct os_archive_policy *os_archive_policy_find(struct str name)
{
	for (size_t k = 0; k < POLICIES; k++)
		if (str_is(name, policies[k].name))
			return &policies[k];
	return NULL;
}

const struct os_archive_policy *os_archive_policy_of(const struct os_metric *m)
{
	const struct metric_ec2 *figure = os_metric_figure(m);
	if (figure)
		return &policies[figure->form == FIGURE_RATE];
	const struct os_archive_policy *found = os_archive_policy_find(m->row->archive_policy);
	return found ? found : &policies[2];
}

/* "3 days, 0:00:00", as Python writes it. */
static void write_span(struct os_call *e, struct json_writer *w, const char *name, int64_t span_us)
{
	int64_t days = span_us / DAY, rest = span_us % DAY;
	struct str of_day = str_print(e->c->arena, "%" PRId64 ":%02" PRId64 ":%02" PRId64, rest / HOUR,
				      rest % HOUR / MINUTE, rest % MINUTE / SECOND);
	json_write_text(w, name,
			days ? str_print(e->c->arena, "%" PRId64 " day%s, %" STR_FMT, days,
					 days == 1 ? "" : "s", STR_ARG(of_day))
			     : of_day);
}

static void write_definition(struct os_call *e, struct json_writer *w, int64_t step_us, int64_t span_us)
{
	json_write_open(w, NULL);
	write_span(e, w, "granularity", step_us);
	json_write_int(w, "points", span_us / step_us);
	write_span(e, w, "timespan", span_us);
	json_write_close(w);
}

void os_archive_policy_write(struct os_call *e, struct json_writer *w, const char *key,
			     const struct os_archive_policy *policy)
{
	struct str rest = str_from(policy->methods), method;
	json_write_open(w, key);
	json_write_z(w, "name", policy->name);
	json_write_int(w, "back_window", 0);
	json_write_open_list(w, "aggregation_methods");
	while (str_split_next(&rest, '|', &method))
		json_write_text(w, NULL, method);
	json_write_close_list(w);
	json_write_open_list(w, "definition");
	write_definition(e, w, MINUTE, policy->minutes_us);
	write_definition(e, w, FIGURES_SHORT_US, FIGURES_SHORT_KEPT_US);
	write_definition(e, w, FIGURES_LONG_US, policy->hours_us);
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT list_policies(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, NULL);
	for (size_t k = 0; k < POLICIES; k++)
		os_archive_policy_write(e, w, NULL, &policies[k]);
	json_write_close_list(w);
	return OK;
}

struct os_metric_named {
	struct str name;
};
static const struct param policy_params[] = {
	OS_PATH_NAME(struct os_metric_named, "name", name, .max = 64, .doc = "Name of the archive policy.")};

static RESULT show_policy(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str name = ((const struct os_metric_named *) args)->name;
	const struct os_archive_policy *policy = os_archive_policy_find(name);
	if (!policy)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Archive policy %" STR_FMT " does not exist",
				STR_ARG(name));
	os_archive_policy_write(e, w, NULL, policy);
	return OK;
}

static RESULT list_nothing(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, NULL);
	json_write_close_list(w);
	return OK;
}

/* ---- finding ---- */

uuid os_metric_id(const struct os_metric *m)
{
	return m->row ? m->row->row.id : gnocchi_metric_id(m->instance, m->index);
}

const struct metric_ec2 *os_metric_figure(const struct os_metric *m)
{
	return m->row ? NULL : &metrics_of_ceilometer[m->index].figure;
}

static struct str dimension_of(const struct metric *m, const char *name)
{
	for (size_t k = 0; k + 1 < m->dimensions.count; k += 2)
		if (str_is(m->dimensions.at[k], name))
			return m->dimensions.at[k + 1];
	return STR_NONE;
}

struct str os_metric_name(const struct os_metric *m)
{
	return m->row ? m->row->name : str_from(metrics_of_ceilometer[m->index].figure.name);
}

RESULT os_metric_find(struct os_call *e, struct str text, struct os_metric *ret_metric)
{
	uuid id = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse(text, &id));
	*ret_metric = (struct os_metric){.row = is_id ? metric_find(os_tables(e), id) : NULL};
	if (ret_metric->row && uuid_equal(ret_metric->row->account, e->c->who->account))
		return OK;
	ret_metric->row = NULL;
	return is_id && gnocchi_find_metric(os_tables(e), e->c->who->account, id, METRICS_OF_CEILOMETER,
					    &ret_metric->instance, &ret_metric->index)
		       ? OK
		       : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_METRIC, "Metric %" STR_FMT " does not exist",
				       STR_ARG(str_cut(text, 64)));
}

RESULT os_metric_find_resource(struct os_call *e, struct str type_word, struct str id,
			       struct gnocchi_resource *ret_resource)
{
	enum gnocchi_type type;
	if (!gnocchi_read_type(type_word, &type))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Resource type %" STR_FMT " does not exist",
				STR_ARG(str_cut(type_word, 64)));
	return gnocchi_find_resource(os_tables(e), e->c->who->account, type, id, ret_resource)
		       ? OK
		       : ctx_fail(e->c, ERR_NOT_FOUND, "Resource %" STR_FMT " does not exist",
				  STR_ARG(str_cut(id, 64)));
}

static const struct metric *find_created(struct os_call *e, const struct gnocchi_resource *r, struct str name)
{
	const struct str dimensions[] = {STR("resource_id"), uuid_to_str(e->c->arena, r->id)};
	return engine_first_metric(os_tables(e), e->c->who->account, STR(METRICS_GNOCCHI), name,
				   &(struct strs){dimensions, 2});
}

RESULT os_metric_find_named(struct os_call *e, struct str resource, struct str name,
			    struct os_metric *ret_metric)
{
	struct gnocchi_resource r;
	TRY(os_metric_find_resource(e, STR("generic"), resource, &r));
	*ret_metric = (struct os_metric){.instance = r.instance};
	for (size_t k = 0; r.instance && k < METRICS_OF_CEILOMETER; k++)
		if (!strcmp(metrics_of_ceilometer[k].type, gnocchi_type_word(r.type)) &&
		    str_is(name, metrics_of_ceilometer[k].figure.name)) {
			ret_metric->index = k;
			return OK;
		}
	ret_metric->row = find_created(e, &r, name);
	return ret_metric->row ? OK
			       : ctx_fail(e->c, ERR_NOT_FOUND, "Metric %" STR_FMT " does not exist",
					  STR_ARG(str_cut(name, 128)));
}

RESULT os_metric_each_of(struct os_call *e, const struct gnocchi_resource *r,
			 RESULT (*each)(struct os_call *e, void *arg, const struct os_metric *m), void *arg)
{
	struct str id = uuid_to_str(e->c->arena, r->id);
	for (size_t k = 0; r->instance && k < METRICS_OF_CEILOMETER; k++)
		if (!strcmp(metrics_of_ceilometer[k].type, gnocchi_type_word(r->type)))
			TRY(each(e, arg, &(struct os_metric){.instance = r->instance, .index = k}));
	for (const struct metric *m = metric_first_by_account(os_tables(e), e->c->who->account); m;
	     m = metric_next_by_account(os_tables(e), m))
		if (str_is(m->name_space, METRICS_GNOCCHI) && str_equal(dimension_of(m, "resource_id"), id))
			TRY(each(e, arg, &(struct os_metric){.row = m}));
	return OK;
}

/* ---- showing ---- */

static void write_resource_of(struct os_call *e, struct json_writer *w, const struct os_metric *m,
			      bool is_whole)
{
	struct gnocchi_resource r = {0};
	enum gnocchi_type type = GNOCCHI_TYPES;
	struct str id = m->row && str_is(m->row->name_space, METRICS_GNOCCHI)
				? dimension_of(m->row, "resource_id")
				: STR_NONE;
	bool is_there = false;
	if (m->row)
		is_there = id.n &&
			   gnocchi_find_resource(os_tables(e), e->c->who->account, GNOCCHI_TYPES, id, &r);
	else
		is_there = gnocchi_read_type(str_from(metrics_of_ceilometer[m->index].type), &type) &&
			   gnocchi_of_instance(m->instance, type, &r);
	if (is_there)
		json_write_uuid(w, "resource_id", r.id);
	else
		json_write_text_or_null(w, "resource_id", id);
	if (!is_whole)
		return;
	if (is_there)
		os_metric_write_resource(e, w, "resource", &r);
	else
		json_write_null(w, "resource");
}

void os_metric_write(struct os_call *e, struct json_writer *w, const char *key, const struct os_metric *m,
		     bool is_whole)
{
	struct arena *a = e->c->arena;
	uuid user = m->row ? m->row->made_by : m->instance->made_by;
	struct str project = os_hex(a, e->c->who->account), maker = os_hex(a, user);
	const struct metric_ec2 *figure = os_metric_figure(m);
	struct str name = os_metric_name(m);
	json_write_open(w, key);
	json_write_uuid(w, "id", os_metric_id(m));
	/* A metric without a name has its id for one in the store. */
	json_write_text_or_null(w, "name",
				m->row && str_equal(name, uuid_to_str(a, m->row->row.id)) ? STR_NONE : name);
	if (figure)
		json_write_z(w, "unit", figure->unit);
	else
		json_write_text_or_null(w, "unit", m->row->unit);
	json_write_text(w, "creator",
			str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(maker), maker.n ? ":" : "",
				  STR_ARG(project)));
	json_write_text(w, "created_by_user_id", maker);
	json_write_text(w, "created_by_project_id", project);
	write_resource_of(e, w, m, is_whole);
	json_write_z(w, "archive_policy_name", os_archive_policy_of(m)->name);
	os_archive_policy_write(e, w, "archive_policy", os_archive_policy_of(m));
	json_write_close(w);
}

/* ---- lists ---- */

struct os_metric_list {
	struct str marker, sort, details;
	int64_t limit;
};
#define PAGE_PARAMS                                                                                          \
	OS_QUERY(struct os_metric_list, "limit", limit, .min = 1, .max = 10000, .absent = "1000",            \
		 .doc = "Metrics of a page."),                                                               \
		OS_QUERY(struct os_metric_list, "marker", marker, .max = 64,                                 \
			 .doc = "Last metric of the page before."),                                          \
		OS_UNBUILT("sort")
static const struct param list_params[] = {PAGE_PARAMS};

struct page {
	struct os_call *e;
	struct json_writer *w;
	uuid marker;
	int64_t limit;
};

struct found {
	struct os_metric *at;
	size_t count, capacity;
};

static RESULT take(struct os_call *e, void *arg, const struct os_metric *m)
{
	return VEC_PUSH(e->c->arena, (struct found *) arg, *m) ? OK : ctx_no_memory(e->c);
}

static int compare_ids(const void *a, const void *b)
{
	return uuid_compare(os_metric_id(a), os_metric_id(b));
}

/* In order of ids, so that pages follow each other. */
static RESULT list_metrics(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_metric_list *a = args;
	uuid account = e->c->who->account, marker = UUID_NONE;
	struct found found = {0};
	struct gnocchi_resource r;
	int64_t shown = 0;
	if (a->marker.n && !result_is_ok(uuid_parse(a->marker, &marker)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("marker"), "Invalid pagination: '%" STR_FMT "'",
				      STR_ARG(a->marker));
	for (const struct instance *i = instance_first_by_account(os_tables(e), account); i;
	     i = instance_next_by_account(os_tables(e), i))
		for (size_t k = 0; gnocchi_of_instance(i, GNOCCHI_INSTANCE, &r) && k < METRICS_OF_CEILOMETER;
		     k++)
			TRY(take(e, &found, &(struct os_metric){.instance = i, .index = k}));
	for (const struct metric *m = metric_first_by_account(os_tables(e), account); m;
	     m = metric_next_by_account(os_tables(e), m))
		TRY(take(e, &found, &(struct os_metric){.row = m}));
	if (found.count > 1)
		qsort(found.at, found.count, sizeof *found.at, compare_ids);
	json_write_open_list(w, NULL);
	for (size_t k = 0; k < found.count && shown < a->limit; k++) {
		if (a->marker.n && uuid_compare(os_metric_id(&found.at[k]), marker) <= 0)
			continue;
		os_metric_write(e, w, NULL, &found.at[k], false);
		shown++;
	}
	json_write_close_list(w);
	return OK;
}

/* ---- one metric ---- */

struct os_metric_target {
	struct gnocchi_metric_wish wish;
	struct str id, resource, name;
};
#define ID_PATH(T) OS_PATH_NAME(T, "metric_id", id, .max = 64, .doc = "The metric.")
#define NAME_PATHS(T)                                                                                        \
	OS_PATH_NAME(T, "resource_id", resource, .max = 255, .doc = "The resource."),                        \
		OS_PATH_NAME(T, "metric_name", name, .max = 255, .doc = "Name of the metric.")
static const struct param id_params[] = {ID_PATH(struct os_metric_target)};
static const struct param name_params[] = {NAME_PATHS(struct os_metric_target)};

static RESULT find_target(struct os_call *e, const struct os_metric_target *a, struct os_metric *ret_metric)
{
	return a->id.n ? os_metric_find(e, a->id, ret_metric)
		       : os_metric_find_named(e, a->resource, a->name, ret_metric);
}

static RESULT show_metric(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_metric m;
	TRY(find_target(e, args, &m));
	os_metric_write(e, w, NULL, &m, true);
	return OK;
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_metric_target *a = args;
	struct os_metric m;
	TRY(find_target(e, a, &m));
	if (!m.row)
		return ctx_fail_field(e->c, ERR_DENIED, STR("metric_id"),
				      "The metric is made of a guest's figures, and goes with the guest.");
	if (!str_is(m.row->name_space, METRICS_GNOCCHI))
		return ctx_fail_field(e->c, ERR_DENIED, STR("metric_id"),
				      "The metric was put by CloudWatch's API, which deletes none.");
	a->wish.metric = m.row->row.id;
	return OK;
}

/* ---- new metrics ---- */

struct os_metric_create {
	struct gnocchi_metric_wish wish;
	struct str resource, of_resource;
};
#define P(wire, member, ...) OS_BODY(struct os_metric_create, wire, member, .flags = NULL_ABSENT, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .max = 255, .doc = "Name; unique among the metrics of a resource."),
	P("unit", wish.unit, .max = 31, .doc = "Unit, for information."),
	P("archive_policy_name", wish.archive_policy, .max = 64, .absent = "low",
	  .doc = "Archive policy: low, medium or high, which are the same here."),
	P("resource_id", of_resource, .max = 255, .doc = "Resource of the metric."),
};
#undef P

static RESULT take_policy(struct os_call *e, struct gnocchi_metric_wish *wish)
{
	if (str_find_char(wish->name, '/', 0) < wish->name.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("name"), "'/' is not supported in metric name");
	if (!wish->archive_policy.n)
		wish->archive_policy = STR("low");
	if (!os_archive_policy_find(wish->archive_policy) ||
	    str_starts_with(wish->archive_policy, STR("ceilometer")))
		return ctx_fail_field(e->c, ERR_INVALID, STR("archive_policy_name"),
				      "Archive policy %" STR_FMT " does not exist",
				      STR_ARG(wish->archive_policy));
	return OK;
}

static RESULT take_resource(struct os_call *e, struct str text, struct gnocchi_metric_wish *wish)
{
	struct gnocchi_resource r;
	struct os_metric m;
	TRY(os_metric_find_resource(e, STR("generic"), text, &r));
	wish->resource = uuid_to_str(e->c->arena, r.id);
	bool is_there = result_is_ok(os_metric_find_named(e, wish->resource, wish->name, &m));
	ctx_clear_problem(e->c);
	return is_there ? ctx_fail_field(e->c, ERR_EXISTS, STR("name"),
					 "Named metric %" STR_FMT " already exists", STR_ARG(wish->name))
			: OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_metric_create *a = args;
	TRY(take_policy(e, &a->wish));
	if (a->of_resource.n && !a->wish.name.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("name"), "A metric of a resource needs a name.");
	return a->of_resource.n ? take_resource(e, a->of_resource, &a->wish) : OK;
}

static RESULT answer_create(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct os_metric_create *) args)->wish.metric, &row));
	call_set_answer_header(e->call, "Location",
			       str_print(e->c->arena, "%" STR_FMT "/v1/metric/%" STR_FMT,
					 STR_ARG(os_service_url(e, OS_METRIC)),
					 STR_ARG(uuid_to_str(e->c->arena, row->id))));
	os_metric_write(e, w, NULL, &(struct os_metric){.row = metric_of(row)}, false);
	return OK;
}

/* {"name": {"archive_policy_name": "low"}}: one metric a call. */
static const struct param create_of_params[] = {
	OS_PATH_NAME(struct os_metric_create, "resource_id", resource, .max = 255, .doc = "The resource."),
};

static struct str text_of(struct os_call *e, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? str_copy(e->c->arena, (struct str){json_string_value(value),
									  json_string_length(value)})
				     : STR_NONE;
}

static RESULT read_definition(struct os_call *e, const json_t *body, struct gnocchi_metric_wish *wish)
{
	const char *key;
	json_t *value;
	if (json_object_size(body) != 1)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("metrics"),
				      "Invalid input: a call creates one metric.");
	json_object_foreach ((json_t *) (uintptr_t) body, key, value) {
		wish->name = str_copy(e->c->arena, str_cut(str_from(key), 255));
		wish->unit = str_cut(text_of(e, value, "unit"), 31);
		wish->archive_policy = text_of(e, value, "archive_policy_name");
	}
	return OK;
}

static RESULT prepare_create_of(struct os_call *e, void *args)
{
	struct os_metric_create *a = args;
	json_t *body = json_loadb(e->call->body.p, e->call->body.n, 0, NULL);
	struct result result = read_definition(e, body, &a->wish);
	json_decref(body);
	TRY(result);
	TRY(take_policy(e, &a->wish));
	return take_resource(e, a->resource, &a->wish);
}

static RESULT answer_create_of(struct os_call *e, const void *args, struct json_writer *w)
{
	json_write_open_list(w, NULL);
	TRY(answer_create(e, args, w));
	json_write_close_list(w);
	return OK;
}

#define ALL "/v1/metric"
#define ONE ALL "/{metric_id}"
#define OF "/v1/resource/generic/{resource_id}/metric"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "metric:list_metric", .flags = OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_metric_list, list_params), .answer = list_metrics,
	 .doc = "Metrics of the project."},
	{HTTP_POST, ALL, .permit = "metric:create_metric", .flags = API_WRITES | OS_IN_PLACE, .status = 201,
	 .args = OS_PARAMS(struct os_metric_create, create_params), .prepare = prepare_create,
	 .operation = engine_create_gnocchi_metric_run, .returns = KIND_METRIC, .answer = answer_create,
	 .doc = "Creates a metric."},
	{HTTP_GET, ONE, .permit = "metric:get_metric", .flags = OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_metric_target, id_params), .answer = show_metric, .doc = "One metric."},
	{HTTP_DELETE, ONE, .permit = "metric:delete_metric", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_metric_target, id_params), .prepare = prepare_delete,
	 .operation = engine_delete_gnocchi_metric_run, .doc = "Deletes a metric with its measures."},
	{HTTP_POST, OF, .permit = "metric:create_metric", .flags = API_WRITES | OS_RAW_BODY | OS_IN_PLACE,
	 .status = 201, .args = OS_PARAMS(struct os_metric_create, create_of_params),
	 .prepare = prepare_create_of, .operation = engine_create_gnocchi_metric_run, .returns = KIND_METRIC,
	 .answer = answer_create_of, .doc = "Creates a metric of a resource."},
	{HTTP_GET, OF "/{metric_name}", .permit = "metric:get_metric", .flags = OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_metric_target, name_params), .answer = show_metric,
	 .doc = "One metric of a resource."},
	{HTTP_DELETE, OF "/{metric_name}", .permit = "metric:delete_metric", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_metric_target, name_params), .prepare = prepare_delete,
	 .operation = engine_delete_gnocchi_metric_run, .doc = "Deletes a metric of a resource."},
	{HTTP_GET, "/v1/archive_policy", .permit = "metric:list_archive_policy", .flags = OS_IN_PLACE,
	 .args = OS_NO_PARAMS, .answer = list_policies, .doc = "Archive policies, which are fixed."},
	{HTTP_GET, "/v1/archive_policy/{name}", .permit = "metric:list_archive_policy", .flags = OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_metric_named, policy_params), .answer = show_policy,
	 .doc = "One archive policy."},
	{HTTP_GET, "/v1/archive_policy_rule", .permit = "metric:list_archive_policy", .flags = OS_IN_PLACE,
	 .args = OS_NO_PARAMS, .answer = list_nothing, .doc = "Rules that choose archive policies: none."},
};
const struct os_actions os_metric_actions = OS_ACTIONS(OS_METRIC, actions);
