/* SPDX-License-Identifier: Apache-2.0
 * Backup jobs: start, describe, list, stop. A job's id is that of the machine backup, or of the backup of a volume, that it makes. A job goes
 * with its recovery point. */
#include "api/awsbackup/internal.h"
#include "engine/tag.h"
#include "store/backup_vault.h"

struct start_args {
	struct backup_job_wish wish;
	struct str resource;
	struct awsbackup_lifecycle lifecycle;
};
static const struct param start_params[] = {
	PARAM(struct start_args, "BackupVaultName", wish.vault, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "Vault of the recovery point."),
	PARAM(struct start_args, "ResourceArn", resource, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of an instance or a volume."),
	PARAM(struct start_args, "IamRoleArn", wish.role, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of the role whose policies decide on the backup. The caller may pass it."),
	PARAM(struct start_args, "CompleteWindowMinutes", wish.complete_minutes, .min = 60,
	      .max = PLAN_MINUTES_MAX, .doc = "Minutes after which a job that is not complete is stopped."),
	PARAM_OBJECT(struct start_args, "Lifecycle", lifecycle, awsbackup_lifecycle_params,
		     .doc = "How long the recovery point stays; absent: for ever."),
	PARAM(struct start_args, "RecoveryPointTags", wish.tags, .max = TAG_COUNT_MAX,
	      .doc = "Tags of the recovery point."),
	PASSED_OVER("StartWindowMinutes",
		    "AWS Backup's API Reference: a job begins within it; jobs begin at once"),
	NOT_BUILT("IdempotencyToken"),
	NOT_BUILT("BackupOptions", .only = "{}"),
	NOT_BUILT("Index", .only = "DISABLED"),
	NOT_BUILT("LogicallyAirGappedBackupVaultArn"),
};

static RESULT prepare_start(struct rest_json_call *e, void *args)
{
	struct start_args *a = args;
	struct ref ref;
	TRY(awsbackup_read_resource(e, a->resource, "ResourceArn", &ref));
	if (ref.kind == KIND_VOLUME && (a->lifecycle.days || a->wish.complete_minutes))
		return AWSBACKUP_FAIL(
			e, "ResourceArn",
			"Lifecycle and CompleteWindowMinutes: only jobs of instances have them here.");
	*(ref.kind == KIND_VOLUME ? &a->wish.volume : &a->wish.instance) = ref;
	a->wish.target = e->config->backup_target;
	a->wish.keep_days = a->lifecycle.days;
	if (ref.kind == KIND_INSTANCE && !a->wish.complete_minutes)
		a->wish.complete_minutes = COMPLETE_DEFAULT;
	return OK;
}

static RESULT answer_start(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct start_args *a = args;
	struct ref ref;
	struct awsbackup_point p;
	TRY(awsbackup_find_point(e, uuid_to_str(e->c->arena, a->wish.made), "BackupJobId", &ref, &p));
	json_write_uuid(w, "BackupJobId", p.row->id);
	json_write_text(w, "RecoveryPointArn", awsbackup_write_arn(e, p.row->kind, p.row));
	awsbackup_write_time(e, w, "CreationDate", p.row->created_us);
	json_write_bool(w, "IsParent", false);
	return OK;
}

/* ---- DescribeBackupJob, StopBackupJob ---- */

struct id_args {
	struct backup_job_target wish;
	struct str id;
};
static const struct param id_params[] = {
	PARAM(struct id_args, "backupJobId", id, .flags = REQUIRED, .max = 64, .doc = "The job."),
};

static RESULT prepare_id(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	struct awsbackup_point p;
	return awsbackup_find_point(e, a->id, "backupJobId", &a->wish.backup, &p);
}

static RESULT prepare_stop(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	TRY(prepare_id(e, a));
	return a->wish.backup.kind == KIND_MACHINE_BACKUP
		       ? OK
		       : ctx_fail_field(e->c, ERR_STATE, STR("backupJobId"),
					"backupJobId: only jobs of instances can be stopped here.");
}

static void write_job(struct rest_json_call *e, struct json_writer *w, const struct awsbackup_point *p)
{
	json_write_text(w, "AccountId", e->c->who->account_number);
	json_write_uuid(w, "BackupJobId", p->row->id);
	awsbackup_write_point(e, w, p);
	json_write_z(w, "State", p->job_state);
	json_write_z(w, "PercentDone", awsbackup_is_complete(p) ? "100.0" : "0.0");
	json_write_bool(w, "IsParent", false);
}

static RESULT answer_describe(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	struct awsbackup_point p;
	struct ref ref;
	TRY(awsbackup_find_point(e, a->id, "backupJobId", &ref, &p));
	write_job(e, w, &p);
	return OK;
}

/* ---- ListBackupJobs ---- */

struct list_args {
	struct awsbackup_page page;
	struct str resource, state, vault, type, account;
};
static const struct param list_params[] = {
	AWSBACKUP_PAGE(struct list_args),
	PARAM(struct list_args, "resourceArn", resource, .max = ARN_MAX, .doc = "ARN of the resource."),
	PARAM(struct list_args, "state", state,
	      .words = "CREATED|PENDING|RUNNING|ABORTING|ABORTED|COMPLETED|FAILED|EXPIRED|PARTIAL",
	      .doc = "State of the jobs."),
	PARAM(struct list_args, "backupVaultName", vault, .min = 2, .max = NAME_MAX_CHARS,
	      .doc = "The vault."),
	PARAM(struct list_args, "resourceType", type, .max = 50, .doc = "EC2 or EBS."),
	PARAM(struct list_args, "accountId", account, .max = 12, .doc = "Account of the jobs."),
	NOT_BUILT("createdBefore"),
	NOT_BUILT("createdAfter"),
	NOT_BUILT("completeAfter"),
	NOT_BUILT("completeBefore"),
	NOT_BUILT("parentJobId"),
	NOT_BUILT("messageCategory"),
};

static RESULT prepare_list(struct rest_json_call *e, void *args)
{
	const struct list_args *a = args;
	struct ref ignored;
	TRY(awsbackup_check_page(e, &a->page));
	return a->resource.n ? awsbackup_read_resource(e, a->resource, "resourceArn", &ignored) : OK;
}

static bool is_listed(struct rest_json_call *e, const void *args, const struct awsbackup_point *p)
{
	const struct list_args *a = args;
	return (!a->resource.n || str_equal(p->resource, a->resource)) &&
	       (!a->state.n || str_is(a->state, p->job_state)) &&
	       (!a->vault.n || str_equal(engine_vault_container(a->vault), p->container)) &&
	       (!a->type.n || str_is(a->type, p->type)) &&
	       (!a->account.n || str_equal(a->account, e->c->who->account_number));
}

static void write_listed(struct rest_json_call *e, struct json_writer *w, const struct row *row,
			 const void *of)
{
	struct awsbackup_point p;
	(void) of;
	awsbackup_read_point(e, row, &p);
	write_job(e, w, &p);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	struct awsbackup_rows rows = {0};
	TRY(awsbackup_list_points(e, is_listed, a, &rows));
	awsbackup_write_page(e, w, "BackupJobs", &a->page, &rows, write_listed, NULL);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_PUT, "/backup-jobs", AWSBACKUP_ACTION("StartBackupJob"), .flags = API_WRITES,
	 .args = PARAMS(struct start_args, start_params), .prepare = prepare_start,
	 .operation = engine_start_backup_job_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_start, .doc = "Backs up an instance or a volume."},
	{HTTP_GET, "/backup-jobs", AWSBACKUP_ACTION("ListBackupJobs"),
	 .args = PARAMS(struct list_args, list_params), .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists backup jobs."},
	{HTTP_GET, "/backup-jobs/{backupJobId}", AWSBACKUP_ACTION("DescribeBackupJob"),
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_id, .answer = answer_describe,
	 .doc = "Describes a backup job."},
	{HTTP_POST, "/backup-jobs/{backupJobId}", AWSBACKUP_ACTION("StopBackupJob"), .flags = API_WRITES,
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_stop,
	 .operation = engine_stop_backup_job_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Stops a backup job of an instance."},
};
const struct api_actions awsbackup_job_actions = API_ACTIONS(actions);
