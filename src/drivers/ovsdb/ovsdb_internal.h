/* SPDX-License-Identifier: Apache-2.0
 * Shared by ovsdb.c (callers) and ovsdb_session.c (the thread): the client's state, guarded by one lock. */
#pragma once

#include <pthread.h>

#include "base/buf.h"
#include "drivers/ovsdb/ovsdb.h"
#include "drivers/ovsdb/ovsdb_cluster.h"

enum ovsdb_state {
	OVSDB_NEW, /* the first attempt is running */
	OVSDB_LOST,
	OVSDB_SYNCED
};

/* A caller that waits for an answer; on its stack. */
struct ovsdb_wait {
	struct ovsdb_wait *next;
	json_int_t id;
	json_t *answer;
	bool done; /* with answer NULL: the connection was lost */
};

struct ovsdb {
	/* constant after opening */
	struct ovsdb_remotes remotes;
	char *addresses; /* all of them, for messages; owned */
	struct ovsdb_tls tls;
	const struct ovsdb_schema *schema;
	int64_t timeout_us;
	struct ovsdb_cluster cluster; /* used by the thread alone */
	int wake_fd;                  /* eventfd: something to send, or stop */
	pthread_t thread;
	pthread_mutex_t lock;  /* guards the members below, which callers and the thread share */
	pthread_cond_t turned; /* signalled when the state changes or an answer arrives */
	enum ovsdb_state state;
	bool stop;
	char problem[512];        /* reason of the lost connection; a cluster has one for each address */
	struct ovsdb_cache cache; /* valid while synced */
	struct ovsdb_watcher watcher;
	struct buf out; /* to be sent; taken by the thread */
	struct ovsdb_wait *waits;
	json_int_t next_id;
};

/* Thread function: connects, runs a session, and repeats until stopped. */
void *ovsdb_run(void *db);
/* Appends a message to out, with the lock held. False: out of memory. */
bool ovsdb_queue(struct ovsdb *db, const json_t *message);
void ovsdb_wake(struct ovsdb *db);
