/* SPDX-License-Identifier: Apache-2.0
 * malloc and relatives with the FAULT_ALLOC point. */
#include "base/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

enum { SLACK_MIN = 32 * 1024 * 1024 }; /* bytes */

void *heap_alloc(size_t size)
{
	if (fault_fires(FAULT_ALLOC))
		return NULL;
	return calloc(1, size ? size : 1);
}

void *heap_alloc_array(size_t count, size_t size)
{
	size_t total = 0;
	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return heap_alloc(total);
}

void *heap_resize(void *p, size_t size)
{
	if (fault_fires(FAULT_ALLOC))
		return NULL;
	return realloc(p, size ? size : 1); /* because realloc(p, 0) may free */
}

void heap_free(void *p)
{
	free(p);
}

void heap_trim(void)
{
	(void) malloc_trim(0);
}

void heap_trim_slack(void)
{
	struct mallinfo2 now = mallinfo2();
	if (now.fordblks >= SLACK_MIN && now.fordblks >= now.arena / 4)
		heap_trim();
}

char *heap_copy_z(const char *z)
{
	size_t size = strlen(z) + 1;
	char *copy = heap_resize(NULL, size);
	if (copy)
		memcpy(copy, z, size);
	return copy;
}
