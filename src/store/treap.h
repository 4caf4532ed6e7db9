/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: intrusive treaps, ordered trees that balance themselves by ranks. A node is any
 * object with a link in it, at an offset that is the tree's: putting it in, taking it out or exchanging
 * it allocates nothing and cannot fail. A node's rank is worked out from the node, never stored, so
 * trees of the same nodes have the same shape. Not thread-safe. */
#pragma once

#include "model/row.h"

/* A node's place in one tree. One that is not in it is its own parent. */
struct link {
	void *parent, *left, *right;
};

/* One tree, and how its nodes are ordered: made where it is worked on. */
struct treap {
	void **root;
	ptrdiff_t link_offset; /* from a node to its link */
	uint64_t (*rank)(const struct treap *t, const void *node);
	int (*compare)(const struct treap *t, const void *a, const void *b);
	const struct kind_info *k; /* for the two functions: which index of which kind of row */
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

/* Where its order wants it. */
void treap_insert(const struct treap *t, void *node);
/* Right behind its neighbour in order: without a search. */
void treap_insert_behind(const struct treap *t, void *neighbour, void *node);
/* Behind all that are there, of which last is the last one; NULL: there is none. */
void treap_append(const struct treap *t, void *node, void *last);
void treap_remove(const struct treap *t, void *node);
/* after, whose order and rank are the same, takes the place of before. */
void treap_swap(const struct treap *t, void *before, void *after);

/* The neighbours of a node that is in the tree; NULL: none on that side. */
void *treap_step_before(const struct treap *t, const void *node);
void *treap_step_behind(const struct treap *t, const void *node);
