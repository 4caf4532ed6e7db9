/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of Signature Version 4: the cache of derived signing keys (cache.c). model/sigv4_sign.h has
 * the canonical request and its signature. */
#pragma once

#include <pthread.h>

#include "auth/key/sigv4.h"
#include "base/crypto.h"

enum { CACHE_SETS = 128, CACHE_WAYS = 8, CACHE_SCOPE_SIZE = 80 };

struct cached_key {
	uuid row;        /* id of the access key; none: free */
	uint64_t commit; /* version of its row: any change, such as disabling, makes another one */
	uint64_t used;   /* counter of the set at the last hit */
	size_t scope_size;
	char scope[CACHE_SCOPE_SIZE];
	uint8_t key[SHA256_SIZE];
};

/* All scopes of one access key are in the same set. */
struct cache_set {
	uint64_t uses;
	struct cached_key ways[CACHE_WAYS];
};

/* The locks are apart from the sets, so that pages of unused sets are never touched. */
struct key_cache {
	pthread_mutex_t locks[CACHE_SETS]; /* one guards the set of the same index */
	struct cache_set sets[CACHE_SETS];
};

void cache_init(struct key_cache *cache); /* the cache must be zeroed */
void cache_done(struct key_cache *cache); /* wipes the keys */
bool cache_find(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
		uint8_t ret_key[static SHA256_SIZE]);
/* Replaces the least recently used entry of the set, and wipes entries of older versions of the row. */
void cache_put(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
	       const uint8_t key[static SHA256_SIZE]);
void cache_forget(struct key_cache *cache, uuid row); /* wipes all entries of the access key */
