/* SPDX-License-Identifier: Apache-2.0
 * Imports: the results of tasks, and that a failed task leaves nothing behind. */
#include "cloud.h"
#include "model/states.h"
#include "store/account.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/import_image_task.h"
#include "store/import_snapshot_task.h"
#include "store/snapshot.h"

#include "engine/storage/image/image.h"
#include "engine/storage/image/import_task.h"

static uuid begin_one(struct cloud *c)
{
	struct snapshot_importing wish = {.disk = {.url = STR("http://203.0.113.5/x"), .field = STR("Url")}};
	cloud_ok(c, &c->alice, engine_begin_snapshot_import, &wish);
	return wish.task;
}

static uuid begin_image(struct cloud *c)
{
	const struct import_disk disks[] = {
		{.url = STR("http://203.0.113.5/root")},
		{.url = STR("http://203.0.113.5/data"), .device = STR("/dev/sdf")}};
	struct image_importing_disks wish = {.disks = disks, .disk_count = 2, .description = STR("old")};
	cloud_ok(c, &c->alice, engine_begin_image_import, &wish);
	return wish.task;
}

static const struct import_snapshot_task *disk_of(struct cloud *c, uuid image, int64_t number)
{
	const struct tables *t = cloud_tables(c);
	const struct import_snapshot_task *k = import_snapshot_task_first_by_import_image_task(t, image);
	return number ? import_snapshot_task_next_by_import_image_task(t, k) : k;
}

static void arrive(struct cloud *c, uuid task, const char *sha256)
{
	struct import_report report = {.task = task,
				       .sha256 = str_from(sha256),
				       .data_size = 1000,
				       .file_size = 700,
				       .virtual_size = INT64_C(3) << 30};
	cloud_ok(c, NULL, engine_see_import, &report);
}

static size_t count_snapshots(struct cloud *c)
{
	const struct tables *t = cloud_tables(c);
	size_t count = 0;
	for (const struct snapshot *s = snapshot_first_by_account(t, c->alice.account); s;
	     s = snapshot_next_by_account(t, s))
		count += row_is_live(&s->row);
	return count;
}

static void check_snapshot(void **state)
{
	struct cloud *c = *state;
	uuid id = begin_one(c);
	struct import_report report = {.task = id, .progress = 30};
	cloud_ok(c, NULL, engine_see_import, &report);
	report.progress = 10; /* a late report */
	cloud_ok(c, NULL, engine_see_import, &report);
	assert_int_equal(import_snapshot_task_find(cloud_tables(c), id)->progress, 30);
	arrive(c, id, "aa");
	const struct import_snapshot_task *task = import_snapshot_task_find(cloud_tables(c), id);
	const struct snapshot *made = snapshot_find(cloud_tables(c), task->snapshot);
	assert_int_equal(task->ended, IMPORT_SNAPSHOT_TASK_ENDED_COMPLETED);
	assert_int_equal(task->data_size, 1000);
	assert_true(uuid_equal(made->account, c->alice.account));
	assert_int_equal(made->volume_size, INT64_C(3) << 30);
	assert_int_equal(cloud_usage(c, made->row.id, "snapshot"), 700);
	arrive(c, id, "bb"); /* a repeated report */
	assert_int_equal(account_usage(account_find(cloud_tables(c), c->alice.account))->snapshots, 1);
	struct import_forget forget = {.kind = KIND_IMPORT_SNAPSHOT_TASK, .task = id};
	cloud_fails(c, NULL, engine_forget_import, &forget, ERR_STATE, KIND_IMPORT_SNAPSHOT_TASK);
	clock_set_us(clock_now_us() + IMPORT_TASK_VISIBLE_US);
	cloud_ok(c, NULL, engine_forget_import, &forget);
	cloud_ok(c, NULL, engine_forget_import, &forget);
	assert_null(import_snapshot_task_find(cloud_tables(c), id));
}

static void check_image(void **state)
{
	struct cloud *c = *state;
	uuid id = begin_image(c);
	arrive(c, disk_of(c, id, 1)->row.id, "aa"); /* in whichever order */
	assert_int_equal(import_image_task_find(cloud_tables(c), id)->ended, IMPORT_IMAGE_TASK_ENDED_NONE);
	arrive(c, disk_of(c, id, 0)->row.id, "bb");
	const struct import_image_task *task = import_image_task_find(cloud_tables(c), id);
	assert_int_equal(task->ended, IMPORT_IMAGE_TASK_ENDED_COMPLETED);
	const struct image *image = image_find(cloud_tables(c), task->image);
	assert_true(str_is(image->description, "old") && str_is(image->root_device, "/dev/sda1"));
	assert_int_equal(engine_derive_image_state(cloud_tables(c), image), IMAGE_AVAILABLE);
	const struct image_device *root = image_device_first_by_image(cloud_tables(c), image->row.id);
	assert_true(uuid_equal(root->snapshot, disk_of(c, id, 0)->snapshot));
	assert_true(str_is(image_device_next_by_image(cloud_tables(c), root)->device, "/dev/sdf"));
	struct import_forget forget = {.kind = KIND_IMPORT_SNAPSHOT_TASK, .task = disk_of(c, id, 0)->row.id};
	clock_set_us(clock_now_us() + IMPORT_TASK_VISIBLE_US);
	cloud_ok(c, NULL, engine_forget_import, &forget); /* deleted together with the image's */
	assert_non_null(disk_of(c, id, 0));
	forget = (struct import_forget){.kind = KIND_IMPORT_IMAGE_TASK, .task = id};
	cloud_ok(c, NULL, engine_forget_import, &forget);
	assert_null(import_snapshot_task_first_by_account(cloud_tables(c), c->alice.account));
}

/* If one of two disks fails to import, the other one's snapshot is deleted, too. */
static void check_failed(void **state)
{
	struct cloud *c = *state;
	uuid id = begin_image(c);
	arrive(c, disk_of(c, id, 0)->row.id, "aa");
	uuid snapshot = disk_of(c, id, 0)->snapshot;
	struct import_report report = {.task = disk_of(c, id, 1)->row.id, .problem = STR("404")};
	cloud_ok(c, NULL, engine_see_import, &report);
	assert_int_equal(import_image_task_find(cloud_tables(c), id)->ended, IMPORT_IMAGE_TASK_ENDED_FAILED);
	assert_true(str_is(import_image_task_find(cloud_tables(c), id)->problem, "404"));
	assert_false(row_is_live(&snapshot_find(cloud_tables(c), snapshot)->row));
	arrive(c, disk_of(c, id, 1)->row.id, "bb"); /* late news */
	assert_int_equal(count_snapshots(c), 0);
	assert_int_equal(account_usage(account_find(cloud_tables(c), c->alice.account))->images, 0);
}

static void check_cancelled(void **state)
{
	struct cloud *c = *state;
	uuid id = begin_image(c), one = begin_one(c);
	arrive(c, disk_of(c, id, 0)->row.id, "aa");
	struct import_cancelling cancel = {
		.task = ref_to(c, KIND_IMPORT_SNAPSHOT_TASK, disk_of(c, id, 1)->row.id)};
	cloud_fails(c, &c->alice, engine_cancel_import, &cancel, ERR_NOT_FOUND, KIND_IMPORT_SNAPSHOT_TASK);
	cancel.task = ref_to(c, KIND_IMPORT_IMAGE_TASK, id);
	cloud_fails(c, &c->bob, engine_cancel_import, &cancel, ERR_NOT_FOUND, KIND_IMPORT_IMAGE_TASK);
	cloud_ok(c, &c->alice, engine_cancel_import, &cancel);
	cloud_fails(c, &c->alice, engine_cancel_import, &cancel, ERR_STATE, KIND_IMPORT_IMAGE_TASK);
	assert_int_equal(disk_of(c, id, 1)->ended, IMPORT_SNAPSHOT_TASK_ENDED_CANCELLED);
	cancel = (struct import_cancelling){.task = ref_to(c, KIND_IMPORT_SNAPSHOT_TASK, one),
					    .reason = STR("no need")};
	cloud_ok(c, &c->alice, engine_cancel_import, &cancel);
	assert_true(str_is(import_snapshot_task_find(cloud_tables(c), one)->problem, "no need"));
	arrive(c, one, "bb");
	assert_int_equal(count_snapshots(c), 0);
}

/* Active ones are few; of those that have ended the oldest makes room. */
static void check_limits(void **state)
{
	struct cloud *c = *state;
	struct snapshot_importing wish = {.disk = {.url = STR("http://203.0.113.5/x"), .field = STR("Url")}};
	uuid first = begin_one(c);
	for (int k = 1; k < IMPORT_TASKS_ACTIVE_MAX; k++)
		(void) begin_one(c);
	cloud_fails(c, &c->alice, engine_begin_snapshot_import, &wish, ERR_QUOTA, KIND_IMPORT_SNAPSHOT_TASK);
	struct import_report report = {.task = first, .problem = STR("404")};
	cloud_ok(c, NULL, engine_see_import, &report);
	for (int k = 0; k < IMPORT_TASKS_KEPT_MAX - IMPORT_TASKS_ACTIVE_MAX + 1; k++) {
		assert_non_null(import_snapshot_task_find(cloud_tables(c), first));
		report.task = begin_one(c);
		clock_set_us(clock_now_us() + SECOND);
		cloud_ok(c, NULL, engine_see_import, &report);
	}
	assert_null(import_snapshot_task_find(cloud_tables(c), first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_snapshot, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_image, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_failed, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_cancelled, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
