/* SPDX-License-Identifier: Apache-2.0
 * Tokens: for a program (service principal), which is a user with an access key, and for a person with a password. A program's
 * client id is the access key's id, or the user's UUID; its secret is the key's. Sources: RFC 6749, sections 4.3 and 4.4;
 * Microsoft identity platform, "OAuth 2.0 client credentials" and "resource owner password credentials"; texts of AADSTS codes
 * from "Microsoft Entra authentication and authorization error codes". */
#include "api/azure/core/action.h"
#include "auth/key_owner.h"
#include "auth/limit.h"
#include "auth/password.h"
#include "auth/uses.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/user.h"

struct token_args {
	struct str grant, client, secret, username, password, scope, resource;
	/* found: */
	struct bearer bearer;
	struct str hash, name; /* of a person */
	uuid counted;
	bool is_right;
	struct str token;
};
#define P(wire, member, ...) PARAM(struct token_args, wire, member, __VA_ARGS__)
static const struct param params[] = {
	P("grant_type", grant, .doc = "client_credentials or password."),
	P("client_id", client, .doc = "The program: an access key's id, or a user's UUID."),
	P("client_secret", secret, .doc = "The access key's secret."),
	P("username", username, .doc = "The person: NAME, or NAME@DOMAIN."),
	P("password", password, .max = PASSWORD_SIZE_MAX, .doc = "The person's password."),
	P("scope", scope, .max = 4096, .doc = "What the token is for: https://HOST/.default."),
	P("resource", resource, .doc = "The same in the first version."),
};

static const struct api_error wrong_person = {ERR_UNAUTHENTICATED, 0, 400, "invalid_grant"};

static RESULT refuse(struct az_call *e, const struct token_args *a)
{
	ctx_clear_problem(e->c);
	if (str_is(a->grant, "password")) {
		e->error = &wrong_person;
		return ctx_fail(
			e->c, ERR_UNAUTHENTICATED,
			"AADSTS50126: Error validating credentials due to invalid username or password.");
	}
	return ctx_fail(e->c, ERR_UNAUTHENTICATED,
			"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the "
			"request is the "
			"client secret value, not the client secret ID, for a secret added to app '%" STR_FMT
			"'.",
			STR_ARG(str_slice(a->client, 0, 64)));
}

static RESULT require(struct az_call *e, struct str value, const char *name)
{
	return value.n ? OK
		       : ctx_fail_field(
				 e->c, ERR_MISSING, str_from(name),
				 "AADSTS900144: The request body must contain the following parameter: '%s'.",
				 name);
}

/* The path's tenant; none: any. */
static RESULT find_tenant(struct az_call *e, uuid *ret_tenant)
{
	struct str text = az_path_value(e, "tenant");
	uuid id = UUID_NONE;
	*ret_tenant = UUID_NONE;
	if (!result_is_ok(uuid_parse(text, &id)))
		return OK;
	const struct domain *domain = domain_find(az_tables(e), id);
	if (!domain || !domain->enabled || !row_is_live(&domain->row))
		return ctx_fail(e->c, ERR_INVALID,
				"AADSTS90002: Tenant '%" STR_FMT
				"' not found. Check to make sure you have the correct "
				"tenant ID and are signing into the correct cloud.",
				STR_ARG(text));
	*ret_tenant = id;
	return OK;
}

/* ---- programs ---- */

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
	if (a->is_right || !key->enabled)
		return OK;
	TRY(key_use_secret(e->c, e->config->master_key, key, compare, &guess));
	const struct account *account = guess.is_right ? account_find(az_tables(e), key->account) : NULL;
	if (!account)
		return OK;
	a->is_right = true;
	a->bearer.user = key->user;
	a->bearer.key_id = str_copy(e->c->arena, key->key_id);
	a->counted = key->row.id;
	if (uuid_is_none(a->bearer.tenant))
		a->bearer.tenant = account->domain;
	a->is_right = uuid_equal(a->bearer.tenant, account->domain);
	return OK;
}

static RESULT prepare_program(struct az_call *e, struct token_args *a)
{
	const struct tables *t = az_tables(e);
	uuid user = UUID_NONE;
	TRY(require(e, a->client, "client_id"));
	TRY(require(e, a->secret, "client_secret"));
	const struct access_key *key = access_key_find_by_key_id(t, a->client);
	if (key)
		TRY(try_key(e, key, a));
	if (result_is_ok(uuid_parse(a->client, &user)))
		for (key = access_key_first_by_user(t, user); key; key = access_key_next_by_user(t, key))
			TRY(try_key(e, key, a));
	return a->is_right ? OK : refuse(e, a);
}

/* ---- persons ---- */

/* "carol", "carol@acme" */
static const struct user *find_person(struct az_call *e, const struct token_args *a)
{
	const struct tables *t = az_tables(e);
	size_t at = a->username.n;
	while (at && a->username.p[at - 1] != '@')
		at--;
	struct str name = at ? str_slice(a->username, 0, at - 1) : a->username;
	struct str place = at ? str_slice(a->username, at, a->username.n) : STR_NONE;
	uuid where = uuid_is_none(a->bearer.tenant) ? DOMAIN_DEFAULT : a->bearer.tenant;
	const struct domain *domain = place.n ? domain_find_by_name(t, place) : domain_find(t, where);
	if (!domain || (!uuid_is_none(a->bearer.tenant) && !uuid_equal(domain->row.id, a->bearer.tenant)))
		return NULL;
	return user_find_by_owner(t, UUID_NONE, domain->row.id, name);
}

static RESULT prepare_person(struct az_call *e, struct token_args *a)
{
	TRY(require(e, a->username, "username"));
	TRY(require(e, a->password, "password"));
	if (!limits_take_stranger(e->config->limits, e->call->peer)) /* before a guess costs us a hash */
		return ctx_fail(e->c, ERR_THROTTLED, "%s", e->errors->throttled);
	const struct user *user = find_person(e, a);
	bool is_open = engine_is_user_open(az_tables(e), user);
	a->counted = is_open ? user->row.id : UUID_NONE;
	a->hash = is_open ? str_copy(e->c->arena, user->password_hash) : STR_NONE;
	a->name = is_open ? str_copy(e->c->arena, a->username) : STR_NONE;
	a->bearer.user = a->counted;
	if (is_open)
		a->bearer.tenant = user->domain;
	e->asker = guesser_address(e->call->peer);
	return OK;
}

/* ---- both ---- */

static RESULT prepare(struct az_call *e, void *args)
{
	struct token_args *a = args;
	TRY(require(e, a->grant, "grant_type"));
	TRY(find_tenant(e, &a->bearer.tenant));
	if (str_is(a->grant, "client_credentials"))
		return prepare_program(e, a);
	if (str_is(a->grant, "password"))
		return prepare_person(e, a);
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("grant_type"),
			      "AADSTS70003: The app requested an unsupported grant type '%" STR_FMT "'.",
			      STR_ARG(str_slice(a->grant, 0, 64)));
}

/* "https://HOST//.default openid": the resource is what stands before "/.default". */
static struct str audience_of(const struct token_args *a)
{
	struct str rest = a->scope, word;
	const struct str end = STR("/.default");
	while (str_split_next(&rest, ' ', &word))
		if (str_ends_with(word, end))
			return str_slice(word, 0, word.n - end.n);
	return a->resource;
}

static RESULT issue(struct work_item *item)
{
	struct az_call *e = item->arg;
	struct token_args *a = e->args;
	const struct guesser who = {a->counted, e->call->peer};
	if (str_is(a->grant, "password"))
		a->is_right = password_check(e->config->passwords, e->c, &who, a->hash, a->password) ==
			      PASSWORD_RIGHT;
	if (!a->is_right)
		return OK;
	char tenant[UUID_TEXT_SIZE];
	const struct bearer_words words = {
		.audience = audience_of(a),
		.issuer = str_print(e->c->arena, "%" STR_FMT "/%s/", STR_ARG(e->base_url),
				    uuid_write(a->bearer.tenant, tenant)),
		.name = a->name,
	};
	return bearer_issue(e->config->bearers, e->c, &a->bearer, &words, &a->token);
}

/* Whoever guessed right must still be let in, by what is true by now. */
static RESULT check_now(struct az_call *e, const struct token_args *a)
{
	struct identity *who = NULL;
	const struct user *user = user_find(az_tables(e), a->bearer.user);
	bool is_same = str_is_empty(a->name) || (user && str_equal(user->password_hash, a->hash));
	view_close(&e->view); /* another one follows */
	e->view = (struct view){0};
	struct result found = is_same ? bearer_weigh(e->config->bearers, e->c, &a->bearer, UUID_NONE, &who)
				      : FAIL(UNAUTHENTICATED);
	if (found.code == ERR_UNAUTHENTICATED)
		return refuse(e, a);
	e->c->who = who; /* for the audit log */
	return found;
}

static RESULT show(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct token_args *a = args;
	int64_t left_s = (a->bearer.expires_us - clock_now_us()) / SECOND;
	if (!a->is_right)
		return refuse(e, a);
	TRY(check_now(e, a));
	uses_note(e->config->uses, a->name.n ? KIND_USER : KIND_ACCESS_KEY, a->counted, STR("azure"),
		  e->config->region);
	call_set_answer_header(e->call, "Cache-Control", STR("no-store, no-cache"));
	json_write_z(w, "token_type", "Bearer");
	json_write_int(w, "expires_in", left_s);
	json_write_int(w, "ext_expires_in", left_s);
	json_write_text(w, "expires_on",
			str_print(e->c->arena, "%lld", (long long) (a->bearer.expires_us / SECOND)));
	json_write_text(w, "not_before",
			str_print(e->c->arena, "%lld", (long long) (a->bearer.issued_us / SECOND)));
	json_write_text(w, "resource", audience_of(a));
	if (a->scope.n)
		json_write_text(w, "scope", a->scope);
	json_write_text(w, "access_token", a->token);
	if (a->name.n) /* az reads the tenant and the name from it, and does not check who signed it */
		json_write_text(w, "id_token", a->token);
	return OK;
}

#define TOKEN(where)                                                                                         \
	{                                                                                                    \
		HTTP_POST, where "/token", .name = "token", .permit = "identity:authenticate",               \
					   .flags = API_OPEN | AZ_SIGNIN | AZ_FORM,                          \
					   .args = PARAMS(struct token_args, params, .is_open = true),       \
					   .prepare = prepare, .work = issue, .answer = show,                \
					   .doc = "A token for a secret or a password."                      \
	}
static const struct az_action actions[] = {
	TOKEN("/adfs/oauth2"),
	TOKEN("/adfs/oauth2/v2.0"),
	TOKEN("/{tenant}/oauth2"),
	TOKEN("/{tenant}/oauth2/v2.0"),
};
const struct api_actions az_signin_actions = API_ACTIONS(actions);
