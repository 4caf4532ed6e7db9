/* SPDX-License-Identifier: Apache-2.0
 * Reads the fields of certificates that users upload (X.509, RFC 5280), and bundles of a certificate and its key (PKCS #12, RFC
 * 7292). Any thread. */
#pragma once

#include "base/ctx.h"

enum crypto_key_type {
	CRYPTO_KEY_OTHER,
	CRYPTO_KEY_RSA_1024,
	CRYPTO_KEY_RSA_2048,
	CRYPTO_KEY_RSA_3072,
	CRYPTO_KEY_RSA_4096,
	CRYPTO_KEY_P256,
	CRYPTO_KEY_P384,
	CRYPTO_KEY_P521,
	CRYPTO_KEY_COUNT,
};

/* Bits of crypto_certificate.key_usages, in the order of RFC 5280. */
enum { CRYPTO_KEY_USAGES = 9 };

struct crypto_certificate {
	struct str subject, issuer; /* names in the form of RFC 2253 */
	struct str common_name;     /* subject's common name; empty: none */
	struct str organization;    /* issuer's organization, or its common name if there is none */
	struct str serial;          /* hex with colons */
	struct str signature;       /* OpenSSL's name of the algorithm, such as RSA-SHA256 */
	struct strs names;          /* DNS names and addresses of subjectAltName, at most CRYPTO_NAMES_MAX */
	struct strs purposes;       /* OIDs of extendedKeyUsage */
	enum crypto_key_type key_type;
	unsigned key_usages; /* bit k: the usage k of RFC 5280; 0 without the extension */
	bool is_self_issued; /* subject and issuer are the same */
	int64_t from_us, until_us;
};
enum { CRYPTO_NAMES_MAX = 100 };

/* ERR_INVALID: the text is no certificate in PEM. */
RESULT crypto_read_certificate(struct ctx *c, struct str pem, struct crypto_certificate *ret_certificate);

/* Opens a PKCS #12 file in DER that has no password, and returns its contents in PEM; the chain begins with the immediate
 * issuer. ERR_INVALID: no such file, one with a password, or one without a certificate or a key. */
RESULT crypto_unpack_pkcs12(struct ctx *c, struct str der, struct str *ret_cert_pem, struct str *ret_key_pem,
			    struct str *ret_chain_pem);
