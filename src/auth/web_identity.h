/* SPDX-License-Identifier: Apache-2.0
 * Tokens of OpenID Connect's issuers: parsed, and checked for their signature (RS256, ES256), their
 * time and their audience. Failures have KIND_OIDC_PROVIDER: ERR_INVALID, ERR_EXPIRED. Sources:
 * OpenID Connect Core 1.0, RFC 7515, RFC 7519. Pure except for the clock; any thread. */
#pragma once

#include "base/ctx.h"
#include "model/oidc_provider.h"

enum {
	WEB_TOKEN_MIN = 4,
	WEB_TOKEN_MAX = 20000, /* characters */
	WEB_CLAIMS_MAX = 64,
	WEB_CLAIM_VALUES_MAX = 64, /* of one */
	WEB_KEYS_MAX = 64,         /* of an issuer */
};

struct web_claim {
	struct str name;
	struct strs values; /* of a text, a number, a truth value, or a list of texts */
};

/* A parsed token, in the arena that it was parsed into. */
struct web_identity {
	struct str signed_part, signature, algorithm, key_id;
	struct str issuer; /* without "https://" */
	struct str subject, audience;
	int64_t expires_us;
	struct web_claim claims[WEB_CLAIMS_MAX];
	size_t claim_count;
};

/* Parses a token and checks its time. Its signature is not checked yet. */
RESULT web_identity_read(struct ctx *c, struct str token, struct web_identity *ret_identity);
/* Checks that one of the keys of a JSON Web Key Set has signed the token. ret_has_key false: the
 * set has no key of the token's key id. */
RESULT web_identity_prove(struct ctx *c, const struct web_identity *w, struct str key_set, bool *ret_has_key);
/* Checks that the token is from that provider's issuer and for one of its clients. */
RESULT web_identity_fit(struct ctx *c, const struct web_identity *w, const struct oidc_provider *provider);
/* Checks that somebody's browser got the token for that client of the provider's, by a request of that nonce (OpenID Connect Core 1.0,
 * section 3.1.3.7). */
RESULT web_identity_fit_client(struct ctx *c, const struct web_identity *w,
			       const struct oidc_provider *provider, struct str client, struct str nonce);
/* The first value of a claim; empty: it has none. */
struct str web_identity_find_claim(const struct web_identity *w, const char *name);
/* The values of a condition key such as "id.example.com/path:sub". False: the token has no such
 * claim. */
bool web_identity_find_key(const struct web_identity *w, struct str key, struct strs *ret_values);
