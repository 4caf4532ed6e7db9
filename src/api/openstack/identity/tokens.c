/* SPDX-License-Identifier: Apache-2.0
 * Tokens. A caller who proves an identity gets a token for a project, a domain, the system, or without
 * scope. All failed proofs get the same message, which reveals nothing about the cause. */
#include <jansson.h>

#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "auth/key/last_used.h"
#include "auth/limit.h"
#include "auth/sign_in/login.h"
#include "engine/people/credential/password_policy.h"
#include "engine/people/credential/token_revocation.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/domain.h"
#include "store/role.h"
#include "store/trust.h"
#include "store/user.h"

enum { SECRET_MAX = PASSWORD_SIZE_MAX };

/* ---- the proof, as it is sent ---- */

struct domain_words {
	struct str id, name;
};
static const struct param domain_rows[] = {
	OS_BODY(struct domain_words, "id", id, .doc = "Domain by id."),
	OS_BODY(struct domain_words, "name", name, .doc = "Domain by name, instead of its id."),
};
static const struct params domain_table = OS_PARAMS(struct domain_words, domain_rows);

struct user_words {
	struct str id, name, password;
	struct domain_words domain;
};
static const struct param user_rows[] = {
	OS_BODY(struct user_words, "id", id, .doc = "User by id."),
	OS_BODY(struct user_words, "name", name, .doc = "User by name; requires the domain."),
	OS_BODY(struct user_words, "password", password, .max = SECRET_MAX, .doc = "Password."),
	OS_BODY_OBJECT(struct user_words, "domain", domain, domain_table, .doc = "Domain of the user name."),
};
static const struct params user_table = OS_PARAMS(struct user_words, user_rows);

struct credential_words {
	struct str id, name, secret;
	struct user_words user;
};
static const struct param credential_rows[] = {
	OS_BODY(struct credential_words, "id", id, .doc = "Application credential by id."),
	OS_BODY(struct credential_words, "name", name,
		.doc = "Application credential by name; requires the user."),
	OS_BODY(struct credential_words, "secret", secret, .max = SECRET_MAX,
		.doc = "Secret of the application credential."),
	OS_BODY_OBJECT(struct credential_words, "user", user, user_table,
		       .doc = "User who owns the named application credential."),
};
static const struct params credential_table = OS_PARAMS(struct credential_words, credential_rows);

struct password_words {
	struct user_words user;
};
static const struct param password_rows[] = {
	OS_BODY_OBJECT(struct password_words, "user", user, user_table, .flags = REQUIRED,
		       .doc = "The user."),
};
static const struct params password_table = OS_PARAMS(struct password_words, password_rows);

struct token_words {
	struct str id;
};
static const struct param token_rows[] = {
	OS_BODY(struct token_words, "id", id, .flags = REQUIRED, .doc = "A valid token."),
};
static const struct params token_table = OS_PARAMS(struct token_words, token_rows);

struct proof {
	struct strs methods;
	struct password_words password;
	struct token_words token;
	struct credential_words credential;
};
static const struct param proof_rows[] = {
	OS_BODY(struct proof, "methods", methods, .flags = REQUIRED,
		.doc = "Authentication method: password, token or application_credential."),
	OS_BODY_OBJECT(struct proof, "password", password, password_table,
		       .doc = "Authentication by password."),
	OS_BODY_OBJECT(struct proof, "token", token, token_table,
		       .doc = "Authentication by a token, for another scope."),
	OS_BODY_OBJECT(struct proof, "application_credential", credential, credential_table,
		       .doc = "Authentication by an application credential."),
};
static const struct params proof_table = OS_PARAMS(struct proof, proof_rows, .is_open = true);

/* Secret to verify by a hash, which runs as the call's work. */
struct guess {
	bool is_login;      /* a user's password, else an application credential's secret */
	struct login login; /* of the user */
	uuid counted; /* credential whose failed attempts are counted; none if it is unknown, and then there is no hash */
	struct str hash, plain;
	bool is_right;
};

struct token_args {
	struct trust_use use;
	struct proof proof;
	struct str scope; /* JSON; p NULL: absent */
	struct guess guess;
};
static const struct param login_params[] = {
	OS_BODY_OBJECT(struct token_args, "identity", proof, proof_table, .flags = REQUIRED,
		       .doc = "Proof of the identity."),
	OS_BODY_JSON(struct token_args, "scope", scope,
		     .doc = "{\"project\": …}, {\"domain\": …}, {\"system\": {\"all\": true}}, "
			    "{\"OS-TRUST:trust\": …} or "
			    "\"unscoped\"; absent: the user's default project."),
};

/* ---- the scope, as it is sent ---- */

struct project_words {
	struct str id, name;
	struct domain_words domain;
};
static const struct param project_rows[] = {
	OS_BODY(struct project_words, "id", id),
	OS_BODY(struct project_words, "name", name),
	OS_BODY_OBJECT(struct project_words, "domain", domain, domain_table),
};
static const struct params project_table = OS_PARAMS(struct project_words, project_rows);

struct system_words {
	bool all;
};
static const struct param system_rows[] = {OS_BODY(struct system_words, "all", all)};
static const struct params system_table = OS_PARAMS(struct system_words, system_rows);

struct trust_words {
	struct str id;
};
static const struct param trust_rows[] = {OS_BODY(struct trust_words, "id", id, .flags = REQUIRED)};
static const struct params trust_table = OS_PARAMS(struct trust_words, trust_rows);

struct scope_words {
	struct project_words project;
	struct domain_words domain;
	struct system_words system;
	struct trust_words trust;
	struct str unscoped;
	bool has_project, has_domain, has_trust, has_unscoped;
};
#define GIVEN(member) .given = offsetof(struct scope_words, member) + 1
static const struct param scope_rows[] = {
	OS_BODY_OBJECT(struct scope_words, "project", project, project_table, GIVEN(has_project)),
	OS_BODY_OBJECT(struct scope_words, "domain", domain, domain_table, GIVEN(has_domain)),
	OS_BODY_OBJECT(struct scope_words, "system", system, system_table),
	OS_BODY_JSON(struct scope_words, "unscoped", unscoped, GIVEN(has_unscoped)),
	OS_BODY_OBJECT(struct scope_words, "OS-TRUST:trust", trust, trust_table, GIVEN(has_trust)),
};
static const struct params scope_table = OS_PARAMS(struct scope_words, scope_rows);

static RESULT read_scope(struct os_call *e, struct str text, struct scope_words *ret_scope)
{
	static const struct param whole = {.type = PARAM_STRUCT, .sub = &scope_table};
	json_t *value = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	struct scope_words scope = {0};
	struct result r = OK;
	if (json_is_string(value) && strcmp(json_string_value(value), "unscoped") == 0)
		scope.has_unscoped = true;
	else
		r = value ? os_param_read_json(e->c, &whole, value, STR("scope"), &scope)
			  : ctx_no_memory(e->c);
	json_decref(value);
	*ret_scope = scope;
	return r;
}

/* Parses the scope; zeroed if absent. */
static RESULT read_said_scope(struct os_call *e, const struct token_args *a, struct scope_words *ret_scope)
{
	*ret_scope = (struct scope_words){0};
	return !a->scope.p || str_is(a->scope, "null") ? OK : read_scope(e, a->scope, ret_scope);
}

/* ---- finding who and where ---- */

static RESULT refuse(struct os_call *e)
{
	ctx_clear_problem(e->c);
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The request you have made requires authentication.");
}

static const struct domain *find_domain(const struct tables *t, const struct domain_words *words)
{
	struct ref ref;
	if (words->id.n)
		return os_parse_id(words->id, KIND_DOMAIN, &ref) ? domain_find(t, ref.prefix) : NULL;
	return domain_find_by_name(t, words->name);
}

static const struct user *find_user(const struct tables *t, const struct user_words *words)
{
	struct ref ref;
	if (words->id.n)
		return os_parse_id(words->id, KIND_USER, &ref) ? user_find(t, ref.prefix) : NULL;
	const struct domain *domain = find_domain(t, &words->domain);
	return domain ? user_find_by_owner(t, UUID_NONE, domain->row.id, words->name) : NULL;
}

static const struct account *find_account(const struct tables *t, const struct project_words *words)
{
	struct ref ref;
	if (words->id.n)
		return os_parse_id(words->id, KIND_ACCOUNT, &ref) ? account_find(t, ref.prefix) : NULL;
	const struct domain *domain = find_domain(t, &words->domain);
	return domain ? account_find_by_domain(t, domain->row.id, words->name) : NULL;
}

/* Finds a trust that has neither expired nor been used up. */
static const struct trust *find_trust(const struct tables *t, const struct trust_words *words)
{
	struct ref ref;
	return os_parse_id(words->id, KIND_TRUST, &ref) ? engine_find_trust(t, ref.prefix, clock_now_us())
							: NULL;
}

/* ---- the audit log ---- */

/* Records the claimed identity, which is not proved yet. */
static void note_asked(struct os_call *e, const struct proof *proof)
{
	const struct user_words *user = &proof->password.user;
	const struct credential_words *credential = &proof->credential;
	audit_add_subject(e->audit, "method", proof->methods.count ? proof->methods.at[0] : STR_NONE);
	audit_add_subject(e->audit, "user_id", user->id);
	audit_add_subject(e->audit, "user_name", user->name);
	audit_add_subject(e->audit, "domain", user->domain.id.n ? user->domain.id : user->domain.name);
	audit_add_subject(e->audit, "application_credential_id", credential->id);
	audit_add_subject(e->audit, "application_credential", credential->name);
}

/* Names the row that the caller wants to be: guesses at one that exists have records of their own. */
static void note_found(struct os_call *e, enum kind kind, const struct row *row)
{
	struct str *texts = e->audit && row ? e->audit->record.texts : NULL;
	if (!texts)
		return;
	texts[AUDIT_KIND] = str_from(model_kinds[kind].name);
	texts[AUDIT_ID] = str_encode_hex(e->c->arena, row->id.b, sizeof row->id.b);
}

/* Records the proved identity and the token's scope. */
static void note_issued(struct os_call *e, const struct token *token, const struct identity *who)
{
	static const char *const scopes[] = {[IDENTITY_UNSCOPED] = "unscoped",
					     [IDENTITY_ACCOUNT] = "project:",
					     [IDENTITY_DOMAIN] = "domain:",
					     [IDENTITY_SYSTEM] = "system"};
	struct arena *a = e->c->arena;
	if (!e->audit)
		return;
	struct str *texts = e->audit->record.texts;
	struct str where = uuid_is_none(token->where)
				   ? STR_NONE
				   : str_encode_hex(a, token->where.b, sizeof token->where.b);
	texts[AUDIT_ACCOUNT] = who->account_number;
	texts[AUDIT_USER] = str_encode_hex(a, token->user.b, sizeof token->user.b);
	texts[AUDIT_USER_NAME] = who->user_name;
	texts[AUDIT_CREDENTIAL] = audit_write_credential(a, who);
	texts[AUDIT_AS] = str_print(a, "%s%" STR_FMT, scopes[token->scope], STR_ARG(where));
	texts[AUDIT_KIND] = STR("token");
	texts[AUDIT_ID] = os_write_audit_id(a, token->audit);
}

/* ---- proving ---- */

/* The hash queue counts waiting places by client address, not by user: a stranger cannot occupy the places
 * of the user named, and a full queue reveals nothing about the user. */
static RESULT prepare_guess(struct os_call *e, struct guess *guess, uuid counted, struct str hash,
			    struct str plain)
{
	*guess = (struct guess){.counted = counted, .hash = str_copy(e->c->arena, hash), .plain = plain};
	e->asker = login_attempt_address(e->call->peer);
	return hash.n && !guess->hash.p ? ctx_no_memory(e->c) : OK;
}

static RESULT prepare_password(struct os_call *e, const struct user_words *words, struct guess *guess)
{
	const struct tables *t = os_tables(e);
	const struct user *user = find_user(t, words);
	const struct domain *domain = words->id.n ? NULL : find_domain(t, &words->domain);
	uuid place = user ? user->domain : domain ? domain->row.id : UUID_NONE;
	note_found(e, KIND_USER, user ? &user->row : NULL);
	TRY(prepare_guess(e, guess, UUID_NONE, STR_NONE, words->password));
	guess->is_login = true;
	TRY(login_find(e->config->passwords, e->c, t, place, words->name, user, &guess->login));
	return guess->login.is_off ? ctx_fail(e->c, ERR_UNAUTHENTICATED,
					      "Attempted to authenticate with an unsupported method.")
				   : OK;
}

static const struct application_credential *find_credential(struct os_call *e,
							    const struct credential_words *words)
{
	const struct tables *t = os_tables(e);
	struct ref ref;
	if (words->id.n)
		return os_parse_id(words->id, KIND_APPLICATION_CREDENTIAL, &ref)
			       ? application_credential_find(t, ref.prefix)
			       : NULL;
	const struct user *user = find_user(t, &words->user);
	return user ? application_credential_find_by_user(t, user->row.id, words->name) : NULL;
}

static RESULT prepare_credential(struct os_call *e, const struct credential_words *words, struct guess *guess)
{
	const struct application_credential *found = find_credential(e, words);
	note_found(e, KIND_APPLICATION_CREDENTIAL, found ? &found->row : NULL);
	return prepare_guess(e, guess, found ? found->row.id : UUID_NONE,
			     found ? found->secret_hash : STR_NONE, words->secret);
}

/* A token of a trust with counted uses consumes one use in a change. The change runs once the identity is
 * proved; the answer determines again whether a token is issued, and why not. */
static RESULT prepare_use(struct os_call *e, struct token_args *a)
{
	struct scope_words scope;
	TRY(read_said_scope(e, a, &scope));
	const struct trust *trust = scope.has_trust ? find_trust(os_tables(e), &scope.trust) : NULL;
	e->skips_operation = !trust || !trust->is_counted;
	e->records_answer = true;
	if (trust)
		a->use.trust = trust->row.id;
	return OK;
}

/* Marks a token in a body or in X-Subject-Token, which does not authenticate the call. */
static const struct token_use looked_at = {.is_no_call = true};

/* Also handles a token of a trust, which cannot create further tokens; the answer reports that. */
static RESULT prepare_token(struct os_call *e, struct token_args *a)
{
	struct token from;
	struct identity *who = NULL;
	e->skips_work = true;
	TRY(prepare_use(e, a));
	if (e->skips_operation)
		return OK;
	view_close(&e->view); /* token_check() opens a view of its own */
	e->view = (struct view){0};
	if (result_is_ok(token_check(e->config->tokens, e->c, a->proof.token.id, &looked_at, &from, &who)) &&
	    uuid_is_none(from.application_credential) && uuid_is_none(from.trust))
		a->use.user = from.user;
	ctx_clear_problem(e->c);
	return OK;
}

/* Finds the secret to verify; everything else is proved after the hash. */
static RESULT prepare_login(struct os_call *e, void *args)
{
	struct token_args *a = args;
	const struct proof *proof = &a->proof;
	e->skips_operation = true;
	struct str method = proof->methods.count == 1 ? proof->methods.at[0] : STR_NONE;
	note_asked(e, proof);
	if (!limits_take_stranger(e->config->limits, e->call->peer)) /* before the attempt costs a hash */
		return ctx_fail(e->c, ERR_THROTTLED, "This request was rate-limited.");
	if (str_is(method, "token"))
		return prepare_token(e, a);
	if (str_is(method, "password")) {
		TRY(prepare_use(e, a));
		return prepare_password(e, &proof->password.user, &a->guess);
	}
	if (str_is(method, "application_credential"))
		return prepare_credential(e, &proof->credential, &a->guess);
	e->skips_work = true;
	return OK;
}

static RESULT check_guess(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct token_args *a = e->args;
	struct guess *guess = &a->guess;
	const struct login_attempt who = {guess->counted, e->call->peer};
	guess->is_right =
		guess->is_login
			? login_check(e->config->passwords, e->c, &guess->login, e->call->peer, guess->plain)
			: password_check(e->config->passwords, e->c, &who, guess->hash, guess->plain) ==
				  PASSWORD_RIGHT;
	if (guess->is_right)
		a->use.user = guess->is_login ? guess->login.user : guess->counted;
	return OK;
}

static RESULT prove_password(struct os_call *e, const struct guess *guess, struct token *token)
{
	const struct user *user = guess->is_right ? login_find_proved(os_tables(e), &guess->login) : NULL;
	if (!user)
		return refuse(e);
	if (engine_weigh_password(os_tables(e), user, clock_now_us()) != PASSWORD_LETS_IN)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"The password is expired and needs to be changed for user: %" STR_FMT ".",
				STR_ARG(str_encode_hex(e->c->arena, user->row.id.b, sizeof user->row.id.b)));
	last_used_note(e->config->uses, KIND_USER, user->row.id, STR("identity"), e->config->region);
	token->user = user->row.id;
	token->methods = TOKEN_BY_PASSWORD;
	return OK;
}

/* Changes the scope of a valid token; the new token expires with the old one. A token of an application
 * credential cannot be rescoped. */
static RESULT prove_token(struct os_call *e, struct str text, struct token *token)
{
	struct token from;
	struct identity *who = NULL;
	if (!result_is_ok(token_check(e->config->tokens, e->c, text, &looked_at, &from, &who)) ||
	    !uuid_is_none(from.application_credential))
		return refuse(e);
	if (!uuid_is_none(from.trust))
		return ctx_fail(e->c, ERR_DENIED,
				"You are not authorized to perform the requested action: Using trust-scoped "
				"token to create another token. Create a new trust-scoped token instead.");
	token->user = from.user;
	token->methods = from.methods | TOKEN_BY_TOKEN;
	token->expires_us = from.expires_us;
	token->parent = uuid_is_none(from.parent) ? from.audit : from.parent;
	return OK;
}

static RESULT prove_credential(struct os_call *e, const struct guess *guess, struct token *token)
{
	const struct application_credential *found =
		guess->is_right ? application_credential_find(os_tables(e), guess->counted) : NULL;
	if (!found)
		return refuse(e);
	token->user = found->user;
	token->scope = IDENTITY_ACCOUNT;
	token->where = found->account;
	token->application_credential = found->row.id;
	token->methods = TOKEN_BY_APPLICATION_CREDENTIAL;
	return OK;
}

static RESULT prove(struct os_call *e, const struct token_args *login, struct token *token)
{
	const struct proof *proof = &login->proof;
	if (proof->methods.count != 1)
		return refuse(e);
	struct str method = proof->methods.at[0];
	struct result r = str_is(method, "password") ? prove_password(e, &login->guess, token)
			  : str_is(method, "token")  ? prove_token(e, proof->token.id, token)
			  : str_is(method, "application_credential")
				  ? prove_credential(e, &login->guess, token)
				  : refuse(e);
	view_close(&e->view); /* the following steps need a view of the current state */
	e->view = (struct view){0};
	return r;
}

/* ---- where to ---- */

/* Takes project and roles from the trust. A trust whose last use this token consumed is found by id. */
static RESULT choose_trust(struct os_call *e, const struct token_args *a, const struct trust_words *words,
			   struct token *token)
{
	const struct tables *t = os_tables(e);
	const struct trust *trust = a->use.is_used ? trust_find(t, a->use.trust) : find_trust(t, words);
	struct roles roles;
	if (!trust || (trust->is_counted && !a->use.is_used && uuid_equal(trust->trustee, token->user) &&
		       !engine_weigh_trust(t, trust, &roles)))
		return refuse(e);
	const char *why = uuid_equal(trust->trustee, token->user) ? engine_weigh_trust(t, trust, &roles)
								  : "User is not a trustee.";
	if (why)
		return ctx_fail(e->c, ERR_DENIED, "%s", why);
	token->scope = IDENTITY_ACCOUNT;
	token->where = trust->account;
	token->trust = trust->row.id;
	if (trust->expires_us && (!token->expires_us || trust->expires_us < token->expires_us))
		token->expires_us = trust->expires_us;
	return OK;
}

static RESULT choose_scope(struct os_call *e, const struct token_args *a, const struct scope_words *scope,
			   struct token *token)
{
	const struct tables *t = os_tables(e);
	const struct account *account = scope->has_project ? find_account(t, &scope->project) : NULL;
	const struct domain *domain = scope->has_domain ? find_domain(t, &scope->domain) : NULL;
	int count = scope->has_project + scope->has_domain + scope->system.all + scope->has_trust +
		    scope->has_unscoped;
	if (count != 1)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("scope"),
			"The scope is one of project, domain, system, OS-TRUST:trust and unscoped.");
	if (scope->has_trust)
		return choose_trust(e, a, &scope->trust, token);
	if ((scope->has_project && !account) || (scope->has_domain && !domain))
		return refuse(e);
	token->scope = account             ? IDENTITY_ACCOUNT
		       : domain            ? IDENTITY_DOMAIN
		       : scope->system.all ? IDENTITY_SYSTEM
					   : IDENTITY_UNSCOPED;
	token->where = account ? account->row.id : domain ? domain->row.id : UUID_NONE;
	return OK;
}

/* Chooses the user's default project if the user still has a role there; otherwise the token has no scope. */
static void choose_default(struct os_call *e, struct token *token)
{
	const struct tables *t = os_tables(e);
	const struct user *user = user_find(t, token->user);
	const struct account *account = user ? account_find(t, user->default_account) : NULL;
	struct roles roles;
	if (!engine_is_account_open(t, account))
		return;
	engine_find_roles(t, token->user, IDENTITY_ACCOUNT, account->row.id, &roles);
	if (roles.count == 0)
		return;
	token->scope = IDENTITY_ACCOUNT;
	token->where = account->row.id;
}

static RESULT set_scope(struct os_call *e, const struct token_args *a, struct token *token)
{
	struct scope_words scope;
	TRY(read_said_scope(e, a, &scope));
	if (!a->scope.p || str_is(a->scope, "null")) {
		if (token->scope == IDENTITY_UNSCOPED)
			choose_default(e, token);
	} else {
		if (token->scope != IDENTITY_UNSCOPED) /* an application credential fixes the scope */
			return refuse(e);
		TRY(choose_scope(e, a, &scope, token));
	}
	view_close(&e->view);
	e->view = (struct view){0};
	return OK;
}

/* ---- tokens in answers ---- */

static void write_methods(struct json_writer *w, unsigned methods)
{
	json_write_open_list(w, "methods");
	if (methods & TOKEN_BY_PASSWORD)
		json_write_z(w, NULL, "password");
	if (methods & TOKEN_BY_TOKEN)
		json_write_z(w, NULL, "token");
	if (methods & TOKEN_BY_APPLICATION_CREDENTIAL)
		json_write_z(w, NULL, "application_credential");
	if (methods & TOKEN_BY_OIDC)
		json_write_z(w, NULL, "openid");
	if (methods & TOKEN_BY_SAML)
		json_write_z(w, NULL, "saml2");
	json_write_close_list(w);
}

/* The effective user: the trustor if the trust impersonates. */
static void write_user(struct os_call *e, struct json_writer *w, const struct identity *who)
{
	const struct user *user = user_find(os_tables(e), who->user);
	json_write_open(w, "user");
	os_write_hex(w, "id", who->user);
	json_write_text(w, "name", user ? user->name : STR_NONE);
	if (user)
		os_write_domain(e, w, os_user_domain(os_tables(e), user));
	os_write_password_expiry(w, user ? engine_password_expiry(os_tables(e), user) : 0);
	json_write_close(w);
}

static void write_where(struct os_call *e, struct json_writer *w, const struct token *token)
{
	const struct account *account = account_find(os_tables(e), token->where);
	if (token->scope == IDENTITY_SYSTEM) {
		json_write_open(w, "system");
		json_write_bool(w, "all", true);
		json_write_close(w);
	} else if (token->scope == IDENTITY_DOMAIN) {
		os_write_domain(e, w, token->where);
	} else if (token->scope == IDENTITY_ACCOUNT && account) {
		json_write_open(w, "project");
		os_write_hex(w, "id", account->row.id);
		json_write_text(w, "name", account->name);
		os_write_domain(e, w, account->domain);
		json_write_close(w);
		if (uuid_is_none(token->trust))
			json_write_bool(w, "is_domain", false);
	}
}

static void write_roles(struct os_call *e, struct json_writer *w, const struct identity *who)
{
	json_write_open_list(w, "roles");
	for (size_t k = 0; k < who->roles.count; k++) {
		const struct role *role = role_find(os_tables(e), who->roles.at[k]);
		if (!role)
			continue;
		json_write_open(w, NULL);
		os_write_hex(w, "id", role->row.id);
		json_write_text(w, "name", role->name);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_person(struct json_writer *w, const char *key, uuid user)
{
	json_write_open(w, key);
	os_write_hex(w, "id", user);
	json_write_close(w);
}

static void write_trust(struct os_call *e, struct json_writer *w, const struct token *token)
{
	const struct trust *trust = trust_find(os_tables(e), token->trust);
	if (!trust)
		return;
	json_write_open(w, "OS-TRUST:trust");
	os_write_hex(w, "id", trust->row.id);
	write_person(w, "trustor_user", trust->trustor);
	write_person(w, "trustee_user", trust->trustee);
	json_write_bool(w, "impersonation", trust->impersonation);
	json_write_close(w);
}

static void write_credential(struct os_call *e, struct json_writer *w, const struct identity *who)
{
	const struct application_credential *a =
		application_credential_find(os_tables(e), who->application_credential);
	if (!a)
		return;
	json_write_open(w, "application_credential");
	os_write_hex(w, "id", a->row.id);
	json_write_text(w, "name", a->name);
	json_write_bool(w, "restricted", !a->unrestricted);
	os_write_access_rules(e, w, &a->access_rules);
	json_write_close(w);
}

/* True for "?nocatalog" with any value. */
static bool asks_for_no_catalog(const struct os_call *e)
{
	const struct pairs *query = &e->request.query;
	for (size_t k = 0; k < query->count; k++)
		if (str_is(query->at[k].name, "nocatalog"))
			return true;
	return false;
}

static RESULT write_token(struct os_call *e, struct json_writer *w, const struct token *token,
			  const struct identity *who, struct str text)
{
	call_set_answer_header(e->call, "X-Subject-Token", text);
	call_set_answer_header(e->call, "Vary", STR("X-Auth-Token"));
	write_methods(w, token->methods);
	write_user(e, w, who);
	json_write_open_list(w, "audit_ids");
	json_write_text(w, NULL, os_write_audit_id(e->c->arena, token->audit));
	if (!uuid_is_none(token->parent))
		json_write_text(w, NULL, os_write_audit_id(e->c->arena, token->parent));
	json_write_close_list(w);
	os_write_utc(w, "expires_at", token->expires_us);
	os_write_utc(w, "issued_at", token->issued_us);
	write_where(e, w, token);
	if (token->scope != IDENTITY_UNSCOPED) {
		write_roles(e, w, who);
		if (!asks_for_no_catalog(e))
			TRY(os_write_catalog(e, w, who->account));
	}
	write_trust(e, w, token);
	write_credential(e, w, who);
	return OK;
}

/* ---- the calls ---- */

RESULT os_issue_token(struct os_call *e, struct json_writer *w, struct token *token)
{
	struct identity *who = NULL;
	struct str text = STR_NONE;
	TRY(token_issue(e->config->tokens, e->c, token, &text));
	view_close(&e->view); /* token_check() opens a view of its own */
	e->view = (struct view){0};
	struct result r = token_check(e->config->tokens, e->c, text, &looked_at, token, &who);
	if (r.code == ERR_UNAUTHENTICATED)
		return refuse(e);
	TRY(r);
	note_issued(e, token, who);
	return write_token(e, w, token, who, text);
}

static RESULT issue_token(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct token_args *a = args;
	struct token token = {0};
	TRY(prove(e, a, &token));
	TRY(set_scope(e, a, &token));
	return os_issue_token(e, w, &token);
}

struct subject {
	struct token_revocation_wish wish;
	struct token token;
	struct identity *who;
	struct str text;
};

/* Readers of the system and users with the role `service` may validate others' tokens. */
static bool may_validate(struct os_call *e)
{
	const struct uuids *roles = &e->c->who->roles;
	bool is_service = false;
	for (size_t k = 0; k < roles->count && !is_service; k++) {
		const struct role *role = role_find(os_tables(e), roles->at[k]);
		is_service = role && uuid_is_none(role->domain) && str_is(role->name, ROLE_SERVICE);
	}
	return is_service || os_reads_region(e);
}

/* A restricted credential or a trust can revoke only its own token. */
static RESULT check_subject(struct os_call *e, const struct token *token)
{
	const struct ref user = ref_by_id(KIND_USER, token->user);
	bool ends_it = e->action->operation != NULL;
	if (uuid_equal(token->audit, e->token.audit))
		return OK;
	if (ends_it && (e->c->who->is_restricted || !uuid_is_none(e->c->who->trust)))
		return ctx_fail(e->c, ERR_DENIED,
				"You are not authorized to perform the requested action: %s.",
				e->action->permit);
	return !ends_it && may_validate(e) ? OK : os_check_self(e, &user);
}

/* A token with access rules is shown only to services that announce that they enforce them. Source:
 * keystone.token.provider. */
static bool is_understood(struct os_call *e, const struct token *token)
{
	const struct application_credential *a =
		application_credential_find(os_tables(e), token->application_credential);
	struct str says = call_header(e->call, "OpenStack-Identity-Access-Rules");
	return !a || !a->access_rules.count || e->action->operation ||
	       (says.n && says.p[0] >= '1' && says.p[0] <= '9');
}

/* Callers may address their own token, administrators any token. */
static RESULT prepare_subject(struct os_call *e, void *args)
{
	struct subject *a = args;
	a->text = call_header(e->call, "X-Subject-Token");
	struct result r = token_check(e->config->tokens, e->c, a->text, &looked_at, &a->token, &a->who);
	if (r.code == ERR_UNAUTHENTICATED) {
		ctx_clear_problem(e->c);
		return ctx_fail(e->c, ERR_NOT_FOUND, "Could not find the token.");
	}
	TRY(r);
	if (!is_understood(e, &a->token))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Could not find the token.");
	a->wish = (struct token_revocation_wish){a->token.audit, a->token.user, a->token.expires_us};
	audit_add_subject(e->audit, "token", os_write_audit_id(e->c->arena, a->token.audit));
	return check_subject(e, &a->token);
}

static RESULT show_token(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct subject *a = args;
	return write_token(e, w, &a->token, a->who, a->text);
}

static const struct os_action actions[] = {
	{HTTP_POST, "/v3/auth/tokens", .permit = "identity:authenticate", .flags = API_OPEN, .status = 201,
	 .args = OS_PARAMS(struct token_args, login_params), .wrap = "auth", .item = "token",
	 .prepare = prepare_login, .work = check_guess, .operation = engine_use_trust_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = issue_token,
	 .doc = "Issues a token for a password, an application credential or another token."},
	{HTTP_GET, "/v3/auth/tokens", .permit = "identity:validate_token",
	 .args = {0, 0, sizeof(struct subject)}, .prepare = prepare_subject, .item = "token",
	 .answer = show_token, .doc = "Validates a token and shows its content."},
	{HTTP_DELETE, "/v3/auth/tokens", .permit = "identity:revoke_token", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = {0, 0, sizeof(struct subject)}, .prepare = prepare_subject,
	 .operation = engine_revoke_token_run, .doc = "Revokes a token."},
};
const struct os_actions os_token_actions = OS_ACTIONS(OS_IDENTITY, actions);
