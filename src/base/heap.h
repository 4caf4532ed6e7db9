/* SPDX-License-Identifier: Apache-2.0
 * The only way to the heap outside of base/: malloc() and its kin behind the FAULT_ALLOC point.
 * Memory is zeroed. NULL: out of memory. Any thread. */
#pragma once

#include <stddef.h>

/* Free the memory with heap_free(), which accepts NULL. */
void *heap_alloc(size_t size);
void *heap_alloc_array(size_t count, size_t size); /* an overflow of the product gives NULL */
void *heap_resize(void *p, size_t size);           /* new bytes are not zeroed; NULL leaves p as it was */
void heap_free(void *p);
char *heap_copy_z(const char *z);
/* Gives the system what is free at the moment, after much was freed. It walks the whole heap. */
void heap_trim(void);
/* Trims the heap if a quarter of it and 32 MiB are free. malloc() keeps freed memory below anything in use, so without
 * this the process would stay as large as it was at its peak. */
void heap_trim_slack(void);
#define heap_new(type) ((type *) heap_alloc(sizeof(type)))
