/* SPDX-License-Identifier: Apache-2.0
 * Pairs of a name and a value: what a query string or a form says. A face's rules say how many there may be,
 * how names nest, and what it says of pairs that it does not take. Pure but for the context; any thread. */
#pragma once

#include "base/ctx.h"

/* How names are read. Names that nest are sorted, numbers within them by value, so that what shares a prefix
 * stands together; no such name may stand twice. Other pairs keep the order in which they were sent. */
enum pairs_form {
	PAIRS_FLAT = 0,            /* a name is a name */
	PAIRS_NEST = 1,            /* A.1.B is member B of element 1 of A */
	PAIRS_BRACKETS = 2,        /* with PAIRS_NEST: elements are in brackets, a[1].b */
	PAIRS_IGNORE_CASE = 1 << 2 /* of names, ASCII only */
};

struct pairs_rules {
	const char *noun;   /* "request": what has too many pairs */
	const char *broken; /* what is said of a broken %-escape; NULL: that there is one, and where */
	size_t count_max;
	unsigned form;
	/* Refuses a pair, or leaves it out (those of a signature, say). NULL: all are taken. */
	RESULT (*check)(struct ctx *c, const struct pair *pair, bool *ret_is_left_out);
};

/* Decodes a query string and a form (either may be empty) into the arena. ERR_INVALID: a broken escape, a name
 * twice, or what check() refuses; ERR_TOO_LARGE. */
RESULT pairs_parse(struct ctx *c, const struct pairs_rules *rules, struct str query, struct str form,
		   struct pairs *ret_pairs);
/* The first value of exactly that name; p is NULL when absent, and never when it is there. */
struct str pairs_find(const struct pairs *pairs, const char *name);
/* SHA-256 in hex over all pairs but those named (NULL-ended), for tokens; in the arena. */
struct str pairs_digest(struct ctx *c, const struct pairs *pairs, const char *const *but);
