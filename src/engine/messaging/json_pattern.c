/* SPDX-License-Identifier: Apache-2.0
 * Matches JSON documents with patterns that json_pattern_check.c has accepted. */
#include "engine/messaging/json_pattern.h"

#include <math.h>
#include <string.h>

#include "base/ip.h"
#include "base/str.h"

/* ---- words ---- */

enum json_pattern_text json_pattern_find_text(const struct json_pattern_dialect *d, const char *word)
{
	static const char *const words[] = {[PATTERN_PREFIX] = "prefix",
					    [PATTERN_SUFFIX] = "suffix",
					    [PATTERN_CASELESS] = "equals-ignore-case",
					    [PATTERN_WILDCARD] = "wildcard"};
	for (enum json_pattern_text k = PATTERN_PREFIX; k <= PATTERN_WILDCARD; k++)
		if (!strcmp(word, words[k]) && (k != PATTERN_WILDCARD || d->is_wide))
			return k;
	return PATTERN_NO_TEXT;
}

const char *json_pattern_get_word(const json_t *object, const json_t **ret_value)
{
	void *iterator = json_object_iter((json_t *) object);
	if (json_object_size(object) != 1)
		return NULL;
	*ret_value = json_object_iter_value(iterator);
	return json_object_iter_key(iterator);
}

/* ---- numbers ---- */

static bool is_same_number(const struct json_pattern_dialect *d, double a, double b)
{
	if (fabs(a) > d->number_max || fabs(b) > d->number_max)
		return a == b;
	return llround(a * d->precision) == llround(b * d->precision);
}

static bool compares(const struct json_pattern_dialect *d, const char *word, double value, double bound)
{
	bool is_same = is_same_number(d, value, bound);
	return strchr(word, '=') && is_same ? true
	       : word[0] == '<'             ? value < bound && !is_same
	       : word[0] == '>'             ? value > bound && !is_same
					    : false;
}

static bool is_equal(const struct json_pattern_dialect *d, const json_t *a, const json_t *b)
{
	if (!d->is_wide && json_is_number(a) && json_is_number(b))
		return is_same_number(d, json_number_value(a), json_number_value(b));
	return json_equal((json_t *) a, (json_t *) b);
}

static bool matches_numeric(const struct json_pattern_dialect *d, const json_t *list, const json_t *value)
{
	for (size_t at = 0; at + 1 < json_array_size(list); at += 2)
		if (!json_is_number(value) ||
		    !compares(d, json_string_value(json_array_get(list, at)), json_number_value(value),
			      json_number_value(json_array_get(list, at + 1))))
			return false;
	return true;
}

/* ---- texts ---- */

static struct str text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

/* Takes the characters before the next star, without backslashes, into `out`. False: the pattern ends with them. */
static bool take_piece(struct str *pattern, char *out, size_t *ret_n)
{
	size_t n = 0, k = 0;
	for (; k < pattern->n && pattern->p[k] != '*'; k++) {
		if (pattern->p[k] == '\\' && k + 1 < pattern->n)
			k++;
		out[n++] = pattern->p[k];
	}
	bool has_star = k < pattern->n;
	*pattern = str_slice(*pattern, has_star ? k + 1 : k, pattern->n);
	*ret_n = n;
	return has_star;
}

/* The first place of each piece is enough, so the time is linear in the value for each star. */
static bool matches_wildcard(struct str pattern, struct str value)
{
	char piece[4096]; /* no pattern is longer */
	size_t n = 0;
	bool is_first = true, has_star = true;
	if (pattern.n > sizeof piece)
		return false;
	while (has_star) {
		has_star = take_piece(&pattern, piece, &n);
		struct str wanted = {piece, n};
		if (is_first && !has_star)
			return str_equal(value, wanted);
		if (!has_star)
			return str_ends_with(value, wanted);
		const char *at = is_first ? (str_starts_with(value, wanted) ? value.p : NULL)
				 : n      ? memmem(value.p, value.n, piece, n)
					  : value.p;
		if (n && !at)
			return false;
		value = n ? str_slice(value, (size_t) (at - value.p) + n, value.n) : value;
		is_first = false;
	}
	return true;
}

static bool matches_text(enum json_pattern_text kind, const json_t *pattern, const json_t *value)
{
	bool is_caseless = json_is_object(pattern); /* {"prefix": {"equals-ignore-case": "…"}} */
	if (!json_is_string(value))
		return false;
	if (is_caseless)
		(void) json_pattern_get_word(pattern, &pattern);
	struct str wanted = text_of(pattern), text = text_of(value);
	if (kind == PATTERN_CASELESS)
		return str_equal_nocase(text, wanted);
	if (kind == PATTERN_WILDCARD)
		return matches_wildcard(wanted, text);
	if (!is_caseless)
		return kind == PATTERN_PREFIX ? str_starts_with(text, wanted) : str_ends_with(text, wanted);
	if (text.n < wanted.n)
		return false;
	return str_equal_nocase(kind == PATTERN_PREFIX ? str_slice(text, 0, wanted.n)
						       : str_slice(text, text.n - wanted.n, text.n),
				wanted);
}

/* ---- conditions ---- */

static bool is_anything_but_text(enum json_pattern_text kind, const json_t *pattern, const json_t *value)
{
	size_t index;
	const json_t *member;
	if (!json_is_array(pattern))
		return !matches_text(kind, pattern, value);
	json_array_foreach ((json_t *) pattern, index, member)
		if (matches_text(kind, member, value))
			return false;
	return true;
}

static bool is_anything_but(const struct json_pattern_dialect *d, const json_t *pattern, const json_t *value)
{
	const json_t *inner = NULL;
	size_t index;
	const json_t *member;
	if (json_is_object(pattern)) {
		const char *word = json_pattern_get_word(pattern, &inner);
		return word && is_anything_but_text(json_pattern_find_text(d, word), inner, value);
	}
	if (!json_is_array(pattern))
		return !is_equal(d, pattern, value);
	json_array_foreach ((json_t *) pattern, index, member)
		if (is_equal(d, member, value))
			return false;
	return true;
}

static bool matches_block(const json_t *pattern, const json_t *value)
{
	struct cidr block;
	struct ip address;
	return json_is_string(value) && result_is_ok(cidr_parse(text_of(pattern), &block)) &&
	       result_is_ok(ip_parse(text_of(value), &address)) && cidr_contains(block, address);
}

static bool matches_scalar(const struct json_pattern_dialect *d, const json_t *condition, const json_t *value)
{
	const json_t *pattern = NULL;
	if (!json_is_object(condition))
		return is_equal(d, condition, value);
	const char *word = json_pattern_get_word(condition, &pattern);
	if (!word)
		return false;
	enum json_pattern_text kind = json_pattern_find_text(d, word);
	if (kind)
		return matches_text(kind, pattern, value);
	if (!strcmp(word, "numeric"))
		return matches_numeric(d, pattern, value);
	return !strcmp(word, "cidr") ? matches_block(pattern, value) : is_anything_but(d, pattern, value);
}

/* A list has what one of its elements has. */
static bool matches_condition(const struct json_pattern_dialect *d, const json_t *condition,
			      const json_t *value)
{
	size_t index;
	const json_t *element;
	const json_t *exists = json_object_get(condition, "exists");
	if (exists)
		return json_is_true(exists) == (value && !json_is_object(value));
	if (!value || json_is_object(value))
		return false;
	if (!json_is_array(value))
		return matches_scalar(d, condition, value);
	json_array_foreach ((json_t *) value, index, element)
		if (!json_is_object(element) && matches_scalar(d, condition, element))
			return true;
	return false;
}

static bool matches_any(const struct json_pattern_dialect *d, const json_t *conditions, const json_t *value)
{
	size_t index;
	const json_t *condition;
	json_array_foreach ((json_t *) conditions, index, condition)
		if (matches_condition(d, condition, value))
			return true;
	return false;
}

/* ---- levels ---- */

/* In a list of objects, one of them has all that the pattern wants of it. */
static bool matches_part(const struct json_pattern_dialect *d, const json_t *level, const json_t *part)
{
	size_t index;
	const json_t *element;
	if (!json_is_array(part))
		return json_pattern_matches(d, level, json_is_object(part) ? part : NULL);
	json_array_foreach ((json_t *) part, index, element)
		if (json_is_object(element) && json_pattern_matches(d, level, element))
			return true;
	return false;
}

static bool matches_or(const struct json_pattern_dialect *d, const json_t *choices, const json_t *document)
{
	size_t index;
	const json_t *choice;
	json_array_foreach ((json_t *) choices, index, choice)
		if (json_pattern_matches(d, choice, document))
			return true;
	return false;
}

/* document NULL: the part is absent, and only conditions about absence match. */
bool json_pattern_matches(const struct json_pattern_dialect *d, const json_t *pattern, const json_t *document)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *) pattern, key, value) {
		const json_t *part = json_object_get(document, key);
		bool matches = !strcmp(key, "$or")     ? matches_or(d, value, document)
			       : json_is_object(value) ? matches_part(d, value, part)
						       : matches_any(d, value, part);
		if (!matches)
			return false;
	}
	return true;
}
