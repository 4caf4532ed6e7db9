/* SPDX-License-Identifier: Apache-2.0
 * Tags of Classic Load Balancers. */
#include "api/elb/classic/internal.h"
#include "engine/resolve.h"
#include "store/elastic_load_balancer.h"

struct tag_args {
	struct balancing_tags wish;
	struct strs names;
	struct tags keys;
};
#define NAMES                                                                                                \
	PARAM(struct tag_args, "LoadBalancerNames.member", names, .flags = REQUIRED, .min = 1, .max = 255,   \
	      .doc = "Load balancers, up to 20.")
static const struct param add_params[] = {NAMES, PARAM_LIST(struct tag_args, "Tags.member", wish.tags,
							    elb_tag_params, .flags = REQUIRED,
							    .max = ELB_TAGS_MAX, .doc = "Tags to set.")};
static const struct param key_params[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128, .doc = "Tag key."),
};
static const struct params key_table = PARAMS(struct tag, key_params);
static const struct param remove_params[] = {
	NAMES, PARAM_LIST(struct tag_args, "Tags.member", keys, key_table, .flags = REQUIRED,
			  .max = ELB_TAGS_MAX, .doc = "Tags to remove.")};
static const struct param list_params[] = {NAMES};

static RESULT prepare_tags(struct elb_call *e, void *args)
{
	struct tag_args *a = args;
	struct ref *at = arena_new_array(e->c->arena, struct ref, a->names.count + 1);
	struct str *keys = arena_new_array(e->c->arena, struct str, a->keys.count + 1);
	TRY(elb_check_tags(e, a->wish.tags));
	if (!at || !keys)
		return ctx_no_memory(e->c);
	if (a->names.count > ELB_LIST_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("LoadBalancerNames"),
				      "A call names up to %d load balancers", ELB_LIST_MAX);
	for (size_t k = 0; k < a->names.count; k++)
		TRY(classic_find(e, a->names.at[k], &at[k]));
	for (size_t k = 0; k < a->keys.count; k++)
		keys[k] = a->keys.at[k].key;
	a->wish.resources = (struct refs){at, a->names.count};
	a->wish.keys = (struct strs){keys, a->keys.count};
	return OK;
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct tag_args *a = args;
	xml_open(x, "TagDescriptions");
	for (size_t k = 0; k < a->wish.resources.count; k++) {
		const struct row *row = NULL;
		TRY(engine_find_own(e->c, elb_tables(e), KIND_ELASTIC_LOAD_BALANCER, &a->wish.resources.at[k],
				    &row));
		xml_open(x, "member");
		xml_text(x, "LoadBalancerName", a->names.at[k]);
		elb_write_tags(x, &elastic_load_balancer_of(row)->tags);
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
	 .answer = answer_list, .doc = "Lists the tags of load balancers."},
};
const struct api_actions classic_tag_actions = API_ACTIONS(actions);
