/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: deletion of everything in a resource group or an account, in several steps. */
#pragma once

#include "engine/internal.h"

/* Deletes rows of a kind. */
struct row_deleter {
	enum kind kind;
	const char *permission; /* required to delete a row */
	RESULT (*delete)(struct op *op, struct ref *ref);
};
/* In the order in which rows can be deleted: dependent rows first. */
extern const struct row_deleter engine_row_deleters[];
extern const size_t engine_row_deleter_count;
const struct row_deleter *engine_find_row_deleter(enum kind kind); /* NULL: rows of the kind are left */

/* The result of one step. */
struct emptying {
	size_t left;        /* rows that still exist */
	bool is_on_the_way; /* rows are being deleted, so another step may get further */
	struct str problem; /* why the first of the other rows stays */
	/* The asker of the deletion, and the asker's guard, which decides before each row; NULL: the system. */
	const struct identity *who;
	struct guard *guard;
};
struct later_guard;
/* Finds the asker of the deletion in the job that waits for it. permission: of the deletion. ERR_DENIED: the
 * asker may not delete it any more. */
RESULT emptying_begin(struct op *op, uuid subject, const char *permission, struct later_guard *later,
		      struct emptying *e);
/* True if the row is being deleted already. */
bool emptying_is_going(const struct tables *t, enum kind kind, uuid id);
/* Deletes the row. A refusal changes nothing except e->problem, which then begins with `name`. */
RESULT emptying_try(struct op *op, const struct row_deleter *deleter, uuid id, struct str name,
		    struct emptying *e);
