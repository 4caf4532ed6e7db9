/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: intrusive treaps, ordered trees balanced by ranks. A node is any object with a link at
 * the tree's offset: inserting, removing and exchanging allocate nothing and cannot fail. A node's rank is
 * computed from the node, never stored, so trees of the same nodes have the same shape. Not thread-safe. */
#pragma once

#include "model/row.h"

/* Place of a node in one tree. A node outside the tree is its own parent. */
struct link {
	void *parent, *left, *right;
};

/* A tree and the order of its nodes; built on demand. */
struct treap {
	void **root;
	ptrdiff_t link_offset; /* from a node to its link */
	uint64_t (*rank)(const struct treap *t, const void *node);
	int (*compare)(const struct treap *t, const void *a, const void *b);
	const struct kind_info *k; /* for rank and compare: kind and index of the rows */
	unsigned index;
};

static inline struct link *treap_link(const struct treap *t, const void *node)
{
	return (struct link *) (void *) ((char *) (void *) node + t->link_offset);
}

static inline bool treap_has(const struct treap *t, const void *node)
{
	return treap_link(t, node)->parent != node;
}

/* Inserts by searching. */
void treap_insert(const struct treap *t, void *node);
/* Inserts directly behind the neighbour, without a search. */
void treap_insert_behind(const struct treap *t, void *neighbour, void *node);
/* Inserts behind all nodes; last: the present last node, NULL: none. */
void treap_append(const struct treap *t, void *node, void *last);
void treap_remove(const struct treap *t, void *node);
/* after, which has the same order and rank, takes the place of before. */
void treap_swap(const struct treap *t, void *before, void *after);

/* Neighbours of a node in the tree; NULL: none on that side. */
void *treap_step_before(const struct treap *t, const void *node);
void *treap_step_behind(const struct treap *t, const void *node);
