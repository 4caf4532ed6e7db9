/* SPDX-License-Identifier: Apache-2.0
 * L7 policies. Source: Load Balancer API reference v2, "L7 Policies". */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/l7_rule.h"
#include "model/listener_rule.h"

/* ---- showing ---- */

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(listener_rule, p, returned, function, expression)
GETTER(const char *, get_provisioning,
       octavia_get_part_provisioning(api_tables(e), p->elastic_load_balancer, p->proxy_gen, p->row.gen == 1))
GETTER(const char *, get_operating, octavia_get_policy_operating(api_tables(e), p))
GETTER(const char *, get_action, octavia_get_action(p))
GETTER(uuid, get_pool, octavia_get_policy_pool(api_tables(e), p->row.id))
GETTER(struct str, get_url, p->is_prefix ? STR_NONE : p->url)
GETTER(struct str, get_prefix, p->is_prefix ? p->url : STR_NONE)
#undef GETTER

static const struct attribute policy_rows[] = {
	ATTRIBUTE(listener_rule, "id", row.id, .filter = "id"),
	OS_FIELD(listener_rule, "name", title),
	OS_FIELD(listener_rule, "description", description),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(listener_rule, is_down),
	OS_MADE(WORD, word, "action", get_action),
	OS_FIELD(listener_rule, "listener_id", listener),
	ATTRIBUTE_MADE(ID, id, "redirect_pool_id", get_pool),
	OS_MADE(TEXT, text, "redirect_url", get_url, .flags = ATTRIBUTE_NULL_NONE),
	OS_MADE(TEXT, text, "redirect_prefix", get_prefix, .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE(listener_rule, "redirect_http_code", status, .flags = ATTRIBUTE_NULL_NONE,
		  .filter = "redirect_http_code"),
	OS_FIELD(listener_rule, "position", priority),
	ATTRIBUTE_EACH("rules", os_lb_id_members, KIND_L7_RULE, L7_RULE_INDEX_LISTENER_RULE),
	LB_STANDARD_ROWS(listener_rule),
};
static const struct attributes policy_members = ATTRIBUTES(policy_rows);

static bool is_shown(struct os_call *e, const struct row *row)
{
	return engine_is_of_octavia(os_tables(e), KIND_LISTENER_RULE, row);
}

static const struct os_filter filters[] = {OS_TAG_FILTERS};
const struct os_listing os_lb_policies = {
	.kind = KIND_LISTENER_RULE,
	.items = "l7policies",
	.links = "l7policies_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_shown,
	.attributes = &policy_members,
};

/* ---- calls ---- */

#define ACTION_ROWS(T, p)                                                                                    \
	OS_BODY(T, "redirect_pool_id", p action.pool, .flags = NULL_ABSENT, .kind = KIND_TARGET_GROUP,       \
		.doc = "Pool that requests are led to."),                                                    \
		OS_BODY(T, "redirect_url", p action.url, .flags = NULL_ABSENT, LB_TEXT,                      \
			.doc = "URL that requests are redirected to."),                                      \
		OS_BODY(T, "redirect_prefix", p action.prefix, .flags = NULL_ABSENT, LB_TEXT,                \
			.doc = "The same; the request's path and query follow it."),                         \
		OS_BODY(T, "redirect_http_code", p action.code, .flags = NULL_ABSENT, .min = 301,            \
			.max = 308, .doc = "Status of a redirect: 301, 302 (default), 303, 307 or 308.")

#define NEW_ROWS(T, p)                                                                                       \
	LB_NAME(T, p), LB_DESCRIPTION(T, p), LB_UP(T, p),                                                    \
		OS_BODY(T, "action", p action.word, .flags = REQUIRED, .words = LB_ACTIONS,                  \
			.doc = "Action for requests that meet all rules."),                                  \
		ACTION_ROWS(T, p),                                                                           \
		OS_BODY(T, "position", p position, .flags = NULLABLE, .min = 1, .max = OCTAVIA_POSITION_MAX, \
			.absent = "2147483647",                                                              \
			.doc = "Place among the listener's policies, from 1; absent: the last."),            \
		OS_BODY_LIST(T, "rules", p rules, os_lb_rule_params, .flags = NULL_ABSENT,                   \
			     .max = OCTAVIA_L7_RULES_MAX, .doc = "Rules to begin with."),                    \
		LB_TAGS(T, p), LB_OWNER

/* A policy within a listener. */
static const struct param nested_rows[] = {
	NEW_ROWS(struct octavia_l7_policy_wish, ),
	OS_BODY_OBJECT(struct octavia_l7_policy_wish, "redirect_pool", pool, os_lb_pool_params,
		       .given = offsetof(struct octavia_l7_policy_wish, has_pool) + 1, .flags = NULL_ABSENT,
		       .doc = "Pool that it leads to: a new one, or the name of one of the load balancer's."),
};
const struct params os_lb_policy_params = OS_PARAMS(struct octavia_l7_policy_wish, nested_rows);

RESULT os_lb_prepare_policy(struct os_call *e, struct octavia_l7_policy_wish *policy)
{
	for (size_t k = 0; k < policy->rules.count; k++)
		TRY(os_lb_prepare_rule(e, &policy->rules.at[k]));
	TRY(os_lb_prepare_pool(e, &policy->pool));
	return os_read_words(e, policy->words, &policy->tags);
}

struct os_create_policy {
	struct octavia_l7_policy_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_policy, "listener_id", wish.listener, .flags = REQUIRED,
		.kind = KIND_LISTENER, .doc = "Listener."),
	NEW_ROWS(struct os_create_policy, wish.),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	return os_lb_prepare_policy(e, &((struct os_create_policy *) args)->wish);
}

#define PATH(T, member) OS_PATH(T, "l7policy_id", member, .kind = KIND_LISTENER_RULE, .doc = "The L7 policy.")

struct os_update_policy {
	struct octavia_l7_policy_change wish;
};
#define P(wire, member, ...) OS_BODY(struct os_update_policy, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	PATH(struct os_update_policy, wish.policy),
	P("name", wish.name, .flags = NULLABLE, LB_TEXT, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, LB_TEXT, .doc = "Free text."),
	P("admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT,
	  .doc = "False: it takes no requests."),
	P("action", wish.action.word, .flags = NULL_ABSENT, .words = LB_ACTIONS, .doc = "Another action."),
	ACTION_ROWS(struct os_update_policy, wish.),
	P("position", wish.position, .flags = NULL_ABSENT, .min = 1, .max = OCTAVIA_POSITION_MAX,
	  .doc = "Another place among the listener's policies."),
	P("tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct octavia_l7_policy_change *wish = &((struct os_update_policy *) args)->wish;
	return os_lb_read_words(e, wish->words, &wish->tags);
}

struct os_policy_target {
	struct octavia_l7_policy_target wish;
};
static const struct param target_params[] = {PATH(struct os_policy_target, wish.policy)};

#define ALL "/v2/lbaas/l7policies"
#define ONE ALL "/{l7policy_id}"
#define POLICY "os_load-balancer_api:l7policy:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .list = &os_lb_policies,
	 .doc = "L7 policies of the project."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_policy, create_params), .wrap = "l7policy", .item = "l7policy",
	 .prepare = prepare_create, .operation = engine_create_l7_policy_run, .returns = KIND_LISTENER_RULE,
	 OS_SHOWS(os_lb_policies, struct os_create_policy, wish.made), .doc = "Makes an L7 policy."},
	{HTTP_GET, ONE, .permit = POLICY "get_one", .args = OS_PARAMS(struct os_policy_target, target_params),
	 .item = "l7policy", OS_SHOWS(os_lb_policies, struct os_policy_target, wish.policy),
	 .doc = "One L7 policy."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_policy, update_params), .wrap = "l7policy", .item = "l7policy",
	 .prepare = prepare_update, .operation = engine_change_l7_policy_run, .returns = KIND_LISTENER_RULE,
	 OS_SHOWS(os_lb_policies, struct os_update_policy, wish.policy), .doc = "Changes an L7 policy."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_policy_target, target_params), .operation = engine_delete_l7_policy_run,
	 .doc = "Deletes an L7 policy with its rules."},
};
const struct os_actions os_load_balancer_policy_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
