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
#include "store/backup_rule.h"
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

RESULT vault_back_up_volume(struct op *op, const struct volume_backup_order *order, uuid *ret_made)
{
	const struct volume *v = order->volume;
	struct ref ref = engine_ref_to(op, KIND_VOLUME, v->row.id, order->field);
	struct backup b = {.account = v->account,
			   .made_by = order->asker.user,
			   .made_with = order->asker.with,
			   .made_until_us = order->asker.until_us,
			   .volume = v->row.id,
			   .target = order->target,
			   .container = order->container,
			   .metadata = order->tags,
			   .due_us = order->due_us};
	if (order->rule) {
		b.plan = order->rule->plan;
		b.rule = order->rule->row.id;
		b.parent = backup_find_base(op, &b);
	}
	if (order->keep_days)
		b.expires_us = op->now_us + order->keep_days * 24 * HOUR;
	if (order->complete_minutes)
		b.deadline_us = op->now_us + order->complete_minutes * MINUTE;
	TRY(backup_check_volume(op, &ref, true, v));
	TRY(backup_check_room(op, b.account, v->size));
	TRY(backup_begin(op, v, NULL, false, &b));
	*ret_made = b.row.id;
	return OK;
}

static RESULT back_up_volume(struct op *op, const struct backup_job_wish *wish, struct asker asker,
			     struct tags tags, uuid *ret_made)
{
	const struct volume *v = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &v));
	const struct volume_backup_order order = {.volume = v,
						  .target = wish->target,
						  .container = engine_vault_container(wish->vault),
						  .field = wish->volume.field,
						  .keep_days = wish->keep_days,
						  .complete_minutes = wish->complete_minutes,
						  .tags = tags,
						  .asker = asker};
	return vault_back_up_volume(op, &order, ret_made);
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

static RESULT fail_ended(struct op *op)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_MACHINE_BACKUP, STR("backupJobId"),
			   "The backup job has ended.");
}

#define STOPPED STR("The backup job was stopped.")

RESULT engine_stop_backup_job(struct op *op, struct backup_job_target *wish)
{
	const struct machine_backup *m = NULL;
	const struct backup *b = NULL;
	if (ref_is_given(&wish->backup)) {
		TRY(engine_permit_backup(op, &wish->backup, "backup_job.stop", &b));
		return model_derive_backup_state(b) == BACKUP_CREATING ? backup_stop(op, b, STOPPED)
								       : fail_ended(op);
	}
	TRY(engine_permit_machine_backup(op, &wish->machine_backup, "backup_job.stop", &m));
	if (model_derive_machine_backup_state(m) != MACHINE_BACKUP_CREATING)
		return fail_ended(op);
	if (m->is_held) /* stopping deletes the data stored so far */
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_MACHINE_BACKUP, STR("backupJobId"),
				   "The backup is under a legal hold.");
	return stop(op, m, STOPPED);
}

static bool is_busy(const struct tables *t, const struct backup *b)
{
	return engine_backup_is_restoring(t, b->row.id) || backup_is_being_added_to(t, b->row.id);
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
	/* Increments of a plan keep the chunks that they need; those of Cinder need the row of their parent. */
	bool is_needed = uuid_is_none(b->rule) && engine_backup_has_children(op->head, b->row.id);
	if (!row_is_live(&b->row) || is_busy(op->head, b) || is_needed)
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

#define OVERDUE STR("The backup was not complete within its completion window.")

static RESULT end_due_machine(struct op *op, uuid id)
{
	const struct machine_backup *m = machine_backup_find(op->head, id);
	bool is_creating = m && model_derive_machine_backup_state(m) == MACHINE_BACKUP_CREATING;
	if (!m)
		return OK;
	if (is_creating && m->deadline_us && op->now_us >= m->deadline_us)
		return stop(op, m, OVERDUE);
	if (is_creating || !m->expires_us || op->now_us < m->expires_us ||
	    machine_backup_is_busy(op->head, m))
		return OK;
	return machine_backup_drop(op, m, STR_NONE);
}

RESULT engine_end_due_backup(struct op *op, struct recovery_point_due *wish)
{
	const struct backup *b = backup_find(op->head, wish->backup);
	if (!uuid_is_none(wish->machine_backup))
		return end_due_machine(op, wish->machine_backup);
	bool is_creating = b && model_derive_backup_state(b) == BACKUP_CREATING;
	if (!b || !row_is_live(&b->row))
		return OK;
	if (is_creating && b->deadline_us && op->now_us >= b->deadline_us) {
		TRY(backup_stop(op, b, OVERDUE));
		return uuid_is_none(b->rule)
			       ? OK
			       : backup_rule_note_failure(op, b->rule, b->due_us,
							  engine_write_id(op, KIND_VOLUME, b->volume),
							  OVERDUE);
	}
	if (is_creating || !b->expires_us || op->now_us < b->expires_us || is_busy(op->head, b))
		return OK;
	return backup_drop(op, b);
}
