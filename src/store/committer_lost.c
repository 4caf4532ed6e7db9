/* SPDX-License-Identifier: Apache-2.0
 * Keeps the committer going while the database's server cannot be reached. Queued changes wait, so that a fail-over of a few
 * seconds delays requests and fails none. A request whose deadline passes is refused. Changes whose COMMIT was
 * under way wait for its outcome; their callers are answered at their deadline, too, and are told that the
 * outcome is open. */
#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/internal.h"

static const int64_t PAUSE_US = 100 * MILLISECOND; /* between attempts; short, since every change waits */
/* Changes without a deadline are the reconciler's and timers', whose threads are needed when the process ends. */
static const int64_t OPEN_MAX_US = 30 * SECOND;

RESULT committer_say_unreachable(struct ctx *c)
{
	return ctx_fail(
		c, ERR_AGAIN,
		"The region's database cannot be reached: nothing is changed meanwhile. Try again later.");
}

static RESULT say_open(struct ctx *c)
{
	return ctx_fail(
		c, ERR_AGAIN,
		"The region's database cannot be reached, and it is not known whether the change took "
		"place. Try again later with the same client token, or look first.");
}

void committer_log_lost(struct store *s, struct result r, const struct ctx *c)
{
	bool is_lost = r.code == ERR_TIMEOUT;
	if (is_lost && !s->is_lost)
		log_event(LOG_ERROR, "database-unreachable", "why=%s", log_quote(c->problem.message));
	else if (!is_lost && s->is_lost)
		log_event(LOG_WARN, "database-back", "commit=%" PRIu64, s->sql_commit);
	s->is_lost = is_lost;
}

/* Moves the changes whose time is over from *list to *late. Returns the end of the rest. */
static struct change **part_late(struct change **list, int64_t undated_us, struct change **late)
{
	int64_t now_us = clock_now_us();
	while (*late)
		late = &(*late)->next;
	while (*list) {
		struct change *change = *list;
		int64_t deadline_us = change->ctx->deadline_us ? change->ctx->deadline_us : undated_us;
		if (now_us < deadline_us) {
			list = &change->next;
			continue;
		}
		*list = change->next;
		change->next = NULL;
		*late = change;
		late = &change->next;
	}
	return list;
}

static void answer(struct change *first, RESULT (*say)(struct ctx *c))
{
	for (struct change *change = first, *next = NULL; change; change = next) {
		next = change->next; /* done() may free the change */
		ctx_clear_problem(change->ctx);
		change->done(change, say(change->ctx));
	}
}

/* Returns true while changes wait and the store stays open. */
static bool refuse_late(struct store *s, bool *ret_is_closing)
{
	struct change *late = NULL;
	bool waits = false;
	pthread_mutex_lock(&s->queue_lock);
	for (size_t n = 0; n < QUEUES; n++) {
		s->queues[n].end = part_late(&s->queues[n].first, 0, &late);
		waits = waits || s->queues[n].first;
	}
	*ret_is_closing = s->closing;
	pthread_mutex_unlock(&s->queue_lock);
	answer(late, committer_say_unreachable);
	return waits && !*ret_is_closing;
}

void committer_wait_for_database(struct store *s)
{
	struct sql_driver *sql = s->config.sql;
	bool is_closing = false;
	for (;;) {
		struct ctx c;
		ctx_init(&c, s->arena);
		struct result r = sql->reach(sql, &c);
		if (r.code == ERR_TIMEOUT || result_is_ok(r))
			committer_log_lost(s, r, &c);
		arena_reset(s->arena);
		if (r.code != ERR_TIMEOUT || !refuse_late(s, &is_closing))
			return;
		clock_sleep_us(PAUSE_US);
	}
}

/* Takes callers whose deadline has passed out of the batch. The batch's rows and records are the store's own. */
static void answer_open(struct change **first, int64_t until_us)
{
	struct change *late = NULL;
	(void) part_late(first, until_us, &late);
	answer(late, say_open);
}

/* Waits for as long as a batch takes, but not for a database that is away: an operator's command says so instead. */
RESULT committer_hold(struct store *s, struct ctx *c)
{
	while (!atomic_load(&s->is_open)) {
		int64_t until_us = clock_system_us() + SECOND;
		const struct timespec until = {.tv_sec = until_us / SECOND,
					       .tv_nsec = until_us % SECOND * 1000};
		if (pthread_mutex_clocklock(&s->still, CLOCK_MONOTONIC, &until) == 0)
			return OK;
	}
	return ctx_fail(
		c, ERR_AGAIN,
		"the database cannot be reached, and it is not known whether the last commit took place");
}

void committer_let_go(struct store *s)
{
	pthread_mutex_unlock(&s->still);
}

static RESULT read_back(struct store *s, struct ctx *c, struct change **first, uint64_t *ret_found)
{
	struct sql_driver *sql = s->config.sql;
	int64_t until_us = clock_now_us() + OPEN_MAX_US;
	bool is_closing = false;
	for (;;) {
		struct result r = sql->read_commit(sql, c, ret_found);
		if (r.code != ERR_TIMEOUT)
			return r;
		committer_log_lost(s, r, c);
		ctx_clear_problem(c);
		answer_open(first, until_us);
		(void) refuse_late(s, &is_closing);
		if (is_closing) /* the next start loads the outcome */
			return ctx_fail(c, ERR_AGAIN, "the store is closing");
		clock_sleep_us(PAUSE_US);
	}
}

RESULT committer_read_back(struct store *s, struct ctx *c, struct change **first, uint64_t *ret_found)
{
	atomic_store(&s->is_open, true);
	struct result r = read_back(s, c, first, ret_found);
	atomic_store(&s->is_open, false);
	return r;
}
