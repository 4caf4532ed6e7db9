/* SPDX-License-Identifier: Apache-2.0
 * Sums of charges by a key: lines of statements and answers. Costs are exact; a line is rounded by whoever shows it. */
#pragma once

#include "base/arena.h"
#include "metering/money.h"

struct tally_line {
	struct str key;
	int64_t quantity; /* millionths; of lines whose charges have one unit */
	money list, cost;
	const void *data; /* of the first charge of the line */
};

struct tally {
	struct arena *arena; /* the caller's: keys and lines live there */
	struct tally_line *lines;
	size_t count, capacity;
	uint32_t *places;
	size_t place_count;
};

/* The line of a key, which is copied; made if it is not there. NULL: out of memory. */
struct tally_line *tally_find(struct tally *t, struct str key);
/* The data of a key; NULL: it has none. */
const void *tally_look(const struct tally *t, struct str key);
/* Sorts the lines by their keys. Afterwards nothing is found any more. */
void tally_sort(struct tally *t);
