/* SPDX-License-Identifier: Apache-2.0
 * Placement of instances that exist: which disks bind a running one to its host, which host takes one back that has
 * none, and changes of placement that would need another host. */
#include "cloud.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/instance/placement/server_group.h"
#include "model/instance_task.h"
#include "model/server_group.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/volume.h"

/* Writes rows as the test wants them, each with a new gen, as what is wanted may differ. */
static RESULT put_volume(struct op *op, void *row)
{
	return volume_put(op, row);
}

static RESULT put_instance(struct op *op, void *row)
{
	return instance_put(op, row);
}

static void write_volume(struct cloud *c, struct volume volume)
{
	volume.row.gen = volume_find(cloud_tables(c), volume.row.id)->row.gen + 1;
	cloud_expect(c, cloud_run(c, NULL, put_volume, &volume), ERR_NONE, KIND_NONE);
}

static void write_instance(struct cloud *c, struct instance instance)
{
	instance.row.gen = instance_find(cloud_tables(c), instance.row.id)->row.gen + 1;
	cloud_expect(c, cloud_run(c, NULL, put_instance, &instance), ERR_NONE, KIND_NONE);
}

static uuid launch_running(struct cloud *c)
{
	struct instance_launch launch = cloud_launch(c, 1);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	cloud_see_volume(c, cloud_volume(c, launch.made.at[0])->row.id);
	cloud_see(c, launch.made.at[0], INSTANCE_SEEN_POWER_ON);
	struct volume root = *cloud_volume(c, launch.made.at[0]);
	root.seen_instance = launch.made.at[0];
	write_volume(c, root);
	return launch.made.at[0];
}

/* ---- disks of a running instance ---- */

static enum err movable(struct cloud *c, uuid id, const char *why)
{
	ctx_clear_problem(&c->c);
	struct result result = instance_check_disks_movable(&c->c, cloud_tables(c), cloud_instance(c, id));
	if (!result_is_ok(result) && !str_contains(c->c.problem.message, str_from(why)))
		fail_msg("%.*s, not %s", STR_ARG(c->c.problem.message), why);
	return result.code;
}

static void check_disks(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_running(c);
	const struct volume fine = *cloud_volume(c, id);
	assert_int_equal(movable(c, id, ""), ERR_NONE);
	struct volume v = fine;
	v.seen_size = v.size - 1;
	write_volume(c, v);
	assert_int_equal(movable(c, id, "is being changed"), ERR_STATE);
	v = fine;
	v.reverts++;
	write_volume(c, v);
	assert_int_equal(movable(c, id, "is being changed"), ERR_STATE);
	v = fine;
	v.left_host = c->hosts[2];
	write_volume(c, v);
	assert_int_equal(movable(c, id, "its old file is still there"), ERR_STATE);
	v = fine;
	v.seen_host = c->hosts[2];
	write_volume(c, v);
	assert_int_equal(movable(c, id, "is not on its host"), ERR_STATE);
	v = fine;
	v.seen_instance = UUID_NONE;
	write_volume(c, v);
	assert_int_equal(movable(c, id, "is being attached or detached"), ERR_STATE);
	v = fine;
	v.is_shared = true; /* no time will mend that: the files of other hosts are not its host's */
	write_volume(c, v);
	assert_int_equal(movable(c, id, "in its host's own directory"), ERR_UNSUPPORTED);
	v = fine;
	v.is_medium = v.stands_alone = true;
	write_volume(c, v);
	assert_int_equal(movable(c, id, "eject it before"), ERR_UNSUPPORTED);
	write_volume(c, fine);
	assert_int_equal(movable(c, id, ""), ERR_NONE);
	struct snapshot_wish snapshot = {.volume = ref_to(c, KIND_VOLUME, fine.row.id)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &snapshot);
	assert_int_equal(movable(c, id, "is about to be copied for a snapshot"), ERR_STATE);
}

/* The copy of a disk counts only where the migration goes, and the guest only moves when all copies are there. */
static void check_copies(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_running(c), from = cloud_instance(c, id)->host;
	uuid to = uuid_equal(from, c->hosts[0]) ? c->hosts[1] : c->hosts[0];
	struct instance_migrating wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					  .host = {.kind = KIND_HOST, .prefix = to, .bits = 128}};
	cloud_ok(c, &c->operator, engine_migrate_instance, &wish);
	const struct volume *v = cloud_volume(c, id);
	assert_true(engine_volume_goes_along(cloud_tables(c), v));
	struct migration_disk_report report = {.volume = v->row.id, .host = c->hosts[2]};
	cloud_ok(c, NULL, engine_see_migration_disk, &report);
	report.host = from;
	cloud_ok(c, NULL, engine_see_migration_disk, &report);
	assert_true(uuid_is_none(cloud_volume(c, id)->ready_host));
	assert_false(engine_migration_has_disks(cloud_tables(c), engine_find_migration(cloud_tables(c), id)));
	report.host = to;
	cloud_ok(c, NULL, engine_see_migration_disk, &report);
	assert_true(uuid_equal(cloud_volume(c, id)->ready_host, to));
	assert_true(engine_migration_has_disks(cloud_tables(c), engine_find_migration(cloud_tables(c), id)));
}

/* ---- an instance without a host ---- */

static void take_from_host(struct cloud *c, uuid id, uuid next_host)
{
	struct instance instance = *cloud_instance(c, id);
	instance.host = UUID_NONE;
	instance.seen_power = INSTANCE_SEEN_POWER_ABSENT;
	instance.next_host = next_host;
	write_instance(c, instance);
}

static uuid place(struct cloud *c, uuid id)
{
	struct instance_placing placing = {.instance = id};
	cloud_ok(c, NULL, engine_place_instance, &placing);
	assert_int_equal(placing.placed, !uuid_is_none(cloud_instance(c, id)->host));
	return cloud_instance(c, id)->host;
}

/* An instance returns to the host of its disk even if another host is emptier, unless that host takes nothing. */
static void check_return_to_disks(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_running(c), home = cloud_instance(c, id)->host;
	uuid other = uuid_equal(home, c->hosts[0]) ? c->hosts[1] : c->hosts[0];
	const char *name = uuid_equal(home, c->hosts[0]) ? "h1" : "h2";
	struct host_settings closed = {
		.host = ref_named(KIND_HOST, uuid_equal(home, c->hosts[0]) ? "h2" : "h1"),
		.enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	(void) launch_running(c); /* beside it */
	closed.enabled = CHOICE_YES;
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	take_from_host(c, id, UUID_NONE);
	assert_true(uuid_equal(place(c, id), home));
	/* an operator's choice precedes the disk's, as long as that host is up */
	take_from_host(c, id, other);
	assert_true(uuid_equal(place(c, id), other));
	assert_true(uuid_is_none(cloud_instance(c, id)->next_host));
	struct host_report down = {.host = other, .state = HOST_SEEN_STATE_DOWN};
	cloud_ok(c, NULL, engine_see_host, &down);
	take_from_host(c, id, other);
	assert_true(uuid_equal(place(c, id), home));
	down.state = HOST_SEEN_STATE_UP;
	cloud_ok(c, NULL, engine_see_host, &down);
	closed = (struct host_settings){.host = ref_named(KIND_HOST, name), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	take_from_host(c, id, UUID_NONE);
	assert_true(uuid_equal(place(c, id), other));
}

/* A placement belongs to the resize that is under way, and not to the last one. */
static void check_task(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_running(c);
	static const enum instance_task tasks[] = {INSTANCE_TASK_RESIZE, INSTANCE_TASK_REVERT};
	for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++)
		for (int is_over = 0; is_over < 2; is_over++) {
			struct instance instance = *cloud_instance(c, id);
			instance.host = UUID_NONE;
			instance.seen_power = INSTANCE_SEEN_POWER_ABSENT;
			instance.task = tasks[k];
			instance.task_gen = (int64_t) instance.row.gen;
			instance.seen_gen = instance.task_gen - !is_over;
			write_instance(c, instance);
			assert_false(uuid_is_none(place(c, id)));
			assert_int_equal(model_derive_instance_task(cloud_instance(c, id)),
					 is_over ? INSTANCE_TASK_NONE : tasks[k]);
			assert_true(is_over || cloud_instance(c, id)->task_gen ==
						       (int64_t) cloud_instance(c, id)->row.gen);
		}
}

static void check_not_placed(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_running(c);
	struct instance instance = *cloud_instance(c, id);
	uint64_t gen = instance.row.gen;
	(void) place(c, id); /* it has a host */
	assert_int_equal(cloud_instance(c, id)->row.gen, gen);
	instance.host = UUID_NONE;
	instance.seen_power = INSTANCE_SEEN_POWER_ABSENT;
	instance.wanted_shelved = true;
	write_instance(c, instance);
	assert_true(uuid_is_none(place(c, id)));
	instance.wanted_shelved = false;
	write_instance(c, instance);
	assert_false(uuid_is_none(place(c, id)));
}

/* ---- changes ---- */

static uuid make_group(struct cloud *c, const struct identity *who)
{
	struct server_group_wish wish = {.name = STR("g"), .policy = SERVER_GROUP_POLICY_ANTI_AFFINITY};
	cloud_ok(c, who, engine_create_server_group, &wish);
	return wish.server_group;
}

static struct ref group_ref(uuid id)
{
	return (struct ref){.kind = KIND_SERVER_GROUP, .prefix = id, .bits = 128};
}

static uuid launch_stopped(struct cloud *c)
{
	uuid id = launch_running(c);
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish wish = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
	return id;
}

/* The state of a TPM is its host's: what would move the instance is refused, and what leaves it there is not. */
static void check_tpm(void **state)
{
	struct cloud *c = *state;
	struct host_settings closed = {.host = ref_named(KIND_HOST, "h1"), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	uuid first = launch_stopped(c), second = launch_stopped(c); /* both on h2 */
	closed.enabled = CHOICE_YES;
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	struct instance instance = *cloud_instance(c, second);
	instance.tpm = true;
	write_instance(c, instance);
	struct instance_placement wish = {.instance = ref_to(c, KIND_INSTANCE, first),
					  .set_group = true,
					  .server_group = group_ref(make_group(c, &c->alice))};
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	wish.instance = ref_to(c, KIND_INSTANCE, second);
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_UNSUPPORTED, KIND_INSTANCE);
	instance = *cloud_instance(c, second);
	instance.tpm = false;
	write_instance(c, instance);
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	assert_true(cloud_instance(c, second)->migrating);
}

static void check_changes_of_others(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_stopped(c);
	struct instance_placement wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					  .set_group = true,
					  .server_group = group_ref(make_group(c, &c->bob))};
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_NOT_FOUND, KIND_SERVER_GROUP);
	cloud_fails(c, &c->operator, engine_change_placement, &wish, ERR_NOT_FOUND, KIND_SERVER_GROUP);
	/* an instance of the default tenancy takes no other */
	wish = (struct instance_placement){
		.instance = wish.instance, .set_tenancy = true, .tenancy = INSTANCE_TENANCY_DEDICATED};
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_STATE, KIND_DEDICATED_HOST);
	wish = (struct instance_placement){.instance = wish.instance, .host_affinity = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_STATE, KIND_DEDICATED_HOST);
}

/* A change without effect keeps gen, so that the reconciler has nothing to do. */
static void check_no_change(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_stopped(c);
	struct instance_placement wish = {.instance = ref_to(c, KIND_INSTANCE, id), .set_group = true};
	uint64_t gen = cloud_instance(c, id)->row.gen;
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	assert_int_equal(cloud_instance(c, id)->row.gen, gen);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, cloud_setup, cloud_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(check_disks),      TEST(check_copies), TEST(check_return_to_disks),
		TEST(check_not_placed), TEST(check_tpm),    TEST(check_changes_of_others),
		TEST(check_no_change),  TEST(check_task),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
