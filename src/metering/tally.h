/* SPDX-License-Identifier: Apache-2.0
 * Sums charges by key, for statements and answers. Costs are exact; rounding is up to the caller. */
#pragma once

#include "base/arena.h"
#include "metering/money.h"

struct tally_line {
	struct str key;
	int64_t quantity; /* millionths; meaningful if all charges have the same unit */
	money list, cost;
	const void *data; /* data of the line's first charge */
};

struct tally {
	struct arena *arena; /* the caller's; contains keys and lines */
	struct tally_line *lines;
	size_t count, capacity;
	uint32_t *places;
	size_t place_count;
};

/* Finds or adds a key's line; the key is copied. NULL: out of memory. */
struct tally_line *tally_find(struct tally *t, struct str key);
/* A key's data; NULL: none. */
const void *tally_look(const struct tally *t, struct str key);
/* Sorts the lines by key. Lookups no longer work afterwards. */
void tally_sort(struct tally *t);
