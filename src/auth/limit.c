/* SPDX-License-Identifier: Apache-2.0
 * Token buckets in 8-way sets with a lock each. A bucket is stored as the time when it will be full again;
 * taking a token moves that time back by the time one token takes to arrive. */
#include "auth/limit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/log.h"

enum { SETS = 1024, WAYS = 8, LOGGED_EVERY_S = 10 };

struct bucket {
	uuid key;          /* account, or made from an address; none: free */
	int64_t full_us;   /* monotonic clock */
	int64_t logged_us; /* when its refusals were last logged */
	uint32_t refused;  /* refusals since then */
};

struct bucket_set {
	pthread_mutex_t lock; /* guards the set's buckets; a lock each, so that callers rarely meet */
	struct bucket ways[WAYS];
};

struct bucket_table {
	int64_t token_us, whole_us; /* time for one token, and for a full bucket; 0: no limit */
	_Atomic uint64_t refused;
	struct bucket_set sets[SETS];
};

struct limits {
	struct bucket_table tables[LIMIT_KIND_COUNT];
};

static const char *const kind_words[LIMIT_KIND_COUNT] = {"reads", "writes", "strangers"};

/* ---- life ---- */

static void table_init(struct bucket_table *t, struct limit limit)
{
	for (size_t k = 0; k < SETS; k++)
		(void) pthread_mutex_init(&t->sets[k].lock, NULL);
	if (limit.per_second <= 0)
		return;
	int64_t per_second =
		limit.per_second < LIMIT_PER_SECOND_MAX ? limit.per_second : LIMIT_PER_SECOND_MAX;
	int64_t burst = limit.burst < LIMIT_BURST_MAX ? limit.burst : LIMIT_BURST_MAX;
	t->token_us = SECOND / per_second;
	t->whole_us = t->token_us * (burst > 1 ? burst : 1);
}

RESULT limits_new(struct ctx *c, const struct limits_config *config, struct limits **ret_limits)
{
	struct limits *l = heap_new(struct limits);
	if (!l)
		return ctx_no_memory(c);
	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++)
		table_init(&l->tables[kind], config->of[kind]);
	*ret_limits = l;
	return OK;
}

void limits_free(struct limits *l)
{
	for (enum limit_kind kind = 0; l && kind < LIMIT_KIND_COUNT; kind++)
		for (size_t k = 0; k < SETS; k++)
			(void) pthread_mutex_destroy(&l->tables[kind].sets[k].lock);
	heap_free(l);
}

/* ---- taking ---- */

/* Hashes all bits, because clients choose their addresses. */
static struct bucket_set *set_of(struct bucket_table *t, uuid key)
{
	uint64_t high = 0, low = 0;
	memcpy(&high, key.b, sizeof high);
	memcpy(&low, key.b + 8, sizeof low);
	return &t->sets[hash_add(hash_add(0, high), low) % SETS];
}

/* With the set's lock held. A free slot counts as the fullest bucket. The logging fields of a replaced bucket
 * are kept, so that many addresses cannot cause as many log lines. */
static struct bucket *find_bucket(struct bucket_set *set, uuid key)
{
	struct bucket *fullest = &set->ways[0];
	for (size_t k = 0; k < WAYS; k++) {
		if (uuid_equal(set->ways[k].key, key))
			return &set->ways[k];
		if (set->ways[k].full_us < fullest->full_us)
			fullest = &set->ways[k];
	}
	fullest->key = key;
	return fullest;
}

/* Number of refusals to log now; 0: none. The first one is logged at once. */
static uint32_t count_refusal(struct bucket *b, int64_t now_us)
{
	uint32_t unlogged = ++b->refused;
	if (b->logged_us && now_us - b->logged_us < LOGGED_EVERY_S * SECOND)
		return 0;
	b->logged_us = now_us;
	b->refused = 0;
	return unlogged;
}

/* *ret_unlogged: refusals to log, set if refused. */
static bool take(struct bucket_table *t, uuid key, uint32_t *ret_unlogged)
{
	struct bucket_set *set = set_of(t, key);
	int64_t now_us = clock_monotonic_us();
	(void) pthread_mutex_lock(&set->lock);
	struct bucket *b = find_bucket(set, key);
	int64_t full_us = (b->full_us > now_us ? b->full_us : now_us) + t->token_us;
	bool has_one = full_us - now_us <= t->whole_us;
	if (has_one)
		b->full_us = full_us;
	else
		*ret_unlogged = count_refusal(b, now_us);
	(void) pthread_mutex_unlock(&set->lock);
	t->refused += !has_one;
	return has_one;
}

bool limits_take(struct limits *l, const struct identity *who, bool writes)
{
	enum limit_kind kind = writes ? LIMIT_WRITES : LIMIT_READS;
	uint32_t unlogged = 0;
	if (!l || !l->tables[kind].token_us || take(&l->tables[kind], who->account, &unlogged))
		return true;
	if (unlogged)
		log_event(LOG_WARN, "request-limit", "account=%s of=%s refused=%" PRIu32,
			  log_quote(who->account_number), kind_words[kind], unlogged);
	return false;
}

bool limits_take_stranger(struct limits *l, struct ip peer)
{
	uint32_t unlogged = 0;
	char text[IP_TEXT_SIZE];
	uuid key = {{peer.family}};
	if (!l || !l->tables[LIMIT_STRANGERS].token_us)
		return true;
	memcpy(key.b + 8, peer.b, 8); /* IPv4 address, or /64 of an IPv6 address */
	if (take(&l->tables[LIMIT_STRANGERS], key, &unlogged))
		return true;
	if (unlogged)
		log_event(LOG_WARN, "request-limit", "peer=%s of=%s refused=%" PRIu32, ip_write(peer, text),
			  kind_words[LIMIT_STRANGERS], unlogged);
	return false;
}

void limits_read_refused(const struct limits *l, uint64_t ret_refused[static LIMIT_KIND_COUNT])
{
	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++)
		ret_refused[kind] = l ? l->tables[kind].refused : 0;
}
