/* SPDX-License-Identifier: Apache-2.0
 * Projects: accounts without users of their own, shared with Keystone. An account is a member while one of
 * its users has a role there: `manager` is CloudStack's Admin, any other role Regular. Source: API
 * reference, "Project", 4.18.
 */
#include "api/cloudstack/account/people.h"
#include "engine/people/account/account_purge.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/instance_snapshot.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"
#include "store/volume.h"

/* ---- who is in a project ---- */

enum standing { NOT_IN, REGULAR, ADMIN };

/* Membership of the account's users, or of one user. */
static enum standing find_standing(const struct tables *t, uuid project, uuid account, uuid user)
{
	enum standing best = NOT_IN;
	const struct role_assignment *a = role_assignment_first_by_account(t, project);
	for (; a && best != ADMIN; a = role_assignment_next_by_account(t, a)) {
		const struct user *u = user_find(t, a->user);
		const struct account *of = u ? cs_account_of(t, u) : NULL;
		const struct role *role = role_find(t, a->role);
		if (!of || !role || !(uuid_equal(of->row.id, account) || uuid_equal(u->row.id, user)))
			continue;
		best = role->right >= ROLE_RIGHT_MANAGER ? ADMIN : REGULAR;
	}
	return best;
}

/* Lists the member accounts, each once. */
static RESULT list_members(struct ctx *c, const struct tables *t, uuid project, struct uuids *ret_accounts)
{
	size_t count = 0, n = 0;
	const struct role_assignment *a = role_assignment_first_by_account(t, project);
	for (; a; a = role_assignment_next_by_account(t, a))
		n++;
	uuid *at = arena_new_array(c->arena, uuid, n + 1);
	if (!at)
		return ctx_no_memory(c);
	a = role_assignment_first_by_account(t, project);
	for (; a; a = role_assignment_next_by_account(t, a)) {
		const struct user *u = user_find(t, a->user);
		const struct account *of = u ? cs_account_of(t, u) : NULL;
		const struct uuids so_far = {at, count};
		if (of && !uuid_equal(of->row.id, project) && !uuids_have(&so_far, of->row.id))
			at[count++] = of->row.id;
	}
	*ret_accounts = (struct uuids){at, count};
	return OK;
}

struct managed {
	const struct tables *t;
	struct arena *arena;
	uuid account;
	struct str ids;
};

static bool note_managed(void *arg, const struct user *user)
{
	struct managed *m = arg;
	const struct role_assignment *a = role_assignment_first_by_user(m->t, user->row.id);
	for (; a; a = role_assignment_next_by_user(m->t, a)) {
		struct str id = uuid_to_str(m->arena, a->account);
		bool is_other = !uuid_is_none(a->account) && !uuid_equal(a->account, m->account);
		if (is_other && !str_contains(m->ids, id) && cs_is_project(m->t, a->account) &&
		    find_standing(m->t, a->account, m->account, UUID_NONE) == ADMIN)
			m->ids = str_print(m->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(m->ids),
					   m->ids.n ? ", " : "", STR_ARG(id));
	}
	return true;
}

RESULT cs_list_managed(struct ctx *c, const struct tables *t, uuid account, struct str *ret_ids)
{
	struct managed m = {t, c->arena, account, STR_NONE};
	cs_each_person(t, account, note_managed, &m);
	*ret_ids = m.ids;
	return OK;
}

/* ---- listProjects ---- */

struct list_projects {
	struct cs_list_args list;
	struct str text, state, username;
	struct strs details;
};
#define P(wire, member, ...) PARAM(struct list_projects, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_projects, KIND_ACCOUNT),
	CS_NAME_PARAM(struct list_projects),
	CS_OWNER_PARAMS(struct list_projects),
	P("displaytext", text, .fits = FITS(account, description), .doc = "Display text."),
	P("state", state, .doc = "State: Active or Suspended."),
	P("details", details, .doc = "all, resource or min, which shows no limits; absent: all."),
	P("username", username, .doc = "Projects in which a user of this name has a role."),
	NOT_BUILT("tags"),
	NOT_BUILT("showicon", .only = "false"),
};
#undef P

static bool sees(struct api_call *e, const struct row *row)
{
	const struct identity *who = e->c->who;
	return cs_is_project(api_tables(e), row->id) &&
	       (identity_is_admin(who) || find_standing(api_tables(e), row->id, who->account, who->user));
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return account_of(row)->enabled ? STR("Active") : STR("Suspended");
}

static bool has_user(const struct tables *t, uuid project, struct str name)
{
	const struct role_assignment *a = role_assignment_first_by_account(t, project);
	const struct user *user = NULL;
	for (; a; a = role_assignment_next_by_account(t, a))
		if ((user = user_find(t, a->user)) && str_equal_nocase(user->name, name))
			return true;
	return false;
}

/* An administrator's list has the own account's projects, unless listall, an id or a domain is given. */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_projects *a = args;
	const struct identity *who = e->c->who;
	bool is_domains = ref_is_given(&a->list.domain) && !a->list.account.n;
	bool is_whole = is_domains && uuid_equal(a->list.domain.prefix, DOMAIN_DEFAULT) &&
			a->list.is_recursive == CHOICE_YES;
	bool is_all = a->list.lists_all == CHOICE_YES || ref_is_given(&a->list.id) || is_whole;
	if ((a->state.n && !str_equal_nocase(a->state, get_state(e, row))) ||
	    (a->username.n && !has_user(api_tables(e), row->id, a->username)) ||
	    (is_domains && !is_whole && !uuid_equal(account_of(row)->domain, a->list.domain.prefix)))
		return false;
	return is_all || is_domains || find_standing(api_tables(e), row->id, who->account, who->user);
}

static void write_domain(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	cs_write_domain(e, w, account_of(row)->domain);
}

/* Writes the members with the Admin role. */
static void write_owners(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct uuids accounts = {0};
	const struct tables *t = api_tables(e);
	json_write_open_list(w, name);
	if (!result_is_ok(list_members(e->c, t, row->id, &accounts)))
		accounts.count = 0; /* full arena: the call fails when its answer ends */
	for (size_t k = 0; k < accounts.count; k++) {
		if (find_standing(t, row->id, accounts.at[k], UUID_NONE) != ADMIN)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "account", account_find(t, accounts.at[k])->name);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct account, "id", row.id),
	MEMBER(struct account, "name", name),
	MEMBER(struct account, "displaytext", description, .instead = FITS(account, name)),
	MEMBER_WRITTEN("domainid", write_domain, .also = "domain"),
	MEMBER_WRITTEN("owner", write_owners),
	MEMBER(struct account, "projectaccountname", name),
	MEMBER_TEXT("state", get_state),
	MEMBER_AS(struct account, TIME, "created", row.created_us),
	MEMBER_WRITTEN("vmlimit", cs_write_figures, .also = CS_FIGURES),
	MEMBER_FIXED("tags", "[]"),
};
static const struct api_listing projects =
	CS_LISTING(KIND_ACCOUNT, "project", members, .name = offsetof(struct account, name), .is_all = true,
		   .sees = sees, .matches = matches);

/* ---- listProjectAccounts ---- */

struct list_accounts {
	struct cs_list_args list;
	struct ref project;
	struct str role;
};
#define P(wire, member, ...) PARAM(struct list_accounts, wire, member, __VA_ARGS__)
static const struct param account_params[] = {
	CS_PAGE_PARAMS(struct list_accounts),
	P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED,
	  .doc = "Project whose accounts are listed."),
	P("account", list.account, .doc = "Account by name."),
	P("role", role, .doc = "Role: Admin or Regular."),
	NOT_BUILT("projectroleid|userid"),
};
#undef P

/* ERR_NOT_FOUND: not a project, or hidden from the caller. */
static RESULT find_project(struct cs_call *e, const struct ref *ref, const char *parameter,
			   const struct account **ret_project)
{
	const struct account *project = account_find(cs_tables(e), ref->prefix);
	if (!project || !row_is_live(&project->row) || !sees(&e->core, &project->row))
		return cs_fail_id(e, KIND_ACCOUNT, parameter, ref->text);
	*ret_project = project;
	return OK;
}

static const char *word_of(enum standing standing)
{
	return standing == ADMIN ? "Admin" : "Regular";
}

static bool is_asked_for(const struct list_accounts *a, const struct account *account, const char *role)
{
	return (!a->list.account.n || str_equal(a->list.account, account->name)) &&
	       (!a->list.keyword.n || str_contains(account->name, a->list.keyword)) &&
	       (!a->role.n || str_equal_nocase(a->role, str_from(role)));
}

static void write_account(struct cs_call *e, struct json_writer *w, const void *item)
{
	struct arena *arena = e->c->arena;
	const struct tables *t = cs_tables(e);
	const struct account *account = item,
			     *project = account_find(t, ((struct list_accounts *) e->args)->project.prefix);
	json_write_text(w, "projectid", uuid_to_str(arena, project->row.id));
	json_write_text(w, "project", project->name);
	json_write_text(w, "accountid", uuid_to_str(arena, account->row.id));
	json_write_text(w, "account", account->name);
	cs_write_domain(&e->core, w, account->domain);
	json_write_int(w, "accounttype", cs_account_type(cs_role_of(t, account->row.id)));
	json_write_z(w, "role", word_of(find_standing(t, project->row.id, account->row.id, UUID_NONE)));
}

static RESULT list_accounts(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_accounts *a = args;
	const struct tables *t = cs_tables(e);
	const struct account *project = NULL;
	struct uuids accounts;
	size_t count = 0;
	TRY(find_project(e, &a->project, "projectid", &project));
	TRY(list_members(e->c, t, project->row.id, &accounts));
	const void **shown = arena_new_array(e->c->arena, const void *, accounts.count + 1);
	if (!shown)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < accounts.count; k++) {
		const char *role = word_of(find_standing(t, project->row.id, accounts.at[k], UUID_NONE));
		const struct account *account = account_find(t, accounts.at[k]);
		if (is_asked_for(a, account, role))
			shown[count++] = account;
	}
	return cs_write_items(e, w, &a->list, "projectaccount", shown, count, write_account);
}

/* ---- who comes, and who goes ---- */

struct membership {
	struct op *op;
	uuid project, account;
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
	m->result = engine_grant_role(m->op, &grant);
	return result_is_ok(m->result);
}

/* Gives the role to all users of the account. */
static RESULT add_account(struct op *op, uuid project, uuid account, enum role_right right)
{
	struct membership m = {op, project, account, right, OK};
	cs_each_person(op->head, account, grant_one, &m);
	return m.result;
}

/* Removes all roles of the account's users in the project. */
static RESULT remove_account(struct op *op, uuid project, uuid account)
{
	const struct tables *t = op->head;
	const struct role_assignment *a = role_assignment_first_by_account(t, project), *next = NULL;
	for (; a; a = next) {
		const struct user *user = user_find(t, a->user);
		const struct account *of = user ? cs_account_of(t, user) : NULL;
		next = role_assignment_next_by_account(t, a);
		if (!of || !uuid_equal(of->row.id, account))
			continue;
		struct role_grant grant = {.role = ref_by_id(KIND_ROLE, a->role),
					   .user = ref_by_id(KIND_USER, a->user),
					   .account = ref_by_id(KIND_ACCOUNT, project),
					   .inherited = a->inherited};
		TRY(engine_revoke_role(op, &grant));
	}
	return OK;
}

/* ---- changes ---- */

struct make_project {
	struct account_wish wish;
	struct cs_owner owner;
	uuid first; /* first owner */
};
#define P(wire, member, ...) PARAM(struct make_project, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name; unique in the domain."),
	P("displaytext", wish.description, .flags = REQUIRED, .doc = "Description or display text."),
	P("account", owner.account, .doc = "Owning account, with domainid; absent: the caller's."),
	P("domainid", owner.domain, .kind = KIND_DOMAIN, .doc = "Domain of the account and the project."),
	NOT_BUILT("accountid|userid"),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_project *a = args;
	a->first = e->c->who->account;
	const struct account *owner = account_find(cs_tables(e), a->first);
	a->wish.domain = ref_by_id(KIND_DOMAIN, owner ? owner->domain : DOMAIN_DEFAULT);
	return OK;
}

static RESULT create(struct op *op, void *args)
{
	struct make_project *a = args;
	TRY(engine_create_account(op, &a->wish));
	return add_account(op, a->wish.account, a->first, ROLE_RIGHT_MANAGER);
}

#define PROJECT                                                                                              \
	PARAM(struct account_change, "id", account, .kind = KIND_ACCOUNT, .flags = REQUIRED,                 \
	      .doc = "The project.")
static const struct param one_params[] = {PROJECT};
static const struct param update_params[] = {
	PROJECT,
	PARAM(struct account_change, "displaytext", description, .doc = "New description or display text."),
	PARAM(struct account_change, "name", name, .doc = "New name."),
	NOT_BUILT("account|roletype|swapowner|userid"),
};

static RESULT check_project(struct cs_call *e, void *args)
{
	const struct account *project = NULL;
	return find_project(e, &((struct account_change *) args)->account, "id", &project);
}

static RESULT activate(struct cs_call *e, void *args)
{
	((struct account_change *) args)->enabled = CHOICE_YES;
	return check_project(e, args);
}

static RESULT suspend(struct cs_call *e, void *args)
{
	((struct account_change *) args)->enabled = CHOICE_NO;
	return check_project(e, args);
}

struct delete_project {
	struct account_target target;
	enum choice with_all;
};
static const struct param delete_params[] = {
	PARAM(struct delete_project, "id", target.account, .kind = KIND_ACCOUNT, .flags = REQUIRED,
	      .doc = "The project."),
	PARAM(struct delete_project, "cleanup", with_all,
	      .doc = "Also deletes the resources of the project."),
};

static int64_t count_sets(const struct tables *t, uuid account)
{
	int64_t count = 0;
	for (const struct instance_snapshot *s = instance_snapshot_first_by_account(t, account); s;
	     s = instance_snapshot_next_by_account(t, s))
		count += row_is_live(&s->row);
	return count;
}

static int64_t count_free_volumes(const struct tables *t, uuid account)
{
	int64_t count = 0;
	for (const struct volume *v = volume_first_by_account(t, account); v;
	     v = volume_next_by_account(t, v))
		count += row_is_live(&v->row) && uuid_is_none(v->instance);
	return count;
}

/* Refuses while resources exist, unless "cleanup" is given. Source: ProjectManagerImpl.deleteProject(). */
static RESULT check_unused(struct cs_call *e, const struct account *project)
{
	const struct account_usage *has = account_usage(project);
	const struct {
		const char *word;
		int64_t count;
	} kept[] = {{"VirtualMachineTemplate", has->images},
		    {"VMSnapshot", count_sets(cs_tables(e), project->row.id)},
		    {"VirtualMachine", has->instances},
		    {"Volume", count_free_volumes(cs_tables(e), project->row.id)},
		    {"Network", has->networks},
		    {"Vpc", has->routers}};
	for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
		if (kept[k].count)
			return cs_fail_within(
				e, "Can't delete the project yet because it has %lld %s to clean up",
				(long long) kept[k].count, kept[k].word);
	return OK;
}

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	const struct delete_project *a = args;
	const struct account *project = NULL;
	TRY(find_project(e, &a->target.account, "id", &project));
	return a->with_all == CHOICE_YES ? OK : check_unused(e, project);
}

struct member_args {
	struct ref project;
	struct str name, role;
	uuid account;
};
#define P(wire, member, ...) PARAM(struct member_args, wire, member, __VA_ARGS__)
#define MEMBER_OF                                                                                            \
	P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED, .doc = "The project."),             \
		P("account", name, .flags = REQUIRED, .doc = "Account by name, in the project's domain.")
static const struct param add_params[] = {
	MEMBER_OF,
	P("roletype", role, .doc = "Role: Admin or Regular (default)."),
	NOT_BUILT("email|projectroleid"),
};
static const struct param remove_params[] = {MEMBER_OF};
#undef P

static RESULT find_member(struct cs_call *e, struct member_args *a)
{
	const struct account *project = NULL;
	TRY(find_project(e, &a->project, "projectid", &project));
	const struct account *account = account_find_by_domain(cs_tables(e), project->domain, a->name);
	if (!account || !row_is_live(&account->row) || cs_is_project(cs_tables(e), account->row.id))
		return cs_fail(e, "account",
			       "Unable to find account name=%" STR_FMT " in the project's domain",
			       STR_ARG(a->name));
	a->account = account->row.id;
	return OK;
}

static RESULT prepare_add(struct cs_call *e, void *args)
{
	struct member_args *a = args;
	if (a->role.n && !str_equal_nocase(a->role, STR("Admin")) &&
	    !str_equal_nocase(a->role, STR("Regular")))
		return cs_fail(e, "roletype", "The role %" STR_FMT " is neither Admin nor Regular",
			       STR_ARG(a->role));
	return find_member(e, a);
}

static bool is_only_owner(struct cs_call *e, uuid project, uuid account)
{
	struct uuids accounts = {0};
	const struct tables *t = cs_tables(e);
	if (find_standing(t, project, account, UUID_NONE) != ADMIN ||
	    !result_is_ok(list_members(e->c, t, project, &accounts)))
		return false;
	for (size_t k = 0; k < accounts.count; k++)
		if (!uuid_equal(accounts.at[k], account) &&
		    find_standing(t, project, accounts.at[k], UUID_NONE) == ADMIN)
			return false;
	return true;
}

static RESULT prepare_remove(struct cs_call *e, void *args)
{
	struct member_args *a = args;
	TRY(find_member(e, a));
	if (!find_standing(cs_tables(e), a->project.prefix, a->account, UUID_NONE))
		return cs_fail(e, "account", "Account name=%" STR_FMT " is not assigned to the project",
			       STR_ARG(a->name));
	return is_only_owner(e, a->project.prefix, a->account)
		       ? cs_fail(e, "account",
				 "Unable to delete account %" STR_FMT
				 " from the project with specified id as the account is the owner of the "
				 "project",
				 STR_ARG(a->name))
		       : OK;
}

static RESULT add_member(struct op *op, void *args)
{
	const struct member_args *a = args;
	bool is_admin = str_equal_nocase(a->role, STR("Admin"));
	return add_account(op, a->project.prefix, a->account,
			   is_admin ? ROLE_RIGHT_MANAGER : ROLE_RIGHT_MEMBER);
}

static RESULT remove_member(struct op *op, void *args)
{
	const struct member_args *a = args;
	return remove_account(op, a->project.prefix, a->account);
}

#define CHANGES .flags = API_WRITES | CS_ADMIN, .returns = API_RETURNS_NOTHING_STORED
#define AT_ONCE .outcome = ASYNC_JOB_OUTCOME_NOW
static const struct cs_action actions[] = {
	{CS_ACTION("listProjects", "organizations:ListAccounts"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_projects, list_params), .listing = &projects, .doc = "Lists projects."},
	{CS_ACTION("listProjectAccounts", "organizations:ListAccounts"),
	 .args = PARAMS(struct list_accounts, account_params), .answer = list_accounts,
	 .says = "projectid|project|accountid|account|domainid|domain|accounttype|role",
	 .doc = "Lists the accounts of a project."},
	{CS_ACTION("createProject", "identity:create_project"),
	 .flags = API_WRITES | CS_ADMIN | CS_OF_ACCOUNT | CS_MAKES, .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct make_project, create_params), .prepare = prepare_create, .operation = create,
	 CS_SUBJECT(struct make_project, wish.account), .shows = &projects, AT_ONCE,
	 .doc = "Creates a project."},
	{CS_ACTION("updateProject", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct account_change, update_params), .prepare = check_project,
	 .operation = engine_update_account_run, CS_SUBJECT(struct account_change, account.prefix),
	 .shows = &projects, AT_ONCE, .doc = "Changes a project."},
	{CS_ACTION("activateProject", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct account_change, one_params), .prepare = activate,
	 .operation = engine_update_account_run, CS_SUBJECT(struct account_change, account.prefix),
	 .shows = &projects, AT_ONCE, .doc = "Activates a project."},
	{CS_ACTION("suspendProject", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct account_change, one_params), .prepare = suspend,
	 .operation = engine_update_account_run, CS_SUBJECT(struct account_change, account.prefix),
	 .shows = &projects, AT_ONCE, .doc = "Suspends a project. Nobody can use it."},
	{CS_ACTION("deleteProject", "identity:delete_project"), CHANGES,
	 .args = PARAMS(struct delete_project, delete_params), .prepare = prepare_delete,
	 .operation = engine_purge_account_run, .about = KIND_ACCOUNT,
	 CS_SUBJECT(struct delete_project, target.account.prefix), .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a project."},
	{CS_ACTION("addAccountToProject", "identity:create_grant"), CHANGES,
	 .args = PARAMS(struct member_args, add_params), .prepare = prepare_add, .operation = add_member,
	 AT_ONCE, .doc = "Adds an account to a project: its users get a role there."},
	{CS_ACTION("deleteAccountFromProject", "identity:revoke_grant"), CHANGES,
	 .args = PARAMS(struct member_args, remove_params), .prepare = prepare_remove,
	 .operation = remove_member, AT_ONCE, .doc = "Removes an account from a project."},
};
const struct api_actions cs_project_actions = API_ACTIONS(actions);
