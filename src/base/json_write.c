/* SPDX-License-Identifier: Apache-2.0
 * The JSON writer. Used for every OpenStack answer, like xml.c for EC2's: a member whose text needs no
 * escaping, as nearly all do, takes one capacity check and three copies. */
#include "base/json_write.h"

#include <assert.h>
#include <stdio.h>

#include "base/utf8.h"

/* 1: needs escaping. Bytes from 0x80 on are examined as UTF-8. */
static const unsigned char is_special[256] = {
	[0 ... 0x1F] = 1,
	['"'] = 1,
	['\\'] = 1,
	[0x7F ... 0xFF] = 1,
};

static size_t plain_run(struct str s, size_t at)
{
	size_t end = at;
	while (end < s.n && !is_special[(unsigned char) s.p[end]])
		end++;
	return end - at;
}

static void add_character(struct buf *b, struct str s, size_t at, size_t *ret_size)
{
	uint32_t c = 0;
	size_t n = utf8_decode(s, at, &c);
	*ret_size = n ? n : 1;
	if (n == 0)
		buf_add_str(b, STR("\xEF\xBF\xBD")); /* U+FFFD */
	else if (c == '\n')
		buf_add_str(b, STR("\\n"));
	else if (c < 0x20 || c == 0x7F)
		buf_print(b, "\\u%04x", (unsigned) c);
	else {
		if (c == '"' || c == '\\')
			buf_add_char(b, '\\');
		buf_add(b, s.p + at, n);
	}
}

static void add_escaped(struct buf *b, struct str s)
{
	for (size_t at = 0; at < s.n;) {
		size_t n = plain_run(s, at);
		buf_add(b, s.p + at, n);
		at += n;
		if (at < s.n) {
			add_character(b, s, at, &n);
			at += n;
		}
	}
}

static char *put(char *p, const char *from, size_t n)
{
	memcpy(p, from, n);
	return p + n;
}

/* Writes [,]["key":]value, where value needs no escaping; quoted: adds quotes. */
static void add_member(struct json_writer *w, const char *key, struct str value, bool quoted)
{
	size_t n = key ? strlen(key) : 0;
	if (value.n > SIZE_MAX / 2 || !buf_reserve(w->out, n + value.n + 6))
		return;
	char *p = w->out->p + w->out->size;
	if (w->needs_comma)
		*p++ = ',';
	if (key) {
		*p++ = '"';
		p = put(p, key, n);
		*p++ = '"';
		*p++ = ':';
	}
	if (quoted)
		*p++ = '"';
	if (value.n)
		p = put(p, value.p, value.n);
	if (quoted)
		*p++ = '"';
	w->out->size = (size_t) (p - w->out->p);
	w->needs_comma = true;
}

void json_write_begin(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out};
}

static void open_with(struct json_writer *w, const char *key, struct str bracket)
{
	add_member(w, key, bracket, false);
	w->depth++;
	w->needs_comma = false;
}

static void close_with(struct json_writer *w, char bracket)
{
	assert(w->depth > 0);
	w->depth--;
	buf_add_char(w->out, bracket);
	w->needs_comma = true;
}

void json_write_open(struct json_writer *w, const char *key)
{
	open_with(w, key, STR("{"));
}

void json_write_close(struct json_writer *w)
{
	close_with(w, '}');
}

void json_write_open_list(struct json_writer *w, const char *key)
{
	open_with(w, key, STR("["));
}

void json_write_close_list(struct json_writer *w)
{
	close_with(w, ']');
}

void json_write_key(struct json_writer *w, struct str key)
{
	json_write_text(w, NULL, key);
	buf_add_char(w->out, ':');
	w->needs_comma = false;
}

void json_write_text(struct json_writer *w, const char *key, struct str text)
{
	if (plain_run(text, 0) == text.n) {
		add_member(w, key, text, true);
		return;
	}
	add_member(w, key, STR("\""), false);
	add_escaped(w->out, text);
	buf_add_char(w->out, '"');
}

void json_write_text_or_null(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		json_write_text(w, key, text);
	else
		json_write_null(w, key);
}

void json_write_z(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_write_text(w, key, str_from(text));
	else
		json_write_null(w, key);
}

void json_write_uuid(struct json_writer *w, const char *key, uuid id)
{
	char text[UUID_TEXT_SIZE];
	add_member(w, key, (struct str){uuid_write(id, text), UUID_TEXT_SIZE - 1}, true);
}

void json_write_uuid_or_null(struct json_writer *w, const char *key, uuid id)
{
	if (uuid_is_none(id))
		json_write_null(w, key);
	else
		json_write_uuid(w, key, id);
}

void json_write_int(struct json_writer *w, const char *key, int64_t value)
{
	char digits[20]; /* "-9223372036854775808" */
	char *end = digits + sizeof digits, *p = end;
	uint64_t left = value < 0 ? -(uint64_t) value : (uint64_t) value;
	do {
		*--p = (char) ('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		*--p = '-';
	add_member(w, key, (struct str){p, (size_t) (end - p)}, false);
}

void json_write_real(struct json_writer *w, const char *key, double value)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%.17g", value);
	add_member(w, key, (struct str){text, n > 0 ? (size_t) n : 0}, false);
}

void json_write_bool(struct json_writer *w, const char *key, bool value)
{
	add_member(w, key, value ? STR("true") : STR("false"), false);
}

void json_write_null(struct json_writer *w, const char *key)
{
	add_member(w, key, STR("null"), false);
}

void json_write_raw(struct json_writer *w, const char *key, struct str json)
{
	add_member(w, key, json, false);
}

RESULT json_write_end(struct json_writer *w)
{
	assert(w->depth == 0);
	return buf_finish(w->out);
}
