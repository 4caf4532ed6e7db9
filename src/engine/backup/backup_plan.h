/* SPDX-License-Identifier: Apache-2.0
 * Backup plans: scheduled machine backups (machine_backup.h) and their expiry. A plan names instances, or a tag
 * that they have. Each run makes one backup of each instance. A failed backup is retried with growing pauses until
 * the next run. A run skips an instance whose previous backup is not complete, and the plan reports it. One run
 * makes up for all runs that were due while the process was down. reconcile/backup/backup_plan.c computes times and
 * decides what expires. Called by: api/native, api/cloudstack. */
#pragma once

#include "engine/operation.h"
#include "model/backup_plan.h"

/* PLAN_MACHINES_MAX: instances of one run; a plan with more backs up the oldest of them and says so. */
enum { BACKUP_PLANS_MAX = 100, PLAN_MACHINES_MAX = 256, PLAN_KEPT_MAX = 1000, PLAN_CHECK_DAYS_MAX = 366 };

/* Fields of a plan. Texts that are NULL, and numbers that are not given, keep their values. */
struct backup_plan_counts {
	int64_t last, hourly, daily, weekly, monthly, yearly, check_days;
};
struct backup_plan_given {
	bool last, hourly, daily, weekly, monthly, yearly, check_days, instances, tags;
};
struct backup_plan_wish {
	struct ref plan;    /* to change; kind none: a new plan */
	struct ref account; /* a new plan's owner, for administrators; kind none: the caller */
	struct str target;  /* value of the setting backup.target */
	const struct str *name, *description, *tag_key, *tag_value, *schedule, *timezone, *container,
		*check_marker;
	struct refs instances;
	bool sets_interval;
	enum backup_plan_interval interval;
	struct backup_plan_counts keep;
	struct backup_plan_given given;
	enum choice is_active;
	struct tags tags;
	/* outputs: */
	uuid made;
};
/* ERR_STATE: a plan of AWS Backup can only be paused and resumed here. ERR_INVALID: the schedule, a number or a name is not valid; the
 * caller checked that the time zone exists. ERR_EXISTS: the account has a plan of that name. ERR_QUOTA. */
OPERATION(engine_create_backup_plan, backup_plan_wish)
OPERATION(engine_update_backup_plan, backup_plan_wish)

struct backup_plan_target {
	struct ref plan;
};
/* Deletes the plan. Its backups stay, and nothing expires them any more. */
OPERATION(engine_delete_backup_plan, backup_plan_target)
/* Makes the next run due now. ERR_STATE: the plan is not active. */
OPERATION(engine_run_backup_plan, backup_plan_target)

/* ---- for the reconciler; OK for a row that is absent or changed ---- */

/* Conditions of a plan. */
#define BACKUP_FAILED "BackupFailed"
#define BACKUP_RUN_SKIPPED "BackupRunSkipped"
#define BACKUPS_NOT_EXPIRED "BackupsNotExpired"

struct later_guard; /* engine/people/asker.h */
/* is_due: begins the run that was due at next_us; is_retry: repeats what failed in the last run; neither: notes
 * the time of the next run. */
struct backup_plan_turn {
	uuid plan;
	uint64_t gen;             /* as read */
	int64_t due_us, retry_us; /* next_us and retry_us as read */
	int64_t next_us;          /* new value */
	bool is_due, is_retry;
	struct later_guard *guard; /* asks the asker's policies again; NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_take_backup_turn, backup_plan_turn)

/* Deletes expired backups of a plan, which the reconciler has chosen. A machine's newest available backup and backups
 * under a legal hold stay even if they were chosen. A refusal becomes a condition. */
struct backup_plan_pruning {
	uuid plan;
	struct uuids expired;
};
SYSTEM_OPERATION(engine_prune_backup_plan, backup_plan_pruning)

/* Starts a test restore of a plan's backup. A refusal is the test's result. */
struct backup_plan_check {
	uuid plan, backup;
	struct later_guard *guard;
};
SYSTEM_OPERATION(engine_begin_plan_check, backup_plan_check)

/* Pause before the n-th retry of a run, from 0 on. */
int64_t engine_backup_retry_pause_us(int64_t failures);
