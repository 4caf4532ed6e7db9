/* SPDX-License-Identifier: Apache-2.0
 * Cryptography against published vectors and against OpenSSL's and OpenSSH's own programs. */
#include "test_base.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_certificate.h"
#include "base/crypto_issue.h"
#include "base/file.h"
#include "base/random.h"

static char folder[64];

static int setup(void **state)
{
	(void) snprintf(folder, sizeof folder, "/tmp/dari_test_crypto_XXXXXX");
	return mkdtemp(folder) ? ctx_setup(state) : -1;
}

static int teardown(void **state)
{
	char path[128];
	(void) snprintf(path, sizeof path, "%s/key", folder);
	(void) unlink(path);
	random_set_seed(0);
	(void) ctx_teardown(state);
	return rmdir(folder);
}
#define crypto_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Runs a shell script with text in the file $1, without white space at the ends of its output. */
static struct str run_on(struct ctx *c, const char *script, struct str text)
{
	struct child_end end;
	const char *path = str_print(c->arena, "%s/key", folder).p;
	const char *const argv[] = {"/bin/sh", "-c", script, "sh", path, NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	assert_ok(file_write_synced(c, path, text, 0600));
	assert_ok(child_run(c, &child, &end));
	if (end.status != 0)
		fail_msg("%s: %d %" STR_FMT, script, end.status, STR_ARG(end.err));
	return str_trim(end.out);
}

#define assert_hex(c, bytes, size, expected)                                                                 \
	assert_str(str_encode_hex((c)->arena, (bytes), (size)), (expected))

static void test_digests(void **state)
{
	struct ctx *c = *state;
	uint8_t out[32];
	crypto_sha256(STR("abc"), out);
	assert_hex(c, out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256(STR_NONE, out);
	assert_hex(c, out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	crypto_sha1(STR("abc"), out);
	assert_hex(c, out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	crypto_md5(STR("abc"), out);
	assert_hex(c, out, 16, "900150983cd24fb0d6963f7d28e17f72");
	crypto_sha256(STR("abc"), out); /* a context used for another digest since */
	assert_hex(c, out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void file_fault_body(void *data)
{
	struct ctx *c = data;
	uint8_t out[32];
	arena_reset(c->arena);
	ctx_clear_problem(c);
	char path[128];
	(void) snprintf(path, sizeof path, "%s/key", folder);
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct result r = crypto_sha256_file(c, fd, out);
	assert_int_equal(r.code == ERR_NONE, !fault_has_fired());
	if (result_is_ok(r))
		assert_hex(c, out, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_digest_of_a_file(void **state)
{
	struct ctx *c = *state;
	enum { SIZE = 1000000 }; /* FIPS 180's million of "a" */
	char *text = malloc(SIZE);
	assert_non_null(text);
	memset(text, 'a', SIZE);
	(void) run_on(c, ":", (struct str){text, SIZE});
	free(text);
	assert_int_equal(for_each_fault(FAULT_FILE, false, file_fault_body, c), 5);
	assert_int_equal(for_each_fault(FAULT_ALLOC, false, file_fault_body, c), 1);
	uint8_t out[32];
	assert_err(crypto_sha256_file(c, -1, out), IO);
	assert_true(str_contains(c->problem.message, STR("Bad file descriptor")));
}

static void test_hmac(void **state)
{
	struct ctx *c = *state;
	uint8_t out[32], key[131];
	memset(key, 0xAA, sizeof key);
	crypto_hmac_sha256("Jefe", 4, STR("what do ya want for nothing?"), out); /* RFC 4231, 2 */
	assert_hex(c, out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	crypto_hmac_sha256(key, 131, STR("Test Using Larger Than Block-Size Key - Hash Key First"),
			   out); /* 6 */
	assert_hex(c, out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	crypto_hmac_sha256("", 0, STR_NONE, out); /* not with the key of the call before */
	assert_hex(c, out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	crypto_hmac_sha256("other", 5, STR_NONE, out);
	crypto_hmac_sha256(NULL, 0, STR_NONE, out);
	assert_hex(c, out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	crypto_hmac_sha1("Jefe", 4, STR("what do ya want for nothing?"), out); /* RFC 2202, 2 */
	assert_hex(c, out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

/* AWS's published example of a SigV4 signing key. */
static void test_sigv4_chain(void **state)
{
	struct ctx *c = *state;
	uint8_t key[32];
	static const char secret[] = "AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
	crypto_hmac_sha256(secret, sizeof secret - 1, STR("20150830"), key);
	crypto_hmac_sha256(key, 32, STR("us-east-1"), key);
	crypto_hmac_sha256(key, 32, STR("iam"), key);
	crypto_hmac_sha256(key, 32, STR("aws4_request"), key);
	assert_hex(c, key, 32, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

static void *hash_many(void *data)
{
	int *good = data;
	uint8_t expected[32], out[32];
	crypto_hmac_sha256("k", 1, STR("v"), expected);
	for (int k = 0; k < 500; k++) {
		crypto_sha256(STR("x"), out);
		crypto_hmac_sha256("k", 1, STR("v"), out);
		*good += crypto_equal(out, expected, 32);
	}
	return NULL;
}

static void test_threads_hash_apart(void **state)
{
	(void) state;
	pthread_t threads[4];
	int good[4] = {0};
	for (int k = 0; k < 4; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, hash_many, &good[k]), 0);
	for (int k = 0; k < 4; k++) {
		assert_int_equal(pthread_join(threads[k], NULL), 0);
		assert_int_equal(good[k], 500);
	}
}

static void test_equal_and_wipe(void **state)
{
	(void) state;
	assert_true(crypto_equal("abc", "abc", 3));
	assert_false(crypto_equal("abc", "abd", 3));
	assert_true(crypto_equal("abc", "abd", 2));
	char text[4] = "abc";
	crypto_wipe(text, 3);
	assert_memory_equal(text, "\0\0\0", 4);
}

static const uint8_t master[MASTER_KEY_SIZE] = "0123456789abcdef0123456789abcde";

static void test_seal_and_open(void **state)
{
	struct ctx *c = *state;
	static const char *const texts[] = {"", "x", "a secret of more than one block of sixteen bytes"};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		struct str sealed, again, plain = STR("?");
		assert_ok(crypto_seal(c, master, STR("row-1"), str_from(texts[k]), &sealed));
		assert_int_equal(sealed.n, strlen(texts[k]) + 29);
		assert_int_equal(sealed.p[0], 1);
		assert_ok(crypto_open(c, master, STR("row-1"), sealed, &plain));
		assert_str(plain, texts[k]);
		assert_int_equal(plain.p[plain.n], 0);
		assert_ok(crypto_seal(c, master, STR("row-1"), str_from(texts[k]), &again));
		assert_false(str_equal(sealed, again)); /* a nonce of its own */
	}
	struct str sealed, plain;
	assert_ok(crypto_seal(c, master, STR_NONE, STR("no aad"), &sealed));
	assert_ok(crypto_open(c, master, STR_NONE, sealed, &plain));
	assert_str(plain, "no aad");
}

static void test_open_refuses(void **state)
{
	struct ctx *c = *state;
	struct str sealed, plain = STR_NONE;
	uint8_t other[MASTER_KEY_SIZE];
	assert_ok(crypto_seal(c, master, STR("row-1"), STR("secret"), &sealed));
	assert_err(crypto_open(c, master, STR("row-2"), sealed, &plain), INVALID);
	assert_err(crypto_open(c, master, STR_NONE, sealed, &plain), INVALID);
	memcpy(other, master, sizeof other);
	other[31] ^= 1;
	assert_err(crypto_open(c, other, STR("row-1"), sealed, &plain), INVALID);
	for (size_t k = 0; k < sealed.n; k++) { /* any bit of any byte */
		char *bent = (char *) (uintptr_t) str_copy(c->arena, sealed).p;
		bent[k] = (char) (bent[k] ^ 0x10);
		assert_err(crypto_open(c, master, STR("row-1"), (struct str){bent, sealed.n}, &plain),
			   INVALID);
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_err(crypto_open(c, master, STR("row-1"), str_slice(sealed, 0, n), &plain), INVALID);
	assert_null(plain.p);
}

/* AES-256-GCM test vector of the GCM specification's test case 14, in our frame. */
static void test_open_known_ciphertext(void **state)
{
	struct ctx *c = *state;
	static const uint8_t zero_key[MASTER_KEY_SIZE];
	uint8_t sealed[1 + 12 + 16 + 16] = {1};
	struct str plain;
	assert_ok(str_decode_hex(STR("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
				 sealed + 13, 32));
	assert_ok(crypto_open(c, zero_key, STR_NONE, (struct str){(char *) sealed, sizeof sealed}, &plain));
	assert_hex(c, plain.p, plain.n, "00000000000000000000000000000000");
}

static void check_pair(struct ctx *c, bool ed25519, const char *pem_head, const char *line_head)
{
	struct str pem, line, checked, fingerprint;
	bool is_ed25519 = !ed25519;
	assert_ok(crypto_make_key_pair(c, ed25519, &pem, &line));
	assert_true(str_starts_with(pem, str_from(pem_head)));
	assert_true(str_ends_with(pem, STR("PRIVATE KEY-----\n")));
	assert_true(str_starts_with(line, str_from(line_head)));
	struct str derived = run_on(c, "ssh-keygen -y -f \"$1\"", pem);
	assert_true(str_starts_with(derived, line)); /* may end in a comment */
	assert_true(derived.n == line.n || derived.p[line.n] == ' ');
	assert_ok(crypto_check_public_key(c, line, &checked, &fingerprint, &is_ed25519));
	assert_true(str_equal(checked, line));
	assert_int_equal(is_ed25519, ed25519);
	/* a signature by the private key holds under the public one */
	(void) run_on(c,
		      "chmod 600 \"$1\" && ssh-keygen -y -f \"$1\" >\"$1.pub\" && echo hi >\"$1.txt\" && "
		      "ssh-keygen -Y sign -n t -f \"$1\" \"$1.txt\" 2>/dev/null && "
		      "echo \"x $(cat \"$1.pub\")\" >\"$1.allowed\" && "
		      "ssh-keygen -Y verify -n t -f \"$1.allowed\" -I x -s \"$1.txt.sig\" <\"$1.txt\"; "
		      "r=$?; rm -f \"$1.pub\" \"$1.txt\" \"$1.txt.sig\" \"$1.allowed\"; exit $r",
		      pem);
}

static void test_make_rsa(void **state)
{
	struct ctx *c = *state;
	struct str pem, line, fingerprint;
	check_pair(c, false, "-----BEGIN RSA PRIVATE KEY-----\n", "ssh-rsa AAAA");
	assert_ok(crypto_make_key_pair(c, false, &pem, &line));
	assert_str(run_on(c, "ssh-keygen -l -f \"$1\" | cut -d' ' -f1", pem), "2048");
	/* EC2's documentation gives this very pipeline for a key it made */
	struct str theirs = run_on(c,
				   "openssl pkcs8 -in \"$1\" -inform PEM -outform DER -topk8 -nocrypt | "
				   "openssl sha1 -c | sed 's/.*= //'",
				   pem);
	assert_ok(crypto_fingerprint_private(c, pem, &fingerprint));
	assert_true(str_equal(fingerprint, theirs));
	assert_int_equal(fingerprint.n, 59);
}

static void test_make_ed25519(void **state)
{
	struct ctx *c = *state;
	struct str pem, line, again, checked, made, imported;
	bool is_ed25519 = false;
	check_pair(c, true, "-----BEGIN OPENSSH PRIVATE KEY-----\n", "ssh-ed25519 AAAA");
	random_set_seed(4);
	assert_ok(crypto_make_key_pair(c, true, &pem, &line));
	random_set_seed(4);
	assert_ok(crypto_make_key_pair(c, true, &again, &line));
	assert_true(str_equal(pem, again)); /* golden tests can repeat it */
	assert_ok(crypto_fingerprint_private(c, pem, &made));
	assert_ok(crypto_check_public_key(c, line, &checked, &imported, &is_ed25519));
	assert_true(str_equal(made, imported));
	struct str theirs = run_on(c, "ssh-keygen -l -f \"$1\" | cut -d' ' -f2 | cut -d: -f2", pem);
	assert_true(str_starts_with(made, theirs)); /* ssh-keygen leaves out the padding */
	assert_str(str_slice(made, theirs.n, made.n), "=");
}

static void test_fingerprint_private_refuses(void **state)
{
	struct ctx *c = *state;
	struct str fingerprint;
	static const char *const bad[] = {
		"",
		"x",
		"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		"-----BEGIN OPENSSH PRIVATE KEY----------END OPENSSH PRIVATE KEY-----",
		("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE "
		 "KEY-----\n"),
	};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_err(crypto_fingerprint_private(c, str_from(bad[k]), &fingerprint), INVALID);
	struct str locked =
		run_on(c, "openssl genrsa -traditional -aes128 -passout pass:x 2048 2>/dev/null", STR("-"));
	assert_err(crypto_fingerprint_private(c, locked, &fingerprint),
		   INVALID); /* without asking for a passphrase */
}

static struct str keygen(struct ctx *c, const char *options)
{
	struct str script =
		str_print(c->arena,
			  "rm -f \"$1\"; ssh-keygen -q %s -N '' -C 'me@home  two' -f \"$1\" >/dev/null && "
			  "cat \"$1.pub\"; rm -f \"$1.pub\"",
			  options);
	return run_on(c, script.p, STR("-"));
}

static void test_check_keys_of_ssh_keygen(void **state)
{
	struct ctx *c = *state;
	struct str line, fingerprint;
	bool ed25519 = true;
	struct str rsa = keygen(c, "-t rsa -b 2048");
	assert_ok(crypto_check_public_key(c, str_print(c->arena, "\n %" STR_FMT " \r\n", STR_ARG(rsa)), &line,
					  &fingerprint, &ed25519));
	assert_true(str_equal(line, rsa)); /* the comment stays */
	assert_false(ed25519);
	struct str theirs = run_on(c,
				   "ssh-keygen -e -m PKCS8 -f \"$1\" | openssl pkey -pubin -outform DER | "
				   "openssl md5 -c | sed 's/.*= //'",
				   rsa);
	assert_true(str_equal(fingerprint, theirs));
	assert_int_equal(fingerprint.n, 47);
	struct str bare = str_slice(rsa, 8, str_find_char(rsa, ' ', 8)), same;
	assert_ok(crypto_check_public_key(c, bare, &line, &same, &ed25519));
	assert_true(str_equal(line, str_slice(rsa, 0, 8 + bare.n)));
	assert_true(str_equal(same, fingerprint));
	struct str whole =
		str_encode_base64(c->arena, rsa); /* base64 of the whole line, as EC2's clients send it */
	assert_ok(crypto_check_public_key(c, whole, &line, &same, &ed25519));
	assert_true(str_equal(line, rsa));
	struct str ed = keygen(c, "-t ed25519");
	assert_ok(crypto_check_public_key(c, ed, &line, &fingerprint, &ed25519));
	assert_true(ed25519);
	assert_true(str_equal(line, ed));
	static const char *const curves[] = {"-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521"};
	for (size_t k = 0; k < sizeof curves / sizeof curves[0]; k++) {
		assert_ok(crypto_check_public_key(c, keygen(c, curves[k]), &line, &fingerprint, &ed25519));
		assert_true(crypto_is_ecdsa(line) && !ed25519 && fingerprint.n == 44);
	}
	assert_ok(crypto_check_public_key(c, keygen(c, "-t rsa -b 1024"), &line, &fingerprint, &ed25519));
}

/* The converted key must be OpenSSH's line without its comment. */
static void check_converted(struct ctx *c, struct str form, struct str line)
{
	struct str converted = STR_NONE;
	size_t end = str_find_char(line, ' ', str_find_char(line, ' ', 0) + 1);
	assert_ok(crypto_convert_public_key(c, form, &converted));
	assert_true(str_equal(converted, str_slice(line, 0, end)));
}

static void test_convert_keys_of_ssh_keygen(void **state)
{
	static const char to_rfc4716[] = "ssh-keygen -e -m RFC4716 -f \"$1\"",
			  to_base64[] = "ssh-keygen -e -m PKCS8 -f \"$1\" | grep -v -e -----";
	struct ctx *c = *state;
	struct str rsa = keygen(c, "-t rsa -b 2048"), ed = keygen(c, "-t ed25519"), same = STR_NONE;
	struct str file = run_on(c, to_rfc4716, rsa);
	check_converted(c, file, rsa);
	check_converted(c, run_on(c, to_rfc4716, ed), ed);
	check_converted(c, run_on(c, to_base64, rsa), rsa);
	struct str der = STR_NONE;
	assert_ok(str_decode_base64(c->arena, run_on(c, to_base64, rsa), &der));
	check_converted(c, der, rsa);
	/* headers that go on in the next line, and Windows' line ends */
	size_t head = strlen("---- BEGIN SSH2 PUBLIC KEY ----");
	check_converted(c,
			str_print(c->arena,
				  "%" STR_FMT
				  "\r\nSubject: me\r\nx-note: one \\\r\ntwo \\\r\nthree\r%" STR_FMT,
				  STR_ARG(str_slice(file, 0, head)), STR_ARG(str_slice(file, head, file.n))),
			rsa);
	assert_ok(crypto_convert_public_key(c, rsa, &same)); /* a line stays one, comment and all */
	assert_true(str_equal(same, rsa));
	assert_ok(crypto_convert_public_key(c, STR("whatever"), &same));
	assert_str(same, "whatever");
}

static void test_convert_refuses(void **state)
{
	struct ctx *c = *state;
	struct arena *a = c->arena;
	struct str file = run_on(c, "ssh-keygen -e -m RFC4716 -f \"$1\"", keygen(c, "-t ed25519"));
	struct str ecdsa = run_on(c, "ssh-keygen -e -m PKCS8 -f \"$1\" | grep -v -e -----",
				  keygen(c, "-t ecdsa -b 256"));
	struct str der = STR_NONE, line = STR_NONE;
	assert_ok(str_decode_base64(
		a,
		run_on(c, "ssh-keygen -e -m PKCS8 -f \"$1\" | grep -v -e -----", keygen(c, "-t rsa -b 2048")),
		&der));
	size_t head = strlen("---- BEGIN SSH2 PUBLIC KEY ----\n");
	struct str rest = str_slice(file, head, file.n);
	struct str bad[] = {
		STR("---- BEGIN SSH2 PUBLIC KEY ----"),
		STR("---- BEGIN SSH2 PUBLIC KEY ----\n---- END SSH2 PUBLIC KEY ----"),
		STR("---- BEGIN SSH2 PUBLIC KEY ----\nComment: it never ends \\"),
		STR("---- BEGIN SSH2 PUBLIC KEY ----\nComment: no key\n---- END SSH2 PUBLIC KEY ----"),
		str_print(a, "---- BEGIN SSH2 PUBLIC KEY ---- x\n%" STR_FMT, STR_ARG(rest)),
		str_print(a, "---- BEGIN SSH2 PUBLIC KEY ----\nx-%*d: y\n%" STR_FMT, 64, 1,
			  STR_ARG(rest)), /* a tag's most */
		str_print(a, "---- BEGIN SSH2 PUBLIC KEY ----\nx: %*d\n%" STR_FMT, 1024, 1,
			  STR_ARG(rest)), /* a value's */
		str_print(a, "---- BEGIN SSH2 PUBLIC KEY ----\nx: \\\n%*d\\\n%*d\n%" STR_FMT, 600, 1, 600, 1,
			  STR_ARG(rest)),
		str_slice(file, 0, file.n - 8), /* cut within its end */
		str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(file),
			  STR_ARG(file)), /* a second key behind it */
		str_print(a, "%" STR_FMT "%*d", STR_ARG(file), 20000, 1),
		ecdsa,
		str_encode_base64(a, str_slice(der, 0, der.n - 1)),
		STR("MAA="),
		STR("MIIB"),
		STR("MIL/////"),
	};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_clear_problem(c);
		if (crypto_convert_public_key(c, bad[k], &line).code != ERR_INVALID)
			fail_msg("%zu was taken: %" STR_FMT, k, STR_ARG(bad[k]));
	}
}

static void test_check_refuses(void **state)
{
	struct ctx *c = *state;
	struct str line = STR_NONE, fingerprint;
	bool ed25519 = false;
	struct str ed = keygen(c, "-t ed25519");
	struct str blob64 = str_slice(ed, 12, str_find_char(ed, ' ', 12)), blob;
	assert_ok(str_decode_base64(c->arena, blob64, &blob));
	struct str longer = str_encode_base64(c->arena, str_print(c->arena, "%sx", "pad"));
	struct arena *a = c->arena;
	char more[64] = {0};
	memcpy(more, blob.p, blob.n);
	struct str beyond = {more, blob.n + 1};
	struct str ecdsa = keygen(c, "-t ecdsa -b 256");
	struct str ecdsa_off_curve =
		str_print(a, "ecdsa-sha2-nistp384%" STR_FMT,
			  STR_ARG(str_slice(ecdsa, strlen("ecdsa-sha2-nistp256"), ecdsa.n)));
	struct str bad[] = {
		STR_NONE,
		STR("ssh-rsa"),
		STR("ssh-rsa AAAA"),
		STR("ssh-ed25519 !!!!"),
		STR("AAAA"),
		STR("-----BEGIN PUBLIC KEY-----"),
		longer,
		str_print(a, "ssh-rsa %" STR_FMT, STR_ARG(blob64)), /* another type than the blob's */
		str_print(a, "ssh-dss %" STR_FMT, STR_ARG(blob64)),
		str_print(a, "command=\"x\" %" STR_FMT, STR_ARG(ed)),
		str_print(a, "%" STR_FMT "\n%" STR_FMT, STR_ARG(ed),
			  STR_ARG(ed)), /* a second key slipped in */
		str_print(a, "%" STR_FMT "\rx", STR_ARG(ed)),
		str_print(a, "%" STR_FMT " \xFF", STR_ARG(ed)),
		str_encode_base64(a, str_slice(blob, 0, blob.n - 1)),
		str_encode_base64(a, beyond),
		ecdsa_off_curve,
		str_slice(ecdsa, 0, ecdsa.n - 40),
		str_print(a, "%" STR_FMT "%*d", STR_ARG(ed), 20000, 1),
	};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_clear_problem(c);
		if (crypto_check_public_key(c, bad[k], &line, &fingerprint, &ed25519).code != ERR_INVALID)
			fail_msg("%zu was taken: %" STR_FMT, k, STR_ARG(bad[k]));
		assert_int_equal(c->problem.err, ERR_INVALID);
	}
	assert_null(line.p);
}

/* RSA keys by hand: hex of the part behind "ssh-rsa". */
static struct result check_rsa(struct ctx *c, const char *exponent_hex, size_t modulus_size, int first,
			       int last)
{
	char blob[4096];
	size_t e_size = strlen(exponent_hex) / 2, n = 0;
	memcpy(blob, "\0\0\0\7ssh-rsa", 11);
	n = 11;
	memcpy(blob + n, ((char[]){0, 0, 0, (char) e_size}), 4);
	assert_ok(str_decode_hex(str_from(exponent_hex), blob + n + 4, e_size));
	n += 4 + e_size;
	memcpy(blob + n, ((char[]){0, 0, (char) (modulus_size >> 8), (char) modulus_size}), 4);
	memset(blob + n + 4, 0x5A, modulus_size);
	blob[n + 4] = (char) first;
	if (first == 0)
		blob[n + 5] = (char) 0x80;
	blob[n + 3 + modulus_size] = (char) last;
	n += 4 + modulus_size;
	struct str line, fingerprint;
	bool ed25519;
	ctx_clear_problem(c);
	return crypto_check_public_key(c, str_encode_base64(c->arena, (struct str){blob, n}), &line,
				       &fingerprint, &ed25519);
}

static void test_rsa_bounds(void **state)
{
	struct ctx *c = *state;
	assert_ok(check_rsa(c, "010001", 129, 0, 1));              /* 1024 bits */
	assert_err(check_rsa(c, "010001", 128, 0x7F, 1), INVALID); /* 1023 */
	assert_ok(check_rsa(c, "010001", 2049, 0, 1));             /* 16384 */
	assert_err(check_rsa(c, "010001", 2049, 1, 1), INVALID);   /* 16385 */
	assert_err(check_rsa(c, "010001", 128, 0x80, 1), INVALID); /* negative */
	assert_err(check_rsa(c, "010001", 129, 0, 2), INVALID);    /* even */
	assert_err(check_rsa(c, "01", 129, 0, 1), INVALID);        /* e = 1 */
	assert_err(check_rsa(c, "010000", 129, 0, 1), INVALID);    /* e even */
	assert_err(check_rsa(c, "00010001", 129, 0, 1), INVALID);  /* not the shortest form */
	assert_err(check_rsa(c, "", 129, 0, 1), INVALID);
	assert_ok(check_rsa(c, "03", 257, 0, 1));
}

static void test_certificate(void **state)
{
	struct ctx *c = *state;
	struct str cert, key;
	assert_ok(crypto_make_certificate(c, STR("cloud.example, *.x.org,10.0.0.1, 2001:db8::1"),
					  24 * HOUR * 30, &cert, &key));
	assert_true(str_starts_with(key, STR("-----BEGIN PRIVATE KEY-----\n")));
	struct str text = run_on(c, "openssl x509 -in \"$1\" -noout -text", cert);
	static const char *const expected[] = {
		"Version: 3",
		"Subject: CN = cloud.example",
		"NIST CURVE: P-256",
		"CA:FALSE",
		"Digital Signature",
		"TLS Web Server Authentication",
		"DNS:cloud.example, DNS:*.x.org, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1",
	};
	for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
		if (!str_contains(text, str_from(expected[k])))
			fail_msg("no %s in %" STR_FMT, expected[k], STR_ARG(text));
	assert_str(
		run_on(c,
		       "openssl verify -CAfile \"$1\" -verify_ip 10.0.0.1 -verify_hostname a.x.org \"$1\" | "
		       "sed 's/.*: //'",
		       cert),
		"OK");
	struct str public = run_on(c, "openssl x509 -in \"$1\" -noout -pubkey", cert);
	assert_true(str_equal(public, run_on(c, "openssl pkey -in \"$1\" -pubout", key)));
	(void) run_on(c, "openssl x509 -in \"$1\" -noout -checkend 2505600", cert); /* 29 days */
	assert_str(run_on(c, "openssl x509 -in \"$1\" -noout -checkend 2678400 >/dev/null; echo $?", cert),
		   "1");
}

static void test_fields_of_a_certificate(void **state)
{
	struct ctx *c = *state;
	struct str cert, key;
	struct crypto_certificate read;
	assert_ok(crypto_make_certificate(c, STR("cloud.example,10.0.0.1,2001:db8::1"), 24 * HOUR * 30, &cert,
					  &key));
	assert_ok(crypto_read_certificate(c, cert, &read));
	assert_str(read.common_name, "cloud.example");
	assert_str(read.subject, "CN=cloud.example");
	assert_str(read.organization, "cloud.example");
	assert_str(read.signature, "ecdsa-with-SHA256");
	assert_true(read.is_self_issued && read.key_type == CRYPTO_KEY_P256 && read.key_usages == 1);
	assert_int_equal(read.names.count, 3);
	assert_str(read.names.at[1], "10.0.0.1");
	assert_str(read.names.at[2], "2001:db8::1");
	assert_int_equal(read.purposes.count, 1);
	assert_str(read.purposes.at[0], "1.3.6.1.5.5.7.3.1");
	assert_true(read.until_us > read.from_us);
	struct str serial = run_on(c,
				   "openssl x509 -in \"$1\" -noout -serial | sed 's/.*=//' | tr A-F a-f | "
				   "sed 's/../&:/g;s/:$//'",
				   cert);
	assert_true(str_equal(read.serial, serial));
	assert_err(crypto_read_certificate(c, key, &read), INVALID);
	assert_err(crypto_read_certificate(c, STR_NONE, &read), INVALID);
}

static void test_pkcs12(void **state)
{
	struct ctx *c = *state;
	struct str cert, key, chain, body, packed, file, locked;
	assert_ok(crypto_make_certificate(c, STR("a.example"), 24 * HOUR, &cert, &key));
	const struct str both[] = {cert, key};
	struct str text = str_join(c->arena, both, 2);
	packed = run_on(c, "openssl pkcs12 -export -in \"$1\" -passout pass: | base64 -w0", text);
	assert_ok(str_decode_base64(c->arena, packed, &file));
	assert_ok(crypto_unpack_pkcs12(c, file, &body, &key, &chain));
	assert_ok(crypto_check_key_pair(c, body, key));
	assert_true(str_equal(str_trim(body), str_trim(cert)) && !chain.n);
	packed = run_on(c, "openssl pkcs12 -export -in \"$1\" -passout pass:word | base64 -w0", text);
	assert_ok(str_decode_base64(c->arena, packed, &locked));
	assert_err(crypto_unpack_pkcs12(c, locked, &body, &key, &chain), INVALID);
	assert_err(crypto_unpack_pkcs12(c, str_slice(file, 0, file.n / 2), &body, &key, &chain), INVALID);
	assert_err(crypto_unpack_pkcs12(c, STR_NONE, &body, &key, &chain), INVALID);
}

static void test_certificate_refuses(void **state)
{
	struct ctx *c = *state;
	struct str cert, key;
	static const char *const bad[] = {"",  ",",  "a,,b",  "a b", "a\nb", "x/CN=y",
					  "é", ".a", "DNS:a", "a*",  "-a",   "10.0.0.1/8"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_clear_problem(c);
		assert_err(crypto_make_certificate(c, str_from(bad[k]), HOUR, &cert, &key), INVALID);
	}
}

/* A certificate request by openssl with names that the certificate must not get. options: for its key. */
static struct str make_request(struct ctx *c, const char *options)
{
	struct str text =
		run_on(c,
		       str_print(c->arena,
				 "openssl req -new -newkey %s -nodes -keyout \"$1\" -subj /CN=evil "
				 "-addext subjectAltName=DNS:evil -outform DER 2>/dev/null | base64 -w 0",
				 options)
			       .p,
		       STR("x"));
	struct str der = STR_NONE;
	assert_ok(str_decode_base64(c->arena, text, &der));
	return der;
}

static void test_authority(void **state)
{
	struct ctx *c = *state;
	struct crypto_issue issue = {.common_name = STR("hv1"),
				     .names = STR("hv1,10.0.0.11"),
				     .valid_us = 90 * 24 * HOUR,
				     .for_server = true};
	struct str cert, key, other;
	int64_t from_us = 0, until_us = 0;
	assert_ok(crypto_make_authority(c, STR("dari CA"), 3650 * 24 * HOUR, &issue.ca_cert_pem,
					&issue.ca_key_pem));
	issue.request = make_request(c, "ec -pkeyopt ec_paramgen_curve:P-256");
	assert_ok(crypto_issue_certificate(c, &issue, &cert, &key));
	assert_int_equal(key.n, 0);
	struct str text = run_on(c, "openssl x509 -in \"$1\" -noout -text", cert);
	static const char *const expected[] = {"Issuer: CN = dari CA",
					       "Subject: CN = hv1",
					       "DNS:hv1, IP Address:10.0.0.11",
					       "CA:FALSE",
					       "Digital Signature, Key Encipherment",
					       "TLS Web Server Authentication"};
	for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
		if (!str_contains(text, str_from(expected[k])))
			fail_msg("no %s in %" STR_FMT, expected[k], STR_ARG(text));
	assert_false(str_contains(text, STR("evil")));
	assert_false(str_contains(text, STR("Client Authentication")));
	struct str both =
		str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(cert), STR_ARG(issue.ca_cert_pem));
	assert_str(run_on(c,
			  "sed '/-END/q' \"$1\" >\"$1.leaf\"; sed '1,/-END/d' \"$1\" >\"$1.ca\"; openssl "
			  "verify -x509_strict "
			  "-purpose sslserver -CAfile \"$1.ca\" -verify_ip 10.0.0.11 \"$1.leaf\" | sed "
			  "'s/.*: //'; "
			  "rm -f \"$1.leaf\" \"$1.ca\"",
			  both),
		   "OK");
	assert_ok(crypto_read_validity(c, cert, &from_us, &until_us));
	assert_true(until_us > clock_now_us() + 89 * 24 * HOUR &&
		    until_us <= clock_now_us() + 90 * 24 * HOUR);
	assert_true(from_us < clock_now_us() && from_us > clock_now_us() - 2 * HOUR);
	assert_ok(crypto_make_authority(c, STR("dari CA"), 3650 * 24 * HOUR, &other, &key));
	assert_true(crypto_is_issued_by(cert, issue.ca_cert_pem));
	assert_false(crypto_is_issued_by(cert, other));
	assert_false(crypto_is_issued_by(cert, STR("x")));
	assert_false(crypto_is_issued_by(STR(""), issue.ca_cert_pem));
	issue.request = STR_NONE;
	assert_ok(crypto_issue_certificate(c, &issue, &cert, &key));
	issue.key_pem = key;
	assert_ok(crypto_issue_certificate(c, &issue, &cert, &other));
	assert_true(str_equal(run_on(c, "openssl x509 -in \"$1\" -noout -pubkey", cert),
			      run_on(c, "openssl pkey -in \"$1\" -pubout", key)));
}

static void test_authority_refuses(void **state)
{
	struct ctx *c = *state;
	struct crypto_issue issue = {.common_name = STR("hv1"), .valid_us = HOUR, .for_client = true};
	struct str cert, key, other_cert, other_key;
	int64_t us = 0;
	assert_ok(crypto_make_authority(c, STR("a"), HOUR, &issue.ca_cert_pem, &issue.ca_key_pem));
	assert_ok(crypto_make_authority(c, STR("a"), HOUR, &other_cert, &other_key));
	struct str good = make_request(c, "ec -pkeyopt ec_paramgen_curve:P-256");
	char *bent = arena_alloc(c->arena, good.n);
	memcpy(bent, good.p, good.n);
	bent[good.n - 1] ^= 1; /* in the signature */
	const struct str bad[] = {
		STR("x"), {bent, good.n}, str_slice(good, 0, good.n - 9), make_request(c, "rsa:1024")};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_clear_problem(c);
		issue.request = bad[k];
		assert_err(crypto_issue_certificate(c, &issue, &cert, &key), INVALID);
	}
	ctx_clear_problem(c);
	issue.request = good;
	issue.names = STR("a b");
	assert_err(crypto_issue_certificate(c, &issue, &cert, &key), INVALID);
	ctx_clear_problem(c);
	issue.names = STR_NONE;
	issue.ca_key_pem = other_key;
	assert_err(crypto_issue_certificate(c, &issue, &cert, &key), INVALID);
	ctx_clear_problem(c);
	assert_err(crypto_read_validity(c, STR("no"), &us, &us), INVALID);
}

static struct result all_with_faults(struct ctx *c)
{
	struct str a, b;
	bool ed25519;
	TRY(crypto_seal(c, master, STR("x"), STR("secret"), &a));
	TRY(crypto_open(c, master, STR("x"), a, &b));
	TRY(crypto_make_key_pair(c, true, &a, &b));
	TRY(crypto_fingerprint_private(c, a, &a));
	TRY(crypto_check_public_key(c, b, &a, &b, &ed25519));
	return crypto_make_certificate(c, STR("x"), HOUR, &a, &b);
}

static void out_of_memory_body(void *data)
{
	(void) data;
	AUTO(arena) a = arena_new(0, 1 << 20); /* grows all the time */
	if (!a)
		return;
	struct ctx c;
	ctx_init(&c, a);
	struct result r = all_with_faults(&c);
	if (r.code != (fault_has_fired() ? ERR_NO_MEMORY : ERR_NONE))
		fail_msg("%s: %" STR_FMT, err_name(r.code), STR_ARG(c.problem.message));
}

static void test_out_of_memory(void **state)
{
	(void) state;
	assert_true(for_each_fault(FAULT_ALLOC, false, out_of_memory_body, NULL) > 8);
}

static void test_cap_at_every_size(void **state)
{
	(void) state;
	bool went_well = false;
	for (size_t cap = 0; !went_well; cap += 48) {
		AUTO(arena) a = arena_new(cap, cap);
		struct ctx c;
		ctx_init(&c, a);
		struct result r = all_with_faults(&c);
		went_well = result_is_ok(r);
		assert_true(went_well || r.code == ERR_TOO_LARGE);
		assert_true(cap < 100000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		crypto_test(test_digests),
		crypto_test(test_digest_of_a_file),
		crypto_test(test_hmac),
		crypto_test(test_sigv4_chain),
		crypto_test(test_threads_hash_apart),
		crypto_test(test_equal_and_wipe),
		crypto_test(test_seal_and_open),
		crypto_test(test_open_refuses),
		crypto_test(test_open_known_ciphertext),
		crypto_test(test_make_rsa),
		crypto_test(test_make_ed25519),
		crypto_test(test_fingerprint_private_refuses),
		crypto_test(test_check_keys_of_ssh_keygen),
		crypto_test(test_check_refuses),
		crypto_test(test_convert_keys_of_ssh_keygen),
		crypto_test(test_convert_refuses),
		crypto_test(test_rsa_bounds),
		crypto_test(test_certificate),
		crypto_test(test_certificate_refuses),
		crypto_test(test_fields_of_a_certificate),
		crypto_test(test_pkcs12),
		crypto_test(test_authority),
		crypto_test(test_authority_refuses),
		crypto_test(test_out_of_memory),
		crypto_test(test_cap_at_every_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
