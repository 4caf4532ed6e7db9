/* SPDX-License-Identifier: Apache-2.0
 * Rules of listeners of application load balancers. Every listener has a default rule of priority 0, made and deleted
 * with it, which has no conditions. */
#pragma once

#include "engine/operation.h"
#include "model/rule_conditions.h"

struct elastic_load_balancer;
struct listener;
struct listener_rule;
struct tables;

enum { RULE_GROUPS_MAX = 5, RULE_CONDITIONS_MAX = 5, RULE_VALUES_MAX = 5, RULE_PRIORITY_MAX = 50000 };

/* ---- actions ---- */

enum rule_action_type { RULE_FORWARD, RULE_REDIRECT, RULE_FIXED_RESPONSE };
struct rule_group {
	struct ref group;
	int64_t weight;
};
struct rule_action {
	enum rule_action_type type;
	struct rule_group groups[RULE_GROUPS_MAX];
	size_t group_count;
	int64_t order; /* shown only; 0: none */
	int64_t sticky_s;
	int64_t status;
	struct str protocol, host, port, path, query; /* for redirects */
	struct str content_type, body;                /* for fixed responses */
};

/* ---- operations ---- */

/* ERR_EXISTS: another rule of the listener has the priority. ERR_STATE with KIND_LISTENER: the listener has no rules.
 * ERR_COMBINATION and ERR_IN_USE as of listeners; ERR_QUOTA. */
struct listener_rule_wish {
	struct ref listener;
	int64_t priority;
	struct rule_conditions conditions;
	struct rule_action action;
	struct tags tags;
	/* outputs: */
	uuid rule;
};
OPERATION(engine_create_listener_rule, listener_rule_wish)

struct listener_rule_change {
	struct ref rule;
	bool sets_conditions, sets_action;
	struct rule_conditions conditions;
	struct rule_action action;
};
/* ERR_STATE with KIND_LISTENER_RULE: the default rule changes with its listener. */
OPERATION(engine_change_listener_rule, listener_rule_change)

struct listener_rule_target {
	struct ref rule;
};
OPERATION(engine_delete_listener_rule, listener_rule_target)

struct rule_priority {
	struct ref rule;
	int64_t priority;
};
struct rule_priorities {
	const struct rule_priority *at;
	size_t count;
};
OPERATION(engine_set_rule_priorities, rule_priorities)

/* The listener's default rule; NULL: the listener has no rules. */
const struct listener_rule *engine_get_default_rule(const struct tables *t, uuid listener);
/* The load balancer that uses the target group, by a listener or a rule; none: none does. */
uuid engine_get_balancer_of_group(const struct tables *t, uuid group);
