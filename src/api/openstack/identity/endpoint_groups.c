/* SPDX-License-Identifier: Apache-2.0
 * Endpoints visible to a project (OS-EP-FILTER): single endpoints, and all that match an endpoint group. A
 * project without associations sees all endpoints. Source: Identity API reference, "OS-EP-FILTER", and
 * Keystone's source. */
#include <jansson.h>

#include "api/openstack/core/write.h"
#include "api/openstack/identity/catalog_entries.h"
#include "base/uuid_asked.h"
#include "engine/people/catalog.h"
#include "store/catalog_entry.h"

/* ---- groups ---- */

struct os_group_change {
	struct catalog_wish wish;
	struct str id, name, description, filters;
	struct str interface, region;
	uuid service;
	bool has_name, has_description;
};
#define P(wire, member, ...)                                                                                 \
	OS_BODY(struct os_group_change, wire, member,                                                        \
		.given = offsetof(struct os_group_change, has_##member) + 1, __VA_ARGS__)
#define GROUP                                                                                                \
	OS_PATH(struct os_group_change, "endpoint_group_id", id, .max = 255, .doc = "The endpoint group.")
#define GROUP_WORDS(...)                                                                                     \
	P("name", name, .min = 1, .max = 255, .doc = "Name.", __VA_ARGS__),                                  \
		P("description", description, .flags = NULLABLE, .doc = "Description: free text."),          \
		OS_BODY_JSON(struct os_group_change, "filters", filters,                                     \
			     .doc = "Filters for its endpoints: service_id, region_id and interface.",       \
			     __VA_ARGS__)
static const struct param create_group_params[] = {GROUP_WORDS(.flags = REQUIRED)};
static const struct param update_group_params[] = {GROUP, GROUP_WORDS()};
static const struct param group_params[] = {GROUP};
#undef P

static RESULT fail_filter(struct os_call *e)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("filters"),
			      "Expecting to find service_id or region_id or interface in endpoint_group.");
}

static RESULT take_filter(struct os_call *e, struct os_group_change *a, const char *key, const json_t *value)
{
	enum { VALUE_MAX_BYTES = 255 };
	struct str text =
		json_is_string(value) ? str_copy(e->c->arena, str_from(json_string_value(value))) : STR_NONE;
	if (str_is_empty(text) || text.n > VALUE_MAX_BYTES)
		return fail_filter(e);
	if (strcmp(key, "service_id") == 0)
		return result_is_ok(uuid_parse_asked(text, &a->service)) ? OK : fail_filter(e);
	if (strcmp(key, "region_id") == 0)
		a->region = text;
	else if (strcmp(key, "interface") == 0)
		a->interface = text;
	else
		return fail_filter(e);
	return OK;
}

static RESULT take_filters(struct os_call *e, struct os_group_change *a, json_t *filters)
{
	const char *key;
	json_t *value;
	if (!json_is_object(filters))
		return fail_filter(e);
	json_object_foreach (filters, key, value)
		TRY(take_filter(e, a, key, value));
	return OK;
}

/* The filters sent replace the present ones as a whole. */
static RESULT read_filters(struct os_call *e, struct os_group_change *a)
{
	if (str_is_empty(a->filters))
		return OK;
	json_t *filters = json_loadb(a->filters.p, a->filters.n, JSON_DECODE_ANY, NULL);
	struct result result = take_filters(e, a, filters);
	json_decref(filters);
	a->wish.service = &a->service;
	a->wish.interface = &a->interface;
	a->wish.region = &a->region;
	return result;
}

static RESULT prepare_group(struct os_call *e, void *args)
{
	struct os_group_change *a = args;
	audit_add_subject(e->audit, "name", a->name);
	a->wish.what = CATALOG_ENTRY_WHAT_ENDPOINT_GROUP;
	a->wish.id = a->id;
	a->wish.own_region = e->config->region;
	a->wish.name = a->has_name ? &a->name : NULL;
	a->wish.description = a->has_description ? &a->description : NULL;
	return read_filters(e, a);
}

static RESULT prepare_new_group(struct os_call *e, void *args)
{
	struct os_group_change *a = args;
	if (str_is(a->filters, "{}"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("filters"),
				      "filters field is required and cannot be empty");
	return prepare_group(e, a);
}

static RESULT show_changed_group(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct os_group_change *) args)->wish.entry, &row));
	os_write_catalog_entry(e, w, catalog_entry_of(row));
	return OK;
}

static RESULT list_groups(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "endpoint_groups");
	os_write_catalog_entries(e, w, CATALOG_ENTRY_WHAT_ENDPOINT_GROUP);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT show_group(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_show_catalog_entry(e, CATALOG_ENTRY_WHAT_ENDPOINT_GROUP,
				     ((const struct os_group_change *) args)->id, w);
}

static RESULT find_group(struct os_call *e, struct str id, const struct catalog_entry **ret_group)
{
	*ret_group = engine_find_catalog_entry(os_tables(e), CATALOG_ENTRY_WHAT_ENDPOINT_GROUP, id);
	return *ret_group ? OK
			  : ctx_fail(e->c, ERR_NOT_FOUND, "Could not find Endpoint Group: %" STR_FMT ".",
				     STR_ARG(id));
}

/* ---- who has what ---- */

struct os_endpoint_giving {
	struct endpoint_association wish;
	struct str endpoint; /* endpoint's id; empty: a group is associated */
};
#define PROJECT                                                                                              \
	OS_PATH(struct os_endpoint_giving, "project_id", wish.account, .kind = KIND_ACCOUNT,                 \
		.doc = "The project.")
#define GIVEN_GROUP                                                                                          \
	OS_PATH(struct os_endpoint_giving, "endpoint_group_id", wish.group, .max = 255,                      \
		.doc = "The endpoint group.")
#define GIVEN_ENDPOINT                                                                                       \
	OS_PATH(struct os_endpoint_giving, "endpoint_id", endpoint, .max = 255, .doc = "The endpoint.")
static const struct param give_group_params[] = {GIVEN_GROUP, PROJECT};
static const struct param give_endpoint_params[] = {PROJECT, GIVEN_ENDPOINT};
static const struct param given_group_params[] = {GIVEN_GROUP};
static const struct param given_endpoint_params[] = {GIVEN_ENDPOINT};
static const struct param project_params[] = {PROJECT};

static RESULT read_endpoint(struct os_call *e, struct os_endpoint_giving *a)
{
	if (str_is_empty(a->endpoint))
		return OK;
	a->wish.is_own_endpoint = os_is_own_endpoint(e, a->endpoint);
	bool is_there = a->wish.is_own_endpoint ||
			engine_find_catalog_entry(os_tables(e), CATALOG_ENTRY_WHAT_ENDPOINT, a->endpoint);
	return is_there && result_is_ok(uuid_parse_asked(a->endpoint, &a->wish.endpoint))
		       ? OK
		       : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_CATALOG_ENTRY,
				       "Could not find endpoint: %" STR_FMT ".", STR_ARG(a->endpoint));
}

static RESULT prepare_give(struct os_call *e, void *args)
{
	struct os_endpoint_giving *a = args;
	audit_add_subject(e->audit, "endpoint", a->endpoint);
	a->wish.is_in = true;
	return read_endpoint(e, a);
}

static RESULT prepare_take(struct os_call *e, void *args)
{
	struct os_endpoint_giving *a = args;
	audit_add_subject(e->audit, "endpoint", a->endpoint);
	return read_endpoint(e, a);
}

/* ERR_NOT_FOUND: the group, or the single endpoint, is not associated with the project. */
static RESULT check_given(struct os_call *e, void *args)
{
	struct os_endpoint_giving *a = args;
	const struct catalog_entry *entry = NULL;
	const struct row *account = NULL;
	TRY(os_find(e, KIND_ACCOUNT, &a->wish.account, &account));
	TRY(read_endpoint(e, a));
	if (a->wish.group.n)
		TRY(find_group(e, a->wish.group, &entry));
	else
		entry = engine_find_endpoint_access(os_tables(e), a->wish.endpoint);
	return entry && engine_is_endpoint_filter(entry, account->id)
		       ? OK
		       : ctx_fail(e->c, ERR_NOT_FOUND,
				  "Could not find what gives the endpoints to the project.");
}

static RESULT show_given_group(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_endpoint_giving *a = args;
	const struct catalog_entry *group = NULL;
	TRY(find_group(e, a->wish.group, &group));
	struct str id = str_encode_hex(e->c->arena, group->row.id.b, sizeof group->row.id.b);
	struct str project = str_encode_hex(e->c->arena, a->wish.account.prefix.b, sizeof(uuid));
	json_write_text(w, "endpoint_group_id", id);
	json_write_text(w, "project_id", project);
	json_write_open(w, "links");
	json_write_text(w, "self",
			str_print(e->c->arena,
				  "/OS-EP-FILTER/endpoint_groups/%" STR_FMT "/projects/%" STR_FMT,
				  STR_ARG(id), STR_ARG(project)));
	json_write_close(w);
	return OK;
}

static RESULT list_accounts(struct os_call *e, const struct catalog_entry *entry, struct json_writer *w)
{
	size_t count = entry ? entry->accounts.count : 0, found = 0;
	const struct row **rows = arena_new_array(e->c->arena, const struct row *, count + 1);
	if (!rows)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++) {
		const struct row *account = tables_find(os_tables(e), KIND_ACCOUNT, entry->accounts.at[k]);
		if (account)
			rows[found++] = account;
	}
	return os_list_rows(e, "projects", rows, found, os_write_project, w);
}

static RESULT list_projects_of_group(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct catalog_entry *group = NULL;
	TRY(find_group(e, ((const struct os_endpoint_giving *) args)->wish.group, &group));
	return list_accounts(e, group, w);
}

static RESULT prepare_endpoint(struct os_call *e, void *args)
{
	return read_endpoint(e, args);
}

static RESULT list_projects_of_endpoint(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_endpoint_giving *a = args;
	return list_accounts(e, engine_find_endpoint_access(os_tables(e), a->wish.endpoint), w);
}

static RESULT list_endpoints(struct os_call *e, const struct os_endpoint_filter *filter,
			     struct json_writer *w)
{
	json_write_open_list(w, "endpoints");
	os_write_fitting_endpoints(e, w, filter);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT list_endpoints_of_group(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct catalog_entry *group = NULL;
	TRY(find_group(e, ((const struct os_endpoint_giving *) args)->wish.group, &group));
	return list_endpoints(e, &(struct os_endpoint_filter){&group, 1}, w);
}

static RESULT list_endpoints_of_project(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *account = NULL;
	struct os_endpoint_filter filter;
	TRY(os_find(e, KIND_ACCOUNT, &((const struct os_endpoint_giving *) args)->wish.account, &account));
	TRY(os_read_endpoint_filter(e, account->id, &filter));
	return list_endpoints(e, &filter, w);
}

static RESULT list_groups_of_project(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *account = NULL;
	struct os_endpoint_filter filter;
	TRY(os_find(e, KIND_ACCOUNT, &((const struct os_endpoint_giving *) args)->wish.account, &account));
	TRY(os_read_endpoint_filter(e, account->id, &filter));
	json_write_open_list(w, "endpoint_groups");
	for (size_t k = 0; k < filter.count; k++) {
		if (filter.at[k]->what != CATALOG_ENTRY_WHAT_ENDPOINT_GROUP)
			continue;
		json_write_open(w, NULL);
		os_write_catalog_entry(e, w, filter.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

/* ---- the calls ---- */

#define GROUPS "/v3/OS-EP-FILTER/endpoint_groups"
#define ONE GROUPS "/{endpoint_group_id}"
#define GIVEN ONE "/projects/{project_id}"
#define PROJECTS "/v3/OS-EP-FILTER/projects/{project_id}"
#define GIVEN_ONE PROJECTS "/endpoints/{endpoint_id}"
#define OF_GROUP(rows) OS_PARAMS(struct os_group_change, rows)
#define GIVING(rows) OS_PARAMS(struct os_endpoint_giving, rows)
static const struct os_action actions[] = {
	{HTTP_GET, GROUPS, .permit = "identity:list_endpoint_groups", .args = OS_NO_PARAMS,
	 .answer = list_groups, .doc = "Lists endpoint groups."},
	{HTTP_POST, GROUPS, .permit = "identity:create_endpoint_group", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201, .args = OF_GROUP(create_group_params), .wrap = "endpoint_group",
	 .item = "endpoint_group", .prepare = prepare_new_group, .operation = engine_create_catalog_entry_run,
	 .returns = KIND_CATALOG_ENTRY, .answer = show_changed_group, .doc = "Creates an endpoint group."},
	{HTTP_GET, ONE, .permit = "identity:get_endpoint_group", .args = OF_GROUP(group_params),
	 .item = "endpoint_group", .answer = show_group, .doc = "Shows one endpoint group."},
	{HTTP_PATCH, ONE, .permit = "identity:update_endpoint_group", .flags = API_WRITES | OS_UNSCOPED,
	 .args = OF_GROUP(update_group_params), .wrap = "endpoint_group", .item = "endpoint_group",
	 .prepare = prepare_group, .operation = engine_update_catalog_entry_run,
	 .returns = KIND_CATALOG_ENTRY, .answer = show_changed_group, .doc = "Changes an endpoint group."},
	{HTTP_DELETE, ONE, .permit = "identity:delete_endpoint_group", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OF_GROUP(group_params), .prepare = prepare_group,
	 .operation = engine_delete_catalog_entry_run, .doc = "Deletes an endpoint group."},
	{HTTP_GET, ONE "/endpoints", .permit = "identity:list_endpoints_associated_with_endpoint_group",
	 .args = GIVING(given_group_params), .answer = list_endpoints_of_group,
	 .doc = "Lists the endpoints that match an endpoint group."},
	{HTTP_GET, ONE "/projects", .permit = "identity:list_projects_associated_with_endpoint_group",
	 .args = GIVING(given_group_params), .answer = list_projects_of_group,
	 .doc = "Lists the projects associated with an endpoint group."},
	{HTTP_GET, GIVEN, .permit = "identity:get_endpoint_group_in_project",
	 .args = GIVING(give_group_params), .item = "project_endpoint_group", .prepare = check_given,
	 .answer = show_given_group, .doc = "Checks whether a project is associated with an endpoint group."},
	{HTTP_PUT, GIVEN, .permit = "identity:add_endpoint_group_to_project",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = GIVING(give_group_params),
	 .prepare = prepare_give, .operation = engine_associate_endpoints_run,
	 .doc = "Associates an endpoint group with a project, whose catalog then no longer lists all "
		"endpoints."},
	{HTTP_DELETE, GIVEN, .permit = "identity:remove_endpoint_group_from_project",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = GIVING(give_group_params),
	 .prepare = prepare_take, .operation = engine_associate_endpoints_run,
	 .doc = "Removes the association of an endpoint group with a project."},
	{HTTP_GET, PROJECTS "/endpoint_groups", .permit = "identity:list_endpoint_groups_for_project",
	 .args = GIVING(project_params), .answer = list_groups_of_project,
	 .doc = "Lists the endpoint groups associated with a project."},
	{HTTP_GET, PROJECTS "/endpoints", .permit = "identity:list_endpoints_for_project",
	 .args = GIVING(project_params), .answer = list_endpoints_of_project,
	 .doc = "Lists the endpoints associated with a project."},
	{HTTP_GET, GIVEN_ONE, .permit = "identity:check_endpoint_in_project", .status = 204,
	 .args = GIVING(give_endpoint_params), .prepare = check_given,
	 .doc = "Checks whether a project is associated with an endpoint directly."},
	{HTTP_PUT, GIVEN_ONE, .permit = "identity:add_endpoint_to_project", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = GIVING(give_endpoint_params), .prepare = prepare_give,
	 .operation = engine_associate_endpoints_run,
	 .doc = "Associates an endpoint with a project, whose catalog then no longer lists all endpoints."},
	{HTTP_DELETE, GIVEN_ONE, .permit = "identity:remove_endpoint_from_project",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = GIVING(give_endpoint_params),
	 .prepare = prepare_take, .operation = engine_associate_endpoints_run,
	 .doc = "Removes the association of an endpoint with a project."},
	{HTTP_GET, "/v3/OS-EP-FILTER/endpoints/{endpoint_id}/projects",
	 .permit = "identity:list_projects_for_endpoint", .args = GIVING(given_endpoint_params),
	 .prepare = prepare_endpoint, .answer = list_projects_of_endpoint,
	 .doc = "Lists the projects associated with an endpoint directly."},
};
const struct os_actions os_endpoint_group_actions = OS_ACTIONS(OS_IDENTITY, actions);
