/* SPDX-License-Identifier: Apache-2.0
 * Internal calls: a part of the program sends a request to a face without a connection. The face sees an
 * ordinary struct call, may park it, and applies everything that holds for clients' requests (limits, guard,
 * audit log). The caller's identity is not in a header: the face takes it from call_internal_arg().
 *
 * The call runs on one actor, as does done(), while changes and work take their usual ways. */
#pragma once

#include "base/exec.h"
#include "http/server.h"

struct identity;

struct internal_call {
	enum http_method method;      /* not HTTP_OTHER */
	struct str path, query, body; /* copied */
	struct ip peer; /* the client for whom it is sent, and whether that client spoke TLS: policies ask */
	bool is_tls;
	const void *arg; /* identity for the face; must live until done() */
	/* The caller, for faces that take it from call_internal_caller(); NULL: the face reads arg. Must live as long. */
	const struct identity *who;
	/* Called once with the answer; body is valid during the call. Status 0: out of memory, or an answer
	 * of a form that needs a connection. Not called if the actor is freed before the answer. */
	void (*done)(void *owner, int status, struct str body);
	void *owner;
};

/* On the actor's thread. The face's function runs before this returns, done() later. */
void call_begin_internal(struct actor *actor, void (*handle)(void *self, struct call *call), void *self,
			 const struct internal_call *wish);
/* NULL: a client's call. */
const void *call_internal_arg(const struct call *c);
/* NULL: a client's call, or one with another identity. */
const struct identity *call_internal_caller(const struct call *c);
