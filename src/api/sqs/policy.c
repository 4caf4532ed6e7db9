/* SPDX-License-Identifier: Apache-2.0
 * Checks policies of queues. auth/guard/guard_resource.c evaluates them. Source: Amazon SQS Developer Guide, "Amazon SQS policy quotas"
 * and "Using custom policies with the Amazon SQS Access Policy Language". */
#include "api/sqs/internal.h"
#include "auth/policy/resource_policy.h"

RESULT sqs_check_policy(struct sqs_call *e, struct str queue, struct str text)
{
	const struct resource_policy_limits limits = {.vendor = STR("sqs"),
						      .bytes = 8192,
						      .statements = 20,
						      .principals = 50,
						      .actions = 7,
						      .conditions = 10};
	enum resource_policy_fault fault = RESOURCE_POLICY_MALFORMED;
	struct str arn =
		str_print(e->c->arena, "arn:aws:sqs:%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
			  STR_ARG(e->config->region), STR_ARG(e->c->who->account_number), STR_ARG(queue));
	struct result result = resource_policy_check(e->c, sqs_tables(e), &limits, text, arn, &fault);
	if (result_is_ok(result) || result.code != ERR_INVALID)
		return result;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("Attribute"), "Invalid value for the parameter Policy.");
}
