/* SPDX-License-Identifier: Apache-2.0
 * Selecting, ordering and paging rows. An account's rows are found by its index; a page begins behind its
 * marker in the order asked for. */
#include "api/openstack/list.h"

#include <stdlib.h>

#include "api/openstack/services.h"

enum { SORT_KEYS_MAX = 8, PATTERN_STEPS_MAX = 10000, PATTERN_TEXT_MAX = 1024 };

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
};

struct selection {
	struct os_call *e;
	const struct os_listing *list;
	const struct tables *t;
	bool all_accounts;
	struct sort sorts[SORT_KEYS_MAX];
	size_t sort_count;
	bool has_members; /* the query has names that may be members' */
	VEC(const struct row *) rows;
};

/* ---- values ---- */

static int compare_int(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

const struct field *os_field_of(enum kind kind, const char *name)
{
	for (unsigned k = 0; name && k < model_kinds[kind].field_count; k++)
		if (strcmp(model_kinds[kind].fields[k].name, name) == 0)
			return &model_kinds[kind].fields[k];
	return NULL;
}

static const void *field_at(const struct field *field, const struct row *row)
{
	return (const char *) row + field->offset;
}

static bool is_uuid(uuid id, struct str value)
{
	uuid wanted;
	return result_is_ok(uuid_parse(value, &wanted)) && uuid_equal(id, wanted);
}

static bool is_truth(bool truth, struct str value)
{
	bool is_yes = str_equal_nocase(value, STR("true")) || str_is(value, "1");
	bool is_no = str_equal_nocase(value, STR("false")) || str_is(value, "0");
	return (is_yes || is_no) && truth == is_yes;
}

bool os_field_is(const struct field *field, const struct row *row, struct str value)
{
	const void *at = field_at(field, row);
	int64_t number = 0;
	struct ip ip;
	struct cidr cidr;
	struct mac mac;
	switch ((int) field->type) {
	case FIELD_TEXT:
		return str_equal(*(const struct str *) at, value);
	case FIELD_UUID:
		return str_is_empty(value) ? uuid_is_none(*(const uuid *) at)
					   : is_uuid(*(const uuid *) at, value);
	case FIELD_INT:
		return result_is_ok(str_parse_int(value, &number)) && number == *(const int64_t *) at;
	case FIELD_BOOL:
		return is_truth(*(const bool *) at, value);
	case FIELD_ENUM:
		return str_is(value, field->words[*(const int *) at]);
	case FIELD_IP:
		return result_is_ok(ip_parse(value, &ip)) && ip_equal(ip, *(const struct ip *) at);
	case FIELD_CIDR:
		return result_is_ok(cidr_parse(value, &cidr)) && cidr_equal(cidr, *(const struct cidr *) at);
	case FIELD_MAC:
		return result_is_ok(mac_parse(value, &mac)) && memcmp(&mac, at, sizeof mac) == 0;
	default:
		return false;
	}
}

/* One element of a pattern: its size, and whether c fits it. */
static size_t element_size(struct str pattern)
{
	return pattern.p[0] == '\\' && pattern.n > 1 ? 2 : 1;
}

static bool element_fits(struct str pattern, char c)
{
	return pattern.p[0] == '.' || pattern.p[element_size(pattern) - 1] == c;
}

static struct str skip(struct str s, size_t n)
{
	return str_slice(s, n, s.n);
}

/* From the text's beginning: each star tries the shortest run first. The steps are bounded, since nested
 * tries are not: a pattern that takes more fits nothing. */
static bool fits_here(struct str pattern, struct str text, unsigned *steps)
{
	if (*steps == 0)
		return false;
	--*steps;
	if (pattern.n == 0 || (pattern.n == 1 && pattern.p[0] == '$' && text.n == 0))
		return true;
	size_t n = element_size(pattern);
	bool fits_one = text.n && element_fits(pattern, text.p[0]);
	if (n == pattern.n || pattern.p[n] != '*')
		return fits_one && fits_here(skip(pattern, n), skip(text, 1), steps);
	return fits_here(skip(pattern, n + 1), text, steps) ||
	       (fits_one && fits_here(pattern, skip(text, 1), steps));
}

bool os_pattern_fits(struct str pattern, struct str text)
{
	unsigned steps = PATTERN_STEPS_MAX;
	text = str_slice(text, 0, PATTERN_TEXT_MAX);
	if (pattern.n > PATTERN_TEXT_MAX)
		return false;
	if (pattern.n && pattern.p[0] == '^')
		return fits_here(skip(pattern, 1), text, &steps);
	for (size_t at = 0; at <= text.n; at++)
		if (fits_here(pattern, skip(text, at), &steps))
			return true;
	return false;
}

/* Of every kind. */
static const struct field row_keys[] = {
	{.name = "created_at", .type = FIELD_INT, .offset = offsetof(struct row, created_us)},
	{.name = "updated_at", .type = FIELD_INT, .offset = offsetof(struct row, updated_us)},
	{.name = "id", .type = FIELD_UUID, .offset = offsetof(struct row, id)},
	{.name = "uuid", .type = FIELD_UUID, .offset = offsetof(struct row, id)},
};

static const struct field *row_key_of(struct str name)
{
	for (size_t k = 0; k < sizeof row_keys / sizeof row_keys[0]; k++)
		if (str_is(name, row_keys[k].name))
			return &row_keys[k];
	return NULL;
}

/* ---- filters ---- */

static const struct os_filter *find_filter(const struct selection *s, struct str name)
{
	const struct os_filters *filters = &s->list->filters;
	for (size_t k = 0; k < filters->count; k++)
		if (str_is(name, filters->at[k].name) && s->e->request.version >= filters->at[k].since)
			return &filters->at[k];
	return NULL;
}

/* "lte:2024-…": how the time is to be, and the time; without a word: the same. */
static RESULT read_bound(const struct selection *s, const char *name, struct str bound,
			 bool ret_orders[static 3], int64_t *ret_us)
{
	static const struct {
		const char *word;
		bool before, same, after;
	} words[] = {{"gt:", 0, 0, 1},  {"gte:", 0, 1, 1}, {"lt:", 1, 0, 0},
		     {"lte:", 1, 1, 0}, {"neq:", 1, 0, 1}, {"eq:", 0, 1, 0}};
	ret_orders[0] = ret_orders[2] = false;
	ret_orders[1] = true;
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		struct str word = str_from(words[k].word);
		if (!str_starts_with(bound, word))
			continue;
		ret_orders[0] = words[k].before;
		ret_orders[1] = words[k].same;
		ret_orders[2] = words[k].after;
		bound = str_slice(bound, word.n, bound.n);
		break;
	}
	return os_parse_time(s->e->c, bound, name, ret_us);
}

/* To the second, as clients say it. */
static bool fits_bounds(const struct selection *s, const struct os_filter *filter, const struct row *row,
			struct str value)
{
	const struct field *field = row_key_of(str_from(filter->name));
	int64_t time_us = *(const int64_t *) field_at(field, row), bound_us = 0;
	struct str bound;
	bool orders[3];
	time_us -= time_us % SECOND;
	while (str_split_next(&value, ',', &bound))
		if (!result_is_ok(read_bound(s, filter->name, bound, orders, &bound_us)) ||
		    !orders[1 + compare_int(time_us, bound_us)])
			return false;
	return true;
}

static bool is_word_of(const char *words, struct str name)
{
	struct str rest = str_from(words ? words : ""), word;
	while (str_split_next(&rest, '|', &word))
		if (str_equal(word, name))
			return true;
	return false;
}

/* What is in the query for the list itself. */
static bool is_of_lists(const struct selection *s, struct str name)
{
	static const char words[] =
		"limit|marker|sort|sort_key|sort_dir|page_reverse|fields|all_tenants|all_projects|offset";
	return is_word_of(words, name) || is_word_of(s->list->others, name);
}

/* To Nova's newer versions what it does not know is wrong. */
static RESULT check_name(struct selection *s, struct str name)
{
	bool is_strict = s->e->service == OS_COMPUTE && s->e->request.version >= 75;
	if (find_filter(s, name) || is_of_lists(s, name))
		return OK;
	s->has_members = s->e->service == OS_NETWORK || s->e->service == OS_IDENTITY;
	if (!is_strict)
		return OK;
	name = str_slice(name, 0, 128);
	return ctx_fail_field(s->e->c, ERR_UNKNOWN, name,
			      "Additional properties are not allowed ('%" STR_FMT "' was unexpected)",
			      STR_ARG(name));
}

/* Values that no row can be held to. */
static RESULT check_value(const struct selection *s, const struct os_filter *filter, struct str value)
{
	const struct field *field = os_field_of(s->list->kind, filter->field);
	bool is_bool = filter->is_truth || (field && field->type == FIELD_BOOL);
	struct str bound;
	bool orders[3];
	int64_t us = 0;
	while (filter->is_time && str_split_next(&value, ',', &bound))
		TRY(read_bound(s, filter->name, bound, orders, &us));
	if (!is_bool || is_truth(true, value) || is_truth(false, value) || s->e->service == OS_IDENTITY)
		return OK;
	return ctx_fail_field(s->e->c, ERR_INVALID, str_from(filter->name),
			      "Invalid input for %s. Reason: '%" STR_FMT "' cannot be converted to boolean.",
			      filter->name, STR_ARG(str_slice(value, 0, 64)));
}

static RESULT check_filters(struct selection *s)
{
	const struct os_pairs *query = &s->e->request.query;
	for (size_t k = 0; k < query->count; k++) {
		const struct os_filter *filter = find_filter(s, query->at[k].name);
		TRY(check_name(s, query->at[k].name));
		if (filter)
			TRY(check_value(s, filter, query->at[k].value));
	}
	return OK;
}

static bool fits_value(const struct selection *s, const struct os_filter *filter, const struct row *row,
		       struct str value)
{
	if (filter->fits)
		return filter->fits(s->e, row, value);
	if (filter->is_id)
		return is_uuid(row->id, value);
	if (filter->is_time)
		return fits_bounds(s, filter, row, value);
	const struct field *field = os_field_of(s->list->kind, filter->field);
	if (filter->is_pattern && field->type == FIELD_TEXT)
		return os_pattern_fits(value, *(const struct str *) field_at(field, row));
	return os_field_is(field, row, value);
}

/* Several values of one name: any; several names: all. */
static bool fits_filters(const struct selection *s, const struct row *row)
{
	const struct os_pairs *query = &s->e->request.query;
	for (size_t k = 0; k < query->count; k++) {
		const struct os_filter *filter = find_filter(s, query->at[k].name);
		bool fits = !filter;
		for (size_t n = 0; n < query->count && !fits; n++)
			fits = str_equal(query->at[n].name, query->at[k].name) &&
			       fits_value(s, filter, row, query->at[n].value);
		if (!fits)
			return false;
	}
	return true;
}

/* ---- members as filters ---- */

/* The members that the row is shown with; NULL: no memory. */
static json_t *members_of(struct os_call *e, const struct os_listing *list, const void *item)
{
	struct buf all;
	struct json_writer w;
	buf_init(&all, BUF_ANSWER_CAP);
	json_write_begin(&w, &all);
	json_write_open(&w, NULL);
	list->write(e, &w, item);
	json_write_close(&w);
	struct result result = json_write_end(&w);
	json_t *members = result_is_ok(result) ? json_loadb(all.p, all.size, 0, NULL) : NULL;
	buf_done(&all);
	return members;
}

static bool member_is(const json_t *member, struct str value)
{
	int64_t number = 0;
	switch ((int) json_typeof(member)) {
	case JSON_STRING:
		return str_is(value, json_string_value(member));
	case JSON_INTEGER:
		return result_is_ok(str_parse_int(value, &number)) && number == json_integer_value(member);
	case JSON_TRUE:
	case JSON_FALSE:
		return is_truth(json_is_true(member), value);
	case JSON_NULL:
		return str_is_empty(value);
	default:
		return true; /* not a plain one: passed over */
	}
}

/* Names that the row has no member for are passed over. */
static bool has_members(const struct selection *s, const json_t *members)
{
	const struct os_pairs *query = &s->e->request.query;
	for (size_t k = 0; k < query->count; k++) {
		struct str name = query->at[k].name;
		const json_t *member = json_object_getn(members, name.p, name.n);
		bool fits = !member || find_filter(s, name) || is_of_lists(s, name);
		for (size_t n = 0; n < query->count && !fits; n++)
			fits = str_equal(query->at[n].name, name) && member_is(member, query->at[n].value);
		if (!fits)
			return false;
	}
	return true;
}

static RESULT fits_members(const struct selection *s, const struct row *row, bool *ret_fits)
{
	*ret_fits = true;
	if (!s->has_members)
		return OK;
	const void *item = s->list->gather ? s->list->gather(s->e, row) : row;
	json_t *members = item ? members_of(s->e, s->list, item) : NULL;
	if (!members)
		return ctx_no_memory(s->e->c);
	*ret_fits = has_members(s, members);
	json_decref(members);
	return OK;
}

/* ---- candidates ---- */

static RESULT add_row(struct selection *s, const struct row *row)
{
	bool fits = fits_filters(s, row);
	if (fits)
		TRY(fits_members(s, row, &fits));
	return !fits || VEC_PUSH(s->e->c->arena, &s->rows, row) ? OK : ctx_no_memory(s->e->c);
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
	bool is_asked = asked.p && !is_truth(false, asked);
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
	sort.field = row_key_of(name);
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
	const void *x = field_at(field, a), *y = field_at(field, b);
	switch ((int) field->type) {
	case FIELD_TEXT:
		return str_compare(*(const struct str *) x, *(const struct str *) y);
	case FIELD_UUID:
		return uuid_compare(*(const uuid *) x, *(const uuid *) y);
	case FIELD_INT:
		return compare_int(*(const int64_t *) x, *(const int64_t *) y);
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
	return order ? order : compare_int(x->number, y->number);
}

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct selection *s = arg;
	const struct entry *x = a, *y = b;
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

/* What the sort keys make of the row; NULL: no memory. */
static const struct sort_value *make_values(struct selection *s, const struct row *row)
{
	struct sort_value *values = arena_new_array(s->e->c->arena, struct sort_value, s->sort_count);
	for (size_t k = 0; values && k < s->sort_count; k++) {
		const struct os_sort_key *key = s->sorts[k].key;
		if (key)
			values[k] = (struct sort_value){
				.text = key->text ? key->text(s->e, row) : STR_NONE,
				.number = key->number ? key->number(s->e, row) : 0,
			};
	}
	return values;
}

static RESULT order_rows(struct selection *s)
{
	struct entry *entries = arena_new_array(s->e->c->arena, struct entry, s->rows.count);
	bool makes_values = false;
	for (size_t k = 0; k < s->sort_count; k++)
		makes_values = makes_values || s->sorts[k].key;
	for (size_t k = 0; entries && k < s->rows.count; k++) {
		entries[k].row = s->rows.at[k];
		entries[k].values = makes_values ? make_values(s, s->rows.at[k]) : NULL;
		if (makes_values && !entries[k].values)
			return ctx_no_memory(s->e->c);
	}
	if (!entries)
		return ctx_no_memory(s->e->c);
	if (s->rows.count)
		qsort_r(entries, s->rows.count, sizeof entries[0], compare_entries, s);
	for (size_t k = 0; k < s->rows.count; k++)
		s->rows.at[k] = entries[k].row;
	return OK;
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
	return field ? *(const struct str *) field_at(field, row) : uuid_to_str(e->c->arena, row->id);
}

static bool is_marked(const struct selection *s, const struct row *row, struct str marker)
{
	return s->list->marker ? str_equal(marker_of(s->e, s->list, row), marker) : is_uuid(row->id, marker);
}

/* Block Storage counts rows everywhere. */
static RESULT read_offset(struct selection *s, size_t *ret_start)
{
	int64_t offset = 0;
	if (s->e->service == OS_VOLUME || s->list->flags & OS_BY_OFFSET)
		TRY(read_count(s, "offset", &offset));
	*ret_start = offset > (int64_t) s->rows.count ? s->rows.count : (size_t) offset;
	return OK;
}

/* Behind the marker's row; 0 without one. */
static RESULT find_start(struct selection *s, size_t *ret_start)
{
	struct str marker = os_query_find(&s->e->request.query, "marker");
	*ret_start = 0;
	if (!marker.p || str_is_empty(marker) || !has_pages(s->list))
		return read_offset(s, ret_start);
	for (size_t k = 0; k < s->rows.count; k++)
		if (is_marked(s, s->rows.at[k], marker)) {
			*ret_start = k + 1;
			return OK;
		}
	if (s->e->service == OS_NETWORK || s->e->service == OS_VOLUME) /* they look it up as to show it */
		return engine_fail_not_found(s->e->c, s->list->kind,
					     &(struct ref){.kind = s->list->kind, .text = marker});
	return ctx_fail_field(s->e->c, ERR_INVALID, STR("marker"), "marker [%" STR_FMT "] not found",
			      STR_ARG(str_slice(marker, 0, 64)));
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
	struct selection s = {.e = e, .list = list};
	size_t limit = 0, start = 0;
	bool backwards = is_truth(true, os_query_find(&e->request.query, "page_reverse"));
	TRY(check_filters(&s));
	TRY(read_accounts(&s));
	TRY(read_order(&s));
	TRY(read_limit(&s, &limit));
	s.t = os_walk(e);
	TRY(consider_candidates(&s));
	if (backwards)
		reverse(&s);
	TRY(order_rows(&s));
	TRY(find_start(&s, &start));
	*ret_page = (struct os_page){.rows = s.rows.at ? s.rows.at + start : NULL,
				     .count = s.rows.count - start,
				     .has_before = start > 0};
	if (ret_page->count >= limit) { /* also one that is just full, as the services do */
		ret_page->count = limit;
		ret_page->has_more = limit > 0;
	}
	if (backwards)
		turn_page(ret_page);
	if (ret_page->count) {
		ret_page->marker = marker_of(e, list, ret_page->rows[ret_page->count - 1]);
		ret_page->first_marker = marker_of(e, list, ret_page->rows[0]);
	}
	return OK;
}

/* ---- writing ---- */

RESULT os_gather(struct os_call *e, const struct os_listing *list, const struct os_page *page,
		 const void ***ret_items)
{
	const void **items = arena_new_array(e->c->arena, const void *, page->count);
	if (!items)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < page->count; k++) {
		items[k] = list->gather ? list->gather(e, page->rows[k]) : page->rows[k];
		if (!items[k])
			return ctx_no_memory(e->c);
	}
	os_stop_walking(e);
	*ret_items = items;
	return OK;
}

static void add_query(struct os_call *e, struct buf *b, struct str name, struct str value)
{
	if (b->size)
		buf_add_char(b, '&');
	buf_add_str(b, str_encode_url(e->c->arena, name, false));
	buf_add_char(b, '=');
	buf_add_str(b, str_encode_url(e->c->arena, value, false));
}

/* The same query behind another marker. */
static struct str query_from(struct os_call *e, struct str marker, bool backwards)
{
	const struct os_pairs *query = &e->request.query;
	struct buf b;
	buf_init(&b, 64 * 1024);
	for (size_t k = 0; k < query->count; k++)
		if (!str_is(query->at[k].name, "marker") && !str_is(query->at[k].name, "page_reverse"))
			add_query(e, &b, query->at[k].name, query->at[k].value);
	add_query(e, &b, STR("marker"), marker);
	if (backwards)
		add_query(e, &b, STR("page_reverse"), STR("True"));
	struct str text = str_copy(e->c->arena, buf_str(&b));
	buf_done(&b);
	return text;
}

struct str os_next_query(struct os_call *e, const struct os_page *page)
{
	return page->has_more && page->count ? query_from(e, page->marker, false) : STR_NONE;
}

/* ---- some members only ---- */

static bool is_asked(const struct os_pairs *query, const char *member)
{
	for (size_t k = 0; k < query->count; k++)
		if (str_is(query->at[k].name, "fields") && str_is(query->at[k].value, member))
			return true;
	return false;
}

/* Neutron's fields=: names that a row has not ask for nothing. */
static bool picks_members(const struct os_call *e)
{
	const struct os_pairs *query = &e->request.query;
	bool picks = false;
	for (size_t k = 0; k < query->count && !picks; k++)
		picks = str_is(query->at[k].name, "fields") && query->at[k].value.n;
	return picks && e->service == OS_NETWORK && e->action->method == HTTP_GET;
}

static void copy_picked(struct os_call *e, struct json_writer *w, json_t *members)
{
	const char *key;
	json_t *value;
	json_object_foreach (members, key, value) {
		char *text = is_asked(&e->request.query, key)
				     ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT)
				     : NULL;
		if (text) {
			json_write_key(w, str_from(key));
			json_write_raw(w, NULL, str_from(text));
		}
		free(text);
	}
}

/* The members of an item's object: those that were asked for. */
static RESULT write_item(struct os_call *e, const struct os_listing *list, const void *item,
			 struct json_writer *w)
{
	if (!picks_members(e)) {
		list->write(e, w, item);
		return OK;
	}
	json_t *members = members_of(e, list, item);
	if (!members)
		return ctx_no_memory(e->c);
	copy_picked(e, w, members);
	json_decref(members);
	return OK;
}

static void write_page_link(struct os_call *e, struct json_writer *w, const char *rel, struct str query)
{
	if (str_is_empty(query))
		return;
	json_write_open(w, NULL);
	json_write_text(w, "href",
			str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "?%" STR_FMT, STR_ARG(e->base_url),
				  STR_ARG(e->call->path), STR_ARG(query)));
	json_write_z(w, "rel", rel);
	json_write_close(w);
}

RESULT os_list(struct os_call *e, const struct os_listing *list, struct json_writer *w)
{
	struct os_page page;
	const void **items = NULL;
	TRY(os_select(e, list, &page));
	struct str next = os_next_query(e, &page);
	struct str before = e->service == OS_NETWORK && page.has_before && page.count
				    ? query_from(e, page.first_marker, true)
				    : STR_NONE;
	TRY(os_gather(e, list, &page, &items));
	json_write_open_list(w, list->items);
	for (size_t k = 0; k < page.count; k++) {
		json_write_open(w, NULL);
		TRY(write_item(e, list, items[k], w));
		json_write_close(w);
	}
	json_write_close_list(w);
	if (!list->links || (str_is_empty(next) && str_is_empty(before)))
		return OK;
	json_write_open_list(w, list->links);
	write_page_link(e, w, "next", next);
	write_page_link(e, w, "previous", before);
	json_write_close_list(w);
	return OK;
}

static RESULT write_row(struct os_call *e, const struct os_listing *list, const struct row *row,
			struct json_writer *w)
{
	const struct os_page page = {.rows = &row, .count = 1};
	const void **items = NULL;
	TRY(os_gather(e, list, &page, &items));
	return write_item(e, list, items[0], w);
}

RESULT os_write_shown(struct os_call *e, const struct os_listing *list, uuid id, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_shown(e, id, &row));
	return write_row(e, list, row, w);
}

/* What stands for a row of the kind and is none, by its id; NULL: nothing. */
static RESULT find_added(struct os_call *e, const struct os_listing *list, const struct ref *ref,
			 const struct row **ret_row)
{
	struct os_added added = {.only = ref->prefix};
	*ret_row = NULL;
	if (list->add)
		TRY(list->add(e, &added));
	for (size_t k = 0; k < added.rows.count; k++)
		if (uuid_equal(added.rows.at[k]->id, ref->prefix))
			*ret_row = added.rows.at[k];
	return OK;
}

RESULT os_write_found(struct os_call *e, const struct os_listing *list, const struct ref *ref,
		      struct json_writer *w)
{
	const struct row *row = NULL;
	struct result found = os_find(e, list->kind, ref, &row);
	if (!result_is_ok(found)) {
		TRY(find_added(e, list, ref, &row));
		if (!row)
			return found;
		ctx_clear_problem(e->c);
	}
	if (list->shows && !list->shows(e, row))
		return engine_fail_not_found(e->c, list->kind, ref);
	return write_row(e, list, row, w);
}
