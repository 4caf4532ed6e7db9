/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: network load balancers, listeners, target groups and targets. */
#pragma once

#include "engine/balancing/balancing.h"
#include "engine/balancing/octavia.h"
#include "store/l7_rule.h"
#include "store/listener.h"
#include "store/proxy.h"

static struct str next_name(struct cloud *c)
{
	static int number;
	return str_print(c->arena, "balanced-%d", ++number);
}

static RESULT make_balancer(struct cloud *c, bool is_application)
{
	const struct subnet *s = subnet_first_by_router(cloud_tables(c), c->alice_router);
	struct balancer_subnet one = {.subnet = ref_to(c, KIND_SUBNET, s->row.id)};
	struct elastic_load_balancer_wish wish = {.name = next_name(c),
						  .is_application = is_application,
						  .is_internal = true,
						  .subnets = {&one, 1}};
	MAKE(c, &c->alice, engine_create_elastic_load_balancer, wish, balancer);
}
static RESULT make_network_balancer(struct cloud *c, int n)
{
	(void) n;
	return make_balancer(c, false);
}
static RESULT make_application_balancer(struct cloud *c, int n)
{
	(void) n;
	return make_balancer(c, true);
}
DROP(network_balancer, engine_delete_elastic_load_balancer, elastic_load_balancer_target,
     .balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, made))

static RESULT make_target_group(struct cloud *c, int n)
{
	struct target_group_wish wish = {.name = next_name(c),
					 .router = ref_to(c, KIND_ROUTER, c->alice_router),
					 .is_by_ip = true,
					 .port = 80,
					 .interval_s = 10,
					 .timeout_s = 5,
					 .healthy_threshold = 3,
					 .unhealthy_threshold = 3};
	(void) n;
	MAKE(c, &c->alice, engine_create_target_group, wish, target_group);
}
DROP(target_group, engine_delete_target_group, target_group_target,
     .target_group = ref_by_id(KIND_TARGET_GROUP, made))

/* helpers[0] is a target group. */
static void is_a_network_balancer(struct cloud *c)
{
	cloud_expect(c, make_target_group(c, 0), ERR_NONE, KIND_NONE);
	helpers[0] = made;
	cloud_expect(c, make_network_balancer(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static RESULT make_listener(struct cloud *c, int n)
{
	static int64_t port;
	struct listener_wish wish = {
		.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, owner),
		.action = {.groups = {{ref_by_id(KIND_TARGET_GROUP, helpers[0]), 1}}, .group_count = 1},
		.port = ++port};
	(void) n;
	MAKE(c, &c->alice, engine_create_listener, wish, listener);
}
DROP(listener, engine_delete_listener, listener_target, .listener = ref_by_id(KIND_LISTENER, made))

static void is_a_target_group(struct cloud *c)
{
	cloud_expect(c, make_target_group(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static struct targets_wish name_target(struct cloud *c, uuid port, struct balancing_target *one)
{
	*one = (struct balancing_target){.ip = port_find(cloud_tables(c), port)->ip};
	return (struct targets_wish){.target_group = ref_by_id(KIND_TARGET_GROUP, owner),
				     .targets = {one, 1}};
}
static RESULT make_target(struct cloud *c, int n)
{
	const struct subnet *s = subnet_first_by_router(cloud_tables(c), c->alice_router);
	struct port_wish port = {.subnet = ref_to(c, KIND_SUBNET, s->row.id)};
	struct balancing_target one;
	(void) n;
	cloud_ok(c, &c->alice, engine_create_port, &port);
	made = port.port;
	struct targets_wish wish = name_target(c, made, &one);
	return cloud_run(c, &c->alice, engine_register_targets_run, &wish);
}
static void drop_target(struct cloud *c)
{
	struct balancing_target one;
	const struct target *t = target_first_by_target_group(cloud_tables(c), owner);
	struct targets_wish wish = name_target(c, t->port, &one);
	cloud_ok(c, &c->alice, engine_deregister_targets, &wish);
}

/* helpers[0] is the listener, owner its load balancer. */
static void is_an_application_balancer(struct cloud *c)
{
	cloud_expect(c, make_application_balancer(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
	struct listener_wish wish = {.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, owner),
				     .protocol = BALANCING_HTTP,
				     .action = {.type = RULE_FIXED_RESPONSE, .status = 200},
				     .port = 80};
	cloud_ok(c, &c->alice, engine_create_listener, &wish);
	helpers[0] = wish.listener;
}
static RESULT make_listener_rule(struct cloud *c, int n)
{
	static int64_t priority;
	struct listener_rule_wish wish = {.listener = ref_by_id(KIND_LISTENER, helpers[0]),
					  .priority = ++priority,
					  .action = {.type = RULE_FIXED_RESPONSE, .status = 200}};
	(void) n;
	MAKE(c, &c->alice, engine_create_listener_rule, wish, rule);
}
DROP(listener_rule, engine_delete_listener_rule, listener_rule_target,
     .rule = ref_by_id(KIND_LISTENER_RULE, made))

/* Reports as a reconciler does whose proxy has the last change. */
static void see_proxy(struct cloud *c, uuid balancer)
{
	const struct proxy *proxy = engine_get_proxy(cloud_tables(c), balancer);
	struct proxy_report report = {proxy->row.id, proxy->row.gen};
	cloud_ok(c, NULL, engine_see_proxy, &report);
}

/* owner is an L7 policy of Octavia, helpers[0] its load balancer. Each change waits for the proxy. */
static void is_an_l7_policy(struct cloud *c)
{
	const struct subnet *s = subnet_first_by_router(cloud_tables(c), c->alice_router);
	struct octavia_listener listener = {.protocol = STR("HTTP"), .port = 80, .connection_limit = -1};
	struct octavia_balancer_wish wish = {.subnet = ref_to(c, KIND_SUBNET, s->row.id),
					     .listeners = {&listener, 1}};
	cloud_ok(c, &c->alice, engine_create_octavia_balancer, &wish);
	helpers[0] = wish.balancer;
	see_proxy(c, wish.balancer);
	const struct listener *l = listener_first_by_elastic_load_balancer(cloud_tables(c), wish.balancer);
	struct octavia_l7_policy_wish policy = {
		.listener = ref_by_id(KIND_LISTENER, l->row.id), .action.word = STR("REJECT"), .position = 1};
	cloud_ok(c, &c->alice, engine_create_l7_policy, &policy);
	owner = policy.made;
}
static RESULT make_l7_rule(struct cloud *c, int n)
{
	struct octavia_l7_rule_wish wish = {
		.policy = ref_by_id(KIND_LISTENER_RULE, owner),
		.rule = {.type = STR("PATH"), .compare = STR("EQUAL_TO"), .value = STR("/")}};
	(void) n;
	see_proxy(c, helpers[0]);
	MAKE(c, &c->alice, engine_create_l7_rule, wish, made);
}
static void drop_l7_rule(struct cloud *c)
{
	const struct l7_rule *rule = l7_rule_first_by_listener_rule(cloud_tables(c), owner);
	struct octavia_l7_rule_target wish = {ref_by_id(KIND_LISTENER_RULE, owner),
					      ref_by_id(KIND_L7_RULE, rule->row.id)};
	see_proxy(c, helpers[0]);
	cloud_ok(c, &c->alice, engine_delete_l7_rule, &wish);
}

#define BALANCING                                                                                            \
	[LIMIT_NETWORK_LOAD_BALANCERS] = {is_alices, make_network_balancer, drop_network_balancer},          \
	[LIMIT_APPLICATION_LOAD_BALANCERS] = {is_alices, make_application_balancer, drop_network_balancer},  \
	[LIMIT_LISTENER_RULES] = {is_an_application_balancer, make_listener_rule, drop_listener_rule},       \
	[LIMIT_L7_RULES] = {is_an_l7_policy, make_l7_rule, drop_l7_rule},                                    \
	[LIMIT_TARGET_GROUPS] = {is_alices, make_target_group, drop_target_group},                           \
	[LIMIT_LISTENERS] = {is_a_network_balancer, make_listener, drop_listener},                           \
	[LIMIT_TARGETS] = {is_a_target_group, make_target, drop_target},
