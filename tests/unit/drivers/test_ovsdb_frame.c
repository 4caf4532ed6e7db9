/* SPDX-License-Identifier: Apache-2.0
 * The framing scanner: all divisions of a stream into two parts, and malformed input. */
#include "../base/test_base.h"

#include <string.h>

#include "drivers/ovsdb/frame.h"

static const char stream[] = "{\"a\":[1,2,\"}]\\\"{\\\\\"],\"b\":{}}  \n[\"x\"]{\"\":\"\\u007d\"}";
static const size_t ends[] = {28, 36, 49};

/* Feeds bytes; notes where messages end. False: refused. */
static bool feed(struct frame *f, size_t from, size_t to, size_t *ret_ends, size_t *count)
{
	while (from < to) {
		size_t used = 0;
		enum frame_state state = frame_feed(f, (struct str){stream + from, to - from}, &used);
		if (state == FRAME_BAD)
			return false;
		from += used;
		if (state == FRAME_WHOLE && *count < 8)
			ret_ends[(*count)++] = from;
	}
	return true;
}

static void test_every_split(void **state)
{
	(void) state;
	size_t n = sizeof stream - 1;
	for (size_t a = 0; a <= n; a++) {
		for (size_t b = a; b <= n; b++) {
			size_t found[8], count = 0;
			struct frame f;
			frame_init(&f, 1000);
			assert_true(feed(&f, 0, a, found, &count) && feed(&f, a, b, found, &count) &&
				    feed(&f, b, n, found, &count));
			assert_int_equal(count, 3);
			assert_memory_equal(found, ends, sizeof ends);
		}
	}
}

static enum frame_state feed_all(const char *text, size_t max_size)
{
	struct frame f;
	size_t used;
	frame_init(&f, max_size);
	return frame_feed(&f, str_from(text), &used);
}

static void test_refusals(void **state)
{
	(void) state;
	char deep[FRAME_MAX_DEPTH + 2];
	memset(deep, '[', sizeof deep);
	deep[sizeof deep - 1] = 0;
	assert_int_equal(feed_all(deep, 1000), FRAME_BAD);
	deep[sizeof deep - 2] = 0;
	assert_int_equal(feed_all(deep, 1000), FRAME_MORE);
	assert_int_equal(feed_all("}", 1000), FRAME_BAD);
	assert_int_equal(feed_all("HTTP/1.1 400", 1000), FRAME_BAD);
	assert_int_equal(feed_all("\"text\"", 1000), FRAME_BAD);
	assert_int_equal(feed_all("{\"a\":1}", 7), FRAME_WHOLE);
	assert_int_equal(feed_all("{\"a\":1}", 6), FRAME_BAD);
	assert_int_equal(feed_all("{\"a\":\"", 1000), FRAME_MORE);
	assert_int_equal(feed_all(" \t\r\n", 3), FRAME_BAD);
	assert_int_equal(feed_all("", 3), FRAME_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_split),
					   cmocka_unit_test(test_refusals)};
	return cmocka_run_group_tests_name("ovsdb_frame", tests, NULL, NULL);
}
