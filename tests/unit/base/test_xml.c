/* SPDX-License-Identifier: Apache-2.0
 * The XML writer. */
#include "test_base.h"

#include "base/clock.h"
#include "base/xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void done(struct buf *b)
{
	buf_done(b);
}
#define TEST_BUF __attribute__((cleanup(done))) struct buf

static void test_document(void **state)
{
	(void) state;
	TEST_BUF b;
	struct xml x;
	buf_init(&b, 10000);
	xml_begin(&x, &b);
	xml_open_ns(&x, "R", STR("http://x/?a=1&b=\"2\""));
	xml_open(&x, "set");
	xml_text(&x, "a", STR("plain"));
	xml_text(&x, "e", STR_NONE);
	xml_text_opt(&x, "gone", STR_NONE);
	xml_text_opt(&x, "there", STR("1"));
	xml_z(&x, "z", "zed");
	xml_z(&x, "n", NULL);
	xml_empty(&x, "tags");
	xml_bool(&x, "t", true);
	xml_bool(&x, "f", false);
	xml_time_ms(&x, "at", INT64_C(1479204000) * SECOND + 7 * MILLISECOND);
	xml_close(&x, "set");
	xml_close(&x, "R");
	assert_ok(xml_end(&x));
	assert_str(buf_str(&b), HEAD "<R xmlns=\"http://x/?a=1&amp;b=&quot;2&quot;\"><set><a>plain</a><e></e>"
				     "<there>1</there><z>zed</z><n></n><tags/><t>true</t><f>false</f>"
				     "<at>2016-11-15T10:00:00.007Z</at></set></R>");
}

static void check_text(struct str text, const char *expected)
{
	TEST_BUF b;
	buf_init(&b, 10000);
	struct xml x = {.out = &b};
	char whole[200];
	(void) snprintf(whole, sizeof whole, "<t>%s</t>", expected);
	xml_text(&x, "t", text);
	assert_str(buf_str(&b), whole);
}

static void test_escapes(void **state)
{
	(void) state;
	check_text(STR("<&>\"'"), "&lt;&amp;&gt;&quot;'");
	check_text(STR("a<b"), "a&lt;b");
	check_text(STR("]]>"), "]]&gt;");
	check_text(STR("tab\tnl\n"), "tab\tnl\n");
	check_text(STR("cr\r"), "cr&#13;");
	check_text(STR("é다𝄞"), "é다𝄞");
	check_text(STR("\x01\x1F\x7F"), "\xEF\xBF\xBD\xEF\xBF\xBD\x7F");
	check_text((struct str){"a\0b", 3}, "a\xEF\xBF\xBD"
					    "b");
	check_text(STR("bad \xC3( \xFF"), "bad \xEF\xBF\xBD( \xEF\xBF\xBD");
	check_text(STR("cut \xE2\x82"), "cut \xEF\xBF\xBD\xEF\xBF\xBD");
	check_text(STR("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	check_text(STR("\xEF\xBF\xBE\xEF\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
	check_text(STR("&amp;"), "&amp;amp;");
}

static void test_every_byte_alone(void **state)
{
	(void) state;
	for (int k = 0; k < 256; k++) {
		TEST_BUF b;
		char byte = (char) k;
		buf_init(&b, 1000);
		struct xml x = {.out = &b};
		xml_text(&x, "t", (struct str){&byte, 1});
		struct str inner = str_slice(buf_str(&b), 3, b.size - 4);
		assert_true(str_is_xml_text(inner));
		assert_int_equal(str_find_char(inner, '<', 0), inner.n);
	}
}

static void check_int(int64_t value, const char *expected)
{
	TEST_BUF b;
	buf_init(&b, 1000);
	struct xml x = {.out = &b};
	char whole[64];
	(void) snprintf(whole, sizeof whole, "<n>%s</n>", expected);
	xml_int(&x, "n", value);
	assert_str(buf_str(&b), whole);
}

static void test_ints(void **state)
{
	(void) state;
	check_int(0, "0");
	check_int(-1, "-1");
	check_int(1234567890, "1234567890");
	check_int(INT64_MAX, "9223372036854775807");
	check_int(INT64_MIN, "-9223372036854775808");
}

static void test_cap_is_told_at_the_end(void **state)
{
	(void) state;
	TEST_BUF b;
	struct xml x;
	buf_init(&b, 64);
	xml_begin(&x, &b);
	xml_open(&x, "root");
	for (int k = 0; k < 10; k++)
		xml_text(&x, "item", STR("something <here>"));
	xml_close(&x, "root");
	assert_err(xml_end(&x), TOO_LARGE);
	assert_true(b.size <= 64);
}

static void out_of_memory_body(void *data)
{
	(void) data;
	TEST_BUF b;
	struct xml x;
	buf_init(&b, 1 << 20);
	xml_begin(&x, &b);
	xml_open_ns(&x, "root", STR("urn:x"));
	for (int k = 0; k < 1000; k++) {
		xml_text(&x, "item", STR("some & text"));
		xml_int(&x, "n", k);
		xml_empty(&x, "e");
	}
	xml_close(&x, "root");
	if (fault_has_fired())
		assert_err(xml_end(&x), NO_MEMORY);
	else
		assert_ok(xml_end(&x));
}

static void test_out_of_memory(void **state)
{
	(void) state;
	assert_true(for_each_fault(FAULT_ALLOC, false, out_of_memory_body, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_every_byte_alone),
		cmocka_unit_test(test_ints),
		cmocka_unit_test(test_cap_is_told_at_the_end),
		cmocka_unit_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
