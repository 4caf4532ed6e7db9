/* SPDX-License-Identifier: Apache-2.0
 * Tokens of OpenID Connect's issuers: read, held to their signature, their time and whom they are for. RS256
 * and ES256. Failures bear KIND_OIDC_PROVIDER: ERR_INVALID, ERR_EXPIRED. Sources: OpenID Connect Core 1.0,
 * RFC 7515, 7519. Pure, but for the clock; any thread. */
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
	struct strs values; /* of texts, numbers, truth values, and lists of texts */
};

/* In the arena that it was read into. */
struct web_identity {
	struct str signed_part, signature, algorithm, key_id;
	struct str issuer; /* without "https://" */
	struct str subject, audience;
	int64_t expires_us;
	struct web_claim claims[WEB_CLAIMS_MAX];
	size_t claim_count;
};

/* What it says; nothing is proved yet but that its time has come and is not over. */
RESULT web_identity_read(struct ctx *c, struct str token, struct web_identity *ret_identity);
/* One of the issuer's keys signed it: a JSON Web Key Set. ret_has_key: false, it has no key of that name. */
RESULT web_identity_prove(struct ctx *c, const struct web_identity *w, struct str key_set, bool *ret_has_key);
/* It is of that provider's issuer, and for one of its clients. */
RESULT web_identity_fit(struct ctx *c, const struct web_identity *w, const struct oidc_provider *provider);
/* The values of a condition key, "id.example.com/path:sub"; false: it has no such claim. */
bool web_identity_find_key(const struct web_identity *w, struct str key, struct strs *ret_values);
