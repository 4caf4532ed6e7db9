/* SPDX-License-Identifier: Apache-2.0
 * Certificates issued by our own authority (X.509, RFC 5280). Any thread. */
#pragma once

#include "base/ctx.h"

/* Creates an authority: a self-signed P-256 certificate that signs others, and its key, in PEM. */
RESULT crypto_make_authority(struct ctx *c, struct str common_name, int64_t valid_us,
			     struct str *ret_cert_pem, struct str *ret_key_pem);
struct crypto_issue {
	struct str ca_cert_pem, ca_key_pem;
	/* PKCS #10, in DER. Its key is certified after its signature has proved possession; the names it
	 * requests are ignored. */
	struct str request;
	struct str key_pem;      /* private key, if there is no request; empty: a P-256 key is generated */
	struct str common_name;  /* truncated to 64 bytes */
	struct str organization; /* likewise; empty: none */
	struct str names;        /* host names and addresses, comma-separated; empty: none */
	int64_t valid_us;
	bool for_server, for_client; /* TLS usage */
};
/* *ret_key_pem: the generated key, or empty. ERR_INVALID: the request, its key or a name is invalid. */
RESULT crypto_issue_certificate(struct ctx *c, const struct crypto_issue *issue, struct str *ret_cert_pem,
				struct str *ret_key_pem);
/* Generates a P-256 key pair: the private key as PKCS #8 and the public one as SubjectPublicKeyInfo, in PEM. */
RESULT crypto_make_ec_pair(struct ctx *c, struct str *ret_private_pem, struct str *ret_public_pem);
/* Reads the validity of a certificate in PEM; microseconds since 1970. ERR_INVALID: not a certificate. */
RESULT crypto_read_validity(struct ctx *c, struct str cert_pem, int64_t *ret_from_us, int64_t *ret_until_us);
/* Verifies that the authority's key signed the certificate, both in PEM, ignoring validity times. False also
 * if either is not a certificate. */
bool crypto_is_issued_by(struct str cert_pem, struct str ca_cert_pem);
/* Splits a text into certificates in PEM, with nothing but white space between them; at most max. False: anything else
 * is there, or something is no certificate. */
bool crypto_split_certificates(struct arena *a, struct str text, size_t max, struct strs *ret_pems);
/* Checks that a private key in PEM, without a password, belongs to the certificate. ERR_INVALID: not such a key;
 * ERR_COMBINATION: another certificate's. */
RESULT crypto_check_key_pair(struct ctx *c, struct str cert_pem, struct str key_pem);

/* ---- messages (RFC 5652) ---- */

/* Generates an RSA key pair for encrypting messages to, with its own certificate. Takes a tenth of a second:
 * don't use it on a thread that others wait for. */
RESULT crypto_make_transport(struct ctx *c, struct str common_name, int64_t valid_us, struct str *ret_key_pem,
			     struct str *ret_cert_der);
/* Creates only the certificate, for an existing key. */
RESULT crypto_certify_key(struct ctx *c, struct str key_pem, struct str common_name, int64_t valid_us,
			  struct str *ret_cert_der);
/* Packs key and certificate as PKCS #12 without a password, in a form readable by OpenSSL 1.0. */
RESULT crypto_pack_transport(struct ctx *c, struct str key_pem, struct str cert_der, struct str *ret_pkcs12);
enum crypto_cipher { CRYPTO_DES_EDE3_CBC, CRYPTO_AES128_CBC, CRYPTO_AES256_CBC };
/* Encrypts as EnvelopedData in DER for the certificate's key. ERR_INVALID: not a certificate with an RSA key
 * of 1,024 to 8,192 bits. cert: DER or PEM. */
RESULT crypto_envelop(struct ctx *c, struct str cert, enum crypto_cipher cipher, struct str data,
		      struct str *ret_der);
/* Decrypts EnvelopedData in DER. ERR_INVALID: not a private key, one with a passphrase, or not the recipient's. */
RESULT crypto_open_envelope(struct ctx *c, struct str key_pem, struct str der, struct str *ret_data);
/* Signs as SignedData in DER, containing the data and the certificate. */
RESULT crypto_sign_message(struct ctx *c, struct str key_pem, struct str cert_der, struct str data,
			   struct str *ret_der);
