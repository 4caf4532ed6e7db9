/* SPDX-License-Identifier: Apache-2.0
 * Rows as JSON: one walker writes a row of any kind from its field table and its rules in model/shown.h. Members have the schema's
 * names. Times are integers of UTC microseconds, sizes are bytes, ids are UUIDs; an empty value is left out. Besides the fields a
 * row has `id`, `ec2` (the EC2 form of the id, if the kind has one), `gen`, `batch` (the last commit that changed the row or a
 * part of it), `created_us`, `state`, `conditions`, and the derived members of derive.c. Any thread with an open view. */
#pragma once

#include "base/json_write.h"
#include "engine/operation.h"
#include "model/shown.h"

enum { ROW_FIELDS_MAX = 192, ROW_DERIVED_MAX = 8 };

/* Members to write. */
struct row_choice {
	bool fields[ROW_FIELDS_MAX];   /* by position in the kind's field table */
	bool derived[ROW_DERIVED_MAX]; /* by position in model_shown[].derived */
	bool has_state, has_conditions;
};

/* Chooses the kind's columns, which lists show; or all members that may be shown. */
void row_choose_columns(enum kind kind, struct row_choice *ret_choice);
void row_choose_all(enum kind kind, struct row_choice *ret_choice);
/* Chooses the members in "name,state,zone", or with "*" all. ERR_INVALID with the field `fields`: no such member. */
RESULT row_choose(struct ctx *c, enum kind kind, struct str said, struct row_choice *ret_choice);

/* Classes of callers, which decide the members that a caller sees of a visible row. */
enum { ROW_FOR_OWNER = 1, ROW_FOR_ADMIN = 2, ROW_CLASSES = 4 };
unsigned row_class(const struct ctx *c, enum kind kind, const struct row *row);
/* False for a row of another account that is shared with the caller: conditions and history stay the owner's, because they name
 * users, requests and endpoints. Domain managers read those of accounts and users below. */
bool row_tells_problems(enum kind kind, const struct row *row, unsigned class);
/* True if callers of the class see the field. */
bool row_shows_field(enum kind kind, unsigned field, unsigned class);

struct row_writer {
	struct arena *arena;
	const struct tables *tables;
	enum kind kind;
	const struct row_choice *choice;
	bool says_none; /* writes empty members as null, for a client that holds an older version of the row */
	uint64_t batch; /* commit of rows that a change returns: the tables do not have these versions yet */
	uint64_t (*whole_commit)(const struct tables *t, enum kind kind, const struct row *row);
};
/* Writes the row's object: with a key as a member, else as an element of a list. */
void row_write(const struct row_writer *rw, struct json_writer *w, const char *key, const struct row *row,
	       unsigned class);

/* The row's state, as a word; NULL: the kind has no states. */
const char *native_state(const struct tables *t, enum kind kind, const struct row *row);
/* True if a derived member of that name exists. native_write_derived() writes it. */
bool native_has_derived(const char *name);
bool native_write_derived(const char *name, const struct row_writer *rw, struct json_writer *w,
			  const struct row *row, unsigned class);
/* True if one of the row's addresses contains the word (lower case). */
bool native_has_address(struct arena *a, const struct tables *t, enum kind kind, const struct row *row,
			struct str word);
