/* SPDX-License-Identifier: Apache-2.0
 * A client of an OVSDB server (RFC 7047, and monitor_cond_since of ovsdb-server(7)) over a unix socket, TCP or TLS. A
 * thread of its own does all I/O: it maintains the cache, answers echo requests, detects a server that hangs,
 * and reconnects with a new snapshot when the connection ends. Callers wait for answers with a deadline. Any
 * thread may call.
 *
 * Several addresses name the servers of one cluster (RAFT). The client uses the leader alone, and leaves a server that
 * loses the leadership, is cut off, does not answer for two seconds, or is behind what was seen before.
 *
 * After a lost connection or a timeout the outcome of a transaction is unknown: look at the cache once it is
 * back, and never resend blindly. */
#pragma once

#include "base/ctx.h"
#include "drivers/ovsdb/ovsdb_cache.h"
#include "drivers/ovsdb/ovsdb_stream.h"

struct ovsdb;

struct ovsdb_config {
	struct str address;                /* in the form of ovsdb_remote.h */
	const struct ovsdb_schema *schema; /* outlives the client */
	int64_t timeout_us;                /* limit of a transaction, and of connecting; 0: 5 s */
	struct ovsdb_tls tls;              /* paths outlive the client */
};

/* Called on the client's thread with the client's lock held: must only record and post. */
struct ovsdb_watcher {
	ovsdb_changed changed;                  /* a row of the present snapshot changed */
	void (*connection)(void *arg, bool up); /* up: a new snapshot is available; else the connection was
						 * lost */
	void *arg;
};

/* Returns at once; connects in the background. ERR_INVALID: an address is malformed. */
RESULT ovsdb_open(struct ctx *c, const struct ovsdb_config *config, struct ovsdb **ret_db);
void ovsdb_close(struct ovsdb *db);                                      /* ignores NULL */
void ovsdb_watch(struct ovsdb *db, const struct ovsdb_watcher *watcher); /* copied; NULL: none */
bool ovsdb_is_connected(struct ovsdb *db);

typedef RESULT (*ovsdb_reader)(struct ctx *c, const struct ovsdb_cache *cache, void *arg);
/* Calls read with the cache locked. Right after ovsdb_open() it waits for the first snapshot, up to the
 * timeout. ERR_GONE, with the last reason: not connected. */
RESULT ovsdb_with_cache(struct ovsdb *db, struct ctx *c, ovsdb_reader read, void *arg);

/* Executes one transaction (a JSON array of operations, borrowed). After OK the cache shows its effect.
 * ret_results may be NULL; else the caller owns it. ERR_GONE, ERR_TIMEOUT (or c's deadline); ERR_AGAIN:
 * refers to a missing row, or raced; ERR_CONFLICT: a constraint; ERR_INTERNAL: any other refusal, with the
 * server's message. */
RESULT ovsdb_transact(struct ovsdb *db, struct ctx *c, const json_t *ops, json_t **ret_results);
/* Errors in a transaction's results, which may have one element more than the operations. Pure. */
RESULT ovsdb_check_results(struct ctx *c, const json_t *results, size_t op_count);
