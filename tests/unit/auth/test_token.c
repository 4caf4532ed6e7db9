/* SPDX-License-Identifier: Apache-2.0
 * Tokens: their contents, and everything that ends them. */
#include "token_world.h"

#include "engine/people/account/account.h"
#include "engine/people/account/domain.h"
#include "engine/people/credential/application_credential.h"
#include "engine/people/credential/token_revocation.h"
#include "engine/people/policy/trust.h"
#include "engine/people/user.h"
#include "engine/people/user_group.h"

static struct str issue(struct token_world *w, enum identity_scope scope, uuid where)
{
	struct token token = {.scope = scope, .methods = TOKEN_BY_PASSWORD, .user = w->ann, .where = where};
	struct str text = STR_NONE;
	assert_ok(token_issue(w->tokens, w->c, &token, &text));
	assert_int_equal(text.n, TOKEN_TEXT_SIZE);
	return text;
}

static bool is_good(struct token_world *w, struct str text)
{
	ctx_clear_problem(w->c);
	struct result r = token_check(w->tokens, w->c, text, &(struct token_use){0}, &w->token, &w->who);
	assert_true(result_is_ok(r) || r.code == ERR_UNAUTHENTICATED);
	return result_is_ok(r);
}

static void test_scopes(void **state)
{
	struct token_world w = make_world(state);
	struct str none = issue(&w, IDENTITY_UNSCOPED, UUID_NONE),
		   account = issue(&w, IDENTITY_ACCOUNT, w.account),
		   domain = issue(&w, IDENTITY_DOMAIN, w.domain),
		   everything = issue(&w, IDENTITY_SYSTEM, UUID_NONE);
	assert_true(is_good(&w, none));
	assert_int_equal(w.who->rights, 0);
	assert_true(uuid_is_none(w.who->account) && str_is(w.who->user_name, "ann"));
	assert_int_equal(w.token.expires_us - w.token.issued_us, HOUR);
	assert_false(is_good(&w, account)); /* without a role */
	grant(&w, "reader", (struct role_grant){.account = to(KIND_ACCOUNT, w.account)});
	assert_true(is_good(&w, account));
	assert_int_equal(w.who->rights, RIGHT(READER));
	assert_true(uuid_equal(w.who->account, w.account) && uuid_equal(w.who->domain, w.domain));
	assert_int_equal(w.who->account_number.n, 12);
	assert_false(is_good(&w, domain) || is_good(&w, everything));
	grant(&w, "admin", (struct role_grant){.domain = to(KIND_DOMAIN, w.domain)});
	assert_true(is_good(&w, domain));
	assert_int_equal(w.who->roles.count, 4); /* with those that it implies */
	assert_false(identity_is_admin(w.who));
	assert_true(is_good(&w, account) && w.who->rights == RIGHT(READER));
	grant(&w, "member", (struct role_grant){.domain = to(KIND_DOMAIN, w.domain), .inherited = true});
	assert_true(is_good(&w, account) && w.who->rights == RIGHTS_OF_MEMBER);
	grant(&w, "admin", (struct role_grant){.system = true});
	assert_true(is_good(&w, everything) && identity_is_admin(w.who));
	end_world(&w);
}

static void test_groups(void **state)
{
	struct token_world w = make_world(state);
	struct str text = issue(&w, IDENTITY_ACCOUNT, w.account);
	struct user_group_wish group = {.name = STR("builders"), .domain = to(KIND_DOMAIN, w.domain)};
	DO(&w, engine_create_user_group, &group);
	struct ref builders = to(KIND_USER_GROUP, group.user_group);
	grant(&w, "member",
	      (struct role_grant){.account = to(KIND_ACCOUNT, w.account), .user_group = builders});
	assert_false(is_good(&w, text));
	struct membership member = {builders, to(KIND_USER, w.ann)};
	DO(&w, engine_add_group_member, &member);
	assert_true(is_good(&w, text) && w.who->rights == RIGHTS_OF_MEMBER);
	DO(&w, engine_remove_group_member, &member);
	assert_false(is_good(&w, text));
	end_world(&w);
}

/* Each thing that ends a token, taken back where it can be. */
static void test_ends(void **state)
{
	struct token_world w = make_world(state);
	grant(&w, "member", (struct role_grant){.account = to(KIND_ACCOUNT, w.account)});
	struct str text = issue(&w, IDENTITY_ACCOUNT, w.account);
	assert_true(is_good(&w, text));
	struct account_change account = {.account = to(KIND_ACCOUNT, w.account), .enabled = CHOICE_NO};
	DO(&w, engine_update_account, &account);
	assert_false(is_good(&w, text));
	account.enabled = CHOICE_YES;
	DO(&w, engine_update_account, &account);
	assert_true(is_good(&w, text));
	struct domain_change domain = {.domain = to(KIND_DOMAIN, w.domain), .enabled = CHOICE_NO};
	DO(&w, engine_update_domain, &domain);
	assert_false(is_good(&w, text));
	domain.enabled = CHOICE_YES;
	DO(&w, engine_update_domain, &domain);
	assert_true(is_good(&w, text));
	clock_advance_us(SECOND);
	struct user_change user = {.user = to(KIND_USER, w.ann), .password_hash = STR("second")};
	DO(&w, engine_update_user, &user);
	assert_false(is_good(&w, text));
	text = issue(&w, IDENTITY_ACCOUNT, w.account);
	assert_true(is_good(&w, text));
	struct token_revocation_wish revocation = {w.token.audit, w.token.user, w.token.expires_us};
	DO(&w, engine_revoke_token, &revocation);
	DO(&w, engine_revoke_token, &revocation);
	assert_false(is_good(&w, text));
	text = issue(&w, IDENTITY_ACCOUNT, w.account);
	assert_true(is_good(&w, text));
	clock_advance_us(HOUR - 1);
	assert_true(is_good(&w, text));
	clock_advance_us(1);
	assert_false(is_good(&w, text));
	struct token_revocation_sweep sweep = {.max = 10};
	DO(&w, engine_sweep_token_revocations, &sweep);
	{
		AUTO_VIEW v;
		view_open(w.store, &v);
		assert_int_equal(tables_count(v.tables, KIND_TOKEN_REVOCATION), 0);
	}
	text = issue(&w, IDENTITY_ACCOUNT, w.account);
	struct user_target gone = {to(KIND_USER, w.ann)};
	DO(&w, engine_delete_user, &gone);
	assert_false(is_good(&w, text));
	end_world(&w);
}

static void test_application_credential(void **state)
{
	struct token_world w = make_world(state);
	struct role_grant member = {.account = to(KIND_ACCOUNT, w.account)};
	grant(&w, "member", member);
	struct ref reader = named(KIND_ROLE, "reader");
	struct application_credential_wish wish = {.user = to(KIND_USER, w.ann),
						   .account = to(KIND_ACCOUNT, w.account),
						   .name = STR("program"),
						   .roles = {&reader, 1},
						   .secret_hash = STR("hash"),
						   .expires_us = T0 + MINUTE};
	DO(&w, engine_create_application_credential, &wish);
	struct token token = {.scope = IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_APPLICATION_CREDENTIAL,
			      .user = w.ann,
			      .where = w.account,
			      .application_credential = wish.credential};
	struct str text = STR_NONE;
	assert_ok(token_issue(w.tokens, w.c, &token, &text));
	assert_true(is_good(&w, text));
	assert_int_equal(w.who->rights, RIGHT(READER)); /* not the user's whole */
	assert_true(w.who->is_restricted);
	member.role = named(KIND_ROLE, "member");
	member.user = to(KIND_USER, w.ann);
	DO(&w, engine_revoke_role, &member);
	assert_false(is_good(&w, text)); /* a role that the user lost */
	DO(&w, engine_grant_role, &member);
	assert_true(is_good(&w, text));
	clock_advance_us(MINUTE);
	assert_false(is_good(&w, text));
	end_world(&w);
}

/* ---- trusts ---- */

static uuid new_user(struct token_world *w, const char *name)
{
	struct user_wish user = {.name = str_from(name), .domain = to(KIND_DOMAIN, w->domain)};
	DO(w, engine_create_user, &user);
	return user.user;
}

static uuid new_trust(struct token_world *w, struct identity *by, struct trust_wish *wish)
{
	const struct identity *before = w->c->who;
	engine_act_by_roles(w->c, by);
	DO(w, engine_create_trust, wish);
	engine_act_by_roles(w->c, before);
	return wish->trust;
}

static struct str issue_of_trust(struct token_world *w, uuid user, uuid trust)
{
	struct token token = {.scope = IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_PASSWORD,
			      .user = user,
			      .where = w->account,
			      .trust = trust};
	struct str text = STR_NONE;
	assert_ok(token_issue(w->tokens, w->c, &token, &text));
	return text;
}

/* The roles that bob gets by ann's trust, with and without impersonation, and everything that ends the
 * trust. */
static void test_trust(void **state)
{
	struct token_world w = make_world(state);
	struct role_grant member = {.account = to(KIND_ACCOUNT, w.account)};
	struct ref reader = named(KIND_ROLE, "reader");
	grant(&w, "member", member);
	uuid bob = new_user(&w, "bob");
	struct identity ann = {
		.scope = IDENTITY_ACCOUNT, .account = w.account, .user = w.ann, .rights = RIGHTS_OF_MEMBER};
	struct trust_wish wish = {.trustor = to(KIND_USER, w.ann),
				  .trustee = to(KIND_USER, bob),
				  .account = to(KIND_ACCOUNT, w.account),
				  .roles = {&reader, 1},
				  .impersonation = true};
	struct str as_ann = issue_of_trust(&w, bob, new_trust(&w, &ann, &wish));
	wish.impersonation = false;
	uuid own = new_trust(&w, &ann, &wish);
	struct str as_bob = issue_of_trust(&w, bob, own);
	assert_true(is_good(&w, as_ann));
	assert_true(uuid_equal(w.who->user, w.ann) && uuid_equal(w.who->trustee, bob));
	assert_int_equal(w.who->rights, RIGHT(READER)); /* not ann's whole */
	assert_true(is_good(&w, as_bob) && uuid_equal(w.who->user, bob));
	assert_false(is_good(&w, issue_of_trust(&w, w.ann, own))); /* she is not its trustee */
	struct user_change change = {.user = to(KIND_USER, w.ann), .enabled = CHOICE_NO};
	DO(&w, engine_update_user, &change);
	assert_false(is_good(&w, as_bob) || is_good(&w, as_ann));
	change.enabled = CHOICE_YES;
	clock_advance_us(SECOND);
	DO(&w, engine_update_user, &change);
	as_ann = issue_of_trust(&w, bob, wish.trust);
	as_bob = issue_of_trust(&w, bob, own);
	assert_true(is_good(&w, as_bob));
	member.role = named(KIND_ROLE, "member");
	member.user = to(KIND_USER, w.ann);
	DO(&w, engine_revoke_role, &member);
	assert_false(is_good(&w, as_bob)); /* a role that ann lost */
	DO(&w, engine_grant_role, &member);
	assert_true(is_good(&w, as_bob));
	struct trust_target gone = {own};
	DO(&w, engine_delete_trust, &gone);
	assert_false(is_good(&w, as_bob));
	struct user_target user = {to(KIND_USER, w.ann)};
	DO(&w, engine_delete_user, &user);
	assert_false(is_good(&w, as_ann));
	end_world(&w);
}

/* ann lets bob, who lets cat: what ends the first trust, or bob, ends the second one. */
static void test_chain(void **state)
{
	struct token_world w = make_world(state);
	struct role_grant member = {.account = to(KIND_ACCOUNT, w.account)};
	struct ref reader = named(KIND_ROLE, "reader");
	grant(&w, "member", member);
	uuid bob = new_user(&w, "bob"), cat = new_user(&w, "cat");
	struct identity ann = {
		.scope = IDENTITY_ACCOUNT, .account = w.account, .user = w.ann, .rights = RIGHTS_OF_MEMBER};
	struct trust_wish wish = {.trustor = to(KIND_USER, w.ann),
				  .trustee = to(KIND_USER, bob),
				  .account = to(KIND_ACCOUNT, w.account),
				  .roles = {&reader, 1},
				  .allow_redelegation = true};
	uuid first = new_trust(&w, &ann, &wish);
	assert_true(is_good(&w, issue_of_trust(&w, bob, first)));
	struct identity by_trust = *w.who;
	wish.trustor = to(KIND_USER, bob);
	wish.trustee = to(KIND_USER, cat);
	struct str text = issue_of_trust(&w, cat, new_trust(&w, &by_trust, &wish));
	assert_true(is_good(&w, text));
	struct user_change change = {.user = to(KIND_USER, bob), .enabled = CHOICE_NO};
	DO(&w, engine_update_user, &change);
	assert_false(is_good(&w, text));
	change.enabled = CHOICE_YES;
	clock_advance_us(SECOND);
	DO(&w, engine_update_user, &change);
	text = issue_of_trust(&w, cat, wish.trust);
	assert_true(is_good(&w, text));
	struct trust_target gone = {first};
	DO(&w, engine_delete_trust, &gone);
	assert_false(is_good(&w, text));
	end_world(&w);
}

static void test_mutated(void **state)
{
	struct token_world w = make_world(state);
	struct str text = issue(&w, IDENTITY_UNSCOPED, UUID_NONE);
	char mutated[TOKEN_TEXT_SIZE + 1] = {0};
	assert_true(is_good(&w, text));
	for (size_t k = 0; k < text.n; k++) {
		memcpy(mutated, text.p, text.n);
		mutated[k] = mutated[k] == 'A' ? 'B' : 'A';
		assert_false(is_good(&w, (struct str){mutated, text.n}));
	}
	assert_false(is_good(&w, str_slice(text, 0, text.n - 1)));
	assert_false(is_good(&w, (struct str){mutated, text.n + 1}));
	assert_false(is_good(&w, STR_NONE));
	memset(mutated, ' ', text.n);
	assert_false(is_good(&w, (struct str){mutated, text.n}));
	end_world(&w);
}

/* ---- sessions of the console's pages ---- */

static bool is_session_good(struct token_world *w, struct str text)
{
	ctx_clear_problem(w->c);
	struct result r = token_check_session(w->tokens, w->c, text, &w->token, &w->who);
	assert_true(result_is_ok(r) || r.code == ERR_UNAUTHENTICATED);
	return result_is_ok(r);
}

static struct str issue_session(struct token_world *w, struct token *session)
{
	struct str text = STR_NONE;
	assert_ok(token_issue_session(w->tokens, w->c, session, &text));
	assert_int_equal(text.n, TOKEN_TEXT_SIZE);
	return text;
}

/* A session is no token of Keystone's, and such a token no session. */
static void test_sessions_are_apart(void **state)
{
	struct token_world w = make_world(state);
	struct token session = {.scope = IDENTITY_UNSCOPED, .user = w.ann};
	struct str text = issue_session(&w, &session), token = issue(&w, IDENTITY_UNSCOPED, UUID_NONE);
	assert_true(is_session_good(&w, text));
	assert_int_equal(w.token.expires_us - w.token.issued_us, TOKEN_SESSION_IDLE_US);
	assert_int_equal(w.token.begun_us, w.token.issued_us);
	assert_false(is_good(&w, text) || is_session_good(&w, token));
	end_world(&w);
}

/* The next token is the same session's: it ends no later than the whole may, and with the session. */
static void test_session_goes_on(void **state)
{
	struct token_world w = make_world(state);
	struct token session = {.scope = IDENTITY_UNSCOPED, .user = w.ann};
	struct str first = issue_session(&w, &session);
	uuid parent = session.parent, audit = session.audit;
	session.begun_us -= TOKEN_SESSION_WHOLE_US - 5 * MINUTE;
	int64_t begun_us = session.begun_us;
	struct str next = issue_session(&w, &session);
	assert_true(is_session_good(&w, first) && is_session_good(&w, next));
	assert_true(uuid_equal(session.parent, parent) && !uuid_equal(session.audit, audit));
	assert_int_equal(w.token.begun_us, begun_us);
	assert_int_equal(w.token.expires_us, begun_us + TOKEN_SESSION_WHOLE_US);
	struct token_revocation_wish end = {parent, w.ann, w.token.expires_us};
	DO(&w, engine_revoke_token, &end);
	assert_false(is_session_good(&w, first) || is_session_good(&w, next));
	end_world(&w);
}

static void test_session_whole_is_over(void **state)
{
	struct token_world w = make_world(state);
	struct token session = {.scope = IDENTITY_UNSCOPED, .user = w.ann};
	(void) issue_session(&w, &session);
	session.begun_us -= TOKEN_SESSION_WHOLE_US + SECOND;
	assert_false(is_session_good(&w, issue_session(&w, &session)));
	end_world(&w);
}

/* A session opened with an access key is invalid if the key does not exist. */
static void test_session_of_no_key(void **state)
{
	struct token_world w = make_world(state);
	grant(&w, "member", (struct role_grant){.account = to(KIND_ACCOUNT, w.account)});
	struct token session = {.scope = IDENTITY_ACCOUNT, .user = w.ann, .where = w.account};
	assert_true(is_session_good(&w, issue_session(&w, &session)));
	session.access_key = uuid_random();
	assert_false(is_session_good(&w, issue_session(&w, &session)));
	end_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_scopes),
					   ctx_test(test_groups),
					   ctx_test(test_ends),
					   ctx_test(test_application_credential),
					   ctx_test(test_trust),
					   ctx_test(test_chain),
					   ctx_test(test_mutated),
					   ctx_test(test_sessions_are_apart),
					   ctx_test(test_session_goes_on),
					   ctx_test(test_session_whole_is_over),
					   ctx_test(test_session_of_no_key)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
