/* SPDX-License-Identifier: Apache-2.0
 * Tests directory_is_plausible(): when so many people have left at once that a setting is wrong.
 * tests/contract/cross/directory_sign_in.py looks in a real slapd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/directory/directory_sync.h"

static void test_gone_at_once(void **state)
{
	(void) state;
	static const struct {
		size_t all, gone;
		bool is_plausible;
	} rows[] = {
		{0, 0, true},  {1, 1, true},    {2, 1, true},     {2, 2, false},     {5, 3, true},
		{5, 4, false}, {100, 30, true}, {100, 31, false}, {100, 100, false},
	};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		assert_int_equal(directory_is_plausible(rows[k].all, rows[k].gone), rows[k].is_plausible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gone_at_once)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
