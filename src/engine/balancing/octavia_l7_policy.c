/* SPDX-License-Identifier: Apache-2.0
 * L7 policies of Octavia's listeners. A policy is a row of listener_rule whose priority is Octavia's position: the
 * listener's policies have the positions 1, 2, 3 and so on without a gap. A pool that a policy leads to is a row of
 * rule_target_group. Source: Octavia's sanitize_l7policy_api_args() and L7PolicyRepository, whose order of precedence decides about
 * requests that give several targets. */
#include <inttypes.h>

#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/proxy.h"
#include "store/rule_target_group.h"
#include "store/target_group.h"

/* ---- reading ---- */

uuid octavia_get_policy_pool(const struct tables *t, uuid policy)
{
	const struct rule_target_group *r = rule_target_group_first_by_listener_rule(t, policy);
	return r ? r->target_group : UUID_NONE;
}

const char *octavia_get_action(const struct listener_rule *policy)
{
	if (policy->action == LISTENER_RULE_ACTION_FORWARD)
		return "REDIRECT_TO_POOL";
	if (policy->action == LISTENER_RULE_ACTION_REDIRECT)
		return policy->is_prefix ? "REDIRECT_PREFIX" : "REDIRECT_TO_URL";
	return "REJECT";
}

RESULT octavia_permit_policy(struct op *op, const struct ref *ref, const char *permission,
			     const struct listener_rule **ret_policy)
{
	TRY(engine_permit_listener_rule(op, ref, permission, ret_policy));
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find(op->head, (*ret_policy)->elastic_load_balancer);
	return octavia_is_balancer(b) ? octavia_check_ready(op, b)
				      : engine_fail_not_found(op->ctx, KIND_LISTENER_RULE, ref);
}

/* ---- actions ---- */

/* A target that a request leaves, or that another one replaces, is empty. */
struct target_choice {
	bool has_pool;
	struct str url, prefix;
};

static RESULT fail_args(struct op *op, const char *field, const char *why)
{
	return OCTAVIA_INVALID(op, str_from(field), "Invalid L7 Policy arguments: %s", why);
}

/* Drops the targets that the action overrides, and fails if it lacks its own. */
static RESULT fit_to_word(struct op *op, struct str word, struct target_choice *n)
{
	if (str_is(word, "REJECT"))
		*n = (struct target_choice){.prefix = n->prefix};
	if (str_is(word, "REDIRECT_TO_URL")) {
		if (!n->url.n)
			return fail_args(op, "redirect_url", "redirect_url must not be None");
		n->has_pool = false;
	}
	if (str_is(word, "REDIRECT_TO_POOL")) {
		if (!n->has_pool)
			return fail_args(op, "redirect_pool_id",
					 "redirect_pool_id or redirect_pool must not be None");
		n->url = STR_NONE;
	}
	if (str_is(word, "REDIRECT_PREFIX") && !n->prefix.n)
		return fail_args(op, "redirect_prefix", "redirect_prefix must not be None");
	if (n->has_pool && (n->url.n || n->prefix.n))
		return fail_args(op, "redirect_pool_id",
				 "Cannot specify redirect_pool_id and redirect_url or redirect_prefix at the "
				 "same time");
	return OK;
}

static bool is_url(struct str url)
{
	bool is_https = url.n > 8 && str_equal_nocase(str_slice(url, 0, 8), STR("https://"));
	bool is_http = url.n > 7 && str_equal_nocase(str_slice(url, 0, 7), STR("http://"));
	struct str host = str_slice(url, is_https ? 8 : 7, url.n);
	for (size_t k = 0; k < url.n; k++)
		if ((unsigned char) url.p[k] <= ' ' || (unsigned char) url.p[k] >= 127)
			return false;
	return (is_https || is_http) && host.n && !strchr("/?#:", host.p[0]);
}

static RESULT check_url(struct op *op, const char *field, struct str url)
{
	return !url.n || is_url(url)
		       ? OK
		       : OCTAVIA_INVALID(op, str_from(field),
					 "Invalid input for field/attribute %s. Value: '%" STR_FMT
					 "'. Value must be a valid URL string",
					 field, STR_ARG(str_slice(url, 0, 64)));
}

static RESULT check_code(struct op *op, int64_t code)
{
	bool is_fine = !code || code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
	return is_fine ? OK
		       : OCTAVIA_INVALID(
				 op, STR("redirect_http_code"),
				 "Invalid input for field/attribute redirect_http_code. Value: '%" PRId64
				 "'. Value should be one of: 301, 302, 303, 307, 308",
				 code);
}

/* Finds the pool, which must be the balancer's. */
static RESULT find_pool(struct op *op, const struct ref *ref, const struct listener_rule *policy,
			const struct target_group **ret_group)
{
	const struct listener *l = listener_find(op->head, policy->listener);
	TRY(engine_find_own_target_group(op->ctx, op->head, ref, ret_group));
	if (!uuid_equal((*ret_group)->elastic_load_balancer, policy->elastic_load_balancer))
		return engine_fail_not_found(op->ctx, KIND_TARGET_GROUP, ref);
	return octavia_check_protocols(op, l->protocol, *ret_group);
}

static void set_redirect(struct listener_rule *policy, struct str url, bool is_prefix, int64_t code)
{
	enum { FOUND = 302 };
	policy->action = LISTENER_RULE_ACTION_REDIRECT;
	policy->url = url;
	policy->is_prefix = is_prefix;
	policy->status = code ? code : FOUND;
}

/* Gives a policy the action. ret_group: the pool that it leads to; NULL: it has another action, or keeps the present one. */
static RESULT set_action(struct op *op, const struct octavia_l7_action *wish, struct listener_rule *policy,
			 const struct target_group **ret_group)
{
	struct target_choice n = {ref_is_given(&wish->pool) && wish->pool.bits, wish->url, wish->prefix};
	*ret_group = NULL;
	TRY(check_url(op, "redirect_url", n.url));
	TRY(check_url(op, "redirect_prefix", n.prefix));
	TRY(check_code(op, wish->code));
	TRY(fit_to_word(op, wish->word, &n));
	if (wish->code)
		policy->status = wish->code;
	if (n.has_pool || str_is(wish->word, "REJECT")) {
		policy->action =
			n.has_pool ? LISTENER_RULE_ACTION_FORWARD : LISTENER_RULE_ACTION_FIXED_RESPONSE;
		policy->url = STR_NONE;
		policy->is_prefix = false;
		policy->status = 0;
	}
	if (n.has_pool)
		return find_pool(op, &wish->pool, policy, ret_group);
	if (n.url.n)
		set_redirect(policy, n.url, false, wish->code);
	else if (n.prefix.n)
		set_redirect(policy, n.prefix, true, wish->code);
	return OK;
}

/* Puts the policy, and the row of the pool that it leads to. group NULL: the present pool stays if the action is still to
 * lead there. */
static RESULT put_policy(struct op *op, struct listener_rule *policy, const struct target_group *group)
{
	uuid id = policy->row.id;
	if (group || policy->action != LISTENER_RULE_ACTION_FORWARD)
		FORGET_EACH(op, rule_target_group, listener_rule, id);
	TRY(listener_rule_put(op, policy)); /* before the row that refers to it */
	if (!group)
		return OK;
	struct rule_target_group made = {.row = {.id = engine_new_id(op, KIND_RULE_TARGET_GROUP), .gen = 1},
					 .account = policy->account,
					 .listener_rule = id,
					 .target_group = group->row.id,
					 .weight = 1};
	return rule_target_group_put(op, &made);
}

/* ---- positions ---- */

static int64_t count_policies(const struct tables *t, uuid listener)
{
	int64_t count = 0;
	for (const struct listener_rule *r = listener_rule_first_by_listener(t, listener); r;
	     r = listener_rule_next_by_listener(t, r))
		count += r->priority > 0;
	return count;
}

static RESULT set_position(struct op *op, const struct listener_rule *present, int64_t position)
{
	struct listener_rule next = *present;
	next.priority = position;
	next.row.gen++;
	return listener_rule_put(op, &next);
}

/* Moves the policies from position `first` to `last` by one place, in the order that leaves no two in one place. */
static RESULT shift(struct op *op, uuid listener, int64_t first, int64_t last, bool is_back)
{
	for (int64_t k = 0; k <= last - first; k++) {
		int64_t at = is_back ? last - k : first + k;
		const struct listener_rule *r = listener_rule_find_by_listener(op->head, listener, at);
		if (r)
			TRY(set_position(op, r, is_back ? at + 1 : at - 1));
	}
	return OK;
}

/* Makes room, and returns the place that a policy behind the last one gets. */
static RESULT make_room(struct op *op, uuid listener, int64_t position, int64_t *ret_position)
{
	int64_t count = count_policies(op->head, listener);
	*ret_position = position > count ? count + 1 : position;
	return shift(op, listener, *ret_position, count, true);
}

/* Frees the place that the policy has in the meantime, moves those between, and returns the new place. */
static RESULT move(struct op *op, const struct listener_rule *policy, int64_t position, int64_t *ret_position)
{
	uuid listener = policy->listener;
	int64_t from = policy->priority, count = count_policies(op->head, listener);
	int64_t to = position > count ? count : position;
	enum { ASIDE = -1 };
	*ret_position = to;
	if (to == from)
		return OK;
	TRY(set_position(op, policy, ASIDE));
	return to < from ? shift(op, listener, to, from - 1, true) : shift(op, listener, from + 1, to, false);
}

/* ---- operations ---- */

static RESULT find_listener(struct op *op, const struct ref *ref, const struct listener **ret_listener)
{
	TRY(engine_permit_listener(op, ref, "listener_rule.create", ret_listener));
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find(op->head, (*ret_listener)->elastic_load_balancer);
	if (!octavia_is_balancer(b))
		return engine_fail_not_found(op->ctx, KIND_LISTENER, ref);
	return octavia_check_ready(op, b);
}

static RESULT mark_listener(struct op *op, uuid listener, int64_t gen)
{
	struct listener next = *listener_find(op->head, listener);
	next.proxy_gen = gen;
	next.row.gen++;
	return listener_put(op, &next);
}

/* A pool of the request is made before the policy leads to it. */
static RESULT put_pool(struct op *op, const struct listener *l, struct octavia_l7_policy_wish *wish,
		       int64_t gen)
{
	uuid pool = UUID_NONE;
	if (!wish->has_pool)
		return OK;
	if (ref_is_given(&wish->action.pool))
		return fail_args(op, "redirect_pool",
				 "redirect_pool_id and redirect_pool cannot be given at the same time");
	TRY(octavia_choose_pool(op, elastic_load_balancer_find(op->head, l->elastic_load_balancer),
				&wish->pool, gen, &pool));
	wish->action.pool = ref_by_id(KIND_TARGET_GROUP, pool);
	return OK;
}

RESULT octavia_put_policy(struct op *op, uuid listener, struct octavia_l7_policy_wish *wish, int64_t gen)
{
	const struct listener *l = listener_find(op->head, listener);
	const struct target_group *group = NULL;
	uuid rule;
	struct listener_rule made = {.row = {.id = engine_new_id(op, KIND_LISTENER_RULE), .gen = 1},
				     .account = l->account,
				     .elastic_load_balancer = l->elastic_load_balancer,
				     .listener = listener,
				     .conditions = STR("[]"),
				     .title = wish->name,
				     .description = wish->description,
				     .is_down = wish->is_down,
				     .proxy_gen = gen};
	if (!octavia_is_http(l->protocol))
		return OCTAVIA_UNSUPPORTED(
			op, wish->listener.field,
			"L7 policies need a listener of protocol HTTP or TERMINATED_HTTPS.");
	TRY(put_pool(op, l, wish, gen));
	TRY(set_action(op, &wish->action, &made, &group));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(limit_check(op, LIMIT_LISTENER_RULES, made.elastic_load_balancer, 1, STR_NONE));
	TRY(make_room(op, listener, wish->position, &made.priority));
	TRY(put_policy(op, &made, group));
	for (size_t k = 0; k < wish->rules.count; k++)
		TRY(octavia_put_l7_rule(op, &made, &wish->rules.at[k], gen, &rule));
	wish->made = made.row.id;
	return engine_log_event(op, KIND_LISTENER_RULE, &made.row, "created", "Rule of priority %" PRId64 ".",
				made.priority);
}

RESULT engine_create_l7_policy(struct op *op, struct octavia_l7_policy_wish *wish)
{
	const struct listener *l = NULL;
	int64_t gen = 0;
	TRY(find_listener(op, &wish->listener, &l));
	uuid listener = l->row.id;
	TRY(octavia_touch(op, l->elastic_load_balancer, &gen));
	TRY(octavia_put_policy(op, listener, wish, gen));
	return mark_listener(op, listener, gen);
}

RESULT engine_change_l7_policy(struct op *op, struct octavia_l7_policy_change *wish)
{
	const struct listener_rule *present = NULL;
	const struct target_group *group = NULL;
	TRY(octavia_permit_policy(op, &wish->policy, "listener_rule.update", &present));
	struct listener_rule next = *present;
	if (wish->name)
		next.title = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_down, &next.is_down);
	TRY(set_action(op, &wish->action, &next, &group));
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	if (wish->position)
		TRY(move(op, present, wish->position, &next.priority));
	next.row.gen++;
	TRY(octavia_touch(op, next.elastic_load_balancer, &next.proxy_gen));
	TRY(mark_listener(op, next.listener, next.proxy_gen));
	TRY(put_policy(op, &next, group));
	return engine_log_event(op, KIND_LISTENER_RULE, &next.row, "changed", "Rule of priority %" PRId64 ".",
				next.priority);
}

RESULT engine_delete_l7_policy(struct op *op, struct octavia_l7_policy_target *wish)
{
	const struct listener_rule *policy = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_policy(op, &wish->policy, "listener_rule.delete", &policy));
	uuid id = policy->row.id, listener = policy->listener, balancer = policy->elastic_load_balancer;
	int64_t position = policy->priority, count = count_policies(op->head, listener);
	TRY(engine_log_event(op, KIND_LISTENER_RULE, &policy->row, "deleted", "Rule of priority %" PRId64 ".",
			     position));
	TRY(listener_rule_forget(op, id));
	TRY(shift(op, listener, position + 1, count, false));
	TRY(octavia_touch(op, balancer, &gen));
	return mark_listener(op, listener, gen);
}
