/* SPDX-License-Identifier: Apache-2.0
 * Namespaces of metadata definitions, the resource types they apply to, and the JSON schemas. Source: Image
 * API reference, "Metadata definition namespaces"; glance.api.v2.metadef_namespaces. */
#include "api/openstack/image/metadefs.h"

#include <jansson.h>

#include "api/openstack/core/write.h"
#include "store/metadef_item.h"
#include "store/metadef_namespace.h"

static bool may_see(const struct os_call *e, const struct metadef_namespace *space)
{
	return space->is_public || os_is_admin(e) || uuid_equal(space->account, e->c->who->account);
}

RESULT os_find_metadef_space(struct os_call *e, struct str name, const struct metadef_namespace **ret_space)
{
	*ret_space = metadef_namespace_find_by_name(os_tables(e), name);
	if (*ret_space && may_see(e, *ret_space))
		return OK;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata definition namespace=%" STR_FMT " was not found.",
			STR_ARG(str_slice(name, 0, 80)));
}

/* ---- what is shown ---- */

static void write_text_if(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		json_write_text(w, key, text);
}

static void write_types(struct os_call *e, struct json_writer *w, const struct metadef_namespace *space)
{
	bool is_open = false;
	const struct metadef_item *i = metadef_item_first_by_namespace(os_tables(e), space->row.id);
	for (; i; i = metadef_item_next_by_namespace(os_tables(e), i)) {
		if (i->part != METADEF_ITEM_PART_RESOURCE_TYPE)
			continue;
		if (!is_open)
			json_write_open_list(w, "resource_type_associations");
		is_open = true;
		json_write_open(w, NULL);
		os_write_metadef_association(e, w, i);
		json_write_close(w);
	}
	if (is_open)
		json_write_close_list(w);
}

static void write_space(struct os_call *e, struct json_writer *w, const struct metadef_namespace *s)
{
	json_write_text(w, "namespace", s->name);
	write_text_if(w, "display_name", s->display_name);
	write_text_if(w, "description", s->description);
	json_write_z(w, "visibility", s->is_public ? "public" : "private");
	json_write_bool(w, "protected", s->is_protected);
	os_write_hex(w, "owner", s->account);
	os_write_metadef_times(w, &s->row);
	json_write_text(w, "self",
			str_print(e->c->arena, "/v2/metadefs/namespaces/%" STR_FMT, STR_ARG(s->name)));
	json_write_z(w, "schema", "/v2/schemas/metadefs/namespace");
}

static void write_items(struct os_call *e, struct json_writer *w, const struct metadef_namespace *space,
			enum metadef_item_part part, const char *items)
{
	bool is_open = false;
	bool by_name = part == METADEF_ITEM_PART_PROPERTY;
	const struct metadef_item *i = metadef_item_first_by_namespace(os_tables(e), space->row.id);
	for (; i; i = metadef_item_next_by_namespace(os_tables(e), i)) {
		if (i->part != part)
			continue;
		if (!is_open && by_name)
			json_write_open(w, items);
		else if (!is_open)
			json_write_open_list(w, items);
		is_open = true;
		if (by_name)
			json_write_key(w, i->name);
		json_write_open(w, NULL);
		if (part == METADEF_ITEM_PART_OBJECT)
			os_write_metadef_object(e, w, space, i);
		else if (by_name)
			os_write_metadef_property(w, i);
		else
			json_write_text(w, "name", i->name);
		json_write_close(w);
	}
	if (is_open && by_name)
		json_write_close(w);
	else if (is_open)
		json_write_close_list(w);
}

static void write_whole(struct os_call *e, struct json_writer *w, const struct metadef_namespace *space)
{
	write_space(e, w, space);
	write_types(e, w, space);
	write_items(e, w, space, METADEF_ITEM_PART_PROPERTY, "properties");
	write_items(e, w, space, METADEF_ITEM_PART_OBJECT, "objects");
	write_items(e, w, space, METADEF_ITEM_PART_TAG, "tags");
}

/* ---- the list ---- */

static bool fits_visibility(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, metadef_namespace_of(row)->is_public ? "public" : "private");
}

/* Matches any of the comma-separated types. */
static bool fits_types(struct os_call *e, const struct row *row, struct str value)
{
	struct str rest = value, type;
	while (str_split_next(&rest, ',', &type))
		if (metadef_item_find_by_namespace(os_tables(e), row->id, METADEF_ITEM_PART_RESOURCE_TYPE,
						   type))
			return true;
	return false;
}

static bool is_seen(struct os_call *e, const struct row *row)
{
	return may_see(e, metadef_namespace_of(row));
}

static const struct os_filter filters[] = {
	{"visibility", .fits = fits_visibility},
	{"resource_types", .fits = fits_types},
};
static const struct os_sort_key sort_keys[] = {{"namespace", "name"}};
static const struct os_listing spaces = {
	.kind = KIND_METADEF_NAMESPACE,
	.flags = OS_ALL_SEE_ALL | OS_ADMIN_SEES_ALL | OS_NEWEST_FIRST,
	.items = "namespaces",
	.filters = OS_FILTERS(filters),
	.sort_keys = {sort_keys, 1},
	.marker = "name",
	.page_max = 1000,
	.shows = is_seen,
};

static RESULT list_spaces(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_page page;
	struct str visibility = pairs_find(&e->request.query, "visibility");
	(void) args;
	if (visibility.n && !str_is(visibility, "public") && !str_is(visibility, "private"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("visibility"),
				      "Invalid visibility value: %" STR_FMT,
				      STR_ARG(str_slice(visibility, 0, 80)));
	TRY(os_select(e, &spaces, &page));
	json_write_open_list(w, "namespaces");
	for (size_t k = 0; k < page.count; k++) {
		json_write_open(w, NULL);
		write_space(e, w, metadef_namespace_of(page.rows[k]));
		write_types(e, w, metadef_namespace_of(page.rows[k]));
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_z(w, "first", "/v2/metadefs/namespaces");
	if (page.has_more)
		json_write_text(w, "next",
				str_print(e->c->arena, "/v2/metadefs/namespaces?%" STR_FMT,
					  STR_ARG(os_next_query(e, &page))));
	json_write_z(w, "schema", "/v2/schemas/metadefs/namespaces");
	return OK;
}

/* Types of Glance's own definitions; namespaces add others. */
static const char *const standard_types[] = {"OS::Cinder::Volume", "OS::Glance::Image", "OS::Nova::Aggregate",
					     "OS::Nova::Flavor", "OS::Nova::Server"};
enum { STANDARD_TYPES = sizeof standard_types / sizeof *standard_types };

static bool is_standard(struct str name)
{
	for (size_t k = 0; k < STANDARD_TYPES; k++)
		if (str_is(name, standard_types[k]))
			return true;
	return false;
}

static void write_type(struct json_writer *w, struct str name, const struct row *row)
{
	json_write_open(w, NULL);
	json_write_text(w, "name", name);
	if (row)
		os_write_metadef_times(w, row);
	json_write_close(w);
}

static RESULT list_resource_types(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "resource_types");
	for (size_t k = 0; k < STANDARD_TYPES; k++)
		write_type(w, str_from(standard_types[k]), NULL);
	const struct metadef_item *i = metadef_item_first_by_namespace(os_tables(e), UUID_NONE);
	for (; i; i = metadef_item_next_by_namespace(os_tables(e), i))
		if (!is_standard(i->name))
			write_type(w, i->name, &i->row);
	json_write_close_list(w);
	return OK;
}

/* ---- one ---- */

struct space_args {
	struct metadef_namespace_target wish;
	struct str name;
};
static const struct param space_params[] = {
	OS_PATH(struct space_args, "namespace", name, .doc = "The namespace."),
};

static RESULT show_space(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct metadef_namespace *space = NULL;
	TRY(os_find_metadef_space(e, ((const struct space_args *) args)->name, &space));
	write_whole(e, w, space);
	return OK;
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct space_args *a = args;
	const struct metadef_namespace *space = NULL;
	TRY(os_find_metadef_space(e, a->name, &space));
	a->wish.space = space->row.id;
	return OK;
}

/* ---- making and changing ---- */

struct space_body {
	struct str visibility;
	struct str objects, properties, types, tags; /* JSON */
};
struct create_args {
	struct metadef_namespace_wish wish;
	struct space_body body;
};
#define SPACE_BODY(T, wish, body)                                                                            \
	OS_BODY(T, "namespace", wish.name, .flags = REQUIRED, .min = 1, .max = 80,                           \
		.doc = "Name of the namespace; unique in the region."),                                      \
		OS_BODY(T, "display_name", wish.display_name, .max = 80, .doc = "Display name."),            \
		OS_BODY(T, "description", wish.description, .max = 500, .doc = "Description: free text."),   \
		OS_BODY(T, "visibility", body.visibility, .words = "public|private",                         \
			.doc = "Visibility; absent: private."),                                              \
		OS_BODY(T, "protected", wish.is_protected,                                                   \
			.doc = "Whether the namespace is protected against deletion."),                      \
		OS_BODY(T, "owner", wish.account, .kind = KIND_ACCOUNT,                                      \
			.doc = "Owner; absent: the token's project.")
static const struct param create_params[] = {
	SPACE_BODY(struct create_args, wish, body),
	OS_BODY_JSON(struct create_args, "objects", body.objects, .doc = "Objects of the namespace."),
	OS_BODY_JSON(struct create_args, "properties", body.properties,
		     .doc = "Properties of the namespace, by name."),
	OS_BODY_JSON(struct create_args, "resource_type_associations", body.types,
		     .doc = "Resource types that the namespace applies to."),
	OS_BODY_JSON(struct create_args, "tags", body.tags, .doc = "Tags of the namespace."),
};

typedef VEC(struct metadef_item_words) metadef_list;

static size_t count_characters(struct str text)
{
	size_t count = 0;
	for (size_t k = 0; k < text.n; k++)
		count += (text.p[k] & 0xc0) != 0x80;
	return count;
}

/* Adds one document; its name is a member of the document unless `name` is given. */
static RESULT take_item(struct os_call *e, enum metadef_item_part part, const char *name, json_t *object,
			metadef_list *list)
{
	const char *own = json_string_value(json_object_get(object, "name"));
	struct metadef_item_words words = {.part = part};
	if (!json_is_object(object) || !(name || own))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("name"),
			"Provided object does not match schema 'namespace': 'name' is a required "
			"property");
	words.name = str_copy(e->c->arena, str_from(name ? name : own));
	json_object_del(object, "name");
	char *text = json_dumps(object, JSON_COMPACT);
	words.definition = str_copy(e->c->arena, str_from(text ? text : ""));
	free(text);
	if (words.name.n == 0 || count_characters(words.name) > 80)
		return ctx_fail_field(e->c, ERR_INVALID, STR("name"), "A name has 1 to 80 characters.");
	TRY(os_check_metadef(e, part, words.definition));
	return VEC_PUSH(e->c->arena, list, words) ? OK : ctx_no_memory(e->c);
}

static RESULT take_all(struct os_call *e, enum metadef_item_part part, const char *member, json_t *value,
		       metadef_list *list)
{
	const char *name;
	json_t *one;
	if (part == METADEF_ITEM_PART_PROPERTY ? !json_is_object(value) : !json_is_array(value))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(member),
				      "Provided object does not match schema 'namespace': '%s' is not of its "
				      "type",
				      member);
	json_object_foreach (value, name, one)
		TRY(take_item(e, part, name, one, list));
	for (size_t k = 0; k < json_array_size(value); k++)
		TRY(take_item(e, part, NULL, json_array_get(value, k), list));
	return OK;
}

static RESULT take_items(struct os_call *e, enum metadef_item_part part, const char *member, struct str text,
			 metadef_list *list)
{
	if (!text.p)
		return OK;
	json_t *value = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	if (!value)
		return ctx_no_memory(e->c);
	struct result r = take_all(e, part, member, value, list);
	json_decref(value);
	return r;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct create_args *a = args;
	metadef_list list = {0};
	a->wish.is_public = str_is(a->body.visibility, "public");
	TRY(take_items(e, METADEF_ITEM_PART_RESOURCE_TYPE, "resource_type_associations", a->body.types,
		       &list));
	TRY(take_items(e, METADEF_ITEM_PART_OBJECT, "objects", a->body.objects, &list));
	TRY(take_items(e, METADEF_ITEM_PART_TAG, "tags", a->body.tags, &list));
	TRY(take_items(e, METADEF_ITEM_PART_PROPERTY, "properties", a->body.properties, &list));
	a->wish.items = list.at;
	a->wish.item_count = list.count;
	return OK;
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct create_args *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.space, &row));
	call_set_answer_header(e->call, "Location",
			       str_print(e->c->arena, "/v2/metadefs/namespaces/%" STR_FMT,
					 STR_ARG(metadef_namespace_of(row)->name)));
	write_whole(e, w, metadef_namespace_of(row));
	return OK;
}

struct update_args {
	struct metadef_namespace_change wish;
	struct str name;
	struct space_body body;
};
static const struct param update_params[] = {
	OS_PATH(struct update_args, "namespace", name, .doc = "The namespace."),
	SPACE_BODY(struct update_args, wish.next, body),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct update_args *a = args;
	const struct metadef_namespace *space = NULL;
	TRY(os_find_metadef_space(e, a->name, &space));
	a->wish.space = space->row.id;
	a->wish.next.is_public = str_is(a->body.visibility, "public");
	return OK;
}

static RESULT show_updated(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct update_args *) args)->wish.space, &row));
	write_space(e, w, metadef_namespace_of(row));
	return OK;
}

/* ---- schemas: names of members and their types ---- */

struct schema {
	const char *path, *name, *collection; /* member of a list's schema; NULL: schema of one item */
	const char *members;                  /* "name:string|…" */
	const char *required;                 /* "name|…" */
};
#define TIMES "|created_at:string|updated_at:string"
#define PROPERTY                                                                                             \
	"name:string|title:string|description:string|operators:array|type:string|required:array|"            \
	"minimum:number|maximum:number|maxLength:integer|minLength:integer|pattern:string|enum:array|"       \
	"readonly:boolean|default:any|items:object|maxItems:integer|minItems:integer|uniqueItems:boolean|"   \
	"additionalItems:boolean"
#define NAMESPACE                                                                                            \
	"namespace:string|display_name:string|description:string|visibility:string|protected:boolean|"       \
	"owner:string|schema:string|self:string|resource_type_associations:array|properties:object|"         \
	"objects:array|tags:array" TIMES
#define OBJECT                                                                                               \
	"name:string|description:string|required:array|properties:object|schema:string|self:string" TIMES
#define TYPE "name:string|prefix:string|properties_target:string" TIMES
#define TAG "name:string" TIMES
static const struct schema schemas[] = {
	{"namespace", "namespace", NULL, NAMESPACE, "namespace"},
	{"namespaces", "namespaces", "namespaces", NAMESPACE, "namespace"},
	{"object", "object", NULL, OBJECT, "name"},
	{"objects", "objects", "objects", OBJECT, "name"},
	{"property", "property", NULL, PROPERTY, "title|type"},
	{"properties", "properties", "properties", PROPERTY, "title|type"},
	{"resource_type", "resource_type_association", NULL, TYPE, "name"},
	{"resource_types", "resource_type_associations", "resource_type_associations", TYPE, "name"},
	{"tag", "tag", NULL, TAG, "name"},
	{"tags", "tags", "tags", TAG, "name"},
};

static void write_members(struct json_writer *w, const char *members)
{
	struct str rest = str_from(members), member, name;
	json_write_open(w, "properties");
	while (str_split_next(&rest, '|', &member)) {
		(void) str_split_next(&member, ':', &name);
		json_write_key(w, name);
		json_write_open(w, NULL);
		if (!str_is(member, "any"))
			json_write_text(w, "type", member);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_one(struct json_writer *w, const struct schema *s)
{
	struct str rest = str_from(s->required), member;
	write_members(w, s->members);
	json_write_open_list(w, "required");
	while (str_split_next(&rest, '|', &member))
		json_write_text(w, NULL, member);
	json_write_close_list(w);
	json_write_bool(w, "additionalProperties", false);
}

static void write_collection(struct json_writer *w, const struct schema *s)
{
	bool by_name = strcmp(s->collection, "properties") == 0;
	json_write_open(w, "properties");
	json_write_open(w, s->collection);
	json_write_z(w, "type", by_name ? "object" : "array");
	json_write_open(w, by_name ? "additionalProperties" : "items");
	write_one(w, s);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
}

static RESULT show_schema(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	for (size_t k = 0; k < sizeof schemas / sizeof *schemas; k++) {
		const char *path = str_print(e->c->arena, "/v2/schemas/metadefs/%s", schemas[k].path).p;
		if (!path || strcmp(path, os_action_of(e)->path) != 0)
			continue;
		json_write_z(w, "name", schemas[k].name);
		if (schemas[k].collection)
			write_collection(w, &schemas[k]);
		else
			write_one(w, &schemas[k]);
	}
	return OK;
}

/* ---- the table ---- */

#define SPACES "/v2/metadefs/namespaces"
#define ONE SPACES "/{namespace}"
#define SCHEMA(word)                                                                                         \
	{                                                                                                    \
		.method = HTTP_GET, .path = "/v2/schemas/metadefs/" word,                                    \
		.permit = "get_metadef_namespaces", .answer = show_schema,                                   \
		.doc = "Shows the JSON schema of: " word "."                                                 \
	}
static const struct os_action actions[] = {
	{HTTP_GET, SPACES, .permit = "get_metadef_namespaces", .list = &spaces, .answer = list_spaces,
	 .doc = "Lists the namespaces of metadata definitions."},
	{HTTP_POST, SPACES, .permit = "add_metadef_namespace", .flags = API_WRITES | OS_ADMIN, .status = 201,
	 .args = OS_PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_metadef_namespace_run, .returns = KIND_METADEF_NAMESPACE,
	 .answer = show_created, .doc = "Creates a namespace with its definitions."},
	{HTTP_GET, ONE, .permit = "get_metadef_namespace", .args = OS_PARAMS(struct space_args, space_params),
	 .answer = show_space, .doc = "Shows one namespace with its definitions."},
	{HTTP_PUT, ONE, .permit = "modify_metadef_namespace", .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct update_args, update_params), .prepare = prepare_update,
	 .operation = engine_update_metadef_namespace_run, .returns = KIND_METADEF_NAMESPACE,
	 .answer = show_updated, .doc = "Changes a namespace, but not its definitions."},
	{HTTP_DELETE, ONE, .permit = "delete_metadef_namespace", .flags = API_WRITES | OS_ADMIN,
	 .status = 204, .args = OS_PARAMS(struct space_args, space_params), .prepare = prepare_delete,
	 .operation = engine_delete_metadef_namespace_run,
	 .doc = "Deletes a namespace with its definitions."},
	{HTTP_GET, "/v2/metadefs/resource_types", .permit = "list_metadef_resource_types",
	 .answer = list_resource_types, .doc = "Lists the resource types that namespaces can apply to."},
	SCHEMA("namespace"),
	SCHEMA("namespaces"),
	SCHEMA("object"),
	SCHEMA("objects"),
	SCHEMA("property"),
	SCHEMA("properties"),
	SCHEMA("resource_type"),
	SCHEMA("resource_types"),
	SCHEMA("tag"),
	SCHEMA("tags"),
};
const struct os_actions os_image_metadef_actions = OS_ACTIONS(OS_IMAGE, actions);
