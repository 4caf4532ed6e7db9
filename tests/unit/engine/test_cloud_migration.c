/* SPDX-License-Identifier: Apache-2.0
 * Migrations of machines from clouds elsewhere: doubts of a plan, turns, estimates, wishes and reports. No cloud is called. */
#include "cloud.h"

#include "base/clock.h"
#include "engine/remote/migration.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_machine.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/states.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
#define BLOCK (INT64_C(512) * 1024)

/* ---- a planned migration ---- */

static uuid add_machine(struct cloud *c, uuid *ret_provider)
{
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = STR("there"),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	struct remote_machine seen = {.row.id = id_new(KIND_REMOTE_MACHINE),
				      .ref = STR("i-1"),
				      .name = STR("web"),
				      .power = REMOTE_MACHINE_POWER_RUNNING};
	cloud_ok(c, &c->alice, engine_create_provider, &wish);
	struct remote_machines_report listed = {.provider = wish.id, .at = &seen, .count = 1};
	cloud_ok(c, NULL, engine_see_remote_machines, &listed);
	*ret_provider = wish.id;
	return remote_machine_find_by_provider(cloud_tables(c), wish.id, STR("i-1"))->row.id;
}

static uuid begin_plan(struct cloud *c)
{
	uuid provider;
	struct migration_wish wish = {.machine = ref_to(c, KIND_REMOTE_MACHINE, add_machine(c, &provider))};
	cloud_ok(c, &c->alice, engine_plan_migration, &wish);
	cloud_fails(c, &c->alice, engine_plan_migration, &wish, ERR_EXISTS, KIND_CLOUD_MIGRATION);
	return wish.migration;
}

static const struct cloud_migration *get(struct cloud *c, uuid id)
{
	return cloud_migration_find(cloud_tables(c), id);
}

static struct cloud_migration facts(void)
{
	return (struct cloud_migration){.name = STR("web"),
					.source_type = STR("t3.micro"),
					.vcpus = 2,
					.memory = GIB,
					.arch = STR("x86_64"),
					.root_device = STR("/dev/xvda"),
					.source_ip = STR("10.99.0.5"),
					.nics = 1};
}

static struct cloud_migration_disk disk(int64_t number, const char *device, const char *volume)
{
	return (struct cloud_migration_disk){.number = number,
					     .device = str_from(device),
					     .volume = str_from(volume),
					     .size = GIB,
					     .goes_along = true};
}

static void see_plan(struct cloud *c, uuid id, const struct cloud_migration *seen,
		     const struct cloud_migration_disk *disks, size_t count)
{
	struct migration_plan_report report = {.migration = id,
					       .gen = get(c, id)->row.gen,
					       .seen = seen,
					       .disks = disks,
					       .disk_count = count};
	cloud_ok(c, NULL, engine_see_migration_plan, &report);
}

static uuid plan(struct cloud *c)
{
	const struct cloud_migration seen = facts();
	const struct cloud_migration_disk disks[] = {disk(0, "/dev/xvda", "vol-1"),
						     disk(1, "/dev/sdf", "vol-2")};
	uuid id = begin_plan(c);
	see_plan(c, id, &seen, disks, 2);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_PLANNED);
	assert_int_equal(get(c, id)->refusals.count, 0);
	return id;
}

static struct cloud_migration_target target(struct cloud *c, uuid id)
{
	return (struct cloud_migration_target){.migration = ref_to(c, KIND_CLOUD_MIGRATION, id)};
}

static const struct cloud_migration_disk *disk_at(struct cloud *c, uuid id, int64_t number)
{
	const struct cloud_migration_disk *d = cloud_migration_disk_first_by_migration(cloud_tables(c), id);
	while (d && d->number != number)
		d = cloud_migration_disk_next_by_migration(cloud_tables(c), d);
	return d;
}

static void tell(struct cloud *c, uuid id, enum migration_news news, struct cloud_migration_report more)
{
	more.migration = id;
	more.gen = get(c, id)->row.gen;
	more.stage = get(c, id)->stage;
	more.round = get(c, id)->round;
	more.news = news;
	cloud_ok(c, NULL, engine_see_cloud_migration, &more);
}

static void freeze(struct cloud *c, uuid id, const char *one, const char *other)
{
	const struct migration_point points[] = {{STR("vol-1"), str_from(one)},
						 {STR("vol-2"), str_from(other)}};
	tell(c, id, MIGRATION_NEWS_FROZEN,
	     (struct cloud_migration_report){.points = points, .point_count = 2});
}

static void copy(struct cloud *c, uuid id, int64_t number, int64_t bytes)
{
	const struct cloud_migration_disk *d = disk_at(c, id, number);
	struct migration_disk_report report = {.disk = d->row.id,
					       .target = d->target,
					       .next_block = bytes / BLOCK,
					       .bytes = bytes,
					       .is_copied = true};
	cloud_ok(c, NULL, engine_see_cloud_migration_disk, &report);
}

/* ---- doubts ---- */

static size_t count_with(struct strs texts, const char *word)
{
	size_t count = 0;
	for (size_t k = 0; k < texts.count; k++)
		count += str_starts_with(texts.at[k], str_from(word));
	return count;
}

static void refuses_by_name(void **state)
{
	struct cloud *c = *state;
	static const char *const words[] = {
		"arch: ",        "nics: ",           "has_local: ",    "scaling_group: ",
		"product_codes", "disk /dev/xvda: ", "disk /dev/sdf: "};
	struct str code = STR("abc");
	struct cloud_migration seen = facts();
	struct cloud_migration_disk disks[] = {disk(0, "/dev/xvda", "vol-1"), disk(1, "/dev/sdf", "vol-2")};
	seen.arch = STR("arm64");
	seen.nics = 2;
	seen.has_local = true;
	seen.scaling_group = STR("fleet");
	seen.product_codes = (struct strs){&code, 1};
	disks[0].is_encrypted = true;
	disks[1].is_shared = true;
	uuid id = begin_plan(c);
	see_plan(c, id, &seen, disks, 2);
	struct strs refusals = get(c, id)->refusals;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		assert_int_equal(count_with(refusals, words[k]), 1);
	struct cloud_migration_target start = target(c, id);
	cloud_fails(c, &c->alice, engine_start_migration, &start, ERR_STATE, KIND_CLOUD_MIGRATION);
	struct migration_change change = {.migration = start.migration, .drops_local = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_change_migration, &change);
	assert_int_equal(count_with(get(c, id)->refusals, "has_local: "), 0);
}

static void refuses_a_machine_without_disks(void **state)
{
	struct cloud *c = *state;
	const struct cloud_migration seen = facts();
	uuid id = begin_plan(c);
	see_plan(c, id, &seen, NULL, 0);
	assert_int_equal(count_with(get(c, id)->refusals, "disks: "), 1);
}

static void refuses_what_is_too_large(void **state)
{
	struct cloud *c = *state;
	struct cloud_migration seen = facts();
	struct cloud_migration_disk one = disk(0, "/dev/xvda", "vol-1");
	one.size = 16385 * GIB;
	seen.vcpus = 60000;
	uuid id = begin_plan(c);
	see_plan(c, id, &seen, &one, 1);
	assert_int_equal(count_with(get(c, id)->refusals, "type: "), 1);
	assert_int_equal(count_with(get(c, id)->refusals, "disk /dev/xvda: "), 1);
}

/* Facts that only the driver understands stay refusals when the plan is changed. */
static void keeps_what_the_driver_refuses(void **state)
{
	struct str refusals[] = {STR("locked: the server is locked. Unlock it.")};
	struct cloud *c = *state;
	struct cloud_migration seen = facts();
	const struct cloud_migration_disk one = disk(0, "/dev/vda", "vol-1");
	seen.source_refusals = (struct strs){refusals, 1};
	seen.copies_whole = true;
	uuid id = begin_plan(c);
	see_plan(c, id, &seen, &one, 1);
	struct migration_change change = {.migration = ref_to(c, KIND_CLOUD_MIGRATION, id),
					  .name = STR("other")};
	cloud_ok(c, &c->alice, engine_change_migration, &change);
	assert_int_equal(count_with(get(c, id)->refusals, "locked: "), 1);
	assert_int_equal(count_with(get(c, id)->warnings, "copies_whole: "), 1);
	struct cloud_migration_target start = target(c, id);
	cloud_fails(c, &c->alice, engine_start_migration, &start, ERR_STATE, KIND_CLOUD_MIGRATION);
}

/* ---- turns ---- */

static void rounds_follow_until_small(void **state)
{
	struct cloud_migration m = {
		.stage = CLOUD_MIGRATION_STAGE_SYNCED, .round = 1, .copied_us = HOUR, .round_s = 600};
	int64_t due_us = 0;
	(void) state;
	m.delta = MIGRATION_SMALL_DELTA + 1;
	assert_int_equal(engine_find_migration_turn(&m, &due_us), MIGRATION_TURN_ROUND);
	assert_int_equal(due_us, HOUR);
	m.delta = MIGRATION_SMALL_DELTA;
	(void) engine_find_migration_turn(&m, &due_us);
	assert_int_equal(due_us, HOUR + 600 * SECOND);
	m.delta = MIGRATION_SMALL_DELTA + 1;
	m.round = MIGRATION_ROUNDS_AT_ONCE;
	(void) engine_find_migration_turn(&m, &due_us);
	assert_int_equal(due_us, HOUR + 600 * SECOND);
	m.copies_whole = true; /* such rounds do not get smaller */
	(void) engine_find_migration_turn(&m, &due_us);
	assert_true(due_us == INT64_MAX);
	m.stage = CLOUD_MIGRATION_STAGE_DONE;
	assert_int_equal(engine_find_migration_turn(&m, &due_us), MIGRATION_TURN_THAW);
	m.ended_us = 1;
	assert_int_equal(engine_find_migration_turn(&m, &due_us), MIGRATION_TURN_NONE);
}

/* ---- estimates ---- */

static void estimates_from_measurements(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct migration_estimate e = engine_estimate_migration(cloud_tables(c), get(c, id));
	assert_int_equal(e.size, 2 * GIB);
	assert_int_equal(e.left_bytes, 2 * GIB);
	assert_false(e.is_measured);
	struct cloud_migration_target start = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &start);
	freeze(c, id, "snap-1", "snap-2");
	copy(c, id, 0, GIB);
	e = engine_estimate_migration(cloud_tables(c), get(c, id));
	assert_int_equal(e.left_bytes, GIB);
	clock_advance_us(100 * SECOND);
	copy(c, id, 1, 100 * MIB);
	e = engine_estimate_migration(cloud_tables(c), get(c, id));
	assert_true(e.is_measured);
	assert_int_equal(get(c, id)->delta, GIB + 100 * MIB);
	assert_in_range(e.left_s, 100, 101);
	assert_true(e.downtime_s >= 100 + MIGRATION_BOOT_GUESS_S);
}

/* ---- the way ---- */

static void late_reports_are_void(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target start = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &start);
	cloud_fails(c, &c->alice, engine_start_migration, &start, ERR_STATE, KIND_CLOUD_MIGRATION);
	freeze(c, id, "snap-1", "snap-2");
	struct migration_disk_report late = {
		.disk = disk_at(c, id, 0)->row.id, .target = STR("snap-0"), .is_copied = true};
	cloud_ok(c, NULL, engine_see_cloud_migration_disk, &late);
	assert_false(disk_at(c, id, 0)->is_copied);
	copy(c, id, 0, BLOCK);
	copy(c, id, 1, 0);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_SYNCED);
	assert_true(str_is(disk_at(c, id, 0)->base, "snap-1"));
	struct cloud_migration_report old = {.migration = id,
					     .gen = get(c, id)->row.gen,
					     .stage = CLOUD_MIGRATION_STAGE_COPYING,
					     .round = 1,
					     .news = MIGRATION_NEWS_ROUND};
	cloud_ok(c, NULL, engine_see_cloud_migration, &old);
	assert_int_equal(get(c, id)->round, 1);
}

static void a_lost_target_repeats_the_round(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target start = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &start);
	freeze(c, id, "snap-1", "snap-2");
	copy(c, id, 0, BLOCK);
	struct migration_disk_report lost = {.disk = disk_at(c, id, 1)->row.id,
					     .target = STR("snap-2"),
					     .is_lost = true,
					     .is_reset = true};
	cloud_ok(c, NULL, engine_see_cloud_migration_disk, &lost);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_FREEZING);
	assert_int_equal(get(c, id)->round, 2);
	freeze(c, id, "snap-3", "snap-4");
	assert_true(str_is(disk_at(c, id, 0)->base, "snap-1"));
	assert_false(disk_at(c, id, 1)->base.n);
}

static void other_disks_end_it(void **state)
{
	struct cloud *c = *state;
	const struct migration_point point = {STR("vol-1"), STR("snap-1")};
	uuid id = plan(c);
	struct cloud_migration_target start = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &start);
	tell(c, id, MIGRATION_NEWS_FROZEN,
	     (struct cloud_migration_report){.points = &point, .point_count = 1});
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_UNDOING);
	tell(c, id, MIGRATION_NEWS_THAWED, (struct cloud_migration_report){0});
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_FAILED);
	assert_true(str_contains(get(c, id)->problem, STR("other disks")));
}

static void undo_takes_all_back(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	uuid snapshot = disk_at(c, id, 0)->snapshot;
	struct snapshot_target deletion = {.snapshot = ref_to(c, KIND_SNAPSHOT, snapshot)};
	cloud_fails(c, &c->alice, engine_delete_snapshot, &deletion, ERR_IN_USE, KIND_SNAPSHOT);
	struct provider_target away = {.provider = ref_to(c, KIND_PROVIDER, get(c, id)->provider)};
	cloud_fails(c, &c->alice, engine_delete_provider, &away, ERR_IN_USE, KIND_PROVIDER);
	cloud_fails(c, &c->alice, engine_delete_migration, &wish, ERR_STATE, KIND_CLOUD_MIGRATION);
	cloud_ok(c, &c->alice, engine_undo_migration, &wish);
	cloud_fails(c, &c->alice, engine_undo_migration, &wish, ERR_STATE, KIND_CLOUD_MIGRATION);
	tell(c, id, MIGRATION_NEWS_THAWED, (struct cloud_migration_report){0});
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_UNDONE);
	const struct snapshot *s = snapshot_find(cloud_tables(c), snapshot);
	assert_true(!s || !row_is_live(&s->row));
	cloud_ok(c, &c->alice, engine_delete_provider, &away);
	cloud_ok(c, &c->alice, engine_delete_migration, &wish);
	assert_null(get(c, id));
	assert_null(cloud_migration_disk_first_by_migration(cloud_tables(c), id));
}

static RESULT put_migration(struct op *op, void *row)
{
	return cloud_migration_put(op, row);
}

static void complete(struct cloud *c, uuid id)
{
	for (int64_t n = 0; n < 2; n++) {
		uuid snapshot = disk_at(c, id, n)->snapshot;
		struct snapshot_report report = {.snapshot = snapshot,
						 .gen = snapshot_find(cloud_tables(c), snapshot)->row.gen,
						 .stage = SNAPSHOT_SEEN_STAGE_KEPT,
						 .sha256 = STR("cafe"),
						 .file_size = GIB};
		cloud_ok(c, NULL, engine_see_snapshot, &report);
	}
}

/* The launch leaves out tags that do not fit, because the machine at the source is stopped already. */
static void tags_do_not_hinder_the_launch(void **state)
{
	static struct tag tags[50];
	struct cloud *c = *state;
	struct cloud_migration seen = facts();
	const struct cloud_migration_disk disks[] = {disk(0, "/dev/xvda", "vol-1"),
						     disk(1, "/dev/sdf", "vol-2")};
	for (size_t k = 0; k < 48; k++)
		tags[k] = (struct tag){str_print(c->c.arena, "key%zu", k), STR("x")};
	tags[48] = (struct tag){str_print(c->c.arena, "aws:%0124d", 0), STR("longer with src: before it")};
	tags[49] = (struct tag){STR("key49"), STR("x")};
	seen.source_tags = (struct tags){tags, 50};
	seen.lacks_virtio = true;
	uuid id = begin_plan(c);
	see_plan(c, id, &seen, disks, 2);
	struct cloud_migration m = *get(c, id);
	m.keeps_ip = false;
	m.subnet = UUID_NONE;
	assert_int_equal(cloud_run(c, NULL, put_migration, &m).code, ERR_NONE);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	tell(c, id, MIGRATION_NEWS_COMPLETE, (struct cloud_migration_report){0});
	complete(c, id);
	tell(c, id, MIGRATION_NEWS_LAUNCH, (struct cloud_migration_report){0});
	assert_true(str_is(get(c, id)->problem, ""));
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_STARTING);
	const struct instance *made = cloud_instance(c, get(c, id)->instance);
	assert_int_equal(made->tags.count, 50);
	assert_int_equal(made->disk_bus, INSTANCE_DISK_BUS_SATA);
	assert_int_equal(made->nic_model, INSTANCE_NIC_MODEL_E1000E);
}

static RESULT put_volume(struct op *op, void *row)
{
	return volume_put(op, row);
}

static uuid attach(struct cloud *c, uuid instance, uuid snapshot)
{
	struct volume v = *volume_find(cloud_tables(c), cloud_make_volume(c, GIB));
	v.instance = instance;
	v.snapshot = snapshot;
	assert_int_equal(cloud_run(c, NULL, put_volume, &v).code, ERR_NONE);
	return v.row.id;
}

/* The volumes of an instance that has not run go with it, but not what its user has attached. */
static void undo_takes_volumes_back(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c), instance = cloud_launch_one(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	uuid moved = attach(c, instance, disk_at(c, id, 1)->snapshot), other = attach(c, instance, UUID_NONE);
	struct cloud_migration m = *get(c, id);
	m.instance = instance;
	assert_int_equal(cloud_run(c, NULL, put_migration, &m).code, ERR_NONE);
	cloud_ok(c, &c->alice, engine_undo_migration, &wish);
	assert_true(volume_find(cloud_tables(c), moved)->delete_on_termination);
	assert_false(volume_find(cloud_tables(c), other)->delete_on_termination);
}

static void a_started_machine_ends_the_cutover(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_fails(c, &c->alice, engine_cut_over_migration, &wish, ERR_STATE, KIND_CLOUD_MIGRATION);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	freeze(c, id, "snap-1", "snap-2");
	cloud_ok(c, &c->alice, engine_cut_over_migration, &wish);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_COPYING);
	copy(c, id, 0, BLOCK);
	copy(c, id, 1, BLOCK);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_STOPPING);
	tell(c, id, MIGRATION_NEWS_STOPPING, (struct cloud_migration_report){.was_running = true});
	assert_true(get(c, id)->is_stopped && get(c, id)->was_running);
	tell(c, id, MIGRATION_NEWS_STOPPED, (struct cloud_migration_report){0});
	assert_true(get(c, id)->is_final);
	tell(c, id, MIGRATION_NEWS_RESUMED, (struct cloud_migration_report){0});
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_SYNCED);
	assert_false(get(c, id)->is_final || get(c, id)->is_stopped || get(c, id)->cutover_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_by_name, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(refuses_a_machine_without_disks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_too_large, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(keeps_what_the_driver_refuses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(rounds_follow_until_small, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(estimates_from_measurements, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(late_reports_are_void, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(a_lost_target_repeats_the_round, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(other_disks_end_it, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(undo_takes_all_back, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(undo_takes_volumes_back, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(tags_do_not_hinder_the_launch, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(a_started_machine_ends_the_cutover, cloud_setup,
						cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
