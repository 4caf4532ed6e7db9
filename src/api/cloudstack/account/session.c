/* SPDX-License-Identifier: Apache-2.0
 * Sessions: login yields a cookie and a session key, and every further call needs both. The cookie is a
 * Keystone token (auth/token/token.h), so it survives restarts and token revocation ends it. The session key is
 * derived from the cookie. Source: developer guide, "Session-based authentication", 4.18.
 */
#include "api/cloudstack/account/people.h"
#include "auth/key/cloudstack_signature.h"
#include "auth/key/last_used.h"
#include "auth/limit.h"
#include "auth/sign_in/login.h"
#include "base/clock.h"
#include "engine/people/credential/password_policy.h"
#include "engine/people/credential/token_revocation.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "http/cookie.h"
#include "model/account.h"
#include "store/domain.h"
#include "store/user.h"

#define COOKIE "JSESSIONID"
static const struct api_error login_failed = {ERR_UNAUTHENTICATED, 0, 531, "4290"};

/* ---- calls of a session ---- */

/* Derives the session key. A page of another site can make a browser send the cookie, but does not know
 * this key. */
static struct str derive_key(struct cs_call *e, struct str cookie)
{
	uint8_t sum[SHA256_SIZE];
	struct str text = str_print(e->c->arena, "cloudstack-session:%" STR_FMT, STR_ARG(cookie));
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, text, sum);
	return str_encode_hex(e->c->arena, sum, sizeof sum);
}

/* Keystone access rules cannot name CloudStack commands. */
static const struct token_use no_rules = {0};

RESULT cs_resume_session(struct cs_call *e)
{
	struct identity *who = NULL;
	struct str cookie = cookie_find(e->call, COOKIE);
	struct str key = cloudstack_find_value(&e->pairs, "sessionkey"), wanted = derive_key(e, cookie);
	bool is_right = key.n == wanted.n && crypto_equal(key.p, wanted.p, key.n);
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	struct result r = is_right ? token_check(e->config->tokens, e->c, cookie, &no_rules, &e->token, &who)
				   : FAIL(UNAUTHENTICATED);
	if (r.code != ERR_NONE && r.code != ERR_UNAUTHENTICATED)
		return r;
	if (!who || who->scope != IDENTITY_ACCOUNT) {
		ctx_clear_problem(e->c);
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%s", e->errors->unproved);
	}
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

/* ---- login ---- */

struct login_args {
	struct str username, password, domain;
	struct ref domain_id;
	struct login found;
	bool is_right;
};
static const struct param login_params[] = {
	PARAM(struct login_args, "username", username, .flags = REQUIRED, .doc = "User name."),
	PARAM(struct login_args, "password", password, .flags = REQUIRED, .max = PASSWORD_SIZE_MAX,
	      .doc = "Password."),
	PARAM(struct login_args, "domain", domain, .doc = "Path of the domain; absent: the root."),
	PARAM(struct login_args, "domainId", domain_id, .kind = KIND_DOMAIN,
	      .doc = "Domain by id, instead of its path."),
};

static RESULT refuse(struct cs_call *e, const struct login_args *a)
{
	ctx_clear_problem(e->c);
	e->error = &login_failed;
	return ctx_fail(e->c, ERR_UNAUTHENTICATED,
			"Failed to authenticate user %" STR_FMT " in domain %" STR_FMT
			"; please provide valid credentials",
			STR_ARG(a->username), STR_ARG(a->domain.n ? a->domain : STR("/")));
}

/* "/", "ROOT", "/acme", "ROOT/acme/" */
static const struct domain *find_domain(const struct tables *t, const struct login_args *a)
{
	struct str path = a->domain, part, name = STR_NONE;
	if (ref_is_given(&a->domain_id))
		return domain_find(t, a->domain_id.prefix);
	while (str_split_next(&path, '/', &part))
		if (part.n && !str_equal_nocase(part, STR("ROOT")))
			name = part;
	return name.n ? domain_find_by_name(t, name) : domain_find(t, DOMAIN_DEFAULT);
}

static RESULT prepare_login(struct cs_call *e, void *args)
{
	struct login_args *a = args;
	const struct domain *domain = find_domain(cs_tables(e), a);
	const struct user *user =
		domain ? user_find_by_owner(cs_tables(e), UUID_NONE, domain->row.id, a->username) : NULL;
	static const struct api_error get_refused = {ERR_UNSUPPORTED, 0, 405, "9999"};
	if (e->call->method != HTTP_POST) {
		e->error = &get_refused;
		return ctx_fail(e->c, ERR_UNSUPPORTED, "A password is sent by POST");
	}
	if (!limits_take_stranger(e->config->limits, e->call->peer)) /* throttle before spending a hash */
		return ctx_fail(e->c, ERR_THROTTLED, "%s", e->errors->throttled);
	e->asker = login_attempt_address(e->call->peer);
	TRY(login_find(e->config->passwords, e->c, cs_tables(e), domain ? domain->row.id : UUID_NONE,
		       a->username, user, &a->found));
	if (!a->found.is_off)
		return OK;
	e->error = &login_failed;
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "User is not allowed CloudStack login");
}

static RESULT check_guess(struct work_item *w)
{
	struct cs_call *e = w->arg;
	struct login_args *a = e->args;
	a->is_right = login_check(e->config->passwords, e->c, &a->found, e->call->peer, a->password);
	return OK;
}

/* Finds the user again: the password may have changed while it was hashed. */
static const struct user *find_proved(struct cs_call *e, const struct login_args *a)
{
	const struct user *user = a->is_right ? login_find_proved(cs_tables(e), &a->found) : NULL;
	return user && engine_weigh_password(cs_tables(e), user, clock_now_us()) == PASSWORD_LETS_IN ? user
												     : NULL;
}

static void set_cookies(struct cs_call *e, struct str cookie, struct str key)
{
	const char *flags = e->call->is_tls ? "; Secure" : "";
	call_set_answer_header(e->call, "Set-Cookie",
			       str_print(e->c->arena,
					 COOKIE "=%" STR_FMT "; Path=/client; HttpOnly; SameSite=Lax%s",
					 STR_ARG(cookie), flags));
	call_set_answer_header(
		e->call, "Set-Cookie",
		str_print(e->c->arena, "sessionkey=%" STR_FMT "; Path=/client/api; HttpOnly; SameSite=Lax%s",
			  STR_ARG(key), flags));
}

static void write_session(struct cs_call *e, struct json_writer *w, const struct user *user,
			  const struct account *account, struct str key)
{
	const struct role *role = cs_role_of(cs_tables(e), account->row.id);
	struct str type = str_print(e->c->arena, "%d", cs_account_type(role));
	json_write_text(w, "username", user->name);
	json_write_text(w, "userid", uuid_to_str(e->c->arena, user->row.id));
	json_write_text(w, "domainid", uuid_to_str(e->c->arena, account->domain));
	json_write_int(w, "timeout", (e->token.expires_us - clock_now_us()) / SECOND);
	json_write_text(w, "account", account->name);
	json_write_text(w, "type", type);
	json_write_z(w, "registered", "false");
	json_write_text(w, "sessionkey", key);
	cs_write_names(&e->core, w, "firstname", &user->row);
}

static RESULT log_in(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct login_args *a = args;
	const struct user *user = find_proved(e, a);
	const struct account *account = user ? cs_account_of(cs_tables(e), user) : NULL;
	struct identity *who = NULL;
	struct str cookie;
	if (!account)
		return refuse(e, a);
	e->token = (struct token){.scope = IDENTITY_ACCOUNT,
				  .methods = TOKEN_BY_PASSWORD,
				  .user = user->row.id,
				  .where = account->row.id};
	TRY(token_issue(e->config->tokens, e->c, &e->token, &cookie));
	last_used_note(e->config->uses, KIND_USER, user->row.id, STR("cloudstack"), e->config->region);
	struct str key = derive_key(e, cookie);
	set_cookies(e, cookie, key);
	write_session(e, w, user, account, key);
	view_close(&e->view); /* the next view sees the current rows */
	e->view = (struct view){0};
	struct result r = token_check(e->config->tokens, e->c, cookie, &no_rules, &e->token, &who);
	if (r.code == ERR_UNAUTHENTICATED)
		return refuse(e, a);
	e->c->who = who; /* for the audit log */
	return r;
}

/* ---- logout ---- */

/* Accepts the logout of a signed call, which has no session to end. */
static RESULT prepare_logout(struct cs_call *e, void *args)
{
	struct token_revocation_wish *a = args;
	*a = (struct token_revocation_wish){e->token.audit, e->token.user, e->token.expires_us};
	e->skips_operation = e->is_signed;
	return OK;
}

static RESULT show_logout(struct cs_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	(void) e;
	json_write_z(w, "description", "success");
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("login", "identity:authenticate"), .flags = API_OPEN,
	 .args = PARAMS(struct login_args, login_params), .prepare = prepare_login, .work = check_guess,
	 .answer = log_in,
	 .says = "username|userid|domainid|timeout|account|firstname|lastname|type|timezone|registered|"
		 "sessionkey",
	 .doc = "Opens a session by user name and password."},
	{CS_ACTION("logout", "identity:revoke_token"), .flags = API_WRITES | API_FOR_ALL,
	 .args = {0, 0, sizeof(struct token_revocation_wish)}, .prepare = prepare_logout,
	 .operation = engine_revoke_token_run, .returns = API_RETURNS_NOTHING_STORED, .answer = show_logout,
	 .says = "description", .doc = "Ends the session."},
};
const struct api_actions cs_session_actions = API_ACTIONS(actions);
