/* SPDX-License-Identifier: Apache-2.0
 * Lists of rules that commands change: those of roles (role_rules.c) and of project roles (project_roles.c).
 * Sources: Rule, UpdateRolePermissionCmd and RoleManagerImpl of 4.18.
 */
#include "api/cloudstack/account/people.h"
#include "base/uuid_asked.h"

enum { RULE_TEXT_MAX = 255 };

static RESULT read_permission(struct cs_call *e, struct str word, bool *ret_allows)
{
	*ret_allows = str_equal_nocase(word, STR("allow"));
	return *ret_allows || str_equal_nocase(word, STR("deny"))
		       ? OK
		       : cs_fail(e, "permission", "Values for permission parameter should be: allow or deny");
}

RESULT cs_read_said_rule(struct cs_call *e, const struct cs_said_rule *said, struct cs_rule *ret_rule)
{
	bool is_word = said->rule.n && said->rule.n <= CS_RULE_SIZE_MAX;
	for (size_t k = 0; k < said->rule.n; k++) {
		char c = said->rule.p[k];
		is_word = is_word && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				      (c >= '0' && c <= '9') || c == '*');
	}
	if (!is_word)
		return cs_fail(e, "rule",
			       "Only API names and wildcards are allowed, invalid rule provided: %" STR_FMT,
			       STR_ARG(str_slice(said->rule, 0, CS_RULE_SIZE_MAX)));
	if (said->description.n > RULE_TEXT_MAX || !str_is_line(said->description))
		return cs_fail(e, "description", "The description of a rule is a line of at most %d bytes",
			       RULE_TEXT_MAX);
	*ret_rule = (struct cs_rule){.command = said->rule, .text = said->description};
	return read_permission(e, said->permission, &ret_rule->allows);
}

RESULT cs_check_rule_change(struct cs_call *e, const struct strs *order, struct str rule,
			    struct str permission)
{
	bool allows, is_either = order->count ? !rule.n && !permission.n : rule.n && permission.n;
	if (!is_either)
		return cs_fail(e, "ruleorder",
			       "Parameters permission and ruleid must be mutually exclusive with ruleorder");
	return order->count ? OK : read_permission(e, permission, &allows);
}

size_t cs_find_rule(const struct cs_rules *rules, uuid role, struct str id)
{
	uuid asked = UUID_NONE;
	size_t k = 0;
	if (!result_is_ok(uuid_parse_asked(id, &asked)))
		return rules->count;
	while (k < rules->count && !uuid_equal(cs_rule_id(role, cs_read_rule(rules->at[k]).command), asked))
		k++;
	return k;
}

RESULT cs_check_rule_count(struct ctx *c, size_t count)
{
	return count <= CS_RULES_MAX ? OK
				     : ctx_fail_field(c, ERR_QUOTA, STR("rule"),
						      "A role has at most %d rules", CS_RULES_MAX);
}

RESULT cs_add_rule(struct ctx *c, struct cs_rules *rules, uuid role, const struct cs_said_rule *said,
		   uuid *ret_id)
{
	const struct cs_rule rule = {str_equal_nocase(said->permission, STR("allow")), said->rule,
				     said->description};
	for (size_t k = 0; k < rules->count; k++)
		if (str_equal_nocase(cs_read_rule(rules->at[k]).command, said->rule))
			return ctx_fail_field(c, ERR_INVALID, STR("rule"),
					      "Rule %" STR_FMT " already exists for the role",
					      STR_ARG(said->rule));
	TRY(cs_check_rule_count(c, rules->count + 1));
	rules->at[rules->count++] = cs_write_rule(c->arena, &rule);
	*ret_id = cs_rule_id(role, rule.command);
	return OK;
}

RESULT cs_change_rule(struct ctx *c, struct cs_rules *rules, uuid role, struct str id, struct str permission)
{
	size_t at = cs_find_rule(rules, role, id);
	if (at == rules->count)
		return ctx_fail_field(c, ERR_INVALID, STR("ruleid"), "Invalid rule id provided");
	struct cs_rule rule = cs_read_rule(rules->at[at]);
	rule.allows = str_equal_nocase(permission, STR("allow"));
	rules->at[at] = cs_write_rule(c->arena, &rule);
	return OK;
}

/* An order that lacks a rule, or names one twice or one that is gone, comes from somebody who saw another list. */
RESULT cs_order_rules(struct ctx *c, struct cs_rules *rules, uuid role, const struct strs *order)
{
	struct str *next = arena_new_array(c->arena, struct str, rules->count + 1);
	bool is_whole = order->count == rules->count;
	if (!next)
		return ctx_no_memory(c);
	for (size_t k = 0; k < order->count && is_whole; k++) {
		size_t at = cs_find_rule(rules, role, order->at[k]);
		is_whole = at < rules->count;
		for (size_t n = 0; n < k && is_whole; n++)
			is_whole = next[n].p != rules->at[at].p;
		if (is_whole)
			next[k] = rules->at[at];
	}
	for (size_t k = 0; k < rules->count && is_whole; k++)
		rules->at[k] = next[k];
	return is_whole ? OK
			: ctx_fail_field(
				  c, ERR_INVALID, STR("ruleorder"),
				  "List of permissions doesn't match the list of permissions of the role: "
				  "please refresh the list and try again");
}

bool cs_drop_rule(struct cs_rules *rules, uuid role, struct str id)
{
	size_t at = cs_find_rule(rules, role, id);
	if (at == rules->count)
		return false;
	for (; at + 1 < rules->count; at++)
		rules->at[at] = rules->at[at + 1];
	rules->count--;
	return true;
}
