/* SPDX-License-Identifier: Apache-2.0
 * Answers that do not end by themselves: server-sent events. Whoever has something to say writes into the stream's
 * buffer, which is bounded, from any thread; the connection's pool thread sends it. While there is nothing to send the
 * connection is suspended and costs no thread. That a client is gone is known when something is sent. */
#pragma once

#include "http/server.h"

struct http_stream;

/* What its owner is told. Both may be called on any thread, and must not block or call the stream. */
struct http_stream_owner {
	void (*drained)(void *arg); /* all that was written was sent; may be NULL */
	void (*gone)(void *arg);    /* nothing is sent any more */
	void *arg;
};

/* Answers the call with a stream of that type, which holds at most cap_size bytes unsent. The owner has one reference to it, and
 * keeps what it told of itself until http_stream_free(). NULL: there is no memory; the call is not answered. */
struct http_stream *call_answer_stream(struct call *c, const char *content_type, size_t cap_size,
				       const struct http_stream_owner *owner);
/* Queues a piece, whole or not at all. False: there is no room for it, no memory, or nobody to send it to. */
bool http_stream_write(struct http_stream *s, struct str piece);
size_t http_stream_unsent(struct http_stream *s);
/* Sends what is queued, and then ends the answer. */
void http_stream_end(struct http_stream *s);
/* Cuts the connection. */
void http_stream_cut(struct http_stream *s);
/* The owner lets go of it: it is told nothing from now on. All streams must be ended and free before the server stops. */
void http_stream_free(struct http_stream *s);
