/* SPDX-License-Identifier: Apache-2.0
 * The JSON writer. */
#include "test_base.h"

#include "base/json_write.h"

static void done(struct buf *b)
{
	buf_done(b);
}
#define TEST_BUF __attribute__((cleanup(done))) struct buf

static void test_document(void **state)
{
	(void) state;
	TEST_BUF b;
	struct json_writer w;
	buf_init(&b, 10000);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	json_write_text(&w, "a", STR("plain"));
	json_write_text_or_null(&w, "e", STR_NONE);
	json_write_z(&w, "z", "zed");
	json_write_z(&w, "n", NULL);
	json_write_open_list(&w, "l");
	json_write_int(&w, NULL, -7);
	json_write_int(&w, NULL, INT64_MIN);
	json_write_open(&w, NULL);
	json_write_close(&w);
	json_write_real(&w, NULL, 1.5);
	json_write_close_list(&w);
	json_write_open(&w, "o");
	json_write_key(&w, STR("a \"key\""));
	json_write_text(&w, NULL, STR("v"));
	json_write_key(&w, STR("b"));
	json_write_open_list(&w, NULL);
	json_write_close_list(&w);
	json_write_bool(&w, "t", true);
	json_write_close(&w);
	json_write_bool(&w, "f", false);
	json_write_raw(&w, "r", STR("{\"x\":[1]}"));
	json_write_null(&w, "last");
	json_write_close(&w);
	assert_ok(json_write_end(&w));
	assert_str(buf_str(&b),
		   "{\"a\":\"plain\",\"e\":null,\"z\":\"zed\",\"n\":null,"
		   "\"l\":[-7,-9223372036854775808,{},1.5],"
		   "\"o\":{\"a \\\"key\\\"\":\"v\",\"b\":[],\"t\":true},\"f\":false,\"r\":{\"x\":[1]},"
		   "\"last\":null}");
}

static void check_text(struct str text, const char *expected)
{
	TEST_BUF b;
	struct json_writer w;
	buf_init(&b, 10000);
	json_write_begin(&w, &b);
	json_write_text(&w, NULL, text);
	assert_ok(json_write_end(&w));
	assert_str(buf_str(&b), expected);
}

static void test_escapes(void **state)
{
	(void) state;
	check_text(STR(""), "\"\"");
	check_text(STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
	check_text(STR("tab\tnl\n\x01\x7f"), "\"tab\\u0009nl\\n\\u0001\\u007f\"");
	check_text(STR("\xED\x95\x9C\xF0\x9F\x98\x80"), "\"\xED\x95\x9C\xF0\x9F\x98\x80\"");
	check_text(STR("a\xFF"
		       "b\xC3"),
		   "\"a\xEF\xBF\xBD"
		   "b\xEF\xBF\xBD\"");
	check_text((struct str){"a\0b", 3}, "\"a\\u0000b\"");
}

static void test_full_buffer(void **state)
{
	(void) state;
	TEST_BUF b;
	struct json_writer w;
	buf_init(&b, 16);
	json_write_begin(&w, &b);
	json_write_open_list(&w, NULL);
	for (int k = 0; k < 100; k++)
		json_write_z(&w, NULL, "more");
	json_write_close_list(&w);
	assert_int_equal(json_write_end(&w).code, ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_full_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
