/* SPDX-License-Identifier: Apache-2.0
 * Reads a list's query:
 * ?q=web&state=running,stopped&zone=…&fields=name,state&order=-created&limit=1000&after=…
 */
#include "api/native/list.h"
#include "base/letters.h"

#include "base/vec.h"

static RESULT fail_value(struct listing *l, struct str name, struct str value)
{
	return ctx_fail_field(l->e->c, ERR_INVALID, name, "%" STR_FMT " cannot be %" STR_FMT ".",
			      STR_ARG(name), STR_ARG(str_slice(value, 0, 128)));
}

/* ---- fields ---- */

/* Finds a field by name; NULL if the caller may not see it. */
static const struct field *find_field(const struct listing *l, struct str name)
{
	static const struct field created = {
		.name = "created_us", .type = FIELD_INT, .offset = offsetof(struct row, created_us)};
	const struct kind_info *k = &model_kinds[l->kind];
	unsigned class = ROW_FOR_OWNER | (native_is_admin(l->e) ? ROW_FOR_ADMIN : 0U);
	if (str_is(name, "created") || str_is(name, "created_us"))
		return &created;
	for (unsigned n = 0; n < k->field_count; n++)
		if (str_is(name, k->fields[n].name) && row_shows_field(l->kind, n, class))
			return &k->fields[n];
	return NULL;
}

static bool is_of_owners(const struct listing *l, const struct field *f)
{
	const struct kind_info *k = &model_kinds[l->kind];
	for (unsigned n = 0; n < k->field_count; n++)
		if (&k->fields[n] == f)
			return !row_shows_field(l->kind, n, 0);
	return false;
}

/* ---- filters ---- */

static RESULT read_ref_value(struct listing *l, const struct field *f, struct str value, uuid *ret_id)
{
	struct ref ref = native_read_ref(value, f->ref, str_from(f->name));
	const struct row *row = NULL;
	if (ref.bits == 8 * sizeof *ret_id || f->ref == KIND_NONE) {
		*ret_id = ref.prefix;
		return ref.bits ? OK : fail_value(l, str_from(f->name), value);
	}
	struct result found = engine_find(l->e->c, l->t, f->ref, &ref, &row);
	if (found.code == ERR_NOT_FOUND)
		ctx_clear_problem(l->e->c);
	else
		TRY(found);
	*ret_id = row ? row->id : uuid_v5(UUID_NONE, value); /* an id that no row has */
	return OK;
}

/* Makes a row with the value in the field, for comparisons. */
static RESULT make_probe(struct listing *l, const struct field *f, struct str value,
			 const struct row **ret_probe)
{
	struct arena *a = l->e->c->arena;
	struct row *probe = arena_alloc(a, model_kinds[l->kind].row_size);
	if (!probe)
		return ctx_no_memory(l->e->c);
	*ret_probe = probe;
	if (f->type == FIELD_UUID)
		return read_ref_value(l, f, value, (uuid *) (void *) ((char *) probe + f->offset));
	struct result read = row_field_from_text(a, f, value, probe);
	if (read.code == ERR_INVALID)
		return fail_value(l, str_from(f->name), value);
	return read;
}

static bool is_compared_as_text(const struct field *f)
{
	return f->type == FIELD_TEXT || f->type == FIELD_UUIDS || f->type == FIELD_TEXTS ||
	       f->type == FIELD_IPS || f->type == FIELD_CIDRS;
}

static RESULT check_state(struct listing *l, struct str value)
{
	const struct kind_info *k = &model_kinds[l->kind];
	for (unsigned n = 0; n < k->state_count; n++)
		if (str_is(value, k->states[n].name))
			return OK;
	return k->state_count ? fail_value(l, STR("state"), value) : OK;
}

/* Splits at commas. A backslash before a comma makes it a part of the value. */
static RESULT split_values(struct listing *l, struct str name, struct str said, struct strs *ret_values)
{
	VEC(struct str) values = {0};
	struct str value, more;
	size_t joined = 0;
	while (str_split_next(&said, ',', &value)) {
		for (; str_ends_with(value, STR("\\")) && joined < LIST_VALUES_MAX &&
		       str_split_next(&said, ',', &more);
		     joined++)
			value = str_print(l->e->c->arena, "%" STR_FMT ",%" STR_FMT,
					  STR_ARG(str_slice(value, 0, value.n - 1)), STR_ARG(more));
		if (values.count == LIST_VALUES_MAX)
			return ctx_fail_field(l->e->c, ERR_TOO_LARGE, name,
					      "%" STR_FMT " has more than %d values.", STR_ARG(name),
					      LIST_VALUES_MAX);
		if (!VEC_PUSH(l->e->c->arena, &values, value))
			return ctx_no_memory(l->e->c);
	}
	/* "name=" asks for rows whose name is empty. */
	if (!values.count && !VEC_PUSH(l->e->c->arena, &values, STR_NONE))
		return ctx_no_memory(l->e->c);
	*ret_values = (struct strs){values.at, values.count};
	return OK;
}

static RESULT fill_filter(struct listing *l, struct row_filter *filter)
{
	size_t count = filter->values.count;
	if (!filter->field) {
		for (size_t k = 0; !filter->tag.p && k < count; k++)
			TRY(check_state(l, filter->values.at[k]));
		return OK;
	}
	if (filter->field->type == FIELD_TAGS || filter->field->type == FIELD_BLOB)
		return fail_value(l, str_from(filter->field->name), STR("a filter"));
	if (is_compared_as_text(filter->field))
		return OK;
	filter->probes = arena_new_array(l->e->c->arena, const struct row *, count);
	if (!filter->probes)
		return ctx_no_memory(l->e->c);
	for (size_t k = 0; k < count; k++)
		TRY(make_probe(l, filter->field, filter->values.at[k], &filter->probes[k]));
	return OK;
}

static RESULT read_filter(struct listing *l, const struct pair *pair)
{
	struct row_filter filter = {0};
	bool is_tag = str_starts_with(pair->name, STR("tag.")) && model_kinds[l->kind].tags_offset;
	if (is_tag)
		filter.tag = str_slice(pair->name, strlen("tag."), pair->name.n);
	else /* a column "state" goes before the state that every kind has */
		filter.field = find_field(l, pair->name);
	l->is_of_owners |= is_of_owners(l, filter.field);
	if (!is_tag && !filter.field && !str_is(pair->name, "state"))
		return ctx_fail_field(l->e->c, ERR_UNKNOWN, pair->name,
				      "%s have no %" STR_FMT " to filter by.", model_shown[l->kind].name,
				      STR_ARG(str_slice(pair->name, 0, 64)));
	if (l->filter_count == LIST_FILTERS_MAX)
		return ctx_fail_field(l->e->c, ERR_TOO_LARGE, pair->name, "At most %d filters.",
				      LIST_FILTERS_MAX);
	TRY(split_values(l, pair->name, pair->value, &filter.values));
	TRY(fill_filter(l, &filter));
	l->filters[l->filter_count++] = filter;
	return OK;
}

/* ---- the rest ---- */

static RESULT read_order(struct listing *l, struct str said)
{
	struct str name = said;
	l->order.descends = str_starts_with(said, STR("-"));
	if (l->order.descends)
		name = str_slice(said, 1, said.n);
	l->order.field = find_field(l, name);
	l->is_of_owners |= is_of_owners(l, l->order.field);
	bool is_state = !l->order.field && str_is(name, "state");
	l->order.is_created = l->order.field && l->order.field->offset == offsetof(struct row, created_us);
	bool is_list = l->order.field &&
		       (l->order.field->type == FIELD_TAGS ||
			(l->order.field->type != FIELD_TEXT && is_compared_as_text(l->order.field)));
	return (is_state || l->order.field) && !is_list ? OK : fail_value(l, STR("order"), said);
}

static RESULT read_words(struct listing *l, struct str said)
{
	struct str word;
	struct str lower = str_lower_all(l->e->c->arena, said);
	if (said.n && !lower.p)
		return ctx_no_memory(l->e->c);
	while (str_split_next(&lower, ' ', &word)) {
		if (!word.n)
			continue;
		if (l->word_count == LIST_WORDS_MAX)
			return ctx_fail_field(l->e->c, ERR_TOO_LARGE, STR("q"), "At most %d words.",
					      LIST_WORDS_MAX);
		l->q[l->word_count++] = word;
	}
	return OK;
}

static RESULT read_limit(struct listing *l, struct str said)
{
	int64_t limit = 0;
	if (!result_is_ok(str_parse_int(said, &limit)) || limit < 1 || limit > LIST_LIMIT_MAX)
		return ctx_fail_field(l->e->c, ERR_INVALID, STR("limit"), "limit must be 1 to %d.",
				      LIST_LIMIT_MAX);
	l->limit = (size_t) limit;
	return OK;
}

static RESULT read_all(struct listing *l)
{
	bool is_all = false;
	TRY(native_read_flag(l->e, "all", &is_all));
	if (is_all && !native_is_admin(l->e))
		return ctx_fail_field(l->e->c, ERR_DENIED, STR("all"),
				      "Only administrators see all accounts' rows.");
	l->is_all = is_all;
	return OK;
}

/* Reads the account. Other accounts are for administrators. */
static RESULT read_account(struct listing *l, struct str said)
{
	const struct row *row = NULL;
	struct ref ref = native_read_ref(said, KIND_ACCOUNT, STR("account"));
	TRY(engine_find(l->e->c, l->t, KIND_ACCOUNT, &ref, &row));
	if (!native_is_admin(l->e) && !uuid_equal(row->id, l->e->c->who->account))
		return ctx_fail_field(l->e->c, ERR_DENIED, STR("account"),
				      "Only administrators see another account's rows.");
	l->account = row->id;
	return OK;
}

static RESULT read_pair(struct listing *l, const struct pair *pair, struct str *ret_after)
{
	if (str_is(pair->name, "q"))
		return read_words(l, pair->value);
	if (str_is(pair->name, "fields"))
		return row_choose(l->e->c, l->kind, pair->value, &l->choice);
	if (str_is(pair->name, "order"))
		return read_order(l, pair->value);
	if (str_is(pair->name, "limit"))
		return read_limit(l, pair->value);
	if (str_is(pair->name, "all"))
		return read_all(l);
	if (str_is(pair->name, "account") && model_kinds[l->kind].account_offset)
		return read_account(l, pair->value);
	if (str_is(pair->name, "after"))
		*ret_after = pair->value;
	else if (str_is(pair->name, "total"))
		return native_read_flag(l->e, "total", &l->counts_all);
	else
		return read_filter(l, pair);
	return OK;
}

static RESULT begin(struct native_call *e, enum kind kind, struct listing *l)
{
	l->e = e;
	l->t = native_tables(e);
	l->kind = kind;
	l->limit = LIST_LIMIT;
	l->account = e->c->who->account;
	l->is_all = uuid_is_none(l->account) && native_is_admin(e);
	row_choose_columns(kind, &l->choice);
	return read_order(l, STR("created"));
}

static void end(struct listing *l)
{
	l->plain = *l->e->c->who;
	l->plain.rights &= RIGHTS_OF_MEMBER | RIGHT(MANAGER);
	l->plain.is_operator = false;
	l->plain.account = l->account;
	l->own = *l->e->c;
	l->own.who = &l->plain;
}

RESULT listing_read(struct native_call *e, struct listing *l)
{
	struct str after = STR_NONE;
	TRY(begin(e, native_action_of(e)->kind, l));
	for (size_t k = 0; k < e->query.count; k++)
		TRY(read_pair(l, &e->query.at[k], &after));
	end(l);
	return after.p ? listing_read_cursor(l, after) : OK;
}

RESULT listing_read_search(struct native_call *e, enum kind kind, struct listing *l)
{
	TRY(begin(e, kind, l));
	TRY(read_words(l, pairs_find(&e->query, "q")));
	if (pairs_find(&e->query, "all").p)
		TRY(read_all(l));
	end(l);
	return OK;
}

/* ---- cursors ---- */

/* The id comes first and has a fixed size, so the key behind it may be any text. Base64url keeps it whole in a query. */
struct str listing_write_cursor(const struct listing *l, const struct row *last)
{
	struct arena *a = l->e->c->arena;
	char id[UUID_TEXT_SIZE];
	struct str key = listing_key(l, last);
	struct str plain = str_print(a, "%s%" STR_FMT, uuid_write(last->id, id), STR_ARG(key));
	return str_encode_base64url(a, plain);
}

RESULT listing_read_cursor(struct listing *l, struct str text)
{
	struct ctx *c = l->e->c;
	struct str plain = STR_NONE;
	bool is_read = result_is_ok(str_decode_base64url(c->arena, text, &plain)) &&
		       plain.n >= UUID_TEXT_SIZE - 1 &&
		       result_is_ok(uuid_parse(str_slice(plain, 0, UUID_TEXT_SIZE - 1), &l->after.id));
	struct row *probe = arena_alloc(c->arena, model_kinds[l->kind].row_size);
	if (!probe)
		return ctx_no_memory(c);
	l->after.text = str_slice(plain, UUID_TEXT_SIZE - 1, plain.n);
	is_read = is_read && str_is_utf8(l->after.text);
	if (is_read && l->order.field)
		is_read = result_is_ok(row_field_from_text(c->arena, l->order.field, l->after.text, probe));
	if (!is_read) {
		ctx_clear_problem(c);
		return ctx_fail_field(c, ERR_INVALID, STR("after"), "after is no cursor of this list.");
	}
	probe->id = l->after.id;
	l->after.probe = probe;
	l->after.is_given = true;
	return OK;
}
