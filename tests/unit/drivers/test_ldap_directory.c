/* SPDX-License-Identifier: Apache-2.0
 * Tests the filters: a name that a person types stays a value, whatever it contains, and adds nothing to the filter's syntax.
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

static void check_id(const char *attribute, const char *id, const char *wanted)
{
	AUTO(arena) a = arena_new(1 << 12, 1 << 16);
	struct str made =
		ldap_write_id_filter(a, STR("(&(cn={name})(!(x=1)))"), str_from(attribute), str_from(id));
	assert_string_equal(str_to_z(a, made), wanted);
}

/* Active Directory compares objectGUID by its bytes, of which the text has three numbers turned round. */
static void test_filters_by_id(void **state)
{
	(void) state;
	check_id("entryUUID", "01020304-0506-0708-090a-0b0c0d0e0f10",
		 "(&(entryUUID=01020304-0506-0708-090a-0b0c0d0e0f10)(&(cn=*)(!(x=1))))");
	check_id("objectGUID", "01020304-0506-0708-090a-0b0c0d0e0f10",
		 "(&(objectGUID=\\04\\03\\02\\01\\06\\05\\08\\07\\09\\0a\\0b\\0c\\0d\\0e\\0f\\10)(&(cn=*)(!("
		 "x=1))))");
	check_id("employeeNumber", "7)(*", "(&(employeeNumber=7\\29\\28\\2a)(&(cn=*)(!(x=1))))");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_filled),
		cmocka_unit_test(test_values_are_escaped),
		cmocka_unit_test(test_filters_by_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
