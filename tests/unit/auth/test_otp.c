/* SPDX-License-Identifier: Apache-2.0
 * One-time codes: the examples of RFC 6238's Appendix B (their last six digits), the times at which codes are
 * accepted, and recovery codes. */
#include "../base/test_base.h"

#include "auth/sign_in/otp.h"
#include "base/clock.h"
#include "base/crypto.h"

static const struct str secret = {"12345678901234567890", 20};

static void test_examples_of_the_rfc(void **state)
{
	static const struct {
		int64_t at_s;
		const char *code;
	} rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
		    {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		char code[OTP_DIGITS + 1];
		otp_write_code(secret, rows[k].at_s / OTP_PERIOD_S, code);
		assert_string_equal(code, rows[k].code);
	}
}

static bool takes(int64_t of_period, int64_t at_period, int64_t last)
{
	char code[OTP_DIGITS + 1];
	int64_t found = -1;
	otp_write_code(secret, of_period, code);
	bool taken = otp_check(secret, str_from(code), at_period * OTP_PERIOD_S * SECOND, last, &found);
	assert_int_equal(found, taken ? of_period : -1);
	return taken;
}

static void test_when_it_is_taken(void **state)
{
	int64_t found = 0;
	(void) state;
	assert_true(takes(1000, 1000, 0));
	assert_true(takes(999, 1000, 0));
	assert_true(takes(1001, 1000, 0));
	assert_false(takes(998, 1000, 0));
	assert_false(takes(1002, 1000, 0));
	assert_false(takes(1000, 1000, 1000)); /* used */
	assert_false(takes(999, 1000, 1000));  /* older than the last used code */
	assert_true(takes(1001, 1000, 1000));
	assert_false(otp_check(secret, STR("28708"), 59 * SECOND, 0, &found));
	assert_false(otp_check(secret, STR("2870820"), 59 * SECOND, 0, &found));
	assert_false(otp_check(secret, STR_NONE, 59 * SECOND, 0, &found));
}

static bool finds_pair(int64_t first, int64_t second, int64_t at_period)
{
	char codes[2][OTP_DIGITS + 1];
	int64_t found = -1;
	otp_write_code(secret, first, codes[0]);
	otp_write_code(secret, second, codes[1]);
	bool is_found = otp_find_pair(secret, str_from(codes[0]), str_from(codes[1]),
				      at_period * OTP_PERIOD_S * SECOND, &found);
	assert_int_equal(found, is_found ? second : -1);
	return is_found;
}

static void test_two_codes_tell_a_clock(void **state)
{
	char code[OTP_DIGITS + 1];
	int64_t found = 0;
	(void) state;
	assert_true(finds_pair(999, 1000, 1000));
	assert_true(finds_pair(1000 - OTP_PAIR_DRIFT - 1, 1000 - OTP_PAIR_DRIFT, 1000));
	assert_true(finds_pair(999 + OTP_PAIR_DRIFT, 1000 + OTP_PAIR_DRIFT, 1000));
	assert_false(finds_pair(1000 + OTP_PAIR_DRIFT, 1001 + OTP_PAIR_DRIFT, 1000));
	assert_false(finds_pair(1000, 999, 1000));
	assert_false(finds_pair(998, 1000, 1000));
	otp_write_code(secret, 1020, code);
	assert_false(otp_check(secret, str_from(code), 1000 * OTP_PERIOD_S * SECOND, 0, &found));
	assert_true(otp_check_drifted(secret, str_from(code), 1000 * OTP_PERIOD_S * SECOND, 20, 0, &found));
	otp_write_code(secret, 1001, code); /* the clock was right, and somebody typed slowly */
	assert_true(otp_check_drifted(secret, str_from(code), 1000 * OTP_PERIOD_S * SECOND, -3, 0, &found));
	assert_false(
		otp_check_drifted(secret, str_from(code), 1000 * OTP_PERIOD_S * SECOND, -3, 1001, &found));
}

/* RFC 4648's examples, without their padding. */
static void test_base32(void **state)
{
	struct ctx *c = *state;
	static const char *const rows[][2] = {{"", ""},
					      {"f", "MY"},
					      {"fo", "MZXQ"},
					      {"foo", "MZXW6"},
					      {"foob", "MZXW6YQ"},
					      {"fooba", "MZXW6YTB"},
					      {"foobar", "MZXW6YTBOI"}};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		assert_true(str_is(otp_write_base32(c->arena, str_from(rows[k][0])), rows[k][1]));
	struct str uri = otp_write_uri(c, STR("Dari us-east-1"), STR("ann@x:y"), STR("foo"));
	assert_true(str_is(uri, "otpauth://totp/"
				"Dari%20us-east-1:ann%40x%3Ay?secret=MZXW6&issuer=Dari%20us-east-1&algorithm="
				"SHA1&digits=6&period=30"));
}

static void test_recovery(void **state)
{
	struct ctx *c = *state;
	struct str codes[OTP_RECOVERY_COUNT], digests = STR_NONE;
	assert_ok(otp_draw_recovery(c, codes, &digests));
	assert_int_equal(digests.n, OTP_RECOVERY_COUNT * SHA256_SIZE);
	for (size_t k = 0; k < OTP_RECOVERY_COUNT; k++) {
		struct str digest = otp_digest_recovery(c->arena, codes[k]);
		assert_int_equal(codes[k].n, OTP_RECOVERY_SIZE + 1);
		assert_memory_equal(digest.p, digests.p + k * SHA256_SIZE, SHA256_SIZE);
		for (size_t other = 0; other < k; other++)
			assert_false(str_equal(codes[k], codes[other]));
	}
	struct str plain = otp_digest_recovery(c->arena, STR("ABCDE-23456"));
	assert_true(str_equal(plain, otp_digest_recovery(c->arena, STR("abcde 23456"))));
	assert_null(otp_digest_recovery(c->arena, STR("ABCDE-2345")).p);
	assert_null(otp_digest_recovery(c->arena, STR("ABCDE-234567")).p);
	assert_null(otp_digest_recovery(c->arena, STR("ABCDE-23451")).p);
	assert_null(otp_digest_recovery(c->arena, (struct str){"ABCDE2345\0", 10}).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_examples_of_the_rfc),
		ctx_test(test_when_it_is_taken),
		ctx_test(test_two_codes_tell_a_clock),
		ctx_test(test_base32),
		ctx_test(test_recovery),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
