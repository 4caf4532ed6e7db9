/* SPDX-License-Identifier: Apache-2.0
 * UUIDs (RFC 4122): random (version 4) and name-based (version 5, SHA-1), passed by value. All zeros is
 * "none". Pure; any thread. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/result.h"
#include "base/str.h"

typedef struct uuid {
	uint8_t b[16];
} uuid;

/* A list of UUIDs. */
struct uuids {
	const uuid *at;
	size_t count;
};

enum { UUID_TEXT_SIZE = 37 };
#define UUID_NONE ((uuid){{0}})

/* Compares by words, with memcmp()'s order. Inline, because indexes do little else. */
static inline bool uuid_equal(uuid a, uuid b)
{
	uint64_t x[2], y[2];
	memcpy(x, a.b, sizeof x);
	memcpy(y, b.b, sizeof y);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}
static inline int uuid_compare(uuid a, uuid b)
{
	uint64_t x, y;
	memcpy(&x, a.b, sizeof x);
	memcpy(&y, b.b, sizeof y);
	if (x == y) {
		memcpy(&x, a.b + 8, sizeof x);
		memcpy(&y, b.b + 8, sizeof y);
	}
	x = be64toh(x);
	y = be64toh(y);
	return x < y ? -1 : x > y;
}
bool uuid_is_none(uuid u); /* all bytes are zero */
bool uuids_have(const struct uuids *list, uuid u);
uuid uuid_random(void); /* version 4, from random_bytes() */
uuid uuid_v5(uuid name_space, struct str name);
/* Writes 8-4-4-4-12 lower-case digits and NUL. Returns out. */
char *uuid_write(uuid u, char out[static UUID_TEXT_SIZE]);
struct str uuid_to_str(struct arena *a, uuid u);
/* Parses 32 digits with or without dashes, ignoring case. ERR_MALFORMED. */
RESULT uuid_parse(struct str s, uuid *ret_uuid);
