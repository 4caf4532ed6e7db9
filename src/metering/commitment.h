/* SPDX-License-Identifier: Apache-2.0
 * Commitments: fixed payments, independent of use. A *reserved* one is a number of units of SKUs at every
 * moment of its term. A *spend* one is an amount of money per hour, for which SKUs cost less by a percentage.
 *
 * They apply hour by hour (UTC), after tiers and discounts: first reserved ones of a zone, then reserved ones
 * of any zone, then spend ones by decreasing percentage; equal ones in order of creation. Unused amounts of
 * an hour lapse. Within a day, a charge's hours covered by one commitment are combined, as are its uncovered
 * hours, and a commitment's unused hours.
 *
 * Purchases are charges of their own: the upfront part at the start of the term, the monthly part (or a spend
 * commitment's promise) each month. Both are spread evenly over their time, as the effective cost of covered
 * and unused charges: at the end of the term these sum to the purchases, to the last decimal.
 *
 * Pure; any thread. */
#pragma once

#include "metering/rate.h"

enum commitment_kind { COMMITMENT_RESERVED, COMMITMENT_SPEND };
enum { COMMITMENTS_MAX = 1000, COMMITMENT_TEXT_MAX = 2000 };

struct commitment {
	uuid id;
	struct str name, currency, zone; /* zone empty: any */
	struct str owner;                /* an account or a domain, as in price lists */
	struct str match;                /* shell pattern for SKUs */
	enum commitment_kind kind;
	int64_t quantity;          /* reserved: millionths of a unit per hour, for SKUs billed by the hour */
	int64_t amount, percent;   /* spend: millionths of the currency per hour; discount in millionths */
	int64_t upfront, monthly;  /* reserved: millionths of the currency, for the entire quantity */
	int64_t from_s, until_s;   /* whole hours */
	const void *who;           /* passed to committed_each: the owner of its purchases and unused
				    * amounts */
	const struct price *price; /* set by committing_new() */
};

/* Write and parse a text without line ends, in the arena. ERR_INVALID, with a message. */
struct str commitment_write(struct ctx *c, const struct commitment *k);
RESULT commitment_read(struct ctx *c, struct str text, struct commitment *ret_commitment);
/* Validates a commitment. ERR_INVALID, with a message. */
RESULT commitment_check(struct ctx *c, const struct commitment *k);

/* who: as passed to committing_take(). The charge is valid during the call. */
typedef RESULT (*committed_each)(void *arg, const void *who, const struct charge *charge);

struct committing_config {
	struct commitment *at; /* in order of creation; their prices are set */
	size_t count;
	struct month month;
	int64_t until_s; /* end of the rated time */
	committed_each each;
	void *arg;
};

struct committing;
/* The config and everything it refers to must remain until the end; c's arena holds the results as long. */
RESULT committing_new(struct ctx *c, const struct committing_config *config,
		      struct committing **ret_committing);
/* An uncovered charge is passed on immediately; others wait for the end, and their subjects must remain until
 * then. */
RESULT committing_take(struct committing *k, const void *who, const struct payer *payer,
		       const struct charge *charge);
RESULT committing_end(struct committing *k);
