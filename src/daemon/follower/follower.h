/* SPDX-License-Identifier: Apache-2.0
 * A dari that follows the region's writer: it answers reads from its own rows, passes other calls on to the writer,
 * and takes over when the writer's lease ends. To take over it starts its program again in the same process, so that
 * everything is loaded and begun as at any start. */
#pragma once

#include "api/core/face.h"
#include "daemon/daemon.h"
#include "http/server.h"

struct follower_state {
	bool is_writer;             /* this process */
	bool is_shared;             /* the database can have followers */
	int64_t epoch;              /* counts the writers */
	struct str writer;          /* URL of the writer; empty: unknown, or this process */
	uint64_t lag;               /* batches that this process has not shown yet */
	uint64_t served, passed_on; /* calls answered here, and by the writer */
	bool is_address_ours;       /* the writer is another process that has this one's store_peer */
};
/* Strings are in the arena. */
void follower_read_state(struct daemon *d, struct arena *a, struct follower_state *ret_state);

/* Words for changes that reach a follower's store. */
extern const char follower_refusal[];

struct sql_writer;
/* Sets d->follower. */
RESULT follower_new(struct daemon *d, const struct sql_writer *writer);
/* Starts to follow; the store is a follower's. */
RESULT follower_start(struct daemon *d);
void follower_stop(struct daemon *d); /* takes nothing over any more; calls go on */
void follower_free(struct daemon *d); /* ignores NULL */
/* In a follower: answers the call, or passes it on. face: the face that the call belongs to. */
void follower_handle(struct daemon *d, struct call *call, struct api_face *face);
/* In a follower, before the body: passes uploads on while they arrive. */
void follower_begin(struct daemon *d, struct call *call, struct api_face *face);
/* In the writer: a call that a follower has passed on gets the client's address and scheme, or is refused. False: it
 * was answered. */
bool follower_note_peer(struct daemon *d, struct call *call, struct api_face *face);
