/* SPDX-License-Identifier: Apache-2.0
 * Hash table of rows by an id: linear probing, with deletion by backward shift (Knuth 6.4, algorithm R). */
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

static uuid id_of(const struct id_table *t, const struct row *row)
{
	uuid id;
	memcpy(&id, (const char *) row + t->offset, sizeof id);
	return id;
}

/* Slot of the id, or the free slot where it belongs. */
static size_t id_table_seek(const struct id_table *t, uuid id, uint64_t hash)
{
	size_t mask = t->slot_count - 1, at = hash & mask;
	while (t->slots[at].first &&
	       (t->slots[at].hash != hash || !uuid_equal(id_of(t, t->slots[at].first), id)))
		at = (at + 1) & mask;
	return at;
}

/* Slot of the row's id, or the free slot where it belongs. */
static size_t id_table_slot(const struct id_table *t, const struct row *row)
{
	uuid id = id_of(t, row);
	return id_table_seek(t, id, id_hash(id));
}

bool id_table_has_room(const struct id_table *t, size_t row_count)
{
	return 2 * row_count <= t->slot_count;
}

static void set_last(const struct id_table *t, size_t slot, struct row *row)
{
	if (t->lasts)
		t->lasts[slot] = row;
}

static struct row *last_at(const struct id_table *t, size_t slot)
{
	return t->lasts ? t->lasts[slot] : t->slots[slot].first;
}

bool id_table_grow(const struct id_table *from, size_t offset, bool is_shared, size_t row_count,
		   struct id_table *ret_table)
{
	struct id_table t = {.slot_count = FIRST_SLOT_COUNT, .offset = offset};
	while (!id_table_has_room(&t, row_count))
		t.slot_count *= 2;
	t.slots = heap_alloc_array(t.slot_count, sizeof *t.slots);
	t.lasts = is_shared ? heap_alloc_array(t.slot_count, sizeof(struct row *)) : NULL;
	if (!t.slots || (is_shared && !t.lasts)) {
		id_table_done(&t);
		return false;
	}
	for (size_t n = 0; n < from->slot_count; n++) {
		if (!from->slots[n].first)
			continue;
		size_t slot = id_table_slot(&t, from->slots[n].first);
		t.slots[slot] = from->slots[n];
		set_last(&t, slot, last_at(from, n));
	}
	*ret_table = t;
	return true;
}

void id_table_done(struct id_table *t)
{
	heap_free(t->slots);
	heap_free((void *) t->lasts);
	*t = (struct id_table){0};
}

static struct row *seek(const struct id_table *t, uuid id, bool last)
{
	if (t->slot_count == 0)
		return NULL;
	size_t slot = id_table_seek(t, id, id_hash(id));
	return last ? last_at(t, slot) : t->slots[slot].first;
}

struct row *id_table_find(const struct id_table *t, uuid id)
{
	return seek(t, id, false);
}

struct row *id_table_find_last(const struct id_table *t, uuid id)
{
	return seek(t, id, true);
}

void id_table_add(struct id_table *t, struct row *row)
{
	size_t slot = id_table_slot(t, row);
	t->slots[slot] = (struct id_slot){id_hash(id_of(t, row)), row};
	set_last(t, slot, row);
}

void id_table_replace(struct id_table *t, struct row *row)
{
	t->slots[id_table_slot(t, row)].first = row;
}

void id_table_replace_last(struct id_table *t, struct row *row)
{
	set_last(t, id_table_slot(t, row), row);
}

void id_table_remove(struct id_table *t, uuid id)
{
	size_t mask = t->slot_count - 1, hole = id_table_seek(t, id, id_hash(id));
	for (size_t at = (hole + 1) & mask; t->slots[at].first; at = (at + 1) & mask) {
		/* the probe sequence of this entry passes the hole and would end there: move the entry */
		if (((at - t->slots[at].hash) & mask) < ((at - hole) & mask))
			continue;
		t->slots[hole] = t->slots[at];
		set_last(t, hole, last_at(t, at));
		hole = at;
	}
	t->slots[hole] = (struct id_slot){0};
	set_last(t, hole, NULL);
}
