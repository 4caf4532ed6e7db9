/* SPDX-License-Identifier: Apache-2.0
 * The live stream of changed rows. The committer's listener notes the rows of each publish in a ring. The thread `feed` waits a
 * frame, reads the current rows and writes them to the viewers that may see them. It sends rows, never differences: several
 * changes of a row between two frames become one message, and a slow reader holds only a position in the ring, no queue.
 *
 * Rights are checked when a viewer opens its stream. Each row is checked by account and by the engine's rules when it is sent. If
 * rights in the viewer's account change, the feed ends the stream with `bye`; the client reconnects, which checks its rights again. */
#pragma once

#include "auth/token/token.h"
#include "http/stream.h"
#include "model/kinds.h"
#include "store/store.h"

struct feed;

enum {
	FEED_RING = 64 * 1024, /* entries that a reconnecting viewer can catch up on */
	FEED_STREAMS_MAX = 1000,
	FEED_STREAMS_OF_USER = 20,
	FEED_STREAMS_OF_ACCOUNT = 200,
	FEED_STREAMS_RESERVE = 50,    /* streams reserved for administrators */
	FEED_UNSENT_MAX = 256 * 1024, /* limit of unsent bytes of a stream */
	FEED_UNSENT_WAITS =
		64 * 1024, /* unsent bytes above which a viewer gets no new rows until they are sent */
	FEED_FRAME_MS = 16,
	FEED_SILENCE_S = 20, /* silence before a comment is sent: proxies close idle connections after 60 s */
};

struct feed_config {
	struct store *store;
	struct executor *executor;
	struct tokens *tokens;
};

/* ERR_NO_MEMORY. */
RESULT feed_new(struct ctx *c, const struct feed_config *config, struct feed **ret_feed);
/* Sends `bye` to all viewers and admits no further ones. Call it before the HTTP server stops; a second call does nothing. */
void feed_end(struct feed *f);
void feed_free(struct feed *f); /* NULL: nothing */

/* A viewer's request for a stream. */
struct feed_wish {
	const struct identity *who; /* feed_admit() copies the members it needs */
	struct token token;         /* token that authenticated the caller; all zero: another credential */
	bool kinds[KIND_COUNT];
	bool all[KIND_COUNT]; /* rows of all accounts, by kind */
	uuid account;         /* account whose rows are sent where all[] is false */
	struct str since;     /* event id to continue after, "<nonce>-<batch>"; empty: begin now */
};

struct viewer;

/* Makes a viewer that has no stream yet. ERR_THROTTLED: a limit of streams is reached. */
RESULT feed_admit(struct feed *f, struct ctx *c, const struct feed_wish *wish, struct viewer **ret_viewer);
/* Callbacks of the viewer's HTTP stream. */
struct http_stream_owner feed_owner_of(struct viewer *v);
/* Begins sending to the stream. stream NULL: frees the viewer. */
void feed_start(struct viewer *v, struct http_stream *stream);

struct feed_figures {
	unsigned viewers;
	uint64_t frames, rows, resets, byes, cut; /* counted since the program's start */
};
void feed_read_figures(struct feed *f, struct feed_figures *ret_figures);
