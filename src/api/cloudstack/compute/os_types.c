/* SPDX-License-Identifier: Apache-2.0
 * listOsTypes and listOsCategories: the names in os_types.def. Ids derive from names, so they are the same
 * in every region.
 */
#include "api/cloudstack/compute/os_types.h"
#include "base/uuid_asked.h"
#include "model/image.h"

#define TYPE(name, category) {(name), (category)},
static const struct cs_os_type types[] = {
#include "api/cloudstack/compute/os_types.def"
};
#undef TYPE
static const char *const categories[] = {"CentOS", "Debian", "Oracle",  "RedHat", "SUSE", "Ubuntu",
					 "Unix",   "Novel",  "Windows", "Other",  "None"};
enum { TYPES = sizeof types / sizeof *types, CATEGORIES = sizeof categories / sizeof *categories };

static uuid make_id(const char *of, const char *name)
{
	return uuid_v5(uuid_v5(UUID_NONE, str_from(of)), str_from(name));
}

static uuid id_of(const struct cs_os_type *type)
{
	return make_id("ostype", type->name);
}

const struct cs_os_type *cs_find_os_type(struct str id)
{
	uuid wanted;
	for (size_t k = 0; result_is_ok(uuid_parse_asked(id, &wanted)) && k < TYPES; k++)
		if (uuid_equal(id_of(&types[k]), wanted))
			return &types[k];
	return NULL;
}

const struct cs_os_type *cs_os_type_of(const struct image *image)
{
	const struct tag *said = tags_find(image->properties, STR(CS_OS_TYPE_PROPERTY));
	for (size_t k = 0; said && k < TYPES; k++)
		if (str_is(said->value, types[k].name))
			return &types[k];
	return &types[image->platform == IMAGE_PLATFORM_WINDOWS];
}

struct str cs_os_type_id(struct arena *a, const struct cs_os_type *type)
{
	return uuid_to_str(a, id_of(type));
}

bool cs_os_type_is_windows(const struct cs_os_type *type)
{
	return strcmp(type->category, "Windows") == 0;
}

/* ---- the lists ---- */

struct list_types {
	struct cs_list_args list;
	struct str id, category, description;
	struct strs ids;
};
#define P(wire, member, ...) PARAM(struct list_types, wire, member, __VA_ARGS__)
static const struct param type_params[] = {
	CS_PAGE_PARAMS(struct list_types),
	P("id", id, .doc = "Resource by id."),
	P("ids", ids, .max = CS_PAGE_MAX, .doc = "Resources by id."),
	P("oscategoryid", category, .doc = "Category of the operating system."),
	P("description", description, .doc = "Name of the operating system."),
	NOT_BUILT("fordisplay", .only = "true"),
};
static const struct param category_params[] = {
	CS_PAGE_PARAMS(struct list_types),      CS_NAME_PARAM(struct list_types),
	P("id", id, .doc = "Resource by id."),  NOT_BUILT("arch|isfeatured|isiso|isvnf|zoneid"),
	NOT_BUILT("showicon", .only = "false"),
};
#undef P

/* An absent filter matches everything. */
static bool is_asked_for(struct cs_call *e, struct str wanted, uuid id)
{
	return !wanted.n || str_equal_nocase(wanted, uuid_to_str(e->c->arena, id));
}

static bool has_words(struct cs_call *e, const struct list_types *a, struct str whole, const char *name)
{
	struct arena *arena = e->c->arena;
	return (!whole.n || str_equal_nocase(whole, str_from(name))) &&
	       (!a->list.keyword.n ||
		str_contains(str_lower(arena, str_from(name)), str_lower(arena, a->list.keyword)));
}

static bool is_listed(struct cs_call *e, const struct list_types *a, const struct cs_os_type *type)
{
	bool is_one = !a->ids.count;
	for (size_t k = 0; k < a->ids.count; k++)
		is_one = is_one || cs_find_os_type(a->ids.at[k]) == type;
	return is_one && is_asked_for(e, a->id, id_of(type)) &&
	       is_asked_for(e, a->category, make_id("oscategory", type->category)) &&
	       has_words(e, a, a->description, type->name);
}

static void write_type(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct cs_os_type *type = item;
	json_write_text(w, "id", cs_os_type_id(e->c->arena, type));
	json_write_text(w, "oscategoryid", uuid_to_str(e->c->arena, make_id("oscategory", type->category)));
	json_write_z(w, "oscategoryname", type->category);
	json_write_z(w, "name", type->name);
	json_write_z(w, "description", type->name);
	json_write_bool(w, "isuserdefined", false);
	json_write_bool(w, "fordisplay", true);
}

static RESULT list_types(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_types *a = args;
	const void *listed[TYPES];
	size_t count = 0;
	for (size_t k = 0; k < TYPES; k++)
		if (is_listed(e, a, &types[k]))
			listed[count++] = &types[k];
	return cs_write_items(e, w, &a->list, "ostype", listed, count, write_type);
}

static void write_category(struct cs_call *e, struct json_writer *w, const void *item)
{
	json_write_text(w, "id", uuid_to_str(e->c->arena, make_id("oscategory", item)));
	json_write_z(w, "name", item);
}

static RESULT list_categories(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_types *a = args;
	const void *listed[CATEGORIES];
	size_t count = 0;
	for (size_t k = 0; k < CATEGORIES; k++)
		if (is_asked_for(e, a->id, make_id("oscategory", categories[k])) &&
		    has_words(e, a, a->list.name, categories[k]))
			listed[count++] = categories[k];
	return cs_write_items(e, w, &a->list, "oscategory", listed, count, write_category);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listOsTypes", "ec2:DescribeImages"), .args = PARAMS(struct list_types, type_params),
	 .answer = list_types,
	 .says = "id|oscategoryid|oscategoryname|name|description|isuserdefined|fordisplay",
	 .doc = "Lists guest operating systems."},
	{CS_ACTION("listOsCategories", "ec2:DescribeImages"),
	 .args = PARAMS(struct list_types, category_params), .answer = list_categories, .says = "id|name",
	 .doc = "Lists categories of guest operating systems."},
};
const struct api_actions cs_os_type_actions = API_ACTIONS(actions);
