/* SPDX-License-Identifier: Apache-2.0
 * Applies commitments to the charges of a month. */
#include "metering/commitment.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/vec.h"

enum { HOURS = DAY_S / HOUR_S };

/* ---- as text ---- */

static const char *const kind_words[] = {[COMMITMENT_RESERVED] = "reserved", [COMMITMENT_SPEND] = "spend"};

struct str commitment_write(struct ctx *c, const struct commitment *k)
{
	return str_print(c->arena,
			 "%s\t%" STR_FMT "\t%" STR_FMT "\t%" STR_FMT "\t%" STR_FMT "\t%" PRId64 "\t%" PRId64
			 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64,
			 kind_words[k->kind], STR_ARG(k->owner), STR_ARG(k->currency), STR_ARG(k->match),
			 STR_ARG(k->zone), k->quantity, k->amount, k->percent, k->upfront, k->monthly,
			 k->from_s, k->until_s);
}

RESULT commitment_read(struct ctx *c, struct str text, struct commitment *ret_commitment)
{
	struct commitment k = {0};
	struct str rest = str_copy(c->arena, text), word = STR_NONE;
	struct str *const texts[] = {&k.owner, &k.currency, &k.match, &k.zone};
	int64_t *const numbers[] = {&k.quantity, &k.amount, &k.percent, &k.upfront,
				    &k.monthly,  &k.from_s, &k.until_s};
	if (!rest.p)
		return ctx_no_memory(c);
	(void) str_split_next(&rest, '\t', &word);
	k.kind = str_is(word, "spend") ? COMMITMENT_SPEND : COMMITMENT_RESERVED;
	for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
		(void) str_split_next(&rest, '\t', texts[n]);
	for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
		(void) str_split_next(&rest, '\t', &word);
		TRY(str_parse_int(word, numbers[n]));
	}
	*ret_commitment = k;
	return OK;
}

static RESULT check_spend(struct ctx *c, const struct commitment *k)
{
	if (k->amount <= 0 || k->percent < 0 || k->percent > MICRO)
		return ctx_fail(c, ERR_INVALID, "a spend commitment has an amount an hour and a percentage");
	if (k->upfront || k->monthly)
		return ctx_fail(c, ERR_INVALID, "what a spend commitment costs is its amount for each hour");
	return OK;
}

RESULT commitment_check(struct ctx *c, const struct commitment *k)
{
	if (!k->owner.n || !k->match.n || !k->name.n)
		return ctx_fail(c, ERR_INVALID, "a commitment has a name, an owner and SKUs that it is for");
	if (k->currency.n != 3)
		return ctx_fail(c, ERR_INVALID, "a commitment has a currency, as EUR");
	if (k->from_s % HOUR_S || k->until_s % HOUR_S || k->until_s <= k->from_s)
		return ctx_fail(c, ERR_INVALID, "a commitment begins and ends with an hour");
	return k->kind == COMMITMENT_SPEND ? check_spend(c, k)
	       : k->quantity > 0           ? OK
					   : ctx_fail(c, ERR_INVALID, "a reserved commitment has a quantity");
}

/* ---- queue ---- */

struct held {
	struct charge charge;
	const void *who;
	const struct payer *payer;
	size_t order;     /* order of arrival */
	int64_t *rest;    /* uncovered quantity of each hour of its day */
	int64_t given;    /* part of its quantity already assigned */
	__int128 covered; /* part of its measured usage */
};

struct committing {
	struct committing_config config;
	struct ctx *c;
	VEC(struct held) held;
	const struct commitment **order; /* order of application */
	const struct price *last, *copy; /* the price copied last */
};

static int compare_commitments(const void *left, const void *right)
{
	const struct commitment *a = *(const struct commitment *const *) left,
				*b = *(const struct commitment *const *) right;
	int rank_a = a->kind == COMMITMENT_SPEND ? 2 : !a->zone.n,
	    rank_b = b->kind == COMMITMENT_SPEND ? 2 : !b->zone.n;
	if (rank_a != rank_b)
		return rank_a - rank_b;
	if (a->percent != b->percent)
		return a->percent > b->percent ? -1 : 1;
	return (a > b) - (a < b);
}

/* Creates the price of purchases and of unused remainders; the latter cost nothing. */
static RESULT make_price(struct committing *k, struct commitment *of)
{
	struct price_item *item = arena_new_object(k->c->arena, struct price_item);
	struct price *price = arena_new_object(k->c->arena, struct price);
	if (!item || !price)
		return ctx_no_memory(k->c);
	item->sku = str_print(k->c->arena, "commitment.%" STR_FMT, STR_ARG(of->name));
	item->text = of->name;
	item->meter = STR("commitment");
	item->unit = UNIT_HOUR;
	item->tier_count = 1;
	price->item = item;
	price->currency = of->currency;
	price->id = str_print(k->c->arena, "%" STR_FMT "/%" STR_FMT "/", STR_ARG(item->sku),
			      STR_ARG(uuid_to_str(k->c->arena, of->id)));
	of->price = price;
	return item->sku.p && price->id.p ? OK : ctx_no_memory(k->c);
}

RESULT committing_new(struct ctx *c, const struct committing_config *config,
		      struct committing **ret_committing)
{
	struct committing *k = arena_new_object(c->arena, struct committing);
	const struct commitment **order =
		arena_new_array(c->arena, const struct commitment *, config->count + 1);
	if (!k || !order)
		return ctx_no_memory(c);
	k->config = *config;
	k->c = c;
	k->order = order;
	for (size_t n = 0; n < config->count; n++) {
		order[n] = &config->at[n];
		TRY(make_price(k, &config->at[n]));
	}
	qsort(order, config->count, sizeof *order, compare_commitments);
	*ret_committing = k;
	return OK;
}

static bool is_for(const struct commitment *of, const struct payer *payer, const struct charge *charge)
{
	const struct price_item *item = charge->price->item;
	struct str zone = charge->subject ? charge->subject->zone : STR_NONE;
	bool is_owner = false, is_by_hours = item->unit == UNIT_HOUR || item->unit == UNIT_VCPU_HOUR;
	if (charge->until_s <= of->from_s || charge->from_s >= of->until_s || charge->quantity <= 0 ||
	    (of->kind == COMMITMENT_RESERVED && !is_by_hours) || (of->zone.n && !str_equal(of->zone, zone)) ||
	    !str_equal(of->currency, charge->price->currency) || !str_matches(item->sku, of->match))
		return false;
	for (size_t n = 0; !is_owner && n < payer->owners.count; n++)
		is_owner = str_equal(payer->owners.at[n], of->owner);
	return is_owner;
}

/* Copies a price, because an account's prices are freed with it. */
static RESULT copy_price(struct committing *k, const struct price **price)
{
	if (k->last != *price || !str_equal(k->copy->id, (*price)->id)) {
		struct price *copy = arena_new_object(k->c->arena, struct price);
		if (!copy)
			return ctx_no_memory(k->c);
		*copy = **price;
		copy->id = str_copy(k->c->arena, copy->id);
		copy->currency = str_copy(k->c->arena, copy->currency);
		if (!copy->id.p || !copy->currency.p)
			return ctx_no_memory(k->c);
		k->last = *price;
		k->copy = copy;
	}
	*price = k->copy;
	return OK;
}

RESULT committing_take(struct committing *k, const void *who, const struct payer *payer,
		       const struct charge *charge)
{
	bool is_covered = false;
	for (size_t n = 0; !is_covered && n < k->config.count; n++)
		is_covered = is_for(&k->config.at[n], payer, charge);
	if (!is_covered)
		return k->config.each(k->config.arg, who, charge);
	struct held held = {.charge = *charge, .who = who, .payer = payer, .order = k->held.count};
	TRY(copy_price(k, &held.charge.price));
	held.charge.meter = str_copy(k->c->arena, charge->meter);
	return held.charge.meter.p && VEC_PUSH(k->c->arena, &k->held, held) ? OK : ctx_no_memory(k->c);
}

/* ---- spreading ---- */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}
static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The proportional share of a whole after part of its time. */
static __int128 share(__int128 whole, int64_t passed, int64_t lasts)
{
	return whole * passed / lasts;
}

/* The part of the month covered by the term, in millionths: the part of the monthly price to pay. */
static int64_t months_of(const struct commitment *of, const struct month *m)
{
	int64_t from = later(of->from_s, m->from_s), until = earlier(of->until_s, m->until_s);
	return (int64_t) money_divide((__int128) (until - from) * MICRO, m->until_s - m->from_s);
}

/* The part of the monthly price spread over the time up to at_s. */
static money spread(const struct commitment *of, const struct month *m, int64_t at_s)
{
	int64_t from = later(of->from_s, m->from_s), until = earlier(of->until_s, m->until_s);
	if (of->kind == COMMITMENT_SPEND)
		return money_of(of->amount, (at_s - from) * MICRO / HOUR_S); /* whole hours */
	return share((money) of->upfront * MICRO, at_s - of->from_s, of->until_s - of->from_s) +
	       share(money_of(of->monthly, months_of(of, m)), at_s - from, until - from);
}

/* ---- a day ---- */

struct day {
	struct committing *k;
	const struct commitment *of;
	struct held **charges; /* the day's charges, in order */
	size_t count;
	int64_t from_s;
	int64_t *quantity; /* quantity of each charge covered by the commitment */
	money *effective;
	int64_t left;    /* unused amount, in the commitment's unit */
	money left_cost; /* unused part of its price */
};

/* The part of a charge's quantity proportional to the elapsed part of its time. */
static int64_t quantity_until(const struct charge *charge, int64_t at_s)
{
	int64_t passed = later(0, earlier(at_s, charge->until_s) - charge->from_s);
	return (int64_t) share(charge->quantity, passed, charge->until_s - charge->from_s);
}

static RESULT begin_charge(struct committing *k, struct held *held)
{
	int64_t day_s = held->charge.from_s / DAY_S * DAY_S;
	held->rest = arena_new_array(k->c->arena, int64_t, HOURS);
	if (!held->rest)
		return ctx_no_memory(k->c);
	for (int h = 0; h < HOURS; h++)
		held->rest[h] = quantity_until(&held->charge, day_s + (h + 1) * HOUR_S) -
				quantity_until(&held->charge, day_s + h * HOUR_S);
	return OK;
}

static void cover_reserved(struct day *d, int h, int64_t capacity, money cost)
{
	int64_t used = 0;
	for (size_t n = 0; n < d->count && used < capacity; n++) {
		struct held *held = d->charges[n];
		int64_t x = earlier(held->rest[h], capacity - used);
		if (!x || !is_for(d->of, held->payer, &held->charge))
			continue;
		d->effective[n] += share(cost, used + x, capacity) - share(cost, used, capacity);
		d->quantity[n] += x;
		held->rest[h] -= x;
		used += x;
	}
	d->left += capacity - used;
	d->left_cost += cost - share(cost, used, capacity);
}

static void cover_spend(struct day *d, int h, money cost)
{
	money left = cost;
	for (size_t n = 0; n < d->count; n++) {
		struct held *held = d->charges[n];
		if (!held->rest[h] || !is_for(d->of, held->payer, &held->charge))
			continue;
		int64_t own = held->charge.price->own[held->charge.tier];
		int64_t price = (int64_t) money_divide((__int128) own * (MICRO - d->of->percent), MICRO);
		money most = price ? left / price : 0;
		int64_t x = most < held->rest[h] ? (int64_t) most : held->rest[h];
		d->effective[n] += money_of(x, price);
		d->quantity[n] += x;
		held->rest[h] -= x;
		left -= money_of(x, price);
	}
	d->left += (int64_t) (left / MICRO);
	d->left_cost += left;
}

static void cover_hour(struct day *d, int h)
{
	const struct commitment *of = d->of;
	const struct month *m = &d->k->config.month;
	int64_t from = later(d->from_s + h * HOUR_S, of->from_s),
		until = earlier(earlier(d->from_s + (h + 1) * HOUR_S, of->until_s), d->k->config.until_s);
	if (from >= until)
		return;
	money cost = spread(of, m, until) - spread(of, m, from);
	if (of->kind == COMMITMENT_SPEND)
		cover_spend(d, h, cost);
	else
		cover_reserved(d, h, (int64_t) share(of->quantity, until - from, HOUR_S), cost);
}

/* Splits off part of a charge. Its measured usage is divided in the same proportion. */
static struct charge part_of(struct held *held, int64_t quantity)
{
	struct charge part = held->charge;
	held->given += quantity;
	__int128 until = held->charge.measured * held->given / held->charge.quantity;
	part.quantity = quantity;
	part.measured = until - held->covered;
	held->covered = until;
	return part;
}

static RESULT give_covered(struct day *d)
{
	struct committing *k = d->k;
	for (size_t n = 0; n < d->count; n++) {
		if (!d->quantity[n])
			continue;
		struct charge part = part_of(d->charges[n], d->quantity[n]);
		part.commitment = d->of;
		part.effective = d->effective[n];
		TRY(k->config.each(k->config.arg, d->charges[n]->who, &part));
	}
	return OK;
}

static RESULT give_left(struct day *d)
{
	const struct commitment *of = d->of;
	const struct committing_config *config = &d->k->config;
	struct charge left = {.id = of->id,
			      .meter = STR("commitment"),
			      .from_s = later(d->from_s, of->from_s),
			      .until_s = earlier(earlier(d->from_s + DAY_S, of->until_s), config->until_s),
			      .quantity = d->left,
			      .price = of->price,
			      .commitment = of,
			      .is_unused = true,
			      .effective = d->left_cost};
	return d->left || d->left_cost ? config->each(config->arg, of->who, &left) : OK;
}

static RESULT cover_day(struct day *d)
{
	memset(d->quantity, 0, d->count * sizeof *d->quantity);
	memset(d->effective, 0, d->count * sizeof *d->effective);
	d->left = 0;
	d->left_cost = 0;
	for (int h = 0; h < HOURS; h++)
		cover_hour(d, h);
	TRY(give_covered(d));
	return give_left(d);
}

static RESULT give_rest(struct committing *k, struct held *held)
{
	int64_t rest = held->charge.quantity - held->given;
	struct charge part = part_of(held, rest);
	return rest ? k->config.each(k->config.arg, held->who, &part) : OK;
}

static RESULT apply_day(struct committing *k, int64_t day_s, struct held **charges, size_t count)
{
	struct day d = {.k = k, .charges = charges, .count = count, .from_s = day_s};
	d.quantity = arena_new_array(k->c->arena, int64_t, count + 1);
	d.effective = arena_new_array(k->c->arena, money, count + 1);
	if (!d.quantity || !d.effective)
		return ctx_no_memory(k->c);
	for (size_t n = 0; n < count; n++)
		TRY(begin_charge(k, charges[n]));
	for (size_t n = 0; n < k->config.count; n++) {
		d.of = k->order[n];
		if (d.of->from_s < day_s + DAY_S && d.of->until_s > day_s)
			TRY(cover_day(&d));
	}
	for (size_t n = 0; n < count; n++)
		TRY(give_rest(k, charges[n]));
	return OK;
}

/* ---- purchases ---- */

static RESULT give_purchase(struct committing *k, const struct commitment *of, enum unit unit,
			    int64_t quantity, int64_t unit_price, bool is_upfront)
{
	const struct month *m = &k->config.month;
	struct price *price = arena_new_object(k->c->arena, struct price);
	struct price_item *item = arena_new_object(k->c->arena, struct price_item);
	if (!price || !item)
		return ctx_no_memory(k->c);
	*item = *of->price->item;
	item->unit = unit;
	*price = *of->price;
	price->item = item;
	price->list[0] = price->own[0] = unit_price;
	price->id = str_print(k->c->arena, "%" STR_FMT "%s/", STR_ARG(price->id),
			      is_upfront ? "upfront" : "month");
	struct charge charge = {.category = CHARGE_PURCHASE,
				.id = of->id,
				.meter = is_upfront ? STR("commitment:upfront") : STR("commitment:month"),
				.from_s = later(of->from_s, m->from_s),
				.until_s = earlier(of->until_s, m->until_s),
				.quantity = quantity,
				.price = price,
				.commitment = of};
	if (is_upfront)
		charge.until_s = earlier(charge.until_s, (charge.from_s / DAY_S + 1) * DAY_S);
	return price->id.p ? k->config.each(k->config.arg, of->who, &charge) : ctx_no_memory(k->c);
}

static RESULT give_purchases(struct committing *k, const struct commitment *of)
{
	const struct month *m = &k->config.month;
	int64_t from = later(of->from_s, m->from_s), until = earlier(of->until_s, m->until_s);
	if (from >= until || from >= k->config.until_s)
		return OK;
	if (of->kind == COMMITMENT_SPEND)
		return give_purchase(k, of, UNIT_HOUR, (until - from) / HOUR_S * MICRO, of->amount, false);
	if (of->upfront && of->from_s >= m->from_s)
		TRY(give_purchase(k, of, UNIT_MONTH, MICRO, of->upfront, true));
	return of->monthly ? give_purchase(k, of, UNIT_MONTH, months_of(of, m), of->monthly, false) : OK;
}

/* ---- the end ---- */

static int compare_held(const void *left, const void *right)
{
	const struct held *a = *(const struct held *const *) left, *b = *(const struct held *const *) right;
	int64_t day_a = a->charge.from_s / DAY_S, day_b = b->charge.from_s / DAY_S;
	if (day_a != day_b)
		return day_a < day_b ? -1 : 1;
	if (a->charge.from_s != b->charge.from_s)
		return a->charge.from_s < b->charge.from_s ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

RESULT committing_end(struct committing *k)
{
	const struct month *m = &k->config.month;
	struct held **sorted = arena_new_array(k->c->arena, struct held *, k->held.count + 1);
	size_t begin = 0;
	if (!k->config.count)
		return OK;
	if (!sorted)
		return ctx_no_memory(k->c);
	for (size_t n = 0; n < k->held.count; n++)
		sorted[n] = &k->held.at[n];
	qsort(sorted, k->held.count, sizeof *sorted, compare_held);
	for (size_t n = 0; n < k->config.count; n++)
		TRY(give_purchases(k, k->order[n]));
	for (int64_t day_s = m->from_s; day_s < earlier(m->until_s, k->config.until_s); day_s += DAY_S) {
		size_t end = begin;
		while (end < k->held.count && sorted[end]->charge.from_s < day_s + DAY_S)
			end++;
		TRY(apply_day(k, day_s, sorted + begin, end - begin));
		begin = end;
	}
	return OK;
}
