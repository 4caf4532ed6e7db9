/* SPDX-License-Identifier: Apache-2.0
 * Error codes of EC2 Auto Scaling. Sources: the errors of each action in the API Reference, and the common ones. */
#include "api/autoscaling/internal.h"

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
	{ERR_INVALID, 0, 400, "ValidationError"},
	{ERR_MISSING, 0, 400, "ValidationError"},
	{ERR_UNKNOWN, 0, 400, "ValidationError"},
	{ERR_MALFORMED, 0, 400, "ValidationError"},
	{ERR_TOO_LARGE, 0, 413, "RequestEntityTooLarge", API_WHOLE_REQUEST},
	{ERR_TOO_LARGE, 0, 400, "ValidationError"},
	{ERR_UNSUPPORTED, 0, 400, "ValidationError"},
	{ERR_UNAUTHENTICATED, 0, 403, "InvalidClientTokenId"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 400, "Throttling"},
	{ERR_NO_MEMORY, 0, 503, "ServiceUnavailable"},
	{ERR_AGAIN, 0, 503, "ServiceUnavailable"},
	{ERR_GONE, 0, 503, "ServiceUnavailable"},
	{ERR_TIMEOUT, 0, 503, "ServiceUnavailable"},
	{ERR_INTERNAL, 0, 500, "InternalFailure"},
};

const struct api_errors autoscaling_errors =
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded");
