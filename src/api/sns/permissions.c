/* SPDX-License-Identifier: Apache-2.0
 * AddPermission and RemovePermission: statements of a topic's policy. Source: Amazon SNS API Reference. */
#include "api/core/params.h"
#include "api/sns/internal.h"

enum { PRINCIPALS_MAX = 200, ACTIONS_MAX = 12 };

struct permission_args {
	struct permission_wish wish;
	struct str arn;
};
#define LABEL                                                                                                \
	PARAM(struct permission_args, "Label", wish.label, .flags = REQUIRED, .min = 1, .max = 256,          \
	      .doc = "Sid of the statement.")
static const struct param add_params[] = {
	SNS_TOPIC(struct permission_args, arn),
	LABEL,
	PARAM(struct permission_args, "AWSAccountId.member", wish.accounts, .flags = REQUIRED, .min = 1,
	      .max = 64, .doc = "Account numbers."),
	PARAM(struct permission_args, "ActionName.member", wish.actions, .flags = REQUIRED, .min = 1,
	      .max = 64, .doc = "Names of actions, without sns:."),
};
static const struct param remove_params[] = {SNS_TOPIC(struct permission_args, arn), LABEL};

static bool is_action(struct str name)
{
	for (const char *const *known = sns_policy_actions; *known; known++)
		if (str_is(name, *known))
			return true;
	return false;
}

static RESULT prepare_add(struct sns_call *e, void *args)
{
	struct permission_args *a = args;
	if (a->wish.accounts.count > PRINCIPALS_MAX || a->wish.actions.count > ACTIONS_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Policy"),
				      "Invalid parameter: Policy Error: null");
	for (size_t k = 0; k < a->wish.actions.count; k++)
		if (!is_action(a->wish.actions.at[k]))
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("Policy"),
				"Invalid parameter: Policy statement action out of service scope!");
	return sns_find_topic(e, a->arn, "TopicArn", &a->wish.subject);
}

static RESULT prepare_remove(struct sns_call *e, void *args)
{
	struct permission_args *a = args;
	return sns_find_topic(e, a->arn, "TopicArn", &a->wish.subject);
}

static const struct sns_action actions[] = {
	{SNS_ACTION("AddPermission"), .flags = API_WRITES, .args = PARAMS(struct permission_args, add_params),
	 .prepare = prepare_add, .operation = engine_add_topic_permission_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Adds a statement for accounts to a topic's policy."},
	{SNS_ACTION("RemovePermission"), .flags = API_WRITES,
	 .args = PARAMS(struct permission_args, remove_params), .prepare = prepare_remove,
	 .operation = engine_remove_topic_permission_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes a statement from a topic's policy."},
};
const struct api_actions sns_permission_actions = API_ACTIONS(actions);
