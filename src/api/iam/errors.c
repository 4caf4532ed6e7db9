/* SPDX-License-Identifier: Apache-2.0
 * IAM's words for what went wrong: from (kind of failure, kind of resource) to code and HTTP status, and the form
 * of an error's document. */
#include "api/iam/internal.h"
#include "base/log.h"

/* The first row that fits counts. */
static const struct iam_error errors[] = {
	{ERR_INVALID, 0, "PolicyDocument", 400, "MalformedPolicyDocument"},
	{ERR_INVALID, 0, "PolicyInputList", 400, "InvalidInput"},
	{ERR_INVALID, KIND_ACCOUNT, 0, 400, "PasswordPolicyViolation"},
	{ERR_CONFLICT, 0, 0, 409, "ConcurrentModification"},
	{ERR_PROTECTED, 0, 0, 403, "AccessDenied"},
	{ERR_INVALID, 0, 0, 400, "ValidationError"},
	{ERR_MISSING, 0, 0, 400, "ValidationError"},
	{ERR_UNKNOWN, 0, 0, 400, "ValidationError"},
	{ERR_MALFORMED, 0, 0, 400, "ValidationError"},
	{ERR_COMBINATION, 0, 0, 400, "InvalidInput"},
	{ERR_TOO_LARGE, 0, 0, 400, "ValidationError"},
	{ERR_UNSUPPORTED, 0, 0, 400, "InvalidAction"},
	{ERR_NOT_FOUND, 0, 0, 404, "NoSuchEntity"},
	{ERR_EXISTS, 0, 0, 409, "EntityAlreadyExists"},
	{ERR_IN_USE, 0, 0, 409, "DeleteConflict"},
	{ERR_QUOTA, 0, 0, 409, "LimitExceeded"},
	{ERR_UNAUTHENTICATED, 0, 0, 403, "InvalidClientTokenId"},
	{ERR_DENIED, 0, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 0, 400, "Throttling"},
	{ERR_NO_MEMORY, 0, 0, 503, "ServiceUnavailable"},
	{ERR_AGAIN, 0, 0, 503, "ServiceUnavailable"},
	{ERR_GONE, 0, 0, 503, "ServiceUnavailable"},
	{ERR_TIMEOUT, 0, 0, 503, "ServiceUnavailable"},
	{ERR_INTERNAL, 0, 0, 500, "ServiceFailure"},
};

static const struct iam_error faults[] = {
	[SIGV4_NO_CREDENTIALS] = {.status = 403, .code = "MissingAuthenticationToken"},
	[SIGV4_INCOMPLETE] = {.status = 400, .code = "IncompleteSignature"},
	[SIGV4_UNKNOWN_KEY] = {.status = 403, .code = "InvalidClientTokenId"},
	[SIGV4_MISMATCH] = {.status = 403, .code = "SignatureDoesNotMatch"},
	[SIGV4_SKEWED] = {.status = 403, .code = "SignatureDoesNotMatch"},
	[SIGV4_EXPIRED] = {.status = 403, .code = "ExpiredToken"},
	[SIGV4_SCOPE] = {.status = 403, .code = "SignatureDoesNotMatch"},
};

const struct iam_error *iam_find_fault(enum sigv4_fault fault)
{
	return &faults[fault];
}

static void answer_error(struct call *call, int status, const char *code, struct str message)
{
	struct buf body;
	struct xml x;
	buf_init(&body, BUF_ANSWER_CAP);
	xml_begin(&x, &body);
	xml_open_ns(&x, "ErrorResponse", IAM_NAMESPACE);
	xml_open(&x, "Error");
	xml_z(&x, "Type", status >= 500 ? "Receiver" : "Sender");
	xml_z(&x, "Code", code);
	xml_text(&x, "Message", message);
	xml_close(&x, "Error");
	xml_text(&x, "RequestId", call->ctx.request_id);
	xml_close(&x, "ErrorResponse");
	IGNORE(xml_end(&x)); /* without memory for these few bytes an empty body must do */
	call_answer(call, status, "text/xml", &body);
}

static const struct iam_error *find_error(enum err err, const struct problem *p)
{
	const struct iam_error *last = &errors[sizeof errors / sizeof errors[0] - 1];
	for (const struct iam_error *e = errors; e < last; e++)
		if (e->err == err && (!e->kind || e->kind == p->kind) &&
		    (!e->field || str_starts_with(p->field, str_from(e->field))))
			return e;
	return last;
}

const struct iam_error *iam_find_problem(const struct iam_call *e, struct result result)
{
	const struct problem *p = &e->c->problem;
	return e->error ? e->error : find_error(p->err ? p->err : result.code, p);
}

void iam_answer_problem(struct api_call *core, struct result result)
{
	struct call *call = core->call;
	const struct problem *p = &call->ctx.problem;
	enum err err = p->err ? p->err : result.code;
	const struct iam_error *error = iam_find_problem(iam_call_of(core), result);
	struct str message = p->message.n ? p->message : str_from(err_meaning(err));
	if (err == ERR_DENIED)
		(void) guard_explain_refusal(&call->ctx);
	if (error->status == 500) {
		log_event(LOG_ERROR, "internal-error", "face=iam request=%s action=%s error=%s message=%s",
			  log_quote(call->ctx.request_id), call->action ? call->action : "-", err_name(err),
			  log_quote(message));
		message = STR("An internal error has occurred.");
	}
	answer_error(call, error->status, error->code, message);
}

void iam_reject(void *self, struct call *call, int status, enum err why)
{
	(void) self;
	answer_error(call, status, status == 413 ? "RequestEntityTooLarge" : "ValidationError",
		     str_from(err_meaning(why)));
}
