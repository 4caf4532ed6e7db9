/* SPDX-License-Identifier: Apache-2.0
 * Sign-in by OpenID Connect. State, nonce and PKCE verifier derive from one secret in a sealed cookie, so
 * only the browser that began can finish. The provider exchanges the returned code for an ID token. Browsers
 * navigate here, so failures redirect to the sign-in page with e->why. Sources: OpenID Connect Core 1.0,
 * section 3.1; RFC 7636; RFC 9207; RFC 9700.
 */
#include "api/native/sign_in/begun.h"
#include "api/native/write.h"

#include "auth/key/key.h"
#include "auth/sign_in/federated.h"
#include "auth/sign_in/login_throttle.h"
#include "auth/token/issuers.h"
#include "auth/token/replay_cache.h"
#include "base/uuid_asked.h"
#include "engine/people/sign_in/oidc_sign_in.h"
#include "store/domain.h"
#include "store/oidc_provider.h"

enum { CODE_MAX = 4096 };

/* ---- the provider ---- */

/* Copies the provider, because the call outlives the view. */
static RESULT find_provider(struct native_call *e, struct oidc_provider *ret_provider)
{
	uuid id = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse_asked(pairs_find(&e->path, "id"), &id));
	const struct oidc_provider *p = is_id ? oidc_provider_find(native_tables(e), id) : NULL;
	if (!p || uuid_is_none(p->sign_in_domain) || !e->config->issuers)
		return native_fail_begun(e, "gone", "Nobody signs in by this provider.");
	return federated_copy_oidc(e->c, p, ret_provider);
}

/* Redirect URI, separate for each provider, so that one provider's answer cannot be used for another
 * (RFC 9700, mix-up). */
static struct str callback_url(struct native_call *e, uuid provider)
{
	char id[UUID_TEXT_SIZE];
	return str_print(e->c->arena, "%" STR_FMT "/api/v1/session/oidc/%s/callback",
			 STR_ARG(api_base_url(&e->core)), uuid_write(provider, id));
}

static void ask_on_lane(struct native_call *e)
{
	e->lane = issuers_lane(e->config->issuers);
	e->asker = login_attempt_address(e->call->peer);
}

/* ---- which there are ---- */

struct list_args {
	struct str domain;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "domain", domain, .place = IN_QUERY, .max = 255,
	      .doc = "Domain; absent: Default."),
};

static RESULT answer_list(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct tables *t = native_tables(e);
	const struct domain *domain =
		a->domain.n ? domain_find_by_name(t, a->domain) : domain_find(t, DOMAIN_DEFAULT);
	json_write_open_list(w, "items");
	const struct oidc_provider *p = domain ? oidc_provider_first_by_sign_in(t, domain->row.id) : NULL;
	for (; p; p = oidc_provider_next_by_sign_in(t, p)) {
		json_write_open(w, NULL);
		json_write_uuid(w, "id", p->row.id);
		json_write_text(w, "name", p->sign_in_name);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- going there ---- */

struct begin_args {
	struct oidc_provider provider;
	struct issuer_places places;
};

static RESULT prepare_begin(struct native_call *e, void *args)
{
	struct begin_args *a = args;
	TRY(native_check_page(e));
	TRY(native_check_begun_wire(e));
	TRY(find_provider(e, &a->provider));
	ask_on_lane(e);
	e->why = "provider";
	return OK;
}

static RESULT find_places(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct begin_args *a = e->args;
	return issuers_find_places(e->config->issuers, e->c, &a->provider, &a->places);
}

static struct str list_scopes(struct arena *a, const struct oidc_provider *p)
{
	return str_print(a, "openid profile email%s%" STR_FMT, p->sign_in_scopes.n ? " " : "",
			 STR_ARG(p->sign_in_scopes));
}

static RESULT answer_begin(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct begin_args *a = args;
	struct arena *arena = e->c->arena;
	struct str secret = STR_NONE, place = a->places.authorization;
	uint8_t challenge[SHA256_SIZE];
	(void) w;
	TRY(native_seal_begun(e, "oidc", a->provider.row.id, &secret));
	crypto_sha256(federated_derive(arena, secret, "verifier"), challenge);
	struct str redirect = callback_url(e, a->provider.row.id);
	return native_lead_to(
		e, str_print(arena,
			     "%" STR_FMT "%sresponse_type=code&client_id=%" STR_FMT "&redirect_uri=%" STR_FMT
			     "&scope=%" STR_FMT "&state=%" STR_FMT "&nonce=%" STR_FMT
			     "&code_challenge=%" STR_FMT "&code_challenge_method=S256",
			     STR_ARG(place), str_find_char(place, '?', 0) < place.n ? "&" : "?",
			     STR_ARG(str_encode_url(arena, a->provider.sign_in_client, false)),
			     STR_ARG(str_encode_url(arena, redirect, false)),
			     STR_ARG(str_encode_url(arena, list_scopes(arena, &a->provider), false)),
			     STR_ARG(federated_derive(arena, secret, "state")),
			     STR_ARG(federated_derive(arena, secret, "nonce")),
			     STR_ARG(str_encode_base64url(
				     arena, (struct str){(const char *) challenge, sizeof challenge}))));
}

/* ---- coming back ---- */

struct return_args {
	struct oidc_arrival arrival;
	struct str code, state, error, issuer;
	struct oidc_provider provider;
	struct str nonce;
	struct issuer_code exchange;
};
#define R(name, member, ...) PARAM(struct return_args, name, member, .place = IN_QUERY, __VA_ARGS__)
static const struct param return_params[] = {
	R("code", code, .max = CODE_MAX,
	  .doc = "Authorization code, which the provider exchanges for a token."),
	R("state", state, .max = 255, .doc = "State of the request that began the sign-in."),
	R("error", error, .max = 255, .doc = "Error code of the provider, instead of a code."),
	R("iss", issuer, .max = ISSUER_PLACE_MAX, .doc = "Issuer of the response (RFC 9207)."),
};

/* Compares an issuer "https://id.example.com/" with the stored URL "id.example.com". */
static bool is_issuer(struct str said, struct str url)
{
	struct str scheme = STR("https://");
	if (!str_starts_with(said, scheme))
		return false;
	said = str_slice(said, scheme.n, said.n);
	if (str_ends_with(said, STR("/")))
		said.n--;
	return str_equal(said, url);
}

/* Checks that the state belongs to this browser's cookie and is used for the first time. */
static RESULT check_begun(struct native_call *e, struct return_args *a)
{
	int64_t until_us = 0;
	struct str secret = STR_NONE, wanted = STR_NONE;
	if (native_open_begun(e, "oidc", a->provider.row.id, &secret, &until_us))
		wanted = federated_derive(e->c->arena, secret, "state");
	if (!wanted.n || wanted.n != a->state.n || !crypto_equal(wanted.p, a->state.p, wanted.n) ||
	    !replay_cache_take(native_face_of(e)->spents, a->state, until_us))
		return native_fail_begun(e, "state",
					 "This sign-in was not begun in this browser, or is over.");
	a->nonce = federated_derive(e->c->arena, secret, "nonce");
	a->exchange.verifier = federated_derive(e->c->arena, secret, "verifier");
	return OK;
}

static RESULT prepare_return(struct native_call *e, void *args)
{
	struct return_args *a = args;
	TRY(native_check_begun_wire(e));
	TRY(find_provider(e, &a->provider));
	TRY(check_begun(e, a));
	if (a->issuer.n && !is_issuer(a->issuer, a->provider.url))
		return native_fail_begun(e, "token", "Another provider answers.");
	if (a->error.n || !a->code.n)
		return native_fail_begun(e, "refused", "The provider lets nobody in.");
	a->exchange.client = a->provider.sign_in_client;
	a->exchange.code = a->code;
	a->exchange.redirect = callback_url(e, a->provider.row.id);
	if (a->provider.sign_in_secret.n)
		TRY(key_open(e->c, e->config->master_key, a->provider.row.id, a->provider.sign_in_secret,
			     &a->exchange.secret));
	a->arrival.oidc_provider = a->provider.row.id;
	e->records_answer = true;
	ask_on_lane(e);
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

static RESULT read_token(struct native_call *e, struct return_args *a, struct str text)
{
	struct web_identity *w = arena_new_object(e->c->arena, struct web_identity);
	if (!w)
		return ctx_no_memory(e->c);
	e->why = "token";
	TRY(web_identity_read(e->c, text, w));
	TRY(web_identity_fit_client(e->c, w, &a->provider, a->provider.sign_in_client, a->nonce));
	struct result proved = issuers_prove(e->config->issuers, e->c, &a->provider, w);
	if (proved.code == ERR_IO)
		e->why = "provider";
	TRY(proved);
	return federated_take_oidc(e->c, &a->provider, w, &a->arrival);
}

/* Runs on the issuers' lane. */
static RESULT ask_provider(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct return_args *a = e->args;
	struct str token = STR_NONE;
	struct result exchanged =
		issuers_exchange(e->config->issuers, e->c, &a->provider, &a->exchange, &token);
	e->why = exchanged.code == ERR_DENIED ? "refused" : "provider";
	TRY(exchanged);
	TRY(read_token(e, a, token));
	e->why = "user";
	return OK;
}

static RESULT answer_return(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct return_args *a = args;
	(void) w;
	TRY(native_enter(e, a->arrival.user, 0, "oidc"));
	native_forget_begun(e, "oidc");
	return native_lead_to(e, STR("/console/"));
}

/* ---- actions ---- */

#define STRANGERS (API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED)
static const struct native_action actions[] = {
	{HTTP_GET, "/session/oidc", .name = "ListSignIns", .permit = "dari:ListSignIns", .flags = STRANGERS,
	 .args = PARAMS(struct list_args, list_params), .answer = answer_list,
	 .doc = "Lists the OpenID Connect providers by which people of a domain sign in."},
	{HTTP_GET, "/session/oidc/{id}", .name = "BeginSignIn", .permit = "dari:BeginSignIn",
	 .flags = STRANGERS | NATIVE_BROWSER, .args = {.size = sizeof(struct begin_args)},
	 .prepare = prepare_begin, .work = find_places, .answer = answer_begin, .status = 303,
	 .doc = "Redirects a browser to a provider for sign-in."},
	{HTTP_GET, "/session/oidc/{id}/callback", .name = "SignInByProvider",
	 .permit = "identity:authenticate", .flags = STRANGERS | NATIVE_BROWSER,
	 .args = PARAMS(struct return_args, return_params), .prepare = prepare_return, .work = ask_provider,
	 .operation = engine_arrive_by_oidc_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_return, .status = 303,
	 .doc = "Redirect URI of OpenID Connect: opens a session and redirects to the console."},
};
const struct api_actions native_oidc_actions = API_ACTIONS(actions);
