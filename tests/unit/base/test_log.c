/* SPDX-License-Identifier: Apache-2.0
 * The log, read from a pipe in place of standard error. */
#include "test_base.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static char captured[256 * 1024];
static int saved_stderr, reading_end;

static void capture_begin(void)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	(void) close(ends[1]);
	reading_end = ends[0];
}

static struct str capture_end(void)
{
	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	(void) close(saved_stderr);
	size_t n = 0;
	ssize_t got = 0;
	while ((got = read(reading_end, captured + n, sizeof captured - n)) > 0)
		n += (size_t) got;
	(void) close(reading_end);
	return (struct str){captured, n};
}

static int reset(void **state)
{
	(void) state;
	clock_set_us(0);
	log_set_level(LOG_INFO);
	return 0;
}
#define log_test(f) cmocka_unit_test_teardown(f, reset)

/* A blocked reader blocks no writer. After a gap, the next line reports its length. */
static void test_full_pipe(void **state)
{
	(void) state;
	char block[4096];
	clock_set_us(INT64_C(1479204000) * SECOND);
	capture_begin();
	memset(block, 'x', sizeof block);
	assert_true(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK) == 0);
	while (write(STDERR_FILENO, block, sizeof block) > 0)
		continue;
	assert_true(fcntl(STDERR_FILENO, F_SETFL, 0) == 0);
	log_event(LOG_INFO, "first", NULL);
	log_event(LOG_INFO, "second", NULL);
	for (int k = 0; k < 3; k++)
		assert_int_equal(read(reading_end, block, sizeof block), sizeof block);
	log_event(LOG_INFO, "third", NULL);
	static const char end[] = "time=2016-11-15T10:00:00.000Z level=warn event=log-lines-dropped count=2\n"
				  "time=2016-11-15T10:00:00.000Z level=info event=third\n";
	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	(void) close(saved_stderr);
	size_t kept = 0;
	ssize_t got = 0;
	while ((got = read(reading_end, block, sizeof block)) > 0) {
		kept = (size_t) got < sizeof captured ? (size_t) got : sizeof captured;
		memcpy(captured, block, kept);
	}
	(void) close(reading_end);
	assert_true(str_ends_with((struct str){captured, kept}, str_from(end)));
}

static void test_line(void **state)
{
	(void) state;
	clock_set_us(INT64_C(1479204000) * SECOND + 123 * MILLISECOND);
	capture_begin();
	log_event(LOG_INFO, "host-up", "host=%s vcpus=%d", log_quote(STR("hv1")), 8);
	log_event(LOG_ERROR, "bare", "%s", "");
	log_event(LOG_WARN, "none", NULL);
	struct str out = capture_end();
	assert_str(out, "time=2016-11-15T10:00:00.123Z level=info event=host-up host=hv1 vcpus=8\n"
			"time=2016-11-15T10:00:00.123Z level=error event=bare \n"
			"time=2016-11-15T10:00:00.123Z level=warn event=none\n");
}

static void test_levels(void **state)
{
	(void) state;
	capture_begin();
	log_event(LOG_DEBUG, "one", "x=1");
	log_set_level(LOG_DEBUG);
	log_event(LOG_DEBUG, "two", "x=1");
	log_set_level(LOG_ERROR);
	log_event(LOG_WARN, "three", "x=1");
	log_event(LOG_ERROR, "four", "x=1");
	struct str out = capture_end();
	assert_false(str_contains(out, STR("one")));
	assert_true(str_contains(out, STR("level=debug event=two")));
	assert_false(str_contains(out, STR("three")));
	assert_true(str_contains(out, STR("four")));
}

static void test_nobody_forges_a_line(void **state)
{
	(void) state;
	capture_begin();
	log_event(LOG_INFO, "e", "raw=%s", "a\nlevel=error event=forged\x1B[2J");
	struct str out = capture_end();
	assert_int_equal(str_find_char(out, '\n', 0), out.n - 1);
	assert_int_equal(str_find_char(out, '\x1B', 0), out.n);
}

static void test_long_line_is_cut(void **state)
{
	(void) state;
	capture_begin();
	log_event(LOG_INFO, "e", "x=%0*d", 100000, 1);
	struct str out = capture_end();
	assert_true(out.n <= 4096 && out.n > 4000);
	assert_int_equal(out.p[out.n - 1], '\n');
	assert_int_equal(str_find_char(out, '\n', 0), out.n - 1);
}

static void test_quote(void **state)
{
	(void) state;
	assert_string_equal(log_quote(STR("plain-1.x:/")), "plain-1.x:/");
	assert_string_equal(log_quote(STR_NONE), "\"\"");
	assert_string_equal(log_quote(STR("a b")), "\"a b\"");
	assert_string_equal(log_quote(STR("a=b")), "\"a=b\"");
	assert_string_equal(log_quote(STR("say \"x\" \\")), "\"say \\\"x\\\" \\\\\"");
	assert_string_equal(log_quote(STR("\n\t\r\x01\x7F")), "\"\\n\\t\\r\\x01\\x7f\"");
	assert_string_equal(log_quote(STR("다리")), "\"다리\"");
	assert_string_equal(log_quote(STR("\xFF\xC3")), "\"\\xff\\xc3\"");
	assert_string_equal(log_quote(STR("\xC2\x9B")), "\"\\xc2\\x9b\""); /* CSI of some terminals */
}

static void test_quote_slots_and_cut(void **state)
{
	(void) state;
	const char *slots[8];
	for (size_t k = 0; k < 8; k++) {
		char digit = (char) ('0' + k);
		slots[k] = log_quote((struct str){&digit, 1});
	}
	for (size_t k = 0; k < 8; k++)
		assert_int_equal(slots[k][0], '0' + (int) k);
	static char large[5000];
	memset(large, 'a', sizeof large);
	assert_int_equal(strlen(log_quote((struct str){large, 1000})), 1000);
	const char *cut = log_quote((struct str){large, 1001});
	assert_true(strlen(cut) <= 1005 && strlen(cut) > 990);
	assert_string_equal(cut + strlen(cut) - 4, "...\"");
	memset(large, '\x01', sizeof large); /* grows by four */
	cut = log_quote((struct str){large, sizeof large});
	assert_true(strlen(cut) <= 1010);
	for (size_t k = 0; k + 3 <= sizeof large; k += 3)
		memcpy(large + k, "다", 3);
	cut = log_quote((struct str){large, sizeof large - 2});
	assert_true(str_is_utf8(str_from(cut))); /* no half character */
}

static void *log_many(void *data)
{
	for (int k = 0; k < 200; k++)
		log_event(LOG_INFO, "many", "who=%s text=%s", (const char *) data,
			  log_quote(STR("some words to make it longer")));
	return NULL;
}

static void test_threads_do_not_mix(void **state)
{
	(void) state;
	static const char *const names[] = {"aaaa", "bbbb", "cccc", "dddd"};
	pthread_t threads[4];
	capture_begin();
	for (int k = 0; k < 4; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, log_many, (void *) (uintptr_t) names[k]),
				 0);
	for (int k = 0; k < 4; k++)
		assert_int_equal(pthread_join(threads[k], NULL), 0);
	struct str rest = capture_end(), line;
	int lines = 0;
	for (; str_split_next(&rest, '\n', &line); lines++) {
		assert_true(str_starts_with(line, STR("time=")));
		assert_true(str_ends_with(line, STR("text=\"some words to make it longer\"")));
	}
	assert_int_equal(lines, 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(test_line),
		log_test(test_full_pipe),
		log_test(test_levels),
		log_test(test_nobody_forges_a_line),
		log_test(test_long_line_is_cut),
		log_test(test_quote),
		log_test(test_quote_slots_and_cut),
		log_test(test_threads_do_not_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
