/* SPDX-License-Identifier: Apache-2.0
 * Migrations of instances to clouds elsewhere: doubts of a plan, snapshots of rounds, cutover, undo. No cloud is called. */
#include "cloud.h"

#include "base/clock.h"
#include "engine/instance/instance.h"
#include "engine/remote/migration.h"
#include "engine/remote/provider.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "model/states.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

#define GIB (INT64_C(1) << 30)

/* ---- a planned migration ---- */

static uuid add_provider(struct cloud *c)
{
	static unsigned count;
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = str_print(c->arena, "there%u", count++),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	cloud_ok(c, &c->alice, engine_create_provider, &wish);
	return wish.id;
}

static const struct cloud_migration *get(struct cloud *c, uuid id)
{
	return cloud_migration_find(cloud_tables(c), id);
}

static const struct cloud_migration_disk *disk_of(struct cloud *c, uuid id)
{
	return cloud_migration_disk_first_by_migration(cloud_tables(c), id);
}

static struct cloud_migration_target target(struct cloud *c, uuid id)
{
	return (struct cloud_migration_target){.migration = ref_to(c, KIND_CLOUD_MIGRATION, id)};
}

static uuid begin_plan(struct cloud *c, uuid instance)
{
	struct migration_wish wish = {.instance = ref_to(c, KIND_INSTANCE, instance),
				      .provider = ref_to(c, KIND_PROVIDER, add_provider(c))};
	cloud_ok(c, &c->alice, engine_plan_migration, &wish);
	cloud_fails(c, &c->alice, engine_plan_migration, &wish, ERR_EXISTS, KIND_CLOUD_MIGRATION);
	return wish.migration;
}

static void see_plan(struct cloud *c, uuid id)
{
	struct migration_plan_report report = {.migration = id, .gen = get(c, id)->row.gen};
	cloud_ok(c, NULL, engine_see_migration_plan, &report);
}

/* A running instance with one disk, whose migration has a type. */
static uuid plan(struct cloud *c)
{
	uuid instance = cloud_launch_one(c);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	cloud_see_volume(c, cloud_volume(c, instance)->row.id);
	uuid id = begin_plan(c, instance);
	see_plan(c, id);
	struct migration_change change = {.migration = ref_to(c, KIND_CLOUD_MIGRATION, id),
					  .target_type = STR("t3.micro")};
	cloud_ok(c, &c->alice, engine_change_migration, &change);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_PLANNED);
	assert_int_equal(get(c, id)->refusals.count, 0);
	return id;
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

static void say(struct cloud *c, uuid id, enum migration_news news)
{
	tell(c, id, news, (struct cloud_migration_report){0});
}

static void report(struct cloud *c, uuid id, struct migration_disk_report more)
{
	more.disk = disk_of(c, id)->row.id;
	more.target = disk_of(c, id)->target;
	cloud_ok(c, NULL, engine_see_cloud_migration_disk, &more);
}

static void keep(struct cloud *c, uuid snapshot)
{
	struct snapshot_report kept = {.snapshot = snapshot,
				       .gen = snapshot_find(cloud_tables(c), snapshot)->row.gen,
				       .stage = SNAPSHOT_SEEN_STAGE_KEPT,
				       .sha256 = STR("cafe"),
				       .file_size = GIB};
	cloud_ok(c, NULL, engine_see_snapshot, &kept);
}

/* A round of the one disk, up to its end. Returns the snapshot here. */
static uuid copy_round(struct cloud *c, uuid id, const char *there)
{
	say(c, id, MIGRATION_NEWS_CUT);
	uuid snapshot = disk_of(c, id)->snapshot;
	assert_true(snapshot_find(cloud_tables(c), snapshot)->is_bound);
	keep(c, snapshot);
	assert_true(row_is_live(&snapshot_find(cloud_tables(c), snapshot)->row)); /* the disk needs it */
	say(c, id, MIGRATION_NEWS_FROZEN);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_COPYING);
	report(c, id, (struct migration_disk_report){.begun = str_from(there)});
	report(c, id, (struct migration_disk_report){.bytes = GIB, .blocks = 2048, .is_sealed = true});
	assert_int_equal(disk_of(c, id)->blocks, 2048);
	assert_true(disk_of(c, id)->is_sealed);
	report(c, id, (struct migration_disk_report){.is_copied = true});
	assert_true(str_is(disk_of(c, id)->base, there));
	assert_true(uuid_equal(disk_of(c, id)->base_snapshot, snapshot));
	return snapshot;
}

static bool is_kept(struct cloud *c, uuid snapshot)
{
	const struct snapshot *s = snapshot_find(cloud_tables(c), snapshot);
	return s && row_is_live(&s->row);
}

/* ---- tests ---- */

static size_t count_with(struct strs texts, const char *word)
{
	size_t count = 0;
	for (size_t k = 0; k < texts.count; k++)
		count += str_starts_with(texts.at[k], str_from(word));
	return count;
}

static RESULT put_instance(struct op *op, void *row)
{
	return instance_put(op, row);
}

static void refuses_by_name(void **state)
{
	struct cloud *c = *state;
	static const char *const words[] = {
		"tpm: ", "secure_boot: ", "protect_stop: ", "locked: ", "target_type: "};
	static struct str licences[] = {{"rhel:byos", 9}, {"windows-server:included", 23}};
	uuid instance = cloud_launch_one(c);
	struct instance i = *cloud_instance(c, instance);
	i.tpm = i.secure_boot = i.protect_stop = true;
	i.locked = INSTANCE_LOCKED_OWNER;
	i.licences = (struct strs){licences, 2};
	assert_int_equal(cloud_run(c, NULL, put_instance, &i).code, ERR_NONE);
	uuid id = begin_plan(c, instance);
	see_plan(c, id);
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		assert_int_equal(count_with(get(c, id)->refusals, words[k]), 1);
	assert_int_equal(count_with(get(c, id)->warnings, "licences: "), 2);
	struct cloud_migration_target start = target(c, id);
	cloud_fails(c, &c->alice, engine_start_migration, &start, ERR_STATE, KIND_CLOUD_MIGRATION);
	struct migration_change other = {.migration = start.migration, .keeps_ip = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_change_migration, &other, ERR_COMBINATION, KIND_CLOUD_MIGRATION);
}

static void rounds_keep_one_base(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	uuid first = copy_round(c, id, "snap-1");
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_SYNCED);
	assert_true(is_kept(c, first));
	say(c, id, MIGRATION_NEWS_ROUND);
	uuid second = copy_round(c, id, "snap-2");
	assert_false(is_kept(c, first));
	assert_true(is_kept(c, second));
	assert_int_equal(get(c, id)->delta, GIB);
}

static RESULT put_volume(struct op *op, void *row)
{
	return volume_put(op, row);
}

/* A disk that has grown gets a snapshot there of its new size, with all blocks. */
static void a_grown_disk_is_copied_whole(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	copy_round(c, id, "snap-1");
	struct volume grown = *cloud_volume(c, get(c, id)->instance);
	grown.seen_size += GIB;
	assert_int_equal(cloud_run(c, NULL, put_volume, &grown).code, ERR_NONE);
	say(c, id, MIGRATION_NEWS_ROUND);
	say(c, id, MIGRATION_NEWS_CUT);
	assert_int_equal(disk_of(c, id)->size, grown.seen_size);
	assert_int_equal(disk_of(c, id)->base.n, 0);
}

/* A request to start a snapshot there may be under way, so that the undo must not end at once. */
static void an_undo_waits_for_late_snapshots(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	say(c, id, MIGRATION_NEWS_CUT);
	keep(c, disk_of(c, id)->snapshot);
	say(c, id, MIGRATION_NEWS_FROZEN);
	cloud_ok(c, &c->alice, engine_undo_migration, &wish);
	assert_true(get(c, id)->asked_us > 0);
	assert_false(get(c, id)->was_asked);
}

static void a_lost_target_is_replaced(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	say(c, id, MIGRATION_NEWS_CUT);
	keep(c, disk_of(c, id)->snapshot);
	say(c, id, MIGRATION_NEWS_FROZEN);
	for (int k = 0; k <= MIGRATION_RESETS_MAX; k++) {
		report(c, id, (struct migration_disk_report){.begun = STR("snap-1")});
		report(c, id, (struct migration_disk_report){.blocks = 3, .next_block = 9});
		report(c, id, (struct migration_disk_report){.is_reset = true, .problem = STR("gone")});
		assert_int_equal(disk_of(c, id)->target.n == 0, k < MIGRATION_RESETS_MAX);
	}
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_UNDOING);
	assert_true(get(c, id)->has_failed);
}

/* The instance is off, and the last round is copied. */
static uuid reach_making(struct cloud *c)
{
	uuid id = plan(c), instance = get(c, id)->instance;
	struct cloud_migration_target wish = target(c, id);
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	copy_round(c, id, "snap-1");
	cloud_ok(c, &c->alice, engine_cut_over_migration, &wish);
	tell(c, id, MIGRATION_NEWS_STOPPING, (struct cloud_migration_report){.was_running = true});
	assert_true(get(c, id)->is_stopped && get(c, id)->was_running);
	assert_int_equal(cloud_instance(c, instance)->wanted_power, INSTANCE_WANTED_POWER_OFF);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF);
	say(c, id, MIGRATION_NEWS_STOPPED);
	copy_round(c, id, "snap-2");
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_MAKING);
	return id;
}

static void start_here(struct cloud *c, uuid instance, enum err err)
{
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish wish = {.instances = {&ref, 1}};
	if (err)
		cloud_fails(c, &c->alice, engine_start_instances, &wish, err, KIND_INSTANCE);
	else
		cloud_ok(c, &c->alice, engine_start_instances, &wish);
}

/* From the request of the machine there on, the instance cannot be started; an undo starts it. */
static void never_runs_twice(void **state)
{
	struct cloud *c = *state;
	uuid id = reach_making(c), instance = get(c, id)->instance;
	struct cloud_migration_target wish = target(c, id);
	say(c, id, MIGRATION_NEWS_ASKED);
	start_here(c, instance, ERR_STATE);
	tell(c, id, MIGRATION_NEWS_MADE, (struct cloud_migration_report){.ref = STR("i-there")});
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_STARTING);
	start_here(c, instance, ERR_STATE);
	cloud_ok(c, &c->alice, engine_undo_migration, &wish);
	assert_int_equal(cloud_instance(c, instance)->wanted_power, INSTANCE_WANTED_POWER_OFF);
	start_here(c, instance, ERR_STATE); /* the machine there may still run */
	say(c, id, MIGRATION_NEWS_RESTART);
	assert_int_equal(cloud_instance(c, instance)->wanted_power, INSTANCE_WANTED_POWER_ON);
	uuid base = disk_of(c, id)->base_snapshot;
	say(c, id, MIGRATION_NEWS_THAWED);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_UNDONE);
	assert_false(is_kept(c, base));
}

static RESULT put_migration(struct op *op, void *row)
{
	return cloud_migration_put(op, row);
}

/* Rounds of whole disks would never get smaller. */
static void whole_disks_wait_for_the_cutover(void **state)
{
	struct cloud *c = *state;
	uuid id = plan(c);
	struct cloud_migration_target wish = target(c, id);
	int64_t due_us = 0;
	cloud_ok(c, &c->alice, engine_start_migration, &wish);
	copy_round(c, id, "snap-1");
	struct cloud_migration whole = *get(c, id);
	assert_int_equal(engine_find_migration_turn(&whole, &due_us), MIGRATION_TURN_ROUND);
	assert_true(due_us < INT64_MAX);
	whole.copies_whole = true;
	assert_int_equal(cloud_run(c, NULL, put_migration, &whole).code, ERR_NONE);
	assert_int_equal(engine_find_migration_turn(get(c, id), &due_us), MIGRATION_TURN_ROUND);
	assert_int_equal(due_us, INT64_MAX);
}

/* The volumes are known before the request of the machine that has them. */
static void volumes_are_noted_before_the_request(void **state)
{
	struct cloud *c = *state;
	uuid id = reach_making(c);
	struct migration_point point = {disk_of(c, id)->volume, STR("volume-there")};
	tell(c, id, MIGRATION_NEWS_ASKED,
	     (struct cloud_migration_report){.points = &point, .point_count = 1});
	assert_true(get(c, id)->was_asked);
	assert_true(str_is(disk_of(c, id)->made, "volume-there"));
}

static void a_started_instance_ends_the_cutover(void **state)
{
	struct cloud *c = *state;
	uuid id = reach_making(c);
	start_here(c, get(c, id)->instance, ERR_NONE);
	say(c, id, MIGRATION_NEWS_ASKED);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_SYNCED);
	assert_false(get(c, id)->was_asked || get(c, id)->is_final || get(c, id)->cutover_us);
}

static void loss_must_be_accepted(void **state)
{
	struct cloud *c = *state;
	uuid id = reach_making(c);
	struct cloud_migration_target wish = target(c, id);
	say(c, id, MIGRATION_NEWS_ASKED);
	tell(c, id, MIGRATION_NEWS_MADE, (struct cloud_migration_report){.ref = STR("i-there")});
	say(c, id, MIGRATION_NEWS_RUNNING);
	say(c, id, MIGRATION_NEWS_THAWED);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_DONE);
	cloud_fails(c, &c->alice, engine_undo_migration, &wish, ERR_STATE, KIND_CLOUD_MIGRATION);
	wish.accepts_loss = true;
	cloud_ok(c, &c->alice, engine_undo_migration, &wish);
	assert_int_equal(get(c, id)->stage, CLOUD_MIGRATION_STAGE_UNDOING);
}

static void attach(struct cloud *c, uuid instance, struct str device)
{
	const struct zone *zone = zone_find(cloud_tables(c), cloud_volume(c, instance)->zone);
	struct volume_wish wish = {.zone = ref_by_id(KIND_ZONE, zone->row.id),
				   .disk = {.size = GIB, .type = STR("gp3"), .field = STR("Size")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_see_volume(c, wish.volume);
	struct volume_attaching attaching = {.volume = ref_to(c, KIND_VOLUME, wish.volume),
					     .instance = ref_to(c, KIND_INSTANCE, instance),
					     .device = device};
	cloud_ok(c, &c->alice, engine_attach_volume, &attaching);
}

/* Names that AWS does not take are replaced, with all others: a new name could be another disk's. */
static void names_of_disks_differ(void **state)
{
	static const char *const kept[] = {"/dev/sdg", "/dev/sdh"}, *const given[] = {"/dev/sdg", "/dev/vdh"},
				 *const made[] = {"/dev/xvdba", "/dev/xvdbb"};
	struct cloud *c = *state;
	for (size_t k = 0; k < 2; k++) {
		const char *const *devices = k ? given : kept, *const *named = k ? made : kept;
		uuid instance = cloud_launch_one(c);
		cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
		cloud_see_volume(c, cloud_volume(c, instance)->row.id);
		for (size_t n = 0; n < 2; n++)
			attach(c, instance, str_from(devices[n]));
		struct migration_wish wish = {.instance = ref_to(c, KIND_INSTANCE, instance),
					      .provider = ref_to(c, KIND_PROVIDER, add_provider(c))};
		cloud_ok(c, &c->alice, engine_plan_migration, &wish);
		size_t found = 0;
		for (const struct cloud_migration_disk *d = disk_of(c, wish.migration); d;
		     d = cloud_migration_disk_next_by_migration(cloud_tables(c), d))
			if (d->number > 0) {
				assert_true(str_is(d->device, named[d->number - 1]));
				found++;
			}
		assert_int_equal(found, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_by_name, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(rounds_keep_one_base, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(a_grown_disk_is_copied_whole, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(an_undo_waits_for_late_snapshots, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(a_lost_target_is_replaced, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(never_runs_twice, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(whole_disks_wait_for_the_cutover, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(volumes_are_noted_before_the_request, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(a_started_instance_ends_the_cutover, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(names_of_disks_differ, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(loss_must_be_accepted, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
