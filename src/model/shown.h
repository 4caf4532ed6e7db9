/* SPDX-License-Identifier: Apache-2.0
 * What Dari's own API (`/api/v1`) shows of each kind of row, as the [api] tables of schema/ say it. Who may see a row
 * at all is the engine's to say (engine/resolve.h); this is which of its fields, under which name, by which
 * permission. Const tables, made by tools/schema.py; any thread. */
#pragma once

#include "model/row.h"

/* Of a field. Secrets are never shown: a blob only where its kind's table names it. */
enum shown_flag {
	SHOWN_TO_NOBODY = 1 << 0,
	SHOWN_TO_ADMINS = 1 << 1, /* where it is, which is the region's business */
	SHOWN_TO_OWNER = 1 << 2,  /* and to administrators: not to those whom the row is shared with */
	SHOWN_SEARCHED = 1 << 3,  /* a search by words looks at it */
	SHOWN_COLUMN = 1 << 4,    /* lists have it, unless they are asked for other fields */
	SHOWN_IS_TIME = 1 << 5,   /* of an int: UTC microseconds, 0: never */
	SHOWN_IS_SIZE = 1 << 6,   /* of an int: bytes */
};

struct shown_kind {
	const char *name; /* "security-groups": its part of a path; NULL: the API does not have the kind */
	const char *read; /* the permission that lists and reads are (model/permission.h) */
	/* Positions of fields, + 1; 0: none. of: whoever sees the row that it names sees this one. belongs: to that user
	 * alone, and to managers of the account. */
	unsigned of, belongs;
	bool is_for_admins;
	bool shows_state;           /* lists have its derived state */
	const uint8_t *flags;       /* enum shown_flag of each field */
	const char *const *derived; /* further members that are worked out, NULL-ended */
};

extern const struct shown_kind model_shown[KIND_COUNT];
