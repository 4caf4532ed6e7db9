/* SPDX-License-Identifier: Apache-2.0
 * Growth of the arena vectors. */
#include "base/vec.h"

#include <stdint.h>
#include <string.h>

enum { VEC_FIRST_COUNT = 8 };

bool vec_reserve_one(struct arena *a, void **at, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return true;
	if (count > SIZE_MAX / 2)
		return false;
	size_t wider = count < VEC_FIRST_COUNT ? VEC_FIRST_COUNT : count * 2;
	void *grown = arena_alloc_array(a, wider, size);
	if (!grown)
		return false;
	if (count)
		memcpy(grown, *at, count * size);
	*at = grown;
	*capacity = wider;
	return true;
}
