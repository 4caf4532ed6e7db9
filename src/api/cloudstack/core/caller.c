/* SPDX-License-Identifier: Apache-2.0
 * For whom a command is called: the caller's account, or another one that "account" with "domainid", or
 * "projectid", names, or the project whose row it names. Who has a role there acts with what that role gives; an administrator acts for everybody.
 * Source: AccountManagerImpl.finalizeOwner and buildACLSearchParameters of 4.18. */
#include "api/cloudstack/core/action.h"
#include "auth/cloudstack_signature.h"
#include "engine/people/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"

static bool read_uuid(struct str text, uuid *ret_id)
{
	return result_is_ok(uuid_parse(text, ret_id));
}

/* The same caller, acting for that account. Nobody becomes an administrator of the region by that: a key is worth no more
 * than its own account makes it. */
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
	next->account_number = str_copy(e->c->arena, account->number);
	next->is_owner = false;
	next->roles = (struct uuids){0};
	e->c->who = next;
	return OK;
}

static bool may_act_for(const struct cs_call *e, const struct tables *t, const struct account *account)
{
	struct roles roles = {0};
	const struct identity *who = e->c->who;
	if (!account || !engine_is_account_open(t, account))
		return false;
	engine_find_roles(t, who->user, IDENTITY_ACCOUNT, account->row.id, &roles);
	return identity_is_admin(who) || uuid_equal(account->row.id, who->account) || roles.count;
}

static RESULT choose_project(struct cs_call *e, const struct tables *t, struct str project)
{
	uuid id = UUID_NONE;
	const struct account *account = read_uuid(project, &id) ? account_find(t, id) : NULL;
	if (str_is(project, "-1"))
		return OK;
	return may_act_for(e, t, account) ? act_for(e, t, account)
					  : cs_fail_id(e, KIND_ACCOUNT, "projectid", project);
}

static RESULT choose_named(struct cs_call *e, const struct tables *t, struct str name, struct str domain_text)
{
	uuid id = e->c->who->domain;
	const struct domain *domain =
		!domain_text.n || read_uuid(domain_text, &id) ? domain_find(t, id) : NULL;
	if (!domain || !row_is_live(&domain->row))
		return cs_fail_id(e, KIND_DOMAIN, "domainid", domain_text);
	const struct account *account = account_find_by_domain(t, id, name);
	bool exists = account && row_is_live(&account->row);
	if (exists && may_act_for(e, t, account))
		return act_for(e, t, account);
	if (!identity_is_admin(e->c->who)) /* nothing is said of whether there is such an account */
		return ctx_fail_field(e->c, ERR_DENIED, STR("account"),
				      "Can't create/list resources for account %" STR_FMT
				      " in domain %" STR_FMT ", permission denied",
				      STR_ARG(name), STR_ARG(cs_domain_name(domain)));
	return cs_fail(e, "account", "Unable to find account %" STR_FMT " in domain %" STR_FMT, STR_ARG(name),
		       STR_ARG(cs_domain_name(domain)));
}

/* A command that names a project's row by its id is called for the project, if the caller is in it. */
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
		    may_act_for(e, t, account))
			return act_for(e, t, account);
	}
	return OK;
}

static RESULT choose_as_said(struct cs_call *e)
{
	struct str name = cloudstack_find_value(&e->pairs, "account");
	struct str domain = cloudstack_find_value(&e->pairs, "domainid");
	struct str project = cloudstack_find_value(&e->pairs, "projectid");
	AUTO_VIEW view = {0};
	if (name.n && project.n)
		return cs_fail(e, "projectid", "Account and projectId can't be specified together");
	if (e->action->flags & API_WRITES && !name.n != !domain.n)
		return cs_fail(e, "account", "AccountName and domainId must be specified together");
	view_open(e->config->store, &view);
	if (project.n)
		return choose_project(e, view.tables, project);
	return name.n ? choose_named(e, view.tables, name, domain) : OK;
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
