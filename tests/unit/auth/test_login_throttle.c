/* SPDX-License-Identifier: Apache-2.0
 * Limits on guessing: by address and by secret, and what a stranger who fills the tables changes for others.
 * The clock is set by the test. */
#include "../base/test_base.h"

#include "auth/sign_in/login_throttle.h"
#include "base/clock.h"
#include "base/log.h"

#define T0 (INT64_C(1700000000) * SECOND)
#define LOCKED_US (5 * MINUTE)
enum { FAILURES_MAX = 5, AN_HOUR = FAILURES_MAX * LOGIN_THROTTLE_TIMES };

static struct login_throttle *guesses_of(struct ctx *c)
{
	struct login_throttle *g = NULL;
	clock_set_us(T0);
	log_set_level(LOG_ERROR);
	assert_ok(login_throttle_new(c, FAILURES_MAX, LOCKED_US, &g));
	return g;
}

static struct login_attempt login_attempt_from(uuid of, const char *address)
{
	struct login_attempt who = {.of = of};
	assert_ok(ip_parse(str_from(address), &who.peer));
	return who;
}

/* The nth of addresses without number. */
static struct login_attempt login_attempt_at(uuid of, uint32_t n)
{
	return (struct login_attempt){.of = of, .peer = ip_from_v4(UINT32_C(0x0a000000) + n)};
}

/* Records a wrong guess; false: the attempt was refused. */
static bool fail_one(struct login_throttle *g, struct login_attempt who)
{
	bool may_try = login_throttle_may_try(g, &who);
	if (may_try)
		login_throttle_note(g, &who, false);
	return may_try;
}

static bool succeed(struct login_throttle *g, struct login_attempt who)
{
	bool may_try = login_throttle_may_try(g, &who);
	if (may_try)
		login_throttle_note(g, &who, true);
	return may_try;
}

/* From so many addresses, each as often as one may; returns how many were taken. */
static int guess_from_many(struct login_throttle *g, uuid of, uint32_t from, uint32_t count)
{
	int taken = 0;
	for (uint32_t k = 0; k < count; k++)
		for (int n = 0; n < FAILURES_MAX; n++)
			taken += fail_one(g, login_attempt_at(of, from + k));
	return taken;
}

/* The stranger's address is locked out after the limit; the user's is not, and other users are not there. */
static void test_address(void **state)
{
	AUTO(login_throttle) g = guesses_of(*state);
	uuid ann = uuid_random(), bob = uuid_random();
	struct login_attempt stranger = login_attempt_from(ann, "192.0.2.1"),
			     own = login_attempt_from(ann, "192.0.2.2");
	for (int k = 0; k < FAILURES_MAX; k++)
		assert_true(fail_one(g, stranger));
	assert_false(login_throttle_may_try(g, &stranger));
	assert_true(login_throttle_may_try(g, &own));
	assert_true(succeed(g, own));
	assert_false(login_throttle_may_try(g, &stranger)); /* another's right one is none of theirs */
	stranger.of = bob;
	assert_true(login_throttle_may_try(g, &stranger));
	stranger.of = ann;
	clock_advance_us(LOCKED_US - 1);
	assert_false(login_throttle_may_try(g, &stranger));
	clock_advance_us(1);
	for (int k = 0; k < FAILURES_MAX - 1; k++)
		assert_true(fail_one(g, stranger));
	assert_true(succeed(g, stranger)); /* and the count starts again */
	for (int k = 0; k < FAILURES_MAX; k++)
		assert_true(fail_one(g, stranger));
	assert_false(login_throttle_may_try(g, &stranger));
	clock_set_us(0);
}

static void test_ipv6_by_network(void **state)
{
	AUTO(login_throttle) g = guesses_of(*state);
	uuid ann = uuid_random();
	for (int k = 0; k < FAILURES_MAX; k++) {
		struct login_attempt one = login_attempt_from(ann, "2001:db8:0:1::");
		one.peer.b[15] = (uint8_t) k;
		one.peer.b[8] = (uint8_t) (k * 3);
		assert_true(fail_one(g, one));
	}
	assert_false(fail_one(g, login_attempt_from(ann, "2001:db8:0:1:ffff::9")));
	assert_true(fail_one(g, login_attempt_from(ann, "2001:db8:0:2::9")));
	clock_set_us(0);
}

/* Guesses at one secret from many addresses are limited to a number an hour, and continue at the rate at
 * which old ones expire. The user is still admitted from addresses used before, and from new addresses only
 * after the guessing stopped. Other users are not affected. */
static void test_secret(void **state)
{
	AUTO(login_throttle) g = guesses_of(*state);
	uuid ann = uuid_random(), bob = uuid_random();
	struct login_attempt own = login_attempt_from(ann, "192.0.2.2"),
			     new = login_attempt_from(ann, "192.0.2.3");
	assert_true(succeed(g, own));
	assert_int_equal(guess_from_many(g, ann, 0, 1000), AN_HOUR);
	assert_false(login_throttle_may_try(g, &new));
	assert_true(succeed(g, own));
	assert_false(login_throttle_may_try(g, &new)); /* which leaves the rest as it was */
	assert_true(succeed(g, login_attempt_at(bob, 0)));
	for (int k = 0; k < FAILURES_MAX; k++) /* nor may a known address guess without end */
		assert_true(fail_one(g, own));
	assert_false(login_throttle_may_try(g, &own));
	clock_advance_us(HOUR / AN_HOUR);
	assert_int_equal(guess_from_many(g, ann, 2000, 1000), 1);
	clock_advance_us(HOUR);
	assert_true(succeed(g, new));
	assert_int_equal(guess_from_many(g, ann, 4000, 1000), AN_HOUR); /* no more than that */
	clock_set_us(0);
}

/* The addresses used last are remembered for each secret. */
static void test_known(void **state)
{
	AUTO(login_throttle) g = guesses_of(*state);
	uuid ann = uuid_random();
	for (uint32_t k = 0; k <= LOGIN_THROTTLE_KNOWN_OF_ONE; k++) {
		clock_advance_us(SECOND);
		assert_true(succeed(g, login_attempt_at(ann, k)));
	}
	for (uint32_t k = 0; k < 2 * LOGIN_THROTTLE_KNOWN; k++) { /* nor does another's push them out */
		clock_advance_us(1);
		assert_true(succeed(g, login_attempt_at(uuid_random(), 0)));
		if (k % (LOGIN_THROTTLE_KNOWN / 2) == 0)
			for (uint32_t n = 1; n <= LOGIN_THROTTLE_KNOWN_OF_ONE; n++)
				assert_true(succeed(g, login_attempt_at(ann, n)));
	}
	assert_int_equal(guess_from_many(g, ann, 1000, 1000), AN_HOUR);
	struct login_attempt oldest = login_attempt_at(ann, 0), next = login_attempt_at(ann, 1);
	assert_false(login_throttle_may_try(g, &oldest));
	assert_true(login_throttle_may_try(g, &next));
	clock_set_us(0);
}

/* A stranger who fills every table with guesses at others gets no guess more at whom they were after, and
 * locks nobody. */
static void test_full_tables(void **state)
{
	AUTO(login_throttle) g = guesses_of(*state);
	uuid ann = uuid_random(), bob = uuid_random();
	assert_int_equal(guess_from_many(g, ann, 0, 100), AN_HOUR);
	for (uint32_t k = 0; k < 2 * LOGIN_THROTTLE_SECRETS; k++) {
		clock_advance_us(1);
		(void) fail_one(g, login_attempt_at(uuid_random(), k));
	}
	assert_int_equal(guess_from_many(g, ann, 1000, 100), 0);
	for (int k = 0; k < FAILURES_MAX - 1; k++)
		assert_true(fail_one(g, login_attempt_from(bob, "192.0.2.3")));
	assert_true(succeed(g, login_attempt_from(bob, "192.0.2.3")));
	assert_true(succeed(g, login_attempt_at(bob, 0)));
	clock_set_us(0);
}

/* Two secrets that push each other out of a full table have no more guesses than others. */
static void test_forgotten_secret(void **state)
{
	AUTO(login_throttle) g = guesses_of(*state);
	int taken = 0;
	for (int k = 0; k < LOGIN_THROTTLE_SECRETS; k++)
		for (int n = 0; n < FAILURES_MAX; n++)
			assert_true(fail_one(
				g, login_attempt_at((uuid){{1, (uint8_t) k, (uint8_t) (k >> 8)}}, 0)));
	for (uint32_t k = 0; k < 2 * LOGIN_THROTTLE_SECRETS * FAILURES_MAX; k++)
		taken += fail_one(g, login_attempt_at((uuid){{2, (uint8_t) (k % 2)}}, k));
	assert_true(taken <= 2 * AN_HOUR);
	clock_set_us(0);
}

static void test_nobodys(void **state)
{
	struct ctx *c = *state;
	AUTO(login_throttle) g = guesses_of(c);
	for (int k = 0; k < 2 * AN_HOUR; k++)
		assert_true(fail_one(g, login_attempt_at(UUID_NONE, 0)));
	login_throttle_free(g);
	assert_ok(login_throttle_new(c, 0, LOCKED_US, &g));
	uuid ann = uuid_random();
	for (int k = 0; k < 2 * AN_HOUR; k++)
		assert_true(fail_one(g, login_attempt_at(ann, 0)));
	clock_set_us(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_address), ctx_test(test_ipv6_by_network), ctx_test(test_secret),
		ctx_test(test_known),   ctx_test(test_full_tables),     ctx_test(test_forgotten_secret),
		ctx_test(test_nobodys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
