/* SPDX-License-Identifier: Apache-2.0
 * Converts a query's filters into plans of a store query: how values are spelled, and which indexes, access
 * paths and terms lead to the rows of a filter. */
#include "api/openstack/core/filter.h"
#include "api/openstack/core/services.h"
#include "base/uuid_asked.h"
#include "model/term.h"
#include "store/host.h"
#include "store/instance_type.h"

/* ---- how OpenStack spells values ---- */

static bool read_id(struct str value, enum kind kind, const char *prefix, struct ref *ret_ref)
{
	return prefix ? result_is_ok(id_parse_prefixed(value, prefix, ret_ref))
		      : os_parse_id(value, kind, ret_ref);
}

/* Translates a shown name into the id that the index contains: flavor ids and host names. */
static enum list_reading read_value(const struct tables *t, const struct field *field, struct str value,
				    void *ret_at)
{
	const struct row *row = NULL;
	if (field->type != FIELD_UUID || (field->ref != KIND_INSTANCE_TYPE && field->ref != KIND_HOST))
		return LIST_READ_OTHER;
	if (field->ref == KIND_HOST) {
		const struct host *host = host_find_by_name(t, value);
		row = host ? &host->row : NULL;
	} else {
		const struct instance_type *type = instance_type_find_by_flavor_id(t, value);
		row = type ? &type->row : NULL;
	}
	*(uuid *) ret_at = row ? row->id : UUID_NONE;
	return row ? LIST_READ : LIST_READ_ABSENT;
}

static const struct list_spelling spelling = {read_id, read_value};

/* ---- filters ---- */

/* Collects the values of a repeated name. Returns none if an earlier pair had the name, or if a value is
 * empty: an empty value may mean rows without a value, which no index finds. */
static RESULT read_values(const struct os_filtering *f, size_t first, struct strs *ret_values)
{
	const struct pairs *query = &f->e->request.query;
	struct str *values = arena_new_array(f->e->c->arena, struct str, query->count);
	size_t count = 0;
	*ret_values = (struct strs){0};
	if (!values)
		return ctx_no_memory(f->e->c);
	for (size_t k = 0; k < query->count; k++) {
		if (!str_equal(query->at[k].name, query->at[first].name))
			continue;
		if (k < first || str_is_empty(query->at[k].value))
			return OK;
		values[count++] = query->at[k].value;
	}
	*ret_values = (struct strs){values, count};
	return OK;
}

/* Plans a search by account. */
static RESULT plan_accounts(struct list *l, struct strs values)
{
	struct list_plan p;
	uuid account;
	TRY(list_begin_plan(l, l->query->kind, NULL, &p));
	for (size_t k = 0; k < values.count; k++)
		if (result_is_ok(uuid_parse_asked(values.at[k], &account)))
			TRY(list_add_account(&p, account));
	return list_end_plan(&p);
}

/* Adds the terms of a word. "key=value" may be split at any '=', because every split is written the same
 * way. */
static RESULT add_words(struct list_plan *p, const struct os_filter *filter, struct str words)
{
	uuid owner = p->list->owners[0];
	struct str word;
	while (str_split_next(&words, ',', &word)) {
		TRY(list_add_term(p, term_of_tag(owner, word, STR(""))));
		for (size_t at = str_find_char(word, '=', 0); at < word.n;
		     at = str_find_char(word, '=', at + 1))
			TRY(list_add_term(p, term_of_tag(owner, str_slice(word, 0, at),
							 str_slice(word, at + 1, word.n))));
		if (filter->tags == OS_ALL_TAGS)
			return OK; /* a row that has all words has the first one */
	}
	return OK;
}

static RESULT add_name(struct list_plan *p, struct str name)
{
	uuid owner = term_is_of_region(p->kind) ? UUID_NONE : p->list->owners[0];
	TRY(list_add_term(p, term_of_name(owner, name)));
	return list_add_term(p, term_of_tag(owner, STR("Name"), name));
}

/* True for "^name$" without other special characters. */
static bool is_plain_pattern(struct str pattern)
{
	bool is_plain = pattern.n > 2 && pattern.p[0] == '^' && pattern.p[pattern.n - 1] == '$';
	for (size_t k = 1; k + 1 < pattern.n && is_plain; k++)
		is_plain = !strchr("^$.*+?()[]{}\\", pattern.p[k]);
	return is_plain;
}

/* Rows without a name are shown with their EC2 id, or with that of their namer, so names that look like
 * such an id have no plan. */
static RESULT add_shown_name(struct list_plan *p, const struct os_filter *filter, struct str name,
			     bool *ret_is_plan)
{
	const struct access_path own = {.kind = p->kind};
	struct list_plan lent = *p;
	struct ref ref;
	if (filter->is_pattern) {
		*ret_is_plan = is_plain_pattern(name);
		name = *ret_is_plan ? str_slice(name, 1, name.n - 1) : name;
	}
	if (result_is_ok(id_parse_ec2(name, p->kind, &ref)) ||
	    (filter->namer && result_is_ok(id_parse_ec2(name, filter->namer->kind, &ref))))
		*ret_is_plan = false;
	if (!*ret_is_plan)
		return OK;
	TRY(add_name(p, name));
	if (!filter->namer)
		return OK;
	lent.kind = filter->namer->kind;
	lent.join = &filter->namer->join;
	TRY(add_name(&lent, name));
	return list_add_values(p, &own, (struct strs){&name, 1}, true, ret_is_plan);
}

static RESULT add_filter(struct list_plan *p, const struct os_filter *filter, struct strs values,
			 bool *ret_is_plan);

/* Plans "name=value" by the filter of that name. */
static RESULT add_part(struct list_plan *p, const struct os_filter *filter, struct str value,
		       bool *ret_is_plan)
{
	const struct os_filters *parts = filter->parts;
	struct str name = STR_NONE;
	(void) str_split_next(&value, '=', &name);
	for (size_t k = 0; k < parts->count; k++)
		if (str_is(name, parts->at[k].name))
			TRY(add_filter(p, &parts->at[k], (struct strs){&value, 1}, ret_is_plan));
	return OK;
}

/* True if the filter compares the field at that offset. */
static bool has_offset(const struct list_plan *p, const struct os_filter *filter, size_t offset)
{
	const struct field *field = query_find_field(p->kind, filter->field);
	return field && offset && field->offset == offset;
}

/* Plans by terms, most of which exist only for the caller's own rows. */
static RESULT add_by_terms(struct list_plan *p, const struct os_filter *filter, struct str value,
			   bool *ret_is_plan)
{
	if (filter->is_name || has_offset(p, filter, model_kinds[p->kind].name_offset))
		TRY(add_shown_name(p, filter, value, ret_is_plan));
	if (filter->is_device)
		TRY(list_add_term(p, term_of_device(p->list->owners[0], value)));
	return filter->tags ? add_words(p, filter, value) : OK;
}

/* True if the filter has a plan. Terms mostly cover the caller's own rows only, so they need a list
 * limited to one owner. */
static bool leads(const struct list_plan *p, const struct os_filter *filter, const struct access_path *own)
{
	const struct kind_info *k = &model_kinds[p->kind];
	bool is_named = filter->is_name || has_offset(p, filter, k->name_offset);
	if (own->index || filter->is_id || filter->parts)
		return true;
	if (is_named && term_is_of_region(p->kind))
		return true;
	if (is_named || filter->is_device || filter->tags || has_offset(p, filter, k->groups_offset))
		return p->list->owner_count == 1;
	return filter->access_paths[0].kind;
}

static RESULT add_paths(struct list_plan *p, const struct os_filter *filter, const struct access_path *own,
			struct strs values, bool *ret_is_plan)
{
	if (own->index || filter->is_id)
		TRY(list_add_values(p, own, values, true, ret_is_plan));
	for (size_t k = 0; *ret_is_plan && k < ACCESS_PATHS_MAX && filter->access_paths[k].kind; k++)
		TRY(list_add_values(p, &filter->access_paths[k], values, true, ret_is_plan));
	return OK;
}

static RESULT add_filter(struct list_plan *p, const struct os_filter *filter, struct strs values,
			 bool *ret_is_plan)
{
	const struct field *field = query_find_field(p->kind, filter->field);
	const struct access_path own = {.kind = p->kind,
					.index = field ? list_find_index(p->list, field) : 0};
	*ret_is_plan = leads(p, filter, &own);
	for (size_t k = 0; filter->made && k < values.count; k++)
		if (str_starts_with(values.at[k], str_from(filter->made)))
			*ret_is_plan = false;
	if (!*ret_is_plan)
		return OK;
	if (has_offset(p, filter, model_kinds[p->kind].groups_offset))
		return list_add_groups(p, values);
	TRY(add_paths(p, filter, &own, values, ret_is_plan));
	for (size_t k = 0; *ret_is_plan && !own.index && k < values.count; k++)
		TRY((filter->parts ? add_part : add_by_terms)(p, filter, values.at[k], ret_is_plan));
	return OK;
}

/* Splits "in:a,b" into its values. */
static RESULT split_lists(const struct os_filtering *f, struct strs *values)
{
	VEC(struct str) words = {0};
	for (size_t k = 0; k < values->count; k++) {
		struct str word = values->at[k], rest = STR_NONE;
		if (str_starts_with(word, STR("in:"))) {
			rest = str_slice(word, 3, word.n);
			if (!str_split_next(&rest, ',', &word))
				continue;
		}
		do {
			if (!VEC_PUSH(f->e->c->arena, &words, word))
				return ctx_no_memory(f->e->c);
		} while (str_split_next(&rest, ',', &word));
	}
	*values = (struct strs){words.at, words.count};
	return OK;
}

static RESULT plan_values(const struct os_filtering *f, struct list *l, const struct os_filter *filter,
			  struct strs values)
{
	enum kind kind = l->query->kind;
	const struct field *field = query_find_field(kind, filter->field);
	struct list_plan p;
	bool is_plan = false;
	if (field && l->account_index && field->offset == model_kinds[kind].account_offset)
		return plan_accounts(l, values);
	if (filter->has_lists)
		TRY(split_lists(f, &values));
	TRY(list_begin_plan(l, kind, NULL, &p));
	TRY(add_filter(&p, filter, values, &is_plan));
	return is_plan ? list_end_plan(&p) : OK;
}

RESULT os_plan_filters(const struct os_filtering *f, struct list *l)
{
	const struct pairs *query = &f->e->request.query;
	l->spelling = &spelling;
	for (size_t k = 0; k < query->count; k++) {
		const struct os_filter *filter = os_find_filter(f, query->at[k].name);
		struct strs values;
		if (!filter || filter->is_time || (filter->is_pattern && !filter->is_name) ||
		    (filter->is_admins && !os_is_admin(f->e)))
			continue;
		TRY(read_values(f, k, &values));
		if (values.count)
			TRY(plan_values(f, l, filter, values));
	}
	return OK;
}
