/* SPDX-License-Identifier: Apache-2.0
 * The live stream: delivery by rights, resumption after a gap, slow readers, and the end when rights are
 * withdrawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "api/native/feed.h"
#include "auth/sign_in/session.h"
#include "auth/token/token.h"
#include "base/clock.h"
#include "engine/people/credential/application_credential.h"
#include "engine/people/user.h"
#include "engine/tag.h"
#include "world.h"

struct watcher {
	struct viewer *viewer;
	struct http_stream *stream;
};

struct stage {
	struct world w;
	struct feed *feed;
};

static struct stage *begin(void)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	world_make(&s->w);
	world_settle(&s->w, 10 * MINUTE);
	const struct feed_config config = {
		.store = s->w.store, .executor = s->w.executor, .tokens = s->w.tokens};
	assert_true(result_is_ok(feed_new(&s->w.c, &config, &s->feed)));
	return s;
}

static void end(struct stage *s, struct watcher *watchers, size_t count)
{
	feed_free(s->feed);
	for (size_t k = 0; k < count; k++) {
		assert_true(watchers[k].stream->is_free);
		fake_stream_forget(watchers[k].stream);
	}
	world_done(&s->w);
	free(s);
}

static struct token token_of(struct stage *s, const struct world_user *user)
{
	struct token token = {.scope = IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_PASSWORD,
			      .user = user->who.user,
			      .where = user->who.account};
	struct str text = STR_NONE;
	assert_true(result_is_ok(token_issue(s->w.tokens, &s->w.c, &token, &text)));
	return token;
}

static RESULT admit_by(struct stage *s, const struct feed_wish *wish, struct watcher *ret_watcher)
{
	TRY(feed_admit(s->feed, &s->w.c, wish, &ret_watcher->viewer));
	ret_watcher->stream = calloc(1, sizeof *ret_watcher->stream);
	assert_non_null(ret_watcher->stream);
	ret_watcher->stream->owner = feed_owner_of(ret_watcher->viewer);
	ret_watcher->stream->cap_size = FEED_UNSENT_MAX;
	buf_init(&ret_watcher->stream->unsent, FEED_UNSENT_MAX);
	feed_start(ret_watcher->viewer, ret_watcher->stream);
	return OK;
}

static RESULT admit(struct stage *s, const struct world_user *user, const char *since,
		    struct watcher *ret_watcher)
{
	struct feed_wish wish = {
		.token = token_of(s, user), .account = user->who.account, .since = str_from(since)};
	struct token token;
	struct identity *who = NULL;
	struct str text = STR_NONE;
	token = wish.token;
	TRY(token_issue(s->w.tokens, &s->w.c, &token, &text));
	TRY(token_check(s->w.tokens, &s->w.c, text, &(struct token_use){0}, &token,
			&who)); /* with the rights that its roles give */
	wish.who = who;
	wish.kinds[KIND_ROUTER] = wish.kinds[KIND_SUBNET] = true;
	return admit_by(s, &wish, ret_watcher);
}

static struct watcher watch(struct stage *s, const struct world_user *user, const char *since)
{
	struct watcher watcher = {0};
	assert_true(result_is_ok(admit(s, user, since, &watcher)));
	return watcher;
}

/* Lets half a second pass. */
static void wait(struct stage *s)
{
	int64_t until = clock_now_us() + SECOND / 2;
	while (executor_step(s->w.executor, until))
		;
	clock_set_us(until);
}

static struct str told(struct stage *s, struct watcher *watcher)
{
	wait(s);
	return fake_stream_take(watcher->stream, s->w.arena);
}

static struct str make_vpc(struct stage *s, const struct world_user *user)
{
	struct world_answer answer = world_post(&s->w, user, STR("Action=CreateVpc&CidrBlock=10.7.0.0/16"));
	assert_int_equal(answer.status, 200);
	return world_element(answer.body, "vpcId");
}

static bool has(struct str text, const char *part)
{
	return str_contains(text, str_from(part));
}

static void test_told(void **state)
{
	struct stage *s = begin();
	struct watcher both[] = {watch(s, &s->w.alice, ""), watch(s, &s->w.bob, "")};
	(void) state;
	(void) told(s, &both[0]);
	struct str vpc = make_vpc(s, &s->w.alice);
	struct str text = told(s, &both[0]);
	assert_true(has(text, "event: rows") && str_contains(text, vpc));
	assert_false(has(text, "\"kind\":\"port\"")); /* ports were not subscribed */
	assert_false(has(told(s, &both[1]), "event: rows"));
	struct str drop = str_print(s->w.arena, "Action=DeleteVpc&VpcId=%" STR_FMT, STR_ARG(vpc));
	assert_int_equal(world_post(&s->w, &s->w.alice, drop).status, 200);
	world_settle(&s->w, MINUTE);
	text = told(s, &both[0]);
	assert_true(has(text, "\"gone\":[{\"kind\":\"router\""));
	assert_false(has(told(s, &both[1]), "event: rows"));
	end(s, both, 2);
}

static void test_gap(void **state)
{
	struct stage *s = begin();
	struct watcher first = watch(s, &s->w.alice, "");
	(void) state;
	(void) told(s, &first);
	(void) make_vpc(s, &s->w.alice);
	struct str text = told(s, &first), line = STR_NONE;
	assert_true(str_split_next(&text, '\n', &line) && str_starts_with(line, STR("id: ")));
	const char *id = str_to_z(s->w.arena, str_slice(line, 4, line.n));
	struct str vpc = make_vpc(s, &s->w.alice); /* while no client is connected */
	struct watcher back[] = {first, watch(s, &s->w.alice, id), watch(s, &s->w.alice, "1-5")};
	text = told(s, &back[1]);
	assert_true(has(text, "event: rows") && str_contains(text, vpc) && !has(text, "event: reset"));
	assert_true(has(told(s, &back[2]), "event: reset")); /* of another process */
	end(s, back, 3);
}

static void test_slow(void **state)
{
	struct stage *s = begin();
	struct watcher slow = watch(s, &s->w.alice, "");
	(void) state;
	(void) told(s, &slow);
	for (size_t k = 0; k < FEED_UNSENT_WAITS; k++)
		buf_add_char(&slow.stream->unsent, 'x');
	buf_add_char(&slow.stream->unsent, 'x');
	struct str vpc = make_vpc(s, &s->w.alice);
	wait(s);
	assert_int_equal(slow.stream->unsent.size, FEED_UNSENT_WAITS + 1); /* passed over */
	(void) fake_stream_take(slow.stream, s->w.arena);
	assert_true(str_contains(told(s, &slow), vpc)); /* delivered after the client has read */
	end(s, &slow, 1);
}

static RESULT disable(struct op *op, void *arg)
{
	const struct world_user *user = arg;
	struct user_change wish = {.user = ref_by_id(KIND_USER, user->who.user), .enabled = CHOICE_NO};
	return engine_update_user(op, &wish);
}

static void test_rights(void **state)
{
	struct stage *s = begin();
	struct world_user carol = {0};
	(void) state;
	world_add_user(&s->w, "carol", s->w.alice.who.account, "member", &carol);
	struct watcher both[] = {watch(s, &carol, ""), watch(s, &s->w.bob, "")};
	(void) told(s, &both[0]);
	assert_true(result_is_ok(world_do(&s->w, &s->w.operator, disable, &carol)));
	(void) make_vpc(s, &s->w.admin);
	struct str text = told(s, &both[0]);
	assert_true(has(text, "event: bye") && has(text, "signed-out") && both[0].stream->is_ended);
	assert_false(has(told(s, &both[1]), "bye"));
	end(s, both, 2);
}

/* Waits in half seconds, as the feed's own timer runs. */
static struct str told_within(struct stage *s, struct watcher *watcher, unsigned seconds)
{
	struct str all = STR("");
	for (unsigned k = 0; k < 2 * seconds; k++) {
		struct str more = told(s, watcher);
		all = str_print(s->w.arena, "%" STR_FMT "%" STR_FMT, STR_ARG(all), STR_ARG(more));
	}
	return all;
}

/* Temporary credentials and application credentials end by the clock alone: no row changes then. */
static void test_expiry(void **state)
{
	struct stage *s = begin();
	int64_t end_us = clock_now_us() + 90 * SECOND;
	const struct session session = {.expires_us = end_us};
	struct identity who = s->w.alice.who;
	struct application_credential_wish wish = {.user = ref_by_id(KIND_USER, who.user),
						   .account = ref_by_id(KIND_ACCOUNT, who.account),
						   .name = STR("pipeline"),
						   .expires_us = end_us};
	struct feed_wish of_session = {.who = &who, .account = who.account};
	struct feed_wish of_credential = {
		.who = &who, .account = who.account, .token = token_of(s, &s->w.alice)};
	struct watcher both[2];
	(void) state;
	assert_true(result_is_ok(
		world_do(&s->w, &s->w.alice.who, engine_create_application_credential_run, &wish)));
	of_credential.token.application_credential = wish.credential;
	assert_true(result_is_ok(admit_by(s, &of_credential, &both[1])));
	who.session = &session;
	assert_true(result_is_ok(admit_by(s, &of_session, &both[0])));
	for (size_t k = 0; k < 2; k++)
		assert_false(has(told_within(s, &both[k], 40), "bye"));
	assert_true(has(told_within(s, &both[0], 40), "\"expired\""));
	assert_true(has(told_within(s, &both[1], 60), "\"signed-out\""));
	end(s, both, 2);
}

static void test_bounds(void **state)
{
	struct stage *s = begin();
	struct watcher all[FEED_STREAMS_OF_USER + 1];
	(void) state;
	for (size_t k = 0; k < FEED_STREAMS_OF_USER; k++)
		all[k] = watch(s, &s->w.alice, "");
	struct result more = admit(s, &s->w.alice, "", &all[FEED_STREAMS_OF_USER]);
	assert_int_equal(more.code, ERR_THROTTLED);
	ctx_clear_problem(&s->w.c);
	wait(s);
	struct feed_figures figures;
	feed_read_figures(s->feed, &figures);
	assert_int_equal(figures.viewers, FEED_STREAMS_OF_USER);
	all[0].stream->owner.gone(all[0].stream->owner.arg); /* its client has left */
	wait(s);
	feed_read_figures(s->feed, &figures);
	assert_int_equal(figures.viewers, FEED_STREAMS_OF_USER - 1);
	all[FEED_STREAMS_OF_USER] = watch(s, &s->w.alice, "");
	end(s, all, FEED_STREAMS_OF_USER + 1);
}

/* A viewer of a user that nobody else is. */
static struct result admit_one(struct stage *s, uuid account, bool is_admin, struct viewer **ret_viewer)
{
	struct identity who = s->w.alice.who;
	struct feed_wish wish = {.who = &who, .account = account};
	who.user = uuid_random();
	who.account = account;
	who.rights = is_admin ? ~0U : RIGHTS_OF_MEMBER;
	struct result result = feed_admit(s->feed, &s->w.c, &wish, ret_viewer);
	ctx_clear_problem(&s->w.c);
	return result;
}

/* However many users it has, an account has a share of the streams, and the last ones are administrators'. */
static void test_shares(void **state)
{
	struct stage *s = begin();
	static struct viewer *all[FEED_STREAMS_MAX + 1]; /* too large for a stack frame */
	unsigned count = 0, free_places = FEED_STREAMS_MAX - FEED_STREAMS_RESERVE;
	(void) state;
	while (count < FEED_STREAMS_OF_ACCOUNT)
		assert_true(result_is_ok(admit_one(s, s->w.alice.who.account, false, &all[count++])));
	assert_int_equal(admit_one(s, s->w.alice.who.account, false, &all[count]).code, ERR_THROTTLED);
	while (count < free_places)
		assert_true(result_is_ok(admit_one(s, uuid_random(), false, &all[count++])));
	assert_int_equal(admit_one(s, uuid_random(), false, &all[count]).code, ERR_THROTTLED);
	while (count < FEED_STREAMS_MAX)
		assert_true(result_is_ok(admit_one(s, uuid_random(), true, &all[count++])));
	assert_int_equal(admit_one(s, uuid_random(), true, &all[count]).code, ERR_THROTTLED);
	while (count)
		feed_start(all[--count], NULL);
	end(s, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),   cmocka_unit_test(test_gap),    cmocka_unit_test(test_slow),
		cmocka_unit_test(test_rights), cmocka_unit_test(test_bounds), cmocka_unit_test(test_shares),
		cmocka_unit_test(test_expiry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
