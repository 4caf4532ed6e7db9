/* SPDX-License-Identifier: Apache-2.0
 * Selecting, ordering and paging rows. An account's rows are found by its index; a page begins behind its
 * marker in the order asked for. */
#include <stdlib.h>

#include "api/openstack/core/filter.h"
#include "api/openstack/core/services.h"

enum { SORT_KEYS_MAX = 8 };

struct sort {
	const struct field *field;     /* or */
	const struct os_sort_key *key; /* what it makes of a row */
	bool descends;
};

/* What a sort key makes of a row. */
struct sort_value {
	struct str text;
	int64_t number;
};

struct entry {
	const struct row *row;
	const struct sort_value *values; /* one for each sort; NULL: all are by fields */
	int64_t first; /* the first sort's field, where that is a number: here, not a row away from here */
};

struct selection {
	struct os_call *e;
	const struct os_listing *list;
	struct os_filtering filtering;
	const struct tables *t;
	bool all_accounts;
	struct sort sorts[SORT_KEYS_MAX];
	size_t sort_count;
	VEC(struct entry) entries;
};

/* ---- candidates ---- */

/* What the sort keys make of the row. */
static RESULT make_values(struct selection *s, const struct row *row, const struct sort_value **ret_values)
{
	struct sort_value *values = NULL;
	for (size_t k = 0; k < s->sort_count; k++) {
		const struct os_sort_key *key = s->sorts[k].key;
		if (!key)
			continue;
		if (!values)
			values = arena_new_array(s->e->c->arena, struct sort_value, s->sort_count);
		if (!values)
			return ctx_no_memory(s->e->c);
		values[k] = (struct sort_value){
			.text = key->text ? key->text(s->e, row) : STR_NONE,
			.number = key->number ? key->number(s->e, row) : 0,
		};
	}
	*ret_values = values;
	return OK;
}

static RESULT add_row(struct selection *s, const struct row *row)
{
	const struct field *first = s->sorts[0].key ? NULL : s->sorts[0].field;
	struct entry entry = {.row = row};
	bool fits = false;
	TRY(os_fits(&s->filtering, row, &fits));
	if (!fits)
		return OK;
	if (first && first->type == FIELD_INT)
		entry.first = *(const int64_t *) os_field_at(first, row);
	TRY(make_values(s, row, &entry.values));
	return VEC_PUSH(s->e->c->arena, &s->entries, entry) ? OK : ctx_no_memory(s->e->c);
}

static RESULT consider(struct selection *s, const struct row *row)
{
	struct ctx *c = s->e->c;
	bool may_see =
		s->all_accounts ? row_is_live(row) || s->list->shows : engine_may_see(c, s->list->kind, row);
	return may_see && (!s->list->shows || s->list->shows(s->e, row)) ? add_row(s, row) : OK;
}

/* A probe row with the account for its index. */
static RESULT consider_account(struct selection *s, uuid account)
{
	const struct kind_info *k = &model_kinds[s->list->kind];
	struct row *probe = arena_alloc(s->e->c->arena, k->row_size);
	if (!probe)
		return ctx_no_memory(s->e->c);
	*(uuid *) (void *) ((char *) probe + k->account_offset) = account;
	const struct row *row = tables_first(s->t, k->kind, s->list->account_index, probe, 1);
	for (; row; row = tables_next(s->t, k->kind, s->list->account_index, row, 1))
		TRY(consider(s, row));
	return OK;
}

/* Visible as they are. */
static RESULT consider_added(struct selection *s)
{
	struct os_added added = {0};
	if (!s->list->add)
		return OK;
	TRY(s->list->add(s->e, &added));
	for (size_t k = 0; k < added.rows.count; k++)
		TRY(add_row(s, added.rows.at[k]));
	return OK;
}

static RESULT consider_candidates(struct selection *s)
{
	enum kind kind = s->list->kind;
	TRY(consider_added(s));
	if (s->list->account_index && !s->all_accounts && !(s->list->flags & OS_ALL_SEE_ALL))
		return consider_account(s, s->e->c->who->account);
	for (const struct row *row = tables_first(s->t, kind, 0, NULL, 0); row;
	     row = tables_next(s->t, kind, 0, row, 0))
		TRY(consider(s, row));
	return OK;
}

/* ---- whose ---- */

static RESULT read_accounts(struct selection *s)
{
	const struct os_pairs *query = &s->e->request.query;
	struct str asked = os_query_find(query, "all_tenants");
	if (!asked.p)
		asked = os_query_find(query, "all_projects");
	bool is_asked = asked.p && !os_is_truth(false, asked);
	s->all_accounts = s->list->flags & OS_ADMIN_SEES_ALL && os_is_admin(s->e);
	if (!(s->list->flags & OS_ALL_PROJECTS) || !is_asked)
		return OK;
	if (!os_is_admin(s->e) && (s->e->service == OS_VOLUME || s->list->flags & OS_OWN_TO_OTHERS))
		return OK; /* clients ask for it whenever they look for a name */
	if (!os_is_admin(s->e))
		return ctx_fail(s->e->c, ERR_DENIED, "Policy doesn't allow %s:all_tenants to be performed.",
				s->e->action->permit);
	s->all_accounts = true;
	return OK;
}

/* ---- order ---- */

static RESULT add_sort(struct selection *s, struct str name, struct str direction)
{
	struct sort sort = {.descends = s->list->flags & OS_NEWEST_FIRST};
	struct ctx *c = s->e->c;
	if (direction.n && !str_is(direction, "asc") && !str_is(direction, "desc"))
		return ctx_fail_field(c, ERR_INVALID, STR("sort_dir"), "Invalid sort direction: %" STR_FMT,
				      STR_ARG(str_slice(direction, 0, 64)));
	if (direction.n)
		sort.descends = str_is(direction, "desc");
	sort.field = os_row_key_of(name);
	for (size_t k = 0; k < s->list->sort_keys.count; k++) {
		const struct os_sort_key *key = &s->list->sort_keys.at[k];
		if (!str_is(name, key->name))
			continue;
		sort.field = os_field_of(s->list->kind, key->field);
		sort.key = key->text || key->number ? key : NULL;
		sort.descends ^= key->is_opposite;
	}
	if (!sort.field && !sort.key)
		return ctx_fail_field(c, ERR_INVALID, STR("sort_key"), "Invalid sort key: %" STR_FMT,
				      STR_ARG(str_slice(name, 0, 64)));
	if (s->sort_count == SORT_KEYS_MAX)
		return ctx_fail_field(c, ERR_INVALID, STR("sort_key"), "There are at most %d sort keys.",
				      SORT_KEYS_MAX);
	s->sorts[s->sort_count++] = sort;
	return OK;
}

/* sort=key:dir,key */
static RESULT read_sort(struct selection *s, struct str text)
{
	struct str part, name;
	while (str_split_next(&text, ',', &part)) {
		if (str_split_next(&part, ':', &name))
			TRY(add_sort(s, name, part));
	}
	return OK;
}

static size_t count_named(const struct os_pairs *query, const char *name)
{
	size_t count = 0;
	for (size_t k = 0; k < query->count; k++)
		count += str_is(query->at[k].name, name);
	return count;
}

/* Neutron wants one for each key, if there are any. */
static RESULT check_directions(struct selection *s)
{
	size_t keys = count_named(&s->e->request.query, "sort_key");
	size_t directions = count_named(&s->e->request.query, "sort_dir");
	if (s->e->service != OS_NETWORK || directions == 0 || directions == keys)
		return OK;
	return ctx_fail_field(s->e->c, ERR_INVALID, STR("sort_dir"),
			      "The number of sort_keys and sort_dirs must be same");
}

static RESULT read_order(struct selection *s)
{
	const struct os_pairs *query = &s->e->request.query;
	size_t direction = 0;
	TRY(check_directions(s));
	for (size_t k = 0; k < query->count; k++) {
		if (str_is(query->at[k].name, "sort"))
			TRY(read_sort(s, query->at[k].value));
		if (!str_is(query->at[k].name, "sort_key"))
			continue;
		while (direction < query->count && !str_is(query->at[direction].name, "sort_dir"))
			direction++;
		TRY(add_sort(s, query->at[k].value,
			     direction < query->count ? query->at[direction++].value : STR_NONE));
	}
	return s->sort_count ? OK : add_sort(s, STR("created_at"), STR_NONE);
}

static int compare_field(const struct field *field, const struct row *a, const struct row *b)
{
	const void *x = os_field_at(field, a), *y = os_field_at(field, b);
	switch ((int) field->type) {
	case FIELD_TEXT:
		return str_compare(*(const struct str *) x, *(const struct str *) y);
	case FIELD_UUID:
		return uuid_compare(*(const uuid *) x, *(const uuid *) y);
	case FIELD_INT:
		return os_compare_int(*(const int64_t *) x, *(const int64_t *) y);
	case FIELD_BOOL:
		return *(const bool *) x - *(const bool *) y;
	case FIELD_ENUM:
		return strcmp(field->words[*(const int *) x], field->words[*(const int *) y]);
	case FIELD_IP:
		return ip_compare(*(const struct ip *) x, *(const struct ip *) y);
	case FIELD_CIDR:
		return cidr_compare(*(const struct cidr *) x, *(const struct cidr *) y);
	case FIELD_MAC:
		return memcmp(x, y, sizeof(struct mac));
	default:
		return 0;
	}
}

static int compare_values(const struct sort_value *x, const struct sort_value *y)
{
	int order = str_compare(x->text, y->text);
	return order ? order : os_compare_int(x->number, y->number);
}

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct selection *s = arg;
	const struct entry *x = a, *y = b;
	if (x->first != y->first)
		return s->sorts[0].descends ? os_compare_int(y->first, x->first)
					    : os_compare_int(x->first, y->first);
	for (size_t k = 0; k < s->sort_count; k++) {
		const struct sort *sort = &s->sorts[k];
		int order = sort->key ? compare_values(&x->values[k], &y->values[k])
				      : compare_field(sort->field, x->row, y->row);
		if (order != 0)
			return sort->descends ? -order : order;
	}
	int order = uuid_compare(x->row->id, y->row->id);
	return s->sorts[0].descends ? -order : order;
}

/* Moves an entry down among the first `count`, each of which comes after the two below it. */
static void sift_down(struct selection *s, size_t at, size_t count)
{
	struct entry *all = s->entries.at;
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

/* Brings the first `count` to the front, in order: a page of many costs little more than to look at all. */
static void order_first(struct selection *s, size_t count)
{
	struct entry *all = s->entries.at;
	for (size_t k = count / 2; k > 0; k--)
		sift_down(s, k - 1, count);
	for (size_t k = count; count && k < s->entries.count; k++)
		if (compare_entries(&all[k], &all[0], s) < 0) {
			all[0] = all[k];
			sift_down(s, 0, count);
		}
	if (count)
		qsort_r(all, count, sizeof all[0], compare_entries, s);
}

/* ---- the page ---- */

static bool has_pages(const struct os_listing *list)
{
	return list->links || list->page_max;
}

static RESULT read_count(struct selection *s, const char *name, int64_t *ret_count)
{
	struct str text = os_query_find(&s->e->request.query, name);
	int64_t count = 0;
	if (text.p && (!result_is_ok(str_parse_int(text, &count)) || count < 0))
		return ctx_fail_field(s->e->c, ERR_INVALID, str_from(name),
				      "Invalid input for query parameters %s. Value: %" STR_FMT
				      ". It is not a non-negative integer.",
				      name, STR_ARG(str_slice(text, 0, 64)));
	*ret_count = count;
	return OK;
}

static RESULT read_limit(struct selection *s, size_t *ret_limit)
{
	struct str text = os_query_find(&s->e->request.query, "limit");
	int64_t limit = 0, max = s->list->page_max ? s->list->page_max : INT64_MAX;
	*ret_limit = SIZE_MAX;
	if (!has_pages(s->list))
		return OK;
	TRY(read_count(s, "limit", &limit));
	bool is_none = !text.p || (limit == 0 && s->e->service == OS_NETWORK); /* whose 0 is no limit */
	*ret_limit = (size_t) (is_none || limit > max ? max : limit);
	return OK;
}

/* What a marker names a row by. */
static struct str marker_of(struct os_call *e, const struct os_listing *list, const struct row *row)
{
	const struct field *field = list->marker ? os_field_of(list->kind, list->marker) : NULL;
	return field ? *(const struct str *) os_field_at(field, row) : uuid_to_str(e->c->arena, row->id);
}

static bool is_marked(const struct selection *s, const struct row *row, struct str marker)
{
	return s->list->marker ? str_equal(marker_of(s->e, s->list, row), marker)
			       : os_is_uuid(row->id, marker);
}

/* Block Storage counts rows everywhere. */
static RESULT read_offset(struct selection *s, size_t *ret_offset)
{
	int64_t offset = 0;
	if (s->e->service == OS_VOLUME || s->list->flags & OS_BY_OFFSET)
		TRY(read_count(s, "offset", &offset));
	*ret_offset = offset > (int64_t) s->entries.count ? s->entries.count : (size_t) offset;
	return OK;
}

static RESULT fail_no_marker(const struct selection *s, struct str marker)
{
	if (s->e->service == OS_NETWORK || s->e->service == OS_VOLUME) /* they look it up as to show it */
		return engine_fail_not_found(s->e->c, s->list->kind,
					     &(struct ref){.kind = s->list->kind, .text = marker});
	return ctx_fail_field(s->e->c, ERR_INVALID, STR("marker"), "marker [%" STR_FMT "] not found",
			      STR_ARG(str_slice(marker, 0, 64)));
}

/* Keeps what comes behind the marker's row. */
static RESULT drop_before(struct selection *s, struct str marker)
{
	size_t at = 0, kept = 0;
	while (at < s->entries.count && !is_marked(s, s->entries.at[at].row, marker))
		at++;
	if (at == s->entries.count)
		return fail_no_marker(s, marker);
	struct entry marked = s->entries.at[at];
	for (size_t k = 0; k < s->entries.count; k++)
		if (compare_entries(&s->entries.at[k], &marked, s) > 0)
			s->entries.at[kept++] = s->entries.at[k];
	s->entries.count = kept;
	return OK;
}

/* Drops what comes before the page; or so many of the first are to be passed over. */
static RESULT find_start(struct selection *s, struct os_page *page, size_t *ret_offset)
{
	struct str marker = os_query_find(&s->e->request.query, "marker");
	bool has_marker = marker.p && !str_is_empty(marker) && has_pages(s->list);
	*ret_offset = 0;
	TRY(has_marker ? drop_before(s, marker) : read_offset(s, ret_offset));
	page->has_before = has_marker || *ret_offset;
	return OK;
}

/* A page that is just full has more, as the services have it. */
static RESULT fill_page(struct selection *s, struct os_page *page, size_t limit)
{
	size_t offset = 0;
	TRY(find_start(s, page, &offset));
	size_t left = s->entries.count - offset;
	page->has_more = limit && left >= limit;
	page->count = left < limit ? left : limit;
	page->rows = arena_new_array(s->e->c->arena, const struct row *, page->count);
	if (!page->rows)
		return ctx_no_memory(s->e->c);
	order_first(s, offset + page->count);
	for (size_t k = 0; k < page->count; k++)
		page->rows[k] = s->entries.at[offset + k].row;
	return OK;
}

static void reverse(struct selection *s)
{
	for (size_t k = 0; k < s->sort_count; k++)
		s->sorts[k].descends = !s->sorts[k].descends;
}

/* The page before, in the order that was asked for. */
static void turn_page(struct os_page *page)
{
	bool has_more = page->has_more;
	for (size_t k = 0; k < page->count / 2; k++) {
		const struct row *row = page->rows[k];
		page->rows[k] = page->rows[page->count - 1 - k];
		page->rows[page->count - 1 - k] = row;
	}
	page->has_more = page->has_before;
	page->has_before = has_more;
}

RESULT os_select(struct os_call *e, const struct os_listing *list, struct os_page *ret_page)
{
	struct selection s = {.e = e, .list = list, .filtering = {.e = e, .list = list}};
	size_t limit = 0;
	bool backwards = os_is_truth(true, os_query_find(&e->request.query, "page_reverse"));
	TRY(os_check_filters(&s.filtering));
	TRY(read_accounts(&s));
	TRY(read_order(&s));
	TRY(read_limit(&s, &limit));
	s.t = os_walk(e);
	TRY(consider_candidates(&s));
	if (backwards)
		reverse(&s);
	*ret_page = (struct os_page){.count = 0};
	TRY(fill_page(&s, ret_page, limit));
	if (backwards)
		turn_page(ret_page);
	if (ret_page->count) {
		ret_page->marker = marker_of(e, list, ret_page->rows[ret_page->count - 1]);
		ret_page->first_marker = marker_of(e, list, ret_page->rows[0]);
	}
	return OK;
}
