/* SPDX-License-Identifier: Apache-2.0
 * Project roles and their rules. A member with a project role may run the commands that its rules do not deny
 * (cs_check_project_role()). Administrators of the project change them. Sources: the commands of
 * admin.acl.project, and ProjectRoleManagerImpl, of 4.19.
 */
#include "api/cloudstack/account/projects.h"
#include "engine/people/policy/project_role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/project_role.h"

/* ---- listProjectRoles ---- */

struct list_roles {
	struct cs_list_args list;
	struct ref project, role;
};
#define P(wire, member, ...) PARAM(struct list_roles, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct list_roles),
	CS_NAME_PARAM(struct list_roles),
	P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED, .fits = FITS(project_role, account),
	  .doc = "Project whose roles are listed."),
	P("projectroleid", list.id, .kind = KIND_PROJECT_ROLE, .doc = "Project role by id."),
};
static const struct param list_rules_params[] = {
	P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED, .doc = "The project."),
	P("projectroleid", role, .kind = KIND_PROJECT_ROLE,
	  .doc = "The project role; absent: all of the project."),
};
#undef P

/* Members see the roles of their project. */
static bool sees(struct api_call *e, const struct row *row)
{
	const struct identity *who = e->c->who;
	uuid project = project_role_of(row)->account;
	return identity_is_admin(who) ||
	       cs_find_standing(api_tables(e), project, UUID_NONE, who->user) != CS_NOT_IN;
}

static const struct member members[] = {
	MEMBER(struct project_role, "id", row.id),
	MEMBER(struct project_role, "name", name),
	MEMBER(struct project_role, "description", description, .is_optional = true),
	MEMBER_FIXED("ispublic", "true"),
	MEMBER(struct project_role, "projectid", account),
};
static const struct api_listing roles =
	CS_LISTING(KIND_PROJECT_ROLE, "projectrole", members, .name = offsetof(struct project_role, name),
		   .is_all = true, .sees = sees);

/* ---- listProjectRolePermissions ---- */

static void write_rule(struct cs_call *e, struct json_writer *w, const char *name,
		       const struct project_role *role, struct str line)
{
	const struct cs_rule rule = cs_read_rule(line);
	json_write_open(w, name);
	json_write_text(w, "id", uuid_to_str(e->c->arena, cs_rule_id(role->row.id, rule.command)));
	json_write_text(w, "projectid", uuid_to_str(e->c->arena, role->account));
	json_write_text(w, "projectroleid", uuid_to_str(e->c->arena, role->row.id));
	json_write_text(w, "projectrolename", role->name);
	json_write_text(w, "rule", rule.command);
	json_write_z(w, "permission", rule.allows ? "allow" : "deny");
	if (rule.text.n)
		json_write_text(w, "description", rule.text);
	json_write_close(w);
}

static bool is_asked_for(const struct list_roles *a, const struct project_role *role)
{
	return !ref_is_given(&a->role) || uuid_equal(a->role.prefix, role->row.id);
}

static RESULT list_rules(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_roles *a = args;
	const struct tables *t = cs_tables(e);
	const struct account *project = NULL;
	int64_t count = 0;
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	const struct project_role *named = project_role_find(t, a->role.prefix);
	if (ref_is_given(&a->role) && (!named || !uuid_equal(named->account, project->row.id)))
		return cs_fail_id(e, KIND_PROJECT_ROLE, "projectroleid", a->role.text);
	const struct project_role *role = project_role_first_by_account(t, project->row.id);
	for (; role; role = project_role_next_by_account(t, role))
		count += is_asked_for(a, role) ? (int64_t) role->rules.count : 0;
	if (!count)
		return OK;
	json_write_int(w, "count", count);
	json_write_open_list(w, "projectrolepermission");
	role = project_role_first_by_account(t, project->row.id);
	for (; role; role = project_role_next_by_account(t, role))
		for (size_t k = 0; k < role->rules.count && is_asked_for(a, role); k++)
			write_rule(e, w, NULL, role, role->rules.at[k]);
	json_write_close_list(w);
	return OK;
}

/* ---- roles: changes ---- */

struct role_args {
	struct ref project;
	struct project_role_wish wish;
	struct project_role_change change;
	struct cs_said_rule said;
	struct str rule_id;
	struct strs order;
	uuid id; /* result: id of the new rule */
};
#define P(wire, member, ...) PARAM(struct role_args, wire, member, __VA_ARGS__)
#define PROJECT P("projectid", project, .kind = KIND_ACCOUNT, .flags = REQUIRED, .doc = "The project.")
#define ROLE(wire)                                                                                           \
	P(wire, change.role, .kind = KIND_PROJECT_ROLE, .flags = REQUIRED, .doc = "The project role.")
static const struct param create_params[] = {
	PROJECT,
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name; unique in the project."),
	P("description", wish.description, .doc = "Description or display text."),
};
static const struct param update_params[] = {
	PROJECT,
	ROLE("id"),
	P("name", change.name, .doc = "New name."),
	P("description", change.description, .doc = "New description or display text."),
};
static const struct param delete_params[] = {PROJECT, ROLE("id")};
static const struct param create_rule_params[] = {
	PROJECT,
	ROLE("projectroleid"),
	P("rule", said.rule, .flags = REQUIRED, .doc = "Command; * stands for any letters."),
	P("permission", said.permission, .flags = REQUIRED, .doc = "Permission: allow or deny."),
	P("description", said.description, .doc = "Description or display text."),
};
static const struct param update_rule_params[] = {
	PROJECT,
	ROLE("projectroleid"),
	P("ruleorder", order, .max = CS_RULES_MAX, .doc = "Ids of all rules of the role, in the new order."),
	P("projectrolepermissionid", rule_id, .doc = "Rule to change, instead of an order."),
	P("permission", said.permission, .doc = "New permission: allow or deny."),
};
static const struct param delete_rule_params[] = {
	PROJECT,
	P("id", rule_id, .flags = REQUIRED, .doc = "The rule."),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct role_args *a = args;
	const struct account *project = NULL;
	a->wish.account = a->project;
	return cs_find_project(e, &a->project, "projectid", &project);
}

/* Checks that the role is the project's: the caller may administer that project alone. */
static RESULT check_role(struct cs_call *e, const struct role_args *a, const char *parameter)
{
	const struct account *project = NULL;
	const struct project_role *role = project_role_find(cs_tables(e), a->change.role.prefix);
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	return role && uuid_equal(role->account, project->row.id)
		       ? OK
		       : cs_fail_id(e, KIND_PROJECT_ROLE, parameter, a->change.role.text);
}

static RESULT prepare_one(struct cs_call *e, void *args)
{
	return check_role(e, args, "id");
}

static RESULT create(struct op *op, void *args)
{
	return engine_create_project_role(op, &((struct role_args *) args)->wish);
}

static RESULT update(struct op *op, void *args)
{
	return engine_update_project_role(op, &((struct role_args *) args)->change);
}

static RESULT delete (struct op *op, void *args)
{
	struct project_role_target target = {((struct role_args *) args)->change.role};
	return engine_delete_project_role(op, &target);
}

/* ---- rules: changes ---- */

static RESULT prepare_create_rule(struct cs_call *e, void *args)
{
	struct role_args *a = args;
	struct cs_rule rule;
	TRY(check_role(e, a, "projectroleid"));
	return cs_read_said_rule(e, &a->said, &rule);
}

static RESULT prepare_update_rule(struct cs_call *e, void *args)
{
	struct role_args *a = args;
	TRY(check_role(e, a, "projectroleid"));
	return cs_check_rule_change(e, &a->order, a->rule_id, a->said.permission);
}

/* Finds the role of the rule, whose id is derived from both. */
static RESULT prepare_delete_rule(struct cs_call *e, void *args)
{
	struct role_args *a = args;
	const struct account *project = NULL;
	struct cs_rules *rules = arena_new_object(e->c->arena, struct cs_rules);
	TRY(cs_find_project(e, &a->project, "projectid", &project));
	if (!rules)
		return ctx_no_memory(e->c);
	const struct project_role *role = project_role_first_by_account(cs_tables(e), project->row.id);
	for (; role; role = project_role_next_by_account(cs_tables(e), role)) {
		for (rules->count = 0; rules->count < role->rules.count; rules->count++)
			rules->at[rules->count] = role->rules.at[rules->count];
		if (cs_find_rule(rules, role->row.id, a->rule_id) == rules->count)
			continue;
		a->change.role = ref_by_id(KIND_PROJECT_ROLE, role->row.id);
		return OK;
	}
	return cs_fail(e, "id", "Invalid role permission id provided for the project");
}

/* Rules of the role as it is. */
static RESULT start(struct op *op, const struct ref *ref, struct cs_rules **ret_rules)
{
	const struct project_role *role = project_role_find(op->head, ref->prefix);
	struct cs_rules *rules = arena_new_object(op->ctx->arena, struct cs_rules);
	if (!rules)
		return ctx_no_memory(op->ctx);
	if (!role)
		return engine_fail_not_found(op->ctx, KIND_PROJECT_ROLE, ref);
	for (; rules->count < role->rules.count; rules->count++)
		rules->at[rules->count] = role->rules.at[rules->count];
	*ret_rules = rules;
	return OK;
}

static RESULT keep(struct op *op, struct role_args *a, const struct cs_rules *rules)
{
	const struct strs kept = {rules->at, rules->count};
	a->change.rules = &kept;
	return engine_update_project_role(op, &a->change);
}

static RESULT create_rule(struct op *op, void *args)
{
	struct role_args *a = args;
	struct cs_rules *rules = NULL;
	TRY(start(op, &a->change.role, &rules));
	TRY(cs_add_rule(op->ctx, rules, a->change.role.prefix, &a->said, &a->id));
	return keep(op, a, rules);
}

static RESULT update_rule(struct op *op, void *args)
{
	struct role_args *a = args;
	struct cs_rules *rules = NULL;
	uuid role = a->change.role.prefix;
	TRY(start(op, &a->change.role, &rules));
	if (a->order.count)
		TRY(cs_order_rules(op->ctx, rules, role, &a->order));
	else
		TRY(cs_change_rule(op->ctx, rules, role, a->rule_id, a->said.permission));
	return keep(op, a, rules);
}

static RESULT delete_rule(struct op *op, void *args)
{
	struct role_args *a = args;
	struct cs_rules *rules = NULL;
	TRY(start(op, &a->change.role, &rules));
	return cs_drop_rule(rules, a->change.role.prefix, a->rule_id)
		       ? keep(op, a, rules)
		       : ctx_fail_field(op->ctx, ERR_INVALID, STR("id"),
					"Invalid role permission id provided for the project");
}

static RESULT show_rule(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct role_args *a = args;
	const struct row *row = NULL;
	TRY(cs_find_returned(e, a->change.role.prefix, &row));
	const struct project_role *role = project_role_of(row);
	for (size_t k = 0; k < role->rules.count; k++)
		if (uuid_equal(cs_rule_id(row->id, cs_read_rule(role->rules.at[k]).command), a->id))
			write_rule(e, w, "projectrolepermission", role, role->rules.at[k]);
	return OK;
}

#define CHANGES .flags = API_WRITES | CS_ADMIN | CS_OF_PROJECT
#define PERMISSION "identity:update_project"
#define SAYS "id|projectid|projectroleid|projectrolename|rule|permission|description"
static const struct cs_action actions[] = {
	{CS_ACTION("listProjectRoles", "organizations:ListAccounts"),
	 .args = PARAMS(struct list_roles, list_params), .listing = &roles,
	 .doc = "Lists the roles of a project."},
	{CS_ACTION("listProjectRolePermissions", "organizations:ListAccounts"),
	 .args = PARAMS(struct list_roles, list_rules_params), .answer = list_rules, .says = SAYS,
	 .doc = "Lists the rules of a project's roles."},
	{CS_ACTION("createProjectRole", PERMISSION), CHANGES, .args = PARAMS(struct role_args, create_params),
	 .prepare = prepare_create, .operation = create, .returns = KIND_PROJECT_ROLE,
	 CS_SUBJECT(struct role_args, wish.role), .shows = &roles, .doc = "Creates a role of a project."},
	{CS_ACTION("updateProjectRole", PERMISSION), CHANGES, .args = PARAMS(struct role_args, update_params),
	 .prepare = prepare_one, .operation = update, .returns = KIND_PROJECT_ROLE,
	 CS_SUBJECT(struct role_args, change.role.prefix), .shows = &roles,
	 .doc = "Changes a role of a project."},
	{CS_ACTION("deleteProjectRole", PERMISSION), CHANGES, .args = PARAMS(struct role_args, delete_params),
	 .prepare = prepare_one, .operation = delete, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a role of a project that no member has."},
	{CS_ACTION("createProjectRolePermission", PERMISSION), CHANGES,
	 .args = PARAMS(struct role_args, create_rule_params), .prepare = prepare_create_rule,
	 .operation = create_rule, .returns = KIND_PROJECT_ROLE, .answer = show_rule, .says = SAYS,
	 .doc = "Adds a rule to a project's role, which allows or denies a command."},
	{CS_ACTION("updateProjectRolePermission", PERMISSION), CHANGES,
	 .args = PARAMS(struct role_args, update_rule_params), .prepare = prepare_update_rule,
	 .operation = update_rule, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes a rule, or the order of the rules of a project's role."},
	{CS_ACTION("deleteProjectRolePermission", PERMISSION), CHANGES,
	 .args = PARAMS(struct role_args, delete_rule_params), .prepare = prepare_delete_rule,
	 .operation = delete_rule, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a rule of a project's role."},
};
const struct api_actions cs_project_role_actions = API_ACTIONS(actions);
