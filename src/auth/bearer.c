/* SPDX-License-Identifier: Apache-2.0
 * Bearer tokens. */
#include "auth/bearer.h"

#include <jansson.h>
#include <pthread.h>

#include "auth/key_owner.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/json_write.h"

enum {
	KEY_FILE_MAX = 16 * 1024,
	TOKEN_TEXT_MAX = 16 * 1024,
	TOKEN_WORDS_MAX = 8 * 1024,
	ARENA_SIZE = 16 * 1024, /* taken at once: no text can fail to fit */
	KEY_ID_SIZE = 16,       /* bytes of the digest */
};

struct bearers {
	struct store *store;
	struct tokens *tokens;
	int64_t lifetime_us;
	struct arena *arena; /* of all texts here */
	const char *key_path;
	pthread_mutex_t lock; /* of what follows, which is made once and then stays */
	struct str pem, n, e; /* the key; its public half in bytes */
	struct str key_id;
};

RESULT bearers_new(struct ctx *c, const struct bearers_config *config, struct bearers **ret_bearers)
{
	struct bearers *b = heap_new(struct bearers);
	struct arena *arena = b ? arena_new(ARENA_SIZE, ARENA_SIZE) : NULL;
	if (!arena) {
		heap_free(b);
		return ctx_no_memory(c);
	}
	b->arena = arena;
	b->store = config->store;
	b->tokens = config->tokens;
	b->lifetime_us = config->lifetime_us;
	b->key_path = config->key_path ? str_to_z(arena, str_from(config->key_path)) : NULL;
	(void) pthread_mutex_init(&b->lock, NULL);
	*ret_bearers = b;
	return OK;
}

void bearers_free(struct bearers *b)
{
	if (!b)
		return;
	crypto_wipe((void *) b->pem.p, b->pem.n); /* ours, in the arena */
	arena_free(b->arena);
	(void) pthread_mutex_destroy(&b->lock);
	heap_free(b);
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

/* ---- issuing ---- */

static void write_id(struct json_writer *w, const char *name, uuid id)
{
	char text[UUID_TEXT_SIZE];
	json_write_z(w, name, uuid_write(id, text));
}

static void write_claims(struct json_writer *w, const struct bearer *bearer, const struct bearer_words *words)
{
	bool is_program = str_is_empty(words->name);
	json_write_text(w, "aud", words->audience);
	json_write_text(w, "iss", words->issuer);
	json_write_int(w, "iat", bearer->issued_us / SECOND);
	json_write_int(w, "nbf", bearer->issued_us / SECOND);
	json_write_int(w, "exp", bearer->expires_us / SECOND);
	json_write_z(w, "idtyp", is_program ? "app" : "user");
	write_id(w, "oid", bearer->user);
	write_id(w, "sub", bearer->user);
	write_id(w, "tid", bearer->tenant);
	write_id(w, "uti", bearer->audit);
	if (is_program) {
		write_id(w, "appid", bearer->user);
		json_write_z(w, "appidacr", "1"); /* by a secret */
		json_write_text(w, "key_id", bearer->key_id);
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
	bearer->issued_us = clock_now_us() / SECOND * SECOND;
	bearer->expires_us = bearer->issued_us + b->lifetime_us;
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

/* What was signed is what we wrote. */
static bool take_claims(struct arena *a, struct str text, struct bearer *bearer)
{
	json_t *claims = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_whole = take_id(claims, "oid", &bearer->user) && take_id(claims, "tid", &bearer->tenant) &&
			take_id(claims, "uti", &bearer->audit) &&
			take_time(claims, "iat", &bearer->issued_us) &&
			take_time(claims, "exp", &bearer->expires_us);
	bearer->key_id = str_copy(a, str_from(json_string_value(json_object_get(claims, "key_id"))));
	json_decref(claims);
	return is_whole;
}

RESULT bearer_check(struct bearers *b, struct ctx *c, struct str text, struct bearer *ret_bearer)
{
	struct str rest = text, header, claims, proof = STR_NONE, said = STR_NONE;
	struct bearer bearer = {0};
	TRY(need_key(b, c));
	if (text.n > TOKEN_TEXT_MAX || !str_split_next(&rest, '.', &header) ||
	    !str_split_next(&rest, '.', &claims) ||
	    !result_is_ok(str_decode_base64url(c->arena, rest, &proof)) ||
	    !crypto_verify_rs256(b->n, b->e, str_slice(text, 0, header.n + 1 + claims.n), proof) ||
	    !result_is_ok(str_decode_base64url(c->arena, claims, &said)) ||
	    !take_claims(c->arena, said, &bearer))
		return refuse(c, "is not one of ours");
	if (bearer.expires_us <= clock_now_us())
		return ctx_fail(c, ERR_EXPIRED, "The token has expired.");
	*ret_bearer = bearer;
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

static RESULT weigh_key(struct bearers *b, struct ctx *c, const struct bearer *bearer,
			struct identity **ret_who)
{
	struct key_owner owner = {0};
	AUTO_VIEW v;
	view_open(b->store, &v);
	TRY(key_find_owner(c, &v, bearer->key_id, &owner));
	if (!owner.who || !uuid_equal(owner.who->user, bearer->user))
		return refuse(c, "is of an access key that is closed");
	owner.who->rights = owner.rights;
	*ret_who = owner.who;
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
	if (str_is_empty(bearer->key_id))
		return token_weigh(b->tokens, c, &token, ret_who);
	TRY(weigh_key(b, c, bearer, ret_who));
	if (uuid_is_none(account) || uuid_equal(account, (*ret_who)->account))
		return OK;
	return token_weigh(b->tokens, c, &token, ret_who);
}
