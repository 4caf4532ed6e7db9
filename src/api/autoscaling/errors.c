/* SPDX-License-Identifier: Apache-2.0
 * Error codes of EC2 Auto Scaling. Sources: the errors of each action in the API Reference, and the common ones. */
#include "api/autoscaling/internal.h"
#include "api/query/query_call.h"

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_EXISTS, 0, 400, "AlreadyExists"},
	{ERR_IN_USE, 0, 400, "ResourceInUse"},
	{ERR_QUOTA, KIND_SCALING_GROUP, 400, "LimitExceeded"},
	{ERR_QUOTA, KIND_SCALING_HOOK, 400, "LimitExceeded"},
	{ERR_QUOTA, KIND_SCALING_POLICY, 400, "LimitExceeded"},
	{ERR_QUOTA, KIND_LAUNCH_CONFIGURATION, 400, "LimitExceeded"},
	{ERR_QUOTA, KIND_TARGET_GROUP, 400, "LimitExceeded"},
	{ERR_CONFLICT, KIND_SCALING_REFRESH, 400, "InstanceRefreshInProgress"},
	{ERR_NOT_FOUND, KIND_SCALING_REFRESH, 400, "ActiveInstanceRefreshNotFound"},
	{ERR_STATE, KIND_SCALING_REFRESH, 400, "IrreversibleInstanceRefresh"},
	{ERR_CONFLICT, KIND_SCALING_GROUP, 400, "ScalingActivityInProgress"},
	{ERR_CONFLICT, KIND_SCALING_MEMBER, 400, "ScalingActivityInProgress"},
	{ERR_INVALID, 0, 400, "InvalidNextToken", "NextToken"},
	{ERR_NOT_FOUND, 0, 400, "ValidationError"},
	{ERR_COMBINATION, 0, 400, "ValidationError"},
	{ERR_PROTECTED, 0, 400, "ValidationError"},
	{ERR_CAPACITY, 0, 503, "ServiceUnavailable"},
	{ERR_RANGE, 0, 400, "ValidationError"},
	{ERR_STATE, 0, 400, "ValidationError"},
	{ERR_CONFLICT, 0, 400, "ValidationError"},
	{ERR_QUOTA, 0, 400, "ValidationError"},
	QUERY_INVALID("ValidationError"),
	{ERR_UNSUPPORTED, 0, 400, "ValidationError"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 400, "Throttling"},
	QUERY_UNAVAILABLE("InternalFailure"),
};

const struct api_errors autoscaling_errors = QUERY_ERRORS(rows);
