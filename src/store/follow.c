/* SPDX-License-Identifier: Apache-2.0
 * Applies batches of another process. Each is a change without rules: they were checked where it was made. */
#include "store/follow.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/internal.h"

/* A process that was stopped for longer does not answer from what it had before. */
static const int64_t FED_MAX_US = 2 * SECOND;

uint64_t store_read_commit(struct store *s)
{
	pthread_rwlock_rdlock(&s->lock);
	uint64_t commit = s->commit;
	pthread_rwlock_unlock(&s->lock);
	return commit;
}

enum store_following store_read_following(struct store *s)
{
	return atomic_load(&s->following);
}

void store_follow(struct store *s)
{
	committer_wake(s);
}

void store_ask_feed(struct store *s)
{
	(void) atomic_fetch_add(&s->feed_asked, 1);
	committer_wake(s);
}

bool store_has_fed(struct store *s)
{
	return atomic_load(&s->feed_done) >= atomic_load(&s->feed_asked) &&
	       atomic_load(&s->following) == STORE_FOLLOWS &&
	       clock_boot_us() - atomic_load(&s->fed_us) < FED_MAX_US;
}

static RESULT take_put(void *arg, enum kind kind, const struct row *row)
{
	return op_take_row(arg, kind, row);
}

static RESULT take_gone(void *arg, enum kind kind, uuid id)
{
	struct op *op = arg;
	return tables_find(op->head, kind, id) ? op_forget(op, kind, id) : OK;
}

static void note_outcome(struct store *s, const struct ctx *c, struct result r)
{
	enum store_following now = result_is_ok(r)         ? STORE_FOLLOWS
				   : r.code == ERR_EXPIRED ? STORE_BEHIND
				   : r.code == ERR_GONE    ? STORE_OTHER
							   : STORE_LOST;
	if (now != atomic_exchange(&s->following, now))
		log_event(now == STORE_FOLLOWS ? LOG_WARN : LOG_ERROR,
			  now == STORE_FOLLOWS ? "database-followed" : "database-not-followed",
			  "commit=%" PRIu64 " why=%s", s->sql_commit, log_quote(c->problem.message));
}

static void count_rows(struct store *s)
{
	s->figures.commit = s->sql_commit;
	s->figures.rows = 0;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		s->figures.rows += s->head.counts[kind];
	committer_show_figures(s);
}

void follow_apply(struct store *s)
{
	struct ctx c;
	uint64_t commit = s->sql_commit;
	ctx_init(&c, s->arena);
	struct op op = {.ctx = &c,
			.head = &s->head,
			.store = s,
			.action = "dari:follow",
			.now_us = clock_now_us(),
			.log = &s->log};
	const struct sql_feed feed = {.put = take_put, .gone = take_gone, .arg = &op};
	uint64_t asked = atomic_load(&s->feed_asked);
	int64_t since_us = clock_boot_us();
	op_begin_change(s);
	struct result r = s->config.sql->follow(s->config.sql, &c, &feed, &commit);
	note_outcome(s, &c, r);
	if (!result_is_ok(r))
		op_undo_batch(s);
	else if (commit != s->sql_commit) {
		op_make_net(s);
		committer_publish(s, commit);
	}
	arena_reset(s->arena);
	op_end_batch(s, commit);
	view_free_retired(s, false);
	if (result_is_ok(r)) {
		atomic_store(&s->fed_us, since_us);
		atomic_store(&s->feed_done, asked);
	}
	count_rows(s);
}
