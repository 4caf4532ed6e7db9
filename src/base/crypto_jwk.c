/* SPDX-License-Identifier: Apache-2.0
 * JSON Web Token signatures: verifies RS256 and ES256 with keys from JSON Web Keys; creates RS256 with a key
 * of ours. Sources: RFC 7517, 7518. */
#include "base/crypto.h"
#include "base/crypto_digest.h"
#include "base/crypto_ossl.h"
#include "base/crypto_sign.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, DER_RSA_BITS_MAX = 4096, P256_SIZE = 32 };

DEFINE_OSSL(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_OSSL(OSSL_PARAM, OSSL_PARAM_free)
DEFINE_OSSL(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_OSSL(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_OSSL(ECDSA_SIG, ECDSA_SIG_free)

static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *) s.p;
}

/* NULL: invalid key. */
static EVP_PKEY *make_key(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY *key = NULL;
	OSSL(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (!context || !params || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *make_rsa(struct str n, struct str e)
{
	OSSL(BIGNUM) modulus = BN_bin2bn(bytes_of(n), (int) n.n, NULL);
	OSSL(BIGNUM) exponent = BN_bin2bn(bytes_of(e), (int) e.n, NULL);
	OSSL(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
	if (!modulus || !exponent || !build || BN_num_bits(modulus) < RSA_BITS_MIN ||
	    BN_num_bits(modulus) > RSA_BITS_MAX || BN_num_bits(exponent) > 64 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
		return NULL;
	OSSL(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
	return make_key("RSA", params);
}

static EVP_PKEY *make_p256(struct str x, struct str y)
{
	unsigned char point[1 + 2 * P256_SIZE] = {4}; /* uncompressed form */
	OSSL(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
	if (x.n != P256_SIZE || y.n != P256_SIZE || !build)
		return NULL;
	memcpy(point + 1, x.p, P256_SIZE);
	memcpy(point + 1 + P256_SIZE, y.p, P256_SIZE);
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) != 1)
		return NULL;
	OSSL(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
	return make_key("EC", params);
}

static bool verify(EVP_PKEY *key, struct str data, const unsigned char *signature, size_t size)
{
	OSSL(EVP_MD_CTX) context = EVP_MD_CTX_new();
	bool is_right = context && key && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
			EVP_DigestVerify(context, signature, size, bytes_of(data), data.n) == 1;
	ERR_clear_error();
	return is_right;
}

bool crypto_verify_rs256(struct str n, struct str e, struct str data, struct str signature)
{
	OSSL(EVP_PKEY) key = make_rsa(n, e);
	return verify(key, data, bytes_of(signature), signature.n);
}

bool crypto_verify_es256(struct str x, struct str y, struct str data, struct str signature)
{
	OSSL(EVP_PKEY) key = make_p256(x, y);
	OSSL(ECDSA_SIG) pair = ECDSA_SIG_new();
	unsigned char *der = NULL;
	if (!key || !pair || signature.n != (size_t) 2 * P256_SIZE) {
		ERR_clear_error();
		return false;
	}
	BIGNUM *r = BN_bin2bn(bytes_of(signature), P256_SIZE, NULL);
	BIGNUM *s = BN_bin2bn(bytes_of(signature) + P256_SIZE, P256_SIZE, NULL);
	if (!r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return false;
	}
	int size = i2d_ECDSA_SIG(pair, &der);
	bool is_right = size > 0 && verify(key, data, der, (size_t) size);
	OPENSSL_free(der);
	return is_right;
}

/* NULL: not a supported key. */
static EVP_PKEY *read_der(struct str der)
{
	const unsigned char *at = bytes_of(der);
	char group[32] = "";
	size_t size = 0;
	OSSL(EVP_PKEY) key = d2i_PUBKEY(NULL, &at, (long) der.n);
	ERR_clear_error();
	if (!key || at != bytes_of(der) + der.n)
		return NULL;
	bool is_rsa = EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN &&
		      EVP_PKEY_get_bits(key) <= DER_RSA_BITS_MAX;
	bool is_p256 = EVP_PKEY_is_a(key, "EC") &&
		       EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
		       strcmp(group, "prime256v1") == 0;
	return is_rsa || is_p256 ? TAKE(key) : NULL;
}

bool crypto_is_der_key(struct str der)
{
	OSSL(EVP_PKEY) key = read_der(der);
	return key;
}

bool crypto_verify_der(struct str der, struct str data, struct str signature)
{
	OSSL(EVP_PKEY) key = read_der(der);
	return key && verify(key, data, bytes_of(signature), signature.n);
}

/* ---- signing ---- */

RESULT crypto_make_signing_key(struct ctx *c, struct str *ret_pem)
{
	OSSL(EVP_PKEY) key = EVP_RSA_gen(RSA_BITS_MIN);
	if (!key)
		return crypto_fail(c, "cannot make an RSA key");
	return crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", ret_pem);
}

/* NULL: not an RSA key. */
static EVP_PKEY *read_private(struct str pem)
{
	OSSL(BIO) bio = BIO_new_mem_buf(pem.p, (int) pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	if (key && EVP_PKEY_is_a(key, "RSA"))
		return key;
	EVP_PKEY_free(key);
	ERR_clear_error();
	return NULL;
}

static RESULT sign_with(struct ctx *c, struct str key_pem, const EVP_MD *digest, struct str data,
			struct str *ret_signature)
{
	OSSL(EVP_PKEY) key = read_private(key_pem);
	OSSL(EVP_MD_CTX) context = EVP_MD_CTX_new();
	size_t size = key ? (size_t) EVP_PKEY_get_size(key) : 0;
	unsigned char *signature = arena_alloc(c->arena, size + 1);
	if (!key)
		return ctx_fail(c, ERR_INVALID, "the key that signs tokens is no RSA key");
	if (!context || !signature)
		return ctx_no_memory(c);
	if (EVP_DigestSignInit(context, NULL, digest, NULL, key) != 1 ||
	    EVP_DigestSign(context, signature, &size, bytes_of(data), data.n) != 1)
		return crypto_fail(c, "cannot sign a token");
	*ret_signature = (struct str){(const char *) signature, size};
	return OK;
}

RESULT crypto_sign_rs256(struct ctx *c, struct str key_pem, struct str data, struct str *ret_signature)
{
	return sign_with(c, key_pem, EVP_sha256(), data, ret_signature);
}

RESULT crypto_sign_rs1(struct ctx *c, struct str key_pem, struct str data, struct str *ret_signature)
{
	return sign_with(c, key_pem, EVP_sha1(), data, ret_signature);
}

static struct str copy_number(struct arena *a, const EVP_PKEY *key, const char *name)
{
	BIGNUM *made = NULL;
	if (EVP_PKEY_get_bn_param(key, name, &made) != 1)
		return STR_NONE;
	OSSL(BIGNUM) number = made;
	size_t size = (size_t) BN_num_bytes(number);
	unsigned char *bytes = arena_alloc(a, size + 1);
	if (bytes)
		(void) BN_bn2bin(number, bytes);
	return (struct str){(const char *) bytes, bytes ? size : 0};
}

RESULT crypto_read_signing_key(struct ctx *c, struct str key_pem, struct str *ret_n, struct str *ret_e)
{
	OSSL(EVP_PKEY) key = read_private(key_pem);
	if (!key)
		return ctx_fail(c, ERR_INVALID, "the key that signs tokens is no RSA key");
	*ret_n = copy_number(c->arena, key, OSSL_PKEY_PARAM_RSA_N);
	*ret_e = copy_number(c->arena, key, OSSL_PKEY_PARAM_RSA_E);
	return ret_n->n && ret_e->n ? OK : ctx_no_memory(c);
}

/* ---- chains ---- */

DEFINE_OSSL(X509_STORE, X509_STORE_free)
DEFINE_OSSL(X509_STORE_CTX, X509_STORE_CTX_free)

static void free_chain(STACK_OF(X509) * *chain)
{
	sk_X509_pop_free(*chain, X509_free);
}

static bool has_thumbprint(X509 *certificate, struct strs thumbprints, struct arena *a)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	if (X509_digest(certificate, EVP_sha1(), digest, &size) != 1)
		return false;
	struct str hex = str_encode_hex(a, digest, size);
	for (size_t k = 0; k < thumbprints.count; k++)
		if (str_equal_nocase(hex, thumbprints.at[k]))
			return true;
	return false;
}

static bool add_pem(STACK_OF(X509) * chain, struct str pem)
{
	OSSL(BIO) bio = BIO_new_mem_buf(pem.p, (int) pem.n);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	if (certificate && sk_X509_push(chain, certificate) > 0)
		return true;
	X509_free(certificate);
	return false;
}

bool crypto_is_vouched_for(struct arena *a, struct strs pems, struct strs thumbprints)
{
	__attribute__((cleanup(free_chain))) STACK_OF(X509) *chain = sk_X509_new_null();
	OSSL(X509_STORE) store = X509_STORE_new();
	OSSL(X509_STORE_CTX) context = X509_STORE_CTX_new();
	bool is_anchored = false;
	if (!chain || !store || !context || !pems.count)
		return false;
	for (size_t k = 0; k < pems.count; k++)
		if (!add_pem(chain, pems.at[k]))
			return false;
	for (int k = 0; k < sk_X509_num(chain); k++)
		if (has_thumbprint(sk_X509_value(chain, k), thumbprints, a))
			is_anchored |= X509_STORE_add_cert(store, sk_X509_value(chain, k)) == 1;
	(void) X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	bool is_good =
		is_anchored && X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) == 1 &&
		X509_STORE_CTX_set_default(context, "ssl_server") == 1 && X509_verify_cert(context) == 1;
	ERR_clear_error();
	return is_good;
}

DEFINE_OSSL(X509, X509_free)

struct str crypto_digest_public_key(struct arena *a, struct str cert_pem)
{
	unsigned char *der = NULL;
	uint8_t sum[SHA256_SIZE];
	OSSL(BIO) bio = BIO_new_mem_buf(cert_pem.p, (int) cert_pem.n);
	OSSL(X509) certificate = bio ? PEM_read_bio_X509(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	int size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : 0;
	ERR_clear_error();
	if (size <= 0)
		return STR_NONE;
	crypto_sha256((struct str){(const char *) der, (size_t) size}, sum);
	OPENSSL_free(der);
	return str_encode_base64(a, (struct str){(const char *) sum, sizeof sum});
}
