/* SPDX-License-Identifier: Apache-2.0
 * Borrowed strings: pointer and length. A struct str doesn't own its bytes, never changes them, and need not
 * be NUL-terminated. {NULL, 0} is the empty string. Functions that create strings in an arena also append a
 * NUL, not counted by n. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/result.h"

struct str {
	const char *p;
	size_t n;
};

/* A name and its value, e.g. of a query or form. */
struct pair {
	struct str name, value;
};

struct pairs {
	const struct pair *at;
	size_t count;
};

/* A list of strings. */
struct strs {
	const struct str *at;
	size_t count;
};

#define STR(literal) ((struct str){"" literal "", sizeof(literal) - 1})
#define STR_NONE ((struct str){0, 0})
/* Arguments for printf: printf("%" STR_FMT, STR_ARG(s)) */
#define STR_FMT ".*s"
#define STR_ARG(s) (int) (s).n, (s).p ? (s).p : ""

static inline struct str str_from(const char *z) /* z may be NULL */
{
	return z ? (struct str){z, strlen(z)} : STR_NONE;
}
static inline bool str_is_empty(struct str s)
{
	return s.n == 0;
}
static inline bool str_equal(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *z)
{
	return str_equal(a, str_from(z));
}
static inline bool str_is_alphanumeric(char c) /* ASCII only */
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool str_equal_nocase(struct str a, struct str b);  /* ASCII only */
int str_compare(struct str a, struct str b);        /* bytewise; <0, 0, >0 */
int str_compare_nocase(struct str a, struct str b); /* likewise, ignoring the case of ASCII letters */
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
struct str str_slice(struct str s, size_t from, size_t to); /* clamped to s */
struct str str_cut(struct str s, size_t size); /* truncated to at most size bytes, keeping whole characters */
struct str str_trim(struct str s);             /* removes ASCII white space at both ends */
/* Position of the first c at or after `from`; s.n: none. */
size_t str_find_char(struct str s, char c, size_t from);
bool str_contains(struct str s, struct str part);
/* Takes the text before the next sep, leaving the rest in *rest. False when *rest is used up. "a,,b" gives
 * "a", "", "b"; "a," gives only "a"; "" gives nothing. */
bool str_split_next(struct str *rest, char sep, struct str *ret_piece);

/* Parses a complete decimal number with optional sign, without white space. ERR_INVALID also on overflow. */
RESULT str_parse_int(struct str s, int64_t *ret_value);
RESULT str_parse_bool(struct str s, bool *ret_value); /* "true" or "false" ignoring case; ERR_INVALID */
bool str_is_utf8(struct str s);                       /* well-formed UTF-8 without NUL */
bool str_is_xml_text(struct str s);                   /* UTF-8 of characters legal in XML 1.0 */
bool str_is_line(struct str s);                       /* the same, without line ends and control characters */
/* Copies the text with a question mark for each control character and ill-formed byte. Tabs and line ends stay unless
 * is_line. Empty if there is no memory. */
struct str str_clean(struct arena *a, struct str s, bool is_line);
/* Matches a whole string like a shell: * is any sequence, ? one character, \ escapes. Case-sensitive; linear
 * in practice, because it backtracks only to the last star. */
bool str_matches(struct str s, struct str pattern);

/* Strings in an arena. p NULL: the arena is full, or for str_copy() also an empty s. */
struct str str_copy(struct arena *a, struct str s);
struct str str_join(struct arena *a, const struct str *parts, size_t count); /* concatenated */
struct str str_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str str_lower(struct arena *a, struct str s); /* ASCII only */
const char *str_to_z(struct arena *a, struct str s); /* a NUL-terminated copy; "" when the arena is full */
RESULT str_decode_base64(struct arena *a, struct str s,
			 struct str *ret_bytes); /* skips white space; ERR_INVALID */
struct str str_encode_base64(struct arena *a, struct str bytes);
/* base64url without padding (RFC 4648, section 5). ERR_INVALID: a character outside its alphabet. */
struct str str_encode_base64url(struct arena *a, struct str bytes);
RESULT str_decode_base64url(struct arena *a, struct str s, struct str *ret_bytes);
struct str str_encode_hex(struct arena *a, const void *bytes, size_t size); /* lower case */
RESULT str_decode_hex(struct str s, void *ret_bytes, size_t size); /* exactly size bytes; ERR_INVALID */
/* Decodes application/x-www-form-urlencoded, including + as a space. ERR_INVALID: broken escape. */
RESULT str_decode_url(struct arena *a, struct str s, struct str *ret_value);
/* Encodes by RFC 3986: all but unreserved characters become %XX. keep_slash keeps '/'. */
struct str str_encode_url(struct arena *a, struct str s, bool keep_slash);
