/* SPDX-License-Identifier: Apache-2.0
 * Calls without sockets: this takes the place of http/'s own call functions at link time, so that a
 * face can be fed by hand, parked and resumed in one thread. */
#pragma once

#include "http/server.h"
#include "http/stream.h"

enum { FAKE_HEADERS_MAX = 16 };

struct fake_call {
	struct call call; /* first: the functions get this */
	struct arena *arena;
	struct str header_names[FAKE_HEADERS_MAX], header_values[FAKE_HEADERS_MAX];
	size_t header_count;
	void (*resume)(struct call *call);
	struct http_stream *stream; /* it was answered with; NULL: with something else */
	struct call_sink *sink;     /* takes the body; NULL: nobody does */
	const void *via;            /* http/via.h */
	bool is_woken, is_answered;
	bool is_inside;      /* a part of ours asks, on its actor */
	int64_t longest_ns;  /* run of the face, as the server measures it (http/cost.h) */
	uint64_t wake_order; /* this call's place among all woken calls, in the committer's order */
	int status;
	struct buf body;                                                            /* answer's body */
	struct str answer_names[FAKE_HEADERS_MAX], answer_values[FAKE_HEADERS_MAX]; /* in the call's arena */
	size_t answer_header_count;
};

/* A call's stream: keeps written data until the test takes it, and then tells the owner that all was sent. */
struct http_stream {
	struct http_stream_owner owner;
	struct buf unsent;
	size_t cap_size;
	bool is_ended, is_cut, is_free;
};
struct str fake_stream_take(struct http_stream *s, struct arena *a);
void fake_stream_forget(struct http_stream *s); /* when its owner has let go of it */

extern unsigned fake_answers_read; /* so many answers were written as they were sent */

void fake_call_init(struct fake_call *f, const char *method, struct str path, struct str query,
		    struct str body);
/* Handles a call like the server: the API's begin(), the body to its sink or into the call, handle(). */
void fake_call_handle(struct fake_call *f, const struct http_face *face);
/* Resumes a woken parked call like the server. */
void fake_call_resume(struct fake_call *f);
void fake_call_done(struct fake_call *f);
void fake_call_add_header(struct fake_call *f, const char *name, struct str value);
