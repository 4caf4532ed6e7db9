/* SPDX-License-Identifier: Apache-2.0
 * IPv6 addresses derived from MAC addresses (RFC 4291, appendix A). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/mac.h"

static void test_eui64(void **state)
{
	(void) state;
	static const struct {
		const char *block, *mac, *ip;
	} rows[] = {
		{"2001:db8:1:2::/64", "34:56:78:9a:bc:de", "2001:db8:1:2:3656:78ff:fe9a:bcde"},
		{"2001:db8:1:2:3::/64", "02:00:00:00:00:01", "2001:db8:1:2::ff:fe00:1"},
		{"fe80::/64", "fa:16:3e:01:02:03", "fe80::f816:3eff:fe01:203"},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct cidr block;
		struct mac mac;
		struct ip ip;
		assert_false(cidr_parse(str_from(rows[k].block), &block).code);
		assert_false(mac_parse(str_from(rows[k].mac), &mac).code);
		assert_false(ip_parse(str_from(rows[k].ip), &ip).code);
		assert_true(ip_equal(model_make_eui64(block, mac), ip));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_eui64)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
