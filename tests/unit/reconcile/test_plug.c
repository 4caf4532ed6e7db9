/* SPDX-License-Identifier: Apache-2.0
 * Network interfaces that are attached to and detached from running and stopped instances: the wish, the
 * guest's devices, and the reports of both, with many seeds. */
#include "../cloud/cloud.h"
#include "engine/instance/instance_interface.h"
#include "model/port.h"
#include "model/states.h"

enum { SEEDS = 30 };

/* ---- what is done and looked at ---- */

/* In the subnet of the instance. */
static uuid make_nic(struct cloud *c, uuid instance)
{
	uuid subnet = cloud_instance(c, instance).subnet;
	struct port_wish wish = {.subnet = cloud_ref(c, KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	return wish.port;
}

static void attach(struct cloud *c, uuid port, uuid instance)
{
	struct port_attaching wish = {.port = cloud_ref(c, KIND_PORT, port),
				      .instance = cloud_ref(c, KIND_INSTANCE, instance),
				      .device_index = 1};
	cloud_ok(c, &c->alice, engine_attach_port, &wish);
}

static RESULT try_detach(struct cloud *c, uuid port, bool force)
{
	struct port_detaching wish = {.attachment = cloud_ref(c, KIND_NONE, cloud_port(c, port).attachment),
				      .force = force};
	return cloud_call(c, &c->alice, engine_detach_port_run, &wish);
}

static void detach(struct cloud *c, uuid port)
{
	cloud_expect_at(c, try_detach(c, port, false), __FILE__, __LINE__);
}

static bool is_plugged(struct cloud *c, uuid instance, uuid device)
{
	return sim_compute_has_plugged(cloud_host_of(c, instance), instance, device);
}

static bool has_left(struct cloud *c, uuid port)
{
	struct port row = cloud_port(c, port);
	return uuid_is_none(row.instance) && uuid_is_none(row.seen_instance) && uuid_is_none(row.attachment);
}

static bool has_come(struct cloud *c, uuid instance, uuid port)
{
	struct port row = cloud_port(c, port);
	return uuid_equal(row.instance, instance) && uuid_equal(row.seen_instance, instance) &&
	       is_plugged(c, instance, port);
}

static void delete_nic(struct cloud *c, uuid port)
{
	struct port_target wish = {.port = cloud_ref(c, KIND_PORT, port)};
	cloud_ok(c, &c->alice, engine_delete_port, &wish);
}

/* ---- stories ---- */

/* Made for an instance that runs, as Nova does it. */
static void made_for_it(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct interface_wish wish = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	cloud_ok(c, &c->alice, engine_plug_interface, &wish);
	cloud_settle(c);
	assert_true(has_come(c, id, wish.plugged));
}
TEST_STORY(made_for_it, 1)

static void come_and_go(struct cloud *c)
{
	uuid id = cloud_launch_running(c), other = cloud_launch_running(c), nic = make_nic(c, id);
	attach(c, nic, id);
	cloud_settle(c);
	assert_true(has_come(c, id, nic));
	detach(c, nic);
	cloud_settle(c);
	assert_true(has_left(c, nic));
	assert_false(is_plugged(c, id, nic));
	attach(c, nic, other);
	cloud_settle(c);
	assert_true(has_come(c, other, nic));
	assert_int_equal(cloud_guest(c, id).boots, 1);
	assert_int_equal(cloud_guest(c, other).boots, 1);
}
TEST_STORY(come_and_go, 2)

/* The request is repeated until the guest releases the device. Until then the interface is in use, and after
 * a while a condition is set. */
static void deaf_guest(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	attach(c, nic, id);
	cloud_settle(c);
	sim_compute_set_deaf(cloud_host_of(c, id), true);
	detach(c, nic);
	cloud_step_for(c, 20 * SECOND);
	assert_false(cloud_has_condition(c, id, "KeepsDevice"));
	cloud_step_for(c, 40 * SECOND);
	assert_true(cloud_has_condition(c, id, "KeepsDevice"));
	assert_true(is_plugged(c, id, nic));
	assert_false(has_left(c, nic));
	struct port_target wish = {.port = cloud_ref(c, KIND_PORT, nic)};
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_port_run, &wish).code, ERR_IN_USE);
	sim_compute_set_deaf(cloud_host_of(c, id), false);
	cloud_step_for(c, 16 * SECOND);
	assert_true(has_left(c, nic));
	assert_false(cloud_has_condition(c, id, "KeepsDevice"));
	delete_nic(c, nic);
}
TEST_STORY(deaf_guest, 2)

/* A paused guest gets new devices, but releases devices only once it resumes. */
static void paused_guest(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	cloud_ask(c, engine_pause_instances, id);
	cloud_settle(c);
	attach(c, nic, id);
	cloud_settle(c);
	assert_true(has_come(c, id, nic));
	assert_false(cloud_has_condition(c, id, "KeepsDevice"));
	detach(c, nic);
	cloud_step_for(c, 15 * SECOND);
	assert_true(is_plugged(c, id, nic));
	assert_true(cloud_has_condition(c, id, "KeepsDevice"));
	cloud_ask(c, engine_unpause_instances, id);
	cloud_settle(c);
	assert_true(has_left(c, nic));
	assert_false(cloud_has_condition(c, id, "KeepsDevice"));
}
TEST_STORY(paused_guest, 2)

/* A slow guest is asked only once, regardless of other wishes and reports, and of a restart of the
 * process. */
static void slow_guest(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id), other = cloud_launch_running(c);
	attach(c, nic, id);
	cloud_settle(c);
	sim_compute_set_pace(SIM_AS_REAL);
	detach(c, nic);
	cloud_stop(c, other);
	for (int k = 0; k < 400 && is_plugged(c, id, nic); k++) {
		if (k == 2 && c->seed % 2 == 0)
			cloud_restart(c);
		cloud_step_for(c, SECOND / 20);
	}
	assert_false(is_plugged(c, id, nic));
	sim_compute_set_pace(SIM_AT_ONCE);
	cloud_settle(c);
	assert_true(has_left(c, nic));
}
TEST_STORY(slow_guest, 2)

/* A guest that never lets go does when it ends. */
static void deaf_guest_stops(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	attach(c, nic, id);
	cloud_settle(c);
	sim_compute_set_deaf(cloud_host_of(c, id), true);
	detach(c, nic);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_settle(c);
	assert_true(has_left(c, nic));
	cloud_start(c, id);
	cloud_settle(c);
	assert_false(is_plugged(c, id, nic));
}
TEST_STORY(deaf_guest_stops, 2)

/* For a guest that is off, changes of its definition take effect at once. */
static void while_stopped(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id), back = make_nic(c, id);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	attach(c, nic, id);
	cloud_settle(c);
	assert_true(uuid_equal(cloud_port(c, nic).seen_instance, id));
	detach(c, nic);
	cloud_settle(c);
	assert_true(has_left(c, nic));
	attach(c, back, id);
	cloud_start(c, id);
	cloud_settle(c);
	assert_true(has_come(c, id, back));
	assert_false(is_plugged(c, id, nic));
}
TEST_STORY(while_stopped, 2)

/* An interface is attached and detached in immediate succession, with any order of the host's turns. */
static void change_of_mind(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	attach(c, nic, id);
	for (uint64_t k = 0; k < c->seed / 1000; k++)
		(void) executor_step(c->executor, clock_now_us() + 1);
	detach(c, nic);
	cloud_settle(c);
	assert_true(has_left(c, nic));
	assert_false(is_plugged(c, id, nic));
}
TEST_STORY(change_of_mind, 2)

/* Interfaces that were attached later remain when the instance ends. */
static void terminate(struct cloud *c)
{
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	attach(c, nic, id);
	cloud_settle(c);
	cloud_terminate(c, id);
	cloud_await(c, id, INSTANCE_TERMINATED);
	cloud_settle(c);
	assert_true(has_left(c, nic));
	delete_nic(c, nic);
}
TEST_STORY(terminate, 2)

/* ---- reboots ---- */

/* A reboot lets the guest shut down within its grace period, and the instance is never reported as off. */
static void reboot_asks(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_set_shutdown_us(cloud_host_of(c, id), 12 * SECOND);
	cloud_reboot(c, id);
	cloud_step_for(c, 11 * SECOND);
	assert_int_equal(cloud_guest(c, id).boots, 1);
	for (int k = 0; k < 60 && cloud_guest(c, id).boots == 1; k++) {
		cloud_step_for(c, SECOND / 10);
		assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	}
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}
TEST_STORY(reboot_asks, 2)

/* A guest that ignores the request is reset at the end of its grace period; a second request does not extend
 * it. */
static void reboot_deaf(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_set_deaf(cloud_host_of(c, id), true);
	cloud_reboot(c, id);
	cloud_step_for(c, CLOUD_GRACE_US - 2 * SECOND);
	assert_int_equal(cloud_guest(c, id).boots, 1);
	cloud_reboot(c, id);
	cloud_step_for(c, 4 * SECOND);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	cloud_expect_at(c, cloud_power(c, engine_reboot_instances_run, id, true), __FILE__, __LINE__);
	cloud_step_for(c, SECOND);
	assert_int_equal(cloud_guest(c, id).boots, 3);
}
TEST_STORY(reboot_deaf, 2)

/* ---- quiesced ---- */

/* For an image of its disks it is shut down, and started again when they are cut. */
static void quiesced(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct image_capture wish = {.instance = cloud_ref(c, KIND_INSTANCE, id), .name = STR("mine")};
	sim_compute_set_shutdown_us(cloud_host_of(c, id), 7 * SECOND);
	cloud_ok(c, &c->alice, engine_capture_image, &wish);
	cloud_step_for(c, 6 * SECOND);
	assert_true(cloud_guest(c, id).is_on); /* it has its time to shut down */
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}
TEST_STORY(quiesced, 2)

/* ---- killed at every step ---- */

/* An interface is attached and detached; after the kill the story resumes where it was. False: no kill
 * happened. */
static bool tell_with_kill(uint64_t seed, uint64_t at)
{
	struct cloud *c = cloud_new(seed * 1000, 2);
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	bool was_killed = false;
	c->kill_at = c->steps + at;
	for (int chapter = 0; chapter < 2;) {
		struct port_attaching wish = {.port = cloud_ref(c, KIND_PORT, nic),
					      .instance = cloud_ref(c, KIND_INSTANCE, id),
					      .device_index = 1};
		struct port row = cloud_port(c, nic);
		bool is_asked = uuid_is_none(row.instance) == (chapter == 1);
		struct result result = OK;
		if (!is_asked && chapter == 0)
			result = cloud_call(c, &c->alice, engine_attach_port_run, &wish);
		else if (!is_asked)
			result = try_detach(c, nic, false);
		if (cloud_was_answered(c, result))
			(void) cloud_step_until(c, cloud_is_settled, NULL, MINUTE);
		if (!cloud_was_killed(c)) {
			assert_true(chapter == 0 ? has_come(c, id, nic) : has_left(c, nic));
			chapter++;
			continue;
		}
		was_killed = true;
		cloud_restart(c);
		cloud_settle(c);
	}
	c->kill_at = 0;
	assert_int_equal(cloud_guest(c, id).boots, 1);
	cloud_done(c);
	return was_killed;
}

static void test_kill_at_each_step(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		uint64_t at = 1;
		while (tell_with_kill(seed, at))
			at++;
		print_message("seed %llu: killed at %llu places\n", (unsigned long long) seed,
			      (unsigned long long) at - 1);
		assert_true(at > 10);
	}
}

/* Killed at every step of an attachment; then the interface is detached and deleted while the host is
 * unreachable. A device that the guest got without a report has no row when the host returns. Sets
 * *is_rowless if so. Returns false if no kill happened. */
static bool delete_unreported(uint64_t seed, uint64_t at, bool *is_rowless)
{
	struct cloud *c = cloud_new(seed * 1000, 1);
	uuid id = cloud_launch_running(c), nic = make_nic(c, id);
	struct str host = str_copy(c->arena, cloud_host_of(c, id));
	struct port_attaching wish = {.port = cloud_ref(c, KIND_PORT, nic),
				      .instance = cloud_ref(c, KIND_INSTANCE, id),
				      .device_index = 1};
	c->kill_at = c->steps + at;
	if (cloud_was_answered(c, cloud_call(c, &c->alice, engine_attach_port_run, &wish)))
		(void) cloud_step_until(c, cloud_is_settled, NULL, MINUTE);
	bool was_killed = cloud_was_killed(c);
	c->kill_at = 0;
	if (was_killed) {
		cloud_restart(c);
		sim_compute_set_health(host, SIM_DOWN, 0);
		struct port row = cloud_port(c, nic);
		if (!uuid_is_none(row.instance) && uuid_is_none(row.seen_instance)) {
			*is_rowless = *is_rowless || is_plugged(c, id, nic);
			detach(c, nic);
			delete_nic(c, nic);
			cloud_step_for(c, MINUTE);
			sim_compute_set_health(host, SIM_UP, 0);
			cloud_settle(c);
			assert_false(is_plugged(c, id, nic));
		}
		sim_compute_set_health(host, SIM_UP, 0);
		cloud_settle(c);
	}
	cloud_done(c);
	return was_killed;
}

static void test_deleted_unreported(void **state)
{
	bool is_rowless = false;
	(void) state;
	for (uint64_t at = 1; delete_unreported(1, at, &is_rowless); at++)
		;
	assert_true(is_rowless);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_for_it),       cmocka_unit_test(test_come_and_go),
		cmocka_unit_test(test_deaf_guest),        cmocka_unit_test(test_paused_guest),
		cmocka_unit_test(test_slow_guest),        cmocka_unit_test(test_deaf_guest_stops),
		cmocka_unit_test(test_while_stopped),     cmocka_unit_test(test_change_of_mind),
		cmocka_unit_test(test_terminate),         cmocka_unit_test(test_reboot_asks),
		cmocka_unit_test(test_reboot_deaf),       cmocka_unit_test(test_quiesced),
		cmocka_unit_test(test_kill_at_each_step), cmocka_unit_test(test_deleted_unreported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
