/* SPDX-License-Identifier: Apache-2.0
 * Paths of requests against the forms of a face's rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/core/path.h"

enum { VARIABLES_MAX = 4 };

static bool fits(const char *form, struct str path, bool ignores_case, struct pair *variables,
		 size_t *ret_count)
{
	struct path_parts parts;
	path_split(path, &parts);
	return path_fits(form, &parts, ignores_case, variables, VARIABLES_MAX, ret_count);
}

static void test_forms(void **state)
{
	static const struct {
		const char *form, *path;
		bool ignores_case, fits;
	} rows[] = {
		{"/servers/detail", "/servers/detail", false, true},
		{"/servers/detail", "//servers//detail/", false, true},
		{"servers/detail", "/servers/detail", false, true},
		{"/servers/detail", "/servers/details", false, false},
		{"/servers/detail", "/servers/detai", false, false},
		{"/servers/detail", "/servers", false, false},
		{"/servers", "/servers/detail", false, false},
		{"/servers/detail", "/Servers/detail", false, false},
		{"/servers/detail", "/SERVERS/Detail", true, true},
		{"/a[b", "/A{B", true, false}, /* these letters differ by the same bit as cases do */
		{"/servers/{id}", "/servers/x", false, true},
		{"/servers/{id}", "/servers", false, false},
		{"/servers/{id}/action", "/servers/x/action", false, true},
		{"/servers/{id}/action", "/servers/x/y", false, false},
		{"/", "/", false, true},
		{"/", "/x", false, false},
	};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct pair variables[VARIABLES_MAX];
		size_t count = 0;
		if (fits(rows[k].form, str_from(rows[k].path), rows[k].ignores_case, variables, &count) !=
		    rows[k].fits)
			fail_msg("%s of the form %s", rows[k].path, rows[k].form);
	}
}

static void test_variables(void **state)
{
	struct pair variables[VARIABLES_MAX];
	size_t count = 0;
	(void) state;
	assert_true(fits("/{a}/of/{bc}", STR("/one/of/two"), false, variables, &count));
	assert_int_equal(count, 2);
	assert_true(str_is(variables[0].name, "a") && str_is(variables[0].value, "one"));
	assert_true(str_is(variables[1].name, "bc") && str_is(variables[1].value, "two"));
}

/* A segment with a NUL must not lead behind the form's end. */
static void test_a_nul(void **state)
{
	static const char path[] = "/servers\0detail/x";
	struct pair variables[VARIABLES_MAX];
	size_t count = 0;
	(void) state;
	assert_false(fits("/servers", (struct str){path, sizeof path - 1}, false, variables, &count));
	assert_false(fits("/servers/x", (struct str){path, sizeof path - 1}, true, variables, &count));
}

static void test_too_many_segments(void **state)
{
	char path[4 * PATH_PARTS_MAX];
	struct path_parts parts;
	struct pair variables[VARIABLES_MAX];
	size_t count = 0;
	(void) state;
	for (size_t k = 0; k < sizeof path; k++)
		path[k] = k % 2 ? 'x' : '/';
	path_split((struct str){path, sizeof path}, &parts);
	assert_int_equal(parts.count, 2 * PATH_PARTS_MAX);
	assert_false(path_fits("/x/x", &parts, false, variables, VARIABLES_MAX, &count));
}

static void test_decoded(void **state)
{
	static const struct {
		const char *segment, *plain; /* plain NULL: refused */
	} cases[] = {
		{"a", "a"},   {"", ""},      {"a%20b", "a b"}, {"a+b%2Bc", "a+b+c"}, {"%C3%89", "\303\211"},
		{"%2", NULL}, {"%zz", NULL}, {"%FF", NULL}};
	struct arena *a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct str segment = str_from(cases[k].segment);
		bool is_good = path_decode(a, &segment);
		assert_int_equal(is_good, cases[k].plain != NULL);
		assert_true(str_is(segment, cases[k].plain ? cases[k].plain : cases[k].segment));
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),   cmocka_unit_test(test_variables),
		cmocka_unit_test(test_a_nul),   cmocka_unit_test(test_too_many_segments),
		cmocka_unit_test(test_decoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
