/* SPDX-License-Identifier: Apache-2.0
 * Tags of network resources, written as words (network.h). */
#include "api/openstack/network/network.h"
#include "engine/tag.h"

static const struct {
	const char *collection;
	enum kind kind;
} collections[] = {
	{"networks", KIND_NETWORK},
	{"subnets", KIND_SUBNET},
	{"ports", KIND_PORT},
	{"routers", KIND_ROUTER},
	{"floatingips", KIND_ADDRESS},
	{"security-groups", KIND_SECURITY_GROUP},
	{"subnetpools", KIND_SUBNET_POOL},
	{"trunks", KIND_TRUNK},
	{"policies", KIND_QOS_POLICY},
};

struct os_tagging {
	struct tags_wish wish;
	struct str collection, id, tag;
	struct strs words;
	struct ref resource;
	struct tag_removal removal;
};
#define TAGGED                                                                                               \
	OS_PATH(struct os_tagging, "collection", collection,                                                 \
		.doc = "Collection of the resource, such as networks or ports."),                            \
		OS_PATH(struct os_tagging, "id", id, .doc = "Id of the resource.")
static const struct param all_params[] = {TAGGED};
static const struct param replace_params[] = {
	TAGGED,
	OS_BODY(struct os_tagging, "tags", words, .flags = REQUIRED,
		.doc = "Tags that replace all present tags."),
};
static const struct param one_params[] = {
	TAGGED,
	OS_PATH(struct os_tagging, "tag", tag, .doc = "The tag."),
};

static RESULT find_resource(struct os_call *e, struct os_tagging *a)
{
	for (size_t k = 0; k < sizeof collections / sizeof collections[0]; k++)
		if (str_is(a->collection, collections[k].collection) &&
		    os_parse_id(a->id, collections[k].kind, &a->resource)) {
			a->wish.resources = (struct refs){&a->resource, 1};
			e->returns = a->resource.kind;
			return OK;
		}
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_NONE, "The resource could not be found.");
}

static RESULT prepare_replace(struct os_call *e, void *args)
{
	struct os_tagging *a = args;
	TRY(find_resource(e, a));
	return os_read_words(e, a->words, &a->wish.tags);
}

static RESULT prepare_all(struct os_call *e, void *args)
{
	return find_resource(e, args);
}

static RESULT prepare_one(struct os_call *e, void *args)
{
	struct os_tagging *a = args;
	TRY(find_resource(e, a));
	TRY(os_read_words(e, (struct strs){&a->tag, 1}, &a->wish.tags));
	a->removal = (struct tag_removal){a->wish.tags.at[0].key, a->wish.tags.at[0].value, true};
	a->wish.removals = &a->removal;
	a->wish.removal_count = 1;
	return OK;
}

static struct tags tags_of(enum kind kind, const struct row *row)
{
	return *(const struct tags *) (const void *) ((const char *) row + model_kinds[kind].tags_offset);
}

static bool has_tag(struct tags tags, const struct tag_removal *wanted)
{
	const struct tag *tag = tags_find(tags, wanted->key);
	return tag && str_equal(tag->value, wanted->value);
}

static RESULT find_tags(struct os_call *e, const struct ref *ref, struct tags *ret_tags)
{
	const struct row *row = NULL;
	TRY(os_find(e, ref->kind, ref, &row));
	*ret_tags = tags_of(ref->kind, row);
	return OK;
}

static RESULT show_tags(struct os_call *e, const void *args, struct json_writer *w)
{
	struct tags tags = {0};
	TRY(find_tags(e, &((const struct os_tagging *) args)->resource, &tags));
	os_write_words(e, w, tags);
	return OK;
}

static RESULT fail_no_tag(struct ctx *c, const struct os_tagging *a)
{
	return ctx_fail_kind(c, ERR_NOT_FOUND, KIND_NONE, "Tag %" STR_FMT " could not be found.",
			     STR_ARG(a->tag));
}

/* Unlike EC2's DeleteTags, fails if the resource does not have the tag. */
static RESULT delete_one(struct op *op, void *wish)
{
	const struct os_tagging *a = wish;
	const struct row *row = tables_find(op->head, a->resource.kind, a->resource.prefix);
	bool is_own = row && row_is_live(row) && engine_is_own(op->ctx, a->resource.kind, row);
	return is_own && !has_tag(tags_of(a->resource.kind, row), &a->removal)
		       ? fail_no_tag(op->ctx, a)
		       : engine_delete_tags(op, &((struct os_tagging *) wish)->wish);
}

/* Answers 204 if the resource has the tag, otherwise 404. */
static RESULT check_tag(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_tagging *a = args;
	struct tags tags = {0};
	(void) w;
	TRY(find_tags(e, &a->resource, &tags));
	if (!has_tag(tags, &a->removal))
		return fail_no_tag(e->c, a);
	e->has_no_body = true;
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/{collection}/{id}/tags", .permit = "get_tags",
	 .args = OS_PARAMS(struct os_tagging, all_params), .prepare = prepare_all, .answer = show_tags,
	 .doc = "Lists the tags of a resource."},
	{HTTP_PUT, "/v2.0/{collection}/{id}/tags", .permit = "update_tags", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_tagging, replace_params), .prepare = prepare_replace,
	 .operation = engine_replace_tags_run, .answer = show_tags,
	 .doc = "Replaces the tags of a resource."},
	{HTTP_DELETE, "/v2.0/{collection}/{id}/tags", .permit = "delete_tags", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_tagging, all_params), .prepare = prepare_all,
	 .operation = engine_delete_tags_run, .doc = "Removes all tags of a resource."},
	{HTTP_GET, "/v2.0/{collection}/{id}/tags/{tag}", .permit = "get_tags", .status = 204,
	 .args = OS_PARAMS(struct os_tagging, one_params), .prepare = prepare_one, .answer = check_tag,
	 .doc = "Checks whether a resource has a tag."},
	{HTTP_PUT, "/v2.0/{collection}/{id}/tags/{tag}", .permit = "update_tags",
	 .flags = API_WRITES | OS_RAW_BODY, .status = 201, .args = OS_PARAMS(struct os_tagging, one_params),
	 .prepare = prepare_one, .operation = engine_set_tags_run, .doc = "Adds a tag to a resource."},
	{HTTP_DELETE, "/v2.0/{collection}/{id}/tags/{tag}", .permit = "delete_tags", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_tagging, one_params), .prepare = prepare_one,
	 .operation = delete_one, .doc = "Removes a tag from a resource."},
};
const struct os_actions os_network_tag_actions = OS_ACTIONS(OS_NETWORK, actions);
