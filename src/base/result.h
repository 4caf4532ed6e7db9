/* SPDX-License-Identifier: Apache-2.0
 * The one result type. A one-word struct cannot be mistaken for a number or dropped silently:
 * returning an int, or TRY in a function of another type, does not compile. The words of an
 * error go into the call's context (ctx.h), never into a global. */
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

/* For a result that does not matter; say why in a comment beside it. */
#define IGNORE(expression)                                                                                   \
	do {                                                                                                 \
		struct result ignored_ = (expression);                                                       \
		(void) ignored_;                                                                             \
	} while (0)

static inline bool result_is_ok(struct result r)
{
	return r.code == ERR_NONE;
}

/* The name of a kind, "NOT_FOUND", and its meaning in words; static strings. Any thread. */
const char *err_name(enum err code);
const char *err_meaning(enum err code);
