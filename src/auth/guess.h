/* SPDX-License-Identifier: Apache-2.0
 * How often somebody may guess a secret: a user's password, an application credential's. A wrong guess counts
 * in two places:
 *
 * - For the secret and the address it came from. After failures_max in a row that address is locked out of
 * that secret for a while, and nobody else is.
 * - For the secret, from wherever it came. GUESSES_TIMES × failures_max an hour may be wrong (100 with the
 * usual 5): guessing from many addresses stays hopeless. Past that only addresses that proved the secret
 * before get a try, so that a stranger does not keep out those who know it.
 *
 * An IPv6 client has its whole /64 for one address. Memory is bounded, and each table says in guess.c what
 * happens when a stranger fills it. A restart forgets all. Any thread. */
#pragma once

#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"

struct guesses;
struct ctx;

/* Whose secret is tried, and from where. */
struct guesser {
	uuid of; /* the user or the application credential; none: nobody's, which is not counted */
	struct ip peer;
};

enum {
	GUESSES_TIMES = 20,     /* wrong in an hour, from wherever: so many times failures_max */
	GUESSES_PAIRS = 4096,   /* of a secret and an address */
	GUESSES_SECRETS = 4096, /* with a wrong guess of late */
	GUESSES_KNOWN = 4096,   /* addresses that proved a secret */
	GUESSES_KNOWN_OF_ONE = 8,
};

/* failures_max 0: any number of guesses. ERR_NO_MEMORY. */
RESULT guesses_new(struct ctx *c, int64_t failures_max, int64_t locked_us, struct guesses **ret_guesses);
void guesses_free(struct guesses *g); /* NULL: nothing */
DEFINE_AUTO(guesses)

/* Whether this guess may count, if it is right. */
bool guesses_may_try(struct guesses *g, const struct guesser *who);
/* What came of one that might. */
void guesses_note(struct guesses *g, const struct guesser *who, bool is_right);

/* One word for a client's address, of which an IPv6 client has a whole /64. */
uuid guesser_address(struct ip peer);
