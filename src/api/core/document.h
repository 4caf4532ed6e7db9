/* SPDX-License-Identifier: Apache-2.0
 * Contents of a request, in one form for all protocols: objects, lists, texts, numbers, booleans, null. A
 * document is a view of pairs or of JSON: nothing is copied, and pairs are not made into a tree. It is valid as
 * long as the pairs or the JSON. The readers set limits: pairs_rules bound the number of pairs, the face bounds the
 * size of a body, and the depth of a table bounds the depth of the walk. Pure; any thread. */
#pragma once

#include <jansson.h>

#include "api/core/pairs.h"

enum { DOCUMENT_INDEX_MAX = 1000 }; /* highest number in a name of an element */

enum document_type {
	DOCUMENT_ABSENT,
	DOCUMENT_NULL,
	DOCUMENT_BOOL,    /* .number is 0 or 1 */
	DOCUMENT_INTEGER, /* .number */
	DOCUMENT_REAL,
	DOCUMENT_TEXT,   /* .text */
	DOCUMENT_LIST,   /* .count elements */
	DOCUMENT_OBJECT, /* .count members */
	DOCUMENT_BRANCH, /* .count pairs with longer names: an object or a list, depending on the reader */
};

struct document {
	enum document_type type;
	unsigned form; /* enum pairs_form */
	struct str text;
	union {
		int64_t number;
		size_t count;
	};
	const json_t *json;       /* NULL: the document is made of pairs */
	const struct pair *pairs; /* .count pairs; a text has one */
	size_t from;              /* offset in the pairs' names at which this document begins */
};

/* value NULL: the document is absent. */
struct document document_of_json(const json_t *value);
/* The object that the names of the pairs describe in that form. */
struct document document_of_pairs(const struct pairs *pairs, unsigned form);

/* True also for a branch, unless its first name ends where the branch begins. */
bool document_is_object(const struct document *d);
/* True also for a text of pairs: a list of one element, or of those between separators. */
bool document_is_list(const struct document *d);
/* The part of the names that a branch's members have in common. Empty: there is none. */
struct str document_name(const struct document *d);
/* The name of the last pair in the document, for a message about an unexpected member. Empty: there is none. */
struct str document_last_name(const struct document *d);

/* A position between the members or elements of a document. */
struct document_walk {
	const struct document *of;
	size_t at;
	void *iter;      /* position in a JSON object */
	struct str rest; /* rest of a text with separators */
};
struct document_walk document_begin(const struct document *of);

struct document_member {
	struct str
		name; /* for nested pairs the whole rest of the name: "A.1.B"; empty for an element of a list */
	struct str field; /* the first pair's whole name; empty for JSON */
	struct document value;
};
/* Moves to the next member of an object. False: there are no more. */
bool document_next_member(struct document_walk *w, struct document_member *ret_member);
/* Merges the member with the following ones whose names begin with the same `size` bytes. */
void document_take_branch(struct document_walk *w, size_t size, struct document_member *member);

enum name_fit { NAME_DIFFERS, NAME_IS, NAME_BEGINS };
/* Compares a member's name with the wanted one, which ends at a bar. NAME_BEGINS: the name is longer, as A.1 for A. */
enum name_fit document_fit_name(unsigned form, struct str name, const char *wanted);

/* UNNUMBERED, OUT_OF_RANGE: the name (the member's field) has no valid number of an element. */
enum document_step { DOCUMENT_END, DOCUMENT_ELEMENT, DOCUMENT_UNNUMBERED, DOCUMENT_OUT_OF_RANGE };
/* Moves to the next element of a list. separator: between the elements of a text; 0: a text is one element. */
enum document_step document_next_element(struct document_walk *w, char separator,
					 struct document_member *ret_element);

/* A JSON value as compact JSON in the arena. */
RESULT document_write_json(struct ctx *c, const json_t *value, struct str *ret_text);
