/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/remote/: what the wishes and the reports of migrations share. Everything here runs inside an
 * operation. */
#pragma once

#include "base/vec.h"
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
/* Runs a part of a report as the user who requested the migration's last step, with the user's present rights. The context
 * is the system's afterwards. */
typedef RESULT (*migration_part)(struct op *op, const struct cloud_migration *m, void *arg);
RESULT migration_act_as_asker(struct op *op, const struct cloud_migration *m, const struct asker_work *work,
			      migration_part part, void *arg);
/* Writes what the migration waits for; empty: nothing. */
RESULT migration_note_problem(struct op *op, const struct cloud_migration *m, struct str problem);

/* ---- migration_out.c: the way out ---- */

static inline bool migration_is_out(const struct cloud_migration *m)
{
	return m->direction == CLOUD_MIGRATION_DIRECTION_OUT;
}
/* Plans the migration of an instance to a provider. */
RESULT migration_plan_out(struct op *op, struct migration_wish *wish);
/* Chooses type and key pair there for an instance whose plan is checked. */
void migration_choose_out(struct op *op, struct cloud_migration *next);
/* Checks the caller's rights to read the disks. */
RESULT migration_permit_out(struct op *op, const struct cloud_migration *m);
/* Reports of the way out. */
RESULT migration_see_out(struct op *op, const struct cloud_migration *m,
			 const struct cloud_migration_report *wish);
/* Deletes the snapshots here of an ended migration. */
RESULT migration_drop_cuts(struct op *op, const struct cloud_migration *m);
/* Before an undo: a request to start a snapshot there may be under way, whose effect is seen late. */
void migration_note_late(struct op *op, struct cloud_migration *next);
/* The disk's target was copied completely: its snapshot here is the next round's base. */
RESULT migration_end_copy_out(struct op *op, struct cloud_migration_disk *next);

/* ---- migration_weigh.c, migration_weigh_out.c ---- */

struct weighing {
	struct ctx *c;
	const struct tables *tables;
	const struct cloud_migration *m;
	struct {
		VEC(struct str);
	} refusals, warnings;
};

/* Every refusal begins with the property and ends with the cure. */
#define REFUSE(w, ...)                                                                                       \
	do {                                                                                                 \
		if (!VEC_PUSH((w)->c->arena, &(w)->refusals, str_print((w)->c->arena, __VA_ARGS__)))         \
			return ctx_no_memory((w)->c);                                                        \
	} while (0)
#define WARN(w, ...)                                                                                         \
	do {                                                                                                 \
		if (!VEC_PUSH((w)->c->arena, &(w)->warnings, str_print((w)->c->arena, __VA_ARGS__)))         \
			return ctx_no_memory((w)->c);                                                        \
	} while (0)

/* Adds what speaks against moving the disk, in either direction. */
RESULT migration_weigh_disk(struct weighing *w, const struct cloud_migration_disk *d);
/* Adds what speaks against moving the instance to its provider. */
RESULT migration_weigh_out(struct weighing *w, const struct cloud_migration_disk *disks, size_t disk_count);

/* Writes the row and an event, whose kind is the stage's word. */
RESULT migration_put_logged(struct op *op, const struct cloud_migration *next, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
