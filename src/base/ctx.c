/* SPDX-License-Identifier: Apache-2.0
 * Records the first problem of a call. If memory for the message is missing, the error kind's meaning is used
 * instead, so an error is never lost. */
#include "base/ctx.h"

#include <stdio.h>

void ctx_init(struct ctx *c, struct arena *arena)
{
	*c = (struct ctx){.arena = arena};
}

static struct str print_message(struct arena *a, enum err err, const char *format, va_list args)
{
	char small[512];
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(small, sizeof small, format, args);
	struct str message = STR_NONE;
	if (a && n >= 0 && (size_t) n < sizeof small) {
		message = str_copy(a, (struct str){small, (size_t) n});
	} else if (a && n >= 0) {
		char *p = arena_alloc(a, (size_t) n + 1);
		if (p)
			message = (struct str){p, (size_t) vsnprintf(p, (size_t) n + 1, format, again)};
	}
	va_end(again);
	return message.n ? message : str_from(err_meaning(err));
}

static void record(struct ctx *c, enum err err, int kind, struct str field, const char *format, va_list args)
{
	if (c->problem.err != ERR_NONE)
		return;
	c->problem = (struct problem){.err = err, .kind = kind};
	c->problem.message = print_message(c->arena, err, format, args);
	if (c->arena)
		c->problem.field = str_copy(c->arena, field);
}

RESULT ctx_fail(struct ctx *c, enum err err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	record(c, err, 0, STR_NONE, format, args);
	va_end(args);
	return (struct result){err};
}

RESULT ctx_fail_kind(struct ctx *c, enum err err, int kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	record(c, err, kind, STR_NONE, format, args);
	va_end(args);
	return (struct result){err};
}

RESULT ctx_fail_field(struct ctx *c, enum err err, struct str field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	record(c, err, 0, field, format, args);
	va_end(args);
	return (struct result){err};
}

void ctx_clear_problem(struct ctx *c)
{
	c->problem = (struct problem){0};
}

RESULT ctx_check_may_act(struct ctx *c)
{
	if (!c->may_act || c->may_act(c->may_act_self))
		return OK;
	return ctx_fail(c, ERR_AGAIN,
			"this process may no longer be the region's writer, so it calls no host");
}

RESULT ctx_no_memory(struct ctx *c)
{
	if (c->arena && arena_is_over_cap(c->arena))
		return ctx_fail(c, ERR_TOO_LARGE, "the request needs more memory than one request may have");
	return ctx_fail(c, ERR_NO_MEMORY, "out of memory");
}
