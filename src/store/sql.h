/* SPDX-License-Identifier: Apache-2.0
 * What the store asks of a SQL database. store/sqlite.c keeps it with SQLite (WAL, synchronous
 * FULL); the shape is chosen so that PostgreSQL fits: text parameters by column, one transaction
 * per batch, a batch number that tells whether a COMMIT happened, a lease that fences writers.
 *
 * All calls come from one thread at a time (the committer, or start-up), except read_events, read_usage
 * and read_audit, which use a connection of their own and may come from any thread. Every statement passes
 * the FAULT_SQL point. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"
#include "store/audit.h"

struct event {
	int64_t at_us;
	enum kind kind;
	uuid id, account, user;
	struct str request_id, action, what, text;
};

struct usage {
	int64_t at_us;
	enum kind kind;
	uuid id, account;
	struct str meter;
	int64_t level;
};

struct usage_query {
	enum kind kind;
	uuid account;
	struct str meter; /* begins so; ASCII, without LIKE's % and _ */
	int64_t before_us;
};

/* Called per row or event, which are the driver's; a failure ends the reading and is passed on. */
typedef RESULT (*sql_each_row)(void *arg, const struct row *row);
typedef RESULT (*sql_each_event)(void *arg, const struct event *event);
typedef RESULT (*sql_each_usage)(void *arg, const struct usage *usage);

struct sql_driver {
	/* Creates or migrates the schema. ERR_STATE with words when the database is newer. */
	RESULT (*open)(struct sql_driver *self, struct ctx *c);
	/* Every row, in the order of ids. The row is valid during the call. */
	RESULT (*load)(struct sql_driver *self, struct ctx *c, enum kind kind, sql_each_row each, void *arg);
	RESULT (*begin)(struct sql_driver *self, struct ctx *c);
	RESULT (*put)(struct sql_driver *self, struct ctx *c, enum kind kind, const struct row *row);
	RESULT (*forget)(struct sql_driver *self, struct ctx *c, enum kind kind, uuid id);
	RESULT (*add_event)(struct sql_driver *self, struct ctx *c, const struct event *event);
	RESULT (*add_usage)(struct sql_driver *self, struct ctx *c, const struct usage *usage);
	/* Behind the last one of the log: gives it its number and its digest. */
	RESULT (*add_audit)(struct sql_driver *self, struct ctx *c, const struct audit_record *audit);
	/* Writes the batch number and commits. ERR_IO: nothing happened. ERR_GONE: likewise, as find_files.
	 * ERR_AGAIN: unknown, ask read_batch. */
	RESULT (*commit)(struct sql_driver *self, struct ctx *c, uint64_t batch);
	void (*rollback)(struct sql_driver *self); /* no transaction: nothing */
	/* After an unknown COMMIT also makes sure that it stays as it is told here, or fails. */
	RESULT (*read_batch)(struct sql_driver *self, struct ctx *c, uint64_t *ret_batch);
	/* Newest first, of one resource, at most max. Strings in c's arena. */
	RESULT(*read_events)
	(struct sql_driver *self, struct ctx *c, uuid id, size_t max, sql_each_event each, void *arg);
	/* An account's records of a kind whose meters begin so, of before that time: by resource, oldest
	 * first. Their meters are valid during the call. */
	RESULT(*read_usage)
	(struct sql_driver *self, struct ctx *c, const struct usage_query *query, sql_each_usage each,
	 void *arg);
	/* Audit records behind that one, in their order. Their texts are valid during the call. */
	RESULT(*read_audit)
	(struct sql_driver *self, struct ctx *c, int64_t after, size_t max, audit_each each, void *arg);
	void (*close)(struct sql_driver *self); /* frees self */
	/* ERR_GONE, in words: what is committed is not where the next start looks for it. NULL: nobody can
	 * say. */
	RESULT (*find_files)(struct sql_driver *self, struct ctx *c);
};

/* path ":memory:" for tests. ERR_IN_USE when another process holds PATH.lock, ERR_IO. */
RESULT sqlite_open(struct ctx *c, const char *path, struct sql_driver **ret_driver);
