/* SPDX-License-Identifier: Apache-2.0
 * Rules of roles: which commands a role permits. A role's row keeps each rule as a line: "allow" or "deny", the command,
 * and a text for people, separated by tabs. A role with rules has no right, so its users may do what a member of the
 * account may, by the permitted commands of this face alone; commands of root administrators stay refused. A project role
 * has rules of the same form, which only deny. Sources: Rule, DynamicRoleBasedAPIAccessChecker and
 * ProjectRoleBasedApiAccessChecker of 4.18.
 */
#include "api/cloudstack/core/action.h"
#include "engine/people/policy/role.h"
#include "store/project_role.h"
#include "store/role.h"
#include "store/role_assignment.h"

struct str cs_write_rule(struct arena *a, const struct cs_rule *rule)
{
	return str_print(a, "%s\t%" STR_FMT "\t%" STR_FMT, rule->allows ? "allow" : "deny",
			 STR_ARG(rule->command), STR_ARG(rule->text));
}

struct cs_rule cs_read_rule(struct str kept)
{
	struct str rest = kept, word = STR_NONE, command = STR_NONE;
	(void) str_split_next(&rest, '\t', &word);
	(void) str_split_next(&rest, '\t', &command);
	return (struct cs_rule){str_is(word, "allow"), command, rest};
}

enum verdict { NO_RULE, ALLOWED, DENIED };

static enum verdict weigh(struct arena *a, const struct strs *rules, struct str command)
{
	for (size_t k = 0; k < rules->count; k++) {
		struct cs_rule rule = cs_read_rule(rules->at[k]);
		if (str_matches(command, str_lower(a, rule.command)))
			return rule.allows ? ALLOWED : DENIED;
	}
	return NO_RULE;
}

bool cs_rules_permit(struct cs_call *e, const struct tables *t, const struct api_action *action)
{
	const struct identity *who = e->c->who;
	struct roles roles = {0};
	if (!who || who->rights || who->is_operator || who->is_owner || uuid_is_none(who->user) ||
	    who->scope != IDENTITY_ACCOUNT || action->flags & CS_ADMIN)
		return false;
	struct str command = str_lower(e->c->arena, str_from(action->name));
	engine_find_roles(t, who->user, IDENTITY_ACCOUNT, who->account, &roles);
	for (size_t k = 0; k < roles.count; k++) {
		const struct role *role = role_find(t, roles.at[k]);
		enum verdict verdict = role ? weigh(e->c->arena, &role->rules, command) : NO_RULE;
		if (verdict != NO_RULE)
			return verdict == ALLOWED;
	}
	return false;
}

RESULT cs_check_project_role(struct cs_call *e, const struct tables *t, const struct api_action *action)
{
	const struct identity *who = e->c->who;
	if (!tables_count(t, KIND_PROJECT_ROLE) || !who || identity_is_admin(who) ||
	    uuid_is_none(who->user) || action->flags & (API_OPEN | API_FOR_ALL) ||
	    cs_manages_project(t, who->account, who->user))
		return OK;
	struct str command = str_lower(e->c->arena, str_from(action->name));
	for (const struct role_assignment *a = role_assignment_first_by_user(t, who->user); a;
	     a = role_assignment_next_by_user(t, a)) {
		const struct project_role *role =
			uuid_equal(a->account, who->account) ? project_role_find(t, a->project_role) : NULL;
		if (role && weigh(e->c->arena, &role->rules, command) == DENIED)
			return ctx_fail_field(e->c, ERR_DENIED, STR("projectid"),
					      "The API %s is denied for the user's/account's project role.",
					      action->name);
	}
	return OK;
}
