/* SPDX-License-Identifier: Apache-2.0
 * Texts of events: formats and values become sentences and arguments, and texts again. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "store/event.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void) state;
	arena = arena_new(4096, 1 << 20);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void) state;
	arena_free(arena);
	return 0;
}

__attribute__((format(printf, 1, 2))) static struct event_words split(const char *format, ...)
{
	struct event_words words = {0};
	va_list values;
	va_start(values, format);
	assert_true(result_is_ok(event_split(arena, format, values, &words)));
	va_end(values);
	return words;
}

static void assert_renders(struct str sentence, struct str arguments, const char *text)
{
	struct buf made;
	buf_init(&made, 64 * 1024);
	event_render(&made, sentence, arguments);
	assert_true(result_is_ok(buf_finish(&made)));
	assert_true(str_is(buf_str(&made), text));
	buf_done(&made);
}

static void formats_are_split(void **state)
{
	(void) state;
	struct event_words words =
		split("%s, %" STR_FMT ": %d %u %" PRId64 " %" PRIu64 " %lld %llu %zu, 100 %%.", "one",
		      STR_ARG(STR("two")), -3, 4U, INT64_MIN, UINT64_MAX, 7LL, 8ULL, (size_t) 9);
	assert_true(str_is(words.sentence, "{}, {}: {} {} {} {} {} {} {}, 100 %."));
	assert_true(str_is(words.arguments, "one\x1ftwo\x1f-3\x1f"
					    "4\x1f-9223372036854775808\x1f"
					    "18446744073709551615\x1f"
					    "7\x1f"
					    "8\x1f"
					    "9\x1f"));
	assert_renders(words.sentence, words.arguments,
		       "one, two: -3 4 -9223372036854775808 18446744073709551615 7 8 9, 100 %.");
	words = split("Settings were changed.");
	assert_true(str_is(words.sentence, "Settings were changed."));
	assert_int_equal(words.arguments.n, 0);
}

static void values_cannot_end_arguments(void **state)
{
	(void) state;
	struct event_words words = split("%s and %s", "a\x1f{}", "");
	struct str one = STR_NONE, rest = words.arguments;
	assert_true(event_take_argument(&rest, &one) && str_is(one, "a {}"));
	assert_true(event_take_argument(&rest, &one) && str_is(one, ""));
	assert_false(event_take_argument(&rest, &one));
	assert_renders(words.sentence, words.arguments, "a {} and ");
}

/* A long value is cut at a whole character, and values after it are empty places. */
static void long_values_are_cut(void **state)
{
	(void) state;
	char value[EVENT_ARGUMENTS_CAP + 2];
	for (size_t k = 0; k < sizeof value; k += 2)
		memcpy(value + k, "\xc3\xa9", 2);
	struct event_words words = split("%" STR_FMT "%s", (int) sizeof value, value, "more");
	assert_true(words.arguments.n <= EVENT_ARGUMENTS_CAP);
	struct str one = STR_NONE, rest = words.arguments;
	assert_true(event_take_argument(&rest, &one));
	assert_true(str_is_utf8(one) && one.n > EVENT_ARGUMENTS_CAP - 4);
}

/* Events of before arguments are whole sentences; a place without argument stays. */
static void whole_sentences_stay(void **state)
{
	(void) state;
	assert_renders(STR("On host {one}, {}."), STR_NONE, "On host {one}, {}.");
	assert_renders(STR("{"), STR_NONE, "{");
	assert_renders(STR_NONE, STR("unused\x1f"), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(formats_are_split, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_cannot_end_arguments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_values_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whole_sentences_stay, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
