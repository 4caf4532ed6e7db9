/* SPDX-License-Identifier: Apache-2.0
 * Destroyed instances end when their retention is over, in spite of kills and wherever they are; recovered
 * ones do not. */
#include "../cloud/cloud.h"
#include "engine/region/region.h"
#include "store/instance.h"

enum { SEEDS = 10 };

static void set_delay(struct cloud *c, const char *seconds)
{
	struct setting_wish wish = {SETTING_EXPUNGE_DELAY, str_from(seconds)};
	cloud_ok(c, NULL, engine_put_setting, &wish);
}

static uuid destroy(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_ask(c, engine_destroy_instances, id);
	cloud_await(c, id, INSTANCE_DESTROYED);
	assert_false(cloud_guest(c, id).is_on);
	return id;
}

/* A day is long: the look at everything finds what is near its end, and a timer of its own ends it then. */
static void ends_in_time(struct cloud *c)
{
	uuid id = destroy(c), other = destroy(c);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).exists);
	cloud_step_for(c, 23 * HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_DESTROYED);
	cloud_ask(c, engine_recover_instances, other);
	cloud_await(c, other, INSTANCE_STOPPED);
	cloud_step_for(c, 59 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_DESTROYED);
	cloud_step_for(c, 2 * MINUTE);
	assert_false(cloud_guest(c, id).exists);
	cloud_step_for(c, 2 * HOUR);
	assert_int_equal(cloud_state(c, other), INSTANCE_STOPPED);
	cloud_start(c, other);
	cloud_await(c, other, INSTANCE_RUNNING);
}
TEST_STORY(ends_in_time, 2)

static void survives_a_restart(struct cloud *c)
{
	set_delay(c, "3600");
	uuid id = destroy(c);
	cloud_kill(c);
	cloud_restart(c);
	cloud_step_for(c, 10 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_DESTROYED);
	cloud_kill(c);
	clock_advance_us(2 * HOUR); /* it expires while no process runs */
	cloud_restart(c);
	cloud_await(c, id, INSTANCE_TERMINATED);
	assert_false(cloud_guest(c, id).exists);
}
TEST_STORY(survives_a_restart, 1)

/* Instances that had no host, and those whose guests are still shutting down, end likewise. */
static void ends_wherever_it_is(struct cloud *c)
{
	set_delay(c, "1");
	uuid id = cloud_launch_running(c);
	cloud_ask(c, engine_destroy_instances, id);
	cloud_await(c, id, INSTANCE_TERMINATED);
	cloud_stop(c, cloud_launch_running(c));
	cloud_settle(c);
}
TEST_STORY(ends_wherever_it_is, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_in_time),
		cmocka_unit_test(test_survives_a_restart),
		cmocka_unit_test(test_ends_wherever_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
