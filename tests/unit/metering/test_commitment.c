/* SPDX-License-Identifier: Apache-2.0
 * Commitments: coverage, order, the remainder, and that no quantity is lost or charged twice. */
#include "metering/commitment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OUT_MAX = 20000 };

static struct world {
	struct arena *a;
	struct ctx c;
	struct month month;
	struct commitment commitments[8];
	size_t count;
	struct committing *committing;
	int64_t until_s;
	struct charge *out;
	size_t out_count;
} w;

static const struct price_item items[] = {{.sku = {"vm.small", 8}, .unit = UNIT_HOUR, .tier_count = 1},
					  {.sku = {"vm.large", 8}, .unit = UNIT_HOUR, .tier_count = 1},
					  {.sku = {"vol", 3}, .unit = UNIT_GIB_MONTH, .tier_count = 1}};
static const struct price prices[] = {
	{.item = &items[0], .currency = {"EUR", 3}, .id = {"s/", 2}, .list = {10400}, .own = {10400}},
	{.item = &items[1], .currency = {"EUR", 3}, .id = {"l/", 2}, .list = {83200}, .own = {80000}},
	{.item = &items[2], .currency = {"EUR", 3}, .id = {"v/", 2}, .list = {80000}, .own = {80000}}};
static const struct subject here = {.zone = {"a", 1}}, there = {.zone = {"b", 1}};
static const struct str owner = {"acme", 4};
static const struct payer payer = {.owners = {&owner, 1}}, stranger;

static int begin(void **state)
{
	(void) state;
	memset(&w, 0, sizeof w);
	w.a = arena_new(1 << 20, 512 << 20);
	ctx_init(&w.c, w.a);
	w.out = arena_new_array(w.a, struct charge, OUT_MAX);
	assert_true(result_is_ok(month_parse(&w.c, STR("2026-02"), &w.month)));
	w.until_s = w.month.until_s;
	return 0;
}

static int end(void **state)
{
	(void) state;
	arena_free(w.a);
	return 0;
}

static RESULT take(void *arg, const void *who, const struct charge *charge)
{
	(void) arg;
	(void) who;
	assert_true(w.out_count < OUT_MAX);
	w.out[w.out_count++] = *charge;
	return OK;
}

static struct commitment *add(enum commitment_kind kind, const char *match)
{
	struct commitment *k = &w.commitments[w.count++];
	*k = (struct commitment){.id = {{(uint8_t) w.count}},
				 .name = STR("c"),
				 .owner = owner,
				 .currency = STR("EUR"),
				 .match = str_from(match),
				 .kind = kind,
				 .from_s = w.month.from_s,
				 .until_s = w.month.until_s};
	return k;
}

static void start(void)
{
	const struct committing_config config = {
		.at = w.commitments, .count = w.count, .month = w.month, .until_s = w.until_s, .each = take};
	w.out_count = 0;
	assert_true(result_is_ok(committing_new(&w.c, &config, &w.committing)));
}

/* Seconds from the month's beginning. */
static void use(unsigned id, unsigned price, int64_t from_s, int64_t lasts_s, const struct subject *subject)
{
	bool is_volume = price == 2;
	struct charge charge = {.id = {{(uint8_t) id}},
				.kind = KIND_INSTANCE,
				.meter = STR("instance:x"),
				.from_s = w.month.from_s + from_s,
				.until_s = w.month.from_s + from_s + lasts_s,
				.quantity = is_volume ? lasts_s * 100
						      : (int64_t) money_divide(lasts_s * MICRO, HOUR_S),
				.measured = lasts_s,
				.price = &prices[price],
				.subject = subject};
	assert_true(result_is_ok(committing_take(w.committing, NULL, &payer, &charge)));
}

struct sums {
	int64_t used, unused, rest;
	money used_cost, unused_cost, rest_cost, bought;
	__int128 measured;
};

static struct sums sum(size_t commitment)
{
	struct sums s = {0};
	for (size_t n = 0; n < w.out_count; n++) {
		const struct charge *c = &w.out[n];
		s.measured += c->category == CHARGE_USAGE && !c->is_unused ? c->measured : 0;
		if (!c->commitment) {
			s.rest += c->quantity;
			s.rest_cost += charge_cost(c);
		} else if (c->commitment != &w.commitments[commitment]) {
			continue;
		} else if (c->category == CHARGE_PURCHASE) {
			s.bought += charge_cost(c);
			assert_true(charge_effective_cost(c) == 0);
		} else {
			*(c->is_unused ? &s.unused : &s.used) += c->quantity;
			*(c->is_unused ? &s.unused_cost : &s.used_cost) += c->effective;
			assert_true(charge_cost(c) == 0);
		}
	}
	return s;
}

static void finish(void)
{
	assert_true(result_is_ok(committing_end(w.committing)));
}

/* ---- cases ---- */

static void a_reserved_unit_covers_one_at_a_time(void **state)
{
	(void) state;
	struct commitment *k = add(COMMITMENT_RESERVED, "vm.*");
	k->quantity = MICRO;
	k->upfront = 20 * MICRO;
	k->monthly = 10 * MICRO;
	start();
	use(1, 0, 0, DAY_S, NULL); /* a day of two at once: one is covered */
	use(2, 0, 0, DAY_S, NULL);
	use(1, 0, DAY_S, 12 * HOUR_S, NULL); /* half a day: the rest lapses */
	finish();
	struct sums s = sum(0);
	assert_int_equal(s.used, 36 * MICRO);
	assert_int_equal(s.rest, 24 * MICRO);
	assert_int_equal(s.unused, (28 * 24 - 36) * MICRO);
	assert_true(s.bought == (money) 30 * MICRO * MICRO && s.used_cost + s.unused_cost == s.bought);
	assert_true(s.rest_cost == money_of(24 * MICRO, 10400));
	/* A row for each charge and day, not for each hour. */
	assert_int_equal(w.out_count, 2 + 1 + 1 + 1 + 27);
}

static void a_short_run_leaves_the_rest_of_its_hour(void **state)
{
	(void) state;
	add(COMMITMENT_RESERVED, "vm.small")->quantity = MICRO;
	w.until_s = w.month.from_s + HOUR_S;
	start();
	use(1, 0, 10, 59, NULL);
	use(2, 0, 20, 1, NULL); /* at the same time; units of an hour are what counts, as AWS counts them */
	finish();
	struct sums s = sum(0);
	assert_int_equal(s.used, money_divide(59 * MICRO, 3600) + money_divide(MICRO, 3600));
	assert_int_equal(s.used + s.unused, MICRO);
	assert_int_equal(s.rest, 0);
}

static void a_zone_goes_before_any_and_reserved_before_spend(void **state)
{
	(void) state;
	struct commitment *spend = add(COMMITMENT_SPEND, "*");
	struct commitment *wide = add(COMMITMENT_RESERVED, "vm.*");
	struct commitment *zone = add(COMMITMENT_RESERVED, "vm.small");
	spend->amount = MICRO;
	spend->percent = MICRO / 4;
	wide->quantity = zone->quantity = MICRO;
	zone->zone = STR("a");
	w.until_s = w.month.from_s + HOUR_S;
	start();
	use(1, 0, 0, HOUR_S, &here);
	use(2, 0, 0, HOUR_S, &there);
	use(3, 0, 0, HOUR_S, &there);
	use(4, 2, 0, HOUR_S, &there);
	finish();
	assert_int_equal(sum(2).used, MICRO);
	assert_int_equal(sum(1).used, MICRO);
	/* One more machine at 0.0078, and the volume at 0.06, are covered. */
	struct sums s = sum(0);
	assert_int_equal(s.used, MICRO + HOUR_S * 100);
	assert_true(s.used_cost == money_of(MICRO, 7800) + money_of(HOUR_S * 100, 60000));
	assert_true(s.used_cost + s.unused_cost == (money) MICRO * MICRO);
	assert_int_equal(s.rest, 0);
}

static void others_and_other_times_are_not_covered(void **state)
{
	(void) state;
	struct commitment *k = add(COMMITMENT_RESERVED, "vm.small");
	k->quantity = 5 * MICRO;
	k->from_s += DAY_S;
	start();
	use(1, 0, 0, DAY_S, NULL);
	use(1, 1, DAY_S, DAY_S, NULL);
	use(1, 2, DAY_S, DAY_S, NULL);
	struct charge charge = {
		.from_s = k->from_s, .until_s = k->from_s + 1, .quantity = 1, .price = &prices[0]};
	assert_true(result_is_ok(committing_take(w.committing, NULL, &stranger, &charge)));
	assert_int_equal(w.out_count, 4); /* at once */
	finish();
	assert_int_equal(sum(0).used, 0);
	assert_int_equal(sum(0).unused, 5 * 27 * 24 * MICRO);
}

static void an_upfront_price_is_bought_once_and_spread_over_its_term(void **state)
{
	(void) state;
	struct commitment *k = add(COMMITMENT_RESERVED, "vm.small");
	k->quantity = 3 * MICRO;
	k->upfront = 100 * MICRO + 1;
	k->from_s -= 17 * DAY_S;
	k->until_s = k->from_s + 365 * DAY_S;
	money cost = 0, bought = 0;
	struct month m = month_of(k->from_s);
	for (int n = 0; n < 13; n++, m = month_of(m.until_s)) {
		w.month = m;
		w.until_s = m.until_s;
		start();
		use(1, 0, 40 * HOUR_S + 7, 3 * HOUR_S + 11, NULL);
		finish();
		struct sums s = sum(0);
		cost += s.used_cost + s.unused_cost;
		bought += s.bought;
	}
	assert_true(bought == (money) k->upfront * MICRO && cost == bought);
}

/* ---- a second, naive way ---- */

/* An hour uses as much of the commitment as its quantities need, and no more than there is. */
static void random_months_lose_nothing(void **state)
{
	(void) state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		unsigned short random[3] = {(unsigned short) seed, 5, 1};
		int64_t taken = 0, hours[28 * 24] = {0};
		__int128 measured = 0;
		w.count = 0;
		struct commitment *k = add(COMMITMENT_RESERVED, "vm.small");
		struct commitment *spend = add(COMMITMENT_SPEND, "vm.*");
		k->quantity = MICRO + nrand48(random) % (3 * MICRO);
		k->monthly = nrand48(random) % (1000 * MICRO);
		k->upfront = nrand48(random) % (1000 * MICRO);
		spend->amount = nrand48(random) % MICRO + 1;
		spend->percent = nrand48(random) % MICRO;
		start();
		for (unsigned id = 1; id < 100; id++) {
			int64_t day = nrand48(random) % 28, from = nrand48(random) % (DAY_S - 2),
				lasts = 1 + nrand48(random) % (DAY_S - from - 1);
			unsigned price = (unsigned) (nrand48(random) % 3);
			use(id, price, day * DAY_S + from, lasts, NULL);
			int64_t q = price == 2 ? lasts * 100 : (int64_t) money_divide(lasts * MICRO, HOUR_S);
			taken += q;
			measured += lasts;
			for (int h = 0; h < 24 && price == 0; h++) {
				int64_t a = h * HOUR_S < from ? from : h * HOUR_S,
					b = (h + 1) * HOUR_S > from + lasts ? from + lasts : (h + 1) * HOUR_S;
				if (a < b)
					hours[day * 24 + h] += (int64_t) ((__int128) q * (b - from) / lasts -
									  (__int128) q * (a - from) / lasts);
			}
		}
		finish();
		struct sums s = sum(0), t = sum(1);
		int64_t used = 0;
		for (size_t h = 0; h < sizeof hours / sizeof *hours; h++)
			used += hours[h] < k->quantity ? hours[h] : k->quantity;
		assert_int_equal(s.used, used);
		assert_int_equal(s.used + s.unused, k->quantity * 28 * 24);
		assert_int_equal(s.used + t.used + s.rest, taken);
		assert_true(s.measured == measured);
		assert_true(s.used_cost + s.unused_cost == s.bought &&
			    t.used_cost + t.unused_cost == t.bought);
		assert_true(s.bought == ((money) k->upfront + k->monthly) * MICRO);
		assert_true(t.bought == (money) spend->amount * 28 * 24 * MICRO);
	}
}

static void it_is_read_as_it_was_written(void **state)
{
	(void) state;
	struct commitment *k = add(COMMITMENT_SPEND, "vm.*"), back;
	k->amount = 5 * MICRO;
	k->percent = 125000;
	k->zone = STR("zone a");
	assert_true(result_is_ok(commitment_check(&w.c, k)));
	assert_true(result_is_ok(commitment_read(&w.c, commitment_write(&w.c, k), &back)));
	assert_true(back.kind == k->kind && back.amount == k->amount && back.percent == k->percent &&
		    back.from_s == k->from_s && back.until_s == k->until_s && str_equal(back.zone, k->zone) &&
		    str_equal(back.owner, k->owner) && str_equal(back.match, k->match));
	k->from_s++;
	assert_false(result_is_ok(commitment_check(&w.c, k)));
	k->from_s--;
	k->monthly = 1;
	assert_false(result_is_ok(commitment_check(&w.c, k)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_reserved_unit_covers_one_at_a_time),
		TEST(a_short_run_leaves_the_rest_of_its_hour),
		TEST(a_zone_goes_before_any_and_reserved_before_spend),
		TEST(others_and_other_times_are_not_covered),
		TEST(an_upfront_price_is_bought_once_and_spread_over_its_term),
		TEST(random_months_lose_nothing),
		TEST(it_is_read_as_it_was_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
