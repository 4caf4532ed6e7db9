/* SPDX-License-Identifier: Apache-2.0
 * Price lists written by operators (docs/metering.md), and the book of all their versions.
 *
 * A version of a list is in force from its time until the next version of the same name. A list with an owner
 * (an account or a domain) contains only differences from its parent; the one without owner and parent is
 * public. An account's prices come from its own list, else its domain's, else the public one; each is
 * complemented by its parent. Lists with a seller are those by which a domain sells to its customers; a
 * seller has a public list too. Discounts apply to the unit price, which remains a whole number of
 * millionths.
 *
 * Everything is in the reader's arena. Pure; any thread. */
#pragma once

#include "base/ctx.h"
#include "metering/money.h"

enum unit {
	UNIT_HOUR,
	UNIT_VCPU_HOUR,
	UNIT_UNIT_HOUR, /* of units that a row has several of */
	UNIT_GIB_MONTH,
	UNIT_IOPS_MONTH,
	UNIT_RATE_MONTH,
	UNIT_GB,
	UNIT_MONTH,
	UNIT_COUNT
};
#define UNIT(name) (1u << UNIT_##name)

struct unit_info {
	const char *word;     /* in price lists */
	const char *focus;    /* PricingUnit */
	const char *measured; /* ConsumedUnit: for level times seconds */
	bool counts_level;    /* otherwise any level above 0 counts as 1 */
	bool is_monthly;      /* a month counts as exactly 1, whatever its length */
	int64_t divisor;      /* divides levels */
	bool is_counter;      /* the level is a counter's value: growth is billed, independent of duration */
};
extern const struct unit_info unit_infos[UNIT_COUNT];

struct meter_info {
	const char *name;
	unsigned units;
	const char *service, *category, *subcategory, *resource, *measured;
};
/* Accepts a meter's name with or without the part from the colon on; NULL: it has no price. */
const struct meter_info *meter_info_find(struct str meter);
/* The price-list name of a meter in the usage log: "server:2:1024:8:t3.micro" becomes "held:t3.micro". */
struct str meter_info_price_name(struct arena *a, struct str meter);

enum {
	PRICE_TEXT_MAX = 1 << 20, /* bytes of a list's YAML */
	PRICE_ITEMS_MAX = 5000,
	PRICE_TIERS_MAX = 16,
	PRICE_NAME_MAX = 100
};

struct price_tier {
	int64_t upto;  /* end of the tier in millionths of the unit per month and account; INT64_MAX:
		        * unlimited */
	int64_t price; /* millionths of the currency */
};

struct price_item {
	struct str sku, text, meter, zone; /* zone empty: any */
	int64_t level_min, level_max;      /* range of `when: {vcpus: [1, 4]}`; 0 and INT64_MAX: any */
	enum unit unit;
	int64_t minimum_s, round_up_s; /* per run; 0: none */
	struct price_tier tiers[PRICE_TIERS_MAX];
	size_t tier_count; /* at least one. A free amount is a first tier with price 0 */
	bool is_tiered;    /* the price depends on the account's other usage of that month */
	size_t line;
};

struct price_discount {
	struct str match;   /* shell pattern for SKUs */
	int64_t millionths; /* fraction of the price: 125000 is 12.5 percent */
	size_t line;
};

struct price_list {
	struct str name, currency, parent, owner; /* empty: none */
	struct str seller;                        /* the domain selling by it; empty: the operator */
	int64_t from_s;
	const struct price_item *items;
	const struct price_discount *discounts;
	size_t item_count, discount_count;
};

/* Parses a list. ERR_INVALID, with the line. */
RESULT price_list_read(struct ctx *c, struct str yaml, struct price_list *ret_list);

/* ---- the book ---- */

struct price_book {
	const struct price_list *lists; /* sorted by name and from_s, without duplicates */
	size_t count;
};

/* lists: in load order; a later one of the same name and time replaces an earlier one. */
RESULT price_book_make(struct ctx *c, const struct price_list *lists, size_t count,
		       struct price_book *ret_book);
/* The version in force, or NULL. */
const struct price_list *price_book_find(const struct price_book *b, struct str name, int64_t at_s);
/* The next time after at_s at which any list changes; INT64_MAX: none. */
int64_t price_book_next_change(const struct price_book *b, int64_t at_s);

/* The payer: owner names that price lists may use, nearest first: the account's number, id and name, then its
 * domain's. */
struct payer {
	struct strs owners;
	struct strs sellers; /* sellers of its lists: a domain's id and name; none: the operator */
};
/* The first list to search, or NULL: no price list is in force. */
const struct price_list *price_book_find_start(const struct price_book *b, const struct payer *payer,
					       int64_t at_s);

/* The price of usage. */
struct price {
	const struct price_item *item;
	struct str currency, id; /* id: "SKU/list/date/", to be followed by the tier */
	int64_t list[PRICE_TIERS_MAX],
		own[PRICE_TIERS_MAX]; /* by tier: the public list's price, and the price to pay */
	bool is_unknown;              /* nobody gave a price: 0 is no price */
};
/* Finds the price of a meter (by its price-list name), a level and a zone. NULL: no price. */
RESULT price_book_price(struct ctx *c, const struct price_book *b, const struct payer *payer,
			struct str meter, int64_t level, struct str zone, int64_t at_s,
			const struct price **ret_price);

/* ---- checks ---- */

/* Checks a list's consistency with the book it will be added to, beyond syntax: items with overlapping
 * conditions, an existing parent of the same currency, SKUs that previously meant another meter, a time
 * within a closed period. Faults are messages in the arena; none: valid. */
RESULT price_list_check(struct ctx *c, const struct price_book *b, const struct price_list *list,
			int64_t closed_until_s, struct strs *ret_faults);
