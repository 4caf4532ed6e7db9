/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: deleting all rows of something that is to go, a resource group or an account, over several looks. */
#pragma once

#include "engine/internal.h"

/* Deletes rows of a kind. */
struct row_deleter {
	enum kind kind;
	const char *permission; /* that deleting one takes */
	RESULT (*delete)(struct op *op, struct ref *ref);
};
/* In the order in which rows can go: what holds another comes first. */
extern const struct row_deleter engine_row_deleters[];
extern const size_t engine_row_deleter_count;
const struct row_deleter *engine_find_row_deleter(enum kind kind); /* NULL: such rows are left */

/* The result of one look at everything that is to go. */
struct emptying {
	size_t left;        /* rows that are there still */
	bool is_on_the_way; /* some are going, so that a further look may get on */
	struct str problem; /* why the first of the others stays */
};
/* The row is half way out: nobody has to ask for its deletion again. */
bool emptying_is_going(const struct tables *t, enum kind kind, uuid id);
/* Deletes the row. A refusal leaves no trace but e->problem, which begins with `name`. */
RESULT emptying_try(struct op *op, const struct row_deleter *deleter, uuid id, struct str name,
		    struct emptying *e);
