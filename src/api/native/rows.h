/* SPDX-License-Identifier: Apache-2.0
 * Rows as JSON: one walker writes a row of any kind from its field table and what model/shown.h says of it. Members have
 * the schema's names. Times are integers of UTC microseconds, sizes bytes, ids UUIDs; what is absent or none is left
 * out. Beside the fields stand `id`, `ec2` (EC2's form of it, where there is one), `gen`, `batch` (the commit that
 * changed the row, or what is part of it, last), `created_us`, `state`, `conditions`, and what derive.c works out. Any
 * thread with a view that is read. */
#pragma once

#include "base/json_write.h"
#include "engine/operation.h"
#include "model/shown.h"

enum { ROW_FIELDS_MAX = 192, ROW_DERIVED_MAX = 8 };

/* Which members are written. */
struct row_choice {
	bool fields[ROW_FIELDS_MAX];   /* by their positions */
	bool derived[ROW_DERIVED_MAX]; /* by their places in model_shown[].derived */
	bool has_state, has_conditions;
};

/* What lists show: the kind's columns; or all that is shown. */
void row_choose_columns(enum kind kind, struct row_choice *ret_choice);
void row_choose_all(enum kind kind, struct row_choice *ret_choice);
/* "name,state,zone", or "*". ERR_INVALID with the field `fields`: there is no such member. */
RESULT row_choose(struct ctx *c, enum kind kind, struct str said, struct row_choice *ret_choice);

/* What a caller gets to see of a row that he sees. */
enum { ROW_FOR_OWNER = 1, ROW_FOR_ADMIN = 2, ROW_CLASSES = 4 };
unsigned row_class(const struct ctx *c, enum kind kind, const struct row *row);
/* Whether somebody of the class is shown the field. */
bool row_shows_field(enum kind kind, unsigned field, unsigned class);

struct row_writer {
	struct arena *arena;
	const struct tables *tables;
	enum kind kind;
	const struct row_choice *choice;
	bool says_none; /* what is chosen and empty is null: for who has another version of the row */
	uint64_t batch; /* of rows that a change has left: no table has these versions */
	uint64_t (*whole_commit)(const struct tables *t, enum kind kind, const struct row *row);
};
/* The row's object: an element of a list, or with a key a member. */
void row_write(const struct row_writer *rw, struct json_writer *w, const char *key, const struct row *row,
	       unsigned class);

/* The word of its state; NULL: its kind has none. */
const char *native_state(const struct tables *t, enum kind kind, const struct row *row);
/* Whether there is a member of that name that is worked out; and writes it. */
bool native_has_derived(const char *name);
bool native_write_derived(const char *name, const struct row_writer *rw, struct json_writer *w,
			  const struct row *row, unsigned class);
/* Whether one of its addresses has the word in it (lower case). */
bool native_has_address(struct arena *a, const struct tables *t, enum kind kind, const struct row *row,
			struct str word);
