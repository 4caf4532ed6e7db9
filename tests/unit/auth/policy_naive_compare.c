/* SPDX-License-Identifier: Apache-2.0
 * The naive evaluator: operators, patterns, values. */
#include "policy_naive_compare.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/vec.h"

struct str naive_text(const json_t *value)
{
	return json_is_string(value) ? (struct str){json_string_value(value), json_string_length(value)}
				     : STR_NONE;
}

struct str naive_scalar(struct arena *a, const json_t *value)
{
	if (json_is_boolean(value))
		return json_is_true(value) ? STR("true") : STR("false");
	if (json_is_integer(value))
		return str_print(a, "%lld", (long long) json_integer_value(value));
	if (json_is_real(value))
		return str_print(a, "%.17g", json_real_value(value));
	return naive_text(value);
}

struct str naive_fold_key(struct arena *a, struct str key)
{
	size_t slash = str_find_char(key, '/', 0);
	char *text = arena_alloc(a, key.n + 1);
	for (size_t k = 0; k < key.n; k++)
		text[k] = k < slash ? (char) tolower((unsigned char) key.p[k]) : key.p[k];
	return (struct str){text, key.n};
}

size_t naive_count_parts(struct str arn)
{
	size_t count = 1;
	for (size_t k = 0; k < arn.n; k++)
		count += arn.p[k] == ':';
	return count;
}

/* ---- operators ---- */

static const struct {
	const char *name;
	struct naive_operator o;
} operators[] = {
	{"StringEquals", {.how = HOW_EQUALS}},
	{"StringNotEquals", {.how = HOW_EQUALS, .is_negated = true}},
	{"StringEqualsIgnoreCase", {.how = HOW_FOLDED}},
	{"StringNotEqualsIgnoreCase", {.how = HOW_FOLDED, .is_negated = true}},
	{"StringLike", {.how = HOW_LIKE}},
	{"StringNotLike", {.how = HOW_LIKE, .is_negated = true}},
	{"NumericEquals", {.how = HOW_NUMBER}},
	{"NumericNotEquals", {.how = HOW_NUMBER, .is_negated = true}},
	{"NumericLessThan", {.how = HOW_NUMBER, .order_min = -1, .order_max = -1}},
	{"NumericLessThanEquals", {.how = HOW_NUMBER, .order_min = -1}},
	{"NumericGreaterThan", {.how = HOW_NUMBER, .order_min = 1, .order_max = 1}},
	{"NumericGreaterThanEquals", {.how = HOW_NUMBER, .order_max = 1}},
	{"DateEquals", {.how = HOW_DATE}},
	{"DateNotEquals", {.how = HOW_DATE, .is_negated = true}},
	{"DateLessThan", {.how = HOW_DATE, .order_min = -1, .order_max = -1}},
	{"DateLessThanEquals", {.how = HOW_DATE, .order_min = -1}},
	{"DateGreaterThan", {.how = HOW_DATE, .order_min = 1, .order_max = 1}},
	{"DateGreaterThanEquals", {.how = HOW_DATE, .order_max = 1}},
	{"Bool", {.how = HOW_BOOL}},
	{"BinaryEquals", {.how = HOW_BINARY}},
	{"IpAddress", {.how = HOW_IP}},
	{"NotIpAddress", {.how = HOW_IP, .is_negated = true}},
	{"ArnEquals", {.how = HOW_ARN}},
	{"ArnLike", {.how = HOW_ARN}},
	{"ArnNotEquals", {.how = HOW_ARN, .is_negated = true}},
	{"ArnNotLike", {.how = HOW_ARN, .is_negated = true}},
	{"Null", {.how = HOW_NULL}},
};

bool naive_find_operator(struct str name, struct naive_operator *ret_operator)
{
	const struct str all = STR("ForAllValues:"), any = STR("ForAnyValue:"), exists = STR("IfExists");
	enum naive_set_word set = str_starts_with(name, all)   ? SET_ALL
				  : str_starts_with(name, any) ? SET_ANY
							       : SET_NONE;
	if (set != SET_NONE)
		name = str_slice(name, set == SET_ALL ? all.n : any.n, name.n);
	bool if_exists = str_ends_with(name, exists);
	if (if_exists)
		name.n -= exists.n;
	for (size_t k = 0; k < sizeof operators / sizeof operators[0]; k++)
		if (str_is(name, operators[k].name)) {
			*ret_operator = operators[k].o;
			ret_operator->set = set;
			ret_operator->if_exists = if_exists;
			return ret_operator->how != HOW_NULL || (set == SET_NONE && !if_exists);
		}
	return false;
}

/* ---- patterns ---- */

static int fold(int c)
{
	return c < 128 ? tolower(c) : c;
}

static bool match(const int *pattern, size_t n, const char *text, size_t size, bool is_folded)
{
	/* reachable[k]: what was read of the pattern may have used k characters of the text */
	bool *reachable = calloc(size + 1, sizeof *reachable);
	if (!reachable)
		abort();
	reachable[0] = true;
	for (size_t p = 0; p < n; p++) {
		if (pattern[p] == GLYPH_STAR) {
			for (size_t k = 0; k < size; k++)
				reachable[k + 1] = reachable[k + 1] || reachable[k];
			continue;
		}
		for (size_t k = size; k > 0; k--) {
			int c = (unsigned char) text[k - 1];
			bool fits = pattern[p] == GLYPH_ANY || pattern[p] == c ||
				    (is_folded && fold(pattern[p]) == fold(c));
			reachable[k] = reachable[k - 1] && fits;
		}
		reachable[0] = false;
	}
	bool is_match = reachable[size];
	free(reachable);
	return is_match;
}

static int wildcard_of(char c)
{
	return c == '*' ? GLYPH_STAR : c == '?' ? GLYPH_ANY : (unsigned char) c;
}

enum truth naive_glob(struct str pattern, struct str text)
{
	int *glyphs = calloc(pattern.n + 1, sizeof *glyphs);
	if (!glyphs)
		abort();
	for (size_t k = 0; k < pattern.n; k++)
		glyphs[k] = wildcard_of(pattern.p[k]);
	bool is_match = match(glyphs, pattern.n, text.p, text.n, true);
	free(glyphs);
	return is_match ? YES : NO;
}

enum truth naive_match(struct glyphs pattern, struct str text)
{
	return match(pattern.at, pattern.n, text.p, text.n, false) ? YES : NO;
}

/* Evaluates the text between "${" and "}": a key, optionally followed by a comma and a default in single
 * quotes. */
static enum truth read_variable(struct naive *n, struct str inside, struct str *ret_value)
{
	struct strs given = {0};
	size_t comma = str_find_char(inside, ',', 0);
	struct str name = str_trim(str_slice(inside, 0, comma)),
		   rest = str_trim(str_slice(inside, comma + 1, inside.n));
	bool has_default = comma < inside.n;
	if (has_default && (rest.n < 2 || rest.p[0] != '\'' || rest.p[rest.n - 1] != '\'' ||
			    str_find_char(str_slice(rest, 1, rest.n - 1), '\'', 0) != rest.n - 2))
		n->is_silent = true;
	if (str_is_empty(name) || name.n != str_slice(inside, 0, comma).n)
		n->is_silent = true;
	enum policy_known known = n->q->find(n->q, naive_fold_key(n->q->arena, name), &given);
	if (known == POLICY_NOT_YET)
		return MAYBE;
	if (known == POLICY_PRESENT) {
		if (given.count != 1)
			n->is_silent = true;
		*ret_value = given.count ? given.at[0] : STR_NONE;
		return given.count == 1 ? YES : NO;
	}
	*ret_value = str_slice(rest, 1, rest.n ? rest.n - 1 : 0);
	return has_default ? YES : NO;
}

/* Reads one piece of a pattern from *k, and advances *k past it. */
static enum truth read_piece(struct naive *n, struct str text, size_t *k, bool has_wildcards, int *wildcard,
			     struct str *ret_plain)
{
	*wildcard = 0;
	*ret_plain = str_slice(text, *k, *k + 1);
	if (!n->has_variables || text.p[*k] != '$' || *k + 1 == text.n || text.p[*k + 1] != '{') {
		if (has_wildcards && (text.p[*k] == '*' || text.p[*k] == '?'))
			*wildcard = wildcard_of(text.p[*k]);
		(*k)++;
		return YES;
	}
	size_t end = str_find_char(text, '}', *k);
	struct str inside = str_slice(text, *k + 2, end);
	if (!str_is(inside, "$") && (end == text.n || str_find_char(inside, '$', 0) < inside.n))
		n->is_silent = true;
	*k = end < text.n ? end + 1 : end;
	if (str_is(inside, "*") || str_is(inside, "?") || str_is(inside, "$")) {
		*ret_plain = inside;
		return YES;
	}
	return read_variable(n, inside, ret_plain);
}

enum truth naive_read_pattern(struct naive *n, struct str text, bool has_wildcards, struct glyphs *ret_glyphs)
{
	VEC(int) glyphs = {0};
	enum truth known = YES;
	for (size_t k = 0; k < text.n;) {
		struct str plain;
		int wildcard;
		enum truth t = read_piece(n, text, &k, has_wildcards, &wildcard, &plain);
		known = t < known ? t : known;
		if (wildcard && !VEC_PUSH(n->q->arena, &glyphs, wildcard))
			abort();
		for (size_t c = 0; t == YES && !wildcard && c < plain.n; c++)
			if (!VEC_PUSH(n->q->arena, &glyphs, (unsigned char) plain.p[c]))
				abort();
	}
	*ret_glyphs = (struct glyphs){glyphs.at, glyphs.count};
	return known;
}

/* ---- values ---- */

static bool read_number(struct naive *n, struct str text, double *ret_number)
{
	char copy[64], *end;
	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	for (size_t k = 0; k < text.n; k++) {
		if (!isdigit((unsigned char) text.p[k]) && !strchr("+-.", text.p[k]))
			n->is_silent = true;
		copy[k] = text.p[k];
	}
	copy[text.n] = 0;
	*ret_number = strtod(copy, &end);
	return *end == 0 && end != copy && isfinite(*ret_number);
}

static bool read_digits(struct str *text, size_t count, int64_t *ret_number)
{
	*ret_number = 0;
	if (text->n < count)
		return false;
	for (size_t k = 0; k < count; k++) {
		if (!isdigit((unsigned char) text->p[k]))
			return false;
		*ret_number = *ret_number * 10 + (text->p[k] - '0');
	}
	*text = str_slice(*text, count, text->n);
	return true;
}

static bool take(struct str *text, char c)
{
	if (!text->n || text->p[0] != c)
		return false;
	*text = str_slice(*text, 1, text->n);
	return true;
}

static int64_t days_before(int64_t year, int64_t month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days = 0;
	for (int64_t y = 1970; y < year; y++)
		days += y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
	for (int64_t m = 1; m < month && m <= 12; m++)
		days += lengths[m - 1] + (m == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	return days;
}

/* hh:mm, :ss or none, and Z or an offset. */
static bool read_clock(struct str text, int64_t *ret_seconds)
{
	int64_t hour, minute, second = 0, off_hour, off_minute;
	if (!read_digits(&text, 2, &hour) || !take(&text, ':') || !read_digits(&text, 2, &minute))
		return false;
	if (take(&text, ':') && !read_digits(&text, 2, &second))
		return false;
	*ret_seconds = hour * 3600 + minute * 60 + second;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	if (str_is(text, "Z"))
		return true;
	int sign = take(&text, '+') ? -1 : take(&text, '-') ? 1 : 0;
	if (!sign || !read_digits(&text, 2, &off_hour) || !take(&text, ':') ||
	    !read_digits(&text, 2, &off_minute))
		return false;
	*ret_seconds += sign * (off_hour * 3600 + off_minute * 60);
	return str_is_empty(text);
}

/* W3C's forms of ISO 8601 from the year on, or seconds since 1970; fractions and times before are left open.
 */
static bool read_date(struct naive *n, struct str text, double *ret_seconds)
{
	int64_t year, month = 1, day = 1, seconds = 0;
	struct str rest = text;
	if (text.n <= 4 || str_find_char(text, '.', 0) < text.n)
		n->is_silent = true;
	if (str_find_char(text, '-', 1) >= text.n)
		return read_number(n, text, ret_seconds);
	if (!read_digits(&rest, 4, &year) || year < 1970 || !take(&rest, '-') ||
	    !read_digits(&rest, 2, &month))
		return false;
	if (take(&rest, '-') && !read_digits(&rest, 2, &day))
		return false;
	if (take(&rest, 'T') && !read_clock(rest, &seconds))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*ret_seconds = (double) ((days_before(year, month) + day - 1) * 86400 + seconds);
	return true;
}

static size_t read_ip(struct str text, unsigned char out[16])
{
	char copy[64];
	if (text.n >= sizeof copy)
		return 0;
	memcpy(copy, text.p ? text.p : "", text.n);
	copy[text.n] = 0;
	return inet_pton(AF_INET, copy, out) == 1 ? 4 : inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
}

static enum truth compare_ip(struct naive *n, struct str given, struct str wanted)
{
	unsigned char one[16], other[16];
	size_t slash = str_find_char(wanted, '/', 0);
	int64_t bits = -1;
	struct str length = str_slice(wanted, slash + 1, wanted.n);
	size_t size = read_ip(str_slice(wanted, 0, slash), other);
	if (slash < wanted.n && (length.n > 3 || !read_digits(&length, length.n, &bits)))
		n->is_silent = true;
	if (!size || bits > (int64_t) size * 8)
		n->is_silent = true;
	if (read_ip(given, one) != size || !size)
		return NO;
	bits = bits < 0 ? (int64_t) size * 8 : bits;
	for (int64_t k = 0; k < bits && k < (int64_t) size * 8; k++)
		if (((one[k / 8] ^ other[k / 8]) >> (7 - k % 8)) & 1)
			return NO;
	return YES;
}

/* A form that two equal byte strings share: without padding. */
static struct str base64_of(struct naive *n, struct str text)
{
	while (text.n && text.p[text.n - 1] == '=')
		text.n--;
	for (size_t k = 0; k < text.n; k++)
		if (!isalnum((unsigned char) text.p[k]) && !strchr("+/", text.p[k]))
			n->is_silent = true;
	return text;
}

static enum truth compare_number(struct naive *n, const struct naive_operator *o, struct str given,
				 struct str wanted)
{
	double one, other;
	bool is_date = o->how == HOW_DATE;
	if (!(is_date ? read_date(n, wanted, &other) : read_number(n, wanted, &other))) {
		n->is_silent = true;
		return NO;
	}
	if (!(is_date ? read_date(n, given, &one) : read_number(n, given, &one)))
		return NO;
	int order = one < other ? -1 : one > other;
	return order >= o->order_min && order <= o->order_max ? YES : NO;
}

/* The part of a pattern up to its next colon, of a last part all. */
static struct glyphs next_part(struct glyphs *rest, bool is_last)
{
	size_t n = 0;
	while (n < rest->n && (is_last || rest->at[n] != ':'))
		n++;
	struct glyphs part = {rest->at, n};
	size_t used = n < rest->n ? n + 1 : n;
	*rest = (struct glyphs){rest->at + used, rest->n - used};
	return part;
}

static enum truth compare_arn(struct naive *n, struct str given, struct glyphs wanted)
{
	size_t colons = 0;
	for (size_t k = 0; k < wanted.n; k++)
		colons += wanted.at[k] == ':';
	if (colons < 5) {
		n->is_silent = true;
		return NO;
	}
	if (naive_count_parts(given) < 6)
		return NO;
	for (int part = 0; part < 6; part++) {
		bool is_last = part == 5;
		size_t end = is_last ? given.n : str_find_char(given, ':', 0);
		struct glyphs pattern = next_part(&wanted, is_last);
		if (naive_match(pattern, str_slice(given, 0, end)) != YES)
			return NO;
		given = str_slice(given, end + 1, given.n);
	}
	return YES;
}

static enum truth compare_text(struct naive *n, const struct naive_operator *o, struct str given,
			       struct str wanted)
{
	struct glyphs g;
	enum truth known = naive_read_pattern(n, wanted, o->how == HOW_LIKE || o->how == HOW_ARN, &g);
	if (known != YES)
		return known;
	if (o->how == HOW_ARN)
		return compare_arn(n, given, g);
	return match(g.at, g.n, given.p, given.n, o->how == HOW_FOLDED) ? YES : NO;
}

enum truth naive_compare(struct naive *n, const struct naive_operator *o, struct str given,
			 const json_t *wanted)
{
	struct str text = naive_scalar(n->q->arena, wanted);
	switch (o->how) {
	case HOW_NUMBER:
	case HOW_DATE:
		return compare_number(n, o, given, text);
	case HOW_BOOL:
		if (!str_equal_nocase(text, STR("true")) && !str_equal_nocase(text, STR("false")))
			n->is_silent = true;
		return str_equal_nocase(given, text) ? YES : NO;
	case HOW_BINARY:
		return str_equal(base64_of(n, given), base64_of(n, text)) ? YES : NO;
	case HOW_IP:
		return compare_ip(n, given, text);
	case HOW_EQUALS:
	case HOW_FOLDED:
	case HOW_LIKE:
	case HOW_ARN:
		return compare_text(n, o, given, text);
	case HOW_NULL:
		break;
	}
	return NO;
}
