/* SPDX-License-Identifier: Apache-2.0
 * Sign-ups: tokens, automatic expiry, and sign-ups that are held. */
#include "cloud.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "engine/people/account/signup.h"
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

/* Mail is sent to the address, so it is one line of one address. */
static void only_an_address_of_mail_signs_up(void **state)
{
	struct cloud *c = *state;
	static const char *const bad[] = {"",
					  "kim",
					  "@example.com",
					  "kim@",
					  "kim@a@example.com",
					  "kim lee@example.com",
					  "kim@example.com\nBcc: all@example.com",
					  "<kim@example.com>",
					  "kim\x7f@example.com",
					  "kim\xff@example.com",
					  "kim@example.com,lee@example.com"};
	struct signup_wish wish = {.peer = ip_of("192.0.2.1")};
	char text[300];
	open_template(c, CHOICE_NO);
	for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
		wish.email = str_from(bad[n]);
		cloud_fails(c, NULL, engine_ask_signup, &wish, ERR_INVALID, KIND_SIGNUP);
	}
	memset(text, 'a', sizeof text);
	text[1] = '@';
	wish.email = (struct str){text, 255};
	cloud_fails(c, NULL, engine_ask_signup, &wish, ERR_INVALID, KIND_SIGNUP);
	wish.email.n = 254;
	cloud_ok(c, NULL, engine_ask_signup, &wish);
	assert_true(str_is(signup_find(cloud_tables(c), ask(c, " Kim@Example.com ", "192.0.2.1"))->email,
			   "kim@example.com"));
}

static void of_several_templates_one_is_named(void **state)
{
	struct cloud *c = *state;
	struct signup_wish wish = {.email = STR("kim@example.com"), .peer = ip_of("192.0.2.1")};
	struct signup_template_wish large = {.name = STR("large"), .open = CHOICE_YES};
	cloud_fails(c, NULL, engine_ask_signup, &wish, ERR_NOT_FOUND, KIND_SIGNUP_TEMPLATE);
	open_template(c, CHOICE_NO);
	cloud_ok(c, &c->operator, engine_put_signup_template, &large);
	cloud_fails(c, NULL, engine_ask_signup, &wish, ERR_NOT_FOUND, KIND_SIGNUP_TEMPLATE);
	wish.template_name = STR("large");
	cloud_ok(c, NULL, engine_ask_signup, &wish);
	large.open = CHOICE_NO;
	cloud_ok(c, &c->operator, engine_put_signup_template, &large);
	cloud_fails(c, NULL, engine_ask_signup, &wish, ERR_NOT_FOUND, KIND_SIGNUP_TEMPLATE);
	wish.template_name = STR_NONE; /* the other one is the only open one now */
	cloud_ok(c, NULL, engine_ask_signup, &wish);
}

/* Two requests of one person make one account; each token is good once. */
static void an_address_makes_one_account(void **state)
{
	struct cloud *c = *state;
	open_template(c, CHOICE_NO);
	uuid first = ask(c, "kim@example.com", "192.0.2.1"), second = ask(c, "kim@example.com", "192.0.2.1");
	struct signup_proof proof = {.signup = first, .name = STR("kim"), .password_hash = STR("hash")};
	cloud_ok(c, NULL, engine_confirm_signup, &proof);
	assert_int_equal(domain_find(cloud_tables(c), proof.domain)->signup_stage, DOMAIN_SIGNUP_STAGE_TRIAL);
	cloud_fails(c, NULL, engine_confirm_signup, &proof, ERR_STATE, KIND_SIGNUP);
	assert_true(str_starts_with(c->c.problem.message, STR("This token was used")));
	proof.signup = second;
	proof.name = STR("kim2");
	cloud_fails(c, NULL, engine_confirm_signup, &proof, ERR_STATE, KIND_SIGNUP);
	struct signup_review review = {.signup = ref_by_id(KIND_SIGNUP, first)};
	cloud_fails(c, &c->operator, engine_refuse_signup, &review, ERR_STATE, KIND_SIGNUP);
}

/* A refused customer keeps nothing that runs: the domain is disabled. */
static void a_refused_customer_is_shut_out(void **state)
{
	struct cloud *c = *state;
	open_template(c, CHOICE_YES);
	struct signup_proof proof = {.signup = ask(c, "kim@example.com", "192.0.2.1"),
				     .name = STR("kim"),
				     .password_hash = STR("hash")};
	struct signup_review review = {.signup = ref_by_id(KIND_SIGNUP, proof.signup)};
	cloud_fails(c, &c->operator, engine_accept_signup, &review, ERR_STATE, KIND_SIGNUP);
	cloud_ok(c, NULL, engine_confirm_signup, &proof);
	cloud_fails(c, &c->alice, engine_refuse_signup, &review, ERR_DENIED, KIND_SIGNUP_TEMPLATE);
	review.reason = STR("no company of that name");
	cloud_ok(c, &c->operator, engine_refuse_signup, &review);
	const struct signup *s = signup_find(cloud_tables(c), proof.signup);
	assert_true(s->stage == SIGNUP_STAGE_REFUSED && str_equal(s->reason, review.reason));
	assert_false(domain_find(cloud_tables(c), proof.domain)->enabled);
	cloud_fails(c, &c->operator, engine_accept_signup, &review, ERR_STATE, KIND_SIGNUP);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {in_a_cloud(a_token_is_of_one_row_and_one_key),
					   in_a_cloud(what_is_over_goes_and_what_is_held_stays),
					   in_a_cloud(a_network_has_so_many_an_hour),
					   in_a_cloud(only_an_address_of_mail_signs_up),
					   in_a_cloud(of_several_templates_one_is_named),
					   in_a_cloud(an_address_makes_one_account),
					   in_a_cloud(a_refused_customer_is_shut_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
