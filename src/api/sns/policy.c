/* SPDX-License-Identifier: Apache-2.0
 * Checks policies of topics. auth/guard/guard_resource.c evaluates them. Sources: Amazon SNS Developer Guide, "Amazon SNS API permissions:
 * Actions and resources reference"; the sentences as users have reported them (terraform-provider-aws #26041, aws-cli #3143,
 * serverless-application-model #1591). */
#include "api/sns/internal.h"
#include "auth/policy/resource_policy.h"

const char *const sns_policy_actions[] = {"AddPermission",
					  "DeleteTopic",
					  "GetDataProtectionPolicy",
					  "GetTopicAttributes",
					  "ListSubscriptionsByTopic",
					  "ListTagsForResource",
					  "Publish",
					  "PutDataProtectionPolicy",
					  "Receive",
					  "RemovePermission",
					  "SetTopicAttributes",
					  "Subscribe",
					  NULL};

static const char *const words[] = {
	[RESOURCE_POLICY_MALFORMED] = "Invalid parameter: Policy Error: null",
	[RESOURCE_POLICY_ACTION] = "Invalid parameter: Policy statement action out of service scope!",
	/* Unverified: the sentence. */
	[RESOURCE_POLICY_RESOURCE] = "Invalid parameter: Policy statement resource does not match the topic",
	[RESOURCE_POLICY_PRINCIPAL] = "Invalid parameter: Policy Error: PrincipalNotFound",
};

RESULT sns_check_policy(struct sns_call *e, struct str owner_number, struct str topic, struct str policy)
{
	const struct resource_policy_limits limits = {.vendor = STR("sns"),
						      .bytes = 30720,
						      .statements = 100,
						      .principals = 200,
						      .scope = sns_policy_actions,
						      .is_one_resource = true};
	enum resource_policy_fault fault = RESOURCE_POLICY_MALFORMED;
	struct str arn = str_print(e->c->arena, "arn:aws:sns:%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
				   STR_ARG(e->config->region), STR_ARG(owner_number), STR_ARG(topic));
	struct result result =
		policy.n ? resource_policy_check(e->c, sns_tables(e), &limits, policy, arn, &fault)
			 : (struct result){ERR_INVALID};
	if (result_is_ok(result) || result.code != ERR_INVALID)
		return result;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("Policy"), "%s", words[fault]);
}
