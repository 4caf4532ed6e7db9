/* SPDX-License-Identifier: Apache-2.0
 * CPU models as texts: canonical order, comparison, and the common part of two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/processor.h"

static struct arena *arena;

static void check(struct str text, const char *expected)
{
	assert_string_equal(str_to_z(arena, text), expected);
}

static void test_write(void **state)
{
	(void) state;
	const struct str features[] = {STR("sse4.2"), STR("-rdseed"), STR("aes"), STR("avx2"), STR("avx")};
	struct str cpu = processor_write(arena, STR("EPYC"), STR("AMD"), (struct strs){features, 5});
	check(cpu, "EPYC AMD aes avx avx2 -rdseed sse4.2");
	check(processor_model(cpu), "EPYC");
	check(processor_vendor(cpu), "AMD");
	check(processor_write(arena, STR("kvm64"), STR_NONE, (struct strs){0}), "kvm64 -");
	check(processor_model(STR_NONE), "");
}

static void test_covers(void **state)
{
	static const struct {
		const char *host, *guest, *lacks; /* empty: nothing */
	} cases[] = {
		{"EPYC AMD aes avx", "EPYC AMD aes avx", ""},
		{"EPYC AMD aes avx avx2", "EPYC AMD aes avx", ""},
		{"EPYC AMD aes avx", "EPYC AMD aes avx avx2", "avx2"},
		{"EPYC AMD aes -avx", "EPYC AMD aes avx", "avx"},
		{"EPYC AMD aes", "EPYC AMD aes -avx", ""},
		{"EPYC AMD aes -avx", "Rome AMD aes -avx", ""},
		{"Haswell Intel aes", "EPYC AMD aes", "the vendor AMD"},
		{"Haswell Intel aes", "kvm64 - aes", ""},
		{"EPYC AMD", "EPYC AMD a b c d e f g h", "a, b, c, d, e, f, g, h"},
		{"EPYC AMD", "EPYC AMD a b c d e f g h i j", "a, b, c, d, e, f, g, h and 2 more"},
		{"", "EPYC AMD aes", "the vendor AMD"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct str host = str_from(cases[k].host), guest = str_from(cases[k].guest);
		check(processor_find_lacks(arena, host, guest), cases[k].lacks);
		assert_int_equal(processor_covers(host, guest), cases[k].lacks[0] == '\0');
	}
}

static void test_limit(void **state)
{
	(void) state;
	struct str epyc = STR("EPYC AMD aes avx avx2 -rdseed"),
		   rome = STR("Rome AMD aes -avx avx2 clwb rdseed");
	struct str both = processor_limit(arena, epyc, rome);
	check(both, "EPYC AMD aes -avx avx2 -rdseed");
	assert_true(processor_covers(epyc, both) && processor_covers(rome, both));
	check(processor_limit(arena, rome, epyc), "Rome AMD aes -avx avx2 -clwb -rdseed");
}

static void test_named(void **state)
{
	(void) state;
	assert_false(processor_is_named(STR_NONE));
	assert_false(processor_is_named(STR(PROCESSOR_OF_HOST)));
	assert_true(processor_is_named(STR("Westmere")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_named),
	};
	arena = arena_new(4096, 1 << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
