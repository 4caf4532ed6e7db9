/* SPDX-License-Identifier: Apache-2.0
 * The memo of rendered items: sets of a few places by the first row's id, each set with its lock,
 * which is held for one copy and never while memory is sought. In a full set the place that is
 * replaced goes round: with more items than places, a walk over all of them still finds some. */
#include "api/ec2/memo.h"

#include <pthread.h>

#include "base/heap.h"

enum { SETS = 512, WAYS = 4 };

/* One block: this, the key's bytes, the item's. Never changed while it is in a set. */
struct place {
	size_t key_size, item_size;
	uint8_t bytes[];
};

struct set {
	pthread_mutex_t lock;
	unsigned next; /* to replace */
	struct place *places[WAYS];
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
			heap_free(m->sets[k].places[n]);
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

void ec2_memo_add_row(struct ec2_memo_key *key, const struct row *row)
{
	uuid id = row ? row->id : UUID_NONE;
	uint64_t batch = row ? row->batch : 0;
	add(key, id.b, sizeof id.b);
	add(key, &batch, sizeof batch);
}

void ec2_memo_add_text(struct ec2_memo_key *key, struct str text)
{
	add(key, &text.n, sizeof text.n);
	if (text.n)
		add(key, text.p, text.n);
}

static bool is_keepable(const struct ec2_memo_key *key)
{
	return !key->is_too_long && key->size >= sizeof(uuid);
}

/* The last bytes of an id are random in every kind. */
static struct set *set_of(struct ec2_memo *m, const struct ec2_memo_key *key)
{
	return &m->sets[((size_t) key->bytes[14] << 8 | key->bytes[15]) % SETS];
}

/* ---- under a set's lock ---- */

static const struct place *find_place(const struct set *set, const struct ec2_memo_key *key)
{
	for (size_t k = 0; k < WAYS; k++) {
		const struct place *p = set->places[k];
		if (p && p->key_size == key->size && memcmp(p->bytes, key->bytes, key->size) == 0)
			return p;
	}
	return NULL;
}

/* Where an older version of the same item is, else a free place, else the next in turn. Places are
 * filled in order and never freed: behind the first free one there is none that is taken. */
static struct place **choose_place(struct set *set, const struct ec2_memo_key *key)
{
	for (size_t k = 0; k < WAYS; k++)
		if (!set->places[k] || memcmp(set->places[k]->bytes, key->bytes, sizeof(uuid)) == 0)
			return &set->places[k];
	return &set->places[set->next++ % WAYS];
}

/* ---- any thread ---- */

bool ec2_memo_write(struct ec2_memo *m, const struct ec2_memo_key *key, struct buf *out)
{
	if (!is_keepable(key) || out->failed)
		return false;
	struct set *set = set_of(m, key);
	for (;;) {
		(void) pthread_mutex_lock(&set->lock);
		const struct place *p = find_place(set, key);
		size_t size = p ? p->item_size : 0;
		bool has_room = size <= out->capacity - out->size;
		if (p && has_room)
			buf_add(out, p->bytes + p->key_size, size);
		(void) pthread_mutex_unlock(&set->lock);
		if (!p || has_room)
			return p;
		if (!buf_reserve(out, size)) /* it says so itself, at its end */
			return false;
	}
}

void ec2_memo_keep(struct ec2_memo *m, const struct ec2_memo_key *key, struct str item)
{
	if (!is_keepable(key) || item.n > EC2_MEMO_ITEM_MAX)
		return;
	struct place *place = heap_alloc(sizeof *place + key->size + item.n);
	if (!place)
		return;
	place->key_size = key->size;
	place->item_size = item.n;
	memcpy(place->bytes, key->bytes, key->size);
	if (item.n)
		memcpy(place->bytes + key->size, item.p, item.n);
	struct set *set = set_of(m, key);
	(void) pthread_mutex_lock(&set->lock);
	struct place **chosen = choose_place(set, key), *old = *chosen;
	*chosen = place;
	(void) pthread_mutex_unlock(&set->lock);
	heap_free(old);
}
