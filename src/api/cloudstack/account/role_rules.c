/* SPDX-License-Identifier: Apache-2.0
 * Rules of roles: creates, changes and deletes them, and imports a role with its rules. A role that was created from
 * another role has the rules that listRolePermissions shows of it; its first change writes them down, and ends what
 * the role implies. Standard roles keep their right. Sources: CreateRolePermissionCmd, UpdateRolePermissionCmd,
 * ImportRoleCmd, Rule and RoleManagerImpl of 4.18; messages about standard roles are our own.
 */
#include "api/cloudstack/account/people.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/role.h"

static const struct param said_params[] = {
	PARAM(struct cs_said_rule, "rule", rule, .doc = "Command; * stands for any letters."),
	PARAM(struct cs_said_rule, "permission", permission, .doc = "Permission: allow or deny."),
	PARAM(struct cs_said_rule, "description", description, .doc = "Description or display text."),
};
static const struct params rule_params = PARAMS(struct cs_said_rule, said_params);

struct rule_args {
	struct ref role;
	struct cs_said_rule said;
	struct str rule_id, name, description, type;
	struct strs order;
	struct {
		const struct cs_said_rule *at;
		size_t count;
	} rules;
	enum choice is_forced;
	const struct api_entries *commands; /* of this face */
	/* results: */
	uuid id;
	struct role_wish wish;
};
#define P(wire, member, ...) PARAM(struct rule_args, wire, member, __VA_ARGS__)
#define ROLE P("roleid", role, .kind = KIND_ROLE, .flags = REQUIRED, .doc = "The role.")
static const struct param create_params[] = {
	ROLE,
	P("rule", said.rule, .flags = REQUIRED, .doc = "Command; * stands for any letters."),
	P("permission", said.permission, .flags = REQUIRED, .doc = "Permission: allow or deny."),
	P("description", said.description, .doc = "Description or display text."),
};
static const struct param update_params[] = {
	ROLE,
	P("ruleorder", order, .max = CS_RULES_MAX, .doc = "Ids of all rules of the role, in the new order."),
	P("ruleid", rule_id, .doc = "Rule to change, instead of an order."),
	P("permission", said.permission, .doc = "New permission: allow or deny."),
};
static const struct param delete_params[] = {
	P("id", rule_id, .flags = REQUIRED, .doc = "The rule."),
};
static const struct param import_params[] = {
	P("name", name, .flags = REQUIRED, .min = 1, .doc = "Name; unique."),
	P("description", description, .doc = "Description or display text."),
	P("type", type, .words = "Admin|ResourceAdmin|DomainAdmin|User", .doc = "Type of the role."),
	PARAM_LIST(struct rule_args, "rules", rules, rule_params, .max = CS_RULES_MAX, .flags = REQUIRED,
		   .doc = "Rules, as rules[0].rule, rules[0].permission and rules[0].description."),
	P("forced", is_forced, .doc = "Replaces the rules of an existing role of this name."),
	NOT_BUILT("ispublic", .only = "true"),
};
#undef P

/* ---- changes ---- */

/* Rules of the role as it is; standard roles have no row that a change could be written to. */
static RESULT start(struct op *op, const struct rule_args *a, const struct ref *ref,
		    struct cs_rules **ret_rules)
{
	const struct role *role = role_find(op->head, ref->prefix);
	struct cs_rules *rules = arena_new_object(op->ctx->arena, struct cs_rules);
	if (!rules)
		return ctx_no_memory(op->ctx);
	if (!role ||
	    (uuid_is_none(role->domain) && engine_is_standard_role(role) && role->right == ROLE_RIGHT_NONE))
		return engine_fail_not_found(op->ctx, KIND_ROLE, ref);
	if (role->right != ROLE_RIGHT_NONE)
		return ctx_fail_field(op->ctx, ERR_PROTECTED, STR("roleid"),
				      "The rules of default roles cannot be changed");
	rules->count = cs_list_rules(op->ctx->arena, op->head, a->commands, role, rules->at);
	*ret_rules = rules;
	return OK;
}

static RESULT keep(struct op *op, const struct ref *role, const struct cs_rules *rules)
{
	struct role_change change = {.role = *role, .rules = &(const struct strs){rules->at, rules->count}};
	return engine_update_role(op, &change);
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct rule_args *a = args;
	struct cs_rule rule;
	a->commands = &e->face->entries;
	return cs_read_said_rule(e, &a->said, &rule);
}

static RESULT create(struct op *op, void *args)
{
	struct rule_args *a = args;
	struct cs_rules *rules = NULL;
	TRY(start(op, a, &a->role, &rules));
	TRY(cs_add_rule(op->ctx, rules, a->role.prefix, &a->said, &a->id));
	return keep(op, &a->role, rules);
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct rule_args *a = args;
	a->commands = &e->face->entries;
	return cs_check_rule_change(e, &a->order, a->rule_id, a->said.permission);
}

static RESULT update(struct op *op, void *args)
{
	struct rule_args *a = args;
	struct cs_rules *rules = NULL;
	TRY(start(op, a, &a->role, &rules));
	if (a->order.count)
		TRY(cs_order_rules(op->ctx, rules, a->role.prefix, &a->order));
	else
		TRY(cs_change_rule(op->ctx, rules, a->role.prefix, a->rule_id, a->said.permission));
	return keep(op, &a->role, rules);
}

static RESULT prepare_drop(struct cs_call *e, void *args)
{
	((struct rule_args *) args)->commands = &e->face->entries;
	return OK;
}

/* Finds the role of the rule, whose id is derived from both. */
static RESULT drop(struct op *op, void *args)
{
	struct rule_args *a = args;
	struct cs_rules *rules = NULL;
	for (const struct role *role = role_first(op->head); role; role = role_next(op->head, role)) {
		struct ref ref = ref_by_id(KIND_ROLE, role->row.id);
		if (engine_is_standard_role(role))
			continue;
		TRY(start(op, a, &ref, &rules));
		if (cs_drop_rule(rules, role->row.id, a->rule_id))
			return keep(op, &ref, rules);
	}
	return ctx_fail_field(op->ctx, ERR_INVALID, STR("id"), "Invalid role permission id provided");
}

/* ---- importRole ---- */

static RESULT prepare_import(struct cs_call *e, void *args)
{
	struct rule_args *a = args;
	struct str *lines = arena_new_array(e->c->arena, struct str, a->rules.count + 1);
	struct tag *tag = arena_new_object(e->c->arena, struct tag);
	if (!lines || !tag)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->rules.count; k++) {
		struct cs_rule rule;
		TRY(cs_read_said_rule(e, &a->rules.at[k], &rule));
		lines[k] = cs_write_rule(e->c->arena, &rule);
		for (size_t n = 0; n < k; n++)
			if (str_equal_nocase(cs_read_rule(lines[n]).command, rule.command))
				return cs_fail(e, "rules", "Rule %" STR_FMT " already exists for the role",
					       STR_ARG(rule.command));
	}
	*tag = (struct tag){STR(CS_ROLE_TYPE), str_print(e->c->arena, "\"%" STR_FMT "\"",
							 STR_ARG(a->type.n ? a->type : STR("User")))};
	a->wish = (struct role_wish){.name = a->name,
				     .description = a->description,
				     .extra = {tag, 1},
				     .rules = {lines, a->rules.count}};
	return OK;
}

static RESULT import(struct op *op, void *args)
{
	struct rule_args *a = args;
	const struct role *role = role_find_by_domain(op->head, UUID_NONE, a->name);
	if (!role || a->is_forced != CHOICE_YES)
		return engine_create_role(op, &a->wish);
	struct role_change change = {.role = ref_by_id(KIND_ROLE, role->row.id),
				     .description = a->description.n ? &a->description : NULL,
				     .extra = a->wish.extra,
				     .rules = &a->wish.rules};
	a->wish.role = role->row.id;
	return engine_update_role(op, &change);
}

/* ---- answers ---- */

static RESULT show_rule(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct rule_args *a = args;
	const struct row *row = NULL;
	TRY(cs_find_returned(e, a->role.prefix, &row));
	for (size_t k = 0; k < role_of(row)->rules.count; k++) {
		struct cs_rule rule = cs_read_rule(role_of(row)->rules.at[k]);
		if (!uuid_equal(cs_rule_id(row->id, rule.command), a->id))
			continue;
		cs_write_role_rule(e, w, "rolepermission", role_of(row), &rule);
	}
	return OK;
}

#define CHANGES .flags = API_WRITES | CS_ADMIN
#define SAYS "id|roleid|rolename|rule|permission|description"
static const struct cs_action actions[] = {
	{CS_ACTION("createRolePermission", "identity:update_role"), CHANGES,
	 .args = PARAMS(struct rule_args, create_params), .prepare = prepare_create, .operation = create,
	 .returns = KIND_ROLE, .answer = show_rule, .says = SAYS,
	 .doc = "Adds a rule to a role, which allows or denies a command."},
	{CS_ACTION("updateRolePermission", "identity:update_role"), CHANGES,
	 .args = PARAMS(struct rule_args, update_params), .prepare = prepare_update, .operation = update,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Changes a rule, or the order of a role's rules."},
	{CS_ACTION("deleteRolePermission", "identity:update_role"), CHANGES,
	 .args = PARAMS(struct rule_args, delete_params), .prepare = prepare_drop, .operation = drop,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a rule of a role."},
	{CS_ACTION("importRole", "identity:create_role"), CHANGES,
	 .args = PARAMS(struct rule_args, import_params), .prepare = prepare_import, .operation = import,
	 .returns = KIND_ROLE, CS_SUBJECT(struct rule_args, wish.role), .shows = &cs_roles,
	 .doc = "Imports a role with its rules."},
};
const struct api_actions cs_role_rule_actions = API_ACTIONS(actions);
