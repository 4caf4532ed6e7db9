/* SPDX-License-Identifier: Apache-2.0
 * libpq over the simulated network. The driver's calls have libpq's meaning: what has arrived is seen after PQconsumeInput(). */
#include "libpq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "database.h"
#include "fiber.h"
#include "history.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

enum { CONNECTIONS_MAX = 4096, RESULT_VALUES_MAX = 4096 };

struct pg_result {
	ExecStatusType status;
	int rows, columns;
	struct bytes *values;
	char state[6];
	char words[160];
};

static struct pg_conn *connections[CONNECTIONS_MAX];
static int connection_count;

static void *grab(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (!p)
		abort();
	return p;
}

/* ---- results ---- */

PGresult *result_new(ExecStatusType status)
{
	PGresult *result = grab(sizeof *result);
	result->status = status;
	return result;
}

static struct bytes keep(const char *p, int n)
{
	char *copy = grab((size_t) n + 1);
	memcpy(copy, p, (size_t) n);
	return (struct bytes){copy, n};
}

void result_add(PGresult *result, const char *p, int n)
{
	if (!result->values)
		result->values = grab(64 * sizeof *result->values);
	result->values[result->columns++] = keep(p, n);
	result->rows = 1;
}

void result_add_row(PGresult *result, const struct bytes *values, int count)
{
	if (!result->values)
		result->values = grab(RESULT_VALUES_MAX * sizeof *result->values);
	result->columns = count;
	for (int k = 0; k < count; k++)
		result->values[result->rows * count + k] = keep(values[k].p, values[k].n);
	result->rows++;
}

PGresult *result_error(const char *state, const char *words)
{
	PGresult *result = result_new(PGRES_FATAL_ERROR);
	(void) snprintf(result->state, sizeof result->state, "%s", state);
	(void) snprintf(result->words, sizeof result->words, "ERROR:  %s\n", words);
	return result;
}

ExecStatusType PQresultStatus(const PGresult *result)
{
	return result ? result->status : PGRES_FATAL_ERROR;
}

char *PQresultErrorMessage(const PGresult *result)
{
	return (char *) (uintptr_t) (result ? result->words : "");
}

char *PQresultErrorField(const PGresult *result, int field)
{
	return field == PG_DIAG_SQLSTATE && result && *result->state ? (char *) (uintptr_t) result->state
								     : NULL;
}

int PQntuples(const PGresult *result)
{
	return result ? result->rows : 0;
}

char *PQgetvalue(const PGresult *result, int row, int column)
{
	return (char *) (uintptr_t) result->values[row * result->columns + column].p;
}

int PQgetlength(const PGresult *result, int row, int column)
{
	return result->values[row * result->columns + column].n;
}

int PQgetisnull(const PGresult *result, int row, int column)
{
	return result->values[row * result->columns + column].p == NULL;
}

void PQclear(PGresult *result)
{
	if (!result)
		return;
	for (int k = 0; k < result->rows * result->columns; k++)
		free((void *) (uintptr_t) result->values[k].p);
	free(result->values);
	free(result);
}

void PQfreemem(void *p)
{
	free(p);
}

/* ---- connections ---- */

PQconninfoOption *PQconninfoParse(const char *url, char **ret_why)
{
	(void) url;
	(void) ret_why;
	return grab(sizeof(PQconninfoOption));
}

void PQconninfoFree(PQconninfoOption *options)
{
	free(options);
}

/* The next four functions are never called: the URL names one server, so src/store asks no other. */
PGconn *PQconnectStartParams(const char *const *words, const char *const *values, int expand)
{
	(void) words;
	(void) values;
	(void) expand;
	abort();
}

PostgresPollingStatusType PQconnectPoll(PGconn *db)
{
	(void) db;
	abort();
}

char *PQhost(const PGconn *db)
{
	(void) db;
	return "";
}

char *PQport(const PGconn *db)
{
	(void) db;
	return "";
}

PGconn *PQconnectdbParams(const char *const *words, const char *const *values, int expand)
{
	enum { CONNECT_MAX_US = 2000000 };
	(void) words;
	(void) values;
	(void) expand;
	if (connection_count == CONNECTIONS_MAX)
		abort();
	struct pg_conn *db = grab(sizeof *db);
	db->group = fiber_self_group();
	db->fd = LIBPQ_FD_FIRST + connection_count;
	connections[connection_count++] = db;
	int64_t delay_us = network_delay_us(db->group),
		cut_until_us = network_is_cut_until(db->group->machine);
	if (cut_until_us > sim_now_us() + CONNECT_MAX_US) {
		fiber_sleep(CONNECT_MAX_US);
		db->is_bad = true;
	} else {
		fiber_sleep((cut_until_us > sim_now_us() ? cut_until_us - sim_now_us() : 0) + 2 * delay_us);
		db->session = database_connect(db);
		db->is_bad = !db->session;
	}
	if (db->is_bad)
		(void) snprintf(db->error, sizeof db->error, "could not connect to server");
	return db;
}

ConnStatusType PQstatus(const PGconn *db)
{
	return db && !db->is_bad ? CONNECTION_OK : CONNECTION_BAD;
}

PGTransactionStatusType PQtransactionStatus(const PGconn *db)
{
	return !db || !db->session                       ? PQTRANS_UNKNOWN
	       : database_is_in_transaction(db->session) ? PQTRANS_INTRANS
							 : PQTRANS_IDLE;
}

int PQbackendPID(const PGconn *db)
{
	(void) db;
	return BACKEND;
}

int PQserverVersion(const PGconn *db)
{
	(void) db;
	return 150018;
}

const char *PQparameterStatus(const PGconn *db, const char *name)
{
	(void) db;
	(void) name;
	return "UTF8";
}

char *PQerrorMessage(const PGconn *db)
{
	return (char *) (uintptr_t) (db ? db->error : "no connection");
}

int PQsocket(const PGconn *db)
{
	return db->fd;
}

PQnoticeReceiver PQsetNoticeReceiver(PGconn *db, PQnoticeReceiver receiver, void *arg)
{
	(void) db;
	(void) receiver;
	(void) arg;
	return NULL;
}

int PQsetnonblocking(PGconn *db, int on)
{
	(void) on;
	return db && !db->is_bad ? 0 : -1;
}

int PQsetSingleRowMode(PGconn *db)
{
	return db != NULL;
}

/* The client has found its connection broken. */
static void lose(struct pg_conn *db)
{
	if (db->is_bad)
		return;
	db->is_bad = true;
	(void) snprintf(db->error, sizeof db->error, "server closed the connection unexpectedly");
	if (db->commit)
		history_lose_commit(db->group->number, db->commit);
	db->commit = NULL;
}

void PQfinish(PGconn *db)
{
	if (!db || db->is_finished)
		return;
	lose(db);
	db->is_finished = true;
	if (db->session)
		database_leave(db);
}

void connection_receive(struct pg_conn *db, struct item *items)
{
	if (db->last)
		db->last->next = items;
	else
		db->first = items;
	for (db->last = items; db->last->next;)
		db->last = db->last->next;
	db->has_input = true;
	fiber_wake(db);
}

void connection_notify(struct pg_conn *db)
{
	db->notifications++;
	db->has_input = true;
	fiber_wake(db);
}

void connection_end(struct pg_conn *db)
{
	db->is_eof = db->has_input = true;
	db->session = NULL;
	fiber_wake(db);
}

static struct pg_conn *connection_of(int fd)
{
	return fd >= LIBPQ_FD_FIRST && fd < LIBPQ_FD_FIRST + connection_count
		       ? connections[fd - LIBPQ_FD_FIRST]
		       : NULL;
}

int libpq_poll(struct pollfd *fd, int64_t until_us)
{
	struct pg_conn *db = connection_of(fd->fd);
	bool writes = fd->events & POLLOUT;
	while (!db->has_input && !writes && sim_now_us() < until_us)
		(void) fiber_wait(db, until_us);
	fd->revents = (short) ((db->has_input ? POLLIN : 0) | (writes ? POLLOUT : 0));
	return fd->revents != 0;
}

void libpq_shut_down(int fd)
{
	struct pg_conn *db = connection_of(fd);
	if (!db)
		return;
	if (db->session)
		database_leave(db);
	connection_end(db);
}

int PQconsumeInput(PGconn *db)
{
	db->has_input = false;
	if (db->is_eof && !db->first)
		lose(db);
	return !db->is_bad;
}

PGnotify *PQnotifies(PGconn *db)
{
	if (!db->notifications)
		return NULL;
	db->notifications--;
	return grab(sizeof(PGnotify));
}

/* ---- sending ---- */

static struct request *begin_request(void)
{
	struct request *r = grab(sizeof *r);
	r->end = &r->first;
	return r;
}

static struct statement *add_statement(struct request *r, enum statement_type type, const char *sql)
{
	struct statement *s = grab(sizeof *s);
	*s = (struct statement){.type = type, .sql = sql ? keep(sql, (int) strlen(sql)).p : NULL};
	*r->end = s;
	r->end = &s->next;
	return s;
}

static void add_params(struct statement *s, int count, const char *const *values, const int *lengths)
{
	s->count = count;
	s->params = grab((size_t) count * sizeof *s->params);
	for (int k = 0; k < count; k++)
		if (values[k])
			s->params[k] = keep(values[k], lengths ? lengths[k] : (int) strlen(values[k]));
}

static int send_request(struct pg_conn *db, struct request *r)
{
	if (db->is_eof && !db->has_input)
		lose(db);
	if (db->is_bad)
		return 0;
	db->outstanding++;
	database_send(db, r);
	return 1;
}

int PQsendQuery(PGconn *db, const char *sql)
{
	struct request *r = begin_request();
	if (!db || db->is_bad)
		return 0;
	/* the statements in turn, but definitions, whose bodies and texts have semicolons, as a whole */
	bool is_one = strncmp(sql, "CREATE", 6) == 0 || strncmp(sql, "DO ", 3) == 0;
	char *rest = (char *) (uintptr_t) keep(sql, (int) strlen(sql)).p;
	for (char *end; !is_one && (end = strchr(rest, ';')); rest = end + 1) {
		*end = 0;
		(void) add_statement(r, SIMPLE, rest + strspn(rest, " "));
	}
	rest += strspn(rest, " ");
	if (*rest)
		(void) add_statement(r, SIMPLE, rest);
	return send_request(db, r);
}

int PQsendQueryParams(PGconn *db, const char *sql, int count, const Oid *types, const char *const *values,
		      const int *lengths, const int *formats, int format)
{
	(void) types;
	(void) formats;
	(void) format;
	if (!db || db->is_bad)
		return 0;
	struct request *r = db->is_pipeline ? db->request : begin_request();
	struct statement *s = add_statement(r, PARAMS, sql);
	add_params(s, count, values, lengths);
	if (db->is_pipeline)
		r->is_commit = r->is_commit || strcmp(sql, "COMMIT") == 0;
	else
		history_note_sent(db->group->number, sql);
	return db->is_pipeline ? 1 : send_request(db, r);
}

int PQsendPrepare(PGconn *db, const char *name, const char *sql, int count, const Oid *types)
{
	(void) count;
	(void) types;
	add_statement(db->request, PREPARE, sql)->name = keep(name, (int) strlen(name)).p;
	return 1;
}

int PQsendQueryPrepared(PGconn *db, const char *name, int count, const char *const *values,
			const int *lengths, const int *formats, int format)
{
	(void) formats;
	(void) format;
	struct statement *s = add_statement(db->request, EXECUTE, NULL);
	s->name = keep(name, (int) strlen(name)).p;
	add_params(s, count, values, lengths);
	return 1;
}

int PQenterPipelineMode(PGconn *db)
{
	db->is_pipeline = true;
	db->request = begin_request();
	db->request->is_pipeline = true;
	return !db->is_bad;
}

int PQexitPipelineMode(PGconn *db)
{
	db->is_pipeline = false;
	return 1;
}

int PQpipelineSync(PGconn *db)
{
	struct request *r = db->request;
	(void) add_statement(r, SYNC, NULL);
	db->request = NULL;
	if (db->is_bad)
		return 0;
	if (r->is_commit)
		history_send_commit(db->group->number, r);
	db->commit = r->is_commit ? r : NULL;
	return send_request(db, r);
}

int PQflush(PGconn *db)
{
	return db->is_bad ? -1 : 0;
}

/* ---- receiving ---- */

int PQisBusy(PGconn *db)
{
	return db->outstanding && !db->first && !db->is_bad && !(db->is_eof && !db->has_input);
}

static struct item *take_item(struct pg_conn *db)
{
	struct item *item = db->first;
	db->first = item->next;
	db->last = db->first ? db->last : NULL;
	db->outstanding -= item->is_last;
	if (item->is_last)
		db->commit = NULL;
	return item;
}

static void await_item(struct pg_conn *db)
{
	while (!db->first && !db->is_eof && !db->is_bad && db->outstanding)
		(void) fiber_wait(db, INT64_MAX);
	if (!db->first && db->is_eof)
		lose(db);
}

PGresult *PQgetResult(PGconn *db)
{
	if (!db->outstanding)
		return NULL;
	await_item(db);
	if (db->first) {
		struct item *item = take_item(db);
		PGresult *result = item->type == ITEM_END ? NULL : item->result;
		free(item);
		return result;
	}
	db->outstanding = 0;
	PGresult *lost = result_error("", "server closed the connection unexpectedly");
	lost->state[0] = 0;
	return lost;
}

PGresult *PQexec(PGconn *db, const char *sql)
{
	PGresult *kept = NULL, *next = NULL;
	if (!PQsendQuery(db, sql))
		return NULL;
	while ((next = PQgetResult(db))) {
		PQclear(kept);
		kept = next;
		if (next->status == PGRES_COPY_OUT)
			break;
	}
	return kept;
}

int PQgetCopyData(PGconn *db, char **ret_bytes, int is_async)
{
	(void) is_async;
	await_item(db);
	if (!db->first)
		return -2;
	if (db->first->type != ITEM_COPY)
		return -1;
	struct item *item = take_item(db);
	*ret_bytes = (char *) (uintptr_t) item->copy.p;
	int size = item->copy.n;
	free(item);
	return size;
}
