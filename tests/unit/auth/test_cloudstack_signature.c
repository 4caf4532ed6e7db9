/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's signatures, compared with values from another implementation (Python's hmac). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/key/cloudstack_signature.h"
#include "base/arena.h"

#define SECRET STR("WGGZcsTzXZvnnLf1jgmp1O-JKBK_9eYdNh7wMZGv")

static const struct pair list_zones[] = {{{"command", 7}, {"listZones", 9}},
					 {{"apiKey", 6}, {"AKIAEXAMPLE", 11}},
					 {{"response", 8}, {"json", 4}}};
static const struct pair disputed[] = {{{"command", 7}, {"listVirtualMachines", 19}},
				       {{"tags[0].key", 11}, {"a*b~c", 5}},
				       {{"tags[0].value", 13}, {"x y", 3}}};

static bool is_right(const struct pair *at, size_t count, const char *signature)
{
	struct arena *a = arena_new(4096, 1 << 20);
	struct ctx c;
	bool ret = false;
	struct pair all[8] = {{STR("Signature"), str_from(signature)}};
	const struct pairs pairs = {all, count + 1};
	memcpy(all + 1, at, count * sizeof *at);
	ctx_init(&c, a);
	assert_true(result_is_ok(cloudstack_check_signature(&c, &pairs, SECRET, &ret)));
	arena_free(a);
	return ret;
}

static void test_plain(void **state)
{
	(void) state;
	assert_true(is_right(list_zones, 3, "hXm1uy9zGlV0lOa42CNczL+QXb0="));
	assert_false(is_right(list_zones, 2, "hXm1uy9zGlV0lOa42CNczL+QXb0="));
	assert_false(is_right(list_zones, 3, ""));
	assert_false(is_right(list_zones, 3, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
}

static void test_disputed_escapes(void **state)
{
	(void) state;
	assert_true(is_right(disputed, 3, "t/7CDwB/2O7+sQTZf/Utcb2j+XY="));
	assert_true(is_right(disputed, 3, "HSNe28J60q17vvbPrPZX4Dz5dS8="));
	assert_true(is_right(disputed, 3, "JAUGr80LyjOqVndnY1CzIf3VwJw="));
	assert_true(is_right(disputed, 3, "DLuPocS74uvm3aJQXgFbsrpLz5Q="));
	assert_false(is_right(disputed, 3, "dl3HUFg3MnWTZ+ILDGTPQpJwmpY="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain),
					   cmocka_unit_test(test_disputed_escapes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
