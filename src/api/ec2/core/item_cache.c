/* SPDX-License-Identifier: Apache-2.0
 * The cache of rendered items: sets of a few places each, chosen by the row's id. Several sets share a
 * lock, which is held for a lookup and never during an allocation. Sets never used take no memory, because
 * zero means empty. A full set replaces its places in turn: when there are more items than places, a walk
 * over all of them still finds some. */
#include "api/ec2/core/item_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/heap.h"

enum { SETS = 4096, WAYS = 4, LOCKS = 256 };

/* A single block of memory: this struct, the key's bytes, the item's text. Immutable once it is in a set, so that
 * holders read it without a lock. */
struct ec2_cached_item {
	_Atomic unsigned holders;
	size_t key_size, item_size;
	uint64_t kinds[READS_WORDS]; /* that the item was made from, and others of the same answer */
	uint8_t bytes[];
};

struct set {
	unsigned next; /* index of the place to replace next */
	struct ec2_cached_item *places[WAYS];
};

struct ec2_item_cache {
	pthread_mutex_t locks[LOCKS]; /* each guards the sets whose index it is, modulo LOCKS */
	struct set sets[SETS];
};

struct ec2_item_cache *ec2_item_cache_new(void)
{
	struct ec2_item_cache *m = heap_new(struct ec2_item_cache);
	for (size_t k = 0; m && k < LOCKS; k++)
		(void) pthread_mutex_init(&m->locks[k], NULL);
	return m;
}

void ec2_item_cache_free(struct ec2_item_cache *m)
{
	if (!m)
		return;
	for (size_t k = 0; k < SETS; k++)
		for (size_t n = 0; n < WAYS; n++)
			ec2_cached_drop(m->sets[k].places[n]);
	for (size_t k = 0; k < LOCKS; k++)
		(void) pthread_mutex_destroy(&m->locks[k]);
	heap_free(m);
}

/* ---- keys ---- */

static void add(struct ec2_item_key *key, const void *bytes, size_t size)
{
	if (key->is_too_long || size > sizeof key->bytes - key->size) {
		key->is_too_long = true;
		return;
	}
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

void ec2_item_key_init(struct ec2_item_key *key, uuid id)
{
	key->size = 0;
	key->is_too_long = false;
	add(key, id.b, sizeof id.b);
}

void ec2_item_key_add_commit(struct ec2_item_key *key, uint64_t commit)
{
	add(key, &commit, sizeof commit);
}

void ec2_item_key_add_text(struct ec2_item_key *key, struct str text)
{
	add(key, &text.n, sizeof text.n);
	if (text.n)
		add(key, text.p, text.n);
}

/* The last bytes of an id are random for every kind. */
static struct set *set_of(struct ec2_item_cache *m, const struct ec2_item_key *key)
{
	return &m->sets[((size_t) key->bytes[14] << 8 | key->bytes[15]) % SETS];
}

static pthread_mutex_t *lock_of(struct ec2_item_cache *m, const struct set *set)
{
	return &m->locks[(size_t) (set - m->sets) % LOCKS];
}

/* ---- under a set's lock ---- */

static struct ec2_cached_item *find(const struct set *set, const struct ec2_item_key *key)
{
	for (size_t k = 0; k < WAYS; k++) {
		struct ec2_cached_item *p = set->places[k];
		if (p && p->key_size == key->size && memcmp(p->bytes, key->bytes, key->size) == 0)
			return p;
	}
	return NULL;
}

/* Chooses the place of an older version of the item, else a free place, else the next in turn. Places are
 * filled in order and never freed, so that all behind the first free one are free. */
static struct ec2_cached_item **choose_place(struct set *set, const struct ec2_item_key *key)
{
	for (size_t k = 0; k < WAYS; k++)
		if (!set->places[k] || memcmp(set->places[k]->bytes, key->bytes, sizeof(uuid)) == 0)
			return &set->places[k];
	return &set->places[set->next++ % WAYS];
}

/* ---- any thread ---- */

struct ec2_cached_item *ec2_item_cache_take(struct ec2_item_cache *m, const struct ec2_item_key *key)
{
	if (key->is_too_long)
		return NULL;
	struct set *set = set_of(m, key);
	(void) pthread_mutex_lock(lock_of(m, set));
	struct ec2_cached_item *found = find(set, key);
	if (found)
		atomic_fetch_add(&found->holders, 1);
	(void) pthread_mutex_unlock(lock_of(m, set));
	return found;
}

struct str ec2_cached_text(const struct ec2_cached_item *entry)
{
	return (struct str){(const char *) entry->bytes + entry->key_size, entry->item_size};
}

void ec2_cached_note_reads(const struct ec2_cached_item *entry)
{
	reads_add_kinds(entry->kinds);
}

void ec2_cached_drop(struct ec2_cached_item *entry)
{
	if (entry && atomic_fetch_sub(&entry->holders, 1) == 1)
		heap_free(entry);
}

void ec2_item_cache_add(struct ec2_item_cache *m, const struct ec2_item_key *key, struct str item)
{
	if (key->is_too_long || item.n > EC2_ITEM_CACHED_MAX || reads_here.has_clock ||
	    reads_here.has_figures || reads_here.has_outside)
		return;
	struct ec2_cached_item *entry =
		heap_resize(NULL, sizeof *entry + key->size + item.n); /* not zeroed */
	if (!entry)
		return;
	atomic_init(&entry->holders, 1);
	entry->key_size = key->size;
	entry->item_size = item.n;
	memcpy(entry->kinds, reads_here.kinds, sizeof entry->kinds);
	memcpy(entry->bytes, key->bytes, key->size);
	if (item.n)
		memcpy(entry->bytes + key->size, item.p, item.n);
	struct set *set = set_of(m, key);
	(void) pthread_mutex_lock(lock_of(m, set));
	struct ec2_cached_item **chosen = choose_place(set, key), *old = *chosen;
	*chosen = entry;
	(void) pthread_mutex_unlock(lock_of(m, set));
	ec2_cached_drop(old);
}
