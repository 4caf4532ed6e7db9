/* SPDX-License-Identifier: Apache-2.0
 * SCIM's filters and paths of patches: what is accepted, what matches, and hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/scim/filter.h"
#include "base/buf.h"

struct fixture {
	struct arena *arena;
	struct ctx c;
};

static int set_up(void **state)
{
	static struct fixture f;
	f.arena = arena_new(ARENA_FIRST_SIZE, 1 << 20);
	ctx_init(&f.c, f.arena);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	arena_free(((struct fixture *) *state)->arena);
	return 0;
}

static json_t *read_document(void *arg, const struct scim_place *place)
{
	json_t *home = place->extension ? json_object_get(arg, place->extension->name) : arg;
	return json_incref(json_object_get(home, place->attribute->name));
}

static const char document[] =
	"{\"id\": \"0a\", \"userName\": \"Ann\", \"active\": true, \"externalId\": \"X1\", \"title\": \"\","
	" \"name\": {\"familyName\": \"Other\"}, \"meta\": {\"created\": \"2024-05-01T10:00:00Z\"},"
	" \"emails\": [{\"value\": \"a@work.test\", \"type\": \"work\", \"primary\": true},"
	"              {\"value\": \"b@home.test\", \"type\": \"home\"}],"
	" \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\": {\"department\": \"Tools\","
	"   \"manager\": {\"value\": \"m1\"}}}";

static void test_matching(void **state)
{
	static const struct {
		const char *filter;
		bool matches;
	} rows[] = {
		{"userName eq \"ann\"", true},
		{"USERNAME EQ \"ANN\"", true},
		{"userName eq \"an\"", false},
		{"userName ne \"ann\"", false},
		{"externalId eq \"X1\"", true},
		{"externalId eq \"x1\"", false},
		{"externalId co \"1\"", true},
		{"userName sw \"AN\"", true},
		{"userName sw \"Anna\"", false},
		{"userName ew \"nn\"", true},
		{"userName ew \"Xann\"", false},
		{"userName co \"\"", true},
		{"userName gt \"amy\"", true},
		{"userName lt \"amy\"", false},
		{"userName ge \"ann\" and userName le \"ann\"", true},
		{"userName eq \"\\u0041nn\"", true},
		{"active eq true", true},
		{"active ne true", false},
		{"active eq \"TRUE\"", true},
		{"title pr", false},
		{"nickName pr", false},
		{"nickName eq null", true},
		{"nickName ne \"x\"", true},
		{"userName pr or title pr and nickName pr", true},
		{"(userName pr or title pr) and nickName pr", false},
		{"not(nickName pr)", true},
		{"not (userName pr) or not (nickName pr)", true},
		{"name.familyName eq \"other\"", true},
		{"name pr", true},
		{"emails eq \"b@HOME.test\"", true},
		{"emails.value sw \"c\"", false},
		{"emails.value ne \"a@work.test\"", false},
		{"emails[type eq \"home\" and value sw \"b\"]", true},
		{"emails[type eq \"home\" and value sw \"a\"]", false},
		{"emails[not (type eq \"home\")]", true},
		{"emails[primary eq true]", true},
		{"meta.created gt \"2024-05-01T09:59:59Z\"", true},
		{"meta.created eq \"2024-05-01T12:00:00+02:00\"", true},
		{"meta.created lt \"2024-05-01T10:00:00Z\"", false},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ann\"", true},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"tools\"", true},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m1\"", true},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"m2\"", false},
		{"  userName   eq   \"ann\"  ", true},
	};
	struct fixture *f = *state;
	json_t *user = json_loads(document, 0, NULL);
	assert_non_null(user);
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		const struct scim_filter *filter = NULL;
		if (!result_is_ok(
			    scim_parse_filter(&f->c, &scim_user_type, str_from(rows[k].filter), &filter)))
			fail_msg("%s: %.*s", rows[k].filter, STR_ARG(f->c.problem.message));
		if (scim_matches(filter, read_document, user) != rows[k].matches)
			fail_msg("%s: %d expected", rows[k].filter, rows[k].matches);
	}
	json_decref(user);
}

static void expect_refusal(struct fixture *f, struct str text)
{
	const struct scim_filter *filter = NULL;
	ctx_clear_problem(&f->c);
	struct result result = scim_parse_filter(&f->c, &scim_user_type, text, &filter);
	if (result.code != ERR_INVALID || !str_is(f->c.problem.field, "filter"))
		fail_msg("accepted: %.*s", STR_ARG(str_cut(text, 100)));
}

static void test_refusals(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"userName",
		"userName eq",
		"userName eq x",
		"userName is \"a\"",
		"userName eq \"a",
		"userName eq \"a\\\"",
		"color pr",
		"userName.value pr",
		"name eq \"a\"",
		"password eq \"a\"",
		"active gt true",
		"active eq \"yes\"",
		"userName eq 3",
		"userName eq true",
		"userName co null",
		"meta.created co \"2\"",
		"meta.created eq \"soon\"",
		"userName pr and",
		"and userName pr",
		"userName pr userName pr",
		"not userName pr",
		"(userName pr",
		"userName pr)",
		"emails[",
		"emails[]",
		"emails[type pr",
		"emails[color pr]",
		"emails[emails[type pr]]",
		"userName[value pr]",
		"name[familyName pr]",
		"emails[type pr].value eq \"a\"",
		"urn: pr",
		"urn:x:User:userName pr",
		"urn:ietf:params:scim:schemas:core:2.0:User pr",
		"userName eq \"\\ud800\"",
		"userName eq \"\\u0000\"",
		"\\",
		"[",
		"\"",
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		expect_refusal(*state, str_from(rows[k]));
	expect_refusal(*state, (struct str){"userName eq \"a\0b\"", 17});
	expect_refusal(*state, STR("userName eq \"\xff\""));
}

/* Nested and long texts: within the limits they are accepted, beyond them refused, whatever their length. */
static bool accepts(struct fixture *f, const char *before, size_t count, const char *middle,
		    const char *after)
{
	const struct scim_filter *filter = NULL;
	struct buf b;
	buf_init(&b, 1 << 20);
	for (size_t k = 0; k < count; k++)
		buf_add_str(&b, str_from(before));
	buf_add_str(&b, str_from(middle));
	for (size_t k = 0; k < count; k++)
		buf_add_str(&b, str_from(after));
	ctx_clear_problem(&f->c);
	struct result result = scim_parse_filter(&f->c, &scim_user_type, buf_str(&b), &filter);
	buf_done(&b);
	return result_is_ok(result);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	assert_true(accepts(f, "(", SCIM_FILTER_DEPTH_MAX - 1, "userName pr", ")"));
	assert_false(accepts(f, "(", SCIM_FILTER_DEPTH_MAX, "userName pr", ")"));
	assert_false(accepts(f, "not(", 100000, "userName pr", ")"));
	assert_false(accepts(f, "(", 2000, "", ""));
	assert_false(accepts(f, "emails[", 500, "type pr", "]"));
	assert_true(accepts(f, "title pr or ", SCIM_FILTER_TERMS_MAX - 1, "userName pr", ""));
	assert_false(accepts(f, "title pr or ", SCIM_FILTER_TERMS_MAX, "userName pr", ""));
	assert_true(accepts(f, " ", SCIM_FILTER_SIZE_MAX - 11, "userName pr", ""));
	assert_false(accepts(f, " ", SCIM_FILTER_SIZE_MAX - 10, "userName pr", ""));
}

/* Every prefix of a filter, and the filter with any one byte replaced, ends without harm. */
static void test_damaged(void **state)
{
	static const char text[] = "emails[type eq \"w\\u00e9\" and not (value co \"@\")] or active eq false";
	struct fixture *f = *state;
	const struct scim_filter *filter = NULL;
	char copy[sizeof text];
	for (size_t n = 0; n < sizeof text; n++) {
		ctx_clear_problem(&f->c);
		IGNORE(scim_parse_filter(&f->c, &scim_user_type, (struct str){text, n},
					 &filter)); /* either way */
	}
	for (size_t n = 0; n + 1 < sizeof text; n++)
		for (int c = 0; c < 256; c += 3) {
			memcpy(copy, text, sizeof text);
			copy[n] = (char) c;
			ctx_clear_problem(&f->c);
			IGNORE(scim_parse_filter(&f->c, &scim_user_type, (struct str){copy, sizeof text - 1},
						 &filter)); /* likewise */
		}
}

static void test_paths(void **state)
{
	static const struct {
		const char *path, *attribute, *sub;
		bool has_filter, is_extension;
	} rows[] = {
		{"title", "title", NULL, false, false},
		{"Name.FamilyName", "name", "familyName", false, false},
		{"emails[type eq \"work\"]", "emails", NULL, true, false},
		{"emails[type eq \"work\"].value", "emails", "value", true, false},
		{"urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "name", "givenName", false,
		 false},
		{SCIM_ENTERPRISE ":department", "department", NULL, false, true},
		{SCIM_ENTERPRISE ":manager.value", "manager", "value", false, true},
		{SCIM_ENTERPRISE, SCIM_ENTERPRISE, NULL, false, false},
	};
	static const char *const refused[] = {"",
					      "color",
					      "title.short",
					      "title x",
					      "emails[type eq \"a\"",
					      "emails[type eq \"a\"].color",
					      "emails[type eq \"a\"]value",
					      "title[value pr]",
					      "name.familyName.x",
					      ".",
					      "urn:"};
	struct fixture *f = *state;
	struct scim_path path;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		if (!result_is_ok(scim_parse_path(&f->c, &scim_user_type, str_from(rows[k].path), &path)))
			fail_msg("%s: %.*s", rows[k].path, STR_ARG(f->c.problem.message));
		assert_string_equal(path.place.attribute->name, rows[k].attribute);
		assert_int_equal(path.filter != NULL, rows[k].has_filter);
		assert_int_equal(path.place.extension != NULL, rows[k].is_extension);
		if (rows[k].sub)
			assert_string_equal(path.place.sub->name, rows[k].sub);
		else
			assert_null(path.place.sub);
	}
	for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
		ctx_clear_problem(&f->c);
		if (result_is_ok(scim_parse_path(&f->c, &scim_user_type, str_from(refused[k]), &path)))
			fail_msg("accepted: %s", refused[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_matching, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_paths, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
