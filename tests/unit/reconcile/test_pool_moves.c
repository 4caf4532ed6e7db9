/* SPDX-License-Identifier: Apache-2.0
 * Moves of volumes to another storage pool, detached or in a running guest, and depending on the seed to and
 * from Ceph. In spite of kills at any step, either the old or the new file is valid, no written data is lost,
 * and one file remains. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume_move.h"
#include "model/host.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/store.h"
#include "store/volume.h"
#include "store/zone.h"

enum { SEEDS = 12 };
#define ONE STR("/srv/one")
#define TWO STR("/srv/two")

/* ---- requests ---- */

static uuid add_pool(struct cloud *c, struct str name, struct str path)
{
	struct str monitors[] = {STR("sim:3300")};
	struct storage_pool_wish wish = {.name = name, .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = path};
	if (str_equal(path, ONE) ? c->seed % 2 : c->seed % 4 < 2)
		wish = (struct storage_pool_wish){.name = name,
						  .kind = STORAGE_POOL_KIND_RBD,
						  .monitors = {monitors, 1},
						  .rbd_pool = name,
						  .rbd_user = STR("dari"),
						  .rbd_key = cloud_seal(c, name, STR("AQBKey=="))};
	cloud_ok(c, NULL, engine_add_storage_pool, &wish);
	cloud_settle(c);
	return wish.pool;
}

/* pool none: to its host's own directory. */
static RESULT move(struct cloud *c, uuid volume, uuid pool)
{
	struct volume_moving wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	if (!uuid_is_none(pool))
		wish.pool = cloud_ref(c, KIND_STORAGE_POOL, pool);
	return cloud_call(c, NULL, engine_move_volume_run, &wish);
}

#define MOVE(c, volume, pool) cloud_expect_at((c), move((c), (volume), (pool)), __FILE__, __LINE__)

static RESULT make_volume(struct cloud *c, bool is_encrypted, uuid *ret_volume)
{
	struct volume_wish wish = {.disk = {.size = CLOUD_GIB,
					    .field = STR("Size"),
					    .crypt.is_wanted = is_encrypted ? CHOICE_YES : CHOICE_DEFAULT},
				   .client_token = STR("it")};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	TRY(cloud_call(c, &c->alice, engine_create_volume_run, &wish));
	*ret_volume = wish.volume;
	return OK;
}

static void attach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_attaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
					.instance = cloud_ref(c, KIND_INSTANCE, instance),
					.device = STR("/dev/sdf")};
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	cloud_settle(c);
}

/* ---- looking ---- */

static struct volume volume_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, id);
	return v ? *v : (struct volume){0};
}

static struct str name_of(struct cloud *c, uuid host)
{
	return uuid_equal(host, c->hosts[0]) ? STR("h0") : STR("h1");
}

static bool has_text(struct cloud *c, uuid volume, const char *text)
{
	return sim_compute_disk_has(name_of(c, volume_row(c, volume).seen_host), volume, text);
}

static void write_text(struct cloud *c, uuid volume, const char *text)
{
	sim_compute_write_disk(name_of(c, volume_row(c, volume).seen_host), volume, text);
}

static int64_t count_files(void)
{
	struct sim_counts n;
	sim_compute_count(&n);
	return n.disks;
}

/* files: in the whole region. */
static void check_in(struct cloud *c, uuid volume, uuid pool, const char *text, int64_t files)
{
	struct volume v = volume_row(c, volume);
	assert_true(uuid_equal(v.pool, pool) && !v.moves && !v.is_next_blank);
	assert_true(uuid_is_none(v.left_host) && uuid_is_none(v.left_pool) && uuid_is_none(v.next_pool));
	assert_int_equal(v.reservation, VOLUME_RESERVATION_NONE);
	assert_true(has_text(c, volume, text));
	assert_int_equal(count_files(), files);
}

/* ---- free ---- */

static void goes_free(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), two = add_pool(c, STR("two"), TWO), volume;
	const uuid path[] = {one, two, UUID_NONE, two, UUID_NONE};
	char text[32] = "at first";
	assert_true(result_is_ok(make_volume(c, c->seed % 2, &volume)));
	cloud_settle(c);
	write_text(c, volume, text);
	assert_int_equal(move(c, volume, UUID_NONE).code, ERR_INVALID);
	for (size_t k = 0; k < sizeof path / sizeof *path; k++) {
		MOVE(c, volume, path[k]);
		assert_int_equal(move(c, volume, path[k]).code, ERR_STATE);
		cloud_settle(c);
		check_in(c, volume, path[k], text, 1);
		assert_int_equal(volume_row(c, volume).last_move, VOLUME_LAST_MOVE_SUCCESS);
		(void) snprintf(text, sizeof text, "after %zu", k);
		write_text(c, volume, text);
	}
}
TEST_STORY(goes_free, 2)

/* ---- in a guest ---- */

/* Moves the root disk of a running instance, which is based on its image. */
static void goes_running(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), two = add_pool(c, STR("two"), TWO);
	uuid instance = cloud_launch_running(c), volume = cloud_volume_of(c, instance);
	const uuid path[] = {one, two, UUID_NONE, two};
	char text[32] = "at first";
	cloud_settle(c);
	write_text(c, volume, text);
	for (size_t k = 0; k < sizeof path / sizeof *path; k++) {
		MOVE(c, volume, path[k]);
		cloud_settle(c);
		check_in(c, volume, path[k], text, 1);
		assert_int_equal(cloud_guest(c, instance).boots, 1);
		(void) snprintf(text, sizeof text, "after %zu", k);
		write_text(c, volume, text);
	}
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance)};
	cloud_ok(c, NULL, engine_migrate_instance, &wish); /* without a copy now */
	cloud_settle(c);
	check_in(c, volume, two, text, 1);
	cloud_stop(c, instance);
	cloud_settle(c);
	cloud_start(c, instance);
	cloud_settle(c);
	check_in(c, volume, two, text, 1);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
}
TEST_STORY(goes_running, 2)

/* Moves a disk of a stopped instance, which is started meanwhile. */
static void goes_stopped(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), instance = cloud_launch_running(c);
	uuid volume = cloud_volume_of(c, instance);
	cloud_settle(c);
	write_text(c, volume, "at first");
	cloud_stop(c, instance);
	cloud_settle(c);
	MOVE(c, volume, one);
	cloud_step_for(c, (int64_t) (c->seed % 4) * SECOND);
	cloud_start(c, instance);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	check_in(c, volume, one, "at first", 1);
	cloud_stop(c, instance);
	cloud_settle(c);
	MOVE(c, volume, UUID_NONE);
	cloud_settle(c);
	check_in(c, volume, UUID_NONE, "at first", 1);
	cloud_start(c, instance);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	check_in(c, volume, UUID_NONE, "at first", 1);
}
TEST_STORY(goes_stopped, 2)

/* The instance stops while its disk is copied, and is started again or terminated. */
static void goes_off_in_the_midst(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), instance = cloud_launch_running(c);
	uuid volume = cloud_volume_of(c, instance);
	cloud_settle(c);
	write_text(c, volume, "at first");
	sim_compute_set_copies(cloud_host_of(c, instance), true, false);
	MOVE(c, volume, one);
	cloud_step_for(c, 10 * SECOND);
	assert_true(volume_row(c, volume).is_next_blank);
	cloud_stop(c, instance);
	cloud_await(c, instance, INSTANCE_STOPPED);
	cloud_settle(c);
	check_in(c, volume, one, "at first", 1);
	sim_compute_set_copies(cloud_host_of(c, instance), false, false);
	cloud_start(c, instance);
	cloud_settle(c);
	MOVE(c, volume, UUID_NONE);
	cloud_step_for(c, (int64_t) (c->seed % 3) * SECOND);
	cloud_terminate(c, instance);
	cloud_settle(c);
	assert_int_equal(count_files(), 0);
}
TEST_STORY(goes_off_in_the_midst, 2)

/* The host cannot copy: the disk stays in its pool, and a problem is reported. */
static void stays(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), instance = cloud_launch_running(c);
	uuid volume = cloud_volume_of(c, instance);
	cloud_settle(c);
	write_text(c, volume, "at first");
	sim_compute_set_copies(cloud_host_of(c, instance), false, true);
	MOVE(c, volume, one);
	cloud_settle(c);
	check_in(c, volume, UUID_NONE, "at first", 1);
	assert_int_equal(volume_row(c, volume).last_move, VOLUME_LAST_MOVE_ERROR);
	sim_compute_set_copies(cloud_host_of(c, instance), false, false);
	MOVE(c, volume, one);
	cloud_settle(c);
	check_in(c, volume, one, "at first", 1);
}
TEST_STORY(stays, 2)

/* ---- by its type ---- */

static void goes_by_type(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), instance = cloud_launch_running(c);
	uuid volume = cloud_volume_of(c, instance);
	struct str types[] = {STR("gp2")};
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, one),
					      .more_types = {types, 1}};
	struct volume_modifying wish = {
		.volume = cloud_ref(c, KIND_VOLUME, volume), .type = STR("gp2"), .stays_in_pool = true};
	cloud_settle(c);
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	write_text(c, volume, "at first");
	assert_int_equal(cloud_call(c, &c->alice, engine_modify_volume_run, &wish).code, ERR_UNSUPPORTED);
	wish.stays_in_pool = false;
	wish.size = 16 * CLOUD_GIB;
	assert_int_equal(cloud_call(c, &c->alice, engine_modify_volume_run, &wish).code, ERR_COMBINATION);
	wish.size = 0;
	sim_compute_set_copies(cloud_host_of(c, instance), false, true);
	cloud_ok(c, &c->alice, engine_modify_volume, &wish);
	assert_int_equal(volume_row(c, volume).reservation, VOLUME_RESERVATION_RETYPING);
	cloud_settle(c);
	check_in(c, volume, UUID_NONE, "at first", 1);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		assert_true(str_is(volume_find(view.tables, volume)->type, "gp3"));
	}
	sim_compute_set_copies(cloud_host_of(c, instance), false, false);
	cloud_ok(c, &c->alice, engine_modify_volume, &wish);
	cloud_settle(c);
	check_in(c, volume, one, "at first", 1);
	assert_true(volume_row(c, volume).modified_end_us > 0);
}
TEST_STORY(goes_by_type, 2)

/* A snapshot in one pool is restored into another. */
static void restores_elsewhere(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), volume, copy = UUID_NONE;
	struct str types[] = {STR("gp3")};
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, one),
					      .more_types = {types, 1}};
	assert_true(result_is_ok(make_volume(c, false, &volume)));
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	cloud_settle(c);
	write_text(c, volume, "at first");
	struct snapshot_wish cut = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &cut);
	assert_int_equal(move(c, volume, one).code, ERR_STATE); /* it is being copied for that */
	cloud_settle(c);
	const uuid pools[] = {one, UUID_NONE};
	for (size_t k = 0; k < 2; k++) {
		struct volume_wish wish = {.zone = cloud_ref(c, KIND_ZONE, volume_row(c, volume).zone),
					   .disk = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, cut.snapshot),
						    .type = k ? STR("gp2") : STR("gp3"),
						    .field = STR("Size")}};
		cloud_ok(c, &c->alice, engine_create_volume, &wish);
		copy = wish.volume;
		cloud_settle(c);
		assert_true(uuid_equal(volume_row(c, copy).pool, pools[k]));
		assert_true(has_text(c, copy, "at first"));
	}
	MOVE(c, copy, one); /* it stands on its snapshot's file there, too */
	cloud_settle(c);
	check_in(c, copy, one, "at first", 3);
}
TEST_STORY(restores_elsewhere, 2)

/* ---- killed at each step ---- */

static void tell_and_kill(uint64_t n, bool runs, bool back, bool *ret_lived)
{
	struct cloud *c = cloud_new(n, 2);
	uuid one = add_pool(c, STR("one"), ONE), volume = UUID_NONE, to = back ? UUID_NONE : one;
	uuid instance = runs ? cloud_launch_running(c) : UUID_NONE;
	if (runs)
		volume = cloud_volume_of(c, instance);
	else
		assert_true(result_is_ok(make_volume(c, false, &volume)));
	cloud_settle(c);
	if (back)
		MOVE(c, volume, one);
	cloud_settle(c);
	write_text(c, volume, "at first");
	c->kill_at = c->steps + n;
	bool asked = cloud_was_answered(c, move(c, volume, to));
	*ret_lived = asked && cloud_lived_to_settle(c);
	c->kill_at = 0;
	if (!*ret_lived)
		cloud_restart(c);
	cloud_settle(c);
	uuid pool = volume_row(c, volume).pool;
	assert_true(uuid_equal(pool, to) || !asked);
	check_in(c, volume, pool, "at first", 1);
	assert_int_equal(cloud_guest(c, instance).boots, runs);
	cloud_done(c);
}

static void test_killed(void **state)
{
	(void) state;
	for (int how = 0; how < 4; how++) {
		bool lived = false;
		for (uint64_t n = 1; !lived; n += 1 + n / 8)
			tell_and_kill(n, how & 1, how & 2, &lived);
	}
}

/* An unrelated volume, attached to a running guest, goes where its instance is not hindered by it. */
static void goes_attached(struct cloud *c)
{
	uuid one = add_pool(c, STR("one"), ONE), instance = cloud_launch_running(c), volume;
	assert_true(result_is_ok(make_volume(c, c->seed % 2, &volume)));
	cloud_settle(c);
	attach(c, volume, instance);
	write_text(c, volume, "at first");
	MOVE(c, volume, one);
	struct volume_detaching off = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	struct volume_target gone = {.volume = cloud_ref(c, KIND_VOLUME, volume), .force = true};
	struct snapshot_wish cut = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	assert_int_equal(cloud_call(c, &c->alice, engine_detach_volume_run, &off).code, ERR_STATE);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_snapshot_run, &cut).code, ERR_STATE);
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_volume_run, &gone).code, ERR_IN_USE);
	cloud_settle(c);
	check_in(c, volume, one, "at first", 2);
	cloud_ok(c, &c->alice, engine_detach_volume, &off);
	cloud_settle(c);
	check_in(c, volume, one, "at first", 2);
	MOVE(c, volume, UUID_NONE);
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_volume_run, &gone).code, ERR_STATE);
	cloud_settle(c);
	cloud_ok(c, &c->alice, engine_delete_volume, &gone);
	cloud_settle(c);
	assert_int_equal(count_files(), 1);
}
TEST_STORY(goes_attached, 2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_free),
		cmocka_unit_test(test_goes_running),
		cmocka_unit_test(test_goes_stopped),
		cmocka_unit_test(test_goes_attached),
		cmocka_unit_test(test_goes_off_in_the_midst),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_goes_by_type),
		cmocka_unit_test(test_restores_elsewhere),
		cmocka_unit_test(test_killed),
	};
	return cmocka_run_group_tests_name("moves between storage pools", tests, NULL, NULL);
}
