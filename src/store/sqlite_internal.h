/* SPDX-License-Identifier: Apache-2.0
 * Private to store/sqlite*.c: the driver's own structure, and statements with the FAULT_SQL point
 * and words for errors. One thread at a time, but for what `reading` guards. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#include "model/migration.h"
#include "store/sql.h"

/* How events are found. */
enum events_by {
	EVENTS_OF_ALL,
	EVENTS_OF_ACCOUNT,
	EVENTS_OF_ROW,
	EVENT_OF_NUMBER,
	EVENTS_BEHIND,
	EVENTS_BY_COUNT
};
enum { USAGE_READINGS = 4 };
enum { SQLITE_SHM = 2, SQLITE_FILES = 3 }; /* the database, its log, its log's index */

/* What a program makes of a database. A test has another than this program's. */
struct sqlite_schema {
	unsigned version;
	const char *hash;
	const struct migration *migrations;
};

struct sqlite {
	struct sql_driver driver; /* first: the one is the other */
	struct sqlite_schema schema;
	char *path;  /* as given, for messages */
	char *name;  /* what SQLite opens: the path, or a URI for memory */
	int lock_fd; /* holds PATH.lock: one process at a time; -1 in memory */
	sqlite3 *db;
	struct arena *scratch; /* a row's texts on their way */
	bool is_unknown;       /* a COMMIT ended without an answer */
	/* What SQLite has open, as it was found by name after opening. */
	struct sqlite_file {
		char *path;
		dev_t device;
		ino_t inode; /* 0: there was none */
	} files[SQLITE_FILES];
	/* The database's file as the last checkpoint left it, and what would tell of others that write. */
	pthread_mutex_t
		noting; /* over the next four; held during a checkpoint, because doctor compares, too */
	int shm_fd;     /* the log's index, only read */
	struct timespec changed_at;
	off_t changed_size;
	uint32_t copied_frames; /* number of the log's frames that are in the file, too: sqlite_open.c */
	int64_t data_version;   /* 0: not read yet */
	unsigned leaves_out;    /* LEAVES_OUT_…: logs that are damaged and get no more records */

	/* Prepared when first needed, kept until the end. */
	sqlite3_stmt *put[KIND_COUNT], *forget[KIND_COUNT];
	sqlite3_stmt *begin, *commit, *write_commit, *read_commit, *add_event, *add_usage, *add_ledger,
		*add_audit, *add_series, *drop_series, *drop_events, *drop_surplus, *read_version;
	uint64_t events_added; /* since start */

	/* The last audit record, as the transaction under way leaves it; unknown after one that failed. */
	bool knows_tail;
	int64_t tail_seq;
	uint8_t tail[SHA256_SIZE];

	/* The last record of usage, as the transaction under way leaves it, and as it was when that began. */
	struct usage_end {
		int64_t seq, at_us;
	} usage_end, usage_end_before;

	/* The connection for checks and copies, which take long, for any thread. */
	pthread_mutex_t checking;
	sqlite3 *checker;

	/* The reading connection, for any thread. */
	pthread_mutex_t reading;
	sqlite3 *reader;
	sqlite3_stmt *read_events[EVENTS_BY_COUNT], *read_usage[USAGE_READINGS], *read_ledger, *read_subjects,
		*read_audit, *read_series;
};

/* ERR_IO (ERR_CAPACITY: the disk is full) with SQLite's words for its code; the database's own when it knows more. */
RESULT sqlite_fail(struct ctx *c, sqlite3 *db, int code, const char *doing);
/* Prepares *slot unless it is there. It stays the slot's. */
RESULT sqlite_prepare(struct ctx *c, sqlite3 *db, sqlite3_stmt **slot, const char *sql);
/* sqlite3_step() behind the fault point. */
int sqlite_step(sqlite3_stmt *statement);
/* Runs a statement that gives no rows, and makes it ready for the next time whatever happened. */
RESULT sqlite_run(struct ctx *c, sqlite3_stmt *statement, const char *doing);
/* Ready for the next time; what it was bound to is not its own and goes now. NULL: it could not be prepared. */
void sqlite_let_go(sqlite3_stmt *statement);
/* Values. A bound text has to stay until the step; a column's is valid until the next. */
void sqlite_bind_str(sqlite3_stmt *statement, int place, struct str s);
void sqlite_bind_uuid(sqlite3_stmt *statement, int place, uuid u);
struct str sqlite_column_str(sqlite3_stmt *statement, int place);
uuid sqlite_column_uuid(sqlite3_stmt *statement, int place);
enum kind sqlite_kind_of_name(struct str name);
/* Any number of statements without parameters. */
RESULT sqlite_exec(struct ctx *c, sqlite3 *db, const char *sql);
/* Ends a transaction under way, if there is one. */
void sqlite_rollback(sqlite3 *db);

/* Frees it; NULL: nothing. */
void sqlite_end_statement(sqlite3_stmt **statement);
#define AUTO_STATEMENT __attribute__((cleanup(sqlite_end_statement))) sqlite3_stmt *

enum { LEAVES_OUT_EVENTS = 1, LEAVES_OUT_SERIES = 2 };
/* The result of writing to that log; ERR_AGAIN instead of ERR_STATE, and then the log is left out. */
RESULT sqlite_leave_out(struct sqlite *self, struct ctx *c, unsigned what, struct result result);

/* ---- sqlite_damage.c ---- */

/* True for SQLite's codes that say that the file is damaged. */
bool sqlite_is_damage(int code);
/* Printable ASCII alone; a line break becomes a space. */
struct str sqlite_clean(struct arena *a, struct str text);
/* ERR_STATE with the file and where to read on. */
RESULT sqlite_say_damaged(struct ctx *c, const char *path, struct str why);
/* The driver's calls. */
RESULT sqlite_check(struct sql_driver *driver, struct ctx *c);
RESULT sqlite_copy(struct sql_driver *driver, struct ctx *c, const char *path);
RESULT sqlite_save_history(struct sql_driver *driver, struct ctx *c, const char *path, struct str *ret_lost);
/* Copies the connection's database into a new file; unchecked, and left there after a failure. */
RESULT sqlite_copy_into(struct ctx *c, sqlite3 *db, const char *path);

/* ---- sqlite_ledger.c ---- */

/* Makes the usage log and the ledger with their triggers, which come back if somebody took them away. An older log
 * without numbers gets them. */
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

/* The table, unless it is there. */
RESULT sqlite_make_series(struct sqlite *self, struct ctx *c);
/* The driver's add_series and read_series. */
RESULT sqlite_add_series(struct sql_driver *driver, struct ctx *c, const struct series *series);
RESULT sqlite_read_series(struct sql_driver *driver, struct ctx *c, const struct series_query *query,
			  sql_each_series each, void *arg);

/* ---- sqlite_open.c ---- */

/* Takes the lock and opens both connections. What it got so far is self's, also when it fails. */
RESULT sqlite_open_file(struct sqlite *self, struct ctx *c, const char *path);
/* Within a transaction. ERR_GONE: another program has changed the database through SQLite. */
RESULT sqlite_find_writers(struct sqlite *self, struct ctx *c);
/* ERR_GONE: a name leads elsewhere than to what is open, or nowhere, or another program wrote there. Of memory: OK. */
RESULT sqlite_find_files(struct sql_driver *driver, struct ctx *c);
/* The driver's open: makes the tables of a new database, migrates those of an older one. PATH.schema-N is then a
 * copy of that as it was, N its version. */
RESULT sqlite_open_schema(struct sql_driver *driver, struct ctx *c);

/* ---- sqlite_audit.c ---- */

/* The log's table and triggers, unless they are there. */
RESULT sqlite_make_audit(struct sqlite *self, struct ctx *c);
/* The driver's add_audit and read_audit. */
RESULT sqlite_add_audit(struct sql_driver *driver, struct ctx *c, const struct audit_record *audit);
RESULT sqlite_read_audit(struct sql_driver *driver, struct ctx *c, int64_t after, size_t max, audit_each each,
			 void *arg);

/* ---- sqlite_prune.c ---- */

/* The driver's calls. */
RESULT sqlite_prune_events(struct sql_driver *driver, struct ctx *c, int64_t before_us);
RESULT sqlite_cut_audit(struct sql_driver *driver, struct ctx *c, const struct audit_segment *segment);
RESULT sqlite_read_segment(struct sql_driver *driver, struct ctx *c, struct audit_segment *ret_segment);
/* After each event: deletes, now and then, what the limits do not keep. */
RESULT sqlite_sweep_events(struct sqlite *self, struct ctx *c, int64_t now_us);
