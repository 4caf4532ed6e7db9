/* SPDX-License-Identifier: Apache-2.0
 * Projects: accounts without users of their own, shared with Keystone. An account is a member while one of
 * its users has a role there: `manager` is CloudStack's Admin, any other role Regular. Source: API
 * reference, "Project", 4.18.
 */
#include "api/cloudstack/account/projects.h"
#include "engine/instance/instance.h"
#include "engine/people/account/account_purge.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/instance_snapshot.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"
#include "store/volume.h"

/* ---- who is in a project ---- */

enum standing cs_find_standing(const struct tables *t, uuid project, uuid account, uuid user)
{
	enum standing best = CS_NOT_IN;
	const struct role_assignment *a = role_assignment_first_by_account(t, project);
	for (; a && best != CS_PROJECT_ADMIN; a = role_assignment_next_by_account(t, a)) {
		const struct user *u = user_find(t, a->user);
		const struct account *of = u ? cs_account_of(t, u) : NULL;
		const struct role *role = role_find(t, a->role);
		if (a->inherited || !of || !role ||
		    !(uuid_equal(of->row.id, account) || uuid_equal(u->row.id, user)))
			continue;
		best = role->right >= ROLE_RIGHT_MANAGER ? CS_PROJECT_ADMIN : CS_REGULAR;
	}
	return best;
}

RESULT cs_list_members(struct ctx *c, const struct tables *t, uuid project, struct uuids *ret_accounts)
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

bool cs_manages_project(const struct tables *t, uuid project, uuid user)
{
	const struct account *account = account_find(t, project);
	return account && row_is_live(&account->row) && cs_is_project(t, project) &&
	       cs_find_standing(t, project, UUID_NONE, user) == CS_PROJECT_ADMIN;
}

bool cs_manages_a_project(const struct tables *t, uuid user)
{
	const struct role_assignment *a = role_assignment_first_by_user(t, user);
	while (a && !(account_find(t, a->account) && cs_manages_project(t, a->account, user)))
		a = role_assignment_next_by_user(t, a);
	return a;
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
		    cs_find_standing(m->t, a->account, m->account, UUID_NONE) == CS_PROJECT_ADMIN)
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
	       (identity_is_admin(who) || cs_find_standing(api_tables(e), row->id, who->account, who->user));
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
	return is_all || is_domains || cs_find_standing(api_tables(e), row->id, who->account, who->user);
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
	if (!result_is_ok(cs_list_members(e->c, t, row->id, &accounts)))
		accounts.count = 0; /* full arena: the call fails when its answer ends */
	for (size_t k = 0; k < accounts.count; k++) {
		if (cs_find_standing(t, row->id, accounts.at[k], UUID_NONE) != CS_PROJECT_ADMIN)
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

RESULT cs_find_project(struct cs_call *e, const struct ref *ref, const char *parameter,
		       const struct account **ret_project)
{
	const struct account *project = account_find(cs_tables(e), ref->prefix);
	if (!project || !row_is_live(&project->row) || !sees(&e->core, &project->row))
		return cs_fail_id(e, KIND_ACCOUNT, parameter, ref->text);
	*ret_project = project;
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
	P("displaytext", wish.description, .doc = "Description or display text; absent: the name."),
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
	return cs_add_member(op, a->wish.account, a->first, UUID_NONE, ROLE_RIGHT_MANAGER, UUID_NONE);
}

#define PROJECT                                                                                              \
	PARAM(struct account_change, "id", account, .kind = KIND_ACCOUNT, .flags = REQUIRED,                 \
	      .doc = "The project.")
static const struct param one_params[] = {PROJECT};
#define P(wire, member, ...) PARAM(struct project_change, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", wish.account, .kind = KIND_ACCOUNT, .flags = REQUIRED, .doc = "The project."),
	P("displaytext", wish.description, .doc = "New description or display text."),
	P("name", wish.name, .doc = "New name."),
	P("account", account, .doc = "Member account that becomes administrator, by name."),
	P("userid", user, .kind = KIND_USER, .doc = "Member user whose role changes; needs swapowner=false."),
	P("roletype", role, .doc = "Role of the member with swapowner=false: Admin or Regular (default)."),
	P("swapowner", swaps,
	  .doc = "true (default): the account takes the place of the present administrator."),
};
#undef P

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct project_change *a = args;
	const struct account *project = NULL;
	TRY(cs_find_project(e, &a->wish.account, "id", &project));
	return cs_check_new_owner(e, a, project);
}

static RESULT update(struct op *op, void *args)
{
	struct project_change *a = args;
	TRY(engine_update_account(op, &a->wish));
	return cs_change_owner(op, a);
}

static RESULT check_project(struct cs_call *e, void *args)
{
	const struct account *project = NULL;
	return cs_find_project(e, &((struct account_change *) args)->account, "id", &project);
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

/* A suspended project's machines are stopped (ProjectManagerImpl.suspendProject()). A locked one refuses that, and the project
 * stays as it is. */
static RESULT stop_machines(struct op *op, uuid project)
{
	struct instances_wish wish = {0};
	size_t most = 0;
	for (const struct instance *i = instance_first_by_account(op->head, project); i;
	     i = instance_next_by_account(op->head, i))
		most++;
	struct ref *refs = arena_new_array(op->ctx->arena, struct ref, most + 1);
	if (!refs)
		return ctx_no_memory(op->ctx);
	wish.instances.at = refs;
	for (const struct instance *i = instance_first_by_account(op->head, project); i;
	     i = instance_next_by_account(op->head, i))
		if (row_is_live(&i->row) && i->wanted_power == INSTANCE_WANTED_POWER_ON &&
		    model_derive_instance_state(i) != INSTANCE_TERMINATED)
			refs[wish.instances.count++] = ref_by_id(KIND_INSTANCE, i->row.id);
	return wish.instances.count ? engine_stop_instances(op, &wish) : OK;
}

static RESULT suspend_project(struct op *op, void *args)
{
	struct account_change *a = args;
	TRY(stop_machines(op, a->account.prefix));
	return engine_update_account(op, a);
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
	TRY(cs_find_project(e, &a->target.account, "id", &project));
	return a->with_all == CHOICE_YES ? OK : check_unused(e, project);
}

#define CHANGES .flags = API_WRITES | CS_ADMIN | CS_OF_PROJECT, .returns = API_RETURNS_NOTHING_STORED
/* Root administrators alone: an operator who has disabled a project's account must not be overruled by its members. */
#define STATE_CHANGES .flags = API_WRITES | CS_ADMIN, .returns = API_RETURNS_NOTHING_STORED
#define AT_ONCE .outcome = ASYNC_JOB_OUTCOME_NOW
static const struct cs_action actions[] = {
	{CS_ACTION("listProjects", "organizations:ListAccounts"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_projects, list_params), .listing = &projects, .doc = "Lists projects."},
	{CS_ACTION("createProject", "identity:create_project"),
	 .flags = API_WRITES | CS_ADMIN | CS_OF_ACCOUNT | CS_MAKES, .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct make_project, create_params), .prepare = prepare_create, .operation = create,
	 CS_SUBJECT(struct make_project, wish.account), .shows = &projects, AT_ONCE,
	 .doc = "Creates a project."},
	{CS_ACTION("updateProject", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct project_change, update_params), .prepare = prepare_update, .operation = update,
	 CS_SUBJECT(struct project_change, wish.account.prefix), .shows = &projects, AT_ONCE,
	 .doc = "Changes a project."},
	{CS_ACTION("activateProject", "identity:update_project"), STATE_CHANGES,
	 .args = PARAMS(struct account_change, one_params), .prepare = activate,
	 .operation = engine_update_account_run, CS_SUBJECT(struct account_change, account.prefix),
	 .shows = &projects, AT_ONCE, .doc = "Activates a project."},
	{CS_ACTION("suspendProject", "identity:update_project"), STATE_CHANGES,
	 .args = PARAMS(struct account_change, one_params), .prepare = suspend, .operation = suspend_project,
	 CS_SUBJECT(struct account_change, account.prefix), .shows = &projects, AT_ONCE,
	 .doc = "Suspends a project: stops its machines. Nobody can use it."},
	{CS_ACTION("deleteProject", "identity:delete_project"), .flags = API_WRITES | CS_ADMIN,
	 .returns = API_RETURNS_NOTHING_STORED, .args = PARAMS(struct delete_project, delete_params),
	 .prepare = prepare_delete, .operation = engine_purge_account_run, .about = KIND_ACCOUNT,
	 CS_SUBJECT(struct delete_project, target.account.prefix), .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a project."},
};
const struct api_actions cs_project_actions = API_ACTIONS(actions);
