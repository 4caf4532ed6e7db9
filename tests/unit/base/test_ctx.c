/* SPDX-License-Identifier: Apache-2.0
 * The context's first problem. */
#include "test_base.h"

static void test_first_problem_stays(void **state)
{
	struct ctx *c = *state;
	assert_err(ctx_fail(c, ERR_QUOTA, "account %s has %d", "a", 3), QUOTA);
	assert_err(ctx_fail(c, ERR_IO, "later"), IO);
	assert_int_equal(c->problem.err, ERR_QUOTA);
	assert_str(c->problem.message, "account a has 3");
	assert_int_equal(c->problem.kind, 0);
	assert_true(str_is_empty(c->problem.field));
	ctx_clear_problem(c);
	assert_int_equal(c->problem.err, ERR_NONE);
	assert_err(ctx_fail_kind(c, ERR_NOT_FOUND, 7, "no %d", 7), NOT_FOUND);
	assert_int_equal(c->problem.kind, 7);
}

static void test_field_is_copied(void **state)
{
	struct ctx *c = *state;
	char field[] = "ImageId";
	assert_err(ctx_fail_field(c, ERR_INVALID, str_from(field), "bad"), INVALID);
	memset(field, 'x', sizeof field - 1);
	assert_str(c->problem.field, "ImageId");
}

static void test_long_message(void **state)
{
	struct ctx *c = *state;
	for (int width = 505; width < 520; width++) { /* around the stack buffer */
		ctx_clear_problem(c);
		assert_err(ctx_fail(c, ERR_INVALID, "%*d", width, 5), INVALID);
		assert_int_equal(c->problem.message.n, width);
		assert_int_equal(c->problem.message.p[width - 1], '5');
		assert_int_equal(c->problem.message.p[width], 0);
	}
}

static void test_words_without_memory(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(16, 16);
	struct ctx c;
	ctx_init(&c, a);
	assert_err(ctx_fail(&c, ERR_IN_USE, "%s", "something of more than sixteen bytes"), IN_USE);
	assert_str(c.problem.message, err_meaning(ERR_IN_USE));
	ctx_init(&c, NULL);
	assert_err(ctx_fail_field(&c, ERR_STATE, STR("f"), "words"), STATE);
	assert_str(c.problem.message, err_meaning(ERR_STATE));
}

static void test_no_memory_or_too_large(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(16, 256);
	struct ctx c;
	ctx_init(&c, a);
	fault_arm(FAULT_ALLOC, 0, false);
	assert_null(arena_alloc(a, 100));
	fault_disarm();
	assert_err(ctx_no_memory(&c), NO_MEMORY);
	ctx_clear_problem(&c);
	assert_null(arena_alloc(a, 1000));
	assert_err(ctx_no_memory(&c), TOO_LARGE);
	assert_int_equal(c.problem.err, ERR_TOO_LARGE);
}

static void test_names_and_meanings(void **state)
{
	(void) state;
	assert_string_equal(err_name(ERR_NOT_FOUND), "NOT_FOUND");
	assert_string_equal(err_meaning(ERR_NONE), "no error");
	for (int k = 0; k < ERR_COUNT; k++) {
		assert_non_null(err_name((enum err) k));
		assert_true(strlen(err_meaning((enum err) k)) > 3);
	}
	assert_string_equal(err_name(ERR_COUNT), "?");
	assert_string_equal(err_name((enum err) - 1), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_first_problem_stays),
		ctx_test(test_field_is_copied),
		ctx_test(test_long_message),
		cmocka_unit_test(test_words_without_memory),
		cmocka_unit_test(test_no_memory_or_too_large),
		cmocka_unit_test(test_names_and_meanings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
