/* SPDX-License-Identifier: Apache-2.0
 * Tags of alarms. Source: Amazon CloudWatch API Reference. */
#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "engine/resolve.h"
#include "engine/tag.h"

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .max = TAG_VALUE_MAX, .doc = "Tag value."),
};
const struct params cloudwatch_tag_params = PARAMS(struct tag, tag_rows);

struct tag_args {
	struct entity_tags wish;
	struct str arn;
};
#define ARN                                                                                                  \
	PARAM(struct tag_args, "ResourceARN", arn, .flags = REQUIRED, .min = 1, .max = CLOUDWATCH_ARN_MAX,   \
	      .doc = "ARN of the alarm.")
static const struct param tag_params[] = {ARN, PARAM_LIST(struct tag_args, "Tags.member", wish.tags,
							  cloudwatch_tag_params, .flags = REQUIRED,
							  .max = CLOUDWATCH_TAGS_MAX, .doc = "Tags to set.")};
static const struct param untag_params[] = {ARN, PARAM(struct tag_args, "TagKeys.member", wish.keys,
						       .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX,
						       .doc = "Tags to remove.")};
static const struct param list_params[] = {ARN};

/* "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME" */
static RESULT prepare(struct cloudwatch_call *e, void *args)
{
	struct tag_args *a = args;
	struct str start =
		engine_write_alarm_arn(e->c->arena, e->config->region, e->c->who->account_number, NULL);
	start = str_slice(start, 0, start.n - 1);
	if (!str_starts_with(a->arn, STR("arn:aws:cloudwatch:")))
		return ctx_fail_field(e->c, ERR_INVALID, STR("ResourceARN"), "Invalid ARN: '%" STR_FMT "'",
				      STR_ARG(str_cut(a->arn, 512)));
	struct str name = str_starts_with(a->arn, start) ? str_slice(a->arn, start.n, a->arn.n) : STR_NONE;
	return cloudwatch_find_alarm(e, name, "ResourceARN", &a->wish.entity);
}

static RESULT answer_list(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct tag_args *a = args;
	const struct alarm *alarm = NULL;
	TRY(engine_find_own_alarm(e->c, cloudwatch_tables(e), &a->wish.entity, &alarm));
	forms_open_list(w, "Tags");
	for (size_t k = 0; k < alarm->tags.count; k++) {
		forms_open(w, NULL);
		forms_text(w, "Key", alarm->tags.at[k].key);
		forms_text(w, "Value", alarm->tags.at[k].value);
		forms_close(w);
	}
	forms_close(w);
	return OK;
}

static RESULT answer_empty(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	(void) e, (void) args, (void) w;
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("TagResource"), .flags = API_WRITES, .args = PARAMS(struct tag_args, tag_params),
	 .prepare = prepare, .operation = engine_tag_entity_run, .answer = answer_empty,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Sets tags on an alarm."},
	{CLOUDWATCH_ACTION("UntagResource"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, untag_params), .prepare = prepare,
	 .operation = engine_untag_entity_run, .answer = answer_empty, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes tags from an alarm."},
	{CLOUDWATCH_ACTION("ListTagsForResource"), .args = PARAMS(struct tag_args, list_params),
	 .prepare = prepare, .answer = answer_list, .doc = "Lists the tags of an alarm."},
};
const struct api_actions cloudwatch_tag_actions = API_ACTIONS(actions);
