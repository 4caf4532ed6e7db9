/* SPDX-License-Identifier: Apache-2.0
 * Hash functions for hash tables and treap priorities. Not for secrets. Pure; any thread. */
#pragma once

#include <stdint.h>

/* Mixes all bits (the final step of splitmix64). */
static inline uint64_t hash_mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

/* Adds another value to a hash; order matters. */
static inline uint64_t hash_add(uint64_t h, uint64_t value)
{
	return hash_mix(h ^ value) + UINT64_C(0x9e3779b97f4a7c15);
}
