/* SPDX-License-Identifier: Apache-2.0
 * Client assertions: which texts are one, which certificate one names, and what proves that its key signed. */
#include "../base/test_base.h"

#include "auth/token/client_assertion.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"

#define NOW (INT64_C(1800000000) * SECOND)

struct program {
	struct str cert, key;
};

static struct program make_program(struct ctx *c)
{
	struct program p;
	struct crypto_issue issue = {
		.common_name = STR("program"), .valid_us = 24 * HOUR, .for_client = true};
	struct str unused = STR_NONE;
	clock_set_us(NOW);
	assert_ok(crypto_make_authority(c, STR("ca"), 48 * HOUR, &issue.ca_cert_pem, &issue.ca_key_pem));
	assert_ok(crypto_make_transport(c, STR("rsa"), HOUR, &p.key, &unused));
	issue.key_pem = p.key;
	assert_ok(crypto_issue_certificate(c, &issue, &p.cert, &unused));
	return p;
}

static struct str encode(struct ctx *c, struct str text)
{
	return str_encode_base64url(c->arena, text);
}

static struct str thumbprint(struct ctx *c, struct str cert, bool is_sha256)
{
	uint8_t sum[SHA256_SIZE];
	size_t size = crypto_digest_certificate(cert, is_sha256, sum);
	return str_copy(c->arena, encode(c, (struct str){(const char *) sum, size}));
}

static struct str assemble(struct ctx *c, struct str key, struct str header, struct str claims)
{
	struct str signature = STR_NONE;
	struct str head = str_print(c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(encode(c, header)),
				    STR_ARG(encode(c, claims)));
	assert_ok(crypto_sign_rs256(c, key, head, &signature));
	return str_print(c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(head), STR_ARG(encode(c, signature)));
}

#define CLAIMS                                                                                               \
	STR("{\"iss\":\"me\",\"sub\":\"me too\",\"aud\":\"https://here/\",\"exp\":1800000600,\"nbf\":"       \
	    "1799999900.5}")

static struct str header_of(struct ctx *c, const char *algorithm, const char *digest, struct str value)
{
	return str_print(c->arena, "{\"alg\":\"%s\",\"%s\":\"%" STR_FMT "\"}", algorithm, digest,
			 STR_ARG(value));
}

static enum err read(struct ctx *c, struct str text, struct client_assertion *a)
{
	ctx_clear_problem(c);
	return client_assertion_read(c, text, a).code;
}

static void test_reads_and_proves(void **state)
{
	struct ctx *c = *state;
	struct program p = make_program(c);
	for (int is_sha256 = 0; is_sha256 < 2; is_sha256++) {
		struct client_assertion a;
		struct str digest = thumbprint(c, p.cert, is_sha256);
		const char *name = is_sha256 ? "x5t#S256" : "x5t";
		/* MSAL for Python pads the digest */
		struct str padded = str_print(c->arena, "%" STR_FMT "==", STR_ARG(digest));
		assert_int_equal(read(c, assemble(c, p.key, header_of(c, "RS256", name, padded), CLAIMS), &a),
				 ERR_NONE);
		assert_str(a.issuer, "me");
		assert_str(a.subject, "me too");
		assert_str(a.audience, "https://here/");
		assert_true(a.until_us == INT64_C(1800000600) * SECOND);
		assert_true(a.from_us == INT64_C(1799999900) * SECOND);
		assert_int_equal(a.is_sha256, is_sha256);
		assert_true(client_assertion_proves(c, &a, p.cert));
	}
}

static void test_other_certificates(void **state)
{
	struct ctx *c = *state;
	struct client_assertion a;
	struct program p = make_program(c), other = make_program(c);
	struct str header = header_of(c, "RS256", "x5t", thumbprint(c, p.cert, false));
	assert_int_equal(read(c, assemble(c, p.key, header, CLAIMS), &a), ERR_NONE);
	assert_true(client_assertion_names(&a, p.cert));
	assert_false(client_assertion_names(&a, other.cert) || client_assertion_proves(c, &a, other.cert));
	assert_false(client_assertion_names(&a, STR("no certificate")));
	/* a part of the digest names nothing */
	a.thumbprint.n--;
	assert_false(client_assertion_names(&a, p.cert));
	/* the digest is public: the key has to have signed */
	assert_int_equal(read(c, assemble(c, other.key, header, CLAIMS), &a), ERR_NONE);
	assert_true(client_assertion_names(&a, p.cert));
	assert_false(client_assertion_proves(c, &a, p.cert));
	/* of the right key, for another certificate of that key */
	header = header_of(c, "RS256", "x5t", thumbprint(c, other.cert, false));
	assert_int_equal(read(c, assemble(c, p.key, header, CLAIMS), &a), ERR_NONE);
	assert_false(client_assertion_proves(c, &a, p.cert));
	/* a signature of RS256 is none of PS256 */
	header = header_of(c, "PS256", "x5t", thumbprint(c, p.cert, false));
	assert_int_equal(read(c, assemble(c, p.key, header, CLAIMS), &a), ERR_NONE);
	assert_true(a.is_pss);
	assert_false(client_assertion_proves(c, &a, p.cert));
}

static void test_certificates_have_their_time(void **state)
{
	struct ctx *c = *state;
	struct client_assertion a;
	struct program p = make_program(c);
	int64_t from_us = 0, until_us = 0;
	struct str header = header_of(c, "RS256", "x5t", thumbprint(c, p.cert, false));
	assert_int_equal(read(c, assemble(c, p.key, header, CLAIMS), &a), ERR_NONE);
	assert_ok(crypto_read_validity(c, p.cert, &from_us, &until_us));
	clock_set_us(from_us - 1);
	assert_false(client_assertion_proves(c, &a, p.cert));
	clock_set_us(from_us);
	assert_true(client_assertion_proves(c, &a, p.cert));
	clock_set_us(until_us - 1);
	assert_true(client_assertion_proves(c, &a, p.cert));
	clock_set_us(until_us);
	assert_false(client_assertion_proves(c, &a, p.cert));
}

static void test_what_is_none(void **state)
{
	struct ctx *c = *state;
	struct client_assertion a;
	struct program p = make_program(c);
	struct str digest = thumbprint(c, p.cert, false), key = p.key;
	struct str fine = assemble(c, key, header_of(c, "RS256", "x5t", digest), CLAIMS);
	struct str bad[] = {
		STR(""),
		STR(".."),
		STR("e30.e30"),
		str_print(c->arena, "%" STR_FMT ".e30", STR_ARG(fine)),
		assemble(c, key, header_of(c, "HS256", "x5t", digest), CLAIMS),
		assemble(c, key, header_of(c, "none", "x5t", digest), CLAIMS),
		assemble(c, key, header_of(c, "RS256", "kid", digest), CLAIMS), /* names no certificate */
		assemble(c, key, header_of(c, "RS256", "x5t", STR("!!!")), CLAIMS),
		/* extensions that have to be understood, and are not */
		assemble(c, key,
			 str_print(c->arena,
				   "{\"alg\":\"RS256\",\"x5t\":\"%" STR_FMT "\",\"crit\":[\"exp\"]}",
				   STR_ARG(digest)),
			 CLAIMS),
		/* two readers could take different ones */
		assemble(c, key, header_of(c, "RS256", "x5t", digest),
			 STR("{\"iss\":\"me\",\"iss\":\"you\"}")),
		assemble(c, key, header_of(c, "RS256", "x5t", digest), STR("[]")),
		assemble(c, key, STR("[]"), CLAIMS),
	};
	assert_int_equal(read(c, fine, &a), ERR_NONE);
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
		if (read(c, bad[k], &a) != ERR_INVALID)
			fail_msg("%zu: %.*s", k, STR_ARG(bad[k]));
}

static void test_limits(void **state)
{
	struct ctx *c = *state;
	struct client_assertion a;
	struct program p = make_program(c);
	struct str header = header_of(c, "RS256", "x5t", thumbprint(c, p.cert, false));
	static const char *const odd[] = {"{\"exp\":\"1800000600\",\"nbf\":-5,\"iss\":7}", "{\"exp\":1e300}"};
	for (size_t k = 0; k < 2; k++) { /* 0: no such time, which no assertion outlives */
		assert_int_equal(read(c, assemble(c, p.key, header, str_from(odd[k])), &a), ERR_NONE);
		assert_true(a.until_us == 0 && a.from_us == 0 && a.issuer.n == 0);
	}
	char *blanks = arena_alloc(c->arena, CLIENT_ASSERTION_MAX);
	assert_non_null(blanks);
	memset(blanks, ' ', CLIENT_ASSERTION_MAX);
	memcpy(blanks, "{", 1);
	blanks[CLIENT_ASSERTION_MAX - 1] = '}';
	struct str large = assemble(c, p.key, header, (struct str){blanks, CLIENT_ASSERTION_MAX});
	assert_int_equal(read(c, large, &a), ERR_INVALID);
	memset(blanks + CLIENT_ASSERTION_MAX / 2 - 1, '}', 1);
	large = assemble(c, p.key, header, (struct str){blanks, CLIENT_ASSERTION_MAX / 2});
	assert_int_equal(read(c, large, &a), ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_reads_and_proves), ctx_test(test_other_certificates),
					   ctx_test(test_certificates_have_their_time),
					   ctx_test(test_what_is_none), ctx_test(test_limits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
