/* SPDX-License-Identifier: Apache-2.0
 * The guard of work that runs after its call was answered (engine/people/asker.h). It decides by the policies of
 * today, with two differences from a call's guard:
 *  - No policy condition can read the request, which is gone. guard_keys.c answers "not yet known" for keys of the
 *    request, of its session and of its tags: an Allow with such a condition holds, because it was decided when the
 *    work was asked for, and a Deny with one does not.
 *  - Policies passed with a session are those that the work's row names (engine/people/work_session.h). */
#include "auth/guard/guard_internal.h"
#include "engine/people/asker.h"

static struct guards *guards_of(struct later_guard *later)
{
	return (struct guards *) (void *) ((char *) later - offsetof(struct guards, later));
}

/* Stands for the call that asked, of which only the caller is known. */
static struct call *make_call(struct ctx *c)
{
	struct call *call = arena_new_object(c->arena, struct call);
	if (call)
		call->ctx = *c;
	return call;
}

static RESULT admit(struct later_guard *later, struct ctx *c, const struct tables *t, const char *permission)
{
	struct guards *g = guards_of(later);
	int asked = permission_find(str_from(permission));
	const struct guard_request request = {.action = str_from(model_permissions[asked].action),
					      .is_change = true,
					      .has_role = identity_has(c->who, RIGHT_MEMBER)};
	struct guard_policies policies = {0};
	bool is_allowed = false;
	if (c->who->is_owner)
		return OK;
	TRY(guard_gather_in(g, c, t, guard_principal(c->who), c->who->account, &policies));
	TRY(guard_gather_session(g, c, t, c->who->session, &policies));
	if (!guard_has_voice(&policies))
		return guard_check_role(c, &request);
	struct call *call = make_call(c);
	struct guard_state *s = call ? guard_new_state(g, call, &request, asked, &policies) : NULL;
	if (!s)
		return ctx_no_memory(c);
	s->is_later = true;
	c->guard = &s->guard;
	const struct guard_subject subject = {.state = s};
	struct policy_question q = guard_make_question(&subject, c->arena, asked, request.action);
	return guard_decide(s, c, &q, request.has_role, &is_allowed);
}

const struct later_guard guard_later = {.admit = admit, .check_made = guard_check_made};

struct later_guard *guards_later(struct guards *g)
{
	return g ? &g->later : NULL;
}
