/* SPDX-License-Identifier: Apache-2.0
 * The live stream: what has changed, told to whoever watches. The committer's listener notes which rows a publish
 * touched, in a ring. One thread, `feed`, waits a frame, reads the rows as they are then and writes them to the viewers
 * that see them. It says rows, never differences: several changes of a row between two sends are one, and a slow reader
 * costs nothing but its place in the ring.
 *
 * A viewer is checked when it opens its stream, and each row by account and by the engine's rules when it is sent. When
 * somebody's rights in its account change, it is told `bye` and comes back, which checks it anew. */
#pragma once

#include "auth/token/token.h"
#include "http/stream.h"
#include "model/kinds.h"
#include "store/store.h"

struct feed;

enum {
	FEED_RING = 64 * 1024, /* rows that somebody who comes back may have missed */
	FEED_STREAMS_MAX = 1000,
	FEED_STREAMS_OF_USER = 20,
	FEED_STREAMS_OF_ACCOUNT = 200,
	FEED_STREAMS_RESERVE = 50,     /* streams that only administrators get */
	FEED_UNSENT_MAX = 256 * 1024,  /* bytes of a viewer */
	FEED_UNSENT_WAITS = 64 * 1024, /* with more it is passed over, until they are sent */
	FEED_FRAME_MS = 16,
	FEED_SILENCE_S = 20, /* then a comment follows: proxies cut silent connections at 60 s */
};

struct feed_config {
	struct store *store;
	struct executor *executor;
	struct tokens *tokens;
};

/* ERR_NO_MEMORY. */
RESULT feed_new(struct ctx *c, const struct feed_config *config, struct feed **ret_feed);
/* Says `bye` to all viewers and takes no more: before the HTTP server stops. May be called again. */
void feed_end(struct feed *f);
void feed_free(struct feed *f); /* NULL: nothing */

/* What somebody watches. */
struct feed_wish {
	const struct identity *who; /* copied as far as it counts */
	struct token token;         /* that proved it; all zero: it was something else */
	bool kinds[KIND_COUNT];
	bool all[KIND_COUNT]; /* all accounts' rows of that kind */
	uuid account;         /* else this one's */
	struct str since;     /* "<nonce>-<batch>"; empty: from now on */
};

struct viewer;

/* A viewer without a stream: ERR_THROTTLED, there are as many as there may be. */
RESULT feed_admit(struct feed *f, struct ctx *c, const struct feed_wish *wish, struct viewer **ret_viewer);
/* What its stream tells. */
struct http_stream_owner feed_owner_of(struct viewer *v);
/* From here on it is sent to. stream NULL: it is let go. */
void feed_start(struct viewer *v, struct http_stream *stream);

struct feed_figures {
	unsigned viewers;
	uint64_t frames, rows, resets, byes, cut; /* since the start */
};
void feed_read_figures(struct feed *f, struct feed_figures *ret_figures);
