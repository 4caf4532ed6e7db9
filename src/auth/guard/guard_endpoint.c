/* SPDX-License-Identifier: Apache-2.0
 * Endpoint policies: read once for each call, and asked after all other policies have allowed the action. */
#include "auth/guard/guard_endpoint.h"

#include "auth/guard/guard_internal.h"
#include "auth/policy/endpoint_policy.h"
#include "http/via.h"
#include "store/vpc_endpoint.h"

/* A call's endpoint with its compiled policy; in the call's arena. */
struct noted {
	struct guard_endpoint endpoint;
	bool is_read;
	bool is_open;                     /* the endpoint has no policy of its own */
	const struct policy_code *policy; /* NULL and not open: nothing is allowed */
};

static struct noted *find_noted(const struct call *call)
{
	return (struct noted *) call_via(call);
}

void guard_note_endpoint(struct call *call, const struct guard_endpoint *endpoint)
{
	static struct noted unknown = {.is_read = true};
	struct noted *noted = arena_new_object(call->ctx.arena, struct noted);
	if (noted)
		*noted = (struct noted){.endpoint = *endpoint};
	call_set_via(call, noted ? noted : &unknown);
}

const struct guard_endpoint *guard_get_endpoint(const struct call *call)
{
	const struct noted *noted = find_noted(call);
	return noted ? &noted->endpoint : NULL;
}

/* Copies the endpoint's policy into the call's arena; the row is found only once, so that a call has one policy. */
static RESULT read_policy(struct guards *g, struct ctx *c, struct noted *noted)
{
	struct str document = STR_NONE;
	AUTO_VIEW v;
	view_open(g->store, &v);
	const struct vpc_endpoint *row = vpc_endpoint_find(v.tables, noted->endpoint.endpoint);
	if (row) {
		noted->is_open = row->policy.n == 0;
		document = str_copy(c->arena, row->policy);
	}
	view_end_read(&v);
	noted->is_read = true;
	if (!document.n)
		return OK;
	if (result_is_ok(endpoint_policy_compile(c, document, &noted->policy)))
		return OK;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_INTERNAL, "an endpoint policy that was stored does not compile");
}

RESULT guard_read_endpoint(struct guards *g, struct call *call)
{
	struct noted *noted = find_noted(call);
	return noted && !noted->is_read ? read_policy(g, &call->ctx, noted) : OK;
}

bool guard_has_endpoint_policy(const struct call *call)
{
	const struct noted *noted = find_noted(call);
	return noted && !noted->is_open;
}

void guard_ask_endpoint(const struct guard_state *s, const struct policy_question *q,
			struct policy_decision *d)
{
	const struct noted *noted = find_noted(s->call);
	struct str principals[GUARD_PRINCIPALS_MAX];
	struct policy_question of_endpoint = *q;
	size_t statement = 0;
	if (!noted || noted->is_open || d->effect != POLICY_ALLOWS)
		return;
	of_endpoint.principals =
		(struct strs){principals, guard_list_principals(s->call->ctx.who, q->arena, principals)};
	enum policy_effect effect =
		noted->policy ? policy_ask(noted->policy, &of_endpoint, &statement) : POLICY_SILENT;
	bool is_allowed = effect == POLICY_ALLOWS || (q->is_by_name && effect == POLICY_SILENT);
	if (!is_allowed)
		*d = (struct policy_decision){effect, GUARD_BY_ENDPOINT, 0, statement};
}

const struct policy_code *guard_endpoint_policy(const struct call *call)
{
	return find_noted(call)->policy;
}
