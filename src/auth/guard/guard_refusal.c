/* SPDX-License-Identifier: Apache-2.0
 * Refusals: the message in each face's wording, and the reason, sealed for DecodeAuthorizationMessage and
 * stored for a while under the request id. */
#include "auth/guard/guard_endpoint.h"
#include "auth/guard/guard_internal.h"
#include "auth/sign_in/session.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/json_write.h"

enum { REFUSAL_MAX_SIZE = 8192 };

static const char *const deciders[] = {
	[POLICY_BY_NOBODY] = "identity-based policy",
	[POLICY_BY_IDENTITY] = "identity-based policy",
	[POLICY_BY_ROLE] = "role",
	[POLICY_BY_BOUNDARY] = "permissions boundary",
	[POLICY_BY_SESSION] = "session policy",
	[POLICY_BY_RESOURCE] = "resource-based policy",
	[GUARD_BY_ENDPOINT] = "VPC endpoint policy",
};

static struct str decider_name(const struct guard_state *s, struct arena *a, const struct policy_decision *d)
{
	if (d->by == GUARD_BY_ENDPOINT)
		return id_to_ec2(a, KIND_VPC_ENDPOINT, guard_get_endpoint(s->call)->endpoint);
	if (d->by == POLICY_BY_IDENTITY)
		return s->policies.names[d->policy];
	return d->by == POLICY_BY_BOUNDARY   ? s->policies.boundary_name
	       : d->by == POLICY_BY_SESSION  ? STR("passed with the session")
	       : d->by == POLICY_BY_RESOURCE ? STR("of the resource")
					     : STR_NONE;
}

static const struct policy_code *decider(const struct guard_state *s, const struct policy_question *q,
					 const struct policy_decision *d)
{
	return d->by == GUARD_BY_ENDPOINT    ? guard_endpoint_policy(s->call)
	       : d->by == POLICY_BY_RESOURCE ? ((const struct guard_subject *) q->request)->resource
	       : d->by == POLICY_BY_IDENTITY ? s->policies.at[d->policy]
	       : d->by == POLICY_BY_SESSION  ? s->policies.session[d->policy]
					     : s->policies.boundary;
}

static void write_statement(struct json_writer *w, const struct guard_state *s,
			    const struct policy_question *q, const struct policy_decision *d)
{
	json_write_open(w, "matchedStatements");
	json_write_open_list(w, "items");
	if (d->effect == POLICY_DENIES) {
		json_write_open(w, NULL);
		json_write_text(w, "statementId", policy_statement_id(decider(s, q, d), d->statement));
		json_write_int(w, "statement", (int64_t) d->statement + 1);
		json_write_z(w, "effect", "DENY");
		json_write_text(w, "policy", decider_name(s, q->arena, d));
		json_write_z(w, "policyType", deciders[d->by]);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

static void write_conditions(struct json_writer *w, const struct policy_question *q)
{
	json_write_open(w, "conditions");
	json_write_open_list(w, "items");
	for (const char *const *key = guard_explained_keys; *key; key++) {
		struct strs values = {0};
		if (guard_find_key(q, str_from(*key), &values) != POLICY_PRESENT || !values.count)
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "key", *key);
		json_write_open(w, "values");
		json_write_open_list(w, "items");
		json_write_open(w, NULL);
		json_write_text(w, "value", values.at[0]);
		json_write_close(w);
		json_write_close_list(w);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

/* Reason in the format of DecodeAuthorizationMessage; empty: too large. */
static struct str write_refusal(const struct guard_state *s, const struct policy_question *q,
				const struct policy_decision *d)
{
	const struct identity *who = s->call->ctx.who;
	struct buf b;
	struct json_writer w;
	struct str text = STR_NONE;
	buf_init(&b, REFUSAL_MAX_SIZE);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	json_write_bool(&w, "allowed", false);
	json_write_bool(&w, "explicitDeny", d->effect == POLICY_DENIES);
	json_write_z(&w, "decidedBy", deciders[d->by]);
	write_statement(&w, s, q, d);
	json_write_open(&w, "failures");
	json_write_open_list(&w, "items");
	json_write_close_list(&w);
	json_write_close(&w);
	json_write_open(&w, "context");
	json_write_open(&w, "principal");
	bool is_of_role = !uuid_is_none(who->iam_role);
	json_write_text(&w, "id", uuid_to_str(q->arena, is_of_role ? who->iam_role : who->user));
	json_write_text(&w, "name",
			is_of_role                           ? who->session->role_name
			: session_is_federated(who->session) ? who->session->name
							     : who->user_name);
	json_write_text(&w, "arn", guard_write_principal(who, q->arena));
	json_write_close(&w);
	json_write_text(&w, "action", q->action);
	json_write_text(&w, "resource", q->resource);
	write_conditions(&w, q);
	json_write_close(&w);
	json_write_close(&w);
	if (result_is_ok(json_write_end(&w)))
		text = str_copy(q->arena, buf_str(&b));
	buf_done(&b);
	return text;
}

static struct result fail_refused(const struct guard_state *s, struct ctx *c, const struct policy_question *q,
				  const struct policy_decision *d)
{
	if (s->request.words == GUARD_OF_OPENSTACK)
		return ctx_fail(c, ERR_DENIED, "Policy doesn't allow %" STR_FMT " to be performed.",
				STR_ARG(s->request.action));
	struct str user = guard_write_principal(c->who, c->arena);
	const char *before =
		s->request.words == GUARD_OF_EC2 ? "You are not authorized to perform this operation. " : "";
	if (d->effect == POLICY_DENIES)
		return ctx_fail(c, ERR_DENIED,
				"%sUser: %" STR_FMT " is not authorized to perform: %" STR_FMT
				" on resource: %" STR_FMT " with an explicit deny in a%s %s: %" STR_FMT ".",
				before, STR_ARG(user), STR_ARG(q->action), STR_ARG(q->resource),
				d->by == POLICY_BY_IDENTITY ? "n" : "", deciders[d->by],
				STR_ARG(decider_name(s, c->arena, d)));
	return ctx_fail(c, ERR_DENIED,
			"%sUser: %" STR_FMT " is not authorized to perform: %" STR_FMT
			" on resource: %" STR_FMT " because no %s allows the %" STR_FMT " action.",
			before, STR_ARG(user), STR_ARG(q->action), STR_ARG(q->resource), deciders[d->by],
			STR_ARG(q->action));
}

RESULT guard_refuse(struct guard_state *s, struct ctx *c, const struct policy_question *q,
		    const struct policy_decision *d)
{
	s->refusal = write_refusal(s, q, d);
	ctx_clear_problem(c);
	struct result failed = fail_refused(s, c, q, d);
	s->refused = c->problem.message;
	return failed;
}

static void remember(struct guards *g, struct str request_id, struct str json)
{
	char *copy = heap_alloc(json.n + 1);
	if (!copy || request_id.n >= REQUEST_ID_SIZE) {
		heap_free(copy);
		return;
	}
	memcpy(copy, json.p, json.n);
	(void) pthread_mutex_lock(&g->lock);
	struct refusal *r = &g->refusals[g->next_refusal++ % REFUSALS_MAX];
	char *before = r->json;
	*r = (struct refusal){.json = copy, .size = json.n};
	memcpy(r->request_id, request_id.p, request_id.n);
	(void) pthread_mutex_unlock(&g->lock);
	heap_free(before);
}

/* Binds a sealed message to the account: no other account can open it. */
static struct str refusal_label(const struct ctx *c)
{
	return str_print(c->arena, "refusal of %" STR_FMT, STR_ARG(c->who->account_number));
}

struct str guard_explain_refusal(struct ctx *c)
{
	const struct guard_state *s = guard_state_of(c);
	struct str sealed = STR_NONE;
	if (!s || str_is_empty(s->refusal))
		return STR_NONE;
	remember(s->guards, c->request_id, s->refusal);
	if (!result_is_ok(crypto_seal(c, s->guards->key, refusal_label(c), s->refusal, &sealed)))
		return STR_NONE;
	return str_encode_hex(c->arena, sealed.p, sealed.n);
}

RESULT guard_decode_refusal(struct guards *g, struct ctx *c, struct str encoded, struct str *ret_json)
{
	char *sealed = arena_alloc(c->arena, encoded.n / 2 + 1);
	if (!sealed)
		return ctx_no_memory(c);
	if (encoded.n == 0 || encoded.n % 2 || encoded.n > 4 * REFUSAL_MAX_SIZE ||
	    !result_is_ok(str_decode_hex(encoded, sealed, encoded.n / 2)) ||
	    !result_is_ok(crypto_open(c, g->key, refusal_label(c), (struct str){sealed, encoded.n / 2},
				      ret_json))) {
		ctx_clear_problem(c);
		return ctx_fail_field(c, ERR_MALFORMED, STR("EncodedMessage"),
				      "Message: the encoded message is not valid");
	}
	return OK;
}

struct str guard_find_refusal(struct guards *g, struct arena *a, struct str request_id)
{
	struct str json = STR_NONE;
	(void) pthread_mutex_lock(&g->lock);
	for (size_t k = 0; k < REFUSALS_MAX && !json.n; k++)
		if (g->refusals[k].json && str_is(request_id, g->refusals[k].request_id))
			json = str_copy(a, (struct str){g->refusals[k].json, g->refusals[k].size});
	(void) pthread_mutex_unlock(&g->lock);
	return json;
}

void guard_refusals_done(struct guards *g)
{
	for (size_t k = 0; k < REFUSALS_MAX; k++)
		heap_free(g->refusals[k].json);
}
