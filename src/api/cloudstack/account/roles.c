/* SPDX-License-Identifier: Apache-2.0
 * Roles. The four standard roles are CloudStack's default roles of the same rights. The guard decides for
 * all faces (auth/guard/guard.h), so a role's permissions are the commands that this role alone would permit.
 * Source: API reference, "Role", 4.18.
 */
#include "api/cloudstack/account/people.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"

static const struct {
	const char *name, *type;
	int account_type;
} standard[] = {
	[ROLE_RIGHT_READER] = {"Read-Only User - Default", "User", 0},
	[ROLE_RIGHT_MEMBER] = {"User", "User", 0},
	[ROLE_RIGHT_MANAGER] = {"Domain Admin", "DomainAdmin", 2},
	[ROLE_RIGHT_ADMIN] = {"Root Admin", "Admin", 1},
};

struct str cs_role_name(const struct role *role)
{
	return role->right == ROLE_RIGHT_NONE ? role->name : str_from(standard[role->right].name);
}

const char *cs_role_type(const struct role *role)
{
	return role->right == ROLE_RIGHT_NONE ? "User" : standard[role->right].type;
}

int cs_account_type(const struct role *role)
{
	return role && role->right != ROLE_RIGHT_NONE ? standard[role->right].account_type : 0;
}

/* A role of CloudStack's that the account's own users have, if it gives no right; its owner always has a right. */
static const struct role *find_own_role(const struct tables *t, uuid account)
{
	const struct role *own = NULL;
	const struct role_assignment *a = role_assignment_first_by_account(t, account);
	for (; a; a = role_assignment_next_by_account(t, a)) {
		const struct user *user = user_find(t, a->user);
		const struct role *role = role_find(t, a->role);
		if (!role || a->inherited || !user || user->is_owner ||
		    !uuid_equal(user->default_account, account))
			continue;
		if (role->right != ROLE_RIGHT_NONE)
			return NULL;
		own = role;
	}
	return own;
}

const struct role *cs_role_of(const struct tables *t, uuid account)
{
	const struct role *best = find_own_role(t, account);
	const struct role_assignment *a = best ? NULL : role_assignment_first_by_account(t, account);
	for (; a; a = role_assignment_next_by_account(t, a)) {
		const struct role *role = role_find(t, a->role);
		if (role && !a->inherited && (!best || role->right > best->right))
			best = role;
	}
	return best;
}

void cs_write_role(struct api_call *e, struct json_writer *w, uuid account)
{
	const struct role *role = cs_role_of(api_tables(e), account);
	json_write_int(w, "accounttype", cs_account_type(role));
	if (!role)
		return;
	json_write_text(w, "roleid", uuid_to_str(e->c->arena, role->row.id));
	json_write_text(w, "rolename", cs_role_name(role));
	json_write_z(w, "roletype", cs_role_type(role));
}

/* ---- listRoles ---- */

struct list_roles {
	struct cs_list_args list;
	struct str type, state;
};
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_roles, KIND_ROLE),
	CS_NAME_PARAM(struct list_roles),
	PARAM(struct list_roles, "type", type, .words = "Admin|ResourceAdmin|DomainAdmin|User|Unknown",
	      .doc = "Type of the role."),
	PARAM(struct list_roles, "state", state, .words = "enabled|disabled",
	      .doc = "State of the role; all roles are enabled."),
};

static struct str get_name(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_role_name(role_of(row));
}

/* Right of the role, including implied roles. */
static enum role_right right_of(const struct tables *t, const struct role *role)
{
	struct roles roles = {.at = {role->row.id}, .count = 1};
	enum role_right best = role->right;
	engine_close_roles(t, &roles);
	for (size_t k = 0; k < roles.count; k++) {
		const struct role *one = role_find(t, roles.at[k]);
		best = one && one->right > best ? one->right : best;
	}
	return best;
}

/* Type that the role was created with, else that of the implied role. */
static struct str get_type(struct api_call *e, const struct row *row)
{
	const struct role *role = role_of(row);
	const struct tag *said = tags_find(role->extra, STR(CS_ROLE_TYPE));
	if (said && said->value.n > 2)
		return str_slice(said->value, 1,
				 said->value.n - 1); /* without the quotes of the JSON string */
	const struct role effective = {.right = right_of(api_tables(e), role)};
	return str_from(cs_role_type(&effective));
}

/* Keystone's roles without a right, which services' users have. */
static bool is_hidden(const struct role *role)
{
	return role->right == ROLE_RIGHT_NONE && engine_is_standard_role(role);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_roles *a = args;
	const struct role *role = role_of(row);
	return !is_hidden(role) && (!a->type.n || str_equal(a->type, get_type(e, row))) &&
	       !str_is(a->state, "disabled");
}

static void write_default(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) e;
	json_write_bool(w, name, role_of(row)->right != ROLE_RIGHT_NONE);
}

static const struct member members[] = {
	MEMBER(struct role, "id", row.id),
	MEMBER_TEXT("name", get_name),
	MEMBER_TEXT("type", get_type),
	MEMBER(struct role, "description", description, .is_optional = true),
	MEMBER_WRITTEN("isdefault", write_default),
	MEMBER_FIXED("ispublic", "true"),
	MEMBER_FIXED("state", "\"enabled\""),
};
const struct api_listing cs_roles =
	CS_LISTING(KIND_ROLE, "role", members, .get_name = get_name, .is_all = true, .matches = matches);

/* ---- listRolePermissions ---- */

struct permissions_args {
	struct ref role;
};
static const struct param permission_params[] = {
	PARAM(struct permissions_args, "roleid", role, .kind = KIND_ROLE, .doc = "Role."),
};

/* True if the right permits the command. */
static bool permits(enum role_right right, const struct api_action *a)
{
	enum role_right needed = a->flags & CS_ADMIN     ? ROLE_RIGHT_ADMIN
				 : a->flags & API_WRITES ? ROLE_RIGHT_MEMBER
							 : ROLE_RIGHT_READER;
	return a->flags & (API_OPEN | API_FOR_ALL) || right >= needed;
}

uuid cs_rule_id(uuid role, struct str command)
{
	char lower[CS_RULE_SIZE_MAX];
	size_t n = command.n < sizeof lower ? command.n : sizeof lower;
	for (size_t k = 0; k < n; k++)
		lower[k] = (char) (command.p[k] >= 'A' && command.p[k] <= 'Z' ? command.p[k] - 'A' + 'a'
									      : command.p[k]);
	return uuid_v5(role, (struct str){lower, n});
}

size_t cs_list_rules(struct arena *a, const struct tables *t, const struct api_entries *commands,
		     const struct role *role, struct str ret_lines[static CS_RULES_MAX])
{
	enum role_right right = right_of(t, role);
	size_t count = 0;
	for (; count < role->rules.count && count < CS_RULES_MAX; count++)
		ret_lines[count] = role->rules.at[count];
	if (role->rules.count || right == ROLE_RIGHT_NONE)
		return count;
	for (size_t k = 0; k < commands->count && right != ROLE_RIGHT_ADMIN && count + 1 < CS_RULES_MAX;
	     k++) {
		const struct cs_rule rule = {true, str_from(commands->at[k].action->name), STR_NONE};
		if (permits(right, commands->at[k].action))
			ret_lines[count++] = cs_write_rule(a, &rule);
	}
	const struct cs_rule rest = {right == ROLE_RIGHT_ADMIN, STR("*"), STR_NONE};
	ret_lines[count++] = cs_write_rule(a, &rest);
	return count;
}

void cs_write_role_rule(struct cs_call *e, struct json_writer *w, const char *name, const struct role *role,
			const struct cs_rule *rule)
{
	json_write_open(w, name);
	json_write_text(w, "id", uuid_to_str(e->c->arena, cs_rule_id(role->row.id, rule->command)));
	json_write_text(w, "roleid", uuid_to_str(e->c->arena, role->row.id));
	json_write_text(w, "rolename", cs_role_name(role));
	json_write_text(w, "rule", rule->command);
	json_write_z(w, "permission", rule->allows ? "allow" : "deny");
	if (rule->text.n)
		json_write_text(w, "description", rule->text);
	json_write_close(w);
}

struct shown_rule {
	const struct role *role;
	struct str line;
};

static void write_shown(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct shown_rule *shown = item;
	struct cs_rule rule = cs_read_rule(shown->line);
	cs_write_role_rule(e, w, NULL, shown->role, &rule);
}

/* Appends the role's rules to the list, which has room for all commands of each role. */
static RESULT add_rules(struct cs_call *e, const struct role *role, const void **items, size_t *count)
{
	struct str *lines = arena_new_array(e->c->arena, struct str, CS_RULES_MAX);
	if (!lines)
		return ctx_no_memory(e->c);
	size_t n = cs_list_rules(e->c->arena, cs_tables(e), &e->face->entries, role, lines);
	for (size_t k = 0; k < n; k++) {
		struct shown_rule *shown = arena_new_object(e->c->arena, struct shown_rule);
		if (!shown)
			return ctx_no_memory(e->c);
		*shown = (struct shown_rule){role, lines[k]};
		items[(*count)++] = shown;
	}
	return OK;
}

/* Lists a root administrator's single rule, a role's own rules, or each command that the role's right permits and a
 * final deny. */
static RESULT list_permissions(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct ref *ref = &((const struct permissions_args *) args)->role;
	const struct tables *t = cs_tables(e);
	const struct role *named = ref_is_given(ref) ? role_find(t, ref->prefix) : NULL;
	size_t count = 0;
	const void **items = arena_new_array(e->c->arena, const void *,
					     (named ? 1 : tables_count(t, KIND_ROLE) + 1) * CS_RULES_MAX);
	if (!items)
		return ctx_no_memory(e->c);
	if (ref_is_given(ref) && !named)
		return cs_fail_id(e, KIND_ROLE, "roleid", ref->text);
	for (const struct role *r = role_first(t); r; r = role_next(t, r))
		if (named ? named == r : !is_hidden(r))
			TRY(add_rules(e, r, items, &count));
	if (!count)
		return OK;
	json_write_int(w, "count", (int64_t) count);
	json_write_open_list(w, "rolepermission");
	for (size_t k = 0; k < count; k++)
		write_shown(e, w, items[k]);
	json_write_close_list(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("listRoles", "iam:ListKeystoneRoles"), .args = PARAMS(struct list_roles, params),
	 .listing = &cs_roles, .doc = "Lists roles."},
	{CS_ACTION("listRolePermissions", "iam:ListKeystoneRoles"),
	 .args = PARAMS(struct permissions_args, permission_params), .answer = list_permissions,
	 .says = "id|roleid|rolename|rule|permission|description", .doc = "Lists the rules of roles."},
};
const struct api_actions cs_role_actions = API_ACTIONS(actions);
