/* SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: every kind's fields there and back, what it refuses to open, and that a
 * reader sees what is committed only. */
#include "fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../model/fill.h"
#include "base/random.h"
#include "store/sqlite_inside.h"

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

static const char *database_path(struct fixture *f)
{
	return str_print(f->arena, "%s/dari.db", fixture_make_folder()).p;
}

/* What another program does to the file. */
static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void refuse(struct fixture *f, const char *path, enum err err, const char *words)
{
	assert_string_equal(err_name(fixture_try_open(f, path, NULL).code), err_name(err));
	if (!str_matches(f->c.problem.message, str_from(words)))
		fail_msg("\"%" STR_FMT "\" is not \"%s\"", STR_ARG(f->c.problem.message), words);
	assert_null(f->store);
	ctx_clear_problem(&f->c);
}

/* ---- rows ---- */

struct filled {
	const struct row *rows[8];
	const struct kind_info *k;
};

static RESULT put_filled(struct op *op, void *arg)
{
	const struct filled *filled = arg;
	for (size_t n = 0; n < 8; n++)
		TRY(op_put(op, filled->k->kind, filled->rows[n]));
	return OK;
}

static void every_field_comes_back(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	fixture_open(f, path);
	random_set_seed(3);
	struct filled filled[KIND_COUNT];
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		filled[kind].k = &model_kinds[kind];
		for (size_t n = 0; n < 8; n++)
			filled[kind].rows[n] = fill_row(f->arena, filled[kind].k);
		struct result r = fixture_commit(f, put_filled, &filled[kind]);
		if (r.code == ERR_EXISTS) /* random keys may meet: a few kinds have few of them */
			filled[kind].k = NULL;
		else
			assert_ok(r);
	}
	random_set_seed(0);
	fixture_check(f);
	struct str before = fixture_dump(f, &f->store->head);
	store_close(TAKE(f->store));
	/* Without the observer's side figures, which random rows make no sense for. */
	fixture_open(f, path);
	assert_int_equal(fixture_dump(f, &f->store->head).n, before.n);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		for (size_t n = 0; filled[kind].k && n < 8; n++) {
			const struct row *row = tables_find(&f->store->head, kind, filled[kind].rows[n]->id);
			assert_true(row && row_equal(filled[kind].k, row, filled[kind].rows[n]));
		}
	}
	fixture_check(f);
}

/* ---- refusals ---- */

static void newer_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	fixture_open(f, path);
	store_close(TAKE(f->store));
	run_sql(path, "UPDATE meta SET value = '9999' WHERE name = 'schema_version'");
	refuse(f, path, ERR_STATE,
	       "the database /tmp/*/dari.db is of schema version 9999, this program knows up to *");
	run_sql(path, "UPDATE meta SET value = 'x' WHERE name = 'schema_version'");
	refuse(f, path, ERR_STATE, "the database * is damaged: its schema version is \"x\"");
	run_sql(path, "DELETE FROM meta WHERE name = 'schema_version'");
	refuse(f, path, ERR_STATE, "the database * does not say its schema_version: *");
}

static void other_hash_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	fixture_open(f, path);
	store_close(TAKE(f->store));
	run_sql(path, "UPDATE meta SET value = 'abc' WHERE name = 'schema_hash'");
	refuse(f, path, ERR_STATE, "the database * of another build of it (its hash is abc, *");
}

static void others_are_refused(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	run_sql(path, "CREATE TABLE recipes (name TEXT)");
	refuse(f, path, ERR_STATE, "*has tables, but none of Dari's*");
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int n = 0; n < 200; n++)
		assert_true(fputs("this is no database at all, but a text. ", file) >= 0);
	assert_int_equal(fclose(file), 0);
	refuse(f, path, ERR_IO, "*file is not a database*");
	refuse(f, "/nonexistent/folder/dari.db", ERR_IO,
	       "cannot lock /nonexistent/folder/dari.db.lock: No such file*");
}

static RESULT put_account(struct op *op, void *arg)
{
	(void) arg;
	struct account a = account_of(1);
	return account_put(op, &a);
}

static void damaged_rows_are_named(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	fixture_open(f, path);
	assert_ok(fixture_commit(f, put_account, NULL));
	store_close(TAKE(f->store));
	run_sql(path, "UPDATE account SET enabled = 'perhaps'");
	refuse(f, path, ERR_STATE, "the database * is damaged: account *-*-*-*-* has no usable enabled");
	run_sql(path, "UPDATE account SET id = 'x'");
	refuse(f, path, ERR_STATE, "the database * is damaged: a row of account has the id \"x\"");
}

static void second_process_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	fixture_open(f, path);
	struct sql_driver *second = NULL;
	assert_err(sqlite_open(&f->c, path, &second), IN_USE);
	assert_true(str_starts_with(f->c.problem.message, STR("the database /tmp/")));
	fixture_clear(f);
	struct stat st;
	assert_int_equal(stat(((struct sqlite *) f->store->config.sql)->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- two connections ---- */

static RESULT count_event(void *arg, const struct event *event)
{
	(void) event;
	++*(size_t *) arg;
	return OK;
}

static void readers_see_commits_only(void **state)
{
	struct fixture *f = *state;
	for (int in_file = 0; in_file < 2; in_file++) {
		struct sql_driver *sql = NULL;
		assert_ok(sqlite_open(&f->c, in_file ? database_path(f) : ":memory:", &sql));
		assert_ok(sql->open(sql, &f->c));
		struct event event = {.at_us = 1, .kind = KIND_ZONE, .id = uuid_of(1), .what = STR("made")};
		size_t count = 0;
		assert_ok(sql->begin(sql, &f->c));
		assert_ok(sql->add_event(sql, &f->c, &event));
		if (in_file) /* memory has no WAL: a reader waits for the writer there */
			assert_ok(sql->read_events(sql, &f->c, uuid_of(1), 9, count_event, &count));
		assert_int_equal(count, 0);
		assert_ok(sql->commit(sql, &f->c, 7));
		assert_ok(sql->read_events(sql, &f->c, uuid_of(1), 9, count_event, &count));
		assert_int_equal(count, 1);
		uint64_t batch = 0;
		assert_ok(sql->read_batch(sql, &f->c, &batch));
		assert_int_equal(batch, 7);
		sql->close(sql);
	}
}

/* ---- trouble ---- */

static RESULT write_much(struct op *op, void *arg)
{
	(void) arg;
	for (unsigned n = 1; n <= 200; n++) {
		struct volume v = volume_of(n, 1, 1);
		TRY(volume_put(op, &v));
	}
	return OK;
}

static void full_disk_refuses(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, database_path(f));
	assert_ok(fixture_commit(f, put_account, NULL));
	sqlite3 *db = ((struct sqlite *) f->store->config.sql)->db;
	assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count = 1", NULL, NULL, NULL), SQLITE_OK);
	assert_err(fixture_commit(f, write_much, NULL), IO);
	assert_true(str_matches(f->c.problem.message, STR("the database refused the change: *is full*")));
	fixture_check(f);
	assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL), SQLITE_OK);
	assert_ok(fixture_commit(f, write_much, NULL));
	fixture_check(f);
}

/* After a COMMIT that ended without an answer: the transaction is gone, and stays so. */
static void unknown_commit_is_settled(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, database_path(f));
	assert_ok(fixture_commit(f, put_account, NULL));
	struct sql_driver *sql = f->store->config.sql;
	struct volume v = volume_of(1, 1, 1);
	assert_ok(sql->begin(sql, &f->c));
	assert_ok(sql->put(sql, &f->c, KIND_VOLUME, &v.row));
	((struct sqlite *) sql)->is_unknown = true;
	uint64_t batch = 0;
	assert_ok(sql->read_batch(sql, &f->c, &batch));
	assert_int_equal(batch, 1);
	assert_false(((struct sqlite *) sql)->is_unknown);
	sql->rollback(sql);
	fixture_check(f);
	assert_ok(fixture_commit(f, write_much, NULL));
	fixture_check(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_comes_back),   TEST(newer_is_refused),       TEST(other_hash_is_refused),
		TEST(others_are_refused),       TEST(damaged_rows_are_named), TEST(second_process_is_refused),
		TEST(readers_see_commits_only), TEST(full_disk_refuses),      TEST(unknown_commit_is_settled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
