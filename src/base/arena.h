/* SPDX-License-Identifier: Apache-2.0
 * Arenas: memory that lives as long as one request or one reconcile step, and is freed at once. An arena is
 * not thread-safe and has one owner at a time: a parked request passes its arena to the committer and gets it
 * back. At the cap or out of memory, an allocation returns NULL, and the arena permanently records that it
 * failed. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct arena;

enum { ARENA_FIRST_SIZE = 64 * 1024, ARENA_REQUEST_CAP = 32 * 1024 * 1024 };

/* An arena that allocates first_size bytes immediately, and at most cap_size bytes in total. NULL: out of
 * memory. */
struct arena *arena_new(size_t first_size, size_t cap_size);
void arena_free(struct arena *a);
DEFINE_AUTO(arena)
/* Returns zeroed memory aligned to 16 bytes. NULL: over the cap, or out of memory. Size 0 returns a distinct
 * pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* Likewise for count objects of that size. NULL also if the product overflows. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
void arena_reset(struct arena *a);             /* frees all but the first block */
bool arena_is_full(const struct arena *a);     /* whether an allocation has failed */
bool arena_is_over_cap(const struct arena *a); /* whether the cap was the reason */
size_t arena_used_size(const struct arena *a);

#define arena_new_object(a, type) ((type *) arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, count) ((type *) arena_alloc_array((a), (count), sizeof(type)))
