/* SPDX-License-Identifier: Apache-2.0
 * Rules for backups: which backup an increment is based on, which backups keep others from deletion, and the
 * outcomes of a restore. */
#include "cloud.h"
#include "engine/backup/machine_backup.h"
#include "engine/storage/snapshot/backup.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/instance.h"
#include "store/machine_backup.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define TARGET STR("file:///backups")

static const struct backup *find_backup(const struct cloud *c, uuid id)
{
	return backup_find(cloud_tables(c), id);
}

static RESULT put_backup(struct op *op, void *row)
{
	return backup_put(op, row);
}

static void save_backup(struct cloud *c, struct backup *row)
{
	assert_int_equal(cloud_run(c, NULL, put_backup, row).code, ERR_NONE);
}

static uuid create_seen(struct cloud *c, int64_t size)
{
	uuid volume = cloud_make_volume(c, size);
	cloud_see_volume(c, volume);
	return volume;
}

/* Tries to modify the volume, which is refused (ERR_STATE) from a restore's beginning until its success. */
static enum err try_modify(struct cloud *c, uuid volume)
{
	struct volume_modifying wish = {.volume = ref_to(c, KIND_VOLUME, volume), .size = 4 * GIB};
	return cloud_run(c, &c->alice, engine_modify_volume_run, &wish).code;
}

static void keep(struct cloud *c, uuid snapshot, const char *problem)
{
	struct snapshot_report report = {.snapshot = snapshot,
					 .gen = 1,
					 .stage = problem ? SNAPSHOT_SEEN_STAGE_NONE
							  : SNAPSHOT_SEEN_STAGE_KEPT,
					 .sha256 = STR("cafe"),
					 .file_size = GIB,
					 .problem = str_from(problem)};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
}

static struct backup_wish wish_of(struct cloud *c, uuid volume, bool is_incremental)
{
	return (struct backup_wish){
		.target = TARGET, .volume = ref_to(c, KIND_VOLUME, volume), .is_incremental = is_incremental};
}

static uuid back_up(struct cloud *c, uuid volume, bool is_incremental)
{
	struct backup_wish wish = wish_of(c, volume, is_incremental);
	clock_set_us(clock_now_us() + SECOND);
	cloud_ok(c, &c->alice, engine_create_backup, &wish);
	return wish.backup;
}

/* Makes a backup: its snapshot is kept, then the backup is reported as written. */
static uuid back_up_whole(struct cloud *c, uuid volume, bool is_incremental)
{
	uuid id = back_up(c, volume, is_incremental), cut = find_backup(c, id)->cut;
	keep(c, cut, NULL);
	assert_true(row_is_live(&snapshot_find(cloud_tables(c), cut)->row)); /* it is needed still */
	struct backup_report report = {.backup = id, .object_count = 2, .stored_size = 100};
	cloud_ok(c, NULL, engine_see_backup, &report);
	const struct snapshot *gone = snapshot_find(cloud_tables(c), cut);
	assert_true(!gone || !row_is_live(&gone->row));
	assert_int_equal(model_derive_backup_state(find_backup(c, id)), BACKUP_AVAILABLE);
	return id;
}

static enum err try_delete(struct cloud *c, uuid backup)
{
	struct backup_deleting wish = {.backup = ref_to(c, KIND_BACKUP, backup)};
	return cloud_run(c, &c->alice, engine_delete_backup_run, &wish).code;
}

static void test_incremental(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB);
	struct backup_wish none = wish_of(c, volume, true);
	assert_int_equal(cloud_run(c, &c->alice, engine_create_backup_run, &none).code, ERR_STATE);
	uuid first = back_up_whole(c, volume, false), second = back_up_whole(c, volume, true);
	assert_true(uuid_equal(find_backup(c, second)->parent, first));
	uuid third = back_up_whole(c, volume, true);
	assert_true(uuid_equal(find_backup(c, third)->parent, second));
	assert_int_equal(try_delete(c, first), ERR_STATE);
	assert_int_equal(try_delete(c, second), ERR_STATE);
	assert_int_equal(try_delete(c, third), ERR_NONE);
	assert_int_equal(try_delete(c, second), ERR_NONE); /* its child's objects may still be there */
	struct backup_forget forget = {.backup = third};
	cloud_ok(c, NULL, engine_forget_backup, &forget);
}

static void test_of_others(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), backup = back_up_whole(c, volume, false);
	struct backup_wish wish = wish_of(c, volume, false);
	assert_int_equal(cloud_run(c, &c->bob, engine_create_backup_run, &wish).code, ERR_NOT_FOUND);
	struct backup_deleting deleting = {.backup = ref_to(c, KIND_BACKUP, backup)};
	assert_int_equal(cloud_run(c, &c->bob, engine_delete_backup_run, &deleting).code, ERR_NOT_FOUND);
	struct backup_restoring restoring = {.backup = ref_to(c, KIND_BACKUP, backup)};
	assert_int_equal(cloud_run(c, &c->bob, engine_restore_backup_run, &restoring).code, ERR_NOT_FOUND);
}

static void test_no_target(void **state)
{
	struct cloud *c = *state;
	struct backup_wish wish = wish_of(c, create_seen(c, GIB), false);
	wish.target = STR_NONE;
	assert_int_equal(cloud_run(c, &c->alice, engine_create_backup_run, &wish).code, ERR_GONE);
}

static uuid begin_restore(struct cloud *c, uuid backup, uuid volume)
{
	struct backup_restoring wish = {.backup = ref_to(c, KIND_BACKUP, backup),
					.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_restore_backup, &wish);
	assert_int_equal(try_modify(c, volume), ERR_STATE);
	assert_true(engine_backup_is_restoring(cloud_tables(c), backup));
	return snapshot_first_by_restores(cloud_tables(c), volume)->row.id;
}

static void test_restore(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), backup = back_up_whole(c, volume, false);
	uuid other = create_seen(c, 2 * GIB), fetched = begin_restore(c, backup, other);
	struct volume_target deleting = {.volume = ref_to(c, KIND_VOLUME, other)};
	assert_int_equal(cloud_run(c, &c->alice, engine_delete_volume_run, &deleting).code, ERR_STATE);
	assert_int_equal(try_delete(c, backup), ERR_STATE);
	keep(c, fetched, NULL);
	const struct snapshot *row = snapshot_find(cloud_tables(c), fetched);
	assert_true(row && !row_is_live(&row->row)); /* deleted once the volume is created from it */
	assert_int_equal(try_modify(c, other), ERR_STATE);
	cloud_see_volume(c, other);
	assert_int_equal(try_modify(c, other), ERR_NONE);
	assert_int_equal(try_delete(c, backup), ERR_NONE);
}

static void test_restore_that_fails(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), backup = back_up_whole(c, volume, false);
	uuid fetched = begin_restore(c, backup, volume);
	keep(c, fetched, "a chunk is damaged");
	assert_int_equal(try_modify(c, volume), ERR_STATE);
	assert_int_equal(model_derive_backup_state(find_backup(c, backup)), BACKUP_AVAILABLE);
	struct volume_target deleting = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_delete_volume, &deleting);
}

static void test_a_cut_that_fails(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), backup = back_up(c, volume, false);
	assert_true(engine_volume_is_backing_up(cloud_tables(c), volume));
	keep(c, find_backup(c, backup)->cut, "no room");
	assert_false(engine_volume_is_backing_up(cloud_tables(c), volume));
	struct backup_report report = {.backup = backup, .problem = STR("no room")};
	cloud_ok(c, NULL, engine_see_backup, &report);
	assert_int_equal(model_derive_backup_state(find_backup(c, backup)), BACKUP_ERROR);
	assert_int_equal(try_delete(c, backup), ERR_NONE);
}

/* The user's snapshot is needed until it is written. */
static void test_of_a_snapshot(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB);
	struct snapshot_wish snapshot = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &snapshot);
	struct backup_wish wish = wish_of(c, volume, false);
	wish.snapshot = ref_to(c, KIND_SNAPSHOT, snapshot.snapshot);
	assert_int_equal(cloud_run(c, &c->alice, engine_create_backup_run, &wish).code, ERR_STATE);
	keep(c, snapshot.snapshot, NULL);
	cloud_ok(c, &c->alice, engine_create_backup, &wish);
	struct snapshot_target deleting = {.snapshot = wish.snapshot};
	assert_int_equal(cloud_run(c, &c->alice, engine_delete_snapshot_run, &deleting).code, ERR_IN_USE);
	struct backup_report report = {.backup = wish.backup};
	cloud_ok(c, NULL, engine_see_backup, &report);
	cloud_ok(c, &c->alice, engine_delete_snapshot, &deleting);
}

static void test_import(void **state)
{
	struct cloud *c = *state;
	struct backup_importing wish = {
		.target = TARGET, .id = {.b = {1}}, .size = GIB, .container = STR("c"), .name = STR("n")};
	cloud_ok(c, &c->alice, engine_import_backup, &wish);
	assert_int_equal(cloud_run(c, &c->alice, engine_import_backup_run, &wish).code, ERR_STATE);
	struct backup_report report = {.backup = wish.id, .is_found = true, .size = 2 * GIB, .data_us = 1};
	cloud_ok(c, NULL, engine_see_backup, &report);
	assert_int_equal(model_derive_backup_state(find_backup(c, wish.id)),
			 BACKUP_ERROR); /* of another size */
	wish.id = (uuid){.b = {2}};
	wish.container = STR("../c");
	assert_int_equal(cloud_run(c, &c->alice, engine_import_backup_run, &wish).code, ERR_INVALID);
	wish.container = STR("regions"); /* region backups are there */
	assert_int_equal(cloud_run(c, &c->alice, engine_import_backup_run, &wish).code, ERR_INVALID);
}

static int64_t stored_by(struct cloud *c, uuid backup)
{
	return find_backup(c, backup)->stored_size;
}

/* The bytes of a backup that goes are counted by another one of its chain as far as they stay. What a failed backup has stored
 * was never counted. */
static void test_bytes_of_a_chain(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), first = back_up_whole(c, volume, false),
	     second = back_up_whole(c, volume, true), third = back_up(c, volume, true);
	keep(c, find_backup(c, third)->cut, NULL);
	struct backup_report report = {.backup = third, .problem = STR("no room")};
	cloud_ok(c, NULL, engine_see_backup, &report);
	assert_int_equal(try_delete(c, third), ERR_NONE);
	struct backup_forget forget = {.backup = third, .freed = 60};
	cloud_ok(c, NULL, engine_forget_backup, &forget);
	assert_int_equal(stored_by(c, first), 100);
	assert_int_equal(stored_by(c, second), 100);
	assert_int_equal(try_delete(c, second), ERR_NONE);
	forget = (struct backup_forget){.backup = second, .freed = 60};
	cloud_ok(c, NULL, engine_forget_backup, &forget);
	assert_int_equal(stored_by(c, first), 140);
}

/* The folder of a full backup that is gone holds the chunks of the increments: nobody imports it, to delete it. */
static void test_import_of_a_chain(void **state)
{
	struct cloud *c = *state;
	struct backup b = *find_backup(c, back_up_whole(c, create_seen(c, GIB), false));
	struct backup_importing wish = {
		.target = TARGET, .id = {.b = {9}}, .size = GIB, .container = STR("volumebackups")};
	b.chain = wish.id;
	save_backup(c, &b);
	cloud_fails(c, &c->alice, engine_import_backup, &wish, ERR_STATE, KIND_BACKUP);
}

/* ---- machines ---- */

static RESULT put_volume(struct op *op, void *row)
{
	return volume_put(op, row);
}

/* A machine that is off, with one disk. */
static uuid make_machine(struct cloud *c, uuid *ret_disk)
{
	uuid machine = cloud_launch_one(c);
	struct ref ref = ref_to(c, KIND_INSTANCE, machine);
	struct instances_wish stop = {.instances = {&ref, 1}};
	cloud_see(c, machine, INSTANCE_SEEN_POWER_ON);
	cloud_ok(c, &c->alice, engine_stop_instances, &stop);
	cloud_see(c, machine, INSTANCE_SEEN_POWER_OFF);
	struct volume disk = *cloud_volume(c, machine);
	disk.seen_instance = machine;
	disk.seen_size = disk.size;
	disk.seen_host = disk.host;
	assert_int_equal(cloud_run(c, NULL, put_volume, &disk).code, ERR_NONE);
	*ret_disk = disk.row.id;
	return machine;
}

static uuid finish(struct cloud *c, uuid backup)
{
	struct backup_report report = {.backup = backup, .object_count = 2, .stored_size = 100};
	keep(c, find_backup(c, backup)->cut, NULL);
	cloud_ok(c, NULL, engine_see_backup, &report);
	return backup;
}

static uuid back_up_machine(struct cloud *c, uuid machine)
{
	struct machine_backup_wish wish = {.target = TARGET, .instance = ref_to(c, KIND_INSTANCE, machine)};
	clock_set_us(clock_now_us() + SECOND);
	cloud_ok(c, &c->alice, engine_create_machine_backup, &wish);
	finish(c, backup_first_by_machine_backup(cloud_tables(c), wish.backup)->row.id);
	return wish.backup;
}

static uuid restore_in_place(struct cloud *c, uuid backup, uuid disk)
{
	struct machine_restoring wish = {.backup = ref_by_id(KIND_MACHINE_BACKUP, backup), .in_place = true};
	cloud_ok(c, &c->alice, engine_restore_machine_backup, &wish);
	const struct snapshot *s = snapshot_first_by_restores(cloud_tables(c), disk);
	while (!row_is_live(&s->row))
		s = snapshot_next_by_restores(cloud_tables(c), s);
	return s->row.id;
}

/* A failed restore in place can be repeated, from the same backup or another one. */
static void test_restore_in_place_again(void **state)
{
	struct cloud *c = *state;
	uuid disk, machine = make_machine(c, &disk), first = back_up_machine(c, machine),
		   second = back_up_machine(c, machine);
	keep(c, restore_in_place(c, second, disk), "a chunk is damaged");
	assert_int_equal(volume_find(cloud_tables(c), disk)->reservation, VOLUME_RESERVATION_ERROR_RESTORING);
	keep(c, restore_in_place(c, first, disk), NULL);
	const struct volume *v = volume_find(cloud_tables(c), disk);
	assert_int_equal(v->reservation, VOLUME_RESERVATION_NONE);
	assert_int_equal(v->reverts, 1);
}

static RESULT put_instance(struct op *op, void *row)
{
	return instance_put(op, row);
}

/* The copy of a test restore goes with the test, although somebody has protected it. */
static void test_check_ends_its_copy(void **state)
{
	struct cloud *c = *state;
	uuid disk, backup = back_up_machine(c, make_machine(c, &disk));
	struct machine_check check = {.backup = ref_by_id(KIND_MACHINE_BACKUP, backup)};
	cloud_ok(c, &c->alice, engine_check_machine_backup, &check);
	uuid copy = machine_backup_find(cloud_tables(c), backup)->check_instance;
	struct instance next = *cloud_instance(c, copy);
	next.protect_terminate = next.protect_stop = true;
	assert_int_equal(cloud_run(c, NULL, put_instance, &next).code, ERR_NONE);
	struct machine_check_report report = {.backup = backup, .instance = copy, .message = STR("late")};
	cloud_ok(c, NULL, engine_see_machine_check, &report);
	const struct instance *i = cloud_instance(c, copy);
	assert_true(!i || !row_is_live(&i->row));
	assert_int_equal(machine_backup_find(cloud_tables(c), backup)->check_state,
			 MACHINE_BACKUP_CHECK_STATE_FAILED);
}

/* Chunks in the folder of a backup that was made before there were chains are not kept for a machine's backups, whose parents
 * expire. */
static void test_machines_have_whole_chains(void **state)
{
	struct cloud *c = *state;
	uuid disk, machine = make_machine(c, &disk);
	struct backup_wish wish = wish_of(c, disk, false);
	wish.is_forced = true;
	cloud_ok(c, &c->alice, engine_create_backup, &wish);
	struct backup old = *find_backup(c, finish(c, wish.backup));
	old.chain = UUID_NONE;
	save_backup(c, &old);
	wish.is_incremental = true;
	clock_set_us(clock_now_us() + SECOND);
	cloud_ok(c, &c->alice, engine_create_backup, &wish);
	assert_true(uuid_equal(find_backup(c, finish(c, wish.backup))->parent, old.row.id));
	uuid first = back_up_machine(c, machine), second = back_up_machine(c, machine);
	const struct backup *full = backup_first_by_machine_backup(cloud_tables(c), first);
	assert_true(uuid_is_none(full->parent));
	assert_true(
		uuid_equal(backup_first_by_machine_backup(cloud_tables(c), second)->parent, full->row.id));
}

/* An account that has backups is not deleted: nobody would ever remove them. */
static void test_keeps_its_account(void **state)
{
	struct cloud *c = *state;
	struct backup_importing wish = {
		.target = TARGET, .id = {.b = {1}}, .size = GIB, .container = STR("c")};
	cloud_ok(c, &c->alice, engine_import_backup, &wish);
	struct account_target target = {.account = ref_to(c, KIND_ACCOUNT, c->alice.account)};
	assert_int_equal(cloud_run(c, NULL, engine_delete_account_run, &target).code, ERR_IN_USE);
	assert_true(str_contains(c->c.problem.message, STR("backups (1)")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_incremental, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_of_others, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_no_target, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_restore, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_restore_that_fails, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_a_cut_that_fails, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_of_a_snapshot, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_import, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_bytes_of_a_chain, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_import_of_a_chain, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_restore_in_place_again, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_check_ends_its_copy, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_machines_have_whole_chains, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(test_keeps_its_account, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
