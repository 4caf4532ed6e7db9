/* SPDX-License-Identifier: Apache-2.0
 * Sign-ups: tokens, automatic expiry, and sign-ups that are held. */
#include "cloud.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "engine/people/signup.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/signup.h"

static uuid ask(struct cloud *c, const char *email, const char *peer)
{
	struct signup_wish wish = {.email = str_from(email)};
	assert_true(result_is_ok(ip_parse(str_from(peer), &wish.peer)));
	cloud_ok(c, NULL, engine_ask_signup, &wish);
	return wish.id;
}

static void open_template(struct cloud *c, enum choice reviewed)
{
	struct tag trial[] = {{STR("instances"), STR("1")}};
	struct signup_template_wish wish = {.name = STR("small"),
					    .open = CHOICE_YES,
					    .reviewed = reviewed,
					    .trial_limits = {trial, 1},
					    .has_trial_limits = true};
	cloud_ok(c, &c->operator, engine_put_signup_template, &wish);
}

static void a_token_is_of_one_row_and_one_key(void **state)
{
	struct cloud *c = *state;
	static const uint8_t key[MASTER_KEY_SIZE] = {1}, other[MASTER_KEY_SIZE] = {2};
	struct str token = STR_NONE, broken;
	uuid id = id_new(KIND_SIGNUP), read = UUID_NONE;
	assert_true(result_is_ok(signup_write_token(&c->c, key, id, &token)));
	assert_true(signup_read_token(&c->c, key, token, &read) && uuid_equal(read, id));
	assert_false(signup_read_token(&c->c, other, token, &read));
	for (size_t n = 0; n < token.n; n++) {
		broken = str_copy(c->c.arena, token);
		((char *) broken.p)[n] = broken.p[n] == '1' ? '2' : '1';
		assert_false(signup_read_token(&c->c, key, broken, &read));
		assert_false(signup_read_token(&c->c, key, str_slice(token, 0, n), &read));
	}
}

static void what_is_over_goes_and_what_is_held_stays(void **state)
{
	struct cloud *c = *state;
	struct signup_sweep sweep = {.max = 10};
	open_template(c, CHOICE_YES);
	uuid first = ask(c, "kim@example.com", "192.0.2.1"), second = ask(c, "lee@example.com", "192.0.2.2");
	struct signup_proof proof = {.signup = first, .name = STR("kim"), .password_hash = STR("hash")};
	cloud_ok(c, NULL, engine_confirm_signup, &proof);
	assert_int_equal(domain_find(cloud_tables(c), proof.domain)->signup_stage, DOMAIN_SIGNUP_STAGE_HELD);
	assert_int_equal(account_find(cloud_tables(c), proof.account)->limit_instances, 1);
	cloud_ok(c, NULL, engine_sweep_signups, &sweep);
	assert_true(signup_find(cloud_tables(c), first) && signup_find(cloud_tables(c), second));
	clock_advance_us(SIGNUP_LIFETIME_US);
	proof = (struct signup_proof){.signup = second, .name = STR("lee"), .password_hash = STR("hash")};
	cloud_fails(c, NULL, engine_confirm_signup, &proof, ERR_STATE, KIND_SIGNUP);
	cloud_ok(c, NULL, engine_sweep_signups, &sweep);
	assert_true(signup_find(cloud_tables(c), first) && !signup_find(cloud_tables(c), second));
	struct signup_review review = {.signup = ref_by_id(KIND_SIGNUP, first)};
	cloud_ok(c, &c->operator, engine_accept_signup, &review);
	clock_advance_us(SIGNUP_KEPT_US);
	cloud_ok(c, NULL, engine_sweep_signups, &sweep);
	assert_null(signup_find(cloud_tables(c), first));
	assert_int_equal(domain_find(cloud_tables(c), proof.domain) == NULL, 1); /* lee's was never made */
}

/* A neighbour in the same network counts, one elsewhere does not; after an hour nobody does. */
static void a_network_has_so_many_an_hour(void **state)
{
	struct cloud *c = *state;
	struct signup_wish wish = {.email = STR("x@example.com")};
	char email[32], peer[32];
	open_template(c, CHOICE_NO);
	for (int k = 0; k < SIGNUPS_OF_NET_MAX; k++) {
		snprintf(email, sizeof email, "u%d@example.com", k);
		snprintf(peer, sizeof peer, "2001:db8:0:%d::1", k);
		ask(c, email, peer);
	}
	assert_true(result_is_ok(ip_parse(STR("2001:db8:0:ff::9"), &wish.peer)));
	cloud_fails(c, NULL, engine_ask_signup, &wish, ERR_THROTTLED, KIND_SIGNUP);
	ask(c, "elsewhere@example.com", "2001:db8:1::9");
	clock_advance_us(HOUR);
	cloud_ok(c, NULL, engine_ask_signup, &wish);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {in_a_cloud(a_token_is_of_one_row_and_one_key),
					   in_a_cloud(what_is_over_goes_and_what_is_held_stays),
					   in_a_cloud(a_network_has_so_many_an_hour)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
