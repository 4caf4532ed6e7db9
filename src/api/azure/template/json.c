/* SPDX-License-Identifier: Apache-2.0
 * The lenient reader: recursive descent, as deep as TEMPLATE_DEPTH_MAX. */
#include "api/azure/template/json.h"

struct reader {
	struct ctx *c;
	struct str text;
	size_t at;
	unsigned depth;
};

/* ---- failures ---- */

static RESULT fail(struct reader *r, const char *what)
{
	size_t line = 1, begin = 0;
	for (size_t k = 0; k < r->at && k < r->text.n; k++)
		if (r->text.p[k] == '\n') {
			line++;
			begin = k + 1;
		}
	return ctx_fail(r->c, ERR_MALFORMED,
			"The request content was invalid and could not be deserialized: '%s Line %zu, "
			"position %zu.'.",
			what, line, r->at - begin + 1);
}

/* ---- between values ---- */

static char peek(const struct reader *r)
{
	return r->at < r->text.n ? r->text.p[r->at] : 0;
}

static bool starts(const struct reader *r, const char *word)
{
	return str_starts_with(str_slice(r->text, r->at, r->text.n), str_from(word));
}

static RESULT skip_comment(struct reader *r)
{
	const char *end = starts(r, "//") ? "\n" : "*/";
	size_t from = r->at;
	r->at += 2;
	while (r->at < r->text.n && !starts(r, end))
		r->at++;
	if (r->at == r->text.n && *end == '*') {
		r->at = from;
		return fail(r, "A comment does not end.");
	}
	r->at += r->at < r->text.n ? strlen(end) : 0;
	return OK;
}

static RESULT skip_space(struct reader *r)
{
	for (;;) {
		char c = peek(r);
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			r->at++;
		else if (starts(r, "//") || starts(r, "/*"))
			TRY(skip_comment(r));
		else
			return OK;
	}
}

/* ---- texts ---- */

static RESULT read_unit(struct reader *r, unsigned *ret_unit)
{
	uint8_t bytes[2];
	struct str digits = str_slice(r->text, r->at, r->at + 4);
	if (digits.n != 4 || !result_is_ok(str_decode_hex(digits, bytes, sizeof bytes)))
		return fail(r, "Bad escape of a character.");
	r->at += 4;
	*ret_unit = (unsigned) bytes[0] << 8 | bytes[1];
	return OK;
}

static size_t write_utf8(char *to, unsigned code)
{
	if (code < 0x80) {
		to[0] = (char) code;
		return 1;
	}
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t k = n; k-- > 1; code >>= 6)
		to[k] = (char) (0x80 | (code & 0x3f));
	to[0] = (char) (marks[n] | code);
	return n;
}

/* \uXXXX, or a surrogate pair of two. An escape is longer than its UTF-8, so a buffer of the raw text's size always suffices. */
static RESULT read_character(struct reader *r, char *to, size_t *n)
{
	unsigned code = 0, low = 0;
	TRY(read_unit(r, &code));
	if (code >= 0xd800 && code < 0xdc00 && starts(r, "\\u")) {
		r->at += 2;
		TRY(read_unit(r, &low));
		if (low < 0xdc00 || low > 0xdfff)
			return fail(r, "Bad escape of a character.");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	if (!code || (code >= 0xd800 && code < 0xe000))
		return fail(r, "Bad escape of a character.");
	*n += write_utf8(to + *n, code);
	return OK;
}

static RESULT read_escape(struct reader *r, char *to, size_t *n)
{
	static const char names[] = "\"\\/'bfnrt", values[] = "\"\\/'\b\f\n\r\t";
	char c = peek(r);
	const char *found = c ? strchr(names, c) : NULL;
	r->at++;
	if (c == 'u')
		return read_character(r, to, n);
	if (!found)
		return fail(r, "Bad escape of a character.");
	to[(*n)++] = values[found - names];
	return OK;
}

static RESULT read_quoted(struct reader *r, struct str *ret_text)
{
	char quote = r->text.p[r->at++];
	size_t from = r->at, end = from, n = 0;
	while (end < r->text.n && r->text.p[end] != quote)
		end += r->text.p[end] == '\\' ? 2 : 1;
	if (end >= r->text.n)
		return fail(r, "A text does not end.");
	char *to = arena_alloc(r->c->arena, end - from + 1);
	if (!to)
		return ctx_no_memory(r->c);
	while (r->at < end) {
		char c = r->text.p[r->at++];
		if (c == '\\')
			TRY(read_escape(r, to, &n));
		else
			to[n++] = c;
	}
	r->at = end + 1;
	*ret_text = (struct str){to, n};
	return OK;
}

static bool is_of_word(char c)
{
	return str_is_alphanumeric(c) || c == '_' || c == '$' || c == '-' || c == '+' || c == '.';
}

static struct str read_word(struct reader *r)
{
	size_t from = r->at;
	while (is_of_word(peek(r)))
		r->at++;
	return str_slice(r->text, from, r->at);
}

/* ---- values ---- */

static RESULT read_value(struct reader *r, json_t **ret_value);

static RESULT keep(struct reader *r, json_t *value, json_t **ret_value)
{
	if (!value)
		return ctx_no_memory(r->c);
	*ret_value = value;
	return OK;
}

/* Refuses an integer that does not fit into 64 bits, as Azure does. */
static RESULT read_scalar(struct reader *r, json_t **ret_value)
{
	size_t from = r->at;
	struct str word = read_word(r);
	int64_t number = 0;
	char *end = NULL;
	const char *z = str_to_z(r->c->arena, word);
	if (str_is(word, "true") || str_is(word, "false"))
		return keep(r, json_boolean(str_is(word, "true")), ret_value);
	if (str_is(word, "null"))
		return keep(r, json_null(), ret_value);
	if (result_is_ok(str_parse_int(word, &number)))
		return keep(r, json_integer(number), ret_value);
	double real = word.n && strspn(z, "0123456789+-.eE") == word.n ? strtod(z, &end) : 0;
	if (end && !*end && strpbrk(z, ".eE") && real - real == 0)
		return keep(r, json_real(real), ret_value);
	r->at = from;
	return fail(r, "Unexpected character encountered while parsing value.");
}

/* Consumes the separator before the next element, or the end of the list or object. */
static RESULT read_next(struct reader *r, char end, bool is_first, bool *ret_ends)
{
	TRY(skip_space(r));
	*ret_ends = peek(r) == end;
	if (*ret_ends) {
		r->at++;
		return OK;
	}
	if (is_first)
		return OK;
	if (peek(r) != ',')
		return fail(r, "A comma, or the end of an object or list, is missing.");
	r->at++;
	return skip_space(r);
}

static RESULT read_list(struct reader *r, json_t *list)
{
	bool ends = false;
	for (r->at++;;) {
		json_t *value = NULL;
		TRY(read_next(r, ']', !json_array_size(list), &ends));
		if (ends)
			return OK;
		TRY(read_value(r, &value));
		if (json_array_append_new(list, value))
			return ctx_no_memory(r->c);
	}
}

static RESULT read_member(struct reader *r, json_t *object)
{
	json_t *value = NULL;
	struct str name = STR_NONE;
	bool is_quoted = peek(r) == '"' || peek(r) == '\'';
	if (is_quoted)
		TRY(read_quoted(r, &name));
	else
		name = read_word(r);
	if (!is_quoted && !name.n)
		return fail(r, "A member's name is missing.");
	const char *z = str_to_z(r->c->arena, name);
	TRY(skip_space(r));
	if (peek(r) != ':')
		return fail(r, "A colon is missing behind a member's name.");
	r->at++;
	if (json_object_get(object, z))
		return fail(r, "A member's name stands twice.");
	TRY(read_value(r, &value));
	return json_object_set_new(object, z, value) ? ctx_no_memory(r->c) : OK;
}

static RESULT read_object(struct reader *r, json_t *object)
{
	bool ends = false;
	for (r->at++;;) {
		TRY(read_next(r, '}', !json_object_size(object), &ends));
		if (ends)
			return OK;
		TRY(read_member(r, object));
	}
}

static RESULT read_whole(struct reader *r, json_t **ret_value)
{
	bool is_object = peek(r) == '{';
	json_t *value = is_object ? json_object() : json_array();
	if (!value)
		return ctx_no_memory(r->c);
	if (++r->depth > TEMPLATE_DEPTH_MAX) {
		json_decref(value);
		return fail(r, "Objects and lists are too deep within each other.");
	}
	struct result result = is_object ? read_object(r, value) : read_list(r, value);
	r->depth--;
	if (!result_is_ok(result)) {
		json_decref(value);
		return result;
	}
	*ret_value = value;
	return OK;
}

static RESULT read_value(struct reader *r, json_t **ret_value)
{
	struct str text = STR_NONE;
	TRY(skip_space(r));
	if (peek(r) == '{' || peek(r) == '[')
		return read_whole(r, ret_value);
	if (peek(r) != '"' && peek(r) != '\'')
		return read_scalar(r, ret_value);
	TRY(read_quoted(r, &text));
	return keep(r, json_stringn(text.p ? text.p : "", text.n), ret_value);
}

RESULT template_read_json(struct ctx *c, struct str text, json_t **ret_value)
{
	struct reader r = {.c = c, .text = text};
	json_t *value = NULL;
	if (text.n > TEMPLATE_SIZE_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "The request content has more than %d bytes.",
				TEMPLATE_SIZE_MAX);
	if (!str_is_utf8(text))
		return fail(&r, "The text is not UTF-8.");
	TRY(read_value(&r, &value));
	struct result rest = skip_space(&r);
	if (result_is_ok(rest) && r.at < text.n)
		rest = fail(&r, "Something follows the end.");
	if (!result_is_ok(rest)) {
		json_decref(value);
		return rest;
	}
	*ret_value = value;
	return OK;
}
