/* SPDX-License-Identifier: Apache-2.0
 * Databases that are damaged or overwritten while the store runs: detection, refusals, omitted rows and saved
 * files. Also the order of a batch: clients' changes before the system's. */
#include "fixture.h"
#include "model/identity.h"
#include "store/health.h"
#include "store/volume.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/account.h"
#include "store/sqlite_internal.h"

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

static const char *name(struct fixture *f, const char *file)
{
	static char folder[128];
	if (!*folder || !file_exists(folder))
		snprintf(folder, sizeof folder, "%s", fixture_make_folder());
	return str_print(f->arena, "%s/%s", folder, file).p;
}

static RESULT add_account(struct op *op, void *arg)
{
	struct account a = fixture_account(*(const unsigned *) arg);
	TRY(account_put(op, &a));
	TRY(op_usage(op, KIND_ACCOUNT, a.row.id, a.row.id, STR("test"), 1));
	return op_event(op, KIND_ACCOUNT, a.row.id, a.row.id, "made", STR("an account was made"), STR_NONE);
}

static struct result make(struct fixture *f, unsigned n)
{
	return fixture_commit(f, add_account, &n);
}

/* Reads a number from the file through a connection of its own. */
static int64_t read_number(const char *path, const char *sql, const char *arg)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	sqlite3_bind_text(statement, 1, arg, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

static void damage(const char *path, const char *tree)
{
	char bytes[512];
	int64_t root = read_number(path, "SELECT rootpage FROM sqlite_schema WHERE name = ?1", tree);
	memset(bytes, 0x1B, sizeof bytes); /* escape characters: a message must not repeat them */
	AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, bytes, sizeof bytes, (root - 1) * 4096), sizeof bytes);
}

static void expect(struct fixture *f, struct result result, enum err err, const char *words)
{
	assert_string_equal(err_name(result.code), err_name(err));
	if (!str_matches(f->c.problem.message, str_from(words)))
		fail_msg("\"%" STR_FMT "\" is not \"%s\"", STR_ARG(f->c.problem.message), words);
	ctx_clear_problem(&f->c);
}

static void remove_files(struct fixture *f, const char *file)
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock", ".half"};
	for (size_t n = 0; n < sizeof endings / sizeof *endings; n++)
		(void) unlink(str_print(f->arena, "%s%s", file, endings[n]).p);
}

/* A database with two accounts in its file, closed. */
static const char *make_database(struct fixture *f)
{
	const char *path = name(f, "dari.db");
	fixture_open(f, path);
	assert_ok(make(f, 1));
	assert_ok(make(f, 2));
	store_close(TAKE(f->store));
	return path;
}

/* ---- copies ---- */

static void copies_are_checked(void **state)
{
	struct fixture *f = *state;
	const char *path = make_database(f), *copy = name(f, "copy");
	struct stat seen = {0};
	fixture_open(f, path);
	assert_ok(make(f, 3)); /* in the log alone */
	assert_ok(store_check_database(f->store, &f->c));
	assert_ok(store_copy_database(f->store, &f->c, copy));
	expect(f, store_copy_database(f->store, &f->c, copy), ERR_EXISTS, "*/copy is there already");
	assert_int_equal(stat(copy, &seen), 0);
	assert_int_equal(seen.st_mode & 07777, 0600);
	assert_ok(make(f, 4)); /* the copying connection has not counted as a writer */
	store_close(TAKE(f->store));
	fixture_open(f, copy);
	assert_int_equal(tables_count(&f->store->published, KIND_ACCOUNT), 3);
	store_close(TAKE(f->store));
	remove_files(f, copy);
}

static void damaged_rows_are_found(void **state)
{
	struct fixture *f = *state;
	const char *path = make_database(f), *copy = name(f, "copy");
	fixture_open(f, path);
	damage(path, "key_pair"); /* after it was read: nothing asks for it again */
	expect(f, store_check_database(f->store, &f->c), ERR_STATE,
	       "the database */dari.db is damaged or no database (*): docs/operations.md, \"A damaged "
	       "database\", *");
	expect(f, store_copy_database(f->store, &f->c, copy), ERR_STATE,
	       "the database */dari.db is damaged*");
	assert_false(file_exists(copy));
	store_close(TAKE(f->store));
	damage(path, "account");
	expect(f, fixture_try_open(f, path, NULL), ERR_STATE, "the database */dari.db is damaged*");
}

/* ---- history ---- */

static void history_is_left_out(void **state)
{
	static const char *const trees[] = {"event", "past", "event_by_time", "event_by_account",
					    "past_by_id"};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof trees / sizeof *trees; k++) {
		struct str lost = STR_NONE;
		const char *path = make_database(f), *rescued = name(f, "rescued");
		damage(path, trees[k]);
		fixture_open(f, path);
		assert_ok(make(f, 3));
		assert_ok(make(f, 4));
		fixture_check(f);
		assert_err(store_check_database(f->store, &f->c), STATE);
		ctx_clear_problem(&f->c);
		assert_ok(store_rescue_database(f->store, &f->c, rescued, &lost));
		assert_true(str_is(lost, k < 2 ? trees[k] : ""));
		store_close(TAKE(f->store));
		fixture_open(f, rescued);
		assert_int_equal(tables_count(&f->store->published, KIND_ACCOUNT), 4);
		assert_ok(store_check_database(f->store, &f->c));
		assert_ok(make(f, 5));
		fixture_check(f);
		store_close(TAKE(f->store));
		remove_files(f, rescued);
		remove_files(f, path);
	}
}

static void rescue_keeps_the_logs(void **state)
{
	struct fixture *f = *state;
	struct str lost = STR_NONE;
	const char *path = make_database(f), *rescued = name(f, "rescued");
	fixture_open(f, path);
	damage(path, "series");
	assert_ok(store_rescue_database(f->store, &f->c, rescued, &lost));
	assert_true(str_is(lost, "series"));
	store_close(TAKE(f->store));
	assert_int_equal(read_number(rescued, "SELECT count(*) FROM usage WHERE ?1 IS NOT NULL", ""), 2);
	remove_files(f, rescued);
}

/* ---- other writers ---- */

static void copy_over(const char *from, const char *to)
{
	char bytes[4096];
	ssize_t n = 0;
	AUTO_FD in = open(from, O_RDONLY | O_CLOEXEC);
	AUTO_FD out = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof bytes)) > 0)
		assert_int_equal(write(out, bytes, (size_t) n), n);
}

static void overwritten_is_refused(void **state)
{
	struct fixture *f = *state;
	struct str lost = STR_NONE;
	const char *path = make_database(f), *older = name(f, "older"), *rescued = name(f, "rescued");
	fixture_open(f, path);
	assert_ok(store_copy_database(f->store, &f->c, older));
	assert_ok(make(f, 3));
	copy_over(older, path);
	for (int n = 0; n < 3; n++)
		assert_err(make(f, 4), GONE);
	ctx_clear_problem(&f->c);
	expect(f, store_find_database(f->store, &f->c), ERR_GONE, "*/dari.db was overwritten by another *");
	assert_ok(store_rescue_database(f->store, &f->c, rescued, &lost));
	store_close(TAKE(f->store));
	remove_files(f, path);
	fixture_open(f, rescued);
	assert_int_equal(tables_count(&f->store->published, KIND_ACCOUNT), 3);
	store_close(TAKE(f->store));
	remove_files(f, rescued);
	remove_files(f, older);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void other_writers_are_refused(void **state)
{
	struct fixture *f = *state;
	const char *path = make_database(f);
	fixture_open(f, path);
	assert_ok(make(f, 3));
	run_sql(path, "SELECT count(*) FROM account");
	assert_ok(make(f, 4));
	run_sql(path, "PRAGMA wal_checkpoint"); /* moves committed pages into the file, and changes no data */
	assert_ok(make(f, 5));
	run_sql(path, "UPDATE account SET name = 'other'");
	assert_err(make(f, 6), GONE);
	assert_err(make(f, 6), GONE);
}

enum { LONG_TEXT = 1024 * 1024, LONG_EVENTS = 36 };

static RESULT add_long_events(struct op *op, void *arg)
{
	for (int n = 0; n < LONG_EVENTS; n++)
		TRY(op_event(op, KIND_ACCOUNT, uuid_of(1), uuid_of(1), "long", (struct str){arg, LONG_TEXT},
			     STR_NONE));
	return OK;
}

/* The file changes when dari itself moves its log there, which it does at 32 MiB. */
static void own_checkpoints_are_no_strangers(void **state)
{
	struct fixture *f = *state;
	struct stat before = {0}, after = {0};
	const char *path = make_database(f);
	char *text = arena_alloc(f->arena, LONG_TEXT);
	fixture_open(f, path);
	memset(text, 'x', LONG_TEXT);
	assert_int_equal(stat(path, &before), 0);
	assert_ok(fixture_commit(f, add_long_events, text));
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size + LONG_TEXT);
	assert_ok(make(f, 3));
	assert_ok(store_find_database(f->store, &f->c));
}

/* ---- whose turn it is ---- */

enum { SYSTEM_CHANGES = 10 };
static int order[SYSTEM_CHANGES + 1], order_count;

static RESULT note_turn(struct op *op, void *arg)
{
	(void) op;
	order[order_count++] = *(const int *) arg;
	return OK;
}

static void clients_go_first(void **state)
{
	struct fixture *f = *state;
	static const struct identity client = {.is_operator = false};
	struct counted changes[SYSTEM_CHANGES + 1];
	int numbers[SYSTEM_CHANGES + 1];
	f->batch_max = 4;
	fixture_open(f, NULL);
	order_count = 0;
	for (int n = 0; n <= SYSTEM_CHANGES; n++) {
		bool is_client = n == SYSTEM_CHANGES;
		numbers[n] = n;
		fixture_submit_as(f, &changes[n], note_turn, &numbers[n], is_client ? &client : NULL);
	}
	fixture_step(f);
	assert_int_equal(order_count, SYSTEM_CHANGES + 1);
	assert_int_equal(order[0], SYSTEM_CHANGES);
	for (int n = 1; n <= SYSTEM_CHANGES; n++)
		assert_int_equal(order[n], n - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_rows_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(history_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(rescue_keeps_the_logs, setup, teardown),
		cmocka_unit_test_setup_teardown(overwritten_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(other_writers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(own_checkpoints_are_no_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(clients_go_first, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
