/* SPDX-License-Identifier: Apache-2.0
 * The growing output buffer. */
#include "test_base.h"

#include "base/buf.h"

static void done(struct buf *b)
{
	buf_done(b);
}
#define TEST_BUF __attribute__((cleanup(done))) struct buf

static void test_adds_in_order(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, 1000);
	buf_add(&b, "abc", 3);
	buf_add_char(&b, 'd');
	buf_add_str(&b, STR("ef"));
	buf_add_str(&b, STR_NONE);
	buf_print(&b, "-%d-%s", 42, "x");
	assert_ok(buf_finish(&b));
	assert_str(buf_str(&b), "abcdef-42-x");
}

static void test_grows_far(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, BUF_ANSWER_CAP);
	for (int k = 0; k < 100000; k++)
		buf_print(&b, "%06d", k);
	assert_ok(buf_finish(&b));
	assert_int_equal(b.size, 600000);
	for (int k = 0; k < 100000; k += 997) {
		char expected[16];
		(void) snprintf(expected, sizeof expected, "%06d", k);
		assert_memory_equal(b.p + 6 * k, expected, 6);
	}
}

static void test_long_print(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, 2000);
	for (int width = 250; width < 260; width++) { /* around the size of its first try */
		b.size = 0;
		buf_print(&b, "%*d|", width, 7);
		assert_int_equal(b.size, width + 1);
		assert_int_equal(b.p[width - 1], '7');
		assert_int_equal(b.p[width], '|');
	}
	assert_ok(buf_finish(&b));
}

static void test_cap_is_exact(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, 10);
	buf_add(&b, "0123456789", 10);
	assert_ok(buf_finish(&b));
	assert_true(buf_reserve(&b, 0));
	buf_add_char(&b, 'x');
	assert_err(buf_finish(&b), TOO_LARGE);
	assert_int_equal(b.size, 10);
}

static void test_print_fills_the_cap(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, 300);
	buf_print(&b, "%300d", 1); /* no room for vsnprintf's NUL */
	assert_ok(buf_finish(&b));
	assert_int_equal(b.size, 300);
	buf_print(&b, "%s", "x");
	assert_err(buf_finish(&b), TOO_LARGE);
}

static void test_failure_is_sticky(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, 5);
	buf_add(&b, "ab", 2);
	buf_add(&b, "too long", 8);
	buf_add(&b, "c", 1); /* would fit: but a hole in an answer is worse than none */
	buf_print(&b, "d");
	assert_false(buf_reserve(&b, 1));
	assert_str(buf_str(&b), "ab");
	assert_err(buf_finish(&b), TOO_LARGE);
}

static void test_sizes_overflow(void **state)
{
	(void) state;
	TEST_BUF b;
	buf_init(&b, SIZE_MAX);
	buf_add_char(&b, 'a');
	assert_false(buf_reserve(&b, SIZE_MAX));
	assert_err(buf_finish(&b), TOO_LARGE);
}

static void out_of_memory_body(void *data)
{
	(void) data;
	TEST_BUF b;
	buf_init(&b, 1 << 20);
	size_t added = 0;
	for (int k = 0; k < 100; k++) {
		buf_print(&b, "%300d", k);
		added += b.failed ? 0 : 300;
	}
	assert_int_equal(b.size, added);
	if (fault_has_fired())
		assert_err(buf_finish(&b), NO_MEMORY);
	else
		assert_ok(buf_finish(&b));
}

static void test_out_of_memory(void **state)
{
	(void) state;
	assert_true(for_each_fault(FAULT_ALLOC, false, out_of_memory_body, NULL) > 100);
}

static void test_done_twice(void **state)
{
	(void) state;
	struct buf b;
	buf_init(&b, 100);
	buf_add(&b, "abc", 3);
	buf_done(&b);
	buf_done(&b);
	assert_int_equal(buf_str(&b).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adds_in_order),       cmocka_unit_test(test_grows_far),
		cmocka_unit_test(test_long_print),          cmocka_unit_test(test_cap_is_exact),
		cmocka_unit_test(test_print_fills_the_cap), cmocka_unit_test(test_failure_is_sticky),
		cmocka_unit_test(test_sizes_overflow),      cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_done_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
