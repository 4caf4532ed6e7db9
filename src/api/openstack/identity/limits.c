/* SPDX-License-Identifier: Apache-2.0
 * Keystone's unified limits. Those of resources that Dari counts are the quotas of projects. Source: Identity API
 * reference, "Unified limits"; keystone.api.limits and keystone.limit. */
#include "api/openstack/core/write.h"
#include "api/openstack/identity/catalog_entries.h"
#include "engine/people/unified_limit.h"
#include "store/project_limit.h"
#include "store/registered_limit.h"

enum { LIMIT_VALUE_MAX = INT32_MAX };

/* ---- what is shown ---- */

static void write_text_or_null(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		json_write_text(w, key, text);
	else
		json_write_null(w, key);
}

static void write_resource(struct json_writer *w, const struct registered_limit *limit)
{
	os_write_hex(w, "service_id", limit->service);
	write_text_or_null(w, "region_id", limit->region);
	json_write_text(w, "resource_name", limit->name);
}

static void write_registered(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct registered_limit *limit = item;
	os_write_hex(w, "id", limit->row.id);
	write_resource(w, limit);
	json_write_int(w, "default_limit", engine_get_registered_limit(os_tables(e), limit));
	write_text_or_null(w, "description", limit->description);
	os_write_self(e, w, "registered_limits", limit->row.id);
}

static void write_limit(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct project_limit *limit = item;
	const struct registered_limit *registered = registered_limit_find(os_tables(e), limit->registered);
	os_write_hex(w, "id", limit->row.id);
	os_write_hex(w, "project_id", limit->account);
	if (uuid_is_none(limit->domain))
		json_write_null(w, "domain_id");
	else
		os_write_domain_id(w, "domain_id", limit->domain);
	if (registered)
		write_resource(w, registered);
	json_write_int(w, "resource_limit", engine_get_project_limit(os_tables(e), limit));
	write_text_or_null(w, "description", limit->description);
	os_write_self(e, w, "limits", limit->row.id);
}

/* ---- lists ---- */

struct list_args {
	struct str service, region, name, project, domain;
};
#define RESOURCE_QUERIES                                                                                     \
	OS_QUERY(struct list_args, "service_id", service, .doc = "Limits of this service."),                 \
		OS_QUERY(struct list_args, "region_id", region, .doc = "Limits of this region."),            \
		OS_QUERY(struct list_args, "resource_name", name, .doc = "Limits of this resource.")
static const struct param registered_queries[] = {RESOURCE_QUERIES};
static const struct param limit_queries[] = {
	RESOURCE_QUERIES,
	OS_QUERY(struct list_args, "project_id", project, .doc = "Limits of this project."),
	OS_QUERY(struct list_args, "domain_id", domain, .doc = "Limits of this domain."),
};

static bool is_asked_id(struct str text, enum kind kind, uuid id)
{
	struct ref ref;
	return !text.n || (os_parse_id(text, kind, &ref) && uuid_equal(ref.prefix, id));
}

static bool fits_resource(const struct list_args *a, const struct registered_limit *limit)
{
	return is_asked_id(a->service, KIND_CATALOG_ENTRY, limit->service) &&
	       (!a->region.n || str_equal(a->region, limit->region)) &&
	       (!a->name.n || str_equal(a->name, limit->name));
}

static RESULT list_registered(struct os_call *e, const void *args, struct json_writer *w)
{
	VEC(const struct row *) rows = {0};
	const struct tables *t = os_tables(e);
	for (const struct registered_limit *l = registered_limit_first(t); l; l = registered_limit_next(t, l))
		if (fits_resource(args, l) && !VEC_PUSH(e->c->arena, &rows, &l->row))
			return ctx_no_memory(e->c);
	return os_list_rows(e, "registered_limits", rows.at, rows.count, write_registered, w);
}

/* Others than administrators see the limits of their own project. */
static bool may_see(struct os_call *e, const struct project_limit *limit)
{
	return os_is_admin(e) ||
	       (!uuid_is_none(limit->account) && uuid_equal(limit->account, e->c->who->account));
}

static RESULT list_limits(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	VEC(const struct row *) rows = {0};
	const struct tables *t = os_tables(e);
	for (const struct project_limit *l = project_limit_first(t); l; l = project_limit_next(t, l)) {
		const struct registered_limit *registered = registered_limit_find(t, l->registered);
		if (may_see(e, l) && registered && fits_resource(a, registered) &&
		    is_asked_id(a->project, KIND_ACCOUNT, l->account) &&
		    is_asked_id(a->domain, KIND_DOMAIN, l->domain) && !VEC_PUSH(e->c->arena, &rows, &l->row))
			return ctx_no_memory(e->c);
	}
	return os_list_rows(e, "limits", rows.at, rows.count, write_limit, w);
}

static RESULT show_model(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_z(w, "name", "flat");
	json_write_z(w, "description",
		     "Limit enforcement and validation does not take project hierarchy into consideration.");
	return OK;
}

/* ---- one ---- */

struct os_registered_target {
	struct registered_limit_target wish;
};
#define REGISTERED_PATH(T, member)                                                                           \
	OS_PATH(T, "registered_limit_id", member, .kind = KIND_REGISTERED_LIMIT,                             \
		.doc = "The registered limit.")
static const struct param registered_params[] = {REGISTERED_PATH(struct os_registered_target, wish.limit)};

static RESULT show_registered(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_registered_target *a = args;
	const struct registered_limit *limit = registered_limit_find(os_tables(e), a->wish.limit.prefix);
	if (!limit)
		return engine_fail_not_found(e->c, KIND_REGISTERED_LIMIT, &a->wish.limit);
	write_registered(e, w, limit);
	return OK;
}

struct os_limit_target {
	struct project_limit_target wish;
};
#define LIMIT_PATH(T, member) OS_PATH(T, "limit_id", member, .kind = KIND_PROJECT_LIMIT, .doc = "The limit.")
static const struct param limit_params[] = {LIMIT_PATH(struct os_limit_target, wish.limit)};

static RESULT show_limit(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_limit_target *a = args;
	const struct project_limit *limit = project_limit_find(os_tables(e), a->wish.limit.prefix);
	if (!limit || !may_see(e, limit))
		return engine_fail_not_found(e->c, KIND_PROJECT_LIMIT, &a->wish.limit);
	write_limit(e, w, limit);
	return OK;
}

/* ---- creation ---- */

/* Members that both kinds of limits have in bodies. */
struct os_limit_body {
	struct ref service, project, domain;
	struct str region, name, description;
	int64_t value;
};
#define RESOURCE_ROWS(needed)                                                                                \
	OS_BODY(struct os_limit_body, "service_id", service, .flags = (needed), .kind = KIND_CATALOG_ENTRY,  \
		.doc = "Service of the resource."),                                                          \
		OS_BODY(struct os_limit_body, "region_id", region, .flags = NULLABLE,                        \
			.doc = "Region of the service."),                                                    \
		OS_BODY(struct os_limit_body, "resource_name", name, .flags = (needed), .min = 1,            \
			.doc = "Name of the resource, such as servers."),                                    \
		OS_BODY(struct os_limit_body, "description", description, .flags = NULLABLE,                 \
			.doc = "Description: free text.")
static const struct param registered_body_rows[] = {
	RESOURCE_ROWS(REQUIRED),
	OS_BODY(struct os_limit_body, "default_limit", value, .flags = REQUIRED, .min = -1,
		.max = LIMIT_VALUE_MAX,
		.doc = "Limit of projects without a limit of their own; -1: unlimited."),
};
static const struct params registered_body = OS_PARAMS(struct os_limit_body, registered_body_rows);
static const struct param limit_body_rows[] = {
	RESOURCE_ROWS(REQUIRED),
	OS_BODY(struct os_limit_body, "project_id", project, .flags = NULLABLE, .kind = KIND_ACCOUNT,
		.doc = "Project of the limit; either this or domain_id."),
	OS_BODY(struct os_limit_body, "domain_id", domain, .flags = NULLABLE, .kind = KIND_DOMAIN,
		.doc = "Domain of the limit."),
	OS_BODY(struct os_limit_body, "resource_limit", value, .flags = REQUIRED, .min = -1,
		.max = LIMIT_VALUE_MAX, .doc = "The limit; -1: unlimited."),
};
static const struct params limit_body = OS_PARAMS(struct os_limit_body, limit_body_rows);

struct os_limit_bodies {
	const struct os_limit_body *at;
	size_t count;
};

static struct limited_resource resource_of(struct os_call *e, const struct ref *service, struct str region,
					   struct str name)
{
	return (struct limited_resource){.service = service->prefix,
					 .own_type = os_get_own_type(e, service->prefix),
					 .region = region,
					 .own_region = e->config->region,
					 .name = name};
}

struct os_create_registered {
	struct registered_limits_wish wish;
	struct os_limit_bodies body;
};
static const struct param create_registered_params[] = {
	OS_BODY_LIST(struct os_create_registered, "registered_limits", body, registered_body,
		     .flags = REQUIRED, .max = UNIFIED_LIMITS_OF_CALL_MAX, .doc = "The registered limits."),
};

static RESULT prepare_create_registered(struct os_call *e, void *args)
{
	struct os_create_registered *a = args;
	a->wish.count = a->body.count;
	a->wish.at = arena_new_array(e->c->arena, struct registered_limit_wish, a->body.count + 1);
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->body.count; k++) {
		const struct os_limit_body *b = &a->body.at[k];
		a->wish.at[k] = (struct registered_limit_wish){
			.resource = resource_of(e, &b->service, b->region, b->name),
			.value = b->value,
			.description = b->description};
	}
	return OK;
}

static RESULT show_created_registered(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_create_registered *a = args;
	json_write_open_list(w, "registered_limits");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct row *row = NULL;
		TRY(os_find_returned(e, a->wish.at[k].limit, &row));
		json_write_open(w, NULL);
		write_registered(e, w, row);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

struct os_create_limits {
	struct project_limits_wish wish;
	struct os_limit_bodies body;
};
static const struct param create_limits_params[] = {
	OS_BODY_LIST(struct os_create_limits, "limits", body, limit_body, .flags = REQUIRED,
		     .max = UNIFIED_LIMITS_OF_CALL_MAX, .doc = "The limits."),
};

static RESULT prepare_create_limits(struct os_call *e, void *args)
{
	struct os_create_limits *a = args;
	a->wish.count = a->body.count;
	a->wish.at = arena_new_array(e->c->arena, struct project_limit_wish, a->body.count + 1);
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->body.count; k++) {
		const struct os_limit_body *b = &a->body.at[k];
		if (ref_is_given(&b->project) == ref_is_given(&b->domain))
			return ctx_fail_field(e->c, ERR_INVALID, STR("limits"),
					      "A limit has either project_id or domain_id.");
		a->wish.at[k] = (struct project_limit_wish){
			.resource = resource_of(e, &b->service, b->region, b->name),
			.account = b->project,
			.domain = b->domain,
			.value = b->value,
			.description = b->description};
	}
	return OK;
}

static RESULT show_created_limits(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_create_limits *a = args;
	json_write_open_list(w, "limits");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct row *row = NULL;
		TRY(os_find_returned(e, a->wish.at[k].limit, &row));
		json_write_open(w, NULL);
		write_limit(e, w, row);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- changes ---- */

struct os_update_registered {
	struct registered_limit_change wish;
	struct ref service;
	struct str region, name, description;
	int64_t value;
	bool has_value, has_description;
};
#define GIVEN(T, member) (offsetof(T, member) + 1)
static const struct param update_registered_params[] = {
	REGISTERED_PATH(struct os_update_registered, wish.limit),
	OS_BODY(struct os_update_registered, "service_id", service, .kind = KIND_CATALOG_ENTRY,
		.doc = "Service of the resource."),
	OS_BODY(struct os_update_registered, "region_id", region, .flags = NULLABLE,
		.doc = "Region of the service."),
	OS_BODY(struct os_update_registered, "resource_name", name, .min = 1, .doc = "Name of the resource."),
	OS_BODY(struct os_update_registered, "default_limit", value, .min = -1, .max = LIMIT_VALUE_MAX,
		.given = GIVEN(struct os_update_registered, has_value),
		.doc = "Limit of projects without a limit of their own; -1: unlimited."),
	OS_BODY(struct os_update_registered, "description", description, .flags = NULLABLE,
		.given = GIVEN(struct os_update_registered, has_description),
		.doc = "Description: free text."),
};

static RESULT prepare_update_registered(struct os_call *e, void *args)
{
	struct os_update_registered *a = args;
	const struct registered_limit *limit = registered_limit_find(os_tables(e), a->wish.limit.prefix);
	struct ref service = a->service;
	if (!ref_is_given(&service) && limit)
		service.prefix = limit->service;
	a->wish.resource = resource_of(e, &service, a->region, a->name);
	a->wish.value = a->has_value ? &a->value : NULL;
	a->wish.description = a->has_description ? &a->description : NULL;
	return OK;
}

static RESULT show_updated_registered(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct os_update_registered *) args)->wish.limit.prefix, &row));
	write_registered(e, w, row);
	return OK;
}

struct os_update_limit {
	struct project_limit_change wish;
	struct str description;
	int64_t value;
	bool has_value, has_description;
};
static const struct param update_limit_params[] = {
	LIMIT_PATH(struct os_update_limit, wish.limit),
	OS_BODY(struct os_update_limit, "resource_limit", value, .min = -1, .max = LIMIT_VALUE_MAX,
		.given = GIVEN(struct os_update_limit, has_value), .doc = "The limit; -1: unlimited."),
	OS_BODY(struct os_update_limit, "description", description, .flags = NULLABLE,
		.given = GIVEN(struct os_update_limit, has_description), .doc = "Description: free text."),
};

static RESULT prepare_update_limit(struct os_call *e, void *args)
{
	struct os_update_limit *a = args;
	(void) e;
	a->wish.value = a->has_value ? &a->value : NULL;
	a->wish.description = a->has_description ? &a->description : NULL;
	return OK;
}

static RESULT show_updated_limit(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct os_update_limit *) args)->wish.limit.prefix, &row));
	write_limit(e, w, row);
	return OK;
}

#define REGISTERED "/v3/registered_limits"
#define LIMITS "/v3/limits"
#define CHANGES API_WRITES | OS_ADMIN
static const struct os_action actions[] = {
	{HTTP_GET, REGISTERED, .permit = "identity:list_registered_limits",
	 .args = OS_PARAMS(struct list_args, registered_queries), .answer = list_registered,
	 .doc = "Lists registered limits."},
	{HTTP_POST, REGISTERED, .permit = "identity:create_registered_limits", .flags = CHANGES,
	 .status = 201, .args = OS_PARAMS(struct os_create_registered, create_registered_params),
	 .prepare = prepare_create_registered, .operation = engine_create_registered_limits_run,
	 .answer = show_created_registered, .returns = KIND_REGISTERED_LIMIT,
	 .doc = "Creates registered limits. That of a resource with a quota is the quota's default."},
	{HTTP_GET, REGISTERED "/{registered_limit_id}", .permit = "identity:get_registered_limit",
	 .args = OS_PARAMS(struct os_registered_target, registered_params), .item = "registered_limit",
	 .answer = show_registered, .doc = "Shows one registered limit."},
	{HTTP_PATCH, REGISTERED "/{registered_limit_id}", .permit = "identity:update_registered_limit",
	 .flags = CHANGES, .args = OS_PARAMS(struct os_update_registered, update_registered_params),
	 .wrap = "registered_limit", .item = "registered_limit", .prepare = prepare_update_registered,
	 .operation = engine_update_registered_limit_run, .answer = show_updated_registered,
	 .returns = KIND_REGISTERED_LIMIT,
	 .doc = "Changes a registered limit of which no project has a limit of its own."},
	{HTTP_DELETE, REGISTERED "/{registered_limit_id}", .permit = "identity:delete_registered_limit",
	 .flags = CHANGES, .status = 204, .args = OS_PARAMS(struct os_registered_target, registered_params),
	 .operation = engine_delete_registered_limit_run,
	 .doc = "Deletes a registered limit of which no project has a limit of its own."},
	{HTTP_GET, LIMITS "/model", .permit = "identity:get_limit_model", .item = "model",
	 .answer = show_model, .doc = "Shows the enforcement model, which is flat."},
	{HTTP_GET, LIMITS, .permit = "identity:list_limits",
	 .args = OS_PARAMS(struct list_args, limit_queries), .answer = list_limits,
	 .doc = "Lists the limits of the project; for administrators all."},
	{HTTP_POST, LIMITS, .permit = "identity:create_limits", .flags = CHANGES, .status = 201,
	 .args = OS_PARAMS(struct os_create_limits, create_limits_params), .prepare = prepare_create_limits,
	 .operation = engine_create_project_limits_run, .answer = show_created_limits,
	 .returns = KIND_PROJECT_LIMIT,
	 .doc = "Creates limits. That of a resource with a quota is the project's quota."},
	{HTTP_GET, LIMITS "/{limit_id}", .permit = "identity:get_limit",
	 .args = OS_PARAMS(struct os_limit_target, limit_params), .item = "limit", .answer = show_limit,
	 .doc = "Shows one limit."},
	{HTTP_PATCH, LIMITS "/{limit_id}", .permit = "identity:update_limit", .flags = CHANGES,
	 .args = OS_PARAMS(struct os_update_limit, update_limit_params), .wrap = "limit", .item = "limit",
	 .prepare = prepare_update_limit, .operation = engine_update_project_limit_run,
	 .answer = show_updated_limit, .returns = KIND_PROJECT_LIMIT, .doc = "Changes a limit."},
	{HTTP_DELETE, LIMITS "/{limit_id}", .permit = "identity:delete_limit", .flags = CHANGES,
	 .status = 204, .args = OS_PARAMS(struct os_limit_target, limit_params),
	 .operation = engine_delete_project_limit_run, .doc = "Deletes a limit."},
};
const struct os_actions os_identity_limit_actions = OS_ACTIONS(OS_IDENTITY, actions);
