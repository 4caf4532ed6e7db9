/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of EventBridge. Sources: the errors of each action in its API Reference; texts of validation errors are those
 * that AWS's JSON services share. */
#include "api/events/internal.h"

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, 0, 400, "ResourceNotFoundException"},
	{ERR_INVALID, 0, 400, "InvalidEventPatternException", "EventPattern"},
	{ERR_QUOTA, 0, 400, "LimitExceededException"},
	{ERR_GONE, 0, 400, "ConcurrentModificationException"},
	{ERR_MALFORMED, KIND_NONE, 400, "SerializationException"},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException", "X-Amz-Target"},
	{ERR_UNSUPPORTED, 0, 400, "ValidationException"},
	{ERR_TOO_LARGE, 0, 413, "RequestEntityTooLargeException", API_WHOLE_REQUEST},
	{ERR_IN_USE, 0, 400, "ValidationException"},
	{ERR_STATE, 0, 400, "ValidationException"},
	{ERR_PROTECTED, 0, 400, "ValidationException"},
	TARGET_COMMON_ERRORS("InternalException"),
};
const struct api_errors events_errors = TARGET_ERRORS(rows);
