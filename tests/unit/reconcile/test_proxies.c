/* SPDX-License-Identifier: Apache-2.0
 * Proxies of application load balancers: made, kept running, told of changes, asked for the health of targets, and gone with
 * their balancer. Killed anywhere in between, too. */
#include "../cloud/cloud.h"

#include "drivers/sim/proxy.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/octavia.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
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

/* ---- statistics of Octavia ---- */

static struct lab make_octavia(struct cloud *c, struct str protocol)
{
	uuid instance = cloud_launch_running(c);
	const struct port port = cloud_port(c, cloud_port_of(c, instance));
	struct octavia_listener listener = {.protocol = protocol, .port = 80, .connection_limit = -1};
	struct octavia_balancer_wish wish = {.subnet = cloud_ref(c, KIND_SUBNET, port.subnet),
					     .listeners = {&listener, 1}};
	cloud_ok(c, &c->alice, engine_create_octavia_balancer, &wish);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return (struct lab){
		.c = c,
		.balancer = wish.balancer,
		.proxy = engine_get_proxy(view.tables, wish.balancer)->row.id,
		.listener = listener_first_by_elastic_load_balancer(view.tables, wish.balancer)->row.id};
}

/* Lets the process report the figures: connections of a worker, of which one is active. */
static void count(const struct lab *lab, int64_t worker, int64_t total)
{
	const struct proxy_listener_state state = {.listener = lab->listener,
						   .worker = worker,
						   .active = 1,
						   .total = total,
						   .bytes_in = 10 * total,
						   .bytes_out = 100 * total,
						   .errors = total - 1};
	sim_proxy_count(&state, 1);
	cloud_step_for(lab->c, 2 * CLOUD_HOST_INTERVAL_US);
}

static void check_figures(const struct lab *lab, int64_t active, int64_t total, int64_t errors)
{
	struct octavia_figures seen = {0};
	AUTO_VIEW view = {0};
	view_open(lab->c->store, &view);
	octavia_add_figures(view.tables, listener_find(view.tables, lab->listener), &seen);
	assert_int_equal(seen.active_connections, active);
	assert_int_equal(seen.total_connections, total);
	assert_int_equal(seen.bytes_in, 10 * total);
	assert_int_equal(seen.bytes_out, 100 * total);
	assert_int_equal(seen.request_errors, errors);
}

static void figures_are_sums_of_all_workers(struct cloud *c)
{
	struct lab lab = make_octavia(c, STR("TCP"));
	cloud_settle(c);
	check_figures(&lab, 0, 0, 0);
	count(&lab, 7, 5);
	check_figures(&lab, 1, 5, 4);
	count(&lab, 7, 8);
	check_figures(&lab, 1, 8, 7);
	count(&lab, 9, 2); /* a reload */
	check_figures(&lab, 1, 10, 8);
	count(&lab, 9, 1); /* a new worker with the former one's id */
	check_figures(&lab, 1, 11, 8);
	int64_t commit = (int64_t) see_proxy(c, lab.proxy).row.commit;
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_int_equal((int64_t) see_proxy(c, lab.proxy).row.commit, commit); /* no traffic, no write */
	cloud_restart(c);
	cloud_settle(c);
	check_figures(&lab, 1, 11, 8);
	sim_proxy_count(NULL, 0); /* the listener is off */
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	check_figures(&lab, 0, 11, 8);
}

/* ---- L7 policies ---- */

static uuid make_policy(const struct lab *lab, struct octavia_l7_action action, int64_t position)
{
	struct octavia_l7_rule rule = {.type = STR("PATH"), .compare = STR("EQUAL_TO"), .value = STR("/")};
	struct octavia_l7_policy_wish wish = {.listener = cloud_ref(lab->c, KIND_LISTENER, lab->listener),
					      .action = action,
					      .position = position,
					      .rules = {&rule, 1}};
	cloud_ok(lab->c, &lab->c->alice, engine_create_l7_policy, &wish);
	cloud_settle(lab->c);
	return wish.made;
}

static void check_positions(const struct lab *lab, const uuid policies[static 3],
			    const int64_t wanted[static 3])
{
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(priority_of(lab, policies[k]), wanted[k]);
}

static void move_to(const struct lab *lab, uuid policy, int64_t position)
{
	struct octavia_l7_policy_change change = {.policy = cloud_ref(lab->c, KIND_LISTENER_RULE, policy),
						  .position = position};
	cloud_ok(lab->c, &lab->c->alice, engine_change_l7_policy, &change);
	cloud_settle(lab->c);
}

static void positions_have_no_gap(struct cloud *c)
{
	const struct lab lab = make_octavia(c, STR("HTTP"));
	const struct octavia_l7_action reject = {.word = STR("REJECT")};
	cloud_settle(c);
	uuid at[] = {make_policy(&lab, reject, OCTAVIA_POSITION_MAX), make_policy(&lab, reject, 7),
		     make_policy(&lab, reject, 1)};
	check_positions(&lab, at, (const int64_t[]){2, 3, 1});
	move_to(&lab, at[2], 2);
	check_positions(&lab, at, (const int64_t[]){1, 3, 2});
	move_to(&lab, at[0], 9);
	check_positions(&lab, at, (const int64_t[]){3, 2, 1});
	move_to(&lab, at[0], 1);
	check_positions(&lab, at, (const int64_t[]){1, 3, 2});
	move_to(&lab, at[0], 1);
	check_positions(&lab, at, (const int64_t[]){1, 3, 2});
	struct octavia_l7_policy_target target = {cloud_ref(c, KIND_LISTENER_RULE, at[0])};
	cloud_ok(c, &c->alice, engine_delete_l7_policy, &target);
	assert_int_equal(priority_of(&lab, at[1]), 2);
	assert_int_equal(priority_of(&lab, at[2]), 1);
	assert_int_equal(cloud_count(c, KIND_L7_RULE), 2);
}

static uuid make_pool(const struct lab *lab)
{
	struct octavia_member member = {.address = ip_from_v4(0x0a000001), .number = 80, .weight = 1};
	struct octavia_pool_wish wish = {
		.balancer = cloud_ref(lab->c, KIND_ELASTIC_LOAD_BALANCER, lab->balancer),
		.pool = {.protocol = STR("HTTP"), .algorithm = STR("ROUND_ROBIN"), .members = {&member, 1}}};
	cloud_ok(lab->c, &lab->c->alice, engine_create_octavia_pool, &wish);
	cloud_settle(lab->c);
	return wish.made;
}

static void check_operating(const struct lab *lab, uuid pool, const char *wanted)
{
	AUTO_VIEW view = {0};
	view_open(lab->c->store, &view);
	assert_string_equal(octavia_get_pool_operating(view.tables, target_group_find(view.tables, pool)),
			    wanted);
}

/* A policy's pool is served as a listener's own is, and stays while the policy leads to it. */
static void a_policy_leads_to_a_pool(struct cloud *c)
{
	const struct lab lab = make_octavia(c, STR("HTTP"));
	cloud_settle(c);
	uuid pool = make_pool(&lab);
	struct octavia_pool_target target = {cloud_ref(c, KIND_TARGET_GROUP, pool)};
	check_operating(&lab, pool, "OFFLINE");
	uuid policy = make_policy(
		&lab, (struct octavia_l7_action){.word = STR("REDIRECT_TO_POOL"), .pool = target.pool}, 1);
	check_operating(&lab, pool, "ONLINE");
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_octavia_pool_run, &target).code, ERR_IN_USE);
	struct octavia_l7_policy_change change = {.policy = cloud_ref(c, KIND_LISTENER_RULE, policy),
						  .action = {.word = STR("REJECT")}};
	cloud_ok(c, &c->alice, engine_change_l7_policy, &change);
	cloud_settle(c);
	check_operating(&lab, pool, "OFFLINE");
	cloud_ok(c, &c->alice, engine_delete_octavia_pool, &target);
}

static void a_failover_starts_another_process(struct cloud *c)
{
	const struct lab lab = make_octavia(c, STR("HTTP"));
	cloud_settle(c);
	struct octavia_balancer_target target = {
		.balancer = cloud_ref(c, KIND_ELASTIC_LOAD_BALANCER, lab.balancer)};
	uint64_t before = sim_proxy_process(lab.proxy);
	cloud_ok(c, &c->alice, engine_fail_over_octavia_balancer, &target);
	cloud_settle(c);
	uint64_t after = sim_proxy_process(lab.proxy);
	assert_true(after > before);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_int_equal(sim_proxy_process(lab.proxy), after);
}

TEST_STORY(a_proxy_lives_as_long_as_its_balancer, 1)
TEST_STORY(a_lost_process_is_started_again, 1)
TEST_STORY(health_is_what_the_process_says, 1)
TEST_STORY(each_change_reaches_the_process, 1)
TEST_STORY(rules_swap_their_priorities, 1)
TEST_STORY(it_ends_the_same_if_it_is_killed, 1)
TEST_STORY(figures_are_sums_of_all_workers, 1)
TEST_STORY(positions_have_no_gap, 1)
TEST_STORY(a_policy_leads_to_a_pool, 1)
TEST_STORY(a_failover_starts_another_process, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_proxy_lives_as_long_as_its_balancer),
		cmocka_unit_test(test_a_lost_process_is_started_again),
		cmocka_unit_test(test_health_is_what_the_process_says),
		cmocka_unit_test(test_each_change_reaches_the_process),
		cmocka_unit_test(test_rules_swap_their_priorities),
		cmocka_unit_test(test_it_ends_the_same_if_it_is_killed),
		cmocka_unit_test(test_figures_are_sums_of_all_workers),
		cmocka_unit_test(test_positions_have_no_gap),
		cmocka_unit_test(test_a_policy_leads_to_a_pool),
		cmocka_unit_test(test_a_failover_starts_another_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
