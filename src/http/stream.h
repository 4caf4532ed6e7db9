/* SPDX-License-Identifier: Apache-2.0
 * Unlimited answers: server-sent events. Any thread may write into the stream's bounded buffer; the
 * connection's pool thread sends it. While there is nothing to send, the connection is suspended and costs no
 * thread. A vanished client is noticed when something is sent. */
#pragma once

#include "http/server.h"

struct http_stream;

/* Notifications to the owner. Both may be called on any thread, and must not block or call the stream. */
struct http_stream_owner {
	void (*drained)(void *arg); /* everything written was sent; may be NULL */
	void (*gone)(void *arg);    /* nothing is sent any more */
	void *arg;
};

/* Answers the call with a stream of that content type and at most cap_size unsent bytes. The owner holds a
 * reference until http_stream_free(), and `owner` must stay valid until then. NULL: out of memory; the call
 * is not answered. */
struct http_stream *call_answer_stream(struct call *c, const char *content_type, size_t cap_size,
				       const struct http_stream_owner *owner);
/* The same for an answer of known size. The client learns of a stream that ends earlier: the connection is cut. */
struct http_stream *call_answer_sized_stream(struct call *c, int status, const char *content_type,
					     uint64_t size, size_t cap_size,
					     const struct http_stream_owner *owner);
/* Queues a piece, completely or not at all. False: no room, out of memory, or the client is gone. */
bool http_stream_write(struct http_stream *s, struct str piece);
size_t http_stream_unsent(struct http_stream *s);
bool http_stream_is_gone(struct http_stream *s); /* nothing is sent any more */
/* Sends what is queued, then ends the answer. */
void http_stream_end(struct http_stream *s);
/* Cuts the connection. */
void http_stream_cut(struct http_stream *s);
/* Releases the owner's reference; no notifications follow. All streams must be ended and freed before the
 * server stops. */
void http_stream_free(struct http_stream *s);
