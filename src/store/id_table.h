/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: rows by their id, or the first and the last of those that share one among their
 * fields. The trees could tell, but on a large region each of their twenty steps is a miss of the processor's
 * caches; here it is two. Open addressing, at most half full, without marks of what was removed. Grows only
 * by being copied into a larger one, so that readers may go on with the old one meanwhile. Not thread-safe
 * otherwise. */
#pragma once

#include "model/row.h"

struct id_slot {
	uint64_t hash;
	struct row *first, *last; /* NULL: free */
};

struct id_table {
	struct id_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t offset;     /* of the id in a row */
};

/* For so many rows in all. */
bool id_table_has_room(const struct id_table *t, size_t row_count);
/* A table of the same rows, by the id at that offset, with room for row_count, at the least. False when out
 * of memory. */
bool id_table_grow(const struct id_table *from, size_t offset, size_t row_count, struct id_table *ret_table);
void id_table_done(struct id_table *t); /* frees the table, not the rows */
/* NULL: none has the id. */
struct row *id_table_find(const struct id_table *t, uuid id);
struct row *id_table_find_last(const struct id_table *t, uuid id);
void id_table_add(struct id_table *t, struct row *row);     /* none with its id is there; there is room */
void id_table_replace(struct id_table *t, struct row *row); /* the first with its id */
void id_table_replace_last(struct id_table *t, struct row *row); /* likewise */
void id_table_remove(struct id_table *t, uuid id);               /* it is there */
