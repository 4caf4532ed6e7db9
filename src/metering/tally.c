/* SPDX-License-Identifier: Apache-2.0
 * Sums by key, in a hash table. */
#include "metering/tally.h"

#include <stdlib.h>

#include "base/vec.h"

enum { FIRST_PLACES = 1024 };

static uint32_t hash_of(struct str key) /* FNV-1a */
{
	uint32_t hash = 2166136261u;
	for (size_t k = 0; k < key.n; k++)
		hash = (hash ^ (unsigned char) key.p[k]) * 16777619u;
	return hash;
}

/* The slot that has the key, or where it would be inserted. */
static uint32_t *find_place(const struct tally *t, struct str key)
{
	size_t at = hash_of(key) & (t->place_count - 1);
	while (t->places[at] && !str_equal(t->lines[t->places[at] - 1].key, key))
		at = (at + 1) & (t->place_count - 1);
	return &t->places[at];
}

static bool grow(struct tally *t)
{
	size_t count = t->place_count ? 2 * t->place_count : FIRST_PLACES;
	uint32_t *places = arena_new_array(t->arena, uint32_t, count);
	if (!places)
		return false;
	t->places = places;
	t->place_count = count;
	for (size_t k = 0; k < t->count; k++)
		*find_place(t, t->lines[k].key) = (uint32_t) k + 1;
	return true;
}

struct tally_line *tally_find(struct tally *t, struct str key)
{
	struct {
		struct tally_line *at;
		size_t count, capacity;
	} lines = {t->lines, t->count, t->capacity};
	if (2 * t->count >= t->place_count && !grow(t))
		return NULL;
	uint32_t *place = find_place(t, key);
	if (*place)
		return &t->lines[*place - 1];
	const struct tally_line line = {.key = str_copy(t->arena, key)};
	if ((key.n && !line.key.p) || !VEC_PUSH(t->arena, &lines, line))
		return NULL;
	t->lines = lines.at;
	t->count = lines.count;
	t->capacity = lines.capacity;
	*place = (uint32_t) t->count;
	return &t->lines[t->count - 1];
}

const void *tally_look(const struct tally *t, struct str key)
{
	const uint32_t *place = t->place_count ? find_place(t, key) : NULL;
	return place && *place ? t->lines[*place - 1].data : NULL;
}

static int compare_lines(const void *left, const void *right)
{
	return str_compare(((const struct tally_line *) left)->key, ((const struct tally_line *) right)->key);
}

void tally_sort(struct tally *t)
{
	if (t->count)
		qsort(t->lines, t->count, sizeof *t->lines, compare_lines);
	t->place_count = 0;
}
