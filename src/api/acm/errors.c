/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of ACM. Sources: the errors of each action in its API Reference; texts of validation errors are those that
 * AWS's JSON services share. */
#include "api/acm/internal.h"

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, 0, 400, "ResourceNotFoundException"},
	{ERR_INVALID, KIND_SERVER_CERTIFICATE, 400, "InvalidArnException", "CertificateArn"},
	{ERR_INVALID, 0, 400, "InvalidTagException", "Tag.Key"},
	{ERR_RANGE, 0, 400, "InvalidTagException", "Tag.Key"},
	{ERR_TOO_LARGE, 0, 400, "InvalidTagException", "Tag.Key"},
	{ERR_QUOTA, KIND_SERVER_CERTIFICATE, 400, "LimitExceededException"},
	{ERR_QUOTA, 0, 400, "TooManyTagsException"},
	{ERR_IN_USE, 0, 400, "ResourceInUseException"},
	{ERR_STATE, 0, 400, "InvalidStateException"},
	{ERR_MALFORMED, KIND_NONE, 400, "SerializationException"},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException", "X-Amz-Target"},
	{ERR_UNSUPPORTED, 0, 400, "ValidationException"},
	{ERR_TOO_LARGE, 0, 413, "RequestEntityTooLargeException", API_WHOLE_REQUEST},
	{ERR_PROTECTED, 0, 400, "ValidationException"},
	{ERR_GONE, 0, 400, "ConflictException"},
	TARGET_COMMON_ERRORS("InternalFailure"),
};
const struct api_errors acm_errors = TARGET_ERRORS(rows);
