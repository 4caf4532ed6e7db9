/* SPDX-License-Identifier: Apache-2.0
 * Bearer tokens: JSON Web Tokens signed (RS256) with the region's key, as used by clients of Azure Resource
 * Manager. A token contains who was authenticated, how, and until when. Rights are not in the token: they are
 * computed from the published rows at each check, so a closed key, a disabled user, account or domain, a
 * revoked role or a changed password takes effect at once.
 *
 * The key is made by its first use (the region's first start), which takes up to a second, and stored in a file:
 * tokens survive a restart. Sources: RFC 7515, 7517, 7519; Microsoft identity platform, "Access token claims
 * reference". Any thread. */
#pragma once

#include "auth/sign_in/sign_in.h"
#include "auth/token/token.h"
#include "base/clock.h"

/* Purpose of a token: to make calls, to get further tokens for the same person, or to tell a program who
 * signed in. */
enum bearer_use { BEARER_ACCESS, BEARER_REFRESH, BEARER_ID };

struct bearer {
	uuid user;
	struct str key_id;  /* access key used as proof; empty: a password or a certificate was */
	uuid certificate;   /* credential used as proof; none: no certificate was */
	struct str session; /* session token of temporary credentials used as proof; then key_id is their key
			  * and user the role; empty: none */
	uuid tenant;        /* domain that the token was requested for */
	uuid audit;         /* id of this token, for logs and revocation */
	int64_t issued_us, expires_us;
	struct str audience, client, name; /* as in struct bearer_words; set by bearer_check() */
};

/* Further claims, for readers of the token. */
struct bearer_words {
	struct str audience, issuer;
	struct str name; /* user name, claim "upn"; empty: the token is a program's */
	enum bearer_use use;
	struct str client, nonce; /* except for access tokens: the program, and its nonce */
};

struct bearers;
struct sigv4;

struct bearers_config {
	struct store *store;
	struct tokens *tokens;
	const char *key_path; /* file of the signing key; NULL: in memory only */
	struct sigv4 *sigv4;  /* resolves sessions; NULL: tokens of sessions are refused */
	int64_t lifetime_us;  /* lifetime of access tokens; refresh tokens have BEARER_REFRESH_US */
};
#define BEARER_REFRESH_US (90 * 24 * HOUR) /* as Microsoft Entra */

/* Copies the strings of config. ERR_NO_MEMORY. */
RESULT bearers_new(struct ctx *c, const struct bearers_config *config, struct bearers **ret_bearers);
void bearers_free(struct bearers *b); /* ignores NULL */
DEFINE_AUTO(bearers)

/* Signs a token, and sets its audit, issued_us and expires_us. Takes about a millisecond, up to a second the
 * first time: never call it on the committer's thread. Does not check the user; bearer_weigh() does. ERR_IO:
 * the key file. */
RESULT bearer_issue(struct bearers *b, struct ctx *c, struct bearer *bearer, const struct bearer_words *words,
		    struct str *ret_text);
/* Checks signature and expiry. ERR_UNAUTHENTICATED, ERR_EXPIRED. Strings are in c's arena. */
RESULT bearer_check(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer);
/* The same for a refresh token. */
RESULT bearer_check_refresh(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer);
/* Identity of the bearer in `account`; none: in the access key's own account, or in no account.
 * ERR_UNAUTHENTICATED, with a message for the log: the user has no access there, or none at all any more. */
RESULT bearer_weigh(struct bearers *b, struct ctx *c, const struct bearer *bearer, uuid account,
		    struct identity **ret_who);
/* Pending sign-ins. */
struct sign_ins *bearers_get_sign_ins(struct bearers *b);
/* Public key as in a JSON Web Key: key id, modulus and exponent in base64url. Timing and errors as
 * bearer_issue(). */
RESULT bearers_read_key(struct bearers *b, struct ctx *c, struct str *ret_id, struct str *ret_n,
			struct str *ret_e);
/* Private key in PEM, for other signatures of the region. Timing and errors as bearer_issue(). */
RESULT bearers_use_key(struct bearers *b, struct ctx *c, struct str *ret_pem);
