/* SPDX-License-Identifier: Apache-2.0
 * Borrowed strings: a pointer and a length. A struct str does not own its bytes, never changes
 * them, and need not end with NUL. {NULL, 0} is the empty string. A function that makes a string in
 * an arena also puts a NUL behind it, which n does not count. Any thread. */
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

/* A name and its value, of a query or a form say. */
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
/* For printf: printf("%" STR_FMT, STR_ARG(s)) */
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
int str_compare_nocase(struct str a, struct str b); /* likewise, ASCII letters as if small */
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
struct str str_slice(struct str s, size_t from, size_t to); /* a range beyond s is cut to s */
struct str str_cut(struct str s,
		   size_t size);   /* its beginning, of at most so many bytes, and of whole characters */
struct str str_trim(struct str s); /* removes ASCII white space at both ends */
/* The position of the first c at `from` or later; s.n if there is none. */
size_t str_find_char(struct str s, char c, size_t from);
bool str_contains(struct str s, struct str part);
/* Cuts off what stands before the next sep, and leaves in *rest what stands behind it. Returns
 * false when *rest is used up. "a,,b" gives "a", "", "b"; "a," gives only "a"; "" gives nothing. */
bool str_split_next(struct str *rest, char sep, struct str *ret_piece);

/* Numbers: the whole string must be a decimal number with an optional sign, without white space,
 * that fits. ERR_INVALID. */
RESULT str_parse_int(struct str s, int64_t *ret_value);
RESULT str_parse_bool(struct str s, bool *ret_value); /* "true" or "false" in any letter case; ERR_INVALID */
bool str_is_utf8(struct str s);                       /* well-formed UTF-8 without NUL */
bool str_is_xml_text(struct str s);                   /* UTF-8 of characters legal in XML 1.0 */
bool str_is_line(struct str s);                       /* the same, without line ends and control characters */
/* Matches a whole string as a shell does: * is any run, ? is one character, \ escapes. It is
 * case-sensitive, and linear in practice, because it backtracks only to the last star. */
bool str_matches(struct str s, struct str pattern);

/* Strings in an arena. A result whose p is NULL means that the arena is full, or for str_copy()
 * that s was empty. */
struct str str_copy(struct arena *a, struct str s);
struct str str_join(struct arena *a, const struct str *parts, size_t count); /* one behind the other */
struct str str_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str str_lower(struct arena *a, struct str s); /* ASCII */
const char *str_to_z(struct arena *a,
		     struct str s); /* a copy that ends with NUL; "" when the arena is full */
RESULT str_decode_base64(struct arena *a, struct str s,
			 struct str *ret_bytes); /* white space skipped; ERR_INVALID */
struct str str_encode_base64(struct arena *a, struct str bytes);
/* base64url without padding (RFC 4648, section 5). ERR_INVALID: a character that is none of it. */
struct str str_encode_base64url(struct arena *a, struct str bytes);
RESULT str_decode_base64url(struct arena *a, struct str s, struct str *ret_bytes);
struct str str_encode_hex(struct arena *a, const void *bytes, size_t size); /* lower case */
RESULT str_decode_hex(struct str s, void *ret_bytes, size_t size); /* exactly size bytes; ERR_INVALID */
/* Decodes application/x-www-form-urlencoded: + is a space. ERR_INVALID for a broken escape. */
RESULT str_decode_url(struct arena *a, struct str s, struct str *ret_value);
/* Encodes by RFC 3986: all but unreserved characters become %XX. keep_slash leaves '/' as it is. */
struct str str_encode_url(struct arena *a, struct str s, bool keep_slash);
