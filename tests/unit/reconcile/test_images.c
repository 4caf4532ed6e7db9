/* SPDX-License-Identifier: Apache-2.0
 * Images, end to end: an instance is paused while its disks are cut and resumes, and others are launched from
 * the image, in spite of kills at any step. */
#include "../cloud/cloud.h"
#include "engine/storage/image/image.h"
#include "model/host.h"
#include "model/snapshot.h"
#include "model/states.h"
#include "store/image.h"
#include "store/image_device.h"

static uuid capture(struct cloud *c, uuid instance, bool no_reboot)
{
	struct image_capture wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance),
				     .name = STR("mine"),
				     .no_reboot = no_reboot};
	cloud_ok(c, &c->alice, engine_capture_image, &wish);
	return wish.image;
}

static struct str find_host(struct cloud *c, uuid instance)
{
	return cloud_host_of(c, instance);
}

static void write_root(struct cloud *c, uuid instance, const char *text)
{
	sim_compute_write_disk(find_host(c, instance), cloud_volume_of(c, instance), text);
}

static bool root_has(struct cloud *c, uuid instance, const char *text)
{
	return sim_compute_disk_has(find_host(c, instance), cloud_volume_of(c, instance), text);
}

static uuid launch_from(struct cloud *c, uuid image)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.image = cloud_ref(c, KIND_IMAGE, image);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	cloud_await(c, id, INSTANCE_RUNNING);
	return id;
}

static enum image_state state_of(struct cloud *c, uuid image)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct image *row = image_find(view.tables, image);
	return row ? engine_derive_image_state(view.tables, row) : IMAGE_DEREGISTERED;
}

static uuid find_snapshot(struct cloud *c, uuid image)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return image_device_find_by_image(view.tables, image, 0)->snapshot;
}

/* Off and on once; no condition of a crash; as it was before, but for that. */
static void test_quiesced(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 2);
	uuid instance = cloud_launch_running(c);
	int64_t boots = cloud_guest(c, instance).boots;
	write_root(c, instance, "before");
	uuid image = capture(c, instance, false);
	assert_int_equal(state_of(c, image), IMAGE_PENDING);
	cloud_settle(c);
	assert_int_equal(state_of(c, image), IMAGE_AVAILABLE);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, instance).boots, boots + 1);
	assert_false(cloud_has_condition(c, instance, INSTANCE_RESTARTED));
	write_root(c, instance, "after");
	assert_true(root_has(c, launch_from(c, image), "before"));
	cloud_done(c);
}

static void test_no_reboot(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	uuid instance = cloud_launch_running(c);
	int64_t boots = cloud_guest(c, instance).boots;
	uuid image = capture(c, instance, true);
	cloud_settle(c);
	assert_int_equal(state_of(c, image), IMAGE_AVAILABLE);
	assert_int_equal(cloud_guest(c, instance).boots, boots);
	cloud_done(c);
}

/* The image, its snapshot and its file go one after the other; what was launched stays. */
static void test_end(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	uuid image = capture(c, cloud_launch_running(c), true), snapshot = find_snapshot(c, image);
	cloud_settle(c);
	uuid copy = launch_from(c, image);
	struct snapshot_target target = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, snapshot)};
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_snapshot_run, &target).code, ERR_IN_USE);
	struct image_target end = {.image = cloud_ref(c, KIND_IMAGE, image)};
	cloud_ok(c, &c->alice, engine_delete_image, &end);
	cloud_ok(c, &c->alice, engine_delete_snapshot, &target);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_SNAPSHOT), 2); /* a disk is made from it */
	cloud_terminate(c, copy);
	cloud_settle(c);
	cloud_step_for(c, INSTANCE_VISIBLE_US + 2 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(cloud_count(c, KIND_SNAPSHOT), 1);
	assert_int_equal(cloud_count(c, KIND_IMAGE), 1);
	cloud_done(c);
}

/* Killed after any step, the image is completed nevertheless, and the instance runs again. */
static bool capture_with_kill(uint64_t seed, uint64_t at)
{
	struct cloud *c = cloud_new(seed * 1000, 1);
	uuid instance = cloud_launch_running(c);
	write_root(c, instance, "before");
	uuid image = capture(c, instance, false);
	c->kill_at = c->steps + at;
	cloud_step_for(c, MINUTE);
	bool was_killed = cloud_was_killed(c);
	c->kill_at = 0;
	if (was_killed)
		cloud_restart(c);
	cloud_settle(c);
	assert_int_equal(state_of(c, image), IMAGE_AVAILABLE);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	assert_true(root_has(c, launch_from(c, image), "before"));
	cloud_done(c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	uint64_t at = 1;
	while (capture_with_kill(1, at))
		at++;
	assert_true(at > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiesced),
		cmocka_unit_test(test_no_reboot),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_kill_after_each_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
