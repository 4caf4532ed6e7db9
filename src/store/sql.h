/* SPDX-License-Identifier: Apache-2.0
 * The SQL database as the store uses it. store/sqlite.c implements it with SQLite (WAL, synchronous FULL),
 * store/postgresql.c with PostgreSQL.
 *
 * One thread at a time makes all calls (the committer, or start-up), except read_events, read_usage,
 * read_ledger, read_series, read_audit, read_audit_back and read_segment, which use a separate connection and may come from
 * any thread. Every statement passes the FAULT_SQL point. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"
#include "store/audit.h"
#include "store/ledger.h"
#include "store/level.h"
#include "store/past.h"
#include "store/prune.h"
#include "store/series.h"

/* Texts of an event are in store/event.h. */
struct event {
	int64_t seq; /* number in the log, from 1; assigned when added */
	int64_t at_us;
	enum kind kind;
	uuid id, account, user;
	struct str request_id, action, what;
	struct str sentence, arguments; /* the column "text" has the sentence */
	struct str text;                /* set by store_read_events() alone */
};

/* Selects one event by number, else those of a resource, else of an account, else all. */
struct event_query {
	int64_t seq; /* 0: any */
	uuid id, account;
	int64_t from_us, before_us; /* before 0: until now */
	int64_t before_seq;         /* also the events at before_us with smaller numbers; 0: none of them */
	int64_t after_seq;          /* events behind this number, oldest first; 0: newest first */
	struct str kinds; /* for example " instance volume ": only events of these kinds; empty: all */
	size_t max;
};

/* Called for each row or event, which belongs to the driver. A failure stops the reading and is returned. */
typedef RESULT (*sql_each_row)(void *arg, const struct row *row);
typedef RESULT (*sql_each_event)(void *arg, const struct event *event);
typedef RESULT (*sql_each_usage)(void *arg, const struct usage *usage);
typedef RESULT (*sql_each_ledger)(void *arg, const struct ledger_record *record);
typedef RESULT (*sql_each_past)(void *arg, const struct past *past);
typedef RESULT (*sql_each_series)(void *arg, const struct series *series);

/* The tables that hold history, in the order of copying. */
enum sql_log { SQL_EVENT, SQL_USAGE, SQL_LEDGER, SQL_AUDIT, SQL_SEGMENT, SQL_SERIES, SQL_PAST, SQL_LOGS };
/* Every database has the same columns in the same order. types has a letter per column: i integer, t text or
 * NULL, b bytes. order: the columns of the primary key. */
extern const struct sql_log_table {
	const char *table, *order, *types;
} sql_logs[SQL_LOGS];
enum { SQL_LOG_COLUMNS_MAX = 24 };
struct sql_value {
	bool is_null;
	int64_t number;
	struct str text; /* of types t and b */
};
typedef RESULT (*sql_each_record)(void *arg, const struct sql_value *values);

/* The process that writes to a shared database. */
struct sql_writer {
	struct str holder;  /* "host:pid…" */
	struct str address; /* the URL at which other processes reach it; empty: it has not said any */
	int64_t epoch;      /* counts the writers */
	uint64_t commit;    /* number of the last commit */
	bool is_free;       /* the lease has expired or was given back */
	bool is_dead;       /* the holder was a process of this machine, and is no more */
	int64_t expired_ms; /* time since the lease expired; negative: it is held for so long */
};

/* Receives the rows that batches of another process have changed: each once, in its present state. */
struct sql_feed {
	RESULT (*put)(void *arg, enum kind kind, const struct row *row);
	RESULT (*gone)(void *arg, enum kind kind, uuid id);
	void *arg;
};

/* A process's part in the lease of a shared database (store/lease.h). */
struct sql_lease {
	const char *address; /* for struct sql_writer; NULL: none */
	int patience_ms;     /* open waits so long for a lease that another process has */
	void (*lost)(
		void *self); /* called when another process has taken the lease, on any thread; may be NULL */
	void *self;
	int64_t epoch; /* set by open: counts the writers */
};

/* A connected dari process. */
struct sql_program {
	struct str name; /* "dari HASH VERSION HOST:PID"; older programs: "dari" */
	bool is_level;   /* its level is this program's */
};
enum { SQL_PROGRAMS_MAX = 64, SQL_KEY_MARK_SIZE = 40 };
struct sql_programs {
	struct sql_program at[SQL_PROGRAMS_MAX];
	size_t count;
};

/* Marks of a database with which no process may start, because another one has the same region, and hosts obey its writer
 * (store/copy.h). The text of a mark is "TIME DATABASE" and names the other one. */
enum sql_mark {
	SQL_MOVED,      /* the region was moved there */
	SQL_UNFINISHED, /* this is a copy of that one, which may still be in use */
	SQL_MARKS
};
extern const char *const sql_mark_names[SQL_MARKS]; /* in the table meta */

/* The commit number and the marks that a database has. */
struct sql_identity {
	uint64_t commit;             /* number of the last commit; 0: it has no region */
	struct str marks[SQL_MARKS]; /* empty: it has none */
};

struct sql_driver {
	/* Creates or migrates the schema, and makes this process the writer. ERR_STATE, with a message: the
	 * database is newer than this program, or marked. ERR_IN_USE: another process is the writer. */
	RESULT (*open)(struct sql_driver *self, struct ctx *c);
	/* Reads all rows in order of ids. A row is valid during the call. */
	RESULT (*load)(struct sql_driver *self, struct ctx *c, enum kind kind, sql_each_row each, void *arg);
	/* This and the calls up to commit. ERR_TIMEOUT: the database cannot be reached, nothing was committed. */
	RESULT (*begin)(struct sql_driver *self, struct ctx *c);
	RESULT (*put)(struct sql_driver *self, struct ctx *c, enum kind kind, const struct row *row);
	RESULT (*forget)(struct sql_driver *self, struct ctx *c, enum kind kind, uuid id);
	/* ERR_AGAIN: the event log is damaged and won't be written any more. Roll back and begin again. Likewise
	 * for add_series. */
	RESULT (*add_event)(struct sql_driver *self, struct ctx *c, const struct event *event);
	/* subject: new name and tags of the resource; NULL: unchanged. */
	RESULT(*add_usage)
	(struct sql_driver *self, struct ctx *c, const struct usage *usage,
	 const struct ledger_record *subject);
	/* Appends a record to the audit log, and assigns its number and digest. */
	RESULT (*add_audit)(struct sql_driver *self, struct ctx *c, const struct audit_record *audit);
	/* Writes the commit number and commits. ERR_IO, ERR_STATE (damaged): not committed. ERR_CAPACITY: not
	 * committed, the disk is full. ERR_GONE: not committed, see find_files. ERR_TIMEOUT: not committed, the
	 * database cannot be reached. ERR_AGAIN: outcome unknown; ask read_commit. */
	RESULT (*commit)(struct sql_driver *self, struct ctx *c, uint64_t commit);
	void (*rollback)(struct sql_driver *self); /* no-op without a transaction */
	/* Reads the number of the last committed batch. After a COMMIT with unknown outcome, also makes that
	 * outcome permanent, perhaps by committing the same batch now, or fails. ERR_TIMEOUT: the database cannot
	 * be reached; ask again. */
	RESULT (*read_commit)(struct sql_driver *self, struct ctx *c, uint64_t *ret_commit);
	/* Reads up to max events. Texts are valid during the call. */
	RESULT(*read_events)
	(struct sql_driver *self, struct ctx *c, const struct event_query *query, sql_each_event each,
	 void *arg);
	/* Reads usage in the query's order. Meters are valid during the call. */
	RESULT(*read_usage)
	(struct sql_driver *self, struct ctx *c, const struct usage_query *query, sql_each_usage each,
	 void *arg);
	/* Reads audit records after `after`, in order. Texts are valid during the call. */
	RESULT(*read_audit)
	(struct sql_driver *self, struct ctx *c, int64_t after, size_t max, audit_each each, void *arg);
	void (*close)(struct sql_driver *self); /* frees self */
	/* Reads audit records before `before`, newest first. */
	RESULT(*read_audit_back)
	(struct sql_driver *self, struct ctx *c, int64_t before, size_t max, audit_each each, void *arg);
	/* ERR_GONE, with a message: the open files are not where the next start will look for them. NULL:
	 * this database cannot tell. */
	RESULT (*find_files)(struct sql_driver *self, struct ctx *c);
	RESULT (*add_ledger)(struct sql_driver *self, struct ctx *c, const struct ledger_record *record);
	/* Reads ledger records of a type in the query's order. Texts are valid during the call. */
	RESULT(*read_ledger)
	(struct sql_driver *self, struct ctx *c, const struct ledger_query *query, sql_each_ledger each,
	 void *arg);
	/* Writes samples and deletes expired ones; reads them in order of time. NULL: this database stores
	 * none. */
	RESULT (*add_series)(struct sql_driver *self, struct ctx *c, const struct series *series);
	RESULT(*read_series)
	(struct sql_driver *self, struct ctx *c, const struct series_query *query, sql_each_series each,
	 void *arg);
	/* See store/past.h. ret_reach_us: the log knows all changes since then. NULL: this database stores none. */
	RESULT (*add_past)(struct sql_driver *self, struct ctx *c, const struct past *past);
	RESULT(*read_past)
	(struct sql_driver *self, struct ctx *c, const struct past_query *query, sql_each_past each,
	 void *arg, int64_t *ret_reach_us);
	/* See store/prune.h. */
	RESULT (*prune_events)(struct sql_driver *self, struct ctx *c, int64_t before_us);
	RESULT(*cut_audit)
	(struct sql_driver *self, struct ctx *c, const struct audit_segment *segment);
	RESULT(*read_segment)
	(struct sql_driver *self, struct ctx *c, struct audit_segment *ret_segment);
	/* Connects again if the connection was lost. ERR_TIMEOUT: the database cannot be reached. NULL: the
	 * database is always there. */
	RESULT (*reach)(struct sql_driver *self, struct ctx *c);
	struct history_limits limits; /* set by whoever opened the driver */
	/* Fingerprint of the region's master key, set by whoever opened the driver; empty: not known. open() stores the first one.
	 * open() and open_follower() refuse another one with ERR_CONFLICT before they change anything, because secrets would be sealed
	 * with two keys. They set an empty one to what the database has. */
	char key_mark[SQL_KEY_MARK_SIZE];
	/* May be called before open, and changes nothing. ERR_STATE, with a message: the database is another program's, or not whole. */
	RESULT (*identify)(struct sql_driver *self, struct ctx *c, struct sql_identity *ret_identity);
	/* Called by open() before it changes anything in a database of this program's level: load() shows its rows, and a failure refuses
	 * it. Set by whoever opened the driver; NULL: none. */
	RESULT (*admit)(void *self, struct sql_driver *driver, struct ctx *c);
	void *admit_self;
	/* open() and open_follower() take a database that is marked; set by whoever opened the driver. */
	bool takes_marked;
	/* Sets a mark, or takes it back with an empty text. Behind open(), without a transaction. */
	RESULT (*mark)(struct sql_driver *self, struct ctx *c, enum sql_mark mark, struct str text);
	/* store/health.h: check() verifies the structure of SQLite and the settings of PostgreSQL; copy() writes a verified copy; save_history() adds the
	 * readable logs to another, closed database and names the unreadable ones. Any thread. */
	RESULT (*check)(struct sql_driver *self, struct ctx *c);
	RESULT (*copy)(struct sql_driver *self, struct ctx *c, const char *path);
	RESULT(*save_history)
	(struct sql_driver *self, struct ctx *c, const char *path, struct str *ret_lost);
	/* Copying into another database (store/copy.h): read_log() reads a table of history in the order of its
	 * key. begin_copy() begins a transaction that lets add_record() write records as they are, past the
	 * triggers; end_copy() commits like commit(). */
	RESULT(*read_log)
	(struct sql_driver *self, struct ctx *c, enum sql_log log, sql_each_record each, void *arg);
	RESULT (*begin_copy)(struct sql_driver *self, struct ctx *c);
	RESULT(*add_record)
	(struct sql_driver *self, struct ctx *c, enum sql_log log, const struct sql_value *values);
	RESULT (*end_copy)(struct sql_driver *self, struct ctx *c, uint64_t commit);
	/* Instead of open(), for a copy: load(), read_log() and read_commit() then see one state of a shared database, whose writer
	 * goes on. Changes nothing, and takes no lock that the writer waits for. NULL: one process has the database. */
	RESULT (*open_reader)(struct sql_driver *self, struct ctx *c);
	/* For databases that several processes share, with one writer at a time; NULL: one process has it.
	 * read_writer() may be called before open, from one thread. may_act() and may_answer() are those of
	 * store/lease.h. Any thread. */
	struct sql_lease lease; /* set by whoever opened the driver */
	RESULT (*read_writer)(struct sql_driver *self, struct ctx *c, struct sql_writer *ret_writer);
	/* A follower's (store/follow.h). open_follower() changes nothing; load() and read_commit() then see one
	 * state. follow() reads what was committed since the last call. ERR_GONE: the database is older than
	 * before. ERR_EXPIRED: the notes of these changes were deleted. await_feed(), on the thread of
	 * read_writer(), waits for news of a commit; true: there are some. */
	RESULT (*open_follower)(struct sql_driver *self, struct ctx *c);
	RESULT(*follow)
	(struct sql_driver *self, struct ctx *c, const struct sql_feed *feed, uint64_t *ret_commit);
	bool (*await_feed)(struct sql_driver *self, int max_ms);
	bool (*may_act)(struct sql_driver *self);
	bool (*may_answer)(struct sql_driver *self);
	/* Latest time in usage log and ledger; 0: both are empty. */
	RESULT (*read_last_stamp)(struct sql_driver *self, struct ctx *c, int64_t *ret_us);
	/* store/level.h. Set by open: what the level in force lacks; NULL: that level is this program's. */
	const struct level *level;
	/* Makes this program's level the one in force; no transaction is open, and no other thread uses the driver.
	 * ERR_STATE, with a message: a program of another level is connected. */
	RESULT (*confirm_level)(struct sql_driver *self, struct ctx *c);
	/* The processes that are connected to a shared database, each once. NULL: there is this one only. Any thread. */
	RESULT (*read_programs)(struct sql_driver *self, struct ctx *c, struct sql_programs *ret_programs);
};

/* Version of this program, for messages and for other processes; called once, at the start. */
void sql_set_program(const char *version);
const char *sql_get_program(void);

/* Compares the driver's key_mark with the one that the database has, empty if it has none. ERR_CONFLICT, with a message. */
RESULT sql_check_key(struct sql_driver *driver, struct ctx *c, const char *database, struct str found);

/* Asks the driver's admit(), unless rows cannot be loaded yet. */
RESULT sql_admit(struct sql_driver *driver, struct ctx *c, bool is_migrated);
/* Refuses a marked database, unless the driver takes it. ERR_STATE, with a message that says what to do. */
RESULT sql_check_marks(const struct sql_driver *driver, struct ctx *c, const char *database,
		       const struct str marks[SQL_MARKS]);

/* The words of ledger types in SQL; none for LEDGER_SUBJECT. */
extern const char *const sql_ledger_words[LEDGER_TYPES];
/* KIND_NONE: no kind has the name. */
enum kind sql_kind_of_name(struct str name);

/* Opens PostgreSQL. ERR_INVALID: the URL cannot be parsed. ERR_TIMEOUT: the database cannot be reached.
 * ERR_IN_USE: another process has it. */
RESULT postgresql_open(struct ctx *c, const char *url, struct sql_driver **ret_driver);
/* A database's name for messages: a URL without user, password and options; a path as it is. ERR_INVALID: the URL cannot be parsed. */
RESULT sql_name(struct ctx *c, const char *where, const char **ret_name);
/* The same for a URL. */
RESULT postgresql_name(struct ctx *c, const char *url, const char **ret_name);
/* Passes on the absolute paths of the files that a URL of PostgreSQL names: password, certificates and key. ERR_INVALID: the URL
 * cannot be parsed. */
RESULT postgresql_each_file(struct ctx *c, const char *url, RESULT (*each)(void *arg, const char *path),
			    void *arg);
/* True for postgresql://… and postgres://…, as libpq takes them. */
bool sql_is_url(struct str where);
/* Opens PostgreSQL for a URL, and SQLite for any other text. */
RESULT sql_open(struct ctx *c, const char *where, struct sql_driver **ret_driver);
/* Opens SQLite. path ":memory:" is for tests. ERR_IN_USE: another process holds PATH.lock. ERR_IO. */
RESULT sqlite_open(struct ctx *c, const char *path, struct sql_driver **ret_driver);
/* Verifies and syncs the database copy `half`, and renames it to path. On failure, or if `made` is one, deletes
 * half. */
RESULT sqlite_settle_copy(struct ctx *c, struct result made, const char *half, const char *path);
