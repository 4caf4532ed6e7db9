/* SPDX-License-Identifier: Apache-2.0
 * Texts of events. An event holds its sentence, in English with "{}" for each argument, and its arguments
 * apart: kind, `what` and sentence are a code that clients translate, as gettext's message ids are. Each
 * argument ends with a unit separator (U+001F), which values cannot contain. Events of before this split are
 * sentences without arguments. */
#pragma once

#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
	EVENT_ARGUMENTS_CAP = 2048, /* bytes; names have up to 255 characters */
	EVENT_SEPARATOR = 0x1f,
};

struct event_words {
	struct str sentence, arguments;
};

/* Splits a printf() format and its values, in the arena. Knows %s, %.*s, %d, %u, %lld, %llu, %zu and the PRI
 * words of 64 bits; anything else is a bug, and stays in the sentence. Values beyond EVENT_ARGUMENTS_CAP are
 * cut off. ERR_NO_MEMORY. */
RESULT event_split(struct arena *arena, const char *format, va_list values, struct event_words *ret_words);

/* Takes the first argument off; false: there is none. */
static inline bool event_take_argument(struct str *arguments, struct str *ret_argument)
{
	return str_split_next(arguments, EVENT_SEPARATOR, ret_argument);
}

/* Appends the sentence with its arguments. "{}" stays where no argument is left. */
void event_render(struct buf *text, struct str sentence, struct str arguments);
