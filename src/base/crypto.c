/* SPDX-License-Identifier: Apache-2.0
 * Digests, HMAC and sealing. Algorithms that OpenSSL 3 would look up by name at each use are fetched once per
 * process, and each thread keeps a context of each kind: a SigV4 check makes a dozen such calls, and the
 * lookup costs more than hashing. Digests fail only if OpenSSL is out of memory. As no wrong digest is
 * harmless, that ends the process. */
#include "base/crypto.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/crypto_digest.h"
#include "base/crypto_ossl.h"
#include "base/last_words.h"
#include "base/random.h"

/* Fetched once, never freed. */
static struct {
	EVP_MD *sha256, *sha1, *md5;
	EVP_MAC *hmac;
	EVP_CIPHER *aes_256_gcm;
	pthread_key_t key; /* frees a thread's contexts at its end */
} fetched;

struct contexts {
	EVP_MD_CTX *digest;
	EVP_MAC_CTX *hmac_sha256, *hmac_sha1;
};

static void contexts_free(void *p)
{
	struct contexts *mine = p;
	EVP_MD_CTX_free(mine->digest);
	EVP_MAC_CTX_free(mine->hmac_sha256);
	EVP_MAC_CTX_free(mine->hmac_sha1);
	free(mine);
}

static void must(bool well)
{
	if (!well)
		end_with_words("dari: OpenSSL cannot start: out of memory, or a provider is missing\n");
}

/* Fetches all algorithms. OpenSSL's atexit handler is disabled, because it destroys locks that detached
 * threads may be using. */
static void fetch_all(void)
{
	must(OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) == 1);
	fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	fetched.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	fetched.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	fetched.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	must(fetched.sha256 && fetched.sha1 && fetched.md5 && fetched.hmac && fetched.aes_256_gcm);
	must(pthread_key_create(&fetched.key, contexts_free) == 0);
}

static void fetch_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void) pthread_once(&once, fetch_all);
}

static EVP_MAC_CTX *new_hmac(const char *digest)
{
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(fetched.hmac);
	char name[16];
	must(mac && strlen(digest) < sizeof name);
	memcpy(name, digest, strlen(digest) + 1); /* OSSL_PARAM requires a writable string */
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
			       OSSL_PARAM_construct_end()};
	must(EVP_MAC_CTX_set_params(mac, params) == 1);
	return mac;
}

static struct contexts *contexts_here(void)
{
	static _Thread_local struct contexts *mine;
	if (mine)
		return mine;
	fetch_once();
	struct contexts *fresh = calloc(1, sizeof *fresh); /* deliberately without a fault point: see the
							    * top of this file */
	must(fresh);
	fresh->digest = EVP_MD_CTX_new();
	fresh->hmac_sha256 = new_hmac("SHA256");
	fresh->hmac_sha1 = new_hmac("SHA1");
	must(fresh->digest && pthread_setspecific(fetched.key, fresh) == 0);
	mine = fresh;
	return mine;
}

static void digest_joined(EVP_MD *const *kind, struct str a, struct str b, uint8_t *out)
{
	EVP_MD_CTX *digest = contexts_here()->digest; /* this also fetches; *kind is read afterwards */
	must(EVP_DigestInit_ex2(digest, *kind, NULL) == 1);
	must(EVP_DigestUpdate(digest, a.p, a.n) == 1);
	must(b.n == 0 || EVP_DigestUpdate(digest, b.p, b.n) == 1);
	must(EVP_DigestFinal_ex(digest, out, NULL) == 1);
}

void crypto_sha256(struct str data, uint8_t out[static SHA256_SIZE])
{
	digest_joined(&fetched.sha256, data, STR_NONE, out);
}

void crypto_sha1(struct str data, uint8_t out[static SHA1_SIZE])
{
	digest_joined(&fetched.sha1, data, STR_NONE, out);
}

void crypto_sha1_joined(struct str a, struct str b, uint8_t out[static SHA1_SIZE])
{
	digest_joined(&fetched.sha1, a, b, out);
}

void crypto_md5(struct str data, uint8_t out[static MD5_SIZE])
{
	digest_joined(&fetched.md5, data, STR_NONE, out);
}

static void hmac(EVP_MAC_CTX *mac, const void *key, size_t key_size, struct str data, uint8_t *out,
		 size_t out_size)
{
	size_t written = 0;
	/* without a key OpenSSL would reuse the previous one, so an empty key needs a non-NULL pointer */
	must(EVP_MAC_init(mac, key_size ? key : "", key_size, NULL) == 1);
	must(data.n == 0 || EVP_MAC_update(mac, (const unsigned char *) data.p, data.n) == 1);
	must(EVP_MAC_final(mac, out, &written, out_size) == 1 && written == out_size);
}

void crypto_hmac_sha256(const void *key, size_t key_size, struct str data, uint8_t out[static SHA256_SIZE])
{
	hmac(contexts_here()->hmac_sha256, key, key_size, data, out, SHA256_SIZE);
}

void crypto_hmac_sha1(const void *key, size_t key_size, struct str data, uint8_t out[static SHA1_SIZE])
{
	hmac(contexts_here()->hmac_sha1, key, key_size, data, out, SHA1_SIZE);
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

void crypto_wipe(void *p, size_t size)
{
	OPENSSL_cleanse(p, size);
}

RESULT crypto_fail(struct ctx *c, const char *what)
{
	char words[256] = "no reason given";
	unsigned long code = ERR_peek_last_error();
	if (code)
		ERR_error_string_n(code, words, sizeof words);
	ERR_clear_error();
	return ctx_fail(c, ERR_INTERNAL, "%s: %s", what, words);
}

enum { SEAL_VERSION = 1, NONCE_SIZE = 12, TAG_SIZE = 16, SEAL_EXTRA = 1 + NONCE_SIZE + TAG_SIZE };
enum { SEAL_CAP_SIZE = 1024 * 1024 * 1024 }; /* EVP counts in int */

/* Begins sealing (enc 1) or opening (0): sets key, nonce and additional data. */
static bool seal_begin(EVP_CIPHER_CTX *x, const uint8_t *key, const uint8_t *nonce, struct str aad, int enc)
{
	int n = 0;
	return EVP_CipherInit_ex2(x, fetched.aes_256_gcm, key, nonce, enc, NULL) == 1 &&
	       (aad.n == 0 || EVP_CipherUpdate(x, NULL, &n, (const unsigned char *) aad.p, (int) aad.n) == 1);
}

/* Skips empty text, which is allowed, because EVP would treat a NULL input as the end. */
static bool seal_run(EVP_CIPHER_CTX *x, struct str in, uint8_t *out)
{
	int n = 0;
	return in.n == 0 || (EVP_CipherUpdate(x, out, &n, (const unsigned char *) in.p, (int) in.n) == 1 &&
			     (size_t) n == in.n);
}

RESULT crypto_seal(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad, struct str plain,
		   struct str *ret_sealed)
{
	if (plain.n > SEAL_CAP_SIZE || aad.n > SEAL_CAP_SIZE)
		return ctx_fail(c, ERR_TOO_LARGE, "a secret of %zu bytes is too large", plain.n);
	fetch_once();
	uint8_t *sealed = arena_alloc(c->arena, plain.n + SEAL_EXTRA);
	OSSL(EVP_CIPHER_CTX) x = EVP_CIPHER_CTX_new();
	if (!sealed || !x)
		return ctx_no_memory(c);
	uint8_t *nonce = sealed + 1, *text = nonce + NONCE_SIZE, none[TAG_SIZE];
	int n = 0;
	sealed[0] = SEAL_VERSION;
	random_bytes(nonce, NONCE_SIZE);
	if (!seal_begin(x, key, nonce, aad, 1) || !seal_run(x, plain, text) ||
	    EVP_CipherFinal_ex(x, none, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, text + plain.n) != 1)
		return crypto_fail(c, "cannot encrypt a secret");
	*ret_sealed = (struct str){(const char *) sealed, plain.n + SEAL_EXTRA};
	return OK;
}

RESULT crypto_open(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad,
		   struct str sealed, struct str *ret_plain)
{
	if (sealed.n < SEAL_EXTRA || sealed.n > SEAL_CAP_SIZE || aad.n > SEAL_CAP_SIZE ||
	    sealed.p[0] != SEAL_VERSION)
		return ctx_fail(c, ERR_INVALID, "a sealed secret has not the form of one");
	fetch_once();
	size_t size = sealed.n - SEAL_EXTRA;
	uint8_t *plain = arena_alloc(c->arena, size + 1);
	OSSL(EVP_CIPHER_CTX) x = EVP_CIPHER_CTX_new();
	if (!plain || !x)
		return ctx_no_memory(c);
	const uint8_t *nonce = (const uint8_t *) sealed.p + 1;
	uint8_t tag[TAG_SIZE], none[TAG_SIZE];
	int n = 0;
	memcpy(tag, sealed.p + sealed.n - TAG_SIZE, TAG_SIZE); /* ctrl requires writable memory */
	struct str text = str_slice(sealed, 1 + NONCE_SIZE, sealed.n - TAG_SIZE);
	if (!seal_begin(x, key, nonce, aad, 0) || !seal_run(x, text, plain) ||
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) != 1)
		return crypto_fail(c, "cannot decrypt a secret");
	if (EVP_CipherFinal_ex(x, none, &n) != 1) {
		crypto_wipe(plain, size); /* not authentic */
		ERR_clear_error();
		return ctx_fail(c, ERR_INVALID,
				"a secret does not open: it belongs to another row or another master key");
	}
	*ret_plain = (struct str){(const char *) plain, size};
	return OK;
}
