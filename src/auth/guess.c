/* SPDX-License-Identifier: Apache-2.0
 * Three tables of fixed size, each searched from end to end: that takes microseconds beside the milliseconds
 * of the hash which every guess costs, and no client can choose what lies beside what. */
#include "auth/guess.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/heap.h"
#include "base/log.h"

/* Wrong guesses in a row at one secret from one address. A full table forgets the one that failed the longest
 * ago. Whoever fills it thereby gets that address a few tries more, but no secret: all that was forgotten
 * still counts in the secret's own row. Nobody is locked, for a new row begins with nothing. */
struct guessing {
	uuid of, from; /* of none: free */
	int64_t failures;
	int64_t last_us;
};

/* Wrong guesses at one secret, as a bucket that is empty again at empty_us: each puts that off by what it may
 * cost. A full table gives a new secret the place of the emptiest bucket, and what is in it: forgetting a
 * bucket empties none, so nobody gets more guesses by filling the table. To lock a secret by it somebody has
 * to fill the other buckets to the brim first: GUESSES_SECRETS × 100 wrong guesses in an hour, at as many
 * secrets that there are, which is more than can be hashed in an hour. */
struct secret {
	uuid of;
	int64_t empty_us;
	int64_t logged_us; /* when the log was told that it is full */
};

/* An address that proved a secret. A secret has GUESSES_KNOWN_OF_ONE of them at most, and a stranger has
 * none: only somebody with GUESSES_KNOWN / GUESSES_KNOWN_OF_ONE secrets of their own can make the table
 * forget, and what is forgotten is let in as before unless somebody is guessing at it. */
struct known {
	uuid of, from;
	int64_t last_us;
};

struct guesses {
	int64_t failures_max, locked_us;
	int64_t guess_us, whole_us; /* what one guess puts off, and a full bucket */
	pthread_mutex_t lock;       /* over what follows */
	struct guessing pairs[GUESSES_PAIRS];
	struct secret secrets[GUESSES_SECRETS];
	struct known known[GUESSES_KNOWN];
};

RESULT guesses_new(struct ctx *c, int64_t failures_max, int64_t locked_us, struct guesses **ret_guesses)
{
	struct guesses *g = heap_new(struct guesses);
	if (!g)
		return ctx_no_memory(c);
	g->failures_max = failures_max;
	g->locked_us = locked_us;
	if (failures_max) {
		g->guess_us = HOUR / (failures_max * GUESSES_TIMES);
		g->whole_us = g->guess_us * failures_max * GUESSES_TIMES;
	}
	(void) pthread_mutex_init(&g->lock, NULL);
	*ret_guesses = g;
	return OK;
}

void guesses_free(struct guesses *g)
{
	if (!g)
		return;
	(void) pthread_mutex_destroy(&g->lock);
	heap_free(g);
}

uuid guesser_address(struct ip peer)
{
	uuid key = {{peer.family}};
	memcpy(key.b + 8, peer.b, 8); /* an IPv4 address, or the network half of an IPv6 one */
	return key;
}

/* ---- the tables; the lock is held ---- */

/* NULL: it has none. May it take a place, it takes that of who failed the longest ago. */
static struct guessing *find_pair(struct guesses *g, uuid of, uuid from, bool may_take)
{
	struct guessing *oldest = &g->pairs[0];
	for (size_t k = 0; k < GUESSES_PAIRS; k++) {
		if (uuid_equal(g->pairs[k].of, of) && uuid_equal(g->pairs[k].from, from))
			return &g->pairs[k];
		if (g->pairs[k].last_us < oldest->last_us)
			oldest = &g->pairs[k];
	}
	if (!may_take)
		return NULL;
	*oldest = (struct guessing){.of = of, .from = from};
	return oldest;
}

/* The same; it takes the emptiest, with what is in it. */
static struct secret *find_secret(struct guesses *g, uuid of, bool may_take)
{
	struct secret *emptiest = &g->secrets[0];
	for (size_t k = 0; k < GUESSES_SECRETS; k++) {
		if (uuid_equal(g->secrets[k].of, of))
			return &g->secrets[k];
		if (g->secrets[k].empty_us < emptiest->empty_us)
			emptiest = &g->secrets[k];
	}
	if (!may_take)
		return NULL;
	emptiest->of = of;
	emptiest->logged_us = 0;
	return emptiest;
}

/* The same; it takes the one unused for the longest time, of the secret's own when it has all that one may.
 */
static struct known *find_known(struct guesses *g, uuid of, uuid from, bool may_take)
{
	struct known *oldest = &g->known[0], *own = NULL;
	size_t own_count = 0;
	for (size_t k = 0; k < GUESSES_KNOWN; k++) {
		struct known *at = &g->known[k];
		bool is_own = uuid_equal(at->of, of);
		if (is_own && uuid_equal(at->from, from))
			return at;
		own_count += is_own;
		if (is_own && (!own || at->last_us < own->last_us))
			own = at;
		if (at->last_us < oldest->last_us)
			oldest = at;
	}
	if (!may_take)
		return NULL;
	struct known *taken = own_count >= GUESSES_KNOWN_OF_ONE ? own : oldest;
	*taken = (struct known){.of = of, .from = from};
	return taken;
}

/* ---- guessing ---- */

static bool is_counted(const struct guesses *g, const struct guesser *who)
{
	return !uuid_is_none(who->of) && g->failures_max;
}

bool guesses_may_try(struct guesses *g, const struct guesser *who)
{
	if (!is_counted(g, who))
		return true;
	int64_t now_us = clock_monotonic_us();
	uuid from = guesser_address(who->peer);
	(void) pthread_mutex_lock(&g->lock);
	struct guessing *pair = find_pair(g, who->of, from, false);
	if (pair && now_us >= pair->last_us + g->locked_us)
		*pair = (struct guessing){0};
	const struct secret *secret = find_secret(g, who->of, false);
	bool is_locked = pair && pair->failures >= g->failures_max;
	bool is_full = secret && secret->empty_us > now_us + g->whole_us - g->guess_us;
	bool may_try = !is_locked && (!is_full || find_known(g, who->of, from, false));
	(void) pthread_mutex_unlock(&g->lock);
	return may_try;
}

static void log_locked(const struct guesses *g, const struct guesser *who, int64_t failures)
{
	char text[UUID_TEXT_SIZE], peer[IP_TEXT_SIZE];
	log_event(LOG_WARN, "user-locked", "user=%s peer=%s failures=%lld seconds=%lld",
		  uuid_write(who->of, text), ip_write(who->peer, peer), (long long) failures,
		  (long long) (g->locked_us / SECOND));
}

static void log_full(const struct guesses *g, const struct guesser *who)
{
	char text[UUID_TEXT_SIZE], peer[IP_TEXT_SIZE];
	log_event(LOG_WARN, "user-guessed-at", "user=%s peer=%s an_hour=%lld", uuid_write(who->of, text),
		  ip_write(who->peer, peer), (long long) (g->failures_max * GUESSES_TIMES));
}

/* Whether the log is to be told that the secret's bucket is full: once an hour. */
static bool fill_bucket(struct guesses *g, uuid of, int64_t now_us)
{
	struct secret *secret = find_secret(g, of, true);
	if (secret->empty_us < now_us)
		secret->empty_us = now_us;
	secret->empty_us += g->guess_us;
	if (secret->empty_us > now_us + g->whole_us) /* guesses at one time, or from addresses that may */
		secret->empty_us = now_us + g->whole_us;
	bool is_logged = secret->empty_us > now_us + g->whole_us - g->guess_us &&
			 (!secret->logged_us || now_us >= secret->logged_us + HOUR);
	if (is_logged)
		secret->logged_us = now_us;
	return is_logged;
}

void guesses_note(struct guesses *g, const struct guesser *who, bool is_right)
{
	if (!is_counted(g, who))
		return;
	int64_t failures = 0, now_us = clock_monotonic_us();
	uuid from = guesser_address(who->peer);
	bool is_full_now = false;
	(void) pthread_mutex_lock(&g->lock);
	struct guessing *pair = find_pair(g, who->of, from, !is_right);
	if (is_right) {
		if (pair)
			*pair = (struct guessing){0};
		find_known(g, who->of, from, true)->last_us = now_us;
	} else {
		failures = ++pair->failures;
		pair->last_us = now_us;
		is_full_now = fill_bucket(g, who->of, now_us);
	}
	(void) pthread_mutex_unlock(&g->lock);
	if (failures && failures == g->failures_max)
		log_locked(g, who, failures);
	if (is_full_now)
		log_full(g, who);
}
