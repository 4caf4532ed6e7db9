/* SPDX-License-Identifier: Apache-2.0
 * Replay cache: a table of truncated digests. */
#include "auth/token/replay_cache.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"

struct slot {
	uint64_t digest;
	int64_t until_us; /* 0: free */
};

struct replay_cache {
	pthread_mutex_t lock; /* held for a search and its entry: of two equal texts only one passes */
	struct slot at[REPLAY_CACHE_SIZE];
};

struct replay_cache *replay_cache_new(void)
{
	struct replay_cache *s = heap_new(struct replay_cache);
	if (s)
		(void) pthread_mutex_init(&s->lock, NULL);
	return s;
}

void replay_cache_free(struct replay_cache *s)
{
	if (s)
		(void) pthread_mutex_destroy(&s->lock);
	heap_free(s);
}

bool replay_cache_take(struct replay_cache *s, struct str text, int64_t until_us)
{
	uint8_t sum[SHA256_SIZE];
	uint64_t digest = 0;
	bool is_spent = false;
	int64_t now_us = clock_now_us();
	crypto_sha256(text, sum);
	memcpy(&digest, sum, sizeof digest);
	(void) pthread_mutex_lock(&s->lock);
	struct slot *place = &s->at[0];
	for (size_t k = 0; k < REPLAY_CACHE_SIZE && !is_spent; k++) {
		struct slot *slot = &s->at[k];
		is_spent = slot->digest == digest && slot->until_us > now_us;
		if (slot->until_us < place->until_us)
			place = slot;
	}
	if (!is_spent)
		*place = (struct slot){digest, until_us};
	(void) pthread_mutex_unlock(&s->lock);
	return !is_spent;
}
