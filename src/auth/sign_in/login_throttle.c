/* SPDX-License-Identifier: Apache-2.0
 * Three tables of fixed size, each searched linearly: that takes microseconds, compared with milliseconds for
 * the password hash that every attempt costs, and clients cannot cause collisions. */
#include "auth/sign_in/login_throttle.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/heap.h"
#include "base/log.h"

/* Consecutive failures for one secret from one address. A full table drops the entry with the oldest failure.
 * Filling the table gains an attacker a few extra tries from one address, but no secret: the dropped failures
 * still count in the secret's bucket. It locks nobody out, since a new entry starts at zero. */
struct guessing {
	uuid of, from; /* of none: free */
	int64_t failures;
	int64_t last_us;
};

/* Failures for one secret from any address, as a leaky bucket that is empty at empty_us; each failure moves
 * that time back by guess_us. A full table gives a new secret the emptiest bucket with its content, so
 * filling the table gains nobody any tries. To lock a secret this way, an attacker must first fill all other
 * buckets: LOGIN_THROTTLE_SECRETS × 100 failures in an hour at as many existing secrets, which is more than can be
 * hashed in an hour. */
struct secret {
	uuid of;
	int64_t empty_us;
	int64_t logged_us; /* last time the log reported the bucket as full */
};

/* An address that proved a secret. A secret has at most LOGIN_THROTTLE_KNOWN_OF_ONE of them and a stranger none, so
 * only the owner of LOGIN_THROTTLE_KNOWN / LOGIN_THROTTLE_KNOWN_OF_ONE secrets can displace entries. A displaced address is
 * only refused while somebody is attacking the secret. */
struct known {
	uuid of, from;
	int64_t last_us;
};

struct login_throttle {
	int64_t failures_max, locked_us;
	int64_t guess_us, whole_us; /* cost of one failure, and of a full bucket */
	pthread_mutex_t lock;       /* guards the tables */
	struct guessing pairs[LOGIN_THROTTLE_PAIRS];
	struct secret secrets[LOGIN_THROTTLE_SECRETS];
	struct known known[LOGIN_THROTTLE_KNOWN];
};

RESULT login_throttle_new(struct ctx *c, int64_t failures_max, int64_t locked_us,
			  struct login_throttle **ret_guesses)
{
	struct login_throttle *g = heap_new(struct login_throttle);
	if (!g)
		return ctx_no_memory(c);
	g->failures_max = failures_max;
	g->locked_us = locked_us;
	if (failures_max) {
		g->guess_us = HOUR / (failures_max * LOGIN_THROTTLE_TIMES);
		g->whole_us = g->guess_us * failures_max * LOGIN_THROTTLE_TIMES;
	}
	(void) pthread_mutex_init(&g->lock, NULL);
	*ret_guesses = g;
	return OK;
}

void login_throttle_free(struct login_throttle *g)
{
	if (!g)
		return;
	(void) pthread_mutex_destroy(&g->lock);
	heap_free(g);
}

uuid login_attempt_address(struct ip peer)
{
	uuid key = {{peer.family}};
	memcpy(key.b + 8, peer.b, 8); /* IPv4 address, or /64 of an IPv6 address */
	return key;
}

/* ---- the tables; the lock is held ---- */

/* NULL: not found. With may_take, replaces the entry with the oldest failure. */
static struct guessing *find_pair(struct login_throttle *g, uuid of, uuid from, bool may_take)
{
	struct guessing *oldest = &g->pairs[0];
	for (size_t k = 0; k < LOGIN_THROTTLE_PAIRS; k++) {
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

/* NULL: not found. With may_take, takes over the emptiest bucket with its content. */
static struct secret *find_secret(struct login_throttle *g, uuid of, bool may_take)
{
	struct secret *emptiest = &g->secrets[0];
	for (size_t k = 0; k < LOGIN_THROTTLE_SECRETS; k++) {
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

/* NULL: not found. With may_take, replaces the least recently used entry: of this secret if it has reached
 * its limit, else of the table. */
static struct known *find_known(struct login_throttle *g, uuid of, uuid from, bool may_take)
{
	struct known *oldest = &g->known[0], *own = NULL;
	size_t own_count = 0;
	for (size_t k = 0; k < LOGIN_THROTTLE_KNOWN; k++) {
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
	struct known *taken = own_count >= LOGIN_THROTTLE_KNOWN_OF_ONE ? own : oldest;
	*taken = (struct known){.of = of, .from = from};
	return taken;
}

/* ---- guessing ---- */

static bool is_counted(const struct login_throttle *g, const struct login_attempt *who)
{
	return !uuid_is_none(who->of) && g->failures_max;
}

bool login_throttle_may_try(struct login_throttle *g, const struct login_attempt *who)
{
	if (!is_counted(g, who))
		return true;
	int64_t now_us = clock_monotonic_us();
	uuid from = login_attempt_address(who->peer);
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

static void log_locked(const struct login_throttle *g, const struct login_attempt *who, int64_t failures)
{
	char text[UUID_TEXT_SIZE], peer[IP_TEXT_SIZE];
	log_event(LOG_WARN, "user-locked", "user=%s peer=%s failures=%lld seconds=%lld",
		  uuid_write(who->of, text), ip_write(who->peer, peer), (long long) failures,
		  (long long) (g->locked_us / SECOND));
}

static void log_full(const struct login_throttle *g, const struct login_attempt *who)
{
	char text[UUID_TEXT_SIZE], peer[IP_TEXT_SIZE];
	log_event(LOG_WARN, "user-guessed-at", "user=%s peer=%s an_hour=%lld", uuid_write(who->of, text),
		  ip_write(who->peer, peer), (long long) (g->failures_max * LOGIN_THROTTLE_TIMES));
}

/* True if the log should report the bucket as full: at most once an hour. */
static bool fill_bucket(struct login_throttle *g, uuid of, int64_t now_us)
{
	struct secret *secret = find_secret(g, of, true);
	if (secret->empty_us < now_us)
		secret->empty_us = now_us;
	secret->empty_us += g->guess_us;
	if (secret->empty_us > now_us + g->whole_us) /* concurrent failures, or failures from known
						      * addresses */
		secret->empty_us = now_us + g->whole_us;
	bool is_logged = secret->empty_us > now_us + g->whole_us - g->guess_us &&
			 (!secret->logged_us || now_us >= secret->logged_us + HOUR);
	if (is_logged)
		secret->logged_us = now_us;
	return is_logged;
}

void login_throttle_note(struct login_throttle *g, const struct login_attempt *who, bool is_right)
{
	if (!is_counted(g, who))
		return;
	int64_t failures = 0, now_us = clock_monotonic_us();
	uuid from = login_attempt_address(who->peer);
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
