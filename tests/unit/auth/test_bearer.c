/* SPDX-License-Identifier: Apache-2.0
 * Bearer tokens: their claims, when they are refused, what ends them, and the signing key that outlives a
 * restart. */
#include "token_world.h"

#include <jansson.h>
#include <unistd.h>

#include "auth/key/key.h"
#include "auth/token/bearer.h"
#include "base/file.h"
#include "engine/people/account/account.h"
#include "engine/people/credential/credential.h"
#include "engine/people/credential/token_revocation.h"
#include "model/access_key.h"

static const uint8_t master[MASTER_KEY_SIZE] = {1, 2, 3};
static const struct bearer_words of_person = {STR("https://here/"), STR("https://here/adfs"), STR("ann")};
static const struct bearer_words of_program = {STR("https://here/"), STR("https://here/adfs"), STR_NONE};

struct scene {
	struct token_world w;
	struct bearers *bearers;
	struct bearer bearer;
};

static struct bearers *open_bearers(struct token_world *w, const char *path)
{
	struct bearers *b = NULL;
	const struct bearers_config config = {
		.store = w->store, .tokens = w->tokens, .key_path = path, .lifetime_us = HOUR};
	assert_ok(bearers_new(w->c, &config, &b));
	return b;
}

static struct scene make(void **state)
{
	struct scene s = {.w = make_world(state)};
	grant(&s.w, "member", (struct role_grant){.account = to(KIND_ACCOUNT, s.w.account)});
	s.bearers = open_bearers(&s.w, NULL);
	s.bearer = (struct bearer){.user = s.w.ann, .tenant = s.w.domain};
	return s;
}

static void end(struct scene *s)
{
	bearers_free(s->bearers);
	end_world(&s->w);
}

static struct str issue(struct scene *s, const struct bearer_words *words)
{
	struct str text = STR_NONE;
	assert_ok(bearer_issue(s->bearers, s->w.c, &s->bearer, words, &text));
	return text;
}

static enum err check(struct scene *s, struct str text)
{
	struct bearer bearer = {0};
	ctx_clear_problem(s->w.c);
	return bearer_check(s->bearers, s->w.c, text, &bearer).code;
}

static enum err weigh(struct scene *s, struct str text, uuid account)
{
	struct bearer bearer = {0};
	ctx_clear_problem(s->w.c);
	assert_ok(bearer_check(s->bearers, s->w.c, text, &bearer));
	return bearer_weigh(s->bearers, s->w.c, &bearer, account, &s->w.who).code;
}

static struct str part_of(struct str text, int number)
{
	struct str part = STR_NONE;
	for (int k = 0; k <= number; k++)
		assert_true(str_split_next(&text, '.', &part));
	return part;
}

static void test_what_it_says(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s, &of_person), said = STR_NONE, proof = STR_NONE, id, n, e;
	assert_ok(str_decode_base64url(s.w.c->arena, part_of(text, 1), &said));
	json_t *claims = json_loadb(said.p, said.n, JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(json_string_value(json_object_get(claims, "aud")), "https://here/");
	assert_string_equal(json_string_value(json_object_get(claims, "upn")), "ann");
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), (T0 + HOUR) / SECOND);
	assert_null(json_object_get(claims, "appid"));
	json_decref(claims);
	/* the published key verifies the signature */
	assert_ok(bearers_read_key(s.bearers, s.w.c, &id, &n, &e));
	assert_ok(str_decode_base64url(s.w.c->arena, n, &n));
	assert_ok(str_decode_base64url(s.w.c->arena, e, &e));
	assert_ok(str_decode_base64url(s.w.c->arena, part_of(text, 2), &proof));
	size_t size = part_of(text, 0).n + 1 + part_of(text, 1).n;
	assert_true(crypto_verify_rs256(n, e, str_slice(text, 0, size), proof));
	end(&s);
}

static void test_what_is_none(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s, &of_person);
	assert_int_equal(check(&s, text), ERR_NONE);
	assert_int_equal(check(&s, STR("")), ERR_UNAUTHENTICATED);
	assert_int_equal(check(&s, STR("..")), ERR_UNAUTHENTICATED);
	assert_int_equal(check(&s, str_slice(text, 0, text.n - 4)), ERR_UNAUTHENTICATED);
	for (int k = 0; k < 3; k++) { /* any other character in any part */
		char *other = (char *) str_to_z(s.w.c->arena, text);
		size_t at = (size_t) (part_of(text, k).p - text.p) + 5;
		other[at] = other[at] == 'A' ? 'B' : 'A';
		assert_int_equal(check(&s, (struct str){other, text.n}), ERR_UNAUTHENTICATED);
	}
	struct bearers *others = open_bearers(&s.w, NULL); /* another region's */
	struct str foreign = STR_NONE;
	assert_ok(bearer_issue(others, s.w.c, &s.bearer, &of_person, &foreign));
	assert_int_equal(check(&s, foreign), ERR_UNAUTHENTICATED);
	bearers_free(others);
	end(&s);
}

enum { WIDE = 1100 };

/* Claims of a token that was seen before are not read again: they are the same, and hold no longer. */
static void test_seen_before(void **state)
{
	struct scene s = make(state);
	static const struct bearer_words of_refresh = {.audience = {"https://here/", 13},
						       .name = {"ann", 3},
						       .use = BEARER_REFRESH,
						       .client = {"cli", 3}};
	struct bearer_words wide = of_person;
	char *name = arena_alloc(s.w.c->arena, WIDE);
	memset(name, 'n', WIDE);
	wide.name = (struct str){name, WIDE}; /* exceeds the room of a known token */
	const struct bearer_words *all[] = {&of_person, &wide};
	for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
		struct bearer first = {0}, again = {0};
		struct str text = issue(&s, all[k]);
		assert_ok(bearer_check(s.bearers, s.w.c, text, &first));
		assert_ok(bearer_check(s.bearers, s.w.c, text, &again));
		assert_true(uuid_equal(first.user, again.user) && uuid_equal(first.tenant, again.tenant));
		assert_true(uuid_equal(first.audit, again.audit) && first.expires_us == again.expires_us);
		assert_true(first.issued_us == again.issued_us && str_equal(first.audience, again.audience));
		assert_true(str_equal(first.name, again.name) && str_equal(again.name, all[k]->name));
		assert_true(str_is_empty(again.key_id) && str_is_empty(again.session) &&
			    str_is_empty(again.client));
		assert_int_equal(bearer_check_refresh(s.bearers, s.w.c, text, &again).code,
				 ERR_UNAUTHENTICATED);
		assert_int_equal(check(&s, text), ERR_NONE);
	}
	struct bearer read = {0};
	struct str refresh = issue(&s, &of_refresh);
	for (int k = 0; k < 2; k++) {
		ctx_clear_problem(s.w.c);
		assert_ok(bearer_check_refresh(s.bearers, s.w.c, refresh, &read));
		assert_true(str_is(read.client, "cli"));
		assert_int_equal(check(&s, refresh), ERR_UNAUTHENTICATED); /* it is no access token */
	}
	end(&s);
}

static void test_its_time(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s, &of_person);
	clock_set_us(T0 + HOUR - 1);
	assert_int_equal(check(&s, text), ERR_NONE);
	clock_set_us(T0 + HOUR);
	assert_int_equal(check(&s, text), ERR_EXPIRED);
	end(&s);
}

/* Programs refuse what is not valid yet: a clock that was set back shows in the claims, not in what a changed password ends. */
static void test_a_clock_that_was_set_back(void **state)
{
	struct scene s = make(state);
	struct str json = STR_NONE;
	clock_set_us(0);
	(void) issue(&s, &of_person);
	int64_t before_us = s.bearer.issued_us;
	clock_set_wall_us(-HOUR);
	struct str text = issue(&s, &of_person);
	int64_t now_s = clock_now_us() / SECOND;
	assert_ok(str_decode_base64url(s.w.c->arena, part_of(text, 1), &json));
	json_t *claims = json_loadb(json.p, json.n, 0, NULL);
	assert_true(json_integer_value(json_object_get(claims, "nbf")) <= now_s);
	assert_true(json_integer_value(json_object_get(claims, "iat")) <= now_s);
	json_decref(claims);
	struct bearer read = {0};
	assert_ok(bearer_check(s.bearers, s.w.c, text, &read));
	assert_int_equal(read.issued_us, s.bearer.issued_us);
	assert_true(read.issued_us >= before_us);
	clock_set_wall_us(0);
	clock_set_us(T0);
	end(&s);
}

static void test_a_person(void **state)
{
	struct scene s = make(state);
	struct str text = issue(&s, &of_person);
	assert_int_equal(weigh(&s, text, UUID_NONE), ERR_NONE);
	assert_int_equal(s.w.who->scope, IDENTITY_UNSCOPED);
	assert_int_equal(weigh(&s, text, s.w.account), ERR_NONE);
	assert_true(uuid_equal(s.w.who->account, s.w.account));
	assert_int_equal(s.w.who->rights, RIGHTS_OF_MEMBER);
	assert_int_equal(weigh(&s, text, uuid_random()), ERR_UNAUTHENTICATED);
	struct token_revocation_wish end_it = {s.bearer.audit, s.w.ann, s.bearer.expires_us};
	DO(&s.w, engine_revoke_token, &end_it);
	assert_int_equal(weigh(&s, text, s.w.account), ERR_UNAUTHENTICATED);
	end(&s);
}

static struct str make_key(struct scene *s)
{
	struct access_key key = {.row.id = uuid_random()};
	struct str secret = STR_NONE;
	assert_ok(key_draw(s->w.c, master, &key, &secret));
	struct access_key_wish wish = {
		.account = to(KIND_ACCOUNT, s->w.account), .user = to(KIND_USER, s->w.ann), .key = &key};
	DO(&s->w, engine_create_access_key, &wish);
	return str_copy(s->w.c->arena, key.key_id);
}

static void test_a_program(void **state)
{
	struct scene s = make(state);
	s.bearer.key_id = make_key(&s);
	struct str text = issue(&s, &of_program);
	assert_int_equal(weigh(&s, text, UUID_NONE), ERR_NONE);
	assert_true(uuid_equal(s.w.who->account, s.w.account)); /* the key's own */
	assert_int_equal(s.w.who->rights, RIGHTS_OF_MEMBER);
	assert_int_equal(weigh(&s, text, s.w.account), ERR_NONE);
	assert_int_equal(weigh(&s, text, uuid_random()), ERR_UNAUTHENTICATED);
	struct access_key_target target = {.key_id = s.bearer.key_id};
	DO(&s.w, engine_delete_access_key, &target);
	assert_int_equal(weigh(&s, text, s.w.account), ERR_UNAUTHENTICATED);
	end(&s);
}

/* A certificate of a user without an account of its own proves who calls; a role says what that user may do. */
static void test_a_certificate(void **state)
{
	struct scene s = make(state);
	struct credential_wish wish = {.id = uuid_random(),
				       .user = to(KIND_USER, s.w.ann),
				       .type = STR("certificate"),
				       .secret = STR("sealed")};
	struct credential_target target = {wish.id};
	DO(&s.w, engine_create_credential, &wish);
	s.bearer.certificate = wish.id;
	struct str text = issue(&s, &of_program);
	assert_int_equal(weigh(&s, text, s.w.account), ERR_NONE);
	assert_true(uuid_equal(s.w.who->account, s.w.account));
	assert_int_equal(s.w.who->rights, RIGHTS_OF_MEMBER);
	assert_int_equal(weigh(&s, text, UUID_NONE), ERR_NONE);
	assert_int_equal(weigh(&s, text, uuid_random()), ERR_UNAUTHENTICATED);
	DO(&s.w, engine_delete_credential, &target);
	assert_int_equal(weigh(&s, text, s.w.account), ERR_UNAUTHENTICATED);
	end(&s);
}

/* Tokens that were signed before a restart are valid after it. */
static void test_its_file(void **state)
{
	struct scene s = make(state);
	char path[] = "/tmp/dari-bearer-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void) close(fd);
	(void) unlink(path);
	bearers_free(s.bearers);
	s.bearers = open_bearers(&s.w, path);
	struct str text = issue(&s, &of_person);
	bearers_free(s.bearers);
	s.bearers = open_bearers(&s.w, path);
	assert_int_equal(check(&s, text), ERR_NONE);
	assert_ok(file_write_synced(s.w.c, path, STR("no key"), 0600));
	bearers_free(s.bearers);
	s.bearers = open_bearers(&s.w, path);
	assert_int_equal(check(&s, text), ERR_INVALID); /* reported, and the file is not overwritten */
	(void) unlink(path);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_what_it_says),
					   ctx_test(test_what_is_none),
					   ctx_test(test_seen_before),
					   ctx_test(test_its_time),
					   ctx_test(test_a_clock_that_was_set_back),
					   ctx_test(test_a_person),
					   ctx_test(test_a_program),
					   ctx_test(test_a_certificate),
					   ctx_test(test_its_file)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
