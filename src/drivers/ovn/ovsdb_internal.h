/* SPDX-License-Identifier: Apache-2.0
 * Between ovsdb.c (callers) and ovsdb_session.c (the thread): the client's state under one lock. */
#pragma once

#include <pthread.h>
#include <sys/un.h>

#include "base/buf.h"
#include "drivers/ovn/ovsdb.h"

enum ovsdb_state {
	OVSDB_NEW, /* the first attempt runs */
	OVSDB_LOST,
	OVSDB_SYNCED
};

/* A caller waiting for an answer; on its stack. */
struct ovsdb_wait {
	struct ovsdb_wait *next;
	json_int_t id;
	json_t *answer;
	bool done; /* answer NULL: the connection was lost */
};

struct ovsdb {
	/* set once */
	struct sockaddr_un address;
	const struct ovsdb_schema *schema;
	int64_t timeout_us;
	int wake_fd; /* eventfd: something to send, or stop */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t turned; /* state changed, or an answer came */
	/* under lock */
	enum ovsdb_state state;
	bool stop;
	char problem[256];        /* why it is lost */
	struct ovsdb_cache cache; /* valid while synced */
	struct ovsdb_watcher watcher;
	struct buf out; /* to be sent; the thread takes it */
	struct ovsdb_wait *waits;
	json_int_t next_id;
};

/* The thread: connects, runs a session, again, until stop. */
void *ovsdb_run(void *db);
/* Appends a message to out; lock held. False when out of memory. */
bool ovsdb_queue(struct ovsdb *db, const json_t *message);
void ovsdb_wake(struct ovsdb *db);
