/* SPDX-License-Identifier: Apache-2.0
 * Backup plans and machine backups.
 */
#include "api/native/write.h"

#include "base/time_zone.h"
#include "engine/backup/backup_plan.h"
#include "engine/backup/machine_backup.h"
#include "engine/tag.h"

enum { GROUPS_MAX = 16 };

/* ---- plans ---- */

struct plan_args {
	struct backup_plan_wish wish;
	const struct str *interval;
};
#define P(name, member, ...) PARAM(struct plan_args, name, member, __VA_ARGS__)
#define COUNT(name, member, most, ...)                                                                       \
	PARAM(struct plan_args, name, wish.keep.member, .max = (most),                                       \
	      .given = offsetof(struct plan_args, wish.given.member) + 1, __VA_ARGS__)
#define PLAN_ROWS(needed)                                                                                    \
	P("name", wish.name, .max = 255, .flags = (needed), .doc = "Name."),                                 \
		P("description", wish.description, .max = 255, .doc = "Description: free text."),            \
		P("instances", wish.instances, .kind = KIND_INSTANCE, .max = PLAN_MACHINES_MAX,              \
		  .given = offsetof(struct plan_args, wish.given.instances) + 1,                             \
		  .doc = "Instances to back up."),                                                           \
		P("tag_key", wish.tag_key, .max = 256,                                                       \
		  .doc = "Tag key of further instances to back up; empty: none."),                           \
		P("tag_value", wish.tag_value, .max = 256, .doc = "Value of the tag; empty: any."),          \
		P("interval", interval, .words = "hourly|daily|weekly|monthly|cron", .flags = (needed),      \
		  .doc = "Interval, which decides the schedule's format."),                                  \
		P("schedule", wish.schedule, .max = 255, .flags = (needed),                                  \
		  .doc = "Schedule. hourly: MM; daily: MM:HH; weekly: MM:HH:DD with 1 for Sunday to 7; "     \
			 "monthly: MM:HH:DD up to 28; cron: five fields."),                                  \
		P("timezone", wish.timezone, .max = 64,                                                      \
		  .doc = "Time zone of the schedule and of the retention days, such as Asia/Seoul; absent: " \
			 "UTC."),                                                                            \
		COUNT("keep_last", last, PLAN_KEPT_MAX, .doc = "Newest backups of each machine to keep."),   \
		COUNT("keep_hourly", hourly, PLAN_KEPT_MAX,                                                  \
		      .doc = "Hours of which to keep the newest backup."),                                   \
		COUNT("keep_daily", daily, PLAN_KEPT_MAX,                                                    \
		      .doc = "Days of which to keep the newest backup."),                                    \
		COUNT("keep_weekly", weekly, PLAN_KEPT_MAX,                                                  \
		      .doc = "Weeks, from Monday on, of which to keep the newest backup."),                  \
		COUNT("keep_monthly", monthly, PLAN_KEPT_MAX,                                                \
		      .doc = "Months of which to keep the newest backup."),                                  \
		COUNT("keep_yearly", yearly, PLAN_KEPT_MAX,                                                  \
		      .doc = "Years of which to keep the newest backup. If all six values are 0, nothing "   \
			     "expires."),                                                                    \
		P("container", wish.container, .max = 255,                                                   \
		  .doc = "Folder of the backup target; absent: volumebackups."),                             \
		COUNT("check_days", check_days, PLAN_CHECK_DAYS_MAX,                                         \
		      .doc = "Days between two test restores of a machine; 0: none."),                       \
		P("check_marker", wish.check_marker, .max = 255,                                             \
		  .doc = "Text on the console that completes a test restore; absent: login:."),              \
		P("is_active", wish.is_active, .doc = "false: suspends the plan."),                          \
		P("tags", wish.tags, .max = TAG_COUNT_MAX,                                                   \
		  .given = offsetof(struct plan_args, wish.given.tags) + 1,                                  \
		  .doc = "Tags of the plan and of its backups.")
static const struct param create_params[] = {
	PLAN_ROWS(REQUIRED),
	P("account", wish.account, .kind = KIND_ACCOUNT,
	  .doc = "Owning account; only administrators may set it."),
};
static const struct param change_params[] = {PLAN_ROWS(0)};

static RESULT prepare_plan(struct native_call *e, void *args)
{
	struct plan_args *a = args;
	const struct time_zone *zone = NULL;
	a->wish.target = e->config->backup_target;
	a->wish.sets_interval = a->interval != NULL;
	if (a->interval)
		a->wish.interval = (enum backup_plan_interval) native_place_of_word(
			backup_plan_interval_words, *a->interval);
	if (!a->wish.target.n)
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"This region keeps no backups: it has no place for them.");
	if (!a->wish.timezone)
		return OK;
	struct result result = time_zone_load(e->c, *a->wish.timezone, &zone);
	if (result.code == ERR_INVALID)
		e->c->problem.field = STR("timezone");
	return result;
}

/* ---- machine backups ---- */

#define B(name, member, ...) PARAM(struct machine_backup_wish, name, member, __VA_ARGS__)
static const struct param backup_params[] = {
	B("instance", instance, .kind = KIND_INSTANCE, .flags = REQUIRED, .doc = "Instance to back up."),
	B("name", name, .max = 255, .doc = "Name; absent: made of the machine's name and the time."),
	B("description", description, .max = 255, .doc = "Description: free text."),
	B("container", container, .max = 255, .doc = "Folder of the backup target; absent: volumebackups."),
	B("is_full", is_full, .doc = "Whether everything is stored again, not only the changes."),
	B("tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};

static RESULT prepare_backup(struct native_call *e, void *args)
{
	struct machine_backup_wish *wish = args;
	wish->target = e->config->backup_target;
	if (!wish->target.n)
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"This region keeps no backups: it has no place for them.");
	return OK;
}

#define S(name, member, ...) PARAM(struct machine_backup_settings, name, member, __VA_ARGS__)
static const struct param settings_params[] = {
	S("name", name, .max = 255, .doc = "Name."),
	S("description", description, .max = 255, .doc = "Description: free text."),
	S("is_held", is_held, .doc = "Legal hold: the backup cannot be deleted and does not expire."),
};

#define R(name, member, ...) PARAM(struct machine_restoring, name, member, __VA_ARGS__)
static const struct param restore_params[] = {
	R("in_place", in_place,
	  .doc = "Restores the disks of the stopped original instance; absent: to a new instance."),
	R("type", type, .kind = KIND_INSTANCE_TYPE,
	  .doc = "Instance type of the new instance; absent: as backed up."),
	R("subnet", subnet, .kind = KIND_SUBNET, .doc = "Subnet of the new instance; absent: as backed up."),
	R("groups", groups, .kind = KIND_SECURITY_GROUP, .max = GROUPS_MAX,
	  .doc = "Security groups of the new instance; absent: as backed up."),
	R("name", name, .max = 255, .doc = "Name of the new instance; absent: as backed up."),
	R("stays_off", stays_off, .doc = "Leaves the new instance stopped."),
};

static const struct native_action actions[] = {
	CREATE("/backup-plans", "ec2:CreateBackupPlan", BACKUP_PLAN,
	       .args = PARAMS(struct plan_args, create_params), .prepare = prepare_plan,
	       .operation = engine_create_backup_plan_run,
	       .doc = "Creates a backup plan, which backs up machines on a schedule and lets backups "
		      "expire."),
	CHANGE(PATCH, "/backup-plans/{id}", "ec2:ModifyBackupPlan", BACKUP_PLAN,
	       .args = PARAMS(struct plan_args, change_params), .target = NATIVE_AT(plan_args, wish.plan),
	       .prepare = prepare_plan, .operation = engine_update_backup_plan_run,
	       .doc = "Changes, suspends or resumes a backup plan."),
	CHANGE_MANY(POST, "/backup-plans/{id}/run", "ec2:StartBackupPlan", BACKUP_PLAN,
		    .args = {.size = sizeof(struct backup_plan_target)},
		    .target = NATIVE_AT(backup_plan_target, plan), .operation = engine_run_backup_plan_run,
		    .doc = "Starts a run of a backup plan now."),
	DELETION("/backup-plans/{id}", "ec2:DeleteBackupPlan", BACKUP_PLAN, backup_plan_target, plan,
		 engine_delete_backup_plan_run,
		 .doc = "Deletes a backup plan. Its backups stay and no longer expire."),
	CREATE("/machine-backups", "ec2:CreateMachineBackup", MACHINE_BACKUP,
	       .args = PARAMS(struct machine_backup_wish, backup_params), .prepare = prepare_backup,
	       .operation = engine_create_machine_backup_run, .doc = "Backs up all disks of an instance."),
	CHANGE(PATCH, "/machine-backups/{id}", "ec2:ModifyMachineBackup", MACHINE_BACKUP,
	       .args = PARAMS(struct machine_backup_settings, settings_params),
	       .target = NATIVE_AT(machine_backup_settings, backup),
	       .operation = engine_update_machine_backup_run,
	       .doc = "Changes the description, tags and legal hold of a backup."),
	CHANGE_OF(POST, "/machine-backups/{id}/restore", "ec2:RestoreMachineBackup", MACHINE_BACKUP,
		  KIND_INSTANCE, .args = PARAMS(struct machine_restoring, restore_params),
		  .target = NATIVE_AT(machine_restoring, backup),
		  .operation = engine_restore_machine_backup_run,
		  .doc = "Restores a machine to a new instance, or in place."),
	CHANGE(POST, "/machine-backups/{id}/check", "ec2:TestMachineBackup", MACHINE_BACKUP,
	       .args = {.size = sizeof(struct machine_check)}, .target = NATIVE_AT(machine_check, backup),
	       .operation = engine_check_machine_backup_run,
	       .doc = "Tests a backup: restores it to an instance without interfaces, which is deleted after "
		      "it has booted."),
	DELETION("/machine-backups/{id}", "ec2:DeleteMachineBackup", MACHINE_BACKUP, machine_backup_target,
		 backup, engine_delete_machine_backup_run,
		 .doc = "Deletes a machine backup with the backups of its disks."),
};
const struct api_actions native_backups_actions = API_ACTIONS(actions);
