/* SPDX-License-Identifier: Apache-2.0
 * Login throttling: limits failed attempts at a secret (a user's password, or an application credential's). A
 * failure counts in two places:
 *  * For the secret and the client's address. After failures_max consecutive failures that address is locked
 *  out of that secret for a while; nobody else is.
 *  * For the secret, from any address. LOGIN_THROTTLE_TIMES × failures_max failures an hour are allowed (100 with
 *  the usual 5), so guessing from many addresses is hopeless too. Beyond that, only addresses that have
 *  proved the secret before may try, so that a stranger cannot lock out its owner.
 *
 * An IPv6 client's /64 counts as one address. Memory is bounded; login_throttle.c describes what happens when a table
 * is full. A restart forgets everything. Any thread. */
#pragma once

#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"

struct login_throttle;
struct ctx;

/* The secret that is tried, and the client's address. */
struct login_attempt {
	uuid of; /* user or application credential; none: unknown name, not counted */
	struct ip peer;
};

enum {
	LOGIN_THROTTLE_TIMES = 20,     /* failures an hour from any address, as a multiple of failures_max */
	LOGIN_THROTTLE_PAIRS = 4096,   /* pairs of secret and address */
	LOGIN_THROTTLE_SECRETS = 4096, /* secrets with a recent failure */
	LOGIN_THROTTLE_KNOWN = 4096,   /* addresses that have proved a secret */
	LOGIN_THROTTLE_KNOWN_OF_ONE = 8,
};

/* failures_max 0: no limit. ERR_NO_MEMORY. */
RESULT login_throttle_new(struct ctx *c, int64_t failures_max, int64_t locked_us,
			  struct login_throttle **ret_guesses);
void login_throttle_free(struct login_throttle *g); /* ignores NULL */
DEFINE_AUTO(login_throttle)

/* True if this attempt may succeed. */
bool login_throttle_may_try(struct login_throttle *g, const struct login_attempt *who);
/* Records the outcome of an attempt that was allowed. */
void login_throttle_note(struct login_throttle *g, const struct login_attempt *who, bool is_right);

/* Key of a client's address; IPv6 addresses of a /64 share a key. */
uuid login_attempt_address(struct ip peer);
