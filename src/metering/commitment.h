/* SPDX-License-Identifier: Apache-2.0
 * Commitments: what somebody pays whether it is used or not. A *reserved* one is so many units of SKUs at every time
 * of its term. A *spend* one is an amount of the currency for every hour, for which SKUs cost less by a percentage.
 *
 * They apply hour by hour of UTC, after tiers and discounts: reserved ones of a zone first, then reserved ones of any, then
 * spend by what it saves; of equals the earlier one. What an hour does not use up lapses. Within a day the hours of a charge that
 * one commitment covers are one charge, and so are those that none does, and so is what a commitment had left.
 *
 * What was bought is a charge of its own: the upfront part when the term begins, the monthly part (and what a spend
 * commitment promises) for each month. Both are spread evenly over the time that they are for, and are the effective cost
 * of what was covered and of what was left: when a term is over, these sum to the purchases, to the last decimal.
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
	struct str match;                /* of SKUs, as a shell matches */
	enum commitment_kind kind;
	int64_t quantity;          /* reserved: millionths of a unit an hour, of SKUs by hours */
	int64_t amount, percent;   /* spend: millionths of the currency an hour; millionths that it saves */
	int64_t upfront, monthly;  /* reserved: millionths of the currency, for all of it */
	int64_t from_s, until_s;   /* whole hours */
	const void *who;           /* whoever hands out charges: whose its purchases and its rest are */
	const struct price *price; /* made by committing_new() */
};

/* As a text without line ends, in the arena, and back. ERR_INVALID: it says why. */
struct str commitment_write(struct ctx *c, const struct commitment *k);
RESULT commitment_read(struct ctx *c, struct str text, struct commitment *ret_commitment);
/* What a wish lacks to be one. ERR_INVALID. */
RESULT commitment_check(struct ctx *c, const struct commitment *k);

/* who: as it was taken in. The charge is valid during the call. */
typedef RESULT (*committed_each)(void *arg, const void *who, const struct charge *charge);

struct committing_config {
	struct commitment *at; /* in the order in which they were made; their prices are set */
	size_t count;
	struct month month;
	int64_t until_s; /* until when the month is rated */
	committed_each each;
	void *arg;
};

struct committing;
/* The config and what it points to stay until the end; in c's arena is what lasts as long. */
RESULT committing_new(struct ctx *c, const struct committing_config *config,
		      struct committing **ret_committing);
/* A charge that none covers is handed out at once; others wait for the end, and their subjects stay until then. */
RESULT committing_take(struct committing *k, const void *who, const struct payer *payer,
		       const struct charge *charge);
RESULT committing_end(struct committing *k);
