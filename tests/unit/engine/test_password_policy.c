/* SPDX-License-Identifier: Apache-2.0
 * Passwords that age, and the memory of earlier ones. */
#include "cloud.h"
#include "engine/people/account/account_user.h"
#include "engine/people/credential/password_policy.h"
#include "store/user.h"

#define DAY_US (24 * 3600 * SECOND)

static uuid make_user(struct cloud *c, const char *hash, enum choice is_first)
{
	struct account_user_wish wish = {.name = STR("ann")};
	c->alice.rights |= RIGHT(MANAGER);
	cloud_ok(c, &c->alice, engine_create_account_user, &wish);
	struct login_wish login = {.user = ref_to(c, KIND_USER, wish.user),
				   .password_hash = str_from(hash),
				   .is_first = is_first};
	cloud_ok(c, &c->alice, engine_create_login, &login);
	return wish.user;
}

static const struct user *find(struct cloud *c, uuid id)
{
	return user_find(cloud_tables(c), id);
}

static enum password_standing weigh(struct cloud *c, uuid id, int64_t later_us)
{
	const struct user *user = find(c, id);
	return engine_weigh_password(cloud_tables(c), user, user->password_changed_us + later_us);
}

static void check_age(void **state)
{
	struct cloud *c = *state;
	struct password_policy policy = {.length_min = 8, .age_days = 90};
	uuid id = make_user(c, "one", CHOICE_NO);
	assert_int_equal(weigh(c, id, 1000 * DAY_US), PASSWORD_LETS_IN);
	assert_int_equal(engine_password_expiry(cloud_tables(c), find(c, id)), 0);
	cloud_ok(c, &c->alice, engine_set_password_policy, &policy);
	assert_int_equal(engine_password_expiry(cloud_tables(c), find(c, id)),
			 find(c, id)->password_changed_us + 90 * DAY_US);
	assert_int_equal(weigh(c, id, 90 * DAY_US - 1), PASSWORD_LETS_IN);
	assert_int_equal(weigh(c, id, 90 * DAY_US), PASSWORD_MUST_CHANGE);
	policy.hard_expiry = true;
	cloud_ok(c, &c->alice, engine_set_password_policy, &policy);
	assert_int_equal(weigh(c, id, 90 * DAY_US), PASSWORD_DEAD);
	cloud_ok(c, &c->alice, engine_clear_password_policy, &policy);
	assert_int_equal(weigh(c, id, 90 * DAY_US), PASSWORD_LETS_IN);
}

static void check_first(void **state)
{
	struct cloud *c = *state;
	uuid id = make_user(c, "one", CHOICE_YES);
	struct own_password wish = {ref_to(c, KIND_USER, id), STR("none"), STR("two")};
	const struct identity ann = {.user = id};
	assert_int_equal(weigh(c, id, 0), PASSWORD_MUST_CHANGE);
	cloud_fails(c, &ann, engine_renew_password, &wish, ERR_CONFLICT, KIND_USER);
	wish.hash_before = STR("one");
	cloud_fails(c, NULL, engine_renew_password, &wish, ERR_DENIED, KIND_USER);
	cloud_fails(c, &c->alice, engine_renew_password, &wish, ERR_DENIED, KIND_USER);
	cloud_ok(c, &ann, engine_renew_password, &wish);
	assert_int_equal(weigh(c, id, 0), PASSWORD_LETS_IN);
	assert_true(str_is(find(c, id)->password_hash, "two"));
	wish = (struct own_password){ref_to(c, KIND_USER, id), STR("two"), STR("three")};
	cloud_fails(c, &ann, engine_renew_password, &wish, ERR_DENIED, KIND_USER);
	struct password_policy policy = {.length_min = 8, .own = true};
	cloud_ok(c, &c->alice, engine_set_password_policy, &policy);
	cloud_ok(c, &ann, engine_renew_password, &wish);
}

/* The history has no more hashes than the policy refuses, and none without a policy. */
static void check_history(void **state)
{
	struct cloud *c = *state;
	static const char *const hashes[] = {"two", "three", "four", "five"};
	struct password_policy policy = {.length_min = 8, .reuse = 3};
	uuid id = make_user(c, "one", CHOICE_NO);
	struct strs refused;
	cloud_ok(c, &c->alice, engine_set_password_policy, &policy);
	for (size_t k = 0; k < sizeof hashes / sizeof hashes[0]; k++) {
		struct login_wish login = {.user = ref_to(c, KIND_USER, id),
					   .password_hash = str_from(hashes[k])};
		cloud_ok(c, &c->alice, engine_update_login, &login);
	}
	assert_true(
		result_is_ok(engine_list_refused_passwords(&c->c, cloud_tables(c), find(c, id), &refused)));
	assert_int_equal(refused.count, 3);
	assert_true(str_is(refused.at[0], "five") && str_is(refused.at[1], "four") &&
		    str_is(refused.at[2], "three"));
	cloud_ok(c, &c->alice, engine_clear_password_policy, &policy);
	struct login_wish login = {.user = ref_to(c, KIND_USER, id), .password_hash = STR("six")};
	cloud_ok(c, &c->alice, engine_update_login, &login);
	assert_int_equal(find(c, id)->password_history.n, 0);
	cloud_ok(c, &c->alice, engine_delete_login, &login);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_age, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_first, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_history, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
