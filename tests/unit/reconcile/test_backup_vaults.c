/* SPDX-License-Identifier: Apache-2.0
 * Plans and jobs of AWS Backup, end to end: runs of several rules by the rights of the selections' roles, what selections select, expiry by
 * age, legal hold, stopped jobs, completion windows, and the window in which failures are tried again. */
#include "../cloud/cloud.h"
#include "engine/backup/backup_plan.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/backup_vault_internal.h"
#include "engine/backup/machine_backup.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/iam_role.h"
#include "engine/storage/volume/volume.h"
#include "store/account.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/backup_rule.h"
#include "store/backup_selection.h"
#include "store/iam_role.h"
#include "store/machine_backup.h"
#include "store/volume.h"
#include "store/zone.h"

#define DAY (24 * HOUR)

static struct backup_plan plan_row(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup_plan *p = backup_plan_first(view.tables);
	return p ? *p : (struct backup_plan){0};
}

/* The n-th rule of the only plan. */
static struct backup_rule rule_row(struct cloud *c, int n)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup_plan *p = backup_plan_first(view.tables);
	const struct backup_rule *r = p ? backup_rule_first_by_plan(view.tables, p->row.id) : NULL;
	while (r && n--)
		r = backup_rule_next_by_plan(view.tables, r);
	return r ? *r : (struct backup_rule){0};
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

static const struct vault_rule_wish hourly = {.name = {"hourly", 6},
					      .vault = {BACKUP_VAULT_DEFAULT, 7},
					      .schedule = {"cron(30 * * * ? *)", 18},
					      .start_minutes = 60,
					      .complete_minutes = 180};

static void make_plan_of(struct cloud *c, const struct vault_rule_wish *rules, size_t count)
{
	struct vault_plan_wish plan = {
		.target = c->backup.url, .name = STR("nightly"), .rules = rules, .rule_count = count};
	cloud_ok(c, &c->alice, engine_create_vault_plan, &plan);
	cloud_settle(c);
	assert_int_equal(plan_row(c).next_us, 0); /* without a selection it does not run */
	assert_int_equal(rule_row(c, 0).next_us, 0);
}

static uuid choose(struct cloud *c, struct vault_selection_wish selection)
{
	selection.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan_row(c).row.id);
	selection.name = selection.name.n ? selection.name : STR("one");
	selection.arn_start = STR("arn:aws:ec2:here:1:");
	cloud_ok(c, &c->alice, engine_create_vault_selection, &selection);
	cloud_settle(c);
	return selection.selection;
}

static struct str arn(struct cloud *c, enum kind kind, uuid id)
{
	return str_print(c->arena, "arn:aws:ec2:here:1:%s/%" STR_FMT,
			 kind == KIND_VOLUME ? "volume" : "instance", STR_ARG(id_to_ec2(c->arena, kind, id)));
}

/* A plan of one instance, at half past each hour. */
static void make_plan(struct cloud *c, int64_t keep_days)
{
	struct vault_rule_wish rule = hourly;
	struct str machine = arn(c, KIND_INSTANCE, cloud_launch_running(c));
	rule.keep_days = keep_days;
	make_plan_of(c, &rule, 1);
	choose(c, (struct vault_selection_wish){.role = make_role(c), .resources = {&machine, 1}});
}

static void pass(struct cloud *c)
{
	cloud_step_for(c, plan_row(c).next_us - clock_now_us() + 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
}

static uuid selection_id(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct backup_selection *s = backup_selection_first(view.tables);
	return s ? s->row.id : UUID_NONE;
}

static void deselect(struct cloud *c)
{
	struct vault_plan_target target = {.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan_row(c).row.id),
					   .selection = selection_id(c)};
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

/* The role's policies decide before data are written, not those of the user who started the job. */
static void test_job_of_role(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(11, 1);
	(void) start(c, 0);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	uuid role = iam_role_first(view.tables)->row.id;
	const struct backup *b = backup_first(view.tables);
	assert_non_null(b);
	for (; b; b = backup_next(view.tables, b)) {
		assert_true(uuid_is_none(b->made_by));
		assert_true(uuid_equal(b->made_with, role));
	}
	view_close(&view);
	cloud_done(c);
}

/* A stopped job leaves its row, and nothing in the target. */
static void test_stopped(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	struct backup_job_target target = {.machine_backup = cloud_ref(c, KIND_MACHINE_BACKUP, start(c, 0))};
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
	struct recovery_point_due due = {.machine_backup = start(c, 60)};
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
	assert_true(rule_row(c, 0).retry_us > 0);
	assert_true(cloud_has_condition(c, plan_row(c).row.id, BACKUP_FAILED));
	while (rule_row(c, 0).retry_us) {
		assert_true(rule_row(c, 0).retry_us <= rule_row(c, 0).run_us + HOUR);
		cloud_step_for(c, rule_row(c, 0).retry_us - clock_now_us() + CLOUD_HOST_INTERVAL_US);
		cloud_settle(c);
	}
	assert_int_equal(count_backups(c), 0);
	settings.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &settings);
	deselect(c);
	cloud_done(c);
}

/* Counts complete recovery points of volumes that the rule has made. */
static int count_points(struct cloud *c, uuid rule)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct backup *b = backup_first(view.tables); b; b = backup_next(view.tables, b))
		count += row_is_live(&b->row) && uuid_equal(b->rule, rule) && b->is_written;
	return count;
}

static int count_machines(struct cloud *c, uuid rule)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct machine_backup *m = machine_backup_first(view.tables); m;
	     m = machine_backup_next(view.tables, m))
		count += uuid_equal(m->rule, rule) && m->is_written;
	return count;
}

static uuid make_volume(struct cloud *c, const char *tag_value)
{
	struct tag tag = {STR("backup"), str_from(tag_value)};
	struct volume_wish wish = {.disk = {.size = CLOUD_GIB, .type = STR("gp2")}, .tags = {&tag, 1}};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	return wish.volume;
}

/* Two rules back up the same resources at their own times, into vaults and for times of their own. */
static void test_two_rules(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(6, 1);
	struct vault_rule_wish rules[2] = {hourly, hourly};
	struct backup_vault_wish vault = {.name = STR("other")};
	cloud_ok(c, &c->alice, engine_create_backup_vault, &vault);
	rules[0].keep_days = 1;
	rules[1].name = STR("daily");
	rules[1].vault = STR("other");
	rules[1].schedule = STR("cron(15 6 * * ? *)");
	rules[1].keep_days = 3;
	make_plan_of(c, rules, 2);
	uuid machine = cloud_launch_running(c), volume = make_volume(c, "yes");
	struct str arns[] = {arn(c, KIND_INSTANCE, machine), arn(c, KIND_VOLUME, volume)};
	choose(c, (struct vault_selection_wish){.role = make_role(c), .resources = {arns, 2}});
	uuid first = rule_row(c, 0).row.id, second = rule_row(c, 1).row.id;
	assert_int_equal(rule_row(c, 0).next_us % HOUR, 30 * MINUTE);
	assert_int_equal(rule_row(c, 1).next_us % DAY, 6 * HOUR + 15 * MINUTE);
	while (!rule_row(c, 1).run_us)
		pass(c);
	assert_int_equal(count_machines(c, second), 1);
	assert_int_equal(count_points(c, second), 1);
	assert_true(count_machines(c, first) > 0);
	assert_int_equal(count_points(c, first), count_machines(c, first));
	deselect(c);
	assert_int_equal(rule_row(c, 0).next_us, 0);
	sleep_for(c, DAY);
	assert_int_equal(count_machines(c, first) + count_points(c, first), 0);
	assert_int_equal(count_machines(c, second), 1);
	assert_int_equal(count_points(c, second), 1);
	sleep_for(c, 2 * DAY);
	assert_int_equal(count_machines(c, second) + count_points(c, second), 0);
	assert_int_equal(count_disks(c), 0);
	cloud_done(c);
}

/* A changed plan keeps the rules whose names it still has, with their next runs, and forgets the others. */
static void test_changed_rules(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(7, 1);
	struct vault_rule_wish rules[3] = {hourly, hourly, hourly};
	rules[1].name = STR("second");
	rules[2].name = STR("third");
	rules[2].schedule = STR("cron(15 6 * * ? *)");
	make_plan_of(c, rules, 2);
	choose(c, (struct vault_selection_wish){.role = make_role(c)});
	uuid second = rule_row(c, 1).row.id;
	int64_t next_us = rule_row(c, 1).next_us;
	assert_true(next_us > 0);
	struct vault_plan_wish change = {.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan_row(c).row.id),
					 .target = c->backup.url,
					 .name = STR("nightly"),
					 .rules = rules + 1,
					 .rule_count = 2};
	cloud_ok(c, &c->alice, engine_update_vault_plan, &change);
	assert_true(uuid_equal(rule_row(c, 0).row.id, second));
	assert_int_equal(rule_row(c, 0).next_us, next_us);
	assert_true(str_is(rule_row(c, 1).name, "third"));
	assert_true(uuid_is_none(rule_row(c, 2).row.id));
	rules[2].name = STR("second");
	assert_int_equal(cloud_call(c, &c->alice, engine_update_vault_plan_run, &change).code, ERR_INVALID);
	deselect(c);
	struct vault_plan_target target = {.plan = change.plan};
	cloud_ok(c, &c->alice, engine_delete_vault_plan, &target);
	cloud_settle(c);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	assert_null(backup_rule_first(view.tables));
	view_close(&view);
	cloud_done(c);
}

/* Checks which of two volumes, tagged "yes" and "no", the selection selects. */
static void expect(struct cloud *c, struct vault_selection_wish wish, bool has_yes, bool has_no)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	struct backup_selection s = {.arn_start = STR("arn:aws:ec2:here:1:"),
				     .resources = wish.resources,
				     .excluded = wish.excluded,
				     .some_tags = wish.some_tags,
				     .conditions = wish.conditions};
	for (const struct volume *v = volume_first(view.tables); v; v = volume_next(view.tables, v)) {
		const struct tag *tag = tags_find(v->tags, STR("backup"));
		bool has = vault_selection_has(&s, KIND_VOLUME, v->row.id, v->tags);
		if (tag)
			assert_int_equal(has, str_is(tag->value, "yes") ? has_yes : has_no);
	}
	view_close(&view);
}

#define TEXTS(...)                                                                                           \
	{                                                                                                    \
		(struct str[]){__VA_ARGS__}, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str)        \
	}
#define KEY STR("aws:ResourceTag/backup")

static void test_selected(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(8, 1);
	uuid yes = make_volume(c, "yes");
	(void) make_volume(c, "no");
	struct str of_yes = arn(c, KIND_VOLUME, yes);
	typedef struct vault_selection_wish wish;
	expect(c, (wish){0}, true, true);
	expect(c, (wish){.resources = TEXTS(STR("*"))}, true, true);
	expect(c, (wish){.resources = TEXTS(of_yes)}, true, false);
	expect(c, (wish){.resources = TEXTS(STR("arn:aws:ec2:*:*:instance/*"))}, false, false);
	expect(c, (wish){.resources = TEXTS(STR("arn:aws:ec2:*:*:volume/*"))}, true, true);
	expect(c, (wish){.excluded = TEXTS(of_yes)}, false, true);
	expect(c, (wish){.some_tags = TEXTS(STR("backup"), STR("no"))}, false, true);
	expect(c, (wish){.some_tags = TEXTS(STR("x"), STR("y"), STR("backup"), STR("no"))}, false, true);
	expect(c, (wish){.resources = TEXTS(of_yes), .some_tags = TEXTS(STR("backup"), STR("no"))}, true,
	       true);
	expect(c, (wish){.conditions = TEXTS(STR("StringEquals"), KEY, STR("yes"))}, true, false);
	expect(c, (wish){.conditions = TEXTS(STR("StringNotEquals"), KEY, STR("yes"))}, false, true);
	expect(c, (wish){.conditions = TEXTS(STR("StringLike"), KEY, STR("y*"))}, true, false);
	expect(c, (wish){.conditions = TEXTS(STR("StringNotLike"), KEY, STR("y*"))}, false, true);
	expect(c,
	       (wish){.conditions = TEXTS(STR("StringLike"), KEY, STR("*"), STR("StringNotEquals"), KEY,
					  STR("no"))},
	       true, false);
	expect(c, (wish){.conditions = TEXTS(STR("StringNotLike"), STR("aws:ResourceTag/absent"), STR("*"))},
	       true, true);
	cloud_done(c);
}

/* Two selections of one resource make one recovery point in a run. */
static void test_two_selections(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(9, 1);
	struct str role = make_role(c);
	make_plan_of(c, &hourly, 1);
	uuid one = make_volume(c, "yes");
	(void) make_volume(c, "no");
	struct str of_one = arn(c, KIND_VOLUME, one);
	choose(c, (struct vault_selection_wish){.role = role, .resources = {&of_one, 1}});
	choose(c, (struct vault_selection_wish){.role = role,
						.name = STR("two"),
						.conditions = TEXTS(STR("StringLike"), KEY, STR("*"))});
	assert_int_equal(plan_row(c).selection_count, 2);
	pass(c);
	assert_int_equal(count_points(c, rule_row(c, 0).row.id), 2);
	struct vault_selection_wish again = {
		.plan = cloud_ref(c, KIND_BACKUP_PLAN, plan_row(c).row.id), .name = STR("two"), .role = role};
	assert_int_equal(cloud_call(c, &c->alice, engine_create_vault_selection_run, &again).code,
			 ERR_EXISTS);
	deselect(c);
	assert_true(rule_row(c, 0).next_us > 0); /* the other one is there */
	pass(c);
	deselect(c);
	cloud_done(c);
}

/* A backup of a volume that is not complete in time is stopped, and its job stays. */
static void test_volume_window(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(10, 1);
	struct backup_job_wish wish = {.target = c->backup.url,
				       .vault = STR(BACKUP_VAULT_DEFAULT),
				       .role = make_role(c),
				       .volume = cloud_ref(c, KIND_VOLUME, make_volume(c, "yes")),
				       .keep_days = 1,
				       .complete_minutes = 60};
	cloud_ok(c, &c->alice, engine_start_backup_job, &wish);
	struct recovery_point_due due = {.backup = wish.made};
	clock_advance_us(61 * MINUTE);
	cloud_ok(c, NULL, engine_end_due_backup, &due);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	assert_true(backup_find(view.tables, wish.made)->is_stopped);
	assert_true(uuid_is_none(backup_find(view.tables, wish.made)->cut));
	view_close(&view);
	cloud_settle(c);
	assert_int_equal(count_disks(c), 1);
	sleep_for(c, 2 * DAY);
	assert_int_equal(count_disks(c), 0);
	cloud_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expires),        cmocka_unit_test(test_held),
		cmocka_unit_test(test_stopped),        cmocka_unit_test(test_completion_window),
		cmocka_unit_test(test_start_window),   cmocka_unit_test(test_two_rules),
		cmocka_unit_test(test_changed_rules),  cmocka_unit_test(test_selected),
		cmocka_unit_test(test_two_selections), cmocka_unit_test(test_volume_window),
		cmocka_unit_test(test_job_of_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
