/* SPDX-License-Identifier: Apache-2.0
 * Time zones: the system's database, fixed offsets, and invalid names. */
#include "base/clock.h"
#include "base/file.h"
#include "base/time_zone.h"
#include "test_base.h"

static struct ctx ctx;

static const struct time_zone *load(const char *name)
{
	const struct time_zone *zone = NULL;
	assert_true(result_is_ok(time_zone_load(&ctx, str_from(name), &zone)));
	return zone;
}

static int64_t at(const char *text)
{
	int64_t us = 0;
	assert_true(result_is_ok(clock_parse(str_from(text), &us)));
	return us / SECOND;
}

static void check_offset(const char *name, const char *utc, int64_t minutes)
{
	assert_int_equal(time_zone_offset(load(name), at(utc)), minutes * 60);
}

/* local: as if it were UTC. */
static void check_utc(const char *name, const char *local, const char *utc)
{
	assert_int_equal(time_zone_to_utc(load(name), at(local)), at(utc));
}

static void test_offsets(void **state)
{
	(void) state;
	check_offset("UTC", "2024-07-01T00:00:00Z", 0);
	check_offset("Europe/Berlin", "2024-01-01T00:00:00Z", 60);
	check_offset("Europe/Berlin", "2024-03-31T00:59:59Z", 60);
	check_offset("Europe/Berlin", "2024-03-31T01:00:00Z", 120);
	check_offset("Europe/Berlin", "2024-10-27T00:59:59Z", 120);
	check_offset("Europe/Berlin", "2024-10-27T01:00:00Z", 60);
	check_offset("America/New_York", "2024-03-10T06:59:59Z", -300);
	check_offset("America/New_York", "2024-03-10T07:00:00Z", -240);
	check_offset("Asia/Kolkata", "2024-03-10T07:00:00Z", 330);
	check_offset("Australia/Lord_Howe", "2024-01-10T00:00:00Z", 660);
	check_offset("Australia/Lord_Howe", "2024-06-10T00:00:00Z", 630);
	check_offset("Etc/GMT+12", "2024-06-10T00:00:00Z", -720);
	check_offset("GMT+05:30", "2024-06-10T00:00:00Z", 330);
	check_offset("GMT-3", "2024-06-10T00:00:00Z", -180);
	/* by the rule, which has no end; in the south summer comes with the new year */
	check_offset("Europe/Berlin", "2150-07-01T00:00:00Z", 120);
	check_offset("Europe/Berlin", "2150-12-01T00:00:00Z", 60);
	check_offset("Australia/Sydney", "2150-01-01T00:00:00Z", 660);
	check_offset("Australia/Sydney", "2150-07-01T00:00:00Z", 600);
	/* its own noon, till 1893 */
	assert_int_equal(time_zone_offset(load("Europe/Berlin"), at("1880-01-01T00:00:00Z")), 3208);
}

static void test_to_utc(void **state)
{
	(void) state;
	check_utc("Europe/Berlin", "2024-07-01T12:00:00Z", "2024-07-01T10:00:00Z");
	check_utc("Europe/Berlin", "2024-03-31T01:59:59Z", "2024-03-31T00:59:59Z");
	check_utc("Europe/Berlin", "2024-03-31T02:30:00Z", "2024-03-31T01:30:00Z"); /* skipped: 03:30 */
	check_utc("Europe/Berlin", "2024-03-31T03:00:00Z", "2024-03-31T01:00:00Z");
	check_utc("Europe/Berlin", "2024-10-27T01:59:59Z", "2024-10-26T23:59:59Z");
	check_utc("Europe/Berlin", "2024-10-27T02:30:00Z", "2024-10-27T01:30:00Z"); /* the second one */
	check_utc("Europe/Berlin", "2024-10-27T03:00:00Z", "2024-10-27T02:00:00Z");
	check_utc("America/New_York", "2024-03-10T02:30:00Z", "2024-03-10T07:30:00Z");
	check_utc("America/New_York", "2024-11-03T01:30:00Z", "2024-11-03T06:30:00Z");
}

static void test_names(void **state)
{
	(void) state;
	const char *const wrong[] = {
		"",     "Europe", "Europe/",  "../zoneinfo/UTC", "/etc/passwd",  "Europe/Rom", "zone.tab",
		"GMT+", "GMT+24", "GMT+1:60", "GMT+1x",          "Europe//Rome", "Mars/Base 1"};
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		const struct time_zone *zone = NULL;
		struct result result = time_zone_load(&ctx, str_from(wrong[k]), &zone);
		assert_int_equal(result.code, ERR_INVALID);
		assert_null(zone);
	}
}

/* Any part of a file is read, or refused. */
static void test_cut_files(void **state)
{
	(void) state;
	struct str whole;
	assert_true(result_is_ok(file_read(&ctx, "/usr/share/zoneinfo/Europe/Berlin", 1 << 16, &whole)));
	for (size_t size = 0; size < whole.n; size++) {
		const struct time_zone *zone = NULL;
		char *copy = malloc(size + 1); /* for sanitizers, which detect reads past the allocation */
		assert_non_null(copy);
		memcpy(copy, whole.p, size);
		struct result result = time_zone_read(&ctx, (struct str){copy, size}, &zone);
		assert_true(result.code == ERR_INVALID || result_is_ok(result));
		free(copy);
	}
}

static int setup(void **state)
{
	(void) state;
	ctx = (struct ctx){.arena = arena_new(64 * 1024, 64 << 20)};
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
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_to_utc),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cut_files),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
