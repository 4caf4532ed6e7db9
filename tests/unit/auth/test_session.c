/* SPDX-License-Identifier: Apache-2.0
 * Temporary credentials: sealed ones can be opened, and all others are refused. */
#include "../base/test_base.h"

#include "auth/sign_in/session.h"

static const uint8_t master[MASTER_KEY_SIZE] = {7};
static const uint8_t other_master[MASTER_KEY_SIZE] = {8};

static struct session make_session(void)
{
	static const struct tag tags[] = {{{"team", 4}, {"red", 3}}, {{"empty", 5}, {"", 0}}};
	static const uuid policies[] = {{{1}}, {{2}}};
	return (struct session){.account = {{3}},
				.iam_role = {{4}},
				.name = STR("job"),
				.issued_us = 1000000,
				.expires_us = 901000000,
				.policy = STR("{}"),
				.policies = {policies, 2},
				.tags = {tags, 2}};
}

static int setup(void **state)
{
	static struct ctx c;
	ctx_init(&c, arena_new(4096, 1024 * 1024));
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct ctx *) *state)->arena);
	return 0;
}

static void test_there_and_back(void **state)
{
	struct ctx *c = *state;
	struct session_keys keys;
	struct session_credentials made;
	struct session s = make_session(), back = {0};
	char number[ACCOUNT_NUMBER_SIZE];
	session_derive_keys(master, &keys);
	assert_ok(session_issue(c, &keys, &s, STR("000000000042"), &made));
	assert_true(session_is_key_id(made.key_id) && made.secret.n == 40);
	assert_true(session_read_number(&keys, made.key_id, number));
	assert_memory_equal(number, "000000000042", sizeof number);
	assert_true(session_open(c, &keys, made.key_id, made.token, &back));
	assert_true(uuid_equal(back.account, s.account) && uuid_equal(back.iam_role, s.iam_role));
	assert_true(uuid_is_none(back.user) && str_is(back.name, "job") && str_is(back.policy, "{}"));
	assert_true(back.issued_us == s.issued_us && back.expires_us == s.expires_us);
	assert_int_equal(back.policies.count, 2);
	assert_true(uuid_equal(back.policies.at[1], s.policies.at[1]));
	assert_int_equal(back.tags.count, 2);
	assert_true(str_is(back.tags.at[0].value, "red") && str_is_empty(back.tags.at[1].value));
	assert_true(str_equal(session_derive_secret(c->arena, &keys, made.token), made.secret));
}

static void test_nothing_else_opens(void **state)
{
	struct ctx *c = *state;
	struct session_keys keys, others;
	struct session_credentials made, second;
	struct session s = make_session(), back = {0};
	session_derive_keys(master, &keys);
	session_derive_keys(other_master, &others);
	assert_ok(session_issue(c, &keys, &s, STR("123456789012"), &made));
	assert_ok(session_issue(c, &keys, &s, STR("123456789012"), &second));
	assert_false(session_open(c, &keys, second.key_id, made.token, &back));
	assert_false(session_open(c, &others, made.key_id, made.token, &back));
	for (size_t n = 0; n < made.token.n; n += 4)
		assert_false(session_open(c, &keys, made.key_id, str_slice(made.token, 0, n), &back));
	for (size_t n = 0; n < made.token.n - 4; n += 7) {
		struct str mutated = str_copy(c->arena, made.token);
		((char *) mutated.p)[n] = mutated.p[n] == 'A' ? 'B' : 'A';
		assert_false(session_open(c, &keys, made.key_id, mutated, &back));
	}
	assert_int_equal(c->problem.err, 0);
}

static void test_key_ids(void **state)
{
	struct session_keys keys;
	char number[ACCOUNT_NUMBER_SIZE];
	(void) state;
	session_derive_keys(master, &keys);
	assert_false(session_is_key_id(STR("AKIAABCDEFGHIJKLMNOP")));
	assert_false(session_is_key_id(STR("ASIA")));
	assert_false(session_read_number(&keys, STR("ASIAabcdefghijklmnop"), number));
	assert_false(session_read_number(&keys, STR("ASIAABCDEFGHIJKLMN0P"), number));
}

static void test_size(void **state)
{
	struct ctx *c = *state;
	static char text[SESSION_PACKED_MAX];
	struct session_keys keys;
	struct session_credentials made;
	struct session s = {.policy = {text, sizeof text}}, back = {0};
	memset(text, ' ', sizeof text);
	session_derive_keys(master, &keys);
	assert_ok(session_issue(c, &keys, &s, STR("123456789012"), &made));
	assert_true(made.token.n <= SESSION_TOKEN_MAX);
	assert_true(session_open(c, &keys, made.key_id, made.token, &back) && back.policy.n == sizeof text);
	s.name = STR("x");
	assert_err(session_issue(c, &keys, &s, STR("123456789012"), &made), QUOTA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_else_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
