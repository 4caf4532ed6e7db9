/* SPDX-License-Identifier: Apache-2.0
 * Issues and checks bearer tokens. */
#include "auth/token/bearer.h"

#include <jansson.h>
#include <pthread.h>

#include "auth/key/key_owner.h"
#include "auth/key/sigv4.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/json_write.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/credential.h"
#include "store/token_revocation.h"
#include "store/user.h"

enum {
	KEY_FILE_MAX = 16 * 1024,
	TOKEN_TEXT_MAX = 16 * 1024,
	TOKEN_WORDS_MAX = 8 * 1024,
	ARENA_SIZE = 16 * 1024, /* allocated at once, so copying texts cannot fail later */
	KEY_ID_SIZE = 16,       /* bytes of the digest of the modulus */
	KNOWN_COUNT = 256,
	KNOWN_TEXT_SIZE = 1024, /* longer claims are read again for each request */
	TEXTS = 5,
};

/* A token whose signature was verified, and its claims. The digest is that of the whole token. */
struct known_token {
	uint8_t digest[SHA256_SIZE];
	bool has_claims;
	enum bearer_use use;
	struct bearer bearer; /* its texts are in `texts` */
	char texts[KNOWN_TEXT_SIZE];
};

struct bearers {
	struct store *store;
	struct tokens *tokens;
	struct sigv4 *sigv4;
	int64_t lifetime_us;
	struct arena *arena; /* contains all strings of this struct */
	const char *key_path;
	pthread_mutex_t lock; /* guards the next fields, which are set once and then constant */
	struct str pem, n, e; /* private key in PEM; modulus and exponent as bytes */
	struct str key_id;
	struct sign_ins *sign_ins;
	pthread_mutex_t known_lock;            /* guards known */
	struct known_token known[KNOWN_COUNT]; /* the index is the digest's first byte */
};

RESULT bearers_new(struct ctx *c, const struct bearers_config *config, struct bearers **ret_bearers)
{
	struct bearers *b = heap_new(struct bearers);
	struct arena *arena = b ? arena_new(ARENA_SIZE, ARENA_SIZE) : NULL;
	struct sign_ins *sign_ins = arena ? sign_ins_new() : NULL;
	if (!sign_ins) {
		arena_free(arena);
		heap_free(b);
		return ctx_no_memory(c);
	}
	b->arena = arena;
	b->sign_ins = sign_ins;
	b->store = config->store;
	b->tokens = config->tokens;
	b->sigv4 = config->sigv4;
	b->lifetime_us = config->lifetime_us;
	b->key_path = config->key_path ? str_to_z(arena, str_from(config->key_path)) : NULL;
	(void) pthread_mutex_init(&b->lock, NULL);
	(void) pthread_mutex_init(&b->known_lock, NULL);
	*ret_bearers = b;
	return OK;
}

void bearers_free(struct bearers *b)
{
	if (!b)
		return;
	crypto_wipe((void *) b->pem.p, b->pem.n); /* the copy in our arena */
	crypto_wipe(b->known, sizeof b->known);   /* sessions among the claims */
	arena_free(b->arena);
	sign_ins_free(b->sign_ins);
	(void) pthread_mutex_destroy(&b->lock);
	(void) pthread_mutex_destroy(&b->known_lock);
	heap_free(b);
}

struct sign_ins *bearers_get_sign_ins(struct bearers *b)
{
	return b->sign_ins;
}

/* ---- the key ---- */

static RESULT read_or_make(struct bearers *b, struct ctx *c, struct str *ret_pem)
{
	if (b->key_path && file_exists(b->key_path))
		return file_read(c, b->key_path, KEY_FILE_MAX, ret_pem);
	TRY(crypto_make_signing_key(c, ret_pem));
	return b->key_path ? file_write_synced(c, b->key_path, *ret_pem, 0600) : OK;
}

static RESULT load_key(struct bearers *b, struct ctx *c)
{
	struct str pem = STR_NONE, n, e;
	uint8_t sum[SHA256_SIZE];
	TRY(read_or_make(b, c, &pem));
	TRY(crypto_read_signing_key(c, pem, &n, &e));
	crypto_sha256(n, sum);
	b->key_id = str_encode_base64url(b->arena, (struct str){(const char *) sum, KEY_ID_SIZE});
	b->n = str_copy(b->arena, n);
	b->e = str_copy(b->arena, e);
	pem = str_copy(b->arena, pem);
	if (arena_is_full(b->arena))
		return ctx_no_memory(c);
	b->pem = pem;
	return OK;
}

static RESULT need_key(struct bearers *b, struct ctx *c)
{
	(void) pthread_mutex_lock(&b->lock);
	struct result result = b->pem.n ? OK : load_key(b, c);
	(void) pthread_mutex_unlock(&b->lock);
	return result;
}

RESULT bearers_read_key(struct bearers *b, struct ctx *c, struct str *ret_id, struct str *ret_n,
			struct str *ret_e)
{
	TRY(need_key(b, c));
	*ret_id = b->key_id;
	*ret_n = str_encode_base64url(c->arena, b->n);
	*ret_e = str_encode_base64url(c->arena, b->e);
	return ret_n->p && ret_e->p ? OK : ctx_no_memory(c);
}

RESULT bearers_use_key(struct bearers *b, struct ctx *c, struct str *ret_pem)
{
	TRY(need_key(b, c));
	*ret_pem = b->pem;
	return OK;
}

/* ---- issuing ---- */

/* Claim "use". Access tokens have none, since other readers of a token do not expect it. */
static const char *const uses[] = {[BEARER_REFRESH] = "refresh", [BEARER_ID] = "id"};

static void write_use(struct json_writer *w, const struct bearer_words *words)
{
	if (words->use == BEARER_ACCESS)
		return;
	json_write_z(w, "use", uses[words->use]);
	json_write_text(w, "client", words->client);
	if (words->nonce.n)
		json_write_text(w, "nonce", words->nonce);
}

static void write_claims(struct json_writer *w, const struct bearer *bearer, const struct bearer_words *words)
{
	bool is_program = str_is_empty(words->name);
	/* issued_us does not go back with the wall clock; who reads the token would take it for one of the future. */
	int64_t now_us = clock_now_us(), shown_us = now_us < bearer->issued_us ? now_us : bearer->issued_us;
	int64_t issued_s = shown_us / SECOND;
	write_use(w, words);
	json_write_text(w, "aud", words->audience);
	json_write_text(w, "iss", words->issuer);
	json_write_int(w, "iat", issued_s);
	/* the rest, which may be seconds: a password change invalidates older tokens */
	json_write_int(w, "iat_us", bearer->issued_us - issued_s * SECOND);
	json_write_int(w, "nbf", issued_s);
	json_write_int(w, "exp", bearer->expires_us / SECOND);
	json_write_z(w, "idtyp", is_program ? "app" : "user");
	json_write_uuid(w, "oid", bearer->user);
	json_write_uuid(w, "sub", bearer->user);
	json_write_uuid(w, "tid", bearer->tenant);
	json_write_uuid(w, "uti", bearer->audit);
	if (is_program) {
		json_write_uuid(w, "appid", bearer->user);
		if (bearer->key_id.n)
			json_write_text(w, "key_id", bearer->key_id);
		else
			json_write_uuid(w, "certificate", bearer->certificate);
		/* "1": client secret; "2": certificate */
		json_write_z(w, "appidacr", bearer->key_id.n ? "1" : "2");
		if (bearer->session.n)
			json_write_text(w, "session", bearer->session);
	} else {
		json_write_text(w, "upn", words->name);
		json_write_text(w, "unique_name", words->name);
		json_write_text(w, "preferred_username", words->name);
		json_write_text(w, "name", words->name);
	}
	json_write_z(w, "ver", "1.0");
}

static RESULT write_part(struct ctx *c, struct buf *json, struct str *ret_part)
{
	struct str text = json->failed ? STR_NONE : str_encode_base64url(c->arena, buf_str(json));
	buf_done(json);
	*ret_part = text;
	return text.p ? OK : ctx_no_memory(c);
}

static RESULT write_signed(struct bearers *b, struct ctx *c, const struct bearer *bearer,
			   const struct bearer_words *words, struct str *ret_text)
{
	struct json_writer w;
	struct str header, claims, signature;
	struct buf json;
	buf_init(&json, TOKEN_WORDS_MAX);
	json_write_begin(&w, &json);
	json_write_open(&w, NULL);
	json_write_z(&w, "typ", "JWT");
	json_write_z(&w, "alg", "RS256");
	json_write_text(&w, "kid", b->key_id);
	json_write_close(&w);
	TRY(write_part(c, &json, &header));
	buf_init(&json, TOKEN_WORDS_MAX);
	json_write_begin(&w, &json);
	json_write_open(&w, NULL);
	write_claims(&w, bearer, words);
	json_write_close(&w);
	TRY(write_part(c, &json, &claims));
	struct str text = str_print(c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(header), STR_ARG(claims));
	TRY(crypto_sign_rs256(c, b->pem, text, &signature));
	signature = str_encode_base64url(c->arena, signature);
	*ret_text = str_print(c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(text), STR_ARG(signature));
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

RESULT bearer_issue(struct bearers *b, struct ctx *c, struct bearer *bearer, const struct bearer_words *words,
		    struct str *ret_text)
{
	TRY(need_key(b, c));
	bearer->audit = uuid_random();
	bearer->issued_us = clock_steady_us(); /* monotonic, so never earlier than a previous password
					        * change (see date() in token.c) */
	if (!bearer->session.n)                /* a session's token ends with the session */
		bearer->expires_us = clock_now_us() / SECOND * SECOND +
				     (words->use == BEARER_REFRESH ? BEARER_REFRESH_US : b->lifetime_us);
	return write_signed(b, c, bearer, words, ret_text);
}

/* ---- checking ---- */

static RESULT refuse(struct ctx *c, const char *why)
{
	return ctx_fail(c, ERR_UNAUTHENTICATED, "The token %s.", why);
}

static bool take_id(const json_t *claims, const char *name, uuid *ret_id)
{
	return result_is_ok(uuid_parse(str_from(json_string_value(json_object_get(claims, name))), ret_id));
}

static bool take_time(const json_t *claims, const char *name, int64_t *ret_us)
{
	*ret_us = json_integer_value(json_object_get(claims, name)) * SECOND;
	return *ret_us > 0;
}

static struct str take_text(struct arena *a, const json_t *claims, const char *name)
{
	return str_copy(a, str_from(json_string_value(json_object_get(claims, name))));
}

/* Reads claims whose signature was verified, so they are ours. */
static bool take_claims(struct arena *a, struct str text, enum bearer_use use, struct bearer *bearer)
{
	json_t *claims = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	const char *said = json_string_value(json_object_get(claims, "use"));
	bool is_whole = take_id(claims, "oid", &bearer->user) && take_id(claims, "tid", &bearer->tenant) &&
			take_id(claims, "uti", &bearer->audit) &&
			take_time(claims, "iat", &bearer->issued_us) &&
			take_time(claims, "exp", &bearer->expires_us) &&
			(uses[use] ? said && strcmp(said, uses[use]) == 0 : !said);
	bearer->issued_us += json_integer_value(json_object_get(claims, "iat_us"));
	(void) take_id(claims, "certificate", &bearer->certificate);
	bearer->key_id = take_text(a, claims, "key_id");
	bearer->audience = take_text(a, claims, "aud");
	bearer->client = take_text(a, claims, "client");
	bearer->name = take_text(a, claims, "upn");
	bearer->session = take_text(a, claims, "session");
	json_decref(claims);
	return is_whole;
}

/* ---- known tokens ---- */

static void list_texts(struct bearer *bearer, struct str *ret_texts[static TEXTS])
{
	struct str *const texts[TEXTS] = {&bearer->key_id, &bearer->audience, &bearer->client, &bearer->name,
					  &bearer->session};
	memcpy(ret_texts, texts, sizeof texts);
}

/* Finds a token that was verified before: an equal digest means an equal token. *ret_has_claims: the claims are in *bearer, with
 * texts in the arena. They are what was signed, so they never change; whether they hold now is for the caller. */
static bool recall(struct bearers *b, struct arena *a, const uint8_t digest[static SHA256_SIZE],
		   enum bearer_use use, struct bearer *bearer, bool *ret_has_claims)
{
	struct str *texts[TEXTS];
	(void) pthread_mutex_lock(&b->known_lock);
	const struct known_token *known = &b->known[digest[0]];
	bool is_known = memcmp(known->digest, digest, SHA256_SIZE) == 0;
	*ret_has_claims = is_known && known->has_claims && known->use == use;
	if (*ret_has_claims) {
		*bearer = known->bearer;
		list_texts(bearer, texts);
		for (size_t k = 0; k < TEXTS; k++)
			*texts[k] = str_copy(a, *texts[k]);
	}
	(void) pthread_mutex_unlock(&b->known_lock);
	return is_known;
}

/* A lost entry only costs another verification. */
static void remember(struct bearers *b, const uint8_t digest[static SHA256_SIZE], enum bearer_use use,
		     const struct bearer *bearer)
{
	struct str *texts[TEXTS];
	size_t size = 0;
	(void) pthread_mutex_lock(&b->known_lock);
	struct known_token *known = &b->known[digest[0]];
	memcpy(known->digest, digest, SHA256_SIZE);
	known->use = use;
	known->bearer = *bearer;
	list_texts(&known->bearer, texts);
	for (size_t k = 0; k < TEXTS; k++)
		size += texts[k]->n;
	known->has_claims = size <= KNOWN_TEXT_SIZE;
	size = 0;
	for (size_t k = 0; known->has_claims && k < TEXTS; k++) {
		struct str text = *texts[k];
		if (text.n)
			*texts[k] = (struct str){memcpy(known->texts + size, text.p, text.n), text.n};
		size += text.n;
	}
	(void) pthread_mutex_unlock(&b->known_lock);
}

static bool is_signed(struct bearers *b, struct arena *a, struct str said, struct str signature)
{
	struct str proof = STR_NONE;
	return result_is_ok(str_decode_base64url(a, signature, &proof)) &&
	       crypto_verify_rs256(b->n, b->e, said, proof);
}

/* Reads the claims. RS256 takes about 0.1 ms and JSON a third of a request's processor time, and clients repeat the same
 * token, so both are done once a token. */
static bool read_token(struct bearers *b, struct arena *a, struct str text, enum bearer_use use,
		       struct bearer *ret_bearer)
{
	struct str rest = text, header, claims, said = STR_NONE;
	uint8_t digest[SHA256_SIZE];
	bool has_claims = false;
	crypto_sha256(text, digest);
	bool is_known = recall(b, a, digest, use, ret_bearer, &has_claims);
	if (has_claims)
		return true;
	if (!str_split_next(&rest, '.', &header) || !str_split_next(&rest, '.', &claims) ||
	    (!is_known && !is_signed(b, a, str_slice(text, 0, header.n + 1 + claims.n), rest)) ||
	    !result_is_ok(str_decode_base64url(a, claims, &said)) || !take_claims(a, said, use, ret_bearer))
		return false;
	if (!arena_is_full(a)) /* else texts are missing */
		remember(b, digest, use, ret_bearer);
	return true;
}

static RESULT check(struct bearers *b, struct ctx *c, struct str text, enum bearer_use use,
		    struct bearer *ret_bearer)
{
	struct bearer bearer = {0};
	TRY(need_key(b, c));
	if (text.n > TOKEN_TEXT_MAX || !read_token(b, c->arena, text, use, &bearer))
		return refuse(c, "is not one of ours");
	if (bearer.expires_us <= clock_now_us())
		return ctx_fail(c, ERR_EXPIRED, "The token has expired.");
	*ret_bearer = bearer;
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

RESULT bearer_check(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer)
{
	return check(b, c, text, BEARER_ACCESS, ret_bearer);
}

RESULT bearer_check_refresh(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer)
{
	return check(b, c, text, BEARER_REFRESH, ret_bearer);
}

/* Reason why a program's token is invalid now; NULL: as good as its proof. */
static const char *weigh_program(const struct tables *t, const struct bearer *bearer)
{
	const struct user *user = user_find(t, bearer->user);
	if (!engine_is_user_open(t, user))
		return "is of a user who may not get in";
	if (bearer->issued_us < user->valid_from_us)
		return "is from before the user's last change";
	return token_revocation_find_by_audit(t, bearer->audit) ? "was revoked" : NULL;
}

/* A user of the account itself acts for it without a role, as with an access key; in another account the user
 * needs a role (*ret_who stays NULL). */
static RESULT weigh_certificate(struct bearers *b, struct ctx *c, const struct bearer *bearer, uuid wanted,
				struct identity **ret_who)
{
	struct roles roles = {0};
	struct uuids above = {0};
	AUTO_VIEW v;
	view_open(b->store, &v);
	const struct credential *proof = credential_find(v.tables, bearer->certificate);
	const struct user *user = user_find(v.tables, bearer->user);
	const struct account *account = user ? account_find(v.tables, user->account) : NULL;
	const char *why = !proof || !uuid_equal(proof->user, bearer->user)
				  ? "is of a certificate that is gone"
				  : weigh_program(v.tables, bearer);
	bool is_own = !why && account && (uuid_is_none(wanted) || uuid_equal(wanted, account->row.id));
	if (is_own && !engine_is_account_open(v.tables, account))
		why = "leads to where nobody may get in";
	if (is_own && !why) {
		engine_find_roles(v.tables, user->row.id, IDENTITY_ACCOUNT, account->row.id, &roles);
		above = engine_list_domains_above(c->arena, v.tables, account->domain);
	}
	view_end_read(&v);
	if (why)
		return refuse(c, why);
	*ret_who = is_own ? key_make_identity(c->arena, account, user, roles.rights, above, STR_NONE) : NULL;
	return is_own && !*ret_who ? ctx_no_memory(c) : OK;
}

static RESULT weigh_key(struct bearers *b, struct ctx *c, const struct bearer *bearer,
			struct identity **ret_who)
{
	struct key_owner owner = {0};
	AUTO_VIEW v;
	view_open(b->store, &v);
	const char *why = weigh_program(v.tables, bearer);
	if (why) {
		view_end_read(&v);
		return refuse(c, why);
	}
	TRY(key_find_owner(c, &v, bearer->key_id, &owner));
	if (!owner.who || !uuid_equal(owner.who->user, bearer->user))
		return refuse(c, "is of an access key that is closed");
	owner.who->rights = owner.rights;
	*ret_who = owner.who;
	return OK;
}

/* Token of an instance: acts as the role of its instance profile, in that role's account alone. */
static RESULT weigh_session(struct bearers *b, struct ctx *c, const struct bearer *bearer, uuid account,
			    struct identity **ret_who)
{
	struct identity *who =
		b->sigv4 ? sigv4_find_session_owner(b->sigv4, c, bearer->key_id, bearer->session) : NULL;
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	if (!who || (!uuid_is_none(account) && !uuid_equal(account, who->account)))
		return refuse(c, "is of a session that has ended, or of another account");
	*ret_who = who;
	return OK;
}

RESULT bearer_weigh(struct bearers *b, struct ctx *c, const struct bearer *bearer, uuid account,
		    struct identity **ret_who)
{
	const struct token token = {.scope = uuid_is_none(account) ? IDENTITY_UNSCOPED : IDENTITY_ACCOUNT,
				    .methods = TOKEN_BY_PASSWORD,
				    .user = bearer->user,
				    .where = account,
				    .audit = bearer->audit,
				    .issued_us = bearer->issued_us,
				    .expires_us = bearer->expires_us};
	if (bearer->session.n)
		return weigh_session(b, c, bearer, account, ret_who);
	bool is_certified = !uuid_is_none(bearer->certificate);
	*ret_who = NULL;
	if (is_certified)
		TRY(weigh_certificate(b, c, bearer, account, ret_who));
	if (is_certified && *ret_who)
		return OK;
	if (str_is_empty(bearer->key_id))
		return token_weigh(b->tokens, c, &token, ret_who);
	TRY(weigh_key(b, c, bearer, ret_who));
	if (uuid_is_none(account) || uuid_equal(account, (*ret_who)->account))
		return OK;
	return token_weigh(b->tokens, c, &token, ret_who);
}
