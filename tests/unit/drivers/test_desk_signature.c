/* SPDX-License-Identifier: Apache-2.0
 * Signatures of webhooks: the secret's own, of the body as it is, and of now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "drivers/desk_signature.h"

#define SECRET STR("Zq7ExampleOnly5mN8pLk2Xv")
#define BODY STR("{\"event\":\"invoice.issued\"}")

static void a_signature_is_of_its_secret_its_body_and_its_time(void **state)
{
	AUTO(arena) a = arena_new(4096, 1 << 20);
	(void) state;
	/* printf '1700000000.{"event":"invoice.issued"}' | openssl dgst -sha256 -hmac Zq7ExampleOnly5mN8pLk2Xv */
	struct str made = desk_sign(a, SECRET, 1700000000, BODY);
	assert_string_equal(
		made.p, "t=1700000000,v1=b2d1fbe176e4d844745998152683a45c6bcbed60dd621d6b83576f2612a25fd4");
	assert_true(desk_is_signed(a, SECRET, 1700000000, made, BODY));
	assert_true(desk_is_signed(a, SECRET, 1700000300, made, BODY));
	assert_true(desk_is_signed(a, SECRET, 1699999700, made, BODY));
	assert_false(desk_is_signed(a, SECRET, 1700000301, made, BODY));
	assert_false(desk_is_signed(a, SECRET, 1699999699, made, BODY));
	assert_false(desk_is_signed(a, STR("Zq7ExampleOnly5mN8pLk2Xw"), 1700000000, made, BODY));
	assert_false(desk_is_signed(a, SECRET, 1700000000, made, STR("{\"event\":\"invoice.voided\"}")));
}

static void what_is_no_signature_is_none(void **state)
{
	static const char *const headers[] = {"",
					      "t=",
					      "t=1700000000",
					      "t=1700000000,v1=",
					      "v1=00,t=1700000000",
					      "t=1700000000,v1=00",
					      "t=x,v1=00",
					      "t=99999999999999999999,v1=00"};
	AUTO(arena) a = arena_new(4096, 1 << 20);
	(void) state;
	for (size_t k = 0; k < sizeof headers / sizeof *headers; k++)
		assert_false(desk_is_signed(a, SECRET, 1700000000, str_from(headers[k]), BODY));
	struct str made = desk_sign(a, STR_NONE, 1700000000, BODY);
	assert_false(desk_is_signed(a, STR_NONE, 1700000000, made, BODY)); /* no secret, no signature */
	made = desk_sign(a, SECRET, 1700000000, BODY);
	assert_false(desk_is_signed(a, SECRET, 1700000000, str_slice(made, 0, made.n - 1), BODY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_of_its_secret_its_body_and_its_time),
		cmocka_unit_test(what_is_no_signature_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
