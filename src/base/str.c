/* SPDX-License-Identifier: Apache-2.0
 * Borrowed strings: comparing, cutting, matching, parsing numbers, checking encodings. Nothing here
 * allocates; functions creating strings are in str_encode.c. */
#include "base/str.h"

#include "base/utf8.h"

static unsigned char lower_of(char c)
{
	unsigned char u = (unsigned char) c;
	return u >= 'A' && u <= 'Z' ? (unsigned char) (u + ('a' - 'A')) : u;
}

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_equal_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t k = 0; k < a.n; k++)
		if (lower_of(a.p[k]) != lower_of(b.p[k]))
			return false;
	return true;
}

int str_compare(struct str a, struct str b)
{
	size_t shorter = a.n < b.n ? a.n : b.n;
	int order = shorter ? memcmp(a.p, b.p, shorter) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

int str_compare_nocase(struct str a, struct str b)
{
	for (size_t k = 0; k < a.n && k < b.n; k++) {
		int order = lower_of(a.p[k]) - lower_of(b.p[k]);
		if (order)
			return order;
	}
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts_with(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends_with(struct str s, struct str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

struct str str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return s.p ? (struct str){s.p + from, to - from} : STR_NONE;
}

struct str str_cut(struct str s, size_t size)
{
	while (s.n > size && size > 0 && ((unsigned char) s.p[size] & 0xC0) == 0x80)
		size--; /* skips back to the start of that character */
	return str_slice(s, 0, size);
}

struct str str_trim(struct str s)
{
	size_t from = 0, to = s.n;
	while (from < to && is_white(s.p[from]))
		from++;
	while (to > from && is_white(s.p[to - 1]))
		to--;
	return str_slice(s, from, to);
}

size_t str_find_char(struct str s, char c, size_t from)
{
	if (from >= s.n)
		return s.n;
	const char *found = memchr(s.p + from, c, s.n - from);
	return found ? (size_t) (found - s.p) : s.n;
}

bool str_contains(struct str s, struct str part)
{
	return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n));
}

bool str_split_next(struct str *rest, char sep, struct str *ret_piece)
{
	if (rest->n == 0)
		return false;
	size_t at = str_find_char(*rest, sep, 0);
	*ret_piece = str_slice(*rest, 0, at);
	*rest = str_slice(*rest, at + 1, rest->n); /* clamped: empty after the last piece */
	return true;
}

RESULT str_parse_int(struct str s, int64_t *ret_value)
{
	size_t at = 0;
	bool negative = s.n && s.p[0] == '-';
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		at = 1;
	if (at == s.n)
		return FAIL(INVALID);
	int64_t value = 0; /* negative, since INT64_MIN has no positive counterpart */
	for (; at < s.n; at++) {
		if (s.p[at] < '0' || s.p[at] > '9')
			return FAIL(INVALID);
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, s.p[at] - '0', &value))
			return FAIL(INVALID);
	}
	if (!negative && __builtin_sub_overflow(INT64_C(0), value, &value))
		return FAIL(INVALID);
	*ret_value = value;
	return OK;
}

RESULT str_parse_bool(struct str s, bool *ret_value)
{
	bool is_true = str_equal_nocase(s, STR("true"));
	if (!is_true && !str_equal_nocase(s, STR("false")))
		return FAIL(INVALID);
	*ret_value = is_true;
	return OK;
}

/* Determines the length from the first byte, and the smallest code point encoded in that length. */
static size_t utf8_expect(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least)
{
	if (first >= 0xC2 && first <= 0xDF) {
		*ret_bits = first & 0x1Fu;
		*ret_least = 0x80;
		return 2;
	}
	if ((first & 0xF0) == 0xE0) {
		*ret_bits = first & 0x0Fu;
		*ret_least = 0x800;
		return 3;
	}
	if (first >= 0xF0 && first <= 0xF4) {
		*ret_bits = first & 0x07u;
		*ret_least = 0x10000;
		return 4;
	}
	return 0;
}

size_t utf8_decode(struct str s, size_t at, uint32_t *ret_character)
{
	unsigned char first = (unsigned char) s.p[at];
	if (first < 0x80) {
		*ret_character = first;
		return 1;
	}
	uint32_t value = 0, least = 0;
	size_t n = utf8_expect(first, &value, &least);
	if (n == 0 || s.n - at < n)
		return 0;
	for (size_t k = 1; k < n; k++) {
		unsigned char next = (unsigned char) s.p[at + k];
		if ((next & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3Fu);
	}
	if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 0;
	*ret_character = value;
	return n;
}

bool str_is_utf8(struct str s)
{
	for (size_t at = 0; at < s.n;) {
		uint32_t character = 0;
		size_t n = utf8_decode(s, at, &character);
		if (n == 0 || character == 0)
			return false;
		at += n;
	}
	return true;
}

bool str_is_xml_text(struct str s)
{
	for (size_t at = 0; at < s.n;) {
		uint32_t c = 0;
		size_t n = utf8_decode(s, at, &c);
		if (n == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0xFFFE || c == 0xFFFF)
			return false;
		at += n;
	}
	return true;
}

bool str_is_line(struct str s)
{
	if (!str_is_xml_text(s))
		return false;
	for (size_t at = 0; at < s.n;) {
		uint32_t c = 0;
		at += utf8_decode(s, at, &c);
		if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029)
			return false;
	}
	return true;
}

struct str str_clean(struct arena *a, struct str s, bool is_line)
{
	char *to = arena_alloc(a, s.n + 1);
	size_t count = 0;
	if (!to)
		return STR_NONE;
	for (size_t at = 0; at < s.n;) {
		uint32_t c = 0;
		size_t n = utf8_decode(s, at, &c);
		struct str one = str_slice(s, at, at + (n ? n : 1));
		bool is_break = !is_line && (c == '\t' || c == '\n' || c == '\r');
		at += one.n;
		if (n && (is_break || str_is_line(one))) {
			memcpy(to + count, one.p, one.n);
			count += one.n;
		} else {
			to[count++] = '?';
		}
	}
	return (struct str){to, count};
}

/* Size of the character at s.p[at]; one byte for ill-formed text. */
static size_t character_size(struct str s, size_t at)
{
	uint32_t character = 0;
	size_t n = utf8_decode(s, at, &character);
	return n ? n : 1;
}

/* Matches the character at *at with the pattern element at *in and advances both. */
static bool match_one(struct str s, size_t *at, struct str pattern, size_t *in)
{
	if (*in == pattern.n || *at == s.n)
		return false;
	char want = pattern.p[*in];
	if (want == '?') {
		*at += character_size(s, *at);
		*in += 1;
		return true;
	}
	size_t used = 1;
	if (want == '\\' && *in + 1 < pattern.n) { /* a backslash at the end stands for itself */
		want = pattern.p[*in + 1];
		used = 2;
	}
	if (s.p[*at] != want)
		return false;
	*at += 1;
	*in += used;
	return true;
}

bool str_matches(struct str s, struct str pattern)
{
	size_t at = 0, in = 0;
	size_t star_in = SIZE_MAX, star_at = 0; /* position after the last star; end of its match so far */
	while (at < s.n) {
		if (in < pattern.n && pattern.p[in] == '*') {
			star_in = ++in;
			star_at = at;
			continue;
		}
		if (match_one(s, &at, pattern, &in))
			continue;
		if (star_in == SIZE_MAX)
			return false;
		star_at += character_size(
			s, star_at); /* only the last star needs retries, since it can match everything an
				      * earlier one could */
		at = star_at;
		in = star_in;
	}
	while (in < pattern.n && pattern.p[in] == '*')
		in++;
	return in == pattern.n;
}
