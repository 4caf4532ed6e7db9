/* SPDX-License-Identifier: Apache-2.0
 * References between rows, and what happens to a row when a row that it refers to goes. Each reference of
 * schema/ has a rule; tools/schema.py makes the tables. The store follows them as a database follows foreign
 * keys (store/reference.c), by an index that begins with the field. `cascade` and `clear` have one; `refuse` may
 * do without, if the schema says which operation looks instead, and at how many rows (`unindexed`). Tests look for
 * what dangles. */
#pragma once

#include "model/row.h"

enum reference_rule {
	REFERENCE_REFUSE, /* the row keeps the one that it refers to: while it is live, or (on_forget) there */
	REFERENCE_CASCADE, /* the row is forgotten, too */
	REFERENCE_CLEAR,   /* the field becomes none; a list loses the id */
	REFERENCE_KEEP,    /* the field keeps the id of a row that is gone; the schema says why */
};

struct reference {
	enum kind kind;           /* kind of the referring rows; KIND_NONE ends the table */
	unsigned field;           /* position in the kind's field table */
	unsigned index;           /* an index that begins with the field; 0: none, the operation looks */
	enum reference_rule rule; /* applied when the other row is marked deleted or forgotten … */
	bool at_forget;           /* … or not until it is forgotten */
};

/* The references to rows of each kind; NULL: nothing refers to them. KIND_NONE: references to rows of any
 * kind. */
extern const struct reference *const model_references[KIND_COUNT];
