/* SPDX-License-Identifier: Apache-2.0
 * Browser sessions: a password, access key, passkey or one-time link yields a cookie that authenticates
 * further calls. The cookie is a token that only this face accepts (auth/token/token.h). Scripts cannot read it
 * (HttpOnly) and other sites cannot send it (SameSite); changes also need the page's own origin. A session
 * is extended by actions of its user (header X-Dari-User), not by a page's own polling.
 */
#include "api/native/sign_in/session.h"

#include "api/native/sign_in/factors.h"
#include "auth/key/key.h"
#include "auth/key/key_owner.h"
#include "auth/key/last_used.h"
#include "auth/sign_in/login.h"
#include "auth/sign_in/login_link.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/people/credential/token_revocation.h"
#include "engine/people/policy/role.h"
#include "http/cookie.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/user.h"

enum { ACCOUNTS_SHOWN_MAX = 500 };

/* ---- the cookie ---- */

static struct str find_cookie(const struct call *call)
{
	return cookie_find(call, cookie_of_session(call));
}

static void set_cookie(struct native_call *e, struct str value)
{
	call_set_answer_header(e->call, "Set-Cookie",
			       str_print(e->c->arena,
					 "%s=%" STR_FMT "; Path=/; HttpOnly; SameSite=Strict%s%s",
					 cookie_of_session(e->call), STR_ARG(value),
					 e->call->is_tls ? "; Secure" : "", value.n ? "" : "; Max-Age=0"));
}

/* ---- whose page it is ---- */

/* "https://cloud.example.com:8080" → "cloud.example.com:8080" */
static struct str behind_scheme(struct str origin)
{
	struct str scheme = STR_NONE, rest = origin;
	if (!str_split_next(&rest, ':', &scheme) || !str_starts_with(rest, STR("//")))
		return STR_NONE;
	return str_slice(rest, 2, rest.n);
}

/* Refuses changes that another site's page sends: browsers set Sec-Fetch-Site and Origin, which pages
 * cannot forge. */
RESULT native_check_page(struct native_call *e)
{
	struct str site = call_header(e->call, "Sec-Fetch-Site"), origin = call_header(e->call, "Origin");
	if (e->call->method == HTTP_GET || e->call->method == HTTP_HEAD)
		return !site.p || str_is(site, "same-origin") || str_is(site, "none")
			       ? OK
			       : ctx_fail(e->c, ERR_DENIED, "This page is not from here.");
	bool is_ours =
		site.p ? str_is(site, "same-origin")
		       : origin.n && str_equal_nocase(behind_scheme(origin), call_header(e->call, "Host"));
	if (!is_ours)
		return ctx_fail(e->c, ERR_DENIED, "This page is not from here.");
	const char *type = e->call->method == HTTP_PUT ? NATIVE_DATA_TYPE : "application/json";
	struct str sent = call_header(e->call, "Content-Type");
	return str_starts_with(sent, STR("application/json")) || str_starts_with(sent, str_from(type))
		       ? OK
		       : ctx_fail(e->c, ERR_DENIED, "A page sends %s.", type);
}

/* Refuses passwords over plain HTTP, except on loopback. */
RESULT native_check_wire(struct native_call *e)
{
	return api_check_wire(&e->core, "Nobody signs in over plain HTTP from elsewhere. Use https.");
}

/* ---- calls of a session ---- */

bool native_has_session(const struct native_call *e)
{
	return find_cookie(e->call).n > 0;
}

/* Reissues the cookie after half of the idle time, if the user caused this call. */
static RESULT renew(struct native_call *e)
{
	struct str text = STR_NONE;
	bool is_due = e->token.expires_us - clock_now_us() < TOKEN_SESSION_IDLE_US / 2 &&
		      e->token.expires_us < e->token.begun_us + TOKEN_SESSION_WHOLE_US;
	if (!is_due || !str_is(call_header(e->call, "X-Dari-User"), "1"))
		return OK;
	TRY(token_issue_session(e->config->tokens, e->c, &e->token, &text));
	set_cookie(e, text);
	return OK;
}

RESULT native_note_factor(struct native_call *e)
{
	struct str text = STR_NONE;
	if (!e->token.begun_us)
		return OK;
	e->token.methods |= TOKEN_BY_FACTOR;
	TRY(token_issue_session(e->config->tokens, e->c, &e->token, &text));
	set_cookie(e, text);
	return OK;
}

RESULT native_resume_session(struct native_call *e)
{
	struct identity *who = NULL;
	TRY(native_check_page(e));
	struct result r = token_check_session(e->config->tokens, e->c, find_cookie(e->call), &e->token, &who);
	if (r.code == ERR_UNAUTHENTICATED) {
		ctx_clear_problem(e->c); /* its message is for the log only */
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The session is over.");
	}
	TRY(r);
	e->c->who = who;
	e->call->account_number = who->account_number;
	return renew(e);
}

/* ---- signing in ---- */

static const struct param entering_params[] = {
	PARAM(struct entering, "user", user, .doc = "User name."),
	PARAM(struct entering, "domain", domain,
	      .doc = "Domain of the user, or number or alias of an account whose own user it is; absent: "
		     "Default."),
	PARAM(struct entering, "password", password, .max = PASSWORD_SIZE_MAX, .doc = "Password."),
	PARAM(struct entering, "new_password", new_password, .max = PASSWORD_SIZE_MAX,
	      .doc = "New password, after a 401 with need \"password\"."),
	PARAM(struct entering, "totp", totp, .max = 64,
	      .doc = "Code of the authenticator, or a recovery code, after a 401 with need \"totp\"."),
	PARAM(struct entering, "access_key", access_key, .doc = "Access key id, instead of a user name."),
	PARAM(struct entering, "secret", secret, .doc = "Secret of the access key."),
	PARAM(struct entering, "ticket", ticket,
	      .doc = "Ticket of a one-time link, as `dari console` prints it."),
	PASSKEY_PARAMS,
};

static RESULT refuse(struct native_call *e, const struct entering *a)
{
	char peer[IP_TEXT_SIZE];
	log_event(LOG_WARN, "console-refused", "by=%s peer=%s request=%.*s",
		  a->ticket.n       ? "link"
		  : a->access_key.n ? "key"
		  : a->user.n       ? "password"
				    : "passkey",
		  ip_write(e->call->peer, peer), STR_ARG(e->c->request_id));
	ctx_clear_problem(e->c);
	return ctx_fail(
		e->c, ERR_UNAUTHENTICATED,
		a->totp.n ? "The name, password or code is wrong, or the code was used before."
		: a->ticket.n
			? "This link was used, or is older than a minute. `dari console` prints another one."
		: a->access_key.n         ? "The access key or its secret is wrong."
		: a->passkey.credential.n ? "No user of this region has the passkey, or its prompt is "
					    "older than five minutes. Try again."
					  : "The name or password is wrong.");
}

/* A domain's user; or an account's own, by the account's number or alias, as at AWS's sign-in page. */
static const struct user *find_user(const struct tables *t, const struct entering *a,
				    const struct domain *domain)
{
	if (domain)
		return user_find_by_owner(t, UUID_NONE, domain->row.id, a->user);
	const struct account *account = account_find_by_number(t, a->domain);
	if (!account)
		account = account_first_by_alias(t, a->domain);
	return account ? user_find_by_owner(t, account->row.id, UUID_NONE, a->user) : NULL;
}

static RESULT find_person(struct native_call *e, struct entering *a)
{
	const struct tables *t = native_tables(e);
	const struct domain *domain =
		a->domain.n ? domain_find_by_name(t, a->domain) : domain_find(t, DOMAIN_DEFAULT);
	const struct user *user = find_user(t, a, domain);
	TRY(login_find(e->config->passwords, e->c, t, domain ? domain->row.id : UUID_NONE, a->user, user,
		       &a->login));
	if (a->login.is_off)
		return ctx_fail(
			e->c, ERR_UNAUTHENTICATED,
			"Passwords are not accepted in this domain. Sign in by an identity provider, an "
			"access key or a passkey.");
	if (uuid_is_none(a->login.user))
		return OK; /* check_guess() hashes anyway, so the time does not reveal unknown users */
	a->person = user->row.id;
	a->account = uuid_is_none(user->account) ? user->default_account : user->account;
	a->hash = uuid_is_none(a->login.domain) ? a->login.hash : STR_NONE;
	return OK;
}

static RESULT is_secret(struct ctx *c, const void *arg, struct str secret, bool *ret_is_right)
{
	const struct entering *a = arg;
	(void) c;
	*ret_is_right = a->secret.n == secret.n && crypto_equal(a->secret.p, secret.p, secret.n);
	return OK;
}

/* Checks the access key on this thread: there is nothing to hash. */
static RESULT find_key(struct native_call *e, struct entering *a)
{
	const struct key_proof proof = {.store = e->config->store,
					.master_key = e->config->master_key,
					.uses = e->config->uses,
					.service = STR("console"),
					.check = is_secret,
					.arg = a};
	struct identity *who = NULL;
	TRY(key_prove_owner(e->c, &proof, a->access_key, &who));
	if (!who)
		return OK;
	const struct access_key *key = access_key_find_by_key_id(native_tables(e), a->access_key);
	a->person = who->user;
	a->account = who->account;
	a->key = key ? key->row.id : UUID_NONE;
	a->is_proved = key;
	return OK;
}

static void take_ticket(struct native_call *e, struct entering *a)
{
	struct entry entry = {0};
	if (!e->config->entries || !login_link_take(e->config->entries, a->ticket, &entry))
		return;
	a->person = entry.user;
	a->account = entry.account;
	a->is_proved = true;
}

static RESULT prepare_entering(struct native_call *e, void *args)
{
	struct entering *a = args;
	TRY(native_check_page(e));
	TRY(native_check_wire(e));
	e->skips_work = e->skips_operation = e->records_answer = true;
	e->asker = login_attempt_address(e->call->peer);
	if (a->ticket.n) {
		take_ticket(e, a);
		return OK;
	}
	if (a->access_key.n)
		return find_key(e, a);
	if (a->passkey.credential.n && !a->user.n && !a->password.n) {
		TRY(factors_take_passkey(e, a));
		e->skips_operation = !a->is_proved;
		return OK;
	}
	if (!a->user.n || !a->password.n)
		return ctx_fail_field(e->c, ERR_MISSING, a->user.n ? STR("password") : STR("user"),
				      "user and password, access_key and secret, ticket, or a passkey: one "
				      "of them is needed.");
	TRY(find_person(e, a));
	e->skips_work = false;
	e->lane = passwords_lane(e->config->passwords);
	return OK;
}

/* ---- the second factor ---- */

/* Closes the view; the next one sees the current rows. */
static void close_view(struct native_call *e)
{
	view_close(&e->view);
	e->view = (struct view){0};
}

/* Uses up the second factor, and sets the new password; nothing, if neither is there. */
static RESULT take_proofs(struct op *op, void *args)
{
	struct entering *a = args;
	TRY(engine_use_second_factor(op, &a->used));
	if (a->renewal.password_hash.n) {
		TRY(engine_renew_password(op, &a->renewal));
		a->hash = a->renewal.password_hash;
	}
	return OK;
}

static RESULT admit_renewal(struct native_call *e, uuid person)
{
	const struct guard_request request = {.action = STR("identity:change_password"),
					      .words = GUARD_OF_DARI,
					      .is_change = true,
					      .has_role = true};
	close_view(e); /* the guard opens its own */
	return guard_admit_proved(e->config->guards, e->call, e->config->store, person, &request);
}

/* A new password in the place of one that has expired. Without one the code or passkey that was shown stays good, for the next try
 * with a new password. */
static RESULT check_renewal(struct native_call *e, struct entering *a)
{
	const struct tables *t = native_tables(e);
	const struct user *user = user_find(t, a->person);
	struct strs refused;
	if (!user)
		return OK;
	a->standing = engine_weigh_password(t, user, clock_now_us());
	if (a->standing == PASSWORD_DEAD || !a->new_password.n) {
		e->skips_operation |= a->standing != PASSWORD_LETS_IN;
		return OK;
	}
	TRY(engine_check_password(e->c, account_find(t, user->account), a->new_password));
	TRY(engine_list_refused_passwords(e->c, t, user, &refused));
	if (password_is_one_of(e->config->passwords, e->c, &refused, a->new_password))
		return engine_fail_reused_password(e->c);
	a->renewal.user = ref_by_id(KIND_USER, a->person);
	a->renewal.hash_before = a->hash;
	e->skips_operation = false;
	TRY(admit_renewal(e, a->person));
	return password_hash(e->config->passwords, e->c, a->new_password, &a->renewal.password_hash);
}

static RESULT check_guess(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct entering *a = e->args;
	a->is_proved = login_check(e->config->passwords, e->c, &a->login, e->call->peer, a->password);
	a->person = a->login.user;
	struct result result = a->is_proved ? factors_check(e, a) : OK;
	if (result_is_ok(result) && a->is_proved)
		result = check_renewal(e, a);
	close_view(e);
	return result;
}

/* Checks the user again: the password may have changed while it was hashed. */
static bool is_still_theirs(struct native_call *e, const struct entering *a)
{
	const struct user *user = a->is_proved ? user_find(native_tables(e), a->person) : NULL;
	return user && (!a->hash.n || str_equal(user->password_hash, a->hash));
}

/* ---- where somebody gets in ---- */

static bool may_enter(const struct tables *t, const struct user *user, const struct account *account)
{
	struct roles roles = {0};
	if (!engine_is_account_open(t, account))
		return false;
	if (uuid_equal(user->account, account->row.id))
		return true;
	engine_find_roles(t, user->row.id, IDENTITY_ACCOUNT, account->row.id, &roles);
	return roles.count > 0;
}

/* Returns `wanted` if the user may enter it, else the first account that the user may enter; none if
 * there is none. */
static uuid choose_account(const struct tables *t, const struct user *user, uuid wanted)
{
	const struct account *first = account_find(t, wanted);
	if (first && may_enter(t, user, first))
		return wanted;
	for (const struct account *a = account_first(t); a; a = account_next(t, a))
		if (may_enter(t, user, a))
			return a->row.id;
	return UUID_NONE;
}

static void write_accounts(struct native_call *e, struct json_writer *w, const struct user *user)
{
	const struct tables *t = native_tables(e);
	size_t count = 0;
	json_write_open_list(w, "accounts");
	for (const struct account *a = account_first(t); a && user && count < ACCOUNTS_SHOWN_MAX;
	     a = account_next(t, a)) {
		bool may = uuid_is_none(e->token.access_key) ? may_enter(t, user, a)
							     : uuid_equal(a->row.id, e->token.where);
		if (!may)
			continue;
		json_write_open(w, NULL);
		json_write_uuid(w, "id", a->row.id);
		json_write_text(w, "name", a->name);
		json_write_text(w, "number", a->number);
		json_write_close(w);
		count++;
	}
	json_write_close_list(w);
}

static void write_rights(struct json_writer *w, const struct identity *who)
{
	static const struct {
		enum right right;
		const char *word;
	} rows[] = {{RIGHT_READER, "reader"},
		    {RIGHT_MEMBER, "member"},
		    {RIGHT_MANAGER, "manager"},
		    {RIGHT_ADMIN, "admin"}};
	json_write_open_list(w, "rights");
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (who->is_owner ? rows[k].right != RIGHT_ADMIN : identity_has(who, rows[k].right))
			json_write_z(w, NULL, rows[k].word);
	json_write_close_list(w);
}

/* Describes the session for the first page. */
static void write_session(struct native_call *e, struct json_writer *w)
{
	const struct tables *t = native_tables(e);
	const struct identity *who = e->c->who;
	const struct user *user = user_find(t, who->user);
	const struct account *account = account_find(t, who->account);
	char peer[IP_TEXT_SIZE];
	json_write_open(w, "user");
	json_write_uuid(w, "id", who->user);
	json_write_text(w, "name", who->user_name);
	json_write_close(w);
	if (account) {
		json_write_open(w, "account");
		json_write_uuid(w, "id", account->row.id);
		json_write_text(w, "name", account->name);
		json_write_text(w, "number", account->number);
		json_write_uuid(w, "domain", account->domain); /* tenant in Azure */
		json_write_close(w);
	}
	write_accounts(e, w, user);
	write_rights(w, who);
	json_write_text(w, "region", str_from(e->face->region));
	json_write_text(w, "endpoint", api_base_url(&e->core));
	if (e->call->peer.family != IP_NONE)
		json_write_z(w, "address", ip_write(e->call->peer, peer));
	if (e->token.begun_us) {
		json_write_int(w, "begun_us", e->token.begun_us);
		json_write_int(w, "ends_us", e->token.begun_us + TOKEN_SESSION_WHOLE_US);
	}
}

/* Signs the token, then checks it for the identity it gives. */
static RESULT begin_session(struct native_call *e, struct token *token)
{
	struct str text = STR_NONE;
	struct identity *who = NULL;
	TRY(token_issue_session(e->config->tokens, e->c, token, &text));
	close_view(e);
	TRY(token_check_session(e->config->tokens, e->c, text, &e->token, &who));
	e->c->who = who; /* for the audit log */
	e->call->account_number = who->account_number;
	set_cookie(e, text);
	return OK;
}

static RESULT enter(struct native_call *e, struct token *token, const char *by)
{
	char user[UUID_TEXT_SIZE], peer[IP_TEXT_SIZE];
	TRY(begin_session(e, token));
	log_event(LOG_INFO, "console-login", "user=%s by=%s peer=%s request=%.*s",
		  uuid_write(token->user, user), by, ip_write(e->call->peer, peer),
		  STR_ARG(e->c->request_id));
	return OK;
}

/* The token has when a session began, and each session may last for TOKEN_SESSION_WHOLE_US: one that ends earlier counts as begun
 * earlier. */
static void set_end(struct token *token, int64_t ends_us)
{
	if (!ends_us || ends_us >= clock_now_us() + TOKEN_SESSION_WHOLE_US)
		return;
	token->begun_us = ends_us - TOKEN_SESSION_WHOLE_US;
	token->parent = uuid_random();
}

RESULT native_enter(struct native_call *e, uuid person, int64_t ends_us, const char *by)
{
	const struct user *user = user_find(native_tables(e), person);
	uuid where = user ? choose_account(native_tables(e), user, user->default_account) : UUID_NONE;
	struct token token = {.scope = uuid_is_none(where) ? IDENTITY_UNSCOPED : IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_CONSOLE,
			      .user = person,
			      .where = where};
	set_end(&token, ends_us);
	return enter(e, &token, by);
}

void native_lead_to_sign_in(struct native_call *e, struct api_problem *p)
{
	char peer[IP_TEXT_SIZE];
	const char *why = p->err == ERR_THROTTLED ? "busy" : e->why ? e->why : "failed";
	const char *way =
		str_starts_with(str_from(native_action_of(e)->path), STR("/session/saml")) ? "saml" : "oidc";
	log_event(LOG_WARN, "console-refused", "by=%s why=%s peer=%s request=%.*s", way, why,
		  ip_write(e->call->peer, peer), STR_ARG(e->c->request_id));
	call_set_answer_header(e->call, "Location",
			       str_print(e->c->arena, "/console/?problem=%s-%s", way, why));
	p->status = 303;
}

static struct token token_of_entering(const struct entering *a, uuid where)
{
	unsigned factor = uuid_is_none(a->used.factor) ? 0 : TOKEN_BY_FACTOR;
	return (struct token){.scope = uuid_is_none(where) ? IDENTITY_UNSCOPED : IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_CONSOLE | TOKEN_BY_PASSWORD | factor,
			      .user = a->person,
			      .where = where,
			      .access_key = a->key};
}

static RESULT refuse_expired(struct native_call *e, const struct entering *a)
{
	if (a->standing == PASSWORD_DEAD)
		return ctx_fail(
			e->c, ERR_UNAUTHENTICATED,
			"The password has expired. Ask an administrator of the account for a new one.");
	e->need = "password";
	return ctx_fail(e->c, ERR_UNAUTHENTICATED,
			"The password is right, but has expired or is for the first sign-in alone. Choose a "
			"new one.");
}

/* Sign-in method, for the log. */
static const char *word_proof(const struct entering *a)
{
	return a->ticket.n                    ? "link"
	       : a->access_key.n              ? "key"
	       : !a->user.n                   ? "passkey"
	       : uuid_is_none(a->used.factor) ? "password"
	       : a->totp.n                    ? "password-and-code"
					      : "password-and-passkey";
}

static RESULT answer_entering(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct entering *a = args;
	if (a->lacks_factor) {
		return ctx_fail(
			e->c, ERR_UNAUTHENTICATED,
			str_is(str_from(e->need), "totp")
				? "The password is right. A code of your authenticator is needed, too."
			: e->question ? "The password is right. Your passkey is needed, too."
				      : "The password is right. Your passkey is needed, too, and is for "
					"another host: open the console by that name.");
	}
	if (!is_still_theirs(e, a))
		return refuse(e, a);
	if (a->standing != PASSWORD_LETS_IN && !a->renewal.password_hash.n)
		return refuse_expired(e, a);
	const struct tables *t = native_tables(e);
	uuid where =
		uuid_is_none(a->key) ? choose_account(t, user_find(t, a->person), a->account) : a->account;
	struct token token = token_of_entering(a, where);
	struct result begun = enter(e, &token, word_proof(a));
	if (begun.code == ERR_UNAUTHENTICATED)
		return refuse(e, a);
	TRY(begun);
	if (a->hash.n || !a->passkey.credential.n)
		last_used_note(e->config->uses, KIND_USER, a->person, STR("console"), e->config->region);
	write_session(e, w);
	return OK;
}

static RESULT answer_session(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_session(e, w);
	return OK;
}

/* ---- another account, and the end ---- */

static RESULT need_session(struct native_call *e)
{
	return e->token.begun_us
		       ? OK
		       : ctx_fail(e->c, ERR_STATE, "Who asks has no session, but proves each call.");
}

struct scope_args {
	struct ref account;
	struct token token;
};
static const struct param scope_params[] = {
	PARAM(struct scope_args, "account", account, .kind = KIND_ACCOUNT, .flags = REQUIRED,
	      .doc = "Account to act for."),
};

static RESULT prepare_scope(struct native_call *e, void *args)
{
	struct scope_args *a = args;
	const struct row *row = NULL;
	TRY(need_session(e));
	TRY(engine_look_up(e->c, native_tables(e), KIND_ACCOUNT, &a->account, &row));
	const struct user *user = user_find(native_tables(e), e->token.user);
	bool may = user &&
		   (uuid_is_none(e->token.access_key) ? may_enter(native_tables(e), user, account_of(row))
						      : uuid_equal(row->id, e->token.where));
	if (!may)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("account"),
				      "There is no such account, or you do not get in there.");
	a->token = e->token;
	a->token.scope = IDENTITY_ACCOUNT;
	a->token.where = row->id;
	return OK;
}

static RESULT answer_scope(struct native_call *e, const void *args, struct json_writer *w)
{
	struct token token = ((const struct scope_args *) args)->token;
	TRY(begin_session(e, &token));
	write_session(e, w);
	return OK;
}

static RESULT prepare_end(struct native_call *e, void *args)
{
	struct token_revocation_wish *a = args;
	TRY(need_session(e));
	*a = (struct token_revocation_wish){e->token.parent, e->token.user,
					    e->token.begun_us + TOKEN_SESSION_WHOLE_US};
	return OK;
}

static RESULT answer_end(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	(void) w;
	set_cookie(e, STR_NONE);
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_POST, "/session", .name = "SignIn", .permit = "identity:authenticate",
	 .flags = API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED, .args = PARAMS(struct entering, entering_params),
	 .prepare = prepare_entering, .work = check_guess, .operation = take_proofs,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_entering, .status = 201,
	 .doc = "Opens a browser session by a password, an access key, a passkey, or a one-time link."},
	{HTTP_GET, "/session", .name = "GetSession", .permit = "dari:GetSession",
	 .flags = API_FOR_ALL | NATIVE_UNSCOPED, .answer = answer_session,
	 .doc = "Returns the user, the present account, and the other accounts of the session."},
	{HTTP_POST, "/session/scope", .name = "ChooseAccount", .permit = "identity:authenticate",
	 .flags = API_FOR_ALL | NATIVE_UNSCOPED, .args = PARAMS(struct scope_args, scope_params),
	 .prepare = prepare_scope, .answer = answer_scope, .doc = "Switches the session to another account."},
	{HTTP_DELETE, "/session", .name = "SignOut", .permit = "identity:revoke_token",
	 .flags = API_WRITES | API_FOR_ALL | NATIVE_UNSCOPED,
	 .args = {.size = sizeof(struct token_revocation_wish)}, .prepare = prepare_end,
	 .operation = engine_revoke_token_run, .returns = API_RETURNS_NOTHING_STORED, .answer = answer_end,
	 .doc = "Ends the session and revokes all its tokens."},
};
const struct api_actions native_session_actions = API_ACTIONS(rows);
