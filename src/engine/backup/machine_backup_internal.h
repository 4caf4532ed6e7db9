/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: parts of machine backups that plans and backups of volumes use. */
#pragma once

#include "engine/internal.h"
#include "engine/people/asker.h"

struct backup_plan;
struct instance;
struct machine_backup;

struct machine_backup_order {
	const struct instance *instance;
	const struct backup_plan *plan; /* NULL: a call asks for it */
	uuid rule;                      /* rule that asks for it; none: no rule of AWS Backup does */
	int64_t due_us;                 /* the plan's or the rule's run */
	struct str target, container, name, description, field;
	bool is_full;
	int64_t keep_days, complete_minutes; /* 0: for ever; without a deadline */
	struct tags tags;
	struct asker asker; /* whose policies decide until the data are written */
};
/* Writes the backup and those of its disks. Errors: engine_create_machine_backup(). */
RESULT machine_backup_write(struct op *op, const struct machine_backup_order *order, uuid *ret_backup);
/* A disk of the machine backup was stored or has failed. Nothing for an unknown machine backup. */
RESULT machine_backup_follow(struct op *op, uuid machine_backup);
/* Deletes the backup with those of its disks, without asking for permissions. */
RESULT machine_backup_drop(struct op *op, const struct machine_backup *m, struct str field);
/* True if the backup is held, is being written or restored, is being tested, or others are based on it now. */
bool machine_backup_is_busy(const struct tables *t, const struct machine_backup *m);
/* Starts a test restore as the backup's owner, without asking for permissions. */
RESULT machine_check_begin(struct op *op, const struct machine_backup *m, struct str field);
