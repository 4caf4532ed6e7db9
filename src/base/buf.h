/* SPDX-License-Identifier: Apache-2.0
 * A growing output buffer on the heap, for answers: outside the arena's cap, with a cap of its
 * own, and handed to the HTTP server without a copy. Writers are sticky: after a failure every
 * further call does nothing and buf_finish() tells. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/result.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t size, capacity, cap_size;
	bool failed, too_large; /* too_large: failed by the cap */
};

enum { BUF_ANSWER_CAP = 64 * 1024 * 1024 };

/* Empty; it will not grow past cap_size. */
void buf_init(struct buf *b, size_t cap_size);
void buf_done(struct buf *b); /* frees; safe twice */
void buf_add(struct buf *b, const void *bytes, size_t size);
void buf_add_str(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_print(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_reserve(struct buf *b, size_t size); /* room for size more bytes */
/* ERR_TOO_LARGE when the cap was hit, ERR_NO_MEMORY, or OK. */
RESULT buf_finish(const struct buf *b);
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p, b->size};
}
