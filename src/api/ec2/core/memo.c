/* SPDX-License-Identifier: Apache-2.0
 * The memo of rendered items: sets of a few places by the row's id, each set with its lock, which is
 * held for a look and never while memory is sought. In a full set the place that is replaced goes
 * round: with more items than places, a walk over all of them still finds some. */
#include "api/ec2/core/memo.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/heap.h"

enum { SETS = 4096, WAYS = 4 };

/* One block: this, the key's bytes, the item's. Never changed once it is in a set. */
struct ec2_kept {
	_Atomic unsigned holders;
	size_t key_size, item_size;
	uint8_t bytes[];
};

struct set {
	pthread_mutex_t lock;
	unsigned next; /* to replace */
	struct ec2_kept *places[WAYS];
};

struct ec2_memo {
	struct set sets[SETS];
};

struct ec2_memo *ec2_memo_new(void)
{
	struct ec2_memo *m = heap_new(struct ec2_memo);
	for (size_t k = 0; m && k < SETS; k++)
		(void) pthread_mutex_init(&m->sets[k].lock, NULL);
	return m;
}

void ec2_memo_free(struct ec2_memo *m)
{
	if (!m)
		return;
	for (size_t k = 0; k < SETS; k++) {
		for (size_t n = 0; n < WAYS; n++)
			ec2_kept_drop(m->sets[k].places[n]);
		(void) pthread_mutex_destroy(&m->sets[k].lock);
	}
	heap_free(m);
}

/* ---- keys ---- */

static void add(struct ec2_memo_key *key, const void *bytes, size_t size)
{
	if (key->is_too_long || size > sizeof key->bytes - key->size) {
		key->is_too_long = true;
		return;
	}
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

void ec2_memo_key_init(struct ec2_memo_key *key, uuid id)
{
	key->size = 0;
	key->is_too_long = false;
	add(key, id.b, sizeof id.b);
}

void ec2_memo_add_batch(struct ec2_memo_key *key, uint64_t batch)
{
	add(key, &batch, sizeof batch);
}

void ec2_memo_add_text(struct ec2_memo_key *key, struct str text)
{
	add(key, &text.n, sizeof text.n);
	if (text.n)
		add(key, text.p, text.n);
}

/* The last bytes of an id are random in every kind. */
static struct set *set_of(struct ec2_memo *m, const struct ec2_memo_key *key)
{
	return &m->sets[((size_t) key->bytes[14] << 8 | key->bytes[15]) % SETS];
}

/* ---- under a set's lock ---- */

static struct ec2_kept *find(const struct set *set, const struct ec2_memo_key *key)
{
	for (size_t k = 0; k < WAYS; k++) {
		struct ec2_kept *p = set->places[k];
		if (p && p->key_size == key->size && memcmp(p->bytes, key->bytes, key->size) == 0)
			return p;
	}
	return NULL;
}

/* Where an older version of the same item is, else a free place, else the next in turn. Places are
 * filled in order and never freed: behind the first free one there is none that is taken. */
static struct ec2_kept **choose_place(struct set *set, const struct ec2_memo_key *key)
{
	for (size_t k = 0; k < WAYS; k++)
		if (!set->places[k] || memcmp(set->places[k]->bytes, key->bytes, sizeof(uuid)) == 0)
			return &set->places[k];
	return &set->places[set->next++ % WAYS];
}

/* ---- any thread ---- */

struct ec2_kept *ec2_memo_take(struct ec2_memo *m, const struct ec2_memo_key *key)
{
	if (key->is_too_long)
		return NULL;
	struct set *set = set_of(m, key);
	(void) pthread_mutex_lock(&set->lock);
	struct ec2_kept *found = find(set, key);
	if (found)
		atomic_fetch_add(&found->holders, 1);
	(void) pthread_mutex_unlock(&set->lock);
	return found;
}

struct str ec2_kept_text(const struct ec2_kept *kept)
{
	return (struct str){(const char *) kept->bytes + kept->key_size, kept->item_size};
}

void ec2_kept_drop(struct ec2_kept *kept)
{
	if (kept && atomic_fetch_sub(&kept->holders, 1) == 1)
		heap_free(kept);
}

void ec2_memo_keep(struct ec2_memo *m, const struct ec2_memo_key *key, struct str item)
{
	if (key->is_too_long || item.n > EC2_MEMO_ITEM_MAX)
		return;
	struct ec2_kept *kept = heap_alloc(sizeof *kept + key->size + item.n);
	if (!kept)
		return;
	atomic_init(&kept->holders, 1);
	kept->key_size = key->size;
	kept->item_size = item.n;
	memcpy(kept->bytes, key->bytes, key->size);
	if (item.n)
		memcpy(kept->bytes + key->size, item.p, item.n);
	struct set *set = set_of(m, key);
	(void) pthread_mutex_lock(&set->lock);
	struct ec2_kept **chosen = choose_place(set, key), *old = *chosen;
	*chosen = kept;
	(void) pthread_mutex_unlock(&set->lock);
	ec2_kept_drop(old);
}
