/* SPDX-License-Identifier: Apache-2.0
 * A client of an OVSDB server (RFC 7047, and monitor_cond_since of ovsdb-server(7)) over its unix
 * socket. A thread of its own does all of the socket's I/O: it keeps the cache, answers the
 * server's echoes, notices a server that hangs, and connects again with a new snapshot when the
 * connection ends. Callers wait for answers under a deadline. Any thread may call.
 *
 * After a lost connection or a timeout it is unknown whether a transaction happened: look at the
 * cache again once it is back; never resend blindly. */
#pragma once

#include "base/ctx.h"
#include "drivers/ovn/ovsdb_cache.h"

struct ovsdb;

struct ovsdb_config {
	struct str address;                /* "unix:/run/ovn/ovnnb_db.sock" */
	const struct ovsdb_schema *schema; /* outlives the client */
	int64_t timeout_us;                /* of one transaction, and of connecting; 0: 5 s */
};

/* On the client's thread with the client locked: they must only note and post. */
struct ovsdb_watcher {
	ovsdb_changed changed;                  /* a row of the running snapshot changed */
	void (*connection)(void *arg, bool up); /* a new snapshot is there; or the connection is lost */
	void *arg;
};

/* Returns at once; the connection is made in the background. ERR_INVALID: not a unix address. */
RESULT ovsdb_open(struct ctx *c, const struct ovsdb_config *config, struct ovsdb **ret_db);
void ovsdb_close(struct ovsdb *db);                                      /* NULL: nothing */
void ovsdb_watch(struct ovsdb *db, const struct ovsdb_watcher *watcher); /* copied; NULL: none */
bool ovsdb_is_connected(struct ovsdb *db);

typedef RESULT (*ovsdb_reader)(struct ctx *c, const struct ovsdb_cache *cache, void *arg);
/* Runs read with the cache held still. Right after ovsdb_open it waits for the first snapshot, at
 * most the timeout. ERR_GONE, with the last reason, when there is no connection. */
RESULT ovsdb_with_cache(struct ovsdb *db, struct ctx *c, ovsdb_reader read, void *arg);

/* One transaction of the operations (a JSON array, borrowed). When it returns OK the cache shows
 * what it did. ret_results may be NULL; else the caller's. ERR_GONE, ERR_TIMEOUT (or c's
 * deadline); ERR_AGAIN: refers to what is not there, or raced; ERR_CONFLICT: a constraint;
 * ERR_INTERNAL: anything else the server refuses, with its words. */
RESULT ovsdb_transact(struct ovsdb *db, struct ctx *c, const json_t *ops, json_t **ret_results);
/* The errors in a transaction's results, which may be one longer than the operations. Pure. */
RESULT ovsdb_check_results(struct ctx *c, const json_t *results, size_t op_count);
