/* SPDX-License-Identifier: Apache-2.0
 * Checks a price list for consistency with the book it will be added to. */
#include "base/clock.h"
#include "base/vec.h"
#include "metering/price_list.h"

struct checking {
	struct ctx *c;
	VEC(struct str) faults;
};

static RESULT add_fault(struct checking *k, struct str fault)
{
	return fault.p && VEC_PUSH(k->c->arena, &k->faults, fault) ? OK : ctx_no_memory(k->c);
}
#define FAULT(k, format, ...) add_fault(k, str_print((k)->c->arena, format __VA_OPT__(, ) __VA_ARGS__))

static bool is_part(struct str whole, struct str part)
{
	return str_starts_with(whole, part) && (whole.n == part.n || whole.p[part.n] == ':');
}

/* Some usage would match both. */
static bool items_meet(const struct price_item *a, const struct price_item *b)
{
	return (is_part(a->meter, b->meter) || is_part(b->meter, a->meter)) && a->level_min <= b->level_max &&
	       b->level_min <= a->level_max && (!a->zone.n || !b->zone.n || str_equal(a->zone, b->zone));
}

static RESULT check_items(struct checking *k, const struct price_list *list)
{
	for (size_t n = 0; n < list->item_count; n++)
		for (size_t m = 0; m < n; m++) {
			const struct price_item *a = &list->items[n], *b = &list->items[m];
			if (items_meet(a, b))
				TRY(FAULT(k,
					  "line %zu: %" STR_FMT " and %" STR_FMT " (line %zu) match the same",
					  a->line, STR_ARG(a->sku), STR_ARG(b->sku), b->line));
			else if (str_equal(a->sku, b->sku) && !str_equal(a->meter, b->meter))
				TRY(FAULT(k,
					  "line %zu: the SKU %" STR_FMT
					  " is that of another meter in line %zu",
					  a->line, STR_ARG(a->sku), b->line));
		}
	return OK;
}

/* Refuses two discounts for the same SKU of the list or of its parents. */
static RESULT check_discounts(struct checking *k, const struct price_book *b, const struct price_list *list)
{
	for (const struct price_list *at = list; at;
	     at = at->parent.n && at != price_book_find(b, at->parent, list->from_s)
			  ? price_book_find(b, at->parent, list->from_s)
			  : NULL) {
		for (size_t n = 0; n < at->item_count; n++) {
			size_t found = 0;
			for (size_t m = 0; m < list->discount_count; m++)
				found += str_matches(at->items[n].sku, list->discounts[m].match);
			if (found > 1)
				TRY(FAULT(k, "%zu discounts match the SKU %" STR_FMT, found,
					  STR_ARG(at->items[n].sku)));
		}
		if (at != list && str_equal(at->name, list->name))
			return FAULT(k, "the list is its own parent");
	}
	return OK;
}

static RESULT check_skus(struct checking *k, const struct price_book *b, const struct price_list *list)
{
	for (size_t n = 0; n < list->item_count; n++)
		for (size_t m = 0; m < b->count; m++)
			for (size_t j = 0; j < b->lists[m].item_count; j++) {
				const struct price_item *now = &list->items[n], *then = &b->lists[m].items[j];
				if (str_equal(now->sku, then->sku) && !str_equal(now->meter, then->meter))
					TRY(FAULT(k,
						  "line %zu: the SKU %" STR_FMT
						  " is that of the meter %" STR_FMT " in the list %" STR_FMT,
						  now->line, STR_ARG(now->sku), STR_ARG(then->meter),
						  STR_ARG(b->lists[m].name)));
			}
	return OK;
}

static bool has_same_owner(const struct price_list *a, const struct price_list *b)
{
	return str_equal(a->owner, b->owner) && (b->owner.n || (!a->parent.n && !b->parent.n));
}

/* Compares with an older version of the same list, or with another list. */
static RESULT check_other(struct checking *k, const struct price_list *other, const struct price_list *list)
{
	bool is_same = str_equal(other->name, list->name);
	if (is_same && (!str_equal(other->owner, list->owner) || !str_equal(other->parent, list->parent) ||
			!str_equal(other->currency, list->currency)))
		return FAULT(k, "a list keeps its owner, its parent and its currency");
	if (!is_same && has_same_owner(other, list))
		return FAULT(k, "%" STR_FMT " is the %s list already", STR_ARG(other->name),
			     list->owner.n ? "owner's" : "public");
	return OK;
}

static RESULT check_parent(struct checking *k, const struct price_book *b, const struct price_list *list)
{
	const struct price_list *parent =
		list->parent.n ? price_book_find(b, list->parent, list->from_s) : NULL;
	if (list->parent.n && !parent)
		return FAULT(k, "its parent %" STR_FMT " is not in force then", STR_ARG(list->parent));
	if (parent && !str_equal(parent->currency, list->currency))
		return FAULT(k, "its parent's currency is %" STR_FMT, STR_ARG(parent->currency));
	for (size_t m = 0; m < b->count; m++)
		TRY(check_other(k, &b->lists[m], list));
	return OK;
}

RESULT price_list_check(struct ctx *c, const struct price_book *b, const struct price_list *list,
			int64_t closed_until_s, struct strs *ret_faults)
{
	struct checking k = {.c = c};
	char at[CLOCK_TEXT_SIZE];
	TRY(check_items(&k, list));
	TRY(check_skus(&k, b, list));
	TRY(check_parent(&k, b, list));
	TRY(check_discounts(&k, b, list));
	if (list->from_s < closed_until_s)
		TRY(FAULT(&k, "billing periods until %s are closed: from is not before that",
			  clock_write_s(closed_until_s * SECOND, at)));
	*ret_faults = (struct strs){k.faults.at, k.faults.count};
	return OK;
}
