/* SPDX-License-Identifier: Apache-2.0
 * Passwords: right ones, wrong ones, unknown users, and too many guesses. The clock is set by the test. */
#include "../base/test_base.h"

#include "auth/sign_in/password.h"
#include "base/clock.h"
#include "base/log.h"

#define T0 (INT64_C(1700000000) * SECOND)

static struct executor *executor; /* stepped */
static const struct login_attempt nobody;

static struct passwords *passwords_of(struct ctx *c, int64_t failures_max)
{
	struct passwords *p = NULL;
	const struct passwords_config config = {
		.memory_kib = 64, .passes = 1, .failures_max = failures_max, .locked_us = MINUTE};
	clock_set_us(T0);
	log_set_level(LOG_ERROR);
	assert_ok(passwords_new(c, executor, &config, &p));
	return p;
}

static void test_check(void **state)
{
	struct ctx *c = *state;
	AUTO(passwords) p = passwords_of(c, 0);
	struct str one = STR_NONE, two = STR_NONE;
	assert_ok(password_hash(p, c, STR("geheim"), &one));
	assert_ok(password_hash(p, c, STR("geheim"), &two));
	assert_true(str_starts_with(one, STR("$argon2id$v=19$m=64,t=1,p=1$")));
	assert_false(str_equal(one, two)); /* salted */
	assert_int_equal(password_check(p, c, &nobody, one, STR("geheim")), PASSWORD_RIGHT);
	assert_int_equal(password_check(p, c, &nobody, two, STR("geheim")), PASSWORD_RIGHT);
	assert_int_equal(password_check(p, c, &nobody, one, STR("geheim ")), PASSWORD_WRONG);
	assert_int_equal(password_check(p, c, &nobody, one, STR_NONE), PASSWORD_WRONG);
	assert_int_equal(password_check(p, c, &nobody, STR_NONE, STR("geheim")), PASSWORD_WRONG);
	assert_int_equal(password_check(p, c, &nobody, STR("$argon2id$broken"), STR("geheim")),
			 PASSWORD_WRONG);
	assert_err(password_hash(p, c, STR_NONE, &one), INVALID);
	ctx_clear_problem(c);
	char *huge = arena_alloc(c->arena, PASSWORD_SIZE_MAX + 1);
	memset(huge, 'x', PASSWORD_SIZE_MAX + 1);
	assert_err(password_hash(p, c, (struct str){huge, PASSWORD_SIZE_MAX + 1}, &one), INVALID);
	struct str drawn = password_draw(c);
	assert_int_equal(drawn.n, 24);
	assert_false(str_equal(drawn, password_draw(c)));
	clock_set_us(0);
}

/* Each costs a hash, whether the guesser is known, locked or nobody; the right one of a locked guesser does
 * not open. */
static void test_lock(void **state)
{
	struct ctx *c = *state;
	AUTO(passwords) p = passwords_of(c, 3);
	struct str hash = STR_NONE;
	const struct login_attempt ann = {uuid_random(), ip_from_v4(1)}, bob = {uuid_random(), ip_from_v4(1)},
				   ann_elsewhere = {ann.of, ip_from_v4(2)};
	assert_ok(password_hash(p, c, STR("right"), &hash));
	const struct {
		const struct login_attempt *who;
		struct str hash;
		const char *plain;
		enum password_verdict verdict;
	} rows[] = {
		{&ann, hash, "wrong", PASSWORD_WRONG},     {&ann, hash, "wrong", PASSWORD_WRONG},
		{&ann, hash, "right", PASSWORD_RIGHT}, /* the count starts again */
		{&ann, hash, "wrong", PASSWORD_WRONG},     {&ann, hash, "wrong", PASSWORD_WRONG},
		{&ann, hash, "wrong", PASSWORD_WRONG},     {&ann, hash, "right", PASSWORD_LOCKED},
		{&ann, hash, "wrong", PASSWORD_LOCKED},    {&ann_elsewhere, hash, "right", PASSWORD_RIGHT},
		{&bob, hash, "right", PASSWORD_RIGHT},     {&nobody, STR_NONE, "right", PASSWORD_WRONG},
		{&bob, STR_NONE, "right", PASSWORD_WRONG},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		assert_int_equal(password_check(p, c, rows[k].who, rows[k].hash, str_from(rows[k].plain)),
				 rows[k].verdict);
		assert_int_equal(passwords_count_checks(p), k + 1);
	}
	clock_advance_us(MINUTE - 1);
	assert_int_equal(password_check(p, c, &ann, hash, STR("right")),
			 PASSWORD_LOCKED); /* and is no guess */
	clock_advance_us(1);
	assert_int_equal(password_check(p, c, &ann, hash, STR("right")), PASSWORD_RIGHT);
	clock_set_us(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_check), ctx_test(test_lock)};
	executor = executor_new_stepped(1);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	executor_free(executor);
	return failed;
}
