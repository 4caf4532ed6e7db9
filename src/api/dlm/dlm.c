/* SPDX-License-Identifier: Apache-2.0
 * The protocol: method and path select the call, parameters are in path, query or a JSON object, answers are JSON. */
#include "api/dlm/dlm.h"

#include "api/core/dump.h"
#include "api/dlm/internal.h"
#include "api/query/target.h"
#include "auth/key/sigv4.h"

enum { QUERY_MAX = 200 };

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

static const struct api_error faults[SIGV4_SCOPE + 1] = {
	[SIGV4_NO_CREDENTIALS] = {ERR_UNAUTHENTICATED, 0, 403, "MissingAuthenticationTokenException"},
	[SIGV4_INCOMPLETE] = {ERR_UNAUTHENTICATED, 0, 403, "IncompleteSignatureException"},
	[SIGV4_UNKNOWN_KEY] = {ERR_UNAUTHENTICATED, 0, 403, "UnrecognizedClientException"},
	[SIGV4_MISMATCH] = {ERR_UNAUTHENTICATED, 0, 403, "InvalidSignatureException"},
	[SIGV4_SKEWED] = {ERR_UNAUTHENTICATED, 0, 403, "InvalidSignatureException"},
	[SIGV4_EXPIRED] = {ERR_UNAUTHENTICATED, 0, 403, "ExpiredTokenException"},
	[SIGV4_SCOPE] = {ERR_UNAUTHENTICATED, 0, 403, "InvalidSignatureException"},
};

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_text(&w, "Message", p->message);
	json_write_z(&w, "Code", p->error->code);
	json_write_close(&w);
	call_set_answer_header(core->call, "x-amzn-ErrorType", str_from(p->error->code));
	return json_write_end(&w);
}

/* ---- from request to action ---- */

static json_t *text_of(struct str text)
{
	return json_stringn(text.p, text.n);
}

/* Parameters of the path replace members of the body with their names. */
static RESULT add_variables(struct dlm_call *e, const struct pairs *variables)
{
	for (size_t k = 0; k < variables->count; k++) {
		struct str value = STR_NONE;
		const char *name = str_to_z(e->c->arena, variables->at[k].name);
		bool is_text =
			name && result_is_ok(str_decode_url(e->c->arena, variables->at[k].value, &value));
		if (!is_text || json_object_set_new(e->input, name, text_of(value)))
			return ctx_fail_field(e->c, ERR_INVALID, variables->at[k].name,
					      "The path's value is not encoded as a URL's.");
	}
	return OK;
}

static RESULT add_pair(struct dlm_call *e, const struct param *p, struct str value)
{
	json_t *list = json_object_get(e->input, p->wire);
	if (p->type == PARAM_TEXTS && !json_is_array(list)) {
		list = json_array();
		if (json_object_set_new(e->input, p->wire, list))
			return ctx_no_memory(e->c);
	}
	bool failed = p->type == PARAM_TEXTS ? json_array_append_new(list, text_of(value))
					     : json_object_set_new(e->input, p->wire, text_of(value));
	return failed ? ctx_fail_field(e->c, ERR_INVALID, str_from(p->wire), "The query is not UTF-8.") : OK;
}

/* Reads the query of a call without a body. A list repeats its name. Ignores names that the call does not have, as AWS does. */
static RESULT add_query(struct dlm_call *e, const struct params *args)
{
	static const struct pairs_rules rules = {.noun = "query", .count_max = QUERY_MAX};
	struct pairs pairs = {0};
	TRY(pairs_parse(e->c, &rules, e->call->query, STR_NONE, &pairs));
	for (size_t k = 0; k < args->count; k++)
		for (size_t n = 0; n < pairs.count; n++)
			if (str_is(pairs.at[n].name, args->at[k].wire))
				TRY(add_pair(e, &args->at[k], pairs.at[n].value));
	return OK;
}

static RESULT find(struct api_call *core)
{
	struct dlm_call *e = dlm_call_of(core);
	struct pairs variables = {0};
	struct str path = e->call->path, text = str_trim(e->call->body);
	bool has_path = false;
	json_error_t error;
	TRY(api_check_signature(core, faults));
	if (path.n > 1 && path.p[path.n - 1] == '/') /* botocore's model has it, newer ones do not */
		path = str_slice(path, 0, path.n - 1);
	const struct rest_action *found =
		rest_find_action(e->c, &table, e->call->method, path, &variables, &has_path);
	TRY(api_check_limits(core, found ? &found->core : NULL, OK));
	if (!found)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("path"),
				      "Data Lifecycle Manager has no such operation here.");
	const struct api_entry entry = api_entry_of(&found->core);
	api_choose_action(core, &entry);
	e->input = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(e->input))
		return ctx_fail(e->c, ERR_MALFORMED, "The body is not a JSON object.");
	if (e->call->method == HTTP_GET || e->call->method == HTTP_DELETE)
		TRY(add_query(e, &found->core.args));
	return add_variables(e, &variables);
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
	.write_problem = write_problem,
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
