/* SPDX-License-Identifier: Apache-2.0
 * The query planner: scans with joins, competing plans, sorting and paging. */
#include "store/query.h"

#include <stdatomic.h>
#include <stdlib.h>

/* by all queries of the process */
static _Atomic uint64_t rows_read;

/* distance of prefetching while a result is sorted */
enum { FETCH_AHEAD = 8 };

/* ---- plans ---- */

struct row *query_new_key(struct query *q, enum kind kind)
{
	struct row *key = arena_alloc(q->c->arena, model_kinds[kind].row_size);
	if (key) {
		key->id = q->after.id;
		key->created_us = q->after.created_us;
	}
	return key;
}

RESULT query_add_plan(struct query *q, const struct query_plan *plan)
{
	return VEC_PUSH(q->c->arena, &q->plans, plan) ? OK : ctx_no_memory(q->c);
}

RESULT query_join_scan(struct query *q, struct query_scan *scan, const struct query_join *join)
{
	struct row **key = &scan->join_keys[scan->join_count];
	scan->joins[scan->join_count++] = *join;
	*key = join->index ? query_new_key(q, join->kind) : NULL;
	return !join->index || *key ? OK : ctx_no_memory(q->c);
}

RESULT query_add_scan(struct query *q, struct query_plan *plan, const struct query_scan *scan)
{
	struct query_scan added = *scan;
	/* index 0 is ordered by id, not by creation */
	bool is_whole_key = scan->by == QUERY_TERM ||
			    (scan->by == QUERY_INDEX && scan->index && !scan->is_prefix &&
			     scan->field_count == model_kinds[scan->kind].indexes[scan->index].field_count);
	added.is_by_creation = is_whole_key && scan->join_count == 0;
	if (scan->by == QUERY_INDEX && !scan->key) /* an unrestricted scan needs a start position, too */
		added.key = query_new_key(q, scan->kind);
	if (scan->by == QUERY_INDEX && !added.key)
		return ctx_no_memory(q->c);
	return VEC_PUSH(q->c->arena, &plan->scans, added) ? OK : ctx_no_memory(q->c);
}

/* ---- a cursor on a scan ---- */

struct cursor {
	const struct row *at[QUERY_JOINS_MAX + 1]; /* the scan's own row, then one row for each join taken */
	const struct term *term;                   /* QUERY_TERM: position of the scan's own row */
	unsigned depth;
	bool begun;
};

static bool has_key(const struct query_scan *s, const struct row *row)
{
	const struct kind_info *k = &model_kinds[s->kind];
	const struct index *x = &k->indexes[s->index];
	unsigned equal_count = s->field_count - s->is_prefix;
	if (row_compare_key(k, x, equal_count, row, s->key) != 0)
		return false;
	const struct field *text = s->is_prefix ? &k->fields[x->fields[equal_count]] : NULL;
	return !text || str_starts_with(*(const struct str *) query_field_at(text, row),
					*(const struct str *) query_field_at(text, s->key));
}

static const struct row *row_of_term(struct cursor *c, const struct term *term)
{
	c->term = term;
	return term ? term_row(term) : NULL;
}

static const struct row *scan_first(const struct query *q, const struct query_scan *s, struct cursor *c)
{
	if (s->by == QUERY_TERM)
		return row_of_term(c,
				   tables_first_term(q->tables, s->kind, s->term,
						     s->is_by_creation ? q->after : (struct row_place){0}));
	if (s->by == QUERY_ROW)
		return s->key;
	/* one field more than the key: starts at the row's place of creation */
	const struct row *row =
		tables_seek(q->tables, s->kind, s->index, s->key, s->field_count + s->is_by_creation);
	if (row && s->is_by_creation && uuid_equal(row->id, q->after.id))
		row = tables_next(q->tables, s->kind, s->index, row, 0);
	return row && has_key(s, row) ? row : NULL;
}

static const struct row *scan_next(const struct query *q, const struct query_scan *s, struct cursor *c)
{
	const struct row *row;
	switch (s->by) {
	case QUERY_ROW:
		break;
	case QUERY_INDEX:
		row = tables_next(q->tables, s->kind, s->index, c->at[0], s->field_count - s->is_prefix);
		return row && (!s->is_prefix || has_key(s, row)) ? row : NULL;
	case QUERY_TERM:
		return row_of_term(c, tables_next_term(q->tables, s->kind, c->term));
	}
	return NULL;
}

static const struct row *join_first(const struct query *q, const struct query_join *join, struct row *key,
				    const struct row *from)
{
	if (!join->index) {
		const uuid *to = (const uuid *) (const void *) ((const char *) from + join->offset);
		return uuid_is_none(*to) ? NULL : tables_find(q->tables, join->kind, *to);
	}
	const struct kind_info *k = &model_kinds[join->kind];
	memcpy((char *) key + k->fields[k->indexes[join->index].fields[0]].offset, &from->id, sizeof(uuid));
	return tables_first(q->tables, join->kind, join->index, key, 1);
}

static const struct row *next_at_depth(const struct query *q, const struct query_scan *s, struct cursor *c)
{
	if (c->depth == 0)
		return scan_next(q, s, c);
	const struct query_join *join = &s->joins[c->depth - 1];
	return join->index ? tables_next(q->tables, join->kind, join->index, c->at[c->depth], 1) : NULL;
}

/* Advances by one row, of the query's kind or of a joined one; false: no more rows. */
static bool cursor_move(struct query *q, const struct query_scan *s, struct cursor *c)
{
	if (!c->begun) {
		c->begun = true;
		c->at[0] = scan_first(q, s, c);
	} else if (c->depth < s->join_count) {
		const struct row *from = c->at[c->depth];
		c->at[c->depth + 1] = join_first(q, &s->joins[c->depth], s->join_keys[c->depth], from);
		c->depth++;
	} else {
		c->at[c->depth] = next_at_depth(q, s, c);
	}
	while (!c->at[c->depth] && c->depth) {
		c->depth--;
		c->at[c->depth] = next_at_depth(q, s, c);
	}
	q->rows_read += c->at[c->depth] != NULL;
	return c->at[c->depth];
}

/* The row of the query's kind at the cursor; NULL: further joins lead there. */
static const struct row *cursor_row(const struct query_scan *s, const struct cursor *c)
{
	return c->depth == s->join_count ? c->at[c->depth] : NULL;
}

/* ---- the competition of plans ---- */

struct found {
	VEC(const struct row *) rows;
	bool is_ordered; /* in order of creation, without duplicates */
};

/* Progress of a plan. */
struct run {
	const struct query_plan *plan;
	size_t scan, found_before; /* present scan, and the number of rows found before it */
	struct cursor cursor;
	const struct row *row; /* last row read; not tested yet, so that its prefetch can complete */
	struct found found;
	uint64_t in_vain; /* moves that yielded no row of the result */
};

/* Prefetches the parts of a row that will be read. Without sort keys a matching row is shown, so all of it,
 * unless the query has a read_offset. With sort keys most rows are only tested. */
static ALWAYS_INLINE void fetch(const struct query *q, const struct row *row)
{
	if (!row)
		return;
	if (!q->sort_count && !q->read_offset) {
		row_prefetch(&model_kinds[q->kind], row);
		return;
	}
	for (size_t at = 0; at <= sizeof *row; at += 64)
		__builtin_prefetch((const char *) row + at);
	if (q->read_offset)
		__builtin_prefetch((const char *) row + q->read_offset);
}

/* Tests the row read last, which the prefetch has delivered by now. */
static RESULT examine(struct query *q, struct run *run)
{
	const struct row *row = run->row;
	bool matches = row && row_compare_places(row_place_of(row), q->after) > 0;
	run->row = NULL;
	if (matches)
		TRY(q->matches(q->arg, row, &matches));
	run->in_vain += !matches;
	return !matches || VEC_PUSH(q->c->arena, &run->found.rows, row) ? OK : ctx_no_memory(q->c);
}

/* Advances a plan by one row. A scan in the result's order stops after a page and one row. */
static RESULT advance(struct query *q, struct run *run, bool *ret_is_complete)
{
	for (; run->scan < run->plan->scans.count; run->scan++) {
		const struct query_scan *s = &run->plan->scans.at[run->scan];
		bool is_full = s->is_by_creation && !q->sort_count &&
			       run->found.rows.count - run->found_before > q->limit;
		if (!is_full && cursor_move(q, s, &run->cursor)) {
			const struct row *row = cursor_row(s, &run->cursor);
			fetch(q, row);
			TRY(examine(q, run));
			run->row = row;
			return OK;
		}
		TRY(examine(q, run));
		run->cursor = (struct cursor){.begun = false};
		run->found_before = run->found.rows.count;
	}
	*ret_is_complete = true;
	return OK;
}

/* Runs the plan with the fewest useless moves, until one is complete: that one has found every row. A plan
 * without useless moves runs alone; the others never cost more than the best one. */
static RESULT run_plans(struct query *q, struct run *runs, size_t count, struct run **ret_best)
{
	for (bool is_complete = false; !is_complete;) {
		struct run *best = runs;
		for (size_t k = 1; k < count; k++)
			if (runs[k].in_vain < best->in_vain)
				best = &runs[k];
		TRY(advance(q, best, &is_complete));
		*ret_best = best;
	}
	return OK;
}

/* ---- the result by creation ---- */

static int compare_row_places(const void *a, const void *b)
{
	return row_compare_places(row_place_of(*(const struct row *const *) a),
				  row_place_of(*(const struct row *const *) b));
}

static bool is_in_order(const struct found *found)
{
	for (size_t k = 1; k < found->rows.count; k++)
		if (compare_row_places(&found->rows.at[k - 1], &found->rows.at[k]) >= 0)
			return false;
	return true;
}

/* Sorts by creation and removes duplicates. */
static void order_by_creation(struct found *found)
{
	const struct row **rows = found->rows.at;
	if (is_in_order(found))
		return;
	qsort(rows, found->rows.count, sizeof rows[0], compare_row_places);
	size_t kept = 1;
	for (size_t k = 1; k < found->rows.count; k++)
		if (!uuid_equal(rows[k]->id, rows[kept - 1]->id))
			rows[kept++] = rows[k];
	found->rows.count = kept;
}

/* ---- the result by sort keys ---- */

struct entry {
	const struct row *row;
	const struct query_value *values; /* one for each sort key; NULL: all keys are fields */
	int64_t first; /* the first sort key if it is a number, so that comparing touches no row */
};

struct sorting {
	const struct query *q;
	struct entry *entries;
	size_t count;
};

static int compare_int(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_field(const struct field *field, const struct row *a, const struct row *b)
{
	if (field->type != FIELD_ENUM)
		return row_compare_field(field, a, b);
	return strcmp(field->words[*(const int *) query_field_at(field, a)],
		      field->words[*(const int *) query_field_at(field, b)]);
}

static int compare_values(const struct query_value *x, const struct query_value *y)
{
	int order = str_compare(x->text, y->text);
	return order ? order : compare_int(x->number, y->number);
}

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct query *q = ((const struct sorting *) arg)->q;
	const struct entry *x = a, *y = b;
	int order = compare_int(x->first, y->first);
	for (size_t k = 0; k < q->sort_count && order == 0; k++) {
		const struct query_sort *sort = &q->sorts[k];
		order = sort->get_value ? compare_values(&x->values[k], &y->values[k])
					: compare_field(sort->field, x->row, y->row);
		if (order)
			return sort->descends ? -order : order;
	}
	if (order == 0)
		order = uuid_compare(x->row->id, y->row->id);
	return q->sorts[0].descends ? -order : order;
}

static RESULT read_values(const struct query *q, const struct row *row, const struct query_value **ret_values)
{
	struct query_value *values = NULL;
	for (size_t k = 0; k < q->sort_count; k++) {
		const struct query_sort *sort = &q->sorts[k];
		if (!sort->get_value)
			continue;
		if (!values)
			values = arena_new_array(q->c->arena, struct query_value, q->sort_count);
		if (!values)
			return ctx_no_memory(q->c);
		values[k] = sort->get_value(q->arg, sort->key, row);
	}
	*ret_values = values;
	return OK;
}

static RESULT make_entries(const struct query *q, const struct found *found, struct sorting *ret_sorting)
{
	const struct query_sort *first = &q->sorts[0];
	bool is_number = !first->get_value && first->field->type == FIELD_INT;
	size_t count = found->rows.count;
	*ret_sorting = (struct sorting){q, arena_new_array(q->c->arena, struct entry, count), count};
	if (!ret_sorting->entries)
		return ctx_no_memory(q->c);
	for (size_t k = 0; k < count; k++) {
		const struct row *row = found->rows.at[k];
		struct entry *entry = &ret_sorting->entries[k];
		if (k + FETCH_AHEAD < count && is_number)
			__builtin_prefetch(query_field_at(first->field, found->rows.at[k + FETCH_AHEAD]));
		entry->row = row;
		if (is_number)
			entry->first = *(const int64_t *) query_field_at(first->field, row);
		TRY(read_values(q, row, &entry->values));
	}
	return OK;
}

/* Restores the heap property below `at` among the first `count` entries; the root is the last in order. */
static void sift_down(struct sorting *s, size_t at, size_t count)
{
	struct entry *all = s->entries;
	for (size_t below; (below = 2 * at + 1) < count; at = below) {
		if (below + 1 < count && compare_entries(&all[below + 1], &all[below], s) > 0)
			below++;
		if (compare_entries(&all[at], &all[below], s) >= 0)
			return;
		struct entry moved = all[at];
		all[at] = all[below];
		all[below] = moved;
	}
}

/* Selects the first `count` entries in order, so a short page costs little more than reading all rows. */
static void order_first(struct sorting *s, size_t count)
{
	struct entry *all = s->entries;
	for (size_t k = count / 2; k > 0; k--)
		sift_down(s, k - 1, count);
	for (size_t k = count; count && k < s->count; k++)
		if (compare_entries(&all[k], &all[0], s) < 0) {
			all[0] = all[k];
			sift_down(s, 0, count);
		}
	if (count)
		qsort_r(all, count, sizeof all[0], compare_entries, s);
}

/* Finds the marker among the rows, else makes an entry of the query's marker row; its row is NULL if there is
 * none. */
static RESULT find_marker(const struct sorting *s, struct entry *ret_marker)
{
	struct found outside = {0};
	struct sorting made;
	*ret_marker = (struct entry){.row = NULL};
	for (size_t k = 0; k < s->count; k++)
		if (s->q->is_marker(s->q->arg, s->entries[k].row)) {
			*ret_marker = s->entries[k];
			return OK;
		}
	if (!s->q->marker)
		return OK;
	if (!VEC_PUSH(s->q->c->arena, &outside.rows, s->q->marker))
		return ctx_no_memory(s->q->c);
	TRY(make_entries(s->q, &outside, &made));
	*ret_marker = made.entries[0];
	return OK;
}

/* Keeps the rows behind the marker. */
static RESULT skip_to_marker(struct sorting *s, bool *ret_lacks_marker)
{
	size_t kept = 0;
	struct entry marker;
	TRY(find_marker(s, &marker));
	*ret_lacks_marker = !marker.row;
	if (!marker.row)
		return OK;
	for (size_t k = 0; k < s->count; k++)
		if (compare_entries(&s->entries[k], &marker, s) > 0)
			s->entries[kept++] = s->entries[k];
	s->count = kept;
	return OK;
}

/* ---- the page ---- */

/* Computes the page's extent within `count` rows; returns its offset. */
static size_t place_page(const struct query *q, size_t count, struct query_page *page)
{
	size_t offset = q->offset < count ? q->offset : count;
	page->found = count - offset;
	page->count = page->found < q->limit ? page->found : q->limit;
	return offset;
}

static RESULT page_sorted(const struct query *q, const struct found *found, struct query_page *page)
{
	struct sorting s;
	TRY(make_entries(q, found, &s));
	if (q->is_marker)
		TRY(skip_to_marker(&s, &page->lacks_marker));
	if (page->lacks_marker)
		return OK;
	size_t offset = place_page(q, s.count, page);
	page->rows = arena_new_array(q->c->arena, const struct row *, page->count);
	if (!page->rows)
		return ctx_no_memory(q->c);
	order_first(&s, offset + page->count);
	for (size_t k = 0; k < page->count; k++)
		page->rows[k] = s.entries[offset + k].row;
	return OK;
}

/* Runs the plans; removes duplicates between scans. */
static RESULT find(struct query *q, struct found *ret_found)
{
	size_t count = q->plans.count;
	struct run *runs = arena_new_array(q->c->arena, struct run, count), *best = NULL;
	if (!runs)
		return ctx_no_memory(q->c);
	for (size_t k = 0; k < count; k++)
		runs[k] = (struct run){.plan = q->plans.at[k]};
	if (count) {
		TRY(run_plans(q, runs, count, &best));
		*ret_found = best->found;
	}
	bool is_single = count && best->plan->scans.count == 1 && best->plan->scans.at[0].join_count == 0;
	ret_found->is_ordered = is_single && best->plan->scans.at[0].is_by_creation;
	if (!is_single && q->sort_count)
		order_by_creation(ret_found);
	return OK;
}

uint64_t query_count_rows_read(void)
{
	return atomic_load_explicit(&rows_read, memory_order_relaxed);
}

RESULT query_run(struct query *q, struct query_page *ret_page)
{
	struct found found = {0};
	*ret_page = (struct query_page){.count = 0};
	TRY(find(q, &found));
	atomic_fetch_add_explicit(&rows_read, q->rows_read, memory_order_relaxed);
	for (size_t k = 0; k < q->given.count; k++)
		if ((q->sort_count || row_compare_places(row_place_of(q->given.at[k]), q->after) > 0) &&
		    !VEC_PUSH(q->c->arena, &found.rows, q->given.at[k]))
			return ctx_no_memory(q->c);
	if (q->sort_count)
		return page_sorted(q, &found, ret_page);
	if (!found.is_ordered || q->given.count)
		order_by_creation(&found);
	size_t offset = place_page(q, found.rows.count, ret_page);
	ret_page->rows = offset ? found.rows.at + offset : found.rows.at;
	return OK;
}

const struct field *query_find_field(enum kind kind, const char *name)
{
	for (unsigned k = 0; name && k < model_kinds[kind].field_count; k++)
		if (strcmp(model_kinds[kind].fields[k].name, name) == 0)
			return &model_kinds[kind].fields[k];
	return NULL;
}
