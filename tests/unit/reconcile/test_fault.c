/* SPDX-License-Identifier: Apache-2.0
 * Every possible fault between a launch and its end, one at a time, and then all for a while: a refused call
 * leaves nothing, and an accepted one is executed. */
#include "../cloud/cloud.h"
#include "model/states.h"

/* Asks, and asks again when it was refused: then the fault is over. */
static void ask(struct cloud *c, op_run run, void *wish)
{
	if (result_is_ok(cloud_call(c, &c->alice, run, wish)))
		return;
	assert_true(fault_has_fired());
	cloud_expect_at(c, cloud_call(c, &c->alice, run, wish), __FILE__, __LINE__);
}

static void ask_power(struct cloud *c, op_run run, uuid id, enum instance_state state)
{
	struct ref ref = cloud_ref(c, KIND_INSTANCE, id);
	struct instances_wish wish = {.instances = {&ref, 1}};
	ask(c, run, &wish);
	cloud_await(c, id, state);
	cloud_settle(c);
}

static uuid ask_launch(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	if (result_is_ok(cloud_call(c, &c->alice, engine_create_instances_run, &wish)))
		return wish.made.at[0];
	assert_int_equal(cloud_count(c, KIND_INSTANCE), 0);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 0);
	return cloud_launch(c);
}

static void ask_address(struct cloud *c, uuid id)
{
	struct address_wish address = {0};
	ask(c, engine_allocate_address_run, &address);
	struct address_association association = {.address = cloud_ref(c, KIND_ADDRESS, address.address),
						  .instance = cloud_ref(c, KIND_INSTANCE, id)};
	ask(c, engine_associate_address_run, &association);
	cloud_settle(c);
}

/* An instance's life with one fault at the n-th point of the class. Returns false if the point was not
 * reached. */
static bool tell_with_fault(unsigned points, uint64_t n)
{
	struct cloud *c = cloud_new(n + 1, 2);
	fault_arm(points, n, false);
	uuid id = ask_launch(c);
	int64_t since_us = clock_now_us();
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	/* Failed steps are retried at once; only after a failed allocation may that take until the next
	 * look. */
	assert_true((points & FAULT_ALLOC) || clock_now_us() - since_us < CLOUD_HOST_INTERVAL_US / 2);
	ask_address(c, id);
	ask_power(c, engine_stop_instances_run, id, INSTANCE_STOPPED);
	ask_power(c, engine_start_instances_run, id, INSTANCE_RUNNING);
	ask_power(c, engine_reboot_instances_run, id, INSTANCE_RUNNING);
	ask_power(c, engine_terminate_instances_run, id, INSTANCE_TERMINATED);
	bool fired = fault_has_fired();
	fault_disarm();
	cloud_done(c);
	return fired;
}

/* The first hundreds one by one, then with growing strides: most allocations are alike. */
static void fail_each(unsigned points, uint64_t stride_from)
{
	uint64_t n = 0, count = 0;
	while (tell_with_fault(points, n)) {
		n += n < stride_from ? 1 : 1 + (n - stride_from) / 16;
		count++;
	}
	print_message("%llu faults, the last at %llu\n", (unsigned long long) count, (unsigned long long) n);
	assert_true(count > 10);
}

static void test_driver_faults(void **state)
{
	(void) state;
	fail_each(FAULT_DRIVER, UINT64_MAX);
}

static void test_sql_faults(void **state)
{
	(void) state;
	fail_each(FAULT_SQL, UINT64_MAX);
}

static void test_alloc_faults(void **state)
{
	(void) state;
	fail_each(FAULT_ALLOC, 500);
}

/* Every point of the class fails for a minute, then none. */
static void fail_for_a_while(unsigned points)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct cloud *c = cloud_new(seed, 2);
		uuid first = cloud_launch_running(c), second = cloud_launch(c);
		cloud_terminate(c, first);
		for (uint64_t k = 0; k < seed; k++)
			(void) executor_step(c->executor, clock_now_us() + 1);
		fault_arm(points, 0, true);
		cloud_step_for(c, MINUTE);
		fault_disarm();
		cloud_await(c, second, INSTANCE_RUNNING);
		cloud_settle(c);
		assert_int_equal(cloud_state(c, first), INSTANCE_TERMINATED);
		assert_int_equal(cloud_count(c, KIND_CONDITION), 0);
		cloud_done(c);
	}
}

static void test_drivers_away(void **state)
{
	(void) state;
	fail_for_a_while(FAULT_DRIVER);
}

static void test_sql_away(void **state)
{
	(void) state;
	fail_for_a_while(FAULT_SQL);
}

static void test_memory_short(void **state)
{
	(void) state;
	fail_for_a_while(FAULT_ALLOC);
}

/* The retry is due after the row's deletion, when allocations fail: neither the row nor a timer remains to
 * repeat the step. */
static void test_memory_short_at_the_end(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	struct address_wish wish = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	cloud_settle(c);
	struct address_target target = {.address = cloud_ref(c, KIND_ADDRESS, wish.address)};
	network_sim_cut(true);
	cloud_ok(c, &c->alice, engine_release_address, &target);
	cloud_step_for(c, 5 * SECOND);
	network_sim_cut(false);
	reconciler_wake(c->reconciler, KIND_ADDRESS, wish.address);
	cloud_step_for(c, MILLISECOND);
	assert_int_equal(cloud_count(c, KIND_ADDRESS), 0);
	fault_arm(FAULT_ALLOC, 0, true);
	cloud_step_for(c, 20 * SECOND);
	fault_disarm();
	cloud_settle(c);
	cloud_done(c);
}

/* A condition set by one process is cleared by the next. */
static void test_condition_outlives_restart(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid id = cloud_launch(c);
	fault_arm(FAULT_DRIVER, 0, true);
	cloud_step_for(c, 30 * SECOND);
	assert_true(cloud_has_condition(c, cloud_port_of(c, id), "NotReconciled"));
	fault_disarm();
	cloud_restart(c);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_CONDITION), 0);
	cloud_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_faults),
		cmocka_unit_test(test_sql_faults),
		cmocka_unit_test(test_alloc_faults),
		cmocka_unit_test(test_drivers_away),
		cmocka_unit_test(test_sql_away),
		cmocka_unit_test(test_memory_short),
		cmocka_unit_test(test_memory_short_at_the_end),
		cmocka_unit_test(test_condition_outlives_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
