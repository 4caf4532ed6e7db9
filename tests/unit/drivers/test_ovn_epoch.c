/* SPDX-License-Identifier: Apache-2.0
 * The writer's epoch in a real northbound database, which a server of this test's own has: a superseded writer's
 * transactions fail, also those that it made before it was superseded, and change nothing. */
#include "../base/test_base.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/ovn/nb.h"

#define REGION "11111111-2222-3333-4444-555555555555"

struct place {
	char directory[32];
	char database[64], remote[80];
	pid_t server;
	struct ovsdb *old, *new;
	struct ctx *c;
};

static void run(const char *const argv[])
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[0], (char **) argv);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static struct ovsdb *join(struct place *p)
{
	char address[80];
	struct ovsdb *db = NULL;
	(void) snprintf(address, sizeof address, "unix:%s/nb.sock", p->directory);
	const struct ovsdb_config config = {str_from(address), &nb_schema, 0};
	assert_ok(ovsdb_open(p->c, &config, &db));
	/* the server's socket is there a moment before the server listens */
	while (!ovsdb_is_connected(db))
		usleep(10000);
	return db;
}

static int setup(void **state)
{
	static struct place p;
	static struct ctx c;
	ctx_init(&c, arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP));
	p = (struct place){.directory = "/tmp/dari-epoch-XXXXXX", .c = &c};
	assert_non_null(mkdtemp(p.directory));
	(void) snprintf(p.database, sizeof p.database, "%s/nb.db", p.directory);
	(void) snprintf(p.remote, sizeof p.remote, "--remote=punix:%s/nb.sock", p.directory);
	run((const char *const[]){"ovsdb-tool", "create", p.database, "/usr/share/ovn/ovn-nb.ovsschema",
				  NULL});
	run((const char *const[]){"ovsdb-tool", "transact", p.database,
				  "[\"OVN_Northbound\",{\"op\":\"insert\",\"table\":\"NB_Global\",\"row\":"
				  "{\"external_ids\":[\"map\",[[\"theirs\",\"kept\"]]]}}]",
				  NULL});
	p.server = fork();
	if (p.server == 0) {
		execlp("ovsdb-server", "ovsdb-server", "--no-chdir", "--log-file=/dev/null", "--unixctl=none",
		       p.remote, p.database, (char *) NULL);
		_exit(127);
	}
	for (char *path = NULL; !path || !file_exists(path); usleep(10000)) {
		static char name[80];
		(void) snprintf(name, sizeof name, "%s/nb.sock", p.directory);
		path = name;
	}
	p.old = join(&p);
	p.new = join(&p);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	ovsdb_close(p->old);
	ovsdb_close(p->new);
	(void) kill(p->server, SIGTERM);
	(void) waitpid(p->server, NULL, 0);
	file_remove_tree(p->directory);
	arena_free(p->c->arena);
	return 0;
}

static json_t *insert(const char *name)
{
	return json_pack("[{s:s,s:s,s:{s:s}}]", "op", "insert", "table", "Logical_Switch", "row", "name",
			 name);
}

static RESULT count_switches(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	(void) c;
	*(size_t *) arg = json_object_size(ovsdb_cache_table(cache, "Logical_Switch"));
	return OK;
}

static struct result put(struct place *p, struct ovsdb *db, int64_t number, const char *name)
{
	const struct epoch epoch = {number, REGION};
	json_t *ops = insert(name), *results = NULL;
	struct result r = epoch_transact(db, p->c, &epoch, ops, &results);
	for (int n = 0; r.code == ERR_AGAIN && n < 1000;
	     n++) { /* its cache is behind the other's transaction */
		ctx_clear_problem(p->c);
		usleep(10000);
		r = epoch_transact(db, p->c, &epoch, ops, &results);
	}
	assert_true(!result_is_ok(r) || json_array_size(results) == 1);
	assert_true(!result_is_ok(r) || json_object_get(json_array_get(results, 0), "uuid"));
	json_decref(results);
	json_decref(ops);
	return r;
}

struct made {
	json_t *ops;
	size_t added;
};

static RESULT make_early(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct made *made = arg;
	const struct epoch epoch = {7, REGION};
	json_t *ops = insert("late");
	struct result r = epoch_guard(c, cache, &epoch, ops, &made->ops, &made->added);
	json_decref(ops);
	return r;
}

static RESULT read_ids(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	(void) c;
	const json_t *table = ovsdb_cache_table(cache, "NB_Global");
	const char *id = json_object_iter_key(json_object_iter((json_t *) table));
	*(char **) arg = json_dumps(json_object_get(ovsdb_cache_row(cache, "NB_Global", id), "external_ids"),
				    JSON_SORT_KEYS);
	return OK;
}

static void a_superseded_writer_is_refused(void **state)
{
	struct place *p = *state;
	struct made early = {0};
	size_t count = 0;
	assert_ok(put(p, p->old, 7, "first"));
	assert_ok(put(p, p->old, 7, "second"));
	assert_ok(ovsdb_with_cache(p->old, p->c, make_early, &early)); /* made in time … */
	assert_ok(put(p, p->new, 8, "third"));
	assert_err(ovsdb_transact(p->old, p->c, early.ops, NULL), AGAIN); /* … and sent too late */
	ctx_clear_problem(p->c);
	json_decref(early.ops);
	assert_err(put(p, p->old, 7, "fourth"), STATE);
	ctx_clear_problem(p->c);
	assert_ok(put(p, p->new, 8, "fifth"));
	assert_ok(ovsdb_with_cache(p->new, p->c, count_switches, &count));
	assert_int_equal(count, 4);
	assert_ok(put(p, p->old, 0, "of a region with one process"));
}

static void what_others_say_stays(void **state)
{
	struct place *p = *state;
	char *ids = NULL;
	assert_ok(put(p, p->new, 9, "sixth"));
	assert_ok(ovsdb_with_cache(p->new, p->c, read_ids, &ids));
	assert_string_equal(ids, "{\"dari-epoch-" REGION "\": \"9\", \"theirs\": \"kept\"}");
	free(ids);
}

static void only_reads_go_without_an_epoch(void **state)
{
	struct place *p = *state;
	size_t before = 0, after = 0;
	json_t *results = NULL, *write = insert("unguarded");
	json_t *read = json_pack("[{s:s,s:s,s:[],s:[s]}]", "op", "select", "table", "NB_Global", "where",
				 "columns", "nb_cfg");
	assert_ok(epoch_select(p->old, p->c, read, &results));
	assert_int_equal(json_array_size(json_object_get(json_array_get(results, 0), "rows")), 1);
	assert_int_equal(json_array_append(read, json_array_get(write, 0)), 0);
	assert_ok(ovsdb_with_cache(p->old, p->c, count_switches, &before));
	assert_err(epoch_select(p->old, p->c, read, NULL),
		   INTERNAL); /* a read in front does not hide a write */
	ctx_clear_problem(p->c);
	assert_ok(ovsdb_with_cache(p->old, p->c, count_switches, &after));
	assert_int_equal(after, before);
	json_decref(results);
	json_decref(read);
	json_decref(write);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_reads_go_without_an_epoch),
		cmocka_unit_test(a_superseded_writer_is_refused),
		cmocka_unit_test(what_others_say_stays),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
