/* SPDX-License-Identifier: Apache-2.0
 * Maintenance of hosts: when instances are stopped, which move to other hosts, and which come back. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "model/host.h"
#include "model/instance_event.h"
#include "model/states.h"

#include "engine/instance/instance_event.h"
#include "engine/region/host.h"
#include "store/host.h"

enum { SEEDS = 30 };

static struct ref find_host(struct cloud *c, uuid instance)
{
	return (struct ref){.kind = KIND_HOST, .text = cloud_host_of(c, instance)};
}

/* Plans a maintenance of the instance's host, beginning in an hour. */
static void plan(struct cloud *c, uuid instance, enum host_maintenance_kind kind, int64_t hours)
{
	int64_t now_us = clock_now_us();
	struct maintenance_wish wish = {.host = find_host(c, instance),
					.from_us = now_us + HOUR,
					.end_us = hours ? now_us + HOUR + hours * HOUR : 0,
					.kind = kind};
	cloud_ok(c, NULL, engine_plan_maintenance, &wish);
}

static struct instance_event event_of(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct instance_event *e = engine_find_event(view.tables, instance);
	return e ? *e : (struct instance_event){0};
}

/* Lets time pass, with or without the process running. Long periods are skipped, not stepped through. */
static void let_pass(struct cloud *c, int64_t us)
{
	if (c->seed % 3 == 0 || us > 24 * HOUR) {
		cloud_kill(c);
		clock_advance_us(us);
		cloud_restart(c);
	} else {
		cloud_step_for(c, us);
	}
	cloud_settle(c);
}

static void drains(struct cloud *c)
{
	uuid id = cloud_launch_running(c), stopped = cloud_launch_running(c);
	cloud_stop(c, stopped);
	cloud_settle(c);
	plan(c, id, HOST_MAINTENANCE_KIND_STOP, 0);
	cloud_settle(c);
	assert_int_equal(event_of(c, id).code, INSTANCE_EVENT_CODE_INSTANCE_STOP);
	assert_true(uuid_is_none(event_of(c, stopped).row.id));
	let_pass(c, 50 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	let_pass(c, 15 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_false(cloud_guest(c, id).is_on);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
	let_pass(c, 8 * 24 * HOUR);
	assert_true(uuid_is_none(event_of(c, id).row.id));
	assert_int_equal(cloud_count(c, KIND_INSTANCE_EVENT), 0);
}
TEST_STORY(drains, 1)

/* The instance keeps its place and starts again when the maintenance ends, at its set time or by the
 * operator. */
static void comes_back(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	bool is_timed = c->seed % 2;
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, is_timed ? 2 : 0);
	let_pass(c, HOUR + 10 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	assert_false(cloud_guest(c, id).is_on);
	assert_true(cloud_has_condition(c, id, "Maintenance"));
	struct maintenance_target target = {.host = find_host(c, id)};
	if (is_timed)
		let_pass(c, 2 * HOUR);
	else
		cloud_ok(c, NULL, engine_end_maintenance, &target);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_false(cloud_has_condition(c, id, "Maintenance"));
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
}
TEST_STORY(comes_back, 2)

/* Of two. */
static void close_other(struct cloud *c, struct str host)
{
	struct host_settings wish = {.host = {.kind = KIND_HOST}, .enabled = CHOICE_NO};
	char name[64] = "";
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		const struct host *h = host_first(view.tables);
		if (str_equal(h->name, host))
			h = host_next(view.tables, h);
		(void) snprintf(name, sizeof name, "%" STR_FMT, STR_ARG(h->name));
	}
	wish.host.text = str_from(name);
	cloud_ok(c, NULL, engine_update_host, &wish);
}

/* The instance migrates to another host. Without room it is rebooted, and its event has the reason. */
static void moves(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	bool has_room = c->seed % 2;
	char host[64];
	(void) snprintf(host, sizeof host, "%" STR_FMT, STR_ARG(cloud_host_of(c, id)));
	plan(c, id, HOST_MAINTENANCE_KIND_MOVE, 0);
	struct maintenance_target target = {.host = {.kind = KIND_HOST, .text = str_from(host)}};
	if (!has_room)
		close_other(c, str_from(host));
	assert_int_equal(event_of(c, id).code, INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE);
	let_pass(c, HOUR + 10 * MINUTE);
	if (has_room) {
		assert_false(str_is(cloud_host_of(c, id), host));
		assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
		assert_int_equal(cloud_guest(c, id).boots, 1);
	} else {
		assert_int_equal(event_of(c, id).code, INSTANCE_EVENT_CODE_SYSTEM_REBOOT);
		assert_true(str_contains(event_of(c, id).description, STR("No valid host was found")));
		assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
		cloud_ok(c, NULL, engine_end_maintenance, &target);
		cloud_settle(c);
		assert_int_equal(cloud_guest(c, id).boots, 2);
	}
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
}
TEST_STORY(moves, 2)

/* A move that failed is not tried again. */
static void fails_to_move(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	plan(c, id, HOST_MAINTENANCE_KIND_MOVE, 2);
	sim_compute_break_migration(cloud_host_of(c, id), SIM_BREAK_REFUSED);
	let_pass(c, HOUR + 10 * MINUTE);
	assert_int_equal(event_of(c, id).code, INSTANCE_EVENT_CODE_SYSTEM_REBOOT);
	assert_true(str_contains(event_of(c, id).description, STR("but stayed")));
	let_pass(c, 3 * HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 2);
}
TEST_STORY(fails_to_move, 2)

static void is_called_off(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, 0);
	struct maintenance_target target = {.host = find_host(c, id)};
	cloud_ok(c, NULL, engine_end_maintenance, &target);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_CANCELED);
	let_pass(c, 2 * HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 1);
}
TEST_STORY(is_called_off, 1)

/* Stopped and started it is elsewhere, with what is on its disk: before, and while it is held. */
static void leaves(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct str host = cloud_host_of(c, id);
	uuid root = cloud_volume_of(c, id);
	sim_compute_write_disk(host, root, "mine");
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, 0);
	let_pass(c, c->seed % 2 ? MINUTE : 2 * HOUR);
	cloud_stop(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
	cloud_start(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_false(str_equal(cloud_host_of(c, id), host));
	assert_true(sim_compute_disk_has(cloud_host_of(c, id), root, "mine"));
	let_pass(c, 3 * HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
}
TEST_STORY(leaves, 2)

/* Without another host it starts where it is, and is stopped with the others; then it cannot start. */
static void has_nowhere_to_go(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_stop(c, id);
	cloud_settle(c);
	plan(c, id, HOST_MAINTENANCE_KIND_STOP, 0);
	cloud_start(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_SCHEDULED);
	let_pass(c, HOUR + 10 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_int_equal(cloud_power(c, engine_start_instances_run, id, false).code, ERR_CAPACITY);
	struct maintenance_target target = {.host = find_host(c, id)};
	cloud_ok(c, NULL, engine_end_maintenance, &target);
	cloud_start(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
}
TEST_STORY(has_nowhere_to_go, 1)

/* A maintenance in five hours, of which its user wants the event in two. */
static void plan_early(struct cloud *c, uuid id)
{
	int64_t now_us = clock_now_us();
	struct maintenance_wish wish = {
		.host = find_host(c, id), .from_us = now_us + 5 * HOUR, .kind = HOST_MAINTENANCE_KIND_REBOOT};
	cloud_ok(c, NULL, engine_plan_maintenance, &wish);
	struct event_wish earlier = {.instance = cloud_ref(c, KIND_INSTANCE, id),
				     .event = cloud_ref(c, KIND_INSTANCE_EVENT, event_of(c, id).row.id),
				     .not_before_us = now_us + 2 * HOUR};
	cloud_ok(c, &c->alice, engine_reschedule_event, &earlier);
}

/* The user has chosen an earlier time: the instance then moves to another host if there is room, without a
 * stop by the user. */
static void goes_early(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct str host = cloud_host_of(c, id);
	plan_early(c, id);
	let_pass(c, HOUR);
	assert_true(str_equal(cloud_host_of(c, id), host));
	let_pass(c, 2 * HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_false(str_equal(cloud_host_of(c, id), host));
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
}
TEST_STORY(goes_early, 2)

/* A guest that ignores the shutdown is powered off at the end of its grace period. */
static void goes_early_by_force(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct str host = cloud_host_of(c, id);
	plan_early(c, id);
	sim_compute_set_deaf(host, true);
	let_pass(c, 2 * HOUR + 30 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_false(str_equal(cloud_host_of(c, id), host));
	sim_compute_set_deaf(host, false);
}
TEST_STORY(goes_early_by_force, 2)

/* Over while the guest is just going down: that is no wish of its own, and it is started again. */
static void is_over_meanwhile(struct cloud *c)
{
	struct instance_launch launch = cloud_launch_wish(c, 1);
	launch.shutdown_terminates = true;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid id = launch.made.at[0];
	cloud_await(c, id, INSTANCE_RUNNING);
	bool is_deaf = c->seed % 4 == 0;
	sim_compute_set_deaf(cloud_host_of(c, id), is_deaf);
	sim_compute_set_shutdown_us(cloud_host_of(c, id), 20 * SECOND);
	struct maintenance_target target = {.host = find_host(c, id)};
	struct maintenance_wish wish = {
		.host = target.host, .from_us = clock_now_us(), .kind = HOST_MAINTENANCE_KIND_REBOOT};
	cloud_ok(c, NULL, engine_plan_maintenance, &wish);
	cloud_step_for(c, 5 * SECOND);
	assert_true(cloud_guest(c, id).is_on);
	cloud_ok(c, NULL, engine_end_maintenance, &target);
	if (c->seed % 2) {
		cloud_kill(c);
		cloud_restart(c);
	}
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
	assert_false(cloud_has_condition(c, id, "Maintenance"));
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
	sim_compute_set_deaf(cloud_host_of(c, id), false);
}
TEST_STORY(is_over_meanwhile, 1)

/* Put off while it is held: it runs until the later time, of which a new event tells. */
static void is_put_off(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, 0);
	let_pass(c, 2 * HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	struct instance_event first = event_of(c, id);
	struct maintenance_target target = {.host = find_host(c, id)};
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, 0);
	let_pass(c, 10 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_SCHEDULED);
	assert_false(uuid_equal(event_of(c, id).row.id, first.row.id));
	let_pass(c, HOUR);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	cloud_ok(c, NULL, engine_end_maintenance, &target);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 3);
}
TEST_STORY(is_put_off, 1)

/* Two maintenances in a row: each has its own event, and the last one is shown. */
static void comes_twice(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, 1);
	let_pass(c, 90 * MINUTE);
	let_pass(c, 90 * MINUTE);
	struct instance_event first = event_of(c, id);
	assert_int_equal(first.stage, INSTANCE_EVENT_STAGE_COMPLETED);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	plan(c, id, HOST_MAINTENANCE_KIND_STOP, 1);
	struct instance_event second = event_of(c, id);
	assert_int_equal(second.stage, INSTANCE_EVENT_STAGE_SCHEDULED);
	assert_int_equal(second.code, INSTANCE_EVENT_CODE_INSTANCE_STOP);
	assert_int_equal(second.ended_us, 0);
	assert_false(uuid_equal(second.row.id, first.row.id));
	assert_int_equal(cloud_count(c, KIND_INSTANCE_EVENT), 1);
	let_pass(c, 90 * MINUTE);
	let_pass(c, 90 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_true(uuid_equal(event_of(c, id).row.id, second.row.id));
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
	cloud_start(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 3);
}
TEST_STORY(comes_twice, 1)

/* An instance that is terminated while it is held leaves nothing behind. */
static void is_terminated_meanwhile(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	plan(c, id, HOST_MAINTENANCE_KIND_REBOOT, 0);
	let_pass(c, 2 * HOUR);
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(event_of(c, id).stage, INSTANCE_EVENT_STAGE_COMPLETED);
	let_pass(c, 3 * HOUR);
	assert_int_equal(cloud_count(c, KIND_INSTANCE_EVENT), 0);
	assert_int_equal(cloud_count(c, KIND_INSTANCE), 0);
}
TEST_STORY(is_terminated_meanwhile, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drains),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_fails_to_move),
		cmocka_unit_test(test_is_called_off),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_has_nowhere_to_go),
		cmocka_unit_test(test_goes_early),
		cmocka_unit_test(test_goes_early_by_force),
		cmocka_unit_test(test_is_over_meanwhile),
		cmocka_unit_test(test_is_put_off),
		cmocka_unit_test(test_comes_twice),
		cmocka_unit_test(test_is_terminated_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
