/* SPDX-License-Identifier: Apache-2.0
 * The SQL driver for PostgreSQL. A transaction is collected in memory (postgresql_batch.c) and sent by commit in
 * one round trip. The row of table `writer` is the fence: it has the writing process's epoch and the number of
 * the last commit, and each transaction checks both. postgresql_lease.c decides who writes.
 *
 * Unknown outcome of a COMMIT: the connection is lost before its answer. A new connection, perhaps to another
 * host of the URL, reads the commit number under a lock on the fence's row, which waits for a commit that is
 * still on its way. So the answer is final: with this commit's number it took place, with the one before it did
 * not, and the same batch is sent again. */
#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "store/postgresql_internal.h"

enum {
	SCRATCH_CAP = 64 * 1024 * 1024,
	SEND_TRIES = POSTGRESQL_CONFLICTS_MAX,
	LOST_MAX = 2, /* a table that is locked for minutes costs an answer's time limit each time */
	PATIENCE_MS = 5000,
	CONFLICT_PAUSE_MS = 5
};
static const int64_t RECONNECT_US =
	300 * MILLISECOND; /* between failed attempts, for hosts that do not refuse */

/* ---- the connection ---- */

static RESULT connect_again(struct postgresql *self, struct ctx *c)
{
	postgresql_disconnect(&self->db);
	if (clock_monotonic_us() < self->not_before_us)
		return ctx_fail(c, ERR_TIMEOUT, "the database %s cannot be reached", self->name);
	struct result r = postgresql_connect(self, c, &self->db);
	if (!result_is_ok(r)) {
		self->not_before_us = clock_monotonic_us() + RECONNECT_US;
		return r;
	}
	self->generation++;
	self->is_begun = false;
	log_event(LOG_WARN, "database-connected", "database=%s", log_quote(str_from(self->name)));
	return OK;
}

static RESULT say_fenced(struct postgresql *self, struct ctx *c, int64_t epoch, uint64_t commit)
{
	if (epoch != self->epoch && !self->is_follower) {
		postgresql_lose_lease(self);
		return ctx_fail(
			c, ERR_GONE,
			"another dari process writes to the database %s since this one lost it: end one "
			"of them",
			self->name);
	}
	return ctx_fail(c, ERR_GONE,
			"the database %s is at commit %" PRIu64 " and this process at %" PRIu64
			": it is an older copy, or another program has written to it",
			self->name, commit, self->commit);
}

/* Reads the fence's row. The lock waits for a transaction of a lost connection. */
static RESULT read_fence_once(struct postgresql *self, struct ctx *c, bool with_lock, int64_t *ret_epoch,
			      uint64_t *ret_commit)
{
	AUTO_PGRESULT row = NULL;
	if (with_lock)
		TRY(postgresql_exec(self, c, self->db, "BEGIN; SET LOCAL lock_timeout = '2s'"));
	TRY(postgresql_ask(self, c, self->db,
			   with_lock ? "SELECT epoch, batch FROM writer WHERE one = 1 FOR UPDATE"
				     : "SELECT epoch, batch FROM writer WHERE one = 1",
			   0, NULL, &row));
	if (with_lock)
		TRY(postgresql_exec(self, c, self->db, "COMMIT"));
	if (PQntuples(row) != 1)
		return ctx_fail(c, ERR_STATE, "the database %s has lost the row of its table writer",
				self->name);
	*ret_epoch = postgresql_int(row, 0);
	*ret_commit = (uint64_t) postgresql_int(row, 1);
	return OK;
}

/* Reads it without the lock. A conflict costs one more attempt; in a transaction, which it ends, the caller begins again. */
RESULT postgresql_read_fence(struct postgresql *self, struct ctx *c, int64_t *ret_epoch, uint64_t *ret_commit)
{
	struct result r = read_fence_once(self, c, false, ret_epoch, ret_commit);
	for (int tries = 1; r.code == ERR_AGAIN && tries < POSTGRESQL_CONFLICTS_MAX &&
			    PQtransactionStatus(self->db) == PQTRANS_IDLE;
	     tries++) {
		ctx_clear_problem(c);
		r = read_fence_once(self, c, false, ret_epoch, ret_commit);
	}
	return r;
}

static RESULT check_fence(struct postgresql *self, struct ctx *c, int64_t epoch, uint64_t commit, bool fits)
{
	bool is_ours = epoch == self->epoch && fits;
	atomic_store(&self->is_elsewhere, !is_ours);
	return is_ours ? OK : say_fenced(self, c, epoch, commit);
}

/* Connects again if the connection was lost between two batches. */
static RESULT check_connection(struct postgresql *self, struct ctx *c)
{
	int64_t epoch = 0;
	uint64_t commit = 0;
	if (postgresql_is_alive(self->db))
		return OK;
	TRY(connect_again(self, c));
	TRY(postgresql_read_fence(self, c, &epoch, &commit));
	return check_fence(self, c, epoch, commit, commit == self->commit);
}

/* ---- transactions ---- */

static bool ends_well(struct postgresql *self)
{
	AUTO_PGRESULT result = postgresql_await(self->db, self->answer_max_ms);
	return PQresultStatus(result) == PGRES_COMMAND_OK;
}

/* The server keeps statements that a refused pipeline prepared. Which these are is not known: all are prepared again. */
static void end_transaction(struct postgresql *self)
{
	if (!self->db || !PQsendQuery(self->db, "ROLLBACK; DEALLOCATE ALL") || !ends_well(self))
		postgresql_disconnect(&self->db); /* begin connects again */
	self->generation++;
	self->is_begun = false;
}

static void driver_rollback(struct sql_driver *driver)
{
	struct postgresql *self = postgresql_of(driver);
	postgresql_clear(self);
	self->ends = self->ends_before;
	if (!self->is_begun)
		return;
	end_transaction(self);
}

static RESULT driver_begin(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	self->ends_before = self->ends;
	self->answer_max_ms = POSTGRESQL_ANSWER_MS;
	postgresql_clear(self);
	return check_connection(self, c);
}

/* Determines whether the commit took place. ERR_TIMEOUT: not known yet. An older database, such as a former primary, cannot tell:
 * if this process ended and began anew, it would take that one for its own. */
static RESULT settle(struct postgresql *self, struct ctx *c, uint64_t *ret_commit)
{
	int64_t epoch = 0;
	TRY(connect_again(self, c));
	struct result r = read_fence_once(self, c, true, &epoch, ret_commit);
	if (!result_is_ok(r)) {
		postgresql_disconnect(&self->db);
		return r.code == ERR_GONE || r.code == ERR_STATE ? r : FAIL(TIMEOUT);
	}
	r = check_fence(self, c, epoch, *ret_commit, *ret_commit >= self->commit);
	if (r.code == ERR_GONE && epoch == self->epoch) {
		self->not_before_us = clock_monotonic_us() + RECONNECT_US;
		return FAIL(TIMEOUT);
	}
	TRY(r);
	self->commit = *ret_commit;
	self->is_unknown = false;
	return OK;
}

/* A transaction that was sent in parts cannot be sent again, for its rows are not kept. Another batch must not get its number in this
 * epoch: a fail-over may have lost the first one after a follower showed it, and that follower would take the two for one. So
 * this process ends, and begins anew with another epoch. */
static RESULT say_lost_parts(struct postgresql *self, struct ctx *c)
{
	postgresql_lose_lease(self);
	return ctx_fail(c, ERR_GONE, "the database %s was lost during a transaction that was sent in parts",
			self->name);
}

/* Settles a lost commit. ERR_AGAIN: its outcome is not known, even if another process has taken the database since: the
 * batch may stand there, so nobody may be told that it does not. */
static RESULT settle_commit(struct postgresql *self, struct ctx *c, uint64_t commit, bool was_in_parts,
			    bool *ret_is_done)
{
	uint64_t found = 0;
	struct str why = c->problem.message;
	log_event(LOG_WARN, "database-lost", "commit=%" PRIu64 " why=%s", commit, log_quote(why));
	self->is_unknown = true;
	self->was_in_parts = was_in_parts;
	ctx_clear_problem(c);
	struct result r = settle(self, c, &found);
	if (!result_is_ok(r))
		return FAIL(AGAIN);
	*ret_is_done = found == commit;
	return *ret_is_done || !was_in_parts ? OK : say_lost_parts(self, c);
}

/* ERR_GONE with the reason, from the fence's row. A batch that was sent twice may have been refused because the first one
 * arrived late and took place: then the fence has our epoch and the batch's number. */
static RESULT explain_fence(struct postgresql *self, struct ctx *c, uint64_t wanted)
{
	int64_t epoch = 0;
	uint64_t commit = 0;
	__auto_type ends = self->ends;
	driver_rollback(&self->driver);
	ctx_clear_problem(c);
	TRY(postgresql_read_fence(self, c, &epoch, &commit));
	if (epoch != self->epoch || commit != wanted)
		return say_fenced(self, c, epoch, commit);
	self->ends = ends;
	return OK;
}

/* Begins the transaction again after a conflict, which other programs' locks may cause. The pause doubles with each try,
 * so that a lock of a few milliseconds costs little and SEND_TRIES outlast one of 600 ms. */
static RESULT begin_again(struct postgresql *self, struct ctx *c, int tries)
{
	end_transaction(self);
	ctx_clear_problem(c);
	clock_sleep_us((int64_t) CONFLICT_PAUSE_MS * MILLISECOND << tries);
	return check_connection(self, c);
}

static RESULT driver_commit(struct sql_driver *driver, struct ctx *c, uint64_t commit)
{
	struct postgresql *self = postgresql_of(driver);
	bool was_in_parts = self->is_begun, is_done = false;
	int lost = 0;
	struct result r = OK;
	for (int tries = 0; tries < SEND_TRIES && !is_done; tries++) {
		r = postgresql_send(self, c, commit);
		is_done = result_is_ok(r);
		if (r.code == ERR_TIMEOUT) {
			TRY(settle_commit(self, c, commit, was_in_parts, &is_done));
			self->is_unknown = !is_done && ++lost == LOST_MAX;
			if (self->is_unknown) /* read_commit sends it again; callers are answered in between */
				return FAIL(AGAIN);
		} else if (r.code == ERR_AGAIN && !was_in_parts)
			TRY(begin_again(self, c, tries));
		else if (!is_done)
			break;
	}
	if (r.code == ERR_GONE) {
		TRY(explain_fence(self, c, commit));
		is_done = true;
	}
	if (!is_done)
		return r.code == ERR_AGAIN || r.code == ERR_TIMEOUT
			       ? ctx_fail(c, ERR_IN_USE,
					  "the database did not take the transaction in %d attempts",
					  SEND_TRIES)
			       : r;
	self->commit = commit;
	self->is_begun = false;
	postgresql_clear(self);
	return OK;
}

/* Settles a lost commit that could not be settled at once. A batch that did not take place is sent again. */
static RESULT settle_later(struct postgresql *self, struct ctx *c, uint64_t *ret_commit)
{
	uint64_t before = self->commit;
	TRY(settle(self, c, ret_commit));
	if (*ret_commit != before)
		return OK;
	if (self->was_in_parts)
		return say_lost_parts(self, c);
	struct result r = driver_commit(&self->driver, c, before + 1);
	if (r.code == ERR_AGAIN) /* lost again */
		return FAIL(TIMEOUT);
	if (r.code == ERR_GONE || r.code == ERR_STATE)
		return r;
	if (!result_is_ok(r))
		ctx_clear_problem(c);
	*ret_commit = self->commit;
	return OK;
}

/* Also ends the loading of a writer's rows, which are read kind by kind: they belong together, because nobody else has written
 * while the epoch is this process's. */
static RESULT driver_read_commit(struct sql_driver *driver, struct ctx *c, uint64_t *ret_commit)
{
	struct postgresql *self = postgresql_of(driver);
	int64_t epoch = 0;
	if (self->is_reader)
		return postgresql_read_fence(self, c, &self->epoch, ret_commit);
	if (self->is_follower)
		return postgresql_end_load(self, c, ret_commit);
	if (self->is_unknown)
		return settle_later(self, c, ret_commit);
	TRY(check_connection(self, c));
	TRY(postgresql_read_fence(self, c, &epoch, ret_commit));
	return epoch == self->epoch ? OK : say_fenced(self, c, epoch, *ret_commit);
}

static RESULT driver_reach(struct sql_driver *driver, struct ctx *c)
{
	return check_connection(postgresql_of(driver), c);
}

/* ---- state ---- */

static RESULT take_epoch(void *arg, const PGresult *row)
{
	int64_t *fence = arg;
	fence[0] = postgresql_int(row, 0);
	fence[1] = postgresql_int(row, 1);
	return OK;
}

/* Any thread. Commits that this process knows of before it asks must be in the answer. */
static RESULT driver_find_files(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	uint64_t known = atomic_load(&self->commit);
	int64_t fence[2] = {0};
	struct result r = postgresql_read(self, c, "SELECT epoch, batch FROM writer WHERE one = 1", 0, NULL,
					  take_epoch, fence);
	if (r.code == ERR_AGAIN) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_GONE, "%" STR_FMT,
				STR_ARG(postgresql_copy_why_unread(self, c->arena)));
	}
	TRY(r);
	return (fence[0] == self->epoch || self->is_follower) && (uint64_t) fence[1] >= known
		       ? OK
		       : say_fenced(self, c, fence[0], (uint64_t) fence[1]);
}

static RESULT driver_save_history(struct sql_driver *driver, struct ctx *c, const char *path,
				  struct str *ret_lost)
{
	(void) driver;
	(void) path;
	(void) ret_lost;
	return ctx_fail(c, ERR_UNSUPPORTED,
			"not supported with PostgreSQL: restore the database from a backup");
}

/* ---- life ---- */

static void postgresql_free(struct postgresql *self)
{
	if (!self)
		return;
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		postgresql_free_batch(self->put[kind]);
		postgresql_free_batch(self->forget[kind]);
	}
	for (size_t n = 0; n < POSTGRESQL_HISTORY_COUNT; n++)
		postgresql_free_batch(self->history[n]);
	postgresql_end_lease(self);
	postgresql_disconnect(&self->reader);
	postgresql_disconnect(&self->db);
	arena_free(self->scratch);
	level_free(self->level);
	heap_free(self->url);
	heap_free(self->name);
	pthread_mutex_destroy(&self->reading);
	pthread_mutex_destroy(&self->lease.lock);
	pthread_cond_destroy(&self->lease.stopped);
	heap_free(self);
}
DEFINE_AUTO(postgresql)

static void driver_close(struct sql_driver *driver)
{
	postgresql_free(postgresql_of(driver));
}

static const struct sql_driver postgresql_calls = {
	.identify = postgresql_identify,
	.mark = postgresql_mark,
	.open = postgresql_open_schema,
	.confirm_level = postgresql_confirm_level,
	.read_programs = postgresql_read_programs,
	.load = postgresql_load,
	.begin = driver_begin,
	.put = postgresql_put,
	.forget = postgresql_forget,
	.add_event = postgresql_add_event,
	.add_usage = postgresql_add_usage,
	.add_ledger = postgresql_add_ledger,
	.add_audit = postgresql_add_audit,
	.commit = driver_commit,
	.rollback = driver_rollback,
	.reach = driver_reach,
	.read_commit = driver_read_commit,
	.read_events = postgresql_read_events,
	.read_usage = postgresql_read_usage,
	.read_ledger = postgresql_read_ledger,
	.add_series = postgresql_add_series,
	.read_series = postgresql_read_series,
	.add_past = postgresql_add_past,
	.read_past = postgresql_read_past,
	.read_last_stamp = postgresql_read_last_stamp,
	.read_log = postgresql_read_log,
	.begin_copy = postgresql_begin_copy,
	.add_record = postgresql_add_record,
	.end_copy = postgresql_end_copy,
	.find_files = driver_find_files,
	.read_audit = postgresql_read_audit,
	.read_audit_back = postgresql_read_audit_back,
	.prune_events = postgresql_prune_events,
	.cut_audit = postgresql_cut_audit,
	.read_segment = postgresql_read_segment,
	.read_writer = postgresql_read_writer,
	.open_follower = postgresql_open_follower,
	.follow = postgresql_follow,
	.await_feed = postgresql_await_feed,
	.may_act = postgresql_may_act,
	.may_answer = postgresql_may_answer,
	.check = postgresql_check,
	.copy = postgresql_copy,
	.open_reader = postgresql_open_reader,
	.save_history = driver_save_history,
	.close = driver_close,
};

RESULT postgresql_open(struct ctx *c, const char *url, struct sql_driver **ret_driver)
{
	AUTO(postgresql) self = heap_new(struct postgresql);
	if (!self)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the database");
	self->driver = postgresql_calls;
	self->schema = (struct postgresql_schema){model_schema_version, model_schema_hash, model_migrations};
	self->generation = 1;
	self->driver.lease.patience_ms = PATIENCE_MS;
	self->answer_max_ms = POSTGRESQL_LONG_ANSWER_MS;
	pthread_mutex_init(&self->reading, NULL);
	pthread_mutex_init(&self->lease.lock, NULL);
	pthread_cond_init(&self->lease.stopped, NULL);
	self->scratch = arena_new(ARENA_FIRST_SIZE, SCRATCH_CAP);
	if (!self->scratch)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the database");
	TRY(postgresql_take_url(self, c, url));
	TRY(postgresql_connect(self, c, &self->db));
	TRY(postgresql_check_pooler(self, c));
	*ret_driver = &TAKE(self)->driver;
	return OK;
}
