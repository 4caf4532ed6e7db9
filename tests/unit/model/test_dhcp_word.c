/* SPDX-License-Identifier: Apache-2.0
 * DHCP options: the known ones, and the formatting of values. */
#include "../base/test_base.h"

#include "model/dhcp_word.h"

static const struct {
	enum ip_family family;
	const char *name, *value, *is; /* is NULL: no option is given to OVN */
} rows[] = {
	{IP_V4, "bootfile-name", "pxelinux.0", "\"pxelinux.0\""},
	{IP_V4, "67", "\"pxelinux.0\"", "\"pxelinux.0\""},
	{IP_V4, "bootfile-name", "x\"); next; drop; (\"", NULL},
	{IP_V4, "bootfile-name", "a\\", NULL},
	{IP_V4, "bootfile-name", "", NULL},
	{IP_V4, "tftp-server", "192.0.2.1", "192.0.2.1"},
	{IP_V4, "tftp-server", "tftp.example", "\"tftp.example\""},
	{IP_V4, "tftp-server", "2015::dead", "\"2015::dead\""},
	{IP_V4, "server-ip-address", "192.0.2.1", "192.0.2.1"},
	{IP_V4, "server-ip-address", "2015::badd", NULL},
	{IP_V4, "server-ip-address", "192.0.2.1,192.0.2.2", NULL},
	{IP_V4, "ntp-server", "192.0.2.1,192.0.2.2", "{192.0.2.1, 192.0.2.2}"},
	{IP_V4, "ntp-server", "{192.0.2.1}", "192.0.2.1"},
	{IP_V4, "ntp-server", "192.0.2.1; drop", NULL},
	{IP_V4, "router", "", NULL},
	{IP_V4, "mtu", "1400", "1400"},
	{IP_V4, "mtu", "65536", NULL},
	{IP_V4, "mtu", "-1", NULL},
	{IP_V4, "ip-forward-enable", "true", "1"},
	{IP_V4, "ip-forward-enable", "2", NULL},
	{IP_V4, "classless-static-route", "198.51.100.0/24,192.0.2.1", "{198.51.100.0/24,192.0.2.1}"},
	{IP_V4, "121", "{198.51.100.7/24,192.0.2.1, 0.0.0.0/0,192.0.2.2}",
	 "{198.51.100.0/24,192.0.2.1, 0.0.0.0/0,192.0.2.2}"},
	{IP_V4, "classless-static-route", "198.51.100.0/24", NULL},
	{IP_V6, "dns-server", "2001:db8::1", "2001:db8::1"},
	{IP_V6, "dns-server", "192.0.2.1", NULL},
	{IP_V6, "59", "tftp://[2001:db8::1]/boot", "\"tftp://[2001:db8::1]/boot\""},
	{IP_V6, "server-id", "02:00:00:00:00:01", "02:00:00:00:00:01"},
	{IP_V6, "server-id", "x", NULL},
	{IP_V4, "dhcp_disabled", "true", NULL},
};

static void test_values(void **state)
{
	struct ctx *c = *state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct dhcp_word *word = dhcp_word_find(rows[k].family, str_from(rows[k].name));
		assert_non_null(word);
		struct str is = dhcp_word_write(c->arena, word, rows[k].family, str_from(rows[k].value));
		if (rows[k].is ? !str_is(is, rows[k].is) : is.p != NULL)
			fail_msg("%s %s: %.*s", rows[k].name, rows[k].value, (int) is.n, is.p ? is.p : "");
	}
}

static void test_names(void **state)
{
	(void) state;
	assert_null(dhcp_word_find(IP_V4, STR("tag:ipxe,bootfile-name")));
	assert_null(dhcp_word_find(IP_V4, STR("60")));
	assert_null(dhcp_word_find(IP_V4, STR("0")));
	assert_null(dhcp_word_find(IP_V6, STR("tftp-server")));
	assert_ptr_equal(dhcp_word_find(IP_V4, STR("66")), dhcp_word_find(IP_V4, STR("tftp-server")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_values), ctx_test(test_names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
