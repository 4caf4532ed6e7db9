/* SPDX-License-Identifier: Apache-2.0
 * The client's address behind reverse proxies: both headers, chains, and entries that clients forge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "http/forwarded.h"

static const struct {
	bool by_forwarded;
	const char *peer, *value, *client, *scheme;
} cases[] = {
	/* X-Forwarded-For */
	{false, "10.0.0.1", "", "10.0.0.1", ""},
	{false, "10.0.0.1", "198.51.100.7", "198.51.100.7", ""},
	{false, "10.0.0.1", "198.51.100.7:443", "198.51.100.7", ""},
	{false, "10.0.0.1", "2001:db8::7", "2001:db8::7", ""},
	{false, "10.0.0.1", "[2001:db8::7]:443", "2001:db8::7", ""},
	{false, "10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7", ""},
	{false, "10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7", ""}, /* the left one is forged */
	{false, "10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7", ""},    /* two proxies */
	{false, "10.0.0.1", "203.0.113.9,198.51.100.7 ,10.0.0.2,\t10.0.0.3", "198.51.100.7", ""},
	{false, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", ""}, /* a client among the proxies */
	{false, "10.0.0.1", "198.51.100.7, unknown", "10.0.0.1", ""},
	{false, "10.0.0.1", "198.51.100.7, unknown, 10.0.0.2", "10.0.0.2", ""},
	{false, "10.0.0.1", "198.51.100.7,", "10.0.0.1", ""},
	{false, "10.0.0.1", "198.51.100.7, 1.2.3", "10.0.0.1", ""},
	{false, "10.0.0.1", "for=198.51.100.7", "10.0.0.1", ""},
	{false, "2001:db8:0:1::5", "198.51.100.7", "198.51.100.7", ""},
	/* Forwarded */
	{true, "10.0.0.1", "for=198.51.100.7;proto=https", "198.51.100.7", "https"},
	{true, "10.0.0.1", "proto=HTTP; For=\"[2001:db8::7]:4711\";by=x", "2001:db8::7", "http"},
	{true, "10.0.0.1", "for=203.0.113.9, for=198.51.100.7;proto=https, for=10.0.0.2;proto=http",
	 "198.51.100.7", "https"},
	{true, "10.0.0.1", "for=198.51.100.7;host=\"a,b;c\", for=10.0.0.2", "198.51.100.7", ""},
	{true, "10.0.0.1", "for=_hidden, for=10.0.0.2", "10.0.0.2", ""},
	{true, "10.0.0.1", "proto=https", "10.0.0.1", ""},
	{true, "10.0.0.1", "198.51.100.7", "10.0.0.1", ""},
	{true, "10.0.0.1", "for=\"198.51.100.7", "10.0.0.1", ""},
};

static struct cidr blocks[2];
static struct http_proxies proxies = {.at = blocks, .count = 2};

static void each_case(void **state)
{
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct ip peer;
		char client[IP_TEXT_SIZE];
		proxies.by_forwarded = cases[k].by_forwarded;
		assert_int_equal(ip_parse(str_from(cases[k].peer), &peer).code, ERR_NONE);
		assert_true(forwarded_is_proxy(&proxies, peer));
		struct forwarded found = forwarded_read(&proxies, peer, str_from(cases[k].value));
		assert_string_equal(ip_write(found.client, client), cases[k].client);
		if (!str_is(found.scheme, cases[k].scheme))
			fail_msg("%s: scheme %" STR_FMT, cases[k].value, STR_ARG(found.scheme));
	}
}

/* A long list costs no more than its right end. */
static void chains_are_bounded(void **state)
{
	(void) state;
	char value[40 * 10 + 32] = "198.51.100.7", client[IP_TEXT_SIZE];
	struct ip peer;
	proxies.by_forwarded = false;
	for (int k = 0; k < 40; k++)
		strcat(value, ",10.0.0.2");
	assert_int_equal(ip_parse(STR("10.0.0.1"), &peer).code, ERR_NONE);
	assert_string_equal(ip_write(forwarded_read(&proxies, peer, str_from(value)).client, client),
			    "10.0.0.2");
}

int main(void)
{
	assert_int_equal(cidr_parse(STR("10.0.0.0/8"), &blocks[0]).code, ERR_NONE);
	assert_int_equal(cidr_parse(STR("2001:db8:0:1::/64"), &blocks[1]).code, ERR_NONE);
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_case), cmocka_unit_test(chains_are_bounded)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
