/* SPDX-License-Identifier: Apache-2.0
 * Finds the caller and the action, of EC2 or STS, from the request's signature and its parameter Action. */
#include "api/ec2/core/errors.h"
#include "api/ec2/core/face.h"
#include "api/query/query_call.h"

static const struct api_entry *find_entry(const struct ec2_call *e, bool of_sts)
{
	return query_find_entry(&e->core, EC2_OF_STS, of_sts ? EC2_OF_STS : 0);
}

/* True if answers and failures are in STS's form. */
static void speak_as_sts(struct ec2_call *e, bool is_sts)
{
	e->is_sts = is_sts;
	e->errors = is_sts ? &sts_errors : &ec2_errors;
}

/* True if the client expects STS although no signature says so. */
static bool looks_like_sts(const struct ec2_call *e)
{
	return str_is(pairs_find(&e->pairs, "Version"), "2011-06-15") || find_entry(e, true);
}

/* The caller is not authenticated here: nothing of such a request was read except its signature. */
static RESULT refuse_stranger(struct ec2_call *e, const struct sigv4_answer *answer)
{
	struct str message = answer->message;
	TRY(api_check_limits(&e->core, NULL, OK));
	TRY(query_parse_call(&e->core));
	if (str_is_empty(answer->service) && looks_like_sts(e))
		speak_as_sts(e, true);
	if (answer->fault == SIGV4_NO_CREDENTIALS && !e->is_sts)
		message = STR("The request must contain the parameter AWSAccessKeyId");
	e->error = &(e->is_sts ? query_faults : ec2_faults)[answer->fault];
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(message));
}

static RESULT authenticate(struct ec2_call *e)
{
	struct sigv4_answer answer = {0};
	if (api_take_internal_caller(&e->core)) {
		e->owner = e->c->who->account_number;
		return OK;
	}
	struct result result = sigv4_check(e->config->sigv4, e->call, &answer);
	speak_as_sts(e, str_is(answer.service, "sts"));
	TRY(result);
	if (answer.fault == SIGV4_FINE && !e->is_sts && !str_is(answer.service, "ec2")) {
		answer.fault = SIGV4_SCOPE;
		answer.message = STR("Credential should be scoped to correct service: 'ec2'.");
	}
	if (answer.fault != SIGV4_FINE)
		return refuse_stranger(e, &answer);
	e->owner = answer.who->account_number;
	return OK;
}

/* Bodies are read for these actions only, not for every unauthenticated request. */
static bool names_open_action(struct str text)
{
	return str_contains(text, STR("AssumeRoleWithWebIdentity")) ||
	       str_contains(text, STR("AssumeRoleWithSAML"));
}

/* Handles unsigned requests: they may call an action that needs no signature and proves the caller by a
 * token. Such a caller has no permissions. */
static RESULT find_unsigned(struct ec2_call *e)
{
	static const struct identity nobody = {.scope = IDENTITY_UNSCOPED};
	struct call *call = e->call;
	if (call_header(call, "Authorization").n || str_contains(call->query, STR("X-Amz-Signature=")) ||
	    (!names_open_action(call->body) && !names_open_action(call->query)))
		return OK;
	speak_as_sts(e, true);
	TRY(api_check_limits(&e->core, NULL, OK));
	TRY(query_parse_call(&e->core));
	const struct api_entry *entry = find_entry(e, true);
	if (!entry || !(entry->action->flags & API_OPEN))
		return OK;
	e->c->who = &nobody;
	api_choose_action(&e->core, entry);
	return OK;
}

static RESULT refuse_action(struct ec2_call *e)
{
	static const struct api_error invalid = {.err = ERR_UNKNOWN, .status = 400, .code = "InvalidAction"};
	static const struct api_error missing = {.err = ERR_MISSING, .status = 400, .code = "MissingAction"};
	struct str name = pairs_find(&e->pairs, "Action"), shown = str_slice(name, 0, 128);
	if (str_is_empty(name) && !e->is_sts)
		e->error = &missing;
	if (str_is_empty(name))
		return ctx_fail(e->c, ERR_MISSING, "The request must contain the parameter Action");
	if (!e->is_sts && ec2_is_known_action(name))
		return ctx_fail(e->c, ERR_UNSUPPORTED, "The action %" STR_FMT " is not supported here.",
				STR_ARG(shown));
	e->error = &invalid;
	return ctx_fail(e->c, ERR_UNKNOWN, "The action %" STR_FMT " is not valid for this web service.",
			STR_ARG(shown));
}

/* Refuses a query whose pairs cannot be separated, or that holds characters XML cannot carry. A name that
 * is given twice is a parameter error. */
static RESULT name_broken_query(struct ec2_call *e, struct result parsed)
{
	static const struct api_error malformed = {
		.err = ERR_INVALID, .status = 400, .code = "MalformedQueryString"};
	if (parsed.code == ERR_INVALID && !e->is_sts && str_is_empty(e->c->problem.field))
		e->error = &malformed;
	return parsed;
}

RESULT ec2_find(struct api_call *core)
{
	struct ec2_call *e = ec2_call_of(core);
	TRY(find_unsigned(e));
	if (e->action)
		return OK;
	TRY(authenticate(e));
	TRY(name_broken_query(e, query_find_action(core, EC2_OF_STS, e->is_sts ? EC2_OF_STS : 0)));
	return e->action ? OK : refuse_action(e);
}
