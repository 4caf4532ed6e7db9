/* SPDX-License-Identifier: Apache-2.0
 * The tables: rows in memory and their ordered indexes, as intrusive treaps (tables.h says how). */
#include "store/tables.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#include "base/heap.h"

enum { AS_STEPS_MAX = 8 };

/* ---- blocks ---- */

static_assert(sizeof(struct version) % 16 == 0, "the links and the row behind it stay aligned");
static_assert(sizeof(struct link) * TREE_COUNT % 16 == 0, "and so does the row behind the links");

static size_t version_front_size(const struct kind_info *k)
{
	return sizeof(struct version) + sizeof(struct link) * TREE_COUNT * k->index_count;
}

/* Links stand in front of the row, index 0's published one next to it: what a look-up by id
 * touches is in one place. */
static struct link *link_at(enum tree tree, unsigned index, const struct row *row)
{
	return (struct link *) (void *) row - (index * TREE_COUNT + tree + 1);
}

struct version *version_of(enum kind kind, const struct row *row)
{
	return (struct version *) (void *) ((char *) (void *) row - version_front_size(&model_kinds[kind]));
}

struct row *version_row(struct version *v)
{
	return (struct row *) (void *) ((char *) v + version_front_size(&model_kinds[v->kind]));
}

struct row *version_new(const struct kind_info *k, const struct row *row)
{
	size_t front = version_front_size(k), size = front + row_block_size(k, row);
	if (size > UINT32_MAX)
		return NULL;
	struct version *v = heap_alloc(size);
	if (!v)
		return NULL;
	v->size = (uint32_t) size;
	v->kind = k->kind;
	struct row *copy = row_copy_into(k, row, (char *) v + front);
	for (unsigned index = 0; index < k->index_count; index++)
		for (enum tree tree = 0; tree < TREE_COUNT; tree++)
			link_at(tree, index, copy)->parent = copy;
	return copy;
}

void version_free(struct version *v)
{
	if (!v)
		return;
	if (v->owns_side)
		heap_free(version_row(v)->side);
	heap_free(v);
}

/* ---- order ---- */

static uint64_t load_be64(const uint8_t *bytes)
{
	uint64_t value = 0;
	memcpy(&value, bytes, sizeof value);
	return be64toh(value);
}

static int compare_ids(const struct row *a, const struct row *b)
{
	uint64_t x = load_be64(a->id.b), y = load_be64(b->id.b);
	if (x == y) {
		x = load_be64(a->id.b + 8);
		y = load_be64(b->id.b + 8);
	}
	return x < y ? -1 : x > y;
}

/* By the index's first field_count fields; one more than it has means by the id as well. */
static int compare_rows(const struct kind_info *k, unsigned index, unsigned field_count, const struct row *a,
			const struct row *b)
{
	const struct index *x = &k->indexes[index];
	unsigned fields = field_count < x->field_count ? field_count : x->field_count;
	int order = fields ? row_compare_key(k, x, fields, a, b) : 0;
	return order || field_count <= x->field_count ? order : compare_ids(a, b);
}

static int compare_whole(const struct kind_info *k, unsigned index, const struct row *a, const struct row *b)
{
	return compare_rows(k, index, k->indexes[index].field_count + 1, a, b);
}

/* splitmix64's finish over the id and the index. */
static uint64_t priority_of(unsigned index, const struct row *row)
{
	uint64_t h = load_be64(row->id.b) ^ (load_be64(row->id.b + 8) << 1);
	h += (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

/* The row before this one in an index of a tree, or NULL. */
static struct row *step_before(enum tree tree, unsigned index, const struct row *row)
{
	const struct link *l = link_at(tree, index, row);
	if (l->left) {
		struct row *at = l->left;
		while (link_at(tree, index, at)->right)
			at = link_at(tree, index, at)->right;
		return at;
	}
	while (l->parent && link_at(tree, index, l->parent)->left == row) {
		row = l->parent;
		l = link_at(tree, index, row);
	}
	return l->parent;
}

/* The row after this one, or NULL. */
static struct row *step_behind(enum tree tree, unsigned index, const struct row *row)
{
	const struct link *l = link_at(tree, index, row);
	if (l->right) {
		struct row *at = l->right;
		while (link_at(tree, index, at)->left)
			at = link_at(tree, index, at)->left;
		return at;
	}
	while (l->parent && link_at(tree, index, l->parent)->right == row) {
		row = l->parent;
		l = link_at(tree, index, row);
	}
	return l->parent;
}

/* ---- one tree ---- */

/* One index of one of the two trees: what the functions below work on. */
struct treap {
	const struct kind_info *k;
	struct row **root;
	enum tree tree;
	unsigned index;
};

static struct treap treap_of(struct tables *t, enum kind kind, unsigned index)
{
	return (struct treap){&model_kinds[kind], &t->roots[kind][index], t->tree, index};
}

static struct link *treap_link(const struct treap *p, const struct row *row)
{
	return link_at(p->tree, p->index, row);
}

/* Whatever points at `from` from above points at `to` from now on. */
static void treap_hang(const struct treap *p, struct row *parent, const struct row *from, struct row *to)
{
	struct link *above = parent ? treap_link(p, parent) : NULL;
	if (!above)
		*p->root = to;
	else if (above->left == from)
		above->left = to;
	else
		above->right = to;
	if (to)
		treap_link(p, to)->parent = parent;
}

/* The row and its parent change places; the order stays. */
static void treap_rotate_up(const struct treap *p, struct row *row)
{
	struct link *own = treap_link(p, row);
	struct row *parent = own->parent;
	struct link *above = treap_link(p, parent);
	treap_hang(p, above->parent, parent, row);
	struct row *moved = NULL;
	if (above->left == row) {
		moved = own->right;
		above->left = moved;
		own->right = parent;
	} else {
		moved = own->left;
		above->right = moved;
		own->left = parent;
	}
	if (moved)
		treap_link(p, moved)->parent = parent;
	above->parent = row;
}

/* Hangs the row at a free place below parent, which is where its order wants it. */
static void treap_hang_new(const struct treap *p, struct row *parent, struct row **place, struct row *row)
{
	*place = row;
	struct link *own = treap_link(p, row);
	*own = (struct link){.parent = parent};
	uint64_t priority = priority_of(p->index, row);
	while (own->parent && priority_of(p->index, own->parent) < priority)
		treap_rotate_up(p, row);
}

static void treap_insert(const struct treap *p, struct row *row)
{
	struct row *parent = NULL, **place = p->root;
	while (*place) {
		parent = *place;
		struct link *l = treap_link(p, parent);
		place = compare_whole(p->k, p->index, row, parent) < 0 ? &l->left : &l->right;
	}
	treap_hang_new(p, parent, place, row);
}

/* Inserts the row right behind its neighbour in order, without a search. */
static void treap_insert_behind(const struct treap *p, struct row *neighbour, struct row *row)
{
	struct row *parent = neighbour, **place = &treap_link(p, neighbour)->right;
	while (*place) {
		parent = *place;
		place = &treap_link(p, parent)->left;
	}
	treap_hang_new(p, parent, place, row);
}

/* Right before its neighbour. */
static void treap_insert_before(const struct treap *p, struct row *neighbour, struct row *row)
{
	struct row *parent = neighbour, **place = &treap_link(p, neighbour)->left;
	while (*place) {
		parent = *place;
		place = &treap_link(p, parent)->right;
	}
	treap_hang_new(p, parent, place, row);
}

static bool treap_has(const struct treap *p, const struct row *row)
{
	return treap_link(p, row)->parent != row;
}

/* Inserts a row that is in the kind's index 0 already. Rows of one key are ordered by their ids: when
 * the nearest one by id has the same key, nothing stands between here either. So it is with what many
 * rows share: the account, the type, the image. */
static void treap_insert_by_id(const struct treap *p, struct row *row)
{
	const struct index *x = &p->k->indexes[p->index];
	struct row *near = step_before(p->tree, 0, row);
	if (near && treap_has(p, near) && row_compare_key(p->k, x, x->field_count, near, row) == 0) {
		treap_insert_behind(p, near, row);
		return;
	}
	near = step_behind(p->tree, 0, row);
	if (near && treap_has(p, near) && row_compare_key(p->k, x, x->field_count, near, row) == 0)
		treap_insert_before(p, near, row);
	else
		treap_insert(p, row);
}

/* Inserts a row where the other tree has it, in which all rows of this one are as well. What stands
 * between may be on its way here too: then a search is as quick as stepping over it. */
static void treap_insert_as(const struct treap *p, enum tree other, struct row *row)
{
	struct row *near = step_before(other, p->index, row);
	for (int steps = 0; near && !treap_has(p, near) && steps < AS_STEPS_MAX; steps++)
		near = step_before(other, p->index, near);
	if (near && treap_has(p, near))
		treap_insert_behind(p, near, row);
	else
		treap_insert(p, row);
}

static void treap_remove(const struct treap *p, struct row *row)
{
	struct link *own = treap_link(p, row);
	while (own->left && own->right) {
		bool left = priority_of(p->index, own->left) > priority_of(p->index, own->right);
		treap_rotate_up(p, left ? own->left : own->right);
	}
	treap_hang(p, own->parent, row, own->left ? own->left : own->right);
	*own = (struct link){.parent = row};
}

/* after, whose key is the same, takes the place of before. */
static void treap_swap(const struct treap *p, struct row *before, struct row *after)
{
	struct link *old = treap_link(p, before), *own = treap_link(p, after);
	*own = *old;
	treap_hang(p, old->parent, before, after);
	if (own->left)
		treap_link(p, own->left)->parent = after;
	if (own->right)
		treap_link(p, own->right)->parent = after;
	*old = (struct link){.parent = before};
}

/* ---- writing ---- */

static void tables_exchange_ids(struct tables *t, enum kind kind, struct row *before, struct row *after)
{
	if (before && after)
		id_table_replace(&t->ids[kind], after);
	else if (after)
		id_table_add(&t->ids[kind], after);
	else
		id_table_remove(&t->ids[kind], before->id);
	t->counts[kind] += (size_t) !before;
	t->counts[kind] -= (size_t) !after;
}

void tables_exchange(struct tables *t, enum kind kind, struct row *before, struct row *after)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned index = 0; index < k->index_count; index++) {
		struct treap p = treap_of(t, kind, index);
		if (before && after && compare_whole(k, index, before, after) == 0) {
			treap_swap(&p, before, after);
			continue;
		}
		if (before)
			treap_remove(&p, before);
		if (after && index == 0)
			treap_insert(&p, after);
		else if (after)
			treap_insert_by_id(&p, after);
	}
	tables_exchange_ids(t, kind, before, after);
}

/* What goes, and what keeps its place. */
static void tables_take_out(struct tables *t, enum kind kind, struct row *before, struct row *after)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned index = 0; index < k->index_count; index++) {
		struct treap p = treap_of(t, kind, index);
		if (after && compare_whole(k, index, before, after) == 0)
			treap_swap(&p, before, after);
		else
			treap_remove(&p, before);
	}
}

static void tables_put_in(struct tables *t, const struct tables *head, enum kind kind, struct row *after)
{
	for (unsigned index = 0; index < model_kinds[kind].index_count; index++) {
		struct treap p = treap_of(t, kind, index);
		if (!treap_has(&p, after))
			treap_insert_as(&p, head->tree, after);
	}
}

/* First all that goes, so that whatever is here is in the head, too, when the new rows come. */
void tables_publish(struct tables *t, const struct tables *head, const struct published *net, size_t count)
{
	for (size_t n = 0; n < count; n++)
		if (net[n].before)
			tables_take_out(t, net[n].kind, (struct row *) net[n].before,
					(struct row *) net[n].after);
	for (size_t n = 0; n < count; n++) {
		if (net[n].after)
			tables_put_in(t, head, net[n].kind, (struct row *) net[n].after);
		tables_exchange_ids(t, net[n].kind, (struct row *) net[n].before,
				    (struct row *) net[n].after);
	}
}

/* A row on its way into a built index, with the first 16 bytes of its key in a form that sorts as
 * the key does: so that sorting seldom looks at the rows, which are all over the memory. */
struct sorted {
	uint64_t high, low;
	struct row *row;
	size_t place; /* in the order of ids */
};

struct sorting {
	const struct kind_info *k;
	unsigned index;
	bool is_whole; /* high and low are the whole key */
};

static void sorted_read_key(struct sorted *s, const struct field *f)
{
	const void *at = (const char *) s->row + f->offset;
	uint8_t bytes[16] = {0};
	if (f->type == FIELD_UUID) {
		memcpy(bytes, at, sizeof bytes);
	} else if (f->type == FIELD_TEXT) {
		const struct str *text = at;
		if (text->n)
			memcpy(bytes, text->p, text->n < sizeof bytes ? text->n : sizeof bytes);
	} else if (f->type == FIELD_INT) {
		s->high = *(const uint64_t *) at ^ (UINT64_C(1) << 63);
		return;
	}
	s->high = load_be64(bytes);
	s->low = load_be64(bytes + 8);
}

static int sorted_compare(const void *a, const void *b, void *arg)
{
	const struct sorted *x = a, *y = b;
	const struct sorting *how = arg;
	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	const struct index *index = &how->k->indexes[how->index];
	int order = how->is_whole ? 0 : row_compare_key(how->k, index, index->field_count, x->row, y->row);
	return order ? order : x->place < y->place ? -1 : x->place > y->place;
}

/* Each row comes behind all that are there: it goes down the right edge from the last one up. */
static void treap_append(const struct treap *p, struct row *row, struct row *last)
{
	uint64_t priority = priority_of(p->index, row);
	struct row *above = last, *below = NULL;
	while (above && priority_of(p->index, above) < priority) {
		below = above;
		above = treap_link(p, above)->parent;
	}
	*treap_link(p, row) = (struct link){.parent = above, .left = below};
	*(above ? &treap_link(p, above)->right : p->root) = row;
	if (below)
		treap_link(p, below)->parent = row;
}

static void tables_build_index(struct tables *t, enum kind kind, unsigned index, struct sorted rows[],
			       size_t count)
{
	struct treap p = treap_of(t, kind, index);
	const struct index *x = &p.k->indexes[index];
	const struct field *first = x->field_count ? &p.k->fields[x->fields[0]] : NULL;
	struct sorting how = {p.k, index, false};
	how.is_whole = x->field_count == 1 && (first->type == FIELD_UUID || first->type == FIELD_INT);
	for (size_t n = 0; first && n < count; n++) {
		rows[n].high = rows[n].low = 0;
		sorted_read_key(&rows[n], first);
	}
	if (first)
		qsort_r(rows, count, sizeof *rows, sorted_compare, &how);
	for (size_t n = 0; n < count; n++)
		treap_append(&p, rows[n].row, n ? rows[n - 1].row : NULL);
}

bool tables_build(struct tables *t, enum kind kind, struct row *const rows[], size_t count)
{
	struct id_table ids = {0};
	struct sorted *sorted = heap_alloc_array(count, sizeof *sorted);
	if (!sorted || !id_table_grow(&t->ids[kind], count, &ids)) {
		heap_free(sorted);
		return false;
	}
	for (size_t n = 0; n < count; n++) {
		sorted[n] = (struct sorted){.row = rows[n], .place = n};
		id_table_add(&ids, rows[n]);
	}
	id_table_done(&t->ids[kind]);
	t->ids[kind] = ids;
	for (unsigned index = 0; index < model_kinds[kind].index_count;
	     index++) /* index 0, the ids, is sorted */
		tables_build_index(t, kind, index, sorted, count);
	t->counts[kind] = count;
	heap_free(sorted);
	return true;
}

bool tables_copy(struct tables *to, const struct tables *from)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		if (!id_table_grow(&from->ids[kind], from->counts[kind], &to->ids[kind]))
			return false;
	memcpy(to->counts, from->counts, sizeof to->counts);
	memcpy(to->roots, from->roots, sizeof to->roots);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct row *row = tables_first(from, kind, 0, NULL, 0);
		for (; row; row = tables_next(from, kind, 0, row, 0))
			for (unsigned index = 0; index < model_kinds[kind].index_count; index++)
				*link_at(to->tree, index, row) = *link_at(from->tree, index, row);
	}
	return true;
}

void tables_done(struct tables *t)
{
	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		id_table_done(&t->ids[kind]);
}

/* ---- reading ---- */

const struct row *tables_find(const struct tables *t, enum kind kind, uuid id)
{
	return id_table_find(&t->ids[kind], id);
}

/* The first row that is not before the probe; with `behind`, that is after it. */
static const struct row *tables_bound(const struct tables *t, enum kind kind, unsigned index,
				      const struct row *probe, unsigned field_count, bool behind)
{
	const struct row *best = NULL, *row = t->roots[kind][index];
	while (row) {
		const struct link *l = link_at(t->tree, index, row);
		int order =
			field_count ? compare_rows(&model_kinds[kind], index, field_count, row, probe) : 0;
		if (order > 0 || (order == 0 && !behind)) {
			best = row;
			row = l->left;
		} else {
			row = l->right;
		}
	}
	return best;
}

static bool id_begins_with(const struct row *row, uuid prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (!row || memcmp(row->id.b, prefix.b, whole) != 0)
		return false;
	return rest == 0 || (row->id.b[whole] ^ prefix.b[whole]) >> (8 - rest) == 0;
}

const struct row *tables_find_prefix(const struct tables *t, enum kind kind, uuid prefix, unsigned bits)
{
	assert(bits <= 128);
	const struct row probe = {.id = prefix};
	const struct row *row = tables_bound(t, kind, 0, &probe, 1, false);
	if (!id_begins_with(row, prefix, bits))
		return NULL;
	return id_begins_with(tables_next(t, kind, 0, row, 0), prefix, bits) ? NULL : row;
}

const struct row *tables_seek(const struct tables *t, enum kind kind, unsigned index, const struct row *probe,
			      unsigned field_count)
{
	assert(index < model_kinds[kind].index_count);
	return tables_bound(t, kind, index, probe, field_count, false);
}

const struct row *tables_first(const struct tables *t, enum kind kind, unsigned index,
			       const struct row *probe, unsigned field_count)
{
	const struct row *row = tables_seek(t, kind, index, probe, field_count);
	if (row && field_count && compare_rows(&model_kinds[kind], index, field_count, row, probe) != 0)
		return NULL;
	return row;
}

const struct row *tables_next(const struct tables *t, enum kind kind, unsigned index, const struct row *after,
			      unsigned field_count)
{
	assert(index < model_kinds[kind].index_count);
	const struct kind_info *k = &model_kinds[kind];
	const struct row *row = NULL;
	/* A loop that puts the rows it walks over goes on from versions that are replaced by now. */
	if (link_at(t->tree, index, after)->parent == after)
		row = tables_bound(t, kind, index, after, k->indexes[index].field_count + 1, true);
	else
		row = step_behind(t->tree, index, after);
	if (row && field_count && compare_rows(k, index, field_count, row, after) != 0)
		return NULL;
	return row;
}

size_t tables_count(const struct tables *t, enum kind kind)
{
	return t->counts[kind];
}
