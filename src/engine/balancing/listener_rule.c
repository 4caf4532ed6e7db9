/* SPDX-License-Identifier: Apache-2.0
 * Rules of listeners of application load balancers. Called by: api/elb. */
#include "engine/balancing/listener_rule.h"

#include <inttypes.h>

#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/rule_target_group.h"
#include "store/target_group.h"

/* ---- reading ---- */

const struct listener_rule *engine_get_default_rule(const struct tables *t, uuid listener)
{
	return listener_rule_find_by_listener(t, listener, 0);
}

uuid engine_get_balancer_of_group(const struct tables *t, uuid group)
{
	const struct target_group *row = target_group_find(t, group);
	if (row && !uuid_is_none(row->elastic_load_balancer))
		return row->elastic_load_balancer;
	const struct listener *l = listener_first_by_target_group(t, group);
	const struct rule_target_group *r = rule_target_group_first_by_target_group(t, group);
	const struct listener_rule *rule = r ? listener_rule_find(t, r->listener_rule) : NULL;
	return l ? l->elastic_load_balancer : rule ? rule->elastic_load_balancer : UUID_NONE;
}

/* ---- target groups ---- */

/* An application load balancer's target groups are of HTTP or HTTPS, and one load balancer's at most. */
RESULT listener_rule_check_group(struct op *op, const struct elastic_load_balancer *balancer,
				 const struct target_group *group)
{
	uuid user = engine_get_balancer_of_group(op->head, group->row.id);
	if (group->protocol != TARGET_GROUP_PROTOCOL_HTTP && group->protocol != TARGET_GROUP_PROTOCOL_HTTPS)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_LISTENER, STR("Actions"),
				   "Target groups of an application load balancer must have protocol HTTP or "
				   "HTTPS: '%" STR_FMT "' has %s.",
				   STR_ARG(group->name),
				   group->protocol == TARGET_GROUP_PROTOCOL_UDP       ? "UDP"
				   : group->protocol == TARGET_GROUP_PROTOCOL_TCP_UDP ? "TCP_UDP"
				   : group->protocol == TARGET_GROUP_PROTOCOL_TLS     ? "TLS"
										      : "TCP");
	if (!uuid_equal(group->router, balancer->router))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_TARGET_GROUP, STR("Actions"),
				   "The target group and the load balancer are in different VPCs.");
	if (!uuid_is_none(user) && !uuid_equal(user, balancer->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_LISTENER, STR("Actions"),
				   "The target group '%" STR_FMT
				   "' cannot be associated with more than one load balancer.",
				   STR_ARG(group->name));
	return target_group_check_family(op, balancer, group);
}

static RESULT put_groups(struct op *op, const struct elastic_load_balancer *balancer, uuid rule,
			 const struct rule_action *action)
{
	for (size_t k = 0; k < action->group_count && action->type == RULE_FORWARD; k++) {
		const struct target_group *group = NULL;
		TRY(engine_find_own_target_group(op->ctx, op->head, &action->groups[k].group, &group));
		TRY(listener_rule_check_group(op, balancer, group));
		struct rule_target_group made = {
			.row = {.id = engine_new_id(op, KIND_RULE_TARGET_GROUP), .gen = 1},
			.account = balancer->account,
			.listener_rule = rule,
			.target_group = group->row.id,
			.position = (int64_t) k,
			.weight = action->groups[k].weight};
		TRY(rule_target_group_put(op, &made));
	}
	return OK;
}

/* ---- rows ---- */

static void apply_action(const struct rule_action *action, struct listener_rule *rule)
{
	static const enum listener_rule_action types[] = {
		[RULE_FORWARD] = LISTENER_RULE_ACTION_FORWARD,
		[RULE_REDIRECT] = LISTENER_RULE_ACTION_REDIRECT,
		[RULE_FIXED_RESPONSE] = LISTENER_RULE_ACTION_FIXED_RESPONSE,
	};
	rule->action = types[action->type];
	rule->action_order = action->order;
	rule->sticky_s = action->sticky_s;
	rule->status = action->status;
	rule->protocol = action->protocol;
	rule->host = action->host;
	rule->port = action->port;
	rule->path = action->path;
	rule->query = action->query;
	rule->content_type = action->content_type;
	rule->body = action->body;
}

static RESULT put_action(struct op *op, const struct rule_action *action, struct listener_rule *rule)
{
	const struct elastic_load_balancer *balancer =
		elastic_load_balancer_find(op->head, rule->elastic_load_balancer);
	uuid id = rule->row.id;
	apply_action(action, rule);
	rule->row.gen++;
	FORGET_EACH(op, rule_target_group, listener_rule, id);
	TRY(listener_rule_put(op, rule)); /* before the rows that refer to it */
	return put_groups(op, balancer, id, action);
}

RESULT listener_rule_put_default(struct op *op, const struct listener *listener,
				 const struct rule_action *action)
{
	const struct listener_rule *present = engine_get_default_rule(op->head, listener->row.id);
	struct listener_rule next =
		present ? *present
			: (struct listener_rule){.row.id = engine_new_id(op, KIND_LISTENER_RULE),
						 .account = listener->account,
						 .elastic_load_balancer = listener->elastic_load_balancer,
						 .listener = listener->row.id,
						 .conditions = STR("[]")};
	return put_action(op, action, &next);
}

/* ---- operations ---- */

static RESULT check_no_default(struct op *op, const struct listener_rule *rule, const char *what)
{
	if (rule->priority)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_LISTENER_RULE, STR("RuleArn"),
			   "Default rule '%" STR_FMT "' cannot be %s",
			   STR_ARG(engine_write_id(op, KIND_LISTENER_RULE, rule->row.id)), what);
}

RESULT engine_create_listener_rule(struct op *op, struct listener_rule_wish *wish)
{
	const struct listener *listener = NULL;
	TRY(engine_permit_listener(op, &wish->listener, "listener_rule.create", &listener));
	if (!engine_get_default_rule(op->head, listener->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_LISTENER, wish->listener.field,
				   "Rules are not supported for listeners of network load balancers");
	struct listener_rule made = {.row.id = engine_new_id(op, KIND_LISTENER_RULE),
				     .account = listener->account,
				     .elastic_load_balancer = listener->elastic_load_balancer,
				     .listener = listener->row.id,
				     .priority = wish->priority};
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(rule_conditions_write(op->ctx, &wish->conditions, &made.conditions));
	if (listener_rule_find_by_listener(op->head, listener->row.id, wish->priority))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER_RULE, STR("Priority"),
				   "Priority '%" PRId64 "' is currently in use", wish->priority);
	TRY(limit_check(op, LIMIT_LISTENER_RULES, listener->elastic_load_balancer, 1, STR_NONE));
	uuid balancer = listener->elastic_load_balancer;
	TRY(put_action(op, &wish->action, &made));
	TRY(proxy_touch(op, balancer));
	wish->rule = made.row.id;
	return engine_log_event(op, KIND_LISTENER_RULE, &made.row, "created", "Rule of priority %" PRId64 ".",
				made.priority);
}

RESULT engine_change_listener_rule(struct op *op, struct listener_rule_change *wish)
{
	const struct listener_rule *present = NULL;
	TRY(engine_permit_listener_rule(op, &wish->rule, "listener_rule.update", &present));
	TRY(check_no_default(op, present, "modified"));
	struct listener_rule next = *present;
	if (wish->sets_conditions)
		TRY(rule_conditions_write(op->ctx, &wish->conditions, &next.conditions));
	next.row.gen++;
	if (wish->sets_action)
		TRY(put_action(op, &wish->action, &next));
	else
		TRY(listener_rule_put(op, &next));
	TRY(proxy_touch(op, next.elastic_load_balancer));
	return engine_log_event(op, KIND_LISTENER_RULE, &next.row, "changed", "Rule of priority %" PRId64 ".",
				next.priority);
}

RESULT engine_delete_listener_rule(struct op *op, struct listener_rule_target *wish)
{
	const struct listener_rule *rule = NULL;
	TRY(engine_permit_listener_rule(op, &wish->rule, "listener_rule.delete", &rule));
	TRY(check_no_default(op, rule, "deleted"));
	uuid balancer = rule->elastic_load_balancer;
	TRY(engine_log_event(op, KIND_LISTENER_RULE, &rule->row, "deleted", "Rule of priority %" PRId64 ".",
			     rule->priority));
	TRY(listener_rule_forget(op, rule->row.id));
	return proxy_touch(op, balancer);
}

static RESULT set_priority(struct op *op, uuid rule, int64_t priority)
{
	struct listener_rule next = *listener_rule_find(op->head, rule);
	const struct listener_rule *other = listener_rule_find_by_listener(op->head, next.listener, priority);
	if (other && !uuid_equal(other->row.id, rule))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER_RULE, STR("RulePriorities"),
				   "Priority '%" PRId64 "' is currently in use", priority);
	next.priority = priority;
	next.row.gen++;
	return listener_rule_put(op, &next);
}

/* Rules may swap their priorities, so all get numbers that no caller can ask for first. */
RESULT engine_set_rule_priorities(struct op *op, struct rule_priorities *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct listener_rule *rule = NULL;
		TRY(engine_permit_listener_rule(op, &wish->at[k].rule, "listener_rule.set_priorities",
						&rule));
		TRY(check_no_default(op, rule, "prioritized"));
		TRY(set_priority(op, rule->row.id, -1 - (int64_t) k));
	}
	for (size_t k = 0; k < wish->count; k++) {
		uuid id = wish->at[k].rule.prefix;
		TRY(set_priority(op, id, wish->at[k].priority));
		const struct listener_rule *rule = listener_rule_find(op->head, id);
		TRY(proxy_touch(op, rule->elastic_load_balancer));
		TRY(engine_log_event(op, KIND_LISTENER_RULE, &rule->row, "changed", "Priority %" PRId64 ".",
				     rule->priority));
	}
	return OK;
}
