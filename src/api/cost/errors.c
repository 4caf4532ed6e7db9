/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of Cost Explorer. Sources: AWS Cost Explorer API Reference, "Errors" of each action and
 * "Common Error Types". */
#include "api/cost/internal.h"

static const struct api_error rows[] = {
	{ERR_MALFORMED, 0, 400, "SerializationException"},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException", "X-Amz-Target"},
	{ERR_NOT_FOUND, 0, 400, "DataUnavailableException"},
	{ERR_TOO_LARGE, 0, 400, "LimitExceededException"},
	{ERR_UNSUPPORTED, 0, 400, "ValidationException"},
	TARGET_COMMON_ERRORS("InternalFailure"),
};
const struct api_errors cost_errors = TARGET_ERRORS(rows);

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
