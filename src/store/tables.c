/* SPDX-License-Identifier: Apache-2.0
 * The tables: rows in memory and their ordered indexes, as intrusive treaps (described in tables.h). */
#include "store/tables.h"

#include <assert.h>
#include <endian.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/reads.h"
#include "model/term.h"
#include "store/row_size.h"

enum { AS_STEPS_MAX = 8 };

/* ---- blocks ---- */

static_assert(sizeof(struct version) % 16 == 0, "the links and the row behind it stay aligned");
static_assert(sizeof(struct link) * TREE_COUNT % 16 == 0, "and so does the row behind the links");

static size_t version_front_size(const struct kind_info *k)
{
	return sizeof(struct version) + sizeof(struct link) * TREE_COUNT * k->index_count;
}

/* Links precede the row, with index 0's published link next to it, so that a look-up by id touches adjacent
 * memory. */
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

/* Terms are at the end of the block. */
static struct term *version_terms(const struct version *v, size_t count)
{
	return (struct term *) (void *) ((char *) (void *) v + v->size) - count;
}

struct row *version_new(const struct kind_info *k, const struct row *row)
{
	size_t front = version_front_size(k), term_count = terms_count(k, row);
	size_t size = ((front + row_block_size(k, row) + 7) & ~(size_t) 7) + term_count * sizeof(struct term);
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
	struct term *terms = version_terms(v, term_count);
	for (size_t n = 0; n < term_count; n++)
		terms[n] = (struct term){{.parent = &terms[n]}, terms_get(k, copy, n), copy};
	return copy;
}

size_t store_row_size(enum kind kind, const struct row *row)
{
	return version_of(kind, row)->size;
}

uuid *store_row_payer(enum kind kind, const struct row *row)
{
	return &version_of(kind, row)->payer;
}

void version_free(struct version *v)
{
	if (!v)
		return;
	if (v->owns_usage)
		heap_free(version_row(v)->usage);
	heap_free(v);
}

/* ---- order ---- */

/* Big-endian, so that numbers compare as memcmp() and SQL's blobs do. */
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

static int compare_creation(const struct row *a, const struct row *b)
{
	if (a->created_us != b->created_us)
		return a->created_us < b->created_us ? -1 : 1;
	return compare_ids(a, b);
}

/* Compares the first field_count fields of the index; one more than it has also compares the tie-breaker of
 * equal keys. */
static int compare_rows(const struct kind_info *k, unsigned index, unsigned field_count, const struct row *a,
			const struct row *b)
{
	const struct index *x = &k->indexes[index];
	unsigned fields = field_count < x->field_count ? field_count : x->field_count;
	int order = fields ? row_compare_key(k, x, fields, a, b) : 0;
	if (order || field_count <= x->field_count)
		return order;
	return index == 0 ? compare_ids(a, b) : compare_creation(a, b);
}

/* Most keys begin with an id, which alone decides nearly every comparison. */
static int compare_whole(const struct kind_info *k, unsigned index, const struct row *a, const struct row *b)
{
	if (index == 0)
		return compare_ids(a, b);
	const struct field *first = &k->fields[k->indexes[index].fields[0]];
	uuid in_a, in_b;
	if (first->type == FIELD_UUID) {
		memcpy(&in_a, (const char *) a + first->offset, sizeof in_a);
		memcpy(&in_b, (const char *) b + first->offset, sizeof in_b);
		int order = uuid_compare(in_a, in_b);
		if (order)
			return order;
	}
	return compare_rows(k, index, k->indexes[index].field_count + 1, a, b);
}

/* ---- one tree ---- */

static int compare_in_index(const struct treap *p, const void *a, const void *b)
{
	return compare_whole(p->k, p->index, a, b);
}

static uint64_t rank_in_index(const struct treap *p, const void *node)
{
	const struct row *row = node;
	uint64_t h = load_be64(row->id.b) ^ (load_be64(row->id.b + 8) << 1);
	return hash_mix(h + (p->index + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* const is safe: for tables that are only read the root is not written. */
static struct treap treap_of(const struct tables *t, enum kind kind, unsigned index)
{
	return (struct treap){.root = (void **) &t->roots[kind][index],
			      .link_offset =
				      -(ptrdiff_t) ((index * TREE_COUNT + t->tree + 1) * sizeof(struct link)),
			      .rank = rank_in_index,
			      .compare = compare_in_index,
			      .k = &model_kinds[kind],
			      .index = index};
}

/* Inserts a row. Equal keys are ordered by creation, so if the newest row of all has the same key, the new
 * row follows it directly. That saves the search for keys shared by many rows: account, type, image. */
static void treap_insert_behind_newest(const struct treap *p, struct row *newest, struct row *row)
{
	const struct index *x = &p->k->indexes[p->index];
	if (newest && treap_has(p, newest) && compare_creation(newest, row) < 0 &&
	    row_compare_key(p->k, x, x->field_count, newest, row) == 0)
		treap_insert_behind(p, newest, row);
	else
		treap_insert(p, row);
}

/* Inserts a row next to its neighbour in the other tree, which contains all rows of this one. If several new
 * rows stand between, a search is as quick as stepping over them. */
static void treap_insert_as(const struct treap *p, const struct treap *other, struct row *row)
{
	struct row *near = treap_step_before(other, row);
	for (int steps = 0; near && !treap_has(p, near) && steps < AS_STEPS_MAX; steps++)
		near = treap_step_before(other, near);
	if (near && treap_has(p, near))
		treap_insert_behind(p, near, row);
	else
		treap_insert(p, row);
}

/* ---- tables by id ---- */

static size_t hashed_offset(const struct kind_info *k, unsigned index)
{
	return index == 0 ? offsetof(struct row, id) : k->fields[k->indexes[index].fields[0]].offset;
}

static uuid hashed_id(const struct kind_info *k, unsigned index, const struct row *row)
{
	uuid id;
	memcpy(&id, (const char *) row + hashed_offset(k, index), sizeof id);
	return id;
}

static bool is_hashed(enum kind kind, unsigned index)
{
	return model_kinds[kind].indexes[index].hashed;
}

bool tables_have_room(const struct tables *t, enum kind kind, size_t row_count)
{
	return id_table_has_room(&t->ids[kind].at[0], row_count);
}

bool tables_grow(const struct tables *from, enum kind kind, size_t row_count, struct id_tables *ret_tables)
{
	const struct kind_info *k = &model_kinds[kind];
	struct id_tables made = {0};
	for (unsigned index = 0; index < k->index_count; index++) {
		if (k->indexes[index].hashed &&
		    !id_table_grow(&from->ids[kind].at[index], hashed_offset(k, index), index != 0, row_count,
				   &made.at[index])) {
			id_tables_done(&made);
			return false;
		}
	}
	*ret_tables = made;
	return true;
}

void id_tables_done(struct id_tables *t)
{
	for (unsigned index = 0; index < INDEXES_MAX; index++)
		id_table_done(&t->at[index]);
}

/* Called when the row has entered the index. */
static void hashed_add(struct tables *t, enum kind kind, unsigned index, struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	struct id_table *ids = &t->ids[kind].at[index];
	if (!is_hashed(kind, index))
		return;
	uuid id = hashed_id(k, index, row);
	const struct row *first = id_table_find(ids, id);
	if (!first)
		id_table_add(ids, row);
	else if (compare_whole(k, index, row, first) < 0)
		id_table_replace(ids, row);
	else if (compare_whole(k, index, row, id_table_find_last(ids, id)) > 0)
		id_table_replace_last(ids, row);
}

/* Called before the row leaves the index. */
static void hashed_remove(struct tables *t, const struct treap *p, const struct row *row)
{
	struct id_table *ids = &t->ids[p->k->kind].at[p->index];
	if (!is_hashed(p->k->kind, p->index))
		return;
	uuid id = hashed_id(p->k, p->index, row);
	bool is_first = id_table_find(ids, id) == row, is_last = id_table_find_last(ids, id) == row;
	if (is_first && is_last)
		id_table_remove(ids, id);
	else if (is_first)
		id_table_replace(ids, treap_step_behind(p, row));
	else if (is_last)
		id_table_replace_last(ids, treap_step_before(p, row));
}

/* after takes the place of before. */
static void hashed_swap(struct tables *t, enum kind kind, unsigned index, const struct row *before,
			struct row *after)
{
	struct id_table *ids = &t->ids[kind].at[index];
	if (!is_hashed(kind, index))
		return;
	uuid id = hashed_id(&model_kinds[kind], index, before);
	bool is_last = id_table_find_last(ids, id) == before;
	if (id_table_find(ids, id) == before)
		id_table_replace(ids, after);
	if (is_last)
		id_table_replace_last(ids, after);
}

/* ---- writing ---- */

static void tables_count_exchange(struct tables *t, enum kind kind, const struct row *before,
				  const struct row *after)
{
	t->counts[kind] += (size_t) !before;
	t->counts[kind] -= (size_t) !after;
}

/* Swaps the versions if the key is unchanged, else removes the old one. */
static void tables_take_out_of(struct tables *t, const struct treap *p, struct row *before, struct row *after)
{
	enum kind kind = p->k->kind;
	if (after && compare_whole(p->k, p->index, before, after) == 0) {
		treap_swap(p, before, after);
		hashed_swap(t, kind, p->index, before, after);
		return;
	}
	hashed_remove(t, p, before);
	treap_remove(p, before);
}

static void newest_exchange(struct newest *newest, const struct row *before, struct row *after)
{
	if (before && newest->row == before)
		newest->row = after;
	if (after && row_compare_places(newest->place, row_place_of(after)) < 0)
		*newest = (struct newest){row_place_of(after), after};
}

void tables_exchange(struct tables *t, enum kind kind, struct row *before, struct row *after)
{
	struct row *newest = t->newest[kind].row == before ? NULL : t->newest[kind].row;
	for (unsigned index = 0; index < model_kinds[kind].index_count; index++) {
		const struct treap p = treap_of(t, kind, index);
		if (before)
			tables_take_out_of(t, &p, before, after);
		if (!after || treap_has(&p, after))
			continue;
		if (index == 0)
			treap_insert(&p, after);
		else
			treap_insert_behind_newest(&p, newest, after);
		hashed_add(t, kind, index, after);
	}
	newest_exchange(&t->newest[kind], before, after);
	tables_count_exchange(t, kind, before, after);
}

static void tables_take_out(struct tables *t, enum kind kind, struct row *before, struct row *after)
{
	for (unsigned index = 0; index < model_kinds[kind].index_count; index++) {
		const struct treap p = treap_of(t, kind, index);
		tables_take_out_of(t, &p, before, after);
	}
}

static void tables_put_in(struct tables *t, const struct tables *head, enum kind kind, struct row *after)
{
	for (unsigned index = 0; index < model_kinds[kind].index_count; index++) {
		const struct treap p = treap_of(t, kind, index), other = treap_of(head, kind, index);
		if (treap_has(&p, after))
			continue;
		treap_insert_as(&p, &other, after);
		hashed_add(t, kind, index, after);
	}
}

/* ---- terms ---- */

static int compare_terms(const struct treap *p, const void *a, const void *b)
{
	const struct term *x = a, *y = b;
	(void) p;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : compare_creation(x->row, y->row);
}

/* Clients choose tags but not ids, so the rank includes the id: nobody can degenerate the treap by chosen
 * tags. */
static uint64_t rank_of_term(const struct treap *p, const void *node)
{
	const struct term *term = node;
	(void) p;
	return hash_mix(term->hash ^ load_be64(term->row->id.b) ^ load_be64(term->row->id.b + 8));
}

static struct treap treap_of_terms(const struct tables *t, enum kind kind)
{
	return (struct treap){
		.root = (void **) &t->terms[kind], .rank = rank_of_term, .compare = compare_terms};
}

/* NULL: no row, and no terms. */
static struct term *terms_of(enum kind kind, const struct row *row, size_t *ret_count)
{
	*ret_count = row ? terms_count(&model_kinds[kind], row) : 0;
	return row ? version_terms(version_of(kind, row), *ret_count) : NULL;
}

/* Most changes leave all terms, or all but one, unchanged. */
static void terms_publish(struct tables *t, enum kind kind, const struct row *before, const struct row *after)
{
	const struct treap p = treap_of_terms(t, kind);
	size_t old_count = 0, new_count = 0;
	struct term *old = terms_of(kind, before, &old_count), *new = terms_of(kind, after, &new_count);
	for (size_t n = 0; n < old_count || n < new_count; n++) {
		if (n < old_count && n < new_count && old[n].hash == new[n].hash) {
			treap_swap(&p, &old[n], &new[n]);
			continue;
		}
		if (n < old_count)
			treap_remove(&p, &old[n]);
		if (n < new_count)
			treap_insert(&p, &new[n]);
	}
}

static int compare_term_pointers(const void *a, const void *b)
{
	return compare_terms(NULL, *(struct term *const *) a, *(struct term *const *) b);
}

/* Builds the treap of all terms of the kind from a sorted list. False: out of memory. */
static bool terms_build(struct tables *t, enum kind kind)
{
	const struct treap p = treap_of_terms(t, kind);
	size_t count = 0, total = 0;
	const struct row *row = tables_first(t, kind, 0, NULL, 0);
	for (const struct row *at = row; at; at = tables_next(t, kind, 0, at, 0))
		total += terms_count(&model_kinds[kind], at);
	struct term **terms = total ? heap_alloc_array(total, sizeof(struct term *)) : NULL;
	if (total && !terms)
		return false;
	for (; total && row; row = tables_next(t, kind, 0, row, 0)) {
		size_t own = 0;
		struct term *of_row = terms_of(kind, row, &own);
		for (size_t n = 0; n < own; n++)
			terms[count++] = &of_row[n];
	}
	if (total)
		qsort(terms, total, sizeof(struct term *), compare_term_pointers);
	for (size_t n = 0; n < total; n++)
		treap_append(&p, terms[n], n ? terms[n - 1] : NULL);
	heap_free(terms);
	return true;
}

const struct term *tables_first_term(const struct tables *t, enum kind kind, uint64_t hash,
				     struct row_place after)
{
	reads_note_kind(kind);
	assert(t->tree == TREE_PUBLISHED);
	const struct term *best = NULL, *at = t->terms[kind];
	struct row probe = {.id = after.id, .created_us = after.created_us};
	while (at) {
		bool is_behind = at->hash != hash ? at->hash > hash : compare_creation(at->row, &probe) > 0;
		if (is_behind)
			best = at;
		at = is_behind ? at->link.left : at->link.right;
	}
	return best && best->hash == hash ? best : NULL;
}

const struct term *tables_next_term(const struct tables *t, enum kind kind, const struct term *term)
{
	reads_note_kind(kind);
	const struct treap p = treap_of_terms(t, kind);
	const struct term *next = treap_step_behind(&p, term);
	return next && next->hash == term->hash ? next : NULL;
}

const struct row *term_row(const struct term *term)
{
	return term->row;
}

/* ---- publishing ---- */

/* Marks the rows that this row is a part of, transitively: an address is part of a port, which is part of an
 * instance. */
static void tables_mark_whole(struct tables *t, enum kind kind, const struct row *row, uint64_t commit)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->parent_count; n++) {
		const struct field *f = &k->fields[k->parents[n]];
		const struct row *whole =
			tables_find(t, f->ref, *(const uuid *) ((const char *) row + f->offset));
		if (!whole)
			continue;
		version_of(f->ref, whole)->whole_commit = commit;
		tables_mark_whole(t, f->ref, whole, commit);
	}
}

/* Removes all old versions first, so that everything left is also in the head when new rows are placed by
 * their neighbours there. */
void tables_publish(struct tables *t, const struct tables *head, const struct published *net, size_t count,
		    uint64_t commit)
{
	for (size_t n = 0; n < count; n++)
		if (net[n].before)
			tables_take_out(t, net[n].kind, (struct row *) net[n].before,
					(struct row *) net[n].after);
	for (size_t n = 0; n < count; n++) {
		if (net[n].after)
			tables_put_in(t, head, net[n].kind, (struct row *) net[n].after);
		tables_count_exchange(t, net[n].kind, net[n].before, net[n].after);
		terms_publish(t, net[n].kind, net[n].before, net[n].after);
		t->commits[net[n].kind] = commit;
	}
	for (size_t n = 0; n < count; n++) {
		if (net[n].after)
			version_of(net[n].kind, net[n].after)->whole_commit = commit;
		if (net[n].after)
			tables_mark_whole(t, net[n].kind, net[n].after, commit);
		if (net[n].before)
			tables_mark_whole(t, net[n].kind, net[n].before, commit);
	}
}

/* A row on its way into a new index, with the first 16 bytes of its key in an order-preserving form, so that
 * sorting rarely touches the row itself. */
struct sorted {
	uint64_t high, low;
	struct row *row;
	size_t place; /* position in order of creation */
};

struct sorting {
	const struct kind_info *k;
	unsigned index;
	bool is_whole; /* high and low contain the whole key */
};

/* Big-endian numbers compare as their bytes do. Flipping the sign bit puts negative integers first. */
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

static int sorted_compare_creation(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	return x->high != y->high ? (x->high < y->high ? -1 : 1) : compare_ids(x->row, y->row);
}

/* Numbers the rows in order of creation, which orders equal keys. */
static void sorted_take_places(struct sorted rows[], size_t count)
{
	for (size_t n = 0; n < count; n++)
		rows[n].high = (uint64_t) rows[n].row->created_us;
	if (count)
		qsort(rows, count, sizeof *rows, sorted_compare_creation);
	for (size_t n = 0; n < count; n++)
		rows[n].place = n;
}

static void tables_build_index(struct tables *t, enum kind kind, unsigned index, struct sorted rows[],
			       size_t count)
{
	const struct treap p = treap_of(t, kind, index);
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
	for (size_t n = 0; n < count; n++) {
		treap_append(&p, rows[n].row, n ? rows[n - 1].row : NULL);
		hashed_add(t, kind, index, rows[n].row);
	}
}

bool tables_build(struct tables *t, enum kind kind, struct row *const rows[], size_t count)
{
	struct id_tables ids = {0};
	struct sorted *sorted = heap_alloc_array(count, sizeof *sorted);
	if (!sorted || !tables_grow(t, kind, count, &ids)) {
		heap_free(sorted);
		return false;
	}
	id_tables_done(&t->ids[kind]);
	t->ids[kind] = ids;
	for (size_t n = 0; n < count; n++)
		sorted[n] = (struct sorted){.row = rows[n]};
	tables_build_index(t, kind, 0, sorted, count); /* rows arrive in order of ids */
	sorted_take_places(sorted, count);
	if (count)
		newest_exchange(&t->newest[kind], NULL, sorted[count - 1].row);
	for (unsigned index = 1; index < model_kinds[kind].index_count; index++)
		tables_build_index(t, kind, index, sorted, count);
	t->counts[kind] = count;
	heap_free(sorted);
	return true;
}

bool tables_copy(struct tables *to, const struct tables *from)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		if (!tables_grow(from, kind, from->counts[kind], &to->ids[kind]))
			return false;
	memcpy(to->counts, from->counts, sizeof to->counts);
	memcpy(to->roots, from->roots, sizeof to->roots);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct row *row = tables_first(from, kind, 0, NULL, 0);
		for (; row; row = tables_next(from, kind, 0, row, 0))
			for (unsigned index = 0; index < model_kinds[kind].index_count; index++)
				*link_at(to->tree, index, row) = *link_at(from->tree, index, row);
		if (!terms_build(to, kind))
			return false;
	}
	return true;
}

void tables_done(struct tables *t)
{
	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		id_tables_done(&t->ids[kind]);
}

/* ---- reading ---- */

const struct row *tables_find(const struct tables *t, enum kind kind, uuid id)
{
	reads_note_kind(kind);
	return id_table_find(&t->ids[kind].at[0], id);
}

/* The id that a key begins with. */
struct key_start {
	bool has_id;   /* false: the key begins with something else */
	size_t offset; /* the id's, in the row */
	uuid id;       /* id of the probe */
};

static struct key_start key_start_of(const struct kind_info *k, unsigned index, unsigned field_count,
				     const struct row *probe)
{
	const struct index *x = &k->indexes[index];
	struct key_start start = {0};
	if (field_count == 0 || (index > 0 && k->fields[x->fields[0]].type != FIELD_UUID))
		return start;
	start.has_id = true;
	start.offset = index > 0 ? k->fields[x->fields[0]].offset : offsetof(struct row, id);
	memcpy(&start.id, (const char *) probe + start.offset, sizeof start.id);
	return start;
}

static int compare_start(const struct key_start *start, const struct row *row)
{
	uuid id;
	if (!start->has_id)
		return 0;
	memcpy(&id, (const char *) row + start->offset, sizeof id);
	return uuid_compare(id, start->id);
}

/* The first row not before the probe; with `behind`, the first row after it. */
static const struct row *tables_bound(const struct tables *t, enum kind kind, unsigned index,
				      const struct row *probe, unsigned field_count, bool behind)
{
	reads_note_kind(kind);
	const struct kind_info *k = &model_kinds[kind];
	const struct key_start start = key_start_of(k, index, field_count, probe);
	const struct row *best = NULL, *row = t->roots[kind][index];
	while (row) {
		const struct link *l = link_at(t->tree, index, row);
		int order = compare_start(&start, row);
		if (order == 0 && field_count > (start.has_id ? 1U : 0U))
			order = compare_rows(k, index, field_count, row, probe);
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
	reads_note_kind(kind);
	if (field_count == 1 && is_hashed(kind, index))
		return id_table_find(&t->ids[kind].at[index], hashed_id(&model_kinds[kind], index, probe));
	const struct row *row = tables_seek(t, kind, index, probe, field_count);
	if (row && field_count && compare_rows(&model_kinds[kind], index, field_count, row, probe) != 0)
		return NULL;
	return row;
}

const struct row *tables_next(const struct tables *t, enum kind kind, unsigned index, const struct row *after,
			      unsigned field_count)
{
	reads_note_kind(kind);
	assert(index < model_kinds[kind].index_count);
	const struct kind_info *k = &model_kinds[kind];
	const struct treap p = treap_of(t, kind, index);
	if (field_count && is_hashed(kind, index) &&
	    id_table_find_last(&t->ids[kind].at[index], hashed_id(k, index, after)) == after)
		return NULL;
	/* a loop that puts the rows it walks over continues from a replaced version */
	const struct row *row = treap_has(&p, after) ? treap_step_behind(&p, after)
						     : tables_bound(t, kind, index, after,
								    k->indexes[index].field_count + 1, true);
	if (row && field_count && compare_rows(k, index, field_count, row, after) != 0)
		return NULL;
	return row;
}

/* Kinds of which a changed row changes the whole commit of a row of the kind: the kind itself, and its parts' kinds. */
static uint64_t parts[KIND_COUNT][READS_WORDS];

static void add_part(enum kind whole, enum kind part)
{
	uint64_t *word = &parts[whole][part / 64], bit = UINT64_C(1) << part % 64;
	if (*word & bit)
		return;
	*word |= bit;
	for (enum kind k = 1; k < KIND_COUNT; k++)
		for (unsigned p = 0; p < model_kinds[k].parent_count; p++)
			if (model_kinds[k].fields[model_kinds[k].parents[p]].ref == part)
				add_part(whole, k);
}

static void find_parts(void)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		add_part(kind, kind);
}

uint64_t tables_whole_commit(const struct tables *t, enum kind kind, const struct row *row)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	assert(t->tree == TREE_PUBLISHED);
	(void) pthread_once(&once, find_parts);
	reads_add_kinds(parts[kind]);
	return version_of(kind, row)->whole_commit;
}

uint64_t tables_kind_commit(const struct tables *t, enum kind kind)
{
	reads_note_kind(kind);
	return t->commits[kind];
}

size_t tables_count(const struct tables *t, enum kind kind)
{
	reads_note_kind(kind);
	return t->counts[kind];
}
