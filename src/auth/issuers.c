/* SPDX-License-Identifier: Apache-2.0
 * Fetching, and what is kept of it. */
#include "auth/issuers.h"

#include <jansson.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/heap.h"
#include "model/oidc_provider.h"

#define KEPT_US (5 * MINUTE)
#define AGAIN_US (10 * SECOND)

struct kept {
	uuid provider; /* none: free */
	uint64_t commit;
	int64_t fetched_us;
	char *keys; /* NULL: it could not be reached */
};

struct issuers {
	struct issuers_config config;
	struct lane *lane;
	pthread_mutex_t lock; /* over what follows */
	struct kept kept[ISSUERS_KEPT];
};

/* ---- life ---- */

RESULT issuers_new(struct ctx *c, const struct issuers_config *config, struct issuers **ret_issuers)
{
	const struct lane_config lane = {config->executor, "issuers", ISSUER_THREADS, ISSUERS_WAITING_MAX,
					 ISSUERS_WAITING_MAX};
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
		heap_free(i->kept[k].keys);
	(void) pthread_mutex_destroy(&i->lock);
	heap_free(i);
}

struct lane *issuers_lane(struct issuers *i)
{
	return i->lane;
}

/* ---- keys ---- */

static RESULT fail_io(struct ctx *c, struct str url, const char *why)
{
	return ctx_fail_kind(c, ERR_IO, KIND_OIDC_PROVIDER,
			     "The keys of https://%" STR_FMT " cannot be had: %s", STR_ARG(url), why);
}

static RESULT fetch(const struct issuers *i, struct ctx *c, const struct oidc_provider *p, const char *url,
		    struct str *ret_body)
{
	const struct web_fetch wish = {.url = url,
				       .thumbprints = p->thumbprints,
				       .cap_size = ISSUER_DOCUMENT_MAX,
				       .timeout_ms = ISSUER_TIMEOUT_MS,
				       .reach = i->config.reach};
	struct result result = i->config.fetch(c, &wish, ret_body);
	if (result.code != ERR_IO)
		return result;
	const char *why = str_to_z(c->arena, c->problem.message);
	ctx_clear_problem(c);
	return fail_io(c, p->url, why ? why : "");
}

/* Where its keys are; NULL: the document does not say, or is another issuer's. In c's arena. */
static const char *find_keys_url(struct ctx *c, const struct oidc_provider *p, struct str document)
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
	json_decref(json);
	return found;
}

static RESULT fetch_keys(const struct issuers *i, struct ctx *c, const struct oidc_provider *p,
			 struct str *ret_keys)
{
	struct str document = STR_NONE;
	const char *url = str_to_z(
		c->arena, str_print(c->arena, "https://%" STR_FMT "/.well-known/openid-configuration",
				    STR_ARG(p->url)));
	if (!url)
		return ctx_no_memory(c);
	TRY(fetch(i, c, p, url, &document));
	url = find_keys_url(c, p, document);
	if (!url)
		return fail_io(c, p->url, "its configuration names no jwks_uri, or another issuer");
	return fetch(i, c, p, url, ret_keys);
}

/* Copied into the arena. False: nothing is kept of it that is as new. */
static bool find_kept(struct issuers *i, struct arena *a, const struct oidc_provider *p, struct str *ret_keys,
		      int64_t *ret_age_us)
{
	bool is_kept = false;
	int64_t now_us = clock_monotonic_us();
	(void) pthread_mutex_lock(&i->lock);
	for (size_t k = 0; k < ISSUERS_KEPT && !is_kept; k++) {
		const struct kept *kept = &i->kept[k];
		int64_t age_us = now_us - kept->fetched_us;
		if (!uuid_equal(kept->provider, p->row.id) || kept->commit != p->row.commit ||
		    age_us > (kept->keys ? KEPT_US : AGAIN_US))
			continue;
		is_kept = true;
		*ret_age_us = age_us;
		*ret_keys = kept->keys ? str_copy(a, str_from(kept->keys)) : STR_NONE;
	}
	(void) pthread_mutex_unlock(&i->lock);
	return is_kept;
}

/* In the provider's place, or the oldest's. keys empty: it could not be reached. */
static void keep(struct issuers *i, const struct oidc_provider *p, struct str keys)
{
	char *copy = keys.n ? heap_alloc(keys.n + 1) : NULL;
	if (copy) {
		memcpy(copy, keys.p, keys.n);
		copy[keys.n] = 0;
	}
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
	char *before = place->keys;
	*place = (struct kept){p->row.id, p->row.commit, clock_monotonic_us(), copy};
	(void) pthread_mutex_unlock(&i->lock);
	heap_free(before);
}

RESULT issuers_prove(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
		     const struct web_identity *w)
{
	struct str keys = STR_NONE;
	int64_t age_us = 0;
	bool has_key = false;
	if (find_kept(i, c->arena, provider, &keys, &age_us)) {
		if (!keys.n)
			return fail_io(c, provider->url, "it could not be reached a moment ago");
		struct result proved = web_identity_prove(c, w, keys, &has_key);
		if (result_is_ok(proved) || has_key || age_us < AGAIN_US)
			return proved;
		ctx_clear_problem(c);
	}
	struct result fetched = fetch_keys(i, c, provider, &keys);
	keep(i, provider, result_is_ok(fetched) ? keys : STR_NONE);
	TRY(fetched);
	return web_identity_prove(c, w, keys, &has_key);
}
