/* SPDX-License-Identifier: Apache-2.0
 * Random numbers: the kernel's (getrandom) by default; a seeded generator in tests and simulation, so that a
 * run can be replayed. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t size); /* can't fail: ends the process if the kernel refuses */
uint64_t random_u64(void);
uint64_t random_below(uint64_t limit); /* uniform in [0, limit); limit > 0 */
/* Makes random numbers deterministic from now on (xoshiro256**); 0 returns to the kernel's. For tests and the
 * simulation only. */
void random_set_seed(uint64_t seed);
