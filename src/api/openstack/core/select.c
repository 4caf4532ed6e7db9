/* SPDX-License-Identifier: Apache-2.0
 * Selects, orders and pages rows: converts the query string into a query of the store. A page starts after
 * its marker, in the requested order. */
#include "api/openstack/core/filter.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/words.h"

enum { SORT_KEYS_MAX = 8 };

struct selection {
	struct os_call *e;
	const struct os_listing *list;
	struct os_filtering filtering;
	bool all_accounts; /* lists every account's rows */
	bool is_scoped;    /* lists only the caller's own rows */
	struct query query;
	struct query_sort sorts[SORT_KEYS_MAX];
	struct str marker;
};

/* ---- candidates ---- */

/* True if the list would have the row without any filter. */
static bool may_list(const struct selection *s, const struct row *row)
{
	const struct ctx *c = s->e->c;
	enum kind kind = s->list->kind;
	bool lingers = os_words.lingers[kind] && engine_is_lingering(os_tables(s->e), kind, row);
	bool is_there = row_is_live(row) || lingers || (s->list->shows && !os_words.lingers[kind]);
	bool may_see = s->all_accounts ? is_there && !engine_is_hidden(kind, row)
				       : engine_may_see(c, kind, row) ||
						 (lingers && engine_may_see_ended(c, kind, row));
	/* A single plan is the scan of all candidates, which a scoped list already limits to the caller's
	 * rows. */
	bool is_own = !s->is_scoped || s->query.plans.count == 1 ||
		      uuid_equal(engine_get_owner(s->list->kind, row), c->who->account);
	return may_see && is_own && (!s->list->shows || s->list->shows(s->e, row));
}

static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	const struct selection *s = arg;
	*ret_matches = false;
	return may_list(s, row) ? os_fits(&s->filtering, row, ret_matches) : OK;
}

/* Adds the listing's objects without rows. The add callback has already checked who may see them. */
static RESULT add_given(struct selection *s)
{
	struct os_added added = {0};
	const struct row **rows;
	struct rows *given = &s->query.given;
	if (!s->list->add)
		return OK;
	TRY(s->list->add(s->e, &added));
	rows = added.rows.at;
	*given = (struct rows){rows, 0};
	for (size_t k = 0; k < added.rows.count; k++) {
		bool fits = false;
		TRY(os_fits(&s->filtering, rows[k], &fits));
		rows[given->count] = rows[k];
		given->count += fits;
	}
	return OK;
}

static RESULT plan(struct selection *s)
{
	unsigned account_index = list_account_index(s->list->kind);
	s->is_scoped = account_index && !s->all_accounts && !(s->list->flags & OS_ALL_SEE_ALL);
	struct list l = {
		.query = &s->query,
		.owners = {s->e->c->who->account,
			   UUID_NONE}, /* rows of no account are visible to all, or not listed at all */
		.owner_count = s->list->public_index ? 2 : s->is_scoped,
		.account_index = account_index,
		.public_index = s->list->public_index,
		.other_term = s->list->other_term ? s->list->other_term(s->e) : 0,
	};
	TRY(add_given(s));
	TRY(os_plan_filters(&s->filtering, &l));
	return list_plan_all(&l);
}

/* ---- whose ---- */

/* Nova and Cinder accept the words that Python's strutils has for a boolean; Nova takes the bare name for
 * true, too. */
static RESULT read_all_accounts(const struct selection *s, struct str asked, bool *ret_is_asked)
{
	*ret_is_asked = asked.p && !asked.n;
	if (!asked.n || os_parse_bool(asked, ret_is_asked) || !(s->list->flags & OS_ALL_PROJECTS))
		return OK;
	return ctx_fail_field(s->e->c, ERR_INVALID, STR("all_tenants"),
			      "Invalid input received: Unrecognized value '%" STR_FMT "'",
			      STR_ARG(str_slice(asked, 0, 64)));
}

static RESULT read_accounts(struct selection *s)
{
	const struct pairs *query = &s->e->request.query;
	struct str asked = pairs_find(query, "all_tenants");
	if (!asked.p)
		asked = pairs_find(query, "all_projects");
	bool is_asked = false;
	TRY(read_all_accounts(s, asked, &is_asked));
	s->all_accounts = s->list->flags & OS_ADMIN_SEES_ALL && os_is_admin(s->e);
	if (!(s->list->flags & OS_ALL_PROJECTS) || !is_asked)
		return OK;
	if (!os_is_admin(s->e) && (s->e->service == OS_VOLUME || s->list->flags & OS_OWN_TO_OTHERS))
		return OK; /* clients send all_tenants whenever they search by name */
	if (!os_is_admin(s->e))
		return ctx_fail(s->e->c, ERR_DENIED, "Policy doesn't allow %s:all_tenants to be performed.",
				s->e->action->permit);
	s->all_accounts = true;
	return OK;
}

/* ---- order ---- */

/* Computes a sort key's value for a row. */
static struct query_value get_value(void *arg, const void *data, const struct row *row)
{
	const struct selection *s = arg;
	const struct os_sort_key *key = data;
	return (struct query_value){
		.text = key->text ? key->text(s->e, row) : STR_NONE,
		.number = key->number ? key->number(s->e, row) : 0,
	};
}

static struct query_value get_attribute(void *arg, const void *data, const struct row *row)
{
	return attribute_sort_value(&((const struct selection *) arg)->e->core, data, row);
}

/* Orders by the attribute: by the field it shows, else by the value that it makes. */
static void sort_by(const struct selection *s, const struct attribute *a, struct query_sort *sort)
{
	sort->field = attribute_sort_field(s->list->kind, a);
	sort->get_value = sort->field ? NULL : get_attribute;
	sort->key = a;
	sort->descends ^=
		sort->field && a->flags & ATTRIBUTE_NOT; /* the made value is the opposite already */
}

static RESULT add_sort(struct selection *s, struct str name, struct str direction)
{
	struct query_sort sort = {.descends = s->list->flags & OS_NEWEST_FIRST};
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
		sort.field = query_find_field(s->list->kind, key->field);
		sort.get_value = key->text || key->number ? get_value : NULL;
		sort.key = key;
	}
	const struct attribute *a =
		s->list->attributes ? attributes_find_sort(s->list->attributes, name) : NULL;
	if (a)
		sort_by(s, a, &sort);
	if (!sort.field && !sort.get_value)
		return ctx_fail_field(c, ERR_INVALID, STR("sort_key"), "Invalid sort key: %" STR_FMT,
				      STR_ARG(str_slice(name, 0, 64)));
	if (s->query.sort_count == SORT_KEYS_MAX)
		return ctx_fail_field(c, ERR_INVALID, STR("sort_key"), "There are at most %d sort keys.",
				      SORT_KEYS_MAX);
	s->sorts[s->query.sort_count++] = sort;
	return OK;
}

/* Reads sort=key:dir,key. */
static RESULT read_sort(struct selection *s, struct str text)
{
	struct str part, name;
	while (str_split_next(&text, ',', &part)) {
		if (str_split_next(&part, ':', &name))
			TRY(add_sort(s, name, part));
	}
	return OK;
}

static size_t count_named(const struct pairs *query, const char *name)
{
	size_t count = 0;
	for (size_t k = 0; k < query->count; k++)
		count += str_is(query->at[k].name, name);
	return count;
}

/* Neutron requires one sort_dir for each sort_key, or none. Other services know a default key, and refuse directions
 * of no key. Sources: Nova's get_sort_params(), Cinder's process_sort_params(). */
static RESULT check_directions(struct selection *s)
{
	size_t keys = count_named(&s->e->request.query, "sort_key");
	size_t directions = count_named(&s->e->request.query, "sort_dir");
	bool is_neutron = s->e->service == OS_NETWORK;
	if (directions == 0 || directions == keys || (!is_neutron && directions <= (keys ? keys : 1)))
		return OK;
	return ctx_fail_field(s->e->c, ERR_INVALID, STR("sort_dir"),
			      is_neutron ? "The number of sort_keys and sort_dirs must be same"
					 : "Sort direction size exceeds sort key size");
}

/* Takes the next sort_dir at or after *at. */
static struct str next_direction(const struct pairs *query, size_t *at)
{
	while (*at < query->count && !str_is(query->at[*at].name, "sort_dir"))
		(*at)++;
	return *at < query->count ? query->at[(*at)++].value : STR_NONE;
}

static RESULT read_order(struct selection *s)
{
	const struct pairs *query = &s->e->request.query;
	size_t direction = 0;
	TRY(check_directions(s));
	for (size_t k = 0; k < query->count; k++) {
		if (str_is(query->at[k].name, "sort"))
			TRY(read_sort(s, query->at[k].value));
		if (str_is(query->at[k].name, "sort_key"))
			TRY(add_sort(s, query->at[k].value, next_direction(query, &direction)));
	}
	/* A direction without a key is of the list's own order. */
	struct str key = s->list->sort ? str_from(s->list->sort) : STR("created_at");
	return s->query.sort_count ? OK : add_sort(s, key, next_direction(query, &direction));
}

/* ---- the page ---- */

/* False below the microversion that gave the list pages: names of paging are ignored there. */
static bool has_pages(const struct selection *s)
{
	return (s->list->links || s->list->page_max) && s->e->request.version >= s->list->pages_since;
}

static RESULT read_count(struct selection *s, const char *name, int64_t *ret_count)
{
	struct str text = pairs_find(&s->e->request.query, name);
	int64_t count = 0;
	if (text.p && (!result_is_ok(str_parse_int(text, &count)) || count < 0))
		return ctx_fail_field(s->e->c, ERR_INVALID, str_from(name),
				      "Invalid input for query parameters %s. Value: %" STR_FMT
				      ". It is not a non-negative integer.",
				      name, STR_ARG(str_slice(text, 0, 64)));
	*ret_count = count;
	return OK;
}

static RESULT read_limit(struct selection *s)
{
	struct str text = pairs_find(&s->e->request.query, "limit");
	int64_t limit = 0, max = s->list->page_max ? s->list->page_max : INT64_MAX;
	s->query.limit = SIZE_MAX;
	if (!has_pages(s))
		return OK;
	TRY(read_count(s, "limit", &limit));
	bool is_none = !text.p || (limit == 0 && s->e->service == OS_NETWORK); /* Neutron's limit=0 means
	                                                                        * unlimited */
	s->query.limit = (size_t) (is_none || limit > max ? max : limit);
	return OK;
}

/* Returns the text that names the row in a marker. */
static struct str marker_of(struct os_call *e, const struct os_listing *list, const struct row *row)
{
	const struct field *field = list->marker ? query_find_field(list->kind, list->marker) : NULL;
	return field ? *(const struct str *) query_field_at(field, row) : uuid_to_str(e->c->arena, row->id);
}

static bool is_marker(void *arg, const struct row *row)
{
	const struct selection *s = arg;
	return s->list->marker ? str_equal(marker_of(s->e, s->list, row), s->marker)
			       : os_is_uuid(row->id, s->marker);
}

/* Finds the marker's row by its id: the services look it up whatever the list is filtered by, so that the next
 * page follows although the row has changed since. NULL: the marker is none, or not an id. */
static const struct row *find_marker(const struct selection *s)
{
	struct ref ref;
	if (s->list->marker || !os_parse_id(s->marker, s->list->kind, &ref))
		return NULL;
	const struct row *row = tables_find(s->query.tables, s->list->kind, ref.prefix);
	return row && may_list(s, row) ? row : NULL;
}

/* Reads where the page starts: after a marker, or after `offset` rows. All Block Storage lists have
 * offsets. */
static RESULT read_start(struct selection *s)
{
	int64_t offset = 0;
	s->marker = pairs_find(&s->e->request.query, "marker");
	if (s->marker.n && has_pages(s)) {
		s->query.is_marker = is_marker;
		s->query.marker = find_marker(s);
	} else if (s->e->service == OS_VOLUME || s->list->flags & OS_BY_OFFSET)
		TRY(read_count(s, "offset", &offset));
	s->query.offset = (size_t) offset;
	return OK;
}

static RESULT fail_no_marker(const struct selection *s)
{
	if (s->e->service == OS_NETWORK || s->e->service == OS_VOLUME) /* both services look the marker up
	                                                                * as a resource, so they answer 404 */
		return engine_fail_not_found(s->e->c, s->list->kind,
					     &(struct ref){.kind = s->list->kind, .text = s->marker});
	return ctx_fail_field(s->e->c, ERR_INVALID, STR("marker"), "marker [%" STR_FMT "] not found",
			      STR_ARG(str_slice(s->marker, 0, 64)));
}

/* Restores the requested order of a page that was selected backwards. */
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

/* A full page has a link to the next page even if no rows follow, as in the services. */
static RESULT select_page(struct selection *s, struct os_page *page)
{
	struct query *q = &s->query;
	struct query_page found;
	TRY(query_run(q, &found));
	if (found.lacks_marker)
		return fail_no_marker(s);
	*page = (struct os_page){
		.rows = found.rows,
		.count = found.count,
		.limit = q->limit,
		.has_more = q->limit && found.found >= q->limit,
		.has_before = q->is_marker || q->offset,
	};
	return OK;
}

static void begin_selection(struct selection *s, struct os_call *e, const struct os_listing *list)
{
	*s = (struct selection){.e = e, .list = list, .filtering = {.e = e, .list = list}};
	s->query = (struct query){
		.c = e->c, .kind = list->kind, .matches = matches, .arg = s, .sorts = s->sorts};
}

RESULT os_select_all(struct os_call *e, const struct os_listing *list, struct os_page *ret_page)
{
	struct selection s;
	struct query_page all;
	begin_selection(&s, e, list);
	TRY(os_check_filters(&s.filtering));
	TRY(read_accounts(&s));
	s.query.limit = SIZE_MAX;
	s.query.tables = os_tables(e);
	TRY(plan(&s));
	TRY(query_run(&s.query, &all));
	*ret_page = (struct os_page){.rows = all.rows, .count = all.count};
	return OK;
}

RESULT os_select(struct os_call *e, const struct os_listing *list, struct os_page *ret_page)
{
	struct selection s;
	bool backwards = os_is_truth(e, true, pairs_find(&e->request.query, "page_reverse"));
	begin_selection(&s, e, list);
	TRY(os_check_filters(&s.filtering));
	TRY(read_accounts(&s));
	TRY(read_order(&s));
	TRY(read_limit(&s));
	s.query.tables = os_tables(e);
	TRY(plan(&s));
	TRY(read_start(&s));
	for (size_t k = 0; backwards && k < s.query.sort_count; k++)
		s.sorts[k].descends = !s.sorts[k].descends;
	TRY(select_page(&s, ret_page));
	ret_page->is_reverse = backwards;
	if (backwards)
		turn_page(ret_page);
	if (ret_page->count) {
		ret_page->marker = marker_of(e, list, ret_page->rows[ret_page->count - 1]);
		ret_page->first_marker = marker_of(e, list, ret_page->rows[0]);
	}
	return OK;
}
