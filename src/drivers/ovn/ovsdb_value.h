/* SPDX-License-Identifier: Apache-2.0
 * OVSDB's column values in one canonical JSON form, so that comparing is json_equal():
 * a text, integer or boolean is itself; a UUID its text; an optional one may be null; a set is an
 * object whose keys are its elements; a map an object of texts, or of integers. On the wire (RFC 7047) a set of
 * one element may be written without its brackets, and order means nothing. Pure; any thread.
 *
 * Out of memory shows as NULL, a malformed value too: both end the connection. */
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
	OVSDB_UUIDS, /* set of references to rows */
	OVSDB_MAP,   /* text to text */
	OVSDB_INTS   /* text to integer */
};

/* From the wire; a new reference, or NULL. */
json_t *ovsdb_value_read(enum ovsdb_type type, const json_t *wire);
/* To the wire; a new reference, or NULL. */
json_t *ovsdb_value_write(enum ovsdb_type type, const json_t *value);
/* NULL stands for the type's default: "", 0, false, none, empty. */
bool ovsdb_value_equal(enum ovsdb_type type, const json_t *a, const json_t *b);
/* The new value that a change in update3 gives: for sets and maps the change is the difference to
 * the old one, which is changed in place and returned; for others it is the new value itself. A new
 * reference, or NULL; old may be NULL, and is nobody else's. */
json_t *ovsdb_value_change(enum ovsdb_type type, json_t *old, const json_t *change);
/* ["uuid", text]: a reference as a condition or a set's element is written. */
json_t *ovsdb_uuid_write(const char *text);
