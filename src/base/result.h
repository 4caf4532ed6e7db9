/* SPDX-License-Identifier: Apache-2.0
 * The one result type, and how failures travel.
 *
 * A function that can fail returns RESULT: a struct of one word, which says what kind of failure it
 * was (base/err.def). Because it is a struct and not a number, the compiler refuses a result that
 * is dropped, and TRY in a function that returns something else. The words of a failure go into the
 * call's context (base/ctx.h), never into a global. The first failure's words stay: whoever passes
 * it on adds none.
 *
 * TRY(f(c)) returns from the function that it stands in, if f() fails. So whatever the function
 * holds at that moment must be released without its help. AUTO(type) (base/cleanup.h) does that: it
 * declares a pointer that is freed at the end of its scope, whatever the way out. Memory of a
 * request needs neither, because it is in the context's arena.
 *
 * Wrong: TRY between taking something and releasing it by hand.
 *
 *     char *copy = heap_alloc(size);
 *     TRY(send(c, copy));       if send() fails, this line returns, and copy is never freed
 *     heap_free(copy);
 *
 * Right: take the memory from c->arena, or use a type that AUTO frees at the end of the scope.
 *
 * Wrong: giving away what AUTO is going to free.
 *
 *     AUTO(thing) t = thing_new();
 *     TRY(thing_fill(c, t));
 *     *ret_thing = t;           the scope ends, t is freed, and the caller has a dangling pointer
 *     return OK;
 *
 * Right: *ret_thing = TAKE(t), which hands the pointer out and leaves NULL behind. For the same
 * reason an AUTO variable is always initialised where it is declared: a TRY above its first
 * assignment would free whatever the stack held.
 *
 * An output (ret_…) is valid only if the result is OK. A failure that does not matter is dropped
 * with IGNORE, and a comment beside it says why. To go on after a failure, call
 * ctx_clear_problem(): else its words would stay for the next one. */
#pragma once

#include <stdbool.h>

enum err {
#define ERR(name, meaning) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR_COUNT
};

struct result {
	enum err code;
};

#define RESULT __attribute__((warn_unused_result)) struct result
#define OK ((struct result){ERR_NONE})
#define FAIL(kind) ((struct result){ERR_##kind})

#define TRY(expression)                                                                                      \
	do {                                                                                                 \
		struct result try_ = (expression);                                                           \
		if (try_.code)                                                                               \
			return try_;                                                                         \
	} while (0)

/* Drops an irrelevant result. A comment next to each use gives the reason. */
#define IGNORE(expression)                                                                                   \
	do {                                                                                                 \
		struct result ignored_ = (expression);                                                       \
		(void) ignored_;                                                                             \
	} while (0)

static inline bool result_is_ok(struct result r)
{
	return r.code == ERR_NONE;
}

/* The name of a kind, such as "NOT_FOUND", and its meaning in words. Both are static strings. Any
 * thread. */
const char *err_name(enum err code);
const char *err_meaning(enum err code);
