/* SPDX-License-Identifier: Apache-2.0
 * The protocol: method and path select the call, parameters are in path, query or a JSON object, answers are JSON. */
#include "api/dlm/dlm.h"

#include "api/core/dump.h"
#include "api/dlm/internal.h"
#include "api/query/rest_json.h"
#include "api/query/target.h"

static const struct api_actions *const groups[] = {&dlm_policy_actions, &dlm_tag_actions};
static const struct rest_table table = {groups, sizeof groups / sizeof groups[0]};
const struct api_groups dlm_action_groups = {groups, sizeof groups / sizeof groups[0]};

bool dlm_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/dlm/aws4_request")) ||
	       str_contains(call->query, STR("%2Fdlm%2Faws4_request"));
}

/* ---- failures ---- */

/* Source of the exceptions: botocore's model. Guessed: the names of failures that the model lacks, which are those of AWS's other REST
 * services, and their sentences. */
/* clang-format off */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, 0, 404, "ResourceNotFoundException"},
	{ERR_UNSUPPORTED, 0, 404, "UnknownOperationException", "path"}, {ERR_UNSUPPORTED, 0, 400, "InvalidRequestException"},
	{ERR_INVALID, 0, 400, "InvalidRequestException"}, {ERR_MISSING, 0, 400, "InvalidRequestException"},
	{ERR_UNKNOWN, 0, 400, "InvalidRequestException"}, {ERR_MALFORMED, 0, 400, "SerializationException"},
	{ERR_COMBINATION, 0, 400, "InvalidRequestException"}, {ERR_RANGE, 0, 400, "InvalidRequestException"},
	{ERR_STATE, 0, 400, "InvalidRequestException"}, {ERR_TOO_LARGE, 0, 400, "InvalidRequestException"},
	{ERR_CONFLICT, 0, 400, "InvalidRequestException"}, {ERR_EXISTS, 0, 400, "InvalidRequestException"},
	{ERR_QUOTA, 0, 429, "LimitExceededException"}, {ERR_CAPACITY, 0, 503, "ServiceUnavailableException"},
	{ERR_UNAUTHENTICATED, 0, 403, "UnrecognizedClientException"}, {ERR_DENIED, 0, 403, "AccessDeniedException"},
	{ERR_THROTTLED, 0, 429, "ThrottlingException"},
	{ERR_NO_MEMORY, 0, 503, "ServiceUnavailableException"}, {ERR_AGAIN, 0, 503, "ServiceUnavailableException"},
	{ERR_GONE, 0, 503, "ServiceUnavailableException"}, {ERR_TIMEOUT, 0, 503, "ServiceUnavailableException"},
	{ERR_INTERNAL, 0, 500, "InternalServerException"},
};
/* clang-format on */
static const struct api_errors errors =
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded",
		   .unproved = "The security token included in the request is invalid.");

/* ---- from request to action ---- */

static RESULT find(struct api_call *core)
{
	return rest_json_find(core, &table, "Data Lifecycle Manager", &dlm_call_of(core)->input);
}

static RESULT prepare(struct api_call *core)
{
	struct dlm_call *e = dlm_call_of(core);
	TRY(target_read_args(core, e->input));
	return dlm_action_of(e)->prepare ? dlm_action_of(e)->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct dlm_call *e = dlm_call_of(core);
	json_decref(e->input);
	e->input = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct dlm_call *e = dlm_call_of(core);
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (dlm_action_of(e)->answer)
		TRY(dlm_action_of(e)->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

const struct api_protocol dlm_protocol = {
	.name = "dlm",
	.content_type = "application/json",
	.call_size = sizeof(struct dlm_call),
	.errors = &errors,
	.find = find,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.word_problem = target_word_problem,
	.write_problem = rest_json_write_problem,
};

/* ---- for documentation and tests ---- */

static const struct dump_form form = {.face = "dlm", .list_suffix = ""};

static void write_members(struct json_writer *w, const struct rest_action *a)
{
	dump_params(w, &form, NULL, &a->core.args);
}

void dlm_dump_actions(struct buf *out)
{
	rest_dump_actions(&table, &form, write_members, out);
}

void dlm_write_coverage(struct buf *out)
{
	rest_write_coverage(&table, out);
}
