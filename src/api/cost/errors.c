/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of Cost Explorer. Sources: AWS Cost Explorer API Reference, "Errors" of each action and
 * "Common Error Types". */
#include "api/cost/internal.h"

/* clang-format off */
static const struct api_error rows[] = {
	{ERR_MALFORMED, 0, 400, "SerializationException"},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException", "X-Amz-Target"},
	{ERR_NOT_FOUND, 0, 400, "DataUnavailableException"},
	{ERR_TOO_LARGE, 0, 400, "LimitExceededException"},
	{ERR_INVALID, 0, 400, "ValidationException"},   {ERR_MISSING, 0, 400, "ValidationException"},
	{ERR_UNKNOWN, 0, 400, "ValidationException"},   {ERR_COMBINATION, 0, 400, "ValidationException"},
	{ERR_RANGE, 0, 400, "ValidationException"},     {ERR_UNSUPPORTED, 0, 400, "ValidationException"},
	{ERR_UNAUTHENTICATED, 0, 400, "UnrecognizedClientException"},
	{ERR_DENIED, 0, 400, "AccessDeniedException"},
	{ERR_THROTTLED, 0, 400, "ThrottlingException"},
	{ERR_NO_MEMORY, 0, 500, "InternalFailure"},     {ERR_AGAIN, 0, 503, "ServiceUnavailable"},
	{ERR_INTERNAL, 0, 500, "InternalFailure"},
};
const struct api_errors cost_errors =
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded",
		   .unproved = "The security token included in the request is invalid.");
/* clang-format on */

RESULT cost_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_z(&w, "__type", p->error->code);
	json_write_text(&w, "Message", p->message);
	json_write_close(&w);
	call_set_answer_header(core->call, "x-amzn-ErrorType", str_from(p->error->code));
	return json_write_end(&w);
}
