/* SPDX-License-Identifier: Apache-2.0
 * Decides whether a role may be assumed, by its trust policy and by the caller's own policies. Within an
 * account it suffices that the trust policy names the principal or everybody; if it names the account, and
 * always across accounts, the caller's policies must allow it too. Source: IAM User Guide, "Cross-account
 * policy evaluation logic", "AWS JSON policy elements: Principal". */
#include "auth/guard/guard_internal.h"
#include "auth/sign_in/session.h"
#include "model/role.h"

size_t guard_list_principals(const struct identity *who, struct arena *a,
			     struct str out[static GUARD_PRINCIPALS_MAX])
{
	size_t count = 0;
	out[count++] = str_print(a, "AWS:%" STR_FMT, STR_ARG(who->account_number));
	out[count++] = str_print(a, "AWS:%" STR_FMT, STR_ARG(guard_write_principal(who, a)));
	if (!uuid_is_none(who->iam_role) || session_is_federated(who->session))
		out[count++] = str_print(a, "AWS:%" STR_FMT, STR_ARG(guard_write_policy_principal(who, a)));
	return count;
}

static RESULT compile(struct ctx *c, struct str trust, const struct policy_code **ret_trust)
{
	struct result compiled = policy_compile(c, trust, POLICY_OF_TRUST, ret_trust);
	if (result_is_ok(compiled) || compiled.code == ERR_NO_MEMORY)
		return compiled;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_INTERNAL, "a trust policy that was stored does not compile");
}

static RESULT refuse(struct ctx *c, const struct guard_trust *t)
{
	return ctx_fail(c, ERR_DENIED,
			"User: %" STR_FMT " is not authorized to perform: %" STR_FMT
			" on resource: %" STR_FMT,
			STR_ARG(guard_write_principal(c->who, c->arena)), STR_ARG(t->request.action),
			STR_ARG(t->request.resource));
}

/* *ret_is_direct: the policy names the caller, not only the account. */
static RESULT ask_trust(struct call *call, const struct guard_trust *t, const struct guard_state *s,
			bool *ret_is_direct)
{
	struct ctx *c = &call->ctx;
	const struct policy_code *trust = NULL;
	const struct guard_subject subject = {.state = s};
	struct str principals[GUARD_PRINCIPALS_MAX];
	size_t statement = 0, count = guard_list_principals(c->who, c->arena, principals);
	struct policy_question q = {.action = t->request.action,
				    .permission = permission_find_action(t->request.action),
				    .resource = t->request.resource,
				    .principals = {principals, count},
				    .find = guard_find_key,
				    .request = &subject,
				    .arena = c->arena};
	if (str_is_empty(t->trust))
		return refuse(c, t);
	TRY(compile(c, t->trust, &trust));
	enum policy_effect effect = policy_ask(trust, &q, &statement);
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	if (effect != POLICY_ALLOWS)
		return refuse(c, t);
	q.principals = (struct strs){principals + 1, count - 1};
	*ret_is_direct = policy_ask(trust, &q, &statement) == POLICY_ALLOWS;
	return OK;
}

static enum policy_known find_nothing(const struct policy_question *q, struct str key,
				      struct strs *ret_values)
{
	(void) q;
	(void) key;
	(void) ret_values;
	return POLICY_ABSENT;
}

static enum policy_known find_later(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	(void) q;
	(void) key;
	(void) ret_values;
	return POLICY_NOT_YET;
}

static RESULT ask_service(struct ctx *c, struct str trust, struct str service, typeof(find_later) *find,
			  bool *ret_is_trusted)
{
	const struct policy_code *code = NULL;
	struct str principal = str_print(c->arena, "Service:%" STR_FMT, STR_ARG(service));
	const struct policy_question q = {.action = STR("sts:AssumeRole"),
					  .permission = permission_find_action(STR("sts:AssumeRole")),
					  .resource = STR("*"),
					  .principals = {&principal, 1},
					  .find = find,
					  .arena = c->arena};
	size_t statement = 0;
	TRY(compile(c, trust, &code));
	*ret_is_trusted = policy_ask(code, &q, &statement) == POLICY_ALLOWS;
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

RESULT guard_ask_service(struct ctx *c, struct str trust, struct str service, bool *ret_is_trusted)
{
	return ask_service(c, trust, service, find_nothing, ret_is_trusted);
}

RESULT guard_ask_service_later(struct ctx *c, struct str trust, struct str service, bool *ret_is_trusted)
{
	return ask_service(c, trust, service, find_later, ret_is_trusted);
}

/* Keys of the call that do not depend on a principal. */
static enum policy_known find_federated_key(const struct policy_question *q, struct str key,
					    struct strs *ret_values)
{
	static const char *const of_call[] = {"aws:sourceip",       "aws:securetransport", "aws:currenttime",
					      "aws:epochtime",      "aws:useragent",       "aws:referer",
					      "aws:requestedregion"};
	const struct guard_subject *s = q->request;
	for (size_t k = 0; k < sizeof of_call / sizeof of_call[0]; k++)
		if (str_is(key, of_call[k]))
			return guard_find_key(q, key, ret_values);
	return s->state->request.find(s->state->request.arg, key, ret_values);
}

RESULT guard_ask_federated(struct guards *g, struct call *call, const struct guard_trust *t,
			   struct str provider, bool *ret_is_trusted)
{
	struct ctx *c = &call->ctx;
	const struct policy_code *trust = NULL;
	const struct guard_state state = {
		.guards = g, .call = call, .request = t->request, .region = guard_region(g)};
	const struct guard_subject subject = {.state = &state};
	struct str principal = str_print(c->arena, "Federated:%" STR_FMT, STR_ARG(provider));
	const struct policy_question q = {.action = t->request.action,
					  .permission = permission_find_action(t->request.action),
					  .resource = t->request.resource,
					  .principals = {&principal, 1},
					  .find = find_federated_key,
					  .request = &subject,
					  .arena = c->arena};
	size_t statement = 0;
	TRY(compile(c, t->trust, &trust));
	*ret_is_trusted = policy_ask(trust, &q, &statement) == POLICY_ALLOWS;
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

RESULT guard_check_trust(struct guards *g, struct call *call, const struct guard_trust *t)
{
	const struct identity *who = call->ctx.who;
	struct guard_state s = {.guards = g, .call = call, .request = t->request, .region = guard_region(g)};
	struct guard_request own = t->request;
	bool is_direct = false;
	if (who->is_owner)
		return ctx_fail(&call->ctx, ERR_DENIED, "Roles may not be assumed by root accounts.");
	TRY(ask_trust(call, t, &s, &is_direct));
	own.words = GUARD_OF_IAM;
	own.has_role =
		identity_has(who, RIGHT_MANAGER) || (is_direct && uuid_equal(t->account, who->account));
	return guard_check_action(g, call, &own);
}
