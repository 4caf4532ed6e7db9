/* SPDX-License-Identifier: Apache-2.0
 * SSH key pairs generated for users: RSA as PKCS#1 PEM, ed25519 in OpenSSH's private key format (PROTOCOL.key
 * in its source), and EC2's fingerprints of both. */
#include "base/crypto.h"
#include "base/crypto_ssh.h"
#include "base/random.h"

enum { RSA_MADE_BITS = 2048, PEM_LINE = 70 };

/* Frees a buffer that contained key material. */
static void wipe_buf(struct buf *b)
{
	if (b->p)
		crypto_wipe(b->p, b->capacity);
	buf_done(b);
}
#define SECRET_BUF __attribute__((cleanup(wipe_buf))) struct buf

/* Reserves enough space at once: growing would leave copies of secrets in freed memory. */
static void secret_buf_init(struct buf *b)
{
	buf_init(b, KEY_TEXT_CAP_SIZE);
	(void) buf_reserve(b, KEY_TEXT_CAP_SIZE / 2);
}

static RESULT make_rsa(struct ctx *c, struct str *ret_private_pem, struct str *ret_public_line)
{
	OSSL(EVP_PKEY) key = EVP_RSA_gen(RSA_MADE_BITS);
	BIGNUM *e_made = NULL, *n_made = NULL;
	bool made = key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e_made) == 1 &&
		    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n_made) == 1;
	OSSL(BIGNUM) e = e_made;
	OSSL(BIGNUM) n = n_made;
	if (!made)
		return crypto_fail(c, "cannot make an RSA key");
	SECRET_BUF blob;
	secret_buf_init(&blob);
	crypto_ssh_add_string(&blob, SSH_RSA);
	if (!crypto_ssh_add_number(&blob, e) || !crypto_ssh_add_number(&blob, n) || blob.failed)
		return ctx_no_memory(c);
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "type-specific", ret_private_pem));
	return crypto_ssh_write_line(c, SSH_RSA, buf_str(&blob), ret_public_line);
}

static void add_ed25519_blob(struct buf *b, const uint8_t public[static ED25519_SIZE])
{
	crypto_ssh_add_string(b, SSH_ED25519);
	crypto_ssh_add_string(b, (struct str){(const char *) public, ED25519_SIZE});
}

static void add_ed25519_private(struct buf *b, const uint8_t seed[static ED25519_SIZE],
				const uint8_t public[static ED25519_SIZE], uint32_t check)
{
	size_t from = b->size;
	crypto_ssh_add_u32(b, check);
	crypto_ssh_add_u32(b, check);
	add_ed25519_blob(b, public);
	crypto_ssh_add_u32(b, 2 * ED25519_SIZE);
	buf_add(b, seed, ED25519_SIZE);
	buf_add(b, public, ED25519_SIZE);
	crypto_ssh_add_string(b, STR_NONE); /* comment */
	for (char pad = 1; !b->failed && (b->size - from) % 8 != 0; pad++)
		buf_add_char(b, pad);
}

static void add_pem(struct buf *b, struct str base64)
{
	buf_add_str(b, STR("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
	for (size_t at = 0; at < base64.n; at += PEM_LINE) {
		buf_add_str(b, str_slice(base64, at, at + PEM_LINE));
		buf_add_char(b, '\n');
	}
	buf_add_str(b, STR("-----END OPENSSH PRIVATE KEY-----\n"));
}

static RESULT write_openssh(struct ctx *c, const uint8_t seed[static ED25519_SIZE],
			    const uint8_t public[static ED25519_SIZE], struct str *ret_pem)
{
	SECRET_BUF blob;
	SECRET_BUF private;
	SECRET_BUF whole;
	SECRET_BUF pem;
	secret_buf_init(&blob);
	secret_buf_init(&private);
	secret_buf_init(&whole);
	secret_buf_init(&pem);
	add_ed25519_blob(&blob, public);
	add_ed25519_private(&private, seed, public, (uint32_t) random_u64());
	buf_add(&whole, "openssh-key-v1", sizeof "openssh-key-v1"); /* with its NUL */
	crypto_ssh_add_string(&whole, STR("none"));                 /* cipher */
	crypto_ssh_add_string(&whole, STR("none"));                 /* kdf */
	crypto_ssh_add_string(&whole, STR_NONE);                    /* its options */
	crypto_ssh_add_u32(&whole, 1);                              /* keys */
	crypto_ssh_add_string(&whole, buf_str(&blob));
	crypto_ssh_add_string(&whole, buf_str(&private));
	struct str base64 = str_encode_base64(c->arena, buf_str(&whole));
	add_pem(&pem, base64);
	*ret_pem = str_copy(c->arena, buf_str(&pem));
	if (!base64.p || !ret_pem->p || blob.failed || private.failed || whole.failed || pem.failed)
		return ctx_no_memory(c);
	return OK;
}

/* Generates an ed25519 key, which is 32 random bytes: from our own generator, so that a seeded test can
 * repeat it. */
static RESULT make_ed25519(struct ctx *c, struct str *ret_private_pem, struct str *ret_public_line)
{
	uint8_t seed[ED25519_SIZE], public[ED25519_SIZE];
	size_t size = sizeof public;
	random_bytes(seed, sizeof seed);
	OSSL(EVP_PKEY) key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, sizeof seed);
	if (!key || EVP_PKEY_get_raw_public_key(key, public, &size) != 1 || size != sizeof public) {
		crypto_wipe(seed, sizeof seed);
		return crypto_fail(c, "cannot make an ed25519 key");
	}
	struct result r = write_openssh(c, seed, public, ret_private_pem);
	crypto_wipe(seed, sizeof seed);
	TRY(r);
	SECRET_BUF blob;
	secret_buf_init(&blob);
	add_ed25519_blob(&blob, public);
	return blob.failed ? ctx_no_memory(c)
			   : crypto_ssh_write_line(c, SSH_ED25519, buf_str(&blob), ret_public_line);
}

RESULT crypto_make_key_pair(struct ctx *c, bool ed25519, struct str *ret_private_pem,
			    struct str *ret_public_line)
{
	struct str pem = STR_NONE, line = STR_NONE;
	if (ed25519)
		TRY(make_ed25519(c, &pem, &line));
	else
		TRY(make_rsa(c, &pem, &line));
	*ret_private_pem = pem;
	*ret_public_line = line;
	return OK;
}

/* Finds the public blob in an OpenSSH private key file: magic, cipher, key derivation, its options, the number of keys, and the
 * public key, which is never encrypted. */
static RESULT find_openssh_blob(struct ctx *c, struct str pem, struct str *ret_blob)
{
	static const struct str begin = STR("-----BEGIN OPENSSH PRIVATE KEY-----");
	static const struct str end = STR("-----END OPENSSH PRIVATE KEY-----");
	struct str text = str_trim(pem), bytes = STR_NONE, skipped = STR_NONE;
	if (!str_ends_with(text, end) || text.n < begin.n + end.n)
		return FAIL(INVALID);
	TRY(str_decode_base64(c->arena, str_slice(text, begin.n, text.n - end.n), &bytes));
	static const struct str magic = {"openssh-key-v1", sizeof "openssh-key-v1"};
	if (!str_starts_with(bytes, magic))
		return FAIL(INVALID);
	struct str rest = str_slice(bytes, magic.n, bytes.n);
	for (size_t k = 0; k < 3; k++) /* cipher, kdf, options */
		if (!crypto_ssh_take_string(&rest, &skipped))
			return FAIL(INVALID);
	rest = str_slice(rest, 4, rest.n); /* number of keys: 1 */
	return crypto_ssh_take_string(&rest, ret_blob) ? OK : FAIL(INVALID);
}

static RESULT fingerprint_openssh(struct ctx *c, struct str pem, struct str *ret_fingerprint)
{
	struct ssh_public_key key = {0};
	struct str blob = STR_NONE;
	struct result r = find_openssh_blob(c, pem, &blob);
	if (r.code == ERR_NO_MEMORY)
		return ctx_no_memory(c);
	if (!result_is_ok(r) || !crypto_ssh_parse_blob(blob, &key) || !key.ed25519)
		return ctx_fail(c, ERR_INVALID, "not an ed25519 private key in OpenSSH's format");
	return crypto_ssh_fingerprint_blob(c, blob, ret_fingerprint);
}

RESULT crypto_fingerprint_private(struct ctx *c, struct str private_pem, struct str *ret_fingerprint)
{
	if (private_pem.n > KEY_TEXT_CAP_SIZE)
		return ctx_fail(c, ERR_INVALID, "a private key of %zu bytes is too long", private_pem.n);
	if (str_starts_with(str_trim(private_pem), STR("-----BEGIN OPENSSH PRIVATE KEY-----")))
		return fingerprint_openssh(c, private_pem, ret_fingerprint);
	OSSL(BIO) bio = BIO_new_mem_buf(private_pem.p ? private_pem.p : "", (int) private_pem.n);
	OSSL(EVP_PKEY) key = bio ? PEM_read_bio_PrivateKey(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	if (!key) {
		ERR_clear_error();
		return ctx_fail(c, ERR_INVALID, "not a private key in PEM");
	}
	struct str der = STR_NONE;
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", &der));
	uint8_t digest[SHA1_SIZE];
	crypto_sha1(der, digest);
	crypto_wipe((char *) (uintptr_t) der.p, der.n);
	return crypto_write_colons(c, digest, sizeof digest, ret_fingerprint);
}
