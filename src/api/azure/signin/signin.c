/* SPDX-License-Identifier: Apache-2.0
 * Tokens: for a program (service principal), which is a user with an access key or a certificate, and for a person. A program's
 * client id is the access key's id, or the user's UUID; its secret is the key's; its certificates are the user's credentials of
 * the type cert (Keystone's). Sources: RFC 6749, sections 4 and 6; RFC 7523; RFC 7636; RFC 8628; Microsoft identity platform,
 * "OAuth 2.0 client credentials", "… authorization code", "… device authorization grant", "resource owner password
 * credentials"; texts of AADSTS codes from "Microsoft Entra authentication and authorization error codes". */
#include "api/azure/signin/signin.h"

#include "auth/key/key.h"
#include "auth/key/key_owner.h"
#include "auth/key/last_used.h"
#include "auth/sign_in/password.h"
#include "auth/token/client_assertion.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/credential.h"
#include "store/user.h"

struct token_args {
	struct str grant, client, secret, assertion_type, assertion, username, password, scope, resource;
	struct str refresh, device, code, redirect, verifier, client_info;
	/* results: */
	const struct grant *how;
	struct az_person person; /* set if this call has a password */
	struct bearer bearer;
	struct str name; /* name of a person; empty: a program */
	struct str nonce;
	enum kind counted_kind; /* kind of the credential whose use is noted */
	uuid counted;
	struct str token, refresh_token, id_token; /* results */
};
#define P(wire, member, ...) PARAM(struct token_args, wire, member, __VA_ARGS__)
static const struct param params[] = {
	P("grant_type", grant,
	  .doc = "Grant type: client_credentials, password, refresh_token, authorization_code or "
		 "device_code."),
	P("client_id", client,
	  .doc = "Client id: an access key's id or a user's UUID; for a person, any program's."),
	P("client_secret", secret, .doc = "Secret of the access key."),
	P("client_assertion_type", assertion_type,
	  .doc = "Type of the assertion: urn:ietf:params:oauth:client-assertion-type:jwt-bearer."),
	P("client_assertion", assertion, .max = CLIENT_ASSERTION_MAX,
	  .doc = "Token signed with a certificate's key, instead of the secret."),
	P("username", username, .doc = "User name: NAME or NAME@DOMAIN."),
	P("password", password, .max = PASSWORD_SIZE_MAX, .doc = "Password of the user."),
	P("scope", scope, .max = 4096, .doc = "Scope of the token: https://HOST/.default."),
	P("resource", resource,
	  .doc = "Resource that the token is requested for, in version 1 of the protocol."),
	P("refresh_token", refresh, .max = 16384, .doc = "Refresh token of an earlier answer."),
	P("device_code", device, .doc = "Device code that devicecode issued."),
	P("code", code, .doc = "Authorization code; in version 1 also a device code."),
	P("redirect_uri", redirect, .doc = "Redirect URI of the authorization request."),
	P("code_verifier", verifier,
	  .doc = "PKCE verifier, whose digest the authorization request contained."),
	P("client_info", client_info, .doc = "1: the answer contains client_info, which MSAL reads."),
};
#undef P

struct grant {
	const char *name;
	RESULT (*prepare)(struct az_call *e, struct token_args *a);
};

static const struct api_error pending = {ERR_UNAUTHENTICATED, 0, 400, "authorization_pending"};
static const struct api_error bad_code = {ERR_UNAUTHENTICATED, 0, 400, "bad_verification_code"};
static const struct api_error over = {ERR_UNAUTHENTICATED, 0, 400, "expired_token"};

/* ---- programs by a secret ---- */

static RESULT refuse_secret(struct az_call *e, const struct token_args *a)
{
	ctx_clear_problem(e->c);
	return ctx_fail(e->c, ERR_UNAUTHENTICATED,
			"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the "
			"request is the client secret value, not the client secret ID, for a secret added to "
			"app '%" STR_FMT "'.",
			STR_ARG(str_slice(a->client, 0, 64)));
}

struct guess {
	struct str secret;
	bool is_right;
};

static RESULT compare(void *arg, struct str secret)
{
	struct guess *g = arg;
	g->is_right = g->secret.n == secret.n && crypto_equal(g->secret.p, secret.p, secret.n);
	return OK;
}

static RESULT try_key(struct az_call *e, const struct access_key *key, struct token_args *a)
{
	struct guess guess = {.secret = a->secret};
	if (!uuid_is_none(a->bearer.user) || !key->enabled)
		return OK;
	TRY(key_use_secret(e->c, e->config->master_key, key, compare, &guess));
	const struct account *account = guess.is_right ? account_find(az_tables(e), key->account) : NULL;
	bool is_there =
		account && (uuid_is_none(a->bearer.tenant) || uuid_equal(a->bearer.tenant, account->domain));
	if (!is_there)
		return OK;
	a->bearer.tenant = account->domain;
	a->bearer.user = key->user;
	a->bearer.key_id = str_copy(e->c->arena, key->key_id);
	a->counted_kind = KIND_ACCESS_KEY;
	a->counted = key->row.id;
	return OK;
}

static RESULT prepare_secret(struct az_call *e, struct token_args *a)
{
	const struct tables *t = az_tables(e);
	uuid user = UUID_NONE;
	TRY(signin_require(e, a->secret, "client_secret"));
	const struct access_key *key = access_key_find_by_key_id(t, a->client);
	if (key)
		TRY(try_key(e, key, a));
	if (result_is_ok(uuid_parse_asked(a->client, &user)))
		for (key = access_key_first_by_user(t, user); key; key = access_key_next_by_user(t, key))
			TRY(try_key(e, key, a));
	return uuid_is_none(a->bearer.user) ? refuse_secret(e, a) : OK;
}

/* ---- programs by a certificate ---- */

/* Checks the assertion before any certificate is read; NULL: no fault. */
static const char *judge(const struct az_call *e, const struct token_args *a,
			 const struct client_assertion *said)
{
	int64_t now_us = clock_now_us();
	struct str host = e->base_url;
	if (!str_equal_nocase(said->issuer, a->client) || !str_equal_nocase(said->subject, a->client))
		return "AADSTS700021: Client assertion application identifier doesn't match 'client_id' "
		       "parameter.";
	if (!str_starts_with(said->audience, host) || said->audience.n == host.n ||
	    said->audience.p[host.n] != '/')
		return "AADSTS700023: Client assertion audience claim does not match Realm issuer.";
	if (said->until_us <= now_us || said->from_us > now_us + 5 * MINUTE)
		return "AADSTS700024: Client assertion is not within its valid time range.";
	return NULL;
}

/* Finds the user's certificate that the assertion names. */
static RESULT find_certificate(struct az_call *e, uuid user, const struct client_assertion *said,
			       const struct credential **ret_found, struct str *ret_pem)
{
	const struct credential *c = credential_first_by_user(az_tables(e), user);
	*ret_found = NULL;
	for (; c; c = credential_next_by_user(az_tables(e), c)) {
		if (!str_is(c->type, "cert"))
			continue;
		TRY(key_open(e->c, e->config->master_key, c->row.id, c->secret, ret_pem));
		if (!client_assertion_names(said, *ret_pem))
			continue;
		*ret_found = c;
		break;
	}
	return OK;
}

/* An account's own user belongs to the tenant of the account. */
static uuid tenant_of(struct az_call *e, const struct user *user)
{
	const struct account *account = user ? account_find(az_tables(e), user->account) : NULL;
	return account ? account->domain : user ? user->domain : UUID_NONE;
}

static uuid find_program(struct az_call *e, struct str client)
{
	const struct access_key *key = access_key_find_by_key_id(az_tables(e), client);
	uuid user = UUID_NONE;
	if (key)
		return key->user;
	return result_is_ok(uuid_parse_asked(client, &user)) ? user : UUID_NONE;
}

static RESULT fail_assertion(struct az_call *e, const char *message)
{
	ctx_clear_problem(e->c);
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%s", message);
}

static RESULT prepare_certificate(struct az_call *e, struct token_args *a)
{
	struct client_assertion said;
	const struct credential *found = NULL;
	struct str pem = STR_NONE;
	if (!str_is(a->assertion_type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") ||
	    !result_is_ok(client_assertion_read(e->c, a->assertion, &said)))
		return fail_assertion(e, "AADSTS50027: JWT token is invalid or malformed.");
	const char *why = judge(e, a, &said);
	if (why)
		return fail_assertion(e, why);
	const struct user *user = user_find(az_tables(e), find_program(e, a->client));
	uuid tenant = tenant_of(e, user);
	if (user && (uuid_is_none(a->bearer.tenant) || uuid_equal(a->bearer.tenant, tenant)))
		TRY(find_certificate(e, user->row.id, &said, &found, &pem));
	if (!found)
		return fail_assertion(e, "AADSTS700027: The certificate with identifier used to sign the "
					 "client assertion is not registered on application. [Reason - The "
					 "key was not found.]");
	if (!client_assertion_proves(e->c, &said, pem))
		return fail_assertion(e,
				      "AADSTS700027: Client assertion failed signature validation. [Reason - "
				      "The key used is expired, or the signature is invalid.]");
	a->bearer.user = user->row.id;
	a->bearer.tenant = tenant;
	a->bearer.certificate = found->row.id;
	return OK;
}

static RESULT prepare_program(struct az_call *e, struct token_args *a)
{
	TRY(signin_require(e, a->client, "client_id"));
	return a->assertion.n ? prepare_certificate(e, a) : prepare_secret(e, a);
}

/* ---- persons ---- */

static void take_person(struct token_args *a, uuid user, uuid tenant, struct str name)
{
	a->bearer.user = user;
	a->bearer.tenant = tenant;
	a->name = name;
	a->counted_kind = KIND_USER;
	a->counted = user;
}

static RESULT prepare_password(struct az_call *e, struct token_args *a)
{
	a->person = (struct az_person){
		.username = a->username, .password = a->password, .tenant = a->bearer.tenant};
	TRY(signin_find_person(e, &a->person));
	take_person(a, a->person.user, a->person.tenant, a->username);
	return OK;
}

static RESULT prepare_refresh(struct az_call *e, struct token_args *a)
{
	struct bearer was = {0};
	uuid tenant = a->bearer.tenant;
	TRY(signin_require(e, a->refresh, "refresh_token"));
	struct result checked = bearer_check_refresh(e->config->bearers, e->c, a->refresh, &was);
	if (checked.code == ERR_EXPIRED)
		return signin_refuse_grant(e, &signin_wrong_grant,
					   "AADSTS700082: The refresh token has expired due to inactivity.");
	bool is_ours = result_is_ok(checked) && str_equal(was.client, a->client) &&
		       (uuid_is_none(tenant) || uuid_equal(tenant, was.tenant));
	if (!is_ours && (result_is_ok(checked) || checked.code == ERR_UNAUTHENTICATED))
		return signin_refuse_grant(e, &signin_wrong_grant,
					   "AADSTS70000: Provided grant is invalid or malformed.");
	TRY(checked);
	take_person(a, was.user, was.tenant, was.name);
	a->bearer.audit = was.audit; /* the new token stays revocable with the one that it came from */
	a->bearer.issued_us = was.issued_us;
	return OK;
}

/* ---- persons who signed in elsewhere ---- */

static void take_sign_in(struct token_args *a, const struct sign_in *s)
{
	take_person(a, s->user, s->tenant, s->name);
	a->bearer.issued_us = s->proved_us;
	a->scope = a->scope.n || a->resource.n ? a->scope : s->scope;
	a->nonce = s->nonce;
}

static RESULT prepare_device(struct az_call *e, struct token_args *a)
{
	struct sign_in s = {0};
	struct str code = a->device.n ? a->device : a->code;
	TRY(signin_require(e, a->client, "client_id"));
	TRY(signin_require(e, code, "device_code"));
	bool is_there =
		sign_ins_take(bearers_get_sign_ins(e->config->bearers), e->c, SIGN_IN_DEVICE, code, &s);
	if (!is_there || !str_equal(s.client, a->client))
		return signin_refuse_grant(e, &bad_code, "AADSTS70018: Bad verification code.");
	if (s.expires_us <= clock_now_us())
		return signin_refuse_grant(e, &over,
					   "AADSTS70019: Verification code expired. Have the user retry the "
					   "sign-in.");
	if (!s.proved_us)
		return signin_refuse_grant(e, &pending,
					   "AADSTS70016: OAuth 2.0 device flow error. Authorization is "
					   "pending. Continue polling.");
	take_sign_in(a, &s);
	return OK;
}

/* Checks PKCE: the verifier's digest equals the challenge. */
static bool is_verified(struct arena *a, struct str challenge, struct str verifier)
{
	uint8_t sum[SHA256_SIZE];
	crypto_sha256(verifier, sum);
	struct str is = str_encode_base64url(a, (struct str){(const char *) sum, sizeof sum});
	return is.n == challenge.n && crypto_equal(is.p, challenge.p, is.n);
}

static RESULT prepare_code(struct az_call *e, struct token_args *a)
{
	struct sign_in s = {0};
	TRY(signin_require(e, a->client, "client_id"));
	TRY(signin_require(e, a->code, "code"));
	TRY(signin_require(e, a->verifier, "code_verifier"));
	if (!sign_ins_take(bearers_get_sign_ins(e->config->bearers), e->c, SIGN_IN_BROWSER, a->code, &s) ||
	    s.expires_us <= clock_now_us())
		return signin_refuse_grant(
			e, &signin_wrong_grant,
			"AADSTS70008: The provided authorization code or refresh token has "
			"expired due to inactivity. Send a new interactive authorization "
			"request for this user and resource.");
	if (!str_equal(s.client, a->client) || !str_equal(s.redirect, a->redirect))
		return signin_refuse_grant(e, &signin_wrong_grant,
					   "AADSTS70000: Provided grant is invalid or malformed.");
	if (!is_verified(e->c->arena, s.challenge, a->verifier))
		return signin_refuse_grant(
			e, &signin_wrong_grant,
			"AADSTS501481: The Code_Verifier does not match the code_challenge "
			"supplied in the authorization request.");
	take_sign_in(a, &s);
	return OK;
}

/* ---- all of them ---- */

static const struct grant grants[] = {
	{"client_credentials", prepare_program},
	{"password", prepare_password},
	{"refresh_token", prepare_refresh},
	{"authorization_code", prepare_code},
	{"urn:ietf:params:oauth:grant-type:device_code", prepare_device},
	{"device_code", prepare_device}, /* the first version's word */
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct token_args *a = args;
	TRY(signin_require(e, a->grant, "grant_type"));
	TRY(signin_find_tenant(e, &a->bearer.tenant));
	for (size_t k = 0; k < sizeof grants / sizeof grants[0] && !a->how; k++)
		if (str_is(a->grant, grants[k].name))
			a->how = &grants[k];
	if (a->how)
		return a->how->prepare(e, a);
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("grant_type"),
			      "AADSTS70003: The app requested an unsupported grant type '%" STR_FMT "'.",
			      STR_ARG(str_slice(a->grant, 0, 64)));
}

static bool is_by_password(const struct token_args *a)
{
	return a->how->prepare == prepare_password;
}

/* "https://HOST//.default openid": the resource is the text before "/.default"; without a resource, this cloud's own. */
static struct str audience_of(const struct az_call *e, const struct token_args *a)
{
	struct str rest = a->scope, word;
	const struct str end = STR("/.default");
	while (str_split_next(&rest, ' ', &word)) {
		if (str_ends_with(word, end))
			return str_slice(word, 0, word.n - end.n);
		if (str_ends_with(word, STR("/user_impersonation")))
			return str_slice(word, 0, word.n - strlen("user_impersonation"));
	}
	return a->resource.n ? a->resource : str_print(e->c->arena, "%" STR_FMT "/", STR_ARG(e->base_url));
}

/* Sign-in v1 always issues a refresh token, v2 on request. */
static bool wants_refresh(const struct token_args *a)
{
	return a->name.n && (!a->scope.n || str_contains(a->scope, STR("offline_access")));
}

static RESULT issue_others(struct az_call *e, struct token_args *a, struct bearer_words *words)
{
	struct bearer other = a->bearer;
	words->client = a->client;
	words->use = BEARER_REFRESH;
	if (wants_refresh(a))
		TRY(bearer_issue(e->config->bearers, e->c, &other, words, &a->refresh_token));
	words->use = BEARER_ID;
	words->audience = a->client;
	words->nonce = a->nonce;
	return a->name.n ? bearer_issue(e->config->bearers, e->c, &other, words, &a->id_token) : OK;
}

/* Checks again after the hash whether the user may still sign in. */
static RESULT weigh_now(struct az_call *e, struct token_args *a)
{
	struct identity *who = NULL;
	struct bearer bearer = a->bearer;
	if (!bearer.issued_us)
		bearer.issued_us = clock_now_us();
	struct result found = bearer_weigh(e->config->bearers, e->c, &bearer, UUID_NONE, &who);
	if (found.code != ERR_UNAUTHENTICATED) {
		e->c->who = who; /* for the audit log */
		return found;
	}
	if (!a->name.n)
		return refuse_secret(e, a);
	return is_by_password(a) ? signin_refuse_person(e)
				 : signin_refuse_grant(e, &signin_wrong_grant,
						       "AADSTS50173: The provided grant has expired due to "
						       "it being revoked, a fresh "
						       "auth token is needed. The user might have changed or "
						       "reset their password.");
}

static RESULT issue(struct work_item *item)
{
	struct az_call *e = item->arg;
	struct token_args *a = e->args;
	char tenant[UUID_TEXT_SIZE];
	if (is_by_password(a))
		signin_try_password(e, &a->person);
	if (is_by_password(a) && !a->person.is_right)
		return signin_refuse_person(e);
	if (is_by_password(a)) /* the directory's person has become a user */
		take_person(a, a->person.user, a->person.tenant, a->username);
	TRY(weigh_now(e, a));
	struct bearer_words words = {
		.audience = audience_of(e, a),
		.issuer = str_print(e->c->arena, "%" STR_FMT "/%s/", STR_ARG(e->base_url),
				    uuid_write(a->bearer.tenant, tenant)),
		.name = a->name,
	};
	TRY(bearer_issue(e->config->bearers, e->c, &a->bearer, &words, &a->token));
	return issue_others(e, a, &words);
}

/* {"uid": …, "utid": …}: MSAL's key of the person in its cache. */
static struct str write_client_info(struct arena *a, const struct bearer *bearer)
{
	char user[UUID_TEXT_SIZE], tenant[UUID_TEXT_SIZE];
	struct str text = str_print(a, "{\"uid\":\"%s\",\"utid\":\"%s\"}", uuid_write(bearer->user, user),
				    uuid_write(bearer->tenant, tenant));
	return str_encode_base64url(a, text);
}

static void write_seconds(struct az_call *e, struct json_writer *w, const char *name, int64_t time_us)
{
	json_write_text(w, name, str_print(e->c->arena, "%lld", (long long) (time_us / SECOND)));
}

static RESULT show(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct token_args *a = args;
	int64_t left_s = (a->bearer.expires_us - clock_now_us()) / SECOND;
	if (is_by_password(a))
		TRY(signin_check_person(e, &a->person));
	if (!uuid_is_none(a->counted))
		last_used_note(e->config->uses, a->counted_kind, a->counted, STR("azure"), e->config->region);
	call_set_answer_header(e->call, "Cache-Control", STR("no-store, no-cache"));
	json_write_z(w, "token_type", "Bearer");
	json_write_int(w, "expires_in", left_s);
	json_write_int(w, "ext_expires_in", left_s);
	write_seconds(e, w, "expires_on", a->bearer.expires_us);
	write_seconds(e, w, "not_before", a->bearer.issued_us);
	json_write_text(w, "resource", audience_of(e, a));
	if (a->scope.n)
		json_write_text(w, "scope", a->scope);
	json_write_text(w, "access_token", a->token);
	if (a->refresh_token.n)
		json_write_text(w, "refresh_token", a->refresh_token);
	if (a->id_token.n) /* az reads tenant and name from it without checking the signature */
		json_write_text(w, "id_token", a->id_token);
	if (a->name.n && str_is(a->client_info, "1"))
		json_write_text(w, "client_info", write_client_info(e->c->arena, &a->bearer));
	return OK;
}

#define TOKEN(where)                                                                                         \
	{                                                                                                    \
		HTTP_POST, where "/token",                                                                   \
			.name = "token", .permit = "identity:authenticate",                                  \
			.flags = API_OPEN | AZ_SIGNIN | AZ_FORM,                                             \
			.args = PARAMS(struct token_args, params, .is_open = true), .prepare = prepare,      \
			.work = issue, .answer = show,                                                       \
			.doc = "Issues a token for a secret, a certificate, a password or a code."           \
	}
static const struct az_action actions[] = {
	TOKEN("/adfs/oauth2"),
	TOKEN("/adfs/oauth2/v2.0"),
	TOKEN("/{tenant}/oauth2"),
	TOKEN("/{tenant}/oauth2/v2.0"),
};
const struct api_actions az_signin_actions = API_ACTIONS(actions);
