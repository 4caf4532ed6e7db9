/* SPDX-License-Identifier: Apache-2.0
 * Splitting of printf() formats into sentences and arguments, and the way back to a text. */
#include "store/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

static const struct str place = {"{}", 2};

static void add_argument(struct buf *arguments, struct str value)
{
	size_t room = EVENT_ARGUMENTS_CAP - arguments->size;
	value = str_cut(value, room ? room - 1 : 0);
	for (size_t k = 0; k < value.n; k++)
		buf_add_char(arguments, value.p[k] == EVENT_SEPARATOR ? ' ' : value.p[k]);
	if (room)
		buf_add_char(arguments, EVENT_SEPARATOR);
}

/* A conversion's length word and letter; size 0: none that events use. */
struct conversion {
	size_t size;
	char length; /* 'l', 'L' for "ll", 'z', '*' for ".*", or 0 */
	char letter;
};

static struct conversion read_conversion(const char *p)
{
	static const struct {
		const char *text;
		char length;
	} lengths[] = {{".*", '*'}, {"ll", 'L'}, {"l", 'l'}, {"z", 'z'}, {"", 0}};
	size_t k = 0;
	while (strncmp(p, lengths[k].text, strlen(lengths[k].text)) != 0)
		k++;
	size_t size = strlen(lengths[k].text);
	char letter = p[size];
	bool is_known = lengths[k].length == '*' ? letter == 's'
			: lengths[k].length      ? letter == 'd' || letter == 'u'
						 : letter && strchr("sdu%", letter);
	return is_known ? (struct conversion){size + 1, lengths[k].length, letter} : (struct conversion){0};
}

static int64_t take_signed(char length, va_list *values)
{
	return length == 'l'   ? va_arg(*values, long)
	       : length == 'L' ? va_arg(*values, long long)
	       : length == 'z' ? va_arg(*values, ssize_t)
			       : va_arg(*values, int);
}

static uint64_t take_unsigned(char length, va_list *values)
{
	return length == 'l'   ? va_arg(*values, unsigned long)
	       : length == 'L' ? va_arg(*values, unsigned long long)
	       : length == 'z' ? va_arg(*values, size_t)
			       : va_arg(*values, unsigned);
}

static void take_value(struct buf *arguments, struct conversion c, va_list *values)
{
	char number[32] = "";
	if (c.letter == 's' && c.length == '*') {
		int n = va_arg(*values, int);
		const char *p = va_arg(*values, const char *);
		add_argument(arguments, (struct str){p, (size_t) n});
		return;
	}
	if (c.letter == 's') {
		add_argument(arguments, str_from(va_arg(*values, const char *)));
		return;
	}
	if (c.letter == 'd')
		(void) snprintf(number, sizeof number, "%" PRId64, take_signed(c.length, values));
	else
		(void) snprintf(number, sizeof number, "%" PRIu64, take_unsigned(c.length, values));
	add_argument(arguments, str_from(number));
}

RESULT event_split(struct arena *arena, const char *format, va_list given, struct event_words *ret_words)
{
	va_list values;
	struct buf sentence, arguments;
	va_copy(values, given);
	buf_init(&sentence, 2 * strlen(format) + 1);
	buf_init(&arguments, EVENT_ARGUMENTS_CAP);
	for (const char *p = format; *p; p++) {
		struct conversion c = *p == '%' ? read_conversion(p + 1) : (struct conversion){0};
		if (c.size && c.letter != '%') {
			buf_add_str(&sentence, place);
			take_value(&arguments, c, &values);
		} else {
			buf_add_char(&sentence, *p);
		}
		p += c.size;
	}
	va_end(values);
	struct result result = buf_finish(&sentence);
	if (result_is_ok(result))
		result = buf_finish(&arguments);
	*ret_words = (struct event_words){str_copy(arena, buf_str(&sentence)),
					  str_copy(arena, buf_str(&arguments))};
	buf_done(&sentence);
	buf_done(&arguments);
	return result;
}

void event_render(struct buf *text, struct str sentence, struct str arguments)
{
	for (size_t k = 0; k < sentence.n; k++) {
		struct str value = place;
		if (!str_starts_with(str_slice(sentence, k, sentence.n), place)) {
			buf_add_char(text, sentence.p[k]);
			continue;
		}
		(void) event_take_argument(&arguments, &value);
		buf_add_str(text, value);
		k += place.n - 1;
	}
}
