/* SPDX-License-Identifier: Apache-2.0
 * Tags of all taggable kinds, shared with the other faces.
 */
#include "api/cloudstack/core/action.h"
#include "base/uuid_asked.h"
#include "base/vec.h"
#include "engine/resolve.h"
#include "engine/tag.h"

struct tag_args {
	struct tags_wish wish;
	struct strs ids;
	struct str type;
	struct tags tags;
};
#define P(wire, member, ...) PARAM(struct tag_args, wire, member, __VA_ARGS__)
#define WHAT                                                                                                 \
	P("resourceids", ids, .flags = REQUIRED, .max = 1000, .doc = "Ids of the resources."),               \
		P("resourcetype", type, .flags = REQUIRED,                                                   \
		  .doc = "Resource type, such as UserVm or Volume.")
static const struct param create_params[] = {
	WHAT,
	PARAM_LIST(struct tag_args, "tags", tags, cs_tag_params, .flags = REQUIRED, .max = TAG_COUNT_MAX,
		   .doc = "Tags, as tags[0].key and tags[0].value."),
	NOT_BUILT("customer"),
};
static const struct param delete_params[] = {
	WHAT,
	PARAM_LIST(struct tag_args, "tags", tags, cs_tag_params, .max = TAG_COUNT_MAX,
		   .doc = "Tags to delete; with a value only tags that have it. Absent: all tags."),
};
#undef P

static enum kind kind_of(struct str type)
{
	for (unsigned k = 0; k < KIND_COUNT; k++)
		if (cs_tag_type((enum kind) k) &&
		    str_equal_nocase(type, str_from(cs_tag_type((enum kind) k))))
			return (enum kind) k;
	return KIND_NONE;
}

static RESULT take_resources(struct cs_call *e, struct tag_args *a)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, a->ids.count + 1);
	enum kind kind = kind_of(a->type);
	if (!refs)
		return ctx_no_memory(e->c);
	if (kind == KIND_NONE)
		return cs_fail(e, "resourcetype", "Unable to retrieve resource type: %" STR_FMT,
			       STR_ARG(a->type));
	for (size_t k = 0; k < a->ids.count; k++) {
		refs[k] = (struct ref){.kind = kind,
				       .bits = 8 * sizeof(uuid),
				       .text = a->ids.at[k],
				       .field = STR("resourceids")};
		if (!result_is_ok(uuid_parse_asked(a->ids.at[k], &refs[k].prefix)))
			return cs_fail_id(e, kind, "resourceids", a->ids.at[k]);
	}
	a->wish.resources = (struct refs){refs, a->ids.count};
	return OK;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct tag_args *a = args;
	a->wish.tags = a->tags;
	return take_resources(e, a);
}

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct tag_args *a = args;
	struct tag_removal *removals = arena_new_array(e->c->arena, struct tag_removal, a->tags.count + 1);
	if (!removals)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->tags.count; k++)
		removals[k] =
			(struct tag_removal){a->tags.at[k].key, a->tags.at[k].value, a->tags.at[k].value.n};
	a->wish.removals = removals;
	a->wish.removal_count = a->tags.count;
	return take_resources(e, a);
}

/* ---- listTags ---- */

struct list_tags {
	struct cs_list_args list;
	struct str resource, type, key, value;
	uuid of; /* none: not a valid id */
	struct ref project;
};
#define P(wire, member, ...) PARAM(struct list_tags, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct list_tags),
	CS_OWNER_PARAMS(struct list_tags),
	CS_PROJECT_PARAM(struct list_tags, project),
	P("resourceid", resource, .doc = "Resource id."),
	P("resourcetype", type, .doc = "Resource type."),
	P("key", key, .doc = "Tag key."),
	P("value", value, .doc = "Tag value."),
	NOT_BUILT("customer"),
};
#undef P

struct found {
	const struct row *row;
	const struct tag *tag;
};
struct walk {
	struct cs_call *e;
	const struct list_tags *asked;
	VEC(struct found) found;
};

static void take_tag(struct walk *walk, const struct row *row, const struct tag *tag)
{
	const struct list_tags *a = walk->asked;
	if ((a->key.n && !str_equal(a->key, tag->key)) || (a->value.n && !str_equal(a->value, tag->value)) ||
	    (a->list.keyword.n && !str_contains(tag->key, a->list.keyword)))
		return;
	struct found found = {row, tag};
	(void) VEC_PUSH(walk->e->c->arena, &walk->found,
			found); /* a full arena fails the call when the answer ends */
}

static void walk_kind(struct walk *walk, enum kind kind)
{
	const struct tables *t = cs_tables(walk->e);
	const struct kind_info *info = &model_kinds[kind];
	unsigned index = list_account_index(kind);
	struct row *key = arena_alloc(walk->e->c->arena, info->row_size);
	if (!key || !index)
		return;
	*(uuid *) (void *) ((char *) key + info->account_offset) = walk->e->c->who->account;
	for (const struct row *row = tables_first(t, kind, index, key, 1); row;
	     row = tables_next(t, kind, index, row, 1)) {
		size_t offset = engine_tags_offset(walk->e->c, kind, row);
		const struct tags *tags = offset ? (const void *) ((const char *) row + offset) : NULL;
		bool is_asked = !walk->asked->resource.n || uuid_equal(walk->asked->of, row->id);
		for (size_t k = 0; tags && is_asked && row_is_live(row) && k < tags->count; k++)
			take_tag(walk, row, &tags->at[k]);
	}
}

static void walk_all(struct walk *walk)
{
	enum kind asked = kind_of(walk->asked->type);
	for (unsigned k = 0; k < KIND_COUNT; k++)
		if (cs_tag_type((enum kind) k) && (!walk->asked->type.n || asked == (enum kind) k))
			walk_kind(walk, (enum kind) k);
}

static RESULT prepare_list(struct cs_call *e, void *args)
{
	struct list_tags *a = args;
	(void) e;
	if (!result_is_ok(uuid_parse_asked(a->resource, &a->of)))
		a->of = UUID_NONE;
	return OK;
}

static RESULT list_tags(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_tags *a = args;
	struct api_list_wish page = {.limit = 0};
	TRY(cs_read_page(e, &a->list, &page));
	struct walk walk = {.e = e, .asked = a};
	walk_all(&walk);
	size_t end = page.limit ? page.offset + page.limit : walk.found.count;
	if (!walk.found.count)
		return OK;
	json_write_int(w, "count", (int64_t) walk.found.count);
	json_write_open_list(w, "tag");
	for (size_t k = page.offset; k < end && k < walk.found.count; k++)
		cs_write_tag(e, w, walk.found.at[k].row, walk.found.at[k].tag);
	json_write_close_list(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("createTags", "ec2:CreateTags"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, create_params), .prepare = prepare_create,
	 .operation = engine_set_tags_run, CS_JOB(NOW), .doc = "Sets tags on resources."},
	{CS_ACTION("deleteTags", "ec2:DeleteTags"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_tags_run, CS_JOB(NOW), .doc = "Deletes tags of resources."},
	{CS_ACTION("listTags", "ec2:DescribeTags"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_tags, list_params), .prepare = prepare_list, .answer = list_tags,
	 .says = "key|value|resourcetype|resourceid|account|domainid|domain", .doc = "Lists tags."},
};
const struct api_actions cs_tag_actions = API_ACTIONS(actions);
