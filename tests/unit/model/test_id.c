/* SPDX-License-Identifier: Apache-2.0
 * EC2's ids: writing, reading, and new ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "model/id.h"

static uuid parse(const char *text)
{
	uuid u = UUID_NONE;
	assert_true(result_is_ok(uuid_parse(str_from(text), &u)));
	return u;
}

static void test_write(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	uuid id = parse("ec2a1b2c-3d4e-4f50-8123-456789abcdef");
	char text[EC2_ID_TEXT_SIZE];
	assert_string_equal(id_write_ec2(KIND_INSTANCE, id, text), "i-ec2a1b2c3d4e4f508");
	assert_string_equal(id_to_ec2(a, KIND_ADDRESS, id).p, "eipalloc-ec2a1b2c3d4e4f508");
	assert_string_equal(id_to_prefixed(a, "rtbassoc", id).p, "rtbassoc-ec2a1b2c3d4e4f508");
	struct str cut = id_to_prefixed(a, "a-prefix-that-is-longer-than-any-of-ours", id);
	assert_int_equal(cut.n, EC2_ID_TEXT_SIZE - 1);
}

static void test_parse(void **state)
{
	(void) state;
	struct ref ref = {0};
	struct str text = STR("vol-ec2a1b2c3d4e4f508");
	assert_true(result_is_ok(id_parse_ec2(text, KIND_VOLUME, &ref)));
	assert_int_equal(ref.kind, KIND_VOLUME);
	assert_int_equal(ref.bits, 68);
	assert_true(str_equal(ref.text, text));
	assert_true(uuid_equal(ref.prefix, parse("ec2a1b2c-3d4e-4f50-8000-000000000000")));
	assert_true(result_is_ok(id_parse_prefixed(STR("r-0123456789abcdef0"), "r", &ref)));
	assert_int_equal(ref.kind, KIND_NONE);
	/* The old form is well-formed and refers to no row. */
	assert_true(result_is_ok(id_parse_ec2(STR("vol-ec2a1b2c"), KIND_VOLUME, &ref)));
	assert_int_equal(ref.bits, 128);
	assert_true(uuid_is_none(ref.prefix));
}

static void test_malformed(void **state)
{
	(void) state;
	static const char *const texts[] = {"",
					    "i",
					    "i-",
					    "i-1234567",
					    "i-123456789",
					    "i-0123456789abcdef",
					    "i-0123456789abcdef01",
					    "i-0123456789ABCDEF0",
					    "i-0123456789abcdeg0",
					    "i-0123456789abcde-0",
					    "I-0123456789abcdef0",
					    "vol-0123456789abcdef0",
					    "i_0123456789abcdef0",
					    " i-0123456789abcdef0",
					    "0123456789abcdef0"};
	for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
		struct ref ref = {0};
		assert_int_equal(id_parse_ec2(str_from(texts[n]), KIND_INSTANCE, &ref).code, ERR_MALFORMED);
	}
	/* A kind without ids in EC2 accepts none. */
	struct ref ref = {0};
	assert_int_equal(id_parse_ec2(STR("-0123456789abcdef0"), KIND_HOST, &ref).code, ERR_MALFORMED);
}

static void test_kind_of_ec2(void **state)
{
	(void) state;
	assert_int_equal(id_kind_of_ec2(STR("i-0123456789abcdef0")), KIND_INSTANCE);
	assert_int_equal(id_kind_of_ec2(STR("igw-0")), KIND_GATEWAY);
	assert_int_equal(id_kind_of_ec2(STR("sg-0")), KIND_SECURITY_GROUP);
	assert_int_equal(id_kind_of_ec2(STR("sgr-0")), KIND_SECURITY_GROUP_RULE);
	assert_int_equal(id_kind_of_ec2(STR("sgx-0")), KIND_NONE);
	assert_int_equal(id_kind_of_ec2(STR("-0")), KIND_NONE);
	assert_int_equal(id_kind_of_ec2(STR("")), KIND_NONE);
}

static void test_round_trip_of_every_prefix(void **state)
{
	(void) state;
	for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
		if (!model_kinds[kind].ec2_prefix[0])
			continue;
		uuid id = id_new((enum kind) kind);
		char text[EC2_ID_TEXT_SIZE];
		struct ref ref = {0};
		id_write_ec2((enum kind) kind, id, text);
		assert_int_equal(id_kind_of_ec2(str_from(text)), kind);
		assert_true(result_is_ok(id_parse_ec2(str_from(text), (enum kind) kind, &ref)));
		assert_true(id_has_prefix(id, ref.prefix, ref.bits));
	}
}

static void test_has_prefix(void **state)
{
	(void) state;
	uuid id = parse("ec2a1b2c-3d4e-4f50-8123-456789abcdef");
	for (unsigned bit = 0; bit < 128; bit++) {
		uuid other = id;
		other.b[bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
		for (unsigned bits = 0; bits <= 128; bits++)
			assert_int_equal(id_has_prefix(id, other, bits), bits <= bit);
	}
}

static void test_new(void **state)
{
	(void) state;
	random_set_seed(3);
	for (unsigned n = 0; n < 100; n++) {
		char text[UUID_TEXT_SIZE];
		uuid_write(id_new(n % 2 ? KIND_INSTANCE : KIND_VOLUME), text);
		if (n % 2)
			assert_memory_equal(text, "ec2", 3);
		assert_int_equal(text[14], '4');
		assert_non_null(strchr("89ab", text[19]));
	}
	assert_false(uuid_equal(id_new(KIND_INSTANCE), id_new(KIND_INSTANCE)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_kind_of_ec2),
		cmocka_unit_test(test_round_trip_of_every_prefix),
		cmocka_unit_test(test_has_prefix),
		cmocka_unit_test(test_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
