/* SPDX-License-Identifier: Apache-2.0
 * Redaction: secrets of every known form are removed, alone in a sentence and among others, and everything
 * else stays. All secrets here are invented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "model/redact.h"

/* clang-format off */
static const struct {
	const char *text, *secret;
} shapes[] = {
	{"AKIAEXAMPLEQRSTUVW23", "EXAMPLEQRSTUVW23"},
	{"key ASIAEXAMPLEQRSTUVW23 of a session", "EXAMPLEQRSTUVW23"},
	{"AROAEXAMPLEQRSTUVW23:session", "EXAMPLEQRSTUVW23"},
	{"AIDAEXAMPLEQRSTUVW23", "EXAMPLEQRSTUVW23"},
	{"aws_access_key_id = AKIAEXAMPLEQRSTUVW23", "EXAMPLEQRSTUVW23"},
	{"aws_secret_access_key = wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"aws_secret_access_key=wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"AWS_SECRET_ACCESS_KEY=\"wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\"", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"export AWS_SECRET_ACCESS_KEY='wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX'", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"\"SecretAccessKey\": \"wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\"", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"<SecretAccessKey>wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX</SecretAccessKey>", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"secretAccessKey: wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"the secret is wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"my secret key (wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX) leaked", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN RSA PRIVATE KEY-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\n-----END RSA PRIVATE KEY-----", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN PRIVATE KEY-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\n-----END PRIVATE KEY-----", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN EC PRIVATE KEY-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\n-----END EC PRIVATE KEY-----", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN OPENSSH PRIVATE KEY-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\n-----END OPENSSH PRIVATE KEY-----", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN ENCRYPTED PRIVATE KEY-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\n-----END ENCRYPTED PRIVATE KEY-----", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN DSA PRIVATE KEY-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"-----BEGIN PGP PRIVATE KEY BLOCK-----\nwJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX\n-----END PGP PRIVATE KEY BLOCK-----", "wJaEXAMPLESECRETbPxRfiCYzK7MDENGexampleX"},
	{"Authorization: Bearer Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"authorization: Basic Zq7ExampleOnly5mN8pLk2Xv==", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"curl -H \"Authorization: token Zq7ExampleOnly5mN8pLk2Xv\" https://x", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"curl -H 'authorization: Bearer Zq7ExampleOnly5mN8pLk2Xv' https://x", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"\"Authorization\": \"Bearer Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Authorization: AWS4-HMAC-SHA256 Credential=x, Signature=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Proxy-Authorization: Basic Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"X-Auth-Token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"x-auth-token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"X-Subject-Token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"X-Amz-Security-Token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"X-Vault-Token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"X-Api-Key: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Cookie: session=Zq7ExampleOnly5mN8pLk2Xv; a=b", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Set-Cookie: sid=Zq7ExampleOnly5mN8pLk2Xv; HttpOnly", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"eyJhbGciOiJIUzI1NiJ9.eyJZq7ExampleOnly5mN8pLk2Xv.Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"token eyJhbGciOiJSUzI1NiJ9.eyJZq7ExampleOnly5mN8pLk2Xv.Zq7ExampleOnly5mN8pLk2Xv-_x", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://b.example.com/k?X-Amz-Signature=Zq7ExampleOnly5mN8pLk2Xv&x=1", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://b.example.com/k?X-Amz-Credential=Zq7ExampleOnly5mN8pLk2Xv%2F2026", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://b.example.com/k?Signature=Zq7ExampleOnly5mN8pLk2Xv&Expires=1", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://b.example.com/k?AWSAccessKeyId=Zq7ExampleOnly5mN8pLk2Xv&Expires=1", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://a.blob.example.com/k?sv=1&sig=Zq7ExampleOnly5mN8pLk2Xv%3D&se=2", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://g.example.com/k?X-Goog-Signature=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"https://kim:Zq7ExampleOnly5mN8pLk2Xv@git.example.com/x.git", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"postgres://app:Zq7ExampleOnly5mN8pLk2Xv@db:5432/x", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"mysql://root:Zq7ExampleOnly5mN8pLk2Xv@10.0.0.1/x", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"redis://:Zq7ExampleOnly5mN8pLk2Xv@cache:6379", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"amqp://u:Zq7ExampleOnly5mN8pLk2Xv@q/", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"mongodb://u:Zq7ExampleOnly5mN8pLk2Xv@m/?x=1", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"password=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"password = Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"password: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Password: \"Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"password: 'Zq7ExampleOnly5mN8pLk2Xv'", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"\"password\": \"Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"{\"password\":\"Zq7ExampleOnly5mN8pLk2Xv\"}", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"{\\\"password\\\": \\\"Zq7ExampleOnly5mN8pLk2Xv\\\"}", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"PASSWORD=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"DB_PASSWORD=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"db.password=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"MYSQL_ROOT_PASSWORD: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"root_password: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"passwd=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"passwd: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"pwd=Zq7ExampleOnly5mN8pLk2Xv;", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Server=x;Pwd=Zq7ExampleOnly5mN8pLk2Xv;Uid=y", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"passphrase: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"my password is Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"<password>Zq7ExampleOnly5mN8pLk2Xv</password>", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"--password Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"--password=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"openstack --os-password Zq7ExampleOnly5mN8pLk2Xv server list", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"OS_PASSWORD=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"sshpass -p x; password=\"Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"Passwort: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"secret=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"secret: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"client_secret=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"client_secret: \"Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"\"clientSecret\": \"Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"app.secret = Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"token=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"access_token=Zq7ExampleOnly5mN8pLk2Xv&x=1", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"\"access_token\":\"Zq7ExampleOnly5mN8pLk2Xv\"", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"refresh_token: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"api_key=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"apikey: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"api-key: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"X_API_KEY=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"AccountKey=Zq7ExampleOnly5mN8pLk2Xv==;EndpointSuffix=x", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"SharedAccessKey=Zq7ExampleOnly5mN8pLk2Xv=", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"private_key: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"encryption_key=Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"luks_key: Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"ghp_Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"github_pat_Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1KZq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"glpat-Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"xoxb-Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"sk_live_Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"SG.Zq7ExampleOnly5mN8pLk2Xv.Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"gAAAAABZq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1KZq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"AIzaZq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"npm_Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"hvs.Zq7ExampleOnly5mN8pLk2Xv", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"root:$6$salt$HASHEXAMPLE1234567:19000:0", "HASHEXAMPLE1234567"},
	{"$2b$12$Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"$argon2id$v=19$m=65536,t=3,p=4$Zq7ExampleOnly5mN8pLk2Xv$Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"$5$salt$Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"$y$j9T$Zq7ExampleOnly5mN8pLk2Xv$Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2Xv"},
	{"{SSHA}Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K", "Zq7ExampleOnly5mN8pLk2XvB4cD6fG9hJ1K"},
	{"brought-along-key-0001 was used", "brought-along-key-0001"},
};
static const char *const kept[] = {
	"The password is required.",
	"password:",
	"token: none",
	"Please reset my password",
	"the key of the problem: none",
	"i-0123456789abcdef0 does not boot",
	"sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"https://example.com/a?b=c",
	"-----BEGIN CERTIFICATE-----",
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA kim",
	"10.0.0.1",
	"vol-0123456789abcdef0",
	"commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
	"a = b",
	"time: 10:30",
	"uuid 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	"signed off by Kim",
	"SIGKILL: 9",
	"it costs $6 a day",
	"see docs/x.md://y",
};
/* clang-format on */
enum { SHAPES = sizeof shapes / sizeof shapes[0], KEPT = sizeof kept / sizeof kept[0] };

static const struct str exact[] = {{"brought-along-key-0001", 22}};
static const struct redact_name names[] = {{{"hv1", 3}, {"host-1", 6}}, {{"10.20.0.7", 9}, {"host-1", 6}}};
static const struct redact_rules rules = {.exact = {exact, 1}, .names = names, .name_count = 2};

static struct str redact(struct arena *a, struct str text, size_t *ret_count)
{
	struct str clean = STR_NONE;
	assert_true(result_is_ok(redact_text(a, text, &rules, &clean, ret_count)));
	return clean;
}

static void check_shapes(void **state)
{
	(void) state;
	assert_true(SHAPES >= 100);
	for (size_t k = 0; k < SHAPES; k++) {
		AUTO(arena) a = arena_new(4096, 1 << 20);
		size_t count = 0;
		struct str text = str_print(a, "Dear all,\n%s\nThe end.", shapes[k].text);
		struct str clean = redact(a, text, &count);
		print_message("%s\n", clean.p);
		assert_true(count >= 1);
		assert_false(str_contains(clean, str_from(shapes[k].secret)));
		assert_true(str_contains(clean, STR("[removed: ")));
		assert_true(str_starts_with(clean, STR("Dear all,\n")) &&
			    (str_ends_with(clean, STR("The end.")) ||
			     str_starts_with(str_from(shapes[k].text), STR("-----BEGIN DSA"))));
	}
}

/* All forms in one text, one per line. */
static void check_all_at_once(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(65536, 4 << 20);
	struct str text = STR_NONE;
	size_t count = 0;
	for (size_t k = 0; k < SHAPES; k++)
		text = str_print(a, "%" STR_FMT "%s\n", STR_ARG(text), shapes[k].text);
	struct str clean = redact(a, text, &count);
	for (size_t k = 0; k < SHAPES; k++)
		assert_false(str_contains(clean, str_from(shapes[k].secret)));
}

static void check_kept(void **state)
{
	(void) state;
	for (size_t k = 0; k < KEPT; k++) {
		AUTO(arena) a = arena_new(4096, 1 << 20);
		size_t count = 0;
		struct str text = str_from(kept[k]);
		assert_string_equal(redact(a, text, &count).p, kept[k]);
		assert_int_equal(count, 0);
	}
}

static void check_twice(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(4096, 1 << 20);
	size_t first = 0, again = 0;
	struct str once = redact(a, STR("password=abcdefgh token: \"x y z\""), &first);
	struct str twice = redact(a, once, &again);
	assert_int_equal(first, 2);
	assert_int_equal(again, 0);
	assert_true(str_equal(once, twice));
}

static void check_names(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(4096, 1 << 20);
	size_t count = 0;
	assert_string_equal(redact(a, STR("It is on hv1 (10.20.0.7), not hv12 or my-hv1x."), &count).p,
			    "It is on host-1 (host-1), not hv12 or my-hv1x.");
	assert_int_equal(count, 0);
	const uint8_t key[] = "k", other[] = "l";
	struct str one = redact_pseudonym(a, key, 1, "host", STR("hv1"));
	assert_true(str_equal(one, redact_pseudonym(a, key, 1, "host", STR("hv1"))));
	assert_false(str_equal(one, redact_pseudonym(a, key, 1, "host", STR("hv2"))));
	assert_false(str_equal(one, redact_pseudonym(a, other, 1, "host", STR("hv1"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(check_shapes),
					   cmocka_unit_test(check_all_at_once), cmocka_unit_test(check_kept),
					   cmocka_unit_test(check_twice), cmocka_unit_test(check_names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
