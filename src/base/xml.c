/* SPDX-License-Identifier: Apache-2.0
 * The XML writer. Used for every EC2 answer: an element whose text needs no escaping, as nearly all do, takes
 * one capacity check and three copies. */
#include "base/xml.h"

#include <assert.h>

#include "base/clock.h"
#include "base/utf8.h"

/* 1: needs escaping in text or attributes. Bytes from 0x80 on are examined as UTF-8: an answer must be
 * well-formed whatever a guest or driver returned. */
static const unsigned char is_special[256] = {
	[0 ... 8] = 1, [0x0B ... 0x1F] = 1, ['"'] = 1, ['&'] = 1, ['<'] = 1, ['>'] = 1, [0x80 ... 0xFF] = 1,
};

static size_t plain_run(struct str s, size_t at)
{
	size_t end = at;
	while (end < s.n && !is_special[(unsigned char) s.p[end]])
		end++;
	return end - at;
}

bool xml_is_plain(struct str text)
{
	return plain_run(text, 0) == text.n;
}

static void add_character(struct buf *b, struct str s, size_t at, size_t *ret_size)
{
	uint32_t c = 0;
	size_t n = utf8_decode(s, at, &c);
	*ret_size = n ? n : 1;
	if (n > 1 && c != 0xFFFE && c != 0xFFFF)
		buf_add(b, s.p + at, n);
	else if (n == 1 && c == '&')
		buf_add_str(b, STR("&amp;"));
	else if (n == 1 && c == '<')
		buf_add_str(b, STR("&lt;"));
	else if (n == 1 && c == '>')
		buf_add_str(b, STR("&gt;"));
	else if (n == 1 && c == '"')
		buf_add_str(b, STR("&quot;"));
	else if (n == 1 && c == '\r')
		buf_add_str(b, STR("&#13;")); /* a parser would turn an unescaped one into a newline */
	else
		buf_add_str(b, STR("\xEF\xBF\xBD")); /* U+FFFD: not representable in XML */
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

void xml_escape(struct buf *out, struct str text)
{
	add_escaped(out, text);
}

void xml_begin(struct xml *x, struct buf *out)
{
	*x = (struct xml){.out = out};
	buf_add_str(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
}

static char *put(char *p, const char *from, size_t n)
{
	memcpy(p, from, n);
	return p + n;
}

void xml_open_named(struct xml *x, struct str name)
{
	x->depth++;
	if (!buf_reserve(x->out, name.n + 2))
		return;
	char *p = x->out->p + x->out->size;
	*p++ = '<';
	p = put(p, name.p, name.n);
	*p = '>';
	x->out->size += name.n + 2;
}

void xml_open_ns(struct xml *x, const char *name, struct str xmlns)
{
	x->depth++;
	buf_add_char(x->out, '<');
	buf_add_str(x->out, str_from(name));
	buf_add_str(x->out, STR(" xmlns=\""));
	add_escaped(x->out, xmlns);
	buf_add_str(x->out, STR("\">"));
}

void xml_close_named(struct xml *x, struct str name)
{
	assert(x->depth > 0);
	x->depth--;
	if (!buf_reserve(x->out, name.n + 3))
		return;
	char *p = x->out->p + x->out->size;
	*p++ = '<';
	*p++ = '/';
	p = put(p, name.p, name.n);
	*p = '>';
	x->out->size += name.n + 3;
}

void xml_empty_named(struct xml *x, struct str name)
{
	buf_add_char(x->out, '<');
	buf_add_str(x->out, name);
	buf_add_str(x->out, STR("/>"));
}

void xml_plain_named(struct xml *x, struct str name, struct str text)
{
	struct buf *b = x->out;
	if (text.n > SIZE_MAX / 2 || !buf_reserve(b, 2 * name.n + 5 + text.n))
		return;
	char *p = b->p + b->size;
	*p++ = '<';
	p = put(p, name.p, name.n);
	*p++ = '>';
	if (text.n)
		p = put(p, text.p, text.n);
	*p++ = '<';
	*p++ = '/';
	p = put(p, name.p, name.n);
	*p++ = '>';
	b->size = (size_t) (p - b->p);
}

void xml_text_named(struct xml *x, struct str name, struct str text)
{
	if (plain_run(text, 0) == text.n) {
		xml_plain_named(x, name, text);
		return;
	}
	xml_open_named(x, name);
	add_escaped(x->out, text);
	xml_close_named(x, name);
}

void xml_int_named(struct xml *x, struct str name, int64_t value)
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
	xml_plain_named(x, name, (struct str){p, (size_t) (end - p)});
}

void xml_time_ms_named(struct xml *x, struct str name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	xml_plain_named(x, name, str_from(clock_write_ms(time_us, text)));
}

RESULT xml_end(struct xml *x)
{
	assert(x->depth == 0);
	return buf_finish(x->out);
}
