/* SPDX-License-Identifier: Apache-2.0
 * Private to store/postgresql*.c: the driver's structure, and the helpers that add the FAULT_SQL point and error
 * messages. One thread at a time, except for what `reading` guards. */
#pragma once

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "model/migration.h"
#include "store/lease.h"
#include "store/sql.h"

/* Milliseconds for an answer to a batch or a read, and to statements that may create or copy tables. */
enum { POSTGRESQL_ANSWER_MS = 5000, POSTGRESQL_LONG_ANSWER_MS = 600000 };
enum { POSTGRESQL_CONFLICTS_MAX = 7 }; /* attempts of a statement or transaction that conflicts with others */

/* Digits of the schema's hash in the name of a connection. */
enum { POSTGRESQL_HASH_SHOWN = 8 };

/* Object identifiers of types, as in PostgreSQL's pg_type.dat. */
enum postgresql_type { POSTGRESQL_BYTEA = 17, POSTGRESQL_INT8 = 20, POSTGRESQL_TEXT = 25 };

/* A statement of the open transaction that takes one array per column, and the values collected for it. The
 * arrays have PostgreSQL's binary form. */
struct postgresql_batch {
	char *sql;
	unsigned column_count;
	struct buf *columns;
	size_t count;        /* values per column */
	size_t size;         /* bytes of all columns */
	unsigned generation; /* the connection that has prepared the statement; 0: none */
};

/* The statements for history, in the order in which a transaction runs them. */
enum postgresql_history {
	POSTGRESQL_ADD_EVENT,
	POSTGRESQL_ADD_USAGE,
	POSTGRESQL_ADD_LEDGER,
	POSTGRESQL_ADD_AUDIT,
	POSTGRESQL_ADD_SERIES,
	POSTGRESQL_DROP_SERIES,
	POSTGRESQL_DROP_EVENTS,
	POSTGRESQL_DROP_SURPLUS,
	POSTGRESQL_ADD_SEGMENT,
	POSTGRESQL_CUT_AUDIT,
	POSTGRESQL_ADD_CHANGE,
	POSTGRESQL_ADD_PAST,
	POSTGRESQL_DROP_PAST,
	POSTGRESQL_HISTORY_COUNT
};

/* Last numbers of the logs, including the open transaction's records. */
struct postgresql_ends {
	int64_t event_seq, past_seq, ledger_seq, ledger_us, usage_seq, usage_us, audit_seq;
	uint8_t audit_digest[SHA256_SIZE];
};

/* The schema of a program version. Tests substitute their own. */
struct postgresql_schema {
	unsigned version;
	const char *hash;
	const struct migration *migrations;
};

struct postgresql {
	struct sql_driver driver; /* must be the first member */
	struct postgresql_schema schema;
	struct level *level; /* driver.level points to it until the upgrade is confirmed */
	char *url;           /* as given */
	char *name;          /* for messages: without user, password and options */
	struct arena *scratch;

	/* The writing connection. */
	PGconn *db;
	unsigned
		generation; /* counts connections and refused transactions, which forget prepared statements */
	int64_t epoch;      /* the fence: this process writes while the database has the same number */
	int64_t followed_epoch; /* the database's epoch when a follower read it last */
	_Atomic uint64_t
		commit; /* number of the last commit known to have taken place; written by the committer */
	atomic_bool
		is_elsewhere; /* the database that was reached last is an older one: nothing is done on its word */
	bool is_follower;      /* another process writes */
	bool is_reader;        /* db has a transaction with the one state that is read */
	bool notifies;         /* the server has NOTIFY */
	bool is_copying;       /* nobody follows: changed rows are not noted */
	bool is_begun;         /* a part of the open transaction was sent */
	bool is_unknown;       /* a COMMIT was sent and not answered */
	bool was_in_parts;     /* the transaction of that COMMIT cannot be sent again */
	int64_t not_before_us; /* the next attempt to connect, on the monotonic clock */
	size_t collected;      /* bytes in the batches */
	struct postgresql_batch *put[KIND_COUNT], *forget[KIND_COUNT], *history[POSTGRESQL_HISTORY_COUNT];
	struct postgresql_ends ends, ends_before;
	uint64_t events_added; /* since the start */
	uint64_t past_added;   /* likewise */
	/* Time limit of an answer. Giving up is safe: the outcome is read back. */
	int answer_max_ms;

	/* The lease: a thread renews it on a connection of its own. */
	struct {
		pthread_mutex_t lock; /* guards rules and stops */
		pthread_cond_t stopped;
		pthread_t thread;
		bool runs, stops;
		struct lease rules;
		PGconn *db; /* the thread's; a follower's for looking at the lease and for notifications */
		bool has_asked, listens; /* asked the server for notifications on it; it sends them */
		unsigned renewals;
		char holder[256]; /* this process */
	} lease;

	/* The reading connection, for any thread. The lock guards the connection, which carries one query at a time, and the two
	 * below. The committer never waits for it: it has a connection of its own. */
	pthread_mutex_t reading;
	PGconn *reader;
	int64_t read_not_before_us; /* the next attempt to read, on the monotonic clock */
	char why_unread[384];       /* why the last attempt failed, for the operator */
};

static inline struct postgresql *postgresql_of(struct sql_driver *driver)
{
	return (struct postgresql *) driver;
}

static inline void postgresql_end_result(PGresult **result)
{
	PQclear(*result);
}
#define AUTO_PGRESULT __attribute__((cleanup(postgresql_end_result))) PGresult *

/* ---- postgresql_connect.c ---- */

/* Sets url and name. ERR_INVALID: libpq cannot parse the URL. */
RESULT postgresql_take_url(struct postgresql *self, struct ctx *c, const char *url);
/* Connects and applies the session's settings. ERR_TIMEOUT, with a message: the database cannot be reached. */
RESULT postgresql_connect(struct postgresql *self, struct ctx *c, PGconn **ret_db);
/* Connects without the points of faults, for the lease's thread. NULL: the database cannot be reached. */
PGconn *postgresql_connect_plainly(const struct postgresql *self);
/* True if the connection exists and its server has not closed it. */
bool postgresql_is_alive(PGconn *db);
/* Closes the connection, if any, and sets it to NULL. */
void postgresql_disconnect(PGconn **db);
/* ERR_TIMEOUT: the connection is lost. ERR_GONE: fenced. ERR_CAPACITY: the disk is full. ERR_STATE: damaged. ERR_IN_USE: a lock was not free in time.
 * ERR_AGAIN: a conflict, the transaction may be repeated. ERR_IO: any other refusal. */
RESULT postgresql_fail(struct postgresql *self, struct ctx *c, PGconn *db, const PGresult *result,
		       const char *doing);
/* The result of the statement that was sent, when it has come; NULL or a failed one, and the connection lost, if it
 * takes longer than max_ms. */
PGresult *postgresql_await(PGconn *db, int max_ms);
/* Runs statements without parameters and results. */
RESULT postgresql_exec(struct postgresql *self, struct ctx *c, PGconn *db, const char *sql);
/* Runs one statement, whose parameters are texts (NULL: SQL's NULL). The result is binary. */
RESULT postgresql_ask(struct postgresql *self, struct ctx *c, PGconn *db, const char *sql, int count,
		      const char *const params[], PGresult **ret_result);
/* Reads through the reading connection and calls each for every row, whose values are binary. */
typedef RESULT (*postgresql_each)(void *arg, const PGresult *row);
RESULT postgresql_read(struct postgresql *self, struct ctx *c, const char *sql, int count,
		       const char *const params[], postgresql_each each, void *arg);
/* Likewise through the writing connection, within its transaction. Takes up to answer_max_ms for each answer, and does not
 * connect again. */
RESULT postgresql_read_state(struct postgresql *self, struct ctx *c, const char *sql, postgresql_each each,
			     void *arg);
/* Why the last reading found no database. */
struct str postgresql_copy_why_unread(struct postgresql *self, struct arena *a);

/* ---- postgresql.c ---- */

/* Reads the fence's row: the writer's epoch and the number of the last commit. */
RESULT postgresql_read_fence(struct postgresql *self, struct ctx *c, int64_t *ret_epoch,
			     uint64_t *ret_commit);

/* ---- postgresql_batch.c ---- */

/* Returns the batch, made from sql at first; types has a letter per column: i bigint, t text, b bytea. NULL:
 * out of memory. */
struct postgresql_batch *postgresql_batch_of(struct postgresql_batch **slot, const char *sql,
					     const char *types);
void postgresql_free_batch(struct postgresql_batch *batch); /* ignores NULL */
/* Append a value to a column. */
void postgresql_add_int(struct postgresql_batch *batch, unsigned column, int64_t value);
/* Bytes that are valid in the column's type. */
void postgresql_add_bytes(struct postgresql_batch *batch, unsigned column, struct str bytes);
/* PostgreSQL's texts are UTF-8 without NUL. Others are stored in hexadecimal behind a mark. */
void postgresql_add_text(struct postgresql_batch *batch, unsigned column, struct str text);
/* A text; no id: the empty one. */
void postgresql_add_uuid(struct postgresql_batch *batch, unsigned column, uuid id);
/* SQL's NULL. */
void postgresql_add_null(struct postgresql_batch *batch, unsigned column);
/* Completes a row of values, and sends what is collected if that is much. */
RESULT postgresql_end_values(struct postgresql *self, struct ctx *c, struct postgresql_batch *batch);
/* Discards collected values. */
void postgresql_clear(struct postgresql *self);
/* Sends everything collected in one pipeline; commit: with the commit number and COMMIT, unless 0. Values stay
 * collected. ERR_TIMEOUT: the connection is lost, the outcome unknown. Others: refused, not committed. */
RESULT postgresql_send(struct postgresql *self, struct ctx *c, uint64_t commit);

/* ---- values of results ---- */

/* Value of a column in binary form: bigint; bytea or text as stored; uuid, none for another text. */
int64_t postgresql_int(const PGresult *row, int column);
/* The stored bytes; valid as long as the row. */
struct str postgresql_bytes(const PGresult *row, int column);
/* Reverts postgresql_add_text(). Valid as long as the row and the arena. */
struct str postgresql_decode(struct arena *a, struct str stored);
/* UUID_NONE if the text is no uuid. */
uuid postgresql_uuid(const PGresult *row, int column);
/* A big-endian integer of 1 to 8 bytes. */
int64_t postgresql_read_int(const char *p, size_t size);

/* Loads rows as postgresql_load() does; where: empty, or a condition behind the table's name. */
RESULT postgresql_load_where(struct postgresql *self, struct ctx *c, enum kind kind, const char *where,
			     sql_each_row each, void *arg);

/* ---- postgresql_follow.c ---- */

extern const char *const postgresql_change_sql; /* the table of notes */
extern const char *const postgresql_start_sql;  /* the table of epochs */
/* Notes in the open transaction that it changes the row. */
RESULT postgresql_note_change(struct postgresql *self, struct ctx *c, enum kind kind, uuid id);
/* Ends the reading that postgresql_open_follower() began. */
RESULT postgresql_end_load(struct postgresql *self, struct ctx *c, uint64_t *ret_commit);
/* The driver's open_follower, follow and await_feed. */
RESULT postgresql_open_follower(struct sql_driver *driver, struct ctx *c);
RESULT postgresql_follow(struct sql_driver *driver, struct ctx *c, const struct sql_feed *feed,
			 uint64_t *ret_commit);
bool postgresql_await_feed(struct sql_driver *driver, int max_ms);

/* ---- postgresql_lease.c ---- */

/* The lease's connection, made again if it was lost; with notifications in a follower. NULL: the database cannot be
 * reached. */
PGconn *postgresql_lease_connection(struct postgresql *self);

extern const char *const postgresql_lease_sql; /* its table */
/* In the transaction of open: takes the lease and raises the epoch. *ret_wait_us: how long the former holder's calls may
 * last. ERR_IN_USE: another process has it. */
RESULT postgresql_take_lease(struct postgresql *self, struct ctx *c, int64_t *ret_wait_us);
/* Prolongs the lease at the end of that transaction. */
RESULT postgresql_prolong_lease(struct postgresql *self, struct ctx *c);
/* Renews the lease from now on. sent_us: before the last request. */
RESULT postgresql_keep_lease(struct postgresql *self, struct ctx *c, int64_t sent_us, int64_t wait_us);
/* Ends the renewals, and gives the lease back if this process has it. */
void postgresql_end_lease(struct postgresql *self);
/* Another process has the lease. */
void postgresql_lose_lease(struct postgresql *self);
/* The driver's read_writer, may_act and may_answer. */
RESULT postgresql_read_writer(struct sql_driver *driver, struct ctx *c, struct sql_writer *ret_writer);
bool postgresql_may_act(struct sql_driver *driver);
bool postgresql_may_answer(struct sql_driver *driver);

/* ---- postgresql_schema.c ---- */

/* Checks that the database has this program's schema and the process's master key. ERR_STATE and ERR_CONFLICT, with a message. */
RESULT postgresql_check_schema(struct postgresql *self, struct ctx *c);
/* The driver's identify. */
RESULT postgresql_identify(struct sql_driver *driver, struct ctx *c, struct sql_identity *ret_identity);
/* The driver's mark. ERR_GONE: another process is the writer. */
RESULT postgresql_mark(struct sql_driver *driver, struct ctx *c, enum sql_mark mark, struct str text);
/* The driver's open: creates or migrates the schema, and takes over as writer. */
RESULT postgresql_open_schema(struct sql_driver *driver, struct ctx *c);
/* Adds what the level in force lacks, so that this program can follow a writer of that level. ERR_TIMEOUT: not now. */
RESULT postgresql_add_level(struct postgresql *self, struct ctx *c);
/* The driver's confirm_level and read_programs. */
RESULT postgresql_confirm_level(struct sql_driver *driver, struct ctx *c);
RESULT postgresql_read_programs(struct sql_driver *driver, struct ctx *c, struct sql_programs *ret_programs);

/* ---- postgresql_rows.c ---- */

/* The driver's put. */
RESULT postgresql_put(struct sql_driver *driver, struct ctx *c, enum kind kind, const struct row *row);
/* The driver's forget. */
RESULT postgresql_forget(struct sql_driver *driver, struct ctx *c, enum kind kind, uuid id);
/* The driver's load. */
RESULT postgresql_load(struct sql_driver *driver, struct ctx *c, enum kind kind, sql_each_row each,
		       void *arg);

/* ---- postgresql_history.c ---- */

/* Reads the ends of all logs. */
RESULT postgresql_find_ends(struct postgresql *self, struct ctx *c);
extern const char *const postgresql_history_sql[]; /* tables, functions and triggers; ends with NULL */
/* Makes the statement for history ready for values. ERR_NO_MEMORY. */
RESULT postgresql_find_batch(struct postgresql *self, struct ctx *c, enum postgresql_history what,
			     struct postgresql_batch **ret_batch);
RESULT postgresql_add_event(struct sql_driver *driver, struct ctx *c, const struct event *event);
/* The driver's add_usage. */
RESULT postgresql_add_usage(struct sql_driver *driver, struct ctx *c, const struct usage *usage,
			    const struct ledger_record *subject);
/* The driver's add_ledger. */
RESULT postgresql_add_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_record *record);
/* The driver's add_audit. */
RESULT postgresql_add_audit(struct sql_driver *driver, struct ctx *c, const struct audit_record *audit);
/* The driver's add_series. */
RESULT postgresql_add_series(struct sql_driver *driver, struct ctx *c, const struct series *series);
/* The driver's add_past and read_past. */
RESULT postgresql_add_past(struct sql_driver *driver, struct ctx *c, const struct past *past);
RESULT postgresql_read_past(struct sql_driver *driver, struct ctx *c, const struct past_query *query,
			    sql_each_past each, void *arg, int64_t *ret_reach_us);
/* The driver's prune_events. */
RESULT postgresql_prune_events(struct sql_driver *driver, struct ctx *c, int64_t before_us);
/* The driver's cut_audit. */
RESULT postgresql_cut_audit(struct sql_driver *driver, struct ctx *c, const struct audit_segment *segment);

/* ---- postgresql_history_read.c ---- */

/* The driver's read_last_stamp. */
RESULT postgresql_read_last_stamp(struct sql_driver *driver, struct ctx *c, int64_t *ret_us);
/* The driver's read_events. */
RESULT postgresql_read_events(struct sql_driver *driver, struct ctx *c, const struct event_query *query,
			      sql_each_event each, void *arg);
/* The driver's read_usage. */
RESULT postgresql_read_usage(struct sql_driver *driver, struct ctx *c, const struct usage_query *query,
			     sql_each_usage each, void *arg);
/* The driver's read_ledger. */
RESULT postgresql_read_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_query *query,
			      sql_each_ledger each, void *arg);
/* The driver's read_audit. */
RESULT postgresql_read_audit(struct sql_driver *driver, struct ctx *c, int64_t after, size_t max,
			     audit_each each, void *arg);
/* The driver's read_audit_back. */
RESULT postgresql_read_audit_back(struct sql_driver *driver, struct ctx *c, int64_t before, size_t max,
				  audit_each each, void *arg);
/* The driver's read_series. */
RESULT postgresql_read_series(struct sql_driver *driver, struct ctx *c, const struct series_query *query,
			      sql_each_series each, void *arg);
/* The driver's read_segment. */
RESULT postgresql_read_segment(struct sql_driver *driver, struct ctx *c, struct audit_segment *ret_segment);

/* ---- postgresql_copy.c ---- */

/* Implement the driver's functions. */
RESULT postgresql_read_log(struct sql_driver *driver, struct ctx *c, enum sql_log log, sql_each_record each,
			   void *arg);
RESULT postgresql_begin_copy(struct sql_driver *driver, struct ctx *c);
RESULT postgresql_add_record(struct sql_driver *driver, struct ctx *c, enum sql_log log,
			     const struct sql_value *values);
RESULT postgresql_end_copy(struct sql_driver *driver, struct ctx *c, uint64_t commit);
RESULT postgresql_open_reader(struct sql_driver *driver, struct ctx *c);
RESULT postgresql_copy(struct sql_driver *driver, struct ctx *c, const char *path);

/* ---- postgresql_check.c ---- */

/* Implements the driver's check. ERR_STATE, with a message: confirmed changes may be lost, or strangers may read them. */
RESULT postgresql_check(struct sql_driver *driver, struct ctx *c);
/* ERR_IN_USE, with a message: two servers of the URL take writes and do not say the same. */
RESULT postgresql_check_rivals(struct postgresql *self, struct ctx *c);
/* ERR_STATE, with a message: a pooler in transaction mode is in between. */
RESULT postgresql_check_pooler(struct postgresql *self, struct ctx *c);
