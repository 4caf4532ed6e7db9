/* SPDX-License-Identifier: Apache-2.0
 * Proxies of application load balancers: made, kept running, told of changes, asked for the health of targets, and gone with
 * their balancer. Killed anywhere in between, too. */
#include "../cloud/cloud.h"

#include "drivers/sim/proxy.h"
#include "engine/balancing/balancing.h"
#include "store/elastic_load_balancer.h"
#include "store/listener_rule.h"
#include "store/port.h"
#include "store/proxy.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

enum { SEEDS = 30 };

struct lab {
	struct cloud *c;
	uuid balancer, listener, group, proxy;
};

static struct rule_action forward(struct cloud *c, uuid group)
{
	return (struct rule_action){.groups = {{cloud_ref(c, KIND_TARGET_GROUP, group), 1}},
				    .group_count = 1};
}

static void register_one(struct lab *lab, uuid instance)
{
	struct balancing_target one = {.instance = cloud_ref(lab->c, KIND_INSTANCE, instance)};
	struct targets_wish wish = {.target_group = cloud_ref(lab->c, KIND_TARGET_GROUP, lab->group),
				    .targets = {&one, 1}};
	cloud_ok(lab->c, &lab->c->alice, engine_register_targets, &wish);
}

/* The row as it is now; texts are not to be looked at. */
static struct proxy see_proxy(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct proxy *p = proxy_find(view.tables, id);
	return p ? *p : (struct proxy){0};
}

static uuid find_proxy(struct cloud *c, uuid balancer)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return engine_get_proxy(view.tables, balancer)->row.id;
}

static struct target see_target(const struct lab *lab)
{
	AUTO_VIEW view = {0};
	view_open(lab->c->store, &view);
	return *target_first_by_target_group(view.tables, lab->group);
}

static struct listener_rule default_rule(const struct lab *lab)
{
	AUTO_VIEW view = {0};
	view_open(lab->c->store, &view);
	return *engine_get_default_rule(view.tables, lab->listener);
}

static int64_t priority_of(const struct lab *lab, uuid rule)
{
	AUTO_VIEW view = {0};
	view_open(lab->c->store, &view);
	return listener_rule_find(view.tables, rule)->priority;
}

static struct lab make_lab(struct cloud *c)
{
	struct lab lab = {.c = c};
	uuid instance = cloud_launch_running(c);
	struct balancer_subnet subnet = {
		.subnet = cloud_ref(c, KIND_SUBNET, cloud_port(c, cloud_port_of(c, instance)).subnet)};
	struct elastic_load_balancer_wish balancer = {
		.name = STR("web"), .is_application = true, .is_internal = true, .subnets = {&subnet, 1}};
	cloud_ok(c, &c->alice, engine_create_elastic_load_balancer, &balancer);
	struct target_group_wish group = {.name = STR("web"),
					  .router = cloud_ref(c, KIND_ROUTER, c->router),
					  .protocol = BALANCING_HTTP,
					  .port = 80,
					  .interval_s = 10,
					  .timeout_s = 5,
					  .healthy_threshold = 3,
					  .unhealthy_threshold = 2,
					  .check_protocol = BALANCING_HTTP,
					  .check_path = STR("/"),
					  .matcher = STR("200")};
	cloud_ok(c, &c->alice, engine_create_target_group, &group);
	struct listener_wish listener = {.balancer =
						 cloud_ref(c, KIND_ELASTIC_LOAD_BALANCER, balancer.balancer),
					 .protocol = BALANCING_HTTP,
					 .port = 80,
					 .action = forward(c, group.target_group)};
	cloud_ok(c, &c->alice, engine_create_listener, &listener);
	lab.balancer = balancer.balancer;
	lab.listener = listener.listener;
	lab.group = group.target_group;
	lab.proxy = find_proxy(c, lab.balancer);
	register_one(&lab, instance);
	return lab;
}

static struct target_condition condition_of(const struct lab *lab)
{
	AUTO_VIEW view = {0};
	view_open(lab->c->store, &view);
	const struct tables *t = view.tables;
	return engine_get_target_condition(t, target_group_find(t, lab->group),
					   target_first_by_target_group(t, lab->group));
}

static void remove_balancer(const struct lab *lab)
{
	struct elastic_load_balancer_target target = {
		.balancer = cloud_ref(lab->c, KIND_ELASTIC_LOAD_BALANCER, lab->balancer)};
	cloud_ok(lab->c, &lab->c->alice, engine_delete_elastic_load_balancer, &target);
}

static void a_proxy_lives_as_long_as_its_balancer(struct cloud *c)
{
	struct lab lab = make_lab(c);
	cloud_settle(lab.c);
	assert_true(sim_proxy_has(lab.proxy));
	const struct proxy row = see_proxy(c, lab.proxy);
	assert_int_equal(row.seen_gen, (int64_t) row.row.gen);
	remove_balancer(&lab);
	cloud_settle(lab.c);
	assert_false(sim_proxy_has(lab.proxy));
	assert_int_equal(cloud_count(c, KIND_PROXY), 0);
}

static void a_lost_process_is_started_again(struct cloud *c)
{
	struct lab lab = make_lab(c);
	cloud_settle(lab.c);
	sim_proxy_lose(lab.proxy);
	cloud_step_for(lab.c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_true(sim_proxy_has(lab.proxy));
}

static void health_is_what_the_process_says(struct cloud *c)
{
	struct lab lab = make_lab(c);
	cloud_settle(lab.c);
	assert_int_equal(condition_of(&lab).state, TARGET_HEALTHY);
	const struct sim_proxy_fault bad = {see_target(&lab).row.id, PROXY_FAULT_MISMATCH, 500};
	sim_proxy_break(&bad, 1);
	cloud_step_for(lab.c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_int_equal(condition_of(&lab).state, TARGET_UNHEALTHY);
	assert_string_equal(condition_of(&lab).reason, "Target.ResponseCodeMismatch");
	assert_int_equal(see_target(&lab).code, 500);
	sim_proxy_break(NULL, 0);
	cloud_step_for(lab.c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_int_equal(condition_of(&lab).state, TARGET_HEALTHY);
}

static struct rule_conditions path_of(struct rule_condition *condition, struct rule_value *value)
{
	*value = (struct rule_value){.value = STR("/a*")};
	*condition = (struct rule_condition){.field = RULE_PATH_PATTERN, .values = value, .value_count = 1};
	return (struct rule_conditions){condition, 1};
}

static void each_change_reaches_the_process(struct cloud *c)
{
	struct lab lab = make_lab(c);
	struct rule_condition condition;
	struct rule_value value;
	cloud_settle(c);
	int64_t before = see_proxy(c, lab.proxy).seen_gen;
	struct listener_rule_wish rule = {.listener = cloud_ref(c, KIND_LISTENER, lab.listener),
					  .priority = 7,
					  .conditions = path_of(&condition, &value),
					  .action = forward(c, lab.group)};
	cloud_ok(c, &c->alice, engine_create_listener_rule, &rule);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_listener_rule_run, &rule).code, ERR_EXISTS);
	cloud_settle(c);
	assert_true(see_proxy(c, lab.proxy).seen_gen > before);
	struct target_group_target group = {.target_group = cloud_ref(c, KIND_TARGET_GROUP, lab.group)};
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_target_group_run, &group).code, ERR_IN_USE);
	const struct listener_rule standard = default_rule(&lab);
	struct listener_rule_target target = {cloud_ref(c, KIND_LISTENER_RULE, standard.row.id)};
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_listener_rule_run, &target).code, ERR_STATE);
	target.rule = cloud_ref(c, KIND_LISTENER_RULE, rule.rule);
	cloud_ok(c, &c->alice, engine_delete_listener_rule, &target);
	remove_balancer(&lab);
	cloud_ok(c, &c->alice, engine_delete_target_group, &group);
	cloud_settle(c);
}

static void rules_swap_their_priorities(struct cloud *c)
{
	struct lab lab = make_lab(c);
	struct rule_condition condition;
	struct rule_value value;
	uuid rules[2];
	for (int k = 0; k < 2; k++) {
		struct listener_rule_wish wish = {.listener = cloud_ref(c, KIND_LISTENER, lab.listener),
						  .priority = k + 1,
						  .conditions = path_of(&condition, &value),
						  .action = {.type = RULE_FIXED_RESPONSE, .status = 200}};
		cloud_ok(c, &c->alice, engine_create_listener_rule, &wish);
		rules[k] = wish.rule;
	}
	struct rule_priority swapped[] = {{cloud_ref(c, KIND_LISTENER_RULE, rules[0]), 2},
					  {cloud_ref(c, KIND_LISTENER_RULE, rules[1]), 1}};
	struct rule_priorities wish = {swapped, 2};
	cloud_ok(c, &c->alice, engine_set_rule_priorities, &wish);
	assert_int_equal(priority_of(&lab, rules[0]), 2);
	wish.count = 1;
	swapped[0].priority = 1;
	assert_int_equal(cloud_call(c, &c->alice, engine_set_rule_priorities_run, &wish).code, ERR_EXISTS);
	assert_int_equal(priority_of(&lab, rules[0]), 2);
}

static void it_ends_the_same_if_it_is_killed(struct cloud *c)
{
	struct lab lab = make_lab(c);
	for (uint64_t seed = 1; seed < SEEDS; seed++) {
		c->kill_at = c->steps + seed;
		(void) cloud_step_until(c, cloud_is_settled, NULL, MINUTE);
		if (!cloud_was_killed(c))
			break;
		cloud_restart(c);
	}
	c->kill_at = 0;
	cloud_settle(c);
	assert_true(sim_proxy_has(lab.proxy));
	remove_balancer(&lab);
	c->kill_at = c->steps + 2;
	(void) cloud_step_until(c, cloud_is_settled, NULL, MINUTE);
	if (cloud_was_killed(c))
		cloud_restart(c);
	c->kill_at = 0;
	cloud_settle(c);
	assert_false(sim_proxy_has(lab.proxy));
}

TEST_STORY(a_proxy_lives_as_long_as_its_balancer, 1)
TEST_STORY(a_lost_process_is_started_again, 1)
TEST_STORY(health_is_what_the_process_says, 1)
TEST_STORY(each_change_reaches_the_process, 1)
TEST_STORY(rules_swap_their_priorities, 1)
TEST_STORY(it_ends_the_same_if_it_is_killed, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_proxy_lives_as_long_as_its_balancer),
		cmocka_unit_test(test_a_lost_process_is_started_again),
		cmocka_unit_test(test_health_is_what_the_process_says),
		cmocka_unit_test(test_each_change_reaches_the_process),
		cmocka_unit_test(test_rules_swap_their_priorities),
		cmocka_unit_test(test_it_ends_the_same_if_it_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
