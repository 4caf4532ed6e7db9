/* SPDX-License-Identifier: Apache-2.0
 * Spot instances: on-demand launches take their room back after the notice, in spite of kills, and nobody else gets it. */
#include "../cloud/cloud.h"
#include "engine/instance/launch/spot.h"
#include "store/instance.h"
#include "store/spot_request.h"

enum { SEEDS = 10 };

/* Three instances of this type fill a simulated host. */
static struct instance_launch large_wish(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.type.text = STR("r5.2xlarge");
	return wish;
}

static uuid launch_on_demand(struct cloud *c)
{
	struct instance_launch wish = large_wish(c);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	return wish.made.at[0];
}

static struct instance_launch spot_wish(struct cloud *c, int64_t most)
{
	struct instance_launch wish = large_wish(c);
	wish.max_count = most;
	wish.spot = (struct spot_wish){.is_spot = true, .from_launch = true, .form = STR("kept")};
	return wish;
}

/* Launches spot instances until no other one finds room. */
static struct uuids fill(struct cloud *c, bool is_persistent)
{
	struct instance_launch wish = spot_wish(c, 10);
	wish.spot.is_persistent = wish.spot.stops = is_persistent;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	for (size_t k = 0; k < wish.made.count; k++)
		cloud_await(c, wish.made.at[k], INSTANCE_RUNNING);
	cloud_settle(c);
	struct instance_launch more = spot_wish(c, 1);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &more).code, ERR_CAPACITY);
	return wish.made;
}

static struct spot_request request_of(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct spot_request *r = spot_request_first_by_instance(view.tables, instance);
	assert_non_null(r);
	return *r;
}

/* The one that has to go; asserts that it is the only one. */
static uuid find_marked(struct cloud *c, struct uuids ids)
{
	uuid marked = UUID_NONE;
	for (size_t k = 0; k < ids.count; k++) {
		if (request_of(c, ids.at[k]).interrupt_us == 0)
			continue;
		assert_true(uuid_is_none(marked));
		marked = ids.at[k];
	}
	assert_false(uuid_is_none(marked));
	return marked;
}

static void takes_room(struct cloud *c)
{
	struct uuids spots = fill(c, false);
	int64_t since_us = clock_now_us();
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	assert_int_equal(request_of(c, marked).interrupt_us, since_us + SPOT_NOTICE_US);
	cloud_step_for(c, SPOT_NOTICE_US - 5 * SECOND);
	assert_int_equal(cloud_state(c, marked), INSTANCE_RUNNING);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	struct instance_launch thief = spot_wish(c, 1);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &thief).code, ERR_CAPACITY);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(cloud_state(c, marked), INSTANCE_TERMINATED);
	assert_true(clock_now_us() - since_us < SPOT_NOTICE_US + MINUTE);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &thief).code, ERR_CAPACITY);
	assert_int_equal(request_of(c, marked).status, SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_NO_CAPACITY);
}
TEST_STORY(takes_room, 1)

/* Two launches take two different ones; a launch that ends while it waits gives its share back. */
static void each_takes_one(struct cloud *c)
{
	struct uuids spots = fill(c, false);
	uuid id = launch_on_demand(c), other = launch_on_demand(c);
	size_t marked = 0;
	for (size_t k = 0; k < spots.count; k++)
		marked += request_of(c, spots.at[k]).interrupt_us != 0;
	assert_int_equal(marked, 2);
	cloud_terminate(c, other);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	struct instance_launch more = spot_wish(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &more); /* in the room of the other one */
}
TEST_STORY(each_takes_one, 1)

static void survives_a_kill(struct cloud *c)
{
	struct uuids spots = fill(c, false);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cloud_kill(c);
	clock_advance_us(SPOT_NOTICE_US + MINUTE); /* the notice passes while no process runs */
	cloud_restart(c);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_false(cloud_guest(c, marked).exists);
}
TEST_STORY(survives_a_kill, 1)

/* A stopped spot instance keeps its disks and its host, and starts again when the room is free. */
static void stops_and_comes_back(struct cloud *c)
{
	struct uuids spots = fill(c, true);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cloud_await(c, marked, INSTANCE_STOPPED);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(cloud_instance(c, marked).gave_room);
	assert_int_equal(cloud_power(c, engine_start_instances_run, marked, false).code, ERR_STATE);
	cloud_step_for(c, 3 * MINUTE);
	assert_int_equal(cloud_state(c, marked), INSTANCE_STOPPED);
	cloud_terminate(c, id);
	cloud_await(c, marked, INSTANCE_RUNNING);
	assert_false(cloud_instance(c, marked).gave_room);
	assert_int_equal(request_of(c, marked).status, SPOT_REQUEST_STATUS_FULFILLED);
}
TEST_STORY(stops_and_comes_back, 1)

/* The cheapest goes first, then the youngest. */
static void the_lowest_price_goes(struct cloud *c)
{
	struct instance_launch cheap = spot_wish(c, 1);
	cheap.spot.max_price = STR("0.010000");
	cloud_ok(c, &c->alice, engine_create_instances, &cheap);
	struct instance_launch dear = spot_wish(c, 1);
	dear.spot.max_price = STR("0.020000");
	cloud_ok(c, &c->alice, engine_create_instances, &dear);
	(void) fill(c, false);
	(void) launch_on_demand(c);
	assert_true(request_of(c, cheap.made.at[0]).interrupt_us != 0);
	assert_int_equal(request_of(c, dear.made.at[0]).interrupt_us, 0);
	cloud_step_for(c, SPOT_NOTICE_US + MINUTE);
}
TEST_STORY(the_lowest_price_goes, 1)

static void cancel_request(struct cloud *c, uuid instance)
{
	struct spot_request r = request_of(c, instance);
	struct ref ref = cloud_ref(c, KIND_SPOT_REQUEST, r.row.id);
	struct spot_cancelling wish = {.requests = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_cancel_spot, &wish);
}

/* The launch got the room already: to cancel the request takes nothing back. */
static void a_cancelled_one_goes(struct cloud *c)
{
	struct uuids spots = fill(c, false);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cancel_request(c, marked);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(cloud_state(c, marked), INSTANCE_TERMINATED);
	assert_int_equal(request_of(c, marked).stage, SPOT_REQUEST_STAGE_CANCELLED);
}
TEST_STORY(a_cancelled_one_goes, 1)

/* Without a request that starts it again, an instance that would be stopped is terminated. */
static void a_cancelled_one_does_not_stop(struct cloud *c)
{
	struct uuids spots = fill(c, true);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cancel_request(c, marked);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(cloud_state(c, marked), INSTANCE_TERMINATED);
}
TEST_STORY(a_cancelled_one_does_not_stop, 1)

/* An instance that its user stopped gives its room too, and nobody but its user starts it again. */
static void a_stopped_one_stays_off(struct cloud *c)
{
	struct uuids spots = fill(c, true);
	for (size_t k = 0; k < spots.count; k++)
		cloud_stop(c, spots.at[k]);
	cloud_settle(c);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(cloud_instance(c, marked).gave_room);
	assert_int_equal(request_of(c, marked).status, SPOT_REQUEST_STATUS_INSTANCE_STOPPED_BY_USER);
	assert_int_equal(cloud_power(c, engine_start_instances_run, marked, false).code, ERR_CAPACITY);
	cloud_terminate(c, id);
	cloud_step_for(c, 3 * MINUTE);
	assert_int_equal(cloud_state(c, marked), INSTANCE_STOPPED);
	cloud_start(c, marked);
	cloud_await(c, marked, INSTANCE_RUNNING);
	assert_false(cloud_instance(c, marked).gave_room);
	cloud_settle(c);
	assert_int_equal(request_of(c, marked).stage, SPOT_REQUEST_STAGE_ACTIVE);
}
TEST_STORY(a_stopped_one_stays_off, 1)

/* A rescue, which starts an instance, is refused where the room is taken. */
static void no_rescue_without_room(struct cloud *c)
{
	struct uuids spots = fill(c, true);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_step_for(c, MINUTE);
	struct instance_rescuing rescue = {.instance = cloud_ref(c, KIND_INSTANCE, marked)};
	assert_int_equal(cloud_call(c, &c->alice, engine_rescue_instance_run, &rescue).code, ERR_CAPACITY);
	cloud_terminate(c, id);
	cloud_await(c, marked, INSTANCE_RUNNING);
}
TEST_STORY(no_rescue_without_room, 1)

/* A later launch's notice does not delay an earlier launch. */
static void each_waits_for_its_own(struct cloud *c)
{
	(void) fill(c, false);
	int64_t since_us = clock_now_us();
	uuid first = launch_on_demand(c);
	cloud_step_for(c, MINUTE + 30 * SECOND);
	uuid second = launch_on_demand(c);
	cloud_await(c, first, INSTANCE_RUNNING);
	assert_true(clock_now_us() - since_us < SPOT_NOTICE_US + MINUTE);
	cloud_await(c, second, INSTANCE_RUNNING);
}
TEST_STORY(each_waits_for_its_own, 1)

static void enable_account(struct cloud *c, enum choice enabled)
{
	struct account_change wish = {.account = cloud_ref(c, KIND_ACCOUNT, c->alice.account),
				      .enabled = enabled};
	cloud_ok(c, NULL, engine_update_account, &wish);
}

/* The region starts nothing for an account that may start nothing itself. */
static void no_start_for_a_disabled_account(struct cloud *c)
{
	struct uuids spots = fill(c, true);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_terminate(c, id);
	enable_account(c, CHOICE_NO);
	cloud_step_for(c, 3 * MINUTE);
	assert_int_equal(cloud_state(c, marked), INSTANCE_STOPPED);
	enable_account(c, CHOICE_YES);
	cloud_await(c, marked, INSTANCE_RUNNING);
}
TEST_STORY(no_start_for_a_disabled_account, 1)

/* A machine that CloudStack destroyed can be recovered for a while: it is off until then. */
static void no_start_of_a_destroyed_one(struct cloud *c)
{
	struct uuids spots = fill(c, true);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_step_for(c, MINUTE);
	cloud_ask(c, engine_destroy_instances, marked);
	cloud_terminate(c, id);
	cloud_step_for(c, 3 * MINUTE);
	assert_int_equal(cloud_instance(c, marked).wanted_power, INSTANCE_WANTED_POWER_OFF);
	cancel_request(c, marked);
	cloud_await(c, marked, INSTANCE_TERMINATED);
}
TEST_STORY(no_start_of_a_destroyed_one, 1)

static bool has_host(struct cloud *c, const void *instance)
{
	return !uuid_is_none(cloud_instance(c, *(const uuid *) instance).host);
}

/* The room of an instance that its user has terminated is free when it has gone, not before. */
static void waits_for_one_that_ends(struct cloud *c)
{
	struct uuids spots = fill(c, false);
	cloud_terminate(c, spots.at[0]);
	uuid id = launch_on_demand(c);
	assert_true(cloud_step_until(c, has_host, &id, MINUTE));
	assert_int_equal(cloud_state(c, spots.at[0]), INSTANCE_TERMINATED);
	cloud_await(c, id, INSTANCE_RUNNING);
	for (size_t k = 1; k < spots.count; k++)
		assert_int_equal(request_of(c, spots.at[k]).interrupt_us, 0);
}
TEST_STORY(waits_for_one_that_ends, 1)

/* If the host is lost meanwhile, the launch takes room elsewhere. */
static void leaves_a_lost_host(struct cloud *c)
{
	struct uuids spots = fill(c, false);
	uuid id = launch_on_demand(c), marked = find_marked(c, spots), next = cloud_instance(c, id).next_host;
	struct str lost = cloud_host_of(c, marked);
	sim_compute_set_health(lost, SIM_DOWN, 0);
	for (size_t k = 0; k < spots.count; k++)
		if (!uuid_equal(cloud_instance(c, spots.at[k]).host, next))
			cloud_terminate(c, spots.at[k]);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_false(uuid_equal(cloud_instance(c, id).host, next));
	sim_compute_set_health(lost, SIM_UP, 0);
	cloud_await(c, marked, INSTANCE_TERMINATED);
}
TEST_STORY(leaves_a_lost_host, 2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_room),
		cmocka_unit_test(test_each_takes_one),
		cmocka_unit_test(test_survives_a_kill),
		cmocka_unit_test(test_stops_and_comes_back),
		cmocka_unit_test(test_the_lowest_price_goes),
		cmocka_unit_test(test_a_cancelled_one_goes),
		cmocka_unit_test(test_a_cancelled_one_does_not_stop),
		cmocka_unit_test(test_a_stopped_one_stays_off),
		cmocka_unit_test(test_no_rescue_without_room),
		cmocka_unit_test(test_no_start_for_a_disabled_account),
		cmocka_unit_test(test_no_start_of_a_destroyed_one),
		cmocka_unit_test(test_each_waits_for_its_own),
		cmocka_unit_test(test_waits_for_one_that_ends),
		cmocka_unit_test(test_leaves_a_lost_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
