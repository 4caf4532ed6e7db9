/* SPDX-License-Identifier: Apache-2.0
 * Chooses the account that a command acts for: the caller's, one named by "account" with "domainid", by
 * "projectid", or the project that owns the named row. A user acts there with the role's rights;
 * administrators may act for every account. Source: AccountManagerImpl.finalizeOwner and
 * buildACLSearchParameters of 4.18.
 */
#include "api/cloudstack/core/action.h"
#include "auth/key/cloudstack_signature.h"
#include "base/uuid_asked.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"

static bool read_uuid(struct str text, uuid *ret_id)
{
	return result_is_ok(uuid_parse_asked(text, ret_id));
}

/* Lets the caller act for the account. Never grants region administrator rights: a key keeps its own
 * account's limits. */
static RESULT act_for(struct cs_call *e, const struct tables *t, const struct account *account)
{
	const struct identity *who = e->c->who;
	struct roles roles = {0};
	struct identity *next = arena_new_object(e->c->arena, struct identity);
	if (uuid_equal(account->row.id, who->account))
		return OK;
	if (!next)
		return ctx_no_memory(e->c);
	engine_find_roles(t, who->user, IDENTITY_ACCOUNT, account->row.id, &roles);
	*next = *who;
	next->rights = identity_is_admin(who) ? who->rights : roles.rights & ~RIGHT(ADMIN);
	next->account = account->row.id;
	next->domain = account->domain;
	next->domains_above = engine_list_domains_above(e->c->arena, t, account->domain);
	next->account_number = str_copy(e->c->arena, account->number);
	next->is_owner = false;
	next->roles = (struct uuids){0};
	e->c->who = next;
	return OK;
}

bool cs_may_act_for(const struct cs_call *e, const struct tables *t, const struct account *account)
{
	struct roles roles = {0};
	const struct identity *who = e->c->who;
	if (!account || !row_is_live(&account->row))
		return false;
	if (!engine_is_account_open(t, account)) /* root administrators look into a suspended project */
		return identity_is_admin(who) && !(e->action->flags & API_WRITES);
	if (identity_is_admin(who))
		return true;
	engine_find_roles(t, who->user, IDENTITY_ACCOUNT, account->row.id, &roles);
	return uuid_equal(account->row.id, who->account) || roles.count;
}

static RESULT find_project(struct cs_call *e, const struct tables *t, struct str project,
			   const struct account **ret_account)
{
	uuid id = UUID_NONE;
	const struct account *account = read_uuid(project, &id) ? account_find(t, id) : NULL;
	*ret_account = account;
	return cs_may_act_for(e, t, account) || str_is(project, "-1")
		       ? OK
		       : cs_fail_id(e, KIND_ACCOUNT, "projectid", project);
}

static RESULT find_named(struct cs_call *e, const struct tables *t, struct str name, struct str domain_text,
			 const struct account **ret_account)
{
	uuid id = e->c->who->domain;
	const struct domain *domain =
		!domain_text.n || read_uuid(domain_text, &id) ? domain_find(t, id) : NULL;
	if (!domain || !row_is_live(&domain->row))
		return cs_fail_id(e, KIND_DOMAIN, "domainid", domain_text);
	const struct account *account = account_find_by_domain(t, id, name);
	bool exists = account && row_is_live(&account->row);
	*ret_account = account;
	if (exists && cs_may_act_for(e, t, account))
		return OK;
	if (!identity_is_admin(e->c->who)) /* does not reveal whether the account exists */
		return ctx_fail_field(e->c, ERR_DENIED, STR("account"),
				      "Can't create/list resources for account %" STR_FMT
				      " in domain %" STR_FMT ", permission denied",
				      STR_ARG(name), STR_ARG(cs_domain_name(domain)));
	return cs_fail(e, "account", "Unable to find account %" STR_FMT " in domain %" STR_FMT, STR_ARG(name),
		       STR_ARG(cs_domain_name(domain)));
}

/* A command that names a project's row by id acts for the project, if the caller is a member. */
static RESULT choose_by_row(struct cs_call *e, const struct tables *t)
{
	const struct params *params = &e->action->args;
	for (size_t k = 0; k < params->count; k++) {
		const struct param *p = &params->at[k];
		bool is_of_people =
			p->kind == KIND_ACCOUNT || p->kind == KIND_USER || p->kind == KIND_ASYNC_JOB;
		uuid id = UUID_NONE;
		if (p->type != PARAM_ID || p->kind == KIND_NONE || is_of_people ||
		    !read_uuid(cloudstack_find_value(&e->pairs, p->wire), &id))
			continue;
		const struct row *row = tables_find(t, p->kind, id);
		uuid owner = row ? engine_get_owner(p->kind, row) : UUID_NONE;
		const struct account *account = account_find(t, owner);
		if (account && !uuid_equal(owner, e->c->who->account) && cs_is_project(t, owner) &&
		    cs_may_act_for(e, t, account))
			return act_for(e, t, account);
	}
	return OK;
}

/* Finds the named account; NULL: none named, or all projects. */
static RESULT find_said(struct cs_call *e, const struct tables *t, bool in_pairs,
			const struct account **ret_account)
{
	struct str name = cloudstack_find_value(&e->pairs, "account");
	struct str domain = cloudstack_find_value(&e->pairs, "domainid");
	struct str project = cloudstack_find_value(&e->pairs, "projectid");
	*ret_account = NULL;
	if (name.n && project.n)
		return cs_fail(e, "projectid", "Account and projectId can't be specified together");
	if (name.n && !domain.n && e->action->flags & CS_OWNER_OF_ROW)
		return OK;
	if (in_pairs && name.n && !domain.n)
		return cs_fail(e, "account", "AccountName and domainId must be specified together");
	if (project.n)
		return find_project(e, t, project, ret_account);
	return name.n ? find_named(e, t, name, domain, ret_account) : OK;
}

static RESULT choose_as_said(struct cs_call *e)
{
	const struct account *account = NULL;
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	bool in_pairs = e->action->flags & API_WRITES && !(e->action->flags & CS_OF_DOMAIN);
	TRY(find_said(e, view.tables, in_pairs, &account));
	return account ? act_for(e, view.tables, account) : OK;
}

RESULT cs_find_taker(struct cs_call *e, uuid *ret_account)
{
	const struct account *account = NULL;
	bool is_project = cloudstack_find_value(&e->pairs, "projectid").n;
	if (is_project && !cloudstack_find_value(&e->pairs, "domainid").n)
		return cs_fail(e, "domainid",
			       "Please provide a valid domain ID; cannot assign VM to a project if domain ID "
			       "is NULL.");
	bool has_domain = cloudstack_find_value(&e->pairs, "domainid").n,
	     has_account = cloudstack_find_value(&e->pairs, "account").n;
	if (!is_project && has_domain && !has_account)
		return cs_fail(e, "account", "AccountName and domainId must be specified together");
	TRY(find_said(e, cs_tables(e), !is_project, &account));
	*ret_account = account ? account->row.id : e->c->who->account;
	return OK;
}

RESULT cs_choose_account(struct cs_call *e)
{
	bool is_said = cloudstack_find_value(&e->pairs, "account").n ||
		       cloudstack_find_value(&e->pairs, "domainid").n ||
		       cloudstack_find_value(&e->pairs, "projectid").n;
	AUTO_VIEW view = {0};
	if (e->action->flags & CS_OF_ACCOUNT && is_said)
		return choose_as_said(e);
	if (e->action->flags & API_OPEN || identity_is_admin(e->c->who))
		return OK;
	view_open(e->config->store, &view);
	return choose_by_row(e, view.tables);
}
