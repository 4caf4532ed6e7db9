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

#include "auth/token.h"

struct bearer {
	uuid user;
	struct str key_id; /* the access key that proved it; empty: a password did */
	uuid tenant;       /* the domain that it was asked for */
	uuid audit;        /* names this token, for logs and to revoke it */
	int64_t issued_us, expires_us;
};

/* What else is in a token, for those who read it. */
struct bearer_words {
	struct str audience, issuer;
	struct str name; /* the user's: "upn"; empty: it is a program's */
};

struct bearers;

struct bearers_config {
	struct store *store;
	struct tokens *tokens;
	const char *key_path; /* where the key is kept; NULL: in memory alone */
	int64_t lifetime_us;  /* of a new token */
};

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
/* Who asks with it: for that account, or (none) for the access key's own, or for no account. ERR_UNAUTHENTICATED, in
 * words for the log: the user may not get in there, or nowhere any more. */
RESULT bearer_weigh(struct bearers *b, struct ctx *c, const struct bearer *bearer, uuid account,
		    struct identity **ret_who);
/* The public key: its name, modulus and exponent in base64url, as a JSON Web Key has them. As bearer_issue(). */
RESULT bearers_read_key(struct bearers *b, struct ctx *c, struct str *ret_id, struct str *ret_n,
			struct str *ret_e);
