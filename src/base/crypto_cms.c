/* SPDX-License-Identifier: Apache-2.0
 * Messages encrypted to a certificate or signed with its key (RFC 5652), and key pairs for them. */
#include "base/crypto.h"
#include "base/crypto_digest.h"
#include "base/crypto_issue.h"
#include "base/crypto_ossl.h"

#include <openssl/cms.h>

DEFINE_OSSL(X509, X509_free)
DEFINE_OSSL(PKCS12, PKCS12_free)
DEFINE_OSSL(CMS_ContentInfo, CMS_ContentInfo_free)

enum { TRANSPORT_BITS = 2048, BITS_MIN = 1024, BITS_MAX = 8192 };

static RESULT write_der(struct ctx *c, X509 *cert, struct str *ret_der)
{
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	if (!bio || i2d_X509_bio(bio, cert) != 1)
		return crypto_fail(c, "cannot write a certificate");
	return crypto_take_bio(c, bio, ret_der);
}

static RESULT certify(struct ctx *c, EVP_PKEY *key, struct str common_name, int64_t valid_us,
		      struct str *ret_der)
{
	OSSL(X509) cert = X509_new();
	bool is_made = cert && crypto_fill_certificate(cert, key, common_name, valid_us) &&
		       X509_sign(cert, key, EVP_sha256()) != 0;
	return is_made ? write_der(c, cert, ret_der) : crypto_fail(c, "cannot make a certificate");
}

static EVP_PKEY *read_key(struct str pem)
{
	OSSL(BIO) bio = BIO_new_mem_buf(pem.p, (int) pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	ERR_clear_error();
	return key;
}

/* DER, or PEM. */
static X509 *read_certificate(struct str text)
{
	const unsigned char *at = (const unsigned char *) text.p;
	X509 *cert = d2i_X509(NULL, &at, (long) text.n);
	OSSL(BIO) bio = cert ? NULL : BIO_new_mem_buf(text.p, (int) text.n);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ERR_clear_error();
	return cert;
}

RESULT crypto_make_transport(struct ctx *c, struct str common_name, int64_t valid_us, struct str *ret_key_pem,
			     struct str *ret_cert_der)
{
	OSSL(EVP_PKEY) key = EVP_RSA_gen(TRANSPORT_BITS);
	struct str der = STR_NONE;
	if (!key)
		return crypto_fail(c, "cannot make a key");
	TRY(certify(c, key, common_name, valid_us, &der));
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", ret_key_pem));
	*ret_cert_der = der;
	return OK;
}

RESULT crypto_certify_key(struct ctx *c, struct str key_pem, struct str common_name, int64_t valid_us,
			  struct str *ret_cert_der)
{
	OSSL(EVP_PKEY) key = read_key(key_pem);
	return key ? certify(c, key, common_name, valid_us, ret_cert_der)
		   : ctx_fail(c, ERR_INVALID, "the PEM holds no private key");
}

RESULT crypto_pack_transport(struct ctx *c, struct str key_pem, struct str cert_der, struct str *ret_pkcs12)
{
	static const int pbe = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
	OSSL(EVP_PKEY) key = read_key(key_pem);
	OSSL(X509) cert = read_certificate(cert_der);
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	if (!key || !cert || !bio)
		return crypto_fail(c, "cannot read a key pair");
	OSSL(PKCS12) file = PKCS12_create("", NULL, key, cert, NULL, pbe, pbe, 0, -1, 0);
	if (!file || PKCS12_set_mac(file, "", -1, NULL, 0, 1, EVP_sha1()) != 1 ||
	    i2d_PKCS12_bio(bio, file) != 1)
		return crypto_fail(c, "cannot pack a key pair");
	return crypto_take_bio(c, bio, ret_pkcs12);
}

/* ---- messages ---- */

static RESULT write_message(struct ctx *c, CMS_ContentInfo *message, struct str *ret_der)
{
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	if (!bio || i2d_CMS_bio(bio, message) != 1)
		return crypto_fail(c, "cannot write a message");
	return crypto_take_bio(c, bio, ret_der);
}

static bool is_good_key(X509 *cert)
{
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	return key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= BITS_MIN &&
	       EVP_PKEY_get_bits(key) <= BITS_MAX;
}

RESULT crypto_envelop(struct ctx *c, struct str cert_text, enum crypto_cipher cipher, struct str data,
		      struct str *ret_der)
{
	const EVP_CIPHER *by = cipher == CRYPTO_DES_EDE3_CBC ? EVP_des_ede3_cbc()
			       : cipher == CRYPTO_AES128_CBC ? EVP_aes_128_cbc()
							     : EVP_aes_256_cbc();
	OSSL(X509) cert = read_certificate(cert_text);
	OSSL(BIO) in = BIO_new_mem_buf(data.p, (int) data.n);
	if (!is_good_key(cert))
		return ctx_fail(c, ERR_INVALID, "there is no certificate of an RSA key");
	STACK_OF(X509) *to = sk_X509_new_null();
	OSSL(CMS_ContentInfo)
	message = to && in && sk_X509_push(to, cert) > 0 ? CMS_encrypt(to, in, by, CMS_BINARY) : NULL;
	sk_X509_free(to); /* the certificate itself is still ours */
	return message ? write_message(c, message, ret_der) : crypto_fail(c, "cannot encrypt a message");
}

RESULT crypto_open_envelope(struct ctx *c, struct str key_pem, struct str der, struct str *ret_data)
{
	OSSL(EVP_PKEY) key = read_key(key_pem);
	OSSL(BIO) in = BIO_new_mem_buf(der.p, (int) der.n);
	OSSL(BIO) out = BIO_new(BIO_s_mem());
	if (!in || !out)
		return crypto_fail(c, "cannot decrypt a message");
	if (!key)
		return ctx_fail(
			c, ERR_INVALID,
			"the PEM holds no private key, or one with a passphrase: remove that with openssl "
			"rsa first");
	OSSL(CMS_ContentInfo) message = d2i_CMS_bio(in, NULL);
	bool is_open = message && CMS_decrypt(message, key, NULL, NULL, out, CMS_BINARY) == 1;
	ERR_clear_error();
	return is_open ? crypto_take_bio(c, out, ret_data)
		       : ctx_fail(
				 c, ERR_INVALID,
				 "the key does not decrypt the message: it is another key, or the message is "
				 "damaged");
}

RESULT crypto_sign_message(struct ctx *c, struct str key_pem, struct str cert_der, struct str data,
			   struct str *ret_der)
{
	OSSL(EVP_PKEY) key = read_key(key_pem);
	OSSL(X509) cert = read_certificate(cert_der);
	OSSL(BIO) in = BIO_new_mem_buf(data.p, (int) data.n);
	OSSL(CMS_ContentInfo)
	message = key && cert && in ? CMS_sign(cert, key, NULL, in, CMS_BINARY | CMS_NOSMIMECAP) : NULL;
	return message ? write_message(c, message, ret_der) : crypto_fail(c, "cannot sign a message");
}
