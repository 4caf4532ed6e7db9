/* SPDX-License-Identifier: Apache-2.0
 * Price lists: finds the version in force, and prices of usage. */
#include <stdlib.h>

#include "base/clock.h"
#include "metering/price_list.h"

enum { CHAIN_MAX = 8 };

/* ---- versions ---- */

static int compare_lists(const void *left, const void *right)
{
	const struct price_list *a = left, *b = right;
	int order = str_compare(a->name, b->name);
	return order ? order : (a->from_s > b->from_s) - (a->from_s < b->from_s);
}

RESULT price_book_make(struct ctx *c, const struct price_list *lists, size_t count,
		       struct price_book *ret_book)
{
	struct price_list *sorted = arena_new_array(c->arena, struct price_list, count + 1);
	size_t kept = 0;
	if (!sorted)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++) {
		size_t at = 0;
		while (at < kept && compare_lists(&sorted[at], &lists[k]))
			at++;
		sorted[at] = lists[k];
		kept += at == kept;
	}
	qsort(sorted, kept, sizeof *sorted, compare_lists);
	*ret_book = (struct price_book){sorted, kept};
	return OK;
}

const struct price_list *price_book_find(const struct price_book *b, struct str name, int64_t at_s)
{
	const struct price_list *found = NULL;
	for (size_t k = 0; k < b->count; k++)
		if (b->lists[k].from_s <= at_s && str_equal(b->lists[k].name, name))
			found = &b->lists[k];
	return found;
}

int64_t price_book_next_change(const struct price_book *b, int64_t at_s)
{
	int64_t next = INT64_MAX;
	for (size_t k = 0; k < b->count; k++)
		if (b->lists[k].from_s > at_s && b->lists[k].from_s < next)
			next = b->lists[k].from_s;
	return next;
}

static bool is_sold_by(const struct price_list *list, struct strs sellers)
{
	bool is_sold = !sellers.count && !list->seller.n;
	for (size_t k = 0; !is_sold && k < sellers.count; k++)
		is_sold = list->seller.n && str_equal(list->seller, sellers.at[k]);
	return is_sold;
}

static const struct price_list *find_owned(const struct price_book *b, struct str owner, struct strs sellers,
					   int64_t at_s)
{
	for (size_t k = 0; k < b->count; k++) {
		const struct price_list *list = &b->lists[k];
		if (str_equal(list->owner, owner) && is_sold_by(list, sellers) &&
		    price_book_find(b, list->name, at_s) == list)
			return list;
	}
	return NULL;
}

/* Finds the public list, without owner and, for the operator, without parent. */
static const struct price_list *find_public(const struct price_book *b, struct strs sellers, int64_t at_s)
{
	for (size_t k = 0; k < b->count; k++) {
		const struct price_list *list = &b->lists[k];
		bool is_public = !list->owner.n && (!list->parent.n || list->seller.n);
		if (is_public && is_sold_by(list, sellers) && price_book_find(b, list->name, at_s) == list)
			return list;
	}
	return NULL;
}

const struct price_list *price_book_find_start(const struct price_book *b, const struct payer *payer,
					       int64_t at_s)
{
	const struct price_list *found = NULL;
	for (size_t k = 0; !found && k < payer->owners.count; k++)
		if (payer->owners.at[k].n)
			found = find_owned(b, payer->owners.at[k], payer->sellers, at_s);
	if (!found)
		found = find_public(b, payer->sellers, at_s);
	return found ? found : find_public(b, (struct strs){0}, at_s);
}

/* ---- prices ---- */

static bool item_matches(const struct price_item *item, struct str meter, int64_t level, struct str zone)
{
	bool is_meter = str_starts_with(meter, item->meter) &&
			(meter.n == item->meter.n || meter.p[item->meter.n] == ':');
	return is_meter && level >= item->level_min && level <= item->level_max &&
	       (!item->zone.n || str_equal(item->zone, zone));
}

static const struct price_item *find_item(const struct price_list *list, struct str meter, int64_t level,
					  struct str zone)
{
	for (size_t k = 0; k < list->item_count; k++)
		if (item_matches(&list->items[k], meter, level, zone))
			return &list->items[k];
	return NULL;
}

/* Lists the chain from the starting list to its last parent. A missing parent ends it, and so does a
 * cycle. */
static size_t make_chain(const struct price_book *b, const struct price_list *start, int64_t at_s,
			 const struct price_list *chain[static CHAIN_MAX])
{
	size_t count = 0;
	for (const struct price_list *list = start; list && count < CHAIN_MAX;
	     list = list->parent.n ? price_book_find(b, list->parent, at_s) : NULL)
		chain[count++] = list;
	return count;
}

static int64_t discounted(const struct price_list *list, struct str sku, int64_t price)
{
	for (size_t k = 0; k < list->discount_count; k++)
		if (str_matches(sku, list->discounts[k].match))
			return (int64_t) money_divide(
				(__int128) price * (MICRO - list->discounts[k].millionths), MICRO);
	return price;
}

/* The public list's price by the same tier; if its tiers differ, the price at this tier's beginning. */
static int64_t list_price_at(const struct price_item *public_item, int64_t from, int64_t otherwise)
{
	if (!public_item)
		return otherwise;
	size_t k = 0;
	while (k + 1 < public_item->tier_count && public_item->tiers[k].upto <= from)
		k++;
	return public_item->tiers[k].price;
}

static void fill_prices(struct price *p, const struct price_item *public_item,
			const struct price_list *const *chain, size_t found)
{
	for (size_t k = 0; k < p->item->tier_count; k++) {
		int64_t from = k ? p->item->tiers[k - 1].upto : 0;
		p->own[k] = p->item->tiers[k].price;
		p->list[k] = list_price_at(public_item, from, p->own[k]);
		for (size_t at = found + 1; at-- > 0;)
			p->own[k] = discounted(chain[at], p->item->sku, p->own[k]);
	}
}

/* An item of the chain; *ret_found: its list's place in the chain. */
static const struct price_item *find_in_chain(const struct price_list *const *chain, size_t count,
					      struct str meter, int64_t level, struct str zone,
					      size_t *ret_found)
{
	for (*ret_found = 0; *ret_found < count; ++*ret_found) {
		const struct price_item *item = find_item(chain[*ret_found], meter, level, zone);
		if (item)
			return item;
	}
	return NULL;
}

/* The meter that also prices spot instances where a list has no spot prices; empty: none. */
static struct str on_demand_meter(struct ctx *c, struct str meter)
{
	if (!str_starts_with(meter, STR("spot:")))
		return STR_NONE;
	struct str type = str_slice(meter, strlen("spot:"), meter.n);
	return str_print(c->arena, "instance:%" STR_FMT, STR_ARG(type));
}

RESULT price_book_price(struct ctx *c, const struct price_book *b, const struct payer *payer,
			struct str meter, int64_t level, struct str zone, int64_t at_s,
			const struct price **ret_price)
{
	const struct price_list *chain[CHAIN_MAX], *start = price_book_find_start(b, payer, at_s);
	size_t count = make_chain(b, start, at_s, chain), found = 0;
	const struct price_item *item = find_in_chain(chain, count, meter, level, zone, &found);
	int64_t from_s = INT64_MIN;
	if (!item) {
		meter = on_demand_meter(c, meter);
		item = meter.n ? find_in_chain(chain, count, meter, level, zone, &found) : NULL;
	}
	*ret_price = NULL;
	if (!item)
		return OK;
	for (size_t k = 0; k < count; k++)
		from_s = chain[k]->from_s > from_s ? chain[k]->from_s : from_s;
	char at[CLOCK_TEXT_SIZE];
	struct price *p = arena_new_object(c->arena, struct price);
	if (!p)
		return ctx_no_memory(c);
	p->item = item;
	p->currency = start->currency;
	p->id = str_print(c->arena, "%" STR_FMT "/%" STR_FMT "/%s/", STR_ARG(item->sku), STR_ARG(start->name),
			  clock_write_s(from_s * SECOND, at));
	fill_prices(p, find_item(chain[count - 1], meter, level, zone), chain, found);
	*ret_price = p;
	return p->id.p ? OK : ctx_no_memory(c);
}
