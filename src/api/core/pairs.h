/* SPDX-License-Identifier: Apache-2.0
 * Pairs of a name and a value, from a query string or a form. A face's rules bound their number, say how names
 * nest, and refuse pairs in the face's words. Pure but for the context; any thread. */
#pragma once

#include "base/ctx.h"

/* Interpretation of names. Nested names are sorted, with numbers by value, so that names with a common prefix stand
 * together; each must be unique. Other pairs keep the order in which they were sent. */
enum pairs_form {
	PAIRS_FLAT = 0,            /* names do not nest */
	PAIRS_NEST = 1,            /* A.1.B is member B of element 1 of A */
	PAIRS_BRACKETS = 2,        /* with PAIRS_NEST: elements are in brackets, a[1].b */
	PAIRS_IGNORE_CASE = 1 << 2 /* letter case of names does not matter; ASCII only */
};

struct pairs_rules {
	const char *noun;   /* subject of the message about too many pairs: "request" */
	const char *broken; /* message about a broken %-escape; NULL: one that names its position */
	size_t count_max;
	unsigned form;
	/* Refuses a pair, or sets *ret_is_left_out for one that is no parameter, such as a signature's. NULL: takes all pairs. */
	RESULT (*check)(struct ctx *c, const struct pair *pair, bool *ret_is_left_out);
};

/* Decodes a query string and a form (either may be empty) into the arena. ERR_INVALID: a broken escape, a name
 * that stands twice (with PAIRS_IGNORE_CASE: with another value), or a pair that check() refuses; ERR_TOO_LARGE. */
RESULT pairs_parse(struct ctx *c, const struct pairs_rules *rules, struct str query, struct str form,
		   struct pairs *ret_pairs);
/* The first value of exactly that name; p is NULL when absent, and never when it is there. */
struct str pairs_find(const struct pairs *pairs, const char *name);
/* SHA-256 in hex over all pairs but those named (NULL-ended), for tokens; in the arena. */
struct str pairs_digest(struct ctx *c, const struct pairs *pairs, const char *const *but);
