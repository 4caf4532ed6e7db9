/* SPDX-License-Identifier: Apache-2.0
 * Types of groups of volumes, and their specs. Source: Block Storage API reference, "Group types", "Group type
 * specs"; Cinder's cinder.api.v3.group_types and cinder.api.v3.group_specs. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume/volume_group.h"
#include "model/volume_group_type.h"
#include "store/query.h"

static void write_type(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_group_type *type = item;
	os_write_id(w, "id", type->row.id);
	json_write_text(w, "name", type->name);
	json_write_text_or_null(w, "description", type->description);
	json_write_bool(w, "is_public", type->is_public);
	if (os_is_admin(e))
		os_write_tags(w, "group_specs", type->specs);
}

static bool is_usable(struct os_call *e, const struct row *row)
{
	return engine_may_use_volume_group_type(e->c, volume_group_type_of(row));
}

/* Shows only public types, also to administrators, unless the query has is_public. */
static bool is_listed(struct os_call *e, const struct row *row)
{
	bool is_asked = pairs_find(&e->request.query, "is_public").p;
	return is_asked ? is_usable(e, row) : volume_group_type_of(row)->is_public;
}

/* "none" matches public and private types. */
static bool fits_public(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal_nocase(value, STR("none")) ||
	       os_field_is(e, query_find_field(KIND_VOLUME_GROUP_TYPE, "is_public"), row, value);
}

static const struct os_filter type_filters[] = {{"is_public", .fits = fits_public}};
static const struct os_sort_key type_sort_keys[] = {{"name", "name"}};
#define TYPES(shows_them)                                                                                    \
	{                                                                                                    \
		.kind = KIND_VOLUME_GROUP_TYPE, .items = "group_types", .links = "group_type_links",         \
		.filters = OS_FILTERS(type_filters), .sort_keys = {type_sort_keys, 1},                       \
		.passes = "cinder/api/v3/group_types.py: _get_group_types() reads is_public",                \
		.flags = OS_ALL_SEE_ALL | OS_NEWEST_FIRST, .page_max = 1000, .shows = (shows_them),          \
		.write = write_type,                                                                         \
	}
static const struct os_listing listed = TYPES(is_listed);
static const struct os_listing usable = TYPES(is_usable);

/* ---- one ---- */

struct os_group_type_target {
	struct volume_group_type_target wish;
	struct str key;
};
#define TYPE_PATH(T, member)                                                                                 \
	OS_PATH_NAME(T, "group_type_id", member, .kind = KIND_VOLUME_GROUP_TYPE, .doc = "The group type.")
#define KEY_PATH(T) OS_PATH(T, "key", key, .doc = "Key of the spec.")
static const struct param target_params[] = {TYPE_PATH(struct os_group_type_target, wish.type)};
static const struct param key_params[] = {TYPE_PATH(struct os_group_type_target, wish.type),
					  KEY_PATH(struct os_group_type_target)};

static RESULT show_type(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct ref *ref = &((const struct os_group_type_target *) args)->wish.type;
	return str_is(ref->text, "default")
		       ? ctx_fail(e->c, ERR_NOT_FOUND, "Default group type can not be found.")
		       : os_write_found(e, &usable, ref, w);
}

/* ---- changes ---- */

struct os_group_type_change {
	struct volume_group_type_wish wish;
	struct str key, members;
	struct tags specs;
};
#define P(wire, member, ...) OS_BODY(struct os_group_type_change, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("is_public", wish.is_public, .doc = "Whether every project may create groups of the type."),
	P("group_specs", wish.specs, .flags = NULLABLE, .doc = "Group specs by key; stored and shown only."),
};
static const struct param update_params[] = {
	TYPE_PATH(struct os_group_type_change, wish.type),
	P("name", wish.name, .given = offsetof(struct os_group_type_change, wish.set_name) + 1, .min = 1,
	  .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_group_type_change, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("is_public", wish.is_public, .doc = "Whether every project may create groups of the type."),
};
static const struct param spec_params[] = {
	TYPE_PATH(struct os_group_type_change, wish.type),
	P("group_specs", specs, .flags = REQUIRED, .doc = "Group specs by key."),
};
static const struct param one_spec_params[] = {
	TYPE_PATH(struct os_group_type_change, wish.type),
	KEY_PATH(struct os_group_type_change),
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	const struct volume_group_type_wish *wish = &((struct os_group_type_change *) args)->wish;
	return wish->set_name || wish->set_description || wish->is_public != CHOICE_DEFAULT
		       ? OK
		       : ctx_fail_field(e->c, ERR_MISSING, STR("group_type"),
					"Specify group type name, description or a combination thereof.");
}

static RESULT fail_no_spec(struct os_call *e, const struct volume_group_type *type, struct str key)
{
	return ctx_fail(e->c, ERR_NOT_FOUND,
			"Group Type %" STR_FMT " has no extra spec with key %" STR_FMT ".",
			STR_ARG(uuid_to_str(e->c->arena, type->row.id)), STR_ARG(str_slice(key, 0, 255)));
}

static RESULT prepare_specs(struct os_call *e, void *args)
{
	struct os_group_type_change *a = args;
	const struct volume_group_type *type = NULL;
	TRY(engine_find_volume_group_type(e->c, os_tables(e), &a->wish.type, &type));
	if (a->key.n && !tags_find(type->specs, a->key))
		return fail_no_spec(e, type, a->key);
	a->wish.set_specs = true;
	return os_change_specs(e, type->specs, a->specs, a->key, &a->wish.specs);
}

/* Replaces the spec of the same key, if any. */
static RESULT prepare_spec(struct os_call *e, void *args)
{
	struct os_group_type_change *a = args;
	TRY(os_params_take_one(e->c, a->members, a->key, &a->specs));
	a->key = STR_NONE;
	return prepare_specs(e, args);
}

static void write_one(struct json_writer *w, const struct tag *spec)
{
	json_write_key(w, spec->key);
	json_write_text(w, NULL, spec->value);
}

static RESULT show_spec_sent(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	write_one(w, ((const struct os_group_type_change *) args)->specs.at);
	return OK;
}

static RESULT show_specs_sent(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	os_write_tags(w, "group_specs", ((const struct os_group_type_change *) args)->specs);
	return OK;
}

static RESULT show_specs(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume_group_type *type = NULL;
	TRY(engine_find_volume_group_type(e->c, os_tables(e),
					  &((const struct os_group_type_target *) args)->wish.type, &type));
	os_write_tags(w, "group_specs", type->specs);
	return OK;
}

static RESULT show_spec(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_group_type_target *a = args;
	const struct volume_group_type *type = NULL;
	TRY(engine_find_volume_group_type(e->c, os_tables(e), &a->wish.type, &type));
	const struct tag *spec = tags_find(type->specs, a->key);
	if (!spec)
		return fail_no_spec(e, type, a->key);
	write_one(w, spec);
	return OK;
}

#define ALL "/v3/{project_id}/group_types"
#define ONE ALL "/{group_type_id}"
#define CHANGE(...)                                                                                          \
	.args = OS_PARAMS(struct os_group_type_change, __VA_ARGS__), .flags = API_WRITES | OS_ADMIN
#define SHOWN(rows) .args = OS_PARAMS(struct os_group_type_target, rows), .since = 11
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .since = 11, .permit = "group:access_group_types_specs", .list = &listed,
	 .doc = "Lists group types."},
	{HTTP_POST, ALL, .since = 11, .permit = "group:group_types:create", CHANGE(create_params),
	 .status = 202, .wrap = "group_type", .item = "group_type",
	 .operation = engine_create_volume_group_type_run,
	 OS_SHOWS(usable, struct os_group_type_change, wish.group_type), .returns = KIND_VOLUME_GROUP_TYPE,
	 .doc = "Creates a group type."},
	{HTTP_GET, ONE, .permit = "group:access_group_types_specs", SHOWN(target_params),
	 .item = "group_type", .answer = show_type, .doc = "Shows one group type. There is no default one."},
	{HTTP_PUT, ONE, .since = 11, .permit = "group:group_types:update", CHANGE(update_params),
	 .wrap = "group_type", .item = "group_type", .prepare = prepare_update,
	 .operation = engine_update_volume_group_type_run,
	 OS_SHOWS(usable, struct os_group_type_change, wish.group_type), .returns = KIND_VOLUME_GROUP_TYPE,
	 .doc = "Changes a group type."},
	{HTTP_DELETE, ONE, .permit = "group:group_types:delete", SHOWN(target_params),
	 .flags = API_WRITES | OS_ADMIN, .status = 202, .operation = engine_delete_volume_group_type_run,
	 .doc = "Deletes a group type without groups."},
	{HTTP_GET, ONE "/group_specs", .permit = "group:group_types_specs:get_all", .flags = OS_ADMIN,
	 SHOWN(target_params), .answer = show_specs, .doc = "Lists the group specs of a group type."},
	{HTTP_POST, ONE "/group_specs", .since = 11, .permit = "group:group_types_specs:create",
	 CHANGE(spec_params), .status = 202, .prepare = prepare_specs,
	 .operation = engine_update_volume_group_type_run, .answer = show_specs_sent,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Adds or changes group specs."},
	{HTTP_GET, ONE "/group_specs/{key}", .permit = "group:group_types_specs:get", .flags = OS_ADMIN,
	 SHOWN(key_params), .answer = show_spec, .doc = "Shows one group spec."},
	{HTTP_PUT, ONE "/group_specs/{key}", .since = 11, .permit = "group:group_types_specs:update",
	 CHANGE(one_spec_params, .is_open = true,
		.members = offsetof(struct os_group_type_change, members) + 1),
	 .prepare = prepare_spec, .operation = engine_update_volume_group_type_run, .answer = show_spec_sent,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Adds or changes one group spec."},
	{HTTP_DELETE, ONE "/group_specs/{key}", .since = 11, .permit = "group:group_types_specs:delete",
	 CHANGE(one_spec_params), .status = 202, .prepare = prepare_specs,
	 .operation = engine_update_volume_group_type_run, .doc = "Removes one group spec."},
};
const struct os_actions os_volume_group_type_actions = OS_ACTIONS(OS_VOLUME, actions);
