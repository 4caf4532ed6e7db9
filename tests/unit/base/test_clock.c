/* SPDX-License-Identifier: Apache-2.0
 * The clock and its text formats. Dates are compared with the system's gmtime. */
#include "test_base.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

static int thaw(void **state)
{
	(void) state;
	clock_set_us(0);
	return 0;
}
#define clock_test(f) cmocka_unit_test_teardown(f, thaw)

static void test_runs(void **state)
{
	(void) state;
	assert_false(clock_is_frozen());
	int64_t before_s = time(NULL), wall = clock_now_us(), steady = clock_monotonic_us();
	assert_true(wall / SECOND >= before_s && wall / SECOND <= time(NULL) + 1); /* time() lags by a tick */
	struct timespec pause = {.tv_nsec = 3000000};
	(void) nanosleep(&pause, NULL);
	assert_true(clock_monotonic_us() - steady >= 3000);
}

static void test_freezes_and_moves(void **state)
{
	(void) state;
	clock_set_us(5 * SECOND);
	assert_true(clock_is_frozen());
	assert_true(clock_now_us() == 5 * SECOND);
	assert_true(clock_monotonic_us() == 5 * SECOND);
	clock_advance_us(HOUR);
	assert_true(clock_now_us() == 5 * SECOND + HOUR);
	clock_set_us(0);
	assert_true(clock_now_us() > INT64_C(1000000000) * SECOND);
	int64_t before = clock_now_us();
	clock_advance_us(HOUR); /* freezes a running one */
	assert_true(clock_is_frozen());
	assert_true(clock_now_us() >= before + HOUR && clock_now_us() < before + 2 * HOUR);
}

static void test_steady(void **state)
{
	(void) state;
	int64_t before = clock_steady_us();
	assert_true(before >= clock_now_us() - SECOND && before <= clock_now_us() + SECOND);
	clock_set_wall_us(-HOUR);
	assert_true(clock_now_us() < before - HOUR + MINUTE);
	assert_true(clock_steady_us() >= before && clock_steady_us() < before + MINUTE * 30);
	clock_set_wall_us(HOUR);
	assert_true(clock_steady_us() >= before + HOUR);
	clock_set_wall_us(0);
	assert_true(clock_steady_us() >= before + HOUR); /* never backwards */
	clock_set_us(5 * SECOND);
	assert_true(clock_steady_us() == 5 * SECOND);
}

static void test_sleeps(void **state)
{
	(void) state;
	int64_t before = clock_system_us();
	clock_sleep_us(3 * MILLISECOND);
	assert_true(clock_system_us() - before >= 3 * MILLISECOND);
	clock_set_us(5 * SECOND);
	before = clock_system_us();
	clock_sleep_us(HOUR);
	clock_sleep_us(0);
	clock_sleep_us(-1);
	assert_true(clock_now_us() == 5 * SECOND + HOUR);
	assert_true(clock_system_us() - before < MINUTE);
}

static void test_writes_known_times(void **state)
{
	(void) state;
	char out[CLOCK_TEXT_SIZE];
	const int64_t t = INT64_C(1479204000) * SECOND; /* date -d 2016-11-15T10:00:00Z +%s */
	assert_string_equal(clock_write_ms(t + 7999, out), "2016-11-15T10:00:00.007Z");
	assert_string_equal(clock_write_s(t + 999999, out), "2016-11-15T10:00:00Z");
	assert_string_equal(clock_write_basic(t, out), "20161115T100000Z");
	assert_string_equal(clock_write_http(INT64_C(784111777) * SECOND, out),
			    "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(clock_write_ms(0, out), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_write_ms(-1, out), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_write_http(-1, out), "Wed, 31 Dec 1969 23:59:59 GMT");
	assert_string_equal(clock_write_s(INT64_MIN, out), "0000-01-01T00:00:00Z");
	assert_string_equal(clock_write_ms(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
}

/* Every 11 hours or so over three centuries, and the ends of each month among them. */
static void test_agrees_with_gmtime(void **state)
{
	(void) state;
	for (int64_t s = INT64_C(-4000000000); s < INT64_C(6000000000); s += 39877) {
		char ours[CLOCK_TEXT_SIZE], theirs[64];
		time_t t = (time_t) s;
		struct tm tm;
		int64_t back = 0;
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_string_equal(clock_write_s(s * SECOND, ours), theirs);
		assert_ok(clock_parse(str_from(ours), &back));
		assert_true(back == s * SECOND);
		assert_true(strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
		assert_string_equal(clock_write_http(s * SECOND, ours), theirs);
		assert_ok(clock_parse_http(str_from(ours), &back));
		assert_true(back == s * SECOND);
		assert_ok(clock_parse(str_from(clock_write_basic(s * SECOND, ours)), &back));
		assert_true(back == s * SECOND);
	}
}

static void test_parses(void **state)
{
	(void) state;
	const int64_t t = INT64_C(1479204000) * SECOND;
	static const struct {
		const char *text;
		int64_t plus_us;
	} rows[] = {
		{"2016-11-15T10:00:00Z", 0},
		{"2016-11-15T10:00:00", 0},
		{"2016-11-15T10:00:00.5Z", 500000},
		{"2016-11-15T10:00:00.123456", 123456},
		{"2016-11-15T10:00:00.123456999Z", 123456},
		{"2016-11-15T12:00:00+02:00", 0},
		{"2016-11-15T12:00:00+0200", 0},
		{"2016-11-15T12:00:00+02", 0},
		{"2016-11-15T04:30:00-05:30", 0},
		{"2016-11-16T00:30:00.000001+14:30", 1},
		{"20161115T100000Z", 0},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		int64_t back = 0;
		assert_ok(clock_parse(str_from(rows[k].text), &back));
		if (back != t + rows[k].plus_us)
			fail_msg("%s gave %" PRId64, rows[k].text, back);
	}
	int64_t back = 0;
	assert_ok(clock_parse(STR("2024-02-29T23:59:59Z"), &back));
	assert_ok(clock_parse(STR("2000-02-29T00:00:00Z"), &back));
}

static void test_refuses(void **state)
{
	(void) state;
	static const char *const bad[] = {
		"",
		"2016",
		"2016-11-15",
		"2016-11-15 10:00:00",
		"2016-11-15T10:00Z",
		"2016-11-15T10:00:00z",
		"2016-13-01T00:00:00Z",
		"2016-00-01T00:00:00Z",
		"2016-01-00T00:00:00Z",
		"2016-04-31T00:00:00Z",
		"2015-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2016-01-01T24:00:00Z",
		"2016-01-01T00:60:00Z",
		"2016-01-01T00:00:60Z",
		"2016-01-01T00:00:00.Z",
		"2016-01-01T00:00:00+",
		"2016-01-01T00:00:00+1",
		"2016-01-01T00:00:00+24:00",
		"2016-01-01T00:00:00+01:60",
		"2016-01-01T00:00:00+01:0",
		"2016-01-01T00:00:00Zx",
		" 2016-01-01T00:00:00Z",
		"2016-1-01T00:00:00Z",
		"20161115T100000",
		"20161115T10:00:00Z",
		"2016-1115T100000Z",
		"20161115T100000.5Z",
		"-016-01-01T00:00:00Z",
		"2016-01-01T00:00:00+01:",
		"2016-01-01T00:00:00+01:000",
	};
	int64_t kept = 77;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		if (clock_parse(str_from(bad[k]), &kept).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
	static const char *const bad_http[] = {
		"",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Foo, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 25:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
	};
	for (size_t k = 0; k < sizeof bad_http / sizeof bad_http[0]; k++)
		if (clock_parse_http(str_from(bad_http[k]), &kept).code != ERR_INVALID)
			fail_msg("%s was read", bad_http[k]);
	assert_int_equal(kept, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		clock_test(test_runs),
		clock_test(test_freezes_and_moves),
		clock_test(test_steady),
		clock_test(test_sleeps),
		clock_test(test_writes_known_times),
		clock_test(test_agrees_with_gmtime),
		clock_test(test_parses),
		clock_test(test_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
