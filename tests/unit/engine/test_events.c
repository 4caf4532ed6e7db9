/* SPDX-License-Identifier: Apache-2.0
 * Parts of the event bus that need no server: times of schedules, and the text that a target is sent. Patterns are in
 * tests/contract/events/rules.py, and in test_message_filter.c in SNS's dialect. */
#include "base/clock.h"
#include "cloud.h"
#include "engine/events/events_internal.h"

/* ---- schedules ---- */

static void schedules_come(void **state)
{
	static const struct {
		const char *schedule, *after, *next; /* next NULL: none comes */
	} cases[] = {
		{"cron(0 2 * * ? *)", "2026-11-29T01:59:59Z", "2026-11-29T02:00:00Z"},
		{"cron(0 2 * * ? *)", "2026-11-29T02:00:00Z", "2026-11-30T02:00:00Z"},
		{"cron(0/15 * * * ? *)", "2026-11-29T02:15:00Z", "2026-11-29T02:30:00Z"},
		{"cron(15 10 ? * 6L 2022-2027)", "2026-11-29T00:00:00Z", "2026-12-25T10:15:00Z"},
		{"cron(0 8 1 * ? *)", "2026-11-29T00:00:00Z", "2026-12-01T08:00:00Z"},
		{"cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00:00Z", "2026-11-30T18:00:00Z"},
		{"cron(0 10 L * ? *)", "2026-11-30T10:00:00Z", "2026-12-31T10:00:00Z"},
		{"cron(0 10 15W * ? *)", "2026-11-15T00:00:00Z", "2026-11-16T10:00:00Z"},
		{"cron(0 10 1W AUG ? *)", "2026-07-01T00:00:00Z", "2026-08-03T10:00:00Z"},
		{"cron(0 10 LW * ? *)", "2026-10-01T00:00:00Z", "2026-10-30T10:00:00Z"},
		{"cron(0 10 ? * FRI#3 *)", "2026-11-29T00:00:00Z", "2026-12-18T10:00:00Z"},
		{"cron(0 0 29 FEB ? *)", "2026-11-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"cron(0 0 30 FEB ? *)", "2026-11-29T00:00:00Z", NULL},
		{"cron(0 0 1 1 ? 2020)", "2026-11-29T00:00:00Z", NULL},
		{"rate(5 minutes)", "2026-11-29T00:00:00Z", "2026-11-29T00:05:00Z"},
		{"rate(1 day)", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		AUTO(arena) arena = arena_new(1 << 12, 1 << 16);
		struct ctx c = {.arena = arena};
		char text[CLOCK_TEXT_SIZE];
		int64_t after_us = 0;
		assert_true(result_is_ok(clock_parse(str_from(cases[k].after), &after_us)));
		assert_true(result_is_ok(engine_check_event_schedule(&c, str_from(cases[k].schedule))));
		int64_t next_us = event_schedule_next(str_from(cases[k].schedule), after_us, after_us);
		print_message("%s\n", cases[k].schedule);
		if (cases[k].next)
			assert_string_equal(clock_write_s(next_us, text), cases[k].next);
		else
			assert_int_equal(next_us, 0);
	}
}

static void schedules_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"rate()",
		"rate(5 minute)",
		"rate(1 hours)",
		"rate(-1 hours)",
		"rate(5 weeks)",
		"cron(* * * * * *)",
		"cron(0 2 ? * ? *)",
		"cron(0 2 * * ?)",
		"cron(0 24 * * ? *)",
		"cron(0 2 32 * ? *)",
		"cron(0 2 * 13 ? *)",
		"cron(0 2 ? * 8 *)",
		"cron(0 2 * * ? 1969)",
		"cron(0/0 2 * * ? *)",
		"cron(5-1 2 * * ? *)",
		"cron(0 2 ? * 2#6 *)",
		"cron(0 2 * * ? * *)",
		"at(2026-01-01T00:00:00)",
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		AUTO(arena) arena = arena_new(1 << 12, 1 << 16);
		struct ctx c = {.arena = arena};
		print_message("%s\n", cases[k]);
		assert_int_equal(engine_check_event_schedule(&c, str_from(cases[k])).code, ERR_INVALID);
	}
}

/* ---- inputs ---- */

#define EVENT                                                                                                \
	"{\"id\":\"1\",\"resources\":[\"r1\",\"r2\"],\"detail\":{\"a-b\":\"x "                               \
	"\\\"y\\\"\",\"n\":5,\"o\":{\"p\":true},"                                                            \
	"\"c.d\":\"dot\"}}"

static void inputs_are_made(void **state)
{
	static const struct {
		const char *path, *template, *text;
	} cases[] = {
		{NULL, NULL, EVENT},
		{"$", NULL, EVENT},
		{"$.detail.n", NULL, "5"},
		{"$.detail.o", NULL, "{\"p\":true}"},
		{"$.resources[1]", NULL, "\"r2\""},
		{"$.detail['c.d']", NULL, "\"dot\""},
		{"$.detail.none", NULL, ""},
		{"$.resources[7]", NULL, ""},
		{NULL, "{\"v\": <v>, \"w\": \"is <v>\", \"o\": <o>}",
		 "{\"v\": \"x \\\"y\\\"\", \"w\": \"is x \\\"y\\\"\", \"o\": {\"p\":true}}"},
		{NULL, "\"<n> of <o>\"", "\"5 of {\\\"p\\\":true}\""},
		{NULL, "{\"v\": <none>, \"w\": \"is <none>\"}", "{\"v\": \"\", \"w\": \"is \"}"},
		{NULL, "\"<aws.events.rule-name> <\"", "\"rule <\""},
		{NULL, "\"a \\\"<n>\\\"\"", "\"a \\\"5\\\"\""},
	};
	static const struct str paths[] = {{"v", 1}, {"$.detail['a-b']", 15}, {"n", 1}, {"$.detail.n", 10},
					   {"o", 1}, {"$.detail.o", 10}};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		AUTO(arena) arena = arena_new(1 << 12, 1 << 20);
		struct ctx c = {.arena = arena};
		const struct event_rule rule = {.name = STR("rule")};
		const struct event_target target = {.input_path = str_from(cases[k].path),
						    .template = str_from(cases[k].template),
						    .paths = {paths, sizeof paths / sizeof *paths}};
		struct str text = STR_NONE;
		print_message("%s %s\n", cases[k].path ? cases[k].path : "",
			      cases[k].template ? cases[k].template : "");
		assert_true(result_is_ok(event_write_input(&c, NULL, &rule, &target, STR(EVENT), &text)));
		assert_true(str_is(text, cases[k].text));
	}
}

static void paths_are_read(void **state)
{
	static const char *const good[] = {"$", "$.a", "$.a.b-c", "$['a b']", "$.a[0].b", "$[\"x\"][1]"},
				 *const bad[] = {"",       "a",       "$.",   "$a",    "$.a[",
						 "$.a[x]", "$.a[-1]", "$..a", "$.a b", "$.*"};
	(void) state;
	for (size_t k = 0; k < sizeof good / sizeof *good; k++)
		assert_true(event_is_path(str_from(good[k])));
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		print_message("%s\n", bad[k]);
		assert_false(event_is_path(str_from(bad[k])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_come), cmocka_unit_test(schedules_are_refused),
		cmocka_unit_test(inputs_are_made), cmocka_unit_test(paths_are_read)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
