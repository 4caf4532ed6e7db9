/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: the trees under struct tables, and the blocks of rows.
 *
 * Every version of a row is one heap block, named by the row's address. The row is preceded by its links, one
 * for each index in each of the two trees, and by the block's header:
 *
 *   struct version | link of the last index, head | … | link of index 0, head | published | row … | terms
 *
 * An index is a treap (treap.h) of rows; both trees of the same rows have the same shape. For a hashed index
 * a hash table also has the first and last row of each id with which a key begins; for index 0 that is every
 * row. The row is followed by its terms (model/term.h), nodes of a treap of all terms of the kind, which
 * exists for the published tables only. Hash tables get their room before a row is put.
 *
 * Not thread-safe: the head belongs to the committer, the published tables are under the store's lock. */
#pragma once

#include "store/id_table.h"
#include "store/store.h"
#include "store/treap.h"

enum tree { TREE_PUBLISHED, TREE_HEAD, TREE_COUNT };

/* Element k belongs to index k; empty if the index is not hashed. */
struct id_tables {
	struct id_table at[INDEXES_MAX];
};

/* Upper bound of the places of creation of a kind's rows. */
struct newest {
	struct row_place place;
	struct row *row; /* row at that place; NULL: gone */
};

struct tables {
	enum tree tree; /* selects which of a row's links these tables use */
	size_t counts[KIND_COUNT];
	void *roots[KIND_COUNT][INDEXES_MAX]; /* of rows */
	void *terms[KIND_COUNT];              /* of struct term; published only */
	struct id_tables ids[KIND_COUNT];
	struct newest newest[KIND_COUNT]; /* head only */
	uint64_t commits[KIND_COUNT];     /* published only: newest commit that changed a row of the kind */
};

/* A term of a row, ordered by hash and by the row's place of creation. */
struct term {
	struct link link;
	uint64_t hash;
	struct row *row;
};

/* Header of a row's block. */
struct version {
	struct version *next; /* in the list of retired versions */
	union {
		uint64_t whole_commit;   /* while published: see tables_whole_commit() */
		uint64_t retired_commit; /* commit that replaced this version; later views do not see it */
	};
	uint32_t size;  /* size of the whole block, without usage */
	uint32_t entry; /* 1 + index of its entry in the running batch's log; 0: published before */
	uuid payer;     /* store_row_payer() */
	enum kind kind;
	bool owns_usage; /* last version of the row: usage is freed with it */
};

/* Copies the row into a block of its own, which is in no tree. NULL: out of memory. */
struct row *version_new(const struct kind_info *k, const struct row *row);
void version_free(struct version *v); /* ignores NULL */
struct version *version_of(enum kind kind, const struct row *row);
struct row *version_row(struct version *v);

/* tables_have_room(): room for row_count rows of the kind in total. tables_grow(): allocates tables with that
 * room. False: out of memory. */
bool tables_have_room(const struct tables *t, enum kind kind, size_t row_count);
bool tables_grow(const struct tables *from, enum kind kind, size_t row_count, struct id_tables *ret_tables);
void id_tables_done(struct id_tables *t);

void tables_done(struct tables *t); /* frees the tables' own memory, not the rows */

/* Replaces before by after in every index; NULL before inserts, NULL after removes. Both have the same id.
 * Unchecked requirements: before is in the tables, after is not, and ids[kind] has room. */
void tables_exchange(struct tables *t, enum kind kind, struct row *before, struct row *after);
/* Applies net, which the head already contains: new rows are placed by their neighbours there, without a
 * search, so that readers are blocked only briefly. */
void tables_publish(struct tables *t, const struct tables *head, const struct published *net, size_t count,
		    uint64_t commit);
/* Fills the kind's empty indexes with rows in order of ids, several times faster than putting them one by
 * one. False: out of memory, nothing done. */
bool tables_build(struct tables *t, enum kind kind, struct row *const rows[], size_t count);
/* Makes the empty `to` contain the rows of `from`. False: out of memory. */
bool tables_copy(struct tables *to, const struct tables *from);
