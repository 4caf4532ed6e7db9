/* SPDX-License-Identifier: Apache-2.0
 * Evaluates compiled policies, alone and combined. A statement that depends on something not yet known (a
 * resource that no operation has looked up) neither denies nor prevents an allow; it is evaluated again when
 * the resource is known. */
#include "auth/policy/policy.h"

#include "auth/policy/policy_internal.h"

size_t policy_size(const struct policy_code *p)
{
	return p->size;
}

/* A question, with its resource split. */
struct asked {
	const struct policy_code *p;
	const struct policy_question *q;
	struct policy_arn resource;
};

/* An action without a permission is matched by name. */
static bool match_action(const struct asked *a, const struct policy_statement *s)
{
	if (a->q->permission != PERMISSION_NONE)
		return permission_in(&s->permissions, a->q->permission);
	const struct pattern *patterns = policy_at(a->p, s->actions);
	bool is_named = false;
	for (size_t k = 0; k < s->actions.count && !is_named; k++)
		is_named = policy_match_action(a->q->action, policy_text(a->p, patterns[k].text));
	return is_named != s->not_action;
}

static enum truth match_one(const struct asked *a, const struct pattern *pattern)
{
	struct str filled;
	if (pattern->is_any)
		return TRUTH_YES;
	if (str_is_empty(a->q->resource))
		return TRUTH_NOT_YET;
	if (pattern->has_parts && !a->resource.has_more)
		return policy_match_noted(a->p, pattern, &a->resource) ? TRUTH_YES : TRUTH_NO;
	enum policy_known known = policy_fill(a->p, pattern, a->q, &filled);
	if (known != POLICY_PRESENT)
		return known == POLICY_NOT_YET ? TRUTH_NOT_YET : TRUTH_NO;
	return policy_match_resource(&a->resource, a->q->resource, filled) ? TRUTH_YES : TRUTH_NO;
}

static bool names_all(const struct asked *a, const struct policy_statement *s)
{
	const struct pattern *patterns = policy_at(a->p, s->resources);
	bool is_any = false;
	for (size_t k = 0; k < s->resources.count && !is_any; k++)
		is_any = patterns[k].is_any;
	return is_any;
}

static enum truth match_resource(const struct asked *a, const struct policy_statement *s)
{
	const struct pattern *patterns = policy_at(a->p, s->resources);
	enum truth truth = TRUTH_NO;
	if (s->resources.count == 0) /* trust policies have no Resource */
		return TRUTH_YES;
	if (a->q->is_by_name && (s->not_resource || names_all(a, s)))
		return TRUTH_NO;
	for (size_t k = 0; k < s->resources.count && truth != TRUTH_YES; k++) {
		enum truth one = match_one(a, &patterns[k]);
		truth = one == TRUTH_NO ? truth : one;
	}
	if (!s->not_resource || truth == TRUTH_NOT_YET)
		return truth;
	return truth == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
}

/* True if the statement names the principal. is_any: by "*", which matches principals of accounts alone, except for a
 * service that acts for one of its resources. */
static bool names_principal(const struct asked *a, const struct policy_statement *s, struct str principal,
			    bool is_any)
{
	const struct pattern *patterns = policy_at(a->p, s->principals);
	for (size_t k = 0; k < s->principals.count; k++) {
		if (patterns[k].is_any && is_any &&
		    (a->q->is_service || str_starts_with(principal, STR("AWS:"))))
			return true;
		if (!patterns[k].is_any && !is_any &&
		    str_equal(principal, policy_text(a->p, patterns[k].text)))
			return true;
	}
	return false;
}

static bool match_principal(const struct asked *a, const struct policy_statement *s)
{
	bool is_named = false;
	if (s->principals.count == 0)
		return true;
	for (size_t n = 0; n < a->q->principals.count && !is_named; n++)
		is_named = names_principal(a, s, a->q->principals.at[n], true) ||
			   names_principal(a, s, a->q->principals.at[n], false);
	return is_named != s->not_principal;
}

static enum truth check_statement_of(const struct asked *a, const struct policy_statement *s);

static enum truth check_statement(const struct asked *a, const struct policy_statement *s)
{
	return match_principal(a, s) ? check_statement_of(a, s) : TRUTH_NO;
}

/* Everything but the principal. */
static enum truth check_statement_of(const struct asked *a, const struct policy_statement *s)
{
	if (!match_action(a, s))
		return TRUTH_NO;
	enum truth truth = match_resource(a, s);
	const struct policy_condition *conditions = policy_at(a->p, s->conditions);
	for (size_t k = 0; k < s->conditions.count && truth != TRUTH_NO; k++) {
		enum truth one = policy_check_condition(a->p, &conditions[k], a->q);
		truth = one == TRUTH_YES ? truth : one;
	}
	return truth;
}

enum policy_effect policy_ask(const struct policy_code *p, const struct policy_question *q,
			      size_t *ret_statement)
{
	const struct policy_statement *statements = policy_at(p, p->statements);
	enum policy_effect effect = POLICY_SILENT;
	struct asked a = {.p = p, .q = q};
	policy_split_arn(q->resource, &a.resource);
	for (size_t k = 0; k < p->statements.count; k++) {
		const struct policy_statement *s = &statements[k];
		if (effect == POLICY_ALLOWS && !s->is_deny)
			continue;
		enum truth truth = check_statement(&a, s);
		if (truth == TRUTH_NO || (truth == TRUTH_NOT_YET && s->is_deny))
			continue;
		*ret_statement = k;
		if (s->is_deny)
			return POLICY_DENIES;
		effect = POLICY_ALLOWS;
	}
	return effect;
}

/* ---- policies of resources ---- */

static enum policy_grant find_grant(const struct asked *a, const struct policy_statement *s)
{
	const struct strs *callers = &a->q->principals;
	enum policy_grant grant = POLICY_GRANTS_NOBODY;
	for (size_t n = 0; n < callers->count; n++) {
		enum policy_grant exact = n == 0                    ? POLICY_GRANTS_ACCOUNT
					  : n + 1 == callers->count ? POLICY_GRANTS_ENTITY
								    : POLICY_GRANTS_SESSION;
		enum policy_grant one = names_principal(a, s, callers->at[n], false)  ? exact
					: names_principal(a, s, callers->at[n], true) ? POLICY_GRANTS_ANYBODY
										      : POLICY_GRANTS_NOBODY;
		grant = one > grant ? one : grant;
	}
	if (s->not_principal)
		return grant == POLICY_GRANTS_NOBODY ? POLICY_GRANTS_ANYBODY : POLICY_GRANTS_NOBODY;
	return grant;
}

/* A Deny with NotPrincipal spares those whose every name is listed: a role alone does not spare its sessions. */
static bool is_denied_to(const struct asked *a, const struct policy_statement *s)
{
	const struct strs *callers = &a->q->principals;
	bool are_all = true, is_one = false;
	for (size_t n = 0; n < callers->count; n++) {
		bool is_named = names_principal(a, s, callers->at[n], true) ||
				names_principal(a, s, callers->at[n], false);
		are_all &= is_named;
		is_one |= is_named;
	}
	return s->not_principal ? !are_all : is_one;
}

void policy_ask_resource(const struct policy_code *p, const struct policy_question *q,
			 struct resource_verdict *ret_verdict)
{
	const struct policy_statement *statements = policy_at(p, p->statements);
	struct resource_verdict v = {.effect = POLICY_SILENT};
	struct asked a = {.p = p, .q = q};
	policy_split_arn(q->resource, &a.resource);
	for (size_t k = 0; k < p->statements.count; k++) {
		const struct policy_statement *s = &statements[k];
		enum policy_grant grant = s->is_deny ? POLICY_GRANTS_NOBODY : find_grant(&a, s);
		if (s->is_deny ? !is_denied_to(&a, s) : grant <= v.grant)
			continue;
		enum truth truth = check_statement_of(&a, s);
		if (s->is_deny && truth != TRUTH_NO) {
			*ret_verdict = (struct resource_verdict){POLICY_DENIES, POLICY_GRANTS_NOBODY, k};
			return;
		}
		if (truth == TRUTH_YES)
			v = (struct resource_verdict){POLICY_ALLOWS, grant, k};
	}
	*ret_verdict = v;
}

size_t policy_count_statements(const struct policy_code *p)
{
	return p->statements.count;
}

bool policy_concerns(const struct policy_code *p, const struct policy_question *q, size_t statement)
{
	const struct policy_statement *s =
		(const struct policy_statement *) policy_at(p, p->statements) + statement;
	struct asked a = {.p = p, .q = q};
	policy_split_arn(q->resource, &a.resource);
	return match_action(&a, s) && match_principal(&a, s) && match_resource(&a, s) != TRUTH_NO;
}

enum policy_effect policy_ask_statement(const struct policy_code *p, const struct policy_question *q,
					size_t statement)
{
	const struct policy_statement *s =
		(const struct policy_statement *) policy_at(p, p->statements) + statement;
	struct asked a = {.p = p, .q = q};
	policy_split_arn(q->resource, &a.resource);
	if (check_statement(&a, s) != TRUTH_YES)
		return POLICY_SILENT;
	return s->is_deny ? POLICY_DENIES : POLICY_ALLOWS;
}

bool policy_is_of_vendor(const struct policy_code *p, struct str vendor)
{
	const struct policy_statement *statements = policy_at(p, p->statements);
	for (size_t k = 0; k < p->statements.count; k++) {
		const struct pattern *actions = policy_at(p, statements[k].actions);
		for (size_t n = 0; n < statements[k].actions.count; n++) {
			struct str text = policy_text(p, actions[n].text);
			size_t colon = str_find_char(text, ':', 0);
			if (!actions[n].is_any && !str_equal_nocase(str_slice(text, 0, colon), vendor))
				return false;
		}
	}
	return true;
}

struct str policy_statement_id(const struct policy_code *p, size_t statement)
{
	const struct policy_statement *statements = policy_at(p, p->statements);
	return statement < p->statements.count ? policy_text(p, statements[statement].id) : STR_NONE;
}

/* ---- decisions ---- */

/* Evaluates one policy; true: it denies, which ends the decision. Keeps the first allow. */
static bool ask_one(const struct policy_code *p, const struct policy_question *q, enum policy_decider by,
		    size_t n, struct policy_decision *d)
{
	size_t statement = 0;
	enum policy_effect effect = policy_ask(p, q, &statement);
	if (effect == POLICY_DENIES || (effect == POLICY_ALLOWS && d->effect == POLICY_SILENT))
		*d = (struct policy_decision){effect, by, n, statement};
	return effect == POLICY_DENIES;
}

/* Asks those who limit the caller. True: one of them denies, which ends the decision. *ret_limit: the first that does not include
 * the request; its effect is POLICY_ALLOWS if all do. */
static bool ask_limits(const struct policy_set *set, const struct policy_question *q,
		       struct policy_decision *ret_limit)
{
	struct policy_decision bound = {0}, session = {0};
	*ret_limit = (struct policy_decision){.effect = POLICY_ALLOWS};
	if (set->boundary && ask_one(set->boundary, q, POLICY_BY_BOUNDARY, 0, &bound)) {
		*ret_limit = bound;
		return true;
	}
	for (size_t k = 0; k < set->session_count; k++)
		if (ask_one(set->session[k], q, POLICY_BY_SESSION, k, &session)) {
			*ret_limit = session;
			return true;
		}
	if (set->boundary && bound.effect == POLICY_SILENT)
		*ret_limit = (struct policy_decision){POLICY_SILENT, POLICY_BY_BOUNDARY, 0, 0};
	else if (set->has_session && session.effect == POLICY_SILENT)
		*ret_limit = (struct policy_decision){POLICY_SILENT, POLICY_BY_SESSION, 0, 0};
	return false;
}

/* True if the resource's policy suffices in the caller's own account. */
static bool suffices(const struct policy_set *set, enum policy_grant grant, bool is_included)
{
	switch (grant) {
	case POLICY_GRANTS_SESSION:
		return true;
	case POLICY_GRANTS_ENTITY:
		return is_included || (set->is_user && !set->has_session);
	case POLICY_GRANTS_ANYBODY:
		return is_included;
	case POLICY_GRANTS_ACCOUNT:
	case POLICY_GRANTS_NOBODY:
		break;
	}
	return false;
}

/* Joins the decision of the caller's side with the resource's policy, which does not deny. */
static struct policy_decision join_resource(const struct policy_set *set, struct policy_decision own,
					    const struct resource_verdict *resource, bool is_included)
{
	if (set->is_foreign && own.effect == POLICY_ALLOWS && resource->grant == POLICY_GRANTS_NOBODY)
		return (struct policy_decision){POLICY_SILENT, POLICY_BY_RESOURCE, 0, 0};
	if (!set->is_foreign && own.effect != POLICY_ALLOWS && suffices(set, resource->grant, is_included))
		return (struct policy_decision){POLICY_ALLOWS, POLICY_BY_RESOURCE, 0, resource->statement};
	return own;
}

void policy_decide(const struct policy_set *set, const struct policy_question *q,
		   struct policy_decision *ret_decision)
{
	struct policy_decision d = {.by = POLICY_BY_NOBODY}, limit;
	struct resource_verdict resource = {.effect = POLICY_SILENT};
	for (size_t k = 0; k < set->identity_count; k++)
		if (ask_one(set->identity[k], q, POLICY_BY_IDENTITY, k, &d)) {
			*ret_decision = d;
			return;
		}
	if (d.effect == POLICY_SILENT && set->has_role)
		d = (struct policy_decision){POLICY_ALLOWS, POLICY_BY_ROLE, 0, 0};
	if (ask_limits(set, q, &limit)) {
		*ret_decision = limit;
		return;
	}
	if (set->resource)
		policy_ask_resource(set->resource, q, &resource);
	if (resource.effect == POLICY_DENIES) {
		*ret_decision =
			(struct policy_decision){POLICY_DENIES, POLICY_BY_RESOURCE, 0, resource.statement};
		return;
	}
	bool is_included = limit.effect == POLICY_ALLOWS;
	*ret_decision = join_resource(set, is_included ? d : limit, &resource, is_included);
}
