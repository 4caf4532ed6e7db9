/* SPDX-License-Identifier: Apache-2.0
 * Writes log lines. A line is built on the stack and passed on in a single write(2), so lines of several
 * threads never mix. Long lines are truncated; logging never allocates or fails.
 *
 * The log's reader may stall, and a full pipe must not block a change. Lines without space are dropped and
 * counted, and the next written line is preceded by the count. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
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

/* Replaces control characters, which might arrive by an unquoted %s, so that they can't start a new line. */
static void defuse(char *text, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if ((unsigned char) text[k] < 0x20 || text[k] == 0x7F)
			text[k] = '?';
}

/* Returns false if the line finds no space. poll() guarantees 4 KiB in a pipe, the maximum length of a line.
 * A socket, such as journald's, has no such guarantee, so send() itself must be non-blocking. */
static bool hand_over(const char *line, size_t n)
{
	ssize_t sent = send(STDERR_FILENO, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0 || errno != ENOTSOCK)
		return sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&room, 1, 0) == 0)
		return false;
	ssize_t written = write(STDERR_FILENO, line, n);
	(void) written; /* no way to report a failure */
	return true;
}

/* Serialises writers: another thread's line could use the space seen by poll(). */
static void write_line(const char *line, size_t n)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static unsigned long dropped; /* since the last written line */
	char note[128], when[CLOCK_TEXT_SIZE];
	(void) pthread_mutex_lock(&lock);
	int size = !dropped ? 0
			    : snprintf(note, sizeof note,
				       "time=%s level=warn event=log-lines-dropped count=%lu\n",
				       clock_write_ms(clock_now_us(), when), dropped);
	if (size > 0 && hand_over(note, (size_t) size))
		dropped = 0;
	if (dropped || !hand_over(line, n))
		dropped++;
	(void) pthread_mutex_unlock(&lock);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	if ((int) level < atomic_load_explicit(&least_level, memory_order_relaxed))
		return;
	char line[LINE_SIZE], when[CLOCK_TEXT_SIZE];
	size_t room = sizeof line - 1; /* space for the newline */
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
	write_line(line, n);
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
			n = n > 1 ? 1 : n; /* in a two-byte control character, the other byte comes next */
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
