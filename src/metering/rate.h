/* SPDX-License-Identifier: Apache-2.0
 * Rating: from changes of levels to charges. A pure function of the usage log, its fixes, the ledger's subjects and the
 * book of price lists: whoever rates the same again gets the same charges in the same order.
 *
 * Times of the log are cut to whole seconds: a level holds from the second in which it was said until the second in
 * which the next one was. So no second is lost or counted twice, and the seconds of a level that never changes sum to
 * the day's. A charge lies within one day of UTC, one version of the price lists and one name of its resource. A level
 * that holds at the end of a billing period is rated until there; the next period begins with it.
 *
 * Minima and begun hours are of the price. What a run lacks to its minimum is added to its first charge, what it
 * lacks to whole hours to its last. Quantities are rounded to millionths half to even so that those of a run sum to what the
 * run as a whole has: what one charge loses the next one has. Tiers count what an account had of a SKU in the month, in the
 * order of time, then of ids; where one ends, a charge is cut in two.
 *
 * Traffic is not a level but a counter (UNIT_GB): what it grows by is charged, once a day.
 *
 * One account after the other: begin, its usage in the order of id, meter and seq, end. Charges come when a meter of a
 * resource is through; those with tiers when the account is. */
#pragma once

#include "base/uuid.h"
#include "metering/month.h"
#include "metering/price_list.h"
#include "model/kinds.h"

/* What a resource is called from a time on. */
struct subject {
	uuid id;
	int64_t at_us;
	struct str name, zone, tags; /* tags: a flat JSON object */
};

/* The record `wrong_seq` of the log says a wrong time or level; 0: it says nothing, and should. The last fix of a
 * record counts. */
struct usage_fix {
	uuid id, account;
	struct str meter;
	int64_t wrong_seq, at_us, level, seq; /* at_us: when it was so */
};

struct level_change {
	enum kind kind;
	uuid id;
	struct str meter;
	int64_t at_us, level, seq;
};

enum charge_category { CHARGE_USAGE, CHARGE_PURCHASE, CHARGE_TAX, CHARGE_CREDIT, CHARGE_ADJUSTMENT };

struct commitment;

/* Of usage, or what commitments and invoices add (metering/commitment.h, metering/invoice.h). Taxes, credits and adjustments have an amount and
 * words instead of a price, a level and a quantity. */
struct charge {
	enum charge_category category;
	uuid account, id;
	enum kind kind;
	struct str meter; /* by its name in price lists */
	int64_t from_s, until_s;
	int64_t level, seq; /* of the level, and the log's record that says it */
	int64_t quantity;   /* millionths of the unit */
	__int128 measured;  /* level times seconds, without what minima and begun hours add */
	const struct price *price;
	unsigned tier;
	const struct subject *subject;       /* NULL: nothing is known of it */
	bool is_correction;                  /* of a period that is closed; the rater makes none */
	const struct commitment *commitment; /* that covers it, has this left, or is bought; NULL: none */
	bool is_unused;                      /* what the commitment has left */
	money effective;                     /* of what a commitment covers or has left */
	money amount;                        /* of taxes, credits and adjustments */
	struct str currency, text;           /* likewise */
};

/* By the public list, and by the one that is paid by. */
static inline money charge_list_cost(const struct charge *c)
{
	return c->price ? money_of(c->quantity, c->price->list[c->tier]) : c->amount;
}
static inline money charge_contracted_cost(const struct charge *c)
{
	return c->price ? money_of(c->quantity, c->price->own[c->tier]) : c->amount;
}
static inline bool charge_is_committed(const struct charge *c)
{
	return c->commitment && c->category == CHARGE_USAGE;
}
/* What is paid for it. What a commitment covers was paid with the commitment. */
static inline money charge_cost(const struct charge *c)
{
	return charge_is_committed(c) ? 0 : charge_contracted_cost(c);
}
/* What it costs once purchases of commitments are spread over what they cover. */
static inline money charge_effective_cost(const struct charge *c)
{
	return charge_is_committed(c) ? c->effective : c->commitment ? 0 : charge_contracted_cost(c);
}
static inline struct str charge_currency(const struct charge *c)
{
	return c->price ? c->price->currency : c->currency;
}

struct rating;
typedef RESULT (*charge_each)(void *arg, const struct charge *charge);
/* A level without a price: once for each meter of a resource. */
typedef RESULT (*unpriced_each)(void *arg, uuid account, uuid id, struct str meter);

struct rating_config {
	const struct price_book *book;
	struct month month;
	int64_t now_us;                 /* what lasts still is rated until then */
	const struct subject *subjects; /* sorted by id, then at_us */
	size_t subject_count;
	const struct usage_fix *fixes; /* sorted by id, then seq */
	size_t fix_count;
	charge_each each;
	unpriced_each unpriced; /* may be NULL */
	void *arg;
};

/* The config and what it points to stay until the end. In c's arena is only what lasts as long; what one meter or account
 * needs is freed with it. */
RESULT rating_new(struct ctx *c, const struct rating_config *config, struct rating **ret_rating);
void rating_free(struct rating *r); /* NULL: nothing */
DEFINE_AUTO(rating)

/* Nothing of the account before it is left. */
RESULT rating_begin(struct rating *r, struct ctx *c, uuid account, const struct payer *payer);
/* The texts are copied. */
RESULT rating_take(struct rating *r, struct ctx *c, const struct level_change *change);
/* The account is through. */
RESULT rating_end(struct rating *r, struct ctx *c);
