/* SPDX-License-Identifier: Apache-2.0
 * Arenas: memory that lives as long as one request or one reconcile step and is freed at once.
 * Not thread-safe: one owner at a time; a parked request hands its arena to the committer and
 * gets it back. Overflow of the cap, like out of memory, gives NULL and sets a sticky mark. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct arena;

enum { ARENA_FIRST_SIZE = 64 * 1024, ARENA_REQUEST_CAP = 32 * 1024 * 1024 };

/* first_size bytes at once, at most cap_size in all. NULL when out of memory. */
struct arena *arena_new(size_t first_size, size_t cap_size);
void arena_free(struct arena *a);
DEFINE_AUTO(arena)
/* Zeroed, aligned to 16; NULL on overflow or out of memory. size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* count objects of size; checks the product. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
void arena_reset(struct arena *a);             /* keeps the first block */
bool arena_is_full(const struct arena *a);     /* the sticky mark */
bool arena_is_over_cap(const struct arena *a); /* it was the cap, not memory */
size_t arena_used_size(const struct arena *a);

#define arena_new_object(a, type) ((type *) arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, count) ((type *) arena_alloc_array((a), (count), sizeof(type)))
