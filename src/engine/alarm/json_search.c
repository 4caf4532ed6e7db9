/* SPDX-License-Identifier: Apache-2.0
 * Checks and evaluates searches of Gnocchi and Aodh. Sources: Gnocchi's documentation, "Searching for resources";
 * aodh.api.controllers.v2.query. */
#include "engine/alarm/json_search.h"

#include <strings.h>

static const struct operator
{
	const char *words[3];
	enum operation { EQ, NE, LT, GT, LE, GE, IN, LIKE, NOT, AND, OR } operation;
}
operators[] = {
	{{"=", "==", "eq"}, EQ}, {{"!=", "≠", "ne"}, NE}, {{"<", "lt"}, LT}, {{">", "gt"}, GT},
	{{"<=", "≤", "le"}, LE}, {{">=", "≥", "ge"}, GE}, {{"in"}, IN},      {{"like"}, LIKE},
	{{"not", "¬"}, NOT},     {{"and", "∧"}, AND},     {{"or", "∨"}, OR},
};

static const struct operator* find_operator(const char *word)
{
	for (size_t k = 0; k < sizeof operators / sizeof *operators; k++)
		for (size_t n = 0; n < 3 && operators[k].words[n]; n++)
			if (!strcasecmp(word, operators[k].words[n]))
				return &operators[k];
	return NULL;
}

/* The only member of an object; NULL: it has another number. */
static const char *only_member(const json_t *object, json_t **ret_value)
{
	void *at = json_object_size(object) == 1 ? json_object_iter((json_t *) (uintptr_t) object) : NULL;
	*ret_value = at ? json_object_iter_value(at) : NULL;
	return at ? json_object_iter_key(at) : NULL;
}

/* ---- checks ---- */

static RESULT fail(struct ctx *c, const char *why, struct str what)
{
	return ctx_fail_field(c, ERR_INVALID, STR("filter"), "Invalid input: %s %" STR_FMT, why,
			      STR_ARG(str_cut(what, 128)));
}

static bool is_scalar(const json_t *value)
{
	return json_is_string(value) || json_is_null(value) || json_is_number(value) ||
	       json_is_boolean(value);
}

static RESULT check_values(struct ctx *c, const json_t *value, enum operation operation)
{
	size_t k;
	json_t *one;
	if (operation != IN)
		return is_scalar(value) ? OK
					: fail(c, "a value is compared with", STR("text, number or null"));
	if (!json_is_array(value) || json_array_size(value) > JSON_SEARCH_VALUES)
		return fail(c, "a list is needed for", STR("in"));
	json_array_foreach (value, k, one)
		if (!is_scalar(one))
			return fail(c, "a list is needed for", STR("in"));
	return OK;
}

/* A comparison is made for each row that is searched, and "like" costs text times pattern. */
static RESULT check_cost(struct ctx *c, const json_t *value, enum operation operation, int *left)
{
	if ((*left)-- <= 0)
		return fail(c, "too many comparisons beside", STR("each other"));
	return operation == LIKE && json_string_length(value) > JSON_SEARCH_LIKE
		       ? fail(c, "the pattern is too long for", STR("like"))
		       : OK;
}

static RESULT check(struct ctx *c, const json_t *query, const struct json_search *search, int depth,
		    int *left)
{
	json_t *inside = NULL, *value = NULL, *one;
	const char *word = only_member(query, &inside);
	const struct operator* op = word ? find_operator(word) : NULL;
	size_t k;
	if (!op || depth > JSON_SEARCH_DEPTH)
		return fail(c,
			    op ? "too many operators within" : "extra keys not allowed or unknown operator",
			    str_from(word ? word : "{}"));
	if (op->operation == NOT)
		return check(c, inside, search, depth + 1, left);
	if (op->operation == AND || op->operation == OR) {
		if (!json_is_array(inside) || json_array_size(inside) > JSON_SEARCH_VALUES)
			return fail(c, "expected a list for", str_from(word));
		json_array_foreach (inside, k, one)
			TRY(check(c, one, search, depth + 1, left));
		return OK;
	}
	const char *name = only_member(inside, &value);
	struct str ignored;
	if (!name)
		return fail(c, "expected one attribute for", str_from(word));
	if (!search->read(search->arg, NULL, str_from(name), &ignored))
		return fail(c, "unknown attribute", str_from(name));
	TRY(check_cost(c, value, op->operation, left));
	return check_values(c, value, op->operation);
}

RESULT json_search_check(struct ctx *c, const json_t *query, const struct json_search *search)
{
	int left = JSON_SEARCH_COMPARISONS;
	return json_is_object(query) && !json_object_size(query) ? OK : check(c, query, search, 1, &left);
}

RESULT json_search_read(struct ctx *c, struct str text, const struct json_search *search, json_t **ret_query)
{
	if (text.n > JSON_SEARCH_MAX)
		return fail(c, "the search is longer than", STR("4096 characters"));
	json_t *query = json_loadb(text.p, text.n, 0, NULL);
	if (!query)
		return fail(c, "the search is no", STR("JSON"));
	struct result result = json_search_check(c, query, search);
	if (result_is_ok(result))
		*ret_query = query;
	else
		json_decref(query);
	return result;
}

/* ---- evaluation ---- */

static struct str text_of(struct ctx *c, const json_t *value)
{
	if (json_is_string(value))
		return (struct str){json_string_value(value), json_string_length(value)};
	if (json_is_integer(value))
		return str_print(c->arena, "%lld", (long long) json_integer_value(value));
	if (json_is_real(value))
		return str_print(c->arena, "%.15g", json_real_value(value));
	return json_is_true(value) ? STR("true") : json_is_false(value) ? STR("false") : STR_NONE;
}

/* "%" stands for any text, "_" for one character. Backtracks to the last "%" only, so the time is at most the product of both lengths. */
static bool is_like(struct str text, struct str pattern)
{
	size_t t = 0, p = 0, after = SIZE_MAX, from = 0;
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '%') {
			after = ++p;
			from = t;
		} else if (p < pattern.n && (pattern.p[p] == '_' || pattern.p[p] == text.p[t])) {
			p++;
			t++;
		} else if (after != SIZE_MAX) {
			p = after;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '%')
		p++;
	return p == pattern.n;
}

static int order(struct str a, struct str b)
{
	int first = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return first ? first : (a.n > b.n) - (a.n < b.n);
}

static bool compare(struct ctx *c, enum operation operation, struct str text, const json_t *value)
{
	size_t k;
	json_t *one;
	struct str with = text_of(c, value);
	bool is_equal = text.n ? with.n && str_equal(text, with) : json_is_null(value);
	if (operation == EQ || operation == NE)
		return is_equal == (operation == EQ);
	if (operation == IN)
		json_array_foreach (value, k, one)
			if (compare(c, EQ, text, one))
				return true;
	if (operation == IN || !text.n || !with.n)
		return false;
	int way = order(text, with);
	return operation == LIKE ? is_like(text, with)
	       : operation == LT ? way < 0
	       : operation == GT ? way > 0
	       : operation == LE ? way <= 0
				 : way >= 0;
}

bool json_search_fits(struct ctx *c, const json_t *query, const struct json_search *search,
		      const void *subject)
{
	json_t *inside = NULL, *value = NULL, *one;
	const char *word = only_member(query, &inside);
	const struct operator* op = word ? find_operator(word) : NULL;
	struct str text = STR_NONE;
	size_t k;
	if (!op)
		return true; /* {}: all */
	if (op->operation == NOT)
		return !json_search_fits(c, inside, search, subject);
	if (op->operation == AND || op->operation == OR) {
		bool is_or = op->operation == OR;
		json_array_foreach (inside, k, one)
			if (json_search_fits(c, one, search, subject) == is_or)
				return is_or;
		return !is_or;
	}
	const char *name = only_member(inside, &value);
	return name && search->read(search->arg, subject, str_from(name), &text) &&
	       compare(c, op->operation, text, value);
}
