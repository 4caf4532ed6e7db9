/* SPDX-License-Identifier: Apache-2.0
 * Authenticates a caller by a Keystone token, a session cookie or an AWS signature. A call on the operator's
 * own socket needs no credentials: whoever can open that socket is the operator.
 */
#include "api/native/sign_in/session.h"
#include "auth/key/sigv4.h"

static RESULT take(struct native_call *e, const struct identity *who)
{
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

static RESULT by_token(struct native_call *e, struct str text)
{
	static const struct token_use no_rules = {
		0}; /* Keystone's access rules have no names for these paths */
	struct identity *who = NULL;
	TRY(token_check(e->config->tokens, e->c, text, &no_rules, &e->token, &who));
	return take(e, who);
}

static RESULT by_signature(struct native_call *e)
{
	struct sigv4_answer answer = {0};
	TRY(sigv4_check(e->config->sigv4, e->call, &answer));
	if (answer.fault != SIGV4_FINE)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(answer.message));
	return take(e, answer.who);
}

const char native_operators_door[] = "operators";

static RESULT by_door(struct native_call *e)
{
	static const struct identity operator= {.is_operator = true,
						.scope = IDENTITY_SYSTEM,
						.user_name = {"operator", sizeof "operator" - 1}};
	return take(e, &operator);
}

RESULT native_authenticate(struct native_call *e)
{
	if (api_take_internal_caller(&e->core))
		return OK;
	if (e->call->tag == native_operators_door)
		return by_door(e);
	struct str token = call_header(e->call, "X-Auth-Token");
	if (!token.n && !call_header(e->call, "Authorization").n && native_has_session(e))
		return native_resume_session(e);
	struct result proved = token.n ? by_token(e, token)
			       : str_starts_with(call_header(e->call, "Authorization"), STR("AWS4-"))
				       ? by_signature(e)
				       : ctx_fail(e->c, ERR_UNAUTHENTICATED,
						  "Send a token in X-Auth-Token, or sign the request "
						  "with an access key.");
	if (!token.n || proved.code != ERR_UNAUTHENTICATED)
		return proved;
	ctx_clear_problem(e->c); /* its message is for the log only */
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The token is not valid, or is over.");
}
