/* SPDX-License-Identifier: Apache-2.0
 * OVSDB's column values in a canonical JSON form, so that json_equal() compares them: texts, integers and
 * booleans as such; a UUID as its text; an optional value may be null; a set is an object whose keys are its
 * elements; a map is an object of texts or integers. On the wire (RFC 7047) a set of one element may lack its
 * brackets, and order is irrelevant. Pure; any thread.
 *
 * Out of memory and malformed values both yield NULL and end the connection. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/uuid.h"

enum ovsdb_type {
	OVSDB_TEXT,
	OVSDB_INT,
	OVSDB_BOOL,
	OVSDB_OPT_TEXT,
	OVSDB_OPT_INT,
	OVSDB_OPT_BOOL,
	OVSDB_OPT_UUID,
	OVSDB_TEXTS, /* set of texts */
	OVSDB_UUIDS, /* set of references */
	OVSDB_MAP,   /* text to text */
	OVSDB_INTS   /* text to integer */
};

/* Converts from the wire; a new reference, or NULL. */
json_t *ovsdb_value_read(enum ovsdb_type type, const json_t *wire);
/* Converts to the wire; a new reference, or NULL. */
json_t *ovsdb_value_write(enum ovsdb_type type, const json_t *value);
/* NULL stands for the type's default: "", 0, false, none, empty. */
bool ovsdb_value_equal(enum ovsdb_type type, const json_t *a, const json_t *b);
/* Applies a change of update3: for sets and maps a difference, applied to `old` in place; for other types the
 * new value. Returns a new reference, or NULL; old may be NULL, and must not be shared. */
json_t *ovsdb_value_change(enum ovsdb_type type, json_t *old, const json_t *change);
/* ["uuid", text]: a reference in a condition or as a set's element. */
json_t *ovsdb_uuid_write(const char *text);
