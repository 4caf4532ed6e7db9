/* SPDX-License-Identifier: Apache-2.0
 * Rules of Octavia's L7 policies. Permissions are those of the policy, which is a listener's rule in the other faces. Source:
 * Octavia's l7rule_data(). */
#include <inttypes.h>

#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/l7_rule.h"
#include "store/listener_rule.h"
#include "store/proxy.h"

/* ---- words ---- */

static RESULT fail_rule(struct op *op, const char *field, const char *why)
{
	return OCTAVIA_INVALID(op, str_from(field), "Error parsing L7Rule: %s", why);
}

static RESULT set_type(struct op *op, struct str word, struct l7_rule *rule)
{
	static const struct {
		const char *word;
		enum l7_rule_type type;
	} types[] = {
		{"HOST_NAME", L7_RULE_TYPE_HOST_NAME}, {"PATH", L7_RULE_TYPE_PATH},
		{"FILE_TYPE", L7_RULE_TYPE_FILE_TYPE}, {"HEADER", L7_RULE_TYPE_HEADER},
		{"COOKIE", L7_RULE_TYPE_COOKIE},
	};
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
		if (str_is(word, types[k].word)) {
			rule->type = types[k].type;
			return OK;
		}
	return OCTAVIA_UNSUPPORTED(op, STR("type"), "L7 rules of type %" STR_FMT " are not supported.",
				   STR_ARG(word));
}

static void set_compare(struct str word, struct l7_rule *rule)
{
	rule->compare = str_is(word, "REGEX")         ? L7_RULE_COMPARE_REGEX
			: str_is(word, "STARTS_WITH") ? L7_RULE_COMPARE_STARTS_WITH
			: str_is(word, "ENDS_WITH")   ? L7_RULE_COMPARE_ENDS_WITH
			: str_is(word, "CONTAINS")    ? L7_RULE_COMPARE_CONTAINS
						      : L7_RULE_COMPARE_EQUAL_TO;
}

/* ---- keys and values ---- */

static bool consists_of(struct str text, bool (*is_fine)(char c))
{
	for (size_t k = 0; k < text.n; k++)
		if (!is_fine(text.p[k]))
			return false;
	return text.n > 0;
}

/* A token of RFC 9110, without the quote, which HAProxy's configuration gives a meaning. */
static bool is_of_name(char c)
{
	return str_is_alphanumeric(c) || (c && strchr("!#$%&*+-.^_`|~", c));
}

static bool is_of_header(char c)
{
	return c > ' ' && c < 127;
}

static bool is_of_cookie(char c)
{
	return is_of_header(c) && !strchr("\",;\\", c);
}

static bool is_of_quoted(char c)
{
	return is_of_header(c) || c == ' ' || c == '\t';
}

/* Quotes around a value permit spaces. */
static bool is_header_value(struct str value)
{
	bool is_quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
	return consists_of(value, is_of_header) || (is_quoted && consists_of(value, is_of_quoted));
}

static RESULT check_key(struct op *op, const struct l7_rule *rule)
{
	if (!rule->name.n)
		return fail_rule(op, "key", "Invalid L7 Rule: L7 rule type requires a key");
	return consists_of(rule->name, is_of_name) ? OK : fail_rule(op, "key", "Invalid characters in key");
}

/* Control characters have no place in a line of the proxy's configuration. */
static bool is_of_pattern(char c)
{
	return (unsigned char) c >= ' ' && c != 127;
}

static RESULT check_value(struct op *op, const struct l7_rule *rule)
{
	static const char *const wrong[] = {
		[L7_RULE_TYPE_HOST_NAME] = "Invalid characters in comparison value",
		[L7_RULE_TYPE_PATH] = "Invalid characters in comparison value",
		[L7_RULE_TYPE_FILE_TYPE] = "Invalid characters in comparison value",
		[L7_RULE_TYPE_HEADER] = "Invalid characters in header value",
		[L7_RULE_TYPE_COOKIE] = "Invalid characters in cookie value",
	};
	bool is_fine = rule->compare == L7_RULE_COMPARE_REGEX ? consists_of(rule->value, is_of_pattern)
		       : rule->type == L7_RULE_TYPE_COOKIE    ? consists_of(rule->value, is_of_cookie)
							      : is_header_value(rule->value);
	return is_fine ? OK : fail_rule(op, "value", wrong[rule->type]);
}

static RESULT check_rule(struct op *op, const struct l7_rule *rule)
{
	if (!rule->value.n)
		return fail_rule(op, "value", "Invalid L7 Rule: L7 rule type requires a value");
	if (rule->type == L7_RULE_TYPE_COOKIE || rule->type == L7_RULE_TYPE_HEADER)
		TRY(check_key(op, rule));
	if (rule->type == L7_RULE_TYPE_FILE_TYPE && rule->compare != L7_RULE_COMPARE_EQUAL_TO &&
	    rule->compare != L7_RULE_COMPARE_REGEX)
		return fail_rule(op, "compare_type",
				 "Invalid L7 Rule: invalid comparison type for rule type");
	return check_value(op, rule);
}

/* Octavia shows no key of types that have none. */
static void drop_key(struct l7_rule *rule)
{
	if (rule->type != L7_RULE_TYPE_HEADER && rule->type != L7_RULE_TYPE_COOKIE)
		rule->name = STR_NONE;
}

/* ---- operations ---- */

RESULT octavia_put_l7_rule(struct op *op, const struct listener_rule *policy,
			   const struct octavia_l7_rule *wish, int64_t gen, uuid *ret_rule)
{
	struct l7_rule made = {.row = {.id = engine_new_id(op, KIND_L7_RULE), .gen = 1},
			       .account = policy->account,
			       .listener_rule = policy->row.id,
			       .name = wish->key,
			       .value = wish->value,
			       .is_inverted = wish->is_inverted,
			       .is_down = wish->is_down,
			       .proxy_gen = gen};
	TRY(set_type(op, wish->type, &made));
	set_compare(wish->compare, &made);
	drop_key(&made);
	TRY(check_rule(op, &made));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(limit_check(op, LIMIT_L7_RULES, policy->row.id, 1, STR_NONE));
	*ret_rule = made.row.id;
	return l7_rule_put(op, &made);
}

/* The policy and its listener are pending with a rule of theirs. */
static RESULT mark_policy(struct op *op, uuid policy, int64_t gen)
{
	struct listener_rule next = *listener_rule_find(op->head, policy);
	next.proxy_gen = gen;
	next.row.gen++;
	TRY(listener_rule_put(op, &next));
	return engine_log_event(op, KIND_LISTENER_RULE, &next.row, "changed", "Rule of priority %" PRId64 ".",
				next.priority);
}

RESULT engine_create_l7_rule(struct op *op, struct octavia_l7_rule_wish *wish)
{
	const struct listener_rule *policy = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_policy(op, &wish->policy, "listener_rule.update", &policy));
	uuid id = policy->row.id;
	TRY(octavia_touch(op, policy->elastic_load_balancer, &gen));
	TRY(octavia_put_l7_rule(op, policy, &wish->rule, gen, &wish->made));
	return mark_policy(op, id, gen);
}

static RESULT permit_rule(struct op *op, const struct ref *policy, const struct ref *rule,
			  const struct listener_rule **ret_policy, const struct l7_rule **ret_rule)
{
	TRY(octavia_permit_policy(op, policy, "listener_rule.update", ret_policy));
	TRY(engine_find_own_l7_rule(op->ctx, op->head, rule, ret_rule));
	return uuid_equal((*ret_rule)->listener_rule, (*ret_policy)->row.id)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_L7_RULE, rule);
}

RESULT engine_change_l7_rule(struct op *op, struct octavia_l7_rule_change *wish)
{
	const struct listener_rule *policy = NULL;
	const struct l7_rule *present = NULL;
	TRY(permit_rule(op, &wish->policy, &wish->rule, &policy, &present));
	struct l7_rule next = *present;
	uuid id = policy->row.id;
	if (wish->type.n)
		TRY(set_type(op, wish->type, &next));
	if (wish->compare.n)
		set_compare(wish->compare, &next);
	if (wish->key)
		next.name = *wish->key;
	if (wish->value)
		next.value = *wish->value;
	next.is_inverted = wish->is_inverted;
	choice_apply(wish->is_down, &next.is_down);
	drop_key(&next);
	TRY(check_rule(op, &next));
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	next.row.gen++;
	TRY(octavia_touch(op, policy->elastic_load_balancer, &next.proxy_gen));
	TRY(l7_rule_put(op, &next));
	return mark_policy(op, id, next.proxy_gen);
}

RESULT engine_delete_l7_rule(struct op *op, struct octavia_l7_rule_target *wish)
{
	const struct listener_rule *policy = NULL;
	const struct l7_rule *rule = NULL;
	int64_t gen = 0;
	TRY(permit_rule(op, &wish->policy, &wish->rule, &policy, &rule));
	uuid id = policy->row.id;
	TRY(octavia_touch(op, policy->elastic_load_balancer, &gen));
	TRY(l7_rule_forget(op, rule->row.id));
	return mark_policy(op, id, gen);
}
