/* SPDX-License-Identifier: Apache-2.0
 * Arenas as a chain of blocks, each twice the size of the current one, limited by the cap. The first block is
 * part of the arena's own allocation, so a small request costs one malloc. Memory is zeroed piece by piece
 * when handed out, because zeroing whole blocks (64 KiB per request) would be noticeable. Under
 * AddressSanitizer, memory not handed out is poisoned. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/heap.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(p, size) __asan_poison_memory_region((p), (size))
#define UNPOISON(p, size) __asan_unpoison_memory_region((p), (size))
#else
#define POISON(p, size) ((void) (p), (void) (size))
#define UNPOISON(p, size) ((void) (p), (void) (size))
#endif

enum { ARENA_ALIGN = 16 };

struct block {
	struct block *older;
	size_t size, used;
	_Alignas(ARENA_ALIGN) unsigned char bytes[];
};

struct arena {
	size_t cap_size;
	size_t block_size; /* total of all blocks, limited by the cap */
	size_t used_size;  /* total in all blocks */
	bool full, over_cap;
	struct block *newest; /* the current one; older and oversized blocks follow */
	_Alignas(ARENA_ALIGN) struct block first;
};

struct arena *arena_new(size_t first_size, size_t cap_size)
{
	size_t size = first_size < cap_size ? first_size : cap_size;
	size &= ~(size_t) (ARENA_ALIGN - 1);
	if (size > SIZE_MAX - sizeof(struct arena))
		return NULL;
	struct arena *a = heap_resize(NULL, sizeof *a + size);
	if (!a)
		return NULL;
	memset(a, 0, sizeof *a);
	a->cap_size = cap_size;
	a->block_size = size;
	a->first.size = size;
	a->newest = &a->first;
	POISON(a->first.bytes, size);
	return a;
}

/* Frees all blocks but the first. */
static void arena_free_blocks(struct arena *a)
{
	for (struct block *b = a->newest, *older = NULL; b; b = older) {
		older = b->older;
		if (b == &a->first)
			continue;
		UNPOISON(b->bytes, b->size);
		heap_free(b);
	}
	a->newest = &a->first;
	a->first.older = NULL;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_free_blocks(a);
	UNPOISON(a->first.bytes, a->first.size);
	heap_free(a);
}

static struct block *arena_add_block(struct arena *a, size_t need)
{
	size_t left = a->cap_size - a->block_size;
	if (need > left) {
		a->over_cap = true;
		return NULL;
	}
	size_t size = a->newest->size > SIZE_MAX / 4 ? need : a->newest->size * 2;
	if (size < need)
		size = need;
	if (size > left)
		size = left & ~(size_t) (ARENA_ALIGN - 1);
	if (size > SIZE_MAX - sizeof(struct block))
		return NULL;
	struct block *b = heap_resize(NULL, sizeof *b + size);
	if (!b)
		return NULL;
	b->size = size;
	b->used = 0;
	POISON(b->bytes, size);
	a->block_size += size;
	/* a single large piece doesn't replace the current block: the one with more free space remains
	 * current */
	struct block *at = size - need < a->newest->size - a->newest->used ? a->newest : NULL;
	struct block **link = at ? &at->older : &a->newest;
	b->older = *link;
	*link = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX - ARENA_ALIGN) {
		a->full = a->over_cap = true;
		return NULL;
	}
	size_t need = size ? (size + ARENA_ALIGN - 1) & ~(size_t) (ARENA_ALIGN - 1) : ARENA_ALIGN;
	struct block *b = a->newest;
	if (need > b->size - b->used) {
		b = arena_add_block(a, need);
		if (!b) {
			a->full = true;
			return NULL;
		}
	}
	unsigned char *p = b->bytes + b->used;
	b->used += need;
	a->used_size += need;
	UNPOISON(p, size ? size : 1);
	memset(p, 0, size ? size : 1);
	return p;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
	size_t total = 0;
	if (__builtin_mul_overflow(count, size, &total)) {
		a->full = a->over_cap = true;
		return NULL;
	}
	return arena_alloc(a, total);
}

void arena_reset(struct arena *a)
{
	arena_free_blocks(a);
	a->first.used = 0;
	a->used_size = 0;
	a->block_size = a->first.size;
	a->full = a->over_cap = false;
	POISON(a->first.bytes, a->first.size);
}

bool arena_is_full(const struct arena *a)
{
	return a->full;
}

bool arena_is_over_cap(const struct arena *a)
{
	return a->over_cap;
}

size_t arena_used_size(const struct arena *a)
{
	return a->used_size;
}
