/* SPDX-License-Identifier: Apache-2.0
 * Tests ldap_write_filter(): a name that a person types stays a value, whatever it contains, and adds nothing to the filter's syntax.
 * tests/contract/cross/directory_sign_in.py signs in against a real slapd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/ldap_directory.h"

static void check(const char *filter, struct str name, const char *dn, const char *wanted)
{
	AUTO(arena) a = arena_new(1 << 12, 1 << 16);
	struct str made = ldap_write_filter(a, str_from(filter), name, str_from(dn));
	assert_string_equal(str_to_z(a, made), wanted);
}

static void test_places_are_filled(void **state)
{
	(void) state;
	check("(uid={name})", STR("ann"), "", "(uid=ann)");
	check("(|(member={dn})(memberUid={name}))", STR("ann"), "uid=ann,dc=x",
	      "(|(member=uid=ann,dc=x)(memberUid=ann))");
	check("(cn=a{b})", STR("ann"), "", "(cn=a{b})");
	check("(uid={name})", STR("{dn}"), "uid=ann", "(uid={dn})"); /* a value is no place */
}

static void test_values_are_escaped(void **state)
{
	(void) state;
	check("(uid={name})", STR("*"), "", "(uid=\\2a)");
	check("(uid={name})", STR("a)(|(uid=*"), "", "(uid=a\\29\\28|\\28uid=\\2a)");
	check("(uid={name})", STR("a\\b\0c"), "", "(uid=a\\5cb\\00c)");
	check("(member={dn})", STR_NONE, "cn=a\\, b (c),dc=x", "(member=cn=a\\5c, b \\28c\\29,dc=x)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_filled),
		cmocka_unit_test(test_values_are_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
