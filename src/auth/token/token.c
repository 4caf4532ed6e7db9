/* SPDX-License-Identifier: Apache-2.0
 * Signed tokens. All fields have fixed offsets, so parsing is trivial. */
#include "auth/token/token.h"

#include "auth/token/signed_text.h"
#include "base/clock.h"
#include "base/heap.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/access_rule.h"
#include "engine/people/policy/arm_rights.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/domain.h"
#include "store/token_revocation.h"
#include "store/trust.h"
#include "store/user.h"

struct tokens {
	struct store *store;
	int64_t lifetime_us;
	uint8_t key[SHA256_SIZE];
};

enum { VERSION = 1 };

/* Signed bytes; little-endian, so that another machine with the same master key reads the token. A console session
 * stores its start time and access key in the places of credential and trust. */
struct wire {
	uint8_t version, scope, methods, zero[3];
	uuid user, where, credential, trust, audit, parent;
	uint64_t issued_us, expires_us;
} __attribute__((packed));
_Static_assert(sizeof(struct wire) + SHA256_SIZE == TOKEN_SIZE, "a token has no gaps");

RESULT tokens_new(struct ctx *c, const struct tokens_config *config, struct tokens **ret_tokens)
{
	struct tokens *t = heap_new(struct tokens);
	if (!t)
		return ctx_no_memory(c);
	t->store = config->store;
	t->lifetime_us = config->lifetime_us;
	crypto_hmac_sha256(config->master_key, MASTER_KEY_SIZE, STR("token"), t->key);
	*ret_tokens = t;
	return OK;
}

void tokens_free(struct tokens *t)
{
	if (t)
		crypto_wipe(t->key, sizeof t->key);
	heap_free(t);
}

/* ---- text ---- */

static bool is_session(const struct token *token)
{
	return token->methods & TOKEN_BY_CONSOLE;
}

static RESULT sign(struct tokens *t, struct ctx *c, const struct token *token, struct str *ret_text)
{
	uint64_t begun_us = htole64((uint64_t) token->begun_us);
	struct wire wire = {.version = VERSION,
			    .scope = (uint8_t) token->scope,
			    .methods = (uint8_t) token->methods,
			    .user = token->user,
			    .where = token->where,
			    .credential = token->application_credential,
			    .trust = token->trust,
			    .audit = token->audit,
			    .parent = token->parent,
			    .issued_us = htole64((uint64_t) token->issued_us),
			    .expires_us = htole64((uint64_t) token->expires_us)};
	if (is_session(token)) {
		memcpy(&wire.credential, &begun_us, sizeof begun_us);
		wire.trust = token->access_key;
	}
	return signed_text_write(c, t->key, (struct str){(const char *) &wire, sizeof wire}, ret_text);
}

/* Sets issue time, audit id and expiry, which is end_us at the latest. The issue time is monotonic:
 * otherwise, after the wall clock was set back, a token would seem older than an earlier password change. */
static void date(struct token *token, int64_t end_us)
{
	token->issued_us = clock_steady_us();
	if (token->expires_us == 0 || token->expires_us > end_us)
		token->expires_us = end_us;
	if (uuid_is_none(token->audit))
		token->audit = uuid_random();
}

RESULT token_issue(struct tokens *t, struct ctx *c, struct token *token, struct str *ret_text)
{
	date(token, clock_now_us() + t->lifetime_us);
	return sign(t, c, token, ret_text);
}

RESULT token_issue_session(struct tokens *t, struct ctx *c, struct token *session, struct str *ret_text)
{
	int64_t now_us = clock_now_us();
	session->methods |= TOKEN_BY_CONSOLE;
	if (!session->begun_us) {
		session->begun_us = now_us;
		session->parent = uuid_random();
	}
	session->audit = UUID_NONE;
	session->expires_us = session->begun_us + TOKEN_SESSION_WHOLE_US;
	date(session, now_us + TOKEN_SESSION_IDLE_US);
	return sign(t, c, session, ret_text);
}

static RESULT refuse(struct ctx *c, const char *why)
{
	return ctx_fail(c, ERR_UNAUTHENTICATED, "The token %s.", why);
}

static RESULT read_token(struct tokens *t, struct ctx *c, struct str text, struct token *ret_token)
{
	struct wire wire;
	if (!signed_text_read(c->arena, t->key, text, sizeof wire, &wire) || wire.version != VERSION)
		return refuse(c, "is not one of ours");
	*ret_token = (struct token){.scope = (enum identity_scope) wire.scope,
				    .methods = wire.methods,
				    .user = wire.user,
				    .where = wire.where,
				    .application_credential = wire.credential,
				    .trust = wire.trust,
				    .audit = wire.audit,
				    .parent = wire.parent,
				    .issued_us = (int64_t) le64toh(wire.issued_us),
				    .expires_us = (int64_t) le64toh(wire.expires_us)};
	if (is_session(ret_token)) {
		uint64_t begun_us = 0;
		memcpy(&begun_us, &wire.credential, sizeof begun_us);
		ret_token->begun_us = (int64_t) le64toh(begun_us);
		ret_token->access_key = wire.trust;
		ret_token->application_credential = ret_token->trust = UUID_NONE;
	}
	return OK;
}

/* ---- current validity ---- */

static bool is_credential_good(const struct application_credential *a, const struct token *token)
{
	return a && uuid_equal(a->user, token->user) && token->scope == IDENTITY_ACCOUNT &&
	       uuid_equal(a->account, token->where) && (!a->expires_us || a->expires_us > clock_now_us());
}

static bool is_place_open(const struct tables *t, const struct token *token)
{
	const struct domain *domain = NULL;
	switch (token->scope) {
	case IDENTITY_ACCOUNT:
		return engine_is_account_open(t, account_find(t, token->where));
	case IDENTITY_DOMAIN:
		domain = domain_find(t, token->where);
		return domain && domain->enabled;
	case IDENTITY_UNSCOPED:
	case IDENTITY_SYSTEM:
		break;
	}
	return true;
}

struct worth {
	const struct user *user;       /* effective user: the trustor, if the trust impersonates */
	const struct account *account; /* NULL: none */
	const struct application_credential *credential;
	const struct trust *trust;
	struct roles roles;
	struct uuids above; /* domains above the account's */
};

/* NULL: the trust is valid; sets its roles. */
static const char *weigh_trust(const struct tables *t, const struct token *token, struct worth *w)
{
	w->trust = trust_find(t, token->trust);
	const struct user *trustor = w->trust ? user_find(t, w->trust->trustor) : NULL;
	if (!trustor || !uuid_equal(w->trust->trustee, token->user) || token->scope != IDENTITY_ACCOUNT ||
	    !uuid_equal(w->trust->account, token->where) ||
	    (w->trust->expires_us && w->trust->expires_us <= clock_now_us()))
		return "is of a trust that is gone";
	if (token->issued_us < trustor->valid_from_us)
		return "is from before the trustor's last change";
	if (engine_weigh_trust(t, w->trust, &w->roles))
		return "is of a trust that gives nothing any more";
	if (w->trust->impersonation)
		w->user = trustor;
	return NULL;
}

/* True if an Azure role assignment grants access. It does not count for application credentials and trusts,
 * whose rights are narrower than the user's. */
static bool is_assigned(const struct tables *t, const struct token *token)
{
	return token->scope == IDENTITY_ACCOUNT && uuid_is_none(token->application_credential) &&
	       uuid_is_none(token->trust) && engine_is_assigned(t, token->user, token->where);
}

/* Checks the access key that a console session began with. Users of the account itself (its owner, IAM users)
 * need no role in it; removes ADMIN, which a key does not grant. NULL: valid. */
static const char *weigh_session(const struct tables *t, const struct token *token, struct worth *w)
{
	const struct access_key *key = access_key_find(t, token->access_key);
	if (uuid_is_none(token->access_key))
		return NULL;
	if (!key || !key->enabled || !uuid_equal(key->user, token->user) ||
	    !uuid_equal(key->account, token->where))
		return "is of an access key that is gone";
	w->roles.rights &= ~RIGHT(ADMIN);
	return NULL;
}

static bool is_of_account(const struct token *token, const struct user *user)
{
	return is_session(token) && token->scope == IDENTITY_ACCOUNT &&
	       uuid_equal(user->account, token->where);
}

/* True if the token, or the session it belongs to, was revoked. */
static bool is_revoked(const struct tables *t, const struct token *token)
{
	return token_revocation_find_by_audit(t, token->audit) ||
	       (is_session(token) && token_revocation_find_by_audit(t, token->parent));
}

static bool has_way_in(const struct tables *t, const struct token *token, const struct worth *w)
{
	return token->scope == IDENTITY_UNSCOPED || w->roles.count > 0 || is_of_account(token, w->user) ||
	       is_assigned(t, token);
}

/* NULL: valid; else the reason. t must belong to a view that is being read. */
static const char *weigh(struct arena *a, const struct tables *t, const struct token *token,
			 struct worth *ret_worth)
{
	struct worth w = {.user = user_find(t, token->user)};
	if (!engine_is_user_open(t, w.user))
		return "is of a user who may not get in";
	if (token->issued_us < w.user->valid_from_us)
		return "is from before the user's last change";
	if (is_revoked(t, token))
		return "was revoked";
	if (!is_place_open(t, token))
		return "leads to where nobody may get in";
	engine_find_roles(t, token->user, token->scope, token->where, &w.roles);
	if (token->scope == IDENTITY_ACCOUNT)
		w.account = account_find(t, token->where);
	if (w.account)
		w.above = engine_list_domains_above(a, t, w.account->domain);
	if (!uuid_is_none(token->application_credential)) {
		w.credential = application_credential_find(t, token->application_credential);
		if (!is_credential_good(w.credential, token))
			return "is of an application credential that is gone";
		engine_narrow_roles(t, &w.credential->roles, &w.roles);
	}
	const char *why = is_session(token)            ? weigh_session(t, token, &w)
			  : uuid_is_none(token->trust) ? NULL
						       : weigh_trust(t, token, &w);
	if (why)
		return why;
	if (!has_way_in(t, token, &w))
		return "leads to where the user has no role";
	*ret_worth = w;
	return NULL;
}

/* A session that began with an access key proves no more than the key. */
static enum identity_proof find_proof(const struct token *token)
{
	if (!is_session(token) || !uuid_is_none(token->access_key))
		return PROOF_BY_KEY;
	return token->methods & TOKEN_BY_FACTOR ? PROOF_BY_FACTOR : PROOF_IN_SESSION;
}

static struct identity *make_identity(struct arena *a, const struct token *token, const struct worth *w)
{
	struct identity *who = arena_new_object(a, struct identity);
	uuid *roles = arena_alloc(a, w->roles.count * sizeof *roles + 1);
	if (!who || !roles)
		return NULL;
	memcpy(roles, w->roles.at, w->roles.count * sizeof *roles);
	*who = (struct identity){.scope = token->scope,
				 .rights = w->roles.rights,
				 .user = w->user->row.id,
				 .is_owner = w->user->is_owner && !w->trust,
				 .roles = {roles, w->roles.count},
				 .user_name = str_copy(a, w->user->name),
				 .user_path = str_copy(a, w->user->path),
				 .application_credential = token->application_credential,
				 .trust = token->trust,
				 .proof = find_proof(token),
				 .factor_us = token->methods & TOKEN_BY_FACTOR ? token->begun_us : 0,
				 .trustee = w->trust ? token->user : UUID_NONE,
				 .is_restricted = w->credential && !w->credential->unrestricted};
	if (w->account) {
		who->account = w->account->row.id;
		who->domain = w->account->domain;
		who->domains_above = w->above;
		who->account_number = str_copy(a, w->account->number);
	} else if (token->scope == IDENTITY_DOMAIN) {
		who->domain = token->where;
	}
	return who;
}

RESULT token_weigh(struct tokens *t, struct ctx *c, const struct token *token, struct identity **ret_who)
{
	struct worth worth;
	AUTO_VIEW v;
	view_open(t->store, &v);
	const char *why = weigh(c->arena, v.tables, token, &worth);
	view_end_read(&v);
	if (why)
		return refuse(c, why);
	struct identity *who = make_identity(c->arena, token, &worth);
	if (!who || arena_is_full(c->arena))
		return ctx_no_memory(c);
	*ret_who = who;
	return OK;
}

/* Refuses a call that no access rule of the application credential names. A credential without rules may make
 * every call. */
static RESULT check_rules(struct tokens *t, struct ctx *c, const struct token *token,
			  const struct token_use *use)
{
	if (uuid_is_none(token->application_credential) || use->is_no_call)
		return OK;
	AUTO_VIEW v;
	view_open(t->store, &v);
	const struct application_credential *a =
		application_credential_find(v.tables, token->application_credential);
	bool may = a && !a->access_rules.count;
	for (size_t k = 0; a && !may && use->service && k < sizeof use->paths / sizeof use->paths[0]; k++)
		may = engine_rules_allow(v.tables, a, use->service, use->method, use->paths[k]);
	view_end_read(&v);
	return may ? OK
		   : refuse(c, "is of an application credential whose access rules do not name this call");
}

static RESULT check(struct tokens *t, struct ctx *c, struct str text, bool wants_session,
		    struct token *ret_token, struct identity **ret_who)
{
	struct token token;
	TRY(read_token(t, c, text, &token));
	if (is_session(&token) != wants_session)
		return refuse(c, wants_session ? "is no session of the console's"
					       : "is a session of the console's");
	if (token.expires_us <= clock_now_us())
		return refuse(c, "has expired");
	TRY(token_weigh(t, c, &token, ret_who));
	*ret_token = token;
	return OK;
}

RESULT token_check(struct tokens *t, struct ctx *c, struct str text, const struct token_use *use,
		   struct token *ret_token, struct identity **ret_who)
{
	struct token token;
	struct identity *who = NULL;
	TRY(check(t, c, text, false, &token, &who));
	TRY(check_rules(t, c, &token, use));
	*ret_token = token;
	*ret_who = who;
	return OK;
}

RESULT token_check_session(struct tokens *t, struct ctx *c, struct str text, struct token *ret_token,
			   struct identity **ret_who)
{
	return check(t, c, text, true, ret_token, ret_who);
}
