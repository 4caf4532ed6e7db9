/* SPDX-License-Identifier: Apache-2.0
 * Resources and their types. They follow from the rows of instances and volumes, and no call creates or changes one. The disks and
 * interfaces of an instance are one resource each, for figures are those of the guest. Sources: gnocchi.rest.api; Gnocchi's
 * documentation, "Resources". */
#include <stdlib.h>

#include "api/openstack/metric/metric.h"
#include "store/instance.h"
#include "store/volume.h"

/* ---- showing ---- */

static RESULT write_metric_id(struct os_call *e, void *arg, const struct os_metric *m)
{
	(void) e;
	json_write_key(arg, os_metric_name(m));
	json_write_uuid(arg, NULL, os_metric_id(m));
	return OK;
}

static void write_attribute(struct os_call *e, struct json_writer *w, const struct gnocchi_resource *r,
			    const char *name)
{
	struct str value = STR_NONE;
	if (gnocchi_read_attribute(e->c, os_tables(e), r, str_from(name), &value))
		json_write_text_or_null(w, name, value);
}

void os_metric_write_resource(struct os_call *e, struct json_writer *w, const char *key,
			      const struct gnocchi_resource *r)
{
	static const char *const shared[] = {"id",
					     "type",
					     "original_resource_id",
					     "project_id",
					     "user_id",
					     "creator",
					     "started_at",
					     "ended_at",
					     "revision_start",
					     "revision_end",
					     "created_by_project_id"};
	json_write_open(w, key);
	for (size_t k = 0; k < sizeof shared / sizeof *shared; k++)
		write_attribute(e, w, r, shared[k]);
	struct str user = STR_NONE;
	(void) gnocchi_read_attribute(e->c, os_tables(e), r, STR("user_id"), &user);
	json_write_text(w, "created_by_user_id", user);
	const char *name;
	for (size_t k = 0; (name = gnocchi_attribute_name(r->type, k)); k++)
		write_attribute(e, w, r, name);
	json_write_open(w, "metrics");
	IGNORE(os_metric_each_of(e, r, write_metric_id, w));
	json_write_close(w);
	json_write_close(w);
}

/* ---- lists and searches ---- */

struct resources { /* a VEC */
	struct gnocchi_resource *at;
	size_t count, capacity;
};

static int compare(const void *a, const void *b)
{
	return uuid_compare(((const struct gnocchi_resource *) a)->id,
			    ((const struct gnocchi_resource *) b)->id);
}

struct os_resource_list {
	struct str type, marker, filter, details;
	int64_t limit;
};
#define LIST_PARAMS                                                                                          \
	OS_PATH_NAME(struct os_resource_list, "resource_type", type, .max = 64,                              \
		     .doc = "Type of the resources; generic: any."),                                         \
		OS_QUERY(struct os_resource_list, "limit", limit, .min = 1, .max = 10000, .absent = "1000",  \
			 .doc = "Resources of a page."),                                                     \
		OS_QUERY(struct os_resource_list, "marker", marker, .max = 64,                               \
			 .doc = "Last resource of the page before."),                                        \
		OS_QUERY(struct os_resource_list, "details", details, .max = 8,                              \
			 .doc = "Resources are shown whole in any case."),                                   \
		OS_UNBUILT("history|sort|attrs")
static const struct param list_params[] = {LIST_PARAMS};
static const struct param search_params[] = {
	LIST_PARAMS,
	OS_QUERY(struct os_resource_list, "filter", filter, .max = JSON_SEARCH_MAX,
		 .doc = "Search as text; searches in JSON are in the body."),
};

static RESULT add_fitting(struct os_call *e, const struct json_search *search, const json_t *query,
			  const struct gnocchi_resource *r, struct resources *found)
{
	if (query && !json_search_fits(e->c, query, search, r))
		return OK;
	return VEC_PUSH(e->c->arena, found, *r) ? OK : ctx_no_memory(e->c);
}

static RESULT collect(struct os_call *e, enum gnocchi_type type, const json_t *query, struct resources *found)
{
	struct gnocchi_search of = {e->c, os_tables(e), type};
	const struct json_search search = gnocchi_search_of(&of);
	struct gnocchi_resource r;
	uuid account = e->c->who->account;
	for (const struct instance *i = instance_first_by_account(os_tables(e), account); i;
	     i = instance_next_by_account(os_tables(e), i))
		for (enum gnocchi_type k = 0; k < GNOCCHI_VOLUME; k++)
			if ((type == GNOCCHI_TYPES || type == k) && gnocchi_of_instance(i, k, &r))
				TRY(add_fitting(e, &search, query, &r, found));
	for (const struct volume *v = volume_first_by_account(os_tables(e), account);
	     v && (type == GNOCCHI_TYPES || type == GNOCCHI_VOLUME);
	     v = volume_next_by_account(os_tables(e), v)) {
		if (!row_is_live(&v->row))
			continue;
		gnocchi_of_volume(v, &r);
		TRY(add_fitting(e, &search, query, &r, found));
	}
	return OK;
}

/* In order of ids, so that pages follow each other. */
static RESULT write_list(struct os_call *e, const struct os_resource_list *a, const json_t *query,
			 struct json_writer *w)
{
	struct resources found = {0};
	enum gnocchi_type type;
	uuid marker = UUID_NONE;
	int64_t shown = 0;
	if (!gnocchi_read_type(a->type, &type))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Resource type %" STR_FMT " does not exist",
				STR_ARG(a->type));
	if (a->marker.n && !result_is_ok(uuid_parse(a->marker, &marker)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("marker"), "Invalid pagination: '%" STR_FMT "'",
				      STR_ARG(a->marker));
	TRY(collect(e, type, query, &found));
	if (found.count > 1)
		qsort(found.at, found.count, sizeof *found.at, compare);
	json_write_open_list(w, NULL);
	for (size_t k = 0; k < found.count && shown < a->limit; k++) {
		if (a->marker.n && uuid_compare(found.at[k].id, marker) <= 0)
			continue;
		os_metric_write_resource(e, w, NULL, &found.at[k]);
		shown++;
	}
	json_write_close_list(w);
	return OK;
}

static RESULT list_resources(struct os_call *e, const void *args, struct json_writer *w)
{
	return write_list(e, args, NULL, w);
}

static size_t find_text(struct str s, struct str part)
{
	for (size_t k = 0; k + part.n <= s.n; k++)
		if (!memcmp(s.p + k, part.p, part.n))
			return k;
	return s.n;
}

RESULT os_metric_read_filter(struct os_call *e, struct str text, json_t **ret_query)
{
	static const char *const operators[] = {"!=", ">=", "<=", "=", "<", ">", " like "};
	json_t *all = json_array();
	struct str rest = text;
	*ret_query = json_pack("{so}", "and", all);
	while (rest.n) {
		size_t end = find_text(rest, STR(" and ")), at = 0, k = 0;
		struct str part = str_trim(str_slice(rest, 0, end));
		rest = end < rest.n ? str_slice(rest, end + 5, rest.n) : STR_NONE;
		for (; k < sizeof operators / sizeof *operators; k++)
			if ((at = find_text(part, str_from(operators[k]))) < part.n)
				break;
		if (k == sizeof operators / sizeof *operators || str_find_char(part, '(', 0) < part.n ||
		    find_text(part, STR(" or ")) < part.n)
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("filter"),
				"Invalid filter: only comparisons with \"and\" between them are "
				"supported; send the search as JSON.");
		struct str name = str_trim(str_slice(part, 0, at)),
			   value = str_trim(str_slice(part, at + strlen(operators[k]), part.n)),
			   word = str_trim(str_from(operators[k]));
		bool is_null = str_is(value, "null") || str_is(value, "None");
		if (value.n > 1 && (value.p[0] == '"' || value.p[0] == '\''))
			value = str_slice(value, 1, value.n - 1);
		json_t *pair = json_object(), *made = json_object();
		(void) json_object_setn_new(pair, name.p, name.n,
					    is_null ? json_null() : json_stringn(value.p, value.n));
		(void) json_object_setn_new(made, word.p, word.n, pair);
		(void) json_array_append_new(all, made);
	}
	return OK;
}

static RESULT search_resources(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_resource_list *a = args;
	struct str body = str_trim(e->call->body);
	enum gnocchi_type type = GNOCCHI_TYPES;
	(void) gnocchi_read_type(a->type, &type);
	struct gnocchi_search of = {e->c, os_tables(e), type};
	const struct json_search search = gnocchi_search_of(&of);
	json_t *query = NULL;
	struct result result = OK;
	if (a->filter.n) {
		result = os_metric_read_filter(e, a->filter, &query);
		if (result_is_ok(result))
			result = json_search_check(e->c, query, &search);
	} else if (body.n) {
		result = json_search_read(e->c, body, &search, &query);
	}
	if (result_is_ok(result))
		result = write_list(e, a, query, w);
	json_decref(query);
	return result;
}

/* ---- one resource ---- */

struct os_resource_target {
	struct str type, id;
};
static const struct param target_params[] = {
	OS_PATH_NAME(struct os_resource_target, "resource_type", type, .max = 64,
		     .doc = "Type of the resource; generic: any."),
	OS_PATH_NAME(struct os_resource_target, "resource_id", id, .max = 255,
		     .doc = "The resource: its id, or the id of its origin."),
};

static RESULT show_resource(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_resource_target *a = args;
	struct gnocchi_resource r;
	TRY(os_metric_find_resource(e, a->type, a->id, &r));
	os_metric_write_resource(e, w, NULL, &r);
	return OK;
}

static RESULT write_metric(struct os_call *e, void *arg, const struct os_metric *m)
{
	os_metric_write(e, arg, NULL, m, false);
	return OK;
}

static RESULT list_metrics_of(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_resource_target *a = args;
	struct gnocchi_resource r;
	TRY(os_metric_find_resource(e, a->type, a->id, &r));
	json_write_open_list(w, NULL);
	TRY(os_metric_each_of(e, &r, write_metric, w));
	json_write_close_list(w);
	return OK;
}

/* ---- types ---- */

static void write_type(struct json_writer *w, enum gnocchi_type type)
{
	const char *name;
	json_write_open(w, NULL);
	json_write_z(w, "name", type == GNOCCHI_TYPES ? "generic" : gnocchi_type_word(type));
	json_write_z(w, "state", "active");
	json_write_open(w, "attributes");
	for (size_t k = 0; type < GNOCCHI_TYPES && (name = gnocchi_attribute_name(type, k)); k++) {
		json_write_open(w, name);
		json_write_z(w, "type", "string");
		json_write_bool(w, "required", false);
		json_write_int(w, "min_length", 0);
		json_write_int(w, "max_length", 255);
		json_write_close(w);
	}
	json_write_close(w);
	json_write_close(w);
}

static RESULT list_types(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, NULL);
	for (enum gnocchi_type k = 0; k <= GNOCCHI_TYPES; k++)
		write_type(w, k);
	json_write_close_list(w);
	return OK;
}

struct os_resource_type {
	struct str name;
};
static const struct param type_params[] = {
	OS_PATH_NAME(struct os_resource_type, "name", name, .max = 64, .doc = "Name of the type.")};

static RESULT show_type(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str name = ((const struct os_resource_type *) args)->name;
	enum gnocchi_type type;
	if (!gnocchi_read_type(name, &type))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Resource type %" STR_FMT " does not exist",
				STR_ARG(name));
	write_type(w, type);
	return OK;
}

#define ALL "/v1/resource/{resource_type}"
#define ONE ALL "/{resource_id}"
#define READS(where, allowed, rows, T, shown, words)                                                         \
	{                                                                                                    \
		HTTP_GET, where, .permit = "metric:" allowed, .flags = OS_IN_PLACE,                          \
				 .args = OS_PARAMS(T, rows), .answer = (shown), .doc = (words)               \
	}
static const struct os_action actions[] = {
	READS(ALL, "list_resource", list_params, struct os_resource_list, list_resources,
	      "Resources of a type."),
	READS(ONE, "get_resource", target_params, struct os_resource_target, show_resource, "One resource."),
	READS(ONE "/metric", "get_resource", target_params, struct os_resource_target, list_metrics_of,
	      "Metrics of a resource."),
	{HTTP_POST, "/v1/search/resource/{resource_type}", .permit = "metric:search_resource",
	 .flags = OS_RAW_BODY | OS_IN_PLACE, .args = OS_PARAMS(struct os_resource_list, search_params),
	 .answer = search_resources, .doc = "Resources that a search finds."},
	{HTTP_GET, "/v1/resource_type", .permit = "metric:list_resource_type", .flags = OS_IN_PLACE,
	 .args = OS_NO_PARAMS, .answer = list_types, .doc = "Types of resources, which are fixed."},
	READS("/v1/resource_type/{name}", "list_resource_type", type_params, struct os_resource_type,
	      show_type, "One type of resources."),
};
const struct os_actions os_metric_resource_actions = OS_ACTIONS(OS_METRIC, actions);
