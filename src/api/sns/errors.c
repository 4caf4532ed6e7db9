/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of SNS. Source: the errors of each action in the API Reference, and the common ones. */
#include "api/query/query_call.h"
#include "api/sns/internal.h"

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, KIND_TOPIC, 404, "NotFound", NULL, 0, "Topic does not exist"},
	{ERR_NOT_FOUND, KIND_TOPIC_SUBSCRIPTION, 404, "NotFound", NULL, 0, "Subscription does not exist"},
	{ERR_NOT_FOUND, 0, 404, "ResourceNotFound", "ResourceArn"},
	{ERR_NOT_FOUND, 0, 404, "NotFound"},
	{ERR_QUOTA, KIND_TOPIC, 403, "TopicLimitExceeded"},
	{ERR_QUOTA, KIND_TOPIC_SUBSCRIPTION, 403, "SubscriptionLimitExceeded"},
	{ERR_QUOTA, KIND_TOPIC_DELIVERY, 400, "Throttled"},
	{ERR_QUOTA, KIND_NONE, 400, "TagLimitExceeded"},
	{ERR_EXISTS, 0, 400, "InvalidParameter"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidParameter", "Attributes"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidParameter", "AttributeName"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidParameter", "Protocol"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidParameter", "Endpoint"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidParameter", "Name"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidAction"},
	{ERR_INVALID, 0, 400, "ParameterValueInvalid", "MessageAttributes"},
	{ERR_COMBINATION, 0, 400, "InvalidParameter"},
	QUERY_INVALID("InvalidParameter"),
	{ERR_DENIED, 0, 403, "AuthorizationError"},
	{ERR_THROTTLED, 0, 400, "Throttled"},
	QUERY_UNAVAILABLE("InternalError"),
};

const struct api_errors sns_errors = QUERY_ERRORS(rows);

RESULT sns_fail(struct sns_call *e, const char *field, const char *reason)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Invalid parameter: %s Reason: %s", field,
			      reason);
}

RESULT sns_check_arn(struct sns_call *e, struct str arn, const char *field)
{
	enum { ARN_PARTS = 6 };
	struct str rest = arn, part = STR_NONE;
	size_t parts = 0;
	while (str_split_next(&rest, ':', &part))
		parts++;
	return parts >= ARN_PARTS ? OK
				  : ctx_fail_field(e->c, ERR_INVALID, str_from(field),
						   "Invalid parameter: %s Reason: An ARN must have at least "
						   "6 elements, not %zu",
						   field, parts ? parts : 1);
}

RESULT sns_refuse(struct sns_call *e, const char *field, struct str name)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
			      "Invalid parameter: %s Reason: %" STR_FMT " is not supported in this region.",
			      field, STR_ARG(str_cut(name, 256)));
}
