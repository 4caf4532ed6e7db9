/* SPDX-License-Identifier: Apache-2.0
 * Connections to PostgreSQL: the URL, the session's settings, errors, and statements outside a batch. */
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "store/postgresql_internal.h"

enum { VERSION_MIN = 140000, WORDS_MAX = 300, NAME_MAX_SIZE = 64 };
static const int64_t READ_PAUSE_US = 5 * SECOND; /* after a server did not answer a read */

/* ---- the URL ---- */

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0 && options->val)
			return options->val;
	return "";
}

RESULT postgresql_name(struct ctx *c, const char *url, const char **ret_name)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &why);
	if (!options) {
		struct result r =
			ctx_fail(c, ERR_INVALID, "the store's URL is no connection string of PostgreSQL: %s",
				 why ? why : "out of memory");
		PQfreemem(why);
		return r;
	}
	*ret_name = str_print(c->arena, "postgresql://%s/%s", option_value(options, "host"),
			      option_value(options, "dbname"))
			    .p;
	PQconninfoFree(options);
	return *ret_name ? OK : ctx_no_memory(c);
}

RESULT postgresql_take_url(struct postgresql *self, struct ctx *c, const char *url)
{
	const char *name = NULL;
	TRY(postgresql_name(c, url, &name));
	self->url = heap_copy_z(url);
	self->name = heap_copy_z(name);
	return self->url && self->name ? OK : ctx_no_memory(c);
}

RESULT postgresql_each_file(struct ctx *c, const char *url, RESULT (*each)(void *arg, const char *path),
			    void *arg)
{
	static const char *const words[] = {"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"};
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	struct result r =
		options ? OK
			: ctx_fail(c, ERR_INVALID, "the store's URL is no connection string of PostgreSQL");
	for (size_t k = 0; k < sizeof words / sizeof *words && result_is_ok(r); k++) {
		const char *path = option_value(options, words[k]);
		if (*path == '/')
			r = each(arg, path);
	}
	PQconninfoFree(options);
	return r;
}

/* ---- errors ---- */

/* The first line, without libpq's prefix of the severity. */
static struct str first_line(struct arena *a, const char *text)
{
	struct str line = str_from(text), piece = STR_NONE;
	(void) str_split_next(&line, '\n', &piece);
	if (str_starts_with(piece, STR("ERROR:  ")))
		piece = str_slice(piece, 8, piece.n);
	return str_copy(a, str_cut(str_trim(piece), WORDS_MAX));
}

/* Advice for ERR_STATE. */
static const char restore[] = "restore it from a backup";
static const char lacks[] =
	"another program or an operator has removed what dari needs there: put it back, or "
	"restore the database from a backup";
static const char pooled[] = "a pooler in transaction mode loses prepared statements: connect directly";

/* Classes of SQLSTATE and what they mean for a transaction; see PostgreSQL's appendix "Error Codes". */
static const struct {
	const char *state;
	enum err err;
	const char *advice;
} states[] = {
	{"08", ERR_TIMEOUT},           /* connection exceptions */
	{"57P0", ERR_TIMEOUT},         /* the server shuts down, crashed or starts */
	{"25006", ERR_TIMEOUT},        /* read-only: a standby, or a primary that was demoted */
	{"DR001", ERR_GONE},           /* our fence */
	{"53100", ERR_CAPACITY},       /* disk full */
	{"XX001", ERR_STATE, restore}, /* damaged data */
	{"XX002", ERR_STATE, restore}, /* damaged index */
	{"42P01", ERR_STATE, lacks},   /* a table is missing, */
	{"42703", ERR_STATE, lacks},   /* a column, */
	{"42883", ERR_STATE, lacks},   /* a function, */
	{"42501", ERR_STATE, lacks},   /* or a right */
	{"26000", ERR_STATE, pooled},  /* a prepared statement is missing, */
	{"42P05", ERR_STATE, pooled},  /* or another process has prepared it */
	{"55P03", ERR_IN_USE},         /* lock_timeout */
	{"40001", ERR_AGAIN},          /* serialization failure */
	{"40P01", ERR_AGAIN},          /* deadlock */
	{"40003", ERR_TIMEOUT},        /* the outcome is not known */
};

/* OpenSSL's words for certificates, and what to do. */
static const struct {
	const char *words, *advice;
} certificates[] = {
	{"certificate verify failed", ". The certificate of PostgreSQL's server has expired, or sslrootcert "
				      "is not the authority that issued it: "
				      "put a valid one there and reload the server. dari goes on by itself"},
	{"does not match host name",
	 ". Name the server in `store` as its certificate does, or issue one with that name"},
	{"alert certificate expired", ". The server refuses dari's own certificate (sslcert in `store`), "
				      "which has expired: renew it. dari goes on "
				      "by itself"},
	{"alert unknown ca", ". The server does not know the authority of dari's own certificate (sslcert in "
			     "`store`): add it to the server's "
			     "ssl_ca_file"},
};

static const char *certificate_advice(struct str words)
{
	for (size_t k = 0; k < sizeof certificates / sizeof *certificates; k++)
		if (str_contains(words, str_from(certificates[k].words)))
			return certificates[k].advice;
	return "";
}

RESULT postgresql_fail(struct postgresql *self, struct ctx *c, PGconn *db, const PGresult *result,
		       const char *doing)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *said = result ? PQresultErrorMessage(result) : "";
	struct str words = first_line(c->arena, *said ? said : db ? PQerrorMessage(db) : "out of memory");
	enum err err = ERR_IO;
	const char *advice = restore;
	for (size_t k = 0; state && k < sizeof states / sizeof *states; k++)
		if (strncmp(state, states[k].state, strlen(states[k].state)) == 0) {
			err = states[k].err;
			advice = states[k].advice;
		}
	if (!db || PQstatus(db) != CONNECTION_OK || err == ERR_TIMEOUT)
		return ctx_fail(c, ERR_TIMEOUT, "the database %s cannot be reached: %" STR_FMT "%s",
				self->name, STR_ARG(words), certificate_advice(words));
	if (err == ERR_STATE)
		return ctx_fail(c, err, "the database %s is not whole (%" STR_FMT "): %s", self->name,
				STR_ARG(words), advice);
	return ctx_fail(c, err, "%.60s: %" STR_FMT " (SQLSTATE %s)", doing, STR_ARG(words),
			state ? state : "unknown");
}

/* ---- connections ---- */

/* Never acknowledges a commit that is not on disk. Ends a transaction of a process that was stopped, because
 * it holds the lock of the fence. A session that waits for a lock ends when its client has gone: while commits wait for
 * a synchronous standby that is gone, each further attempt would leave such a session, until the server has no connection
 * left for whoever takes the standby out, such as Patroni. */
static const char settings_sql[] = "SELECT set_config('synchronous_commit', 'on', false)"
				   " WHERE current_setting('synchronous_commit') IN ('off', 'local');"
				   "SET idle_in_transaction_session_timeout = '2s';"
				   "SET client_connection_check_interval = '2s';"
				   "SET client_min_messages = 'warning'";

static void ignore_notice(void *arg, const PGresult *result)
{
	(void) arg;
	(void) result;
}

/* Tells the other processes which program this is (postgresql_schema.c). The server cuts names after 63 bytes. */
static void write_name(const struct postgresql *self, char name[NAME_MAX_SIZE])
{
	char host[64] = "";
	(void) gethostname(host, sizeof host - 1); /* stays empty if there is no name */
	(void) snprintf(name, NAME_MAX_SIZE, "dari %.*s %.24s %.12s:%d", POSTGRESQL_HASH_SHOWN,
			self->schema.hash, *sql_get_program() ? sql_get_program() : "-", host,
			(int) getpid());
}

/* Defaults stand before the URL, which overrides them. A lost network is noticed after five seconds. */
static PGconn *open_connection(const struct postgresql *self)
{
	static const char *const words[] = {"application_name",     "connect_timeout",
					    "target_session_attrs", "keepalives_idle",
					    "keepalives_interval",  "keepalives_count",
					    "tcp_user_timeout",     "dbname",
					    "client_encoding",      NULL};
	char name[NAME_MAX_SIZE];
	write_name(self, name);
	const char *const values[] = {name, "2",    "read-write", "2",    "1",
				      "3",  "5000", self->url,    "UTF8", NULL};
	return PQconnectdbParams(words, values, 1);
}

PGconn *postgresql_connect_plainly(const struct postgresql *self)
{
	PGconn *db = open_connection(self);
	AUTO_PGRESULT set =
		db && PQsendQuery(db, settings_sql) ? postgresql_await(db, POSTGRESQL_ANSWER_MS) : NULL;
	if (PQresultStatus(set) == PGRES_COMMAND_OK)
		return db;
	PQfinish(db);
	return NULL;
}

RESULT postgresql_connect(struct postgresql *self, struct ctx *c, PGconn **ret_db)
{
	PGconn *db = fault_fires(FAULT_SQL) ? NULL : open_connection(self);
	struct result r = OK;
	if (!db || PQstatus(db) != CONNECTION_OK)
		r = postgresql_fail(self, c, db, NULL, "connecting");
	else if (PQserverVersion(db) < VERSION_MIN)
		r = ctx_fail(c, ERR_STATE, "the database %s is PostgreSQL %d: dari needs 14 or newer",
			     self->name, PQserverVersion(db) / 10000);
	else if (strcmp(PQparameterStatus(db, "server_encoding"), "UTF8") != 0)
		r = ctx_fail(c, ERR_STATE,
			     "the database %s has the encoding %s: create one with ENCODING 'UTF8'",
			     self->name, PQparameterStatus(db, "server_encoding"));
	else {
		(void) PQsetNoticeReceiver(db, ignore_notice, NULL);
		r = postgresql_exec(self, c, db, settings_sql);
	}
	if (!result_is_ok(r)) {
		PQfinish(db);
		return r;
	}
	*ret_db = db;
	return OK;
}

bool postgresql_is_alive(PGconn *db)
{
	if (!db || PQstatus(db) != CONNECTION_OK)
		return false;
	struct pollfd fd = {.fd = PQsocket(db), .events = POLLIN};
	if (poll(&fd, 1, 0) <= 0)
		return true;
	/* an idle connection that can be read was closed, or has a notice */
	return PQconsumeInput(db) && PQstatus(db) == CONNECTION_OK;
}

void postgresql_disconnect(PGconn **db)
{
	PQfinish(*db);
	*db = NULL;
}

/* ---- statements ---- */

/* Waits until a result can be taken without blocking, and takes it. */
static PGresult *next_result(PGconn *db, int max_ms)
{
	while (PQisBusy(db)) {
		struct pollfd fd = {.fd = PQsocket(db), .events = POLLIN};
		if (poll(&fd, 1, max_ms) == 0)
			(void) shutdown(fd.fd, SHUT_RDWR); /* PQgetResult() then finds the end */
		if (!PQconsumeInput(db))
			break;
	}
	return PQgetResult(db);
}

PGresult *postgresql_await(PGconn *db, int max_ms)
{
	PGresult *kept = NULL, *next = NULL;
	while ((next = next_result(db, max_ms))) {
		bool is_last = PQresultStatus(next) == PGRES_COPY_OUT || PQstatus(db) != CONNECTION_OK;
		bool has_failed = kept && PQresultStatus(kept) == PGRES_FATAL_ERROR;
		PQclear(has_failed ? next : kept);
		kept = has_failed ? kept : next;
		if (is_last)
			break;
	}
	return kept;
}

RESULT postgresql_exec(struct postgresql *self, struct ctx *c, PGconn *db, const char *sql)
{
	AUTO_PGRESULT result = fault_fires(FAULT_SQL) || !PQsendQuery(db, sql)
				       ? NULL
				       : postgresql_await(db, self->answer_max_ms);
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
		       ? OK
		       : postgresql_fail(self, c, db, result, sql);
}

RESULT postgresql_ask(struct postgresql *self, struct ctx *c, PGconn *db, const char *sql, int count,
		      const char *const params[], PGresult **ret_result)
{
	AUTO_PGRESULT result =
		fault_fires(FAULT_SQL) || !PQsendQueryParams(db, sql, count, NULL, params, NULL, NULL, 1)
			? NULL
			: postgresql_await(db, self->answer_max_ms);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return postgresql_fail(self, c, db, result, sql);
	*ret_result = result;
	result = NULL;
	return OK;
}

/* ---- reading history ---- */

/* A client reads this: says nothing of where the database is. */
static RESULT say_unreachable(struct ctx *c)
{
	log_event(LOG_WARN, "database-unreachable", "why=%s", log_quote(c->problem.message));
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_AGAIN, "The region's database cannot be reached. Try again later.");
}

/* Takes the remaining results, so that the connection can be used again. */
static void drain(PGconn *db, int max_ms)
{
	PGresult *result = NULL;
	while ((result = next_result(db, max_ms)))
		PQclear(result);
}

static RESULT read_rows(struct postgresql *self, struct ctx *c, PGconn *db, int max_ms, const char *sql,
			postgresql_each each, void *arg, size_t *ret_count)
{
	struct result r = OK;
	PGresult *row = NULL;
	(void) PQsetSingleRowMode(db);
	while (result_is_ok(r) && (row = next_result(db, max_ms))) {
		ExecStatusType status = PQresultStatus(row);
		if (status == PGRES_SINGLE_TUPLE) {
			++*ret_count;
			r = each(arg, row);
		} else if (status != PGRES_TUPLES_OK) {
			r = postgresql_fail(self, c, db, row, sql);
		}
		PQclear(row);
	}
	drain(db, max_ms);
	return r;
}

RESULT postgresql_read_state(struct postgresql *self, struct ctx *c, const char *sql, postgresql_each each,
			     void *arg)
{
	size_t count = 0;
	if (fault_fires(FAULT_SQL) || !PQsendQueryParams(self->db, sql, 0, NULL, NULL, NULL, NULL, 1))
		return postgresql_fail(self, c, self->db, NULL, sql);
	return read_rows(self, c, self->db, self->answer_max_ms, sql, each, arg, &count);
}

static RESULT read_once(struct postgresql *self, struct ctx *c, const char *sql, int count,
			const char *const params[], postgresql_each each, void *arg, size_t *ret_count)
{
	if (!postgresql_is_alive(self->reader)) {
		postgresql_disconnect(&self->reader);
		TRY(postgresql_connect(self, c, &self->reader));
	}
	if (fault_fires(FAULT_SQL))
		return ctx_fail(c, ERR_IO, "reading: a fault of a test");
	if (!PQsendQueryParams(self->reader, sql, count, NULL, params, NULL, NULL, 1))
		return postgresql_fail(self, c, self->reader, NULL, sql);
	return read_rows(self, c, self->reader, POSTGRESQL_ANSWER_MS, sql, each, arg, ret_count);
}

/* Under the lock. A server that does not answer blocks one reader for a few seconds; the others are refused. */
static RESULT read_twice(struct postgresql *self, struct ctx *c, const char *sql, int count,
			 const char *const params[], postgresql_each each, void *arg)
{
	size_t read = 0;
	int64_t since_us = clock_monotonic_us();
	if (since_us < self->read_not_before_us)
		return ctx_fail(c, ERR_TIMEOUT, "%s", self->why_unread);
	struct result r = read_once(self, c, sql, count, params, each, arg, &read);
	for (int tries = 0; r.code == ERR_AGAIN && !read && tries < POSTGRESQL_CONFLICTS_MAX; tries++) {
		ctx_clear_problem(c);
		r = read_once(self, c, sql, count, params, each, arg, &read);
	}
	if (r.code == ERR_TIMEOUT && !read && clock_monotonic_us() < since_us + SECOND) {
		ctx_clear_problem(c); /* another host of the URL may answer */
		r = read_once(self, c, sql, count, params, each, arg, &read);
	}
	if (r.code == ERR_TIMEOUT)
		(void) snprintf(self->why_unread, sizeof self->why_unread, "%.*s",
				STR_ARG(c->problem.message));
	if (r.code == ERR_TIMEOUT && clock_monotonic_us() >= since_us + SECOND)
		self->read_not_before_us = clock_monotonic_us() + READ_PAUSE_US;
	return r;
}

struct str postgresql_copy_why_unread(struct postgresql *self, struct arena *a)
{
	pthread_mutex_lock(&self->reading);
	struct str why = str_copy(a, str_from(self->why_unread));
	pthread_mutex_unlock(&self->reading);
	return why;
}

RESULT postgresql_read(struct postgresql *self, struct ctx *c, const char *sql, int count,
		       const char *const params[], postgresql_each each, void *arg)
{
	pthread_mutex_lock(&self->reading);
	struct result r = read_twice(self, c, sql, count, params, each, arg);
	pthread_mutex_unlock(&self->reading);
	return r.code == ERR_TIMEOUT ? say_unreachable(c) : r;
}

/* ---- values ---- */

int64_t postgresql_read_int(const char *p, size_t size)
{
	uint64_t value = 0;
	for (size_t k = 0; k < size; k++)
		value = value << 8 | (uint8_t) p[k];
	return (int64_t) value;
}

int64_t postgresql_int(const PGresult *row, int column)
{
	return postgresql_read_int(PQgetvalue(row, 0, column), (size_t) PQgetlength(row, 0, column));
}

struct str postgresql_bytes(const PGresult *row, int column)
{
	return (struct str){PQgetvalue(row, 0, column), (size_t) PQgetlength(row, 0, column)};
}

uuid postgresql_uuid(const PGresult *row, int column)
{
	uuid u = UUID_NONE;
	IGNORE(uuid_parse(postgresql_bytes(row, column), &u)); /* an empty text is none */
	return u;
}
