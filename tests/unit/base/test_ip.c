/* SPDX-License-Identifier: Apache-2.0
 * Addresses, blocks, MAC addresses. */
#include "test_base.h"

#include "base/ip.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;
	assert_ok(ip_parse(str_from(text), &ip));
	return ip;
}

static struct cidr cidr_of(const char *text)
{
	struct cidr c;
	assert_ok(cidr_parse(str_from(text), &c));
	return c;
}

static void check_ip_text(struct ip ip, const char *expected)
{
	char text[IP_TEXT_SIZE];
	assert_string_equal(ip_write(ip, text), expected);
}

static void test_parse_and_write(void **state)
{
	(void) state;
	static const char *const rows[][2] = {
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"10.0.100.9", "10.0.100.9"},
		{"::", "::"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* a lone zero group stays */
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* the longest run */
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* the first of two */
		{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
		{"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
		{"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
		{"::1.2.3.4", "::102:304"},
		{"fe80::a00:ff:fe00:1", "fe80::a00:ff:fe00:1"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct ip ip = ip_of(rows[k][0]);
		check_ip_text(ip, rows[k][1]);
		assert_true(ip_equal(ip, ip_of(rows[k][1])));
	}
	check_ip_text((struct ip){0}, "");
}

static void test_parse_refuses(void **state)
{
	(void) state;
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.00",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1..2.3",
		"1.2.3.",
		".1.2.3",
		"0x1.2.3.4",
		"1.2.3.-4",
		"1.2.3.+4",
		"1.2.3.4/24",
		"1.2.3.99999999999",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"::1::",
		"12345::",
		"g::",
		"fe80::1%eth0",
		"::1.2.3",
		"::01.2.3.4",
		"[::1]",
		"1:2:3:4:5:6:7:8 ",
		"::ffff:1.2.3.400",
		"0000000000000000000000000000000000000000000000::1",
	};
	struct ip kept = {.family = 99};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		if (ip_parse(str_from(bad[k]), &kept).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
	assert_err(ip_parse((struct str){"::1\0", 4}, &kept), INVALID);
	assert_err(ip_parse((struct str){"1.2.3.4\0", 8}, &kept), INVALID);
	assert_err(ip_parse(STR_NONE, &kept), INVALID);
	assert_int_equal(kept.family, 99);
}

static void test_compare(void **state)
{
	(void) state;
	assert_true(ip_compare(ip_of("1.2.3.4"), ip_of("1.2.3.5")) < 0);
	assert_true(ip_compare(ip_of("200.0.0.0"), ip_of("3.0.0.0")) > 0);
	assert_true(ip_compare(ip_of("255.255.255.255"), ip_of("::")) < 0);
	assert_int_equal(ip_compare(ip_of("::1"), ip_of("0::1")), 0);
	assert_false(ip_equal(ip_of("0.0.0.0"), ip_of("::")));
	assert_true(ip_is_none((struct ip){0}));
	assert_false(ip_is_none(ip_of("0.0.0.0")));
}

static void test_arithmetic(void **state)
{
	(void) state;
	check_ip_text(ip_add(ip_of("10.0.0.255"), 1), "10.0.1.0");
	check_ip_text(ip_add(ip_of("255.255.255.255"), 2), "0.0.0.1");
	check_ip_text(ip_add(ip_of("1.2.3.4"), UINT64_C(1) << 32), "1.2.3.4");
	check_ip_text(ip_add(ip_of("::ffff:ffff:ffff:ffff"), 1), "0:0:0:1::");
	check_ip_text(ip_add(ip_of("::1"), UINT64_MAX), "0:0:0:1::");
	check_ip_text(ip_add(ip_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1), "::");
	assert_true(ip_distance(ip_of("10.0.0.1"), ip_of("10.0.1.0")) == 255);
	assert_true(ip_distance(ip_of("::1"), ip_of("0:0:0:1::1")) == 0); /* the low 64 bits */
	assert_true(ip_distance(ip_of("::1"), ip_of("::")) == UINT64_MAX);
	assert_true(ip_to_v4(ip_of("1.2.3.4")) == 0x01020304);
	check_ip_text(ip_from_v4(0xC0A80001), "192.168.0.1");
}

static void test_cidr_parse_and_write(void **state)
{
	(void) state;
	static const char *const good[] = {"0.0.0.0/0",
					   "10.1.2.3/8",
					   "1.2.3.4/32",
					   "::/0",
					   "2001:db8::/64",
					   "::1/128",
					   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"};
	static const char *const bad[] = {
		"10.0.0.0",          "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1",  "10.0.0.0/8 ",
		"10.0.0/8",          "/8",        "::/129",      "::/1000",     "10.0.0.0/8/8", "",
		"10.0.0.0/255.0.0.0"};
	for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
		char text[CIDR_TEXT_SIZE];
		assert_string_equal(cidr_write(cidr_of(good[k]), text), good[k]);
	}
	struct cidr kept = {.bits = 77};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		if (cidr_parse(str_from(bad[k]), &kept).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
	assert_int_equal(kept.bits, 77);
	char text[CIDR_TEXT_SIZE];
	assert_string_equal(cidr_write((struct cidr){0}, text), "");
}

static void test_cidr_canonical(void **state)
{
	(void) state;
	char text[CIDR_TEXT_SIZE];
	assert_true(cidr_is_canonical(cidr_of("10.0.0.0/8")));
	assert_false(cidr_is_canonical(cidr_of("10.0.0.1/8")));
	assert_true(cidr_is_canonical(cidr_of("10.0.0.1/32")));
	assert_false(cidr_is_canonical(cidr_of("10.128.0.0/8")));
	assert_true(cidr_is_canonical(cidr_of("10.128.0.0/9")));
	assert_string_equal(cidr_write(cidr_canonical(cidr_of("10.255.255.255/9")), text), "10.128.0.0/9");
	assert_string_equal(cidr_write(cidr_canonical(cidr_of("2001:db8:ffff::1/33")), text),
			    "2001:db8:8000::/33");
	assert_string_equal(cidr_write(cidr_canonical(cidr_of("1.2.3.4/0")), text), "0.0.0.0/0");
	check_ip_text(cidr_last(cidr_of("10.128.0.0/9")), "10.255.255.255");
	check_ip_text(cidr_last(cidr_of("10.0.0.7/32")), "10.0.0.7");
	check_ip_text(cidr_last(cidr_of("2001:db8::/64")), "2001:db8::ffff:ffff:ffff:ffff");
	check_ip_text(cidr_last(cidr_of("0.0.0.0/0")), "255.255.255.255");
}

static void test_cidr_contains(void **state)
{
	(void) state;
	assert_true(cidr_contains(cidr_of("10.0.0.0/9"), ip_of("10.127.255.255")));
	assert_false(cidr_contains(cidr_of("10.0.0.0/9"), ip_of("10.128.0.0")));
	assert_true(cidr_contains(cidr_of("10.0.0.77/24"), ip_of("10.0.0.1"))); /* host bits do not matter */
	assert_true(cidr_contains(cidr_of("0.0.0.0/0"), ip_of("1.2.3.4")));
	assert_false(cidr_contains(cidr_of("0.0.0.0/0"), ip_of("::1")));
	assert_false(cidr_contains((struct cidr){0}, (struct ip){0}));
	assert_true(cidr_contains_cidr(cidr_of("10.0.0.0/8"), cidr_of("10.2.0.0/16")));
	assert_true(cidr_contains_cidr(cidr_of("10.0.0.0/8"), cidr_of("10.0.0.0/8")));
	assert_false(cidr_contains_cidr(cidr_of("10.2.0.0/16"), cidr_of("10.0.0.0/8")));
	assert_true(cidr_overlaps(cidr_of("10.2.0.0/16"), cidr_of("10.0.0.0/8")));
	assert_true(cidr_overlaps(cidr_of("10.0.0.0/8"), cidr_of("10.2.0.0/16")));
	assert_false(cidr_overlaps(cidr_of("10.0.0.0/16"), cidr_of("10.1.0.0/16")));
	assert_false(cidr_overlaps(cidr_of("0.0.0.0/0"), cidr_of("::/0")));
}

static void test_cidr_order_and_count(void **state)
{
	(void) state;
	assert_true(cidr_compare(cidr_of("10.0.0.0/8"), cidr_of("10.0.0.0/16")) < 0);
	assert_true(cidr_compare(cidr_of("11.0.0.0/8"), cidr_of("10.0.0.0/16")) > 0);
	assert_true(cidr_equal(cidr_of("10.0.0.0/8"), cidr_of("10.0.0.0/8")));
	assert_false(cidr_equal(cidr_of("10.0.0.1/8"), cidr_of("10.0.0.0/8"))); /* as written */
	assert_true(cidr_count(cidr_of("10.0.0.0/24")) == 256);
	assert_true(cidr_count(cidr_of("10.0.0.0/32")) == 1);
	assert_true(cidr_count(cidr_of("0.0.0.0/0")) == UINT64_C(1) << 32);
	assert_true(cidr_count(cidr_of("::/65")) == UINT64_C(1) << 63);
	assert_true(cidr_count(cidr_of("::/64")) == UINT64_MAX);
	assert_true(cidr_count(cidr_of("::/0")) == UINT64_MAX);
	assert_true(cidr_count((struct cidr){0}) == 0);
	assert_true(cidr_is_none((struct cidr){0}));
}

static void test_mac(void **state)
{
	(void) state;
	struct mac m;
	char text[MAC_TEXT_SIZE];
	assert_ok(mac_parse(STR("0A:00:ff:1b:00:9c"), &m));
	assert_string_equal(mac_write(m, text), "0a:00:ff:1b:00:9c");
	assert_false(mac_is_none(m));
	assert_ok(mac_parse(STR("00:00:00:00:00:00"), &m));
	assert_true(mac_is_none(m));
	static const char *const bad[] = {"",
					  "0a:00:ff:1b:00",
					  "0a:00:ff:1b:00:9",
					  "0a-00-ff-1b-00-9c",
					  "0a:00:ff:1b:00:9g",
					  "0a:00:ff:1b:00:9c:",
					  "0a00ff1b009c",
					  "0a:00:ff:1b:0:09c"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		if (mac_parse(str_from(bad[k]), &m).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
}

/* The forms of netaddr.valid_mac(). */
static void test_mac_in_any_form(void **state)
{
	static const char *const good[] = {"0a:00:ff:1b:00:9c", "0A-00-FF-1B-00-9C", "a:0:ff:1b:0:9c",
					   "a-0-ff-1b-0-9c",    "0a00.ff1b.009c",    "a00.ff1b.9c",
					   "0a00:ff1b:009c",    "a00-ff1b-9c",       "0a00ff-1b009c",
					   "a00ff:1b009c",      "0a00ff1b009c",      "a00ff1b009c"};
	static const char *const bad[] = {"",
					  "0a",
					  "0a:00:ff:1b:00",
					  "0a:00:ff:1b:00:9c:",
					  ":0a:00:ff:1b:00",
					  "0a:00-ff:1b:00:9c",
					  "0a:00:ff:1b:00:9g",
					  "0a:00:ff:1b:00:009c",
					  "0a00.ff1b",
					  "0a00.ff1b.009c.",
					  "0a00ff1b009c0",
					  "0a00ff1b00",
					  "0a:00:ff:1b:00:9c:0d"};
	struct mac m;
	char text[MAC_TEXT_SIZE];
	(void) state;
	for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
		assert_ok(mac_parse_any(str_from(good[k]), &m));
		assert_string_equal(mac_write(m, text), "0a:00:ff:1b:00:9c");
	}
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		if (mac_parse_any(str_from(bad[k]), &m).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
}

static void test_to_str(void **state)
{
	struct ctx *c = *state;
	assert_str(ip_to_str(c->arena, ip_of("10.0.0.1")), "10.0.0.1");
	assert_str(cidr_to_str(c->arena, cidr_of("10.0.0.0/8")), "10.0.0.0/8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_write),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_cidr_parse_and_write),
		cmocka_unit_test(test_cidr_canonical),
		cmocka_unit_test(test_cidr_contains),
		cmocka_unit_test(test_cidr_order_and_count),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_mac_in_any_form),
		ctx_test(test_to_str),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
