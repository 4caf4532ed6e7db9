/* SPDX-License-Identifier: Apache-2.0
 * Paths: walking one, and finding the shortest. What ranges a filter stands for: ranges.c. */
#include "api/ec2/path.h"

#include "api/ec2/ranges.h"

/* ---- walking ---- */

static bool has_key(const struct range *r, const struct row *row)
{
	const struct kind_info *k = &model_kinds[r->kind];
	return r->field_count == 0 ||
	       row_compare_key(k, &k->indexes[r->index], r->field_count, row, r->probe) == 0;
}

static const struct row *own_first(const struct search *s, const struct range *r)
{
	if (r->by == RANGE_TERM)
		return tables_first_by_term(s->t, r->kind, r->term, r->in_order ? s->after : UUID_NONE);
	if (r->by == RANGE_ROW)
		return r->probe;
	/* one field more is the id */
	const struct row *row = tables_seek(s->t, r->kind, r->index, r->probe, r->field_count + r->in_order);
	if (row && r->in_order && uuid_equal(row->id, s->after))
		row = tables_next(s->t, r->kind, r->index, row, 0);
	return row && has_key(r, row) ? row : 0;
}

static const struct row *own_next(const struct search *s, const struct range *r, const struct row *row)
{
	switch (r->by) {
	case RANGE_ROW:
		break;
	case RANGE_INDEX:
		return tables_next(s->t, r->kind, r->index, row, r->field_count);
	case RANGE_TERM:
		return tables_next_by_term(s->t, r->kind, r->term, row);
	}
	return 0;
}

/* The first row that a step leads to. */
static const struct row *step_first(const struct search *s, const struct step *step, struct row *key,
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

static const struct row *next_at(const struct search *s, const struct range *r, const struct cursor *c)
{
	const struct row *row = c->at[c->depth];
	if (c->depth == 0)
		return own_next(s, r, row);
	const struct step *step = &r->steps[c->depth - 1];
	return step->index ? tables_next(s->t, step->kind, step->index, row, 1) : 0;
}

bool range_move(const struct search *s, const struct range *r, struct cursor *c)
{
	++*s->looked_at;
	if (!c->begun) {
		c->begun = true;
		c->at[0] = own_first(s, r);
	} else if (c->depth < r->step_count) {
		const struct row *from = c->at[c->depth];
		c->at[c->depth + 1] = step_first(s, &r->steps[c->depth], r->keys[c->depth], from);
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

const struct row *range_row(const struct range *r, const struct cursor *c)
{
	return c->depth == r->step_count ? c->at[c->depth] : 0;
}

/* ---- the shortest ---- */

/* How far a path has been measured. */
struct measure {
	const struct path *path;
	size_t range;
	struct cursor cursor;
	size_t rows, max; /* of the range at hand; with more in order a page is full, and nobody walks on */
};

/* One row further; false at the end. */
static bool measure_on(const struct search *s, struct measure *m)
{
	while (m->range < m->path->ranges.count) {
		const struct range *r = &m->path->ranges.at[m->range];
		bool is_full = r->in_order && m->rows > m->max;
		if (!is_full && range_move(s, r, &m->cursor)) {
			m->rows++;
			return true;
		}
		m->range++;
		m->cursor = (struct cursor){.begun = false};
		m->rows = 0;
	}
	return false;
}

/* All are walked side by side: the first to end is the shortest, and the others cost no more than it. */
static const struct path *find_shortest(const struct search *s, struct measure *measures, size_t count)
{
	if (count == 1)
		return measures->path;
	for (;;)
		for (size_t k = 0; k < count; k++)
			if (!measure_on(s, &measures[k]))
				return measures[k].path;
}

RESULT path_choose(const struct search *s, const struct filter_runs *runs, const struct path **ret_path)
{
	struct ctx *c = s->e->c;
	struct measure *measures = arena_new_array(c->arena, struct measure, runs->count + 2);
	size_t count = 0;
	if (!measures)
		return ctx_no_memory(c);
	for (size_t k = 0; k < runs->count + 2; k++) {
		struct path *path = 0;
		if (k < runs->count)
			TRY(ranges_of_filter(s, &runs->at[k], &path));
		else
			TRY(k == runs->count ? ranges_of_owners(s, &path) : ranges_of_all(s, &path));
		/* what the only filter leads to fits; how much of what another path leads to is not known */
		bool fits = k == 0 && runs->count == 1;
		if (path)
			measures[count++] = (struct measure){.path = path, .max = fits ? s->max : SIZE_MAX};
	}
	*ret_path = find_shortest(s, measures, count);
	return OK;
}
