/* SPDX-License-Identifier: Apache-2.0
 * The context of one call or one reconcile step: its arena, its deadline, who asks, and the words
 * of its first error. A struct result says what kind of failure it was; the context says of what
 * and why. Owned by one thread at a time, as its arena is. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

struct identity; /* model/identity.h */
struct dialect;  /* engine/resolve.h */
struct guard;    /* engine/operation.h */

/* What went wrong. kind is an enum kind of model/kinds.h or 0; field is the parameter's name in
 * the caller's protocol where one is at fault; subject is what was named or stands in the way, as the caller
 * knows it, where the message is about one thing. */
struct problem {
	enum err err;
	int kind;
	struct str field;
	struct str message;
	struct str subject;
};

struct ctx {
	struct arena *arena;
	struct str request_id;         /* in every answer and log line; empty outside a request */
	int64_t deadline_us;           /* clock_now_us() scale; 0: none */
	const struct identity *who;    /* NULL: the system itself */
	const struct dialect *dialect; /* of the face that asks; NULL: EC2's, the engine's own */
	struct guard *guard;           /* what policies say of the call; NULL: they say nothing */
	struct problem problem;
};

/* Nothing but the arena, which stays the caller's. */
void ctx_init(struct ctx *c, struct arena *arena);
/* Each records the problem (the first one stays) and returns its code. field and kind may be
 * empty/0. The message is a sentence for people, naming the value at fault. */
RESULT ctx_fail(struct ctx *c, enum err err, const char *format, ...) __attribute__((format(printf, 3, 4)));
RESULT ctx_fail_kind(struct ctx *c, enum err err, int kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
RESULT ctx_fail_field(struct ctx *c, enum err err, struct str field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Forgets the recorded problem, to go on after a failure that was dealt with. */
void ctx_clear_problem(struct ctx *c);
RESULT ctx_no_memory(struct ctx *c); /* ERR_NO_MEMORY, or ERR_TOO_LARGE when the arena's cap was hit */
