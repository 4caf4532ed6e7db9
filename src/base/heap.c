/* SPDX-License-Identifier: Apache-2.0
 * malloc and relatives with the FAULT_ALLOC point. */
#include "base/heap.h"

#include <malloc.h>
#include <pthread.h>
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

static pthread_mutex_t trimmers_lock =
	PTHREAD_MUTEX_INITIALIZER; /* guards the list, and is held while a trimmer runs */
static struct heap_trimmer *trimmers;

void heap_add_trimmer(struct heap_trimmer *t)
{
	(void) pthread_mutex_lock(&trimmers_lock);
	t->next = trimmers;
	trimmers = t;
	(void) pthread_mutex_unlock(&trimmers_lock);
}

void heap_drop_trimmer(struct heap_trimmer *t)
{
	(void) pthread_mutex_lock(&trimmers_lock);
	for (struct heap_trimmer **at = &trimmers; *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	(void) pthread_mutex_unlock(&trimmers_lock);
}

void heap_trim_slack(void)
{
	(void) pthread_mutex_lock(&trimmers_lock);
	for (struct heap_trimmer *t = trimmers; t; t = t->next)
		t->trim(t->self);
	(void) pthread_mutex_unlock(&trimmers_lock);
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
