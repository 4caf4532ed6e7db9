/* SPDX-License-Identifier: Apache-2.0
 * Bearer tokens: JSON Web Tokens that are signed (RS256) with a key of the region's, as clients of Azure Resource
 * Manager carry them. A token says who asks, how that was proved, and until when. What the principal may do is not in
 * it: that is worked out from the published rows at each check, so that a closed key, a disabled user, account or
 * domain, a revoked role or a changed password takes effect at once.
 *
 * The key is made when the first token is asked for, which takes up to a second, and kept in a file, so that tokens
 * outlive a restart. Sources: RFC 7515, 7517, 7519; Microsoft identity platform, "Access token claims reference".
 * Any thread. */
#pragma once

#include "auth/sign_in.h"
#include "auth/token.h"
#include "base/clock.h"

/* What a token is for: calls; getting others, in the name of the same person; or to tell a program who signed in. */
enum bearer_use { BEARER_ACCESS, BEARER_REFRESH, BEARER_ID };

struct bearer {
	uuid user;
	struct str key_id; /* the access key that proved it; empty: a password did, or a certificate */
	uuid certificate;  /* the credential that proved it; none: no certificate did */
	struct str
		session; /* or these temporary credentials' token; then key_id is theirs, and user the role; empty: none */
	uuid tenant; /* the domain that it was asked for */
	uuid audit;  /* names this token, for logs and to revoke it */
	int64_t issued_us, expires_us;
	struct str audience, client, name; /* as the words below have them; set by bearer_check() */
};

/* What else is in a token, for those who read it. */
struct bearer_words {
	struct str audience, issuer;
	struct str name; /* the user's: "upn"; empty: it is a program's */
	enum bearer_use use;
	struct str client,
		nonce; /* of other uses than access: for which program, and what it said to know it by */
};

struct bearers;
struct sigv4;

struct bearers_config {
	struct store *store;
	struct tokens *tokens;
	const char *key_path; /* where the key is kept; NULL: in memory alone */
	struct sigv4 *sigv4;  /* knows sessions; NULL: none is good */
	int64_t lifetime_us;  /* of a new token; of one that gets others BEARER_REFRESH_US */
};
#define BEARER_REFRESH_US (90 * 24 * HOUR) /* as Entra's */

/* config's texts are copied. ERR_NO_MEMORY. */
RESULT bearers_new(struct ctx *c, const struct bearers_config *config, struct bearers **ret_bearers);
void bearers_free(struct bearers *b); /* NULL: nothing */
DEFINE_AUTO(bearers)

/* Signs a token, and sets its audit, issued_us and expires_us. Takes a millisecond, the first time up to a second:
 * never on the committer. It does not check the user; bearer_weigh() does. ERR_IO: the key's file. */
RESULT bearer_issue(struct bearers *b, struct ctx *c, struct bearer *bearer, const struct bearer_words *words,
		    struct str *ret_text);
/* Whether the token is ours, and its time is not over. ERR_UNAUTHENTICATED, ERR_EXPIRED. Texts are in c's arena. */
RESULT bearer_check(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer);
/* The same of one that gets others. */
RESULT bearer_check_refresh(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer);
/* Who asks with it: for that account, or (none) for the access key's own, or for no account. ERR_UNAUTHENTICATED, in
 * words for the log: the user may not get in there, or nowhere any more. */
RESULT bearer_weigh(struct bearers *b, struct ctx *c, const struct bearer *bearer, uuid account,
		    struct identity **ret_who);
/* The sign-ins that wait. */
struct sign_ins *bearers_get_sign_ins(struct bearers *b);
/* The public key: its name, modulus and exponent in base64url, as a JSON Web Key has them. As bearer_issue(). */
RESULT bearers_read_key(struct bearers *b, struct ctx *c, struct str *ret_id, struct str *ret_n,
			struct str *ret_e);
/* The key itself, in PEM, for what else the region signs. As bearer_issue(). */
RESULT bearers_use_key(struct bearers *b, struct ctx *c, struct str *ret_pem);
