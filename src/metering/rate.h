/* SPDX-License-Identifier: Apache-2.0
 * Rating: calculates charges from level changes. A pure function of the usage log, its fixes, the ledger's
 * subjects and the price lists: repeating it gives the same charges in the same order.
 *
 * Times of the log are truncated to seconds: a level holds from the second of its record to the second of the
 * next one. So no second is lost or counted twice, and a constant level's seconds sum to the day's. A charge
 * is within one UTC day, one version of the price lists and one name of its resource. A level at the end of a
 * billing period is rated up to there, and the next period starts with it.
 *
 * Minima and begun hours are properties of prices. Seconds missing to a run's minimum are added to its first
 * charge, those missing to whole hours to its last. Quantities are rounded to millionths, half to even, so
 * that a run's quantities sum to its rounded total; rounding errors are carried to the next charge. Tiers
 * count an account's use of a SKU in the month, by time, then by id; a charge across a tier's end is split in
 * two.
 *
 * Traffic is a counter rather than a level (UNIT_GB): its growth is charged once a day.
 *
 * Accounts are rated one after the other: begin, their usage ordered by id, meter and seq, end. Charges are
 * passed on at the end of each resource's meter; tiered ones at the end of the account. */
#pragma once

#include "base/uuid.h"
#include "metering/month.h"
#include "metering/price_list.h"
#include "model/kinds.h"

/* A resource's name and zone, from a time on. */
struct subject {
	uuid id;
	int64_t at_us;
	struct str name, zone, tags; /* tags: a flat JSON object */
	struct str cloud, region,
		ref; /* a machine elsewhere: its cloud's name and region, and its id there */
};

/* Corrects time or level of the log's record `wrong_seq`; 0: adds a missing record. The last fix of a record
 * counts. */
struct usage_fix {
	uuid id, account;
	struct str meter;
	int64_t wrong_seq, at_us, level, seq; /* at_us: the actual time */
};

struct level_change {
	enum kind kind;
	uuid id;
	struct str meter;
	int64_t at_us, level, seq;
};

enum charge_category { CHARGE_USAGE, CHARGE_PURCHASE, CHARGE_TAX, CHARGE_CREDIT, CHARGE_ADJUSTMENT };

struct commitment;

/* A charge for usage, or one added by commitments and invoices (metering/commitment.h, metering/invoice.h).
 * Taxes, credits and adjustments have amount and text instead of price, level and quantity. */
struct charge {
	enum charge_category category;
	uuid account, id;
	enum kind kind;
	struct str meter; /* its name in price lists */
	int64_t from_s, until_s;
	int64_t level, seq; /* the level, and its record in the log */
	int64_t quantity;   /* millionths of the unit */
	__int128 measured;  /* level times seconds, without additions for minima and begun hours */
	const struct price *price;
	unsigned tier;
	const struct subject *subject;       /* NULL: unknown */
	bool is_correction;                  /* corrects a closed period; never set by the rater */
	const struct commitment *commitment; /* covers it, is unused, or is bought; NULL: none */
	bool is_unused;                      /* unused part of the commitment */
	money effective;                     /* cost of the commitment's covered or unused part */
	money amount;                        /* of taxes, credits and adjustments */
	struct str currency, text;           /* likewise */
};

/* Cost by the public list, and by the payer's list. */
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
/* The amount to pay. Usage covered by a commitment was paid with the commitment. */
static inline money charge_cost(const struct charge *c)
{
	return charge_is_committed(c) ? 0 : charge_contracted_cost(c);
}
/* The cost with purchases of commitments spread over the usage they cover. */
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
/* Reports a level without a price, once per meter of a resource. */
typedef RESULT (*unpriced_each)(void *arg, uuid account, uuid id, struct str meter);

/* Finds the price of a meter that no price list has. NULL: there is none. */
typedef RESULT (*price_elsewhere)(void *arg, struct ctx *c, uuid account, struct str meter,
				  const struct price **ret_price);

struct rating_config {
	const struct price_book *book;
	struct month month;
	int64_t now_us;                 /* end of usage still in progress */
	const struct subject *subjects; /* sorted by id, then at_us */
	size_t subject_count;
	const struct usage_fix *fixes; /* sorted by id, then seq */
	size_t fix_count;
	charge_each each;
	unpriced_each unpriced;    /* may be NULL */
	price_elsewhere otherwise; /* may be NULL */
	void *arg;
};

/* The config and everything it refers to must remain until the end. c's arena holds only data of that
 * lifetime; memory for one meter or account is freed with it. */
RESULT rating_new(struct ctx *c, const struct rating_config *config, struct rating **ret_rating);
void rating_free(struct rating *r); /* ignores NULL */
DEFINE_AUTO(rating)

/* Starts an account; nothing of the previous one remains. */
RESULT rating_begin(struct rating *r, struct ctx *c, uuid account, const struct payer *payer);
/* Texts are copied. */
RESULT rating_take(struct rating *r, struct ctx *c, const struct level_change *change);
/* Ends the account. */
RESULT rating_end(struct rating *r, struct ctx *c);
