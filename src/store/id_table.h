/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: hash tables that map an id to its row, or to the first and last of the rows that share
 * the id in a field. The trees could answer the same, but each of their about twenty steps is a cache miss on
 * a large region; this takes two. Open addressing, at most half full, no tombstones. A table grows only by
 * being copied into a larger one, so readers may use the old one meanwhile. Otherwise not thread-safe. */
#pragma once

#include "model/row.h"

struct id_slot {
	uint64_t hash;
	struct row *first; /* NULL: free slot */
};

struct id_table {
	struct id_slot *slots;
	struct row **lasts; /* the last row of each slot's id; NULL: every id has one row */
	size_t slot_count;  /* a power of two, or 0 */
	size_t offset;      /* offset of the id in a row */
};

/* True if the table has room for row_count rows in total. */
bool id_table_has_room(const struct id_table *t, size_t row_count);
/* Copies `from` into a table for the id at `offset` with room for at least row_count rows. is_shared: several
 * rows may have the same id. False: out of memory. */
bool id_table_grow(const struct id_table *from, size_t offset, bool is_shared, size_t row_count,
		   struct id_table *ret_table);
void id_table_done(struct id_table *t); /* frees the table, not the rows */
/* NULL: no row has the id. */
struct row *id_table_find(const struct id_table *t, uuid id);
struct row *id_table_find_last(const struct id_table *t, uuid id);
void id_table_add(struct id_table *t, struct row *row);     /* the id must be new, and there must be room */
void id_table_replace(struct id_table *t, struct row *row); /* replaces the first row of its id */
void id_table_replace_last(struct id_table *t, struct row *row); /* replaces the last row of its id */
void id_table_remove(struct id_table *t, uuid id);               /* the id must be present */
