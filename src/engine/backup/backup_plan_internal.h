/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: reports of machine backups to their plan. */
#pragma once

#include "engine/internal.h"

struct backup_plan;
struct machine_backup;

/* Logs that the plan was created or changed, with its schedule. */
RESULT backup_plan_log(struct op *op, const struct backup_plan *p, const char *what);
/* Sets the instances of a plan. permission: for each of them; NULL: the caller is not asked. field: in messages. */
RESULT backup_plan_take_instances(struct op *op, const struct refs *refs, const char *permission,
				  const char *field, struct backup_plan *plan);
/* Deletes the plan without asking for permissions. */
RESULT backup_plan_end(struct op *op, const struct backup_plan *p);

/* The backup has failed: schedules a retry, with a condition of the plan. Nothing for a backup without a plan,
 * or of an earlier run. */
RESULT backup_plan_note_failure(struct op *op, const struct machine_backup *m);
/* The backup is complete: clears the plan's conditions once no machine of the run is left. */
RESULT backup_plan_note_success(struct op *op, const struct machine_backup *m);
