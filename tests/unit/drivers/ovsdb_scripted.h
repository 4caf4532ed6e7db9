/* SPDX-License-Identifier: Apache-2.0
 * A scripted OVSDB server on a unix socket, with a thread of its own. It has one row, and serves one client at a time. */
#pragma once

#include <pthread.h>

#include "drivers/ovsdb/ovsdb.h"

#define ROW "11111111-1111-1111-1111-111111111111"

extern const struct ovsdb_schema scripted_schema;

/* The server's reaction to a transaction. */
enum manner { ANSWER, REFUSE, HANG_UP, SAY_NOTHING, TALK_RUBBISH, UPDATE_FIRST };

/* The server's state in its cluster, as _Server tells. MUTE: accepts connections and says nothing. */
enum role { LEADER, FOLLOWER, CUT_OFF, MUTE };

struct server {
	char directory[32], path[64];
	int listen_fd;
	pthread_t thread;
	pthread_mutex_t lock;
	enum manner manner; /* under lock, as are all below */
	enum role role;     /* a change is announced to the client */
	int index;
	const char *cid;
	int accepted, echoes, snapshots;
	bool stop;
	const char *name; /* in the table's single row */
};

void server_start(struct server *s, enum role role, const char *name);
void server_stop(struct server *s);
void server_set_manner(struct server *s, enum manner manner, const char *name);
void server_set_role(struct server *s, enum role role, int index);
int server_count(struct server *s, const int *member); /* reads a member under the lock */
