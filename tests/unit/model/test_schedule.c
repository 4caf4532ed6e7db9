/* SPDX-License-Identifier: Apache-2.0
 * Schedules: validation, and the next time, also on days with a change of daylight saving time and at the
 * ends of months. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/schedule.h"

#define HOURLY SNAPSHOT_POLICY_INTERVAL_HOURLY
#define DAILY SNAPSHOT_POLICY_INTERVAL_DAILY
#define WEEKLY SNAPSHOT_POLICY_INTERVAL_WEEKLY
#define MONTHLY SNAPSHOT_POLICY_INTERVAL_MONTHLY

static struct ctx ctx;

/* From `after` on it comes at each of these times and at no other. */
static void check(enum snapshot_policy_interval interval, const char *schedule, const char *name,
		  const char *after, const char *const times[])
{
	const struct time_zone *zone = NULL;
	struct schedule s;
	int64_t at_us = 0;
	assert_true(result_is_ok(time_zone_load(&ctx, str_from(name), &zone)));
	assert_true(result_is_ok(schedule_read(interval, str_from(schedule), &s)));
	assert_true(result_is_ok(clock_parse(str_from(after), &at_us)));
	for (size_t k = 0; times[k]; k++) {
		char text[CLOCK_TEXT_SIZE];
		at_us = schedule_next_us(&s, zone, at_us);
		assert_string_equal(clock_write_s(at_us, text), times[k]);
	}
}
#define CHECK(interval, schedule, zone, after, ...)                                                          \
	check((interval), (schedule), (zone), (after), (const char *const[]){__VA_ARGS__, NULL})

static void test_read(void **state)
{
	(void) state;
	const struct {
		enum snapshot_policy_interval interval;
		const char *text;
		bool is_right;
	} cases[] = {
		{HOURLY, "0", true},        {HOURLY, "59", true},      {HOURLY, "60", false},
		{HOURLY, "", false},        {HOURLY, "-1", false},     {HOURLY, "1:2", false},
		{DAILY, "00:23", true},     {DAILY, "5", false},       {DAILY, "5:24", false},
		{DAILY, "5:1:1", false},    {WEEKLY, "05:01:7", true}, {WEEKLY, "5:1:8", false},
		{WEEKLY, "5:1:0", false},   {WEEKLY, "5:1", false},    {MONTHLY, "5:1:28", true},
		{MONTHLY, "5:1:29", false}, {MONTHLY, "x:1:1", false}, {MONTHLY, "1::1", false},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct schedule s;
		bool is_right = result_is_ok(schedule_read(cases[k].interval, str_from(cases[k].text), &s));
		assert_int_equal(is_right, cases[k].is_right);
	}
}

static void test_hourly(void **state)
{
	(void) state;
	CHECK(HOURLY, "30", "UTC", "2024-02-28T23:29:59Z", "2024-02-28T23:30:00Z", "2024-02-29T00:30:00Z");
	CHECK(HOURLY, "0", "UTC", "2024-02-28T23:00:00Z", "2024-02-29T00:00:00Z");
	/* by clocks that are half an hour off */
	CHECK(HOURLY, "0", "Asia/Kolkata", "2024-02-28T23:00:00Z", "2024-02-28T23:30:00Z");
	/* each hour, also of those that are shown twice, or that no clock shows */
	CHECK(HOURLY, "30", "Europe/Berlin", "2024-10-27T00:00:00Z", "2024-10-27T00:30:00Z",
	      "2024-10-27T01:30:00Z", "2024-10-27T02:30:00Z");
	CHECK(HOURLY, "30", "Europe/Berlin", "2024-03-31T00:00:00Z", "2024-03-31T00:30:00Z",
	      "2024-03-31T01:30:00Z");
	/* clocks that are set by half an hour */
	CHECK(HOURLY, "0", "Australia/Lord_Howe", "2024-04-06T14:00:00Z", "2024-04-06T15:30:00Z",
	      "2024-04-06T16:30:00Z");
}

static void test_daily(void **state)
{
	(void) state;
	CHECK(DAILY, "15:02", "UTC", "2024-12-31T02:15:00Z", "2025-01-01T02:15:00Z");
	CHECK(DAILY, "00:12", "Europe/Berlin", "2024-03-30T00:00:00Z", "2024-03-30T11:00:00Z",
	      "2024-03-31T10:00:00Z", "2024-04-01T10:00:00Z");
	/* once, on the day that skips the time and on the day that has it twice */
	CHECK(DAILY, "30:02", "Europe/Berlin", "2024-03-30T00:00:00Z", "2024-03-30T01:30:00Z",
	      "2024-03-31T01:30:00Z", "2024-04-01T00:30:00Z");
	CHECK(DAILY, "30:02", "Europe/Berlin", "2024-10-26T00:00:00Z", "2024-10-26T00:30:00Z",
	      "2024-10-27T01:30:00Z", "2024-10-28T01:30:00Z");
	/* the day there is not the day of UTC */
	CHECK(DAILY, "00:08", "Pacific/Kiritimati", "2024-01-01T12:00:00Z", "2024-01-01T18:00:00Z");
	CHECK(DAILY, "00:20", "Pacific/Pago_Pago", "2024-01-01T12:00:00Z", "2024-01-02T07:00:00Z");
}

static void test_weekly(void **state)
{
	(void) state;
	CHECK(WEEKLY, "0:0:1", "UTC", "2024-02-24T12:00:00Z", "2024-02-25T00:00:00Z", "2024-03-03T00:00:00Z");
	CHECK(WEEKLY, "0:0:7", "UTC", "2024-02-24T00:00:00Z", "2024-03-02T00:00:00Z");
	CHECK(WEEKLY, "30:22:7", "America/New_York", "2024-03-09T00:00:00Z", "2024-03-10T03:30:00Z",
	      "2024-03-17T02:30:00Z");
}

static void test_monthly(void **state)
{
	(void) state;
	CHECK(MONTHLY, "0:0:28", "UTC", "2024-01-28T00:00:00Z", "2024-02-28T00:00:00Z",
	      "2024-03-28T00:00:00Z");
	CHECK(MONTHLY, "0:0:1", "UTC", "2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z",
	      "2024-03-01T00:00:00Z");
	CHECK(MONTHLY, "0:0:1", "Asia/Tokyo", "2024-02-29T14:59:59Z", "2024-02-29T15:00:00Z",
	      "2024-03-31T15:00:00Z");
	CHECK(MONTHLY, "59:23:28", "UTC", "2024-12-29T00:00:00Z", "2025-01-28T23:59:00Z");
}

static void check_cron(const char *text, const char *name, const char *after, const char *const times[])
{
	const struct time_zone *zone = NULL;
	struct schedule s;
	int64_t at_us = 0;
	assert_true(result_is_ok(time_zone_load(&ctx, str_from(name), &zone)));
	assert_true(result_is_ok(schedule_read_cron(str_from(text), &s)));
	assert_true(result_is_ok(clock_parse(str_from(after), &at_us)));
	for (size_t k = 0; times[k]; k++) {
		char found[CLOCK_TEXT_SIZE];
		at_us = schedule_next_us(&s, zone, at_us);
		assert_string_equal(clock_write_s(at_us, found), times[k]);
	}
}
#define CHECK_CRON(text, zone, after, ...)                                                                   \
	check_cron((text), (zone), (after), (const char *const[]){__VA_ARGS__, NULL})

static void test_cron(void **state)
{
	(void) state;
	CHECK_CRON("30 2 * * *", "UTC", "2026-12-31T02:30:00Z", "2027-01-01T02:30:00Z",
		   "2027-01-02T02:30:00Z");
	CHECK_CRON("*/20 9-10 * * 1-5", "UTC", "2026-11-27T10:30:00Z", "2026-11-27T10:40:00Z",
		   "2026-11-30T09:00:00Z", "2026-11-30T09:20:00Z");
	CHECK_CRON("0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z",
		   "2026-05-31T00:00:00Z");
	CHECK_CRON("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z");
	CHECK_CRON("0 12 1 * 7", "UTC", "2026-11-28T12:00:00Z", "2026-11-29T12:00:00Z",
		   "2026-12-01T12:00:00Z", "2026-12-06T12:00:00Z"); /* a day of either */
	CHECK_CRON("5,10 0 1 1,7 *", "UTC", "2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z",
		   "2026-07-01T00:05:00Z");
	/* Berlin: 02:30 does not exist on 2026-03-29, and exists twice on 2026-10-25 */
	CHECK_CRON("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z",
		   "2026-03-30T00:30:00Z");
	CHECK_CRON("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T01:30:00Z",
		   "2026-10-26T01:30:00Z");
	static const char *const wrong[] = {
		"",           "* * * *",    "* * * * * *", "60 * * * *",  "* 24 * * *",   "* * 0 * *",
		"* * 32 * *", "* * * 13 *", "* * * * 8",   "*/0 * * * *", "5-1 * * *",    "a * * * *",
		"0 0 30 2 *", "1- * * * *", "* *  * *",    "-1 * * * *",  "1,,2 * * * *", "1/2/3 * * * *"};
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		struct schedule s;
		if (result_is_ok(schedule_read_cron(str_from(wrong[k]), &s)))
			fail_msg("\"%s\" is taken", wrong[k]);
	}
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
		cmocka_unit_test(test_read),   cmocka_unit_test(test_hourly),  cmocka_unit_test(test_daily),
		cmocka_unit_test(test_weekly), cmocka_unit_test(test_monthly), cmocka_unit_test(test_cron),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
