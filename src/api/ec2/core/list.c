/* SPDX-License-Identifier: Apache-2.0
 * Selects rows: by the ids given, else by a query along the filters' access paths (plan.h). Rows come in
 * order of creation, so that a token is the position of the last row shown, bound to the parameters. */
#include "api/ec2/core/list.h"

#include <assert.h>

#include "api/core/response_cache.h"
#include "api/ec2/core/plan.h"

enum { PAGE_DEFAULT = 5000 }; /* rows in the answer to a request without MaxResults */

/* ---- tokens ---- */

static const char *const not_in_digest[] = {"NextToken", "MaxResults", "DryRun", 0};

RESULT ec2_parse_token(struct ec2_call *e, struct str token, struct row_place *ret_after)
{
	bool is_good = str_is_empty(token) ||
		       list_read_token(e->c, pairs_digest(e->c, &e->pairs, not_in_digest), token, ret_after);
	return is_good ? OK : ec2_fail_token(e, token);
}

RESULT ec2_fail_token(struct ec2_call *e, struct str token)
{
	return ctx_fail_field(
		e->c, ERR_INVALID, STR("NextToken"),
		"Value ( %" STR_FMT
		" ) for parameter NextToken is invalid. The token is invalid. It is not one of a "
		"page of this very request.",
		STR_ARG(str_slice(token, 0, 256)));
}

struct str ec2_make_token(struct ec2_call *e, struct row_place last)
{
	return list_make_token(e->c, pairs_digest(e->c, &e->pairs, not_in_digest), last);
}

/* ---- selecting ---- */

struct selection {
	struct ec2_call *e;
	const struct ec2_listing *list;
	struct filter_runs runs;
	struct query query;
	VEC(const struct row *) named;
};

static bool may_show(const struct selection *s, const struct row *row)
{
	return engine_may_see(s->e->c, s->list->kind, row) ||
	       (s->list->shows_ended && engine_may_see_ended(s->e->c, s->list->kind, row));
}

static RESULT find_one(const struct selection *s, const struct ref *ref, const struct row **ret_row)
{
	struct ctx *c = s->e->c;
	return s->list->shows_ended ? engine_find_listed(c, s->query.tables, s->list->kind, ref, ret_row)
				    : engine_find(c, s->query.tables, s->list->kind, ref, ret_row);
}

/* True if the caller may see the row and it fits the filters. */
static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	const struct selection *s = arg;
	*ret_matches = may_show(s, row) && (!s->list->shows || s->list->shows(s->e, row)) &&
		       filters_fit(&s->runs, s->query.tables, row);
	return OK;
}

/* Adds further missing ids to the problem. */
static void add_unknown(struct selection *s, const struct refs *refs, size_t first)
{
	struct ctx *c = s->e->c;
	struct problem *p = &c->problem;
	size_t n = p->subject.n, size = n;
	for (size_t k = first; k < refs->count; k++)
		size += refs->at[k].text.n + 2;
	char *text = p->err == ERR_NOT_FOUND && n ? arena_alloc(c->arena, size) : NULL;
	if (!text)
		return;
	memcpy(text, p->subject.p, n);
	for (size_t k = first; k < refs->count; k++) {
		const struct row *row = 0;
		struct str id = refs->at[k].text;
		if (find_one(s, &refs->at[k], &row).code != ERR_NOT_FOUND)
			continue;
		memcpy(text + n, ", ", 2);
		memcpy(text + n + 2, id.p, id.n);
		n += id.n + 2;
	}
	p->subject = (struct str){text, n};
}

/* Finds rows given by id. */
static RESULT find_named(struct selection *s, const struct refs *refs)
{
	struct ctx *c = s->e->c;
	s->query.rows_read += refs->count;
	for (size_t k = 0; k < refs->count; k++) {
		const struct row *row = 0;
		bool fits = false;
		if (s->list->is_slow && engine_has_gone(c, s->query.tables, s->list->kind, &refs->at[k]))
			continue;
		struct result found = find_one(s, &refs->at[k], &row);
		if (!result_is_ok(found)) {
			add_unknown(s, refs, k + 1);
			return found;
		}
		if (s->list->is_hiding && !s->list->shows(s->e, row))
			return engine_fail_not_found(c, s->list->kind, &refs->at[k]);
		TRY(matches(s, row, &fits));
		if (fits && !VEC_PUSH(c->arena, &s->named, row))
			return ctx_no_memory(c);
	}
	return OK;
}

static RESULT plan(struct selection *s, const struct ec2_query *query)
{
	if (!query->ids.count && !query->names.count)
		return ec2_plan_list(s->e, s->list, &s->runs, &s->query);
	TRY(find_named(s, &query->ids));
	TRY(find_named(s, &query->names));
	s->query.given = (struct rows){s->named.at, s->named.count};
	return OK;
}

/* Some Describe actions of EC2 have no pages and show everything. */
static bool has_pages(const struct ec2_action *action)
{
	for (size_t k = 0; k < action->args.count; k++)
		if (strcmp(action->args.at[k].wire, "NextToken") == 0)
			return true;
	return false;
}

RESULT ec2_select(struct ec2_call *e, const struct ec2_listing *list, const struct ec2_query *query,
		  struct ec2_page *ret_page)
{
	struct selection s = {.e = e, .list = list};
	struct query *q = &s.query;
	struct query_page page;
	*q = (struct query){.c = e->c,
			    .kind = list->kind,
			    .matches = matches,
			    .arg = &s,
			    .limit = has_pages(ec2_action_of(e)) ? PAGE_DEFAULT : SIZE_MAX};
	if (query->max_results && (query->ids.count || query->names.count))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("MaxResults"),
				      "The parameter %s cannot be used with the parameter maxResults",
				      list->set);
	if (query->max_results)
		q->limit = (size_t) query->max_results;
	TRY(filters_compile(e, list->kind, &list->filters, &query->filters, &s.runs));
	q->read_offset = filters_read_offset(&s.runs);
	TRY(ec2_parse_token(e, query->next_token, &q->after));
	q->tables = ec2_tables(e);
	TRY(plan(&s, query));
	TRY(query_run(q, &page));
	*ret_page = (struct ec2_page){.rows = page.rows, .count = page.count};
	if (page.found > page.count)
		ret_page->next_token = ec2_make_token(e, row_place_of(page.rows[page.count - 1]));
	return OK;
}

/* ---- cached items ---- */

/* Only answers of reads are cached: the answer of a change is soon outdated. */
static bool caches_items(const struct ec2_call *e, const struct ec2_listing *list)
{
	return list->shared && !(e->action->flags & API_WRITES) && !e->audit;
}

static void make_key(const struct ec2_call *e, const struct ec2_listing *list, const struct ec2_item *item,
		     struct ec2_item_key *ret_key)
{
	ec2_item_key_init(ret_key, item->row->id);
	ec2_item_key_add_commit(ret_key, item->commit);
	ec2_item_key_add_commit(ret_key, e->shared_commit);
	ec2_item_key_add_text(ret_key, str_from(list->set));
	ec2_item_key_add_text(ret_key, e->owner);
	ec2_item_key_add_text(ret_key, e->domain);
	ec2_item_key_add_text(ret_key, e->public_domain);
}

static void read_shared_commit(struct ec2_call *e, const struct ec2_listing *list)
{
	const struct tables *t = ec2_tables(e);
	e->shared_commit = 0;
	for (const enum kind *kind = list->shared; *kind != KIND_NONE; kind++)
		if (tables_kind_commit(t, *kind) > e->shared_commit)
			e->shared_commit = tables_kind_commit(t, *kind);
}

static bool take_cached(struct ec2_call *e, const struct ec2_listing *list, struct ec2_item *item)
{
	struct ec2_item_key key;
	make_key(e, list, item, &key);
	item->cached = ec2_item_cache_take(e->item_cache, &key);
	if (item->cached && !VEC_PUSH(e->c->arena, &e->cached, item->cached)) {
		ec2_cached_drop(item->cached);
		item->cached = NULL;
	}
	if (!item->cached)
		return false;
	ec2_cached_note_reads(item->cached);
	e->cached_size += ec2_cached_text(item->cached).n;
	return true;
}

/* Plans the listing's attributes for the first row. NULL: no memory. */
static const void *gather_one(struct ec2_call *e, const struct ec2_listing *list,
			      const struct attribute_plan **plan, const struct row *row)
{
	if (list->attributes && !*plan)
		*plan = attributes_plan(&e->core, &ec2_style, list->attributes);
	if (list->attributes)
		return *plan ? attributes_gather(*plan, row) : NULL;
	return list->gather ? list->gather(e, row) : row;
}

/* NULL: no memory. */
static const void *gather_shared(struct ec2_call *e, const struct ec2_listing *list,
				 const struct attribute_plan **plan, const struct row *row)
{
	struct ec2_item *item = arena_new_object(e->c->arena, struct ec2_item);
	if (!item)
		return NULL;
	*item = (struct ec2_item){.row = row, .commit = tables_whole_commit(ec2_tables(e), list->kind, row)};
	if (!take_cached(e, list, item))
		item->gathered = gather_one(e, list, plan, row);
	return item->cached || item->gathered ? item : NULL;
}

RESULT ec2_gather(struct ec2_call *e, const struct ec2_listing *list, const struct row *const *rows,
		  size_t count, const void ***ret_items)
{
	const void **items = arena_new_array(e->c->arena, const void *, count);
	const struct attribute_plan *plan = NULL; /* not needed if all items are cached */
	if (!items)
		return ctx_no_memory(e->c);
	if (caches_items(e, list))
		read_shared_commit(e, list);
	for (size_t k = 0; k < count; k++) {
		if (k + ROWS_AHEAD < count)
			row_prefetch(&model_kinds[list->kind], rows[k + ROWS_AHEAD]);
		if (k + ROWS_AHEAD / 2 < count)
			__builtin_prefetch(rows[k + ROWS_AHEAD / 2]->usage);
		items[k] = caches_items(e, list) ? gather_shared(e, list, &plan, rows[k])
						 : gather_one(e, list, &plan, rows[k]);
		if (!items[k])
			return ctx_no_memory(e->c);
	}
	ec2_release_tables(e);
	*ret_items = items;
	return OK;
}

void ec2_drop_cached(struct ec2_call *e)
{
	for (size_t k = 0; k < e->cached.count; k++)
		ec2_cached_drop(e->cached.at[k]);
	e->cached.count = 0;
}

/* An answer too long to be cached as a whole is gathered while it is sent. */
static void write_cached(struct ec2_call *e, const struct ec2_cached_item *cached, struct buf *b)
{
	const struct ec2_fragment fragment = {b->size, cached};
	if (e->cached_size <= RESPONSE_SIZE_MAX || !VEC_PUSH(e->c->arena, &e->fragments, fragment))
		buf_add_str(b, ec2_cached_text(cached));
}

static void write_item(struct ec2_call *e, const struct ec2_listing *list, struct xml *x, const void *item)
{
	if (list->attributes)
		attributes_write_xml(item, x);
	else
		list->write(e, x, item);
}

static void write_members(struct ec2_call *e, const struct ec2_listing *list, const void *data, struct xml *x)
{
	const struct ec2_item *item = data;
	if (!caches_items(e, list)) {
		write_item(e, list, x, data);
		return;
	}
	if (item->cached) {
		write_cached(e, item->cached, x->out);
		return;
	}
	struct ec2_item_key key;
	make_key(e, list, item, &key);
	size_t before = x->out->size;
	write_item(e, list, x, item->gathered);
	/* An item gathered with a full arena may lack rows: this call fails, and later calls must not show the item. */
	if (!x->out->failed && !arena_is_full(e->c->arena))
		ec2_item_cache_add(e->item_cache, &key, str_slice(buf_str(x->out), before, x->out->size));
}

static const struct row *row_of_item(const struct ec2_listing *list, const void *item)
{
	return list->gather || list->attributes ? *(const struct row *const *) item : item;
}

static void write_set(struct ec2_call *e, const struct ec2_listing *list, const void *const *items,
		      size_t count, bool is_other, struct xml *x)
{
	const char *set = is_other ? list->other_set : list->set;
	xml_open(x, set);
	for (size_t k = 0; k < count; k++) {
		if (list->other_set && list->in_other(items[k]) != is_other)
			continue;
		if (k + ROWS_AHEAD < count)
			row_prefetch(&model_kinds[list->kind], row_of_item(list, items[k + ROWS_AHEAD]));
		xml_open(x, "item");
		write_members(e, list, items[k], x);
		xml_close(x, "item");
	}
	xml_close(x, set);
}

void ec2_write_items(struct ec2_call *e, const struct ec2_listing *list, const void *const *items,
		     size_t count, struct xml *x)
{
	write_set(e, list, items, count, false, x);
	if (list->other_set)
		write_set(e, list, items, count, true, x);
}

RESULT ec2_describe(struct ec2_call *e, const struct ec2_listing *list, const struct ec2_query *query,
		    struct xml *x)
{
	struct ec2_page page;
	const void **items = 0;
	TRY(ec2_select(e, list, query, &page));
	TRY(ec2_gather(e, list, page.rows, page.count, &items));
	ec2_write_items(e, list, items, page.count, x);
	xml_text_opt(x, "nextToken", page.next_token);
	return OK;
}

RESULT ec2_write_returned(struct ec2_call *e, const struct ec2_listing *list, uuid id, const char *element,
			  struct xml *x)
{
	const struct row *row = 0;
	const void **items = 0;
	assert(e->action->returns == list->kind);
	TRY(ec2_find_returned(e, id, &row));
	TRY(ec2_gather(e, list, &row, 1, &items));
	if (element)
		xml_open(x, element);
	write_item(e, list, x, items[0]);
	if (element)
		xml_close(x, element);
	return OK;
}
