/* SPDX-License-Identifier: Apache-2.0
 * Creates strings in an arena: copies, formatted text, and encodings (base64, hex, URL). */
#include "base/letters.h"
#include "base/str.h"

#include <utf8proc.h>

#include <stdarg.h>
#include <stdio.h>

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

/* Allocates n bytes and a NUL, already present because arenas zero memory. */
static char *room_for(struct arena *a, size_t n)
{
	return n == SIZE_MAX ? NULL : arena_alloc(a, n + 1);
}

struct str str_copy(struct arena *a, struct str s)
{
	if (s.n == 0)
		return s.p ? STR("") : STR_NONE;
	char *p = room_for(a, s.n);
	if (!p)
		return STR_NONE;
	memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

struct str str_join(struct arena *a, const struct str *parts, size_t count)
{
	size_t size = 0, at = 0;
	for (size_t k = 0; k < count; k++)
		size += parts[k].n;
	char *whole = arena_alloc(a, size);
	for (size_t k = 0; whole && k < count; at += parts[k++].n)
		if (parts[k].n)
			memcpy(whole + at, parts[k].p, parts[k].n);
	return whole ? (struct str){whole, size} : STR_NONE;
}

struct str str_print(struct arena *a, const char *format, ...)
{
	char small[256];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (n < 0)
		return STR_NONE;
	if ((size_t) n < sizeof small)
		return str_copy(a, (struct str){small, (size_t) n});
	char *p = room_for(a, (size_t) n);
	if (!p)
		return STR_NONE;
	va_start(args, format);
	(void) vsnprintf(p, (size_t) n + 1, format, args);
	va_end(args);
	return (struct str){p, (size_t) n};
}

struct str str_lower(struct arena *a, struct str s)
{
	char *p = room_for(a, s.n);
	if (!p)
		return STR_NONE;
	for (size_t k = 0; k < s.n; k++) {
		char c = s.p[k];
		p[k] = c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
	}
	return (struct str){p, s.n};
}

const char *str_to_z(struct arena *a, struct str s)
{
	struct str copy = str_copy(a, s);
	return copy.p ? copy.p : "";
}

/* Tables of digits by character, for base64 and its form for URLs: the digit's value plus 1; 0: not a digit. */
#define BASE64_DIGITS(digit_62, digit_63)                                                                    \
	{                                                                                                    \
		['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,   \
		24, 25, 26, ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,  \
		45, 46, 47, 48, 49, 50, 51, 52, ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61,                  \
		62, [digit_62] = 63, [digit_63] = 64                                                         \
	}
static const uint8_t base64_digits[256] = BASE64_DIGITS('+', '/');
static const uint8_t base64url_digits[256] = BASE64_DIGITS('-', '_');

static bool is_base64_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void put_three(char *out, uint32_t bits)
{
	out[0] = (char) (bits >> 16 & 0xFF);
	out[1] = (char) (bits >> 8 & 0xFF);
	out[2] = (char) (bits & 0xFF);
}

/* Decodes groups of four digits into three bytes each, up to the first other character. Returns its place. */
static size_t decode_groups(struct str s, const uint8_t digits[static 256], char *out)
{
	size_t k = 0;
	for (; k + 4 <= s.n; k += 4, out += 3) {
		const uint8_t *in = (const uint8_t *) s.p + k;
		uint32_t a = digits[in[0]], b = digits[in[1]], c = digits[in[2]], d = digits[in[3]];
		if (!a || !b || !c || !d)
			break;
		put_three(out, (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1));
	}
	return k;
}

/* Decodes into out, which has space for three quarters of s. implied: padding that s leaves out. False: invalid character, data
 * after the padding, or a length that is not a multiple of four. */
static bool decode_base64(struct str s, const uint8_t digits[static 256], unsigned implied, char *out,
			  size_t *ret_size)
{
	size_t from = decode_groups(s, digits, out), size = from / 4 * 3;
	uint32_t bits = 0;
	unsigned held = 0, padding = 0; /* characters in the current group of four */
	for (size_t k = from; k < s.n + implied; k++) {
		char c = k < s.n ? s.p[k] : '=';
		if (is_base64_space(c))
			continue;
		if (c == '=') {
			if (held + padding < 2 || ++padding + held > 4)
				return false;
			continue;
		}
		unsigned digit = digits[(uint8_t) c];
		if (!digit || padding)
			return false;
		bits = bits << 6 | (digit - 1);
		if (++held < 4)
			continue;
		put_three(out + size, bits);
		size += 3;
		held = 0;
		bits = 0;
	}
	if (held + padding != 0 && held + padding != 4)
		return false;
	if (held == 3)
		out[size++] = (char) (bits >> 10 & 0xFF);
	if (held == 3)
		out[size++] = (char) (bits >> 2 & 0xFF);
	if (held == 2)
		out[size++] = (char) (bits >> 4 & 0xFF);
	*ret_size = size;
	return true;
}

static RESULT decode_by(struct arena *a, struct str s, const uint8_t digits[static 256], unsigned implied,
			struct str *ret_bytes)
{
	char *p = room_for(a, s.n / 4 * 3 + 3);
	if (!p)
		return FAIL(NO_MEMORY);
	size_t size = 0;
	if (!decode_base64(s, digits, implied, p, &size))
		return FAIL(INVALID);
	p[size] = 0;
	*ret_bytes = (struct str){p, size};
	return OK;
}

RESULT str_decode_base64(struct arena *a, struct str s, struct str *ret_bytes)
{
	return decode_by(a, s, base64_digits, 0, ret_bytes);
}

struct str str_encode_base64(struct arena *a, struct str bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (bytes.n > SIZE_MAX / 2)
		return STR_NONE;
	size_t n = (bytes.n + 2) / 3 * 4;
	char *p = room_for(a, n);
	if (!p)
		return STR_NONE;
	char *out = p;
	for (size_t k = 0; k < bytes.n; k += 3) {
		size_t have = bytes.n - k < 3 ? bytes.n - k : 3;
		uint32_t bits = (uint32_t) (unsigned char) bytes.p[k] << 16;
		if (have > 1)
			bits |= (uint32_t) (unsigned char) bytes.p[k + 1] << 8;
		if (have > 2)
			bits |= (unsigned char) bytes.p[k + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = have > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = have > 2 ? digits[bits & 63] : '=';
	}
	return (struct str){p, n};
}

static void swap_chars(char *text, size_t size, const char from[static 2], const char to[static 2])
{
	for (size_t k = 0; k < size; k++)
		text[k] = text[k] == from[0] ? to[0] : text[k] == from[1] ? to[1] : text[k];
}

struct str str_encode_base64url(struct arena *a, struct str bytes)
{
	struct str text = str_encode_base64(a, bytes);
	while (text.n && text.p[text.n - 1] == '=')
		text.n--;
	swap_chars((char *) text.p, text.n, "+/", "-_"); /* writable: just created in the arena */
	return text;
}

RESULT str_decode_base64url(struct arena *a, struct str s, struct str *ret_bytes)
{
	unsigned padding = (4 - s.n % 4) % 4;
	if (padding == 3 || str_find_char(s, '=', 0) < s.n)
		return FAIL(INVALID);
	return decode_by(a, s, base64url_digits, padding, ret_bytes);
}

struct str str_encode_hex(struct arena *a, const void *bytes, size_t size)
{
	const unsigned char *in = bytes;
	char *p = size > SIZE_MAX / 4 ? NULL : room_for(a, size * 2);
	if (!p)
		return STR_NONE;
	for (size_t k = 0; k < size; k++) {
		p[2 * k] = hex_lower[in[k] >> 4];
		p[2 * k + 1] = hex_lower[in[k] & 15];
	}
	return (struct str){p, size * 2};
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

RESULT str_decode_hex(struct str s, void *ret_bytes, size_t size)
{
	if (s.n % 2 || s.n / 2 != size)
		return FAIL(INVALID);
	for (size_t k = 0; k < s.n; k++) /* validate everything first: outputs are written on success only */
		if (hex_value(s.p[k]) < 0)
			return FAIL(INVALID);
	unsigned char *out = ret_bytes;
	for (size_t k = 0; k < size; k++)
		out[k] = (unsigned char) (hex_value(s.p[2 * k]) << 4 | hex_value(s.p[2 * k + 1]));
	return OK;
}

RESULT str_decode_url(struct arena *a, struct str s, struct str *ret_value)
{
	char *p = room_for(a, s.n);
	if (!p)
		return FAIL(NO_MEMORY);
	size_t n = 0;
	for (size_t k = 0; k < s.n; k++) {
		if (s.p[k] != '%') {
			p[n++] = s.p[k] == '+' ? ' ' : s.p[k];
			continue;
		}
		if (s.n - k < 3)
			return FAIL(INVALID);
		int high = hex_value(s.p[k + 1]), low = hex_value(s.p[k + 2]);
		if (high < 0 || low < 0)
			return FAIL(INVALID);
		p[n++] = (char) (high << 4 | low);
		k += 2;
	}
	*ret_value = (struct str){p, n};
	return OK;
}

static bool is_unreserved(char c)
{
	return str_is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

struct str str_encode_url(struct arena *a, struct str s, bool keep_slash)
{
	size_t n = 0;
	for (size_t k = 0; k < s.n; k++)
		n += is_unreserved(s.p[k]) || (keep_slash && s.p[k] == '/') ? 1 : 3;
	char *p = room_for(a, n);
	if (!p)
		return STR_NONE;
	char *out = p;
	for (size_t k = 0; k < s.n; k++) {
		unsigned char c = (unsigned char) s.p[k];
		if (is_unreserved(s.p[k]) || (keep_slash && c == '/')) {
			*out++ = (char) c;
			continue;
		}
		*out++ = '%';
		*out++ = hex_upper[c >> 4];
		*out++ = hex_upper[c & 15];
	}
	return (struct str){p, n};
}

/* ---- letters' case ---- */

enum { CHARACTER_SIZE_MAX = 4 };

/* Applies one of Unicode's simple mappings, character by character. */
static struct str map_letters(struct arena *a, struct str s, utf8proc_int32_t (*change)(utf8proc_int32_t))
{
	uint8_t *to = arena_alloc(a, s.n * CHARACTER_SIZE_MAX + 1);
	const uint8_t *from = (const uint8_t *) s.p;
	size_t n = 0;
	for (size_t at = 0; to && at < s.n;) {
		utf8proc_int32_t character = 0;
		utf8proc_ssize_t size =
			utf8proc_iterate(from + at, (utf8proc_ssize_t) (s.n - at), &character);
		if (size <= 0) {
			to[n++] = from[at++];
			continue;
		}
		n += (size_t) utf8proc_encode_char(change(character), to + n);
		at += (size_t) size;
	}
	return to ? (struct str){(const char *) to, n} : STR_NONE;
}

static bool is_ascii(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if ((unsigned char) s.p[k] >= 0x80)
			return false;
	return true;
}

/* Searches convert each field of each row, and nearly all are ASCII, which needs a quarter of the space. */
struct str str_lower_all(struct arena *a, struct str s)
{
	return is_ascii(s) ? str_lower(a, s) : map_letters(a, s, utf8proc_tolower);
}

/* Takes the next character in lower case; a byte that is not UTF-8 stands for itself, outside of Unicode. */
static utf8proc_int32_t next_lower(struct str *s)
{
	utf8proc_int32_t character = 0;
	utf8proc_ssize_t size = utf8proc_iterate((const uint8_t *) s->p, (utf8proc_ssize_t) s->n, &character);
	utf8proc_int32_t lower = size > 0 ? utf8proc_tolower(character) : -1 - (unsigned char) s->p[0];
	*s = str_slice(*s, size > 0 ? (size_t) size : 1, s->n);
	return lower;
}

bool str_equal_anycase(struct str a, struct str b)
{
	while (a.n && b.n)
		if (next_lower(&a) != next_lower(&b))
			return false;
	return !a.n && !b.n;
}

struct str str_upper_all(struct arena *a, struct str s)
{
	return map_letters(a, s, utf8proc_toupper);
}
