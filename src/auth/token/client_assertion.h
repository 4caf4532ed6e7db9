/* SPDX-License-Identifier: Apache-2.0
 * Authentication of a program by certificate: the program signs a JSON Web Token of its own with the
 * certificate's key, and the token names the certificate by its digest. Sources: RFC 7523; Microsoft identity
 * platform, "Application authentication certificate credentials". Pure except for the clock; any thread. */
#pragma once

#include "base/ctx.h"

enum { CLIENT_ASSERTION_MAX = 16 * 1024 }; /* characters */

struct client_assertion {
	bool is_pss;           /* PS256; else RS256 */
	bool is_sha256;        /* thumbprint is SHA-256; else SHA-1 */
	struct str thumbprint; /* bytes */
	struct str issuer, subject, audience;
	int64_t from_us, until_us;
	struct str signed_part, signature;
};

/* Parses into c's arena. ERR_INVALID: not a JSON Web Token, or another algorithm. */
RESULT client_assertion_read(struct ctx *c, struct str text, struct client_assertion *ret_assertion);
/* client_assertion_names(): the certificate (PEM) has the assertion's thumbprint. client_assertion_proves():
 * also, the certificate is valid now and its key has signed the assertion. */
bool client_assertion_names(const struct client_assertion *a, struct str cert_pem);
bool client_assertion_proves(struct ctx *c, const struct client_assertion *a, struct str cert_pem);
