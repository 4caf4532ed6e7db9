/* SPDX-License-Identifier: Apache-2.0
 * The context of one call or one reconcile step: its arena, its deadline, who asks, and the words
 * of its first failure. A result says what kind of failure it was; the context says of what, and
 * why. One thread owns a context at a time, together with its arena. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

struct identity;   /* model/identity.h */
struct kind_words; /* engine/resolve.h */
struct guard;      /* engine/operation.h */

/* What went wrong. kind is an enum kind of model/kinds.h, or 0. field is the name of the parameter
 * at fault, in the caller's protocol, or empty. subject is the one thing that was named or is in
 * the way, as the caller knows it, or empty. Of a limit subject is the limit, and total what the
 * caller would have had. */
struct problem {
	enum err err;
	int kind;
	struct str field;
	struct str message;
	struct str subject;
	int64_t total;
};

struct ctx {
	struct arena *arena;
	struct str request_id;      /* appears in every answer and log line; empty outside of a request */
	int64_t deadline_us;        /* on the scale of clock_now_us(); 0: none */
	const struct identity *who; /* who asks; NULL: the system itself */
	const struct kind_words *kind_words; /* words of the face that asks; NULL: the engine's own words */
	struct guard *guard;                 /* decides by policies; NULL: engine_check_guarded() */
	struct problem problem;
};

/* Sets everything to zero except the arena, which stays the caller's. */
void ctx_init(struct ctx *c, struct arena *arena);
/* Each records a problem and returns its code. If a problem is recorded already, that one stays.
 * The message is a sentence for people that names the value at fault; it is copied into the arena.
 * When the arena is full, the kind's meaning stands in for the message. */
RESULT ctx_fail(struct ctx *c, enum err err, const char *format, ...) __attribute__((format(printf, 3, 4)));
RESULT ctx_fail_kind(struct ctx *c, enum err err, int kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
RESULT ctx_fail_field(struct ctx *c, enum err err, struct str field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Forgets the recorded problem, so that the caller can go on after a failure that it has dealt
 * with. */
void ctx_clear_problem(struct ctx *c);
RESULT ctx_no_memory(struct ctx *c); /* ERR_NO_MEMORY; or ERR_TOO_LARGE, if the arena's cap was reached */
