/* SPDX-License-Identifier: Apache-2.0
 * Users who asked for deferred work: jobs, backups, imports, schedules. The work's row stores the user and the
 * credential that narrowed that user, because the work must end when the credential is deleted, expires or loses
 * rights. These are the columns made_by, made_with and made_until_us. Works on the head and on views.
 *
 * Deferred work is what changes rows, or moves data, for an account after its call was answered:
 *
 *   work                              asker                       asked again, and where a refusal shows
 *   jobs that wait for their turn     async_job                   as the call, when the turn comes; the job's result
 *   imports (ImportImage, …)          import_snapshot_task        at each report; the task's status message
 *   exports (ExportImage, …)          export_image_task           at each report; the task's status message
 *   backups                           backup                      before data are written; the backup's fail reason
 *   schedules of snapshots            snapshot_policy             at each time; the condition SnapshotNotTaken. The
 *                                                                 account keeps the schedule of a user who left
 *   backup plans                      backup_plan                 at each run and test restore, for each machine; the
 *                                                                 condition BackupFailed, or the test's result. The
 *                                                                 account keeps the plan of a user who left
 *   rules of AWS Backup's plans       backup_selection            at each run, for each resource; BackupFailed of the plan
 *   spot requests that wait           spot_request                before each launch; the request's fault
 *   fleets that are kept or launched  fleet                       before each launch; an event of the fleet's history
 *   later
 *   scaling groups                scaling_group               before each launch; a failed activity of the group. The
 *                                                             group outlives temporary credentials, as in EC2
 *   desired configurations of     scaling_refresh             before each launch, like the group's own, which they become
 *   instance refreshes
 *   actions of alarms             alarm                       before each action; an event of the alarm's history. Those of
 *                                                             a target tracking policy are the group's own
 *   deletion of a resource group,     the async_job that waits    before each row; the problem of the group or the
 *   an account or a domain            for it                      account, and the job's result
 *   actions of machine policies   machine_policy              before each action; the finding's problem
 *   acts on machines elsewhere        remote_machine              before each request that changes something there; the
 *                                                                 machine's act_problem
 *   migrations from and to other      cloud_migration             before the source is stopped or started, and at the
 *   clouds                                                        launch of the copy; the migration's problem
 *   Azure deployments                 deployment (with its        each resource is a call of its own; the operation
 *                                     token's proof)              of the deployment
 *   facts for tickets                 any member of the account   when gathered; a positive list of fields, of rows
 *                                                                 that the opener could read
 *
 * All other steps of the reconciler carry out what rows say already (a volume is copied, an image is fetched or
 * exported, a deleted row is removed). The guard decided when the row was changed;
 * whoever may change the row may also take the wish back. Webhooks, invoices and sweeps are the operator's. */
#pragma once

#include "engine/operation.h"

struct asker {
	uuid account, user;
	/* Application credential, trust or IAM role used; or the work_session, of a session that policies of its own narrow. None: the
	 * user's own rights. */
	uuid with;
	int64_t until_us; /* end of the temporary credentials used; 0: they were not temporary */
};
#define ASKER_OF(row) ((struct asker){(row)->account, (row)->made_by, (row)->made_with, (row)->made_until_us})

/* Finds the caller of an operation, for a new row of work. The system and the operator are none. Stores the policies of a session that has
 * some, so that they limit the work, too. ERR_QUOTA. */
RESULT asker_find(struct op *op, struct asker *ret_asker);
#define ASKER_NOTE(op, row)                                                                                  \
	do {                                                                                                 \
		struct asker asker = {0};                                                                    \
		TRY(asker_find((op), &asker));                                                               \
		(row)->made_by = asker.user;                                                                 \
		(row)->made_with = asker.with;                                                               \
		(row)->made_until_us = asker.until_us;                                                       \
	} while (0)

/* True if the caller asked for it: the same user by the same credential. A narrower credential of the user is
 * another caller, and so is each role's session without that role, and a session that policies of its own narrow. */
bool asker_is_caller(const struct asker *a, const struct ctx *c);

/* NULL: the credential used still allows changes to the account; otherwise the reason, as a sentence. A user's
 * own rights are not looked at. */
const char *asker_weigh_credential(const struct tables *t, const struct asker *a, int64_t now_us);
/* The same, and the user may still act for the account (engine_acts_still()). */
const char *asker_weigh(const struct tables *t, const struct asker *a, int64_t now_us);

/* Asks the policies of an asker when the work runs. auth/guard/guard_later.c implements it; the daemon passes it to the
 * reconciler, which passes it on in the wish of each operation that does work for an asker. */
struct later_guard {
	/* Leaves a guard for c->who in c, as for a call of the permission's action, which decides by the policies that t
	 * contains. ERR_DENIED: neither a role nor a policy allows the action any more. */
	RESULT (*admit)(struct later_guard *g, struct ctx *c, const struct tables *t, const char *permission);
	/* Asks about what the operation has made and linked, at its end (guard_check_made()). */
	RESULT (*check_made)(struct op *op);
};

/* Permission that the work was asked for with, such as "instance.start". */
struct asker_work {
	struct later_guard *guard; /* NULL: roles alone decide */
	const char *permission;
	int64_t now_us;
};

/* Puts the asker into a context in place of the system, with the present roles and policies: a row that went to
 * another account is not found any more. Conditions about the request, such as aws:SourceIp, are decided as when
 * the work was asked for. The operator's work stays the system's. ERR_DENIED with the reason of asker_weigh(), or
 * of the guard in the face's words. */
RESULT asker_act(struct ctx *c, const struct tables *t, const struct asker *a, const struct asker_work *work);
/* Decides in a view, outside of an operation, whether the asker may still do this to the row. The account must be enabled,
 * too: operations check that by engine_find_acting_account(), and a view has nobody else who would. *ret_why_not: the reason
 * of a refusal, in the arena; empty: the asker may. Fails only if nothing was decided. */
RESULT asker_ask(struct arena *a, const struct tables *t, const struct asker *asker,
		 const struct asker_work *work, enum kind kind, const struct row *row,
		 struct str *ret_why_not);
/* Asks whether the asker may still do this to the row; the context stays the system's. ERR_DENIED. */
RESULT asker_permit(struct op *op, const struct asker *a, const struct asker_work *work, enum kind kind,
		    const struct row *row);

/* Runs a part of a system operation as the asker, and asks about what it made. Afterwards the context is the system's
 * again. */
RESULT asker_run(struct op *op, const struct asker *a, const struct asker_work *work, op_run run, void *arg);
