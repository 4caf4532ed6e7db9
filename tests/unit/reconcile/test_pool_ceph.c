/* SPDX-License-Identifier: Apache-2.0
 * Storage pools that belong to no host, with a connection of their own, independent of hosts. Instances with
 * disks in such pools, with a lost connection or a kill at every step. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "base/crypto.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/region/fence.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume_move.h"
#include "model/host.h"
#include "store/fence.h"
#include "store/instance.h"
#include "store/pool_host.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/store.h"

enum { SEEDS = 10 };
#define CLUSTER STR("vms")
#define DIRECTORY STR("/ceph/vms") /* as a simulated host sees it */

static struct str types[] = {STR("gp3"), STR("gp2"), STR("__DEFAULT__")};

static uuid add_pool(struct cloud *c)
{
	struct str monitors[] = {STR("sim:3300")};
	struct storage_pool_wish wish = {.name = STR("ceph"),
					 .kind = STORAGE_POOL_KIND_RBD,
					 .monitors = {monitors, 1},
					 .rbd_pool = CLUSTER,
					 .rbd_user = STR("dari"),
					 .rbd_key = cloud_seal(c, STR("ceph"), STR("AQBKey=="))};
	cloud_ok(c, NULL, engine_add_storage_pool, &wish);
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, wish.pool),
					      .more_types = {types, 3}};
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	return wish.pool;
}

static uuid add_settled(struct cloud *c)
{
	uuid pool = add_pool(c);
	cloud_settle(c);
	return pool;
}

static int64_t count_files(void)
{
	struct sim_counts n;
	sim_compute_count(&n);
	return n.disks;
}

static void lose_cluster(bool is_lost)
{
	sim_compute_set_health(CLUSTER, is_lost ? SIM_DOWN : SIM_UP, 0);
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

static enum storage_pool_seen_state state_of(struct cloud *c, uuid pool)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return storage_pool_find(view.tables, pool)->seen_state;
}

static uuid make_volume(struct cloud *c, uuid like)
{
	uuid zone = cloud_disk(c, like).zone;
	struct volume_wish wish = {.zone = cloud_ref(c, KIND_ZONE, zone),
				   .disk = {.size = CLOUD_GIB, .field = STR("Size")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	return wish.volume;
}

static void attach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_attaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
					.instance = cloud_ref(c, KIND_INSTANCE, instance),
					.device = STR("/dev/sdf")};
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
}

static void detach(struct cloud *c, uuid volume)
{
	struct volume_detaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_detach_volume, &wish);
}

static void delete_volume(struct cloud *c, uuid volume)
{
	struct volume_target wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_delete_volume, &wish);
}

/* ---- hosts' access ---- */

static void is_known(struct cloud *c)
{
	uuid pool = add_settled(c);
	assert_int_equal(state_of(c, pool), STORAGE_POOL_SEEN_STATE_UP);
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(state_on(c, pool, k, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	struct storage_pool_settings unbound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, pool),
						.less_types = {types, 3}};
	struct storage_pool_target gone = {.pool = cloud_ref(c, KIND_STORAGE_POOL, pool)};
	cloud_ok(c, NULL, engine_update_storage_pool, &unbound);
	cloud_ok(c, NULL, engine_remove_storage_pool, &gone);
	cloud_settle(c);
}
TEST_STORY(is_known, 2)

/* A host that refuses the key is reported, and gets no disks of the pool. */
static void is_not_known(struct cloud *c)
{
	uuid id;
	sim_compute_mount(STR("h1"), DIRECTORY, false);
	uuid pool = add_settled(c);
	assert_int_equal(state_on(c, pool, 0, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	assert_int_equal(state_on(c, pool, 1, &id), POOL_HOST_SEEN_STATE_UNPROVEN);
	assert_true(cloud_has_condition(c, id, "PoolUnproven"));
	for (int n = 0; n < 3; n++)
		assert_true(str_is(cloud_host_of(c, cloud_launch_running(c)), "h0"));
	sim_compute_mount(STR("h1"), DIRECTORY, true);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_int_equal(state_on(c, pool, 1, NULL), POOL_HOST_SEEN_STATE_PROVEN);
	assert_false(cloud_has_condition(c, id, "PoolUnproven"));
}
TEST_STORY(is_not_known, 2)

/* ---- disks in the pool ---- */

/* To instances on both hosts by turns, without a copy; the image is there once. */
static void attaches_across(struct cloud *c)
{
	uuid pool = add_settled(c), one = cloud_launch_running(c), two = cloud_launch_running(c);
	assert_true(uuid_equal(cloud_disk(c, cloud_volume_of(c, one)).pool, pool));
	uuid volume = make_volume(c, cloud_volume_of(c, one));
	cloud_settle(c);
	int64_t files = count_files();
	assert_int_equal(files, 3);
	for (int n = 0; n < 2; n++) {
		uuid has = n ? two : one;
		attach(c, volume, has);
		cloud_settle(c);
		struct cloud_disk v = cloud_disk(c, volume);
		assert_true(uuid_equal(v.seen_instance, has));
		assert_true(n == 0 || sim_compute_disk_has(cloud_host_of(c, has), volume, "of the first"));
		sim_compute_write_disk(cloud_host_of(c, has), volume, n ? "of the second" : "of the first");
		detach(c, volume);
		cloud_settle(c);
	}
	struct snapshot_wish wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	cloud_settle(c);
	assert_int_equal(count_files(), files);
	delete_volume(c, volume);
	cloud_settle(c);
	assert_int_equal(count_files(), files - 1);
}
TEST_STORY(attaches_across, 2)

/* The same as without encryption: a blank disk, a cut, new disks from the cut in the pool and on a host, and
 * a revert. */
static void is_encrypted(struct cloud *c)
{
	uuid pool = add_settled(c), one = cloud_launch_running(c);
	struct volume_wish wish = {
		.zone = cloud_ref(c, KIND_ZONE, cloud_disk(c, cloud_volume_of(c, one)).zone),
		.disk = {.size = CLOUD_GIB, .field = STR("Size"), .crypt = {.is_wanted = CHOICE_YES}}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	attach(c, wish.volume, one);
	cloud_settle(c);
	sim_compute_write_disk(cloud_host_of(c, one), wish.volume, "secret");
	struct snapshot_wish cut = {.volume = cloud_ref(c, KIND_VOLUME, wish.volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &cut);
	cloud_settle(c);
	detach(c, wish.volume);
	cloud_settle(c);
	for (int n = 0; n < 2; n++) {
		struct storage_pool_settings unbound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, pool),
							.less_types = {types, 3}};
		struct volume_wish again = {.zone = wish.zone,
					    .disk = {.size = 2 * CLOUD_GIB,
						     .snapshot = cloud_ref(c, KIND_SNAPSHOT, cut.snapshot),
						     .field = STR("Size")}};
		cloud_ok(c, &c->alice, engine_create_volume, &again);
		cloud_settle(c);
		assert_true(uuid_equal(cloud_disk(c, again.volume).pool, n ? UUID_NONE : pool));
		attach(c, again.volume, one);
		cloud_settle(c);
		assert_true(sim_compute_disk_has(cloud_host_of(c, one), again.volume, "secret"));
		detach(c, again.volume);
		cloud_settle(c);
		delete_volume(c, again.volume);
		if (!n)
			cloud_ok(c, NULL, engine_update_storage_pool, &unbound);
	}
	cloud_settle(c);
}
TEST_STORY(is_encrypted, 2)

/* Disks in the pool are created, cut and removed without a host. */
static void outlives_hosts(struct cloud *c)
{
	add_settled(c);
	uuid volume = make_volume(c, cloud_volume_of(c, cloud_launch_running(c)));
	cloud_settle(c);
	struct snapshot_wish wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	sim_compute_set_health(STR("h0"), SIM_DOWN, 0);
	sim_compute_set_health(STR("h1"), SIM_DOWN, 0);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	cloud_step_for(c, 20 * SECOND);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		assert_int_equal(snapshot_find(view.tables, wish.snapshot)->seen_stage,
				 SNAPSHOT_SEEN_STAGE_KEPT);
	}
	delete_volume(c, volume);
	cloud_step_for(c, 20 * SECOND);
	assert_int_equal(count_files(), 1);
	sim_compute_set_health(STR("h0"), SIM_UP, 0);
	sim_compute_set_health(STR("h1"), SIM_UP, 0);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
}
TEST_STORY(outlives_hosts, 2)

static void moves_running(struct cloud *c)
{
	char from[64];
	add_settled(c);
	uuid one = cloud_launch_running(c), volume = cloud_volume_of(c, one);
	cloud_settle(c);
	for (int n = 0; n < 2; n++) {
		struct str name = cloud_host_of(c, one);
		struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, one)};
		(void) snprintf(from, sizeof from, "%.*s", (int) name.n, name.p);
		sim_compute_write_disk(name, volume, n ? "there" : "here");
		cloud_ok(c, NULL, engine_migrate_instance, &wish);
		cloud_settle(c);
		assert_false(str_is(cloud_host_of(c, one), from));
		assert_int_equal(cloud_guest(c, one).boots, 1);
		assert_true(sim_compute_disk_has(cloud_host_of(c, one), volume, n ? "there" : "here"));
		assert_int_equal(count_files(), 1);
	}
	struct volume_moving out = {
		.volume = cloud_ref(c, KIND_VOLUME, volume)}; /* into its host's directory */
	cloud_ok(c, NULL, engine_move_volume, &out);
	cloud_settle(c);
	assert_true(uuid_is_none(cloud_disk(c, volume).pool));
	assert_true(sim_compute_disk_has(cloud_host_of(c, one), volume, "there"));
	assert_int_equal(count_files(), 1);
}
TEST_STORY(moves_running, 2)

/* ---- refusals ---- */

static void refuses(struct cloud *c)
{
	uuid pool = add_settled(c);
	struct str monitors[] = {STR("sim:3300")}, bad[] = {STR("<x>")};
	struct storage_pool_wish wish = {.name = STR("other"),
					 .kind = STORAGE_POOL_KIND_RBD,
					 .monitors = {monitors, 1},
					 .rbd_pool = CLUSTER,
					 .rbd_user = STR("dari"),
					 .rbd_key = STR("sealed")};
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_EXISTS);
	wish.rbd_pool = STR("a'b");
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.rbd_pool = STR("b");
	wish.rbd_user = STR("");
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.rbd_user = STR("dari");
	wish.monitors.at = bad;
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.monitors = (struct strs){monitors, 0};
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.monitors.count = 1;
	wish.path = STR("/srv/x");
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	wish.path = STR_NONE;
	wish.rbd_key = STR_NONE;
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_MISSING);
	wish.rbd_key = STR("sealed");
	wish.kind = STORAGE_POOL_KIND_SHARED_DIR;
	assert_int_equal(cloud_call(c, NULL, engine_add_storage_pool_run, &wish).code, ERR_INVALID);
	uuid one = cloud_launch_running(c);
	struct volume_wish more = {
		.zone = cloud_ref(c, KIND_ZONE, cloud_disk(c, cloud_volume_of(c, one)).zone),
		.disk = {.size = CLOUD_GIB, .field = STR("Size")}};
	lose_cluster(true);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	assert_int_equal(state_of(c, pool), STORAGE_POOL_SEEN_STATE_DOWN);
	assert_true(cloud_has_condition(c, pool, "PoolAway"));
	assert_int_equal(cloud_call(c, &c->alice, engine_create_volume_run, &more).code, ERR_CAPACITY);
	lose_cluster(false);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_false(cloud_has_condition(c, pool, "PoolAway"));
}
TEST_STORY(refuses, 2)

/* While the pool cannot create disks, EC2's API refuses launches, and instances that Nova's API accepted are
 * placed later. */
static void place_later(struct cloud *c, void (*close)(struct cloud *c, bool is_closed))
{
	uuid pool = add_settled(c);
	close(c, true);
	struct instance_launch wish = cloud_launch_wish(c, 2);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &wish).code, ERR_CAPACITY);
	wish.accept_unplaced = true;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0], other = wish.made.at[1];
	cloud_step_for(c, 2 * MINUTE);
	assert_true(cloud_has_condition(c, id, "NoHost") && cloud_has_condition(c, other, "NoHost"));
	assert_true(uuid_is_none(cloud_disk(c, cloud_volume_of(c, id)).pool));
	cloud_terminate(c, other);
	close(c, false);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	assert_false(cloud_has_condition(c, id, "NoHost"));
	assert_true(uuid_equal(cloud_disk(c, cloud_volume_of(c, id)).pool, pool));
	assert_int_equal(count_files(), 1);
}

static void be_away(struct cloud *c, bool is_away)
{
	lose_cluster(is_away);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
}

static void be_closed(struct cloud *c, bool is_closed)
{
	struct storage_pool_settings settings = {.pool = {.kind = KIND_STORAGE_POOL, .text = STR("ceph")},
						 .enabled = is_closed ? CHOICE_NO : CHOICE_YES};
	cloud_ok(c, NULL, engine_update_storage_pool, &settings);
}

static void waits_for_cluster(struct cloud *c)
{
	place_later(c, be_away);
}
TEST_STORY(waits_for_cluster, 2)

static void waits_for_opening(struct cloud *c)
{
	place_later(c, be_closed);
}
TEST_STORY(waits_for_opening, 2)

/* A launch creates as many instances as the pool has room for; all disks of an instance count together. */
static void takes_as_many_as_fit(struct cloud *c)
{
	uuid pool = add_settled(c);
	struct disk_wish disks[2] = {{.device = STR("/dev/sdf")}, {.device = STR("/dev/sdg")}};
	struct instance_launch wish = cloud_launch_wish(c, 1);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		int64_t size = storage_pool_find(view.tables, pool)->seen_size;
		disks[0].size = disks[1].size = size / CLOUD_GIB * 2 / 3 * CLOUD_GIB;
	}
	wish.disks = disks;
	wish.disk_count = 2;
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &wish).code, ERR_CAPACITY);
	wish.disk_count = 1;
	wish.max_count = 2;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_int_equal(wish.made.count, 1);
	cloud_settle(c);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &wish).code, ERR_CAPACITY);
}
TEST_STORY(takes_as_many_as_fit, 2)

/* ---- blocked hosts ---- */

static struct fence last_fence(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct fence *f = engine_last_fence(view.tables, c->hosts[0]);
	return f ? *f : (struct fence){.stage = FENCE_STAGE_FAILED};
}

static bool is_confirmed(struct cloud *c, const void *unused)
{
	(void) unused;
	return last_fence(c).stage == FENCE_STAGE_CONFIRMED;
}

static bool is_over(struct cloud *c, const void *unused)
{
	(void) unused;
	struct fence f = last_fence(c);
	return f.ended_us && f.blocked.count == 0;
}

static uuid launch_on(struct cloud *c, struct str host)
{
	for (;;) {
		uuid id = cloud_launch_running(c);
		if (str_equal(cloud_host_of(c, id), host))
			return id;
	}
}

static void set_blocklist(struct cloud *c)
{
	struct str addresses[] = {STR("h0")};
	struct fence_device_wish wish = {
		.host = {.kind = KIND_HOST, .text = STR("h0")}, .addresses = {addresses, 1}, .after_s = 60};
	cloud_ok(c, NULL, engine_set_fence_device, &wish);
}

/* The host is cut off while the guest still runs there: its writes are refused from the moment at which it
 * may start elsewhere. */
static void is_kept_out(struct cloud *c)
{
	struct str h0 = STR("h0"), h1 = STR("h1");
	add_settled(c);
	uuid id = launch_on(c, h0), volume = cloud_volume_of(c, id);
	set_blocklist(c);
	sim_compute_write_disk(h0, volume, "before");
	sim_compute_cut_off(h0, true);
	assert_true(cloud_step_until(c, is_confirmed, NULL, 10 * MINUTE));
	assert_int_equal(last_fence(c).proof, FENCE_PROOF_BLOCKLIST);
	sim_compute_write_disk(h0, volume, "of the one that was cut off");
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(cloud_step_until(c, cloud_is_in_state, &(struct cloud_state){id, INSTANCE_RUNNING},
				     10 * MINUTE));
	cloud_step_for(c, MINUTE);
	assert_true(str_equal(cloud_host_of(c, id), h1));
	assert_true(sim_compute_disk_has(h1, volume, "before"));
	sim_compute_write_disk(h1, volume, "after");
	sim_compute_write_disk(h0, volume, "of the one that was cut off");
	assert_true(sim_compute_disk_has(h1, volume, "after"));
	if (c->seed % 2) {
		cloud_kill(c);
		cloud_restart(c);
	}
	cloud_step_for(c, MINUTE);
	sim_compute_cut_off(h0, false);
	assert_true(cloud_step_until(c, is_over, NULL, 10 * MINUTE));
	cloud_settle(c);
	assert_int_equal(sim_compute_count_doubles(), 0);
	assert_true(cloud_guest(c, id).is_on);
	assert_true(str_equal(cloud_host_of(c, id), h1));
	uuid back = launch_on(c, h0); /* it is let in again */
	sim_compute_write_disk(h0, cloud_volume_of(c, back), "of h0");
	assert_true(sim_compute_disk_has(h0, cloud_volume_of(c, back), "of h0"));
}
TEST_STORY(is_kept_out, 2)

/* An instance with a local disk waits, and keeps running. One in Ceph that was to wait starts elsewhere. */
static void leaves_the_others(struct cloud *c)
{
	struct str h0 = STR("h0");
	uuid local = launch_on(c, h0);
	add_settled(c);
	uuid there = launch_on(c, h0);
	struct instance_settings waits = {.instance = cloud_ref(c, KIND_INSTANCE, there),
					  .recovers = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_instance, &waits);
	set_blocklist(c);
	sim_compute_cut_off(h0, true);
	assert_true(cloud_step_until(c, is_confirmed, NULL, 10 * MINUTE));
	cloud_step_for(c, 2 * MINUTE);
	assert_true(str_equal(cloud_host_of(c, local), h0));
	assert_true(str_equal(cloud_host_of(c, there), h0));
	assert_true(cloud_has_condition(c, local, WAITS_FOR_HOST));
	assert_true(cloud_has_condition(c, there, WAITS_FOR_HOST));
	struct instance_evacuation wish = {.instance = cloud_ref(c, KIND_INSTANCE, local), .rebuilds = true};
	assert_int_equal(cloud_call(c, NULL, engine_evacuate_instance_run, &wish).code, ERR_STATE);
	assert_int_equal(cloud_guest(c, local).boots, 1);
	sim_compute_cut_off(h0, false);
	assert_true(cloud_step_until(c, is_over, NULL, 10 * MINUTE));
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, local).boots, 1);
	assert_int_equal(cloud_guest(c, there).boots, 2);
	assert_true(cloud_guest(c, there).is_on);
}
TEST_STORY(leaves_the_others, 2)

/* ---- the cluster goes away, or the process is killed, at each step ---- */

struct course {
	uuid one, volume, snapshot;
};

/* Made, attached, cut, and all that deleted again. */
static void begin(struct cloud *c, struct course *course)
{
	struct snapshot_wish cut = {0};
	course->one = cloud_launch_running(c);
	course->volume = make_volume(c, cloud_volume_of(c, course->one));
	cloud_settle(c);
	sim_compute_write_disk(cloud_host_of(c, course->one), course->volume, "what it wrote");
	attach(c, course->volume, course->one);
	cut.volume = cloud_ref(c, KIND_VOLUME, course->volume);
	cloud_ok(c, &c->alice, engine_create_snapshot, &cut);
	course->snapshot = cut.snapshot;
}

static void check_end(struct cloud *c, const struct course *course)
{
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		assert_int_equal(snapshot_find(view.tables, course->snapshot)->seen_stage,
				 SNAPSHOT_SEEN_STAGE_KEPT);
	}
	assert_true(uuid_equal(cloud_disk(c, course->volume).seen_instance, course->one));
	assert_true(sim_compute_disk_has(cloud_host_of(c, course->one), course->volume, "what it wrote"));
	assert_int_equal(count_files(), 2);
	cloud_terminate(c, course->one);
	cloud_settle(c);
	delete_volume(c, course->volume);
	cloud_settle(c);
	assert_int_equal(count_files(), 0);
}

static bool has_stepped(struct cloud *c, const void *steps)
{
	return c->steps >= *(const uint64_t *) steps;
}

static void test_lost(void **state)
{
	(void) state;
	for (uint64_t n = 1; n < 200; n += 1 + n / 8) {
		struct cloud *c = cloud_new(n, 2);
		struct course course;
		add_settled(c);
		begin(c, &course);
		uint64_t steps = c->steps + n;
		(void) cloud_step_until(c, has_stepped, &steps, MINUTE);
		lose_cluster(true);
		cloud_step_for(c, (int64_t) (n % 3) * CLOUD_HOST_INTERVAL_US + SECOND);
		lose_cluster(false);
		cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
		cloud_settle(c);
		check_end(c, &course);
		cloud_done(c);
	}
}

static void test_killed(void **state)
{
	(void) state;
	bool lived = false;
	for (uint64_t n = 1; !lived; n += 1 + n / 8) {
		struct cloud *c = cloud_new(n, 2);
		struct course course;
		add_settled(c);
		begin(c, &course);
		c->kill_at = c->steps + n;
		lived = cloud_lived_to_settle(c);
		c->kill_at = 0;
		if (!lived)
			cloud_restart(c);
		cloud_settle(c);
		check_end(c, &course);
		cloud_done(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_known),
		cmocka_unit_test(test_is_not_known),
		cmocka_unit_test(test_attaches_across),
		cmocka_unit_test(test_is_encrypted),
		cmocka_unit_test(test_outlives_hosts),
		cmocka_unit_test(test_moves_running),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_waits_for_cluster),
		cmocka_unit_test(test_waits_for_opening),
		cmocka_unit_test(test_takes_as_many_as_fit),
		cmocka_unit_test(test_is_kept_out),
		cmocka_unit_test(test_leaves_the_others),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_killed),
	};
	return cmocka_run_group_tests_name("pools of Ceph", tests, NULL, NULL);
}
