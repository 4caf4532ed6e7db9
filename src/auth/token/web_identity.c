/* SPDX-License-Identifier: Apache-2.0
 * JSON Web Tokens, as in AssumeRoleWithWebIdentity. */
#include "auth/token/web_identity.h"

#include <inttypes.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "model/oidc_provider.h"

#define SKEW_US (5 * MINUTE)
#define TIME_S_MAX (INT64_C(1) << 40)

static void json_autofree(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_autofree))) json_t *

static RESULT fail(struct ctx *c, const char *why)
{
	return ctx_fail_kind(c, ERR_INVALID, KIND_OIDC_PROVIDER, "%s", why);
}

static struct str copy_text(struct arena *a, const json_t *json)
{
	return json_is_string(json)
		       ? str_copy(a, (struct str){json_string_value(json), json_string_length(json)})
		       : STR_NONE;
}

/* Parses a JSON object of a compact JWS, which has it in base64url (RFC 7515); NULL: not an object. */
static json_t *parse(struct arena *a, struct str part)
{
	struct str text = STR_NONE;
	json_t *json = result_is_ok(str_decode_base64url(a, part, &text)) && text.n
			       ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL)
			       : NULL;
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

/* ---- claims ---- */

static struct str scalar(struct arena *a, const json_t *json)
{
	if (json_is_boolean(json))
		return json_is_true(json) ? STR("true") : STR("false");
	if (json_is_integer(json))
		return str_print(a, "%" PRId64, (int64_t) json_integer_value(json));
	return copy_text(a, json);
}

static struct strs values_of(struct arena *a, const json_t *json)
{
	size_t count = json_is_array(json) ? json_array_size(json) : 1, kept = 0;
	struct str *at = count <= WEB_CLAIM_VALUES_MAX ? arena_new_array(a, struct str, count + 1) : NULL;
	for (size_t k = 0; at && k < count; k++) {
		struct str value = scalar(a, json_is_array(json) ? json_array_get(json, k) : json);
		if (value.p)
			at[kept++] = value;
	}
	return (struct strs){at, kept};
}

static void take_claims(struct arena *a, const json_t *payload, struct web_identity *w)
{
	const char *name = NULL;
	json_t *value = NULL;
	json_object_foreach ((json_t *) payload, name, value) {
		struct strs values = values_of(a, value);
		if (values.count && w->claim_count < WEB_CLAIMS_MAX)
			w->claims[w->claim_count++] = (struct web_claim){str_copy(a, str_from(name)), values};
	}
}

static const struct web_claim *find_claim(const struct web_identity *w, const char *name)
{
	for (size_t k = 0; k < w->claim_count; k++)
		if (str_is(w->claims[k].name, name))
			return &w->claims[k];
	return NULL;
}

static struct str first_of(const struct web_identity *w, const char *name)
{
	const struct web_claim *claim = find_claim(w, name);
	return claim ? claim->values.at[0] : STR_NONE;
}

static bool take_time(const json_t *payload, const char *name, int64_t *ret_us)
{
	const json_t *json = json_object_get(payload, name);
	double seconds = json_number_value(json);
	if (!json_is_number(json) || !(seconds > 0 && seconds < (double) TIME_S_MAX))
		return false;
	*ret_us = (int64_t) seconds * SECOND;
	return true;
}

static RESULT check_times(struct ctx *c, const json_t *payload, struct web_identity *w)
{
	int64_t issued_us = 0, from_us = 0, now_us = clock_now_us();
	if (!take_time(payload, "exp", &w->expires_us))
		return fail(c, "Missing a required claim: exp");
	if (!take_time(payload, "iat", &issued_us))
		return fail(c, "Missing a required claim: iat");
	if (w->expires_us <= now_us)
		return ctx_fail_kind(c, ERR_EXPIRED, KIND_OIDC_PROVIDER,
				     "Token expired: the current time is after its expiration.");
	if (issued_us > now_us + SKEW_US ||
	    (take_time(payload, "nbf", &from_us) && from_us > now_us + SKEW_US))
		return fail(c, "The token is not valid yet.");
	return OK;
}

/* The audience for conditions is the authorised party "azp", if present, else "aud". */
static RESULT take_names(struct ctx *c, struct web_identity *w)
{
	struct str scheme = STR("https://"), issuer = first_of(w, "iss"), party = first_of(w, "azp");
	w->issuer = str_starts_with(issuer, scheme) ? str_slice(issuer, scheme.n, issuer.n) : issuer;
	if (str_ends_with(w->issuer, STR("/")))
		w->issuer.n--;
	w->subject = first_of(w, "sub");
	w->audience = party.n ? party : first_of(w, "aud");
	if (!w->issuer.n)
		return fail(c, "Missing a required claim: iss");
	if (!w->subject.n)
		return fail(c, "Missing a required claim: sub");
	return w->audience.n ? OK : fail(c, "Missing a required claim: aud");
}

/* The compact form (RFC 7515, 3.1): header, payload and signature in base64url without padding, with dots between. The signature
 * covers the first two as they were sent, so that part is kept as text. */
RESULT web_identity_read(struct ctx *c, struct str token, struct web_identity *ret_identity)
{
	struct web_identity w = {0};
	struct str rest = token, head, body, signature;
	bool has_parts = str_split_next(&rest, '.', &head) && str_split_next(&rest, '.', &body) &&
			 str_split_next(&rest, '.', &signature) && !str_split_next(&rest, '.', &rest);
	if (!has_parts || token.n > WEB_TOKEN_MAX ||
	    !result_is_ok(str_decode_base64url(c->arena, signature, &w.signature)))
		return fail(c,
			    "The ID Token provided is not a valid JWT. (You may see this error if you sent "
			    "an Access Token)");
	AUTO_JSON header = parse(c->arena, head);
	AUTO_JSON payload = parse(c->arena, body);
	if (!header || !payload)
		return fail(c, "The ID Token provided is not a valid JWT: its parts are not JSON.");
	if (json_object_get(header, "crit"))
		return fail(c, "The token needs extensions that are not supported.");
	if (json_object_get(payload, "https://aws.amazon.com/tags"))
		return fail(c, "Session tags in a token are not supported here.");
	w.signed_part = str_slice(token, 0, head.n + 1 + body.n);
	w.algorithm = copy_text(c->arena, json_object_get(header, "alg"));
	w.key_id = copy_text(c->arena, json_object_get(header, "kid"));
	if (!str_is(w.algorithm, "RS256") && !str_is(w.algorithm, "ES256"))
		return fail(c, "The token's signature is not of RS256 or ES256.");
	take_claims(c->arena, payload, &w);
	TRY(take_names(c, &w));
	TRY(check_times(c, payload, &w));
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	*ret_identity = w;
	return OK;
}

/* ---- the signature ---- */

static bool take_number(struct arena *a, const json_t *key, const char *name, struct str *ret_bytes)
{
	const json_t *text = json_object_get(key, name);
	return json_is_string(text) &&
	       result_is_ok(str_decode_base64url(
		       a, (struct str){json_string_value(text), json_string_length(text)}, ret_bytes));
}

static bool is_text(const json_t *key, const char *name, const char *wanted)
{
	const json_t *text = json_object_get(key, name);
	return json_is_string(text) && strcmp(json_string_value(text), wanted) == 0;
}

/* True if the key has the type of the token's algorithm and, if the token names one, its key id. */
static bool is_meant(struct arena *a, const json_t *key, const struct web_identity *w)
{
	bool of_rsa = str_is(w->algorithm, "RS256");
	if (!is_text(key, "kty", of_rsa ? "RSA" : "EC") || (!of_rsa && !is_text(key, "crv", "P-256")) ||
	    (json_object_get(key, "use") && !is_text(key, "use", "sig")))
		return false;
	return !w->key_id.n || str_equal(copy_text(a, json_object_get(key, "kid")), w->key_id);
}

static bool has_signed(struct arena *a, const json_t *key, const struct web_identity *w)
{
	struct str one = STR_NONE, other = STR_NONE;
	if (str_is(w->algorithm, "RS256"))
		return take_number(a, key, "n", &one) && take_number(a, key, "e", &other) &&
		       crypto_verify_rs256(one, other, w->signed_part, w->signature);
	return take_number(a, key, "x", &one) && take_number(a, key, "y", &other) &&
	       crypto_verify_es256(one, other, w->signed_part, w->signature);
}

RESULT web_identity_prove(struct ctx *c, const struct web_identity *w, struct str key_set, bool *ret_has_key)
{
	AUTO_JSON set = json_loadb(key_set.p ? key_set.p : "", key_set.n, 0, NULL);
	const json_t *keys = json_object_get(set, "keys");
	bool is_signed = false;
	*ret_has_key = false;
	for (size_t k = 0; k < json_array_size(keys) && k < WEB_KEYS_MAX && !is_signed; k++) {
		const json_t *key = json_array_get(keys, k);
		if (!is_meant(c->arena, key, w))
			continue;
		*ret_has_key = true;
		is_signed = has_signed(c->arena, key, w);
	}
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	if (is_signed)
		return OK;
	return fail(c, *ret_has_key ? "The token's signature is not of its issuer's key."
				    : "Couldn't retrieve verification key from your identity provider: its "
				      "key set has none of the token's.");
}

/* ---- whom it is for ---- */

RESULT web_identity_fit(struct ctx *c, const struct web_identity *w, const struct oidc_provider *provider)
{
	if (!str_equal(w->issuer, provider->url))
		return fail(c, "The token is of another issuer.");
	for (size_t k = 0; k < provider->client_ids.count; k++)
		if (str_equal(provider->client_ids.at[k], w->audience))
			return OK;
	return fail(c, "Incorrect token audience");
}

struct str web_identity_find_claim(const struct web_identity *w, const char *name)
{
	return first_of(w, name);
}

struct strs web_identity_list_claim(const struct web_identity *w, struct str name)
{
	for (size_t k = 0; k < w->claim_count; k++)
		if (str_equal(w->claims[k].name, name))
			return w->claims[k].values;
	return (struct strs){0};
}

/* A token for several audiences must name its authorised party. */
RESULT web_identity_fit_client(struct ctx *c, const struct web_identity *w,
			       const struct oidc_provider *provider, struct str client, struct str nonce)
{
	const struct web_claim *aud = find_claim(w, "aud"), *azp = find_claim(w, "azp");
	bool is_for_it = false;
	if (!str_equal(w->issuer, provider->url))
		return fail(c, "The token is of another issuer.");
	for (size_t k = 0; aud && k < aud->values.count; k++)
		is_for_it |= str_equal(aud->values.at[k], client);
	if (!is_for_it || (!azp && aud->values.count > 1) || (azp && !str_equal(azp->values.at[0], client)))
		return fail(c, "The token is for another client.");
	return nonce.n && str_equal(first_of(w, "nonce"), nonce)
		       ? OK
		       : fail(c, "The token is for another request: its nonce differs.");
}

static bool is_client(const struct oidc_provider *provider, struct str said)
{
	bool is_one = said.n && str_equal(said, provider->sign_in_client);
	for (size_t k = 0; k < provider->client_ids.count && !is_one; k++)
		is_one = said.n && str_equal(said, provider->client_ids.at[k]);
	return is_one;
}

/* Providers put the client into "azp" (Keycloak, Entra ID), "client_id" (RFC 9068) or "cid" (Okta), and often only other services
 * into "aud". */
RESULT web_identity_fit_access(struct ctx *c, const struct web_identity *w,
			       const struct oidc_provider *provider)
{
	static const char *const clients[] = {"azp", "client_id", "cid"};
	const struct web_claim *aud = find_claim(w, "aud");
	bool is_for_it = false;
	if (!str_equal(w->issuer, provider->url))
		return fail(c, "The token is of another issuer.");
	for (size_t k = 0; aud && k < aud->values.count; k++)
		is_for_it |= is_client(provider, aud->values.at[k]);
	for (size_t k = 0; k < sizeof clients / sizeof clients[0]; k++)
		is_for_it |= is_client(provider, first_of(w, clients[k]));
	return is_for_it ? OK : fail(c, "The token is for another client.");
}

static bool is_prefix(struct str key, struct str issuer)
{
	return key.n > issuer.n && key.p[issuer.n] == ':' &&
	       str_equal_nocase(str_slice(key, 0, issuer.n), issuer);
}

bool web_identity_find_key(const struct web_identity *w, struct str key, struct strs *ret_values)
{
	struct str name = str_slice(key, w->issuer.n + 1, key.n);
	if (!is_prefix(key, w->issuer))
		return false;
	if (str_is(name, "aud")) {
		*ret_values = (struct strs){&w->audience, 1};
		return true;
	}
	for (size_t k = 0; k < w->claim_count; k++)
		if (str_equal_nocase(w->claims[k].name, str_is(name, "oaud") ? STR("aud") : name)) {
			*ret_values = w->claims[k].values;
			return true;
		}
	return false;
}
