/* SPDX-License-Identifier: Apache-2.0
 * Turns a call's problem into the face's error document.
 */
#include "api/core/problem.h"

#include <assert.h>
#include <inttypes.h>

#include "api/core/dispatch.h"
#include "base/log.h"

enum { CALL_SIZE_MAX = 4096 };

const struct api_error *api_find_error(const struct api_errors *errors, unsigned part, enum err err, int kind,
				       struct str field)
{
	const struct api_error *last = &errors->at[errors->count - 1];
	for (const struct api_error *e = errors->at; e < last; e++)
		if (e->err == err && (!e->parts || e->parts & part) && (!e->kind || e->kind == kind) &&
		    (!e->field || str_starts_with(field, str_from(e->field))))
			return e;
	return last;
}

static struct api_problem find_problem(const struct api_call *e, struct result result)
{
	const struct problem *p = &e->c->problem;
	enum err err = p->err ? p->err : result.code;
	return (struct api_problem){
		.error = e->error ? e->error : api_find_error(e->errors, e->part, err, p->kind, p->field),
		.err = err,
		.message = p->message.n ? p->message : str_from(err_meaning(err)),
	};
}

/* Replaces '#' by the problem's total. */
static struct str fill_total(const struct ctx *c, struct str says)
{
	size_t at = str_find_char(says, '#', 0);
	return at == says.n ? says
			    : str_print(c->arena, "%" STR_FMT "%" PRId64 "%" STR_FMT,
					STR_ARG(str_slice(says, 0, at)), c->problem.total,
					STR_ARG(str_slice(says, at + 1, says.n)));
}

struct str api_say_problem(const struct ctx *c, const struct api_problem *p)
{
	const struct api_error *error = p->error;
	struct str subject = c->problem.subject;
	bool are_many = str_contains(subject, STR(", "));
	struct str says = str_from(are_many && error->says_many ? error->says_many : error->says);
	size_t gap = str_find_char(says, '*', 0);
	if (str_is_empty(says) || (gap < says.n && str_is_empty(subject)))
		return p->message;
	if (are_many && !error->says_many)
		subject = str_slice(subject, 0, str_find_char(subject, ',', 0));
	says = fill_total(c, says);
	gap = str_find_char(says, '*', 0);
	return str_print(c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT "%" STR_FMT,
			 STR_ARG(str_slice(says, 0, gap)), STR_ARG(gap < says.n ? subject : STR_NONE),
			 STR_ARG(gap < says.n ? str_slice(says, gap + 1, says.n) : STR_NONE),
			 STR_ARG(str_ends_with(says, STR(" ")) ? p->message : STR_NONE));
}

static void send_problem(struct api_call *e, struct api_problem *problem)
{
	const struct api_protocol *p = e->protocol;
	struct buf body;
	problem->content_type = p->content_type;
	buf_init(&body, BUF_ANSWER_CAP);
	IGNORE(p->write_problem(e, problem, &body)); /* without memory the body stays empty */
	call_answer(e->call, problem->status, problem->content_type, &body);
}

/* Hides the message of an internal error from the caller; logs it instead. */
static void hide_fault(struct api_call *e, struct api_problem *problem)
{
	const struct api_protocol *p = e->protocol;
	if (problem->err != ERR_INTERNAL && problem->err != ERR_IO && problem->error->err != ERR_INTERNAL)
		return;
	log_event(LOG_ERROR, "internal-error", "face=%s request=%s action=%s error=%s message=%s", p->name,
		  log_quote(e->c->request_id), e->call->action ? e->call->action : "-",
		  err_name(problem->err), log_quote(problem->message));
	problem->message = str_from(e->errors->internal);
}

void api_answer_problem(struct api_call *e, struct result result)
{
	const struct api_protocol *p = e->protocol;
	struct api_problem problem = find_problem(e, result);
	problem.status = problem.error->status;
	if (problem.err == ERR_DENIED) /* `dari explain REQUEST-ID` shows the refusal */
		problem.refusal = guard_explain_refusal(e->c);
	if (p->word_problem)
		p->word_problem(e, &problem);
	hide_fault(e, &problem);
	send_problem(e, &problem);
}

struct str api_problem_code(struct api_call *e, struct result result)
{
	const struct api_error *error = find_problem(e, result).error;
	return e->errors->is_by_status ? str_print(e->c->arena, "%d", error->status) : str_from(error->code);
}

/* Answers without the call's arena, which may be exhausted or missing. */
void api_reject(void *self, struct call *call, int status, enum err why)
{
	union {
		struct api_call core;
		char room[CALL_SIZE_MAX];
	} e = {.room = {0}};
	struct api_face *face = self;
	assert(face->protocol->call_size <= sizeof e);
	api_call_begin(&e.core, face, call);
	struct api_problem problem = {
		.error = api_find_error(e.core.errors, e.core.part, why, KIND_NONE, STR(API_WHOLE_REQUEST)),
		.err = why,
		.status = status,
		.message = str_from(err_meaning(why)),
	};
	send_problem(&e.core, &problem);
}
