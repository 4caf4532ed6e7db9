/* SPDX-License-Identifier: Apache-2.0
 * Token buckets, with a clock set by the test. */
#include "../base/test_base.h"

#include "auth/limit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#define T0 (INT64_C(1700000000) * SECOND)

enum { PLACES = 1024 * 8 };

static struct limits *limits_of(struct ctx *c, struct limit reads, struct limit writes,
				struct limit strangers)
{
	struct limits *l = NULL;
	const struct limits_config config = {{reads, writes, strangers}};
	clock_set_us(T0);
	log_set_level(LOG_ERROR);
	assert_ok(limits_new(c, &config, &l));
	return l;
}

static int count_taken(struct limits *l, const struct identity *who, bool writes, int tries)
{
	int taken = 0;
	for (int k = 0; k < tries; k++)
		taken += limits_take(l, who, writes);
	return taken;
}

static void test_bucket(void **state)
{
	AUTO(limits) l =
		limits_of(*state, (struct limit){10, 50}, (struct limit){2, 5}, (struct limit){0, 0});
	const struct identity one = {.account = uuid_random()}, other = {.account = uuid_random()};
	uint64_t refused[LIMIT_KIND_COUNT];
	assert_int_equal(count_taken(l, &one, false, 100), 50); /* the burst */
	assert_int_equal(count_taken(l, &one, true, 100), 5);   /* writes apart */
	assert_int_equal(count_taken(l, &other, false, 10), 10);
	clock_advance_us(99 * MILLISECOND);
	assert_int_equal(count_taken(l, &one, false, 10), 0);
	clock_advance_us(1 * MILLISECOND); /* a tenth of a second: one token */
	assert_int_equal(count_taken(l, &one, false, 10), 1);
	clock_advance_us(3 * SECOND);
	assert_int_equal(count_taken(l, &one, false, 100), 30);
	assert_int_equal(count_taken(l, &one, true, 100), 5); /* six came, five is the most */
	clock_advance_us(HOUR);
	assert_int_equal(count_taken(l, &one, false, 1000), 50); /* it never holds more */
	limits_read_refused(l, refused);
	assert_int_equal(refused[LIMIT_READS], 50 + 10 + 9 + 70 + 950);
	assert_int_equal(refused[LIMIT_WRITES], 95 + 95);
	assert_int_equal(refused[LIMIT_STRANGERS], 0);
}

static void test_none(void **state)
{
	AUTO(limits) l = limits_of(*state, (struct limit){0, 1}, (struct limit){1, 0}, (struct limit){0, 0});
	const struct identity who = {.account = uuid_random()};
	assert_int_equal(count_taken(l, &who, false, 1000), 1000);
	assert_int_equal(count_taken(l, &who, true, 1000), 1); /* a bucket holds one at least */
	assert_true(limits_take_stranger(l, ip_from_v4(1)));
	assert_true(limits_take(NULL, &who, true));
	assert_true(limits_take_stranger(NULL, ip_from_v4(1)));
}

static int count_let_in(struct limits *l, struct ip peer, int tries)
{
	int taken = 0;
	for (int k = 0; k < tries; k++)
		taken += limits_take_stranger(l, peer);
	return taken;
}

static void test_strangers(void **state)
{
	AUTO(limits) l = limits_of(*state, (struct limit){0, 0}, (struct limit){0, 0}, (struct limit){1, 3});
	struct ip v6 = {0}, neighbour = {0}, elsewhere = {0};
	assert_ok(ip_parse(STR("2001:db8:0:1::1"), &v6));
	assert_ok(ip_parse(STR("2001:db8:0:1:ffff::2"), &neighbour));
	assert_ok(ip_parse(STR("2001:db8:0:2::1"), &elsewhere));
	assert_int_equal(count_let_in(l, ip_from_v4(0x0A000001), 9), 3);
	assert_int_equal(count_let_in(l, ip_from_v4(0x0A000002), 9), 3);
	assert_int_equal(count_let_in(l, v6, 2), 2);
	assert_int_equal(count_let_in(l, neighbour, 9), 1); /* one client has the whole /64 */
	assert_int_equal(count_let_in(l, elsewhere, 9), 3);
}

/* However many addresses there are, what is let in is what the table's places hold. */
static void test_many(void **state)
{
	AUTO(limits) l = limits_of(*state, (struct limit){0, 0}, (struct limit){0, 0}, (struct limit){1, 3});
	int first = 0, again = 0;
	for (uint32_t k = 0; k < 10 * PLACES; k++)
		first += count_let_in(l, ip_from_v4(k), 3);
	for (uint32_t k = 0; k < 10 * PLACES; k++)
		again += count_let_in(l, ip_from_v4(k), 3);
	assert_in_range(first, PLACES, 3 * PLACES);
	assert_int_equal(again, 0);
	clock_advance_us(SECOND);
	for (uint32_t k = 0; k < 10 * PLACES; k++)
		again += count_let_in(l, ip_from_v4(k), 3);
	assert_in_range(again, 1, PLACES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_bucket), ctx_test(test_none),
					   ctx_test(test_strangers), ctx_test(test_many)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
