/* SPDX-License-Identifier: Apache-2.0
 * Lists rows of any kind: builds a query of the store from the request and writes one page.
 */
#include "api/native/list.h"
#include "base/letters.h"

#include "base/uuid_asked.h"
#include "engine/remote/provider_share.h"
#include "store/provider.h"

/* ---- which rows ---- */

/* True for rows of the account, of the region, and shared rows; for all visible rows if is_all. */
static bool is_listed(struct listing *l, const struct row *row)
{
	if (!native_sees(l->e->c, l->t, l->kind, row))
		return false;
	return l->is_all || !model_kinds[l->kind].account_offset || engine_may_see(&l->own, l->kind, row) ||
	       engine_is_shared_elsewhere(&l->own, l->t, l->kind, row);
}

static bool list_has(const struct field *f, const struct row *row, struct str value)
{
	const void *at = query_field_at(f, row);
	const struct strs *texts = at;
	const struct uuids *ids = at;
	uuid id;
	if (f->type == FIELD_UUIDS)
		return result_is_ok(uuid_parse_asked(value, &id)) && uuids_have(ids, id);
	for (size_t k = 0; f->type == FIELD_TEXTS && k < texts->count; k++)
		if (str_equal(texts->at[k], value))
			return true;
	return false;
}

static bool list_of_addresses_has(struct arena *a, const struct field *f, const struct row *row,
				  struct str value)
{
	struct str quoted = str_print(a, "\"%" STR_FMT "\"", STR_ARG(value));
	return str_contains(row_field_to_text(a, f, row), quoted);
}

static bool fits_value(struct listing *l, const struct row_filter *filter, size_t k, const struct row *row)
{
	struct arena *a = l->e->c->arena;
	struct str value = filter->values.at[k];
	const struct field *f = filter->field;
	if (filter->tag.p) {
		const struct tags *tags =
			(const void *) ((const char *) row + model_kinds[l->kind].tags_offset);
		const struct tag *tag = tags_find(*tags, filter->tag);
		return tag && row_class(l->e->c, l->kind, row) && str_matches(tag->value, value);
	}
	if (!f)
		return str_is(value, native_state(l->t, l->kind, row));
	if (f->type == FIELD_TEXT)
		return str_matches(*(const struct str *) query_field_at(f, row), value);
	if (f->type == FIELD_IPS || f->type == FIELD_CIDRS)
		return list_of_addresses_has(a, f, row, value);
	return filter->probes ? row_compare_field(f, row, filter->probes[k]) == 0 : list_has(f, row, value);
}

static bool fits_filter(struct listing *l, const struct row_filter *filter, const struct row *row)
{
	for (size_t k = 0; k < filter->values.count; k++)
		if (fits_value(l, filter, k, row))
			return true;
	return false;
}

/* ---- words ---- */

static bool has_word(struct arena *a, struct str text, struct str word)
{
	return text.n >= word.n && str_contains(str_lower_all(a, text), word);
}

static bool tags_have(struct arena *a, const struct tags *tags, struct str word)
{
	for (size_t k = 0; k < tags->count; k++)
		if (has_word(a, tags->at[k].key, word) || has_word(a, tags->at[k].value, word))
			return true;
	return false;
}

bool native_has_word(struct arena *a, const struct tables *t, enum kind kind, const struct row *row,
		     unsigned class, struct str word)
{
	const struct kind_info *k = &model_kinds[kind];
	char id[UUID_TEXT_SIZE], ec2[EC2_ID_TEXT_SIZE];
	if (str_starts_with(str_from(uuid_write(row->id, id)), word))
		return true;
	if (*k->ec2_prefix && str_starts_with(str_from(id_write_ec2(kind, row->id, ec2)), word))
		return true;
	for (unsigned n = 0; n < k->field_count; n++)
		if (model_shown[kind].flags[n] & SHOWN_SEARCHED && row_shows_field(kind, n, class) &&
		    has_word(a, row_field_to_text(a, &k->fields[n], row), word))
			return true;
	return (class && k->tags_offset &&
		tags_have(a, (const void *) ((const char *) row + k->tags_offset), word)) ||
	       native_has_address(a, t, kind, row, word);
}

static bool has_words(struct listing *l, const struct row *row)
{
	unsigned class = l->word_count ? row_class(l->e->c, l->kind, row) : 0;
	for (size_t k = 0; k < l->word_count; k++)
		if (!native_has_word(l->e->c->arena, l->t, l->kind, row, class, l->q[k]))
			return false;
	return true;
}

/* Order and filters tell of members, so that they must not reach further than the rows' members do. */
static bool is_told(const struct listing *l, const struct row *row)
{
	return !l->is_of_owners || row_class(l->e->c, l->kind, row) & ROW_FOR_OWNER;
}

bool listing_fits(struct listing *l, const struct row *row)
{
	if (!is_listed(l, row) || !is_told(l, row))
		return false;
	for (size_t k = 0; k < l->filter_count; k++)
		if (!fits_filter(l, &l->filters[k], row))
			return false;
	return has_words(l, row);
}

/* ---- order and pages ---- */

struct str listing_key(const struct listing *l, const struct row *row)
{
	if (!l->order.field)
		return str_from(native_state(l->t, l->kind, row));
	return row_field_to_text(l->e->c->arena, l->order.field, row);
}

/* Compares as the query sorts: enums by their words. */
static int compare_with_cursor(const struct listing *l, const struct row *row)
{
	const struct field *f = l->order.field;
	if (!f || f->type == FIELD_ENUM)
		return str_compare(listing_key(l, row), l->after.text);
	return row_compare_field(f, row, l->after.probe);
}

static bool is_behind(const struct listing *l, const struct row *row)
{
	int order = compare_with_cursor(l, row);
	if (order == 0)
		order = uuid_compare(row->id, l->after.id);
	return l->order.descends ? order < 0 : order > 0;
}

static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	struct listing *l = arg;
	*ret_matches = false;
	*ret_matches = listing_fits(l, row) && (!l->after.is_given || l->counts_all || is_behind(l, row));
	return OK;
}

static struct query_value get_state(void *arg, const void *key, const struct row *row)
{
	const struct listing *l = arg;
	(void) key;
	return (struct query_value){.text = str_from(native_state(l->t, l->kind, row))};
}

/* ---- plans ---- */

/* Plans a scan by the index of an id filter. */
static RESULT plan_filter(struct list *list, const struct row_filter *filter)
{
	struct list_plan plan;
	unsigned index =
		filter->field && filter->field->type == FIELD_UUID ? list_find_index(list, filter->field) : 0;
	const struct kind_info *k = &model_kinds[list->query->kind];
	if (!index || &k->fields[k->indexes[index].fields[0]] != filter->field)
		return OK;
	const struct access_path path = {.kind = list->query->kind, .index = index};
	TRY(list_begin_plan(list, list->query->kind, NULL, &plan));
	for (size_t n = 0; n < filter->values.count; n++)
		TRY(list_add_id(&plan, &path,
				*(const uuid *) query_field_at(filter->field, filter->probes[n])));
	return list_end_plan(&plan);
}

static unsigned find_index(enum kind kind, const char *name)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 1; n < k->index_count; n++)
		if (strcmp(k->indexes[n].name, name) == 0)
			return n;
	return 0;
}

/* Kind whose rows decide, beside those of `kind`, which rows sharing shows. */
static enum kind shown_by(enum kind kind, enum kind by)
{
	return engine_is_of_provider(kind) ? by : kind;
}

/* Plans rows of the account and, of kinds that providers have, of those shared with it. The walk over providers is short: each
 * of them has a thread. */
static RESULT plan_shared(struct listing *l, struct list *list, bool *ret_is_planned)
{
	struct list_plan plan;
	const struct access_path path = {.kind = l->kind, .index = find_index(l->kind, "provider")};
	bool is_provider = l->kind == KIND_PROVIDER;
	*ret_is_planned = list->owner_count && engine_is_of_provider(l->kind);
	if (!*ret_is_planned)
		return OK;
	TRY(list_begin_plan(list, l->kind, NULL, &plan));
	TRY(list_add_account(&plan, l->account));
	for (const struct provider *p = provider_first(l->t); p; p = provider_next(l->t, p)) {
		if (uuid_equal(p->account, l->account) || !engine_is_provider_shared(l->t, p, l->account))
			continue;
		TRY(is_provider ? list_add_account(&plan, p->account) : list_add_id(&plan, &path, p->row.id));
	}
	return list_end_plan(&plan);
}

static RESULT add_plans(struct listing *l, struct query *q)
{
	bool is_ones = !l->is_all && model_kinds[l->kind].account_offset;
	struct list list = {.query = q,
			    .owners = {l->account, UUID_NONE},
			    .owner_count = is_ones ? 2 : 0,
			    .account_index = list_account_index(l->kind),
			    .other_account_index = is_ones ? find_index(l->kind, "peer_account") : 0,
			    .public_index = is_ones && model_kinds[l->kind].launchers_offset
						    ? find_index(l->kind, "public")
						    : 0};
	bool is_planned = false;
	TRY(plan_shared(l, &list, &is_planned));
	if (!is_planned)
		TRY(list_plan_all(&list));
	for (size_t k = 0; k < l->filter_count; k++)
		TRY(plan_filter(&list, &l->filters[k]));
	return OK;
}

/* Cuts the page out of all rows found: those after the cursor, up to the limit. */
static void cut_page(struct listing *l)
{
	struct query_page *page = &l->page;
	size_t at = 0;
	while (l->after.is_given && at < page->count && !is_behind(l, page->rows[at]))
		at++;
	page->rows += at;
	page->found = page->count - at;
	page->count = page->found < l->limit ? page->found : l->limit;
}

RESULT listing_run(struct listing *l)
{
	struct query_sort sort = {.field = l->order.field, .descends = l->order.descends};
	bool is_plain = l->order.is_created && !l->order.descends && !l->counts_all;
	struct query q = {.c = l->e->c,
			  .tables = l->t,
			  .kind = l->kind,
			  .matches = matches,
			  .arg = l,
			  .sorts = is_plain ? NULL : &sort,
			  .sort_count = is_plain ? 0 : 1,
			  .limit = l->limit};
	if (!l->order.field)
		sort.get_value = get_state;
	if (is_plain && l->after.is_given)
		q.after = (struct row_place){l->after.probe->created_us, l->after.id};
	TRY(add_plans(l, &q));
	if (l->counts_all)
		q.limit = SIZE_MAX;
	TRY(query_run(&q, &l->page));
	l->batch = l->e->view.commit;
	l->total = l->page.found;
	l->has_total = l->counts_all || (!l->after.is_given && (!is_plain || l->page.found == l->page.count));
	if (l->counts_all)
		cut_page(l);
	return OK;
}

/* ---- the calls ---- */

RESULT native_prepare_list(struct native_call *e, void *args)
{
	struct listing *l = arena_new_object(e->c->arena, struct listing);
	(void) args;
	if (!l)
		return ctx_no_memory(e->c);
	TRY(listing_read(e, l));
	e->list = l;
	const struct shown_kind *s = &model_shown[l->kind];
	const enum kind kinds[] = {l->kind,
				   KIND_CONDITION,
				   l->kind == KIND_INSTANCE ? KIND_PORT : l->kind,
				   l->kind == KIND_INSTANCE || l->kind == KIND_PORT ? KIND_ADDRESS : l->kind,
				   l->kind == KIND_INSTANCE || l->kind == KIND_PORT ? KIND_SECONDARY_IP
										    : l->kind,
				   l->kind == KIND_ADDRESS ? KIND_PORT : l->kind,
				   l->kind == KIND_IMAGE ? KIND_IMAGE_DEVICE : l->kind,
				   l->kind == KIND_IMAGE ? KIND_SNAPSHOT : l->kind,
				   l->kind == KIND_SUPPORT_TICKET ? KIND_TICKET_LINK : l->kind,
				   l->kind == KIND_SUPPORT_TICKET ? KIND_DESK : l->kind,
				   shown_by(l->kind, KIND_PROVIDER),
				   shown_by(l->kind, KIND_ACCOUNT),
				   shown_by(l->kind, KIND_DOMAIN),
				   s->of ? model_kinds[l->kind].fields[s->of - 1].ref : l->kind};
	bool has_figures =
		s->derived[0] &&
		strcmp(s->derived[0], "usage") == 0; /* usage changes without a commit, so there is no ETag */
	return has_figures ? OK : native_set_etag(e, kinds, sizeof kinds / sizeof kinds[0]);
}

RESULT native_answer_list(struct native_call *e, const void *args, struct json_writer *w)
{
	struct listing *l = e->list;
	(void) args;
	l->t = native_tables(e); /* the view of prepare() is closed */
	TRY(listing_run(l));
	size_t shown = l->page.count;
	bool is_cut = l->page.found > shown;
	const struct row_writer rw = {.arena = e->c->arena,
				      .tables = l->t,
				      .kind = l->kind,
				      .choice = &l->choice,
				      .whole_commit = tables_whole_commit};
	json_write_int(w, "batch", (int64_t) l->batch);
	if (l->has_total)
		json_write_int(w, "total", (int64_t) l->total);
	json_write_open_list(w, "items");
	for (size_t k = 0; k < shown; k++)
		row_write(&rw, w, NULL, l->page.rows[k], row_class(e->c, l->kind, l->page.rows[k]));
	json_write_close_list(w);
	if (is_cut)
		json_write_text(w, "next", listing_write_cursor(l, l->page.rows[shown - 1]));
	return OK;
}
