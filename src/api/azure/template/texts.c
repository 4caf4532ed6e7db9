/* SPDX-License-Identifier: Apache-2.0
 * Functions of texts. Positions and lengths count characters (code points here; UTF-16 units in Azure). Source: "String
 * functions" of Azure's documentation. */
#include "api/azure/template/internal.h"
#include "base/letters.h"
#include "base/uuid_asked.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/uuid.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

enum { TEXT_SIZE_MAX = 1024 * 1024 };

/* ---- characters ---- */

static bool begins_character(char c)
{
	return ((unsigned char) c & 0xc0) != 0x80;
}

static size_t count_characters(struct str s)
{
	size_t count = 0;
	for (size_t k = 0; k < s.n; k++)
		count += begins_character(s.p[k]);
	return count;
}

/* Offset of the character with that number; the text's length if the text has fewer characters. */
static size_t find_character(struct str s, size_t number)
{
	size_t k = 0;
	for (; k < s.n; k++)
		if (begins_character(s.p[k]) && number-- == 0)
			break;
	return k;
}

static RESULT keep(struct template *t, const struct template_call *call, struct str text, json_t **ret)
{
	if (text.n > TEXT_SIZE_MAX)
		return function_fail(t, call, "the result has more than %d bytes",
				     TEXT_SIZE_MAX); /* guessed */
	return template_keep_text(t, text, ret);
}

/* ---- joining ---- */

static RESULT concat_lists(struct template *t, const struct template_call *call, json_t **ret)
{
	json_auto_t *to = json_array();
	for (size_t k = 0; k < call->count; k++)
		if (!json_is_array(call->args[k]))
			return function_fail(t, call, "all arguments must be arrays, or none"); /* guessed */
		else if (json_array_extend(to, call->args[k]))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

static RESULT join_parts(struct template *t, const struct template_call *call, const struct str *parts,
			 size_t count, json_t **ret)
{
	size_t size = 0;
	for (size_t k = 0; k < count; k++)
		size += parts[k].n;
	if (size > TEXT_SIZE_MAX)
		return function_fail(t, call, "the result has more than %d bytes",
				     TEXT_SIZE_MAX); /* guessed */
	return template_keep_text(t, str_join(t->c->arena, parts, count), ret);
}

RUN(concat)
{
	struct str *parts = arena_new_array(t->c->arena, struct str, call->count + 1);
	if (!parts)
		return ctx_no_memory(t->c);
	if (call->count && json_is_array(call->args[0]))
		return concat_lists(t, call, ret);
	for (size_t k = 0; k < call->count; k++) {
		if (json_is_array(call->args[k]) || json_is_object(call->args[k]))
			return function_fail(t, call, "all arguments must be arrays, or none"); /* guessed */
		TRY(template_to_text(t, call->args[k], &parts[k]));
	}
	return join_parts(t, call, parts, call->count, ret);
}

RUN(join)
{
	struct str between;
	size_t n = 0, count = json_array_size(call->args[0]);
	struct str *parts = arena_new_array(t->c->arena, struct str, 2 * count + 1);
	if (!parts)
		return ctx_no_memory(t->c);
	TRY(function_text(t, call, 1, &between));
	for (size_t k = 0; k < count; k++) {
		if (k)
			parts[n++] = between;
		TRY(template_to_text(t, json_array_get(call->args[0], k), &parts[n++]));
	}
	return join_parts(t, call, parts, n, ret);
}

/* "1,234.50" of 1234 in N2, "1234.5" in F1. A whole number has no digits behind the point to round. */
static struct str write_fixed(struct arena *a, int64_t value, size_t decimals, bool has_groups)
{
	struct str digits =
		str_print(a, "%llu", value < 0 ? 0 - (unsigned long long) value : (unsigned long long) value);
	char *to = arena_alloc(a, 2 * digits.n + decimals + 3);
	size_t n = 0;
	if (!to)
		return STR_NONE;
	if (value < 0)
		to[n++] = '-';
	for (size_t k = 0; k < digits.n; k++) {
		if (has_groups && k && (digits.n - k) % 3 == 0)
			to[n++] = ',';
		to[n++] = digits.p[k];
	}
	if (decimals)
		to[n++] = '.';
	for (size_t k = 0; k < decimals; k++)
		to[n++] = '0';
	return (struct str){to, n};
}

/* "N2" or "D4": .NET's standard formats of integers. False: not a standard format. */
static bool write_standard(struct arena *a, int64_t value, char letter, bool has_width, int width,
			   struct str *ret_text)
{
	bool is_lower = letter == 'x';
	switch (letter >= 'a' ? letter - 'a' + 'A' : letter) {
	case 'D':
		*ret_text = str_print(a, "%0*lld", width, (long long) value);
		return true;
	case 'X':
		*ret_text = str_print(a, is_lower ? "%0*llx" : "%0*llX", width, (long long) value);
		return true;
	case 'N':
		*ret_text = write_fixed(a, value, has_width ? (size_t) width : 2, true);
		return true;
	case 'F':
		*ret_text = write_fixed(a, value, has_width ? (size_t) width : 2, false);
		return true;
	case 'G':
	case 0:
		*ret_text = str_print(a, "%lld", (long long) value);
		return true;
	default:
		return false;
	}
}

/* A standard form, or zeros: "000". */
static RESULT write_number(struct template *t, const struct template_call *call, int64_t value,
			   struct str form, struct str *ret_text)
{
	int64_t width = 0;
	size_t zeros = 0;
	while (zeros < form.n && form.p[zeros] == '0')
		zeros++;
	if (form.n > 1)
		IGNORE(str_parse_int(str_slice(form, 1, form.n), &width)); /* no number: 0 */
	if (width < 0 || width > 64 || zeros > 64)
		return function_fail(t, call, "the format is not valid"); /* guessed */
	if (form.n && zeros == form.n)
		*ret_text = str_print(t->c->arena, "%0*lld", (int) zeros, (long long) value);
	else if (!write_standard(t->c->arena, value, form.n ? form.p[0] : 0, form.n > 1, (int) width,
				 ret_text))
		return function_fail(t, call, "the format '%" STR_FMT "' is not supported",
				     STR_ARG(str_slice(form, 0, 32)));
	return OK;
}

/* {0}, {1,-8} or {2:D4}: `at` is behind the brace, and goes behind the end. */
static RESULT format_one(struct template *t, const struct template_call *call, struct str hole,
			 struct str *ret_text)
{
	int64_t k = -1, width = 0;
	size_t colon = str_find_char(hole, ':', 0), comma = str_find_char(str_slice(hole, 0, colon), ',', 0);
	struct str form = str_slice(hole, colon + 1, hole.n);
	bool is_fit = result_is_ok(str_parse_int(str_slice(hole, 0, comma < colon ? comma : colon), &k));
	if (comma < colon)
		is_fit = is_fit &&
			 result_is_ok(str_parse_int(str_trim(str_slice(hole, comma + 1, colon)), &width));
	if (!is_fit || k < 0 || (size_t) k + 1 >= call->count || width > 1000 || width < -1000)
		return function_fail(t, call,
				     "index (zero based) must be greater than or equal to zero and less than "
				     "the size of the "
				     "argument list");
	const json_t *value = call->args[k + 1];
	if (json_is_integer(value))
		TRY(write_number(t, call, json_integer_value(value), form, ret_text));
	else
		TRY(template_to_text(t, value, ret_text));
	if (width)
		*ret_text = str_print(t->c->arena, "%*s", (int) width, str_to_z(t->c->arena, *ret_text));
	return OK;
}

RUN(format)
{
	struct str form, hole, made = STR_NONE;
	size_t count = 0, at = 0, from = 0;
	TRY(function_text(t, call, 0, &form));
	struct str *parts = arena_new_array(t->c->arena, struct str, 2 * form.n + 1);
	if (!parts)
		return ctx_no_memory(t->c);
	for (; at < form.n; at++) {
		char c = form.p[at];
		if (c != '{' && c != '}')
			continue;
		bool is_double = at + 1 < form.n && form.p[at + 1] == c;
		parts[count++] = str_slice(form, from, at + is_double);
		size_t end = is_double ? at + 1 : str_find_char(form, '}', at);
		if (!is_double && (c == '}' || end == form.n))
			return function_fail(t, call, "input string was not in a correct format");
		hole = str_slice(form, at + 1, end);
		if (!is_double) {
			TRY(format_one(t, call, hole, &made));
			parts[count++] = made;
		}
		at = end;
		from = end + 1;
	}
	parts[count++] = str_slice(form, from, form.n);
	return join_parts(t, call, parts, count, ret);
}

/* ---- one text ---- */

RUN(toLower)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	return keep(t, call, str_lower_all(t->c->arena, text), ret);
}

RUN(toUpper)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	return keep(t, call, str_upper_all(t->c->arena, text), ret);
}

RUN(trim)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	return template_keep_text(t, str_trim(text), ret);
}

RUN(string)
{
	struct str text;
	if (json_is_null(call->args[0]))
		return template_keep_text(t, STR_NONE, ret); /* guessed */
	TRY(template_to_text(t, call->args[0], &text));
	return keep(t, call, text, ret);
}

RUN(substring)
{
	struct str text;
	int64_t from = 0, length = 0;
	TRY(function_text(t, call, 0, &text));
	TRY(function_int(t, call, 1, &from));
	int64_t size = (int64_t) count_characters(text);
	length = size - from;
	if (call->count > 2)
		TRY(function_int(t, call, 2, &length));
	if (from < 0 || length < 0 || from > size || length > size - from)
		return ctx_fail(t->c, ERR_INVALID,
				"Unable to evaluate the template language function 'substring'. The index "
				"and length parameters "
				"must refer to a location within the string. The index parameter: '%lld', "
				"the length parameter: "
				"'%lld', the length of the string parameter: '%lld'. Please see "
				"https://aka.ms/arm-function-substring for usage details.",
				(long long) from, (long long) length, (long long) size);
	size_t begin = find_character(text, (size_t) from);
	struct str rest = str_slice(text, begin, text.n);
	return template_keep_text(t, str_slice(rest, 0, find_character(rest, (size_t) length)), ret);
}

RUN(replace)
{
	struct str text, old, new;
	TRY(function_text(t, call, 0, &text));
	TRY(function_text(t, call, 1, &old));
	TRY(function_text(t, call, 2, &new));
	struct str *parts = arena_new_array(t->c->arena, struct str, 2 * (text.n / (old.n ? old.n : 1)) + 2);
	size_t count = 0, from = 0;
	if (!parts)
		return ctx_no_memory(t->c);
	if (!old.n)
		return function_fail(t, call, "the text that is replaced must not be empty"); /* guessed */
	for (const char *at;
	     old.n <= text.n - from && (at = memmem(text.p + from, text.n - from, old.p, old.n));) {
		size_t k = (size_t) (at - text.p);
		parts[count++] = str_slice(text, from, k);
		parts[count++] = new;
		from = k + old.n;
	}
	parts[count++] = str_slice(text, from, text.n);
	return join_parts(t, call, parts, count, ret);
}

RUN(padLeft)
{
	struct str text, pad = STR(" ");
	int64_t width = 0;
	TRY(template_to_text(t, call->args[0], &text));
	TRY(function_int(t, call, 1, &width));
	if (call->count > 2)
		TRY(function_text(t, call, 2, &pad));
	if (width < 0 || width > 1000 || count_characters(pad) != 1)
		return function_fail(t, call,
				     "the width or the padding character is not valid"); /* guessed */
	for (size_t n = count_characters(text); n < (size_t) width; n++)
		text = str_join(t->c->arena, (const struct str[]){pad, text}, 2);
	return template_keep_text(t, text, ret);
}

/* The delimiter is one character, or any character of a list; adjacent delimiters give empty parts, as in .NET. */
RUN(split)
{
	struct str text, one;
	bool marks[256] = {false};
	size_t from = 0;
	json_auto_t *to = json_array();
	bool is_list = json_is_array(call->args[1]);
	TRY(function_text(t, call, 0, &text));
	for (size_t k = 0; k < (is_list ? json_array_size(call->args[1]) : 1); k++) {
		one = template_text_of(is_list ? json_array_get(call->args[1], k) : call->args[1]);
		if (one.n != 1)
			return function_fail(t, call, "a delimiter must be one character"); /* guessed */
		marks[(unsigned char) one.p[0]] = true;
	}
	for (size_t k = 0; k <= text.n; k++) {
		if (k < text.n && !marks[(unsigned char) text.p[k]])
			continue;
		one = str_slice(text, from, k);
		if (json_array_append_new(to, json_stringn(one.p ? one.p : "", one.n)))
			return ctx_no_memory(t->c);
		from = k + 1;
	}
	return template_keep(t, TAKE(to), ret);
}

/* ---- searching ---- */

static RESULT find_element(struct template *t, const struct template_call *call, bool from_end, json_t **ret)
{
	const json_t *list = call->args[0];
	size_t count = json_array_size(list), k = 0;
	bool is_found = false;
	for (; k < count; k++) {
		size_t at = from_end ? count - 1 - k : k;
		TRY(template_equal(t, json_array_get(list, at), call->args[1], &is_found));
		if (is_found)
			return template_keep(t, json_integer((json_int_t) at), ret);
	}
	return template_keep(t, json_integer(-1), ret);
}

/* Number of bytes of `part` that match the text from `at` on. */
static size_t count_same(struct str text, size_t at, struct str part)
{
	size_t n = 0;
	while (n < part.n && text.p[at + n] == part.p[n])
		n++;
	return n;
}

/* Reads the two texts that a function compares without regard to case, both in lower case. */
static RESULT read_folded(struct template *t, const struct template_call *call, struct str *ret_text,
			  struct str *ret_part)
{
	struct str text, part;
	TRY(function_text(t, call, 0, &text));
	TRY(function_text(t, call, 1, &part));
	TRY(template_step(t, 1 + (text.n + part.n) / 64));
	*ret_text = str_lower_all(t->c->arena, text);
	*ret_part = str_lower_all(t->c->arena, part);
	return (text.n && !ret_text->n) || (part.n && !ret_part->n) ? ctx_no_memory(t->c) : OK;
}

/* Searches a text without regard to case, and a list by the comparison of equals(). */
static RESULT find(struct template *t, const struct template_call *call, bool from_end, json_t **ret)
{
	struct str text, part;
	if (json_is_array(call->args[0]))
		return find_element(t, call, from_end, ret);
	TRY(read_folded(t, call, &text, &part));
	size_t places = part.n <= text.n ? text.n - part.n + 1 : 0;
	for (size_t k = 0; k < places; k++) {
		size_t at = from_end ? places - 1 - k : k, same = count_same(text, at, part);
		TRY(template_step(t, 1 + same / 4));
		if (same == part.n)
			return template_keep(
				t, json_integer((json_int_t) count_characters(str_slice(text, 0, at))), ret);
	}
	return template_keep(t, json_integer(-1), ret);
}
RUN(indexOf)
{
	return find(t, call, false, ret);
}
RUN(lastIndexOf)
{
	return find(t, call, true, ret);
}

static RESULT look(struct template *t, const struct template_call *call, bool at_end, json_t **ret)
{
	struct str text, part;
	TRY(read_folded(t, call, &text, &part));
	*ret = json_boolean(at_end ? str_ends_with(text, part) : str_starts_with(text, part));
	return OK;
}
RUN(startsWith)
{
	return look(t, call, false, ret);
}
RUN(endsWith)
{
	return look(t, call, true, ret);
}

/* ---- encodings ---- */

/* base64() encodes the text's bytes in UTF-8, with padding and without line breaks. */
RUN(base64)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	return keep(t, call, str_encode_base64(t->c->arena, text), ret);
}

RUN(base64ToString)
{
	struct str text, bytes;
	TRY(function_text(t, call, 0, &text));
	if (!result_is_ok(str_decode_base64(t->c->arena, text, &bytes)) || !str_is_utf8(bytes))
		return function_fail(t, call, "the argument is not the base64 of a text"); /* guessed */
	return template_keep_text(t, bytes, ret);
}

static RESULT parse_json(struct template *t, const struct template_call *call, struct str text, json_t **ret)
{
	json_t *value = NULL;
	if (!result_is_ok(template_read_json(t->c, text, &value))) {
		ctx_clear_problem(t->c);
		return function_fail(t, call, "the argument is not JSON"); /* guessed */
	}
	return template_keep(t, value, ret);
}

RUN(json)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	return parse_json(t, call, text, ret);
}

RUN(base64ToJson)
{
	json_t *text = NULL;
	TRY(run_base64ToString(t, call, &text));
	return parse_json(t, call, template_text_of(text), ret);
}

RUN(uriComponent)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	return keep(t, call, str_encode_url(t->c->arena, text, false), ret);
}

RUN(uriComponentToString)
{
	struct str text, plain = STR_NONE, *parts = NULL;
	size_t count = 0, from = 0;
	TRY(function_text(t, call, 0, &text));
	parts = arena_new_array(t->c->arena, struct str, 2 * text.n + 1);
	if (!parts)
		return ctx_no_memory(t->c);
	for (size_t k = 0; k < text.n; k++) { /* here + is no space */
		if (text.p[k] != '+')
			continue;
		parts[count++] = str_slice(text, from, k);
		parts[count++] = STR("%2B");
		from = k + 1;
	}
	parts[count++] = str_slice(text, from, text.n);
	if (!result_is_ok(str_decode_url(t->c->arena, str_join(t->c->arena, parts, count), &plain)) ||
	    !str_is_utf8(plain))
		return function_fail(t, call,
				     "the argument is not encoded as a URI component is"); /* guessed */
	return template_keep_text(t, plain, ret);
}

/* ---- derived from other texts ---- */

static RESULT join_args(struct template *t, const struct template_call *call, const char *between,
			struct str *ret_text)
{
	*ret_text = STR_NONE;
	for (size_t k = 0; k < call->count; k++) {
		struct str text;
		TRY(function_text(t, call, k, &text));
		*ret_text = str_print(t->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(*ret_text),
				      k ? between : "", STR_ARG(text));
	}
	return template_step(t, ret_text->n);
}

RUN(uniqueString)
{
	struct str text;
	char to[TEMPLATE_UNIQUE_SIZE];
	TRY(join_args(t, call, "-", &text));
	template_write_unique(text, to);
	return template_keep_text(t, (struct str){to, sizeof to}, ret);
}

/* A UUID of version 5 in the name space that Azure Resource Manager uses. */
RUN(guid)
{
	struct str text;
	uuid space;
	TRY(join_args(t, call, "-", &text));
	TRY(uuid_parse_asked(STR("11fb06fb-712d-4ddd-98c7-e71bbd588830"), &space));
	return template_keep_text(t, uuid_to_str(t->c->arena, uuid_v5(space, text)), ret);
}

RUN(newGuid)
{
	(void) call;
	return template_keep_text(t, uuid_to_str(t->c->arena, uuid_random()), ret);
}

static const struct template_function rows[] = {
	{"concat", 0, ARGS_ANY, run_concat, 0},
	{"format", 1, ARGS_ANY, run_format, 0},
	{"join", 2, 2, run_join, 0},
	{"toLower", 1, 1, run_toLower, 0},
	{"toUpper", 1, 1, run_toUpper, 0},
	{"trim", 1, 1, run_trim, 0},
	{"string", 1, 1, run_string, 0},
	{"substring", 2, 3, run_substring, 0},
	{"replace", 3, 3, run_replace, 0},
	{"padLeft", 2, 3, run_padLeft, 0},
	{"split", 2, 2, run_split, 0},
	{"indexOf", 2, 2, run_indexOf, 0},
	{"lastIndexOf", 2, 2, run_lastIndexOf, 0},
	{"startsWith", 2, 2, run_startsWith, 0},
	{"endsWith", 2, 2, run_endsWith, 0},
	{"base64", 1, 1, run_base64, 0},
	{"base64ToString", 1, 1, run_base64ToString, 0},
	{"base64ToJson", 1, 1, run_base64ToJson, 0},
	{"json", 1, 1, run_json, 0},
	{"uriComponent", 1, 1, run_uriComponent, 0},
	{"uriComponentToString", 1, 1, run_uriComponentToString, 0},
	{"uniqueString", 1, ARGS_ANY, run_uniqueString, 0},
	{"guid", 1, ARGS_ANY, run_guid, 0},
	{"newGuid", 0, 0, run_newGuid, FUNCTION_DEFAULT},
};
const struct template_functions template_texts = {rows, sizeof rows / sizeof rows[0]};
