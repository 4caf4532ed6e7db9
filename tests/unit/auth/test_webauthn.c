/* SPDX-License-Identifier: Apache-2.0
 * Passkeys: a challenge's user and lifetime, the required contents of answers, and the accepted keys and
 * signatures. */
#include "../base/test_base.h"

#include "auth/sign_in/webauthn.h"
#include "base/clock.h"
#include "base/crypto_ossl.h"

#define NOW_US (INT64_C(1800000000) * SECOND)

static const uint8_t master[MASTER_KEY_SIZE] = {7}, other_master[MASTER_KEY_SIZE] = {8};

struct world {
	struct arena *arena;
	struct ctx c;
	struct webauthn_party party;
	uint8_t data[64];
	struct webauthn_answer answer;
};

static struct str bytes(const void *p, size_t n)
{
	return (struct str){p, n};
}

/* Builds a valid answer to a fresh challenge. */
static void answer(struct world *w, const char *type)
{
	uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE];
	webauthn_draw_challenge(master, &w->party, challenge);
	w->answer.client_data = str_print(
		w->arena,
		"{\"type\":\"%s\",\"challenge\":\"%" STR_FMT "\",\"origin\":\"https://a.example.com\"}", type,
		STR_ARG(str_encode_base64url(w->arena, bytes(challenge, sizeof challenge))));
	crypto_sha256(STR("a.example.com"), w->data);
	w->data[32] = 0x45;
	memcpy(w->data + 33, (uint8_t[]){0, 0, 1, 2}, 4);
	memset(w->data + 37, 0, 16);
	memcpy(w->data + 53, (uint8_t[]){0, 3, 'k', 'e', 'y'}, 5);
	w->answer.data = bytes(w->data, 58);
}

static int setup(void **state)
{
	static struct world w;
	w = (struct world){
		.arena = arena_new(4096, 1 << 20),
		.party = {STR("https://a.example.com"), STR("a.example.com"), uuid_random(), true}};
	ctx_init(&w.c, w.arena);
	clock_set_us(NOW_US);
	answer(&w, "webauthn.create");
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct world *) *state)->arena);
	clock_set_us(0);
	return 0;
}

static enum err read_by(struct world *w, const uint8_t *key)
{
	struct webauthn_said said;
	ctx_clear_problem(&w->c);
	return webauthn_read(&w->c, key, &w->party, &w->answer, &said).code;
}

static enum err read_it(struct world *w)
{
	return read_by(w, master);
}

static void test_a_new_one(void **state)
{
	struct world *w = *state;
	struct webauthn_said said = {0};
	assert_ok(webauthn_read(&w->c, master, &w->party, &w->answer, &said));
	assert_true(str_is(said.credential, "key") && said.counter == 258 && said.is_verified);
	assert_int_equal(said.asked_us, NOW_US);
	w->data[32] = 0x41;
	assert_ok(webauthn_read(&w->c, master, &w->party, &w->answer, &said));
	assert_false(said.is_verified);
	for (size_t size = 0; size < 58; size++) {
		w->answer.data.n = size;
		assert_int_equal(read_it(w), ERR_INVALID);
	}
}

static void test_whom_a_challenge_is_for(void **state)
{
	struct world *w = *state;
	uuid user = w->party.user;
	assert_int_equal(read_by(w, other_master), ERR_INVALID);
	w->party.user = UUID_NONE;
	assert_int_equal(read_it(w), ERR_INVALID);
	w->party.user = user;
	clock_advance_us(WEBAUTHN_LIFETIME_US - 1);
	assert_int_equal(read_it(w), ERR_NONE);
	clock_advance_us(1);
	assert_int_equal(read_it(w), ERR_INVALID);
	clock_set_us(NOW_US - 1);
	assert_int_equal(read_it(w), ERR_INVALID);
	clock_set_us(NOW_US);
	answer(w, "webauthn.get");
	assert_int_equal(read_it(w), ERR_INVALID);
	w->party.is_new = false; /* a challenge to make one is none to use one */
	assert_int_equal(read_it(w), ERR_INVALID);
	answer(w, "webauthn.get");
	assert_int_equal(read_it(w), ERR_NONE);
}

static void test_what_a_browser_says(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{", "{}", "{\"type\":\"webauthn.create\"}", "{\"type\":7}"};
	struct world *w = *state;
	struct str good = w->answer.client_data;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		w->answer.client_data = str_from(bad[k]);
		assert_int_equal(read_it(w), ERR_INVALID);
	}
	w->answer.client_data = str_print(w->arena, "%" STR_FMT ",\"crossOrigin\":true}",
					  STR_ARG(str_slice(good, 0, good.n - 1)));
	assert_int_equal(read_it(w), ERR_INVALID);
	w->answer.client_data = str_print(w->arena, "%" STR_FMT ",\"origin\":\"https://a.example.com\"}",
					  STR_ARG(str_slice(good, 0, good.n - 1))); /* twice */
	assert_int_equal(read_it(w), ERR_INVALID);
	w->answer.client_data = good;
	w->party.origin = STR("https://a.example.com:8443");
	assert_int_equal(read_it(w), ERR_INVALID);
	w->party.origin = STR("https://a.example.com");
	w->party.rp = STR("example.com");
	assert_int_equal(read_it(w), ERR_INVALID);
	w->party.rp = STR("a.example.com");
	w->data[32] = 0x44; /* without user presence */
	assert_int_equal(read_it(w), ERR_INVALID);
	w->data[32] = 0x05; /* no credential */
	assert_int_equal(read_it(w), ERR_INVALID);
}

static void test_hosts(void **state)
{
	(void) state;
	assert_true(webauthn_is_rp(STR("localhost")) && webauthn_is_rp(STR("cloud.example.com")));
	assert_false(webauthn_is_rp(STR("192.0.2.1")) || webauthn_is_rp(STR("[::1]")) ||
		     webauthn_is_rp(STR("::1")) || webauthn_is_rp(STR_NONE));
}

/* Signs the answer's data and returns the public key in DER. */
static struct str sign(struct world *w, EVP_PKEY *key)
{
	uint8_t digest[SHA256_SIZE];
	unsigned char *der = NULL;
	size_t size = 1024;
	unsigned char *signature = arena_alloc(w->arena, size);
	int der_size = i2d_PUBKEY(key, &der);
	struct str public_key = str_copy(w->arena, bytes(der, (size_t) der_size));
	OPENSSL_free(der);
	crypto_sha256(w->answer.client_data, digest);
	const struct str parts[] = {w->answer.data, bytes(digest, sizeof digest)};
	struct str message = str_join(w->arena, parts, 2);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(
		EVP_DigestSign(context, signature, &size, (const unsigned char *) message.p, message.n), 1);
	EVP_MD_CTX_free(context);
	w->answer.signature = bytes(signature, size);
	return public_key;
}

static void check_key(struct world *w, EVP_PKEY *key)
{
	struct str public_key = sign(w, key);
	assert_true(webauthn_is_key(public_key));
	assert_true(webauthn_has_signed(public_key, w->arena, &w->answer));
	assert_false(webauthn_is_key(str_slice(public_key, 0, public_key.n - 1)));
	w->data[36]++;
	assert_false(webauthn_has_signed(public_key, w->arena, &w->answer));
	w->data[36]--;
	w->answer.signature.n--;
	assert_false(webauthn_has_signed(public_key, w->arena, &w->answer));
	EVP_PKEY_free(key);
}

static void test_keys(void **state)
{
	struct world *w = *state;
	check_key(w, EVP_EC_gen("P-256"));
	check_key(w, EVP_RSA_gen(2048));
	EVP_PKEY *others[] = {EVP_EC_gen("P-384"), EVP_RSA_gen(1024)};
	for (size_t k = 0; k < 2; k++) {
		assert_false(webauthn_is_key(sign(w, others[k])));
		EVP_PKEY_free(others[k]);
	}
	assert_false(webauthn_is_key(STR_NONE) || webauthn_is_key(STR("no key")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_a_new_one), TEST(test_whom_a_challenge_is_for),
					   TEST(test_what_a_browser_says), TEST(test_hosts), TEST(test_keys)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
