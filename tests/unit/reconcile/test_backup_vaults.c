/* SPDX-License-Identifier: Apache-2.0
 * Plans and jobs of AWS Backup, end to end: a run by the rights of the selection's role, expiry by age, legal hold, stopped jobs, completion
 * windows, and the window in which failures are tried again. */
#include "../cloud/cloud.h"
#include "engine/backup/backup_plan.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/machine_backup.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/iam_role.h"
#include "store/account.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/machine_backup.h"

#define DAY (24 * HOUR)

static struct backup_plan plan_row(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup_plan *p = backup_plan_first(view.tables);
	return p ? *p : (struct backup_plan){0};
}

static struct machine_backup backup_row(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct machine_backup *m = machine_backup_first(view.tables);
	return m ? *m : (struct machine_backup){0};
}

static int count_backups(struct cloud *c)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct machine_backup *m = machine_backup_first(view.tables); m;
	     m = machine_backup_next(view.tables, m))
		count++;
	return count;
}

static int count_disks(struct cloud *c)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct backup *b = backup_first(view.tables); b; b = backup_next(view.tables, b))
		count++;
	return count;
}

static struct str make_role(struct cloud *c)
{
	struct iam_role_wish role = {
		.name = STR("backup"),
		.trust = STR("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
			     "{\"Service\":\"backup.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}")};
	c->alice.is_owner = true; /* owners create roles and pass them */
	cloud_ok(c, &c->alice, engine_create_iam_role, &role);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return str_print(c->arena, "arn:aws:iam::%" STR_FMT ":role/backup",
			 STR_ARG(account_find(view.tables, c->alice.account)->number));
}

/* A plan of one instance, at half past each hour. */
static void make_plan(struct cloud *c, int64_t keep_days)
{
	struct ref instance = cloud_ref(c, KIND_INSTANCE, cloud_launch_running(c));
	struct vault_plan_wish plan = {.target = c->backup.url,
				       .name = STR("nightly"),
				       .rule_name = STR("hourly"),
				       .vault = STR(BACKUP_VAULT_DEFAULT),
				       .schedule = STR("cron(30 * * * ? *)"),
				       .keep_days = keep_days,
				       .start_minutes = 60,
				       .complete_minutes = 180};
	cloud_ok(c, &c->alice, engine_create_vault_plan, &plan);
	cloud_settle(c);
	assert_int_equal(plan_row(c).next_us, 0); /* without a selection it does not run */
	struct vault_selection_wish selection = {.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan.made),
						 .name = STR("one"),
						 .role = make_role(c),
						 .instances = {&instance, 1}};
	cloud_ok(c, &c->alice, engine_create_vault_selection, &selection);
	cloud_settle(c);
}

static void pass(struct cloud *c)
{
	cloud_step_for(c, plan_row(c).next_us - clock_now_us() + 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
}

static void deselect(struct cloud *c)
{
	struct vault_plan_target target = {.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan_row(c).row.id),
					   .selection = plan_row(c).selection};
	cloud_ok(c, &c->alice, engine_delete_vault_selection, &target);
	cloud_settle(c);
}

static void sleep_for(struct cloud *c, int64_t time_us)
{
	cloud_kill(c);
	clock_advance_us(time_us);
	cloud_restart(c);
	cloud_step_for(c, MINUTE);
	cloud_settle(c);
}

/* Each backup goes at its age, the newest one too. */
static void test_expires(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	make_plan(c, 2);
	assert_int_equal(plan_row(c).next_us % HOUR, 30 * MINUTE);
	pass(c);
	assert_int_equal(count_backups(c), 1);
	assert_true(backup_row(c).is_written);
	assert_int_equal(backup_row(c).deadline_us, 0);
	deselect(c);
	sleep_for(c, DAY);
	assert_int_equal(count_backups(c), 1);
	sleep_for(c, DAY);
	assert_int_equal(count_backups(c), 0);
	assert_int_equal(count_disks(c), 0);
	cloud_done(c);
}

static void test_held(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	make_plan(c, 1);
	pass(c);
	deselect(c);
	struct machine_backup_settings hold = {
		.backup = cloud_ref(c, KIND_MACHINE_BACKUP, backup_row(c).row.id), .is_held = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_machine_backup, &hold);
	sleep_for(c, 3 * DAY);
	assert_int_equal(count_backups(c), 1);
	hold.is_held = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_machine_backup, &hold);
	cloud_step_for(c, MINUTE);
	cloud_settle(c);
	assert_int_equal(count_backups(c), 0);
	cloud_done(c);
}

static uuid start(struct cloud *c, int64_t complete_minutes)
{
	struct backup_job_wish wish = {.target = c->backup.url,
				       .vault = STR(BACKUP_VAULT_DEFAULT),
				       .role = make_role(c),
				       .instance = cloud_ref(c, KIND_INSTANCE, cloud_launch_running(c)),
				       .complete_minutes = complete_minutes};
	cloud_ok(c, &c->alice, engine_start_backup_job, &wish);
	return wish.made;
}

/* A stopped job leaves its row, and nothing in the target. */
static void test_stopped(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	struct backup_job_target target = {.backup = cloud_ref(c, KIND_MACHINE_BACKUP, start(c, 0))};
	cloud_ok(c, &c->alice, engine_stop_backup_job, &target);
	cloud_settle(c);
	assert_true(backup_row(c).is_stopped);
	assert_int_equal(count_disks(c), 0);
	assert_int_equal(cloud_call(c, &c->alice, engine_stop_backup_job_run, &target).code, ERR_STATE);
	cloud_done(c);
}

static void test_completion_window(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(4, 1);
	struct machine_backup_due due = {.backup = start(c, 60)};
	cloud_ok(c, NULL, engine_end_due_backup, &due);
	assert_false(backup_row(c).is_stopped); /* too early */
	clock_advance_us(61 * MINUTE);
	cloud_ok(c, NULL, engine_end_due_backup, &due);
	assert_true(backup_row(c).is_stopped);
	cloud_settle(c);
	assert_int_equal(count_disks(c), 0);
	assert_false(backup_row(c).is_written);
	cloud_done(c);
}

/* Failures are tried again within the start window only. */
static void test_start_window(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(5, 1);
	make_plan(c, 0);
	struct account_change settings = {.account = cloud_ref(c, KIND_ACCOUNT, c->alice.account),
					  .enabled = CHOICE_NO};
	cloud_ok(c, NULL, engine_update_account, &settings);
	pass(c);
	assert_true(plan_row(c).retry_us > 0);
	assert_true(cloud_has_condition(c, plan_row(c).row.id, BACKUP_FAILED));
	while (plan_row(c).retry_us) {
		assert_true(plan_row(c).retry_us <= plan_row(c).run_us + HOUR);
		cloud_step_for(c, plan_row(c).retry_us - clock_now_us() + CLOUD_HOST_INTERVAL_US);
		cloud_settle(c);
	}
	assert_int_equal(count_backups(c), 0);
	settings.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &settings);
	deselect(c);
	cloud_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expires),      cmocka_unit_test(test_held),
		cmocka_unit_test(test_stopped),      cmocka_unit_test(test_completion_window),
		cmocka_unit_test(test_start_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
