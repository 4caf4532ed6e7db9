/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: the trees under struct tables, and the blocks that rows live in.
 *
 * Every version of a row is one heap block. The row's address names it; in front of the row stand
 * its links, one for each index in each of the two trees, and the block's header before those:
 *
 *     struct version | link of the last index, head | … | link of index 0, head | published | row … | terms
 *
 * An index is a treap (treap.h) with the rows for its nodes; both trees of the same rows have the same
 * shape. Of an index that is hashed the first and the last row of each id that a key begins with are in a
 * table, too: in index 0 that is every row. Behind the row stand its terms (model/term.h), nodes of a treap
 * of all terms of the kind, for readers: there is one in the published tables only. The tables by id have
 * their room before a row is put.
 *
 * Not thread-safe: the head is the committer's, the published tables are under the store's lock. */
#pragma once

#include "store/id_table.h"
#include "store/store.h"
#include "store/treap.h"

enum tree { TREE_PUBLISHED, TREE_HEAD, TREE_COUNT };

/* By index; those that are not hashed are empty. */
struct id_tables {
	struct id_table at[INDEXES_MAX];
};

/* No row of a kind was created behind this place. */
struct newest {
	struct row_place place;
	struct row *row; /* that stands there; NULL: none any more */
};

struct tables {
	enum tree tree; /* which of a row's links these tables use */
	size_t counts[KIND_COUNT];
	void *roots[KIND_COUNT][INDEXES_MAX]; /* rows */
	void *terms[KIND_COUNT];              /* struct term; published only */
	struct id_tables ids[KIND_COUNT];
	struct newest newest[KIND_COUNT]; /* head only */
	uint64_t commits[KIND_COUNT];     /* published only: the newest that changed a row of the kind */
};

/* One of a row's terms, ordered by hash and by the row's place in the order of creation. */
struct term {
	struct link link;
	uint64_t hash;
	struct row *row;
};

/* The head of a row's block. */
struct version {
	struct version *next; /* in the list of retired versions */
	union {
		uint64_t whole_commit;   /* while it is published: tables_whole_commit() */
		uint64_t retired_commit; /* the commit that replaced it: views of that commit don't see it */
	};
	uint32_t size;  /* of the whole block; usage apart */
	uint32_t entry; /* 1 + its place in the log of the batch under way; 0: published before */
	uuid payer;     /* store_row_payer() */
	enum kind kind;
	bool owns_usage; /* the row's last version: its usage goes with it */
};

/* A copy of the row in a block of its own, in no tree yet. NULL when out of memory. */
struct row *version_new(const struct kind_info *k, const struct row *row);
void version_free(struct version *v); /* NULL: nothing */
struct version *version_of(enum kind kind, const struct row *row);
struct row *version_row(struct version *v);

/* Whether there is room for so many rows of the kind in all, and the kind's tables with that room. False when
 * out of memory. */
bool tables_have_room(const struct tables *t, enum kind kind, size_t row_count);
bool tables_grow(const struct tables *from, enum kind kind, size_t row_count, struct id_tables *ret_tables);
void id_tables_done(struct id_tables *t);

void tables_done(struct tables *t); /* frees what is the tables' own: not the rows */

/* Exchanges before for after in every index; either may be NULL: put in, taken out. Both have the
 * same id. Not checked: before must be in the tables, after must not; ids[kind] must have room. */
void tables_exchange(struct tables *t, enum kind kind, struct row *before, struct row *after);
/* Exchanges all of net, which the head has taken over already: new rows find their place by their
 * neighbours there, so that it takes no search and readers wait for a moment only. */
void tables_publish(struct tables *t, const struct tables *head, const struct published *net, size_t count,
		    uint64_t commit);
/* Fills the kind's indexes, which are empty, with rows in the order of their ids: what putting them
 * in one by one would do, some times faster. False when out of memory, nothing done. */
bool tables_build(struct tables *t, enum kind kind, struct row *const rows[], size_t count);
/* Makes `to`, which is empty, hold the same rows as `from`. False when out of memory. */
bool tables_copy(struct tables *to, const struct tables *from);
