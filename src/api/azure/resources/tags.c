/* SPDX-License-Identifier: Apache-2.0
 * Tags of a resource or a group, as an object of their own: the same tags that every face shows. A subscription has none here.
 * Source: Azure REST API reference, "Tags", 2021-04-01 ("Create Or Update At Scope", "Update At Scope"). */
#include "api/azure/authorization/authorization.h"
#include "base/letters.h"
#include "engine/resolve.h"
#include "engine/tag.h"

/* Finds the tagged row of the scope. */
static RESULT find_tagged(struct az_call *e, enum kind *ret_kind, uuid *ret_id)
{
	struct az_scope scope;
	TRY(az_find_scope(e, &scope));
	*ret_kind = scope.place.kind == KIND_NONE ? KIND_RESOURCE_GROUP : scope.place.kind;
	*ret_id = scope.place.kind == KIND_NONE ? scope.place.group : scope.place.resource;
	bool is_default = uuid_equal(*ret_id, e->c->who->account);
	if (!is_default && model_kinds[*ret_kind].tags_offset)
		return OK;
	return ctx_fail(e->c, ERR_STATE, "The scope '%" STR_FMT "' cannot have tags.", STR_ARG(scope.text));
}

static void write_tags(struct az_call *e, struct json_writer *w, const struct row *row, enum kind kind)
{
	size_t offset = row ? engine_tags_offset(e->c, kind, row) : 0;
	const struct tags *tags = (const struct tags *) (const void *) ((const char *) row + offset);
	struct str path = e->call->path;
	while (str_ends_with(path, STR("/")))
		path.n--;
	json_write_text(w, "id", path);
	json_write_z(w, "name", "default");
	json_write_z(w, "type", "Microsoft.Resources/tags");
	json_write_open(w, "properties");
	json_write_open(w, "tags");
	for (size_t k = 0; offset && k < tags->count; k++) {
		json_write_key(w, tags->at[k].key);
		json_write_text(w, NULL, tags->at[k].value);
	}
	json_write_close(w);
	json_write_close(w);
}

static RESULT show(struct az_call *e, const void *args, struct json_writer *w)
{
	enum kind kind = KIND_NONE;
	uuid id = UUID_NONE;
	(void) args;
	TRY(find_tagged(e, &kind, &id));
	const struct row *row = tables_find(az_tables(e), kind, id);
	if (row)
		TRY(engine_check_found(e->c, az_tables(e), kind, row));
	write_tags(e, w, row, kind);
	return OK;
}

/* ---- changes ---- */

struct tags_body {
	struct tags tags;
};
static const struct param body_params[] = {
	PARAM(struct tags_body, "tags", tags, .flags = NULL_ABSENT, .doc = "Tags by name."),
};
static const struct params body_table = PARAMS(struct tags_body, body_params, .object = "Tags");
struct tags_args {
	struct tags_wish wish;
	struct str operation;
	struct tags_body body;
	struct ref ref;
	struct tag_removal removals[TAG_COUNT_MAX];
};
#define PROPERTIES                                                                                           \
	PARAM_OBJECT(struct tags_args, "properties", body, body_table, .flags = REQUIRED, .doc = "The tags.")
static const struct param put_params[] = {
	PROPERTIES,
	AZ_NAMED_PART,
};
static const struct param patch_params[] = {
	PARAM(struct tags_args, "operation", operation, .flags = REQUIRED, .words = "Merge|Replace|Delete",
	      .doc = "Operation: Merge, Replace or Delete."),
	PROPERTIES,
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct tags_args *a = args;
	enum kind kind = KIND_NONE;
	uuid id = UUID_NONE;
	TRY(find_tagged(e, &kind, &id));
	a->ref = ref_by_id(kind, id);
	a->wish = (struct tags_wish){.resources = {&a->ref, 1}, .tags = a->body.tags};
	if (a->body.tags.count > TAG_COUNT_MAX)
		return az_fail(e, "properties.tags", "A resource has up to %d tags.", TAG_COUNT_MAX);
	TRY(az_check_tag_names(e, &a->body.tags, "properties.tags"));
	for (size_t k = 0; k < a->body.tags.count; k++)
		a->removals[k] = (struct tag_removal){a->body.tags.at[k].key, a->body.tags.at[k].value, true};
	return OK;
}

/* Keeps the spelling of existing names: Azure ignores the case of tag names. */
static RESULT keep_names(struct op *op, struct tags_args *a)
{
	const struct row *row = tables_find(op->head, a->ref.kind, a->ref.prefix);
	size_t offset = model_kinds[a->ref.kind].tags_offset;
	struct tag *at = arena_new_array(op->ctx->arena, struct tag, a->body.tags.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < a->body.tags.count; k++) {
		const struct tags *there = (const void *) ((const char *) row + offset);
		at[k] = a->body.tags.at[k];
		for (size_t n = 0; row && offset && n < there->count; n++)
			if (str_equal_anycase(there->at[n].key, at[k].key))
				at[k].key = str_copy(op->ctx->arena, there->at[n].key);
		a->removals[k].key = at[k].key;
	}
	a->wish.tags.at = at;
	return OK;
}

/* Applies the operation. Delete removes tags with the given value only. */
static RESULT change(struct op *op, void *wish)
{
	struct tags_args *a = wish;
	if (!str_is(a->operation, "Replace"))
		TRY(keep_names(op, a));
	if (str_is(a->operation, "Merge"))
		return engine_set_tags(op, &a->wish);
	if (!str_is(a->operation, "Delete"))
		return engine_replace_tags(op, &a->wish);
	a->wish.removals = a->removals;
	a->wish.removal_count = a->body.tags.count;
	return a->wish.removal_count ? engine_delete_tags(op, &a->wish) : OK;
}

static RESULT show_changed(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct tags_args *a = args;
	write_tags(e, w, tables_find(az_tables(e), a->ref.kind, a->ref.prefix), a->ref.kind);
	return OK;
}

#define DEFAULT "/providers/Microsoft.Resources/tags/default"
#define CALLS(where)                                                                                         \
	{HTTP_GET,                                                                                           \
	 where DEFAULT,                                                                                      \
	 .name = "Tags_GetAtScope",                                                                          \
	 .permit = "ec2:DescribeTags",                                                                       \
	 .type = AZ_TAGS,                                                                                    \
	 .answer = show,                                                                                     \
	 .doc = "Gets the tags of a resource, resource group or subscription."},                             \
		{HTTP_PUT,                                                                                   \
		 where DEFAULT,                                                                              \
		 .name = "Tags_CreateOrUpdateAtScope",                                                       \
		 .permit = "ec2:CreateTags",                                                                 \
		 .flags = API_WRITES,                                                                        \
		 .type = AZ_TAGS,                                                                            \
		 .args = PARAMS(struct tags_args, put_params, .object = "TagsResource"),                     \
		 .prepare = prepare,                                                                         \
		 .operation = change,                                                                        \
		 .returns = API_RETURNS_NOTHING_STORED,                                                      \
		 .answer = show_changed,                                                                     \
		 .doc = "Replaces the tags at a scope."},                                                    \
		{HTTP_PATCH,                                                                                 \
		 where DEFAULT,                                                                              \
		 .name = "Tags_UpdateAtScope",                                                               \
		 .permit = "ec2:CreateTags",                                                                 \
		 .flags = API_WRITES,                                                                        \
		 .type = AZ_TAGS,                                                                            \
		 .args = PARAMS(struct tags_args, patch_params, .object = "TagsPatchResource"),              \
		 .prepare = prepare,                                                                         \
		 .operation = change,                                                                        \
		 .returns = API_RETURNS_NOTHING_STORED,                                                      \
		 .answer = show_changed,                                                                     \
		 .doc = "Merges, replaces or deletes tags at a scope."},                                     \
	{                                                                                                    \
		HTTP_DELETE, where DEFAULT, .name = "Tags_DeleteAtScope", .permit = "ec2:DeleteTags",        \
					    .flags = API_WRITES, .type = AZ_TAGS,                            \
					    .args = {0, 0, sizeof(struct tags_args)}, .prepare = prepare,    \
					    .operation = change, .returns = API_RETURNS_NOTHING_STORED,      \
					    .doc = "Deletes all tags at a scope."                            \
	}
static const struct az_action actions[] = {CALLS(AZ_GROUP), CALLS(AZ_AT_RESOURCE), CALLS(AZ_AT_PART)};
const struct api_actions az_tag_actions = API_ACTIONS(actions);
