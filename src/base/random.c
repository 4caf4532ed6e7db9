/* SPDX-License-Identifier: Apache-2.0
 * The kernel's random numbers, or xoshiro256** (Blackman and Vigna) if a test has set a seed. */
#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/last_words.h"
#include "base/random_stock.h"

enum { STOCK_SIZE = 512 };

static atomic_bool seeded; /* released after state is written: a reader that sees it uses the new state */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards state */
static uint64_t state[4];

static uint64_t rotate_left(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static uint64_t xoshiro_next(void)
{
	uint64_t result = rotate_left(state[1] * 5, 7) * 9;
	uint64_t t = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotate_left(state[3], 45);
	return result;
}

static void seeded_bytes(unsigned char *out, size_t size)
{
	(void) pthread_mutex_lock(&lock);
	while (size) {
		uint64_t word = xoshiro_next();
		size_t part = size < sizeof word ? size : sizeof word;
		memcpy(out, &word, part);
		out += part;
		size -= part;
	}
	(void) pthread_mutex_unlock(&lock);
}

static void kernel_bytes(unsigned char *out, size_t size)
{
	while (size) {
		ssize_t got = getrandom(out, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			end_with_words(
				"dari: getrandom() fails; without randomness keys would be guessable\n");
		out += got;
		size -= (size_t) got;
	}
}

void random_bytes(void *out, size_t size)
{
	if (atomic_load_explicit(&seeded, memory_order_acquire))
		seeded_bytes(out, size);
	else
		kernel_bytes(out, size);
}

void random_stock_bytes(void *out, size_t size)
{
	static _Thread_local struct {
		unsigned char bytes[STOCK_SIZE];
		size_t left; /* at the end */
	} stock;
	if (atomic_load_explicit(&seeded, memory_order_acquire) || size > STOCK_SIZE) {
		random_bytes(out, size);
		return;
	}
	if (stock.left < size) {
		kernel_bytes(stock.bytes, STOCK_SIZE);
		stock.left = STOCK_SIZE;
	}
	unsigned char *next = stock.bytes + STOCK_SIZE - stock.left;
	memcpy(out, next, size);
	memset(next, 0, size);
	stock.left -= size;
}

uint64_t random_u64(void)
{
	uint64_t value = 0;
	random_bytes(&value, sizeof value);
	return value;
}

uint64_t random_below(uint64_t limit)
{
	uint64_t reject = -limit % limit; /* 2^64 mod limit: that many lowest values would be
					   * over-represented */
	uint64_t value = 0;
	do {
		value = random_u64();
	} while (value < reject);
	return value % limit;
}

void random_set_seed(uint64_t seed)
{
	(void) pthread_mutex_lock(&lock);
	uint64_t x = seed;
	for (size_t k = 0; k < 4; k++) { /* splitmix64, recommended by the authors for seeding */
		x += UINT64_C(0x9E3779B97F4A7C15);
		uint64_t z = x;
		z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
		z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
		state[k] = z ^ z >> 31;
	}
	atomic_store_explicit(&seeded, seed != 0, memory_order_release);
	(void) pthread_mutex_unlock(&lock);
}
