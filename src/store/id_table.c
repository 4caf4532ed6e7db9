/* SPDX-License-Identifier: Apache-2.0
 * Rows by id: linear probing; what is removed is filled from behind (Knuth 6.4, algorithm R). */
#include "store/id_table.h"

#include "base/heap.h"

enum { FIRST_SLOT_COUNT = 64 };

static uint64_t id_hash(uuid id)
{
	uint64_t halves[2];
	memcpy(halves, id.b, sizeof halves);
	uint64_t h = (halves[0] ^ halves[1] >> 32 ^ halves[1] << 32) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* Where the id is, or the free slot where it would be. */
static size_t id_table_seek(const struct id_table *t, uuid id, uint64_t hash)
{
	size_t mask = t->slot_count - 1, at = hash & mask;
	while (t->slots[at].row && (t->slots[at].hash != hash || !uuid_equal(t->slots[at].row->id, id)))
		at = (at + 1) & mask;
	return at;
}

bool id_table_has_room(const struct id_table *t, size_t row_count)
{
	return 2 * row_count <= t->slot_count;
}

bool id_table_grow(const struct id_table *from, size_t row_count, struct id_table *ret_table)
{
	struct id_table t = {.slot_count = FIRST_SLOT_COUNT};
	while (!id_table_has_room(&t, row_count))
		t.slot_count *= 2;
	t.slots = heap_alloc_array(t.slot_count, sizeof *t.slots);
	if (!t.slots)
		return false;
	for (size_t n = 0; n < from->slot_count; n++)
		if (from->slots[n].row)
			id_table_add(&t, from->slots[n].row);
	*ret_table = t;
	return true;
}

void id_table_done(struct id_table *t)
{
	heap_free(t->slots);
	*t = (struct id_table){0};
}

struct row *id_table_find(const struct id_table *t, uuid id)
{
	return t->slot_count ? t->slots[id_table_seek(t, id, id_hash(id))].row : NULL;
}

void id_table_add(struct id_table *t, struct row *row)
{
	uint64_t hash = id_hash(row->id);
	t->slots[id_table_seek(t, row->id, hash)] = (struct id_slot){hash, row};
}

void id_table_replace(struct id_table *t, struct row *row)
{
	t->slots[id_table_seek(t, row->id, id_hash(row->id))].row = row;
}

void id_table_remove(struct id_table *t, uuid id)
{
	size_t mask = t->slot_count - 1, hole = id_table_seek(t, id, id_hash(id));
	for (size_t at = (hole + 1) & mask; t->slots[at].row; at = (at + 1) & mask) {
		/* Its search begins at or before the hole, and would end there: it moves. */
		if (((at - t->slots[at].hash) & mask) < ((at - hole) & mask))
			continue;
		t->slots[hole] = t->slots[at];
		hole = at;
	}
	t->slots[hole] = (struct id_slot){0};
}
