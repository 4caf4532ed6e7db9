/* SPDX-License-Identifier: Apache-2.0
 * Calls from inside: a part of ours asks a face as a client would, and has no connection. The face sees a struct call like any
 * other: it may park it, and everything that holds for clients' requests (limits, guard, audit log) holds for it. Who asks is not
 * in a header: the face takes it from what call_inside_arg() gives.
 *
 * The call lives on one actor: the face's functions and done() run there, one after the other, while changes and work go their
 * usual ways. */
#pragma once

#include "base/exec.h"
#include "http/server.h"

struct inside_wish {
	enum http_method method;      /* not HTTP_OTHER */
	struct str path, query, body; /* copied */
	const void *arg;              /* who asks, for the face; lives until done() */
	/* Called once, with the answer; body is valid during the call. Status 0: there was no memory, or an answer of a form that
	 * only connections take. */
	void (*done)(void *owner, int status, struct str body);
	void *owner;
};

/* On the actor's thread. The face's function runs before this returns, done() later. */
void call_begin_inside(struct actor *actor, void (*handle)(void *self, struct call *call), void *self,
		       const struct inside_wish *wish);
/* NULL: the call is a client's. */
const void *call_inside_arg(const struct call *c);
