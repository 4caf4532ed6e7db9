/* SPDX-License-Identifier: Apache-2.0
 * Exports, end to end: the file is there or nothing is, in spite of kills at any step; it goes with its task. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../cloud/cloud.h"
#include "engine/storage/image/export_task.h"
#include "engine/storage/image/image.h"
#include "store/account.h"
#include "store/export_image_task.h"
#include "store/image.h"
#include "store/snapshot.h"

static uuid capture(struct cloud *c)
{
	struct image_capture wish = {.instance = cloud_ref(c, KIND_INSTANCE, cloud_launch_running(c)),
				     .name = STR("mine"),
				     .no_reboot = true};
	cloud_ok(c, &c->alice, engine_capture_image, &wish);
	cloud_settle(c);
	return wish.image;
}

static uuid begin(struct cloud *c, uuid image, enum export_image_task_format format)
{
	struct image_exporting wish = {.image = cloud_ref(c, KIND_IMAGE, image),
				       .format = format,
				       .bucket = STR("moves"),
				       .prefix = STR("2026/web-")};
	cloud_ok(c, &c->alice, engine_begin_image_export, &wish);
	return wish.task;
}

static struct export_image_task task_of(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct export_image_task *task = export_image_task_find(view.tables, id);
	return task ? *task : (struct export_image_task){0};
}

/* Number of files and folders below a directory, which may be absent. */
static int count_files(const char *path)
{
	int count = 0;
	DIR *dir = opendir(path);
	const struct dirent *entry = NULL;
	while (dir && (entry = readdir(dir))) {
		char below[512];
		if (entry->d_name[0] == '.')
			continue;
		assert_true(snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int) sizeof below);
		count += 1 + count_files(below);
	}
	if (dir)
		(void) closedir(dir);
	return count;
}

static int count_exported(struct cloud *c)
{
	char path[128];
	assert_true(snprintf(path, sizeof path, "%s/images/exports", c->directory) < (int) sizeof path);
	return count_files(path);
}

static void check_file(struct cloud *c, uuid id)
{
	struct stat st;
	const struct export_image_task task = task_of(c, id);
	assert_int_equal(task.ended, EXPORT_IMAGE_TASK_ENDED_COMPLETED);
	struct str path = str_print(c->c.arena, "%s/images/exports/%" STR_FMT, c->directory,
				    STR_ARG(engine_write_export_path(c->c.arena, &task)));
	assert_int_equal(stat(path.p, &st), 0);
	assert_true(task.file_size > 0 && task.file_sha256.n == 64);
	assert_int_equal(count_exported(c), 4); /* account, bucket, folder of the prefix, file */
}

static void test_file_goes_with_its_task(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid image = capture(c), id = begin(c, image, EXPORT_IMAGE_TASK_FORMAT_QCOW2);
	cloud_settle(c);
	check_file(c, id);
	struct export_target target = {.task = cloud_ref(c, KIND_EXPORT_IMAGE_TASK, id)};
	assert_int_equal(cloud_call(c, &c->alice, engine_cancel_export_run, &target).code, ERR_STATE);
	cloud_ok(c, &c->alice, engine_delete_export, &target);
	cloud_settle(c);
	assert_int_equal(count_exported(c), 0);
	assert_int_equal(cloud_count(c, KIND_EXPORT_IMAGE_TASK), 0);
	id = begin(c, image, EXPORT_IMAGE_TASK_FORMAT_OVA);
	cloud_settle(c);
	check_file(c, id);
	cloud_step_for(c, EXPORT_TASK_VISIBLE_US + 2 * CLOUD_RESYNC_US);
	assert_int_equal(count_exported(c), 0);
	assert_int_equal(cloud_count(c, KIND_EXPORT_IMAGE_TASK), 0);
	cloud_done(c);
}

/* An image that goes while its export waits fails the task in words, and leaves no file. */
static void test_image_goes(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	uuid image = capture(c), id = begin(c, image, EXPORT_IMAGE_TASK_FORMAT_RAW);
	struct image_target end = {.image = cloud_ref(c, KIND_IMAGE, image)};
	cloud_ok(c, &c->alice, engine_delete_image, &end);
	cloud_settle(c);
	const struct export_image_task task = task_of(c, id);
	assert_true(task.ended == EXPORT_IMAGE_TASK_ENDED_FAILED ||
		    task.ended == EXPORT_IMAGE_TASK_ENDED_COMPLETED);
	assert_int_equal(count_exported(c), task.ended == EXPORT_IMAGE_TASK_ENDED_FAILED ? 0 : 4);
	cloud_done(c);
}

/* Killed after any step, the export is completed nevertheless; cancelled after it, nothing is left. */
static bool export_with_kill(uint64_t at, bool is_cancelled)
{
	struct cloud *c = cloud_new(3, 1);
	uuid image = capture(c), id = begin(c, image, EXPORT_IMAGE_TASK_FORMAT_OVA);
	c->kill_at = c->steps + at;
	cloud_step_for(c, MINUTE);
	bool was_killed = cloud_was_killed(c);
	c->kill_at = 0;
	if (was_killed)
		cloud_restart(c);
	bool is_active = task_of(c, id).ended == EXPORT_IMAGE_TASK_ENDED_NONE;
	if (is_cancelled && is_active) {
		struct export_target target = {.task = cloud_ref(c, KIND_EXPORT_IMAGE_TASK, id)};
		cloud_ok(c, &c->alice, engine_cancel_export, &target);
	}
	cloud_settle(c);
	enum export_image_task_ended ended = task_of(c, id).ended;
	if (is_cancelled && is_active) {
		assert_int_equal(ended, EXPORT_IMAGE_TASK_ENDED_CANCELLED);
		assert_int_equal(count_exported(c), 0);
	} else {
		check_file(c, id);
	}
	cloud_done(c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	uint64_t at = 1;
	while (export_with_kill(at, false) && export_with_kill(at, true))
		at++;
	assert_true(at > 3);
}

static int count_live_images(struct cloud *c)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct image *i = image_first(view.tables); i; i = image_next(view.tables, i))
		count += row_is_live(&i->row);
	return count;
}

static int count_live_snapshots(struct cloud *c)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct snapshot *s = snapshot_first(view.tables); s; s = snapshot_next(view.tables, s))
		count += row_is_live(&s->row);
	return count;
}

static uuid begin_of_instance(struct cloud *c, enum export_image_task_format format)
{
	struct instance_exporting wish = {
		.instance = cloud_ref(c, KIND_INSTANCE, cloud_launch_running(c)),
		.environment = EXPORT_IMAGE_TASK_ENVIRONMENT_VMWARE,
		.file = {.format = format, .bucket = STR("moves"), .prefix = STR("2026/web-")}};
	cloud_ok(c, &c->alice, engine_begin_instance_export, &wish);
	return wish.file.task;
}

/* The image that an export of an instance makes goes with its snapshots when the task ends, however it ends. */
static void test_instance(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(11, 1);
	(void) cloud_launch_running(c);
	int images = count_live_images(c), snapshots = count_live_snapshots(c);
	uuid id = begin_of_instance(c, EXPORT_IMAGE_TASK_FORMAT_OVA);
	assert_int_equal(count_live_images(c), images + 1);
	cloud_step_for(c, 10 * SECOND);
	cloud_settle(c);
	check_file(c, id);
	assert_int_equal(count_live_images(c), images);
	assert_int_equal(count_live_snapshots(c), snapshots);
	struct export_target target = {.task = cloud_ref(c, KIND_EXPORT_IMAGE_TASK,
							 begin_of_instance(c, EXPORT_IMAGE_TASK_FORMAT_RAW))};
	cloud_ok(c, &c->alice, engine_cancel_export, &target);
	cloud_settle(c);
	assert_int_equal(count_live_images(c), images);
	assert_int_equal(count_live_snapshots(c), snapshots);
	cloud_done(c);
}

/* Killed after any step, the export completes, and nothing of the image is left. */
static bool export_instance_with_kill(uint64_t at)
{
	struct cloud *c = cloud_new(12, 1);
	(void) cloud_launch_running(c);
	int images = count_live_images(c), snapshots = count_live_snapshots(c);
	uuid id = begin_of_instance(c, EXPORT_IMAGE_TASK_FORMAT_VMDK);
	c->kill_at = c->steps + at;
	cloud_step_for(c, MINUTE);
	bool was_killed = cloud_was_killed(c);
	c->kill_at = 0;
	if (was_killed)
		cloud_restart(c);
	cloud_step_for(c, MINUTE);
	cloud_settle(c);
	check_file(c, id);
	assert_int_equal(count_live_images(c), images);
	assert_int_equal(count_live_snapshots(c), snapshots);
	cloud_done(c);
	return was_killed;
}

static void test_instance_killed(void **state)
{
	(void) state;
	uint64_t at = 1;
	while (export_instance_with_kill(at) && at < 200)
		at += 3;
	assert_true(at > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_goes_with_its_task), cmocka_unit_test(test_image_goes),
		cmocka_unit_test(test_kill_after_each_step),    cmocka_unit_test(test_instance),
		cmocka_unit_test(test_instance_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
