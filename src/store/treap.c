/* SPDX-License-Identifier: Apache-2.0
 * Treaps: ordered as a binary tree, by rank as a heap. */
#include "store/treap.h"

/* ---- neighbours ---- */

void *treap_step_before(const struct treap *t, const void *node)
{
	const struct link *l = treap_link(t, node);
	if (l->left) {
		void *at = l->left;
		while (treap_link(t, at)->right)
			at = treap_link(t, at)->right;
		return at;
	}
	while (l->parent && treap_link(t, l->parent)->left == node) {
		node = l->parent;
		l = treap_link(t, node);
	}
	return l->parent;
}

/* Descends to the left. Prefetches right children, which a walk over many nodes reaches soon and would
 * otherwise wait for. */
static void *treap_first_of(const struct treap *t, void *node)
{
	const struct link *l = treap_link(t, node);
	for (; l->left; l = treap_link(t, node)) {
		if (l->right)
			__builtin_prefetch(treap_link(t, l->right));
		node = l->left;
	}
	return node;
}

void *treap_step_behind(const struct treap *t, const void *node)
{
	const struct link *l = treap_link(t, node);
	if (l->right)
		return treap_first_of(t, l->right);
	while (l->parent && treap_link(t, l->parent)->right == node) {
		node = l->parent;
		l = treap_link(t, node);
	}
	return l->parent;
}

/* ---- changes ---- */

/* Makes the parent's link that points to `from` point to `to`. */
static void treap_hang(const struct treap *t, void *parent, const void *from, void *to)
{
	struct link *above = parent ? treap_link(t, parent) : NULL;
	if (!above)
		*t->root = to;
	else if (above->left == from)
		above->left = to;
	else
		above->right = to;
	if (to)
		treap_link(t, to)->parent = parent;
}

/* Exchanges the node with its parent; the order is preserved. */
static void treap_rotate_up(const struct treap *t, void *node)
{
	struct link *own = treap_link(t, node);
	void *parent = own->parent, *moved = NULL;
	struct link *above = treap_link(t, parent);
	treap_hang(t, above->parent, parent, node);
	if (above->left == node) {
		moved = own->right;
		above->left = moved;
		own->right = parent;
	} else {
		moved = own->left;
		above->right = moved;
		own->left = parent;
	}
	if (moved)
		treap_link(t, moved)->parent = parent;
	above->parent = node;
}

/* Links the node at the free place below parent that its order demands, and restores the heap. */
static void treap_hang_new(const struct treap *t, void *parent, void **place, void *node)
{
	*place = node;
	struct link *own = treap_link(t, node);
	*own = (struct link){.parent = parent};
	uint64_t rank = t->rank(t, node);
	while (own->parent && t->rank(t, own->parent) < rank)
		treap_rotate_up(t, node);
}

void treap_insert(const struct treap *t, void *node)
{
	void *parent = NULL, **place = t->root;
	while (*place) {
		parent = *place;
		struct link *l = treap_link(t, parent);
		place = t->compare(t, node, parent) < 0 ? &l->left : &l->right;
	}
	treap_hang_new(t, parent, place, node);
}

void treap_insert_behind(const struct treap *t, void *neighbour, void *node)
{
	void *parent = neighbour, **place = &treap_link(t, neighbour)->right;
	while (*place) {
		parent = *place;
		place = &treap_link(t, parent)->left;
	}
	treap_hang_new(t, parent, place, node);
}

/* Climbs the right edge from the last node. */
void treap_append(const struct treap *t, void *node, void *last)
{
	uint64_t rank = t->rank(t, node);
	void *above = last, *below = NULL;
	while (above && t->rank(t, above) < rank) {
		below = above;
		above = treap_link(t, above)->parent;
	}
	*treap_link(t, node) = (struct link){.parent = above, .left = below};
	*(above ? &treap_link(t, above)->right : t->root) = node;
	if (below)
		treap_link(t, below)->parent = node;
}

void treap_remove(const struct treap *t, void *node)
{
	struct link *own = treap_link(t, node);
	while (own->left && own->right) {
		bool left = t->rank(t, own->left) > t->rank(t, own->right);
		treap_rotate_up(t, left ? own->left : own->right);
	}
	treap_hang(t, own->parent, node, own->left ? own->left : own->right);
	*own = (struct link){.parent = node};
}

void treap_swap(const struct treap *t, void *before, void *after)
{
	struct link *old = treap_link(t, before), *own = treap_link(t, after);
	*own = *old;
	treap_hang(t, old->parent, before, after);
	if (own->left)
		treap_link(t, own->left)->parent = after;
	if (own->right)
		treap_link(t, own->right)->parent = after;
	*old = (struct link){.parent = before};
}
