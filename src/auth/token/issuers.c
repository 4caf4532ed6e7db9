/* SPDX-License-Identifier: Apache-2.0
 * Fetches and caches the configuration and keys of OpenID Connect issuers. */
#include "auth/token/issuers.h"

#include <jansson.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/heap.h"
#include "model/oidc_provider.h"

#define KEPT_US (5 * MINUTE)
/* Pause after an issuer that gave no keys: tokens with unknown keys must not make the region flood the issuer. */
#define AGAIN_US (10 * SECOND)

/* An issuer's documents. */
struct said {
	struct str keys; /* empty: the issuer could not be reached */
	struct issuer_places places;
};

struct kept {
	uuid provider; /* none: free */
	uint64_t commit;
	int64_t fetched_us, tried_us; /* tried_us: last request, which may have failed */
	struct said said;             /* its strings are in this block */
	char *block;
};

/* Limit of pending requests per client: a client that waits for a slow issuer must not block others. */
enum { ISSUERS_WAITING_OF_ONE = ISSUERS_WAITING_MAX / 8, ISSUER_THREADS_OF_ONE = ISSUER_THREADS / 4 };

struct issuers {
	struct issuers_config config;
	struct lane *lane;
	pthread_mutex_t lock; /* guards kept */
	struct kept kept[ISSUERS_KEPT];
};

/* ---- life ---- */

RESULT issuers_new(struct ctx *c, const struct issuers_config *config, struct issuers **ret_issuers)
{
	const struct lane_config lane = {config->executor,       "issuers",
					 ISSUER_THREADS,         ISSUERS_WAITING_MAX,
					 ISSUERS_WAITING_OF_ONE, ISSUERS_WAITING_MAX / 8,
					 ISSUER_THREADS_OF_ONE};
	AUTO(issuers) i = heap_new(struct issuers);
	if (!i)
		return ctx_no_memory(c);
	i->config = *config;
	(void) pthread_mutex_init(&i->lock, NULL);
	TRY(lane_new(c, &lane, &i->lane));
	*ret_issuers = TAKE(i);
	return OK;
}

void issuers_free(struct issuers *i)
{
	if (!i)
		return;
	lane_free(i->lane);
	for (size_t k = 0; k < ISSUERS_KEPT; k++)
		heap_free(i->kept[k].block);
	(void) pthread_mutex_destroy(&i->lock);
	heap_free(i);
}

struct lane *issuers_lane(struct issuers *i)
{
	return i->lane;
}

/* ---- fetching ---- */

static RESULT fail_io(struct ctx *c, struct str url, const char *why)
{
	return ctx_fail_kind(c, ERR_IO, KIND_OIDC_PROVIDER,
			     "The keys of https://%" STR_FMT " cannot be had: %s", STR_ARG(url), why);
}

static struct web_fetch wish_for(const struct issuers *i, const struct oidc_provider *p, const char *url)
{
	return (struct web_fetch){.url = url,
				  .thumbprints = p->thumbprints,
				  .cap_size = ISSUER_DOCUMENT_MAX,
				  .timeout_ms = ISSUER_TIMEOUT_MS,
				  .reach = i->config.reach};
}

static RESULT fetch(const struct issuers *i, struct ctx *c, const struct oidc_provider *p, const char *url,
		    struct str *ret_body)
{
	const struct web_fetch wish = wish_for(i, p, url);
	struct result result = i->config.fetch(c, &wish, ret_body);
	if (result.code != ERR_IO)
		return result;
	const char *why = str_to_z(c->arena, c->problem.message);
	ctx_clear_problem(c);
	return fail_io(c, p->url, why ? why : "");
}

/* HTTPS endpoint named by the document; empty: none, or not a URL that is safe in a header. */
static struct str read_place(struct arena *a, const json_t *json, const char *name)
{
	struct str url = str_from(json_string_value(json_object_get(json, name)));
	bool is_plain = url.n <= ISSUER_PLACE_MAX && str_starts_with(url, STR("https://"));
	for (size_t k = 0; is_plain && k < url.n; k++)
		is_plain = url.p[k] > ' ' && url.p[k] < 0x7f && url.p[k] != '#';
	return is_plain ? str_copy(a, url) : STR_NONE;
}

/* True if the document allows client_secret_basic, which is the default. */
static bool takes_basic(const json_t *json)
{
	const json_t *methods = json_object_get(json, "token_endpoint_auth_methods_supported"), *method;
	size_t k;
	if (!json_is_array(methods))
		return true;
	json_array_foreach (methods, k, method)
		if (str_is(str_from(json_string_value(method)), "client_secret_basic"))
			return true;
	return false;
}

/* URL of the issuer's keys, in c's arena; NULL: missing, or the document is another issuer's. */
static const char *read_document(struct ctx *c, const struct oidc_provider *p, struct str document,
				 struct issuer_places *ret_places)
{
	json_t *json = json_loadb(document.p, document.n, 0, NULL);
	const char *issuer = json_string_value(json_object_get(json, "issuer"));
	const char *keys = json_string_value(json_object_get(json, "jwks_uri"));
	struct str said = str_from(issuer), scheme = STR("https://");
	const char *found = NULL;
	if (str_starts_with(said, scheme))
		said = str_slice(said, scheme.n, said.n);
	if (str_ends_with(said, STR("/")))
		said.n--;
	if (issuer && keys && str_equal(said, p->url) && str_starts_with(str_from(keys), scheme))
		found = str_to_z(c->arena, str_from(keys));
	*ret_places =
		(struct issuer_places){.authorization = read_place(c->arena, json, "authorization_endpoint"),
				       .token = read_place(c->arena, json, "token_endpoint"),
				       .takes_basic = takes_basic(json)};
	json_decref(json);
	return found;
}

static RESULT fetch_said(const struct issuers *i, struct ctx *c, const struct oidc_provider *p,
			 struct said *ret_said)
{
	struct str document = STR_NONE;
	const char *url = str_to_z(
		c->arena, str_print(c->arena, "https://%" STR_FMT "/.well-known/openid-configuration",
				    STR_ARG(p->url)));
	if (!url)
		return ctx_no_memory(c);
	TRY(fetch(i, c, p, url, &document));
	url = read_document(c, p, document, &ret_said->places);
	if (!url)
		return fail_io(c, p->url, "its configuration names no jwks_uri, or another issuer");
	return fetch(i, c, p, url, &ret_said->keys);
}

/* ---- stored intervals ---- */

enum { TEXTS = 3 };

static void list_texts(struct said *said, struct str *ret_texts[static TEXTS])
{
	struct str *const texts[TEXTS] = {&said->keys, &said->places.authorization, &said->places.token};
	memcpy(ret_texts, texts, sizeof texts);
}

/* Copies cached documents into the arena. *ret_tried_us: how long ago the issuer was asked last. False: none that are recent
 * enough. */
static bool find_kept(struct issuers *i, struct arena *a, const struct oidc_provider *p,
		      struct said *ret_said, int64_t *ret_tried_us)
{
	bool is_kept = false;
	int64_t now_us = clock_monotonic_us();
	struct str *texts[TEXTS];
	(void) pthread_mutex_lock(&i->lock);
	for (size_t k = 0; k < ISSUERS_KEPT && !is_kept; k++) {
		const struct kept *kept = &i->kept[k];
		bool has_keys = kept->said.keys.n > 0;
		int64_t age_us = now_us - (has_keys ? kept->fetched_us : kept->tried_us);
		if (!uuid_equal(kept->provider, p->row.id) || kept->commit != p->row.commit ||
		    age_us > (has_keys ? KEPT_US : AGAIN_US))
			continue;
		is_kept = true;
		*ret_tried_us = now_us - kept->tried_us;
		*ret_said = kept->said;
		list_texts(ret_said, texts);
		for (size_t n = 0; n < TEXTS; n++)
			*texts[n] = str_copy(a, *texts[n]);
	}
	(void) pthread_mutex_unlock(&i->lock);
	return is_kept;
}

/* Moves the strings into one heap block. Out of memory: as if the issuer could not be reached. */
static char *move_texts(struct said *said)
{
	struct str *texts[TEXTS];
	size_t size = 0;
	list_texts(said, texts);
	for (size_t n = 0; n < TEXTS; n++)
		size += texts[n]->n;
	char *block = size ? heap_alloc(size) : NULL, *to = block;
	for (size_t n = 0; n < TEXTS; n++) {
		if (block && texts[n]->n)
			memcpy(to, texts[n]->p, texts[n]->n);
		*texts[n] = block ? (struct str){to, texts[n]->n} : STR_NONE;
		to = block ? to + texts[n]->n : NULL;
	}
	return block;
}

/* True if the entry has keys that a failed request must not replace. Anybody can cause a request by a token that names an unknown key:
 * its failure must not refuse everybody else's valid tokens. */
static bool has_good_keys(const struct kept *kept, const struct oidc_provider *p)
{
	return uuid_equal(kept->provider, p->row.id) && kept->commit == p->row.commit && kept->said.keys.n &&
	       clock_monotonic_us() - kept->fetched_us <= KEPT_US;
}

/* Replaces the provider's entry, or the oldest one. Without keys the request failed. */
static void keep(struct issuers *i, const struct oidc_provider *p, const struct said *what)
{
	struct said said = *what;
	char *block = move_texts(&said);
	(void) pthread_mutex_lock(&i->lock);
	struct kept *place = &i->kept[0];
	for (size_t k = 0; k < ISSUERS_KEPT; k++) {
		struct kept *kept = &i->kept[k];
		if (uuid_equal(kept->provider, p->row.id)) {
			place = kept;
			break;
		}
		if (kept->fetched_us < place->fetched_us)
			place = kept;
	}
	char *before = place->block;
	int64_t now_us = clock_monotonic_us();
	if (!said.keys.n && has_good_keys(place, p)) {
		place->tried_us = now_us;
		before = block;
	} else {
		*place = (struct kept){p->row.id, p->row.commit, now_us, now_us, said, block};
	}
	(void) pthread_mutex_unlock(&i->lock);
	heap_free(before);
}

static RESULT fetch_and_keep(struct issuers *i, struct ctx *c, const struct oidc_provider *p,
			     struct said *ret_said)
{
	struct said said = {0};
	struct result fetched = fetch_said(i, c, p, &said);
	keep(i, p, result_is_ok(fetched) ? &said : &(struct said){0});
	*ret_said = said;
	return fetched;
}

static RESULT fail_not_again(struct ctx *c, const struct oidc_provider *p)
{
	return fail_io(c, p->url, "it could not be reached a moment ago");
}

RESULT issuers_prove(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
		     const struct web_identity *w)
{
	struct said said = {0};
	int64_t tried_us = 0;
	bool has_key = false;
	if (find_kept(i, c->arena, provider, &said, &tried_us)) {
		if (!said.keys.n)
			return fail_not_again(c, provider);
		struct result proved = web_identity_prove(c, w, said.keys, &has_key);
		if (result_is_ok(proved) || has_key || tried_us < AGAIN_US)
			return proved;
		ctx_clear_problem(c);
	}
	TRY(fetch_and_keep(i, c, provider, &said));
	return web_identity_prove(c, w, said.keys, &has_key);
}

/* ---- signing in ---- */

RESULT issuers_find_places(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
			   struct issuer_places *ret_places)
{
	struct said said = {0};
	int64_t tried_us = 0;
	if (!find_kept(i, c->arena, provider, &said, &tried_us))
		TRY(fetch_and_keep(i, c, provider, &said));
	else if (!said.keys.n)
		return fail_not_again(c, provider);
	if (!said.places.authorization.n || !said.places.token.n)
		return ctx_fail_kind(c, ERR_IO, KIND_OIDC_PROVIDER,
				     "The configuration of https://%" STR_FMT
				     " names no authorization_endpoint and token_endpoint of HTTPS.",
				     STR_ARG(provider->url));
	*ret_places = said.places;
	return OK;
}

static struct str escape(struct arena *a, struct str s)
{
	return str_encode_url(a, s, false);
}

/* Credentials in HTTP Basic are escaped first (RFC 6749, section 2.3.1). */
static RESULT ask_for_token(const struct issuers *i, struct ctx *c, const struct oidc_provider *p,
			    const struct issuer_places *places, const struct issuer_code *code,
			    struct str *ret_body)
{
	struct arena *a = c->arena;
	struct str client = escape(a, code->client), secret = escape(a, code->secret);
	bool by_basic = secret.n && places->takes_basic;
	struct web_fetch wish = wish_for(i, p, str_to_z(a, places->token));
	wish.form = str_print(a,
			      "grant_type=authorization_code&code=%" STR_FMT "&redirect_uri=%" STR_FMT
			      "&code_verifier=%" STR_FMT,
			      STR_ARG(escape(a, code->code)), STR_ARG(escape(a, code->redirect)),
			      STR_ARG(code->verifier));
	if (by_basic) {
		wish.user = str_to_z(a, client);
		wish.password = str_to_z(a, secret);
	} else {
		wish.form = str_print(a, "%" STR_FMT "&client_id=%" STR_FMT "%s%" STR_FMT, STR_ARG(wish.form),
				      STR_ARG(client), secret.n ? "&client_secret=" : "", STR_ARG(secret));
	}
	return arena_is_full(a) ? ctx_no_memory(c) : i->config.fetch(c, &wish, ret_body);
}

static struct str read_id_token(struct arena *a, struct str body)
{
	json_t *json = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
	const json_t *token = json_object_get(json, "id_token");
	struct str copy =
		json_is_string(token)
			? str_copy(a, (struct str){json_string_value(token), json_string_length(token)})
			: STR_NONE;
	json_decref(json);
	return copy;
}

RESULT issuers_exchange(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
			const struct issuer_code *code, struct str *ret_id_token)
{
	struct issuer_places places = {0};
	struct str body = STR_NONE;
	TRY(issuers_find_places(i, c, provider, &places));
	struct result asked = ask_for_token(i, c, provider, &places, code, &body);
	if (asked.code == ERR_IO || asked.code == ERR_DENIED) {
		const char *why = str_to_z(c->arena, c->problem.message);
		ctx_clear_problem(c);
		return ctx_fail_kind(c, asked.code, KIND_OIDC_PROVIDER,
				     "https://%" STR_FMT " gives no token for the code: %s",
				     STR_ARG(provider->url), why ? why : "");
	}
	TRY(asked);
	*ret_id_token = read_id_token(c->arena, body);
	if (ret_id_token->n)
		return OK;
	return ctx_fail_kind(c, ERR_IO, KIND_OIDC_PROVIDER,
			     "https://%" STR_FMT " gives no id_token for the code.", STR_ARG(provider->url));
}
