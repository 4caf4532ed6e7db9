/* SPDX-License-Identifier: Apache-2.0
 * Plans: create, get, list, update, delete, versions. A plan has one rule here, and shows its present version. */
#include "api/awsbackup/internal.h"
#include "base/clock.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/tag.h"
#include "store/backup_plan.h"

enum { PLAN_NAME_MAX = 50, START_DEFAULT = 480 };

struct rule {
	struct str name, vault, schedule;
	int64_t start_minutes, complete_minutes;
	struct awsbackup_lifecycle lifecycle;
	struct tags tags;
};
static const struct param rule_rows[] = {
	PARAM(struct rule, "RuleName", name, .flags = REQUIRED, .min = 1, .max = PLAN_NAME_MAX,
	      .doc = "Name of the rule."),
	PARAM(struct rule, "TargetBackupVaultName", vault, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "Vault of the recovery points."),
	PARAM(struct rule, "ScheduleExpression", schedule, .max = 256, .absent = "cron(0 5 ? * * *)",
	      .doc = "When, in UTC: cron(0 5 ? * * *)."),
	PARAM(struct rule, "StartWindowMinutes", start_minutes, .min = 60, .max = PLAN_MINUTES_MAX,
	      .doc = "Minutes in which a backup that failed is tried again."),
	PARAM(struct rule, "CompletionWindowMinutes", complete_minutes, .min = 60, .max = PLAN_MINUTES_MAX,
	      .doc = "Minutes after which a backup that is not complete is stopped."),
	PARAM_OBJECT(struct rule, "Lifecycle", lifecycle, awsbackup_lifecycle_params,
		     .doc = "How long recovery points stay; absent: for ever."),
	PARAM(struct rule, "RecoveryPointTags", tags, .max = TAG_COUNT_MAX,
	      .doc = "Tags of recovery points."),
	NOT_BUILT("CopyActions", .only = "[]"),
	NOT_BUILT("EnableContinuousBackup", .only = "false"),
	NOT_BUILT("ScheduleExpressionTimezone", .only = "Etc/UTC"),
	NOT_BUILT("IndexActions", .only = "[]"),
	NOT_BUILT("TargetLogicallyAirGappedBackupVaultArn"),
	NOT_BUILT("ScanActions", .only = "[]"),
};
static const struct params rule_params = PARAMS(struct rule, rule_rows);

struct plan {
	struct str name;
	struct {
		struct rule *at;
		size_t count;
	} rules;
};
static const struct param plan_rows[] = {
	PARAM(struct plan, "BackupPlanName", name, .flags = REQUIRED, .min = 1, .max = PLAN_NAME_MAX,
	      .doc = "Name, unique in the account."),
	PARAM_LIST(struct plan, "Rules", rules, rule_params, .flags = REQUIRED, .max = 100,
		   .doc = "The rule: one."),
	NOT_BUILT("AdvancedBackupSettings", .only = "[]"),
	NOT_BUILT("ScanSettings", .only = "[]"),
};
static const struct params plan_params = PARAMS(struct plan, plan_rows);

/* ---- CreateBackupPlan, UpdateBackupPlan ---- */

struct put_args {
	struct vault_plan_wish wish;
	struct str id;
	struct plan plan;
};
static const struct param create_params[] = {
	PARAM_OBJECT(struct put_args, "BackupPlan", plan, plan_params, .flags = REQUIRED,
		     .doc = "Name and rule."),
	PARAM(struct put_args, "BackupPlanTags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags of the plan."),
	PARAM(struct put_args, "CreatorRequestId", wish.token, .max = TOKEN_MAX,
	      .doc = "Text that the plan shows."),
};
static const struct param update_params[] = {
	PARAM(struct put_args, "backupPlanId", id, .flags = REQUIRED, .max = 64, .doc = "The plan."),
	PARAM_OBJECT(struct put_args, "BackupPlan", plan, plan_params, .flags = REQUIRED,
		     .doc = "Name and rule."),
};

static RESULT prepare_put(struct rest_json_call *e, void *args)
{
	struct put_args *a = args;
	const struct backup_plan *before = NULL;
	if (a->id.n)
		TRY(awsbackup_find_plan(e, a->id, &a->wish.plan, &before));
	if (a->plan.rules.count != 1)
		return ctx_fail_field(
			e->c, a->plan.rules.count ? ERR_UNSUPPORTED : ERR_INVALID, STR("Rules"),
			"The parameter Rules has one element here. Create a plan for each rule.");
	const struct rule *rule = &a->plan.rules.at[0];
	struct vault_plan_wish *wish = &a->wish;
	wish->target = e->config->backup_target;
	wish->name = a->plan.name;
	wish->rule_name = rule->name;
	wish->vault = rule->vault;
	wish->schedule = rule->schedule;
	wish->keep_days = rule->lifecycle.days;
	wish->start_minutes = rule->start_minutes ? rule->start_minutes : START_DEFAULT;
	wish->complete_minutes = rule->complete_minutes ? rule->complete_minutes : COMPLETE_DEFAULT;
	wish->backup_tags = rule->tags;
	return OK;
}

static void write_head(struct rest_json_call *e, struct json_writer *w, const struct backup_plan *p)
{
	json_write_uuid(w, "BackupPlanId", p->row.id);
	json_write_text(w, "BackupPlanArn", awsbackup_write_arn(e, KIND_BACKUP_PLAN, &p->row));
	json_write_uuid(w, "VersionId", p->version);
}

static RESULT answer_put(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct put_args *a = args;
	const struct row *row = NULL;
	TRY(rest_json_find_returned(e, a->wish.made, &row));
	const struct backup_plan *p = backup_plan_of(row);
	write_head(e, w, p);
	awsbackup_write_time(e, w, "CreationDate", p->changed_us ? p->changed_us : p->row.created_us);
	return OK;
}

/* ---- GetBackupPlan ---- */

struct id_args {
	struct vault_plan_target wish;
	struct str id, version;
	struct awsbackup_page page;
	uuid present; /* version */
};
#define PLAN_ID PARAM(struct id_args, "backupPlanId", id, .flags = REQUIRED, .max = 64, .doc = "The plan.")
static const struct param id_params[] = {PLAN_ID};
static const struct param get_params[] = {
	PLAN_ID,
	PARAM(struct id_args, "versionId", version, .max = 64, .doc = "Version; absent: the present one."),
	NOT_BUILT("MaxScheduledRunsPreview"),
};
static const struct param versions_params[] = {PLAN_ID, AWSBACKUP_PAGE(struct id_args)};

static RESULT prepare_id(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	TRY(awsbackup_check_page(e, &a->page));
	const struct backup_plan *p = NULL;
	TRY(awsbackup_find_plan(e, a->id, &a->wish.plan, &p));
	a->present = p->version;
	if (a->version.n && !str_equal(a->version, uuid_to_str(e->c->arena, p->version)))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BACKUP_PLAN,
				     "The version '%" STR_FMT "' of the backup plan is not kept.",
				     STR_ARG(a->version));
	return OK;
}

static void write_rule(struct json_writer *w, const struct backup_plan *p)
{
	json_write_open_list(w, "Rules");
	json_write_open(w, NULL);
	json_write_text(w, "RuleName", p->rule_name);
	json_write_text(w, "TargetBackupVaultName", engine_vault_name(p->container));
	json_write_text(w, "ScheduleExpression", p->schedule);
	json_write_z(w, "ScheduleExpressionTimezone", "Etc/UTC");
	json_write_int(w, "StartWindowMinutes", p->start_minutes);
	json_write_int(w, "CompletionWindowMinutes", p->complete_minutes);
	if (p->keep_days) {
		json_write_open(w, "Lifecycle");
		json_write_int(w, "DeleteAfterDays", p->keep_days);
		json_write_close(w);
	}
	rest_json_write_map(w, "RecoveryPointTags", p->backup_tags);
	json_write_uuid(w, "RuleId", p->rule);
	json_write_close(w);
	json_write_close_list(w);
}

static void write_dates(struct rest_json_call *e, struct json_writer *w, const struct backup_plan *p)
{
	if (p->token.n)
		json_write_text(w, "CreatorRequestId", p->token);
	awsbackup_write_time(e, w, "CreationDate", p->changed_us ? p->changed_us : p->row.created_us);
	awsbackup_write_time(e, w, "LastExecutionDate", p->run_us);
}

static RESULT answer_get(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_plan *p = NULL;
	struct ref ref;
	TRY(awsbackup_find_plan(e, a->id, &ref, &p)); /* prepare had another view */
	json_write_open(w, "BackupPlan");
	json_write_text(w, "BackupPlanName", p->name);
	write_rule(w, p);
	json_write_close(w);
	write_head(e, w, p);
	write_dates(e, w, p);
	return OK;
}

/* ---- lists ---- */

static void write_listed(struct rest_json_call *e, struct json_writer *w, const struct row *row,
			 const void *of)
{
	const struct backup_plan *p = backup_plan_of(row);
	(void) of;
	write_head(e, w, p);
	json_write_text(w, "BackupPlanName", p->name);
	write_dates(e, w, p);
}

static RESULT answer_versions(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_plan *p = NULL;
	struct ref ref;
	TRY(awsbackup_find_plan(e, a->id, &ref, &p));
	json_write_open_list(w, "BackupPlanVersionsList");
	json_write_open(w, NULL);
	write_listed(e, w, &p->row, NULL);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

struct list_args {
	struct awsbackup_page page;
};
static const struct param list_params[] = {
	AWSBACKUP_PAGE(struct list_args),
	NOT_BUILT("includeDeleted", .only = "false"),
};

static RESULT prepare_list(struct rest_json_call *e, void *args)
{
	return awsbackup_check_page(e, &((struct list_args *) args)->page);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	struct awsbackup_rows rows = {0};
	for (const struct backup_plan *p =
		     backup_plan_first_by_account(rest_json_tables(e), e->c->who->account);
	     p; p = backup_plan_next_by_account(rest_json_tables(e), p))
		if (engine_is_vault_plan(p))
			TRY(awsbackup_add_row(e, &rows, &p->row));
	awsbackup_write_page(e, w, "BackupPlansList", &a->page, &rows, write_listed, NULL);
	return OK;
}

/* ---- DeleteBackupPlan ---- */

static RESULT answer_delete(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_plan gone = {.row.id = a->wish.plan.prefix, .version = a->present};
	write_head(e, w, &gone);
	awsbackup_write_time(e, w, "DeletionDate", clock_now_us());
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_PUT, "/backup/plans", AWSBACKUP_ACTION("CreateBackupPlan"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, create_params), .prepare = prepare_put,
	 .operation = engine_create_vault_plan_run, .returns = KIND_BACKUP_PLAN, .answer = answer_put,
	 .doc = "Creates a plan."},
	{HTTP_GET, "/backup/plans", AWSBACKUP_ACTION("ListBackupPlans"),
	 .args = PARAMS(struct list_args, list_params), .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists plans."},
	{HTTP_GET, "/backup/plans/{backupPlanId}", AWSBACKUP_ACTION("GetBackupPlan"),
	 .args = PARAMS(struct id_args, get_params), .prepare = prepare_id, .answer = answer_get,
	 .doc = "Describes a plan."},
	{HTTP_GET, "/backup/plans/{backupPlanId}/versions", AWSBACKUP_ACTION("ListBackupPlanVersions"),
	 .args = PARAMS(struct id_args, versions_params), .prepare = prepare_id, .answer = answer_versions,
	 .doc = "Lists the present version of a plan."},
	{HTTP_POST, "/backup/plans/{backupPlanId}", AWSBACKUP_ACTION("UpdateBackupPlan"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, update_params), .prepare = prepare_put,
	 .operation = engine_update_vault_plan_run, .returns = KIND_BACKUP_PLAN, .answer = answer_put,
	 .doc = "Replaces name and rule of a plan."},
	{HTTP_DELETE, "/backup/plans/{backupPlanId}", AWSBACKUP_ACTION("DeleteBackupPlan"),
	 .flags = API_WRITES, .args = PARAMS(struct id_args, id_params), .prepare = prepare_id,
	 .operation = engine_delete_vault_plan_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_delete, .doc = "Deletes a plan without selections. Its recovery points stay."},
};
const struct api_actions awsbackup_plan_actions = API_ACTIONS(actions);
