/* SPDX-License-Identifier: Apache-2.0
 * ID tokens of OpenID Connect issuers: parses them and checks signature (RS256, ES256), time and audience.
 * Errors have KIND_OIDC_PROVIDER: ERR_INVALID, ERR_EXPIRED. Sources: OpenID Connect Core 1.0, RFC 7515, RFC
 * 7519. Pure except for the clock; any thread. */
#pragma once

#include "base/ctx.h"

struct oidc_provider;

enum {
	WEB_TOKEN_MIN = 4,
	WEB_TOKEN_MAX = 20000, /* characters */
	WEB_CLAIMS_MAX = 64,
	WEB_CLAIM_VALUES_MAX = 1024, /* values of one claim, such as groups */
	WEB_KEYS_MAX = 64,           /* keys of one issuer */
};

struct web_claim {
	struct str name;
	struct strs values; /* from a string, a number, a boolean, or a list of strings */
};

/* A parsed token, in the arena it was parsed into. */
struct web_identity {
	struct str signed_part, signature, algorithm, key_id;
	struct str issuer; /* without "https://" */
	struct str subject, audience;
	int64_t expires_us;
	struct web_claim claims[WEB_CLAIMS_MAX];
	size_t claim_count;
};

/* Parses a token and checks its time, but not its signature. */
RESULT web_identity_read(struct ctx *c, struct str token, struct web_identity *ret_identity);
/* Checks that a key of the JSON Web Key Set has signed the token. *ret_has_key false: no key with the token's
 * key id. */
RESULT web_identity_prove(struct ctx *c, const struct web_identity *w, struct str key_set, bool *ret_has_key);
/* Checks that the token is from the provider's issuer and for one of its clients. */
RESULT web_identity_fit(struct ctx *c, const struct web_identity *w, const struct oidc_provider *provider);
/* Checks that the token was issued to this client of the provider for the request with this nonce (OpenID
 * Connect Core 1.0, section 3.1.3.7). */
RESULT web_identity_fit_client(struct ctx *c, const struct web_identity *w,
			       const struct oidc_provider *provider, struct str client, struct str nonce);
/* Checks that an access token or ID token was issued to, or is for, the client of the provider's sign-in or one of its clients. */
RESULT web_identity_fit_access(struct ctx *c, const struct web_identity *w,
			       const struct oidc_provider *provider);
/* First value of a claim; empty: absent. */
struct str web_identity_find_claim(const struct web_identity *w, const char *name);
/* All values of a claim; count 0: absent. */
struct strs web_identity_list_claim(const struct web_identity *w, struct str name);
/* Values of a condition key such as "id.example.com/path:sub". False: the token has no such claim. */
bool web_identity_find_key(const struct web_identity *w, struct str key, struct strs *ret_values);
