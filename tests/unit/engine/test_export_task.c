/* SPDX-License-Identifier: Apache-2.0
 * Exports of images: which images and names are refused, the limits, and the results of tasks. */
#include <string.h>

#include "cloud.h"
#include "model/states.h"
#include "store/account.h"
#include "store/export_image_task.h"
#include "store/image.h"

#include "engine/storage/image/export_task.h"
#include "engine/storage/image/image.h"

static uuid import_one(struct cloud *c, const struct identity *who, const char *name)
{
	struct image_import wish = {
		.name = str_from(name), .virtual_size = GIB, .file_size = GIB / 4, .sha256 = STR("ff")};
	cloud_ok(c, who, engine_import_image, &wish);
	return wish.image;
}

static struct image_exporting wish_of(struct cloud *c, uuid image)
{
	return (struct image_exporting){.image = ref_to(c, KIND_IMAGE, image),
					.format = EXPORT_IMAGE_TASK_FORMAT_VMDK,
					.bucket = STR("moves"),
					.prefix = STR("web/")};
}

static uuid begin(struct cloud *c, uuid image)
{
	struct image_exporting wish = wish_of(c, image);
	cloud_ok(c, &c->alice, engine_begin_image_export, &wish);
	return wish.task;
}

static const struct export_image_task *task_of(struct cloud *c, uuid id)
{
	return export_image_task_find(cloud_tables(c), id);
}

static int64_t disk_bytes(struct cloud *c)
{
	return account_usage(account_find(cloud_tables(c), c->alice.account))->disk_bytes;
}

static void check_completed(void **state)
{
	struct cloud *c = *state;
	uuid id = begin(c, import_one(c, &c->alice, "web"));
	int64_t before = disk_bytes(c);
	struct export_report report = {.task = id, .file_size = 700, .file_sha256 = STR("aa")};
	cloud_ok(c, NULL, engine_see_export, &report);
	assert_int_equal(task_of(c, id)->ended, EXPORT_IMAGE_TASK_ENDED_COMPLETED);
	assert_int_equal(disk_bytes(c), before + 700);
	report.problem = STR("late news");
	cloud_ok(c, NULL, engine_see_export, &report);
	assert_int_equal(task_of(c, id)->problem.n, 0);
	struct export_forget forget = {.task = id};
	cloud_fails(c, NULL, engine_forget_export, &forget, ERR_STATE, KIND_EXPORT_IMAGE_TASK);
	clock_set_us(clock_now_us() + EXPORT_TASK_VISIBLE_US);
	cloud_ok(c, NULL, engine_forget_export, &forget);
	cloud_ok(c, NULL, engine_forget_export, &forget);
	assert_null(task_of(c, id));
	assert_int_equal(disk_bytes(c), before);
}

static void check_cancelled_and_deleted(void **state)
{
	struct cloud *c = *state;
	uuid id = begin(c, import_one(c, &c->alice, "web"));
	struct export_target target = {.task = ref_to(c, KIND_EXPORT_IMAGE_TASK, id)};
	cloud_fails(c, &c->bob, engine_cancel_export, &target, ERR_NOT_FOUND, KIND_EXPORT_IMAGE_TASK);
	cloud_fails(c, &c->bob, engine_delete_export, &target, ERR_NOT_FOUND, KIND_EXPORT_IMAGE_TASK);
	cloud_ok(c, &c->alice, engine_cancel_export, &target);
	cloud_fails(c, &c->alice, engine_cancel_export, &target, ERR_STATE, KIND_EXPORT_IMAGE_TASK);
	assert_int_equal(model_derive_export_image_task_state(task_of(c, id)), EXPORT_IMAGE_TASK_CANCELLED);
	struct export_report report = {.task = id, .file_size = 700, .file_sha256 = STR("aa")};
	cloud_ok(c, NULL, engine_see_export, &report);
	assert_int_equal(task_of(c, id)->file_size, 0);
	cloud_ok(c, &c->alice, engine_delete_export, &target);
	assert_int_equal(model_derive_export_image_task_state(task_of(c, id)), EXPORT_IMAGE_TASK_DELETING);
	assert_true(engine_export_is_over(task_of(c, id), clock_now_us()));
}

/* A name that left the account's folder would reach another account's files. */
static void check_names(void **state)
{
	static const char *const buckets[] = {"",    "ab", "Moves", ".moves", "moves-",
					      "a/b", "..", "a..b",  "mo ves"};
	static const char *const prefixes[] = {"/x",   "../x", "a/../b",           "a/./b", ".x", "a//b",
					       "a\\b", "a\nb", "a/b/c/d/e/f/g/h/i"};
	struct cloud *c = *state;
	uuid image = import_one(c, &c->alice, "web");
	for (size_t k = 0; k < sizeof buckets / sizeof buckets[0]; k++) {
		struct image_exporting wish = wish_of(c, image);
		wish.bucket = str_from(buckets[k]);
		cloud_fails(c, &c->alice, engine_begin_image_export, &wish, ERR_INVALID,
			    KIND_EXPORT_IMAGE_TASK);
	}
	for (size_t k = 0; k < sizeof prefixes / sizeof prefixes[0]; k++) {
		struct image_exporting wish = wish_of(c, image);
		wish.prefix = str_from(prefixes[k]);
		cloud_fails(c, &c->alice, engine_begin_image_export, &wish, ERR_INVALID,
			    KIND_EXPORT_IMAGE_TASK);
	}
	struct image_exporting wish = wish_of(c, image);
	wish.bucket = STR("moves.2026-11");
	wish.prefix = STR("a/b/c/d/e/f/g/web_1.");
	cloud_ok(c, &c->alice, engine_begin_image_export, &wish);
	struct arena *arena = arena_new(1 << 12, 1 << 16);
	struct str path = engine_write_export_path(arena, task_of(c, wish.task));
	assert_true(str_contains(path, STR("/moves.2026-11/a/b/c/d/e/f/g/web_1.export-ami-")));
	arena_free(arena);
}

static void check_images(void **state)
{
	struct cloud *c = *state;
	struct image_exporting wish = wish_of(c, c->image); /* public, but the operator's */
	cloud_fails(c, &c->alice, engine_begin_image_export, &wish, ERR_NOT_FOUND, KIND_IMAGE);
	wish = wish_of(c, c->image);
	cloud_ok(c, &c->operator, engine_begin_image_export, &wish);
	assert_true(uuid_is_none(task_of(c, wish.task)->account));
	uuid image = import_one(c, &c->alice, "web");
	struct image_activation off = {.image = ref_to(c, KIND_IMAGE, image)};
	cloud_ok(c, &c->alice, engine_activate_image, &off);
	wish = wish_of(c, image);
	cloud_fails(c, &c->alice, engine_begin_image_export, &wish, ERR_STATE, KIND_IMAGE);
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	uuid image = import_one(c, &c->alice, "web");
	struct export_report report = {.problem = STR("no")};
	for (int k = 0; k < EXPORT_TASKS_KEPT_MAX - EXPORT_TASKS_ACTIVE_MAX; k++) {
		report.task = begin(c, image);
		cloud_ok(c, NULL, engine_see_export, &report);
	}
	for (int k = 0; k < EXPORT_TASKS_ACTIVE_MAX; k++)
		report.task = begin(c, image);
	struct image_exporting wish = wish_of(c, image);
	cloud_fails(c, &c->alice, engine_begin_image_export, &wish, ERR_QUOTA, KIND_EXPORT_IMAGE_TASK);
	cloud_ok(c, NULL, engine_see_export, &report);
	cloud_fails(c, &c->alice, engine_begin_image_export, &wish, ERR_QUOTA, KIND_EXPORT_IMAGE_TASK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_completed, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_cancelled_and_deleted, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_names, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_images, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
