/* SPDX-License-Identifier: Apache-2.0
 * Rules of roles: creates, changes and deletes them, and imports a role with its rules. A role that was created from
 * another role has the rules that listRolePermissions shows of it; its first change writes them down, and ends what
 * the role implies. Standard roles keep their right. Sources: CreateRolePermissionCmd, UpdateRolePermissionCmd,
 * ImportRoleCmd, Rule and RoleManagerImpl of 4.18; messages about standard roles are our own.
 */
#include "api/cloudstack/account/people.h"
#include "base/uuid_asked.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/role.h"

enum { RULE_SIZE_MAX = CS_RULE_SIZE_MAX, RULE_TEXT_MAX = 255 };

struct said_rule {
	struct str rule, permission, description;
};
static const struct param said_params[] = {
	PARAM(struct said_rule, "rule", rule, .doc = "Command; * stands for any letters."),
	PARAM(struct said_rule, "permission", permission, .doc = "Permission: allow or deny."),
	PARAM(struct said_rule, "description", description, .doc = "Description or display text."),
};
static const struct params rule_params = PARAMS(struct said_rule, said_params);

struct rule_args {
	struct ref role;
	struct said_rule said;
	struct str rule_id, name, description, type;
	struct strs order;
	struct {
		const struct said_rule *at;
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

/* ---- one rule ---- */

static RESULT read_permission(struct cs_call *e, struct str word, bool *ret_allows)
{
	*ret_allows = str_equal_nocase(word, STR("allow"));
	return *ret_allows || str_equal_nocase(word, STR("deny"))
		       ? OK
		       : cs_fail(e, "permission", "Values for permission parameter should be: allow or deny");
}

static RESULT read_rule(struct cs_call *e, const struct said_rule *said, struct cs_rule *ret_rule)
{
	bool is_word = said->rule.n && said->rule.n <= RULE_SIZE_MAX;
	for (size_t k = 0; k < said->rule.n; k++) {
		char c = said->rule.p[k];
		is_word = is_word && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				      (c >= '0' && c <= '9') || c == '*');
	}
	if (!is_word)
		return cs_fail(e, "rule",
			       "Only API names and wildcards are allowed, invalid rule provided: %" STR_FMT,
			       STR_ARG(str_slice(said->rule, 0, RULE_SIZE_MAX)));
	if (said->description.n > RULE_TEXT_MAX || !str_is_line(said->description))
		return cs_fail(e, "description", "The description of a rule is a line of at most %d bytes",
			       RULE_TEXT_MAX);
	*ret_rule = (struct cs_rule){.command = said->rule, .text = said->description};
	return read_permission(e, said->permission, &ret_rule->allows);
}

/* Rules that a change works on. */
struct rules {
	struct str at[CS_RULES_MAX];
	size_t count;
};

static bool is_of(struct str kept, struct str command)
{
	return str_equal_nocase(cs_read_rule(kept).command, command);
}

static size_t find_rule(const struct rules *rules, uuid role, struct str id)
{
	uuid asked = UUID_NONE;
	size_t k = 0;
	if (!result_is_ok(uuid_parse_asked(id, &asked)))
		return rules->count;
	while (k < rules->count && !uuid_equal(cs_rule_id(role, cs_read_rule(rules->at[k]).command), asked))
		k++;
	return k;
}

static RESULT check_count(struct ctx *c, size_t count)
{
	return count <= CS_RULES_MAX ? OK
				     : ctx_fail_field(c, ERR_QUOTA, STR("rule"),
						      "A role has at most %d rules", CS_RULES_MAX);
}

/* ---- changes ---- */

/* Rules of the role as it is; standard roles have no row that a change could be written to. */
static RESULT start(struct op *op, const struct rule_args *a, const struct ref *ref, struct rules **ret_rules)
{
	const struct role *role = role_find(op->head, ref->prefix);
	struct rules *rules = arena_new_object(op->ctx->arena, struct rules);
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

static RESULT keep(struct op *op, const struct ref *role, const struct rules *rules)
{
	struct role_change change = {.role = *role, .rules = &(const struct strs){rules->at, rules->count}};
	return engine_update_role(op, &change);
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct rule_args *a = args;
	struct cs_rule rule;
	a->commands = &e->face->entries;
	return read_rule(e, &a->said, &rule);
}

static RESULT create(struct op *op, void *args)
{
	struct rule_args *a = args;
	struct rules *rules = NULL;
	TRY(start(op, a, &a->role, &rules));
	for (size_t k = 0; k < rules->count; k++)
		if (is_of(rules->at[k], a->said.rule))
			return ctx_fail_field(op->ctx, ERR_INVALID, STR("rule"),
					      "Rule %" STR_FMT " already exists for the role",
					      STR_ARG(a->said.rule));
	TRY(check_count(op->ctx, rules->count + 1));
	const struct cs_rule rule = {str_equal_nocase(a->said.permission, STR("allow")), a->said.rule,
				     a->said.description};
	rules->at[rules->count++] = cs_write_rule(op->ctx->arena, &rule);
	a->id = cs_rule_id(a->role.prefix, rule.command);
	return keep(op, &a->role, rules);
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct rule_args *a = args;
	bool allows;
	a->commands = &e->face->entries;
	if (a->order.count && (a->rule_id.n || a->said.permission.n))
		return cs_fail(e, "ruleorder",
			       "Parameters permission and ruleid must be mutually exclusive with ruleorder");
	if (a->order.count)
		return OK;
	if (!a->rule_id.n || !a->said.permission.n)
		return cs_fail(e, "ruleid",
			       "Parameters permission and ruleid must be mutually exclusive with ruleorder");
	return read_permission(e, a->said.permission, &allows);
}

/* An order that lacks a rule, or names one twice or one that is gone, comes from somebody who saw another list. */
static RESULT reorder(struct op *op, const struct rule_args *a, const struct rules *rules, struct rules *next)
{
	bool is_whole = a->order.count == rules->count;
	for (size_t k = 0; k < a->order.count && is_whole; k++) {
		size_t at = find_rule(rules, a->role.prefix, a->order.at[k]);
		is_whole = at < rules->count;
		for (size_t n = 0; n < k && is_whole; n++)
			is_whole = next->at[n].p != rules->at[at].p;
		if (is_whole)
			next->at[next->count++] = rules->at[at];
	}
	return is_whole ? OK
			: ctx_fail_field(
				  op->ctx, ERR_INVALID, STR("ruleorder"),
				  "List of permissions doesn't match the list of permissions of the role: "
				  "please refresh the list and try again");
}

static RESULT update(struct op *op, void *args)
{
	struct rule_args *a = args;
	struct rules *rules = NULL, *next = arena_new_object(op->ctx->arena, struct rules);
	if (!next)
		return ctx_no_memory(op->ctx);
	TRY(start(op, a, &a->role, &rules));
	if (a->order.count) {
		next->count = 0;
		TRY(reorder(op, a, rules, next));
		return keep(op, &a->role, next);
	}
	size_t at = find_rule(rules, a->role.prefix, a->rule_id);
	if (at == rules->count)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("ruleid"), "Invalid rule id provided");
	struct cs_rule rule = cs_read_rule(rules->at[at]);
	rule.allows = str_equal_nocase(a->said.permission, STR("allow"));
	rules->at[at] = cs_write_rule(op->ctx->arena, &rule);
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
	struct rules *rules = NULL;
	for (const struct role *role = role_first(op->head); role; role = role_next(op->head, role)) {
		struct ref ref = ref_by_id(KIND_ROLE, role->row.id);
		if (engine_is_standard_role(role))
			continue;
		TRY(start(op, a, &ref, &rules));
		size_t at = find_rule(rules, role->row.id, a->rule_id);
		if (at == rules->count)
			continue;
		for (; at + 1 < rules->count; at++)
			rules->at[at] = rules->at[at + 1];
		rules->count--;
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
		TRY(read_rule(e, &a->rules.at[k], &rule));
		lines[k] = cs_write_rule(e->c->arena, &rule);
		for (size_t n = 0; n < k; n++)
			if (is_of(lines[n], rule.command))
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
