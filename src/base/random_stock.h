/* SPDX-License-Identifier: Apache-2.0
 * Random bytes for names, such as ids of requests: one call of the kernel serves the next names of a thread. They are as
 * hard to guess as those of random.h, but a child after fork() would repeat them. Any thread. */
#pragma once

#include <stddef.h>

/* Can't fail: ends the process if the kernel refuses. */
void random_stock_bytes(void *out, size_t size);
