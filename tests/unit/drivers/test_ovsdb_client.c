/* SPDX-License-Identifier: Apache-2.0
 * The OVSDB client against a scripted server: snapshot, transactions, echo, errors, and a server that closes
 * the connection, sends garbage or nothing, or comes back with other rows. */
#include "../base/test_base.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "ovsdb_scripted.h"

/* Without a wake-up every round is late, while a busy machine delays only some rounds. */
#define ROUNDS 20
#define OWN_TIMEOUT_US (2 * SECOND) /* a transaction's timeout, much longer than an answer takes */

/* ---- the client ---- */

struct link {
	struct ctx *ctx;
	struct server server;
	struct ovsdb *db;
	pthread_mutex_t lock;
	int ups, downs, changes;
};

static void note_connection(void *arg, bool up)
{
	struct link *l = arg;
	pthread_mutex_lock(&l->lock);
	l->ups += up;
	l->downs += !up;
	pthread_mutex_unlock(&l->lock);
}

static void note_change(void *arg, const struct ovsdb_change *change)
{
	struct link *l = arg;
	pthread_mutex_lock(&l->lock);
	l->changes += strcmp(change->id, ROW) == 0;
	pthread_mutex_unlock(&l->lock);
}

static int link_setup(void **state)
{
	struct link *l = calloc(1, sizeof *l);
	if (!l || ctx_setup((void **) &l->ctx))
		return -1;
	pthread_mutex_init(&l->lock, NULL);
	server_start(&l->server, LEADER, "first");
	struct str address = str_print(l->ctx->arena, "unix:%s", l->server.path);
	struct ovsdb_config config = {address, &scripted_schema, OWN_TIMEOUT_US};
	assert_ok(ovsdb_open(l->ctx, &config, &l->db));
	ovsdb_watch(l->db, &(struct ovsdb_watcher){note_change, note_connection, l});
	*state = l;
	return 0;
}

static int link_teardown(void **state)
{
	struct link *l = *state;
	ovsdb_close(l->db);
	server_stop(&l->server);
	pthread_mutex_destroy(&l->lock);
	ctx_teardown((void **) &l->ctx);
	free(l);
	return 0;
}
#define link_test(f) cmocka_unit_test_setup_teardown(f, link_setup, link_teardown)

static RESULT read_name(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	const char *name = json_string_value(json_object_get(ovsdb_cache_row(cache, "T", ROW), "name"));
	*(struct str *) arg = str_copy(c->arena, str_from(name));
	return OK;
}

static void check_name(struct link *l, const char *expected)
{
	struct str name = STR_NONE;
	ctx_clear_problem(l->ctx);
	assert_ok(ovsdb_with_cache(l->db, l->ctx, read_name, &name));
	assert_str(name, expected);
}

static struct result transact(struct link *l)
{
	json_t *ops = json_pack("[{s:s}]", "op", "comment");
	ctx_clear_problem(l->ctx);
	struct result r = ovsdb_transact(l->db, l->ctx, ops, NULL);
	json_decref(ops);
	return r;
}

static void await_connection(struct link *l, bool up)
{
	for (int tries = 0; tries < 60000 && ovsdb_is_connected(l->db) != up; tries++)
		poll(NULL, 0, 10);
	assert_int_equal(ovsdb_is_connected(l->db), up);
}

static void test_snapshot_transaction_echo(void **state)
{
	struct link *l = *state;
	check_name(l, "first");
	assert_ok(transact(l));
	assert_ok(transact(l));
	for (int tries = 0; tries < 60000; tries++) {
		if (server_count(&l->server, &l->server.echoes))
			return;
		poll(NULL, 0, 10);
	}
	fail();
}

static void test_update_is_seen_before_the_answer(void **state)
{
	struct link *l = *state;
	check_name(l, "first");
	server_set_manner(&l->server, UPDATE_FIRST, "first");
	assert_ok(transact(l));
	check_name(l, "new");
	pthread_mutex_lock(&l->lock);
	assert_int_equal(l->changes, 1);
	pthread_mutex_unlock(&l->lock);
}

static void test_refusal_has_the_servers_words(void **state)
{
	struct link *l = *state;
	check_name(l, "first");
	server_set_manner(&l->server, REFUSE, "first");
	assert_err(transact(l), CONFLICT);
	assert_true(str_contains(l->ctx->problem.message, STR("constraint violation: why")));
}

static void test_hang_up_then_fresh_snapshot(void **state)
{
	struct link *l = *state;
	check_name(l, "first");
	server_set_manner(&l->server, HANG_UP, "second");
	assert_err(transact(l), GONE);
	await_connection(l, true);
	check_name(l, "second");
	pthread_mutex_lock(&l->lock);
	assert_int_equal(l->downs, 1);
	assert_true(l->ups >= 1);
	pthread_mutex_unlock(&l->lock);
	server_set_manner(&l->server, ANSWER, "second");
	assert_ok(transact(l));
}

static void test_rubbish_ends_the_connection(void **state)
{
	struct link *l = *state;
	check_name(l, "first");
	server_set_manner(&l->server, TALK_RUBBISH, "third");
	assert_err(transact(l), GONE);
	await_connection(l, true);
	check_name(l, "third");
}

static void test_no_answer_in_time(void **state)
{
	struct link *l = *state;
	check_name(l, "first");
	server_set_manner(&l->server, SAY_NOTHING, "first");
	assert_err(transact(l), TIMEOUT);
	int64_t quickest_us = OWN_TIMEOUT_US;
	for (int k = 0; k < ROUNDS && quickest_us >= OWN_TIMEOUT_US; k++) {
		int64_t begin_us = clock_monotonic_us();
		l->ctx->deadline_us = clock_now_us() + 50 * MILLISECOND; /* the caller's own is sooner */
		assert_err(transact(l), TIMEOUT);
		quickest_us = clock_monotonic_us() - begin_us;
	}
	assert_true(quickest_us < OWN_TIMEOUT_US);
	l->ctx->deadline_us = 0;
	server_set_manner(&l->server, ANSWER, "first");
	assert_ok(transact(l)); /* a late answer would be to another question */
}

static void test_mute_server_is_waited_for_once(void **state)
{
	struct link *l = *state;
	struct ovsdb *second = NULL;
	struct str name, address = str_print(l->ctx->arena, "unix:%s", l->server.path);
	struct ovsdb_config config = {address, &scripted_schema, 100 * MILLISECOND};
	check_name(l, "first"); /* it serves one at a time */
	int64_t begin_us = clock_monotonic_us();
	assert_ok(ovsdb_open(l->ctx, &config, &second));
	assert_err(ovsdb_with_cache(second, l->ctx, read_name, &name), GONE);
	assert_true(clock_monotonic_us() - begin_us >= 100 * MILLISECOND);
	ovsdb_close(second);
}

static void test_no_server(void **state)
{
	struct ctx *c = *state;
	struct ovsdb *db = NULL;
	struct str name;
	struct ovsdb_config config = {STR("unix:/nonexistent/sock"), &scripted_schema, 0};
	assert_ok(ovsdb_open(c, &config, &db));
	assert_err(ovsdb_with_cache(db, c, read_name, &name), GONE);
	assert_true(str_contains(c->problem.message, STR("No such file")));
	ovsdb_close(db);
}

static int64_t time_to_close(struct ctx *c, struct str address)
{
	struct ovsdb *db = NULL;
	struct ovsdb_config config = {address, &scripted_schema, 0};
	assert_ok(ovsdb_open(c, &config, &db));
	poll(NULL, 0, 800); /* four tries, and 800 ms to the next */
	int64_t begin_us = clock_monotonic_us();
	ovsdb_close(db);
	return clock_monotonic_us() - begin_us;
}

/* Closing wakes the thread, whether it waits for the server or for the next attempt. */
static void test_close_wakes_the_thread(void **state)
{
	struct link *l = *state;
	for (int with_server = 0; with_server < 2; with_server++) {
		struct str address = with_server ? str_print(l->ctx->arena, "unix:%s", l->server.path)
						 : STR("unix:/nonexistent/sock");
		int64_t quickest_us = SECOND;
		for (int k = 0; k < ROUNDS && quickest_us >= 600 * MILLISECOND; k++)
			quickest_us = time_to_close(l->ctx, address);
		assert_true(quickest_us < 600 * MILLISECOND);
	}
}

static void test_results(void **state)
{
	struct ctx *c = *state;
	static const struct {
		const char *results;
		enum err err;
	} cases[] = {
		{"[{},{\"count\":1}]", ERR_NONE},
		{"[{},{},{\"error\":\"referential integrity violation\",\"details\":\"x\"}]", ERR_AGAIN},
		{"[{\"error\":\"duplicate uuid\"},null]", ERR_AGAIN},
		{"[{},{\"error\":\"constraint violation\"}]", ERR_CONFLICT},
		{"[{},{\"error\":\"strange\"}]", ERR_INTERNAL},
		{"[{}]", ERR_INTERNAL},
		{"[]", ERR_INTERNAL},
		{"[{},{\"error\":\"I/O error\"}]", ERR_IO},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		json_t *results = json_loads(cases[k].results, 0, NULL);
		assert_int_equal(ovsdb_check_results(c, results, 2).code, cases[k].err);
		json_decref(results);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		link_test(test_snapshot_transaction_echo),
		link_test(test_update_is_seen_before_the_answer),
		link_test(test_refusal_has_the_servers_words),
		link_test(test_hang_up_then_fresh_snapshot),
		link_test(test_rubbish_ends_the_connection),
		link_test(test_no_answer_in_time),
		link_test(test_mute_server_is_waited_for_once),
		ctx_test(test_no_server),
		link_test(test_close_wakes_the_thread),
		ctx_test(test_results),
	};
	return cmocka_run_group_tests_name("ovsdb_client", tests, NULL, NULL);
}
