/* SPDX-License-Identifier: Apache-2.0
 * A growing array in an arena, typed by a macro.
 *
 *     VEC(struct port *) ports = {0};
 *     if (!VEC_PUSH(arena, &ports, p))
 *         return FAIL(NO_MEMORY);
 *     for (size_t k = 0; k < ports.count; k++)
 *         use(ports.at[k]);
 *
 * It doubles when it is full; the old block stays in the arena until that ends. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define VEC(type)                                                                                            \
	struct {                                                                                             \
		type *at;                                                                                    \
		size_t count, capacity;                                                                      \
	}

/* Appends a value. False: the arena is full, and the vector is unchanged. */
#define VEC_PUSH(arena, vec, value)                                                                          \
	(vec_reserve_one((arena), (void **) &(vec)->at, &(vec)->capacity, (vec)->count,                      \
			 sizeof *(vec)->at) &&                                                               \
	 ((vec)->at[(vec)->count] = (value), (vec)->count++, true))

/* Used by VEC_PUSH: makes space for one more element. False: the arena is full. */
bool vec_reserve_one(struct arena *a, void **at, size_t *capacity, size_t count, size_t size);
