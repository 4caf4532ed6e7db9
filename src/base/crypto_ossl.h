/* SPDX-License-Identifier: Apache-2.0
 * Scope-bound OpenSSL objects, for base's own files, which include OpenSSL through this header only:
 * OSSL(BIO) bio = BIO_new(...); and conversion of a memory BIO to a string. */
#pragma once

/* OpenSSL has a type with the name of one of our error kinds, so it is renamed here. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "base/ctx.h"

#define OSSL(T) __attribute__((cleanup(T##_autofree))) T *
#define DEFINE_OSSL(T, release)                                                                              \
	static inline void T##_autofree(T **p)                                                               \
	{                                                                                                    \
		release(*p);                                                                                 \
	}

DEFINE_OSSL(BIO, (void) BIO_free)
DEFINE_OSSL(BIGNUM, BN_clear_free)
DEFINE_OSSL(EVP_PKEY, EVP_PKEY_free)
DEFINE_OSSL(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/* Returns everything written to bio, in c's arena. */
RESULT crypto_take_bio(struct ctx *c, BIO *bio, struct str *ret_text);
/* Encodes a key with OpenSSL: type "PEM" or "DER", structure "type-specific", "PrivateKeyInfo" or
 * "SubjectPublicKeyInfo"; selection EVP_PKEY_KEYPAIR or _PUBLIC_KEY. */
RESULT crypto_encode_key(struct ctx *c, EVP_PKEY *key, int selection, const char *type, const char *structure,
			 struct str *ret_bytes);
/* Callback of PEM_read_bio_…() that refuses a text with a passphrase. OpenSSL would by default ask at the terminal. */
int crypto_no_passphrase(char *buffer, int size, int writing, void *data);
/* Writes the bytes as "aa:bb:…". */
RESULT crypto_write_colons(struct ctx *c, const uint8_t *bytes, size_t size, struct str *ret_text);
/* Sets version, serial number, validity starting an hour ago, key, and a self-issued subject with that common
 * name (at most 64 bytes). The caller adds extensions and signature. False: OpenSSL failed. */
bool crypto_fill_certificate(X509 *cert, EVP_PKEY *key, struct str common_name, int64_t valid_us);
