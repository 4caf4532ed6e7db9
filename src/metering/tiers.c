/* SPDX-License-Identifier: Apache-2.0
 * Tiers: charges of a SKU in order of time, each at the price of the tiers it falls into. */
#include "metering/tiers.h"

#include <stdlib.h>

static int compare_charges(const void *left, const void *right)
{
	const struct charge *a = left, *b = right;
	int order = str_compare(a->price->item->sku, b->price->item->sku);
	if (!order)
		order = (a->from_s > b->from_s) - (a->from_s < b->from_s);
	if (!order)
		order = uuid_compare(a->id, b->id);
	if (!order)
		order = str_compare(a->meter, b->meter);
	return order ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

/* Splits off the part that fits into the tier. Its time is divided in the same proportion, to whole seconds;
 * if that is impossible, both parts have the full time. */
static struct charge cut(struct charge *rest, int64_t room)
{
	struct charge first = *rest;
	int64_t lasts = rest->until_s - rest->from_s;
	int64_t part = (int64_t) ((__int128) lasts * room / rest->quantity);
	first.quantity = room;
	first.measured = rest->measured * room / rest->quantity;
	rest->quantity -= room;
	rest->measured -= first.measured;
	if (part > 0 && part < lasts)
		first.until_s = rest->from_s += part;
	return first;
}

static RESULT apply_one(struct charge rest, int64_t *had, charge_each each, void *arg)
{
	const struct price_item *item = rest.price->item;
	while (rest.tier + 1 < item->tier_count && item->tiers[rest.tier].upto <= *had)
		rest.tier++;
	while (rest.tier + 1 < item->tier_count && *had + rest.quantity > item->tiers[rest.tier].upto) {
		struct charge first = cut(&rest, item->tiers[rest.tier].upto - *had);
		*had += first.quantity;
		TRY(each(arg, &first));
		rest.tier++;
	}
	*had += rest.quantity;
	return each(arg, &rest);
}

RESULT tiers_apply(struct charge *charges, size_t count, charge_each each, void *arg)
{
	int64_t had = 0;
	if (count)
		qsort(charges, count, sizeof *charges, compare_charges);
	for (size_t k = 0; k < count; k++) {
		if (k && !str_equal(charges[k].price->item->sku, charges[k - 1].price->item->sku))
			had = 0;
		TRY(apply_one(charges[k], &had, each, arg));
	}
	return OK;
}
