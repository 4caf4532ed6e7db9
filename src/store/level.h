/* SPDX-License-Identifier: Apache-2.0
 * Levels of the schema, so that a region can be upgraded without a gap. A level is the set of kinds, fields and words that a
 * program knows. The database names the level in force (its table meta). A program of a later level adds its tables and
 * columns to such a database. Until the operator confirms the upgrade, it writes no row that a program of the level in
 * force could not read: both may take turns as the writer, and going back is starting the older program.
 *
 * The older program keeps what it does not know: its statements name the columns that they write. */
#pragma once

#include "base/arena.h"
#include "base/ctx.h"
#include "model/row.h"

/* A field that the level in force lacks, or that has words which it lacks. */
struct level_field {
	bool is_new;
	struct str initial;    /* of a new field: SQL's text of an empty value */
	const bool *new_words; /* by word; NULL: none */
};

/* The level in force, as the database's table meta says it. */
struct level_meta {
	int64_t version;
	struct str hash;
	struct str
		text; /* level_write() of the program that confirmed it; empty: made before levels were recorded */
	struct str program; /* that program's version; empty: unknown */
};

/* What this program knows and the level in force does not. Constant after level_new(). */
struct level {
	struct arena *arena;
	struct level_meta in_force; /* without its text */
	bool is_new[KIND_COUNT];
	const struct level_field *fields[KIND_COUNT]; /* NULL: nothing is new */
	unsigned kind_count, field_count, word_count; /* new kinds; new fields and words of others */
};

/* This program's level as text: for each kind a line of its name and its fields, as `name:type` or
 * `name:enum=word|word`. p NULL: no memory. */
struct str level_write(struct arena *a);
/* Compares this program with the level in force. ERR_STATE, with a message: that level has something that this program
 * does not know, so the program is older, or of another line. Free with level_free(). */
RESULT level_new(struct ctx *c, const struct level_meta *found, struct level **ret_level);
void level_free(struct level *level);
DEFINE_AUTO(level)
/* Decides whether a program of that version and hash may use the database. *ret_level NULL: the level in force is its own.
 * ERR_STATE, with a message: it may not. */
RESULT level_compare(struct ctx *c, const char *database, const struct level_meta *found, unsigned version,
		     const char *hash, struct level **ret_level);

/* Calls add for each table and column that is new, with the SQL that adds it. field NULL: the table. */
typedef RESULT (*level_add)(void *arg, struct ctx *c, const struct kind_info *kind, const struct field *field,
			    const char *sql);
RESULT level_each_addition(const struct level *level, struct ctx *c, level_add add, void *arg);

/* ERR_UNSUPPORTED, with a message: programs of the level in force could not read the row, or would not do what it asks
 * for. New fields that operations or reports fill by themselves are written: the older program keeps them. */
RESULT level_check_row(const struct level *level, struct ctx *c, const struct kind_info *k,
		       const struct row *row);
/* The names of what is new, for people. */
struct str level_list_news(const struct level *level, struct arena *a);
