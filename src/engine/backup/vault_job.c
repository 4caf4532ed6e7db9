/* SPDX-License-Identifier: Apache-2.0
 * Jobs of AWS Backup. A backup job is the machine backup, or the backup of a volume, that it makes; a restore job is a row of
 * async_job. Source: AWS Backup's API Reference. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/backup_vault_internal.h"
#include "engine/backup/machine_backup.h"
#include "engine/backup/machine_backup_internal.h"
#include "engine/job.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/tag_internal.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/backup_vault.h"
#include "store/instance.h"
#include "store/machine_backup.h"
#include "store/volume.h"

/* ---- backups ---- */

static RESULT back_up_machine(struct op *op, const struct backup_job_wish *wish, struct asker asker,
			      struct tags tags, uuid *ret_made)
{
	const struct instance *i = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &i));
	if (!row_is_live(&i->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' is terminated.",
				   STR_ARG(wish->instance.text));
	const struct machine_backup_order order = {.instance = i,
						   .target = wish->target,
						   .container = engine_vault_container(wish->vault),
						   .field = wish->instance.field,
						   .keep_days = wish->keep_days,
						   .complete_minutes = wish->complete_minutes,
						   .tags = tags,
						   .asker = asker};
	return machine_backup_write(op, &order, ret_made);
}

static RESULT back_up_volume(struct op *op, const struct backup_job_wish *wish, struct asker asker,
			     struct tags tags, uuid *ret_made)
{
	const struct volume *v = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &v));
	struct backup b = {.account = v->account,
			   .made_by = asker.user,
			   .made_with = asker.with,
			   .volume = v->row.id,
			   .target = wish->target,
			   .container = engine_vault_container(wish->vault),
			   .metadata = tags};
	TRY(backup_check_volume(op, &wish->volume, true, v));
	TRY(backup_check_room(op, b.account, v->size));
	TRY(backup_begin(op, v, NULL, false, &b));
	*ret_made = b.row.id;
	return OK;
}

RESULT engine_start_backup_job(struct op *op, struct backup_job_wish *wish)
{
	uuid account = UUID_NONE;
	const struct backup_vault *vault = NULL;
	struct asker asker = {0};
	struct tags tags;
	if (!wish->target.n)
		return ctx_fail(op->ctx, ERR_GONE, "This region keeps no backups: it has no place for them.");
	TRY(engine_find_acting_id(op, &account));
	TRY(backup_vault_find_or_make(op, account, wish->vault, "backup_job.start", &vault));
	TRY(backup_role_take(op, account, wish->role, KIND_BACKUP_VAULT, &asker));
	TRY(tag_normalize(op, wish->tags, &tags));
	return ref_is_given(&wish->instance) ? back_up_machine(op, wish, asker, tags, &wish->made)
					     : back_up_volume(op, wish, asker, tags, &wish->made);
}

/* Keeps the row in error, so that DescribeBackupJob finds the job, and deletes the data of its disks. */
static RESULT stop(struct op *op, const struct machine_backup *m, struct str why)
{
	struct machine_backup next = *m;
	next.problem = why;
	next.is_stopped = true;
	next.deadline_us = 0;
	next.row.gen++;
	for (const struct backup *b = backup_first_by_machine_backup(op->head, m->row.id), *after = NULL; b;
	     b = after) {
		after = backup_next_by_machine_backup(op->head, b);
		if (row_is_live(&b->row))
			TRY(backup_drop(op, b));
	}
	TRY(machine_backup_put(op, &next));
	return engine_log_event(op, KIND_MACHINE_BACKUP, &next.row, "failed", "%" STR_FMT, STR_ARG(why));
}

RESULT engine_stop_backup_job(struct op *op, struct backup_job_target *wish)
{
	const struct machine_backup *m = NULL;
	TRY(engine_permit_machine_backup(op, &wish->backup, "backup_job.stop", &m));
	if (model_derive_machine_backup_state(m) != MACHINE_BACKUP_CREATING)
		return ENGINE_FAIL(op, ERR_STATE, KIND_MACHINE_BACKUP, STR("backupJobId"),
				   "The backup job has ended.");
	if (m->is_held) /* stopping deletes the data stored so far */
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_MACHINE_BACKUP, STR("backupJobId"),
				   "The backup is under a legal hold.");
	return stop(op, m, STR("The backup job was stopped."));
}

RESULT engine_delete_recovery_point(struct op *op, struct recovery_point_target *wish)
{
	const struct machine_backup *m = NULL;
	const struct backup *b = NULL;
	if (ref_is_given(&wish->machine_backup)) {
		TRY(engine_permit_machine_backup(op, &wish->machine_backup, "recovery_point.delete", &m));
		TRY(engine_permit(op, "machine_backup.delete", KIND_MACHINE_BACKUP, &m->row));
		return machine_backup_drop(op, m, wish->machine_backup.field);
	}
	TRY(engine_permit_backup(op, &wish->backup, "recovery_point.delete", &b));
	TRY(engine_permit(op, "backup.delete", KIND_BACKUP, &b->row));
	if (!row_is_live(&b->row) || engine_backup_is_restoring(op->head, b->row.id) ||
	    backup_is_being_added_to(op->head, b->row.id) || engine_backup_has_children(op->head, b->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, wish->backup.field,
				   "The recovery point is being restored or added to.");
	return backup_drop(op, b);
}

/* ---- restores ---- */

/* Restores run with the rights of the caller, not of a role. The caller also needs the permission that other faces ask for the restore. */

static RESULT restore_machine(struct op *op, const struct restore_job_wish *wish, struct job_wish *job)
{
	struct machine_restoring restoring = {.backup = wish->machine_backup,
					      .type = wish->type,
					      .subnet = wish->subnet,
					      .groups = wish->groups};
	const struct machine_backup *m = NULL;
	TRY(engine_permit_machine_backup(op, &wish->machine_backup, "recovery_point.restore", &m));
	TRY(engine_permit_beside_on(op, "machine_backup.restore", KIND_MACHINE_BACKUP, &m->row));
	job->source = m->row.id;
	TRY(engine_restore_machine_backup(op, &restoring));
	job->kind = KIND_INSTANCE;
	job->subject = restoring.made.at[0];
	job->outcome = ASYNC_JOB_OUTCOME_SETTLED;
	return OK;
}

static RESULT restore_volume(struct op *op, const struct restore_job_wish *wish, struct job_wish *job)
{
	struct backup_restoring restoring = {
		.backup = wish->backup, .made = {.zone = wish->zone, .disk = {.type = wish->volume_type}}};
	const struct backup *b = NULL;
	TRY(engine_permit_backup(op, &wish->backup, "recovery_point.restore", &b));
	TRY(engine_permit_beside_on(op, "backup.restore", KIND_BACKUP, &b->row));
	job->source = b->row.id;
	TRY(engine_restore_backup(op, &restoring));
	job->kind = KIND_VOLUME;
	job->subject = restoring.volume_id;
	job->outcome = ASYNC_JOB_OUTCOME_MADE;
	return OK;
}

RESULT engine_start_restore_job(struct op *op, struct restore_job_wish *wish)
{
	uuid account = UUID_NONE;
	struct job_wish job = {.command = STR("StartRestoreJob")};
	struct asker ignored;
	TRY(engine_find_acting_id(op, &account));
	if (wish->role.n)
		TRY(backup_role_take(op, account, wish->role, KIND_BACKUP_VAULT, &ignored));
	TRY(ref_is_given(&wish->machine_backup) ? restore_machine(op, wish, &job)
						: restore_volume(op, wish, &job));
	TRY(engine_create_job(op, &job));
	wish->job = job.job;
	return OK;
}

/* ---- deadlines and expiry ---- */

RESULT engine_end_due_backup(struct op *op, struct machine_backup_due *wish)
{
	const struct machine_backup *m = machine_backup_find(op->head, wish->backup);
	bool is_creating = m && model_derive_machine_backup_state(m) == MACHINE_BACKUP_CREATING;
	if (!m)
		return OK;
	if (is_creating && m->deadline_us && op->now_us >= m->deadline_us)
		return stop(op, m, STR("The backup was not complete within its completion window."));
	if (is_creating || !m->expires_us || op->now_us < m->expires_us ||
	    machine_backup_is_busy(op->head, m))
		return OK;
	return machine_backup_drop(op, m, STR_NONE);
}
