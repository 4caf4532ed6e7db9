/* SPDX-License-Identifier: Apache-2.0
 * Tags of rules. Source: Amazon EventBridge API Reference. */
#include "api/events/internal.h"
#include "engine/resolve.h"
#include "engine/tag.h"

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .flags = REQUIRED, .max = TAG_VALUE_MAX, .doc = "Tag value."),
};
const struct params events_tag_params = PARAMS(struct tag, tag_rows);

struct tag_args {
	struct entity_tags wish;
	struct str arn;
};
#define ARN                                                                                                  \
	PARAM(struct tag_args, "ResourceARN", arn, .flags = REQUIRED, .min = 1, .max = EVENTS_ARN_MAX,       \
	      .doc = "ARN of the rule.")
static const struct param tag_params[] = {ARN, PARAM_LIST(struct tag_args, "Tags", wish.tags,
							  events_tag_params, .flags = REQUIRED,
							  .max = EVENTS_TAGS_MAX, .doc = "Tags to set.")};
static const struct param untag_params[] = {ARN,
					    PARAM(struct tag_args, "TagKeys", wish.keys, .flags = REQUIRED,
						  .min = 1, .max = TAG_KEY_MAX, .doc = "Tags to remove.")};
static const struct param list_params[] = {ARN};

/* "arn:aws:events:REGION:ACCOUNT:rule/NAME", or with "default/" before the name. */
static RESULT prepare(struct target_call *e, void *args)
{
	struct tag_args *a = args;
	struct str start = engine_write_event_arn(target_tables(e), e->c->arena, e->config->region,
						  e->c->who->account_number, KIND_EVENT_RULE, NULL);
	start = str_slice(start, 0, start.n - 1);
	struct str name = str_starts_with(a->arn, start) ? str_slice(a->arn, start.n, a->arn.n) : STR_NONE;
	if (str_starts_with(name, STR("default/")))
		name = str_slice(name, 8, name.n);
	if (!name.n)
		return events_fail(e, "ResourceARN",
				   "The ARN is not that of a rule of the account: ", a->arn);
	return events_find_rule(e, name, "ResourceARN", &a->wish.entity);
}

static RESULT answer_list(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct tag_args *a = args;
	const struct event_rule *rule = NULL;
	TRY(engine_find_own_event_rule(e->c, target_tables(e), &a->wish.entity, &rule));
	target_write_tags(w, "Tags", rule->tags);
	return OK;
}

static const struct target_action rows[] = {
	{EVENTS_ACTION("TagResource"), .flags = API_WRITES, .args = PARAMS(struct tag_args, tag_params),
	 .operation = engine_tag_entity_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets tags on a rule.", .prepare = prepare},
	{EVENTS_ACTION("UntagResource"), .flags = API_WRITES, .args = PARAMS(struct tag_args, untag_params),
	 .operation = engine_untag_entity_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes tags from a rule.", .prepare = prepare},
	{EVENTS_ACTION("ListTagsForResource"), .args = PARAMS(struct tag_args, list_params),
	 .doc = "Lists the tags of a rule.", .prepare = prepare, .answer = answer_list},
};
const struct api_actions events_tag_actions = API_ACTIONS(rows);
