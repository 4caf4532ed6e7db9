/* SPDX-License-Identifier: Apache-2.0
 * Private to store/sqlite*.c: the driver's structure, and helpers that add the FAULT_SQL point and error
 * messages. One thread at a time, except for what `reading` guards. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#include "base/buf.h"
#include "model/migration.h"
#include "store/sql.h"

/* Access paths to events. */
enum events_by {
	EVENTS_OF_ALL,
	EVENTS_OF_ACCOUNT,
	EVENTS_OF_ROW,
	EVENT_OF_NUMBER,
	EVENTS_BEHIND,
	EVENTS_BY_COUNT
};
enum { USAGE_READINGS = 4 };
enum { SQLITE_SHM = 2, SQLITE_FILES = 3 }; /* the database, its WAL, and the WAL's index */

/* The schema of a program version. Tests substitute their own. */
struct sqlite_schema {
	unsigned version;
	const char *hash;
	const struct migration *migrations;
};

struct sqlite {
	struct sql_driver driver; /* must be the first member */
	struct sqlite_schema schema;
	struct level *level; /* driver.level points to it until the upgrade is confirmed */
	char *path;          /* as given, for messages */
	char *name;          /* name passed to SQLite: the path, or a URI for memory */
	int lock_fd;         /* lock on PATH.lock, which excludes other processes; -1 in memory */
	sqlite3 *db;
	struct arena *scratch; /* texts of the row being written or read */
	bool is_unknown;       /* a COMMIT ended with unknown outcome */
	/* The files that SQLite has open, identified by name after opening. */
	struct sqlite_file {
		char *path;
		dev_t device;
		ino_t inode; /* 0: did not exist */
	} files[SQLITE_FILES];
	/* The database's file as the last checkpoint left it, and what would tell of others that write. */
	pthread_mutex_t
		noting; /* over the next four; held during a checkpoint, because doctor compares, too */
	int shm_fd;     /* the log's index, only read */
	struct timespec changed_at;
	off_t changed_size;
	uint32_t copied_frames; /* number of WAL frames already copied to the file: sqlite_open.c */
	int64_t data_version;   /* 0: not read yet */
	unsigned leaves_out;    /* LEAVES_OUT_…: damaged logs that are no longer written */

	/* Prepared on first use, finalized at the end. */
	struct sqlite_put *put[KIND_COUNT], *change[KIND_COUNT]; /* sqlite_put.c */
	sqlite3_stmt *forget[KIND_COUNT];
	sqlite3_stmt *begin, *commit, *write_commit, *read_commit, *add_event, *add_usage, *add_ledger,
		*add_audit, *add_series, *drop_series, *drop_events, *drop_surplus, *read_version, *add_past,
		*drop_past;
	sqlite3_stmt *add_record[SQL_LOGS];
	uint64_t events_added; /* since the start */
	uint64_t past_added;   /* likewise */
	int64_t past_seq;      /* the last record's number */

	/* The last audit record within the open transaction; unknown after a failed one. */
	bool knows_tail;
	int64_t tail_seq;
	uint8_t tail[SHA256_SIZE];

	/* The last usage record within the open transaction, and before it. */
	struct usage_end {
		int64_t seq, at_us;
	} usage_end, usage_end_before;

	/* The connection for checks and copies, for any thread; one at a time uses it. They take minutes, so readers and the
	 * committer have connections of their own. */
	pthread_mutex_t checking;
	sqlite3 *checker;

	/* The reading connection, for any thread; one reads at a time, because the prepared statements are shared. */
	pthread_mutex_t reading;
	sqlite3 *reader;
	sqlite3_stmt *read_events[EVENTS_BY_COUNT], *read_usage[USAGE_READINGS], *read_ledger, *read_subjects,
		*read_audit, *read_audit_back, *read_series;
};

/* ERR_IO, or ERR_CAPACITY if the disk is full, with SQLite's message for the code, or the connection's own if
 * it is more specific. */
RESULT sqlite_fail(struct ctx *c, sqlite3 *db, int code, const char *doing);
/* Prepares *slot unless it is prepared. The slot owns the statement. */
RESULT sqlite_prepare(struct ctx *c, sqlite3 *db, sqlite3_stmt **slot, const char *sql);
/* Likewise, from a text that it frees. */
RESULT sqlite_prepare_from(struct ctx *c, sqlite3 *db, sqlite3_stmt **slot, struct buf *sql);
/* sqlite3_step() with the fault point. */
int sqlite_step(sqlite3_stmt *statement);
/* Runs a statement without results, and resets it in every case. */
RESULT sqlite_run(struct ctx *c, sqlite3_stmt *statement, const char *doing);
/* Resets a statement and clears its bindings, which it does not own. NULL: no-op. */
void sqlite_let_go(sqlite3_stmt *statement);
/* A bound text must stay valid until the step; a column's text is valid until the next step. */
void sqlite_bind_str(sqlite3_stmt *statement, int place, struct str s);
void sqlite_bind_uuid(sqlite3_stmt *statement, int place, uuid u);
struct str sqlite_column_str(sqlite3_stmt *statement, int place);
uuid sqlite_column_uuid(sqlite3_stmt *statement, int place);
/* Runs any number of statements without parameters. */
RESULT sqlite_exec(struct ctx *c, sqlite3 *db, const char *sql);
/* Rolls back an open transaction, if there is one. */
void sqlite_rollback(sqlite3 *db);

/* Finalizes the statement; ignores NULL. */
void sqlite_end_statement(sqlite3_stmt **statement);

/* ---- sqlite_put.c ---- */

/* Capacity of a kind's statement; columns that each kind has before those of its fields. */
enum { SQLITE_STATEMENT_CAP = 64 * 1024, SQLITE_BASE_COLUMNS = 6 };
void sqlite_write_columns(struct buf *b, const struct kind_info *k);
/* The driver's put. */
RESULT sqlite_put(struct sql_driver *driver, struct ctx *c, enum kind kind, const struct row *row);
void sqlite_end_put(struct sqlite_put **put); /* ignores NULL */
#define AUTO_STATEMENT __attribute__((cleanup(sqlite_end_statement))) sqlite3_stmt *

enum { LEAVES_OUT_EVENTS = 1, LEAVES_OUT_SERIES = 2, LEAVES_OUT_PAST = 4 };
/* Converts a result of writing to that log: ERR_STATE becomes ERR_AGAIN, and the log isn't written any more. */
RESULT sqlite_leave_out(struct sqlite *self, struct ctx *c, unsigned what, struct result result);

/* ---- sqlite_damage.c ---- */

/* True for SQLite's codes for a damaged file. */
bool sqlite_is_damage(int code);
/* Reduces text to printable ASCII; a line break becomes a space. */
struct str sqlite_clean(struct arena *a, struct str text);
/* Fails with ERR_STATE, naming the file and the documentation. */
RESULT sqlite_say_damaged(struct ctx *c, const char *path, struct str why);
/* Implement the driver's functions. */
RESULT sqlite_check(struct sql_driver *driver, struct ctx *c);
RESULT sqlite_copy(struct sql_driver *driver, struct ctx *c, const char *path);
RESULT sqlite_save_history(struct sql_driver *driver, struct ctx *c, const char *path, struct str *ret_lost);
/* Copies the connection's database into a new file, without verification; a failure leaves it behind. */
RESULT sqlite_copy_into(struct ctx *c, sqlite3 *db, const char *path);

/* ---- sqlite_ledger.c ---- */

/* Creates the usage log and the ledger with their triggers, and restores removed triggers. Migrates an older
 * log without numbers. */
RESULT sqlite_make_ledger(struct sqlite *self, struct ctx *c);
RESULT sqlite_add_usage(struct sql_driver *driver, struct ctx *c, const struct usage *usage,
			const struct ledger_record *subject);
RESULT sqlite_read_usage(struct sql_driver *driver, struct ctx *c, const struct usage_query *query,
			 sql_each_usage each, void *arg);
RESULT sqlite_add_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_record *record);
RESULT sqlite_read_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_query *query,
			  sql_each_ledger each, void *arg);
RESULT sqlite_read_last_stamp(struct sql_driver *driver, struct ctx *c, int64_t *ret_us);

/* ---- sqlite_series.c ---- */

/* Creates the table unless it exists. */
RESULT sqlite_make_series(struct sqlite *self, struct ctx *c);
/* The driver's add_series and read_series. */
RESULT sqlite_add_series(struct sql_driver *driver, struct ctx *c, const struct series *series);
RESULT sqlite_read_series(struct sql_driver *driver, struct ctx *c, const struct series_query *query,
			  sql_each_series each, void *arg);

/* ---- sqlite_open.c ---- */

/* Takes the lock and opens both connections. On failure self keeps what was opened so far. */
RESULT sqlite_open_file(struct sqlite *self, struct ctx *c, const char *path);
/* Call within a transaction. ERR_GONE: another program has changed the database through SQLite. */
RESULT sqlite_find_writers(struct sqlite *self, struct ctx *c);
/* ERR_GONE: a file name no longer leads to the open file, or another program wrote to it. In memory: OK. */
RESULT sqlite_find_files(struct sql_driver *driver, struct ctx *c);
/* The driver's open: creates the tables of a new database, or migrates an older one after copying it to
 * PATH.schema-N (N: its version). */
RESULT sqlite_open_schema(struct sql_driver *driver, struct ctx *c);
/* The driver's identify. */
RESULT sqlite_identify(struct sql_driver *driver, struct ctx *c, struct sql_identity *ret_identity);
/* The driver's mark. */
RESULT sqlite_mark(struct sql_driver *driver, struct ctx *c, enum sql_mark mark, struct str text);
/* The driver's confirm_level. */
RESULT sqlite_confirm_level(struct sql_driver *driver, struct ctx *c);

/* ---- sqlite_audit.c ---- */

/* Creates the audit log's tables and triggers unless they exist. */
RESULT sqlite_make_audit(struct sqlite *self, struct ctx *c);
/* The driver's add_audit and read_audit. */
RESULT sqlite_add_audit(struct sql_driver *driver, struct ctx *c, const struct audit_record *audit);
RESULT sqlite_read_audit(struct sql_driver *driver, struct ctx *c, int64_t after, size_t max, audit_each each,
			 void *arg);
/* The driver's read_audit_back. */
RESULT sqlite_read_audit_back(struct sql_driver *driver, struct ctx *c, int64_t before, size_t max,
			      audit_each each, void *arg);

/* ---- sqlite_prune.c ---- */

/* Implement the driver's functions. */
/* Creates the log of former states. */
RESULT sqlite_make_past(struct sqlite *self, struct ctx *c);
/* Deletes up to PRUNE_PIECE of its records before that time. */
RESULT sqlite_prune_past(struct sqlite *self, struct ctx *c, int64_t before_us);
RESULT sqlite_add_past(struct sql_driver *driver, struct ctx *c, const struct past *past);
RESULT sqlite_read_past(struct sql_driver *driver, struct ctx *c, const struct past_query *query,
			sql_each_past each, void *arg, int64_t *ret_reach_us);
RESULT sqlite_prune_events(struct sql_driver *driver, struct ctx *c, int64_t before_us);
RESULT sqlite_cut_audit(struct sql_driver *driver, struct ctx *c, const struct audit_segment *segment);
RESULT sqlite_read_segment(struct sql_driver *driver, struct ctx *c, struct audit_segment *ret_segment);
/* Called after each event: periodically deletes events beyond the limits. */
RESULT sqlite_sweep_events(struct sqlite *self, struct ctx *c, int64_t now_us);

/* ---- sqlite_copy.c ---- */

/* Implement the driver's functions. */
RESULT sqlite_read_log(struct sql_driver *driver, struct ctx *c, enum sql_log log, sql_each_record each,
		       void *arg);
RESULT sqlite_begin_copy(struct sql_driver *driver, struct ctx *c);
RESULT sqlite_add_record(struct sql_driver *driver, struct ctx *c, enum sql_log log,
			 const struct sql_value *values);
RESULT sqlite_end_copy(struct sql_driver *driver, struct ctx *c, uint64_t commit);
