/* SPDX-License-Identifier: Apache-2.0
 * Tickets to consoles: their contents, when they are refused, and what ends them. */
#include "token_world.h"

#include "auth/token/ticket.h"
#include "engine/people/credential/token_revocation.h"

static const uint8_t master[MASTER_KEY_SIZE] = {1, 2, 3};
static const uuid instance = {{1, 2}}, host = {{3, 4}};

struct scene {
	struct token_world w;
	struct tickets *tickets;
	struct token token; /* the token of an account's member */
	struct ticket ticket;
};

static struct scene make(void **state)
{
	struct scene s = {.w = make_world(state)};
	struct str text = STR_NONE;
	grant(&s.w, "member", (struct role_grant){.account = to(KIND_ACCOUNT, s.w.account)});
	s.token = (struct token){.scope = IDENTITY_ACCOUNT, .user = s.w.ann, .where = s.w.account};
	assert_ok(token_issue(s.w.tokens, s.w.c, &s.token, &text));
	assert_ok(tickets_new(s.w.c, s.w.tokens, master, &s.tickets));
	return s;
}

static void end(struct scene *s)
{
	tickets_free(s->tickets);
	end_world(&s->w);
}

static struct str issue(struct scene *s)
{
	struct ticket ticket = {
		.console = CONSOLE_DISPLAY, .instance = instance, .host = host, .by = s->token};
	struct str text = STR_NONE;
	assert_ok(ticket_issue(s->tickets, s->w.c, &ticket, &text));
	return text;
}

static bool is_good(struct scene *s, struct str text)
{
	ctx_clear_problem(s->w.c);
	struct result r = ticket_check(s->tickets, s->w.c, text, &s->ticket, &s->w.who);
	assert_true(result_is_ok(r) || r.code == ERR_UNAUTHENTICATED);
	return result_is_ok(r);
}

static void test_what_it_says(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s);
	for (size_t k = 0; k < text.n; k++) /* it must be valid in a URL */
		assert_non_null(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
				       text.p[k], 64));
	assert_true(is_good(&s, text));
	assert_int_equal(s.ticket.console, CONSOLE_DISPLAY);
	assert_true(uuid_equal(s.ticket.instance, instance) && uuid_equal(s.ticket.host, host));
	assert_true(uuid_equal(s.w.who->user, s.w.ann) && uuid_equal(s.w.who->account, s.w.account));
	assert_int_equal(s.w.who->rights, RIGHTS_OF_MEMBER);
	assert_true(is_good(&s, text)); /* as often as they like */
	end(&s);
}

static void test_its_time(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s);
	clock_set_us(T0 + TICKET_LIFETIME_US - 1);
	assert_true(is_good(&s, text));
	clock_set_us(T0 + TICKET_LIFETIME_US);
	assert_false(is_good(&s, text));
	clock_set_us(T0 + HOUR); /* the token's end is not the ticket's */
	assert_true(is_good(&s, issue(&s)));
	end(&s);
}

/* Each character counts; a token is no ticket, another region's is none, and a ticket is no token. */
static void test_forged(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s), token = STR_NONE;
	for (size_t k = 0; k < text.n; k++) {
		char *mutated = (char *) str_copy(s.w.c->arena, text).p;
		mutated[k] = mutated[k] == 'A' ? 'B' : 'A';
		assert_false(is_good(&s, (struct str){mutated, text.n}));
	}
	assert_false(is_good(&s, str_slice(text, 0, text.n - 4)));
	assert_false(is_good(&s, STR_NONE));
	struct token again = s.token;
	assert_ok(token_issue(s.w.tokens, s.w.c, &again, &token));
	assert_false(is_good(&s, token));
	struct token read;
	assert_err(token_check(s.w.tokens, s.w.c, text, &(struct token_use){0}, &read, &s.w.who),
		   UNAUTHENTICATED);
	static const uint8_t other_master[MASTER_KEY_SIZE] = {9};
	AUTO(tickets) other = NULL;
	assert_ok(tickets_new(s.w.c, s.w.tokens, other_master, &other));
	assert_err(ticket_check(other, s.w.c, text, &s.ticket, &s.w.who), UNAUTHENTICATED);
	end(&s);
}

/* A ticket is valid as long as its token. */
static void test_what_ends_it(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s);
	struct token_revocation_wish revoked = {.audit = s.token.audit, .expires_us = s.token.expires_us};
	DO(&s.w, engine_revoke_token, &revoked);
	assert_false(is_good(&s, text));
	s.token.audit = UUID_NONE;
	assert_ok(token_issue(s.w.tokens, s.w.c, &s.token, &text));
	text = issue(&s);
	assert_true(is_good(&s, text));
	struct role_grant gone = {.role = named(KIND_ROLE, "member"),
				  .user = to(KIND_USER, s.w.ann),
				  .account = to(KIND_ACCOUNT, s.w.account)};
	DO(&s.w, engine_revoke_role, &gone);
	assert_false(is_good(&s, text));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_what_it_says), ctx_test(test_its_time),
					   ctx_test(test_forged), ctx_test(test_what_ends_it)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
