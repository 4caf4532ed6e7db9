/* SPDX-License-Identifier: Apache-2.0
 * Restore jobs: start, describe, list. Metadata of a restore are texts by name. Guessed: the names of a volume's metadata, from examples of
 * AWS Backup's Developer Guide. */
#include "api/awsbackup/internal.h"
#include "engine/tag.h"
#include "model/states.h"
#include "store/async_job.h"
#include "store/backup.h"
#include "store/machine_backup.h"

enum { METADATA_MAX = 50, GROUPS_MAX = 16 };
#define RESTORE_COMMAND "StartRestoreJob"

struct start_args {
	struct restore_job_wish wish;
	struct str arn, type;
	struct tags metadata;
};
static const struct param start_params[] = {
	PARAM(struct start_args, "RecoveryPointArn", arn, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "The recovery point."),
	PARAM(struct start_args, "Metadata", metadata, .flags = REQUIRED, .max = METADATA_MAX,
	      .doc = "Of an instance InstanceType, VpcId, SubnetId and SecurityGroupIds; of a volume "
		     "availabilityZone, volumeType, volumeSize, volumeId and encrypted."),
	PARAM(struct start_args, "IamRoleArn", wish.role, .max = ARN_MAX,
	      .doc = "A role that the caller may pass. The caller's own rights decide on the restore."),
	PARAM(struct start_args, "ResourceType", type, .words = "EC2|EBS",
	      .doc = "Type of the recovery point's resource."),
	NOT_BUILT("IdempotencyToken"),
	NOT_BUILT("CopySourceTagsToRestoredResource", .only = "true"),
};

static RESULT refuse(struct rest_json_call *e, const struct tag *m)
{
	return AWSBACKUP_FAIL(e, "Metadata",
			      "Metadata: %" STR_FMT " '%" STR_FMT
			      "' is not supported for this recovery point.",
			      STR_ARG(str_cut(m->key, 64)), STR_ARG(str_cut(m->value, 128)));
}

/* SecurityGroupIds is a list in JSON. */
static RESULT read_groups(struct rest_json_call *e, const struct tag *m, struct refs *ret_refs)
{
	json_error_t error;
	json_t *list = json_loadb(m->value.p ? m->value.p : "", m->value.n, JSON_REJECT_DUPLICATES, &error);
	size_t count = json_array_size(list), k = 0;
	struct ref *refs = arena_new_array(e->c->arena, struct ref, GROUPS_MAX);
	for (; refs && k < count && count <= GROUPS_MAX; k++) {
		const char *text = json_string_value(json_array_get(list, k));
		struct str id = text ? str_copy(e->c->arena, str_from(text)) : STR_NONE;
		if (!result_is_ok(id_parse_ec2(id, KIND_SECURITY_GROUP, &refs[k])))
			break;
		refs[k].field = STR("Metadata");
	}
	json_decref(list);
	if (!refs || k != count || !count)
		return refuse(e, m);
	*ret_refs = (struct refs){refs, count};
	return OK;
}

static RESULT read_of_machine(struct rest_json_call *e, struct start_args *a, const struct tag *m)
{
	struct restore_job_wish *wish = &a->wish;
	if (str_is(m->key, "InstanceType")) {
		wish->type =
			(struct ref){.kind = KIND_INSTANCE_TYPE, .text = m->value, .field = STR("Metadata")};
		return OK;
	}
	if (str_is(m->key, "SubnetId")) {
		if (!result_is_ok(id_parse_ec2(m->value, KIND_SUBNET, &wish->subnet)))
			return refuse(e, m);
		wish->subnet.field = STR("Metadata");
		return OK;
	}
	if (str_is(m->key, "SecurityGroupIds"))
		return str_is(m->value, "[]") ? OK : read_groups(e, m, &wish->groups);
	/* The subnet's VPC. */
	return str_is(m->key, "VpcId") && tags_find(a->metadata, STR("SubnetId")) ? OK : refuse(e, m);
}

static RESULT read_of_volume(struct rest_json_call *e, struct start_args *a, const struct tag *m,
			     const struct backup *b)
{
	if (str_is(m->key, "availabilityZone")) {
		a->wish.zone = (struct ref){.kind = KIND_ZONE, .text = m->value, .field = STR("Metadata")};
		return OK;
	}
	if (str_is(m->key, "volumeType")) {
		a->wish.volume_type = m->value;
		return OK;
	}
	bool is_same =
		(str_is(m->key, "volumeSize") && str_equal(m->value, awsbackup_write_gib(e, b))) ||
		(str_is(m->key, "encrypted") && str_is(m->value, b->is_encrypted ? "true" : "false")) ||
		(str_is(m->key, "volumeId") &&
		 str_equal(m->value, id_to_ec2(e->c->arena, KIND_VOLUME, b->volume)));
	return is_same ? OK : refuse(e, m);
}

static RESULT prepare_start(struct rest_json_call *e, void *args)
{
	struct start_args *a = args;
	struct awsbackup_point p;
	struct ref ref;
	TRY(awsbackup_find_point_of_arn(e, a->arn, "RecoveryPointArn", &ref, &p));
	if (a->type.n && !str_is(a->type, p.type))
		return AWSBACKUP_FAIL(e, "ResourceType",
				      "ResourceType: the recovery point is of the type %s.", p.type);
	for (size_t k = 0; k < a->metadata.count; k++)
		TRY(p.machine ? read_of_machine(e, a, &a->metadata.at[k])
			      : read_of_volume(e, a, &a->metadata.at[k], p.backup));
	*(p.machine ? &a->wish.machine_backup : &a->wish.backup) = ref;
	return OK;
}

static RESULT answer_start(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	json_write_uuid(w, "RestoreJobId", ((const struct start_args *) args)->wish.job);
	return OK;
}

/* ---- DescribeRestoreJob ---- */

struct id_args {
	struct str id;
};
static const struct param id_params[] = {
	PARAM(struct id_args, "restoreJobId", id, .flags = REQUIRED, .max = 64, .doc = "The job."),
};

static RESULT find_job(struct rest_json_call *e, struct str id, const struct async_job **ret_job)
{
	uuid found;
	const struct async_job *job =
		result_is_ok(uuid_parse(id, &found)) ? async_job_find(rest_json_tables(e), found) : NULL;
	*ret_job = job;
	return job && uuid_equal(job->account, e->c->who->account) && str_is(job->command, RESTORE_COMMAND)
		       ? OK
		       : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ASYNC_JOB,
				       "The restore job '%" STR_FMT "' does not exist.",
				       STR_ARG(str_cut(id, 64)));
}

static RESULT prepare_id(struct rest_json_call *e, void *args)
{
	const struct id_args *a = args;
	const struct async_job *job;
	return find_job(e, a->id, &job);
}

static const char *status_of(const struct async_job *job)
{
	return job->ended == ASYNC_JOB_ENDED_DONE     ? "COMPLETED"
	       : job->ended == ASYNC_JOB_ENDED_FAILED ? "FAILED"
						      : "RUNNING";
}

static void write_job(struct rest_json_call *e, struct json_writer *w, const struct row *row, const void *of)
{
	const struct async_job *job = async_job_of(row);
	(void) of;
	bool is_machine = job->subject_kind == KIND_INSTANCE;
	const struct row source = {.id = job->source};
	const struct machine_backup *m = machine_backup_find(rest_json_tables(e), job->source);
	const struct backup *b = backup_find(rest_json_tables(e), job->source);
	json_write_text(w, "AccountId", e->c->who->account_number);
	json_write_uuid(w, "RestoreJobId", job->row.id);
	json_write_text(w, "RecoveryPointArn", awsbackup_write_arn(e, KIND_MACHINE_BACKUP, &source));
	awsbackup_write_time(e, w, "CreationDate", job->row.created_us);
	awsbackup_write_time(e, w, "CompletionDate", job->ended_us);
	json_write_z(w, "Status", status_of(job));
	if (job->problem.n)
		json_write_text(w, "StatusMessage", job->problem);
	json_write_z(w, "PercentDone", job->ended == ASYNC_JOB_ENDED_DONE ? "100.00%" : "0.00%");
	if (m || b)
		json_write_int(w, "BackupSizeInBytes", m ? m->size : b->size);
	json_write_text(w, "CreatedResourceArn",
			awsbackup_write_resource(e, is_machine ? KIND_INSTANCE : KIND_VOLUME, job->subject));
	json_write_z(w, "ResourceType", is_machine ? "EC2" : "EBS");
}

static RESULT answer_describe(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct async_job *job;
	TRY(find_job(e, a->id, &job)); /* prepare had another view */
	write_job(e, w, &job->row, NULL);
	return OK;
}

/* ---- ListRestoreJobs ---- */

struct list_args {
	struct awsbackup_page page;
	struct str status, account, type;
};
static const struct param list_params[] = {
	AWSBACKUP_PAGE(struct list_args),
	PARAM(struct list_args, "status", status, .words = "PENDING|RUNNING|COMPLETED|ABORTED|FAILED",
	      .doc = "Status of the jobs."),
	PARAM(struct list_args, "accountId", account, .max = 12, .doc = "Account of the jobs."),
	PARAM(struct list_args, "resourceType", type, .max = 50, .doc = "EC2 or EBS."),
	NOT_BUILT("createdBefore"),
	NOT_BUILT("createdAfter"),
	NOT_BUILT("completeBefore"),
	NOT_BUILT("completeAfter"),
	NOT_BUILT("restoreTestingPlanArn"),
	NOT_BUILT("parentJobId"),
};

static RESULT prepare_list(struct rest_json_call *e, void *args)
{
	return awsbackup_check_page(e, &((struct list_args *) args)->page);
}

static bool is_listed(struct rest_json_call *e, const struct list_args *a, const struct async_job *job)
{
	return str_is(job->command, RESTORE_COMMAND) && (!a->status.n || str_is(a->status, status_of(job))) &&
	       (!a->type.n || str_is(a->type, job->subject_kind == KIND_INSTANCE ? "EC2" : "EBS")) &&
	       (!a->account.n || str_equal(a->account, e->c->who->account_number));
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	struct awsbackup_rows rows = {0};
	for (const struct async_job *job =
		     async_job_first_by_account(rest_json_tables(e), e->c->who->account);
	     job; job = async_job_next_by_account(rest_json_tables(e), job))
		if (is_listed(e, a, job))
			TRY(awsbackup_add_row(e, &rows, &job->row));
	awsbackup_write_page(e, w, "RestoreJobs", &a->page, &rows, write_job, NULL);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_PUT, "/restore-jobs", AWSBACKUP_ACTION("StartRestoreJob"), .flags = API_WRITES,
	 .args = PARAMS(struct start_args, start_params), .prepare = prepare_start,
	 .operation = engine_start_restore_job_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_start, .doc = "Restores an instance or a volume to a new one."},
	{HTTP_GET, "/restore-jobs", AWSBACKUP_ACTION("ListRestoreJobs"),
	 .args = PARAMS(struct list_args, list_params), .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists restore jobs of the last hour."},
	{HTTP_GET, "/restore-jobs/{restoreJobId}", AWSBACKUP_ACTION("DescribeRestoreJob"),
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_id, .answer = answer_describe,
	 .doc = "Describes a restore job."},
};
const struct api_actions awsbackup_restore_actions = API_ACTIONS(actions);
