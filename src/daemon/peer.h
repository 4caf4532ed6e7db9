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

struct peer_call {
	struct str address; /* the writer's URL */
	struct call *call;
	bool is_upgrade; /* it asks for a websocket: Connection and Upgrade are passed on, too */
	const uint8_t *master_key;
	bool (*goes_on)(void *self); /* asked about once a second; false: nobody will answer */
	void *self;
	/* the answer, in the call's arena but for the body */
	bool was_sent; /* the writer may have heard of the call */
	int status;
	const char *content_type; /* NULL: none */
	int64_t content_length;   /* bytes, as the answer says; -1: it does not say */
	struct str request_id;
	struct peer_header headers[PEER_HEADERS_MAX];
	size_t header_count;
	struct buf body;
};
/* Blocks. On failure the body is freed by the caller, too. */
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
