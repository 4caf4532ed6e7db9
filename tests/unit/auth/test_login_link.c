/* SPDX-License-Identifier: Apache-2.0
 * One-time links: valid once, for a limited time, and limited in number. */
#include "../base/test_base.h"

#include "auth/sign_in/login_link.h"
#include "base/clock.h"

static struct str issue(struct ctx *c, struct login_links *e, uuid user, int64_t lifetime_us)
{
	struct str secret = STR_NONE;
	const struct entry entry = {.user = user, .lifetime_us = lifetime_us};
	assert_ok(login_link_issue(e, c, &entry, &secret));
	return secret;
}

static void test_good_once(void **state)
{
	struct ctx *c = *state;
	struct login_links *e = login_links_new();
	uuid user = uuid_random();
	struct entry found = {0};
	struct str secret = issue(c, e, user, 0), late = issue(c, e, user, -SECOND);
	assert_false(login_link_take(e, STR("no such"), &found));
	assert_false(login_link_take(e, STR_NONE, &found));
	assert_false(login_link_take(e, late, &found));
	assert_true(login_link_take(e, secret, &found));
	assert_true(uuid_equal(found.user, user));
	assert_false(login_link_take(e, secret, &found));
	login_links_free(e);
}

static void test_oldest_goes(void **state)
{
	struct ctx *c = *state;
	struct login_links *e = login_links_new();
	struct entry found = {0};
	struct str first = issue(c, e, uuid_random(), SECOND), last = STR_NONE;
	for (int k = 0; k < LOGIN_LINKS_MAX; k++)
		last = issue(c, e, uuid_random(), MINUTE);
	assert_false(login_link_take(e, first, &found));
	assert_true(login_link_take(e, last, &found));
	login_links_free(e);
	login_links_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_good_once),
		ctx_test(test_oldest_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
