/* SPDX-License-Identifier: Apache-2.0
 * What a request says, whatever its form: objects, lists, texts, numbers, true and false, null. A document is a
 * view of pairs or of JSON; nothing is copied, and no tree is made of pairs. It lives as long as what it shows.
 * Limits are the readers': pairs_rules bound the number of pairs, the face bounds a body's size, and a table's
 * depth bounds how deep the walker of tables goes. Pure; any thread. */
#pragma once

#include <jansson.h>

#include "api/core/pairs.h"

enum { DOCUMENT_INDEX_MAX = 1000 }; /* of an element whose number is in its name */

enum document_type {
	DOCUMENT_ABSENT,
	DOCUMENT_NULL,
	DOCUMENT_BOOL,    /* .number is 0 or 1 */
	DOCUMENT_INTEGER, /* .number */
	DOCUMENT_REAL,
	DOCUMENT_TEXT,   /* .text */
	DOCUMENT_LIST,   /* .count elements */
	DOCUMENT_OBJECT, /* .count members */
	DOCUMENT_BRANCH, /* .count pairs whose names go on: an object or a list, as the reader takes it */
};

struct document {
	enum document_type type;
	unsigned form; /* enum pairs_form */
	struct str text;
	union {
		int64_t number;
		size_t count;
	};
	const json_t *json;       /* NULL: of pairs */
	const struct pair *pairs; /* .count of them; one, if this is a text */
	size_t from;              /* where the rest of the pairs' names begins */
};

/* NULL: an absent one. */
struct document document_of_json(const json_t *value);
/* An object whose members the names say, in that form. */
struct document document_of_pairs(const struct pairs *pairs, unsigned form);

/* A branch is one, unless its first name ends where the branch begins. */
bool document_is_object(const struct document *d);
/* A text of pairs is a list, too: of one element, or of what is between separators. */
bool document_is_list(const struct document *d);
/* A branch's own name, as it stands before its members'. Empty: it has none. */
struct str document_name(const struct document *d);
/* The name of the last pair within, which shows what a reader did not expect. Empty: there is none. */
struct str document_last_name(const struct document *d);

/* Where a walk over members or elements stands. */
struct document_walk {
	const struct document *of;
	size_t at;
	void *iter;      /* of a JSON object */
	struct str rest; /* of a text between separators */
};
/* At the beginning. */
struct document_walk document_begin(const struct document *of);

struct document_member {
	struct str name;  /* of pairs that nest all that is left of it: "A.1.B"; of a list's element none */
	struct str field; /* the first pair's whole name; empty for JSON */
	struct document value;
};
/* The next member of an object. False: that was all. */
bool document_next_member(struct document_walk *w, struct document_member *ret_member);
/* The member, and all that follow it whose names begin with the same `size` bytes, become one. */
void document_take_branch(struct document_walk *w, size_t size, struct document_member *member);

enum name_fit { NAME_DIFFERS, NAME_IS, NAME_BEGINS };
/* Whether a member's name is the wanted one, or goes on behind it (A.1 behind A). What is wanted ends at a bar. */
enum name_fit document_fit_name(unsigned form, struct str name, const char *wanted);

/* UNNUMBERED, OUT_OF_RANGE: the name, which is the field, does not say which element it is of. */
enum document_step { DOCUMENT_END, DOCUMENT_ELEMENT, DOCUMENT_UNNUMBERED, DOCUMENT_OUT_OF_RANGE };
/* The next element of a list. separator: between the elements of a text, 0: it is one element. */
enum document_step document_next_element(struct document_walk *w, char separator,
					 struct document_member *ret_element);

/* A JSON value as compact JSON in the arena. */
RESULT document_write_json(struct ctx *c, const json_t *value, struct str *ret_text);
