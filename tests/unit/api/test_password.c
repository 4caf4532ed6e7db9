/* SPDX-License-Identifier: Apache-2.0
 * Passwords in guests' console output, in the format of EC2's agents, and similar text without a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/ec2/compute/password_data.h"
#include "base/arena.h"

static void test_find(void **state)
{
	static const struct {
		const char *log, *password;
	} rows[] = {
		{"", ""},
		{"Booting\r\n", ""},
		{"<Password>\r\nYWJj\r\nZGVm==\r\n</Password>\r\n", "YWJjZGVm=="},
		{"2024/01/01 10:00:00Z: Username: Administrator\r\nPassword: "
		 "<Password>\nYWJj+/0=\n</Password>\nready",
		 "YWJj+/0="},
		{"<Password>b2xk</Password> again <Password>bmV3</Password>", "bmV3"},
		{"<Password>YWJj", ""},  /* not whole yet */
		{"YWJj</Password>", ""}, /* its beginning has gone */
		{"</Password><Password>", ""},
		{"<Password></Password>", ""},
		{"<Password>a&lt;b</Password>", ""}, /* no base64 */
		{"<Password>\x1b[0mYWJj</Password>", ""},
		{"<Password>YWJj</Password><Password>", "YWJj"},
		{"<password>YWJj</password>", ""},
	};
	AUTO(arena) arena = arena_new(64 * 1024, 64 * 1024);
	struct ctx c;
	(void) state;
	ctx_init(&c, arena);
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct str found = STR_NONE;
		assert_true(result_is_ok(ec2_find_password(&c, str_from(rows[k].log), &found)));
		if (!str_is(found, rows[k].password))
			fail_msg("row %zu: \"%.*s\"", k, STR_ARG(found));
	}
}

/* A text longer than any key's ciphertext is not a password. */
static void test_long(void **state)
{
	AUTO(arena) arena = arena_new(64 * 1024, 64 * 1024);
	struct ctx c;
	(void) state;
	ctx_init(&c, arena);
	for (size_t n = 3072; n <= 3073; n++) {
		char *text = arena_alloc(arena, n + 1);
		memset(text, 'A', n);
		text[n] = 0;
		struct str log = str_print(arena, "<Password>%s</Password>", text), found = STR_NONE;
		assert_true(result_is_ok(ec2_find_password(&c, log, &found)));
		assert_int_equal(found.n, n == 3072 ? n : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_long)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
