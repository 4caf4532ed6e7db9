/* SPDX-License-Identifier: Apache-2.0
 * Paths: what ranges a filter stands for, walking one, and finding the shortest. */
#include "api/ec2/path.h"

#include "model/id.h"
#include "model/term.h"

/* ---- walking ---- */

static bool has_key(const struct search *s, const struct range *r, const struct row *row)
{
	const struct kind_info *k = &model_kinds[s->list->kind];
	return r->field_count == 0 ||
	       row_compare_key(k, &k->indexes[r->index], r->field_count, row, r->probe) == 0;
}

const struct row *range_first(const struct search *s, const struct range *r)
{
	enum kind kind = s->list->kind;
	const struct row *row = r->probe;
	if (r->by == RANGE_TERM)
		return tables_first_by_term(s->t, kind, r->term, s->after);
	if (r->by == RANGE_ROW)
		return row;
	/* one field more is the id */
	row = tables_seek(s->t, kind, r->index, r->probe, r->field_count + r->in_order);
	if (row && r->in_order && uuid_equal(row->id, s->after))
		row = tables_next(s->t, kind, r->index, row, 0);
	return row && has_key(s, r, row) ? row : 0;
}

const struct row *range_next(const struct search *s, const struct range *r, const struct row *row)
{
	switch (r->by) {
	case RANGE_ROW:
		break;
	case RANGE_INDEX:
		return tables_next(s->t, s->list->kind, r->index, row, r->field_count);
	case RANGE_TERM:
		return tables_next_by_term(s->t, s->list->kind, r->term, row);
	}
	return 0;
}

/* ---- ranges ---- */

static bool add_term(const struct search *s, struct path *p, uint64_t term)
{
	const struct range range = {.by = RANGE_TERM, .term = term, .in_order = true};
	return VEC_PUSH(s->e->c->arena, &p->ranges, range);
}

/* By the index's first field, and by the account where that is the second. */
static bool add_index(const struct search *s, struct path *p, unsigned index, uuid value)
{
	const struct kind_info *k = &model_kinds[s->list->kind];
	const struct index *x = &k->indexes[index];
	struct row *probe = arena_alloc(s->e->c->arena, k->row_size);
	unsigned count = 0;
	if (!probe)
		return false;
	probe->id = s->after;
	while (count < x->field_count && count < 2) {
		const struct field *f = &k->fields[x->fields[count]];
		if (count && f->ref != KIND_ACCOUNT)
			break;
		uuid key = count ? engine_get_account(s->e->c) : value;
		memcpy((char *) probe + f->offset, &key, sizeof key);
		count++;
	}
	const struct range range = {.by = RANGE_INDEX,
				    .index = index,
				    .field_count = count,
				    .probe = probe,
				    .in_order = count == x->field_count};
	return VEC_PUSH(s->e->c->arena, &p->ranges, range);
}

static bool add_row(const struct search *s, struct path *p, const struct row *row)
{
	const struct range range = {.by = RANGE_ROW, .probe = row};
	return VEC_PUSH(s->e->c->arena, &p->ranges, range);
}

/* ---- what a filter stands for ---- */

/* The row that a filter's value names; NULL: there is none. */
static const struct row *find_by_value(const struct search *s, enum kind kind, struct str value)
{
	struct ref ref;
	if (kind == KIND_INSTANCE_TYPE) {
		const struct instance_type *type = instance_type_find_by_name(s->t, value);
		return type ? &type->row : 0;
	}
	if (!result_is_ok(id_parse_ec2(value, kind, &ref)))
		return 0;
	return tables_find_prefix(s->t, kind, ref.prefix, ref.bits);
}

static bool is_group(const struct filter_run *run)
{
	return run->field && run->field->offset == model_kinds[run->kind].groups_offset;
}

static bool add_values(const struct search *s, const struct filter_run *run, struct path *p)
{
	enum kind kind = run->filter->is_id ? s->list->kind : run->field->ref;
	bool done = true;
	for (size_t k = 0; done && k < run->patterns.count; k++) {
		const struct row *row = find_by_value(s, kind, run->patterns.at[k]);
		if (row && run->filter->is_id)
			done = add_row(s, p, row);
		else if (row && is_group(run))
			done = add_term(s, p, term_of_group(engine_get_account(s->e->c), row->id));
		else if (row)
			done = add_index(s, p, run->filter->index, row->id);
	}
	return done;
}

static bool add_states(const struct search *s, const struct filter_run *run, struct path *p)
{
	const struct kind_info *k = &model_kinds[s->list->kind];
	bool done = true;
	for (unsigned state = 0; done && state < k->state_count; state++)
		if (run->filter->in_state(run, state))
			done = add_term(s, p, term_of_state(engine_get_account(s->e->c), state));
	return done;
}

static bool add_tags(const struct search *s, const struct filter_run *run, struct path *p)
{
	uuid account = engine_get_account(s->e->c);
	bool done = true;
	if (run->what == FILTER_TAG && !run->is_plain)
		return add_term(s, p, term_of_tag_key(account, run->tag_key));
	for (size_t k = 0; done && k < run->patterns.count; k++)
		done = add_term(s, p,
				run->what == FILTER_TAG
					? term_of_tag(account, run->tag_key, run->patterns.at[k])
					: term_of_tag_key(account, run->patterns.at[k]));
	return done;
}

/* The function that makes a path of the filter; NULL: it is none. Terms are of the owner's rows, and
 * so of no use where others' are shown too. */
typedef bool add_ranges(const struct search *s, const struct filter_run *run, struct path *p);

static add_ranges *ranges_of(const struct search *s, const struct filter_run *run)
{
	bool of_own = s->list->account_index;
	switch (run->what) {
	case FILTER_ROW:
		if (run->is_plain && (run->filter->is_id || run->filter->index || (of_own && is_group(run))))
			return add_values;
		return run->filter->in_state && of_own ? add_states : 0;
	case FILTER_TAG:
		return of_own ? add_tags : 0;
	case FILTER_TAG_KEY:
		return of_own && run->is_plain ? add_tags : 0;
	case FILTER_TAG_VALUE:
		break;
	}
	return 0;
}

/* ---- the shortest ---- */

/* One row further; false at the end. */
static bool path_step(const struct search *s, struct path *p)
{
	if (p->row) {
		p->row = range_next(s, &p->ranges.at[p->at], p->row);
		p->at += !p->row;
	}
	while (!p->row && p->at < p->ranges.count) {
		p->row = range_first(s, &p->ranges.at[p->at]);
		p->at += !p->row;
	}
	return p->row;
}

/* All are walked side by side: the first to end is the shortest, and the others cost no more than it. */
static const struct path *find_shortest(const struct search *s, struct path *paths, size_t count)
{
	if (count == 1)
		return paths;
	for (;;)
		for (size_t k = 0; k < count; k++)
			if (!path_step(s, &paths[k]))
				return &paths[k];
}

RESULT path_choose(const struct search *s, const struct filter_runs *runs, const struct path **ret_path)
{
	struct ec2_call *e = s->e;
	struct path *paths = arena_new_array(e->c->arena, struct path, runs->count + 1);
	size_t count = 0;
	if (!paths)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < runs->count; k++) {
		add_ranges *add = ranges_of(s, &runs->at[k]);
		if (add && !add(s, &runs->at[k], &paths[count++]))
			return ctx_no_memory(e->c);
	}
	if (!add_index(s, &paths[count++], s->list->account_index, engine_get_account(e->c)))
		return ctx_no_memory(e->c);
	*ret_path = find_shortest(s, paths, count);
	return OK;
}
