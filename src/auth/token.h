/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's tokens, which need no look-up: signed texts that say who, for what scope, and until
 * when. What the principal may do is not in the token. It is worked out from the published rows at
 * each check, so that a disabled user, account or domain, a revoked role or a changed password
 * takes effect at once.
 *
 * A token is TOKEN_TEXT_SIZE characters of base64url. They encode TOKEN_SIZE bytes, of which the
 * last 32 are an HMAC-SHA256 under a key that is derived from the master key. Any thread. */
#pragma once

#include "base/clock.h"
#include "base/crypto.h"
#include "base/ctx.h"
#include "model/identity.h"
#include "store/store.h"

enum { TOKEN_SIZE = 150, TOKEN_TEXT_SIZE = 200 };

/* How the principal proved who it is: a bit set. */
enum token_method {
	TOKEN_BY_PASSWORD = 1,
	TOKEN_BY_TOKEN = 2,
	TOKEN_BY_APPLICATION_CREDENTIAL = 4,
	/* A session of the console's pages, in a browser's cookie: token_check() refuses it, token_check_session() alone
	 * takes it. */
	TOKEN_BY_CONSOLE = 8,
	TOKEN_BY_FACTOR = 16, /* of such a session: a second factor was shown in it */
};

/* A session ends so long after the last request that its person caused, and so long after they signed in. */
#define TOKEN_SESSION_IDLE_US (30 * MINUTE)
#define TOKEN_SESSION_WHOLE_US (12 * HOUR)

struct token {
	enum identity_scope scope;
	unsigned methods;
	uuid user;
	uuid where; /* the account or the domain, by the scope */
	uuid application_credential;
	uuid trust;  /* that the user uses; none: none */
	uuid audit;  /* names this token, for logs and to revoke it */
	uuid parent; /* the audit id of the token that this one was made from; none: of none */
	int64_t issued_us, expires_us;
	/* Of a console's session alone, which has neither application credential nor trust: */
	uuid access_key; /* that its person signed in with, and without which it is worth nothing; none: by other means */
	int64_t begun_us; /* when they signed in */
};

struct tokens;

struct tokens_config {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; not kept after the call */
	int64_t lifetime_us;       /* of a new token */
};

/* Nothing that config points at is kept, except the store. ERR_NO_MEMORY. */
RESULT tokens_new(struct ctx *c, const struct tokens_config *config, struct tokens **ret_tokens);
void tokens_free(struct tokens *t); /* NULL: nothing */
DEFINE_AUTO(tokens)

/* Sets token's audit (unless it has one), issued_us and expires_us (unless it has an earlier one
 * than the lifetime allows), and signs it. It does not check user and scope; token_check() does.
 * The text is in c's arena. */
RESULT token_issue(struct tokens *t, struct ctx *c, struct token *token, struct str *ret_text);

/* How the face that got a token reads the access rules of an application credential. Rules name all that the
 * credential may call, in every service. So a face that says nothing ({0}) gets no token of such a credential. */
struct token_use {
	const char
		*service;  /* as Keystone's catalogue names it, synonyms with '|' between; NULL: rules have no
				 * name for this call, which refuses them */
	struct str method; /* "GET" */
	struct str paths[2]; /* the call's, as rules may write it: one of them has to be named */
	bool is_no_call;     /* the token is looked at, and nothing is called with it */
};

/* Checks a token. ERR_UNAUTHENTICATED, in words for the log and not for the caller: it is not ours,
 * expired, revoked, or older than the user's password; its user, account, domain or credential is
 * gone or disabled; the user has no role in its scope; or its credential's access rules do not name
 * the call. ret_who is in c's arena. */
RESULT token_check(struct tokens *t, struct ctx *c, struct str text, const struct token_use *use,
		   struct token *ret_token, struct identity **ret_who);
/* The same for a session of the console's, and for nothing else. */
RESULT token_check_session(struct tokens *t, struct ctx *c, struct str text, struct token *ret_token,
			   struct identity **ret_who);
/* Issues a session's first token, or (session has begun) its next one: for the idle time, but not beyond its whole. Its parent
 * names the session, to revoke it. */
RESULT token_issue_session(struct tokens *t, struct ctx *c, struct token *session, struct str *ret_text);
/* Checks a token that was proved before, whatever its age: what was made with it (auth/ticket.h) is
 * worth no more than the token is now. Access rules were asked when it was made. */
RESULT token_weigh(struct tokens *t, struct ctx *c, const struct token *token, struct identity **ret_who);
