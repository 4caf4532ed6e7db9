/* SPDX-License-Identifier: Apache-2.0
 * Tag names and their values: those of resources and groups, with counts, and predefined ones. Source: Azure REST
 * API reference, "Tags", 2021-04-01 ("List", "Create Or Update", "Create Or Update Value"). */
#include "api/azure/core/action.h"

#include <stdlib.h>

#include "engine/resolve.h"
#include "engine/tag_name.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

/* {"env": {"name": "Env", "count": 2, "values": {"test": 1}}}: keys in small letters. */
static json_t *open_name(json_t *all, struct az_call *e, struct str name)
{
	const char *key = str_to_z(e->c->arena, str_lower(e->c->arena, name));
	json_t *one = json_object_get(all, key);
	if (one)
		return one;
	one = json_pack("{s:s%, s:i, s:{}}", "name", name.p, name.n, "count", 0, "values");
	return one && !json_object_set_new(all, key, one) ? one : NULL;
}

static bool count_value(json_t *one, struct az_call *e, struct str value, int by)
{
	const char *key = str_to_z(e->c->arena, value);
	json_t *values = json_object_get(one, "values");
	json_int_t count = json_integer_value(json_object_get(values, key));
	json_int_t total = json_integer_value(json_object_get(one, "count"));
	return !json_object_set_new(values, key, json_integer(count + by)) &&
	       !json_object_set_new(one, "count", json_integer(total + by));
}

static bool add_tags(json_t *all, struct az_call *e, struct tags tags)
{
	for (size_t k = 0; k < tags.count; k++) {
		json_t *one = open_name(all, e, tags.at[k].key);
		if (!one || !count_value(one, e, tags.at[k].value, 1))
			return false;
	}
	return true;
}

static bool add_said(json_t *all, struct az_call *e, struct str name, struct str value)
{
	json_t *one = open_name(all, e, name);
	return one && (!value.n || count_value(one, e, value, 0));
}

static bool add_resource(json_t *all, struct az_call *e, const struct arm_resource *r)
{
	enum kind kind = (enum kind) r->target_kind;
	size_t offset = model_kinds[kind].tags_offset;
	const struct row *row = tables_find(az_tables(e), kind, r->target);
	struct str name, value;
	if (engine_read_tag_name(r, &name, &value))
		return add_said(all, e, name, value);
	return !row || !offset || engine_is_resource_gone(az_tables(e), r) ||
	       add_tags(all, e, *(const struct tags *) (const void *) ((const char *) row + offset));
}

static json_t *collect(struct az_call *e)
{
	uuid account = e->c->who->account;
	json_t *all = json_object();
	bool is_good = all;
	const struct arm_resource *r = arm_resource_first_by_account(az_tables(e), account);
	for (; r && is_good; r = arm_resource_next_by_account(az_tables(e), r))
		is_good = add_resource(all, e, r);
	const struct resource_group *g = resource_group_first_by_account(az_tables(e), account);
	for (; g && is_good; g = resource_group_next_by_account(az_tables(e), g))
		is_good = add_tags(all, e, g->tags);
	if (!is_good) {
		json_decref(all);
		return NULL;
	}
	return all;
}

static void write_count(struct json_writer *w, json_int_t count)
{
	json_write_open(w, "count");
	json_write_z(w, "type", "Total");
	json_write_int(w, "value", count);
	json_write_close(w);
}

static void write_name(struct az_call *e, struct json_writer *w, const json_t *one)
{
	const char *value;
	json_t *count;
	char account[UUID_TEXT_SIZE];
	const char *name = json_string_value(json_object_get(one, "name"));
	struct str id = str_print(e->c->arena, "/subscriptions/%s/tagNames/%s",
				  uuid_write(e->c->who->account, account), name);
	json_write_text(w, "id", id);
	json_write_z(w, "tagName", name);
	write_count(w, json_integer_value(json_object_get(one, "count")));
	json_write_open_list(w, "values");
	json_object_foreach (json_object_get(one, "values"), value, count) {
		json_write_open(w, NULL);
		json_write_text(w, "id",
				str_print(e->c->arena, "%" STR_FMT "/tagValues/%s", STR_ARG(id), value));
		json_write_z(w, "tagValue", value);
		write_count(w, json_integer_value(count));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT list_names(struct az_call *e, const void *args, struct json_writer *w)
{
	json_auto_t *all = collect(e);
	const char *key;
	json_t *one;
	(void) args;
	if (!all)
		return ctx_no_memory(e->c);
	json_write_open_list(w, "value");
	json_object_foreach (all, key, one) {
		json_write_open(w, NULL);
		write_name(e, w, one);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- said beforehand ---- */

struct name_args {
	struct tag_name_wish wish; /* first: the operation reads it */
};

/* Refuses to delete a tag name or value that resources use. */
static RESULT check_unused(struct az_call *e, const struct tag_name_wish *wish)
{
	json_auto_t *all = collect(e);
	if (!all)
		return ctx_no_memory(e->c);
	const json_t *one = json_object_get(all, str_to_z(e->c->arena, str_lower(e->c->arena, wish->name)));
	const json_t *value =
		json_object_get(json_object_get(one, "values"), str_to_z(e->c->arena, wish->value));
	json_int_t count = json_integer_value(wish->value.n ? value : json_object_get(one, "count"));
	return !count ? OK
		      : ctx_fail(e->c, ERR_IN_USE, /* guessed */
				 "The tag '%" STR_FMT "' is in use by %lld resources.",
				 STR_ARG(str_slice(wish->name, 0, 128)), (long long) count);
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct tag_name_wish *wish = args;
	wish->name = az_path_value(e, "tagName");
	wish->value = az_path_value(e, "tagValue");
	wish->is_removed = az_action_of(e)->method == HTTP_DELETE;
	return wish->is_removed ? check_unused(e, wish) : OK;
}

static RESULT show_put(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct name_args *a = args;
	json_auto_t *all = collect(e);
	if (!all)
		return ctx_no_memory(e->c);
	const json_t *one = json_object_get(all, str_to_z(e->c->arena, str_lower(e->c->arena, a->wish.name)));
	e->status = a->wish.is_new ? 201 : 200;
	if (!a->wish.value.n) {
		write_name(e, w, one);
		return OK;
	}
	json_write_text(w, "id", e->call->path);
	json_write_text(w, "tagValue", a->wish.value);
	const json_t *count =
		json_object_get(json_object_get(one, "values"), str_to_z(e->c->arena, a->wish.value));
	write_count(w, json_integer_value(count));
	return OK;
}

#define NAMES AZ_SUBSCRIPTION "/tagNames"
#define VALUE "/{tagName}/tagValues/{tagValue}"
#define CHANGE(verb, path, word, action, ...)                                                                \
	{                                                                                                    \
		verb, NAMES path, .name = (word), .permit = (action), .flags = API_WRITES, .type = AZ_TAGS,  \
				  .args = {0, 0, sizeof(struct name_args)}, .prepare = prepare,              \
				  .operation = engine_put_tag_name_run,                                      \
				  .returns = API_RETURNS_NOTHING_STORED, __VA_ARGS__                         \
	}
static const struct az_action actions[] = {
	{HTTP_GET, NAMES, .name = "Tags_List", .permit = "ec2:DescribeTags", .type = AZ_TAGS,
	 .answer = list_names,
	 .doc = "Lists tag names with their values and the number of resources that have them."},
	CHANGE(HTTP_PUT, "/{tagName}", "Tags_CreateOrUpdate", "ec2:CreateTags", .answer = show_put,
	       .doc = "Creates a tag name."),
	CHANGE(HTTP_DELETE, "/{tagName}", "Tags_Delete", "ec2:DeleteTags",
	       .doc = "Deletes a tag name that no resource has."),
	CHANGE(HTTP_PUT, VALUE, "Tags_CreateOrUpdateValue", "ec2:CreateTags", .answer = show_put,
	       .doc = "Creates a tag value."),
	CHANGE(HTTP_DELETE, VALUE, "Tags_DeleteValue", "ec2:DeleteTags",
	       .doc = "Deletes a tag value that no resource has."),
};
const struct api_actions az_tag_name_actions = API_ACTIONS(actions);
