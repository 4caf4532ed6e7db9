/* SPDX-License-Identifier: Apache-2.0
 * Guests' statistics: differences between readings, sums over periods, and their packed text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "reconcile/figures/internal.h"

static uuid id_of(uint8_t number)
{
	uuid id = {.b = {1, 2, 3, 4, 5}};
	id.b[15] = number;
	return id;
}

static void test_between(void **state)
{
	(void) state;
	const struct compute_usage before = {.cpus = 2, .cpu_ns = 1000, .memory = 7, .rx_bytes = 500};
	const struct compute_usage after = {
		.cpus = 2, .cpu_ns = 1000 + 5 * SECOND * 1000, .memory = 9, .rx_bytes = 800};
	struct figure_point p = figure_between(&before, 100 * SECOND, &after, 110 * SECOND);
	assert_int_equal(p.covered_us, 10 * SECOND);
	assert_int_equal(p.at[FIGURE_RX_BYTES], 300);
	assert_int_equal(p.at[FIGURE_MEMORY], 9);
	assert_int_equal(figure_cpu_of(&p), 2500); /* 5 s of 2 × 10 s */
	assert_int_equal(p.least_cpu, 2500);
}

/* A guest that was started anew in between has counted since then. */
static void test_started_anew(void **state)
{
	(void) state;
	const struct compute_usage before = {.cpus = 1, .cpu_ns = 900 * SECOND * 1000, .tx_bytes = 1000};
	const struct compute_usage after = {.cpus = 1, .cpu_ns = SECOND * 1000, .tx_bytes = 20};
	struct figure_point p = figure_between(&before, 0, &after, 10 * SECOND);
	assert_int_equal(p.at[FIGURE_TX_BYTES], 20);
	assert_int_equal(figure_cpu_of(&p), 1000);
}

static void test_never_more_than_all(void **state)
{
	(void) state;
	const struct compute_usage before = {.cpus = 1};
	const struct compute_usage after = {.cpus = 1, .cpu_ns = 11 * SECOND * 1000};
	struct figure_point p = figure_between(&before, 0, &after, 10 * SECOND);
	assert_int_equal(figure_cpu_of(&p), 10000);
}

static void test_sum(void **state)
{
	(void) state;
	struct figure_point sum = {0};
	struct figure_point a = {.from_us = 10,
				 .to_us = 20,
				 .covered_us = 10,
				 .samples = 1,
				 .cpus = 1,
				 .least_cpu = 300,
				 .most_cpu = 300,
				 .at = {[FIGURE_WRITES] = 5, [FIGURE_MEMORY] = 100}};
	struct figure_point b = {.from_us = 20,
				 .to_us = 30,
				 .covered_us = 10,
				 .samples = 1,
				 .cpus = 2,
				 .least_cpu = 100,
				 .most_cpu = 100,
				 .at = {[FIGURE_WRITES] = 7, [FIGURE_MEMORY] = 60}};
	figure_add(&sum, &a);
	figure_add(&sum, &b);
	assert_int_equal(sum.from_us, 10);
	assert_int_equal(sum.to_us, 30);
	assert_int_equal(sum.covered_us, 20);
	assert_int_equal(sum.samples, 2);
	assert_int_equal(sum.cpus, 2);
	assert_int_equal(sum.least_cpu, 100);
	assert_int_equal(sum.most_cpu, 300);
	assert_int_equal(sum.at[FIGURE_WRITES], 12);
	assert_int_equal(sum.at[FIGURE_MEMORY], 60);
}

static void test_pack(void **state)
{
	(void) state;
	struct buf text;
	struct figure_point found = {0};
	const struct figure_point one = {.covered_us = 300 * SECOND,
					 .samples = 30,
					 .cpus = 4,
					 .least_cpu = 1,
					 .most_cpu = 9999,
					 .at = {[FIGURE_CPU_NS] = INT64_MAX / 2,
						[FIGURE_RX_BYTES] = 127,
						[FIGURE_TX_BYTES] = 128,
						[FIGURE_MEMORY] = INT64_C(1) << 40}};
	const struct figure_point other = {.covered_us = 1, .samples = 1, .cpus = 1};
	buf_init(&text, 4096);
	figures_begin_pack(&text);
	figures_pack(&text, id_of(1), &other);
	figures_pack(&text, id_of(2), &one);
	assert_true(figures_unpack(buf_str(&text), id_of(2), &found));
	assert_memory_equal(&found, &one, sizeof one);
	assert_true(figures_unpack(buf_str(&text), id_of(1), &found));
	assert_memory_equal(&found, &other, sizeof other);
	assert_false(figures_unpack(buf_str(&text), id_of(3), &found));
	/* damaged: cut anywhere, of another form, numbers without an end */
	struct str whole = buf_str(&text);
	for (size_t n = 0; n < whole.n; n++)
		assert_false(figures_unpack(str_slice(whole, 0, n), id_of(2), &found));
	assert_false(figures_unpack(STR("\x02 another form"), id_of(2), &found));
	assert_false(
		figures_unpack(STR("\x01 sixteen letters: \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
			       id_of(2), &found));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_started_anew),
		cmocka_unit_test(test_never_more_than_all),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_pack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
