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
