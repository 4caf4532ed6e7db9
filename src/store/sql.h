/* SPDX-License-Identifier: Apache-2.0
 * What the store asks of a SQL database. store/sqlite.c does it with SQLite (WAL, synchronous
 * FULL). The interface is made so that PostgreSQL fits: one text parameter for each column, one
 * transaction for each batch, a commit number that tells whether a COMMIT took place, and a lease
 * that keeps a second writer out.
 *
 * One thread at a time makes all calls (the committer, or start-up), except read_events, read_usage,
 * read_ledger, read_series and read_audit, which use a connection of their own and may come from any thread. Every statement
 * passes the FAULT_SQL point. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"
#include "store/audit.h"
#include "store/ledger.h"
#include "store/prune.h"
#include "store/series.h"

struct event {
	int64_t seq; /* its number in the log, from 1 on; drawn as it is added */
	int64_t at_us;
	enum kind kind;
	uuid id, account, user;
	struct str request_id, action, what, text;
};

/* What of the history: one event by its number, else a resource's, else an account's, else all. */
struct event_query {
	int64_t seq; /* 0: any */
	uuid id, account;
	int64_t from_us, before_us; /* before 0: until now */
	int64_t after_seq;          /* events behind this number, oldest first; 0: newest first */
	struct str kinds; /* " instance volume ": events of these kinds alone; empty: of all kinds */
	size_t max;
};

/* Called for each row or event, which belongs to the driver. A failure ends the reading and is
 * returned. */
typedef RESULT (*sql_each_row)(void *arg, const struct row *row);
typedef RESULT (*sql_each_event)(void *arg, const struct event *event);
typedef RESULT (*sql_each_usage)(void *arg, const struct usage *usage);
typedef RESULT (*sql_each_ledger)(void *arg, const struct ledger_record *record);
typedef RESULT (*sql_each_series)(void *arg, const struct series *series);

struct sql_driver {
	/* Creates or migrates the schema. ERR_STATE, in words: the database is newer than this
	 * program. */
	RESULT (*open)(struct sql_driver *self, struct ctx *c);
	/* Reads every row, in the order of ids. A row is valid during the call. */
	RESULT (*load)(struct sql_driver *self, struct ctx *c, enum kind kind, sql_each_row each, void *arg);
	RESULT (*begin)(struct sql_driver *self, struct ctx *c);
	RESULT (*put)(struct sql_driver *self, struct ctx *c, enum kind kind, const struct row *row);
	RESULT (*forget)(struct sql_driver *self, struct ctx *c, enum kind kind, uuid id);
	/* ERR_AGAIN: the log of events is damaged, and is left out from now on. Roll back and begin anew. add_series likewise. */
	RESULT (*add_event)(struct sql_driver *self, struct ctx *c, const struct event *event);
	/* subject: what the record's resource is called from then on, where that changed, too; NULL: as before. */
	RESULT(*add_usage)
	(struct sql_driver *self, struct ctx *c, const struct usage *usage,
	 const struct ledger_record *subject);
	/* Appends a record to the audit log, with its number and its digest. */
	RESULT (*add_audit)(struct sql_driver *self, struct ctx *c, const struct audit_record *audit);
	/* Writes the commit number and commits. ERR_IO, ERR_STATE (damaged): nothing happened. ERR_CAPACITY: nothing
	 * happened, for the disk is full. ERR_GONE: nothing
	 * happened, for the reason that find_files gives. ERR_AGAIN: nobody knows; ask
	 * read_commit. */
	RESULT (*commit)(struct sql_driver *self, struct ctx *c, uint64_t commit);
	void (*rollback)(struct sql_driver *self); /* without a transaction: nothing */
	/* Reads the number of the last batch in the database. After a COMMIT whose outcome is
	 * unknown it also makes sure that this stays so, or fails. */
	RESULT (*read_commit)(struct sql_driver *self, struct ctx *c, uint64_t *ret_commit);
	/* Reads events, newest first, at most max. Their texts are valid during the call. */
	RESULT(*read_events)
	(struct sql_driver *self, struct ctx *c, const struct event_query *query, sql_each_event each,
	 void *arg);
	/* Reads usage in the query's order. The meters are valid during the call. */
	RESULT(*read_usage)
	(struct sql_driver *self, struct ctx *c, const struct usage_query *query, sql_each_usage each,
	 void *arg);
	/* Reads the audit records behind that one, in their order. Their texts are valid during the
	 * call. */
	RESULT(*read_audit)
	(struct sql_driver *self, struct ctx *c, int64_t after, size_t max, audit_each each, void *arg);
	void (*close)(struct sql_driver *self); /* frees self */
	/* ERR_GONE, in words: the files that were committed to are not where the next start looks
	 * for them. NULL: this database cannot tell. */
	RESULT (*find_files)(struct sql_driver *self, struct ctx *c);
	RESULT (*add_ledger)(struct sql_driver *self, struct ctx *c, const struct ledger_record *record);
	/* Reads the ledger's records of a type, in the query's order. Their texts are valid during the call. */
	RESULT(*read_ledger)
	(struct sql_driver *self, struct ctx *c, const struct ledger_query *query, sql_each_ledger each,
	 void *arg);
	/* Writes figures, and lets those go that are older than they say; reads them by time. NULL: this database keeps none. */
	RESULT (*add_series)(struct sql_driver *self, struct ctx *c, const struct series *series);
	RESULT(*read_series)
	(struct sql_driver *self, struct ctx *c, const struct series_query *query, sql_each_series each,
	 void *arg);
	/* store/prune.h: deletes events, seals a part of the audit log, and tells the last such. */
	RESULT (*prune_events)(struct sql_driver *self, struct ctx *c, int64_t before_us);
	RESULT(*cut_audit)
	(struct sql_driver *self, struct ctx *c, const struct audit_segment *segment);
	RESULT(*read_segment)
	(struct sql_driver *self, struct ctx *c, struct audit_segment *ret_segment);
	struct history_limits limits; /* set by whoever opened it */
	/* store/health.h: checks the structure; writes a checked copy; adds the logs that can be read to another database, which
	 * is closed, and names those that cannot. Any thread. */
	RESULT (*check)(struct sql_driver *self, struct ctx *c);
	RESULT (*copy)(struct sql_driver *self, struct ctx *c, const char *path);
	RESULT(*save_history)
	(struct sql_driver *self, struct ctx *c, const char *path, struct str *ret_lost);
	/* The latest time that usage or the ledger bears; 0: both are empty. */
	RESULT (*read_last_stamp)(struct sql_driver *self, struct ctx *c, int64_t *ret_us);
};

/* Opens SQLite. path ":memory:" is for tests. ERR_IN_USE: another process holds PATH.lock.
 * ERR_IO. */
RESULT sqlite_open(struct ctx *c, const char *path, struct sql_driver **ret_driver);
/* Checks the copy of a database that was made as half, and gives it its name. Deletes half after a failure, which may be made. */
RESULT sqlite_settle_copy(struct ctx *c, struct result made, const char *half, const char *path);
