/* SPDX-License-Identifier: Apache-2.0
 * The only heap functions outside base/: malloc() and relatives with the FAULT_ALLOC point. Memory is zeroed.
 * NULL: out of memory. Any thread. */
#pragma once

#include <stddef.h>

/* Free the memory with heap_free(), which accepts NULL. */
void *heap_alloc(size_t size);
void *heap_alloc_array(size_t count, size_t size); /* NULL also if the product overflows */
void *heap_resize(void *p, size_t size);           /* new bytes are not zeroed; on NULL, p is unchanged */
void heap_free(void *p);
char *heap_copy_z(const char *z);
/* Returns free memory to the system, after much was freed. Walks the whole heap. */
void heap_trim(void);
/* A holder of memory that can be made again, such as a cache. The holder keeps the struct, and sets trim and self. */
struct heap_trimmer {
	void (*trim)(
		void *self); /* frees what was not used for long; any thread, and not after heap_drop_trimmer() */
	void *self;
	struct heap_trimmer *next; /* private */
};
void heap_add_trimmer(struct heap_trimmer *t);
void heap_drop_trimmer(struct heap_trimmer *t);
/* Calls the trimmers, then trims the heap if a quarter of it and 32 MiB are free. malloc() keeps freed memory below used blocks,
 * so otherwise the process would keep its peak size. */
void heap_trim_slack(void);
#define heap_new(type) ((type *) heap_alloc(sizeof(type)))
