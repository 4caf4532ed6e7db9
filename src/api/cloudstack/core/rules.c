/* SPDX-License-Identifier: Apache-2.0
 * Rules of roles: which commands a role permits. A role's row keeps each rule as a line: "allow" or "deny", the command,
 * and a text for people, separated by tabs. A role with rules has no right, so its users may do what a member of the
 * account may, by the permitted commands of this face alone; commands of root administrators stay refused. Source:
 * Rule and DynamicRoleBasedAPIAccessChecker of 4.18.
 */
#include "api/cloudstack/core/action.h"
#include "engine/people/policy/role.h"
#include "store/role.h"

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

static enum verdict weigh(struct arena *a, const struct role *role, struct str command)
{
	for (size_t k = 0; k < role->rules.count; k++) {
		struct cs_rule rule = cs_read_rule(role->rules.at[k]);
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
		enum verdict verdict = role ? weigh(e->c->arena, role, command) : NO_RULE;
		if (verdict != NO_RULE)
			return verdict == ALLOWED;
	}
	return false;
}
