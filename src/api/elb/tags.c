/* SPDX-License-Identifier: Apache-2.0
 * Tags of load balancers, listeners and target groups. Source: API Reference of Elastic Load Balancing. */
#include "api/elb/internal.h"
#include "engine/resolve.h"
#include "model/row.h"

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .max = 256, .doc = "Tag value."),
};
const struct params elb_tag_params = PARAMS(struct tag, tag_rows);

RESULT elb_check_tags(struct elb_call *e, struct tags tags)
{
	for (size_t k = 0; k < tags.count; k++)
		for (size_t n = 0; n < k; n++)
			if (str_equal(tags.at[n].key, tags.at[k].key))
				return ctx_fail_field(e->c, ERR_COMBINATION, STR("Tags"),
						      "Tag keys must be unique: '%" STR_FMT
						      "' is there twice",
						      STR_ARG(tags.at[k].key));
	return OK;
}

struct tag_args {
	struct balancing_tags wish;
	struct strs arns;
};
#define ARNS                                                                                                 \
	PARAM(struct tag_args, "ResourceArns.member", arns, .flags = REQUIRED, .min = 1, .max = ELB_ARN_MAX, \
	      .doc = "Load balancers, listeners and target groups, up to 20.")
static const struct param add_params[] = {ARNS, PARAM_LIST(struct tag_args, "Tags.member", wish.tags,
							   elb_tag_params, .flags = REQUIRED,
							   .max = ELB_TAGS_MAX, .doc = "Tags to set.")};
static const struct param remove_params[] = {ARNS, PARAM(struct tag_args, "TagKeys.member", wish.keys,
							 .flags = REQUIRED, .min = 1, .max = 128,
							 .doc = "Tags to remove.")};
static const struct param list_params[] = {ARNS};

static RESULT prepare_tags(struct elb_call *e, void *args)
{
	struct tag_args *a = args;
	TRY(elb_check_tags(e, a->wish.tags));
	struct ref *at = arena_new_array(e->c->arena, struct ref, a->arns.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (a->arns.count > ELB_LIST_MAX || a->wish.keys.count > ELB_TAGS_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ResourceArns"),
				      "A call names up to %d resources and %d tags", ELB_LIST_MAX,
				      ELB_TAGS_MAX);
	for (size_t k = 0; k < a->arns.count; k++)
		TRY(elb_find_any(e, a->arns.at[k], "ResourceArns", &at[k]));
	a->wish.resources = (struct refs){at, a->arns.count};
	return OK;
}

void elb_write_tags(struct xml *x, const struct tags *tags)
{
	xml_open(x, "Tags");
	for (size_t k = 0; k < tags->count; k++) {
		xml_open(x, "member");
		xml_text(x, "Key", tags->at[k].key);
		xml_text(x, "Value", tags->at[k].value);
		xml_close(x, "member");
	}
	xml_close(x, "Tags");
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct tag_args *a = args;
	xml_open(x, "TagDescriptions");
	for (size_t k = 0; k < a->wish.resources.count; k++) {
		const struct ref *ref = &a->wish.resources.at[k];
		const struct row *row = NULL;
		TRY(engine_find_own(e->c, elb_tables(e), ref->kind, ref, &row));
		size_t offset = model_kinds[ref->kind].tags_offset;
		xml_open(x, "member");
		xml_text(x, "ResourceArn", ref->text);
		elb_write_tags(x, (const struct tags *) (const void *) ((const char *) row + offset));
		xml_close(x, "member");
	}
	xml_close(x, "TagDescriptions");
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("AddTags"), .flags = API_WRITES, .args = PARAMS(struct tag_args, add_params),
	 .prepare = prepare_tags, .operation = engine_tag_balancing_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Sets tags."},
	{ELB_ACTION("RemoveTags"), .flags = API_WRITES, .args = PARAMS(struct tag_args, remove_params),
	 .prepare = prepare_tags, .operation = engine_untag_balancing_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes tags."},
	{ELB_ACTION("DescribeTags"), .args = PARAMS(struct tag_args, list_params), .prepare = prepare_tags,
	 .answer = answer_list, .doc = "Lists the tags of resources."},
};
const struct api_actions elb_tag_actions = API_ACTIONS(actions);
