/* SPDX-License-Identifier: Apache-2.0
 * The current budget is thread-local, so checking it needs no lock. */
#include "base/heap_budget.h"

#include <malloc.h>

#include "base/heap.h"

static _Thread_local struct heap_budget *in_use;

struct heap_budget *heap_budget_use(struct heap_budget *budget)
{
	struct heap_budget *before = in_use;
	in_use = budget;
	return before;
}

void *heap_alloc_counted(size_t size)
{
	if (in_use && (in_use->was_exceeded || size > (size_t) in_use->left_size)) {
		in_use->was_exceeded = true;
		return NULL;
	}
	void *p = heap_alloc(size);
	if (in_use && p)
		in_use->left_size -= (int64_t) malloc_usable_size(p);
	if (in_use && in_use->left_size < 0)
		in_use->left_size = 0;
	return p;
}

void heap_free_counted(void *p)
{
	if (in_use && p)
		in_use->left_size += (int64_t) malloc_usable_size(p);
	heap_free(p);
}
