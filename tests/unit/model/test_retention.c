/* SPDX-License-Identifier: Apache-2.0
 * Retention: which backups each rule keeps, also at changes of daylight saving time, at the ends of months and
 * years, and with gaps. The newest one is always kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "model/retention.h"

enum { TIMES_MAX = 64 };

static struct ctx ctx;

static const struct time_zone *zone_of(const char *name)
{
	const struct time_zone *zone = NULL;
	assert_true(result_is_ok(time_zone_load(&ctx, str_from(name), &zone)));
	return zone;
}

/* times: the newest first; keeps: "k" or "-" for each. */
static void check(struct retention rules, const char *zone, const char *keeps, const char *const times[])
{
	int64_t at[TIMES_MAX];
	bool kept[TIMES_MAX];
	size_t count = 0;
	for (; times[count]; count++)
		assert_true(result_is_ok(clock_parse(str_from(times[count]), &at[count])));
	retention_choose(&rules, zone_of(zone), at, count, kept);
	for (size_t k = 0; k < count; k++)
		if (kept[k] != (keeps[k] == 'k'))
			fail_msg("%s of %s: %s", times[k], zone, kept[k] ? "kept" : "not kept");
}
#define CHECK(rules, zone, keeps, ...)                                                                       \
	check((struct retention) rules, (zone), (keeps), (const char *const[]){__VA_ARGS__, NULL})
#define RULES(...)                                                                                           \
	{                                                                                                    \
		__VA_ARGS__                                                                                  \
	}

static void test_last(void **state)
{
	(void) state;
	CHECK(RULES(.last = 2), "UTC", "kk-", "2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z",
	      "2026-03-01T00:00:00Z");
	CHECK(RULES(0), "UTC", "kkk", "2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z");
	CHECK(RULES(.last = 5), "UTC", "k", "2026-03-03T00:00:00Z");
}

/* The newest of each period; rules are independent of each other. */
static void test_periods(void **state)
{
	(void) state;
	CHECK(RULES(.hourly = 2), "UTC", "k-k-", "2026-03-03T02:50:00Z", "2026-03-03T02:00:00Z",
	      "2026-03-03T01:59:59Z", "2026-03-03T00:30:00Z");
	CHECK(RULES(.daily = 2), "UTC", "k-k-", "2026-03-03T23:59:59Z", "2026-03-03T00:00:00Z",
	      "2026-03-02T23:59:59Z", "2026-03-01T12:00:00Z");
	/* Monday the 2nd begins a week */
	CHECK(RULES(.weekly = 2), "UTC", "k-k-", "2026-03-08T10:00:00Z", "2026-03-02T00:00:00Z",
	      "2026-03-01T23:59:59Z", "2026-02-22T10:00:00Z");
	CHECK(RULES(.last = 1, .daily = 1, .monthly = 2), "UTC", "k--k", "2026-03-03T12:00:00Z",
	      "2026-03-03T06:00:00Z", "2026-03-02T06:00:00Z", "2026-02-28T06:00:00Z");
	/* days without a backup do not count */
	CHECK(RULES(.daily = 2), "UTC", "kk-", "2026-03-20T00:00:00Z", "2026-03-03T00:00:00Z",
	      "2026-03-01T00:00:00Z");
}

static void test_ends_of_months(void **state)
{
	(void) state;
	CHECK(RULES(.monthly = 3), "UTC", "kkk-", "2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z",
	      "2024-01-31T23:59:59Z", "2023-12-31T23:59:59Z");
	CHECK(RULES(.yearly = 2), "UTC", "kk-", "2024-01-01T00:00:00Z", "2023-12-31T23:59:59Z",
	      "2022-12-31T00:00:00Z");
	/* already the next month, and the next year, in Seoul */
	CHECK(RULES(.monthly = 2), "Asia/Seoul", "k-k", "2026-01-31T15:30:00Z", "2026-01-31T15:00:00Z",
	      "2026-01-31T14:59:59Z");
	CHECK(RULES(.yearly = 1), "Asia/Seoul", "k-", "2025-12-31T16:00:00Z", "2025-12-31T15:00:00Z");
}

static void test_daylight_saving(void **state)
{
	(void) state;
	/* Berlin, 2026-03-29: 02:00 becomes 03:00; the day has 23 hours */
	CHECK(RULES(.daily = 2), "Europe/Berlin", "k-k-", "2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z",
	      "2026-03-28T22:59:59Z", "2026-03-27T23:00:00Z");
	/* Berlin, 2026-10-25: 03:00 becomes 02:00; both hours from 02:00 on count */
	CHECK(RULES(.hourly = 3), "Europe/Berlin", "kkk-", "2026-10-25T02:30:00Z", "2026-10-25T01:30:00Z",
	      "2026-10-25T00:30:00Z", "2026-10-24T23:30:00Z");
	CHECK(RULES(.daily = 2), "Europe/Berlin", "k-k", "2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z",
	      "2026-10-24T21:59:59Z");
	/* Kolkata is 5:30 ahead: its hours begin at half past */
	CHECK(RULES(.hourly = 2), "Asia/Kolkata", "k-k", "2026-03-03T02:29:59Z", "2026-03-03T01:30:00Z",
	      "2026-03-03T01:29:59Z");
}

/* Pruning after each of many backups, as a plan does, leaves the newest, and no more than the rules' sum. A
 * backup that is kept for a month stays until the month is over. */
static void test_repeated(void **state)
{
	(void) state;
	const struct retention rules = {.last = 3, .hourly = 4, .daily = 7, .weekly = 4, .monthly = 6};
	const struct time_zone *zone = zone_of("America/New_York");
	int64_t at[TIMES_MAX], now_us = 0;
	size_t count = 0, sum = 3 + 4 + 7 + 4 + 6;
	assert_true(result_is_ok(clock_parse(STR("2026-01-01T00:00:00Z"), &now_us)));
	for (int k = 0; k < 24 * 365; k++, now_us += HOUR) {
		bool keeps[TIMES_MAX];
		assert_true(count < TIMES_MAX);
		for (size_t n = count++; n > 0; n--)
			at[n] = at[n - 1];
		at[0] = now_us;
		retention_choose(&rules, zone, at, count, keeps);
		assert_true(keeps[0]);
		size_t kept = 0;
		for (size_t n = 0; n < count; n++)
			if (keeps[n])
				at[kept++] = at[n];
		count = kept;
		assert_true(count <= sum);
	}
	assert_true(count >= 12);
	assert_true(now_us - at[count - 1] > 4 * 30 * 24 * HOUR);
}

static int setup(void **state)
{
	(void) state;
	ctx = (struct ctx){.arena = arena_new(64 * 1024, 16 << 20)};
	return ctx.arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void) state;
	arena_free(ctx.arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last),           cmocka_unit_test(test_periods),
		cmocka_unit_test(test_ends_of_months), cmocka_unit_test(test_daylight_saving),
		cmocka_unit_test(test_repeated),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
