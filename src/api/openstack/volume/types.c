/* SPDX-License-Identifier: Apache-2.0
 * Volume types, which administrators define; EC2's types are among them. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/volume_type.h"
#include "store/query.h"

/* Specs visible to the caller: all for administrators, otherwise those that describe what users may do
 * with a volume. Source: Cinder, USER_VISIBLE_EXTRA_SPECS. */
static struct tags shown_specs(struct os_call *e, const struct volume_type *type)
{
	static const char *const visible[] = {"multiattach", "RESKEY:availability_zones",
					      "replication_enabled"};
	VEC(struct tag) specs = {0};
	if (os_is_admin(e))
		return type->specs;
	for (size_t k = 0; k < type->specs.count; k++)
		for (size_t n = 0; n < sizeof visible / sizeof *visible; n++)
			if (str_is(type->specs.at[k].key, visible[n]))
				(void) VEC_PUSH(e->c->arena, &specs, type->specs.at[k]);
	return (struct tags){specs.at, specs.count};
}

static void write_type(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_type *type = item;
	os_write_id(w, "id", type->row.id);
	json_write_text(w, "name", type->name);
	json_write_text_or_null(w, "description", type->description);
	json_write_bool(w, "is_public", type->is_public);
	if (os_action_of(e)->method != HTTP_PUT)
		json_write_bool(w, "os-volume-type-access:is_public", type->is_public);
	os_write_tags(w, "extra_specs", shown_specs(e, type));
	if (os_is_admin(e) && os_action_of(e)->method == HTTP_GET)
		os_write_id(w, "qos_specs_id", type->qos);
}

static bool is_usable(struct os_call *e, const struct row *row)
{
	return engine_may_use_volume_type(e->c, volume_type_of(row));
}

/* "none" matches public and private types. */
static bool fits_public(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal_nocase(value, STR("none")) ||
	       os_field_is(e, query_find_field(KIND_VOLUME_TYPE, "is_public"), row, value);
}

static bool fits_specs(struct os_call *e, const struct row *row, struct str value)
{
	return os_fits_literal(e, shown_specs(e, volume_type_of(row)), value);
}

static const struct os_filter type_filters[] = {{"name", "name"},
						{"is_public", .fits = fits_public},
						{"extra_specs", .since = 52, .fits = fits_specs}};
static const struct os_sort_key type_sort_keys[] = {{"name", "name"}};
static const struct os_listing type_listing = {
	.kind = KIND_VOLUME_TYPE,
	.items = "volume_types",
	.links = "volume_type_links",
	.filters = OS_FILTERS(type_filters),
	.sort_keys = {type_sort_keys, sizeof type_sort_keys / sizeof type_sort_keys[0]},
	.unknown_since = 52,
	.flags = OS_ALL_SEE_ALL,
	.page_max = 1000,
	.shows = is_usable,
	.write = write_type,
};

/* ---- one ---- */

struct os_type_shown {
	struct ref type;
	struct str key;
};
#define TYPE_PATH(T, member)                                                                                 \
	{                                                                                                    \
		.wire = "type_id", .type = PARAM_TYPE(T, member), .place = IN_PATH,                          \
		.offset = offsetof(T, member), .flags = REQUIRED | BY_NAME, .kind = KIND_VOLUME_TYPE,        \
		.doc = "The volume type."                                                                    \
	}
static const struct param show_params[] = {TYPE_PATH(struct os_type_shown, type)};
static const struct param key_params[] = {
	TYPE_PATH(struct os_type_shown, type),
	OS_PATH(struct os_type_shown, "key", key, .doc = "Key of the spec."),
};

static RESULT show_type(struct os_call *e, const void *args, struct json_writer *w)
{
	struct ref ref = ((const struct os_type_shown *) args)->type;
	if (str_is(ref.text, "default"))
		ref.text = VOLUME_TYPE_DEFAULT;
	return os_write_found(e, &type_listing, &ref, w);
}

static RESULT find_usable(struct os_call *e, const struct ref *ref, const struct volume_type **ret_type)
{
	TRY(engine_find_volume_type(e->c, os_tables(e), ref, ret_type));
	return is_usable(e, &(*ret_type)->row) ? OK : engine_fail_not_found(e->c, KIND_VOLUME_TYPE, ref);
}

/* ---- changes ---- */

struct os_type_change {
	struct volume_type_wish wish;
	struct ref type;
	struct ref project;
	struct str key, members;
	struct tags specs;
};
#define P(wire, member, ...) OS_BODY(struct os_type_change, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("os-volume-type-access:is_public", wish.is_public,
	  .doc = "Whether every project may use the volume type."),
	P("extra_specs", wish.specs,
	  .doc = "Extra specs by key. multiattach and volume_backend_name have an effect; others are stored "
		 "and shown."),
};
static const struct param update_params[] = {
	TYPE_PATH(struct os_type_change, wish.type),
	P("name", wish.name, .given = offsetof(struct os_type_change, wish.set_name) + 1, .min = 1,
	  .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_type_change, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("is_public", wish.is_public, .doc = "Whether every project may use the volume type."),
};
static const struct param spec_params[] = {
	TYPE_PATH(struct os_type_change, wish.type),
	P("extra_specs", specs, .flags = REQUIRED, .doc = "Extra specs by key."),
};
static const struct param unspec_params[] = {
	TYPE_PATH(struct os_type_change, wish.type),
	OS_PATH(struct os_type_change, "key", key, .doc = "Key of the spec."),
};
static const struct param respec_params[] = {
	TYPE_PATH(struct os_type_change, wish.type),
	OS_PATH(struct os_type_change, "key", key, .doc = "Key of the spec."),
};
static const struct param add_params[] = {
	TYPE_PATH(struct os_type_change, wish.type),
	P("project", wish.add_user, .flags = REQUIRED, .kind = KIND_ACCOUNT, .doc = "The project."),
};
static const struct param remove_params[] = {
	TYPE_PATH(struct os_type_change, wish.type),
	P("project", wish.remove_user, .flags = REQUIRED, .kind = KIND_ACCOUNT, .doc = "The project."),
};
#undef P

RESULT os_change_specs(struct os_call *e, struct tags before, struct tags over, struct str gone,
		       struct tags *ret_specs)
{
	struct tag *specs = arena_new_array(e->c->arena, struct tag, before.count + over.count + 1);
	size_t count = 0;
	if (!specs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < before.count; k++) {
		const struct tag *spec = &before.at[k];
		if (!str_equal(spec->key, gone) && !tags_find(over, spec->key))
			specs[count++] = (struct tag){str_copy(e->c->arena, spec->key),
						      str_copy(e->c->arena, spec->value)};
	}
	for (size_t k = 0; k < over.count; k++)
		specs[count++] = over.at[k];
	*ret_specs = (struct tags){specs, count};
	return OK;
}

static RESULT prepare_specs(struct os_call *e, void *args)
{
	struct os_type_change *a = args;
	const struct volume_type *type = NULL;
	TRY(find_usable(e, &a->wish.type, &type));
	if (a->key.n && !tags_find(type->specs, a->key))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Volume type extra spec was not found.");
	a->wish.set_specs = true;
	return os_change_specs(e, type->specs, a->specs, a->key, &a->wish.specs);
}

/* Replaces the spec of the same key, or adds it. */
static RESULT prepare_respec(struct os_call *e, void *args)
{
	struct os_type_change *a = args;
	TRY(os_params_take_one(e->c, a->members, a->key, &a->specs));
	a->key = STR_NONE;
	return prepare_specs(e, args);
}

static RESULT show_spec_sent(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tag *spec = ((const struct os_type_change *) args)->specs.at;
	(void) e;
	json_write_key(w, spec->key);
	json_write_text(w, NULL, spec->value);
	return OK;
}

static RESULT show_specs_sent(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	os_write_tags(w, "extra_specs", ((const struct os_type_change *) args)->specs);
	return OK;
}

static RESULT show_specs(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume_type *type = NULL;
	TRY(find_usable(e, &((const struct os_type_shown *) args)->type, &type));
	os_write_tags(w, "extra_specs", shown_specs(e, type));
	return OK;
}

static RESULT show_spec(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_type_shown *a = args;
	const struct volume_type *type = NULL;
	TRY(find_usable(e, &a->type, &type));
	const struct tag *spec = tags_find(shown_specs(e, type), a->key);
	if (!spec)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Volume type extra spec was not found.");
	json_write_key(w, spec->key);
	json_write_text(w, NULL, spec->value);
	return OK;
}

static RESULT show_access(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume_type *type = NULL;
	TRY(find_usable(e, &((const struct os_type_shown *) args)->type, &type));
	json_write_open_list(w, "volume_type_access");
	for (size_t k = 0; k < type->users.count; k++) {
		json_write_open(w, NULL);
		os_write_id(w, "volume_type_id", type->row.id);
		os_write_hex(w, "project_id", type->users.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

struct os_type_delete {
	struct volume_type_target wish;
};
static const struct param delete_params[] = {TYPE_PATH(struct os_type_delete, wish.type)};

#define ALL "/v3/{project_id}/types"
#define ONE ALL "/{type_id}"
#define CHANGE(...) .args = OS_PARAMS(struct os_type_change, __VA_ARGS__), .flags = API_WRITES | OS_ADMIN
#define SHOWN(rows) .args = OS_PARAMS(struct os_type_shown, rows)
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "volume_extension:type_get_all", .list = &type_listing,
	 .doc = "Lists volume types."},
	{HTTP_POST, ALL, .permit = "volume_extension:type_create", CHANGE(create_params),
	 .wrap = "volume_type", .item = "volume_type", .operation = engine_create_volume_type_run,
	 OS_SHOWS(type_listing, struct os_type_change, wish.volume_type), .returns = KIND_VOLUME_TYPE,
	 .doc = "Creates a volume type."},
	{HTTP_GET, ONE, .permit = "volume_extension:type_get", SHOWN(show_params), .item = "volume_type",
	 .answer = show_type, .doc = "Shows one volume type. The id default selects the default type."},
	{HTTP_PUT, ONE, .permit = "volume_extension:type_update", CHANGE(update_params),
	 .wrap = "volume_type", .item = "volume_type", .operation = engine_update_volume_type_run,
	 OS_SHOWS(type_listing, struct os_type_change, wish.volume_type), .returns = KIND_VOLUME_TYPE,
	 .doc = "Changes a volume type."},
	{HTTP_DELETE, ONE, .permit = "volume_extension:type_delete", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_type_delete, delete_params),
	 .operation = engine_delete_volume_type_run, .doc = "Deletes a volume type that nothing uses."},
	{HTTP_GET, ONE "/extra_specs", .permit = "volume_extension:types_extra_specs:index",
	 SHOWN(show_params), .answer = show_specs, .doc = "Lists the extra specs of a volume type."},
	{HTTP_POST, ONE "/extra_specs", .permit = "volume_extension:types_extra_specs:create",
	 CHANGE(spec_params), .prepare = prepare_specs, .operation = engine_update_volume_type_run,
	 .answer = show_specs_sent, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Adds or changes extra specs."},
	{HTTP_GET, ONE "/extra_specs/{key}", .permit = "volume_extension:types_extra_specs:show",
	 SHOWN(key_params), .answer = show_spec, .doc = "Shows one extra spec."},
	{HTTP_PUT, ONE "/extra_specs/{key}", .permit = "volume_extension:types_extra_specs:update",
	 CHANGE(respec_params, .is_open = true, .members = offsetof(struct os_type_change, members) + 1),
	 .prepare = prepare_respec, .operation = engine_update_volume_type_run, .answer = show_spec_sent,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Changes one extra spec."},
	{HTTP_DELETE, ONE "/extra_specs/{key}", .permit = "volume_extension:types_extra_specs:delete",
	 CHANGE(unspec_params), .status = 202, .prepare = prepare_specs,
	 .operation = engine_update_volume_type_run, .doc = "Removes one extra spec."},
	{HTTP_GET, ONE "/os-volume-type-access", .permit = "volume_extension:volume_type_access",
	 .flags = OS_ADMIN, SHOWN(show_params), .answer = show_access,
	 .doc = "Lists the projects that may use a private volume type."},
	{HTTP_POST, ONE "/action", .verb = "addProjectAccess",
	 .permit = "volume_extension:volume_type_access:addProjectAccess", CHANGE(add_params), .status = 202,
	 .operation = engine_update_volume_type_run, .doc = "Allows a project to use a private volume type."},
	{HTTP_POST, ONE "/action", .verb = "removeProjectAccess",
	 .permit = "volume_extension:volume_type_access:removeProjectAccess", CHANGE(remove_params),
	 .status = 202, .operation = engine_update_volume_type_run,
	 .doc = "Removes a project's access to a volume type."},
};
const struct os_actions os_volume_type_actions = OS_ACTIONS(OS_VOLUME, actions);
