/* SPDX-License-Identifier: Apache-2.0
 * Outages of hosts and networks, disks and domains that contradict the rows, old and empty databases: nothing
 * is destroyed, and everything is as wanted in the end. */
#include "../cloud/cloud.h"
#include "model/host.h"
#include "model/states.h"
#include "reconcile/work.h"
#include "store/condition.h"
#include "store/lease.h"

enum { SEEDS = 50 };

static void await_host(struct cloud *c, enum host_seen_state state)
{
	assert_true(cloud_step_until(c, cloud_has_host_state, &state, 2 * MINUTE));
}

/* ---- hosts ---- */

/* The host goes down at some step of a launch. */
static void host_down_during_launch(struct cloud *c)
{
	uuid id = cloud_launch(c);
	for (uint64_t k = 0; k < c->seed / 1000; k++)
		(void) executor_step(c->executor, clock_now_us() + 1);
	sim_compute_set_health(STR("h0"), SIM_DOWN, 0);
	await_host(c, HOST_SEEN_STATE_DOWN);
	cloud_step_for(c, SECOND);
	assert_true(cloud_has_condition(c, c->hosts[0], "HostDown"));
	sim_compute_set_health(STR("h0"), SIM_UP, 0);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 1);
	assert_false(cloud_has_condition(c, c->hosts[0], "HostDown"));
	assert_false(cloud_has_condition(c, id, "NotReconciled"));
}
TEST_STORY(host_down_during_launch, 1)

/* The host's guests keep running, and requests made meanwhile are executed when it returns. */
static void host_away(struct cloud *c)
{
	uuid kept = cloud_launch_running(c), ended = cloud_launch_running(c);
	sim_compute_set_health(STR("h0"), SIM_DOWN, 0);
	await_host(c, HOST_SEEN_STATE_DOWN);
	cloud_terminate(c, ended);
	cloud_step_for(c, 5 * MINUTE);
	assert_int_equal(cloud_state(c, ended), INSTANCE_SHUTTING_DOWN);
	assert_int_equal(cloud_state(c, kept), INSTANCE_RUNNING);
	assert_true(cloud_guest(c, ended).is_on);
	assert_false(cloud_has_condition(c, ended, "NotReconciled"));
	sim_compute_set_health(STR("h0"), SIM_UP, 0);
	cloud_await(c, ended, INSTANCE_TERMINATED);
	assert_int_equal(cloud_guest(c, kept).boots, 1);
}
TEST_STORY(host_away, 1)

/* The lease's time is over when the calls of the former writer are. */
static int64_t acts_from_us;

static bool acts_later(void *self)
{
	(void) self;
	return clock_now_us() >= acts_from_us;
}

/* A process that takes over from a killed writer takes requests at once, and destroys nothing before calls of the former
 * writer are over: a guest that one of them may still be starting would run unseen. */
static void takeover(struct cloud *c)
{
	uuid ended = cloud_launch_running(c), stopped = cloud_launch_running(c);
	cloud_kill(c);
	cloud_restart(c);
	acts_from_us = clock_now_us() + (LEASE_TTL_MS + LEASE_MARGIN_MS) * MILLISECOND;
	c->reconciler->may_act = acts_later;
	cloud_terminate(c, ended);
	cloud_stop(c, stopped);
	cloud_step_for(c, acts_from_us - clock_now_us() - MILLISECOND);
	assert_int_equal(cloud_state(c, ended), INSTANCE_SHUTTING_DOWN);
	assert_true(cloud_guest(c, ended).is_on && cloud_guest(c, stopped).is_on);
	cloud_await(c, ended, INSTANCE_TERMINATED);
	cloud_await(c, stopped, INSTANCE_STOPPED);
	assert_false(cloud_guest(c, ended).exists);
	cloud_settle(c);
}
TEST_STORY(takeover, 1)

/* After a restart of libvirtd, no HostDown is reported, and guests are not affected. */
static void host_disconnected(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	for (int k = 0; k < 5; k++) {
		sim_compute_disconnect(STR("h0"));
		enum host_seen_state down = HOST_SEEN_STATE_DOWN;
		assert_false(cloud_step_until(c, cloud_has_host_state, &down, 30 * SECOND));
	}
	assert_int_equal(cloud_guest(c, id).boots, 1);
	sim_compute_disconnect(STR("h0"));
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
}
TEST_STORY(host_disconnected, 1)

static bool is_reported(struct cloud *c, uuid subject, const char *name, const char *words)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct condition *condition = condition_find_by_subject(view.tables, subject, str_from(name));
	return condition && str_contains(condition->message, str_from(words));
}

static void host_reboots(struct cloud *c)
{
	uuid on = cloud_launch_running(c), off = cloud_launch_running(c);
	cloud_stop(c, off);
	cloud_settle(c);
	sim_compute_reboot(STR("h0"));
	cloud_step_for(c, SECOND);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, on).boots, 2);
	assert_int_equal(cloud_guest(c, off).boots, 1);
	assert_int_equal(cloud_state(c, off), INSTANCE_STOPPED);
	assert_true(is_reported(c, on, INSTANCE_RESTARTED, "The host was restarted"));
	assert_false(cloud_has_condition(c, off, INSTANCE_RESTARTED));
	assert_true(str_is(cloud_instance(c, on).seen_boot_id, "h0-boot-2"));
}
TEST_STORY(host_reboots, 1)

/* A guest that is paused for want of room goes on when there is some, and not before; meanwhile its host
 * gets no disk. */
static void pool_is_full(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct str name = cloud_host_of(c, id);
	uuid host = cloud_instance(c, id).host;
	sim_compute_set_pool_free(name, 1 << 20);
	sim_compute_pause_guest_io(name, id);
	cloud_step_for(c, 5 * MINUTE);
	assert_true(cloud_has_condition(c, id, "HeldForRoom"));
	assert_true(cloud_has_condition(c, host, "PoolFull"));
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	uuid other = cloud_launch(c);
	cloud_await(c, other, INSTANCE_RUNNING);
	assert_false(uuid_equal(cloud_instance(c, other).host, host));
	sim_compute_set_pool_free(name, 0);
	cloud_step_for(c, MINUTE);
	assert_false(cloud_has_condition(c, id, "HeldForRoom"));
	assert_false(cloud_has_condition(c, host, "PoolFull"));
	assert_int_equal(cloud_guest(c, id).boots, 1);
}
TEST_STORY(pool_is_full, 2)

/* Placed before the pool was known to be full. */
static void pool_fills_up(struct cloud *c)
{
	uuid id = cloud_launch(c), volume = cloud_volume_of(c, id);
	sim_compute_set_pool_free(STR("h0"), 1 << 20);
	cloud_step_for(c, 5 * MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	assert_true(is_reported(c, volume, "NotReconciled", "is full"));
	assert_true(is_reported(c, id, "WaitsForDisk", "is full"));
	sim_compute_set_pool_free(STR("h0"), 0);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_false(cloud_has_condition(c, id, "WaitsForDisk"));
	cloud_step_for(c, MINUTE); /* its host is looked at */
	assert_false(cloud_has_condition(c, c->hosts[0], "PoolFull"));
}
TEST_STORY(pool_fills_up, 1)

/* The guest pauses again at once for lack of space, although the pool reports free space: it is resumed at
 * intervals. */
static void io_paused_again(struct cloud *c)
{
	struct sim_counts before = {0}, after = {0};
	uuid id = cloud_launch_running(c);
	sim_compute_count(&before);
	for (int k = 0; k < 60; k++) {
		sim_compute_pause_guest_io(cloud_host_of(c, id), id);
		cloud_step_for(c, SECOND);
	}
	sim_compute_count(&after);
	assert_true(after.calls - before.calls < 600);
	cloud_step_for(c, MINUTE);
	assert_false(cloud_has_condition(c, id, "HeldForRoom"));
}
TEST_STORY(io_paused_again, 1)

/* A hung host does not delay others. */
static void host_hangs(struct cloud *c)
{
	struct host_settings closed = {.host = cloud_ref(c, KIND_HOST, c->hosts[0]), .enabled = CHOICE_NO};
	cloud_ok(c, NULL, engine_update_host, &closed);
	sim_compute_set_health(STR("h0"), SIM_HANGS, 30 * SECOND);
	uuid id = cloud_launch(c);
	cloud_await(c, id, INSTANCE_RUNNING);
	sim_compute_set_health(STR("h0"), SIM_UP, 0);
	closed.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_host, &closed);
}
TEST_STORY(host_hangs, 2)

/* Another host has news of an instance that is not its own: a copy that somebody made. */
static void copy_elsewhere(struct cloud *c)
{
	struct sim_counts counts = {0};
	uuid id = cloud_launch_running(c);
	bool on_first = str_is(cloud_host_of(c, id), "h0");
	cloud_bring_news(on_first ? STR("h1") : STR("h0"), id);
	cloud_step_for(c, SECOND);
	cloud_stop(c, id);
	cloud_bring_news(on_first ? STR("h1") : STR("h0"), id);
	cloud_settle(c);
	cloud_bring_news(on_first ? STR("h1") : STR("h0"), id);
	cloud_start(c, id);
	cloud_settle(c);
	sim_compute_count(&counts);
	assert_int_equal(counts.domains, 1);
	assert_int_equal(counts.disks, 1);
}
TEST_STORY(copy_elsewhere, 2)

static void host_removed(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct host_target target = {.host = cloud_ref(c, KIND_HOST, cloud_instance(c, id).host)};
	cloud_terminate(c, id);
	cloud_settle(c);
	cloud_ok(c, NULL, engine_remove_host, &target);
	cloud_step_for(c, 5 * MINUTE); /* the other host's disks are left alone meanwhile */
	struct sim_counts counts = {0};
	sim_compute_count(&counts);
	assert_int_equal(counts.connections, 1);
	cloud_restart(c); /* no lane for it now; its ended instance is forgotten nevertheless */
	cloud_step_for(c, INSTANCE_VISIBLE_US + CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_int_equal(cloud_count(c, KIND_INSTANCE), 0);
}

static void test_host_removed(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 2);
	host_removed(c);
	cloud_done(c);
}

/* ---- the network ---- */

static void network_cut(struct cloud *c)
{
	network_sim_cut(true);
	uuid id = cloud_launch(c);
	cloud_await(c, id, INSTANCE_RUNNING); /* the network is not waited for */
	cloud_step_for(c, 30 * SECOND);
	uuid port = cloud_port_of(c, id);
	assert_false(network_sim_has(NETWORK_ITEM_PORT, port));
	assert_true(cloud_has_condition(c, port, "NotReconciled"));
	network_sim_cut(false);
	cloud_settle(c);
	assert_true(network_sim_port_is_up(port));
	assert_false(cloud_has_condition(c, port, "NotReconciled"));
}
TEST_STORY(network_cut, 1)

/* Lost objects are restored after a reconnection, and otherwise by the next resync. */
static void network_drifts(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	uuid port = cloud_port_of(c, id);
	assert_true(network_sim_lose(NETWORK_ITEM_ROUTER, c->router));
	network_sim_cut(true);
	network_sim_cut(false);
	cloud_step_for(c, SECOND);
	assert_true(network_sim_has(NETWORK_ITEM_PORT, port));
	assert_true(network_sim_lose(NETWORK_ITEM_PORT, port));
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_true(network_sim_has(NETWORK_ITEM_PORT, port));
}
TEST_STORY(network_drifts, 1)

/* A port is plugged some time after it was made; its row follows. */
static void port_binds_late(struct cloud *c)
{
	network_sim_set_late(true);
	uuid id = cloud_launch_running(c);
	uuid port = cloud_port_of(c, id);
	assert_false(cloud_port(c, port).seen_up);
	network_sim_bind();
	cloud_step_for(c, SECOND);
	assert_true(cloud_port(c, port).seen_up);
	network_sim_set_late(false);
}
TEST_STORY(port_binds_late, 1)

/* ---- disks ---- */

/* A disk that was there is not made anew, empty; its instance is not started without it. */
static void disk_missing(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	uuid volume = cloud_volume_of(c, id);
	cloud_stop(c, id);
	cloud_settle(c);
	cloud_lose_disk(c, volume);
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_true(cloud_has_condition(c, volume, "DiskMissing"));
	cloud_start(c, id);
	cloud_step_for(c, MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	assert_int_equal(cloud_guest(c, id).boots, 1);
	cloud_bring_disk(c, volume);
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_false(cloud_has_condition(c, volume, "DiskMissing"));
}
TEST_STORY(disk_missing, 1)

/* An instance with a missing disk can still be terminated. */
static void disk_missing_at_end(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_stop(c, id);
	cloud_settle(c);
	cloud_lose_disk(c, cloud_volume_of(c, id));
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 0);
}
TEST_STORY(disk_missing_at_end, 1)

/* ---- databases ---- */

static int64_t count_running(void)
{
	struct sim_counts counts = {0};
	sim_compute_count(&counts);
	return counts.running;
}

/* Condition for cloud_step_until: the reconciler has nothing left to do. */
static bool is_idle(struct cloud *c, const void *unused)
{
	(void) unused;
	return reconciler_is_settled(c->reconciler);
}

/* A database restored from a backup before the launch, in the same region: guests without a row are reported
 * and left alone. */
static void older_database(struct cloud *c)
{
	struct sim_counts before = {0}, after = {0};
	uuid old = cloud_launch_running(c);
	cloud_stop(c, old);
	cloud_settle(c);
	cloud_kill(c);
	cloud_copy_database(c, "", ".old");
	cloud_restart(c);
	(void) cloud_launch_running(c);
	cloud_start(c, old);
	cloud_settle(c);
	sim_compute_count(&before);
	cloud_kill(c);
	cloud_copy_database(c, ".old", "");
	cloud_restart(c);
	assert_true(cloud_step_until(c, is_idle, NULL, MINUTE));
	cloud_step_for(c, CLOUD_RESYNC_US * 2);
	sim_compute_count(&after);
	assert_int_equal(after.domains, before.domains);
	assert_int_equal(after.disks, before.disks);
	assert_int_equal(after.running, 1); /* the old one is stopped, as its row says */
	assert_true(cloud_has_condition(c, c->hosts[0], "Quarantined"));
	assert_true(cloud_has_condition(c, c->hosts[0], "QuarantinedDisks"));
	/* Domain, disk, port and address of the one; the other's address of its second start. */
	assert_int_equal(cloud_audit(c, 5), 5);
	assert_int_equal(cloud_purge_strays(c), 5);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_false(cloud_has_condition(c, c->hosts[0], "Quarantined"));
	assert_false(cloud_has_condition(c, c->hosts[0], "QuarantinedDisks"));
}
TEST_STORY(older_database, 1)

static void test_empty_database(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 2);
	for (int k = 0; k < 4; k++)
		(void) cloud_launch_running(c);
	cloud_kill(c);
	cloud_start_empty(c);
	assert_int_equal(count_running(), 4);
	cloud_step_for(c, CLOUD_RESYNC_US * 2);
	assert_int_equal(count_running(), 4);
	assert_int_equal(network_sim_count(NETWORK_ITEM_PORT), 4);
	cloud_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_down_during_launch),
		cmocka_unit_test(test_host_away),
		cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_host_disconnected),
		cmocka_unit_test(test_host_reboots),
		cmocka_unit_test(test_pool_is_full),
		cmocka_unit_test(test_pool_fills_up),
		cmocka_unit_test(test_io_paused_again),
		cmocka_unit_test(test_host_hangs),
		cmocka_unit_test(test_host_removed),
		cmocka_unit_test(test_copy_elsewhere),
		cmocka_unit_test(test_network_cut),
		cmocka_unit_test(test_network_drifts),
		cmocka_unit_test(test_port_binds_late),
		cmocka_unit_test(test_disk_missing),
		cmocka_unit_test(test_disk_missing_at_end),
		cmocka_unit_test(test_older_database),
		cmocka_unit_test(test_empty_database),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
