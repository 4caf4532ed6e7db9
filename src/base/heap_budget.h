/* SPDX-License-Identifier: Apache-2.0
 * Bounds how much a computation takes from the heap through libraries that know malloc() only: JSON values.
 * A budget belongs to one thread at a time, which charges it while it is in use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_budget {
	int64_t left_size; /* bytes that may still be taken */
	bool was_exceeded; /* an allocation has failed for it */
};

/* This thread's counted allocations are charged to the budget from now on; NULL: to none. Returns the budget
 * before, which the caller puts back. */
struct heap_budget *heap_budget_use(struct heap_budget *budget);

/* heap_alloc() and heap_free(), counted, for json_set_alloc_funcs(). NULL, too, where the budget is used up.
 * What is freed while a budget is in use is given back to that budget. */
void *heap_alloc_counted(size_t size);
void heap_free_counted(void *p);
