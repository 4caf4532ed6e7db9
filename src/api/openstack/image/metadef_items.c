/* SPDX-License-Identifier: Apache-2.0
 * Objects, properties, tags and resource types of a metadata namespace: JSON documents that are checked
 * against their schemas and shown as sent. Source: Image API reference, "Metadata definitions";
 * glance.api.v2.metadef_*. */
#include <jansson.h>

#include "api/openstack/core/write.h"
#include "api/openstack/image/metadefs.h"
#include "model/metadef_namespace.h"
#include "store/metadef_item.h"

enum { DEFINITION_MAX = 65536 }; /* bytes; same limit as in schema/metadef_item.toml */

/* ---- checking documents ---- */

struct member {
	const char *name;
	enum { M_TEXT, M_TEXTS, M_NUMBER, M_BOOL, M_LIST, M_OBJECT, M_ANY, M_PROPERTIES } form;
};
static const struct member object_members[] = {
	{"description", M_TEXT}, {"required", M_TEXTS}, {"properties", M_PROPERTIES}, {NULL, M_ANY}};
static const struct member property_members[] = {
	{"title", M_TEXT},       {"description", M_TEXT},     {"operators", M_TEXTS}, {"type", M_TEXT},
	{"required", M_TEXTS},   {"minimum", M_NUMBER},       {"maximum", M_NUMBER},  {"maxLength", M_NUMBER},
	{"minLength", M_NUMBER}, {"pattern", M_TEXT},         {"enum", M_LIST},       {"readonly", M_BOOL},
	{"default", M_ANY},      {"items", M_OBJECT},         {"maxItems", M_NUMBER}, {"minItems", M_NUMBER},
	{"uniqueItems", M_BOOL}, {"additionalItems", M_BOOL}, {"name", M_TEXT},       {NULL, M_ANY}};
static const struct member type_members[] = {
	{"prefix", M_TEXT}, {"properties_target", M_TEXT}, {NULL, M_ANY}};
static const struct member no_members[] = {{NULL, M_ANY}};

static const struct {
	const char *schema;
	const struct member *members;
} parts[] = {[METADEF_ITEM_PART_OBJECT] = {"object", object_members},
	     [METADEF_ITEM_PART_PROPERTY] = {"property", property_members},
	     [METADEF_ITEM_PART_TAG] = {"tag", no_members},
	     [METADEF_ITEM_PART_RESOURCE_TYPE] = {"resource_type_association", type_members}};

static RESULT fail_schema(struct os_call *e, const char *schema, const char *member, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_copy(e->c->arena, str_from(member)),
			      "Provided object does not match schema '%s': '%s' %s", schema, member, why);
}

static bool are_texts(const json_t *list)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		if (!json_is_string(json_array_get(list, k)))
			return false;
	return json_is_array(list);
}

static bool is_of_form(const struct member *m, const json_t *value)
{
	switch (m->form) {
	case M_TEXT:
		return json_is_string(value);
	case M_TEXTS:
		return are_texts(value);
	case M_NUMBER:
		return json_is_number(value);
	case M_BOOL:
		return json_is_boolean(value);
	case M_LIST:
		return json_is_array(value);
	case M_OBJECT:
	case M_PROPERTIES:
		return json_is_object(value);
	case M_ANY:
		break;
	}
	return true;
}

static bool is_read_only(const char *key)
{
	static const char *const keys[] = {"self", "schema", "created_at", "updated_at"};
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
		if (strcmp(keys[k], key) == 0)
			return true;
	return false;
}

/* Requires a title and one of JSON's types. */
static RESULT check_property(struct os_call *e, const json_t *object)
{
	static const char *const types = "array|boolean|integer|number|object|string";
	const json_t *type = json_object_get(object, "type");
	if (!json_object_get(object, "title"))
		return fail_schema(e, "property", "title", "is a required property");
	if (!type)
		return fail_schema(e, "property", "type", "is a required property");
	if (!params_has_word(types, str_from(json_string_value(type))))
		return fail_schema(e, "property", "type",
				   "is none of array|boolean|integer|number|object|string");
	return OK;
}

static RESULT check_members(struct os_call *e, enum metadef_item_part part, json_t *object)
{
	const char *key, *schema = parts[part].schema;
	json_t *value;
	json_object_foreach (object, key, value) {
		const struct member *m = parts[part].members;
		if (is_read_only(key))
			return ctx_fail(e->c, ERR_DENIED, "Attribute '%s' is read-only.", key);
		while (m->name && strcmp(m->name, key) != 0)
			m++;
		if (!m->name)
			return fail_schema(e, schema, key,
					   "was unexpected: additional properties are not allowed");
		if (!is_of_form(m, value))
			return fail_schema(e, schema, key, "is not of the type that it has there");
	}
	return part == METADEF_ITEM_PART_PROPERTY ? check_property(e, object) : OK;
}

static RESULT check_document(struct os_call *e, enum metadef_item_part part, json_t *object)
{
	const char *key;
	json_t *value, *properties = json_object_get(object, "properties");
	TRY(check_members(e, part, object));
	if (part != METADEF_ITEM_PART_OBJECT)
		return OK;
	json_object_foreach (properties, key, value) {
		if (!json_is_object(value))
			return fail_schema(e, "object", key, "is not of the type 'object'");
		TRY(check_members(e, METADEF_ITEM_PART_PROPERTY, value));
	}
	return OK;
}

RESULT os_check_metadef(struct os_call *e, enum metadef_item_part part, struct str definition)
{
	json_t *object = definition.n ? json_loadb(definition.p, definition.n, 0, NULL) : json_object();
	if (!object)
		return ctx_no_memory(e->c);
	if (definition.n > DEFINITION_MAX) {
		json_decref(object);
		return ctx_fail(e->c, ERR_INVALID, "A definition has at most %d bytes.", DEFINITION_MAX);
	}
	struct result r = check_document(e, part, object);
	json_decref(object);
	return r;
}

/* ---- what is shown ---- */

void os_write_metadef_times(struct json_writer *w, const struct row *row)
{
	os_write_time(w, "created_at", row->created_us);
	os_write_time(w, "updated_at", row->updated_us ? row->updated_us : row->created_us);
}

/* Writes the members of the stored JSON object. */
static void write_definition(struct json_writer *w, struct str definition)
{
	const char *key;
	json_t *value, *object = definition.n ? json_loadb(definition.p, definition.n, 0, NULL) : NULL;
	json_object_foreach (object, key, value) {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		json_write_key(w, str_from(key));
		json_write_raw(w, NULL, str_from(text ? text : "null"));
		free(text);
	}
	json_decref(object);
}

void os_write_metadef_object(struct os_call *e, struct json_writer *w, const struct metadef_namespace *space,
			     const struct metadef_item *item)
{
	json_write_text(w, "name", item->name);
	write_definition(w, item->definition);
	os_write_metadef_times(w, &item->row);
	json_write_text(w, "self",
			str_print(e->c->arena, "/v2/metadefs/namespaces/%" STR_FMT "/objects/%" STR_FMT,
				  STR_ARG(space->name), STR_ARG(item->name)));
	json_write_z(w, "schema", "/v2/schemas/metadefs/object");
}

void os_write_metadef_property(struct json_writer *w, const struct metadef_item *item)
{
	json_write_text(w, "name", item->name);
	write_definition(w, item->definition);
}

void os_write_metadef_association(struct os_call *e, struct json_writer *w, const struct metadef_item *item)
{
	(void) e;
	json_write_text(w, "name", item->name);
	write_definition(w, item->definition);
	os_write_metadef_times(w, &item->row);
}

static void write_tag(struct json_writer *w, const struct metadef_item *item)
{
	json_write_text(w, "name", item->name);
	os_write_metadef_times(w, &item->row);
}

static void write_item(struct os_call *e, struct json_writer *w, const struct metadef_namespace *space,
		       const struct metadef_item *item)
{
	if (item->part == METADEF_ITEM_PART_OBJECT)
		os_write_metadef_object(e, w, space, item);
	else if (item->part == METADEF_ITEM_PART_PROPERTY)
		os_write_metadef_property(w, item);
	else if (item->part == METADEF_ITEM_PART_TAG)
		write_tag(w, item);
	else
		os_write_metadef_association(e, w, item);
}

/* ---- the calls: the path says of which part ---- */

struct item_args {
	struct metadef_item_wish wish;
	struct str space_name, name, others; /* name: from the path */
};

static enum metadef_item_part part_of(const struct os_call *e)
{
	struct str path = str_from(os_action_of(e)->path);
	return str_contains(path, STR("/objects"))      ? METADEF_ITEM_PART_OBJECT
	       : str_contains(path, STR("/properties")) ? METADEF_ITEM_PART_PROPERTY
	       : str_contains(path, STR("/tags"))       ? METADEF_ITEM_PART_TAG
							: METADEF_ITEM_PART_RESOURCE_TYPE;
}

static RESULT fail_no_item(struct os_call *e, const struct metadef_namespace *space, struct str name)
{
	enum metadef_item_part part = part_of(e);
	if (part == METADEF_ITEM_PART_RESOURCE_TYPE)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Failed to find resource type %" STR_FMT " to delete",
				STR_ARG(str_slice(name, 0, 80)));
	return ctx_fail(e->c, ERR_NOT_FOUND,
			"The metadata definition %s with name=%" STR_FMT
			" was not found in namespace=%" STR_FMT ".",
			parts[part].schema, STR_ARG(str_slice(name, 0, 80)), STR_ARG(space->name));
}

static RESULT find_item(struct os_call *e, const struct item_args *a,
			const struct metadef_namespace **ret_space, const struct metadef_item **ret_item)
{
	TRY(os_find_metadef_space(e, a->space_name, ret_space));
	*ret_item = engine_find_metadef_item(os_tables(e), (*ret_space)->row.id, part_of(e), a->name);
	return *ret_item ? OK : fail_no_item(e, *ret_space, a->name);
}

#define SPACE OS_PATH(struct item_args, "namespace", space_name, .doc = "The namespace.")
#define NAME(word) OS_PATH(struct item_args, word, name, .max = 80, .doc = "Name of the definition.")
#define NEW_NAME                                                                                             \
	OS_BODY(struct item_args, "name", wish.words.name, .flags = REQUIRED, .min = 1, .max = 80,           \
		.doc = "Name; unique among the definitions of its kind in the namespace. The other members " \
		       "follow its schema.")
static const struct param list_params[] = {SPACE};
static const struct param new_params[] = {SPACE, NEW_NAME};
static const struct param object_params[] = {SPACE, NAME("object_name")};
static const struct param property_params[] = {SPACE, NAME("property_name")};
static const struct param tag_params[] = {SPACE, NAME("tag_name")};
static const struct param object_changes[] = {SPACE, NAME("object_name"), NEW_NAME};
static const struct param property_changes[] = {SPACE, NAME("property_name"), NEW_NAME};
static const struct param tag_changes[] = {SPACE, NAME("tag_name"), NEW_NAME};

static RESULT list_items(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const items[] = {[METADEF_ITEM_PART_OBJECT] = "objects",
					    [METADEF_ITEM_PART_PROPERTY] = "properties",
					    [METADEF_ITEM_PART_TAG] = "tags",
					    [METADEF_ITEM_PART_RESOURCE_TYPE] = "resource_type_associations"};
	const struct item_args *a = args;
	const struct metadef_namespace *space = NULL;
	enum metadef_item_part part = part_of(e);
	bool by_name = part == METADEF_ITEM_PART_PROPERTY;
	TRY(os_find_metadef_space(e, a->space_name, &space));
	if (by_name)
		json_write_open(w, items[part]);
	else
		json_write_open_list(w, items[part]);
	const struct metadef_item *i = metadef_item_first_by_namespace(os_tables(e), space->row.id);
	for (; i; i = metadef_item_next_by_namespace(os_tables(e), i)) {
		if (i->part != part)
			continue;
		if (by_name)
			json_write_key(w, i->name);
		json_write_open(w, NULL);
		if (part == METADEF_ITEM_PART_TAG)
			json_write_text(w, "name", i->name);
		else
			write_item(e, w, space, i);
		json_write_close(w);
	}
	if (by_name)
		json_write_close(w);
	else
		json_write_close_list(w);
	if (part == METADEF_ITEM_PART_OBJECT)
		json_write_z(w, "schema", "/v2/schemas/metadefs/objects");
	return OK;
}

static RESULT show_item(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct metadef_namespace *space = NULL;
	const struct metadef_item *item = NULL;
	TRY(find_item(e, args, &space, &item));
	write_item(e, w, space, item);
	return OK;
}

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct item_args *a = args;
	const struct metadef_namespace *space = NULL;
	TRY(os_find_metadef_space(e, a->space_name, &space));
	a->wish.space = space->row.id;
	a->wish.words.part = part_of(e);
	a->wish.words.definition = a->others;
	if (!a->wish.words.name.n) /* a tag's name comes from the path */
		a->wish.words.name = a->name;
	return os_check_metadef(e, a->wish.words.part, a->others);
}

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct item_args *a = args;
	const struct metadef_namespace *space = NULL;
	const struct metadef_item *item = NULL;
	TRY(find_item(e, a, &space, &item));
	a->wish.before = str_copy(e->c->arena, item->name);
	return prepare_new(e, args);
}

static RESULT show_put(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct item_args *a = args;
	const struct metadef_namespace *space = NULL;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.item, &row));
	TRY(os_find_metadef_space(e, a->space_name, &space));
	write_item(e, w, space, metadef_item_of(row));
	return OK;
}

struct delete_args {
	struct metadef_items_target wish;
	struct item_args item;
};
#define DELETED_SPACE OS_PATH(struct delete_args, "namespace", item.space_name, .doc = "The namespace.")
#define DELETED(word)                                                                                        \
	OS_PATH(struct delete_args, word, item.name, .max = 80, .doc = "Name of the definition.")
static const struct param delete_all_params[] = {DELETED_SPACE};
static const struct param delete_object_params[] = {DELETED_SPACE, DELETED("object_name")};
static const struct param delete_property_params[] = {DELETED_SPACE, DELETED("property_name")};
static const struct param delete_tag_params[] = {DELETED_SPACE, DELETED("tag_name")};
static const struct param delete_type_params[] = {DELETED_SPACE, DELETED("name")};

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct delete_args *a = args;
	const struct metadef_namespace *space = NULL;
	const struct metadef_item *item = NULL;
	if (a->item.name.n)
		TRY(find_item(e, &a->item, &space, &item));
	else
		TRY(os_find_metadef_space(e, a->item.space_name, &space));
	a->wish = (struct metadef_items_target){space->row.id, part_of(e), a->item.name};
	return OK;
}

/* ---- tags at once ---- */

struct tag_words {
	struct str name;
};
static const struct param tag_rows[] = {
	OS_BODY(struct tag_words, "name", name, .flags = REQUIRED, .min = 1, .max = 80,
		.doc = "Name of the tag."),
};
static const struct params tag_table = OS_PARAMS(struct tag_words, tag_rows);
struct tags_args {
	struct metadef_tags_wish wish;
	struct str space_name;
	struct {
		const struct tag_words *at;
		size_t count;
	} tags;
};
static const struct param tags_params[] = {
	OS_PATH(struct tags_args, "namespace", space_name, .doc = "The namespace."),
	OS_BODY_LIST(struct tags_args, "tags", tags, tag_table, .flags = REQUIRED, .max = 512,
		     .doc = "Tags that replace the present tags; with X-Openstack-Append they are added."),
};

static RESULT prepare_tags(struct os_call *e, void *args)
{
	struct tags_args *a = args;
	const struct metadef_namespace *space = NULL;
	struct str *names = arena_new_array(e->c->arena, struct str, a->tags.count);
	struct str appends = call_header(e->call, "X-Openstack-Append");
	if (!names)
		return ctx_no_memory(e->c);
	TRY(os_find_metadef_space(e, a->space_name, &space));
	for (size_t k = 0; k < a->tags.count; k++)
		names[k] = a->tags.at[k].name;
	a->wish = (struct metadef_tags_wish){space->row.id,
					     {names, a->tags.count},
					     str_equal_nocase(appends, STR("true")) || str_is(appends, "1")};
	return OK;
}

static RESULT show_tags(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tags_args *a = args;
	(void) e;
	json_write_open_list(w, "tags");
	for (size_t k = 0; k < a->tags.count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "name", a->tags.at[k].name);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- the table ---- */

#define IN "/v2/metadefs/namespaces/{namespace}"
#define CHANGE API_WRITES | OS_ADMIN
#define LIST(path_, permit_, words)                                                                          \
	{                                                                                                    \
		.method = HTTP_GET, .path = IN path_, .permit = (permit_),                                   \
		.args = OS_PARAMS(struct item_args, list_params), .answer = list_items, .doc = (words)       \
	}
#define SHOW(path_, permit_, params, words)                                                                  \
	{                                                                                                    \
		.method = HTTP_GET, .path = IN path_, .permit = (permit_),                                   \
		.args = OS_PARAMS(struct item_args, params), .answer = show_item, .doc = (words)             \
	}
#define NEW(path_, permit_, params, words)                                                                   \
	{                                                                                                    \
		.method = HTTP_POST, .path = IN path_, .permit = (permit_), .flags = CHANGE, .status = 201,  \
		.args = OS_PARAMS(struct item_args, params,                                                  \
				  .members = offsetof(struct item_args, others) + 1),                        \
		.prepare = prepare_new, .operation = engine_put_metadef_item_run,                            \
		.returns = KIND_METADEF_ITEM, .answer = show_put, .doc = (words)                             \
	}
#define PUT(path_, permit_, params, words)                                                                   \
	{                                                                                                    \
		.method = HTTP_PUT, .path = IN path_, .permit = (permit_), .flags = CHANGE,                  \
		.args = OS_PARAMS(struct item_args, params,                                                  \
				  .members = offsetof(struct item_args, others) + 1),                        \
		.prepare = prepare_change, .operation = engine_put_metadef_item_run,                         \
		.returns = KIND_METADEF_ITEM, .answer = show_put, .doc = (words)                             \
	}
#define DELETE(path_, permit_, params, words)                                                                \
	{                                                                                                    \
		.method = HTTP_DELETE, .path = IN path_, .permit = (permit_), .flags = CHANGE,               \
		.status = 204, .args = OS_PARAMS(struct delete_args, params), .prepare = prepare_delete,     \
		.operation = engine_delete_metadef_items_run, .doc = (words)                                 \
	}
static const struct os_action actions[] = {
	LIST("/objects", "get_metadef_objects", "Lists the objects of a namespace."),
	NEW("/objects", "add_metadef_object", new_params, "Adds an object to a namespace."),
	SHOW("/objects/{object_name}", "get_metadef_object", object_params, "Shows one object."),
	PUT("/objects/{object_name}", "modify_metadef_object", object_changes, "Changes an object."),
	DELETE("/objects/{object_name}", "delete_metadef_object", delete_object_params, "Deletes an object."),
	DELETE("/objects", "delete_metadef_object", delete_all_params, "Deletes all objects of a namespace."),
	LIST("/properties", "get_metadef_properties", "Lists the properties of a namespace, by name."),
	NEW("/properties", "add_metadef_property", new_params, "Adds a property to a namespace."),
	SHOW("/properties/{property_name}", "get_metadef_property", property_params, "Shows one property."),
	PUT("/properties/{property_name}", "modify_metadef_property", property_changes,
	    "Changes a property."),
	DELETE("/properties/{property_name}", "remove_metadef_property", delete_property_params,
	       "Deletes a property."),
	DELETE("/properties", "remove_metadef_property", delete_all_params,
	       "Deletes all properties of a namespace."),
	LIST("/tags", "get_metadef_tags", "Lists the tags of a namespace."),
	{HTTP_POST, IN "/tags", .permit = "add_metadef_tags", .flags = CHANGE, .status = 201,
	 .args = OS_PARAMS(struct tags_args, tags_params), .prepare = prepare_tags,
	 .operation = engine_set_metadef_tags_run, .returns = API_RETURNS_NOTHING_STORED, .answer = show_tags,
	 .doc = "Replaces the tags of a namespace, or adds to them."},
	SHOW("/tags/{tag_name}", "get_metadef_tag", tag_params, "Shows one tag."),
	{HTTP_POST, IN "/tags/{tag_name}", .permit = "add_metadef_tag", .flags = CHANGE, .status = 201,
	 .args = OS_PARAMS(struct item_args, tag_params), .prepare = prepare_new,
	 .operation = engine_put_metadef_item_run, .returns = KIND_METADEF_ITEM, .answer = show_put,
	 .doc = "Adds a tag to a namespace."},
	PUT("/tags/{tag_name}", "modify_metadef_tag", tag_changes, "Renames a tag."),
	DELETE("/tags/{tag_name}", "delete_metadef_tag", delete_tag_params, "Deletes a tag."),
	DELETE("/tags", "delete_metadef_tags", delete_all_params, "Deletes all tags of a namespace."),
	LIST("/resource_types", "get_metadef_resource_type",
	     "Lists the resource types associated with a namespace."),
	NEW("/resource_types", "add_metadef_resource_type_association", new_params,
	    "Associates a namespace with a resource type."),
	DELETE("/resource_types/{name}", "remove_metadef_resource_type_association", delete_type_params,
	       "Removes the association of a namespace with a resource type."),
};
const struct os_actions os_metadef_item_actions = OS_ACTIONS(OS_IMAGE, actions);
