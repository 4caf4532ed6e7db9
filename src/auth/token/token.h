/* SPDX-License-Identifier: Apache-2.0
 * OpenStack tokens without look-up: signed texts that contain user, scope and expiry. Rights are not in the
 * token: they are computed from the published rows at each check, so a disabled user, account or domain, a
 * revoked role or a changed password takes effect at once.
 *
 * A token has TOKEN_TEXT_SIZE characters of base64url for TOKEN_SIZE bytes, of which the last 32 are an
 * HMAC-SHA256 with a key derived from the master key. Any thread. */
#pragma once

#include "base/clock.h"
#include "base/crypto.h"
#include "base/ctx.h"
#include "model/identity.h"
#include "store/store.h"

enum { TOKEN_SIZE = 150, TOKEN_TEXT_SIZE = 200 };

/* Authentication methods of the user: a bit set. */
enum token_method {
	TOKEN_BY_PASSWORD = 1,
	TOKEN_BY_TOKEN = 2,
	TOKEN_BY_APPLICATION_CREDENTIAL = 4,
	/* A session of the console's pages, in a browser's cookie: only token_check_session() accepts it,
	 * token_check() refuses it. */
	TOKEN_BY_CONSOLE = 8,
	TOKEN_BY_FACTOR = 16, /* console sessions: a second factor was presented */
	TOKEN_BY_OIDC = 32,   /* by an identity provider, as Keystone's federation */
	TOKEN_BY_SAML = 64,
};

/* A session ends after this time without a request by its person, and after this time since the sign-in. */
#define TOKEN_SESSION_IDLE_US (30 * MINUTE)
#define TOKEN_SESSION_WHOLE_US (12 * HOUR)

struct token {
	enum identity_scope scope;
	unsigned methods;
	uuid user;
	uuid where; /* the account or the domain, according to the scope */
	uuid application_credential;
	uuid trust;  /* trust in use; none: none */
	uuid audit;  /* id of this token, for logs and revocation */
	uuid parent; /* audit id of the token that this one was made from; none: none */
	int64_t issued_us, expires_us;
	/* Set in console sessions only, which have no application credential and no trust: */
	uuid access_key;  /* access key used to sign in, which must stay valid; none: another method */
	int64_t begun_us; /* time of the sign-in */
};

struct tokens;

struct tokens_config {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; not kept after the call */
	int64_t lifetime_us;       /* lifetime of a new token */
};

/* Keeps nothing of config except the store. ERR_NO_MEMORY. */
RESULT tokens_new(struct ctx *c, const struct tokens_config *config, struct tokens **ret_tokens);
void tokens_free(struct tokens *t); /* ignores NULL */
DEFINE_AUTO(tokens)

/* Sets audit (unless set), issued_us and expires_us (unless earlier than the lifetime allows), and signs the
 * token. User and scope are not checked; token_check() does that. The text is in c's arena. */
RESULT token_issue(struct tokens *t, struct ctx *c, struct token *token, struct str *ret_text);

/* The call, as matched against access rules of an application credential. Rules list everything the
 * credential may call, in every service, so a face that gives no use ({0}) accepts no token of a credential
 * with rules. */
struct token_use {
	const char *service; /* as in Keystone's catalogue, alternatives separated by '|'; NULL: no name for
			    * this call, so rules refuse it */
	struct str method;   /* for example "GET" */
	struct str paths[2]; /* the call's path, in the forms that rules may use; one must match */
	bool is_no_call;     /* the token is inspected; no call is made with it */
};

/* Checks a token. ERR_UNAUTHENTICATED, with a message for the log and not for the caller: not ours, expired,
 * revoked, or older than the user's password; user, account, domain or credential missing or disabled; no
 * role in the scope; or access rules do not name the call. *ret_who is in c's arena. */
RESULT token_check(struct tokens *t, struct ctx *c, struct str text, const struct token_use *use,
		   struct token *ret_token, struct identity **ret_who);
/* Checks a console session; refuses other tokens. */
RESULT token_check_session(struct tokens *t, struct ctx *c, struct str text, struct token *ret_token,
			   struct identity **ret_who);
/* Issues the first token of a console session or, if begun_us is set, the next one: for the idle time, within
 * the session's total time. Its parent is the session's id for revocation. */
RESULT token_issue_session(struct tokens *t, struct ctx *c, struct token *session, struct str *ret_text);
/* Evaluates a token that was verified before, ignoring its expiry: something made with it (auth/token/ticket.h) grants
 * no more than the token does now. Access rules were checked when that was made. */
RESULT token_weigh(struct tokens *t, struct ctx *c, const struct token *token, struct identity **ret_who);
