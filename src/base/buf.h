/* SPDX-License-Identifier: Apache-2.0
 * A growing output buffer for answers. It is on the heap with its own cap, so a long answer doesn't count
 * against the arena, and the HTTP server takes over its memory without copying. Failures are sticky: after
 * one, further calls do nothing, and buf_finish() reports it. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/result.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t size, capacity, cap_size;
	bool failed, too_large; /* too_large: because of the cap */
};

enum { BUF_ANSWER_CAP = 64 * 1024 * 1024 };

/* Makes b empty. It will not grow beyond cap_size bytes. */
void buf_init(struct buf *b, size_t cap_size);
void buf_done(struct buf *b); /* frees; idempotent */
void buf_add(struct buf *b, const void *bytes, size_t size);
void buf_add_str(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_print(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_reserve(struct buf *b, size_t size); /* reserves space for size more bytes; false: failed */
/* Reports any earlier failure. ERR_TOO_LARGE: over the cap. ERR_NO_MEMORY. */
RESULT buf_finish(const struct buf *b);
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p, b->size};
}
