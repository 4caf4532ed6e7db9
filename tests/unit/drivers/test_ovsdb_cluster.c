/* SPDX-License-Identifier: Apache-2.0
 * The OVSDB client and a cluster of scripted servers: it finds the leader, follows it, and leaves a server that is
 * silent, cut off, of another cluster, or behind. */
#include "../base/test_base.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "ovsdb_scripted.h"

enum { SERVERS = 3, TRIES = 60000 };
static const char *const names[SERVERS] = {"first", "second", "third"};

struct cluster {
	struct ctx *ctx;
	struct server at[SERVERS];
	struct ovsdb *db;
};

static int cluster_setup(void **state)
{
	struct cluster *l = calloc(1, sizeof *l);
	if (!l || ctx_setup((void **) &l->ctx))
		return -1;
	for (int k = 0; k < SERVERS; k++)
		server_start(&l->at[k], FOLLOWER, names[k]);
	*state = l;
	return 0;
}

static int cluster_teardown(void **state)
{
	struct cluster *l = *state;
	ovsdb_close(l->db);
	for (int k = 0; k < SERVERS; k++)
		server_stop(&l->at[k]);
	ctx_teardown((void **) &l->ctx);
	free(l);
	return 0;
}
#define cluster_test(f) cmocka_unit_test_setup_teardown(f, cluster_setup, cluster_teardown)

static void open_client(struct cluster *l)
{
	struct str address = str_print(l->ctx->arena, "unix:%s, unix:%s,unix:%s", l->at[0].path,
				       l->at[1].path, l->at[2].path);
	struct ovsdb_config config = {.address = address, .schema = &scripted_schema};
	assert_ok(ovsdb_open(l->ctx, &config, &l->db));
}

static RESULT read_name(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	const char *name = json_string_value(json_object_get(ovsdb_cache_row(cache, "T", ROW), "name"));
	*(struct str *) arg = str_copy(c->arena, str_from(name));
	return OK;
}

/* Waits until the client shows the row of that server. */
static void await_name(struct cluster *l, const char *expected)
{
	struct str name = STR_NONE;
	for (int tries = 0; tries < TRIES; tries++) {
		ctx_clear_problem(l->ctx);
		if (!ovsdb_with_cache(l->db, l->ctx, read_name, &name).code && str_is(name, expected))
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("the client does not use the %s server", expected);
}

/* Waits until the client has this problem. */
static void await_problem(struct cluster *l, const char *words)
{
	struct str name = STR_NONE;
	for (int tries = 0; tries < TRIES; tries++) {
		ctx_clear_problem(l->ctx);
		struct result r = ovsdb_with_cache(l->db, l->ctx, read_name, &name);
		if (r.code == ERR_GONE && str_contains(l->ctx->problem.message, str_from(words)))
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("the client does not say: %s", words);
}

/* A caller of a client that was just opened waits until the leader is found. Followers send no snapshot. */
static void test_finds_the_leader(void **state)
{
	struct cluster *l = *state;
	struct str name = STR_NONE;
	server_set_role(&l->at[2], LEADER, 7);
	open_client(l);
	assert_ok(ovsdb_with_cache(l->db, l->ctx, read_name, &name));
	assert_str(name, "third");
	for (int k = 0; k < 2; k++)
		assert_int_equal(server_count(&l->at[k], &l->at[k].snapshots), 0);
}

static void test_follows_the_leader(void **state)
{
	struct cluster *l = *state;
	server_set_role(&l->at[0], LEADER, 7);
	open_client(l);
	await_name(l, "first");
	server_set_role(&l->at[0], FOLLOWER, 8);
	await_problem(l, "is not the leader of its cluster");
	server_set_role(&l->at[1], LEADER, 8);
	await_name(l, "second");
	json_t *ops = json_pack("[{s:s}]", "op", "comment");
	ctx_clear_problem(l->ctx);
	assert_ok(ovsdb_transact(l->db, l->ctx, ops, NULL));
	json_decref(ops);
}

/* A stopped server keeps its connections open: only its silence shows. */
static void test_leaves_a_silent_server(void **state)
{
	struct cluster *l = *state;
	server_set_role(&l->at[0], LEADER, 7);
	open_client(l);
	await_name(l, "first");
	server_set_role(&l->at[0], MUTE, 7);
	server_set_role(&l->at[2], LEADER, 8);
	await_name(l, "third");
}

static void test_refuses_a_server_that_is_cut_off(void **state)
{
	struct cluster *l = *state;
	for (int k = 0; k < SERVERS; k++)
		server_set_role(&l->at[k], CUT_OFF, 7);
	open_client(l);
	await_problem(l, "is cut off from the others");
	server_set_role(&l->at[1], LEADER, 7);
	await_name(l, "second");
}

static void test_refuses_older_rows(void **state)
{
	struct cluster *l = *state;
	server_set_role(&l->at[0], LEADER, 100);
	open_client(l);
	await_name(l, "first");
	server_set_role(&l->at[1], LEADER, 99);
	server_set_role(&l->at[0], MUTE, 100);
	await_problem(l, "is behind what the cluster had before");
	server_set_role(&l->at[1], LEADER, 100);
	await_name(l, "second");
}

static void test_refuses_another_cluster(void **state)
{
	struct cluster *l = *state;
	server_set_role(&l->at[0], LEADER, 7);
	open_client(l);
	await_name(l, "first");
	pthread_mutex_lock(&l->at[1].lock);
	l->at[1].cid = "44444444-4444-4444-4444-444444444444";
	pthread_mutex_unlock(&l->at[1].lock);
	server_set_role(&l->at[1], LEADER, 900);
	server_set_role(&l->at[0], MUTE, 7);
	await_problem(l, "belongs to another cluster than before");
}

static void test_addresses(void **state)
{
	struct ctx *c = *state;
	static const struct {
		const char *list;
		size_t count; /* 0: refused */
	} cases[] = {
		{"unix:/run/ovn/ovnnb_db.sock", 1},
		{"tcp:10.0.0.1:6641,tcp:10.0.0.2:6641, ssl:[2001:db8::3]:6641", 3},
		{"ssl:10.0.0.1:6641", 1},
		{"", 0},
		{"unix:", 0},
		{"tcp:10.0.0.1", 0},
		{"tcp:10.0.0.1:0", 0},
		{"tcp:10.0.0.1:65536", 0},
		{"tcp:2001:db8::3:6641", 0},
		{"tcp:ovn.example.com:6641", 0},
		{"ptcp:6641", 0},
		{"tcp:10.0.0.1:6641,,tcp:10.0.0.2:6641", 0},
		{"unix:a,unix:b,unix:c,unix:d,unix:e,unix:f,unix:g,unix:h,unix:i,unix:j", 0},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct ovsdb_remotes remotes;
		struct result r = ovsdb_remotes_parse(c, str_from(cases[k].list), &remotes);
		assert_int_equal(r.code, cases[k].count ? ERR_NONE : ERR_INVALID);
		if (cases[k].count)
			assert_int_equal(remotes.count, cases[k].count);
		ctx_clear_problem(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cluster_test(test_finds_the_leader),
		cluster_test(test_follows_the_leader),
		cluster_test(test_leaves_a_silent_server),
		cluster_test(test_refuses_a_server_that_is_cut_off),
		cluster_test(test_refuses_older_rows),
		cluster_test(test_refuses_another_cluster),
		ctx_test(test_addresses),
	};
	return cmocka_run_group_tests_name("ovsdb_cluster", tests, NULL, NULL);
}
