/* SPDX-License-Identifier: Apache-2.0
 * How often somebody may guess a secret: a user's password, or an application credential's. A wrong
 * guess counts in two places:
 *
 * * For the secret and the address that the guess came from. After failures_max wrong ones in a
 *   row, that address is locked out of that secret for a while. Nobody else is.
 * * For the secret, from any address. GUESSES_TIMES × failures_max guesses an hour may be wrong
 *   (100 with the usual 5), so guessing from many addresses is hopeless, too. Beyond that only
 *   addresses that have proved the secret before may try, so that a stranger cannot lock out those
 *   who know it.
 *
 * An IPv6 client's whole /64 counts as one address. Memory is bounded, and guess.c says for each
 * table what happens when a stranger fills it. A restart forgets all of it. Any thread. */
#pragma once

#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"

struct guesses;
struct ctx;

/* Whose secret is tried, and from which address. */
struct guesser {
	uuid of; /* the user or the application credential; none: nobody's, which is not counted */
	struct ip peer;
};

enum {
	GUESSES_TIMES = 20,     /* wrong guesses in an hour from any address: this many times failures_max */
	GUESSES_PAIRS = 4096,   /* pairs of a secret and an address */
	GUESSES_SECRETS = 4096, /* secrets with a recent wrong guess */
	GUESSES_KNOWN = 4096,   /* addresses that have proved a secret */
	GUESSES_KNOWN_OF_ONE = 8,
};

/* failures_max 0: any number of guesses. ERR_NO_MEMORY. */
RESULT guesses_new(struct ctx *c, int64_t failures_max, int64_t locked_us, struct guesses **ret_guesses);
void guesses_free(struct guesses *g); /* NULL: nothing */
DEFINE_AUTO(guesses)

/* Whether this guess may succeed, if it is right. */
bool guesses_may_try(struct guesses *g, const struct guesser *who);
/* Records the outcome of a guess that was allowed. */
void guesses_note(struct guesses *g, const struct guesser *who, bool is_right);

/* A client's address as one word: of IPv6 only the /64. */
uuid guesser_address(struct ip peer);
