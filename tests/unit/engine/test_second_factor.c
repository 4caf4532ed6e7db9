/* SPDX-License-Identifier: Apache-2.0
 * Second factors: the proof that changes of one's own need, and that no code, recovery code or passkey answer is
 * accepted twice. */
#include "cloud.h"

#include "base/crypto.h"
#include "engine/people/account/account_user.h"
#include "engine/people/credential/second_factor.h"
#include "engine/people/user.h"
#include "model/session.h"
#include "store/second_factor.h"

static struct identity add_person(struct cloud *c, const char *name)
{
	struct user_wish wish = {.name = str_from(name), .domain = ref_to(c, KIND_DOMAIN, DOMAIN_DEFAULT)};
	cloud_ok(c, &c->operator, engine_create_user, &wish);
	return (struct identity){.scope = IDENTITY_UNSCOPED,
				 .domain = DOMAIN_DEFAULT,
				 .user = wish.user,
				 .proof = PROOF_IN_SESSION};
}

static struct second_factor_wish generator(struct cloud *c, const struct identity *who, const char *name)
{
	return (struct second_factor_wish){.id = id_new(KIND_SECOND_FACTOR),
					   .user = ref_to(c, KIND_USER, who->user),
					   .type = SECOND_FACTOR_TYPE_TOTP,
					   .name = str_from(name),
					   .secret = STR("sealed")};
}

static struct second_factor_wish passkey(struct cloud *c, const struct identity *who, const char *credential)
{
	struct second_factor_wish wish = generator(c, who, "passkey");
	wish.type = SECOND_FACTOR_TYPE_PASSKEY;
	wish.secret = STR_NONE;
	wish.credential = str_from(credential);
	wish.is_confirmed = true;
	return wish;
}

static const struct second_factor *factor_of(struct cloud *c, uuid id)
{
	return second_factor_find(cloud_tables(c), id);
}

/* Makes and confirms a generator of codes. */
static uuid make_generator(struct cloud *c, const struct identity *who, const char *name, struct str recovery)
{
	struct second_factor_wish wish = generator(c, who, name);
	cloud_ok(c, who, engine_create_second_factor, &wish);
	struct second_factor_proof proof = {
		.factor = ref_by_id(KIND_SECOND_FACTOR, wish.id), .counter = 100, .recovery = recovery};
	cloud_ok(c, who, engine_confirm_second_factor, &proof);
	return wish.id;
}

/* A stolen access key or token must not make a factor, nor change one that its owner has. */
static void changes_need_a_proof(void **state)
{
	struct cloud *c = *state;
	struct identity ann = add_person(c, "ann"), bob = add_person(c, "bob");
	struct second_factor_wish wish = generator(c, &ann, "phone");
	ann.proof = PROOF_BY_KEY;
	cloud_fails(c, &ann, engine_create_second_factor, &wish, ERR_DENIED, KIND_SECOND_FACTOR);
	cloud_fails(c, &bob, engine_create_second_factor, &wish, ERR_DENIED, KIND_USER);
	ann.proof = PROOF_IN_SESSION;
	cloud_ok(c, &ann, engine_create_second_factor, &wish);
	struct second_factor_wish another = generator(c, &ann, "tablet");
	cloud_ok(c, &ann, engine_create_second_factor, &another); /* the first is not confirmed */

	struct second_factor_proof proof = {.factor = ref_by_id(KIND_SECOND_FACTOR, wish.id), .counter = 7};
	cloud_ok(c, &ann, engine_confirm_second_factor, &proof);
	cloud_fails(c, &ann, engine_confirm_second_factor, &proof, ERR_DENIED, KIND_SECOND_FACTOR);
	struct second_factor_target target = {.factor = ref_by_id(KIND_SECOND_FACTOR, another.id)};
	cloud_fails(c, &ann, engine_delete_second_factor, &target, ERR_DENIED, KIND_SECOND_FACTOR);
	ann.proof = PROOF_BY_FACTOR;
	cloud_fails(c, &ann, engine_confirm_second_factor, &proof, ERR_STATE, KIND_SECOND_FACTOR);
	cloud_ok(c, &ann, engine_delete_second_factor, &target);
	target.factor = ref_by_id(KIND_SECOND_FACTOR, wish.id);
	cloud_fails(c, &bob, engine_delete_second_factor, &target, ERR_DENIED, KIND_USER);
	cloud_ok(c, &c->operator, engine_delete_second_factor, &target); /* the phone is lost */
	assert_null(factor_of(c, wish.id));
}

/* Temporary credentials that were taken with a factor change factors only while a factor of that time is left. */
static void sessions_end_with_their_factor(void **state)
{
	struct cloud *c = *state;
	const struct session session = {0};
	struct identity ann = add_person(c, "ann");
	uuid lost = make_generator(c, &ann, "lost", STR_NONE);
	ann.proof = PROOF_BY_FACTOR;
	struct identity by_session = ann;
	by_session.session = &session;
	by_session.factor_us = clock_now_us();
	struct second_factor_wish extra = generator(c, &ann, "extra");
	cloud_ok(c, &by_session, engine_create_second_factor, &extra);

	clock_set_us(clock_now_us() + 3600 * SECOND);
	uuid kept = make_generator(c, &ann, "kept", STR_NONE);
	struct second_factor_target target = {.factor = ref_by_id(KIND_SECOND_FACTOR, lost)};
	cloud_ok(c, &ann, engine_delete_second_factor, &target);
	target.factor = ref_by_id(KIND_SECOND_FACTOR, kept);
	cloud_fails(c, &by_session, engine_delete_second_factor, &target, ERR_DENIED, KIND_SECOND_FACTOR);
	by_session.factor_us = clock_now_us();
	cloud_ok(c, &by_session, engine_delete_second_factor, &target);
}

static void each_passkey_is_there_once(void **state)
{
	struct cloud *c = *state;
	struct identity ann = add_person(c, "ann"), bob = add_person(c, "bob");
	struct second_factor_wish wish = passkey(c, &ann, "credential");
	cloud_ok(c, &ann, engine_create_second_factor, &wish);
	ann.proof = PROOF_BY_FACTOR;
	wish = passkey(c, &ann, "credential");
	cloud_fails(c, &ann, engine_create_second_factor, &wish, ERR_EXISTS, KIND_SECOND_FACTOR);
	wish = passkey(c, &ann, "credential2");
	cloud_ok(c, &ann, engine_create_second_factor, &wish);
	wish = passkey(c, &bob, "credential");
	cloud_ok(c, &bob, engine_create_second_factor, &wish);
	wish = generator(c, &ann, "");
	cloud_fails(c, &ann, engine_create_second_factor, &wish, ERR_INVALID, KIND_SECOND_FACTOR);
}

/* An account's own user without a password has no console session, and cannot be locked out of one. */
static void accounts_users_are_not_locked_out(void **state)
{
	struct cloud *c = *state;
	struct account_user_wish user = {.name = STR("carl")};
	c->alice.rights |= RIGHT(MANAGER);
	cloud_ok(c, &c->alice, engine_create_account_user, &user);
	struct identity carl = c->alice;
	carl.user = user.user;
	carl.proof = PROOF_BY_KEY;
	struct second_factor_wish wish = generator(c, &carl, "phone");
	cloud_ok(c, &carl, engine_create_second_factor, &wish);
	struct login_wish login = {.user = ref_to(c, KIND_USER, user.user), .password_hash = STR("hash")};
	cloud_ok(c, &c->alice, engine_create_login, &login);
	struct second_factor_proof proof = {.factor = ref_by_id(KIND_SECOND_FACTOR, wish.id), .counter = 7};
	cloud_fails(c, &carl, engine_confirm_second_factor, &proof, ERR_DENIED, KIND_SECOND_FACTOR);
	carl.proof = PROOF_IN_SESSION;
	cloud_ok(c, &carl, engine_confirm_second_factor, &proof);
}

static struct second_factor_use use_of(uuid factor, int64_t counter)
{
	return (struct second_factor_use){.factor = factor, .counter = counter};
}

static void codes_are_spent(void **state)
{
	struct cloud *c = *state;
	char digests[2 * SHA256_SIZE];
	memset(digests, 'a', SHA256_SIZE);
	memset(digests + SHA256_SIZE, 'b', SHA256_SIZE);
	const struct str first = {digests, SHA256_SIZE}, second = {digests + SHA256_SIZE, SHA256_SIZE};
	struct identity ann = add_person(c, "ann");
	struct second_factor_wish early = generator(c, &ann, "early");
	cloud_ok(c, &ann, engine_create_second_factor, &early);
	struct second_factor_use use = use_of(early.id, 1);
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);

	uuid id = make_generator(c, &ann, "phone", (struct str){digests, sizeof digests});
	use = use_of(id, 100); /* the code that confirmed it */
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	use.counter = 101;
	cloud_ok(c, NULL, engine_use_second_factor, &use);
	assert_int_equal(factor_of(c, id)->used_us, clock_now_us());
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);

	struct second_factor_use recover = {.factor = id, .recovery = second};
	cloud_ok(c, NULL, engine_use_second_factor, &recover);
	cloud_fails(c, NULL, engine_use_second_factor, &recover, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	assert_true(str_equal(factor_of(c, id)->recovery, first));
	assert_int_equal(factor_of(c, id)->counter, 101); /* codes from before stay spent */
	recover.recovery = str_slice(first, 0, SHA256_SIZE - 1);
	cloud_fails(c, NULL, engine_use_second_factor, &recover, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	recover.recovery = first;
	cloud_ok(c, NULL, engine_use_second_factor, &recover);
	use = use_of(id_new(KIND_SECOND_FACTOR), 1);
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	use = use_of(UUID_NONE, 0); /* the user has none */
	cloud_ok(c, NULL, engine_use_second_factor, &use);
}

static void passkeys_answer_a_challenge_once(void **state)
{
	struct cloud *c = *state;
	struct identity ann = add_person(c, "ann");
	struct second_factor_wish wish = passkey(c, &ann, "credential");
	cloud_ok(c, &ann, engine_create_second_factor, &wish);
	struct second_factor_use use = {.factor = wish.id, .asked_us = clock_now_us()};
	cloud_ok(c, NULL, engine_use_second_factor, &use); /* an authenticator without a counter */
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	clock_set_us(clock_now_us() + SECOND);
	use.asked_us = clock_now_us();
	use.counter = 5;
	cloud_ok(c, NULL, engine_use_second_factor, &use);
	clock_set_us(clock_now_us() + SECOND);
	use.asked_us = clock_now_us();
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	use.counter = 0; /* a clone that does not count */
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	use.counter = 6;
	cloud_ok(c, NULL, engine_use_second_factor, &use);
}

/* Codes of the past that show the clock of a generator are spent by that. */
static void clocks_are_set_forward(void **state)
{
	struct cloud *c = *state;
	struct identity ann = add_person(c, "ann");
	uuid id = make_generator(c, &ann, "phone", STR_NONE);
	ann.proof = PROOF_BY_FACTOR;
	struct second_factor_clock clock = {
		.factor = ref_by_id(KIND_SECOND_FACTOR, id), .counter = 100, .drift = -2};
	cloud_fails(c, &ann, engine_resync_second_factor, &clock, ERR_INVALID, KIND_SECOND_FACTOR);
	clock.counter = 101;
	cloud_ok(c, &ann, engine_resync_second_factor, &clock);
	assert_int_equal(factor_of(c, id)->drift, -2);
	struct second_factor_use use = use_of(id, 101);
	cloud_fails(c, NULL, engine_use_second_factor, &use, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR);
	struct second_factor_wish wish = passkey(c, &ann, "credential");
	cloud_ok(c, &ann, engine_create_second_factor, &wish);
	clock.factor = ref_by_id(KIND_SECOND_FACTOR, wish.id);
	cloud_fails(c, &ann, engine_resync_second_factor, &clock, ERR_INVALID, KIND_SECOND_FACTOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_need_a_proof, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(sessions_end_with_their_factor, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(each_passkey_is_there_once, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(accounts_users_are_not_locked_out, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(codes_are_spent, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(passkeys_answer_a_challenge_once, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(clocks_are_set_forward, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
