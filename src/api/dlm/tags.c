/* SPDX-License-Identifier: Apache-2.0
 * Tags of lifecycle policies. Source: DLM's API Reference. */
#include "api/dlm/internal.h"
#include "engine/resolve.h"
#include "engine/tag.h"

struct tag_args {
	struct lifecycle_policy_tags wish;
	struct str arn;
};
#define ARN                                                                                                  \
	PARAM(struct tag_args, "resourceArn", arn, .flags = REQUIRED, .max = 2048,                           \
	      .doc = "ARN of the policy.")
static const struct param tag_params[] = {ARN, PARAM(struct tag_args, "Tags", wish.set, .flags = REQUIRED,
						     .max = TAG_COUNT_MAX, .doc = "Tags to set.")};
static const struct param untag_params[] = {ARN,
					    PARAM(struct tag_args, "tagKeys", wish.removed, .flags = REQUIRED,
						  .min = 1, .max = TAG_KEY_MAX, .doc = "Tags to remove.")};
static const struct param list_params[] = {ARN};

static RESULT prepare(struct rest_json_call *e, void *args)
{
	struct tag_args *a = args;
	struct str start = dlm_write_arn(e, STR_NONE);
	if (!str_starts_with(a->arn, start))
		return DLM_FAIL(e, "resourceArn",
				"The ARN '%" STR_FMT "' is not that of a policy of the account.",
				STR_ARG(str_cut(a->arn, 256)));
	return dlm_find_policy(e, str_slice(a->arn, start.n, a->arn.n), "resourceArn", &a->wish.policy);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct tag_args *a = args;
	const struct snapshot_policy *policy = NULL;
	TRY(engine_find_own_snapshot_policy(e->c, rest_json_tables(e), &a->wish.policy, &policy));
	rest_json_write_map(w, "Tags", policy->tags);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_POST, "/tags/{resourceArn}", DLM_ACTION("TagResource"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, tag_params), .prepare = prepare,
	 .operation = engine_tag_lifecycle_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets tags on a policy."},
	{HTTP_DELETE, "/tags/{resourceArn}", DLM_ACTION("UntagResource"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, untag_params), .prepare = prepare,
	 .operation = engine_tag_lifecycle_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes tags from a policy."},
	{HTTP_GET, "/tags/{resourceArn}", DLM_ACTION("ListTagsForResource"),
	 .args = PARAMS(struct tag_args, list_params), .prepare = prepare, .answer = answer_list,
	 .doc = "Lists the tags of a policy."},
};
const struct api_actions dlm_tag_actions = API_ACTIONS(actions);
