/* SPDX-License-Identifier: Apache-2.0
 * Backup plans, end to end: each run backs up all disks of each machine once, regardless of kills and downtimes;
 * what expires leaves the chunks that others need; a machine is restored with the content of its backup, and a
 * test restore writes its result. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "base/file.h"
#include "engine/backup/backup_plan.h"
#include "engine/backup/machine_backup.h"
#include "engine/people/account/account.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/machine_backup.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

enum { SEEDS = 2 };

/* ---- looking; texts are not to be looked at ---- */

static struct backup_plan plan_row(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup_plan *p = backup_plan_first(view.tables);
	return p ? *p : (struct backup_plan){0};
}

static int count_backups(struct cloud *c, enum machine_backup_state state)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct machine_backup *m = machine_backup_first(view.tables); m;
	     m = machine_backup_next(view.tables, m))
		count += model_derive_machine_backup_state(m) == state;
	return count;
}

static struct machine_backup newest(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct machine_backup *found = NULL;
	for (const struct machine_backup *m = machine_backup_first(view.tables); m;
	     m = machine_backup_next(view.tables, m))
		if (!found || m->data_us > found->data_us)
			found = m;
	return found ? *found : (struct machine_backup){0};
}

static int count_rows_of_disks(struct cloud *c)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct backup *b = backup_first(view.tables); b; b = backup_next(view.tables, b))
		count++;
	return count;
}

/* Volumes in the order of their slots. */
static uuid disk_at(struct cloud *c, uuid instance, int64_t slot)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_first_by_instance(view.tables, instance);
	while (v && v->device_slot != slot)
		v = volume_next_by_instance(view.tables, v);
	return v ? v->row.id : UUID_NONE;
}

static void write_disks(struct cloud *c, uuid instance, const char *root, const char *data)
{
	sim_compute_write_disk(STR("h0"), disk_at(c, instance, 0), root);
	sim_compute_write_disk(STR("h0"), disk_at(c, instance, 1), data);
}

static bool has_texts(struct cloud *c, uuid instance, const char *root, const char *data)
{
	return sim_compute_disk_has(STR("h0"), disk_at(c, instance, 0), root) &&
	       sim_compute_disk_has(STR("h0"), disk_at(c, instance, 1), data);
}

/* ---- making ---- */

/* An instance that runs and has two disks. */
static uuid make_machine(struct cloud *c)
{
	uuid instance = cloud_launch_running(c);
	struct volume_wish wish = {.disk = {.size = CLOUD_GIB, .type = STR("gp2")}};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	struct volume_attaching attach = {.volume = cloud_ref(c, KIND_VOLUME, wish.volume),
					  .instance = cloud_ref(c, KIND_INSTANCE, instance),
					  .device = STR("/dev/sdf")};
	cloud_ok(c, &c->alice, engine_attach_volume, &attach);
	cloud_settle(c);
	return instance;
}

/* Runs at half past each hour. */
static uuid make(struct cloud *c, int64_t keep_last)
{
	static const struct str name = STR("nightly"), schedule = STR("30"), zone = STR("Europe/Berlin");
	uuid instance = make_machine(c);
	struct ref ref = cloud_ref(c, KIND_INSTANCE, instance);
	struct backup_plan_wish wish = {.target = c->backup.url,
					.name = &name,
					.schedule = &schedule,
					.timezone = &zone,
					.sets_interval = true,
					.interval = BACKUP_PLAN_INTERVAL_HOURLY,
					.instances = {&ref, 1},
					.given = {.instances = true, .last = true},
					.keep.last = keep_last};
	cloud_ok(c, &c->alice, engine_create_backup_plan, &wish);
	cloud_settle(c);
	return instance;
}

static void change(struct cloud *c, struct backup_plan_wish wish)
{
	wish.target = c->backup.url;
	wish.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan_row(c).row.id);
	cloud_ok(c, &c->alice, engine_update_backup_plan, &wish);
}

/* Steps until shortly after the next run. */
static bool pass(struct cloud *c)
{
	int64_t next_us = plan_row(c).next_us;
	cloud_step_for(c, next_us - clock_now_us() + 2 * CLOUD_HOST_INTERVAL_US);
	return !cloud_was_killed(c) && cloud_lived_to_settle(c);
}

static void done(struct cloud *c)
{
	change(c, (struct backup_plan_wish){.is_active = CHOICE_NO});
	cloud_done(c);
}

static uuid restore(struct cloud *c, uuid backup, bool in_place)
{
	struct machine_restoring wish = {.backup = cloud_ref(c, KIND_MACHINE_BACKUP, backup),
					 .in_place = in_place};
	cloud_ok(c, &c->alice, engine_restore_machine_backup, &wish);
	uuid made = wish.made.at[0];
	cloud_settle(c);
	return made;
}

/* ---- runs ---- */

static void test_runs_and_expires(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid instance = make(c, 2);
	int64_t first_us = plan_row(c).next_us;
	static const char *const texts[] = {"one", "two", "three", "four"};
	for (int k = 0; k < 4; k++) {
		write_disks(c, instance, texts[k], texts[3 - k]);
		assert_true(pass(c));
		assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), k < 2 ? k + 1 : 2);
		assert_int_equal(plan_row(c).run_us, first_us + k * HOUR);
	}
	assert_int_equal(count_rows_of_disks(c), 4); /* two disks of each of the two kept backups */
	assert_int_equal(newest(c).consistency,
			 MACHINE_BACKUP_CONSISTENCY_CRASH); /* both disks at one moment */
	uuid again = restore(c, newest(c).row.id, false);
	assert_true(has_texts(c, again, "four", "one"));
	done(c);
}

/* The oldest backup that is left has the chunks that expired ones stored first. */
static void test_content_of_expired(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	uuid instance = make(c, 1);
	write_disks(c, instance, "root", "data");
	for (int k = 0; k < 3; k++)
		assert_true(pass(c));
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 1);
	uuid again = restore(c, newest(c).row.id, false);
	assert_true(has_texts(c, again, "root", "data"));
	done(c);
}

static void test_missed(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	(void) make(c, 8);
	int64_t first_us = plan_row(c).next_us;
	cloud_kill(c);
	clock_advance_us(10 * HOUR);
	cloud_restart(c);
	cloud_settle(c);
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 1);
	assert_int_equal(plan_row(c).run_us, first_us);
	assert_true(plan_row(c).next_us > clock_now_us());
	done(c);
}

/* A refused backup is tried again, and the plan says why. */
static void test_refused(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(4, 1);
	(void) make(c, 8);
	struct account_change settings = {.account = cloud_ref(c, KIND_ACCOUNT, c->alice.account),
					  .enabled = CHOICE_NO};
	cloud_ok(c, NULL, engine_update_account, &settings);
	assert_true(pass(c));
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 0);
	assert_true(cloud_has_condition(c, plan_row(c).row.id, BACKUP_FAILED));
	assert_true(plan_row(c).retry_us > 0);
	settings.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &settings);
	cloud_step_for(c, 3 * MINUTE);
	cloud_settle(c);
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 1);
	assert_false(cloud_has_condition(c, plan_row(c).row.id, BACKUP_FAILED));
	assert_int_equal(plan_row(c).retry_us, 0);
	done(c);
}

/* ---- holds and the last good backup ---- */

static void test_hold(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(5, 1);
	(void) make(c, 1);
	assert_true(pass(c));
	uuid held = newest(c).row.id;
	struct machine_backup_settings hold = {.backup = cloud_ref(c, KIND_MACHINE_BACKUP, held),
					       .is_held = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_machine_backup, &hold);
	struct machine_backup_target target = {.backup = cloud_ref(c, KIND_MACHINE_BACKUP, held)};
	assert_int_equal(cloud_call(c, &c->alice, engine_delete_machine_backup_run, &target).code,
			 ERR_PROTECTED);
	assert_true(pass(c));
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 2);
	hold.is_held = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_machine_backup, &hold);
	cloud_settle(c);
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 1);
	assert_false(uuid_equal(newest(c).row.id, held));
	done(c);
}

/* ---- restores ---- */

static void test_restore_in_place(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(6, 1);
	uuid instance = make(c, 3);
	write_disks(c, instance, "before", "earlier");
	assert_true(pass(c));
	uuid backup = newest(c).row.id;
	write_disks(c, instance, "after", "later");
	struct machine_restoring wish = {.backup = cloud_ref(c, KIND_MACHINE_BACKUP, backup),
					 .in_place = true};
	assert_int_equal(cloud_call(c, &c->alice, engine_restore_machine_backup_run, &wish).code, ERR_STATE);
	assert_true(result_is_ok(cloud_power(c, engine_stop_instances_run, instance, false)));
	cloud_await(c, instance, INSTANCE_STOPPED);
	cloud_settle(c);
	assert_true(uuid_equal(restore(c, backup, true), instance));
	assert_true(has_texts(c, instance, "before", "earlier"));
	assert_true(result_is_ok(cloud_power(c, engine_start_instances_run, instance, false)));
	cloud_await(c, instance, INSTANCE_RUNNING);
	done(c);
}

static void test_check(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(7, 1);
	(void) make(c, 3);
	change(c, (struct backup_plan_wish){.keep.check_days = 1, .given.check_days = true});
	assert_true(pass(c));
	cloud_step_for(c, MINUTE);
	cloud_settle(c);
	assert_int_equal(newest(c).check_state, MACHINE_BACKUP_CHECK_STATE_PASSED);
	assert_true(uuid_is_none(newest(c).check_instance));
	assert_true(pass(c));
	cloud_step_for(c, MINUTE);
	cloud_settle(c);
	assert_int_equal(newest(c).check_state, MACHINE_BACKUP_CHECK_STATE_NONE); /* a day has not passed */
	done(c);
}

/* ---- kills ---- */

static bool tell_with_kill(uint64_t seed, uint64_t at)
{
	struct cloud *c = cloud_new(seed, 1);
	uuid instance = make(c, 2);
	int64_t first_us = plan_row(c).next_us;
	bool was_killed = false;
	write_disks(c, instance, "root", "data");
	c->kill_at = c->steps + at;
	while (plan_row(c).run_us < first_us + 2 * HOUR) {
		if (pass(c))
			continue;
		assert_false(was_killed);
		was_killed = true;
		cloud_restart(c);
		cloud_settle(c);
	}
	c->kill_at = 0;
	cloud_settle(c);
	assert_int_equal(plan_row(c).run_us, first_us + 2 * HOUR);
	assert_int_equal(count_backups(c, MACHINE_BACKUP_AVAILABLE), 2);
	assert_int_equal(count_backups(c, MACHINE_BACKUP_ERROR), 0);
	assert_true(has_texts(c, restore(c, newest(c).row.id, false), "root", "data"));
	done(c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t at = 1;
		while (tell_with_kill(seed, at))
			at += at < 60 ? 2 : 29;
		print_message("seed %llu: killed until step %llu\n", (unsigned long long) seed,
			      (unsigned long long) at);
		assert_true(at > 60);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_and_expires),
		cmocka_unit_test(test_content_of_expired),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_restore_in_place),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_kill_after_each_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
