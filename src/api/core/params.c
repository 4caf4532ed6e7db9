/* SPDX-License-Identifier: Apache-2.0
 * Fills an action's parameters from a document by the action's table. The walk goes through the document
 * once, in its order, and finds the table row of each member. Rows without a member are then missing or get
 * their default.
 */
#include "api/core/params.h"

#include <stdlib.h>

#include "base/vec.h"

enum { UNKNOWN_SHOWN_SIZE = 128, SEEN_WORDS = (PARAM_TABLE_MAX + 63) / 64 };

/* Common start of every list type. */
struct any_list {
	void *at;
	size_t count;
};

static RESULT read_members(const struct params_reader *r, const struct params *table, enum param_place place,
			   const struct document *d, struct str outer, bool is_open, char *out);

/* ---- faults ---- */

/* Fails because the value does not have the row's type. Reports the last pair's name: that name
 * continues where the row ends, or the other way round. */
static RESULT fail_type(const struct params_reader *r, const struct param *p, struct str field,
			const struct document *d)
{
	struct str last = document_last_name(d);
	return params_fail(r, FAULT_TYPE, &(struct params_value){p, last.n ? last : field});
}

/* True if the row's name has alternatives between bars. Such rows store no value. */
static bool has_names(const struct param *p)
{
	return p->type == PARAM_NOT_BUILT || p->type == PARAM_PASSED_OVER;
}

static RESULT fail_unknown(const struct params_reader *r, const char *object, struct str name,
			   struct str field)
{
	const struct param p = {.wire = str_to_z(r->c->arena, str_slice(name, 0, UNKNOWN_SHOWN_SIZE))};
	bool is_own = r->dialect->rules & UNKNOWN_BY_OWN_NAME;
	return params_fail(r, FAULT_UNKNOWN,
			   &(struct params_value){&p, is_own ? str_from(p.wire) : field, .object = object});
}

static struct str join_name(struct ctx *c, struct str outer, struct str name)
{
	return str_is_empty(outer)
		       ? str_copy(c->arena, name)
		       : str_print(c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(outer), STR_ARG(name));
}

/* ---- one value ---- */

/* Reads one value. Numbers and booleans may come as texts; texts must be texts. */
static RESULT read_scalar(const struct params_reader *r, const struct param *p, struct str field,
			  const struct document *d, void *out)
{
	struct params_value v = {p, field, d->text};
	bool may_be_number = (p->type == PARAM_ID && p->flags & BY_NAME) || p->flags & OR_NUMBER;
	if (d->type == DOCUMENT_INTEGER && p->type == PARAM_INT)
		return params_check_int(r, &v, d->number, out);
	if (d->type == DOCUMENT_BOOL && (p->type == PARAM_BOOL || (p->type == PARAM_CHOICE && !param_yes(p))))
		v.text = d->number ? STR("true") : STR("false");
	else if (d->type == DOCUMENT_INTEGER && may_be_number) /* for example a flavor named 1 */
		v.text = str_print(r->c->arena, "%lld", (long long) d->number);
	else if (d->type != DOCUMENT_TEXT)
		return fail_type(r, p, field, d);
	return params_read_text(r, &v, out);
}

static RESULT read_json(const struct params_reader *r, const struct param *p, struct str field,
			const struct document *d, struct str *out)
{
	if (d->json)
		return document_write_json(r->c, d->json, out);
	*out = d->text;
	return d->type == DOCUMENT_TEXT ? OK : fail_type(r, p, field, d);
}

/* True if the text is one of the row's supported values. Ignores case where the dialect does. */
static bool is_only(const struct params_reader *r, const char *only, struct str text)
{
	struct str rest = str_from(only), word;
	if (params_has_word(only, text))
		return true;
	while (r->dialect->rules & (ONLY_IN_ANY_CASE | WORDS_IN_ANY_CASE) &&
	       str_split_next(&rest, '|', &word))
		if (str_equal_nocase(word, text))
			return true;
	return false;
}

static RESULT refuse_unbuilt(const struct params_reader *r, const struct param *p, struct str field,
			     const struct document *d)
{
	struct str text = d->text;
	bool is_empty = (d->type == DOCUMENT_BOOL && !d->number) ||
			((d->type == DOCUMENT_OBJECT || d->type == DOCUMENT_LIST) && !d->count);
	if (d->type == DOCUMENT_NULL ||
	    (is_empty && r->dialect->rules & EMPTY_ASKS_NOTHING && !param_only(p)))
		return OK;
	if (d->type != DOCUMENT_TEXT)
		TRY(read_json(r, p, field, d, &text));
	if (param_only(p) && is_only(r, param_only(p), text))
		return OK;
	return params_fail(r, param_only(p) ? FAULT_UNBUILT_ELSE : FAULT_UNBUILT,
			   &(struct params_value){p, field, param_only(p) ? text : STR_NONE});
}

/* ---- objects of texts ---- */

struct tag_list {
	VEC(struct tag) tags;
};

static int compare_tags(const void *a, const void *b)
{
	return str_compare(((const struct tag *) a)->key, ((const struct tag *) b)->key);
}

static RESULT add_tags(const struct params_reader *r, const struct param *p, struct str field,
		       const struct document *d, struct tag_list *list)
{
	static const struct param key = {.type = PARAM_TEXT, .min = 1, .max = 255};
	static const struct param value = {.type = PARAM_TEXT, .max = 255};
	struct document_walk walk = document_begin(d);
	struct document_member m;
	while (document_next_member(&walk, &m)) {
		struct tag tag;
		if (m.value.type != DOCUMENT_TEXT)
			return fail_type(r, p, field, &m.value);
		TRY(params_read_string(r, &(struct params_value){&key, field, m.name}, &tag.key));
		const struct params_value v = {&value, join_name(r->c, field, m.name), m.value.text};
		TRY(params_read_string(r, &v, &tag.value));
		if (!VEC_PUSH(r->c->arena, &list->tags, tag))
			return ctx_no_memory(r->c);
	}
	return OK;
}

/* Reads tags and sorts them by key, as rows store them. */
static RESULT read_tags(const struct params_reader *r, const struct param *p, struct str field,
			const struct document *d, struct tags *out)
{
	struct tag_list list = {0};
	struct document_walk walk = document_begin(d);
	struct document_member element;
	size_t max = p->max ? (size_t) p->max : PARAM_LIST_MAX;
	if (d->type != DOCUMENT_OBJECT && d->type != DOCUMENT_BRANCH)
		return fail_type(r, p, field, d);
	if (d->count < (size_t) p->min || d->count > max)
		return params_fail_number(r, FAULT_MEMBERS, &(struct params_value){p, field},
					  (int64_t) d->count, p->min, (int64_t) max);
	if (d->type == DOCUMENT_OBJECT)
		TRY(add_tags(r, p, field, d, &list));
	while (d->type == DOCUMENT_BRANCH) {
		enum document_step step = document_next_element(&walk, 0, &element);
		if (step == DOCUMENT_END)
			break;
		if (step != DOCUMENT_ELEMENT || !document_is_object(&element.value))
			return fail_type(r, p, field, d);
		TRY(add_tags(r, p, element.field, &element.value, &list));
	}
	if (list.tags.count)
		qsort(list.tags.at, list.tags.count, sizeof list.tags.at[0], compare_tags);
	*out = (struct tags){list.tags.at, list.tags.count};
	return OK;
}

/* ---- lists ---- */

static size_t element_size(const struct param *p)
{
	return p->type == PARAM_STRUCTS ? param_sub(p)->size
	       : p->type == PARAM_IDS   ? sizeof(struct ref)
	       : p->type == PARAM_IPS   ? sizeof(struct ip)
					: sizeof(struct str);
}

/* Appends a zeroed element; NULL: no memory. The capacity follows from the count: the next power of two,
 * at least 8. */
static void *add_element(struct ctx *c, const struct param *p, struct any_list *list)
{
	size_t size = element_size(p), capacity = list->count ? 8 : 0;
	while (capacity && capacity < list->count)
		capacity *= 2;
	if (!vec_reserve_one(c->arena, &list->at, &capacity, list->count, size))
		return NULL;
	return memset((char *) list->at + list->count++ * size, 0, size);
}

static RESULT read_element(const struct params_reader *r, const struct param *p, struct str field,
			   struct str list_field, const struct document *d, void *out)
{
	if (p->type == PARAM_STRUCTS)
		return read_members(r, param_sub(p), IN_BODY, d, field, false, out);
	if (d->type != DOCUMENT_TEXT)
		return fail_type(r, p, list_field, d);
	return params_read_text(r, &(struct params_value){p, field, d->text}, out);
}

/* Reads a list and appends to `list`: in pairs that do not nest, a name is repeated for each element. */
static RESULT read_list(const struct params_reader *r, const struct param *p, struct str field,
			const struct document *d, struct any_list *list)
{
	size_t max = p->max && p->type == PARAM_STRUCTS ? (size_t) p->max : PARAM_LIST_MAX;
	if (!document_is_list(d))
		return fail_type(r, p, field, d);
	if (d->type == DOCUMENT_LIST && d->count > max)
		return params_fail_number(r, FAULT_COUNT, &(struct params_value){p, field},
					  (int64_t) d->count, 0, (int64_t) max);
	if (d->type == DOCUMENT_LIST)
		*list = (struct any_list){0}; /* a JSON list replaces the value that a patch starts from */
	struct document_walk walk = document_begin(d);
	struct document_member e;
	enum document_step step;
	while ((step = document_next_element(&walk, r->dialect->separator, &e)) != DOCUMENT_END) {
		if (step == DOCUMENT_UNNUMBERED)
			return fail_unknown(r, NULL, e.field, e.field);
		if (step == DOCUMENT_OUT_OF_RANGE)
			return params_fail_number(r, FAULT_INDEX, &(struct params_value){p, e.field}, 0, 1,
						  DOCUMENT_INDEX_MAX);
		if (list->count == max)
			return params_fail_number(r, FAULT_COUNT, &(struct params_value){p, e.field}, 0, 0,
						  (int64_t) max);
		struct str at = e.field;
		if (d->json)
			at = str_print(r->c->arena, "%" STR_FMT ".%zu", STR_ARG(field), list->count);
		void *out = add_element(r->c, p, list);
		if (!out)
			return ctx_no_memory(r->c);
		TRY(read_element(r, p, at, field, &e.value, out));
	}
	return OK;
}

static RESULT read_one_or_list(const struct params_reader *r, const struct param *p, struct str field,
			       const struct document *d, struct any_list *list)
{
	bool is_one = (p->flags & ONE_OR_LIST) && d->type == DOCUMENT_TEXT;
	void *only = is_one ? add_element(r->c, p, list) : NULL;
	if (!is_one)
		return read_list(r, p, field, d, list);
	return only ? read_element(r, p, field, field, d, only) : ctx_no_memory(r->c);
}

/* ---- members ---- */

static void note_presence(const struct param *p, struct str name, char *out)
{
	if (p->given)
		*(bool *) (void *) (out + p->given - 1) = true;
	if (p->field)
		*(struct str *) (void *) (out + p->field - 1) = name;
}

/* Returns the place of the value: the member, or new memory that the member points to. NULL: no memory. */
static void *place_value(struct ctx *c, const struct param *p, char *out)
{
	static const size_t sizes[PARAM_TYPE_COUNT] = {
		[PARAM_TEXT] = sizeof(struct str),   [PARAM_ID] = sizeof(struct ref),
		[PARAM_IP] = sizeof(struct ip),      [PARAM_INT] = sizeof(int64_t),
		[PARAM_TEXTS] = sizeof(struct strs),
	};
	void **at = (void **) (void *) (out + p->offset);
	if (!p->is_at)
		return at;
	if (!*at) /* else an element of the same list has come before */
		*at = arena_alloc(c->arena, sizes[p->type]);
	return *at;
}

/* A null that stands for an absent parameter: a required one is missing then, and a default holds. */
static bool is_absent_null(const struct params_reader *r, const struct param *p, const struct document *d)
{
	return d->type == DOCUMENT_NULL && p->type != PARAM_PASSED_OVER && p->type != PARAM_NOT_BUILT &&
	       (p->flags & NULL_ABSENT || r->dialect->rules & NULLS_ARE_ABSENT);
}

static RESULT read_member(const struct params_reader *r, const struct param *p, struct str field,
			  const struct document *d, char *out)
{
	if (p->type == PARAM_PASSED_OVER)
		return OK;
	if (p->type == PARAM_NOT_BUILT)
		return refuse_unbuilt(r, p, field, d);
	if (is_absent_null(r, p, d))
		return OK;
	note_presence(p, field, out);
	void *at = place_value(r->c, p, out);
	if (!at)
		return ctx_no_memory(r->c);
	if (d->type == DOCUMENT_NULL && p->type != PARAM_JSON) {
		if (!(p->flags & NULLABLE))
			return fail_type(r, p, field, d);
		return p->absent ? params_read_text(r, &(struct params_value){p, field, str_from(p->absent)},
						    at)
				 : OK;
	}
	switch ((int) p->type) {
	case PARAM_JSON:
		return read_json(r, p, field, d, at);
	case PARAM_TAGS:
		return read_tags(r, p, field, d, at);
	case PARAM_STRUCT:
		return read_members(r, param_sub(p), IN_BODY, d, field, false, at);
	case PARAM_STRUCTS:
	case PARAM_TEXTS:
	case PARAM_IDS:
	case PARAM_IPS:
		return read_one_or_list(r, p, field, d, at);
	default:
		return read_scalar(r, p, field, d, at);
	}
}

static bool has_version(const struct param *p, int version)
{
	return (!p->since || version >= p->since) && (!p->until || version <= p->until);
}

/* True if the value consists of all pairs whose names begin with the row's name. */
static bool is_branch(const struct param *p)
{
	return p->type >= PARAM_TEXTS && p->type <= PARAM_STRUCTS;
}

/* Compares a name with the row's name or, between bars, each alternative. */
static enum name_fit fit_row(unsigned form, struct str name, const struct param *p)
{
	enum name_fit fit = document_fit_name(form, name, p->wire);
	const char *bar = has_names(p) ? strchr(p->wire, '|') : NULL;
	for (; fit == NAME_DIFFERS && bar; bar = strchr(bar + 1, '|'))
		fit = document_fit_name(form, name, bar + 1);
	return fit;
}

/* Compares the first letters without case. A cheap test that rejects most rows. */
static bool may_fit(struct str name, const struct param *p)
{
	return has_names(p) || !name.n || ((name.p[0] ^ p->wire[0]) & ~0x20) == 0;
}

static const struct param *find_param(const struct params_reader *r, const struct params *table,
				      enum param_place place, unsigned form, struct str name)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		if (!may_fit(name, p))
			continue;
		enum name_fit fit = fit_row(form, name, p);
		bool may_begin = is_branch(p) || has_names(p);
		if (fit != NAME_DIFFERS && (fit == NAME_IS || may_begin) && p->place == place &&
		    has_version(p, r->version))
			return p;
	}
	return NULL;
}

/* True if an empty text counts as absent. Packer sends empty ids for the VPC and the instance profile. */
static bool is_as_good_as_absent(const struct params_reader *r, const struct param *p,
				 const struct document *d)
{
	if (d->type != DOCUMENT_TEXT || d->text.n || d->json)
		return false;
	if (r->dialect->rules & ABSENT_IF_EMPTY_ID && !is_branch(p))
		return (p->flags & REQUIRED && !(p->flags & MAY_BE_EMPTY)) ||
		       (p->type == PARAM_ID && p->min == 0);
	return r->dialect->rules & ABSENT_IF_EMPTY;
}

static bool is_common(const struct params_reader *r, const struct document *d, struct str name)
{
	for (const char *const *at = r->common; !d->from && at && *at; at++)
		if (str_is(name, *at))
			return true;
	return false;
}

/* True for "Tags=": if list elements are "Tags.member.N", an empty list is the bare name. */
static bool is_empty_list(const struct params_reader *r, const struct params *table,
			  const struct document_member *m)
{
	struct str suffix = str_from(r->dialect->list_suffix);
	for (size_t k = 0; suffix.n && str_is_empty(m->value.text) && k < table->count; k++) {
		struct str wire = str_from(table->at[k].wire);
		if (is_branch(&table->at[k]) && str_ends_with(wire, suffix) &&
		    str_equal(m->name, str_slice(wire, 0, wire.n - suffix.n)))
			return true;
	}
	return false;
}

static RESULT check_unknown(const struct params_reader *r, const struct params *table,
			    const struct document *d, const struct document_member *m, struct str field,
			    bool is_open)
{
	bool is_ignored =
		is_open || table->is_open || table->members || r->dialect->rules & UNKNOWN_IS_IGNORED;
	if (is_ignored || is_common(r, d, m->name) || is_empty_list(r, table, m))
		return OK;
	return fail_unknown(r, table->object, m->name, field);
}

/* Handles rows without a member: fails if the row is required, else stores its default. */
static RESULT finish_members(const struct params_reader *r, const struct params *table,
			     enum param_place place, const uint64_t *seen, struct str outer, char *out)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		if (seen[k / 64] >> k % 64 & 1 || !(p->flags & REQUIRED || p->absent) || p->place != place ||
		    !has_version(p, r->version))
			continue;
		if (p->flags & REQUIRED)
			return params_fail(
				r, FAULT_MISSING,
				&(struct params_value){p, join_name(r->c, outer, str_from(p->wire))});
		const struct params_value v = {p, str_from(p->wire), str_from(p->absent)};
		void *at = place_value(r->c, p, out);
		TRY(at ? params_read_text(r, &v, at) : ctx_no_memory(r->c));
	}
	return OK;
}

/* Writes the members that have no table row as one JSON object. */
static RESULT collect_unknown(const struct params_reader *r, const struct params *table,
			      const struct document *d, struct str *out)
{
	struct document_walk walk = document_begin(d);
	struct document_member m;
	json_t *rest = json_object();
	bool is_whole = rest;
	while (document_next_member(&walk, &m))
		if (!find_param(r, table, IN_BODY, d->form, m.name))
			is_whole = is_whole &&
				   json_object_setn(rest, m.name.p, m.name.n, (json_t *) m.value.json) == 0;
	struct result result = is_whole ? document_write_json(r->c, rest, out) : ctx_no_memory(r->c);
	json_decref(rest);
	return result;
}

static RESULT check_excluded(const struct params_reader *r, const struct param *p, const struct document *d)
{
	const struct param_exclusion *other = param_excludes(p);
	struct document_walk walk = document_begin(d);
	struct document_member m;
	while (other && document_next_member(&walk, &m))
		if (document_fit_name(d->form, m.name, other->wire) == NAME_IS)
			return ctx_fail_field(r->c, ERR_COMBINATION, str_from(other->wire), "%s",
					      other->says);
	return OK;
}

/* Reads all members of an object. In pairs, a row that is a branch takes all pairs below its name. */
static RESULT read_members(const struct params_reader *r, const struct params *table, enum param_place place,
			   const struct document *d, struct str outer, bool is_open, char *out)
{
	uint64_t seen[SEEN_WORDS] = {0};
	bool has_unknown = false;
	static const struct param object = {.type = PARAM_STRUCT};
	struct document_walk walk = document_begin(d);
	struct document_member m;
	if (d->type != DOCUMENT_ABSENT && !document_is_object(d))
		return fail_type(r, &object, outer.n ? outer : STR("body"), d);
	struct str prefix = d->json ? outer : document_name(d);
	while (document_next_member(&walk, &m)) {
		const struct param *p = find_param(r, table, place, d->form, m.name);
		if (!p) {
			has_unknown = true;
			TRY(check_unknown(r, table, d, &m,
					  d->json ? join_name(r->c, prefix, m.name) : m.field, is_open));
			continue;
		}
		if (is_branch(p))
			document_take_branch(&walk, strlen(p->wire), &m);
		if (is_as_good_as_absent(r, p, &m.value) || is_absent_null(r, p, &m.value))
			continue;
		size_t row = (size_t) (p - table->at);
		seen[row / 64] |= UINT64_C(1) << row % 64;
		struct str field = d->json ? join_name(r->c, prefix, m.name) : m.field;
		TRY(check_excluded(r, p, d));
		TRY(read_member(r, p, field, &m.value, out));
	}
	if (has_unknown && table->members && d->json)
		TRY(collect_unknown(r, table, d, (struct str *) (void *) (out + table->members - 1)));
	return finish_members(r, table, place, seen, prefix, out);
}

RESULT params_fill(struct ctx *c, const struct params *table, const struct params_request *request, void *out)
{
	const struct params_reader of_pairs = {c, request->dialect, request->version, false, request->common};
	const struct params_reader of_body = {c, request->dialect, request->version,
					      request->body.json != NULL, request->common};
	if (request->path.type != DOCUMENT_ABSENT)
		TRY(read_members(&of_pairs, table, IN_PATH, &request->path, STR_NONE, true, out));
	if (request->query.type != DOCUMENT_ABSENT)
		TRY(read_members(&of_pairs, table, IN_QUERY, &request->query, STR_NONE,
				 request->is_query_open, out));
	return read_members(&of_body, table, IN_BODY, &request->body, STR_NONE, false, out);
}

RESULT params_fill_one(struct ctx *c, const struct params_dialect *dialect, const struct param *p,
		       const struct document *value, struct str field, void *out)
{
	const struct params_reader r = {c, dialect, 0, value->json != NULL, NULL};
	return read_member(&r, p, field, value, out);
}
