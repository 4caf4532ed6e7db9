/* SPDX-License-Identifier: Apache-2.0
 * Last uses: noted in memory, written in batches, and read again after a restart. */
#include "store/user.h"
#include "token_world.h"

#include "auth/key/last_used.h"
#include "base/random.h"
#include "engine/people/policy/iam_role.h"

static struct last_used *make_uses(const struct token_world *w, struct executor *executor)
{
	const struct last_used_config config = {.store = w->store, .executor = executor, .interval_us = HOUR};
	struct last_used *u = NULL;
	assert_ok(last_used_new(w->c, &config, &u));
	return u;
}

static int64_t written_us(const struct token_world *w, uint64_t *ret_commit)
{
	AUTO_VIEW v;
	view_open(w->store, &v);
	*ret_commit = v.commit;
	return user_find(v.tables, w->ann)->password_used_us;
}

static void test_noted_and_written(void **state)
{
	struct token_world w = make_world(state);
	AUTO(last_used) u = make_uses(&w, NULL);
	struct last_use stored = {.id = w.ann};
	uint64_t before = 0, after = 0, last = 0;
	assert_int_equal(last_used_find(u, w.c->arena, &stored).at_us, 0);
	assert_int_equal(written_us(&w, &before), 0);
	for (int k = 0; k < 100; k++) {
		clock_set_us(T0 + k * SECOND);
		last_used_note(u, KIND_USER, w.ann, STR("identity"), STR("home"));
	}
	struct last_use found = last_used_find(u, w.c->arena, &stored);
	assert_int_equal(found.at_us, T0 + 99 * SECOND);
	assert_true(str_is(found.service, "identity") && str_is(found.region, "home"));
	assert_int_equal(written_us(&w, &after), 0);
	assert_int_equal(after, before); /* a hundred uses, no change */
	assert_ok(last_used_write(u, w.c));
	assert_int_equal(written_us(&w, &after), T0 + 99 * SECOND);
	assert_int_equal(after, before + 1);
	assert_ok(last_used_write(u, w.c)); /* nothing is new */
	(void) written_us(&w, &last);
	assert_int_equal(last, after);
	stored.at_us = T0 + HOUR; /* the row has a later time */
	assert_int_equal(last_used_find(u, w.c->arena, &stored).at_us, T0 + HOUR);
	end_world(&w);
}

static void test_written_at_the_end(void **state)
{
	struct token_world w = make_world(state);
	uint64_t commit = 0;
	struct last_used *u = make_uses(&w, w.executor);
	last_used_note(u, KIND_USER, w.ann, STR("identity"), STR("home"));
	last_used_note(u, KIND_ACCESS_KEY, uuid_random(), STR("ec2"),
		       STR("home")); /* the key does not exist */
	last_used_free(u);
	assert_int_equal(written_us(&w, &commit), T0);
	last_used_note(NULL, KIND_USER, w.ann, STR("identity"), STR("home"));
	assert_ok(last_used_write(NULL, w.c));
	end_world(&w);
}

/* A first use is written soon, because users may wait for it to check a new key. */
static void test_first_use_is_written_soon(void **state)
{
	struct token_world w = make_world(state);
	uint64_t commit = 0;
	AUTO(executor) stepped = executor_new_stepped(1);
	struct last_used *u = make_uses(&w, stepped);
	last_used_note(u, KIND_USER, w.ann, STR("identity"), STR("home"));
	assert_int_equal(written_us(&w, &commit), 0);
	while (!written_us(&w, &commit))
		assert_true(executor_step(stepped, T0 + 2 * HOUR));
	assert_in_range(clock_now_us(), T0, T0 + 2 * SECOND);
	clock_set_us(T0 + MINUTE);
	last_used_note(u, KIND_USER, w.ann, STR("identity"), STR("home"));
	while (written_us(&w, &commit) == T0)
		assert_true(executor_step(stepped, T0 + 2 * HOUR));
	assert_in_range(clock_now_us(), T0 + HOUR, T0 + HOUR + MINUTE); /* with the rest */
	last_used_free(u);
	end_world(&w);
}

/* More than there is room for: the last ones are known, and none is another's. */
static void test_crowd(void **state)
{
	struct token_world w = make_world(state);
	AUTO(last_used) u = make_uses(&w, NULL);
	struct last_use stored = {0};
	AUTO(arena) mine = arena_new(4096, 16 * 1024 * 1024);
	size_t known = 0;
	for (int k = 0; k < 4 * LAST_USED_MAX; k++) {
		clock_set_us(T0 + k);
		stored.id = uuid_random();
		last_used_note(u, KIND_USER, stored.id,
			       STR("a-service-whose-name-is-longer-than-what-is-kept"), STR(""));
		struct last_use found = last_used_find(u, mine, &stored);
		known += found.at_us == T0 + k && found.service.n == 32;
	}
	assert_int_equal(known, 4 * LAST_USED_MAX);
	assert_ok(last_used_write(u, w.c)); /* none of the keys exists */
	end_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_noted_and_written),
		ctx_test(test_written_at_the_end),
		ctx_test(test_first_use_is_written_soon),
		ctx_test(test_crowd),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
