/* SPDX-License-Identifier: Apache-2.0
 * Strings: comparing, cutting, matching, numbers, encodings. */
#include "base/letters.h"
#include "test_base.h"

#include <inttypes.h>
#include <time.h>

static void test_compare(void **state)
{
	(void) state;
	assert_true(str_equal(STR_NONE, STR("")));
	assert_true(str_is(STR("abc"), "abc"));
	assert_false(str_is(STR("abc"), "abcd"));
	assert_true(str_is(STR_NONE, NULL));
	assert_true(str_equal_nocase(STR("aZ@["), STR("Az@[")));
	assert_false(str_equal_nocase(STR("@"), STR("`"))); /* differ by the case bit, are no letters */
	assert_false(str_equal_nocase(STR("\xC4"), STR("\xE4")));
	assert_true(str_compare(STR("a"), STR("b")) < 0);
	assert_true(str_compare(STR("a"), STR("ab")) < 0);
	assert_true(str_compare(STR("\xFF"), STR("a")) > 0);
	assert_int_equal(str_compare(STR_NONE, STR("")), 0);
	assert_true(str_compare(STR("x"), STR_NONE) > 0);
}

static void test_prefix_suffix_contains(void **state)
{
	(void) state;
	assert_true(str_starts_with(STR("i-123"), STR("i-")));
	assert_false(str_starts_with(STR("i"), STR("i-")));
	assert_true(str_starts_with(STR_NONE, STR_NONE));
	assert_true(str_ends_with(STR("a.xml"), STR(".xml")));
	assert_false(str_ends_with(STR("xml"), STR(".xml")));
	assert_true(str_contains(STR("hello"), STR("ell")));
	assert_true(str_contains(STR_NONE, STR_NONE));
	assert_false(str_contains(STR("hello"), STR("elo")));
	assert_false(str_contains(STR("he"), STR("hel")));
}

static void test_alphanumeric(void **state)
{
	(void) state;
	size_t count = 0;
	for (int c = -128; c < 128; c++)
		count += str_is_alphanumeric((char) c);
	assert_int_equal(count, 10 + 26 + 26);
	for (const char *p = "09azAZ"; *p; p++)
		assert_true(str_is_alphanumeric(*p));
	for (const char *p = "/:@[`{_-"; *p; p++)
		assert_false(str_is_alphanumeric(*p));
}

static void test_slice_trim_find(void **state)
{
	(void) state;
	assert_str(str_slice(STR("abcdef"), 2, 4), "cd");
	assert_str(str_slice(STR("abc"), 2, 99), "c");
	assert_str(str_slice(STR("abc"), 5, 9), "");
	assert_str(str_slice(STR("abc"), 2, 1), "");
	assert_str(str_slice(STR_NONE, 0, 1), "");
	assert_str(str_cut(STR("abc"), 2), "ab");
	assert_str(str_cut(STR("abc"), 3), "abc");
	assert_str(str_cut(STR("한국"), 6), "한국");
	assert_str(str_cut(STR("한국"), 5), "한");
	assert_str(str_cut(STR("한국"), 3), "한");
	assert_str(str_cut(STR("한국"), 2), "");
	assert_str(str_cut(STR("\x80\x80\x80"), 2), "");
	assert_str(str_cut(STR_NONE, 0), "");
	assert_str(str_trim(STR(" \t\r\n\v\fa b \n")), "a b");
	assert_str(str_trim(STR("  ")), "");
	assert_str(str_trim(STR_NONE), "");
	assert_int_equal(str_find_char(STR("a.b.c"), '.', 0), 1);
	assert_int_equal(str_find_char(STR("a.b.c"), '.', 2), 3);
	assert_int_equal(str_find_char(STR("a.b.c"), '.', 4), 5);
	assert_int_equal(str_find_char(STR("abc"), 'a', 99), 3);
	assert_int_equal(str_find_char(STR_NONE, 'a', 0), 0);
}

static void check_split(const char *text, const char *expected)
{
	struct str rest = str_from(text), piece;
	char out[64] = "";
	while (str_split_next(&rest, ',', &piece))
		(void) snprintf(out + strlen(out), sizeof out - strlen(out), "<%" STR_FMT ">",
				STR_ARG(piece));
	assert_string_equal(out, expected);
}

static void test_split(void **state)
{
	(void) state;
	check_split("a,,b", "<a><><b>");
	check_split("a", "<a>");
	check_split("", "");
	check_split(",a", "<><a>");
	check_split("a,", "<a>");
	check_split(",", "<>");
}

static void test_parse_int(void **state)
{
	(void) state;
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{"0", 0},
		{"-0", 0},
		{"+7", 7},
		{"007", 7},
		{"-12", -12},
		{"9223372036854775807", INT64_MAX},
		{"1000000", 1000000},
		{"-9223372036854775808", INT64_MIN},
	};
	static const char *const bad[] = {
		"",
		"+",
		"-",
		" 1",
		"1 ",
		"1.0",
		"0x10",
		"--1",
		"+-1",
		"1e3",
		"9223372036854775808",
		"-9223372036854775809",
		"99999999999999999999",
		"१",
	};
	for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
		int64_t value = 55;
		assert_ok(str_parse_int(str_from(good[k].text), &value));
		assert_true(value == good[k].value);
	}
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		int64_t value = 55;
		assert_err(str_parse_int(str_from(bad[k]), &value), INVALID);
		assert_int_equal(value, 55);
	}
	int64_t value = 55;
	assert_err(str_parse_int((struct str){"1\0", 2}, &value), INVALID);
}

static void test_parse_bool(void **state)
{
	(void) state;
	bool value = false;
	assert_ok(str_parse_bool(STR("TrUe"), &value));
	assert_true(value);
	assert_ok(str_parse_bool(STR("FALSE"), &value));
	assert_false(value);
	assert_err(str_parse_bool(STR(""), &value), INVALID);
	assert_err(str_parse_bool(STR("1"), &value), INVALID);
	assert_err(str_parse_bool(STR("true "), &value), INVALID);
}

static void test_utf8(void **state)
{
	(void) state;
	static const char *const good[] = {
		"", "abc", "\x7F", "é", "다리", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "𝄞", "\xEF\xBF\xBF"};
	static const char *const bad[] = {"\x80",
					  "\xC0\x80",
					  "\xC1\xBF",
					  "\xC3",
					  "\xE0\x9F\xBF",
					  "\xED\xA0\x80",
					  "\xED\xBF\xBF",
					  "\xF0\x8F\xBF\xBF",
					  "\xF4\x90\x80\x80",
					  "\xF5\x80\x80\x80",
					  "\xFF",
					  "a\xE2\x82",
					  "\xE2\x28\xA1",
					  "\xF0\x9D\x84"};
	for (size_t k = 0; k < sizeof good / sizeof good[0]; k++)
		assert_true(str_is_utf8(str_from(good[k])));
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_false(str_is_utf8(str_from(bad[k])));
	assert_false(str_is_utf8((struct str){"a\0b", 3}));
}

static void test_xml_text(void **state)
{
	(void) state;
	assert_true(str_is_xml_text(STR("tab\t nl\n cr\r é 𝄞 \x7F")));
	assert_true(str_is_xml_text(STR("\xEF\xBF\xBD")));
	assert_true(str_is_line(STR("a name, é 𝄞")));
	assert_true(str_is_line(STR_NONE));
	static const char *const no_lines[] = {"a\nb",         "a\r",          "\t",   "\x7F", "\xC2\x85",
					       "\xE2\x80\xA8", "\xE2\x80\xA9", "\xC3", "\x01"};
	for (size_t k = 0; k < sizeof no_lines / sizeof no_lines[0]; k++)
		assert_false(str_is_line(str_from(no_lines[k])));
	assert_false(str_is_xml_text(STR("\x01")));
	assert_false(str_is_xml_text(STR("\x1B[0m")));
	assert_false(str_is_xml_text((struct str){"\0", 1}));
	assert_false(str_is_xml_text(STR("\xEF\xBF\xBE")));
	assert_false(str_is_xml_text(STR("\xEF\xBF\xBF")));
	assert_false(str_is_xml_text(STR("\xC3")));
}

static void test_clean(void **state)
{
	static const struct {
		const char *text, *line, *lines;
	} cases[] = {
		{"a name, é 𝄞", "a name, é 𝄞", "a name, é 𝄞"},
		{"a\tb\r\nc", "a?b??c", "a\tb\r\nc"},
		{"\x1B[2J\x7F", "?[2J?", "?[2J?"},
		{"\xC2\x9B"
		 "31m \xE2\x80\xA8",
		 "?31m ?", "?31m ?"},
		{"caf\xE9 \xC3", "caf? ?", "caf? ?"},
	};
	struct arena *a = arena_new(1024, 1 << 20);
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		assert_true(str_is(str_clean(a, str_from(cases[k].text), true), cases[k].line));
		assert_true(str_is(str_clean(a, str_from(cases[k].text), false), cases[k].lines));
	}
	assert_true(str_is(str_clean(a, (struct str){"\0", 1}, false), "?"));
	arena_free(a);
}

static void test_matches(void **state)
{
	(void) state;
	static const struct {
		const char *text, *pattern;
		bool matches;
	} rows[] = {
		{"", "", true},
		{"", "*", true},
		{"", "?", false},
		{"abc", "abc", true},
		{"abc", "ab", false},
		{"ab", "abc", false},
		{"abc", "a*", true},
		{"abc", "*c", true},
		{"abc", "*b*", true},
		{"abc", "a*b", false},
		{"abc", "a?c", true},
		{"abc", "????", false},
		{"aXbXc", "*X*X*", true},
		{"aXbc", "*X*X*", false},
		{"abcabd", "*abd", true},
		{"*", "\\*", true},
		{"x", "\\*", false},
		{"a?", "a\\?", true},
		{"a\\", "a\\\\", true},
		{"a\\", "a\\", true},
		{"ab", "a\\", false},
		{"é", "?", true},
		{"éa", "??", true},
		{"é", "??", false},
		{"다리", "*?리", true},
		{"다리", "*???", false},
		{"A", "a", false},
		{"\xFFz", "?z", true},
		{"mississippi", "m*iss*pi", true},
		{"abc", "***", true},
		{"ab", "b", false},
		{"ec2:RunInstances", "ec2:Run*", true},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (str_matches(str_from(rows[k].text), str_from(rows[k].pattern)) != rows[k].matches)
			fail_msg("\"%s\" against \"%s\"", rows[k].text, rows[k].pattern);
}

/* The classic trap: exponential matchers do not come back from this. */
static void test_matches_without_explosion(void **state)
{
	(void) state;
	enum { LENGTH = 5000, STARS = 30 };
	static char text[LENGTH], pattern[2 * STARS + 1];
	memset(text, 'a', sizeof text);
	for (int k = 0; k < STARS; k++)
		memcpy(pattern + 2 * k, "a*", 2);
	pattern[2 * STARS] = 'b';
	clock_t before = clock();
	assert_false(str_matches((struct str){text, sizeof text}, (struct str){pattern, sizeof pattern}));
	assert_true(clock() - before < 2 * CLOCKS_PER_SEC);
}

static void test_copies(void **state)
{
	struct ctx *c = *state;
	struct arena *a = c->arena;
	char text[] = "abc";
	struct str copy = str_copy(a, str_from(text));
	text[0] = 'X';
	assert_str(copy, "abc");
	assert_int_equal(copy.p[3], 0);
	assert_null(str_copy(a, STR_NONE).p);
	assert_int_equal(str_copy(a, STR("")).n, 0);
	assert_str(str_print(a, "%d-%s", 5, "x"), "5-x");
	const struct str parts[] = {STR("one"), STR_NONE, STR(":"), STR(""), STR("two")};
	assert_str(str_join(a, parts, 5), "one:two");
	assert_int_equal(str_join(a, parts, 0).n, 0);
	assert_str(str_lower(a, STR("AbC-É[")), "abc-É[");
	assert_string_equal(str_to_z(a, str_slice(STR("abcdef"), 1, 3)), "bc");
	assert_string_equal(str_to_z(a, STR_NONE), "");
	for (int width = 250; width < 260; width++) {
		struct str long_one = str_print(a, "%*d", width, 9);
		assert_int_equal(long_one.n, width);
		assert_int_equal(long_one.p[width - 1], '9');
		assert_int_equal(long_one.p[width], 0);
	}
}

static void test_base64_vectors(void **state)
{
	struct ctx *c = *state;
	static const char *const rows[][2] = {{"", ""},
					      {"f", "Zg=="},
					      {"fo", "Zm8="},
					      {"foo", "Zm9v"},
					      {"foob", "Zm9vYg=="},
					      {"fooba", "Zm9vYmE="},
					      {"foobar", "Zm9vYmFy"},
					      {"\xFB\xFF\xFE", "+//+"}};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct str bytes = STR("x");
		assert_str(str_encode_base64(c->arena, str_from(rows[k][0])), rows[k][1]);
		assert_ok(str_decode_base64(c->arena, str_from(rows[k][1]), &bytes));
		assert_str(bytes, rows[k][0]);
		assert_int_equal(bytes.p[bytes.n], 0);
	}
	struct str bytes;
	assert_ok(str_decode_base64(c->arena, STR(" Zm9v\r\n YmE\t= \n"), &bytes));
	assert_str(bytes, "fooba");
}

static void test_base64_malformed(void **state)
{
	struct ctx *c = *state;
	static const char *const bad[] = {
		"Z",        "Zg",    "Zg=",   "Zm8",  "Zg===", "=",    "====", "Z===",
		"Zg==Zg==", "Zm9v=", "Zm8=v", "Zm-_", "Zm9v*", "=Zg=", "Zg=v"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		struct str bytes;
		if (str_decode_base64(c->arena, str_from(bad[k]), &bytes).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
	}
}

static void test_base64_round_trip(void **state)
{
	struct ctx *c = *state;
	char all[256];
	for (int k = 0; k < 256; k++)
		all[k] = (char) k;
	for (size_t n = 0; n <= sizeof all; n++) {
		struct str bytes, text = str_encode_base64(c->arena, (struct str){all, n});
		assert_ok(str_decode_base64(c->arena, text, &bytes));
		assert_true(str_equal(bytes, (struct str){all, n}));
	}
}

static void test_hex(void **state)
{
	struct ctx *c = *state;
	uint8_t out[3] = {9, 9, 9};
	assert_str(str_encode_hex(c->arena, "\x00\xAB\xff", 3), "00abff");
	assert_ok(str_decode_hex(STR("00aBFf"), out, 3));
	assert_memory_equal(out, "\x00\xAB\xff", 3);
	assert_err(str_decode_hex(STR("00aBF"), out, 3), INVALID);
	assert_err(str_decode_hex(STR("00aBFf00"), out, 3), INVALID);
	assert_err(str_decode_hex(STR("1234"), out, 3), INVALID);
	memset(out, 9, sizeof out);
	assert_err(str_decode_hex(STR("11zz22"), out, 3), INVALID);
	assert_memory_equal(out, "\x09\x09\x09", 3); /* nothing half done */
	assert_ok(str_decode_hex(STR_NONE, out, 0));
}

static void test_url(void **state)
{
	struct ctx *c = *state;
	struct str value;
	assert_ok(str_decode_url(c->arena, STR("a+b%20c%2fd%C3%A9"), &value));
	assert_str(value, "a b c/dé");
	assert_ok(str_decode_url(c->arena, STR_NONE, &value));
	assert_str(value, "");
	assert_err(str_decode_url(c->arena, STR("%"), &value), INVALID);
	assert_err(str_decode_url(c->arena, STR("%4"), &value), INVALID);
	assert_err(str_decode_url(c->arena, STR("%4g"), &value), INVALID);
	assert_err(str_decode_url(c->arena, str_slice(STR("%41"), 0, 2), &value), INVALID);
	assert_err(str_decode_url(c->arena, STR("%+1"), &value), INVALID);
	assert_str(str_encode_url(c->arena, STR("aZ0-._~ /é*+"), false), "aZ0-._~%20%2F%C3%A9%2A%2B");
	assert_str(str_encode_url(c->arena, STR("/a b/"), true), "/a%20b/");
}

static void out_of_memory_body(void *data)
{
	struct ctx *c = data;
	AUTO(arena) a = arena_new(16, 1024 * 1024);
	if (!a)
		return;
	struct str text = STR("some text that does not fit into the first block"), out = STR_NONE;
	(void) c;
	struct str copy = str_copy(a, text);
	assert_true(copy.p == NULL || str_equal(copy, text));
	assert_true(copy.p ? copy.n == text.n : copy.n == 0);
	assert_true(str_print(a, "%200d%200d", 1, 2).p || fault_has_fired());
	assert_true(str_lower(a, text).p || fault_has_fired());
	assert_non_null(str_to_z(a, text));
	struct result r = str_decode_base64(a, STR("Zm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9v"), &out);
	assert_true(r.code == ERR_NONE || (r.code == ERR_NO_MEMORY && fault_has_fired()));
	r = str_decode_url(a, text, &out);
	assert_true(r.code == ERR_NONE || (r.code == ERR_NO_MEMORY && fault_has_fired()));
	assert_true(str_encode_base64(a, text).p || fault_has_fired());
	assert_true(str_encode_hex(a, text.p, text.n).p || fault_has_fired());
	assert_true(str_encode_url(a, text, false).p || fault_has_fired());
}

static void test_out_of_memory(void **state)
{
	assert_true(for_each_fault(FAULT_ALLOC, false, out_of_memory_body, *state) > 2);
	assert_true(for_each_fault(FAULT_ALLOC, true, out_of_memory_body, *state) > 2);
}

static void test_letters(void **state)
{
	static const struct {
		const char *text, *lower, *upper;
	} cases[] = {
		{"", "", ""},
		{"aBc-1", "abc-1", "ABC-1"},
		{"\303\211t\303\251", "\303\251t\303\251", "\303\211T\303\211"}, /* Été */
		{"\316\224\316\261", "\316\264\316\261", "\316\224\316\221"},    /* Greek */
		{"\303\237", "\303\237", "\341\272\236"},                        /* sharp s */
		{"a\377B", "a\377b", "A\377B"},                                  /* no UTF-8 */
		{"\360\220\220\200", "\360\220\220\250", "\360\220\220\200"},    /* Deseret: four bytes */
	};
	struct arena *a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct str text = str_from(cases[k].text);
		assert_true(str_equal(str_lower_all(a, text), str_from(cases[k].lower)));
		assert_true(str_equal(str_upper_all(a, text), str_from(cases[k].upper)));
	}
	arena_free(a);
}

static void test_equality_of_letters(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_equal;
	} cases[] = {
		{"", "", true},
		{"Ab-1", "aB-1", true},
		{"\303\211t", "\303\251T", true}, /* Ét */
		{"\303\211", "E", false},
		{"\303\251", "\303\251t", false},
		{"\342\204\252", "k", true}, /* the Kelvin sign: three bytes and one */
		{"a\377", "A\377", true},    /* no UTF-8 */
		{"\377", "\376", false},
		{"\303", "\303\251", false}, /* cut off */
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		assert_int_equal(str_equal_anycase(str_from(cases[k].a), str_from(cases[k].b)),
				 cases[k].is_equal);
		assert_int_equal(str_equal_anycase(str_from(cases[k].b), str_from(cases[k].a)),
				 cases[k].is_equal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality_of_letters),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_prefix_suffix_contains),
		cmocka_unit_test(test_alphanumeric),
		cmocka_unit_test(test_slice_trim_find),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_parse_int),
		cmocka_unit_test(test_parse_bool),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_xml_text),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_matches_without_explosion),
		ctx_test(test_copies),
		ctx_test(test_base64_vectors),
		ctx_test(test_base64_malformed),
		ctx_test(test_base64_round_trip),
		ctx_test(test_hex),
		ctx_test(test_url),
		ctx_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
