/* SPDX-License-Identifier: Apache-2.0
 * Rules of L7 policies. Source: Load Balancer API reference v2, "L7 Rules". */
#include "api/openstack/core/pattern.h"
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/l7_rule.h"
#include "store/listener_rule.h"

/* ---- showing ---- */

static const char *get_provisioning(struct api_call *e, const struct row *row)
{
	const struct l7_rule *r = l7_rule_of(row);
	const struct listener_rule *policy = listener_rule_find(api_tables(e), r->listener_rule);
	return octavia_get_part_provisioning(api_tables(e),
					     policy ? policy->elastic_load_balancer : UUID_NONE, r->proxy_gen,
					     r->row.gen == 1);
}

ATTRIBUTE_GETTER(l7_rule, r, const char *, get_operating, octavia_get_rule_operating(api_tables(e), r))

static const char *const types[] = {
	[L7_RULE_TYPE_HOST_NAME] = "HOST_NAME", [L7_RULE_TYPE_PATH] = "PATH",
	[L7_RULE_TYPE_FILE_TYPE] = "FILE_TYPE", [L7_RULE_TYPE_HEADER] = "HEADER",
	[L7_RULE_TYPE_COOKIE] = "COOKIE",
};
static const char *const comparisons[] = {
	[L7_RULE_COMPARE_EQUAL_TO] = "EQUAL_TO",   [L7_RULE_COMPARE_STARTS_WITH] = "STARTS_WITH",
	[L7_RULE_COMPARE_ENDS_WITH] = "ENDS_WITH", [L7_RULE_COMPARE_CONTAINS] = "CONTAINS",
	[L7_RULE_COMPARE_REGEX] = "REGEX",
};

static const struct attribute rule_rows[] = {
	ATTRIBUTE(l7_rule, "id", row.id, .filter = "id"),
	ATTRIBUTE_AS(ENUM, l7_rule, "type", type, .words = types, .filter = "type", .sort = "type"),
	ATTRIBUTE_AS(ENUM, l7_rule, "compare_type", compare, .words = comparisons, .filter = "compare_type",
		     .sort = "compare_type"),
	ATTRIBUTE(l7_rule, "key", name, .flags = ATTRIBUTE_NULL_NONE, .filter = "key", .sort = "key"),
	OS_FIELD(l7_rule, "value", value),
	OS_FIELD(l7_rule, "invert", is_inverted),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(l7_rule, is_down),
	LB_STANDARD_ROWS(l7_rule),
};
static const struct attributes lb_rule_members = ATTRIBUTES(rule_rows);

/* Relies on the args of every action here starting with the policy's ref. */
static bool is_of_policy(struct os_call *e, const struct row *row)
{
	return uuid_equal(l7_rule_of(row)->listener_rule, ((const struct ref *) e->args)->prefix);
}

static const struct os_filter filters[] = {OS_TAG_FILTERS};
const struct os_listing os_lb_rules = {
	.kind = KIND_L7_RULE,
	.items = "rules",
	.links = "rules_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_of_policy,
	.attributes = &lb_rule_members,
};

#define POLICY_PATH(T, member)                                                                               \
	OS_PATH(T, "l7policy_id", member, .kind = KIND_LISTENER_RULE, .doc = "The L7 policy.")
#define PATH(T) OS_PATH(T, "l7rule_id", wish.rule, .kind = KIND_L7_RULE, .doc = "The rule.")

struct os_rule_list {
	struct ref policy;
};
static const struct param list_params[] = {POLICY_PATH(struct os_rule_list, policy)};

static RESULT list_rules(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *policy = NULL;
	TRY(os_lb_find(e, KIND_LISTENER_RULE, &((const struct os_rule_list *) args)->policy, &policy));
	return os_list(e, &os_lb_rules, w);
}

/* ---- parameters ---- */

static RESULT check_pattern(struct os_call *e, struct str compare, struct str value)
{
	return !str_is(compare, "REGEX") || os_pattern_is_valid(e->c->arena, value)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("value"),
					"Error parsing L7Rule: Unable to parse regular expression: %" STR_FMT,
					STR_ARG(value));
}

RESULT os_lb_prepare_rule(struct os_call *e, struct octavia_l7_rule *rule)
{
	TRY(check_pattern(e, rule->compare, rule->value));
	return os_read_words(e, rule->words, &rule->tags);
}

#define RULE_ROWS(T, p, flag)                                                                                \
	OS_BODY(T, "type", p type, .flags = flag, .words = LB_RULE_TYPES,                                    \
		.doc = "Part of a request that is compared."),                                               \
		OS_BODY(T, "compare_type", p compare, .flags = flag, .words = LB_COMPARISONS,                \
			.doc = "Comparison.")
#define NEW_ROWS(T, p)                                                                                       \
	RULE_ROWS(T, p, REQUIRED),                                                                           \
		OS_BODY(T, "key", p key, .flags = NULL_ABSENT, LB_TEXT,                                      \
			.doc = "Name of the header or cookie."),                                             \
		OS_BODY(T, "value", p value, .flags = REQUIRED, LB_TEXT, .doc = "Value to compare with."),   \
		OS_BODY(T, "invert", p is_inverted, .flags = NULL_ABSENT,                                    \
			.doc = "True: met by requests that do not compare."),                                \
		LB_UP(T, p), LB_TAGS(T, p), LB_OWNER

static const struct param rule_params[] = {NEW_ROWS(struct octavia_l7_rule, )};
const struct params os_lb_rule_params = OS_PARAMS(struct octavia_l7_rule, rule_params);

/* ---- calls ---- */

struct os_rule_target {
	struct octavia_l7_rule_target wish;
};
static const struct param target_params[] = {POLICY_PATH(struct os_rule_target, wish.policy),
					     PATH(struct os_rule_target)};

static RESULT show_rule(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_rule_target *a = args;
	const struct row *policy = NULL;
	TRY(os_lb_find(e, KIND_LISTENER_RULE, &a->wish.policy, &policy));
	return os_write_found(e, &os_lb_rules, &a->wish.rule, w);
}

struct os_create_rule {
	struct octavia_l7_rule_wish wish;
};
static const struct param create_params[] = {POLICY_PATH(struct os_create_rule, wish.policy),
					     NEW_ROWS(struct os_create_rule, wish.rule.)};

static RESULT prepare_create(struct os_call *e, void *args)
{
	return os_lb_prepare_rule(e, &((struct os_create_rule *) args)->wish.rule);
}

struct os_update_rule {
	struct octavia_l7_rule_change wish;
};
#define P(wire, member, ...) OS_BODY(struct os_update_rule, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	POLICY_PATH(struct os_update_rule, wish.policy),
	PATH(struct os_update_rule),
	RULE_ROWS(struct os_update_rule, wish., NULL_ABSENT),
	P("key", wish.key, .flags = NULLABLE, LB_TEXT, .doc = "Name of the header or cookie."),
	P("value", wish.value, .flags = NULL_ABSENT, LB_TEXT, .doc = "Value to compare with."),
	P("invert", wish.is_inverted, .flags = NULL_ABSENT,
	  .doc = "True: met by requests that do not compare; absent: false."),
	P("admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT,
	  .doc = "False: it does not count."),
	P("tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
};
#undef P

/* The pattern that the update leaves is checked: the value, the comparison or both may be present ones. */
static RESULT check_update(struct os_call *e, const struct octavia_l7_rule_change *wish)
{
	const struct row *row = NULL;
	TRY(os_lb_find(e, KIND_LISTENER_RULE, &wish->policy, &row)); /* whose permissions come first */
	TRY(os_find(e, KIND_L7_RULE, &wish->rule, &row));
	const struct l7_rule *present = l7_rule_of(row);
	return check_pattern(e, wish->compare.n ? wish->compare : str_from(comparisons[present->compare]),
			     wish->value ? *wish->value : present->value);
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct octavia_l7_rule_change *wish = &((struct os_update_rule *) args)->wish;
	TRY(check_update(e, wish));
	return os_lb_read_words(e, wish->words, &wish->tags);
}

#define ALL "/v2/lbaas/l7policies/{l7policy_id}/rules"
#define ONE ALL "/{l7rule_id}"
#define POLICY "os_load-balancer_api:l7rule:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .args = OS_PARAMS(struct os_rule_list, list_params),
	 .list = &os_lb_rules, .answer = list_rules, .doc = "Rules of an L7 policy."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_rule, create_params), .wrap = "rule", .item = "rule",
	 .prepare = prepare_create, .operation = engine_create_l7_rule_run, .returns = KIND_L7_RULE,
	 OS_SHOWS(os_lb_rules, struct os_create_rule, wish.made), .doc = "Adds a rule."},
	{HTTP_GET, ONE, .permit = POLICY "get_one", .args = OS_PARAMS(struct os_rule_target, target_params),
	 .item = "rule", .answer = show_rule, .doc = "One rule."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_rule, update_params), .wrap = "rule", .item = "rule",
	 .prepare = prepare_update, .operation = engine_change_l7_rule_run, .returns = KIND_L7_RULE,
	 OS_SHOWS(os_lb_rules, struct os_update_rule, wish.rule), .doc = "Changes a rule."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_rule_target, target_params), .operation = engine_delete_l7_rule_run,
	 .doc = "Removes a rule."},
};
const struct os_actions os_load_balancer_rule_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
