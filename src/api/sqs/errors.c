/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of SQS. Source: the errors of each action in the API Reference, and the common ones. */
#include "api/query/query_call.h"
#include "api/sqs/internal.h"

#include <string.h>

#define AWS_SQS "AWS.SimpleQueueService."

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, KIND_QUEUE, 400, AWS_SQS "NonExistentQueue", NULL, 0,
	 "The specified queue does not exist."},
	{ERR_NOT_FOUND, 0, 400, AWS_SQS "NonExistentQueue"},
	{ERR_EXISTS, KIND_QUEUE, 400, "QueueAlreadyExists"},
	{ERR_CONFLICT, KIND_QUEUE, 403, AWS_SQS "PurgeQueueInProgress"},
	{ERR_QUOTA, KIND_QUEUE_MESSAGE, 403, "OverLimit"},
	{ERR_QUOTA, 0, 403, "OverLimit"},
	{ERR_INVALID, 0, 404, "ReceiptHandleIsInvalid", "ReceiptHandle"},
	{ERR_STATE, 0, 400, AWS_SQS "MessageNotInflight", "ReceiptHandle"},
	{ERR_UNKNOWN, 0, 400, "InvalidAttributeName", "AttributeName"},
	{ERR_UNKNOWN, 0, 400, "InvalidAttributeName", "Attribute"},
	{ERR_UNKNOWN, 0, 400, "InvalidAttributeName", "ContentBasedDeduplication"},
	{ERR_INVALID, 0, 400, "InvalidAttributeValue", "Attribute"},
	{ERR_INVALID, 0, 400, "InvalidAttributeValue", "NextToken"},
	{ERR_UNSUPPORTED, 0, 400, AWS_SQS "UnsupportedOperation", "Attribute"},
	{ERR_UNSUPPORTED, 0, 400, "InvalidAction"},
	{ERR_MISSING, 0, 400, "MissingParameter"},
	{ERR_COMBINATION, 0, 400, "InvalidParameterCombination"},
	{ERR_INVALID, 0, 400, "InvalidParameterValue"},
	QUERY_TOO_LARGE,
	{ERR_TOO_LARGE, 0, 400, "InvalidParameterValue"},
	{ERR_UNKNOWN, 0, 400, "InvalidParameterValue"},
	{ERR_MALFORMED, 0, 400, "InvalidParameterValue"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 403, "RequestThrottled"},
	QUERY_UNAVAILABLE("InternalFailure"),
};

const struct api_errors sqs_errors = QUERY_ERRORS(rows);

static const struct api_error batch_rows[] = {
	{ERR_INVALID, 0, 400, AWS_SQS "EmptyBatchRequest"},
	{ERR_INVALID, 0, 400, AWS_SQS "TooManyEntriesInBatchRequest"},
	{ERR_INVALID, 0, 400, AWS_SQS "BatchEntryIdsNotDistinct"},
	{ERR_INVALID, 0, 400, AWS_SQS "InvalidBatchEntryId"},
	{ERR_INVALID, 0, 400, AWS_SQS "BatchRequestTooLong"},
};

RESULT sqs_fail_batch(struct sqs_call *e, const char *code, const char *words)
{
	for (size_t k = 0; k < sizeof batch_rows / sizeof *batch_rows; k++)
		if (strcmp(batch_rows[k].code + strlen(AWS_SQS), code) == 0)
			e->error = &batch_rows[k];
	return ctx_fail(e->c, ERR_INVALID, "%s", words);
}

const char *sqs_shape_of(const char *code)
{
	static const struct {
		const char *code, *shape;
	} shapes[] = {
		{AWS_SQS "NonExistentQueue", "QueueDoesNotExist"},
		{"QueueAlreadyExists", "QueueNameExists"},
		/* Guessed: SQS's model has none of the following; other services of AWS name them so. */
		{"AccessDenied", "AccessDeniedException"},
		{"InvalidAction", "UnknownOperationException"},
		{"InvalidClientTokenId", "UnrecognizedClientException"},
		{"MissingAuthenticationToken", "MissingAuthenticationTokenException"},
		{"ServiceUnavailable", "ServiceUnavailableException"},
	};
	for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
		if (strcmp(shapes[k].code, code) == 0)
			return shapes[k].shape;
	return strncmp(code, AWS_SQS, strlen(AWS_SQS)) == 0 ? code + strlen(AWS_SQS) : code;
}
