/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/remote/: what the wishes and the reports of migrations share. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"
#include "engine/remote/migration.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"

enum { MIGRATION_PROBLEM_MAX = 1024 };

/* The migration's disks, copied from the rows, in the order of their numbers. */
RESULT migration_copy_disks(struct op *op, uuid migration, struct cloud_migration_disk **ret_disks,
			    size_t *ret_count);
/* Sets refusals and warnings from the rows' facts. */
RESULT migration_weigh(struct op *op, struct cloud_migration *next);
/* Chooses type, subnet and key pair for a machine that was just described. */
void migration_choose(struct op *op, struct cloud_migration *next);
/* Begins to undo. problem: why it failed; empty: a user asked. */
RESULT migration_undo(struct op *op, const struct cloud_migration *m, struct str problem);
/* Writes the row and an event, whose kind is the stage's word. */
RESULT migration_put_logged(struct op *op, const struct cloud_migration *next, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
