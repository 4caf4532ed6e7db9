/* SPDX-License-Identifier: Apache-2.0
 * Groups of calls, and codes of failures. query/rest_json.c reads calls and writes answers. */
#include "api/dlm/dlm.h"

#include "api/dlm/internal.h"
#include "api/query/query_call.h"

static const struct api_actions *const groups[] = {&dlm_policy_actions, &dlm_tag_actions};
static const struct rest_table table = {groups, sizeof groups / sizeof groups[0]};
const struct api_groups dlm_action_groups = {groups, sizeof groups / sizeof groups[0]};

bool dlm_has_call(const struct call *call)
{
	return query_is_for(call, "dlm");
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
static const struct api_errors errors = TARGET_ERRORS(rows);

/* ---- from request to action ---- */

static RESULT find(struct api_call *core)
{
	return rest_json_find(core, &table, "Data Lifecycle Manager");
}

const struct api_protocol dlm_protocol = {.name = "dlm", .errors = &errors, .find = find, REST_JSON_PROTOCOL};

/* ---- for documentation and tests ---- */

void dlm_dump_actions(struct buf *out)
{
	rest_json_dump_actions(&table, "dlm", out);
}

void dlm_write_coverage(struct buf *out)
{
	rest_write_coverage(&table, out);
}
