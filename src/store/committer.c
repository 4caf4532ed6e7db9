/* SPDX-License-Identifier: Apache-2.0
 * The committer: takes queued changes, runs each on the head, writes the batch in one SQL transaction,
 * publishes it, calls listeners, and answers. It is one actor, so batches never overlap; its job is queued at
 * most once, while there is something to do. op.c implements what a change may do. */
#include <assert.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/identity.h"
#include "store/internal.h"

enum { EXIT_COMMIT_UNKNOWN = 70, SYSTEM_PART = 4, HISTORY_LOGS = 2 };
static const int64_t SLOW_US = SECOND;

/* ---- the queue ---- */

static void committer_schedule(struct store *s) /* with queue_lock held */
{
	if (s->scheduled || s->closing)
		return;
	s->scheduled = true;
	actor_post(s->actor, &s->job);
}

void committer_wake(struct store *s)
{
	pthread_mutex_lock(&s->queue_lock);
	committer_schedule(s);
	pthread_mutex_unlock(&s->queue_lock);
}

void store_submit(struct store *s, struct change *change)
{
	change->next = NULL;
	if (s->refusal) {
		change->done(change, ctx_fail(change->ctx, ERR_AGAIN, "%s", s->refusal));
		return;
	}
	pthread_mutex_lock(&s->queue_lock);
	bool closing = s->closing;
	if (!closing) {
		size_t queue = change->ctx->who ? QUEUE_CLIENTS : QUEUE_SYSTEM;
		*s->queues[queue].end = change;
		s->queues[queue].end = &change->next;
		committer_schedule(s);
	}
	pthread_mutex_unlock(&s->queue_lock);
	if (closing)
		change->done(change, ctx_fail(change->ctx, ERR_AGAIN, "the store is closing"));
}

/* Moves up to max changes to *end, in order, and returns the new end. Under queue_lock. */
static struct change **committer_take(struct store *s, size_t queue, size_t max, struct change **end)
{
	for (size_t n = 0; s->queues[queue].first && n < max; n++) {
		*end = s->queues[queue].first;
		s->queues[queue].first = (*end)->next;
		end = &(*end)->next;
	}
	if (!s->queues[queue].first)
		s->queues[queue].end = &s->queues[queue].first;
	*end = NULL;
	return end;
}

/* Takes the next batch: clients' changes first, then a limited number of the system's, to keep the batch
 * short for waiting clients. Both queues advance with each batch, so neither starves. */
static void committer_take_queues(struct store *s)
{
	size_t system_max = (s->config.batch_max + SYSTEM_PART - 1) / SYSTEM_PART;
	pthread_mutex_lock(&s->queue_lock);
	struct change **end = committer_take(s, QUEUE_CLIENTS, s->config.batch_max, &s->pending);
	(void) committer_take(s, QUEUE_SYSTEM, system_max, end);
	pthread_mutex_unlock(&s->queue_lock);
}

static bool committer_has_more(const struct store *s) /* under queue_lock, or in the only thread */
{
	return s->queues[QUEUE_CLIENTS].first || s->queues[QUEUE_SYSTEM].first;
}

/* ---- one change ---- */

static RESULT committer_say_full(struct ctx *c)
{
	return ctx_fail(
		c, ERR_AGAIN,
		"The region's disk is full: nothing is changed until its operator has made room. Try again "
		"later.");
}

/* True while the disk is full and a client asks. Clients could fill the disk further; changes of the system,
 * such as audit records, and of its operator are few, and some of them free space. */
static bool committer_refuses(const struct store *s, const struct change *change)
{
	const struct identity *who = change->ctx->who;
	return s->is_full && who && !who->is_operator;
}

static void committer_run_change(struct store *s, struct change *change)
{
	if (committer_refuses(s, change)) {
		op_begin_change(s);
		change->result = committer_say_full(change->ctx);
		op_undo_change(s);
		return;
	}
	struct op op = {.ctx = change->ctx,
			.head = &s->head,
			.store = s,
			.action = change->action,
			.now_us = clock_now_us(),
			.log = &s->log};
	op_begin_change(s);
	change->result = change->run(&op, change->arg);
	if (result_is_ok(change->result))
		change->result = op_follow_change(&op);
	if (result_is_ok(change->result))
		change->result = op_check_change(s, change->ctx);
	if (!result_is_ok(change->result))
		op_undo_change(s);
	else if (!change->ctx->who)
		op_mark_records(s, change);
}

/* ---- the batch in SQL ---- */

static RESULT committer_write_rows(struct store *s, struct ctx *c)
{
	struct sql_driver *sql = s->config.sql;
	for (size_t n = 0; n < s->log.net_count; n++) {
		const struct published *p = &s->log.net[n];
		TRY(past_note(s, c, p));
		if (p->after)
			TRY(sql->put(sql, c, p->kind, p->after));
		else
			TRY(sql->forget(sql, c, p->kind, p->before->id));
	}
	return OK;
}

static RESULT committer_write_notes(struct store *s, struct ctx *c)
{
	struct sql_driver *sql = s->config.sql;
	for (const struct note *note = s->log.first_note; note; note = note->next) {
		switch (note->type) {
		case NOTE_EVENT:
			TRY(sql->add_event(sql, c, &note->event));
			break;
		case NOTE_USAGE:
			TRY(sql->add_usage(sql, c, &note->usage,
					   note->subject ? &note->subject->ledger : NULL));
			break;
		case NOTE_LEDGER:
			TRY(sql->add_ledger(sql, c, &note->ledger));
			break;
		case NOTE_AUDIT:
			TRY(sql->add_audit(sql, c, &note->audit));
			break;
		case NOTE_SERIES:
			if (sql->add_series)
				TRY(sql->add_series(sql, c, &note->series));
			break;
		case NOTE_PRUNE:
			TRY(sql->prune_events(sql, c, note->before_us));
			break;
		case NOTE_AUDIT_CUT:
			TRY(sql->cut_audit(sql, c, &note->segment));
			break;
		}
	}
	return OK;
}

/* Resolves a COMMIT without an answer by reading the commit number back. If that fails, memory and SQL may
 * differ, so the process ends and loads again at its next start. Callers whose deadline passes meanwhile are
 * answered and leave the batch. */
static RESULT committer_settle(struct store *s, struct ctx *c, uint64_t commit, struct change **first)
{
	struct sql_driver *sql = s->config.sql;
	struct problem problem = c->problem;
	struct str why = problem.message;
	log_event(LOG_WARN, "commit-unknown", "commit=%" PRIu64 " why=%s", commit, log_quote(why));
	uint64_t found = 0;
	if (!result_is_ok(committer_read_back(s, c, first, &found)) || found > commit) {
		log_event(LOG_ERROR, "commit-unknown-ends", "commit=%" PRIu64 " found=%" PRIu64 " why=%s",
			  commit, found, log_quote(c->problem.message));
		_exit(EXIT_COMMIT_UNKNOWN);
	}
	if (found == commit)
		return OK;
	sql->rollback(sql);
	c->problem = problem;
	return (struct result){problem.err};
}

static RESULT committer_fill(struct store *s, struct ctx *c)
{
	TRY(s->config.sql->begin(s->config.sql, c));
	TRY(committer_write_rows(s, c));
	return committer_write_notes(s, c);
}

/* A log found to be damaged is skipped by the next attempt, hence one attempt more per log. */
static RESULT committer_fill_all(struct store *s, struct ctx *c)
{
	struct result r = committer_fill(s, c);
	for (int tries = 0; r.code == ERR_AGAIN && tries < HISTORY_LOGS; tries++) {
		s->config.sql->rollback(s->config.sql);
		ctx_clear_problem(c);
		r = committer_fill(s, c);
	}
	return r;
}

static void committer_note_time(struct store *s, uint64_t commit, int64_t took_us)
{
	s->figures.last_commit_us = took_us;
	if (took_us >= SLOW_US)
		log_event(LOG_WARN, "commit-slow", "commit=%" PRIu64 " took_ms=%" PRId64, commit,
			  took_us / MILLISECOND);
	pthread_mutex_lock(&s->queue_lock);
	if (took_us > s->slowest_us) {
		s->slowest_us = took_us;
		s->slowest_at_us = clock_now_us();
	}
	pthread_mutex_unlock(&s->queue_lock);
}

static RESULT committer_write(struct store *s, struct ctx *c, uint64_t commit, struct change **first)
{
	struct sql_driver *sql = s->config.sql;
	struct result r = committer_fill_all(s, c);
	int64_t since_us = clock_monotonic_us();
	if (result_is_ok(r)) {
		r = sql->commit(sql, c, commit);
		committer_note_time(s, commit, clock_monotonic_us() - since_us);
		if (r.code == ERR_AGAIN)
			return committer_settle(s, c, commit, first);
	}
	if (!result_is_ok(r))
		sql->rollback(sql);
	return r;
}

/* ---- the batch in memory ---- */

void committer_publish(struct store *s, uint64_t commit)
{
	const struct op_log *log = &s->log;
	assert(!view_is_read_here(s));
	s->sql_commit = commit;
	pthread_rwlock_wrlock(&s->lock);
	tables_publish(&s->published, &s->head, log->net, log->net_count, commit);
	s->commit = commit;
	pthread_rwlock_unlock(&s->lock);
	pthread_mutex_lock(&s->listening);
	for (size_t n = 0; log->net_count && n < s->listener_count; n++)
		s->listeners[n].fn(s->listeners[n].self, &s->published, log->net, log->net_count);
	pthread_mutex_unlock(&s->listening);
}

/* Logs once when space runs out, and once when there is space again. */
static void committer_note_room(struct store *s, bool is_full)
{
	if (is_full && !s->is_full)
		log_event(LOG_ERROR, "disk-full", "commit=%" PRIu64, s->sql_commit);
	else if (!is_full && s->is_full)
		log_event(LOG_WARN, "disk-has-room", "commit=%" PRIu64, s->sql_commit);
	s->is_full = is_full;
}

/* Logs once when the database files disappear, and once when they are back, however many batches fail in
 * between. Nothing was committed meanwhile, so the returned files agree with memory and changes are accepted
 * again. */
static void committer_log(struct store *s, struct result r, const struct ctx *c)
{
	bool is_gone = r.code == ERR_GONE;
	committer_log_lost(s, r, c);
	if (r.code == ERR_TIMEOUT)
		return;
	if (is_gone && !s->is_gone)
		log_event(LOG_ERROR, "database-moved", "why=%s", log_quote(c->problem.message));
	else if (s->is_gone && result_is_ok(r))
		log_event(LOG_WARN, "database-back", "commit=%" PRIu64, s->sql_commit + 1);
	else if (r.code == ERR_CAPACITY)
		committer_note_room(s, true);
	else if (!is_gone && !result_is_ok(r))
		log_event(LOG_ERROR, "commit-failed", "commit=%" PRIu64 " why=%s", s->sql_commit + 1,
			  log_quote(c->problem.message));
	s->is_gone = is_gone || (s->is_gone && !result_is_ok(r));
}

/* Error for the caller, who is not told where the database is. */
static RESULT committer_say_refused(struct change *change, struct result r, const struct ctx *c)
{
	if (r.code == ERR_GONE)
		return ctx_fail(change->ctx, ERR_GONE,
				"The region's database was moved, removed or replaced: nothing is changed "
				"until its operator has put it back. `dari doctor` says how.");
	if (r.code == ERR_STATE)
		return ctx_fail(change->ctx, ERR_GONE,
				"The region's database is damaged: nothing is changed until its operator has "
				"put it right. `dari doctor` says how.");
	if (r.code == ERR_CAPACITY)
		return committer_say_full(change->ctx);
	if (r.code == ERR_TIMEOUT)
		return committer_say_unreachable(change->ctx);
	if (r.code == ERR_IN_USE)
		return ctx_fail(change->ctx, ERR_AGAIN,
				"The region's database is busy: nothing is changed. Try again later.");
	return ctx_fail(change->ctx, ERR_IO, "the database refused the change: %" STR_FMT,
			STR_ARG(c->problem.message));
}

/* Fails every change of a batch that was rolled back: those that had succeeded, and those that were refused after one of
 * them, because a change now undone may have been the reason for the refusal. On a full disk, changes of the system that only write
 * audit records succeed as far as the reserve keeps them. */
static void committer_refuse(struct store *s, struct change *first, struct result r, const struct ctx *c)
{
	bool any = false;
	for (struct change *change = first; change != s->pending; change = change->next) {
		if (r.code == ERR_CAPACITY && audit_reserve_keep(s, change))
			continue;
		any = any || result_is_ok(change->result);
		if (!any)
			continue;
		ctx_clear_problem(change->ctx); /* a problem that the change had handled */
		change->result = committer_say_refused(change, r, c);
	}
	op_undo_batch(s);
}

static void committer_answer(struct store *s, struct change *first)
{
	for (struct change *change = first, *next = NULL; change != s->pending; change = next) {
		next = change->next; /* done() may free the change */
		change->done(change, change->result);
	}
}

void committer_show_figures(struct store *s)
{
	pthread_mutex_lock(&s->queue_lock);
	s->shown_figures = s->figures;
	pthread_mutex_unlock(&s->queue_lock);
}

/* Counts before the answers, so that an answered caller finds its change in the figures. */
static void committer_count(struct store *s, const struct change *first)
{
	for (const struct change *change = first; change != s->pending; change = change->next) {
		s->figures.changes++;
		s->figures.failed += (size_t) !result_is_ok(change->result);
	}
	s->figures.commit = s->sql_commit;
	s->figures.rows = 0;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		s->figures.rows += s->head.counts[kind];
	committer_show_figures(s);
}

/* Refused changes contributed nothing to the batch. */
static bool is_by_clock_alone(const struct store *s, const struct change *first)
{
	bool is_so = true;
	for (const struct change *change = first; change != s->pending && is_so; change = change->next)
		is_so = change->by_clock || !result_is_ok(change->result);
	return is_so;
}

/* Records that wait for room come before the next batch. They are below the floor of free space, like all that
 * the system writes. */
void committer_write_reserve(struct store *s)
{
	while (s->reserve.first) {
		struct change *nobody = s->pending;
		struct ctx c;
		ctx_init(&c, s->arena);
		audit_reserve_lend(s);
		struct result r = committer_write(s, &c, s->sql_commit + 1, &nobody);
		committer_log(s, r, &c);
		arena_reset(s->arena);
		if (!result_is_ok(r)) {
			audit_reserve_take_back(s);
			return;
		}
		committer_publish(s, s->sql_commit + 1);
		audit_reserve_count_written(s);
		op_end_batch(s, s->sql_commit);
	}
}

static void committer_run_batch(struct store *s)
{
	committer_write_reserve(s);
	committer_take_queues(s);
	committer_note_room(s, s->has_room && !s->has_room(s->room_self));
	struct change *first = s->pending;
	for (; s->pending; s->pending = s->pending->next)
		committer_run_change(s, s->pending);
	op_make_net(s);
	uint64_t commit = s->sql_commit;
	struct ctx c;
	ctx_init(&c, s->arena);
	struct result r = OK;
	if (s->log.net_count || s->log.first_note) {
		r = committer_write(s, &c, ++commit, &first);
		committer_log(s, r, &c);
		s->figures.clock_commits += result_is_ok(r) && is_by_clock_alone(s, first);
	}
	if (!result_is_ok(r))
		committer_refuse(s, first, r, &c);
	else if (commit != s->sql_commit)
		committer_publish(s, commit);
	arena_reset(s->arena);
	committer_count(s, first);
	committer_answer(s, first);
	op_end_batch(s, commit);
	view_free_retired(s, false);
	committer_show_figures(s); /* for the number of retired versions */
}

static void committer_run_still(struct store *s)
{
	pthread_mutex_lock(&s->still);
	if (s->refusal)
		follow_apply(s);
	else
		committer_run_batch(s);
	pthread_mutex_unlock(&s->still);
}

void committer_run(struct job *job)
{
	struct store *s = (struct store *) (void *) ((char *) job - offsetof(struct store, job));
	if (!s->config.sql->reach || s->refusal || committer_wait_for_database(s))
		committer_run_still(s);
	pthread_mutex_lock(&s->queue_lock);
	s->scheduled = false;
	if (committer_has_more(s))
		committer_schedule(s);
	pthread_mutex_unlock(&s->queue_lock);
}

void committer_drain(struct store *s)
{
	while (committer_has_more(s))
		committer_run_still(s);
}
