/* SPDX-License-Identifier: Apache-2.0
 * Writes tables of actions and parameters as JSON, for `dari dump`, the documentation, and tests that compare them
 * with published models. A const struct dump_form of the face describes the differences between protocols. Each
 * action and each parameter begins a line. Any thread. */
#pragma once

#include "api/core/action.h"
#include "base/json_write.h"

struct attributes;

struct dump_form {
	const char *face; /* "ec2", as tests and pages call the face */
	bool is_of_pairs; /* every parameter is a pair of the query or the form, so the dump has no place */
	const char *types[PARAM_TYPE_COUNT]; /* the protocol's words; NULL: those of the core (dump.c) */
	const char *list_suffix;             /* behind the name of a parameter that is a list: ".N" */
	const char *no_doc;                  /* for a row without a sentence; NULL: null */
	int64_t text_max; /* maximum number of characters, unless the row has another; 0: the dump has no limit */
	/* Members of a parameter that only this protocol has; NULL: there are none. */
	void (*write_param)(struct json_writer *w, const struct param *p);
};

/* Opens an action's object, and writes the members that every face's actions have. json_write_close() ends it.
 * service: of several that a face has; else the face's name. */
void dump_open_action(struct json_writer *w, const struct dump_form *form, const struct api_action *a,
		      const char *service, const char *name);
/* The list "params": an object for each name of both tables, "A.N.B" for one within a list. common: of every
 * action; NULL: none. */
void dump_params(struct json_writer *w, const struct dump_form *form, const struct params *common,
		 const struct params *args);
/* The same with a row for each "{id}" of the path before them. kind: of what the path names first; KIND_NONE: no kind
 * is told. */
void dump_params_of_path(struct json_writer *w, const struct dump_form *form, const char *path,
			 enum kind kind, const struct params *args);
/* An object of `dari dump answers`: the members of the rows that an action shows. */
void dump_answer(struct json_writer *w, const char *face, const char *service, const char *name,
		 enum kind kind, const struct attributes *table);
/* The list "kinds": how ids and ARNs of each kind of rows look. */
void dump_kinds(struct json_writer *w);
