/* SPDX-License-Identifier: Apache-2.0
 * Users and groups of people who sign in by an identity provider: rows only. */
#include "engine/people/sign_in/arrival_internal.h"

#include "engine/limits.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/domain.h"
#include "store/group_member.h"
#include "store/user.h"
#include "store/user_group.h"

RESULT arrival_refuse(struct op *op, const char *why)
{
	return ctx_fail_kind(op->ctx, ERR_UNAUTHENTICATED, KIND_USER, "%s", why);
}

/* ---- providers ---- */

RESULT arrival_check_administrator(struct op *op, enum kind kind)
{
	return identity_is_admin(op->ctx->who)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_DENIED, kind,
				       "Only an administrator says how people sign in to the console.");
}

RESULT arrival_check_free(struct op *op, enum kind kind, uuid domain)
{
	return uuid_is_none(domain) || identity_is_admin(op->ctx->who)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_PROTECTED, kind,
				       "People sign in by this provider: an administrator of the region "
				       "changes it.");
}

RESULT arrival_find_domain(struct op *op, const struct ref *ref, uuid *ret_domain)
{
	const struct row *domain = tables_find(op->head, KIND_DOMAIN, DOMAIN_DEFAULT);
	if (ref_is_given(ref))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, ref, &domain));
	if (!domain)
		return engine_fail_gone(op->ctx, KIND_DOMAIN, DOMAIN_DEFAULT);
	*ret_domain = domain->id;
	return OK;
}

RESULT arrival_check_link(struct op *op, enum kind kind, struct str field, uuid domain,
			  const struct user *user, const struct user *present)
{
	if (uuid_is_none(domain) || !uuid_equal(user->domain, domain))
		return ENGINE_FAIL(op, ERR_STATE, kind, field,
				   "This provider does not let people of the user's domain in.");
	if (present && !uuid_equal(present->row.id, user->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_USER, STR("subject"),
				   "This subject is the user '%" STR_FMT "' already.",
				   STR_ARG(present->name));
	return OK;
}

RESULT arrival_check_person(struct op *op, uuid domain, const struct user *user, bool makes_users)
{
	const struct domain *place = domain_find(op->head, domain);
	if (!place || !place->enabled)
		return arrival_refuse(op, "Nobody signs in by this provider any more.");
	if (user && !engine_is_user_open(op->head, user))
		return arrival_refuse(op, "The user is disabled.");
	if (!user && !makes_users)
		return arrival_refuse(op, "No user of the domain is this subject of the provider.");
	return OK;
}

/* ---- users ---- */

static bool is_free_name(struct op *op, uuid domain, struct str name)
{
	bool is_name = name.n && result_is_ok(engine_check_name(op, KIND_USER, name));
	ctx_clear_problem(op->ctx);
	return is_name && !user_find_by_owner(op->head, UUID_NONE, domain, name);
}

RESULT arrival_make_user(struct op *op, struct user *user, const struct str names[static ARRIVAL_NAMES],
			 struct str by)
{
	user->row.id = engine_new_id(op, KIND_USER);
	user->row.gen = 1;
	user->enabled = true;
	for (size_t k = 0; k < ARRIVAL_NAMES && !user->name.n; k++)
		if (is_free_name(op, user->domain, names[k]))
			user->name = names[k];
	if (!user->name.n)
		return arrival_refuse(op,
				      "Every name that the provider has for this person is another user's.");
	TRY(limit_check(op, LIMIT_DOMAIN_USERS, user->domain, 1, STR_NONE));
	TRY(user_put(op, user));
	return engine_log_event(op, KIND_USER, &user->row, "created",
				"User %" STR_FMT ", who came by %" STR_FMT ".", STR_ARG(user->name),
				STR_ARG(by));
}

/* ---- rules ---- */

void arrival_read_rule(struct str rule, struct str *ret_theirs, struct str *ret_ours)
{
	struct str theirs = STR_NONE;
	(void) str_split_next(&rule, '=', &theirs);
	*ret_theirs = str_trim(theirs);
	*ret_ours = rule.n ? str_trim(rule) : *ret_theirs;
}

struct rule {
	struct str theirs, ours;
};

static struct rule read_rule(struct str text)
{
	struct rule rule;
	arrival_read_rule(text, &rule.theirs, &rule.ours);
	return rule;
}

RESULT arrival_check_rules(struct op *op, enum kind kind, struct strs rules)
{
	if (rules.count > ARRIVAL_RULES_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, kind, STR("groups"), "At most %d groups can be named.",
				   ARRIVAL_RULES_MAX);
	for (size_t k = 0; k < rules.count; k++) {
		struct rule rule = read_rule(rules.at[k]);
		bool is_good = rule.theirs.n && rule.ours.n && rules.at[k].n <= ARRIVAL_RULE_MAX &&
			       result_is_ok(engine_check_name(op, KIND_USER_GROUP, rule.ours));
		ctx_clear_problem(op->ctx);
		if (!is_good)
			return ENGINE_FAIL(op, ERR_INVALID, kind, STR("groups"),
					   "\"%" STR_FMT
					   "\" is neither GROUP nor GROUP = GROUP OF THE DOMAIN.",
					   STR_ARG(str_cut(rules.at[k], ARRIVAL_RULE_MAX)));
	}
	return OK;
}

/* ---- groups ---- */

static bool has_group(const struct arrival_groups *g, struct str name)
{
	for (size_t k = 0; k < g->said.count; k++)
		if (g->ignores_case ? str_equal_nocase(g->said.at[k], name) : str_equal(g->said.at[k], name))
			return true;
	return false;
}

/* Several groups of the provider may lead to one group of the domain: each of them makes its people members. */
static bool is_member(const struct arrival_groups *g, struct str ours)
{
	for (size_t k = 0; k < g->rules.count; k++) {
		struct rule rule = read_rule(g->rules.at[k]);
		if (str_equal(rule.ours, ours) && has_group(g, rule.theirs))
			return true;
	}
	return false;
}

static RESULT find_group(struct op *op, uuid domain, struct str name, uuid *ret_group)
{
	const struct user_group *there = user_group_find_by_owner(op->head, UUID_NONE, domain, name);
	struct user_group group = {.row.id = engine_new_id(op, KIND_USER_GROUP),
				   .row.gen = 1,
				   .domain = domain,
				   .name = name,
				   .description =
					   STR("Members come from the directory or identity provider.")};
	*ret_group = there ? there->row.id : group.row.id;
	if (there)
		return OK;
	TRY(engine_check_name(op, KIND_USER_GROUP, name));
	TRY(limit_check(op, LIMIT_DOMAIN_GROUPS, domain, 1, STR_NONE));
	TRY(user_group_put(op, &group));
	return engine_log_event(op, KIND_USER_GROUP, &group.row, "created", "Group %" STR_FMT ".",
				STR_ARG(name));
}

static RESULT set_membership(struct op *op, const struct user *user, struct str name, bool is_in)
{
	uuid group = UUID_NONE;
	TRY(find_group(op, user->domain, name, &group));
	const struct group_member *there = group_member_find_by_user_group(op->head, group, user->row.id);
	if (!there == !is_in)
		return OK;
	TRY(engine_log_event(op, KIND_USER_GROUP, tables_find(op->head, KIND_USER_GROUP, group),
			     is_in ? "member added" : "member removed", "User %" STR_FMT ".",
			     STR_ARG(user->name)));
	if (there)
		return group_member_forget(op, there->row.id);
	struct group_member member = {.row.id = engine_new_id(op, KIND_GROUP_MEMBER),
				      .row.gen = 1,
				      .user_group = group,
				      .user = user->row.id};
	TRY(limit_check(op, LIMIT_MEMBERSHIPS, user->row.id, 1, STR_NONE));
	return group_member_put(op, &member);
}

RESULT arrival_set_groups(struct op *op, uuid user, const struct arrival_groups *groups)
{
	for (size_t k = 0; k < groups->rules.count; k++) {
		const struct user *u = user_find(op->head, user);
		struct str ours = read_rule(groups->rules.at[k]).ours;
		if (!u)
			return engine_fail_gone(op->ctx, KIND_USER, user);
		TRY(set_membership(op, u, ours, is_member(groups, ours)));
	}
	return OK;
}
