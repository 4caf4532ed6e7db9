/* SPDX-License-Identifier: Apache-2.0
 * A call on its way from a follower to the writer: the client's own bytes and headers, because signatures cover them,
 * and the client's address and scheme with a proof by the master key, which all processes of a region have. */
#pragma once

#include "base/buf.h"
#include "base/crypto.h"
#include "http/server.h"

enum { PEER_HEADERS_MAX = 48 };

struct peer_header {
	const char *name;
	struct str value;
};

/* A body that arrives while it is passed on. */
struct peer_upload {
	int64_t size; /* -1: unknown */
	/* Waits for bytes, and copies at most room of them. Called first when the writer asks for the body. 0: the body has
	 * ended; -1: it will not be whole. */
	ssize_t (*read)(void *self, char *to, size_t room);
};

struct peer_call {
	struct str address;               /* the writer's URL */
	struct call *call;                /* peer_send() does not touch it */
	const struct peer_upload *upload; /* NULL: the call's body, which is whole */
	bool is_upgrade; /* it asks for a websocket: Connection and Upgrade are passed on, too */
	const uint8_t *master_key;
	bool (*goes_on)(void *self); /* asked about once a second; false: nobody will answer */
	void *self;                  /* goes to goes_on() and upload */
	struct arena *arena;         /* holds the answer without its body */
	bool may_stream;             /* peer_send() returns when the head of a large answer is there */
	/* private: */
	void *curl, *multi, *header_list;
	/* the answer */
	bool is_large; /* its body goes on: peer_begin_stream() */
	bool was_sent; /* the writer may have heard of the call */
	int status;
	const char *content_type; /* NULL: none */
	int64_t content_length;   /* bytes, as the answer says; -1: it does not say */
	struct str request_id;
	struct peer_header headers[PEER_HEADERS_MAX];
	size_t header_count;
	struct buf body;
};
/* Prepares the request, on the call's thread. End with peer_close() in any case. ERR_NO_MEMORY. */
RESULT peer_open(struct peer_call *peer);
/* Sends the request and receives the answer. Blocks. The caller frees the answer's body, also after a failure. */
RESULT peer_send(struct ctx *c, struct peer_call *peer);
void peer_close(struct peer_call *peer); /* idempotent */
/* Takes over the connection of a large answer into `to`, which lives longer than the call. take() gets the bytes; false: they wait, and
 * peer_stream() is called again once there is room. */
struct peer_stream {
	bool (*take)(void *self, struct str piece);
	bool (*goes_on)(void *self); /* asked about once a second */
	void *self;
	/* private: */
	void *curl, *multi, *header_list;
	bool waits;
};
void peer_begin_stream(struct peer_call *peer, struct peer_stream *to);
/* Receives until the answer has ended (*ret_is_over), or there is no room. ERR_IO: it will not be whole. Blocks. */
RESULT peer_stream(struct ctx *c, struct peer_stream *s, bool *ret_is_over);
void peer_end_stream(struct peer_stream *s);
/* All three; a large answer (is_large) stays open. */
RESULT peer_ask(struct ctx *c, struct peer_call *peer);

/* Parts that peer_line.c shares. peer_each_header() calls each for the headers that the writer gets, the proof last.
 * peer_take_header() notes a line of the answer's head. peer_set_connection() sets what all connections to the writer
 * have; curl is a CURL *. */
RESULT peer_each_header(struct peer_call *peer, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg);
void peer_take_header(struct peer_call *peer, struct str line);
void peer_set_connection(void *curl, const char *url, int64_t connect_ms);

/* True if another process has passed the call on, or claims to. */
bool peer_is_passed_on(const struct call *call);
/* Gives the call the client's address and scheme. False: the proof does not hold, and the call must not be carried out:
 * it would have the follower's address, which policies may trust. */
bool peer_take_client(const uint8_t *master_key, struct call *call);
