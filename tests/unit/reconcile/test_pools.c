/* SPDX-License-Identifier: Apache-2.0
 * Storage pools shared by several hosts: the proof that a host sees the pool, and instances that move between
 * hosts without a copy, stopped or running, with a kill at every step. At any time there is one file of each
 * volume. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "model/host.h"
#include "store/instance.h"
#include "store/pool_host.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/store.h"

enum { SEEDS = 20 };
#define DIRECTORY STR("/srv/shared")

/* ---- pools ---- */

static uuid add_pool(struct cloud *c)
{
	struct storage_pool_wish wish = {
		.name = STR("nfs"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = DIRECTORY};
	cloud_ok(c, NULL, engine_add_storage_pool, &wish);
	return wish.pool;
}

static struct storage_pool_settings settings_of(struct cloud *c, uuid pool)
{
	return (struct storage_pool_settings){.pool = cloud_ref(c, KIND_STORAGE_POOL, pool)};
}

static struct str types[] = {STR("gp3"), STR("gp2")};

/* Root disks have the type gp3, and volumes without an explicit type gp2. */
static uuid add_pool_for_roots(struct cloud *c)
{
	uuid pool = add_pool(c);
	struct storage_pool_settings bound = settings_of(c, pool);
	bound.more_types = (struct strs){types, 2};
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	cloud_settle(c);
	return pool;
}

static enum pool_host_seen_state state_on(struct cloud *c, uuid pool, size_t host, uuid *ret_id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct pool_host *p = pool_host_find_by_pool(view.tables, pool, c->hosts[host]);
	assert_non_null(p);
	if (ret_id)
		*ret_id = p->row.id;
	return p->seen_state;
}

static int64_t count_files(void)
{
	struct sim_counts n;
	sim_compute_count(&n);
	return n.disks;
}

/* ---- hosts' access ---- */

static void proves(struct cloud *c)
{
	uuid pool = add_pool(c);
	cloud_settle(c);
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(state_on(c, pool, k, NULL), POOL_HOST_SEEN_STATE_PROVEN);
}
TEST_STORY(proves, 3)

/* One of three hosts lacks the mount: it is reported, and neither used for placement nor for work on
 * disks. */
static void tells_of_unmounted(struct cloud *c)
{
	uuid id;
	sim_compute_mount(STR("h1"), DIRECTORY, false);
	uuid pool = add_pool_for_roots(c);
	assert_int_equal(state_on(c, pool, 0, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	assert_int_equal(state_on(c, pool, 1, &id), POOL_HOST_SEEN_STATE_UNPROVEN);
	assert_int_equal(state_on(c, pool, 2, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	assert_true(cloud_has_condition(c, id, "PoolUnproven"));
	for (int n = 0; n < 4; n++)
		assert_false(str_is(cloud_host_of(c, cloud_launch_running(c)), "h1"));
	sim_compute_mount(STR("h1"), DIRECTORY, true);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_int_equal(state_on(c, pool, 1, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	assert_false(cloud_has_condition(c, id, "PoolUnproven"));
}
TEST_STORY(tells_of_unmounted, 3)

/* If two hosts see different directories, neither is trusted. */
static void trusts_neither(struct cloud *c)
{
	sim_compute_mount(STR("h1"), DIRECTORY, false);
	uuid pool = add_pool_for_roots(c);
	assert_int_equal(state_on(c, pool, 0, NULL), POOL_HOST_SEEN_STATE_UNPROVEN);
	assert_int_equal(state_on(c, pool, 1, NULL), POOL_HOST_SEEN_STATE_UNPROVEN);
	struct instance_launch wish = cloud_launch_wish(c, 1);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &wish).code, ERR_CAPACITY);
	sim_compute_mount(STR("h1"), DIRECTORY, true);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	cloud_launch_running(c);
}
TEST_STORY(trusts_neither, 2)

/* A proven host returns without its mount. */
static void doubts_who_was_away(struct cloud *c)
{
	uuid pool = add_pool_for_roots(c);
	assert_int_equal(state_on(c, pool, 1, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	sim_compute_mount(STR("h1"), DIRECTORY, false);
	sim_compute_reboot(STR("h1"));
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_int_equal(state_on(c, pool, 0, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	assert_int_equal(state_on(c, pool, 1, NULL), POOL_HOST_SEEN_STATE_UNPROVEN);
	assert_int_equal(state_on(c, pool, 2, NULL), POOL_HOST_SEEN_STATE_PROVEN);
}
TEST_STORY(doubts_who_was_away, 3)

static void refuses(struct cloud *c)
{
	uuid pool = add_pool_for_roots(c);
	struct storage_pool_target gone = {.pool = cloud_ref(c, KIND_STORAGE_POOL, pool)};
	struct storage_pool_wish wish = {
		.name = STR("nfs"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/other")};
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_EXISTS);
	wish.name = STR("other");
	wish.path = DIRECTORY;
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_EXISTS);
	wish.path = STR("srv");
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.path = STR("/srv/../etc");
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.path = STR("/srv/x");
	wish.kind = STORAGE_POOL_KIND_RBD;
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.kind = STORAGE_POOL_KIND_LOCAL;
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_UNSUPPORTED);
	assert_int_equal(cloud_call(c, &c->alice, engine_add_storage_pool_run, &wish).code, ERR_DENIED);
	assert_int_equal(cloud_call(c, NULL, engine_remove_storage_pool_run, &gone).code, ERR_IN_USE);
	struct storage_pool_settings unbound = settings_of(c, pool);
	unbound.less_types = (struct strs){types, 2};
	uuid one = cloud_launch_running(c);
	cloud_ok(c, NULL, engine_update_storage_pool, &unbound);
	assert_int_equal(cloud_call(c, NULL, engine_remove_storage_pool_run, &gone).code, ERR_IN_USE);
	cloud_terminate(c, one);
	cloud_settle(c);
	cloud_ok(c, NULL, engine_remove_storage_pool, &gone);
	cloud_settle(c);
}
TEST_STORY(refuses, 2)

/* ---- instances there ---- */

static void migrate(struct cloud *c, uuid instance)
{
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance)};
	cloud_ok(c, NULL, engine_migrate_instance, &wish);
}

static void check_moved(struct cloud *c, uuid instance, const char *from, const char *text)
{
	uuid volume = cloud_volume_of(c, instance);
	assert_false(str_is(cloud_host_of(c, instance), from));
	assert_int_equal(cloud_guest(c, instance).boots, 1);
	assert_true(cloud_guest(c, instance).is_on);
	assert_true(sim_compute_disk_has(cloud_host_of(c, instance), volume, text));
	assert_true(sim_compute_disk_has(str_from(from), volume, text)); /* the same file */
	assert_int_equal(count_files(), 1);
}

static void note_host(struct cloud *c, uuid instance, char host[static 64])
{
	struct str name = cloud_host_of(c, instance);
	(void) snprintf(host, 64, "%.*s", (int) name.n, name.p);
}

static void moves_running(struct cloud *c)
{
	char from[64];
	uuid pool = add_pool_for_roots(c), one = cloud_launch_running(c), volume = cloud_volume_of(c, one);
	cloud_settle(c);
	assert_true(uuid_equal(cloud_disk(c, volume).pool, pool));
	note_host(c, one, from);
	sim_compute_write_disk(str_from(from), volume, "what it wrote");
	migrate(c, one);
	cloud_settle(c);
	check_moved(c, one, from, "what it wrote");
	note_host(c, one, from);
	sim_compute_write_disk(str_from(from), volume, "what it wrote then");
	migrate(c, one);
	cloud_settle(c);
	check_moved(c, one, from, "what it wrote then");
	cloud_terminate(c, one);
	cloud_settle(c);
	assert_int_equal(count_files(), 0);
}
TEST_STORY(moves_running, 2)

static const enum sim_break stays[] = {SIM_BREAK_REFUSED, SIM_BREAK_STUCK, SIM_BREAK_CUT, SIM_BREAK_HELD,
				       SIM_BREAK_LEFTOVER};
static const enum sim_break goes[] = {SIM_BREAK_DOUBLE, SIM_BREAK_UNSAID};

static void break_journey(struct cloud *c, uuid one, enum sim_break how, bool moved)
{
	char from[64];
	note_host(c, one, from);
	sim_compute_write_disk(str_from(from), cloud_volume_of(c, one), "what it wrote");
	sim_compute_break_migration(str_from(from), how);
	migrate(c, one);
	cloud_settle(c);
	assert_int_equal(str_is(cloud_host_of(c, one), from), !moved);
	assert_int_equal(cloud_guest(c, one).boots, 1);
	assert_int_equal(cloud_state(c, one), INSTANCE_RUNNING);
	assert_true(sim_compute_disk_has(cloud_host_of(c, one), cloud_volume_of(c, one), "what it wrote"));
	assert_int_equal(count_files(), 1);
}

static void goes_wrong(struct cloud *c)
{
	add_pool_for_roots(c);
	uuid one = cloud_launch_running(c);
	cloud_settle(c);
	for (size_t k = 0; k < sizeof stays / sizeof *stays; k++)
		break_journey(c, one, stays[k], false);
	for (size_t k = 0; k < sizeof goes / sizeof *goes; k++)
		break_journey(c, one, goes[k], true);
}
TEST_STORY(goes_wrong, 2)

/* ---- volumes there ---- */

static uuid make_volume(struct cloud *c)
{
	uuid zone = cloud_disk(c, cloud_volume_of(c, cloud_launch_running(c))).zone;
	struct volume_wish wish = {.zone = cloud_ref(c, KIND_ZONE, zone),
				   .disk = {.size = CLOUD_GIB, .field = STR("Size")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	return wish.volume;
}

static void attach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_attaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
					.instance = cloud_ref(c, KIND_INSTANCE, instance),
					.device = STR("/dev/sdf")};
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	cloud_settle(c);
}

static void detach(struct cloud *c, uuid volume)
{
	struct volume_detaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_detach_volume, &wish);
	cloud_settle(c);
}

/* To instances on both hosts by turns; a snapshot of what the last one wrote has it. */
static void attaches_across(struct cloud *c)
{
	add_pool_for_roots(c);
	uuid volume = make_volume(c), one = cloud_launch_running(c), two = cloud_launch_running(c);
	int64_t files = count_files();
	for (int n = 0; n < 2; n++) {
		uuid has = n ? two : one;
		attach(c, volume, has);
		struct cloud_disk v = cloud_disk(c, volume);
		assert_true(uuid_equal(v.seen_instance, has));
		assert_true(uuid_equal(v.host, cloud_instance(c, has).host));
		assert_true(uuid_equal(v.host, v.seen_host));
		assert_true(uuid_is_none(v.left_host));
		assert_true(n == 0 || sim_compute_disk_has(cloud_host_of(c, has), volume, "of the first"));
		sim_compute_write_disk(cloud_host_of(c, has), volume, n ? "of the second" : "of the first");
		detach(c, volume);
	}
	struct snapshot_wish wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	cloud_settle(c);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct snapshot *s = snapshot_find(view.tables, wish.snapshot);
	assert_int_equal(s->seen_stage, SNAPSHOT_SEEN_STAGE_KEPT);
	assert_true(uuid_is_none(s->pool));
	assert_int_equal(count_files(), files);
}
TEST_STORY(attaches_across, 2)

/* When a disk's host is away, another one does work on disks that no guest uses. */
static void outlives_a_host(struct cloud *c)
{
	add_pool_for_roots(c);
	uuid volume = make_volume(c), host = cloud_disk(c, volume).host;
	struct volume_target gone = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	size_t k = uuid_equal(host, c->hosts[0]) ? 0 : 1;
	struct str name = k ? STR("h1") : STR("h0");
	sim_compute_set_health(name, SIM_DOWN, 0);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_true(uuid_equal(cloud_disk(c, volume).host, c->hosts[1 - k]));
	assert_true(uuid_equal(cloud_disk(c, volume).seen_host, c->hosts[1 - k]));
	cloud_ok(c, &c->alice, engine_delete_volume, &gone);
	cloud_step_for(c, 10 * SECOND);
	sim_compute_set_health(name, SIM_UP, 0);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 1);
	assert_int_equal(count_files(), 1);
}
TEST_STORY(outlives_a_host, 2)

/* ---- killed at each step ---- */

static bool tell_journey(struct cloud *c, uuid one)
{
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, one)};
	return cloud_was_answered(c, cloud_call(c, NULL, engine_migrate_instance_run, &wish)) &&
	       cloud_lived_to_settle(c);
}

static void test_killed(void **state)
{
	(void) state;
	bool lived = false;
	for (uint64_t n = 1; !lived; n += 1 + n / 8) {
		struct cloud *c = cloud_new(n, 2);
		char from[64];
		add_pool_for_roots(c);
		uuid one = cloud_launch_running(c), volume = cloud_volume_of(c, one);
		cloud_settle(c);
		note_host(c, one, from);
		sim_compute_write_disk(str_from(from), volume, "what it wrote");
		c->kill_at = c->steps + n;
		lived = tell_journey(c, one);
		c->kill_at = 0;
		if (!lived)
			cloud_restart(c);
		cloud_settle(c);
		assert_int_equal(cloud_guest(c, one).boots, 1);
		assert_int_equal(cloud_state(c, one), INSTANCE_RUNNING);
		assert_true(sim_compute_disk_has(cloud_host_of(c, one), volume, "what it wrote"));
		assert_int_equal(count_files(), 1);
		cloud_done(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proves),          cmocka_unit_test(test_tells_of_unmounted),
		cmocka_unit_test(test_trusts_neither),  cmocka_unit_test(test_doubts_who_was_away),
		cmocka_unit_test(test_refuses),         cmocka_unit_test(test_moves_running),
		cmocka_unit_test(test_goes_wrong),      cmocka_unit_test(test_attaches_across),
		cmocka_unit_test(test_outlives_a_host), cmocka_unit_test(test_killed),
	};
	return cmocka_run_group_tests_name("storage pools", tests, NULL, NULL);
}
