/* SPDX-License-Identifier: Apache-2.0
 * Writing log lines: put together on the stack, handed over in one write(2), so that lines of
 * several threads never mix. A line that is too long is cut; log lines never allocate or fail. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_SIZE = 4096, QUOTE_CUT = 1000, QUOTE_SIZE = QUOTE_CUT + 32, QUOTE_SLOTS = 8 };

static atomic_int least_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&least_level, (int) level, memory_order_relaxed);
}

static const char *level_word(enum log_level level)
{
	static const char *const words[] = {"debug", "info", "warn", "error"};
	return (unsigned) level <= LOG_ERROR ? words[level] : "?";
}

/* Control characters that came in by an unquoted %s must not begin a line of their own. */
static void defuse(char *text, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if ((unsigned char) text[k] < 0x20 || text[k] == 0x7F)
			text[k] = '?';
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	if ((int) level < atomic_load_explicit(&least_level, memory_order_relaxed))
		return;
	char line[LINE_SIZE], when[CLOCK_TEXT_SIZE];
	size_t room = sizeof line - 1; /* the newline's place */
	int head = snprintf(line, room, "time=%s level=%s event=%s", clock_write_ms(clock_now_us(), when),
			    level_word(level), event);
	size_t n = head < 0 ? 0 : (size_t) head < room ? (size_t) head : room - 1;
	if (format && *format && n + 2 < room) {
		line[n++] = ' ';
		va_list args;
		va_start(args, format);
		int more = vsnprintf(line + n, room - n, format, args);
		va_end(args);
		if (more > 0)
			n += (size_t) more < room - n ? (size_t) more : room - n - 1;
	}
	defuse(line, n);
	line[n++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, n);
	(void) written; /* nowhere left to tell */
}

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
}

static bool needs_quotes(struct str value)
{
	for (size_t k = 0; k < value.n; k++)
		if (!is_plain(value.p[k]))
			return true;
	return value.n == 0;
}

static char *put_escaped(char *p, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	*p++ = '\\';
	if (c == '"' || c == '\\') {
		*p++ = (char) c;
	} else if (c == '\n') {
		*p++ = 'n';
	} else if (c == '\t') {
		*p++ = 't';
	} else if (c == '\r') {
		*p++ = 'r';
	} else {
		*p++ = 'x';
		*p++ = digits[c >> 4];
		*p++ = digits[c & 15];
	}
	return p;
}

static void write_quoted(struct str value, char *out)
{
	char *p = out;
	*p++ = '"';
	size_t at = 0;
	while (at < value.n && p - out < QUOTE_CUT) {
		uint32_t character = 0;
		size_t n = utf8_decode(value, at, &character);
		if (n == 0 || character < 0x20 || (character >= 0x7F && character < 0xA0) ||
		    character == '"' || character == '\\') {
			p = put_escaped(p, (unsigned char) value.p[at]);
			n = n > 1 ? 1 : n; /* of a two-byte control character: the other byte comes next */
		} else {
			memcpy(p, value.p + at, n);
			p += n;
		}
		at += n ? n : 1;
	}
	if (at < value.n) {
		memcpy(p, "...", 3);
		p += 3;
	}
	*p++ = '"';
	*p = 0;
}

const char *log_quote(struct str value)
{
	static _Thread_local char slots[QUOTE_SLOTS][QUOTE_SIZE];
	static _Thread_local unsigned next;
	char *out = slots[next++ % QUOTE_SLOTS];
	if (value.n <= QUOTE_CUT && !needs_quotes(value)) {
		memcpy(out, value.p, value.n);
		out[value.n] = 0;
	} else {
		write_quoted(value, out);
	}
	return out;
}
