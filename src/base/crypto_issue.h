/* SPDX-License-Identifier: Apache-2.0
 * Certificates of an authority of ours (X.509, RFC 5280). Any thread. */
#pragma once

#include "base/ctx.h"

/* An authority of ours: a self-signed certificate of P-256 that signs others, and its key, in PEM. */
RESULT crypto_make_authority(struct ctx *c, struct str common_name, int64_t valid_us,
			     struct str *ret_cert_pem, struct str *ret_key_pem);
struct crypto_issue {
	struct str ca_cert_pem, ca_key_pem;
	/* PKCS #10, in DER. Its key is certified, once its signature shows that whoever asks holds it; the names that
	 * it asks for are not. */
	struct str request;
	struct str key_pem;     /* where there is no request: the private key; empty: one of P-256 is made */
	struct str common_name; /* 64 bytes at most, more are cut off */
	struct str names;       /* host names and addresses, comma separated; empty: none */
	int64_t valid_us;
	bool for_server, for_client; /* of TLS */
};
/* *ret_key_pem: of the key that was made, or empty. ERR_INVALID: the request, its key or a name is not good. */
RESULT crypto_issue_certificate(struct ctx *c, const struct crypto_issue *issue, struct str *ret_cert_pem,
				struct str *ret_key_pem);
/* From when to when a certificate in PEM is good; microseconds since 1970. ERR_INVALID: it is none. */
RESULT crypto_read_validity(struct ctx *c, struct str cert_pem, int64_t *ret_from_us, int64_t *ret_until_us);
/* Whether the authority's key has signed it, both in PEM. Times do not count; false: one of them is no certificate. */
bool crypto_is_issued_by(struct str cert_pem, struct str ca_cert_pem);

/* ---- messages (RFC 5652) ---- */

/* A key pair of RSA that messages are encrypted to, and its own certificate. A tenth of a second: never on a thread that
 * others wait for. */
RESULT crypto_make_transport(struct ctx *c, struct str common_name, int64_t valid_us, struct str *ret_key_pem,
			     struct str *ret_cert_der);
/* Its certificate alone, of a key that is there. */
RESULT crypto_certify_key(struct ctx *c, struct str key_pem, struct str common_name, int64_t valid_us,
			  struct str *ret_cert_der);
/* Key and certificate as PKCS #12 without a password, in forms that OpenSSL 1.0 reads, too. */
RESULT crypto_pack_transport(struct ctx *c, struct str key_pem, struct str cert_der, struct str *ret_pkcs12);
enum crypto_cipher { CRYPTO_DES_EDE3_CBC, CRYPTO_AES128_CBC, CRYPTO_AES256_CBC };
/* EnvelopedData in DER, to whoever has that certificate's key. ERR_INVALID: it is no certificate of an RSA key of 1,024 to
 * 8,192 bits. */
RESULT crypto_envelop(struct ctx *c, struct str cert_der, enum crypto_cipher cipher, struct str data,
		      struct str *ret_der);
/* SignedData in DER, which has the data and the certificate in it. */
RESULT crypto_sign_message(struct ctx *c, struct str key_pem, struct str cert_der, struct str data,
			   struct str *ret_der);
