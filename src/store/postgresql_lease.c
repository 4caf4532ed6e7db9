/* SPDX-License-Identifier: Apache-2.0
 * The writer's lease in PostgreSQL: the row of table writer_lease, apart from the fence's row, so that a renewal never
 * waits for a slow COMMIT. Taking the lease raises the fence's epoch in the same transaction; from then on transactions
 * of the former writer fail. Epochs are microseconds since 1970, or more than the last: OVN and hosts keep the highest that
 * they have seen, so a restored or copied database must not begin again below it. While the last one is ahead of the clock, a drawn
 * number is added: two copies of one database that each got a writer, or a standby that lacks the last take-over, must not give
 * one epoch twice, because followers, fence and renewals tell writers apart by it. A thread renews the lease by a connection of its own, without the points of faults, which
 * tests count. Rules: lease.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "store/postgresql_internal.h"

/* RENEWAL_MAX_MS: shorter than LEASE_TTL_MS, since a later answer could not save the lease. */
enum { RENEWAL_MAX_MS = 1500, PRUNE_EVERY = 20 };

const char *const postgresql_lease_sql =
	"CREATE TABLE IF NOT EXISTS writer_lease (one INTEGER PRIMARY KEY CHECK (one = 1), epoch BIGINT NOT "
	"NULL,"
	" holder TEXT NOT NULL, address TEXT NOT NULL, expires TIMESTAMPTZ NOT NULL, pruned BIGINT NOT NULL "
	"DEFAULT 0) WITH (fillfactor = 10);"
	"INSERT INTO writer_lease VALUES (1, 0, '', '', '-infinity') ON CONFLICT (one) DO NOTHING";

#define TTL "interval '2 s'" /* LEASE_TTL_MS */
#define CLOCK_US "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

/* ---- processes ---- */

/* Names this process: its host, the host's last start and the name space of process numbers, and its number. */
static void name_self(char *to, size_t size)
{
	char host[64] = "", boot[40] = "", space[40] = "";
	(void) gethostname(host, sizeof host - 1); /* stays empty if there is no name */
	AUTO_FD fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, boot, 8) < 0)
		boot[0] = 0;
	if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0)
		space[0] = 0;
	(void) snprintf(to, size, "%s:%d:%.8s:%s", host, (int) getpid(), boot, space);
}

/* True if the holder was another process of this machine that has ended. A number that was given again counts as
 * alive. */
static bool is_dead(struct str holder)
{
	char own[256];
	struct str mine = STR_NONE, rest = STR_NONE, his = holder, piece = STR_NONE, number = STR_NONE;
	int64_t pid = 0;
	name_self(own, sizeof own);
	mine = str_from(own);
	if (!str_split_next(&mine, ':', &piece) || !str_split_next(&his, ':', &rest) ||
	    !str_equal(piece, rest))
		return false;
	if (!str_split_next(&mine, ':', &piece) || !str_split_next(&his, ':', &number) ||
	    !str_equal(mine, his))
		return false;
	return result_is_ok(str_parse_int(number, &pid)) && pid > 0 && kill((pid_t) pid, 0) != 0 &&
	       errno == ESRCH;
}

/* ---- taking ---- */

/* WAIT_US counts from now, even if the lease expired long ago or was given back: the database's clock may have been set forward, so the
 * former holder may have renewed it a moment ago. A standby that lacks the last commits may have lost a renewal, or that another
 * process had taken the lease that was given back. */
enum { HOLDER, ADDRESS, EXPIRED_MS, WAIT_US, EPOCH, BATCH };
#define LEASE_COLUMNS                                                                                        \
	"writer_lease.holder, address, CASE WHEN isfinite(expires)"                                          \
	" THEN (extract(epoch FROM clock_timestamp() - expires) * 1000)::bigint ELSE 1000000000 END,"        \
	" (extract(epoch FROM greatest(expires, clock_timestamp()) + " TTL " + interval '500 ms'"            \
	" - clock_timestamp()) * 1000000)::bigint"

static void read_lease(const PGresult *row, struct ctx *c, struct sql_writer *ret_writer)
{
	*ret_writer = (struct sql_writer){.holder = str_copy(c->arena, postgresql_bytes(row, HOLDER)),
					  .address = str_copy(c->arena, postgresql_bytes(row, ADDRESS)),
					  .expired_ms = postgresql_int(row, EXPIRED_MS)};
	ret_writer->is_free = ret_writer->expired_ms > 0;
	ret_writer->is_dead = is_dead(ret_writer->holder);
}

/* A follower of an epoch that is not among these any more loads everything again. */
static const char start_sql[] = "WITH old AS (DELETE FROM writer_start WHERE epoch IN"
				" (SELECT epoch FROM writer_start ORDER BY epoch DESC OFFSET 1000))"
				" INSERT INTO writer_start VALUES ($1, $2) RETURNING 1";

RESULT postgresql_take_lease(struct postgresql *self, struct ctx *c, int64_t *ret_wait_us)
{
	AUTO_PGRESULT row = NULL;
	AUTO_PGRESULT taken = NULL;
	AUTO_PGRESULT lease = NULL;
	AUTO_PGRESULT started = NULL;
	struct sql_writer before = {0};
	const char *address = self->driver.lease.address ? self->driver.lease.address : "";
	name_self(self->lease.holder, sizeof self->lease.holder);
	TRY(postgresql_ask(self, c, self->db,
			   "SELECT " LEASE_COLUMNS " FROM writer_lease WHERE one = 1 FOR UPDATE", 0, NULL,
			   &row));
	if (PQntuples(row) != 1)
		return ctx_fail(c, ERR_STATE, "the database %s has lost the row of its table writer_lease",
				self->name);
	read_lease(row, c, &before);
	if (!before.is_free && !before.is_dead)
		return ctx_fail(c, ERR_IN_USE,
				"the database %s is in use by another dari process (%" STR_FMT
				"): end that one first, or use another database",
				self->name, STR_ARG(before.holder));
	*ret_wait_us = postgresql_int(row, WAIT_US);
	TRY(postgresql_ask(
		self, c, self->db,
		"UPDATE writer SET epoch = greatest(epoch + 1 + floor(random() * 1000000)::bigint, " CLOCK_US
		"), holder = $1"
		" WHERE one = 1 RETURNING epoch, batch",
		1, (const char *const[]){self->lease.holder}, &taken));
	if (PQntuples(taken) != 1)
		return ctx_fail(c, ERR_STATE, "the database %s has lost the row of its table writer",
				self->name);
	self->epoch = self->driver.lease.epoch = postgresql_int(taken, 0);
	self->commit = (uint64_t) postgresql_int(taken, 1);
	char epoch[24], batch[24];
	(void) snprintf(epoch, sizeof epoch, "%" PRId64, self->epoch);
	(void) snprintf(batch, sizeof batch, "%" PRIu64, self->commit);
	TRY(postgresql_ask(self, c, self->db, start_sql, 2, (const char *const[]){epoch, batch}, &started));
	return postgresql_ask(
		self, c, self->db,
		"UPDATE writer_lease SET epoch = $1, holder = $2, address = $3 WHERE one = 1 RETURNING 1", 3,
		(const char *const[]){epoch, self->lease.holder, address}, &lease);
}

static const char renew_sql[] = "UPDATE writer_lease SET expires = clock_timestamp() + " TTL
				" WHERE one = 1 AND epoch = $1 RETURNING 1";

RESULT postgresql_prolong_lease(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT row = NULL;
	char epoch[24];
	(void) snprintf(epoch, sizeof epoch, "%" PRId64, self->epoch);
	return postgresql_ask(self, c, self->db, renew_sql, 1, (const char *const[]){epoch}, &row);
}

/* ---- keeping ---- */

void postgresql_lose_lease(struct postgresql *self)
{
	pthread_mutex_lock(&self->lease.lock);
	bool was_lost = self->lease.rules.is_lost;
	lease_note(&self->lease.rules, 0, clock_boot_us(), LEASE_TAKEN);
	pthread_mutex_unlock(&self->lease.lock);
	if (!was_lost && self->driver.lease.lost)
		self->driver.lease.lost(self->driver.lease.self);
}

/* The connection may be older than the decision to follow. */
static void listen_once(struct postgresql *self)
{
	if (!self->lease.db || !self->is_follower || self->lease.has_asked)
		return;
	AUTO_PGRESULT result = PQsendQuery(self->lease.db, "LISTEN dari_commit")
				       ? postgresql_await(self->lease.db, RENEWAL_MAX_MS)
				       : NULL;
	self->lease.has_asked = true;
	self->lease.listens = PQresultStatus(result) == PGRES_COMMAND_OK;
}

PGconn *postgresql_lease_connection(struct postgresql *self)
{
	if (!postgresql_is_alive(self->lease.db)) {
		postgresql_disconnect(&self->lease.db);
		self->lease.db = postgresql_connect_plainly(self);
		self->lease.has_asked = self->lease.listens = false;
	}
	listen_once(self);
	return self->lease.db;
}

/* The row that the statement returns; asks again after a conflict, which other systems than PostgreSQL report often. */
static PGresult *ask_again(struct postgresql *self, const char *sql, const char *const params[])
{
	PGresult *row = NULL;
	for (int tries = 0; tries < POSTGRESQL_CONFLICTS_MAX; tries++) {
		PQclear(row);
		row = postgresql_lease_connection(self) &&
				      PQsendQueryParams(self->lease.db, sql, 1, NULL, params, NULL, NULL, 1)
			      ? postgresql_await(self->lease.db, RENEWAL_MAX_MS)
			      : NULL;
		const char *state = PQresultErrorField(row, PG_DIAG_SQLSTATE);
		if (!state || strcmp(state, "40001") != 0)
			break;
	}
	return row;
}

static enum lease_answer ask_plainly(struct postgresql *self, const char *sql)
{
	char epoch[24];
	const char *const params[] = {epoch};
	(void) snprintf(epoch, sizeof epoch, "%" PRId64, self->epoch);
	AUTO_PGRESULT row = ask_again(self, sql, params);
	if (PQresultStatus(row) == PGRES_TUPLES_OK)
		return PQntuples(row) ? LEASE_RENEWED : LEASE_TAKEN;
	postgresql_disconnect(&self->lease.db);
	return LEASE_SILENT;
}

/* Followers read notes within milliseconds. One that was away for longer loads everything again. In pieces, because
 * the next renewal waits for it. */
static const char prune_sql[] =
	"WITH old AS (DELETE FROM writer_change WHERE ctid = ANY (ARRAY(SELECT ctid FROM"
	" (SELECT ctid, at FROM writer_change ORDER BY batch LIMIT 20000) AS first"
	" WHERE at < clock_timestamp() - interval '10 minutes')) RETURNING batch)"
	" UPDATE writer_lease SET pruned = greatest(pruned, coalesce((SELECT max(batch) FROM old), 0))"
	" WHERE one = 1 AND epoch = $1 RETURNING 1";

static void renew(struct postgresql *self)
{
	int64_t sent_us = clock_boot_us();
	enum lease_answer answer = ask_plainly(self, renew_sql);
	if (answer == LEASE_TAKEN) {
		postgresql_lose_lease(self);
		return;
	}
	pthread_mutex_lock(&self->lease.lock);
	lease_note(&self->lease.rules, sent_us, clock_boot_us(), answer);
	pthread_mutex_unlock(&self->lease.lock);
	if (answer == LEASE_RENEWED && ++self->lease.renewals % PRUNE_EVERY == 0)
		(void) ask_plainly(self,
				   prune_sql); /* fails with the connection, which the next renewal finds */
}

/* Waits until the next renewal. False: the thread has to end. */
static bool wait_to_renew(struct postgresql *self)
{
	int64_t at_us = clock_system_us() + LEASE_RENEW_MS * MILLISECOND;
	const struct timespec at = {.tv_sec = at_us / SECOND, .tv_nsec = at_us % SECOND * 1000};
	pthread_mutex_lock(&self->lease.lock);
	int waited = 0;
	while (!self->lease.stops && waited == 0)
		waited =
			pthread_cond_clockwait(&self->lease.stopped, &self->lease.lock, CLOCK_MONOTONIC, &at);
	bool goes_on = !self->lease.stops && !self->lease.rules.is_lost;
	pthread_mutex_unlock(&self->lease.lock);
	return goes_on;
}

static void *lease_main(void *arg)
{
	struct postgresql *self = arg;
	(void) pthread_setname_np(pthread_self(), "lease");
	while (wait_to_renew(self))
		renew(self);
	return NULL;
}

RESULT postgresql_keep_lease(struct postgresql *self, struct ctx *c, int64_t sent_us, int64_t wait_us)
{
	lease_begin(&self->lease.rules, sent_us, clock_boot_us() + wait_us);
	self->lease.runs = pthread_create(&self->lease.thread, NULL, lease_main, self) == 0;
	return self->lease.runs ? OK
				: ctx_fail(c, ERR_NO_MEMORY, "cannot start the thread that renews the lease");
}

void postgresql_end_lease(struct postgresql *self)
{
	if (!self->lease.runs) {
		postgresql_disconnect(&self->lease.db);
		return;
	}
	pthread_mutex_lock(&self->lease.lock);
	self->lease.stops = true;
	pthread_cond_signal(&self->lease.stopped);
	pthread_mutex_unlock(&self->lease.lock);
	(void) pthread_join(self->lease.thread, NULL);
	if (!self->lease.rules.is_lost)
		(void) ask_plainly(
			self, "UPDATE writer_lease SET expires = '-infinity' WHERE one = 1 AND epoch = $1"
			      " RETURNING 1");
	postgresql_disconnect(&self->lease.db);
	self->lease.runs = false;
}

/* ---- for others ---- */

static void take_writer(const PGresult *row, struct ctx *c, struct sql_writer *ret_writer)
{
	read_lease(row, c, ret_writer);
	ret_writer->epoch = postgresql_int(row, EPOCH);
	ret_writer->commit = (uint64_t) postgresql_int(row, BATCH);
}

static const char writer_sql[] =
	"SELECT " LEASE_COLUMNS ", writer.epoch, writer.batch FROM writer_lease, writer"
	" WHERE writer.one = 1 AND writer_lease.one = 1";

struct reading_writer {
	struct ctx *c;
	struct sql_writer *ret_writer;
};

static RESULT each_writer(void *arg, const PGresult *row)
{
	struct reading_writer *reading = arg;
	take_writer(row, reading->c, reading->ret_writer);
	return OK;
}

/* The writer's own connection for the lease belongs to its thread. */
RESULT postgresql_read_writer(struct sql_driver *driver, struct ctx *c, struct sql_writer *ret_writer)
{
	struct postgresql *self = postgresql_of(driver);
	*ret_writer = (struct sql_writer){.is_free = true};
	if (self->lease.runs) {
		struct reading_writer reading = {c, ret_writer};
		return postgresql_read(self, c, writer_sql, 0, NULL, each_writer, &reading);
	}
	AUTO_PGRESULT row =
		postgresql_lease_connection(self) &&
				PQsendQueryParams(self->lease.db, writer_sql, 0, NULL, NULL, NULL, NULL, 1)
			? postgresql_await(self->lease.db, RENEWAL_MAX_MS)
			: NULL;
	if (PQresultStatus(row) == PGRES_TUPLES_OK && PQntuples(row) == 0)
		return ctx_fail(c, ERR_STATE,
				"the database %s has lost the row of its table writer or writer_lease: put "
				"it back, or "
				"restore the database from a backup",
				self->name);
	const char *state = row ? PQresultErrorField(row, PG_DIAG_SQLSTATE) : NULL;
	if (PQresultStatus(row) == PGRES_TUPLES_OK && PQntuples(row) == 1) {
		take_writer(row, c, ret_writer);
		return OK;
	}
	if (state && (strcmp(state, "42P01") == 0 || strcmp(state, "42703") == 0))
		return OK; /* an empty database, or one of a program without a lease: open finds out */
	postgresql_disconnect(&self->lease.db);
	return ctx_fail(c, ERR_TIMEOUT, "the database %s cannot be reached", self->name);
}

static bool follows_rule(struct postgresql *self, bool (*rule)(const struct lease *lease, int64_t now_us))
{
	pthread_mutex_lock(&self->lease.lock);
	bool is_so = rule(&self->lease.rules, clock_boot_us());
	pthread_mutex_unlock(&self->lease.lock);
	return is_so;
}

/* An older database may renew the lease, too, while another process writes to the right one. */
bool postgresql_may_act(struct sql_driver *driver)
{
	struct postgresql *self = postgresql_of(driver);
	return follows_rule(self, lease_may_act) && !atomic_load(&self->is_elsewhere);
}

bool postgresql_may_answer(struct sql_driver *driver)
{
	return follows_rule(postgresql_of(driver), lease_may_answer);
}
