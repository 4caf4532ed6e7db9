/* SPDX-License-Identifier: Apache-2.0
 * Catalog entries added by an administrator: regions, services and endpoints. Also Keystone's policies,
 * which Keystone stores for other services and does not enforce. Source: Identity API reference, "Regions",
 * "Service catalog and endpoints", "Policies". */
#include "api/openstack/identity/catalog_entries.h"

#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "engine/people/catalog.h"
#include "store/catalog_entry.h"

/* ---- writing ---- */

static void write_region(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry)
{
	json_write_text(w, "id", entry->name);
	json_write_text(w, "description", entry->description);
	json_write_text_or_null(w, "parent_region_id", entry->region);
	os_write_extra(w, entry->extra);
	json_write_open(w, "links");
	json_write_text(w, "self",
			str_print(e->c->arena, "%" STR_FMT "/regions/%" STR_FMT,
				  STR_ARG(os_service_url(e, OS_IDENTITY)), STR_ARG(entry->name)));
	json_write_close(w);
}

static void write_service(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry)
{
	os_write_hex(w, "id", entry->row.id);
	json_write_text(w, "type", entry->type);
	json_write_text(w, "name", entry->name);
	json_write_text(w, "description", entry->description);
	json_write_bool(w, "enabled", !entry->is_disabled);
	os_write_extra(w, entry->extra);
	os_write_self(e, w, "services", entry->row.id);
}

static void write_endpoint_brief(struct json_writer *w, const struct catalog_entry *entry, struct str url)
{
	os_write_hex(w, "id", entry->row.id);
	json_write_text(w, "interface", entry->interface);
	json_write_text_or_null(w, "region", entry->region);
	json_write_text_or_null(w, "region_id", entry->region);
	json_write_text(w, "url", url);
}

static void write_endpoint(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry)
{
	write_endpoint_brief(w, entry, entry->text);
	os_write_hex(w, "service_id", entry->service);
	json_write_bool(w, "enabled", !entry->is_disabled);
	if (entry->name.n)
		json_write_text(w, "name", entry->name);
	if (entry->description.n)
		json_write_text(w, "description", entry->description);
	os_write_extra(w, entry->extra);
	os_write_self(e, w, "endpoints", entry->row.id);
}

static void write_policy(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry)
{
	os_write_hex(w, "id", entry->row.id);
	json_write_text(w, "type", entry->type);
	json_write_text(w, "blob", entry->text);
	os_write_extra(w, entry->extra);
	os_write_self(e, w, "policies", entry->row.id);
}

static void write_filter(struct json_writer *w, const char *name, struct str value)
{
	if (value.n)
		json_write_text(w, name, value);
}

static void write_endpoint_group(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry)
{
	os_write_hex(w, "id", entry->row.id);
	json_write_text(w, "name", entry->name);
	json_write_text(w, "description", entry->description);
	json_write_open(w, "filters");
	if (!uuid_is_none(entry->service))
		os_write_hex(w, "service_id", entry->service);
	write_filter(w, "interface", entry->interface);
	write_filter(w, "region_id", entry->region);
	json_write_close(w);
	os_write_self(e, w, "OS-EP-FILTER/endpoint_groups", entry->row.id);
}

void os_write_catalog_entry(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry)
{
	static void (*const writers[])(struct os_call * e, struct json_writer * w,
				       const struct catalog_entry *entry) = {
		[CATALOG_ENTRY_WHAT_REGION] = write_region,
		[CATALOG_ENTRY_WHAT_SERVICE] = write_service,
		[CATALOG_ENTRY_WHAT_ENDPOINT] = write_endpoint,
		[CATALOG_ENTRY_WHAT_POLICY] = write_policy,
		[CATALOG_ENTRY_WHAT_ENDPOINT_GROUP] = write_endpoint_group};
	writers[entry->what](e, w, entry);
}

/* ---- lists, and one ---- */

static bool asks_for(struct os_call *e, const char *name, struct str value)
{
	struct str asked = pairs_find(&e->request.query, name);
	return !asked.p || str_equal(asked, value);
}

static bool is_asked_for(struct os_call *e, const struct catalog_entry *entry)
{
	struct str service = str_encode_hex(e->c->arena, entry->service.b, sizeof entry->service.b);
	switch (entry->what) {
	case CATALOG_ENTRY_WHAT_REGION:
		return asks_for(e, "parent_region_id", entry->region);
	case CATALOG_ENTRY_WHAT_SERVICE:
		return asks_for(e, "type", entry->type) && asks_for(e, "name", entry->name);
	case CATALOG_ENTRY_WHAT_ENDPOINT:
		return asks_for(e, "interface", entry->interface) &&
		       asks_for(e, "region_id", entry->region) && asks_for(e, "service_id", service);
	case CATALOG_ENTRY_WHAT_ENDPOINT_GROUP:
		return asks_for(e, "name", entry->name);
	case CATALOG_ENTRY_WHAT_ENDPOINT_ACCESS:
		return false; /* no list shows these */
	case CATALOG_ENTRY_WHAT_POLICY:
		break;
	}
	return asks_for(e, "type", entry->type);
}

void os_write_catalog_entries(struct os_call *e, struct json_writer *w, enum catalog_entry_what what)
{
	const struct tables *t = os_tables(e);
	for (const struct catalog_entry *entry = catalog_entry_first(t); entry;
	     entry = catalog_entry_next(t, entry)) {
		if (entry->what != what || !is_asked_for(e, entry))
			continue;
		json_write_open(w, NULL);
		os_write_catalog_entry(e, w, entry);
		json_write_close(w);
	}
}

RESULT os_show_catalog_entry(struct os_call *e, enum catalog_entry_what what, struct str id,
			     struct json_writer *w)
{
	const struct catalog_entry *entry = engine_find_catalog_entry(os_tables(e), what, id);
	if (!entry)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Could not find %s: %" STR_FMT ".",
				catalog_entry_what_words[what], STR_ARG(id));
	os_write_catalog_entry(e, w, entry);
	return OK;
}

/* ---- in the catalogue ---- */

/* Replaces a placeholder in the URL by the project's id, as Keystone does. */
static struct str fill_url(struct os_call *e, struct str url, uuid account)
{
	static const char *const names[] = {"$(tenant_id)s", "$(project_id)s", "%(tenant_id)s",
					    "%(project_id)s"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct str name = str_from(names[k]);
		size_t at = 0;
		while (at + name.n <= url.n && !str_equal(str_slice(url, at, at + name.n), name))
			at++;
		if (at + name.n <= url.n)
			return str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT,
					 STR_ARG(str_slice(url, 0, at)),
					 STR_ARG(str_encode_hex(e->c->arena, account.b, sizeof account.b)),
					 STR_ARG(str_slice(url, at + name.n, url.n)));
	}
	return url;
}

RESULT os_read_endpoint_filter(struct os_call *e, uuid account, struct os_endpoint_filter *ret_filter)
{
	const struct tables *t = os_tables(e);
	VEC(const struct catalog_entry *) entries = {0};
	for (const struct catalog_entry *entry = catalog_entry_first(t); entry;
	     entry = catalog_entry_next(t, entry))
		if (engine_is_endpoint_filter(entry, account) && !VEC_PUSH(e->c->arena, &entries, entry))
			return ctx_no_memory(e->c);
	*ret_filter = (struct os_endpoint_filter){entries.at, entries.count};
	return OK;
}

static bool fits_one(const struct catalog_entry *filter, uuid id, uuid service, struct str interface,
		     struct str region)
{
	if (filter->what == CATALOG_ENTRY_WHAT_ENDPOINT_ACCESS)
		return uuid_equal(filter->service, id);
	return (uuid_is_none(filter->service) || uuid_equal(filter->service, service)) &&
	       (!filter->interface.n || str_equal(filter->interface, interface)) &&
	       (!filter->region.n || str_equal(filter->region, region));
}

bool os_endpoint_fits(const struct os_endpoint_filter *filter, uuid id, uuid service, struct str interface,
		      struct str region)
{
	bool fits = filter->count == 0;
	for (size_t k = 0; k < filter->count && !fits; k++)
		fits = fits_one(filter->at[k], id, service, interface, region);
	return fits;
}

bool os_added_endpoint_fits(const struct os_endpoint_filter *filter, const struct catalog_entry *entry)
{
	return entry->what == CATALOG_ENTRY_WHAT_ENDPOINT &&
	       os_endpoint_fits(filter, entry->row.id, entry->service, entry->interface, entry->region);
}

bool os_has_added_endpoints(struct os_call *e, uuid service, const struct os_endpoint_filter *filter)
{
	const struct tables *t = os_tables(e);
	const struct catalog_entry *entry = catalog_entry_first_by_service(t, service);
	while (entry && (entry->is_disabled || !os_added_endpoint_fits(filter, entry)))
		entry = catalog_entry_next_by_service(t, entry);
	return entry != NULL;
}

void os_write_added_endpoints(struct os_call *e, struct json_writer *w, uuid service, uuid account,
			      const struct os_endpoint_filter *filter)
{
	const struct tables *t = os_tables(e);
	for (const struct catalog_entry *entry = catalog_entry_first_by_service(t, service); entry;
	     entry = catalog_entry_next_by_service(t, entry)) {
		if (entry->is_disabled || !os_added_endpoint_fits(filter, entry))
			continue;
		json_write_open(w, NULL);
		write_endpoint_brief(w, entry, fill_url(e, entry->text, account));
		json_write_close(w);
	}
}

void os_write_added_services(struct os_call *e, struct json_writer *w, uuid account,
			     const struct os_endpoint_filter *filter)
{
	const struct tables *t = os_tables(e);
	for (const struct catalog_entry *entry = catalog_entry_first(t); entry;
	     entry = catalog_entry_next(t, entry)) {
		if (entry->what != CATALOG_ENTRY_WHAT_SERVICE || entry->is_disabled)
			continue;
		if (filter->count && !os_has_added_endpoints(e, entry->row.id, filter))
			continue;
		json_write_open(w, NULL);
		os_write_hex(w, "id", entry->row.id);
		json_write_text(w, "type", entry->type);
		json_write_text(w, "name", entry->name);
		json_write_open_list(w, "endpoints");
		os_write_added_endpoints(e, w, entry->row.id, account, filter);
		json_write_close_list(w);
		json_write_close(w);
	}
}

/* ---- changes ---- */

struct os_catalog_change {
	struct catalog_wish wish;
	struct str id, name, type, text, description, interface, region, region_id, enabled, others;
	struct ref service;
	bool has_name, has_type, has_text, has_description, has_interface, has_region, has_region_id;
};
#define P(wire, member, ...)                                                                                 \
	OS_BODY(struct os_catalog_change, wire, member,                                                      \
		.given = offsetof(struct os_catalog_change, has_##member) + 1, __VA_ARGS__)
#define ID(name) OS_PATH(struct os_catalog_change, name, id, .max = 255, .doc = "Id of the resource.")
#define REGION                                                                                               \
	P("description", description, .flags = NULLABLE, .doc = "Description: free text."),                  \
		P("parent_region_id", region, .flags = NULLABLE, .doc = "Parent region.")
#define ENABLED                                                                                              \
	OS_BODY_JSON(struct os_catalog_change, "enabled", enabled,                                           \
		     .doc = "Whether the entry appears in the catalog.")
#define SERVICE(...)                                                                                         \
	P("name", name, .doc = "Name."),                                                                     \
		P("description", description, .flags = NULLABLE, .doc = "Description: free text."), ENABLED, \
		P("type", type, .min = 1, .doc = "Service type, such as compute.", __VA_ARGS__)
#define ENDPOINT(...)                                                                                        \
	OS_BODY(struct os_catalog_change, "service_id", service, .kind = KIND_CATALOG_ENTRY,                 \
		.doc = "Service of the endpoint.", __VA_ARGS__),                                             \
		P("interface", interface, .words = "public|internal|admin",                                  \
		  .doc = "Interface of the endpoint.", __VA_ARGS__),                                         \
		P("url", text, .min = 1, .doc = "URL. $(project_id)s stands for the project id.",            \
		  __VA_ARGS__),                                                                              \
		P("region", region, .flags = NULLABLE,                                                       \
		  .doc = "Region of the endpoint, by its older key. Created if it does not exist."),         \
		P("region_id", region_id, .flags = NULLABLE, .doc = "Region of the endpoint."),              \
		P("name", name, .doc = "Name."),                                                             \
		P("description", description, .flags = NULLABLE, .doc = "Description: free text."), ENABLED
#define POLICY(...)                                                                                          \
	P("blob", text, .max = CATALOG_TEXT_MAX, .doc = "Content of the policy.", __VA_ARGS__),              \
		P("type", type, .max = 255, .doc = "Media type of the policy.", __VA_ARGS__)
static const struct param create_region_params[] = {
	P("id", name, .flags = NULLABLE, .max = 255, .doc = "Id of the region; absent: a generated one."),
	REGION};
static const struct param named_region_params[] = {
	ID("region_id"), P("id", name, .flags = NULLABLE, .max = 255, .doc = "Id of the region."), REGION};
static const struct param update_region_params[] = {ID("region_id"), REGION};
static const struct param delete_region_params[] = {ID("region_id")};
static const struct param create_service_params[] = {SERVICE(.flags = REQUIRED)};
static const struct param update_service_params[] = {ID("service_id"), SERVICE()};
static const struct param delete_service_params[] = {ID("service_id")};
static const struct param create_endpoint_params[] = {ENDPOINT(.flags = REQUIRED)};
static const struct param update_endpoint_params[] = {ID("endpoint_id"), ENDPOINT()};
static const struct param delete_endpoint_params[] = {ID("endpoint_id")};
static const struct param create_policy_params[] = {POLICY(.flags = REQUIRED)};
static const struct param update_policy_params[] = {ID("policy_id"), POLICY()};
static const struct param policy_params[] = {ID("policy_id")};
#undef P

static RESULT check_not_own(struct os_call *e, const struct os_catalog_change *a,
			    enum catalog_entry_what what)
{
	bool is_own =
		a->id.n && ((what == CATALOG_ENTRY_WHAT_REGION && str_equal(a->id, e->config->region)) ||
			    (what == CATALOG_ENTRY_WHAT_SERVICE && os_is_own_service(e, a->id)) ||
			    (what == CATALOG_ENTRY_WHAT_ENDPOINT && os_is_own_endpoint(e, a->id)));
	return !is_own ? OK
		       : ctx_fail(e->c, ERR_DENIED,
				  "The %s belongs to the region: it follows from where a client finds it.",
				  catalog_entry_what_words[what]);
}

/* Accepts only JSON's true and false, unlike other booleans. */
static RESULT read_enabled(struct os_call *e, struct os_catalog_change *a)
{
	if (!a->enabled.n)
		return OK;
	if (!str_is(a->enabled, "true") && !str_is(a->enabled, "false"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("enabled"),
				      "Invalid input for field 'enabled': %" STR_FMT
				      " is not of type 'boolean'",
				      STR_ARG(str_slice(a->enabled, 0, 64)));
	a->wish.enabled = str_is(a->enabled, "true") ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static struct str draw_region(struct os_call *e)
{
	uuid id = id_new(KIND_CATALOG_ENTRY);
	return str_encode_hex(e->c->arena, id.b, sizeof id.b);
}

/* Adds the new name, type and URL to the audit record, which already has the path's ids. */
static void tell_subject(struct os_call *e, const struct os_catalog_change *a, enum catalog_entry_what what)
{
	audit_add_subject(e->audit, "name", a->name);
	audit_add_subject(e->audit, "type", a->type);
	if (what == CATALOG_ENTRY_WHAT_ENDPOINT) {
		audit_add_subject(e->audit, "interface", a->interface);
		audit_add_subject(e->audit, "url", a->text);
	}
}

static RESULT prepare(struct os_call *e, struct os_catalog_change *a, enum catalog_entry_what what)
{
	struct catalog_wish *wish = &a->wish;
	tell_subject(e, a, what);
	TRY(check_not_own(e, a, what));
	TRY(read_enabled(e, a));
	wish->what = what;
	wish->id = a->id;
	wish->own_region = e->config->region;
	wish->name = a->has_name ? &a->name : NULL;
	wish->type = a->has_type ? &a->type : NULL;
	wish->text = a->has_text ? &a->text : NULL;
	wish->description = a->has_description ? &a->description : NULL;
	wish->interface = a->has_interface ? &a->interface : NULL;
	wish->region = a->has_region_id && a->region_id.n ? &a->region_id : a->has_region ? &a->region : NULL;
	wish->makes_region = what == CATALOG_ENTRY_WHAT_ENDPOINT && wish->region == &a->region;
	if (a->service.kind != KIND_NONE) {
		wish->service = &a->service.prefix;
		wish->is_own_service = os_is_own_service(
			e, str_encode_hex(e->c->arena, wish->service->b, sizeof wish->service->b));
	}
	return os_take_extra(e, a->others, &wish->extra);
}

static RESULT prepare_region(struct os_call *e, void *args)
{
	struct os_catalog_change *a = args;
	if (!a->id.n && !a->name.n) {
		a->name = draw_region(e);
		a->has_name = true;
	}
	return prepare(e, a, CATALOG_ENTRY_WHAT_REGION);
}

/* Creates the region named in the path. */
static RESULT prepare_named_region(struct os_call *e, void *args)
{
	struct os_catalog_change *a = args;
	if (a->has_name && a->name.n && !str_equal(a->name, a->id))
		return ctx_fail_field(e->c, ERR_INVALID, STR("id"),
				      "Conflicting region IDs specified: \"%" STR_FMT "\" != \"%" STR_FMT
				      "\"",
				      STR_ARG(a->id), STR_ARG(a->name));
	a->name = a->id;
	a->id = STR_NONE;
	a->has_name = true;
	return prepare(e, a, CATALOG_ENTRY_WHAT_REGION);
}

static RESULT prepare_service(struct os_call *e, void *args)
{
	return prepare(e, args, CATALOG_ENTRY_WHAT_SERVICE);
}

static RESULT prepare_endpoint(struct os_call *e, void *args)
{
	return prepare(e, args, CATALOG_ENTRY_WHAT_ENDPOINT);
}

static RESULT prepare_policy(struct os_call *e, void *args)
{
	return prepare(e, args, CATALOG_ENTRY_WHAT_POLICY);
}

static RESULT show_changed(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct os_catalog_change *) args)->wish.entry, &row));
	os_write_catalog_entry(e, w, catalog_entry_of(row));
	return OK;
}

/* ---- policies ---- */

static RESULT list_policies(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "policies");
	os_write_catalog_entries(e, w, CATALOG_ENTRY_WHAT_POLICY);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT show_policy(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_show_catalog_entry(e, CATALOG_ENTRY_WHAT_POLICY,
				     ((const struct os_catalog_change *) args)->id, w);
}

#define CHANGE(rows)                                                                                         \
	OS_PARAMS(struct os_catalog_change, rows, .members = offsetof(struct os_catalog_change, others) + 1)
#define CREATE(one, many)                                                                                    \
	{                                                                                                    \
		HTTP_POST, "/v3/" many,                                                                      \
			.permit = "identity:create_" #one, .flags = API_WRITES | OS_UNSCOPED, .status = 201, \
			.args = CHANGE(create_##one##_params), .wrap = #one, .item = #one,                   \
			.prepare = prepare_##one, .operation = engine_create_catalog_entry_run,              \
			.returns = KIND_CATALOG_ENTRY, .answer = show_changed, .doc = "Creates a " #one "."  \
	}
#define UPDATE(one, many)                                                                                    \
	{                                                                                                    \
		HTTP_PATCH, "/v3/" many "/{" #one "_id}",                                                    \
			.permit = "identity:update_" #one, .flags = API_WRITES | OS_UNSCOPED,                \
			.args = CHANGE(update_##one##_params), .wrap = #one, .item = #one,                   \
			.prepare = prepare_##one, .operation = engine_update_catalog_entry_run,              \
			.returns = KIND_CATALOG_ENTRY, .answer = show_changed,                               \
			.doc = "Changes a " #one " that was added."                                          \
	}
#define DELETE(one, many, rows)                                                                              \
	{                                                                                                    \
		HTTP_DELETE, "/v3/" many "/{" #one "_id}",                                                   \
			.permit = "identity:delete_" #one, .flags = API_WRITES | OS_UNSCOPED, .status = 204, \
			.args = OS_PARAMS(struct os_catalog_change, rows), .prepare = prepare_##one,         \
			.operation = engine_delete_catalog_entry_run,                                        \
			.doc = "Deletes a " #one " that was added."                                          \
	}
static const struct os_action actions[] = {
	CREATE(region, "regions"),
	UPDATE(region, "regions"),
	DELETE(region, "regions", delete_region_params),
	{HTTP_PUT, "/v3/regions/{region_id}", .permit = "identity:create_region",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 201, .args = CHANGE(named_region_params),
	 .wrap = "region", .item = "region", .prepare = prepare_named_region,
	 .operation = engine_create_catalog_entry_run, .returns = KIND_CATALOG_ENTRY, .answer = show_changed,
	 .doc = "Creates a region with the given id."},
	CREATE(service, "services"),
	UPDATE(service, "services"),
	DELETE(service, "services", delete_service_params),
	CREATE(endpoint, "endpoints"),
	UPDATE(endpoint, "endpoints"),
	DELETE(endpoint, "endpoints", delete_endpoint_params),
	{HTTP_GET, "/v3/policies", .permit = "identity:list_policies", .args = OS_NO_PARAMS,
	 .answer = list_policies, .doc = "Lists policies that are stored for other services."},
	{HTTP_GET, "/v3/policies/{policy_id}", .permit = "identity:get_policy",
	 .args = OS_PARAMS(struct os_catalog_change, policy_params), .item = "policy", .answer = show_policy,
	 .doc = "Shows one policy."},
	CREATE(policy, "policies"),
	UPDATE(policy, "policies"),
	DELETE(policy, "policies", policy_params),
};
const struct os_actions os_catalog_entry_actions = OS_ACTIONS(OS_IDENTITY, actions);
