/* SPDX-License-Identifier: Apache-2.0
 * Tokens that need no look-up: signed texts that say who, where to and until when. What their holder may
 * is not in them: it is worked out from the published rows at each check, so that a user, an account or a
 * domain that is disabled, a role that is revoked, a changed password, hold at once.
 *
 * A token is TOKEN_TEXT_SIZE characters of base64url: TOKEN_SIZE bytes, of which the last 32 are an
 * HMAC-SHA256 under a key of their own, derived from the master key. Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "model/identity.h"
#include "store/store.h"

enum { TOKEN_SIZE = 132, TOKEN_TEXT_SIZE = 176 };

/* What proved who it is: a bit set. */
enum token_method { TOKEN_BY_PASSWORD = 1, TOKEN_BY_TOKEN = 2, TOKEN_BY_APPLICATION_CREDENTIAL = 4 };

struct token {
	enum identity_scope scope;
	unsigned methods;
	uuid user;
	uuid where; /* the account or domain, by the scope */
	uuid application_credential;
	uuid audit;  /* names this token, in logs and to revoke it */
	uuid parent; /* the audit id of the token that it was made from; none: from none */
	int64_t issued_us, expires_us;
};

struct tokens;

struct tokens_config {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; not kept */
	int64_t lifetime_us;       /* of a new token */
};

/* config is not kept. ERR_NO_MEMORY. */
RESULT tokens_new(struct ctx *c, const struct tokens_config *config, struct tokens **ret_tokens);
void tokens_free(struct tokens *t); /* NULL: nothing */
DEFINE_AUTO(tokens)

/* Completes token with audit (unless it has one), issued_us and expires_us (unless earlier than the
 * lifetime's end it has one), and signs it. It asks nothing about who and where: token_check() does. The text
 * is in c's arena. */
RESULT token_issue(struct tokens *t, struct ctx *c, struct token *token, struct str *ret_text);

/* ERR_UNAUTHENTICATED, in words for the log rather than the caller: not ours, expired, revoked, from before
 * the user's last password; of a user, account or domain that is gone or disabled; of a credential that is;
 * without any role where it leads to. ret_who is in c's arena. */
RESULT token_check(struct tokens *t, struct ctx *c, struct str text, struct token *ret_token,
		   struct identity **ret_who);
/* The same of a token that was proved before, whatever its age: what was made by it holds no longer than what
 * it stands on (ticket.h). */
RESULT token_weigh(struct tokens *t, struct ctx *c, const struct token *token, struct identity **ret_who);
