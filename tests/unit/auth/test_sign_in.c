/* SPDX-License-Identifier: Apache-2.0
 * Pending sign-ins: the secrets of program and browser, the resulting user, expiry, and the limit on their
 * number. */
#include "auth/sign_in/sign_in.h"
#include "token_world.h"

#include "base/clock.h"

struct scene {
	struct token_world w;
	struct sign_ins *all;
	struct sign_in wish;
	struct str secret, code;
};

static struct scene make(void **state)
{
	struct scene s = {.w = make_world(state), .all = sign_ins_new()};
	assert_non_null(s.all);
	s.wish = (struct sign_in){.kind = SIGN_IN_DEVICE,
				  .client = STR("az"),
				  .scope = STR("openid"),
				  .expires_us = clock_now_us() + MINUTE};
	return s;
}

static void end(struct scene *s)
{
	sign_ins_free(s->all);
	end_world(&s->w);
}

static void add(struct scene *s)
{
	assert_ok(sign_ins_add(s->all, s->w.c, &s->wish, &s->secret, &s->code));
}

static bool take(struct scene *s, enum sign_in_kind kind, struct sign_in *is)
{
	return sign_ins_take(s->all, s->w.c, kind, s->secret, is);
}

static void test_a_device(void **state)
{
	struct scene s = make(state);
	struct sign_in is = {0};
	s.wish.tenant = s.w.domain;
	add(&s);
	assert_int_equal(s.code.n, SIGN_IN_CODE_LETTERS);
	assert_true(take(&s, SIGN_IN_DEVICE, &is)); /* and it waits on */
	assert_true(str_is(is.client, "az") && is.proved_us == 0);
	assert_false(take(&s, SIGN_IN_BROWSER, &is));
	assert_false(sign_ins_prove(s.all, STR("AAAAAAAAA"), s.w.ann, s.w.domain, STR("ann"), 1));
	assert_false(sign_ins_prove(s.all, STR(""), s.w.ann, s.w.domain, STR("ann"), 1));
	struct str typed = str_print(s.w.c->arena, " %" STR_FMT "-%" STR_FMT,
				     STR_ARG(str_lower(s.w.c->arena, str_slice(s.code, 0, 4))),
				     STR_ARG(str_slice(s.code, 4, s.code.n)));
	assert_false(
		sign_ins_prove(s.all, typed, s.w.ann, s.w.account, STR("ann"), 1)); /* another tenant's */
	assert_true(sign_ins_prove(s.all, typed, s.w.ann, s.w.domain, STR("ann"), clock_now_us()));
	assert_false(sign_ins_prove(s.all, s.code, s.w.account, s.w.domain, STR("x"), clock_now_us()));
	assert_true(take(&s, SIGN_IN_DEVICE, &is));
	assert_true(uuid_equal(is.user, s.w.ann) && str_is(is.name, "ann") && str_is(is.scope, "openid"));
	assert_false(take(&s, SIGN_IN_DEVICE, &is)); /* once */
	end(&s);
}

static void test_its_time(void **state)
{
	struct scene s = make(state);
	struct sign_in is = {0};
	add(&s);
	clock_set_us(clock_now_us() + MINUTE);
	assert_false(sign_ins_prove(s.all, s.code, s.w.ann, s.w.domain, STR("ann"), clock_now_us()));
	assert_true(take(&s, SIGN_IN_DEVICE, &is)); /* the answer says that it has expired */
	assert_false(take(&s, SIGN_IN_DEVICE, &is));
	end(&s);
}

static struct ip address(int first, int last)
{
	char text[IP_TEXT_SIZE];
	struct ip ip = {0};
	(void) snprintf(text, sizeof text, "%d.0.%d.%d", first, last >> 8, last & 255);
	assert_ok(ip_parse(str_from(text), &ip));
	return ip;
}

static void test_how_many(void **state)
{
	struct scene s = make(state);
	for (int k = 0; k < SIGN_INS_OF_ONE; k++)
		add(&s);
	assert_int_equal(sign_ins_add(s.all, s.w.c, &s.wish, &s.secret, &s.code).code, ERR_THROTTLED);
	for (int k = SIGN_INS_OF_ONE; k < SIGN_INS_MAX; k++) { /* from other addresses */
		s.wish.peer = address(10, k);
		add(&s);
	}
	s.wish.peer = address(11, 0);
	assert_int_equal(sign_ins_add(s.all, s.w.c, &s.wish, &s.secret, &s.code).code, ERR_THROTTLED);
	clock_set_us(clock_now_us() + MINUTE);
	s.wish.expires_us += MINUTE;
	add(&s);
	char long_text[SIGN_IN_TEXT_MAX + 1] = {0};
	s.wish.scope = (struct str){long_text, sizeof long_text};
	assert_int_equal(sign_ins_add(s.all, s.w.c, &s.wish, &s.secret, &s.code).code, ERR_INVALID);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_a_device), ctx_test(test_its_time),
					   ctx_test(test_how_many)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
