/* SPDX-License-Identifier: Apache-2.0
 * Limits the heap usage of a computation in libraries that only support malloc(): JSON values. A budget is
 * used by one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_budget {
	int64_t left_size; /* remaining bytes */
	bool was_exceeded; /* an allocation was refused */
};

/* Charges this thread's counted allocations to the budget from now on; NULL: to none. Returns the previous
 * budget, which the caller restores. */
struct heap_budget *heap_budget_use(struct heap_budget *budget);

/* Counted heap_alloc() and heap_free(), for json_set_alloc_funcs(). NULL also if the budget is used up. Freed
 * memory is credited to the current budget. */
void *heap_alloc_counted(size_t size);
void heap_free_counted(void *p);
