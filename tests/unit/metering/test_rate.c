/* SPDX-License-Identifier: Apache-2.0
 * Rating, compared with a second rater that is too simple to be wrong: it looks at the level at the end of
 * each second. */
#include "metering/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/vec.h"

enum { CHARGES_MAX = 20000, CHANGES_MAX = 400 };

static const char list_yaml[] =
	"price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z}\n"
	"items:\n"
	"- {sku: vm, meter: instance, unit: hour, minimum_s: 60, price: 0.0104}\n"
	"- {sku: held, meter: held, unit: hour, price: 0.001}\n"
	"- {sku: lic, meter: licence, unit: vcpu_hour, round_up_s: 3600, price: 0.06}\n"
	"- {sku: out, meter: net.out, unit: gb, price: 0.05}\n"
	"- {sku: vol, meter: volume, unit: gib_month, price: 0.08}\n"
	"- {sku: snap, meter: snapshot, unit: gib_month, free: 1, tiers: [{upto: 2, price: 0.05}, {price: "
	"0.04}]}\n";

static struct world {
	struct arena *a;
	struct ctx c;
	struct price_book book;
	struct month month;
	int64_t now_s;
	const struct subject *subjects;
	size_t subject_count;
	struct usage_fix fixes[8];
	size_t fix_count;
	struct level_change changes[CHANGES_MAX];
	size_t change_count;
	struct charge *charges;
	size_t charge_count, unpriced;
} w;

static int begin(void **state)
{
	static struct price_list list;
	(void) state;
	memset(&w, 0, sizeof w);
	w.a = arena_new(1 << 20, 256 << 20);
	ctx_init(&w.c, w.a);
	w.charges = arena_new_array(w.a, struct charge, CHARGES_MAX);
	assert_true(result_is_ok(price_list_read(&w.c, str_from(list_yaml), &list)));
	assert_true(result_is_ok(price_book_make(&w.c, &list, 1, &w.book)));
	assert_true(result_is_ok(month_parse(&w.c, STR("2026-02"), &w.month)));
	w.now_s = w.month.until_s + 5 * DAY_S;
	return 0;
}

static int end(void **state)
{
	(void) state;
	arena_free(w.a);
	return 0;
}

static uuid id_of(unsigned n)
{
	uuid u = UUID_NONE;
	memcpy(&u, &n, sizeof n);
	return u;
}

static RESULT keep(void *arg, const struct charge *charge)
{
	(void) arg;
	assert_true(w.charge_count < CHARGES_MAX);
	struct charge *kept = &w.charges[w.charge_count++];
	*kept = *charge;
	kept->meter = str_copy(w.a, charge->meter);
	struct price *price = arena_new_object(w.a, struct price); /* the rater's are gone with it */
	*price = *charge->price;
	kept->price = price;
	return OK;
}

static RESULT count_unpriced(void *arg, uuid account, uuid id, struct str meter)
{
	(void) arg;
	(void) account;
	(void) id;
	(void) meter;
	w.unpriced++;
	return OK;
}

/* Seconds from the month's beginning, and microseconds. */
static void change(unsigned id, const char *meter, int64_t at_s, int64_t us, int64_t level)
{
	assert_true(w.change_count < CHANGES_MAX);
	w.changes[w.change_count] =
		(struct level_change){KIND_INSTANCE,   id_of(id),
				      str_from(meter), (w.month.from_s + at_s) * SECOND + us,
				      level,           (int64_t) w.change_count + 1};
	w.change_count++;
}

static int compare(const void *left, const void *right)
{
	const struct level_change *a = left, *b = right;
	int order = uuid_compare(a->id, b->id);
	order = order ? order : str_compare(a->meter, b->meter);
	return order ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static void rate(void)
{
	static const struct payer nobody;
	static struct level_change sorted[CHANGES_MAX];
	struct rating_config config = {.book = &w.book,
				       .month = w.month,
				       .now_us = w.now_s * SECOND,
				       .subjects = w.subjects,
				       .subject_count = w.subject_count,
				       .fixes = w.fixes,
				       .fix_count = w.fix_count,
				       .each = keep,
				       .unpriced = count_unpriced};
	struct rating *r = NULL;
	memcpy(sorted, w.changes, sizeof sorted);
	qsort(sorted, w.change_count, sizeof *sorted, compare);
	w.charge_count = 0;
	assert_true(result_is_ok(rating_new(&w.c, &config, &r)));
	assert_true(result_is_ok(rating_begin(r, &w.c, id_of(1), &nobody)));
	for (size_t k = 0; k < w.change_count; k++)
		assert_true(result_is_ok(rating_take(r, &w.c, &sorted[k])));
	assert_true(result_is_ok(rating_end(r, &w.c)));
	rating_free(r);
}

static int64_t seconds_of(const char *sku)
{
	int64_t sum = 0;
	for (size_t k = 0; k < w.charge_count; k++)
		if (str_is(w.charges[k].price->item->sku, sku))
			sum += w.charges[k].until_s - w.charges[k].from_s;
	return sum;
}

static int64_t quantity_of(const char *sku)
{
	int64_t sum = 0;
	for (size_t k = 0; k < w.charge_count; k++)
		if (str_is(w.charges[k].price->item->sku, sku))
			sum += w.charges[k].quantity;
	return sum;
}

/* ---- single cases ---- */

static void a_level_that_never_changes_has_all_seconds_of_each_day(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", -40 * DAY_S, 777, 1);
	change(2, "volume:gp3", -3, 0, INT64_C(100) << 30);
	rate();
	assert_int_equal(w.charge_count, 2 * 28);
	for (size_t k = 0; k < w.charge_count; k++) {
		assert_int_equal(w.charges[k].until_s - w.charges[k].from_s, DAY_S);
		assert_int_equal(w.charges[k].from_s % DAY_S, 0);
	}
	assert_int_equal(quantity_of("vm"), 28 * 24 * MICRO);
	assert_int_equal(quantity_of("vol"), 100 * MICRO); /* February's month is a whole one */
	char text[MONEY_TEXT_SIZE];
	assert_string_equal(money_write(charge_cost(&w.charges[0]), text), "0.2496");
}

static void a_short_run_has_its_minimum(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", 1000, 0, 1);
	change(1, "instance:t3.micro", 1059, 0, 0);
	rate();
	assert_int_equal(w.charge_count, 1);
	assert_int_equal(w.charges[0].quantity, 16667); /* a minute of an hour */
	assert_int_equal((int64_t) w.charges[0].measured, 59);
}

static void two_starts_in_a_minute_are_two_minima(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", 1000, 0, 1);
	change(1, "instance:t3.micro", 1010, 0, 0);
	change(1, "instance:t3.micro", 1020, 0, 1);
	change(1, "instance:t3.micro", 1030, 0, 0);
	rate();
	assert_int_equal(w.charge_count, 2);
	assert_int_equal(w.charges[0].quantity, 16667);
	assert_int_equal(w.charges[1].quantity, 16667);
	w.change_count = 0;
	change(1, "instance:t3.micro", 1000, 0, 1); /* and both in one second */
	change(1, "instance:t3.micro", 1000, 5, 0);
	change(1, "instance:t3.micro", 1000, 9, 1);
	change(1, "instance:t3.micro", 1000, 99, 0);
	rate();
	assert_int_equal(quantity_of("vm"), 33333); /* two minutes */
	assert_int_equal(seconds_of("vm"), 1);
}

static void a_minimum_over_midnight_is_of_the_start(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", DAY_S - 30, 0, 1);
	change(1, "instance:t3.micro", DAY_S + 10, 0, 0);
	rate();
	assert_int_equal(w.charge_count, 2);
	assert_int_equal(w.charges[0].quantity, 13889); /* 30 + 20 seconds */
	assert_int_equal(w.charges[0].quantity + w.charges[1].quantity, 16667);
}

static void begun_hours_count_as_a_whole(void **state)
{
	(void) state;
	change(1, "licence:rhel:small", DAY_S - 1800, 0, 4);
	change(1, "licence:rhel:small", DAY_S + 1801, 0, 0);
	rate();
	assert_int_equal(w.charge_count, 2);
	assert_int_equal(quantity_of("lic"), 8 * MICRO); /* two hours of four */
	assert_int_equal(w.charges[0].quantity, 2 * MICRO);
}

static void a_run_over_the_months_end_goes_on_in_the_next(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", 27 * DAY_S + 1234, 1, 1);
	change(1, "instance:t3.micro", 28 * DAY_S + 4321, 2, 0);
	rate();
	int64_t here = seconds_of("vm");
	assert_int_equal(here, DAY_S - 1234);
	struct month february = w.month;
	w.month = month_of(february.until_s);
	rate();
	assert_int_equal(seconds_of("vm"), 4321);
	assert_int_equal(quantity_of("vm"), money_divide((__int128) 4321 * MICRO, 3600));
}

static void a_host_that_was_unreachable_is_corrected(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", DAY_S, 0, 1);
	change(1, "instance:t3.micro", 3 * DAY_S + 100, 0, 0); /* heard of after the second midnight */
	rate();
	assert_int_equal(seconds_of("vm"), 2 * DAY_S + 100);
	w.fixes[0] = (struct usage_fix){
		id_of(1), id_of(1), STR("instance:t3.micro"), 2, (w.month.from_s + 2 * DAY_S - 60) * SECOND,
		0,        1};
	w.fix_count = 1;
	rate();
	assert_int_equal(seconds_of("vm"), DAY_S - 60);
	w.fixes[1] = w.fixes[0]; /* and once more: the later fix counts */
	w.fixes[1].at_us += 30 * SECOND;
	w.fixes[1].seq = 2;
	w.fix_count = 2;
	rate();
	assert_int_equal(seconds_of("vm"), DAY_S - 30);
}

static void a_clock_that_stood_still_costs_nothing(void **state)
{
	(void) state;
	change(1, "instance:t3.micro", 500, 7, 1); /* stamped with the last time, as the log does */
	change(1, "held:x", 500, 7, 1);
	change(1, "held:x", 500, 7, 0);
	change(1, "instance:t3.micro", 900, 0, 0);
	rate();
	assert_int_equal(seconds_of("vm"), 400);
	assert_int_equal(seconds_of("held"), 0);
	assert_int_equal(w.charge_count, 1);
}

static void a_rename_does_not_touch_what_was(void **state)
{
	(void) state;
	struct subject subjects[] = {
		{id_of(1), (w.month.from_s + 100) * SECOND, STR("old"), STR("a"), STR("{}")},
		{id_of(1), (w.month.from_s + 200) * SECOND, STR("new"), STR("a"), STR("{}")}};
	w.subjects = subjects;
	w.subject_count = 2;
	change(1, "instance:t3.micro", 100, 0, 1);
	change(1, "instance:t3.micro", 300, 0, 0);
	rate();
	assert_int_equal(w.charge_count, 2);
	assert_true(str_is(w.charges[0].subject->name, "old") && str_is(w.charges[1].subject->name, "new"));
	assert_int_equal(w.charges[0].until_s, w.charges[1].from_s);
}

static void a_counter_is_charged_by_what_it_grows(void **state)
{
	(void) state;
	change(1, "net.out", 10 * HOUR_S, 0, 700); /* where it begins */
	change(1, "net.out", 11 * HOUR_S, 0, 1000000700);
	change(1, "net.out", 12 * HOUR_S, 0, 1000000700);
	change(1, "net.out", 24 * HOUR_S + 20, 0, 3000000700); /* is of the day in which the hour began */
	change(1, "net.out", 25 * HOUR_S + 20, 0, 0);          /* the counter was reset */
	change(1, "net.out", 26 * HOUR_S, 0, 5000);
	change(1, "net.out", 27 * HOUR_S, 0, 4000); /* and once more, unnoticed */
	rate();
	assert_int_equal(w.charge_count, 2);
	assert_int_equal(w.charges[0].quantity, 3 * MICRO);
	assert_int_equal((int64_t) w.charges[0].measured, INT64_C(3000000000));
	assert_int_equal(w.charges[0].from_s, w.month.from_s + 10 * HOUR_S);
	assert_int_equal(w.charges[0].until_s, w.month.from_s + DAY_S);
	assert_int_equal(w.charges[1].quantity, 9);
	assert_int_equal((int64_t) w.charges[1].measured, 9000);
	assert_int_equal(w.unpriced, 0);
}

static void a_counter_is_cut_at_the_months_ends(void **state)
{
	(void) state;
	int64_t month_s = w.month.until_s - w.month.from_s;
	change(1, "net.out", -2 * HOUR_S, 0, 0);
	change(1, "net.out", -HOUR_S, 0, 1000000000);
	change(1, "net.out", 10, 0, 3000000000); /* began in the month before */
	change(1, "net.out", HOUR_S + 10, 0, 3500000000);
	change(1, "net.out", month_s + 10, 0, 4500000000);
	change(1, "net.out", month_s + HOUR_S + 10, 0, 9500000000);
	rate();
	assert_int_equal(quantity_of("out"), 3 * MICRO / 2);
	assert_int_equal(w.charges[w.charge_count - 1].until_s, w.month.until_s);
}

static void tiers_are_cut_where_they_end(void **state)
{
	(void) state;
	change(1, "snapshot", 0, 0,
	       INT64_C(3) << 30); /* 3 GiB for a month: one free, one at 0.05, one at 0.04 */
	change(2, "snapshot", 0, 0, INT64_C(1) << 30);
	rate();
	assert_int_equal(quantity_of("snap"), 4 * MICRO);
	money sum = 0;
	int64_t by_tier[3] = {0};
	for (size_t k = 0; k < w.charge_count; k++) {
		sum += charge_cost(&w.charges[k]);
		by_tier[w.charges[k].tier] += w.charges[k].quantity;
	}
	assert_int_equal(by_tier[0], MICRO);
	assert_int_equal(by_tier[1], 2 * MICRO);
	assert_int_equal(by_tier[2], MICRO);
	char text[MONEY_TEXT_SIZE];
	assert_string_equal(money_write(sum, text), "0.14");
}

static void what_has_no_price_is_said_once(void **state)
{
	(void) state;
	change(1, "nat-gateway", 0, 0, 1);
	change(1, "nat-gateway", 500, 0, 0);
	change(1, "nat-gateway", 600, 0, 1);
	rate();
	assert_int_equal(w.charge_count, 0);
	assert_int_equal(w.unpriced, 1);
}

/* ---- random histories ---- */

/* Sum over the month of the level at the end of each second, according to the log. */
static __int128 sample(unsigned id, const char *meter, bool counts_level)
{
	static int64_t levels[31 * DAY_S];
	int64_t seconds = w.month.until_s - w.month.from_s, now = 0;
	__int128 sum = 0;
	memset(levels, -1, sizeof levels);
	for (size_t k = 0; k < w.change_count; k++) {
		const struct level_change *x = &w.changes[k];
		int64_t at = x->at_us / SECOND - w.month.from_s;
		if (!uuid_equal(x->id, id_of(id)) || !str_is(x->meter, meter))
			continue;
		if (at < 0)
			now = x->level;
		else if (at < seconds)
			levels[at] = x->level;
	}
	for (int64_t s = 0; s < seconds; s++) {
		if (levels[s] >= 0)
			now = levels[s];
		sum += counts_level ? now : now > 0;
	}
	return sum;
}

static __int128 rated(unsigned id, const char *sku)
{
	__int128 sum = 0;
	for (size_t k = 0; k < w.charge_count; k++)
		if (uuid_equal(w.charges[k].id, id_of(id)) && str_is(w.charges[k].price->item->sku, sku))
			sum += w.charges[k].measured;
	return sum;
}

static void no_two_charges_overlap(void)
{
	for (size_t k = 0; k + 1 < w.charge_count; k++) {
		const struct charge *a = &w.charges[k], *b = a + 1;
		assert_true(a->from_s < a->until_s && a->from_s / DAY_S == (a->until_s - 1) / DAY_S);
		if (uuid_equal(a->id, b->id) && str_equal(a->meter, b->meter) && !a->price->item->is_tiered)
			assert_true(a->until_s <= b->from_s);
	}
}

static void random_histories_agree_with_the_sampler(void **state)
{
	static const struct {
		const char *meter, *sku;
		bool counts_level;
	} meters[] = {{"instance:t3.micro", "vm", false},
		      {"volume:gp3", "vol", true},
		      {"held:x", "held", false},
		      {"licence:rhel:big", "lic", true},
		      {"snapshot", "snap", true}};
	(void) state;
	for (unsigned seed = 1; seed <= 60; seed++) {
		unsigned short random[3] = {(unsigned short) seed, 7, 9};
		int64_t at_us = -3 * DAY_S * SECOND;
		w.change_count = 0;
		while (w.change_count < CHANGES_MAX) {
			/* Mostly days, often seconds, sometimes none, as when a clock was set back. */
			long kind = nrand48(random) % 4;
			at_us += kind == 0   ? 0
				 : kind == 1 ? nrand48(random) % (3 * SECOND)
					     : nrand48(random) % (INT64_C(16000) * SECOND);
			unsigned meter = (unsigned) (nrand48(random) % 5),
				 id = 1 + (unsigned) (nrand48(random) % 3);
			int64_t level = meters[meter].counts_level ? nrand48(random) % (INT64_C(1) << 31)
								   : nrand48(random) % 2;
			change(id, meters[meter].meter, 0, at_us, nrand48(random) % 3 ? level : 0);
		}
		rate();
		no_two_charges_overlap();
		for (unsigned id = 1; id <= 3; id++)
			for (size_t m = 0; m < 5; m++)
				assert_true(rated(id, meters[m].sku) ==
					    sample(id, meters[m].meter, meters[m].counts_level));
		/* Once more: the same. */
		size_t count = w.charge_count;
		struct charge *first = arena_new_array(w.a, struct charge, count + 1);
		memcpy(first, w.charges, count * sizeof *first);
		rate();
		assert_int_equal(w.charge_count, count);
		for (size_t k = 0; k < count; k++)
			assert_true(first[k].from_s == w.charges[k].from_s &&
				    first[k].quantity == w.charges[k].quantity &&
				    first[k].tier == w.charges[k].tier &&
				    uuid_equal(first[k].id, w.charges[k].id));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_level_that_never_changes_has_all_seconds_of_each_day),
		TEST(a_short_run_has_its_minimum),
		TEST(two_starts_in_a_minute_are_two_minima),
		TEST(a_minimum_over_midnight_is_of_the_start),
		TEST(begun_hours_count_as_a_whole),
		TEST(a_run_over_the_months_end_goes_on_in_the_next),
		TEST(a_host_that_was_unreachable_is_corrected),
		TEST(a_clock_that_stood_still_costs_nothing),
		TEST(a_rename_does_not_touch_what_was),
		TEST(a_counter_is_charged_by_what_it_grows),
		TEST(a_counter_is_cut_at_the_months_ends),
		TEST(tiers_are_cut_where_they_end),
		TEST(what_has_no_price_is_said_once),
		TEST(random_histories_agree_with_the_sampler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
