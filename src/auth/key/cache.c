/* SPDX-License-Identifier: Apache-2.0
 * Cache of derived signing keys, found by access key: 8-way sets with a lock each. An entry is valid for one
 * version of the access key's row, which each request looks up anyway, so the key of a deleted, disabled or
 * replaced row is never served; it is wiped when the change is noticed. */
#include "auth/internal.h"

static struct cache_set *set_of(struct key_cache *cache, uuid row)
{
	uint64_t bits = 0; /* ids are random, so any of their bits will do */
	memcpy(&bits, row.b + 8, sizeof bits);
	return &cache->sets[(bits ^ bits >> 32) % CACHE_SETS];
}

static pthread_mutex_t *lock_of(struct key_cache *cache, const struct cache_set *set)
{
	return &cache->locks[set - cache->sets];
}

static bool is_of(const struct cached_key *k, uuid row, uint64_t commit, struct str scope)
{
	return uuid_equal(k->row, row) && k->commit == commit &&
	       str_equal((struct str){k->scope, k->scope_size}, scope);
}

void cache_init(struct key_cache *cache)
{
	for (size_t k = 0; k < CACHE_SETS; k++)
		(void) pthread_mutex_init(&cache->locks[k], NULL);
}

void cache_done(struct key_cache *cache)
{
	for (size_t k = 0; k < CACHE_SETS; k++)
		(void) pthread_mutex_destroy(&cache->locks[k]);
	crypto_wipe(cache, sizeof *cache);
}

bool cache_find(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
		uint8_t ret_key[static SHA256_SIZE])
{
	struct cache_set *set = set_of(cache, row);
	bool found = false;
	(void) pthread_mutex_lock(lock_of(cache, set));
	for (size_t k = 0; k < CACHE_WAYS && !found; k++)
		if (is_of(&set->ways[k], row, commit, scope)) {
			set->ways[k].used = ++set->uses;
			memcpy(ret_key, set->ways[k].key, SHA256_SIZE);
			found = true;
		}
	(void) pthread_mutex_unlock(lock_of(cache, set));
	return found;
}

/* With the set's lock held. */
static void wipe_row(struct cache_set *set, uuid row, uint64_t but_commit)
{
	for (size_t k = 0; k < CACHE_WAYS; k++)
		if (uuid_equal(set->ways[k].row, row) && set->ways[k].commit != but_commit)
			crypto_wipe(&set->ways[k], sizeof set->ways[k]);
}

void cache_put(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
	       const uint8_t key[static SHA256_SIZE])
{
	if (scope.n > CACHE_SCOPE_SIZE)
		return;
	struct cache_set *set = set_of(cache, row);
	(void) pthread_mutex_lock(lock_of(cache, set));
	wipe_row(set, row, commit);
	struct cached_key *way = &set->ways[0];
	for (size_t k = 0; k < CACHE_WAYS; k++) {
		if (is_of(&set->ways[k], row, commit, scope)) { /* another thread inserted it first */
			way = &set->ways[k];
			break;
		}
		if (set->ways[k].used < way->used)
			way = &set->ways[k];
	}
	way->row = row;
	way->commit = commit;
	way->used = ++set->uses;
	way->scope_size = scope.n;
	memcpy(way->scope, scope.p, scope.n);
	memcpy(way->key, key, SHA256_SIZE);
	(void) pthread_mutex_unlock(lock_of(cache, set));
}

void cache_forget(struct key_cache *cache, uuid row)
{
	struct cache_set *set = set_of(cache, row);
	(void) pthread_mutex_lock(lock_of(cache, set));
	wipe_row(set, row, 0); /* no commit has the number 0 */
	(void) pthread_mutex_unlock(lock_of(cache, set));
}
