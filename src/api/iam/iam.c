/* SPDX-License-Identifier: Apache-2.0
 * A call from request to answer; IAM's words for failures. face_commit() may leave the thread: the call then
 * goes on in call_resumed(). */
#include "api/iam/iam.h"

#include "api/iam/internal.h"
#include "auth/limit.h"
#include "auth/password.h"
#include "auth/sigv4.h"
#include "base/heap.h"
#include "base/log.h"
#include "model/role.h"
#include "store/account.h"

enum { ACTIONS_MAX = 256, BODY_CAP_SIZE = 1024 * 1024 };

#define NAMESPACE STR("https://iam.amazonaws.com/doc/2010-05-08/")

struct iam_face {
	struct iam_config config;
	const struct iam_action *actions[ACTIONS_MAX];
	const struct audited *audited[ACTIONS_MAX]; /* of each; NULL: it is not recorded */
	size_t action_count;
};

RESULT iam_new(struct ctx *c, const struct iam_config *config, struct iam_face **ret_face)
{
	struct iam_face *face = heap_new(struct iam_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->action_count = iam_sum_actions(face->actions, ACTIONS_MAX);
	for (size_t k = 0; k < face->action_count; k++)
		face->audited[k] = audited_find_recorded(face->actions[k]->permit);
	*ret_face = face;
	return OK;
}

void iam_free(struct iam_face *face)
{
	heap_free(face);
}

bool iam_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/iam/aws4_request")) ||
	       str_contains(call->query, STR("%2Fiam%2Faws4_request"));
}

const struct tables *iam_walk(struct iam_call *e)
{
	if (!e->view.store)
		view_open(e->config->store, &e->view);
	return e->view.tables;
}

RESULT iam_find_shown(struct iam_call *e, uuid id, const struct row **ret_row)
{
	return face_find_shown(e->c, &e->change, iam_walk(e), id, ret_row);
}

/* ---- errors ---- */

struct iam_error {
	enum err err;
	int kind;          /* 0: any */
	const char *field; /* NULL: any */
	int status;
	const char *code;
};

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

static const char *const fault_codes[] = {
	[SIGV4_NO_CREDENTIALS] = "MissingAuthenticationToken",
	[SIGV4_INCOMPLETE] = "IncompleteSignature",
	[SIGV4_UNKNOWN_KEY] = "InvalidClientTokenId",
	[SIGV4_MISMATCH] = "SignatureDoesNotMatch",
	[SIGV4_SKEWED] = "SignatureDoesNotMatch",
	[SIGV4_EXPIRED] = "ExpiredToken",
	[SIGV4_SCOPE] = "SignatureDoesNotMatch",
};

static void answer_error(struct call *call, int status, const char *code, struct str message)
{
	struct buf body;
	struct xml x;
	buf_init(&body, BUF_ANSWER_CAP);
	xml_begin(&x, &body);
	xml_open_ns(&x, "ErrorResponse", NAMESPACE);
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

static void answer_problem(struct call *call, struct result result)
{
	const struct problem *p = &call->ctx.problem;
	enum err err = p->err ? p->err : result.code;
	const struct iam_error *error = find_error(err, p);
	struct str message = p->message.n ? p->message : str_from(err_meaning(err));
	if (err == ERR_DENIED)
		(void) guard_tell_refusal(&call->ctx);
	if (error->status == 500) {
		log_event(LOG_ERROR, "internal-error", "face=iam request=%s action=%s error=%s message=%s",
			  log_quote(call->ctx.request_id), call->action ? call->action : "-", err_name(err),
			  log_quote(message));
		message = STR("An internal error has occurred.");
	}
	answer_error(call, error->status, error->code, message);
}

static void answer_failed(struct audit_call *a, struct result written)
{
	(void) written; /* told in the log */
	answer_problem(a->call, a->result);
}

/* Of a call of an action, which may be recorded. */
static void fail_call(struct call *call, struct result result)
{
	struct iam_call *e = call->face_data;
	const struct problem *p = &call->ctx.problem;
	struct str code = str_from(find_error(p->err ? p->err : result.code, p)->code);
	if (!face_audit(e->audit, e->config->store, result, code, answer_failed))
		answer_problem(call, result);
}

static void reject(void *self, struct call *call, int status, enum err why)
{
	(void) self;
	answer_error(call, status, status == 413 ? "RequestEntityTooLarge" : "ValidationError",
		     str_from(err_meaning(why)));
}

/* ---- answers ---- */

static RESULT write_answer(struct iam_call *e, struct buf *body)
{
	struct xml x;
	const char *root = str_to_z(e->c->arena, str_print(e->c->arena, "%sResponse", e->action->name));
	const char *inner = str_to_z(e->c->arena, str_print(e->c->arena, "%sResult", e->action->name));
	xml_begin(&x, body);
	xml_open_ns(&x, root, NAMESPACE);
	if (e->action->answer) {
		xml_open(&x, inner);
		TRY(e->action->answer(e, e->args, &x));
		xml_close(&x, inner);
	}
	TRY(guard_check_rest(e->c));
	xml_open(&x, "ResponseMetadata");
	xml_text(&x, "RequestId", e->c->request_id);
	xml_close(&x, "ResponseMetadata");
	xml_close(&x, root);
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	return xml_end(&x);
}

static void answer_call(struct iam_call *e)
{
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	struct result result = write_answer(e, &body);
	view_close(&e->view);
	if (result_is_ok(result) && e->audit) {
		face_answer_audited(e->audit, e->config->store, 200, "text/xml", &body, fail_call);
		return;
	}
	if (result_is_ok(result)) {
		call_answer(e->call, 200, "text/xml", &body);
		return;
	}
	buf_done(&body);
	fail_call(e->call, result);
}

static void call_resumed(struct call *call, struct result result)
{
	if (result_is_ok(result))
		answer_call(call->face_data);
	else
		fail_call(call, result);
}

/* ---- from request to action ---- */

/* Who asks; false when the call was answered with a refusal. */
static bool authenticate(struct iam_call *e)
{
	struct sigv4_answer answer = {0};
	struct result result = sigv4_check(e->config->sigv4, e->call, &answer);
	if (!result_is_ok(result)) {
		answer_problem(e->call, result);
		return false;
	}
	if (answer.fault == SIGV4_FINE && answer.who->session && uuid_is_none(answer.who->iam_role)) {
		/* a user's session is for every service but this one */
		answer.fault = SIGV4_UNKNOWN_KEY;
		answer.message = STR("The security token included in the request is invalid.");
	}
	if (answer.fault != SIGV4_FINE) {
		if (limits_take_stranger(e->config->limits, e->call->peer)) {
			answer_error(e->call, answer.fault == SIGV4_INCOMPLETE ? 400 : 403,
				     fault_codes[answer.fault], answer.message);
			return false;
		}
		e->call->is_quiet = true; /* one of a flood */
		answer_error(e->call, 400, "Throttling", STR("Rate exceeded"));
		return false;
	}
	e->c->who = answer.who;
	e->call->account_number = answer.who->account_number;
	return true;
}

static void begin_audit(struct iam_call *e)
{
	const struct iam_face *face = e->face;
	for (size_t k = 0; k < face->action_count; k++)
		if (face->actions[k] == e->action)
			e->audit = audit_begin(e->call, face->audited[k], "iam");
	params_add_subject(e->audit, &e->pairs);
}

static RESULT find_asked(struct iam_call *e)
{
	struct call *call = e->call;
	if (call->method != HTTP_GET && call->method != HTTP_POST)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "The method %" STR_FMT " is not GET or POST",
				STR_ARG(call->method_name));
	TRY(params_parse(e->c, call->query, call->method == HTTP_POST ? call->body : STR_NONE, &e->pairs));
	struct str name = params_find(&e->pairs, "Action");
	e->action = iam_find_action(name);
	if (!limits_take(e->config->limits, e->c->who, e->action && e->action->operation))
		return ctx_fail(e->c, ERR_THROTTLED, "Rate exceeded");
	if (!e->action)
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"Could not find operation %" STR_FMT " for version 2010-05-08",
				STR_ARG(str_slice(name, 0, 128)));
	call->action = e->action->name;
	begin_audit(e);
	return OK;
}

/* One's own password: whom the account lets. */
static bool is_own_and_may(struct iam_call *e)
{
	const struct account *account = e->action->is_own && !uuid_is_none(e->c->who->user)
						? account_find(iam_walk(e), e->c->who->account)
						: NULL;
	bool may = account && account->password_own;
	view_close(&e->view);
	return may;
}

/* Condition keys of the request: which policy is attached, or bounds somebody. */
static enum policy_known find_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct iam_call *e = arg;
	struct str *value = arena_new_object(e->c->arena, struct str);
	if (!value)
		return POLICY_ABSENT;
	if (str_is(key, "iam:policyarn"))
		*value = params_find(&e->pairs, "PolicyArn");
	else if (str_is(key, "iam:permissionsboundary"))
		*value = params_find(&e->pairs, "PermissionsBoundary");
	*ret_values = (struct strs){value, 1};
	return value->n ? POLICY_PRESENT : POLICY_ABSENT;
}

/* The account's owner and its managers may decide who may what; others as policies say. */
static RESULT permit_action(struct iam_call *e)
{
	const struct guard_request request = {.action = str_from(e->action->permit),
					      .words = GUARD_OF_IAM,
					      .is_change = e->action->operation,
					      .has_role = is_own_and_may(e) || e->c->who->is_owner ||
							  identity_has(e->c->who, ROLE_RIGHT_MANAGER),
					      .find = find_key,
					      .arg = e};
	return guard_check_action(e->config->guards, e->call, &request);
}

static RESULT prepare_action(struct iam_call *e)
{
	static const char *const common[] = {"Action", "Version", 0};
	e->args = arena_alloc(e->c->arena, e->action->args.size);
	if (!e->args)
		return ctx_no_memory(e->c);
	TRY(params_read(e->c, &e->action->args, common, &e->pairs, e->args));
	struct result result = e->action->prepare ? e->action->prepare(e, e->args) : OK;
	view_close(&e->view); /* a call is not parked with a view */
	TRY(result);
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

static RESULT take_call(struct iam_call *e)
{
	TRY(find_asked(e));
	TRY(permit_action(e));
	return prepare_action(e);
}

static void commit_action(struct iam_call *e)
{
	e->change = (struct face_change){.action = e->action->permit,
					 .run = e->action->operation,
					 .wish = e->args,
					 .audit = e->audit,
					 .shown = e->action->shows};
	face_commit(e->call, e->config->store, &e->change, call_resumed);
}

static void work_resumed(struct call *call, struct result result)
{
	if (result_is_ok(result))
		commit_action(call->face_data);
	else
		fail_call(call, result);
}

static void run_action(struct iam_call *e)
{
	if (e->action->work && !e->skips_work) {
		const struct face_work work = {.lane = passwords_lane(e->config->passwords),
					       .asker = e->c->who->user,
					       .refusal = "Rate exceeded",
					       .run = e->action->work,
					       .arg = e};
		face_work(e->call, &work, work_resumed);
	} else if (e->action->operation) {
		commit_action(e);
	} else {
		answer_call(e);
	}
}

static void handle_call(void *self, struct call *call)
{
	struct iam_face *face = self;
	struct iam_call *e = arena_new_object(call->ctx.arena, struct iam_call);
	if (!e) {
		answer_problem(call, ctx_no_memory(&call->ctx));
		return;
	}
	*e = (struct iam_call){.call = call, .c = &call->ctx, .face = face, .config = &face->config};
	call->face_data = e;
	if (!authenticate(e))
		return;
	struct result result = take_call(e);
	if (result_is_ok(result))
		run_action(e);
	else
		fail_call(call, result);
}

const struct http_face iam_http_face = {
	.name = "iam", .handle = handle_call, .reject = reject, .body_cap_size = BODY_CAP_SIZE};
