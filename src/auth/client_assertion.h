/* SPDX-License-Identifier: Apache-2.0
 * How a program proves by a certificate who it is: a JSON Web Token of its own, which it signs with the certificate's key, and
 * which names the certificate by its digest. Sources: RFC 7523; Microsoft identity platform, "Application authentication
 * certificate credentials". Pure but for the context; any thread. */
#pragma once

#include "base/ctx.h"

enum { CLIENT_ASSERTION_MAX = 16 * 1024 }; /* characters */

struct client_assertion {
	bool is_pss;           /* PS256, else RS256 */
	bool is_sha256;        /* the digest is, else SHA-1 */
	struct str thumbprint; /* bytes */
	struct str issuer, subject, audience;
	int64_t from_us, until_us;
	struct str signed_part, signature;
};

/* Into c's arena. ERR_INVALID: it is none, or of another algorithm. */
RESULT client_assertion_read(struct ctx *c, struct str text, struct client_assertion *ret_assertion);
/* Whether the certificate (PEM) is the one that it names, holds now, and its key has signed. */
bool client_assertion_names(const struct client_assertion *a, struct str cert_pem);
bool client_assertion_proves(struct ctx *c, const struct client_assertion *a, struct str cert_pem);
