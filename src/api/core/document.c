/* SPDX-License-Identifier: Apache-2.0
 * Presents name-value pairs and JSON as one kind of document. Pairs are sorted, so the pairs of one list
 * element are adjacent and elements come in the order of their numbers. Gaps and any order in the request
 * therefore cost nothing.
 */
#include "api/core/document.h"

struct document document_of_json(const json_t *value)
{
	static const enum document_type types[] = {
		[JSON_OBJECT] = DOCUMENT_OBJECT, [JSON_ARRAY] = DOCUMENT_LIST,
		[JSON_STRING] = DOCUMENT_TEXT,   [JSON_INTEGER] = DOCUMENT_INTEGER,
		[JSON_REAL] = DOCUMENT_REAL,     [JSON_TRUE] = DOCUMENT_BOOL,
		[JSON_FALSE] = DOCUMENT_BOOL,    [JSON_NULL] = DOCUMENT_NULL};
	struct document d = {.type = value ? types[json_typeof(value)] : DOCUMENT_ABSENT, .json = value};
	if (d.type == DOCUMENT_OBJECT || d.type == DOCUMENT_LIST)
		d.count = d.type == DOCUMENT_LIST ? json_array_size(value) : json_object_size(value);
	else if (d.type == DOCUMENT_TEXT)
		d.text = (struct str){json_string_value(value), json_string_length(value)};
	else
		d.number = d.type == DOCUMENT_INTEGER ? json_integer_value(value) : json_is_true(value);
	return d;
}

struct document document_of_pairs(const struct pairs *pairs, unsigned form)
{
	return (struct document){
		.type = DOCUMENT_OBJECT, .form = form, .pairs = pairs->at, .count = pairs->count};
}

/* Makes d the pairs whose names share the first `end` bytes: a text if there is one pair and its name
 * ends there, else a branch. Sets d in place, because this runs for every pair of every request. */
static void set_pairs(struct document *d, unsigned form, const struct pair *at, size_t count, size_t end)
{
	bool is_text = count == 1 && at->name.n == end;
	d->type = is_text ? DOCUMENT_TEXT : DOCUMENT_BRANCH;
	d->form = form;
	d->text = is_text ? at->value : STR_NONE;
	d->count = count;
	d->json = NULL;
	d->pairs = at;
	d->from = end + 1;
}

static bool is_whole_name(const struct document *d) /* true if the first pair's name ends here */
{
	return d->pairs->name.n < d->from;
}

bool document_is_object(const struct document *d)
{
	return d->type == DOCUMENT_OBJECT || (d->type == DOCUMENT_BRANCH && !is_whole_name(d));
}

bool document_is_list(const struct document *d)
{
	return d->type == DOCUMENT_LIST || d->type == DOCUMENT_BRANCH ||
	       (d->type == DOCUMENT_TEXT && !d->json);
}

struct str document_name(const struct document *d)
{
	return d->pairs && d->from ? str_slice(d->pairs->name, 0, d->from - 1) : STR_NONE;
}

struct str document_last_name(const struct document *d)
{
	return d->pairs && d->count ? d->pairs[d->count - 1].name : STR_NONE;
}

struct document_walk document_begin(const struct document *of)
{
	void *iter = of->type == DOCUMENT_OBJECT && of->json ? json_object_iter((json_t *) of->json) : NULL;
	return (struct document_walk){.of = of, .iter = iter, .rest = of->text};
}

/* ---- members ---- */

static bool next_json_member(struct document_walk *w, struct document_member *ret_member)
{
	if (!w->iter)
		return false;
	*ret_member = (struct document_member){
		.name = {json_object_iter_key(w->iter), json_object_iter_key_len(w->iter)},
		.value = document_of_json(json_object_iter_value(w->iter))};
	w->iter = json_object_iter_next((json_t *) w->of->json, w->iter);
	return true;
}

bool document_next_member(struct document_walk *w, struct document_member *ret_member)
{
	const struct document *of = w->of;
	if (of->json || !of->pairs)
		return next_json_member(w, ret_member);
	if (w->at == of->count)
		return false;
	const struct pair *pair = &of->pairs[w->at++];
	ret_member->name = str_slice(pair->name, of->from, pair->name.n);
	ret_member->field = pair->name;
	set_pairs(&ret_member->value, of->form, pair, 1, pair->name.n);
	return true;
}

static char lower_of(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char) (letter | 0x20) : letter;
}

static bool is_same(unsigned form, char a, char b)
{
	return a == b || (form & PAIRS_IGNORE_CASE && lower_of(a) == lower_of(b));
}

/* True if `next` may follow a complete part of a name. */
static bool ends_part(unsigned form, char next)
{
	return next == '.' || (form & PAIRS_BRACKETS && next == '[');
}

static bool ends_name(char c)
{
	return !c || c == '|';
}

enum name_fit document_fit_name(unsigned form, struct str name, const char *wanted)
{
	size_t k = 0;
	while (k < name.n && !ends_name(wanted[k]) && is_same(form, name.p[k], wanted[k]))
		k++;
	if (!ends_name(wanted[k]))
		return NAME_DIFFERS;
	if (k == name.n)
		return NAME_IS;
	return form & PAIRS_NEST && ends_part(form, name.p[k]) ? NAME_BEGINS : NAME_DIFFERS;
}

/* Number of pairs from `at` on whose names share the first `end` bytes as one or more complete parts. */
static size_t count_alike(const struct document *of, size_t at, size_t end)
{
	struct str head = str_slice(of->pairs[at].name, 0, end);
	size_t count = 1;
	for (; at + count < of->count; count++) {
		struct str name = of->pairs[at + count].name;
		bool is_alike = of->form & PAIRS_IGNORE_CASE ? str_equal_nocase(str_slice(name, 0, end), head)
							     : str_starts_with(name, head);
		if (!is_alike || (name.n > end && !ends_part(of->form, name.p[end])))
			break;
	}
	return count;
}

void document_take_branch(struct document_walk *w, size_t size, struct document_member *member)
{
	const struct document *of = w->of;
	if (of->json || !(of->form & PAIRS_NEST))
		return;
	size_t at = w->at - 1, end = of->from + size, count = count_alike(of, at, end);
	set_pairs(&member->value, of->form, &of->pairs[at], count, end);
	w->at = at + count;
}

/* ---- elements ---- */

static enum document_step next_piece(struct document_walk *w, char separator,
				     struct document_member *ret_element)
{
	struct str piece = w->rest;
	bool is_first = w->at++ == 0;
	if (!separator && !is_first)
		return DOCUMENT_END;
	do
		if (separator && !str_split_next(&w->rest, separator, &piece))
			return DOCUMENT_END;
	while (separator && str_is_empty(piece));
	*ret_element = (struct document_member){.field = document_last_name(w->of), .value = *w->of};
	ret_element->value.text = piece;
	return DOCUMENT_ELEMENT;
}

/* Returns the end of the name's part that has the element's number. 0: there is no valid number;
 * *ret_why is then DOCUMENT_UNNUMBERED or DOCUMENT_OUT_OF_RANGE. */
static size_t end_of_number(const struct document *of, struct str name, enum document_step *ret_why)
{
	bool has_brackets = of->form & PAIRS_BRACKETS;
	size_t end = str_find_char(name, has_brackets ? ']' : '.', of->from);
	struct str number = str_slice(name, of->from, end);
	int64_t index = 0;
	*ret_why = DOCUMENT_UNNUMBERED;
	if (has_brackets && (end == name.n || name.p[of->from - 1] != '[' ||
			     (end + 1 < name.n && !ends_part(of->form, name.p[end + 1]))))
		return 0;
	if (!result_is_ok(str_parse_int(number, &index)) || number.p[0] == '+' ||
	    (number.p[0] == '0' && number.n > 1))
		return 0;
	*ret_why = DOCUMENT_OUT_OF_RANGE;
	if (index < 0 || index > DOCUMENT_INDEX_MAX) /* 0 is valid: Libcloud counts from 0 */
		return 0;
	return has_brackets ? end + 1 : end;
}

enum document_step document_next_element(struct document_walk *w, char separator,
					 struct document_member *ret_element)
{
	const struct document *of = w->of;
	if (of->type == DOCUMENT_TEXT)
		return next_piece(w, separator, ret_element);
	if (w->at == of->count)
		return DOCUMENT_END;
	if (of->json) {
		*ret_element = (struct document_member){
			.value = document_of_json(json_array_get(of->json, w->at++))};
		return DOCUMENT_ELEMENT;
	}
	struct str name = ret_element->field = of->pairs[w->at].name;
	size_t end = name.n, count = 1;
	if (name.n >= of->from) { /* else a value without a number, the only element of the list */
		enum document_step why;
		end = end_of_number(of, name, &why);
		if (!end)
			return why;
		count = count_alike(of, w->at, end);
	}
	set_pairs(&ret_element->value, of->form, &of->pairs[w->at], count, end);
	w->at += count;
	return DOCUMENT_ELEMENT;
}

/* ---- JSON ---- */

RESULT document_write_json(struct ctx *c, const json_t *value, struct str *ret_text)
{
	enum { FLAGS = JSON_COMPACT | JSON_ENCODE_ANY };
	size_t size = json_dumpb(value, NULL, 0, FLAGS);
	char *text = size ? arena_alloc(c->arena, size + 1) : NULL;
	if (!text || json_dumpb(value, text, size, FLAGS) != size)
		return ctx_no_memory(c);
	*ret_text = (struct str){text, size};
	return OK;
}
