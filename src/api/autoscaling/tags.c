/* SPDX-License-Identifier: Apache-2.0
 * Tags of groups. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"

static const struct param tag_rows[] = {
	PARAM(struct autoscaling_tag, "ResourceId", resource, .min = 1, .max = SCALING_NAME_MAX,
	      .doc = "Auto Scaling group by name."),
	PARAM(struct autoscaling_tag, "ResourceType", type, .words = "auto-scaling-group",
	      .doc = "Resource type; only auto-scaling-group."),
	PARAM(struct autoscaling_tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Key of the tag."),
	PARAM(struct autoscaling_tag, "Value", value, .max = 256,
	      .given = offsetof(struct autoscaling_tag, has_value) + 1, .doc = "Value of the tag."),
	PARAM(struct autoscaling_tag, "PropagateAtLaunch", propagates,
	      .doc = "Whether new instances get the tag."),
};
const struct params autoscaling_tag_params = PARAMS(struct autoscaling_tag, tag_rows);

static bool is_propagated(const struct scaling_group *group, struct str key)
{
	for (size_t k = 0; k < group->propagated.count; k++)
		if (str_equal(group->propagated.at[k], key))
			return true;
	return false;
}

void autoscaling_write_tag(struct xml *x, const struct scaling_group *group, const struct tag *tag)
{
	xml_open(x, "member");
	xml_text(x, "ResourceId", group->name);
	xml_z(x, "ResourceType", "auto-scaling-group");
	xml_text(x, "Key", tag->key);
	xml_text(x, "Value", tag->value);
	xml_bool(x, "PropagateAtLaunch", is_propagated(group, tag->key));
	xml_close(x, "member");
}

void autoscaling_write_tags(struct xml *x, const struct scaling_group *group)
{
	xml_open(x, "Tags");
	for (size_t k = 0; k < group->tags.count; k++)
		autoscaling_write_tag(x, group, &group->tags.at[k]);
	xml_close(x, "Tags");
}

/* ---- changes ---- */

struct tags_args {
	struct scaling_tags wish;
	struct autoscaling_tags tags;
};
static const struct param tags_params[] = {
	PARAM_LIST(struct tags_args, "Tags.member", tags, autoscaling_tag_params, .flags = REQUIRED,
		   .max = AUTOSCALING_TAGS_MAX, .doc = "Tags of the group."),
};

static RESULT prepare_tags(struct autoscaling_call *e, void *args)
{
	struct tags_args *a = args;
	struct scaling_tag *at = arena_new_array(e->c->arena, struct scaling_tag, a->tags.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->tags.count; k++) {
		const struct autoscaling_tag *tag = &a->tags.at[k];
		if (!tag->resource.n)
			return ctx_fail_field(e->c, ERR_MISSING, STR("ResourceId"),
					      "Tags: each tag needs a ResourceId.");
		TRY(autoscaling_find_group(e, tag->resource, "ResourceId", &at[k].group));
		at[k].tag = (struct tag){tag->key, tag->value};
		at[k].propagates = tag->propagates == CHOICE_YES;
		at[k].with_value = tag->has_value;
	}
	a->wish = (struct scaling_tags){at, a->tags.count};
	return OK;
}

/* ---- DescribeTags ---- */

struct filter_args {
	struct str name;
	struct strs values;
};
static const struct param filter_rows[] = {
	PARAM(struct filter_args, "Name", name, .flags = REQUIRED,
	      .words = "auto-scaling-group|key|value|propagate-at-launch", .doc = "Name of the filter."),
	PARAM(struct filter_args, "Values.member", values, .max = 255,
	      .doc = "Values, one of which must match."),
};
static const struct params filter_table = PARAMS(struct filter_args, filter_rows);

struct list_args {
	struct {
		const struct filter_args *at;
		size_t count;
	} filters;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM_LIST(struct list_args, "Filters.member", filters, filter_table, .max = 20,
		   .doc = "Filters. A tag must match all of them."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

/* Values of propagate-at-launch are read without regard to case, as AWS reads "True". */
static bool has_value(const struct filter_args *f, struct str value)
{
	for (size_t k = 0; k < f->values.count; k++)
		if (str_is(f->name, "propagate-at-launch") ? str_equal_nocase(f->values.at[k], value)
							   : str_equal(f->values.at[k], value))
			return true;
	return false;
}

static bool fits(const struct list_args *a, const struct scaling_group *group, const struct tag *tag)
{
	for (size_t k = 0; k < a->filters.count; k++) {
		const struct filter_args *f = &a->filters.at[k];
		struct str value = str_is(f->name, "auto-scaling-group") ? group->name
				   : str_is(f->name, "key")              ? tag->key
				   : str_is(f->name, "value")            ? tag->value
				   : is_propagated(group, tag->key)      ? STR("true")
									 : STR("false");
		if (!has_value(f, value))
			return false;
	}
	return true;
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	xml_open(x, "Tags");
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g;
	     g = scaling_group_next_by_account(t, g))
		for (size_t k = 0; k < g->tags.count; k++) {
			struct str key = str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(g->name),
						   STR_ARG(g->tags.at[k].key));
			if (!fits(a, g, &g->tags.at[k]) || !query_page_takes(&page, key))
				continue;
			TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &g->row));
			autoscaling_write_tag(x, g, &g->tags.at[k]);
		}
	xml_close(x, "Tags");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("CreateOrUpdateTags"), .flags = API_WRITES,
	 .args = PARAMS(struct tags_args, tags_params), .prepare = prepare_tags,
	 .operation = engine_tag_scaling_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets tags on groups."},
	{AUTOSCALING_ACTION("DeleteTags"), .flags = API_WRITES, .args = PARAMS(struct tags_args, tags_params),
	 .prepare = prepare_tags, .operation = engine_untag_scaling_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes tags of groups."},
	{AUTOSCALING_ACTION("DescribeTags"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the tags of groups."},
};
const struct api_actions autoscaling_tag_actions = API_ACTIONS(actions);
