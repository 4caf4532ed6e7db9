/* SPDX-License-Identifier: Apache-2.0
 * Paths: walking them, and finding the shortest. What ranges a filter stands for: ranges.c. */
#include "api/ec2/core/path.h"

#include "api/ec2/core/ranges.h"

/* ---- walking ---- */

static bool has_key(const struct range *r, const struct row *row)
{
	const struct kind_info *k = &model_kinds[r->kind];
	return r->field_count == 0 ||
	       row_compare_key(k, &k->indexes[r->index], r->field_count, row, r->probe) == 0;
}

static const struct row *row_of_term(struct cursor *c, const struct term *term)
{
	c->term = term;
	return term ? term_row(term) : 0;
}

static const struct row *own_first(const struct search *s, const struct range *r, struct cursor *c)
{
	if (r->by == RANGE_TERM)
		return row_of_term(
			c, tables_first_term(s->t, r->kind, r->term, r->in_order ? s->after : UUID_NONE));
	if (r->by == RANGE_ROW)
		return r->probe;
	/* one field more is the id */
	const struct row *row = tables_seek(s->t, r->kind, r->index, r->probe, r->field_count + r->in_order);
	if (row && r->in_order && uuid_equal(row->id, s->after))
		row = tables_next(s->t, r->kind, r->index, row, 0);
	return row && has_key(r, row) ? row : 0;
}

static const struct row *own_next(const struct search *s, const struct range *r, struct cursor *c)
{
	switch (r->by) {
	case RANGE_ROW:
		break;
	case RANGE_INDEX:
		return tables_next(s->t, r->kind, r->index, c->at[0], r->field_count);
	case RANGE_TERM:
		return row_of_term(c, tables_next_term(s->t, r->kind, c->term));
	}
	return 0;
}

/* The first row that a step leads to. */
static const struct row *step_first(const struct search *s, const struct query_join *step, struct row *key,
				    const struct row *from)
{
	if (!step->index) {
		const uuid *to = (const uuid *) (const void *) ((const char *) from + step->offset);
		return uuid_is_none(*to) ? 0 : tables_find(s->t, step->kind, *to);
	}
	const struct kind_info *k = &model_kinds[step->kind];
	memcpy((char *) key + k->fields[k->indexes[step->index].fields[0]].offset, &from->id, sizeof(uuid));
	return tables_first(s->t, step->kind, step->index, key, 1);
}

static const struct row *next_at(const struct search *s, const struct range *r, struct cursor *c)
{
	if (c->depth == 0)
		return own_next(s, r, c);
	const struct query_join *step = &r->joins[c->depth - 1];
	return step->index ? tables_next(s->t, step->kind, step->index, c->at[c->depth], 1) : 0;
}

/* One row further, on the way or at its end; false: there are no more. */
static bool range_move(struct search *s, const struct range *r, struct cursor *c)
{
	s->looked_at++;
	if (!c->begun) {
		c->begun = true;
		c->at[0] = own_first(s, r, c);
	} else if (c->depth < r->step_count) {
		const struct row *from = c->at[c->depth];
		c->at[c->depth + 1] = step_first(s, &r->joins[c->depth], r->keys[c->depth], from);
		c->depth++;
	} else {
		c->at[c->depth] = next_at(s, r, c);
	}
	while (!c->at[c->depth] && c->depth) {
		c->depth--;
		c->at[c->depth] = next_at(s, r, c);
	}
	return c->at[c->depth];
}

/* The listed kind's row where the cursor stands; NULL: it is on the way to one. */
static const struct row *range_row(const struct range *r, const struct cursor *c)
{
	return c->depth == r->step_count ? c->at[c->depth] : 0;
}

/* ---- the shortest ---- */

/* How far a path has been walked, and what was found on it. */
struct walk {
	const struct path *path;
	size_t range, found_before; /* the range at hand, and what was found before it */
	struct cursor cursor;
	const struct row *row; /* come to, and not looked at yet */
	struct found found;
	uint64_t in_vain; /* moves that led to nothing that is sought */
};

bool search_fits(const struct search *s, const struct row *row)
{
	return uuid_compare(row->id, s->after) > 0 && engine_may_see(s->e->c, s->list->kind, row) &&
	       (!s->list->shows || s->list->shows(s->e, row)) && filters_fit(&s->runs, s->t, row);
}

/* The row that was come to last: it was asked for from memory then. */
static RESULT look_at(struct search *s, struct walk *w)
{
	const struct row *row = w->row;
	bool fits = row && search_fits(s, row);
	w->row = 0;
	w->in_vain += !fits;
	return !fits || VEC_PUSH(s->e->c->arena, &w->found.rows, row) ? OK : ctx_no_memory(s->e->c);
}

/* One row further; one more than a page is enough of a range whose rows come in order. */
static RESULT walk_on(struct search *s, struct walk *w, bool *ret_is_over)
{
	for (; w->range < w->path->ranges.count; w->range++) {
		const struct range *r = &w->path->ranges.at[w->range];
		bool is_full = r->in_order && w->found.rows.count - w->found_before > s->max;
		if (!is_full && range_move(s, r, &w->cursor)) {
			const struct row *row = range_row(r, &w->cursor);
			if (row)
				row_prefetch(&model_kinds[s->list->kind], row);
			TRY(look_at(s, w));
			w->row = row;
			return OK;
		}
		TRY(look_at(s, w));
		w->cursor = (struct cursor){.begun = false};
		w->found_before = w->found.rows.count;
	}
	*ret_is_over = true;
	return OK;
}

/* The first to end has led to all. Always the one goes on that has led to the least in vain: so that a path
 * to nothing but what is sought is walked alone, and others cost no more than the best of them. */
static RESULT walk_shortest(struct search *s, struct walk *walks, size_t count, struct found *ret_found)
{
	for (bool is_over = false;;) {
		struct walk *best = walks;
		for (size_t k = 1; k < count; k++)
			if (walks[k].in_vain < best->in_vain)
				best = &walks[k];
		TRY(walk_on(s, best, &is_over));
		*ret_found = best->found;
		if (is_over)
			return OK;
	}
}

RESULT search_paths(struct search *s, struct found *ret_found)
{
	struct ctx *c = s->e->c;
	struct walk *walks = arena_new_array(c->arena, struct walk, s->runs.count + 2);
	size_t count = 0;
	if (!walks)
		return ctx_no_memory(c);
	for (size_t k = 0; k < s->runs.count + 2; k++) {
		struct path *path = 0;
		if (k < s->runs.count)
			TRY(ranges_of_filter(s, &s->runs.at[k], &path));
		else
			TRY(k == s->runs.count ? ranges_of_owners(s, &path) : ranges_of_all(s, &path));
		if (path)
			walks[count++] = (struct walk){.path = path};
	}
	return walk_shortest(s, walks, count, ret_found);
}
