/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of instances: their parts, the operations that they prevent, and reverting. */
#include "cloud.h"
#include "engine/instance/instance_snapshot.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_snapshot.h"
#include "store/instance_type.h"
#include "store/snapshot.h"
#include "store/volume.h"

static void see_disks(struct cloud *c, uuid instance)
{
	const struct volume *v = volume_first_by_instance(cloud_tables(c), instance);
	for (; v; v = volume_next_by_instance(cloud_tables(c), v)) {
		struct volume_report report = {.volume = v->row.id,
					       .gen = v->row.gen,
					       .host = v->host,
					       .size = v->size,
					       .reverts = v->reverts};
		cloud_ok(c, NULL, engine_see_volume, &report);
		v = volume_find(cloud_tables(c), report.volume); /* the version of before is gone */
	}
}

/* Launches a running instance of alice's with two disks. */
static uuid launch(struct cloud *c)
{
	struct disk_wish data = {.device = STR("/dev/sdf"), .size = 4 * GIB, .field = STR("x")};
	struct instance_launch wish = cloud_launch(c, 1);
	wish.disks = &data;
	wish.disk_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	see_disks(c, wish.made.at[0]);
	cloud_see(c, wish.made.at[0], INSTANCE_SEEN_POWER_ON);
	return wish.made.at[0];
}

static void stop(struct cloud *c, uuid instance)
{
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish wish = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF);
	assert_int_equal(cloud_state(c, instance), INSTANCE_STOPPED);
}

static struct instance_snapshot_wish wish_of(struct cloud *c, uuid instance, const char *name)
{
	return (struct instance_snapshot_wish){.instance = ref_to(c, KIND_INSTANCE, instance),
					       .name = str_from(name)};
}

static size_t count_of(struct cloud *c, uuid set)
{
	size_t count = 0;
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(cloud_tables(c), set); s;
	     s = snapshot_next_by_instance_snapshot(cloud_tables(c), s))
		count++;
	return count;
}

static void see_kept(struct cloud *c, uuid set)
{
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(cloud_tables(c), set); s;
	     s = snapshot_next_by_instance_snapshot(cloud_tables(c), s)) {
		struct snapshot_report report = {.snapshot = s->row.id,
						 .gen = 1,
						 .stage = SNAPSHOT_SEEN_STAGE_KEPT,
						 .sha256 = STR("cafe"),
						 .file_size = GIB};
		cloud_ok(c, NULL, engine_see_snapshot, &report);
		s = snapshot_find(cloud_tables(c), report.snapshot);
	}
}

static uuid take(struct cloud *c, uuid instance, const char *name)
{
	struct instance_snapshot_wish wish = wish_of(c, instance, name);
	cloud_ok(c, &c->alice, engine_create_instance_snapshot, &wish);
	see_kept(c, wish.snapshot);
	return wish.snapshot;
}

static const struct instance_snapshot *find(struct cloud *c, uuid id)
{
	return instance_snapshot_find(cloud_tables(c), id);
}

static enum instance_snapshot_state state_of(struct cloud *c, uuid id)
{
	return engine_instance_snapshot_state(cloud_tables(c), find(c, id));
}

static struct instance_snapshot_target target_of(struct cloud *c, uuid id)
{
	return (struct instance_snapshot_target){.snapshot = ref_to(c, KIND_INSTANCE_SNAPSHOT, id)};
}

static void check_create(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c);
	struct instance_snapshot_wish wish = wish_of(c, instance, "one");
	cloud_fails(c, &c->bob, engine_create_instance_snapshot, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	wish.description = str_print(c->arena, "%256s", "long");
	cloud_fails(c, &c->alice, engine_create_instance_snapshot, &wish, ERR_INVALID,
		    KIND_INSTANCE_SNAPSHOT);
	wish.description = STR("short");
	cloud_ok(c, &c->alice, engine_create_instance_snapshot, &wish);
	assert_int_equal(count_of(c, wish.snapshot), 2);
	assert_int_equal(state_of(c, wish.snapshot), INSTANCE_SNAPSHOT_CREATING);
	struct instance_snapshot_wish second = wish_of(c, instance, "two");
	cloud_fails(c, &c->alice, engine_create_instance_snapshot, &second, ERR_CONFLICT,
		    KIND_INSTANCE_SNAPSHOT);
	see_kept(c, wish.snapshot);
	assert_int_equal(state_of(c, wish.snapshot), INSTANCE_SNAPSHOT_READY);
	cloud_fails(c, &c->alice, engine_create_instance_snapshot, &wish, ERR_EXISTS, KIND_INSTANCE_SNAPSHOT);
	cloud_ok(c, &c->alice, engine_create_instance_snapshot, &second);
	assert_true(find(c, second.snapshot)->is_current && !find(c, wish.snapshot)->is_current);
	assert_true(uuid_equal(find(c, second.snapshot)->parent, wish.snapshot));
	see_kept(c, second.snapshot);
	for (int k = 2; k < INSTANCE_SNAPSHOTS_MAX; k++)
		(void) take(c, instance, str_print(c->arena, "n%d", k).p);
	struct instance_snapshot_wish more = wish_of(c, instance, "more");
	cloud_fails(c, &c->alice, engine_create_instance_snapshot, &more, ERR_QUOTA, KIND_INSTANCE_SNAPSHOT);
}

/* A disk that could not be copied fails the whole; nothing returns to it. */
static void check_failed(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c);
	struct instance_snapshot_wish wish = wish_of(c, instance, "");
	cloud_ok(c, &c->alice, engine_create_instance_snapshot, &wish);
	assert_true(str_contains(find(c, wish.snapshot)->name, STR("_VS_")));
	uuid first = snapshot_first_by_instance_snapshot(cloud_tables(c), wish.snapshot)->row.id;
	struct snapshot_report report = {.snapshot = first, .gen = 1, .problem = STR("lost")};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
	assert_int_equal(state_of(c, wish.snapshot), INSTANCE_SNAPSHOT_ERROR);
	see_kept(c, wish.snapshot);
	stop(c, instance);
	struct instance_snapshot_target target = target_of(c, wish.snapshot);
	cloud_fails(c, &c->alice, engine_revert_instance, &target, ERR_STATE, KIND_INSTANCE_SNAPSHOT);
	cloud_ok(c, &c->alice, engine_delete_instance_snapshot, &target);
	assert_null(find(c, wish.snapshot));
}

/* As long as the instance has a snapshot its set of disks cannot change. */
static void check_what_stays(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), set = take(c, instance, "one");
	const struct snapshot *s = snapshot_first_by_instance_snapshot(cloud_tables(c), set);
	struct snapshot_target snapshot = {.snapshot = ref_to(c, KIND_SNAPSHOT, s->row.id), .force = true};
	cloud_fails(c, &c->alice, engine_delete_snapshot, &snapshot, ERR_IN_USE, KIND_SNAPSHOT);
	stop(c, instance);
	uuid root = cloud_volume(c, instance)->row.id;
	struct volume_detaching detach = {.volume = ref_to(c, KIND_VOLUME, root)};
	cloud_fails(c, &c->alice, engine_detach_volume, &detach, ERR_STATE, KIND_INSTANCE);
	struct volume_modifying grow = {.volume = detach.volume, .size = 400 * GIB};
	cloud_fails(c, &c->alice, engine_modify_volume, &grow, ERR_STATE, KIND_INSTANCE);
	struct instance_rebuilding rebuild = {.instance = ref_to(c, KIND_INSTANCE, instance),
					      .image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_fails(c, &c->alice, engine_rebuild_instance, &rebuild, ERR_STATE, KIND_INSTANCE);
	struct volume_wish wish = {.zone = ref_to(c, KIND_ZONE, cloud_instance(c, instance)->zone),
				   .disk = {.size = GIB, .type = STR("gp3"), .field = STR("x")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	const struct volume *v = volume_find(cloud_tables(c), wish.volume);
	struct volume_report seen = {.volume = wish.volume, .gen = 1, .host = v->host, .size = GIB};
	cloud_ok(c, NULL, engine_see_volume, &seen);
	struct volume_attaching attach = {.volume = ref_to(c, KIND_VOLUME, wish.volume),
					  .instance = rebuild.instance};
	cloud_fails(c, &c->alice, engine_attach_volume, &attach, ERR_STATE, KIND_INSTANCE);
	struct instance_snapshot_target target = target_of(c, set);
	cloud_fails(c, &c->bob, engine_delete_instance_snapshot, &target, ERR_NOT_FOUND,
		    KIND_INSTANCE_SNAPSHOT);
	cloud_ok(c, &c->alice, engine_delete_instance_snapshot, &target);
	cloud_ok(c, &c->alice, engine_attach_volume, &attach);
}

/* All of its disks, and its type; or nothing. */
static void check_revert(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), set = take(c, instance, "one"), type = cloud_instance(c, instance)->type;
	struct instance_snapshot_target target = target_of(c, set);
	cloud_fails(c, &c->alice, engine_revert_instance, &target, ERR_STATE, KIND_INSTANCE_SNAPSHOT);
	stop(c, instance);
	struct instance_settings other = {.instance = ref_to(c, KIND_INSTANCE, instance),
					  .type = ref_named(KIND_INSTANCE_TYPE, "t3.small")};
	cloud_ok(c, &c->alice, engine_update_instance, &other);
	assert_false(uuid_equal(cloud_instance(c, instance)->type, type));
	/* with a snapshot of the second disk pending, the first disk cannot be reverted alone */
	const struct volume *root = cloud_volume(c, instance);
	const struct volume *v = volume_first_by_instance(cloud_tables(c), instance);
	while (uuid_equal(v->row.id, root->row.id))
		v = volume_next_by_instance(cloud_tables(c), v);
	struct snapshot_wish busy = {.volume = ref_to(c, KIND_VOLUME, v->row.id)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &busy);
	cloud_fails(c, &c->alice, engine_revert_instance, &target, ERR_STATE, KIND_VOLUME);
	assert_int_equal(cloud_volume(c, instance)->reverts, 0);
	struct snapshot_target done = {.snapshot = ref_to(c, KIND_SNAPSHOT, busy.snapshot)};
	cloud_ok(c, &c->alice, engine_delete_snapshot, &done);
	cloud_ok(c, &c->alice, engine_revert_instance, &target);
	assert_int_equal(state_of(c, set), INSTANCE_SNAPSHOT_REVERTING);
	assert_true(uuid_equal(cloud_instance(c, instance)->type, type));
	cloud_fails(c, &c->alice, engine_revert_instance, &target, ERR_STATE, KIND_INSTANCE_SNAPSHOT);
	cloud_fails(c, &c->alice, engine_delete_instance_snapshot, &target, ERR_STATE,
		    KIND_INSTANCE_SNAPSHOT);
	struct instance_snapshot_wish second = wish_of(c, instance, "two");
	cloud_fails(c, &c->alice, engine_create_instance_snapshot, &second, ERR_CONFLICT,
		    KIND_INSTANCE_SNAPSHOT);
	see_disks(c, instance);
	assert_int_equal(state_of(c, set), INSTANCE_SNAPSHOT_READY);
}

/* The tree of snapshots: their parents, and the current one. */
static void check_tree(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), one = take(c, instance, "one"), two = take(c, instance, "two"),
	     three = take(c, instance, "three");
	struct instance_snapshot_target target = target_of(c, two);
	cloud_ok(c, &c->alice, engine_delete_instance_snapshot, &target);
	assert_true(uuid_equal(find(c, three)->parent, one) && find(c, three)->is_current);
	target = target_of(c, three);
	cloud_ok(c, &c->alice, engine_delete_instance_snapshot, &target);
	assert_true(find(c, one)->is_current);
	target = target_of(c, one);
	cloud_ok(c, &c->alice, engine_delete_instance_snapshot, &target);
	assert_true(uuid_is_none(find(c, take(c, instance, "four"))->parent));
}

/* Snapshots are deleted with the instance, except for files that an image is based on. */
static void check_terminate(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), set = take(c, instance, "one");
	uuid first = snapshot_first_by_instance_snapshot(cloud_tables(c), set)->row.id;
	uuid last = first;
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(cloud_tables(c), set); s;
	     s = snapshot_next_by_instance_snapshot(cloud_tables(c), s))
		last = s->row.id;
	struct disk_wish root = {
		.device = STR("/dev/xvda"), .snapshot = ref_to(c, KIND_SNAPSHOT, first), .field = STR("x")};
	struct image_wish image = {
		.name = STR("of it"), .root_device = STR("/dev/xvda"), .disks = &root, .disk_count = 1};
	cloud_ok(c, &c->alice, engine_register_image, &image);
	struct instance_snapshot_target target = target_of(c, set);
	cloud_fails(c, &c->alice, engine_delete_instance_snapshot, &target, ERR_IN_USE, KIND_SNAPSHOT);
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish wish = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &wish);
	assert_null(find(c, set));
	assert_true(row_is_live(&snapshot_find(cloud_tables(c), first)->row));
	assert_false(row_is_live(&snapshot_find(cloud_tables(c), last)->row));
	cloud_check(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_create, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_failed, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_what_stays, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revert, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_tree, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_terminate, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
