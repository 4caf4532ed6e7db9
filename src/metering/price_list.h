/* SPDX-License-Identifier: Apache-2.0
 * Price lists as operators write them (docs/metering.md), and the book of all their versions.
 *
 * A version of a list is in force from its time on, until the next one of its name. A list with an owner (an account or a
 * domain) has only what is different from its parent; the one without owner and parent is public. What an account
 * pays is found in its own list, else its domain's, else the public one; each of them asks its parent for what it
 * does not have. Lists with a seller are those by which a domain sells to its customers, and it has a public one, too. Discounts are in the unit price, which stays a whole number of millionths.
 *
 * Everything lives in the arena of whoever reads it. Pure; any thread. */
#pragma once

#include "base/ctx.h"
#include "metering/money.h"

enum unit {
	UNIT_HOUR,
	UNIT_VCPU_HOUR,
	UNIT_GIB_MONTH,
	UNIT_IOPS_MONTH,
	UNIT_RATE_MONTH,
	UNIT_GB,
	UNIT_MONTH,
	UNIT_COUNT
};
#define UNIT(name) (1u << UNIT_##name)

struct unit_info {
	const char *word;     /* of price lists */
	const char *focus;    /* PricingUnit */
	const char *measured; /* ConsumedUnit: of a level times seconds */
	bool counts_level;    /* else a level above 0 counts as 1 */
	bool is_monthly;      /* a month of it is exactly 1, however long the month is */
	int64_t divisor;      /* of a level */
	bool is_counter; /* the level is what a counter has come to: differences are billed, however long they took */
};
extern const struct unit_info unit_infos[UNIT_COUNT];

struct meter_info {
	const char *name;
	unsigned units;
	const char *service, *category, *subcategory, *resource, *measured;
};
/* Of a meter's name with or without what follows the colon; NULL: it has no price. */
const struct meter_info *meter_info_find(struct str meter);
/* The name by which price lists call a meter of the usage log: "server:2:1024:8:t3.micro" is "held:t3.micro". */
struct str meter_info_price_name(struct arena *a, struct str meter);

enum {
	PRICE_TEXT_MAX = 1 << 20, /* bytes of a list's YAML */
	PRICE_ITEMS_MAX = 5000,
	PRICE_TIERS_MAX = 16,
	PRICE_NAME_MAX = 100
};

struct price_tier {
	int64_t upto;  /* millionths of the unit in a month, for the account; INT64_MAX: without end */
	int64_t price; /* millionths of the currency */
};

struct price_item {
	struct str sku, text, meter, zone; /* zone empty: any */
	int64_t level_min, level_max;      /* what `when: {vcpus: [1, 4]}` says; 0 and INT64_MAX: any */
	enum unit unit;
	int64_t minimum_s, round_up_s; /* of a run; 0: none */
	struct price_tier tiers[PRICE_TIERS_MAX];
	size_t tier_count; /* one at least. Free is a first tier for nothing */
	bool is_tiered;    /* its price depends on what else the account had that month */
	size_t line;
};

struct price_discount {
	struct str match;   /* of SKUs, as a shell matches */
	int64_t millionths; /* of the price: 125000 is 12.5 percent */
	size_t line;
};

struct price_list {
	struct str name, currency, parent, owner; /* empty: none */
	struct str seller;                        /* the domain that sells by it; empty: the operator */
	int64_t from_s;
	const struct price_item *items;
	const struct price_discount *discounts;
	size_t item_count, discount_count;
};

/* Reads a list. ERR_INVALID, with the line. */
RESULT price_list_read(struct ctx *c, struct str yaml, struct price_list *ret_list);

/* ---- the book ---- */

struct price_book {
	const struct price_list *lists; /* sorted by name and from_s, one of each */
	size_t count;
};

/* Takes the lists in the order in which they were loaded: a later one of the same name and time replaces the
 * earlier. */
RESULT price_book_make(struct ctx *c, const struct price_list *lists, size_t count,
		       struct price_book *ret_book);
/* The version in force, or NULL. */
const struct price_list *price_book_find(const struct price_book *b, struct str name, int64_t at_s);
/* The next time after at_s at which any list changes; INT64_MAX: none. */
int64_t price_book_next_change(const struct price_book *b, int64_t at_s);

/* Who pays: owners by which lists name it, the nearest first: the account's number, id and name, then its domain's. */
struct payer {
	struct strs owners;
	struct strs sellers; /* whose lists they are: a domain's id and name; none: the operator's */
};
/* The list with which looking begins, or NULL: there is no price list at that time. */
const struct price_list *price_book_find_start(const struct price_book *b, const struct payer *payer,
					       int64_t at_s);

/* What a piece costs. */
struct price {
	const struct price_item *item;
	struct str currency, id; /* id: SKU / list / date / */
	int64_t list[PRICE_TIERS_MAX],
		own[PRICE_TIERS_MAX]; /* by tier: of the public list, and what is paid */
};
/* Finds it for a meter by its price name, a level and a zone. NULL: it has none. */
RESULT price_book_price(struct ctx *c, const struct price_book *b, const struct payer *payer,
			struct str meter, int64_t level, struct str zone, int64_t at_s,
			const struct price **ret_price);

/* ---- checks ---- */

/* Checks a list as a part of the book that it is to join, beyond what reading refuses: items that match the same, a
 * parent that is there and has its currency, SKUs that meant another meter before, a time in a closed period.
 * Every fault is a line of words, in the arena; none: it is sound. */
RESULT price_list_check(struct ctx *c, const struct price_book *b, const struct price_list *list,
			int64_t closed_until_s, struct strs *ret_faults);
