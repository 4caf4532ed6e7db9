/* SPDX-License-Identifier: Apache-2.0
 * Writes failures as problems (RFC 9457): a type for programs, a sentence, and advice.
 */
#include "api/native/dry.h"
#include "api/native/sign_in/factors.h"
#include "api/native/sign_in/session.h"

#include "base/clock.h"

/* clang-format off */
static const struct api_error rows[] = {
	{ERR_TOO_LARGE, 0, 413, "too-large", API_WHOLE_REQUEST}, {ERR_TIMEOUT, 0, 408, "too-slow", API_WHOLE_REQUEST},
	{ERR_UNAUTHENTICATED, 0, 401, "unauthenticated"}, {ERR_EXPIRED, 0, 401, "expired"},
	{ERR_DENIED, 0, 403, "denied"},
	{ERR_NOT_FOUND, 0, 404, "not-found"},
	{ERR_UNSUPPORTED, 0, 405, "no-method", "method"},
	{ERR_CONFLICT, 0, 412, "changed-meanwhile", "If-Match"},
	{ERR_MISSING, 0, 400, "missing"},                {ERR_INVALID, 0, 400, "invalid"},
	{ERR_MALFORMED, 0, 400, "malformed"},            {ERR_COMBINATION, 0, 400, "combination"},
	{ERR_UNKNOWN, 0, 400, "unknown"},                {ERR_UNSUPPORTED, 0, 400, "unsupported"},
	{ERR_RANGE, 0, 400, "out-of-range"},             {ERR_TOO_LARGE, 0, 400, "too-large"},
	{ERR_EXISTS, 0, 409, "exists"},                  {ERR_IN_USE, 0, 409, "in-use"},
	{ERR_STATE, 0, 409, "wrong-state"},              {ERR_CONFLICT, 0, 409, "conflict"},
	{ERR_PROTECTED, 0, 409, "protected"},
	{ERR_QUOTA, 0, 422, "over-quota"},               {ERR_CAPACITY, 0, 503, "no-capacity"},
	{ERR_THROTTLED, 0, 429, "throttled"},            {ERR_DRY_RUN, 0, 200, "would"},
	{ERR_AGAIN, 0, 503, "not-now"},                  {ERR_GONE, 0, 503, "gone"},
	{ERR_TIMEOUT, 0, 503, "no-answer"},              {ERR_NO_MEMORY, 0, 503, "no-memory"},
	{ERR_INTERNAL, 0, 500, "internal"},
};
/* Title and advice of each error. */
static const struct {
	enum err err;
	const char *title, *advice;
} said[] = {
	{ERR_MISSING, "A parameter is missing", "Send it."},
	{ERR_INVALID, "A value is not acceptable", "Correct the field that is named."},
	{ERR_MALFORMED, "An id is not well-formed", "Give a UUID, an id such as EC2's, or a name."},
	{ERR_COMBINATION, "These parameters do not go together", "Leave one of them out."},
	{ERR_UNKNOWN, "There is no such parameter", "GET /api/v1/schema lists what each call takes."},
	{ERR_UNSUPPORTED, "Not supported", ""},
	{ERR_NOT_FOUND, "Not found", "Look it up again: it may be gone, or another account's."},
	{ERR_EXISTS, "It is there already", "Choose another name, or use what is there."},
	{ERR_IN_USE, "Something depends on it", "Remove what uses it first."},
	{ERR_STATE, "Not possible in its present state", "Wait until its state allows it, and ask again."},
	{ERR_CONFLICT, "It contradicts what is there", "Look at the row as it is now, and ask again."},
	{ERR_RANGE, "Outside of what is allowed", "Correct the field that is named."},
	{ERR_PROTECTED, "It is protected", "Take its protection away first."},
	{ERR_QUOTA, "The account's limit is reached", "Remove something, or ask the operator for a higher limit."},
	{ERR_CAPACITY, "No host has room", "Ask for less, choose another zone, or wait."},
	{ERR_UNAUTHENTICATED, "Not authenticated", "Sign in again."},
	{ERR_EXPIRED, "The request is too old", "Check the clock, and sign in again."},
	{ERR_DENIED, "Not allowed", "Ask who manages the account for this permission."},
	{ERR_TOO_LARGE, "Too large", "Send less."},
	{ERR_THROTTLED, "Asked too often", "Wait a second, and ask again."},
	{ERR_AGAIN, "Not now", "Ask again in a moment."},
	{ERR_GONE, "What is behind it cannot be reached", "It is tried again by itself; see its conditions."},
	{ERR_TIMEOUT, "No answer in time", "Ask again."},
	{ERR_NO_MEMORY, "Out of memory", "Ask again in a moment."},
	{ERR_INTERNAL, "A fault of ours", "Tell the operator the request's id."},
};
/* clang-format on */

const struct api_errors native_errors = API_ERRORS(
	rows, .internal = "Something went wrong here; the log has it under the request's id.",
	.throttled = "Too many requests; ask again in a second.", .unproved = "The access key is not valid.");

static struct str write_row_id(struct arena *a, enum kind kind, uuid id)
{
	return id_to_text(a, kind, id);
}

const struct kind_words native_words = {.write_id = write_row_id};

const struct params_dialect native_dialect = {
	.words =
		{
			[FAULT_MISSING] = "{field} is missing.",
			[FAULT_UNKNOWN] = "There is no parameter {field}.",
			[FAULT_UNBUILT] = "{field} is not supported.",
			[FAULT_UNBUILT_ELSE] = "Of {field} only {only} is supported.",
			[FAULT_TYPE] = "{field} must be {type}.",
			[FAULT_WORDS] = "{field} must be one of {words}.",
			[FAULT_BOOL] = "{field} must be true or false.",
			[FAULT_INT] = "{field} must be a whole number.",
			[FAULT_INT_BELOW] = "{field} must be {min} to {max}.",
			[FAULT_INT_ABOVE] = "{field} must be {min} to {max}.",
			[FAULT_ID] = "{field} is no id and no name.",
		},
	.comma = ", ",
	.rules = NULLS_ARE_ABSENT | IP_OF_ANY_FAMILY | UNKNOWN_BY_OWN_NAME,
	.text_max = 4096,
	.read_id = native_read_id,
};

/* ---- documents ---- */

void native_word_problem(struct api_call *core, struct api_problem *p)
{
	if (p->err == ERR_THROTTLED || p->status == 503)
		call_set_answer_header(core->call, "Retry-After", STR("1"));
	const struct api_action *action = core->action;
	if (action && native_row_of(action)->flags & NATIVE_BROWSER)
		native_lead_to_sign_in(native_call_of(core), p);
	if (p->status == 401)
		call_set_answer_header(core->call, "WWW-Authenticate", STR("Dari realm=\"/api/v1\""));
}

void native_write_problem_members(struct json_writer *w, struct ctx *c, const struct api_problem *p,
				  const struct problem *problem)
{
	const char *title = err_meaning(p->err), *advice = "";
	for (size_t k = 0; k < sizeof said / sizeof said[0]; k++)
		if (said[k].err == p->err)
			title = said[k].title, advice = said[k].advice;
	json_write_text(w, "type",
			str_print(c->arena, "urn:dari:%s", p->error->code ? p->error->code : "internal"));
	json_write_z(w, "title", title);
	json_write_int(w, "status", p->status);
	json_write_text(w, "detail", p->message);
	if (*advice)
		json_write_z(w, "advice", advice);
	if (problem->err == p->err && problem->kind)
		json_write_z(w, "kind", model_kinds[problem->kind].name);
	if (problem->err == p->err && problem->field.n)
		json_write_text(w, "field", problem->field);
	if (problem->err == p->err && problem->subject.n)
		json_write_text(w, "id", problem->subject);
}

/* Writes where a policy document is wrong: lines and columns, counted from 1. */
static void write_fault(const struct policy_fault *fault, struct json_writer *w)
{
	if (!fault->start.line)
		return;
	json_write_open(w, "place");
	json_write_int(w, "line", fault->start.line);
	json_write_int(w, "column", fault->start.column);
	json_write_int(w, "end_line", fault->end.line);
	json_write_int(w, "end_column", fault->end.column);
	json_write_close(w);
}

/* Writes which statement of which policy refused. Only managers of the account see it. */
static void write_refusal(struct api_call *core, struct json_writer *w)
{
	const struct identity *who = core->c->who;
	bool may = who && (who->is_owner || identity_has(who, RIGHT_MANAGER));
	struct str json =
		may && core->config->guards
			? guard_find_refusal(core->config->guards, core->c->arena, core->c->request_id)
			: STR_NONE;
	if (json.n)
		json_write_raw(w, "refusal", json);
}

RESULT native_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (p->err == ERR_DRY_RUN) { /* the dry run would succeed */
		native_write_would(native_call_of(core), &w);
		json_write_close(&w);
		return json_write_end(&w);
	}
	p->content_type = "application/problem+json";
	native_write_problem_members(&w, core->c, p, &core->c->problem);
	json_write_text(&w, "request_id", core->c->request_id);
	if (native_call_of(core)->need)
		json_write_z(&w, "need", native_call_of(core)->need);
	if (p->err == ERR_INVALID)
		write_fault(&native_call_of(core)->fault, &w);
	if (native_call_of(core)->question) {
		json_write_open(&w, "passkey");
		factors_write_question(&w, native_call_of(core)->question);
		json_write_close(&w);
	}
	if (p->err == ERR_DENIED)
		write_refusal(core, &w);
	const struct native_room *room = native_call_of(core)->room;
	if (p->err == ERR_CAPACITY && room && room->is_known)
		dry_write_reasons(room, &w);
	if (p->status == 412)
		native_write_present(native_call_of(core), &w);
	json_write_close(&w);
	return json_write_end(&w);
}
