/* SPDX-License-Identifier: Apache-2.0
 * Members of projects. An account is a member with all its users (addAccountToProject), or a user alone is
 * (addUserToProject); both are role assignments of the users. Sources: API reference, "Project", 4.19, and
 * ProjectManagerImpl.
 */
#include "api/cloudstack/account/projects.h"
#include "engine/people/policy/role.h"
#include "store/account.h"
#include "store/project_role.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"

/* ---- listProjectAccounts ---- */

struct list_members {
	struct cs_list_args list;
	struct ref project, user, project_role;
	struct str role;
};
#define P(wire, member, ...) PARAM(struct list_members, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct list_members),
	P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED,
	  .doc = "Project whose accounts are listed."),
	P("account", list.account, .doc = "Account by name."),
	P("userid", user, .kind = KIND_USER, .doc = "Member that is this user, or the account of it."),
	P("projectroleid", project_role, .kind = KIND_PROJECT_ROLE, .doc = "Project role of the member."),
	P("role", role, .doc = "Role: Admin or Regular."),
};
#undef P

/* A member: an account, or one of its users if not all of them are in the project. */
struct project_member {
	const struct account *project, *account;
	const struct user *user;
};

/* The first assignment in the project of the account's users, or of one user, with a project role if one has any. */
static const struct role_assignment *find_assignment(const struct tables *t, uuid project, uuid account,
						     uuid user)
{
	const struct role_assignment *best = NULL, *a = role_assignment_first_by_account(t, project);
	for (; a; a = role_assignment_next_by_account(t, a)) {
		const struct user *of = user_find(t, a->user);
		const struct account *its = of ? cs_account_of(t, of) : NULL;
		bool is_it = uuid_is_none(user) ? its && uuid_equal(its->row.id, account)
						: uuid_equal(a->user, user);
		if (is_it && (!best || !uuid_is_none(a->project_role)))
			best = a;
	}
	return best;
}

static enum standing standing_of(const struct tables *t, const struct project_member *m)
{
	return m->user ? cs_find_standing(t, m->project->row.id, UUID_NONE, m->user->row.id)
		       : cs_find_standing(t, m->project->row.id, m->account->row.id, UUID_NONE);
}

static const char *word_of(enum standing standing)
{
	return standing == CS_PROJECT_ADMIN ? "Admin" : "Regular";
}

static uuid project_role_of_member(const struct tables *t, const struct project_member *m)
{
	const struct role_assignment *a = find_assignment(t, m->project->row.id, m->account->row.id,
							  m->user ? m->user->row.id : UUID_NONE);
	return a ? a->project_role : UUID_NONE;
}

static bool is_asked_for(const struct tables *t, const struct list_members *a, const struct project_member *m)
{
	const struct user *user = ref_is_given(&a->user) ? user_find(t, a->user.prefix) : NULL;
	const struct account *its = user ? cs_account_of(t, user) : NULL;
	return (!a->list.account.n || str_equal(a->list.account, m->account->name)) &&
	       (!a->list.keyword.n || str_contains(m->account->name, a->list.keyword)) &&
	       (!a->role.n || str_equal_nocase(a->role, str_from(word_of(standing_of(t, m))))) &&
	       (!ref_is_given(&a->user) || (m->user ? m->user == user : its == m->account)) &&
	       (!ref_is_given(&a->project_role) ||
		uuid_equal(a->project_role.prefix, project_role_of_member(t, m)));
}

static void write_member(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct tables *t = cs_tables(e);
	const struct project_member *m = item;
	uuid role = project_role_of_member(t, m);
	json_write_text(w, "projectid", uuid_to_str(e->c->arena, m->project->row.id));
	json_write_text(w, "project", m->project->name);
	json_write_text(w, "accountid", uuid_to_str(e->c->arena, m->account->row.id));
	json_write_text(w, "account", m->account->name);
	if (m->user) {
		json_write_text(w, "userid", uuid_to_str(e->c->arena, m->user->row.id));
		json_write_text(w, "username", m->user->name);
	}
	cs_write_domain(&e->core, w, m->account->domain);
	json_write_int(w, "accounttype", cs_account_type(cs_role_of(t, m->account->row.id)));
	json_write_z(w, "role", word_of(standing_of(t, m)));
	if (!uuid_is_none(role))
		json_write_text(w, "projectroleid", uuid_to_str(e->c->arena, role));
}

struct counted {
	const struct tables *t;
	uuid project;
	size_t in, out;
	const struct user **at; /* the users that are in; NULL: only counted */
};

static bool count_user(void *arg, const struct user *user)
{
	struct counted *n = arg;
	bool is_in = cs_find_standing(n->t, n->project, UUID_NONE, user->row.id) != CS_NOT_IN;
	if (is_in && n->at)
		n->at[n->in] = user;
	n->in += is_in;
	n->out += !is_in;
	return true;
}

/* Adds the account, or those of its users that are in the project. */
static RESULT add_members(struct cs_call *e, const struct list_members *a, const struct account *project,
			  const struct account *account, const void ***ret_items, size_t *count)
{
	struct counted n = {.t = cs_tables(e), .project = project->row.id};
	cs_each_person(n.t, account->row.id, count_user, &n);
	size_t parts = n.in && n.out ? n.in : 1;
	const void **items = arena_new_array(e->c->arena, const void *, *count + parts);
	n.at = arena_new_array(e->c->arena, const struct user *, n.in + 1);
	if (!items || !n.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < *count; k++)
		items[k] = (*ret_items)[k];
	bool is_whole = !n.in || !n.out;
	n.in = n.out = 0;
	cs_each_person(n.t, account->row.id, count_user, &n);
	for (size_t k = 0; k < parts; k++) {
		struct project_member *m = arena_new_object(e->c->arena, struct project_member);
		if (!m)
			return ctx_no_memory(e->c);
		*m = (struct project_member){project, account, is_whole ? NULL : n.at[k]};
		if (is_asked_for(n.t, a, m))
			items[(*count)++] = m;
	}
	*ret_items = items;
	return OK;
}

static RESULT list_members(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_members *a = args;
	const struct account *project = NULL;
	struct uuids accounts;
	const void **items = NULL;
	size_t count = 0;
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	TRY(cs_list_members(e->c, cs_tables(e), project->row.id, &accounts));
	for (size_t k = 0; k < accounts.count; k++)
		TRY(add_members(e, a, project, account_find(cs_tables(e), accounts.at[k]), &items, &count));
	return cs_write_items(e, w, &a->list, "projectaccount", items, count, write_member);
}

/* ---- who comes, and who goes ---- */

struct membership {
	struct op *op;
	uuid project, project_role;
	enum role_right right;
	struct result result;
};

static bool grant_one(void *arg, const struct user *user)
{
	struct membership *m = arg;
	const struct role *role = engine_find_standard_role(m->op->head, m->right);
	struct role_grant grant = {.role = ref_by_id(KIND_ROLE, role ? role->row.id : UUID_NONE),
				   .user = ref_by_id(KIND_USER, user->row.id),
				   .account = ref_by_id(KIND_ACCOUNT, m->project)};
	if (!uuid_is_none(m->project_role))
		grant.project_role = ref_by_id(KIND_PROJECT_ROLE, m->project_role);
	m->result = engine_grant_role(m->op, &grant);
	return result_is_ok(m->result);
}

RESULT cs_add_member(struct op *op, uuid project, uuid account, uuid user, enum role_right right,
		     uuid project_role)
{
	struct membership m = {op, project, project_role, right, OK};
	if (uuid_is_none(user))
		cs_each_person(op->head, account, grant_one, &m);
	else
		grant_one(&m, user_find(op->head, user));
	return m.result;
}

/* Removes all roles in the project of the account's users, or of one user. */
static RESULT drop_member(struct op *op, uuid project, uuid account, uuid user)
{
	const struct tables *t = op->head;
	const struct role_assignment *a = role_assignment_first_by_account(t, project), *next = NULL;
	for (; a; a = next) {
		const struct user *of = user_find(t, a->user);
		const struct account *its = of ? cs_account_of(t, of) : NULL;
		next = role_assignment_next_by_account(t, a);
		if (!its ||
		    !(uuid_is_none(user) ? uuid_equal(its->row.id, account) : uuid_equal(a->user, user)))
			continue;
		struct role_grant grant = {.role = ref_by_id(KIND_ROLE, a->role),
					   .user = ref_by_id(KIND_USER, a->user),
					   .account = ref_by_id(KIND_ACCOUNT, project),
					   .inherited = a->inherited};
		TRY(engine_revoke_role(op, &grant));
	}
	return OK;
}

/* Gives every user of the account that is in the project, or the user alone, that role in place of its present ones. */
static RESULT set_standing(struct op *op, uuid project, uuid account, uuid user, enum role_right right)
{
	struct counted n = {.t = op->head, .project = project};
	const struct user *one = user_find(op->head, user);
	if (!one)
		cs_each_person(n.t, account, count_user, &n);
	n.at = arena_new_array(op->ctx->arena, const struct user *, n.in + 1);
	if (!n.at)
		return ctx_no_memory(op->ctx);
	n.in = 0;
	if (one)
		count_user(&n, one);
	else
		cs_each_person(n.t, account, count_user, &n);
	for (size_t k = 0; k < n.in; k++) {
		uuid id = n.at[k]->row.id;
		const struct role_assignment *a = find_assignment(op->head, project, account, id);
		uuid project_role = a ? a->project_role : UUID_NONE;
		TRY(drop_member(op, project, account, id));
		TRY(cs_add_member(op, project, account, id, right, project_role));
	}
	return OK;
}

struct member_args {
	struct ref project, user, project_role;
	struct str name, user_name, role;
	/* found: */
	uuid account, user_id;
};
#define P(wire, member, ...) PARAM(struct member_args, wire, member, __VA_ARGS__)
#define PROJECT P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED, .doc = "The project.")
#define MANNER                                                                                               \
	P("projectroleid", project_role, .kind = KIND_PROJECT_ROLE, .doc = "Project role of the member."),   \
		P("roletype", role, .doc = "Role: Admin or Regular (default)."),                             \
		PASSED_OVER("email",                                                                         \
			    "ProjectManagerImpl: an address is written to only if project.invite.required "  \
			    "is true, and it is false here")
static const struct param add_params[] = {
	PROJECT,
	P("account", name, .doc = "Account by name, in the project's domain."),
	MANNER,
};
static const struct param add_user_params[] = {
	PROJECT,
	P("username", user_name, .flags = REQUIRED, .doc = "User by name, in the project's domain."),
	MANNER,
};
static const struct param remove_params[] = {
	PROJECT,
	P("account", name, .flags = REQUIRED, .doc = "Account by name, in the project's domain."),
};
static const struct param remove_user_params[] = {
	PROJECT,
	P("userid", user, .kind = KIND_USER, .flags = REQUIRED, .doc = "The user."),
};
#undef P

static RESULT find_account(struct cs_call *e, const struct account *project, struct str name,
			   uuid *ret_account)
{
	const struct account *account = account_find_by_domain(cs_tables(e), project->domain, name);
	if (!account || !row_is_live(&account->row) || cs_is_project(cs_tables(e), account->row.id))
		return cs_fail(e, "account",
			       "Unable to find account name=%" STR_FMT " in the project's domain",
			       STR_ARG(name));
	*ret_account = account->row.id;
	return OK;
}

static RESULT check_role(struct cs_call *e, struct str role)
{
	return !role.n || str_equal_nocase(role, STR("Admin")) || str_equal_nocase(role, STR("Regular"))
		       ? OK
		       : cs_fail(e, "roletype", "Only Admin or Regular project role types are valid");
}

static enum role_right right_of(struct str role)
{
	return str_equal_nocase(role, STR("Admin")) ? ROLE_RIGHT_MANAGER : ROLE_RIGHT_MEMBER;
}

/* Checks how the member shall be in the project, which must be active. */
static RESULT check_manner(struct cs_call *e, const struct member_args *a, const struct account *project)
{
	const struct project_role *role = project_role_find(cs_tables(e), a->project_role.prefix);
	TRY(check_role(e, a->role));
	if (!project->enabled)
		return cs_fail(e, "projectid",
			       "Can't add account to the specified project id in state=Suspended as it's no "
			       "longer active");
	return !ref_is_given(&a->project_role) || (role && uuid_equal(role->account, project->row.id))
		       ? OK
		       : cs_fail(e, "projectroleid", "Invalid project role ID for the given project");
}

/* A member that is added again stays as it is; users that the account has got meanwhile follow. */
static void keep_standing(const struct tables *t, struct member_args *a)
{
	enum standing standing = cs_find_standing(t, a->project.prefix, a->account, a->user_id);
	if (standing == CS_NOT_IN)
		return;
	a->role = str_from(word_of(standing));
	a->project_role = (struct ref){0};
}

static RESULT prepare_add(struct cs_call *e, void *args)
{
	struct member_args *a = args;
	const struct account *project = NULL;
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	if (!a->name.n)
		return cs_fail(e, "account",
			       "Account information is required for assigning account to the project");
	TRY(find_account(e, project, a->name, &a->account));
	TRY(check_manner(e, a, project));
	keep_standing(cs_tables(e), a);
	return OK;
}

static RESULT prepare_add_user(struct cs_call *e, void *args)
{
	struct member_args *a = args;
	const struct account *project = NULL;
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	const struct user *user = user_find_by_owner(cs_tables(e), UUID_NONE, project->domain, a->user_name);
	const struct account *its =
		user && row_is_live(&user->row) ? cs_account_of(cs_tables(e), user) : NULL;
	if (!its)
		return cs_fail(e, "username", "Invalid user ID provided");
	TRY(check_manner(e, a, project));
	a->account = its->row.id;
	a->user_id = user->row.id;
	return OK;
}

/* True if nobody else is an administrator of the project; user none: if nobody of another account is. */
static bool is_only_owner(struct cs_call *e, uuid project, uuid account, uuid user)
{
	const struct tables *t = cs_tables(e);
	bool is_admin = false;
	for (const struct role_assignment *a = role_assignment_first_by_account(t, project); a;
	     a = role_assignment_next_by_account(t, a)) {
		const struct user *of = user_find(t, a->user);
		const struct account *its = of ? cs_account_of(t, of) : NULL;
		bool is_it = uuid_is_none(user) ? its && uuid_equal(its->row.id, account)
						: uuid_equal(a->user, user);
		if (its && cs_find_standing(t, project, UUID_NONE, a->user) == CS_PROJECT_ADMIN && !is_it)
			return false;
		is_admin = is_admin ||
			   (is_it && cs_find_standing(t, project, account, user) == CS_PROJECT_ADMIN);
	}
	return is_admin;
}

static RESULT check_remove(struct cs_call *e, const struct member_args *a, const char *parameter,
			   const char *word, struct str name)
{
	if (!cs_find_standing(cs_tables(e), a->project.prefix,
			      uuid_is_none(a->user_id) ? a->account : UUID_NONE, a->user_id))
		return cs_fail(e, parameter,
			       "%s %" STR_FMT " is not assigned to the project with specified id", word,
			       STR_ARG(name));
	return is_only_owner(e, a->project.prefix, a->account, a->user_id)
		       ? cs_fail(e, parameter,
				 "Unable to delete %s %" STR_FMT
				 " from the project with specified id as the account is the owner of the "
				 "project",
				 uuid_is_none(a->user_id) ? "account" : "user", STR_ARG(name))
		       : OK;
}

static RESULT prepare_remove(struct cs_call *e, void *args)
{
	struct member_args *a = args;
	const struct account *project = NULL;
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	TRY(find_account(e, project, a->name, &a->account));
	return check_remove(e, a, "account", "Account", a->name);
}

static RESULT prepare_remove_user(struct cs_call *e, void *args)
{
	struct member_args *a = args;
	const struct account *project = NULL;
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	const struct user *user = user_find(cs_tables(e), a->user.prefix);
	const struct account *its =
		user && row_is_live(&user->row) ? cs_account_of(cs_tables(e), user) : NULL;
	if (!its || !uuid_equal(its->domain, project->domain))
		return cs_fail(e, "userid", "Invalid userId provided");
	a->account = its->row.id;
	a->user_id = user->row.id;
	return check_remove(e, a, "userid", "User", user->name);
}

static RESULT add_member(struct op *op, void *args)
{
	const struct member_args *a = args;
	return cs_add_member(op, a->project.prefix, a->account, a->user_id, right_of(a->role),
			     a->project_role.prefix);
}

static RESULT remove_member(struct op *op, void *args)
{
	const struct member_args *a = args;
	return drop_member(op, a->project.prefix, a->account, a->user_id);
}

/* ---- updateProject: who manages it ---- */

/* Finds the present owner: CloudStack takes one of several. */
static RESULT find_owner(struct cs_call *e, const struct account *project, uuid *ret_account)
{
	struct uuids accounts;
	const struct tables *t = cs_tables(e);
	TRY(cs_list_members(e->c, t, project->row.id, &accounts));
	for (size_t k = 0; k < accounts.count; k++)
		if (cs_find_standing(t, project->row.id, accounts.at[k], UUID_NONE) == CS_PROJECT_ADMIN) {
			*ret_account = accounts.at[k];
			return OK;
		}
	return OK;
}

static RESULT fail_outsider(struct cs_call *e, const char *parameter, const char *word, struct str name)
{
	return cs_fail(e, parameter,
		       "%s %" STR_FMT " doesn't belong to the project. Add it to the project first and then "
		       "change the project's ownership",
		       word, STR_ARG(name));
}

static RESULT check_demotion(struct cs_call *e, const struct project_change *a, const struct account *project)
{
	bool stays = right_of(a->role) == ROLE_RIGHT_MANAGER || a->swaps != CHOICE_NO;
	return !stays && is_only_owner(e, project->row.id, a->new_account, a->new_user)
		       ? cs_fail(e, "roletype", "Cannot demote the only admin of the project")
		       : OK;
}

RESULT cs_check_new_owner(struct cs_call *e, struct project_change *a, const struct account *project)
{
	const struct tables *t = cs_tables(e);
	const struct user *user = ref_is_given(&a->user) ? user_find(t, a->user.prefix) : NULL;
	bool swaps = a->swaps != CHOICE_NO;
	TRY(check_role(e, a->role));
	if (a->account.n && ref_is_given(&a->user))
		return cs_fail(e, "account",
			       "Account name and user ID are mutually exclusive. Provide either account "
			       "name to update account or user ID to update the user of the project");
	if (a->account.n) {
		TRY(find_account(e, project, a->account, &a->new_account));
		if (cs_find_standing(t, project->row.id, a->new_account, UUID_NONE) == CS_NOT_IN)
			return fail_outsider(e, "account", "Account", a->account);
	} else if (ref_is_given(&a->user) && !swaps) {
		const struct account *its = user ? cs_account_of(t, user) : NULL;
		if (!its || cs_find_standing(t, project->row.id, UUID_NONE, user->row.id) == CS_NOT_IN)
			return fail_outsider(e, "userid", "User", a->user.text);
		a->new_account = its->row.id;
		a->new_user = user->row.id;
	}
	if (a->account.n && swaps)
		TRY(find_owner(e, project, &a->old_account));
	return check_demotion(e, a, project);
}

RESULT cs_change_owner(struct op *op, const struct project_change *a)
{
	uuid project = a->wish.account.prefix;
	bool swaps = a->swaps != CHOICE_NO;
	if (uuid_is_none(a->new_account) || uuid_equal(a->new_account, a->old_account))
		return OK;
	if (!uuid_is_none(a->old_account))
		TRY(set_standing(op, project, a->old_account, UUID_NONE, ROLE_RIGHT_MEMBER));
	return set_standing(op, project, a->new_account, a->new_user,
			    swaps ? ROLE_RIGHT_MANAGER : right_of(a->role));
}

#define CHANGES                                                                                              \
	.flags = API_WRITES | CS_ADMIN | CS_OF_PROJECT, .returns = API_RETURNS_NOTHING_STORED,               \
	.outcome = ASYNC_JOB_OUTCOME_NOW
static const struct cs_action actions[] = {
	{CS_ACTION("listProjectAccounts", "organizations:ListAccounts"),
	 .args = PARAMS(struct list_members, list_params), .answer = list_members,
	 .says = "projectid|project|accountid|account|userid|username|domainid|domain|accounttype|role|"
		 "projectroleid",
	 .doc = "Lists the accounts of a project."},
	{CS_ACTION("addAccountToProject", "identity:create_grant"), CHANGES,
	 .args = PARAMS(struct member_args, add_params), .prepare = prepare_add, .operation = add_member,
	 .doc = "Adds an account to a project: its users get a role there."},
	{CS_ACTION("addUserToProject", "identity:create_grant"), CHANGES,
	 .args = PARAMS(struct member_args, add_user_params), .prepare = prepare_add_user,
	 .operation = add_member, .doc = "Adds a user to a project."},
	{CS_ACTION("deleteAccountFromProject", "identity:revoke_grant"), CHANGES,
	 .args = PARAMS(struct member_args, remove_params), .prepare = prepare_remove,
	 .operation = remove_member, .doc = "Removes an account from a project."},
	{CS_ACTION("deleteUserFromProject", "identity:revoke_grant"), CHANGES,
	 .args = PARAMS(struct member_args, remove_user_params), .prepare = prepare_remove_user,
	 .operation = remove_member, .doc = "Removes a user from a project."},
};
const struct api_actions cs_project_member_actions = API_ACTIONS(actions);
