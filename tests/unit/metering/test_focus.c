/* SPDX-License-Identifier: Apache-2.0
 * FOCUS: written files pass the checks in both versions, and wrong files fail. */
#include "metering/focus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct world {
	struct arena *a;
	struct ctx c;
	struct price_item item;
	struct price price;
	struct subject subject;
	struct charge charge;
	struct focus_context context;
	struct buf out;
} w;

static int begin(void **state)
{
	(void) state;
	memset(&w, 0, sizeof w);
	w.a = arena_new(65536, 64 << 20);
	ctx_init(&w.c, w.a);
	assert_true(result_is_ok(month_parse(&w.c, STR("2026-10"), &w.context.month)));
	w.context.version = FOCUS_1_4;
	w.context.provider = w.context.issuer = w.context.region = STR("here");
	w.item = (struct price_item){.sku = STR("vol.gp3"), .unit = UNIT_GIB_MONTH, .tier_count = 1};
	w.price = (struct price){.item = &w.item,
				 .currency = STR("EUR"),
				 .id = STR("vol.gp3/public/x/"),
				 .list = {80000},
				 .own = {70000}};
	w.subject = (struct subject){
		.name = STR("a, \"b\""), .zone = STR("z"), .tags = STR("{\"k\":\"v\",\"bare\":true}")};
	w.charge = (struct charge){.meter = STR("volume:gp3"),
				   .from_s = w.context.month.from_s,
				   .until_s = w.context.month.from_s + DAY_S,
				   .quantity = 3225806,
				   .measured = (__int128) (INT64_C(100) << 30) * DAY_S,
				   .price = &w.price,
				   .subject = &w.subject};
	buf_init(&w.out, 1 << 20);
	return 0;
}

static int end(void **state)
{
	(void) state;
	buf_done(&w.out);
	arena_free(w.a);
	return 0;
}

static void write_row(void)
{
	const struct focus_row row = {.charge = &w.charge,
				      .resource = STR("vol-1"),
				      .charge_id = STR("vol-1/volume:gp3/x/1"),
				      .account = STR("123456789012"),
				      .account_name = STR("dev"),
				      .billing_id = STR("d"),
				      .billing_name = STR("Default")};
	focus_write_row(&w.out, &w.context, &row);
}

static struct strs check(void)
{
	struct strs faults = {0};
	assert_true(result_is_ok(focus_check(&w.c, w.context.version, buf_str(&w.out), &faults)));
	return faults;
}

static void expect_fault(const char *says)
{
	struct strs faults = check();
	assert_int_equal(faults.count, 1);
	assert_string_equal(str_to_z(w.a, faults.at[0]), says);
}

static void what_is_written_is_sound(void **state)
{
	(void) state;
	for (int version = FOCUS_1_2; version <= FOCUS_1_4; version++) {
		w.context.version = (enum focus_version) version;
		w.out.size = 0;
		focus_write_header(&w.out, w.context.version);
		write_row();
		w.charge.from_s = w.charge.until_s;
		w.charge.until_s += 3600;
		w.charge.subject = NULL;
		write_row();
		w.charge.is_correction = true; /* of the previous month */
		w.charge.from_s -= 20 * DAY_S;
		w.charge.until_s -= 20 * DAY_S;
		w.charge.quantity = -w.charge.quantity;
		write_row();
		struct strs faults = check();
		if (faults.count)
			fail_msg("%.*s", STR_ARG(faults.at[0]));
		w.charge.is_correction = false;
		w.charge.quantity = -w.charge.quantity;
		w.charge.from_s = w.context.month.from_s;
		w.charge.until_s = w.charge.from_s + DAY_S;
		w.charge.subject = &w.subject;
	}
}

static void values_are_plain_and_exact(void **state)
{
	(void) state;
	write_row();
	struct str row = buf_str(&w.out);
	assert_true(str_starts_with(row, STR("z,0.22580642,d,Default,Domain,EUR,2026-11-01T00:00:00Z,")));
	assert_true(str_contains(row, STR(",0.25806448,0.08,Standard,3.225806,GiB-Months,")));
	assert_true(str_contains(row, STR(",8640000,GiB-Seconds,")));
	assert_true(str_contains(row, STR(",\"a, \"\"b\"\"\",Volume,Storage,Volumes,")));
	assert_true(str_contains(row, STR("\"{\"\"k\"\":\"\"v\"\",\"\"bare\"\":true}\"")));
}

static void columns_are_those_of_their_version(void **state)
{
	(void) state;
	size_t counts[2] = {0};
	for (size_t k = 0; k < focus_column_count; k++)
		for (int version = 0; version < 2; version++)
			counts[version] += focus_columns[k].versions >> version & 1;
	/* Of the 57 and 65 columns, without those for several currencies, split costs and contracts, plus one
	 * of our own. */
	assert_int_equal(counts[FOCUS_1_2], 57 - 4 + 1);
	assert_int_equal(counts[FOCUS_1_4], 65 - 4 - 5 - 1 + 1);
}

static void what_is_wrong_is_found(void **state)
{
	(void) state;
	focus_write_header(&w.out, FOCUS_1_4);
	size_t header = w.out.size;
	write_row();
	write_row();
	expect_fault("row 2: ChargePeriodStart: another row has a part of the same time");
	w.out.size = header;
	w.charge.from_s -= DAY_S;
	write_row();
	expect_fault("row 1: ChargePeriodStart: lies outside of the billing period");
	w.charge.from_s += DAY_S;
	w.out.size = header;
	write_row();
	char *cost = memmem(w.out.p, w.out.size, "0.25806448", 10);
	cost[9] = '9';
	expect_fault("row 1: ListCost: is not price times quantity");
	w.out.size = header;
	w.price.currency = STR_NONE;
	write_row();
	expect_fault("row 1: BillingCurrency: is null, and must not be");
	w.out.size = header;
	w.price.currency = STR("EUR");
	write_row();
	w.out.size -= 5;
	buf_add_char(&w.out, '\n');
	assert_int_equal(check().count, 0); /* only the charge's id is shorter */
	buf_add(&w.out, "a,b\n", 4);
	expect_fault("row 2: line: has another number of fields");
	w.out.p[0] = 'X';
	expect_fault("row 0: header: has not the columns of this version in their order");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_sound),
		TEST(values_are_plain_and_exact),
		TEST(columns_are_those_of_their_version),
		TEST(what_is_wrong_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
