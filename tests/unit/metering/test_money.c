/* SPDX-License-Identifier: Apache-2.0
 * Exact money: reading, writing, rounding. */
#include "metering/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "metering/month.h"

static void amounts_are_written_plainly(void **state)
{
	(void) state;
	char out[MONEY_TEXT_SIZE];
	assert_string_equal(money_write(0, out), "0");
	assert_string_equal(money_write(money_of(24 * MICRO, 10400), out), "0.2496");
	assert_string_equal(money_write(money_of(3225806, 80000), out), "0.25806448");
	assert_string_equal(money_write(money_of(-2 * MICRO, 10400), out), "-0.0208");
	assert_string_equal(money_write(1, out), "0.000000000001");
	assert_string_equal(money_write(money_of(INT64_MAX, INT64_MAX), out),
			    "85070591730234615847396907.784232501249");
	assert_string_equal(money_write_micro(1500000, out), "1.5");
	assert_string_equal(money_write_micro(-1, out), "-0.000001");
	assert_string_equal(money_write_fixed(money_of(1500000, MICRO), 2, out), "1.50");
	assert_string_equal(money_write_fixed(money_of(1500000, MICRO), 0, out), "2");
	assert_string_equal(money_write_fixed(money_of(-5000, MICRO), 2, out), "0.00");
}

static void rounding_is_half_to_even(void **state)
{
	(void) state;
	static const struct {
		int64_t n, d, rounded;
	} rows[] = {{1, 2, 0},   {3, 2, 2}, {5, 2, 2}, {-1, 2, 0}, {-3, 2, -2},
		    {-5, 2, -2}, {7, 3, 2}, {8, 3, 3}, {-8, 3, -3}};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		assert_true(money_divide(rows[k].n, rows[k].d) == rows[k].rounded);
	assert_int_equal(money_decimals(STR("EUR")), 2);
	assert_int_equal(money_decimals(STR("JPY")), 0);
	assert_int_equal(money_decimals(STR("KWD")), 3);
}

static void prices_are_read_exactly(void **state)
{
	(void) state;
	int64_t value = 0;
	assert_true(result_is_ok(money_parse_micro(STR("0.010400"), &value)));
	assert_int_equal(value, 10400);
	assert_true(result_is_ok(money_parse_micro(STR("12"), &value)));
	assert_int_equal(value, 12 * MICRO);
	static const char *const bad[] = {
		"", "-1", ".5", "1.", "0.0000001", "1e3", "1,5", "9999999999999999", "1.2.3"};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
		assert_false(result_is_ok(money_parse_micro(str_from(bad[k]), &value)));
}

static void months_are_of_utc(void **state)
{
	(void) state;
	struct arena *a = arena_new(4096, 65536);
	struct ctx c;
	struct month m;
	ctx_init(&c, a);
	assert_true(result_is_ok(month_parse(&c, STR("2026-02"), &m)));
	assert_int_equal(m.until_s - m.from_s, 28 * DAY_S);
	assert_true(result_is_ok(month_parse(&c, STR("2028-02"), &m)));
	assert_int_equal(m.until_s - m.from_s, 29 * DAY_S);
	assert_string_equal(month_before(m).text, "2028-01");
	assert_string_equal(month_of(m.until_s).text, "2028-03");
	assert_string_equal(month_before(month_of(month_before(m).from_s)).text, "2027-12");
	assert_false(result_is_ok(month_parse(&c, STR("2026-13"), &m)));
	assert_false(result_is_ok(month_parse(&c, STR("2026-1"), &m)));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_are_written_plainly),
		cmocka_unit_test(rounding_is_half_to_even),
		cmocka_unit_test(prices_are_read_exactly),
		cmocka_unit_test(months_are_of_utc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
