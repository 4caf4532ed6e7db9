/* SPDX-License-Identifier: Apache-2.0
 * The growing output buffer. Its memory comes from malloc: after taking over buf.p, free it with heap_free()
 * or free(). */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/heap.h"

enum { BUF_FIRST_SIZE = 1024 };

void buf_init(struct buf *b, size_t cap_size)
{
	*b = (struct buf){.cap_size = cap_size};
}

void buf_done(struct buf *b)
{
	heap_free(b->p);
	b->p = NULL;
	b->size = b->capacity = 0;
}

static bool buf_grow(struct buf *b, size_t size)
{
	if (b->failed)
		return false;
	if (b->size > b->cap_size || size > b->cap_size - b->size) {
		b->failed = b->too_large = true;
		return false;
	}
	size_t need = b->size + size;
	size_t wider = b->capacity > SIZE_MAX / 2 ? need : b->capacity * 2;
	if (wider < BUF_FIRST_SIZE)
		wider = BUF_FIRST_SIZE;
	if (wider < need)
		wider = need;
	if (wider > b->cap_size)
		wider = b->cap_size;
	char *p = heap_resize(b->p, wider);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->capacity = wider;
	return true;
}

bool buf_reserve(struct buf *b, size_t size)
{
	if (size <= b->capacity - b->size && !b->failed)
		return true;
	return buf_grow(b, size);
}

void buf_add(struct buf *b, const void *bytes, size_t size)
{
	if (size == 0 || !buf_reserve(b, size))
		return;
	memcpy(b->p + b->size, bytes, size);
	b->size += size;
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_add_char(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->p[b->size++] = c;
}

void buf_print(struct buf *b, const char *format, ...)
{
	if (b->failed)
		return;
	char small[256];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t) n < sizeof small) {
		buf_add(b, small, (size_t) n);
		return;
	}
	/* possibly one byte more than the cap, for vsnprintf's NUL: print into separate memory, then add */
	char *large = heap_resize(NULL, (size_t) n + 1);
	if (!large) {
		b->failed = true;
		return;
	}
	va_start(args, format);
	(void) vsnprintf(large, (size_t) n + 1, format, args);
	va_end(args);
	buf_add(b, large, (size_t) n);
	heap_free(large);
}

RESULT buf_finish(const struct buf *b)
{
	if (!b->failed)
		return OK;
	return b->too_large ? FAIL(TOO_LARGE) : FAIL(NO_MEMORY);
}
