/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of CloudWatch. Source: the errors of each action in its API Reference, and the common
 * ones. */
#include "api/cloudwatch/internal.h"
#include "api/query/query_call.h"

#include <string.h>

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_MISSING, 0, 400, "ValidationError", "MetricDataQueries"},
	{ERR_MISSING, 0, 400, "ValidationError", "Threshold"},
	{ERR_MISSING, 0, 400, "MissingParameter"},
	{ERR_COMBINATION, 0, 400, "InvalidParameterCombination"},
	{ERR_INVALID, 0, 400, "InvalidNextToken", "NextToken"},
	/* GetMetricData's model has neither InvalidParameterValue nor MissingParameter. */
	{ERR_INVALID, 0, 400, "ValidationError", "MaxDatapoints"},
	{ERR_INVALID, 0, 400, "ValidationError", "ScanBy"},
	{ERR_INVALID, 0, 400, "ValidationError", "MetricDataQueries"},
	{ERR_INVALID, 0, 400, "InvalidFormat", "StateReasonData"},
	{ERR_INVALID, 0, 400, "ValidationError", "AlarmActions"},
	{ERR_INVALID, 0, 400, "ValidationError", "AlarmRule"},
	{ERR_INVALID, 0, 400, "ValidationError", "AlarmName"},
	{ERR_INVALID, 0, 400, "ValidationError", "Metrics"},
	{ERR_INVALID, 0, 400, "InvalidParameterInput", "DashboardBody"},
	{ERR_INVALID, 0, 400, "InvalidParameterValue"},
	QUERY_TOO_LARGE,
	{ERR_TOO_LARGE, 0, 400, "ValidationError", "MetricDataQueries"},
	{ERR_TOO_LARGE, 0, 400, "InvalidParameterCombination"},
	{ERR_UNKNOWN, 0, 400, "ValidationError"},
	{ERR_MALFORMED, 0, 400, "ValidationError"},
	{ERR_UNSUPPORTED, 0, 400, "ValidationError", "ComparisonOperator"},
	{ERR_UNSUPPORTED, 0, 400, "ValidationError", "Period"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidAction"},
	{ERR_NOT_FOUND, 0, 404, "ResourceNotFoundException", "ResourceARN"},
	{ERR_NOT_FOUND, 0, 404, "ResourceNotFound"},
	{ERR_QUOTA, 0, 400, "LimitExceeded"},
	{ERR_IN_USE, 0, 400, "ValidationError"},
	{ERR_PROTECTED, 0, 400, "ValidationError"},
	{ERR_STATE, 0, 400, "ValidationError"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 400, "Throttling"},
	QUERY_UNAVAILABLE("InternalServiceError"),
};

const struct api_errors cloudwatch_errors = QUERY_ERRORS(rows);

const char *cloudwatch_shape_of(const char *code)
{
	static const struct {
		const char *code, *shape;
	} shapes[] = {
		{"InvalidParameterValue", "InvalidParameterValueException"},
		{"InvalidParameterCombination", "InvalidParameterCombinationException"},
		{"MissingParameter", "MissingRequiredParameterException"},
		{"InvalidFormat", "InvalidFormatFault"},
		{"InvalidParameterInput", "DashboardInvalidInputError"},
		{"InternalServiceError", "InternalServiceFault"},
		{"LimitExceeded", "LimitExceededFault"},
		{"ValidationError", "ValidationException"},
		/* Guessed: CloudWatch's model has none of the following; other services of AWS name them so. */
		{"AccessDenied", "AccessDeniedException"},
		{"Throttling", "ThrottlingException"},
		{"InvalidAction", "UnknownOperationException"},
		{"InvalidClientTokenId", "UnrecognizedClientException"},
		{"MissingAuthenticationToken", "MissingAuthenticationTokenException"},
		{"ServiceUnavailable", "ServiceUnavailableException"},
	};
	for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
		if (strcmp(shapes[k].code, code) == 0)
			return shapes[k].shape;
	return code;
}
