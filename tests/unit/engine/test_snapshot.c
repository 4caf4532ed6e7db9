/* SPDX-License-Identifier: Apache-2.0
 * Snapshots and images made from them: stored files, dependencies, and the instance's power while its disks
 * are cut. */
#include "cloud.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/account.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/volume.h"

static const struct snapshot *find_snapshot(const struct cloud *c, uuid id)
{
	return snapshot_find(cloud_tables(c), id);
}

static enum snapshot_state state_of(const struct cloud *c, uuid id)
{
	return model_derive_snapshot_state(find_snapshot(c, id));
}

static enum image_state image_state_of(const struct cloud *c, uuid id)
{
	return engine_derive_image_state(cloud_tables(c), image_find(cloud_tables(c), id));
}

/* An instance of alice's that runs, with its disks on its host. */
static uuid launch(struct cloud *c)
{
	struct disk_wish data = {.device = STR("/dev/sdf"), .size = 4 * GIB, .field = STR("x")};
	struct instance_launch wish = cloud_launch(c, 1);
	wish.disks = &data;
	wish.disk_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid instance = wish.made.at[0];
	const struct volume *v = volume_first_by_instance(cloud_tables(c), instance);
	for (; v; v = volume_next_by_instance(cloud_tables(c), v)) {
		struct volume_report report = {
			.volume = v->row.id, .gen = v->row.gen, .host = v->host, .size = v->size};
		cloud_ok(c, NULL, engine_see_volume, &report);
		v = volume_find(cloud_tables(c), report.volume); /* the version of before is gone */
	}
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	return instance;
}

static struct snapshot_wish wish_of(struct cloud *c, uuid volume)
{
	return (struct snapshot_wish){.volume = ref_to(c, KIND_VOLUME, volume), .description = STR("words")};
}

static uuid create(struct cloud *c, uuid volume)
{
	struct snapshot_wish wish = wish_of(c, volume);
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	return wish.snapshot;
}

static void see(struct cloud *c, uuid snapshot, enum snapshot_seen_stage stage, int64_t progress)
{
	struct snapshot_report report = {.snapshot = snapshot,
					 .gen = find_snapshot(c, snapshot)->row.gen,
					 .stage = stage,
					 .progress = progress,
					 .sha256 = STR("cafe"),
					 .file_size = GIB / 8};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
}

static void see_failure(struct cloud *c, uuid snapshot)
{
	struct snapshot_report report = {
		.snapshot = snapshot, .gen = 1, .problem = STR("the host has no such disk")};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
}

/* The stages: cut, then kept, never backwards. The volume cannot be deleted meanwhile. */
static void check_life(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), root = cloud_volume(c, instance)->row.id;
	struct snapshot_wish unseen = wish_of(c, cloud_volume(c, cloud_launch_one(c))->row.id);
	cloud_fails(c, &c->alice, engine_create_snapshot, &unseen, ERR_STATE, KIND_VOLUME);
	struct snapshot_wish wish = wish_of(c, root);
	cloud_fails(c, &c->bob, engine_create_snapshot, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	uuid id = create(c, root);
	const struct snapshot *s = find_snapshot(c, id);
	assert_true(uuid_equal(s->volume, root) && uuid_equal(s->instance, instance) && !s->needs_off);
	assert_true(uuid_equal(s->host, cloud_volume(c, instance)->seen_host) && s->volume_size == 2 * GIB);
	assert_true(engine_volume_is_being_copied(cloud_tables(c), root));
	assert_int_equal(state_of(c, id), SNAPSHOT_PENDING);
	see(c, id, SNAPSHOT_SEEN_STAGE_CUT, 0);
	see(c, id, SNAPSHOT_SEEN_STAGE_CUT, 40);
	see(c, id, SNAPSHOT_SEEN_STAGE_NONE, 10); /* late news */
	s = find_snapshot(c, id);
	assert_true(s->seen_stage == SNAPSHOT_SEEN_STAGE_CUT && s->progress == 40 && s->sha256.n == 0);
	see(c, id, SNAPSHOT_SEEN_STAGE_KEPT, 100);
	assert_int_equal(state_of(c, id), SNAPSHOT_COMPLETED);
	assert_true(str_is(find_snapshot(c, id)->sha256, "cafe"));
	assert_int_equal(cloud_usage(c, id, "snapshot"), GIB / 8);
	assert_false(engine_volume_is_being_copied(cloud_tables(c), root));
	see_failure(c, id); /* it does not any more */
	assert_int_equal(state_of(c, id), SNAPSHOT_COMPLETED);
	struct snapshot_target target = {.snapshot = ref_to(c, KIND_SNAPSHOT, id)};
	cloud_ok(c, &c->alice, engine_delete_snapshot, &target);
	assert_int_equal(cloud_usage(c, id, "snapshot"), 0);
	assert_int_equal(account_usage(account_find(cloud_tables(c), c->alice.account))->snapshots, 0);
	struct snapshot_forget forget = {.snapshot = id};
	struct snapshot_leaving leaving = {.snapshot = id};
	cloud_fails(c, NULL, engine_forget_snapshot, &forget, ERR_STATE, KIND_SNAPSHOT);
	cloud_ok(c, NULL, engine_leave_snapshot_host, &leaving);
	cloud_ok(c, NULL, engine_forget_snapshot, &forget);
	assert_null(find_snapshot(c, id));
}

/* An increment's base must exist when the increment is cut, and is recorded until the increment is kept. */
static void check_increment(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), root = cloud_volume(c, instance)->row.id;
	uuid one = create(c, root), two = create(c, root);
	struct snapshot_report cut = {
		.snapshot = one, .gen = 1, .stage = SNAPSHOT_SEEN_STAGE_CUT, .is_tracked = true};
	cloud_ok(c, NULL, engine_see_snapshot, &cut);
	assert_true(uuid_equal(volume_find(cloud_tables(c), root)->tracked_from, one));
	cut.snapshot = two;
	cut.over = STR("cafe");
	cloud_fails(c, NULL, engine_see_snapshot, &cut, ERR_AGAIN, KIND_SNAPSHOT);
	assert_int_equal(find_snapshot(c, two)->seen_stage, SNAPSHOT_SEEN_STAGE_NONE);
	see(c, one, SNAPSHOT_SEEN_STAGE_KEPT, 100);
	cloud_ok(c, NULL, engine_see_snapshot, &cut);
	assert_true(uuid_equal(volume_find(cloud_tables(c), root)->tracked_from, two));
	see(c, two, SNAPSHOT_SEEN_STAGE_CUT, 60); /* news of it later do not say it again */
	assert_true(str_is(find_snapshot(c, two)->over, "cafe"));
	see(c, two, SNAPSHOT_SEEN_STAGE_KEPT, 100);
	assert_int_equal(find_snapshot(c, two)->over.n, 0);
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), root = cloud_volume(c, instance)->row.id, last = UUID_NONE;
	for (int n = 0; n < SNAPSHOTS_PENDING_MAX; n++)
		last = create(c, root);
	struct snapshot_wish wish = wish_of(c, root);
	cloud_fails(c, &c->alice, engine_create_snapshot, &wish, ERR_QUOTA, KIND_SNAPSHOT);
	see_failure(c, last); /* one that failed is not on its way */
	assert_int_equal(state_of(c, last), SNAPSHOT_ERROR);
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.snapshots = SNAPSHOTS_PENDING_MAX + 1;
	limits.images = 0;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	wish = wish_of(c, volume_find_by_instance(cloud_tables(c), instance, 1)->row.id);
	cloud_fails(c, &c->alice, engine_create_snapshot, &wish, ERR_QUOTA, KIND_SNAPSHOT);
	struct image_copying copy = {.source = ref_to(c, KIND_IMAGE, c->image), .name = STR("mine")};
	cloud_fails(c, &c->alice, engine_copy_image, &copy, ERR_QUOTA, KIND_SNAPSHOT);
}

static void check_of_instance(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c);
	struct ref data =
		ref_to(c, KIND_VOLUME, volume_find_by_instance(cloud_tables(c), instance, 1)->row.id);
	struct instance_snapshots wish = {.instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_ok(c, &c->alice, engine_create_snapshots, &wish);
	assert_int_equal(wish.made.count, 2);
	wish.without = (struct refs){&data, 1};
	cloud_ok(c, &c->alice, engine_create_snapshots, &wish);
	assert_int_equal(wish.made.count, 1);
	assert_true(uuid_equal(find_snapshot(c, wish.made.at[0])->volume, cloud_volume(c, instance)->row.id));
	wish.without_root = true;
	cloud_fails(c, &c->alice, engine_create_snapshots, &wish, ERR_STATE, KIND_VOLUME);
}

/* The end of an instance does not end what is being kept of its disks. */
static void check_volume_goes(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), root = cloud_volume(c, instance)->row.id, id = create(c, root);
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish end = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
	assert_false(row_is_live(&volume_find(cloud_tables(c), root)->row));
	assert_true(engine_volume_is_being_copied(cloud_tables(c), root));
	see(c, id, SNAPSHOT_SEEN_STAGE_KEPT, 100);
	assert_int_equal(state_of(c, id), SNAPSHOT_COMPLETED);
}

static uuid capture(struct cloud *c, uuid instance, bool no_reboot)
{
	struct image_capture wish = {
		.instance = ref_to(c, KIND_INSTANCE, instance), .name = STR("mine"), .no_reboot = no_reboot};
	cloud_ok(c, &c->alice, engine_capture_image, &wish);
	return wish.image;
}

static enum instance_wanted_power power_of(const struct cloud *c, uuid instance)
{
	return engine_instance_power_wanted(cloud_tables(c), cloud_instance(c, instance));
}

/* Held off until the last disk is cut; that it goes off meanwhile is no doing of its own. */
static void check_reservation(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), image = capture(c, instance, false);
	uuid first = image_device_find_by_image(cloud_tables(c), image, 0)->snapshot;
	uuid second = image_device_find_by_image(cloud_tables(c), image, 1)->snapshot;
	assert_int_equal(image_state_of(c, image), IMAGE_PENDING);
	assert_int_equal(power_of(c, instance), INSTANCE_WANTED_POWER_OFF);
	cloud_see_off(c, instance, INSTANCE_OFF_GUEST);
	assert_null(cloud_condition(c, instance, INSTANCE_RESTARTED));
	assert_int_equal(cloud_instance(c, instance)->wanted_power, INSTANCE_WANTED_POWER_ON);
	assert_non_null(cloud_address(c, instance)); /* it is to be back */
	see(c, first, SNAPSHOT_SEEN_STAGE_CUT, 0);
	assert_int_equal(power_of(c, instance), INSTANCE_WANTED_POWER_OFF);
	see(c, second, SNAPSHOT_SEEN_STAGE_CUT, 0);
	assert_int_equal(power_of(c, instance), INSTANCE_WANTED_POWER_ON);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	see(c, first, SNAPSHOT_SEEN_STAGE_KEPT, 100);
	assert_int_equal(image_state_of(c, image), IMAGE_PENDING);
	see(c, second, SNAPSHOT_SEEN_STAGE_KEPT, 100);
	assert_int_equal(image_state_of(c, image), IMAGE_AVAILABLE);
	struct instance_launch wish = cloud_launch(c, 1);
	wish.image = ref_to(c, KIND_IMAGE, image);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct volume *data = volume_find_by_instance(cloud_tables(c), wish.made.at[0], 1);
	assert_true(uuid_equal(data->snapshot, second) && data->size == 4 * GIB &&
		    str_is(data->device, "/dev/sdf"));
}

/* A failed or cancelled image no longer keeps the instance off. */
static void check_reservation_ends(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), image = capture(c, instance, false);
	uuid first = image_device_find_by_image(cloud_tables(c), image, 0)->snapshot;
	uuid second = image_device_find_by_image(cloud_tables(c), image, 1)->snapshot;
	see_failure(c, first);
	assert_int_equal(image_state_of(c, image), IMAGE_FAILED);
	assert_int_equal(power_of(c, instance), INSTANCE_WANTED_POWER_OFF);
	struct image_target target = {.image = ref_to(c, KIND_IMAGE, image)};
	cloud_ok(c, &c->alice, engine_delete_image, &target);
	struct snapshot_target snapshot = {.snapshot = ref_to(c, KIND_SNAPSHOT, second)};
	cloud_ok(c, &c->alice, engine_delete_snapshot, &snapshot);
	assert_int_equal(power_of(c, instance), INSTANCE_WANTED_POWER_ON);
	/* The guest shut down on the reservation's behalf, so it is started again. */
	cloud_see_off(c, instance, INSTANCE_OFF_GUEST);
	assert_int_equal(cloud_instance(c, instance)->wanted_power, INSTANCE_WANTED_POWER_ON);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	image = capture(c, instance, true);
	assert_int_equal(power_of(c, instance), INSTANCE_WANTED_POWER_ON);
	assert_int_equal(image_state_of(c, image), IMAGE_PENDING);
}

static void check_register(void **state)
{
	struct cloud *c = *state;
	struct disk_wish disks[] = {
		{.device = STR("/dev/sdf"), .size = 4 * GIB, .field = STR("x")},
		{.device = STR("/dev/sda1"), .snapshot = ref_to(c, KIND_SNAPSHOT, c->snapshot)}};
	struct image_wish wish = {.name = STR("two"), .disks = disks, .disk_count = 2};
	cloud_fails(c, &c->alice, engine_register_image, &wish, ERR_INVALID, KIND_IMAGE); /* first is blank */
	wish.root_device = STR("/dev/sda1");
	cloud_ok(c, &c->alice, engine_register_image, &wish);
	const struct image_device *root = image_device_find_by_image(cloud_tables(c), wish.image, 0);
	assert_true(str_is(root->device, "/dev/sda1") && root->size == 2 * GIB);
	cloud_fails(c, &c->alice, engine_register_image, &wish, ERR_EXISTS, KIND_IMAGE);
	struct snapshot_target target = {.snapshot = ref_to(c, KIND_SNAPSHOT, c->snapshot)};
	cloud_fails(c, &c->alice, engine_delete_snapshot, &target, ERR_NOT_FOUND, KIND_SNAPSHOT);

	struct ref bob = {.kind = KIND_ACCOUNT, .text = c->bob.account_number, .field = STR("UserId")};
	struct image_settings share = {.image = ref_to(c, KIND_IMAGE, wish.image), .sharing.add = {&bob, 1}};
	struct instance_launch launched = cloud_launch(c, 1);
	launched.image = share.image;
	cloud_fails(c, &c->bob, engine_create_instances, &launched, ERR_NOT_FOUND, KIND_IMAGE);
	cloud_ok(c, &c->alice, engine_update_image, &share);
	cloud_ok(c, &c->alice, engine_update_image, &share); /* once is enough */
	assert_int_equal(image_find(cloud_tables(c), wish.image)->launchers.count, 1);
	cloud_ok(c, &c->bob, engine_create_instances, &launched);
	cloud_fails(c, &c->bob, engine_update_image, &share, ERR_NOT_FOUND, KIND_IMAGE);
	share.sharing.remove = share.sharing.add;
	share.sharing.add = (struct refs){0};
	cloud_ok(c, &c->alice, engine_update_image, &share);
	cloud_fails(c, &c->bob, engine_create_instances, &launched, ERR_NOT_FOUND, KIND_IMAGE);
}

static void check_copy(void **state)
{
	struct cloud *c = *state;
	struct image_copying wish = {.source = ref_to(c, KIND_IMAGE, c->image), .name = STR("mine")};
	cloud_ok(c, &c->alice, engine_copy_image, &wish);
	const struct image_device *device = image_device_find_by_image(cloud_tables(c), wish.image, 0);
	const struct snapshot *own = find_snapshot(c, device->snapshot);
	assert_true(uuid_equal(own->account, c->alice.account) && !uuid_equal(own->row.id, c->snapshot));
	assert_true(str_equal(own->sha256, find_snapshot(c, c->snapshot)->sha256));
	struct snapshot_copying copy = {.source = ref_to(c, KIND_SNAPSHOT, own->row.id)};
	cloud_fails(c, &c->bob, engine_copy_snapshot, &copy, ERR_NOT_FOUND, KIND_SNAPSHOT);
	cloud_ok(c, &c->alice, engine_copy_snapshot, &copy);
	assert_int_equal(state_of(c, copy.snapshot), SNAPSHOT_COMPLETED);
	copy.source = ref_to(c, KIND_SNAPSHOT, create(c, cloud_volume(c, launch(c))->row.id));
	cloud_fails(c, &c->alice, engine_copy_snapshot, &copy, ERR_STATE, KIND_SNAPSHOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_life, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_increment, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_of_instance, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_volume_goes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_reservation, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_reservation_ends, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_register, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_copy, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
