/* SPDX-License-Identifier: Apache-2.0
 * The context of one call or one reconcile step: its arena, deadline, caller and the message of its first
 * failure. A result is only the kind of failure; the context has the details. One thread at a time owns a
 * context, together with its arena. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

struct identity;   /* model/identity.h */
struct kind_words; /* engine/resolve.h */
struct guard;      /* engine/operation.h */

/* A failure. kind: an enum kind of model/kinds.h, or 0. field: the parameter at fault, in the caller's
 * protocol, or empty. subject: the single object named or in the way, as known to the caller, or empty. For a
 * limit, subject is the limit, and total the amount the caller would have reached. */
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
	struct str request_id;               /* in every answer and log line; empty outside a request */
	int64_t deadline_us;                 /* on clock_now_us()'s scale; 0: none */
	const struct identity *who;          /* the caller; NULL: the system itself */
	const struct kind_words *kind_words; /* the calling face's words; NULL: the engine's */
	struct guard *guard;                 /* decides by policies; NULL: engine_check_guarded() */
	bool (*may_act)(void *self); /* asked before each call to a host or to OVN; NULL: always true */
	void *may_act_self;
	int64_t epoch; /* the writer's number in the database; 0: no other process can write there */
	struct problem problem;
};

/* Zeroes everything except the arena, which remains the caller's. */
void ctx_init(struct ctx *c, struct arena *arena);
/* Records a problem and returns its code; an already recorded problem is kept. The message is a sentence for
 * people naming the value at fault, copied to the arena. If the arena is full, the kind's meaning is used
 * instead. */
RESULT ctx_fail(struct ctx *c, enum err err, const char *format, ...) __attribute__((format(printf, 3, 4)));
RESULT ctx_fail_kind(struct ctx *c, enum err err, int kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
RESULT ctx_fail_field(struct ctx *c, enum err err, struct str field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Clears the problem, for continuing after a handled failure. */
void ctx_clear_problem(struct ctx *c);
/* Drivers ask before each call that could change something. ERR_AGAIN: another process may be the region's writer, or
 * it will be before the call is over. A step makes several calls, and its process may stand still between two. */
RESULT ctx_check_may_act(struct ctx *c);
RESULT ctx_no_memory(struct ctx *c); /* ERR_NO_MEMORY; or ERR_TOO_LARGE, if the arena's cap was reached */
