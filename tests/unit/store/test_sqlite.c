/* SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: all kinds' fields are written and read back, incompatible databases are refused, and
 * readers see committed data only. */
#include "fixture.h"
#include "model/identity.h"
#include "store/account.h"
#include "store/hooks.h"
#include "store/volume.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../model/fill.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/random.h"
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

static const char *database_path(struct fixture *f)
{
	return str_print(f->arena, "%s/dari.db", fixture_make_folder()).p;
}

/* Changes the file through a connection of its own. */
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
	struct filled *filled = arena_new_array(f->arena, struct filled, KIND_COUNT);
	assert_non_null(filled);
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
	/* Without the observer's usage figures, which random rows make no sense for. */
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
	run_sql(path, "DELETE FROM meta WHERE name = 'schema_level'");
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
	refuse(f, path, ERR_STATE, "*damaged or no database (*file is not a database*): docs/operations.md*");
	refuse(f, "/nonexistent/folder/dari.db", ERR_IO,
	       "cannot lock /nonexistent/folder/dari.db.lock: No such file*");
}

static RESULT put_account(struct op *op, void *arg)
{
	(void) arg;
	struct account a = fixture_account(1);
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
			assert_ok(sql->read_events(sql, &f->c,
						   &(struct event_query){.id = uuid_of(1), .max = 9},
						   count_event, &count));
		assert_int_equal(count, 0);
		assert_ok(sql->commit(sql, &f->c, 7));
		assert_ok(sql->read_events(sql, &f->c, &(struct event_query){.id = uuid_of(1), .max = 9},
					   count_event, &count));
		assert_int_equal(count, 1);
		uint64_t commit = 0;
		assert_ok(sql->read_commit(sql, &f->c, &commit));
		assert_int_equal(commit, 7);
		sql->close(sql);
	}
}

/* ---- trouble ---- */

static RESULT write_much(struct op *op, void *arg)
{
	(void) arg;
	for (unsigned n = 1; n <= 200; n++) {
		struct volume v = fixture_volume(n, 1, 1);
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
	assert_err(fixture_commit(f, write_much, NULL), AGAIN);
	assert_true(str_matches(f->c.problem.message, STR("The region's disk is full: *")));
	assert_true(store_is_full(f->store));
	fixture_check(f);
	assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL), SQLITE_OK);
	assert_ok(fixture_commit(f, write_much, NULL));
	fixture_check(f);
}

static bool tell_room(void *self)
{
	return *(const bool *) self;
}

static RESULT commit_as(struct fixture *f, const struct identity *who, op_run run)
{
	struct counted n;
	fixture_submit(f, &n, run, NULL);
	n.c.who = who; /* nothing has run so far */
	fixture_step(f);
	return n.result;
}

/* Below the floor clients wait; the system and its operator go on, and so do clients once there is room. */
static void floor_is_kept(void **state)
{
	struct fixture *f = *state;
	static bool has_room;
	const struct identity client = {.scope = IDENTITY_ACCOUNT}, operator= {.is_operator = true};
	fixture_open(f, database_path(f));
	store_set_room(f->store, tell_room, &has_room);
	has_room = false;
	assert_ok(commit_as(f, NULL, put_account));
	assert_ok(commit_as(f, &operator, write_much));
	assert_err(commit_as(f, &client, write_much), AGAIN);
	assert_true(store_is_full(f->store));
	fixture_check(f);
	has_room = true;
	assert_ok(commit_as(f, &client, write_much));
	assert_false(store_is_full(f->store));
	fixture_check(f);
}

static void failed_reading_is_told(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;
	fixture_open(f, NULL);
	struct sql_driver *sql = f->store->config.sql;
	fault_arm(FAULT_SQL, 0, false); /* the statement is not even prepared */
	assert_err(sql->read_events(sql, &f->c, &(struct event_query){.id = uuid_of(1), .max = 9},
				    count_event, &count),
		   IO);
	fault_disarm();
	ctx_clear_problem(&f->c);
	assert_ok(sql->read_events(sql, &f->c, &(struct event_query){.id = uuid_of(1), .max = 9}, count_event,
				   &count));
}

/* ---- files that are moved ---- */

static RESULT put_second_account(struct op *op, void *arg)
{
	(void) arg;
	struct account a = fixture_account(2);
	return account_put(op, &a);
}

/* Paths that outlive the fixture's arena, which is reset by its checks. */
static char path[64], log_path[128], file[128], away[128];

static void name_files(struct fixture *f)
{
	(void) snprintf(path, sizeof path, "%s", database_path(f));
	(void) snprintf(log_path, sizeof log_path, "%s-wal", path);
	(void) snprintf(away, sizeof away, "%s.away", path);
}

static void copy_file(struct fixture *f, const char *from, const char *to)
{
	struct str bytes = STR_NONE;
	assert_ok(file_read(&f->c, from, 1 << 26, &bytes));
	assert_ok(file_write_synced(&f->c, to, bytes, 0600));
}

static size_t count_accounts(struct fixture *f)
{
	AUTO_VIEW view = {0};
	view_open(f->store, &view);
	return tables_count(view.tables, KIND_ACCOUNT);
}

/* Changes are refused completely, while reading still works. */
static void expect_gone(struct fixture *f, const char *words)
{
	assert_err(store_find_database(f->store, &f->c), GONE);
	if (!str_matches(f->c.problem.message, str_from(words)))
		fail_msg("\"%" STR_FMT "\" is not \"%s\"", STR_ARG(f->c.problem.message), words);
	for (int n = 0; n < 2; n++) {
		ctx_clear_problem(&f->c);
		assert_err(fixture_commit(f, put_second_account, NULL), GONE);
		assert_true(str_contains(f->c.problem.message, STR("until its operator")));
		assert_false(str_contains(f->c.problem.message, STR("/tmp")));
	}
	ctx_clear_problem(&f->c);
	assert_int_equal(count_accounts(f), 1);
	size_t events = 0;
	struct sql_driver *sql = f->store->config.sql;
	assert_ok(sql->read_events(sql, &f->c, &(struct event_query){.id = uuid_of(1), .max = 9}, count_event,
				   &events));
	fixture_check(f);
}

/* Each of the files is moved away and back: the store continues with it, and nothing is lost. */
static void moved_files_refuse(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	struct fixture *f = *state;
	name_files(f);
	for (size_t n = 0; n < 3; n++) {
		(void) snprintf(file, sizeof file, "%s%s", path, endings[n]);

		fixture_open(f, path);
		assert_ok(store_find_database(f->store, &f->c));
		assert_ok(fixture_commit(f, put_account, NULL));
		assert_int_equal(rename(file, away), 0);
		expect_gone(f,
			    str_print(f->arena, "%s was there when * and is not now: No such file*", file).p);
		copy_file(f, away, file); /* its like is not the file */
		expect_gone(f, str_print(f->arena, "%s is not the file that dari has open*", file).p);
		assert_int_equal(rename(away, file), 0);
		assert_ok(store_find_database(f->store, &f->c));
		assert_ok(fixture_commit(f, put_second_account, NULL));
		fixture_check(f);
		store_close(TAKE(f->store));
		fixture_open(f, path);
		assert_int_equal(count_accounts(f), 2);
		store_close(TAKE(f->store));
		fixture_remove_database();
	}
}

/* The store does not touch a file that replaced its own. */
static void a_replacement_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct str is = STR_NONE;
	name_files(f);
	fixture_open(f, path);
	assert_ok(fixture_commit(f, put_account, NULL));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(log_path), 0);
	assert_ok(file_write_synced(&f->c, path, STR("theirs"), 0600));
	assert_ok(file_write_synced(&f->c, log_path, STR("their log"), 0600));
	expect_gone(f, "* is not the file that dari has open*");
	store_close(TAKE(f->store));
	assert_ok(file_read(&f->c, path, 100, &is));
	assert_true(str_is(is, "theirs"));
	assert_ok(file_read(&f->c, log_path, 100, &is));
	assert_true(str_is(is, "their log"));
	assert_int_equal(unlink(log_path), 0);
}

/* The log alone was removed: what it held is in the database after an end in order. */
static void a_removed_log_is_written_at_the_end(void **state)
{
	struct fixture *f = *state;
	name_files(f);
	fixture_open(f, path);
	assert_ok(fixture_commit(f, put_account, NULL));
	assert_int_equal(unlink(log_path), 0);
	expect_gone(f, "*dari.db-wal was there*");
	store_close(TAKE(f->store));
	fixture_open(f, path);
	assert_int_equal(count_accounts(f), 1);
	fixture_check(f);
}

/* After a COMMIT that ended without an answer: the transaction is gone, and stays so. */
static void unknown_commit_is_settled(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, database_path(f));
	assert_ok(fixture_commit(f, put_account, NULL));
	struct sql_driver *sql = f->store->config.sql;
	struct volume v = fixture_volume(1, 1, 1);
	assert_ok(sql->begin(sql, &f->c));
	assert_ok(sql->put(sql, &f->c, KIND_VOLUME, &v.row));
	((struct sqlite *) sql)->is_unknown = true;
	uint64_t commit = 0;
	assert_ok(sql->read_commit(sql, &f->c, &commit));
	assert_int_equal(commit, 1);
	assert_false(((struct sqlite *) sql)->is_unknown);
	sql->rollback(sql);
	fixture_check(f);
	assert_ok(fixture_commit(f, write_much, NULL));
	fixture_check(f);
}

/* ---- migrations ---- */

/* A program of the next schema: accounts have a colour. */
static const struct migration later_migrations[] = {
	{1, "never run"},
	{2, "ALTER TABLE account ADD COLUMN colour TEXT; UPDATE account SET colour = 'blue';"},
	{0},
};

static struct sql_driver *as_later(struct sql_driver *sql)
{
	((struct sqlite *) sql)->schema = (struct sqlite_schema){2, "later", later_migrations};
	return sql;
}

/* A driver with an invalid migration. */
static struct sql_driver *as_broken(struct sql_driver *sql)
{
	static const struct migration broken[] = {
		{2, "ALTER TABLE account ADD COLUMN colour TEXT; UPDATE nothing SET colour = 'blue';"}, {0}};
	((struct sqlite *) sql)->schema = (struct sqlite_schema){2, "later", broken};
	return sql;
}

static int64_t ask_number(const char *of, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_open(of, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

/* The rows are there with what the migration did; beside them is the database as it was, for its own program. */
static void older_is_migrated_and_copied(void **state)
{
	struct fixture *f = *state;
	struct stat seen = {0};
	name_files(f);
	const char *copy = str_print(f->arena, "%s.schema-1", path).p;
	fixture_open(f, path);
	assert_ok(fixture_commit(f, put_account, NULL));
	store_close(TAKE(f->store));
	assert_int_not_equal(stat(copy, &seen), 0); /* nothing was migrated yet */
	assert_ok(file_write_synced(&f->c, copy, STR("half of one, of a try before"), 0644));

	assert_ok(fixture_try_open(f, path, as_later));
	assert_int_equal(count_accounts(f), 1);
	store_close(TAKE(f->store));
	assert_int_equal(ask_number(path, "SELECT count(*) FROM account WHERE colour = 'blue'"), 1);
	assert_int_equal(ask_number(path, "SELECT value FROM meta WHERE name = 'schema_version'"), 2);
	assert_int_equal(stat(copy, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0600);
	refuse(f, path, ERR_STATE, "*knows up to 1*such as *.schema-1*");

	assert_int_equal(rename(copy, path), 0);
	fixture_open(f, path);
	assert_int_equal(count_accounts(f), 1);
	assert_ok(fixture_commit(f, put_second_account, NULL));
	store_close(TAKE(f->store));
}

static RESULT write_event(struct op *op, void *arg)
{
	(void) arg;
	return op_event(op, KIND_ACCOUNT, uuid_of(1), UUID_NONE, "made", STR("For {}."), STR("dora\x1f"));
}

static RESULT join_texts(void *arg, const struct event *event)
{
	buf_add_str(arg, event->text);
	return OK;
}

/* Events of before arguments were whole sentences. */
static void older_events_are_kept(void **state)
{
	struct fixture *f = *state;
	struct buf texts;
	name_files(f);
	fixture_open(f, path);
	store_close(TAKE(f->store));
	run_sql(path,
		"ALTER TABLE event DROP COLUMN arguments;"
		"INSERT INTO event VALUES (NULL, 1, 'account', '', '', '', '', '', 'made', 'Made {here}. ')");
	fixture_open(f, path);
	assert_ok(fixture_commit(f, write_event, NULL));
	buf_init(&texts, 4096);
	const struct event_query query = {.after_seq = 0, .max = 8};
	assert_ok(store_read_events(f->store, &f->c, &query, join_texts, &texts));
	assert_true(str_is(buf_str(&texts), "For dora.Made {here}. "));
	buf_done(&texts);
	store_close(TAKE(f->store));
}

/* A migration that fails, and a copy that does, leave the database to the program that it is of. */
static void a_failed_migration_changes_nothing(void **state)
{
	struct fixture *f = *state;
	name_files(f);
	const char *copy = str_print(f->arena, "%s.schema-1", path).p;
	fixture_open(f, path);
	assert_ok(fixture_commit(f, put_account, NULL));
	store_close(TAKE(f->store));

	assert_err(fixture_try_open(f, path, as_broken), IO);
	ctx_clear_problem(&f->c);
	assert_int_equal(unlink(copy), 0);
	assert_int_equal(mkdir(copy, 0700), 0); /* in the copy's place */
	assert_err(fixture_try_open(f, path, as_later), IO);
	assert_true(str_matches(f->c.problem.message, STR("*not migrated without a copy*")));
	ctx_clear_problem(&f->c);
	assert_int_equal(rmdir(copy), 0);
	assert_int_not_equal(access(str_print(f->arena, "%s.half", copy).p, F_OK), 0);

	fixture_open(f, path);
	assert_int_equal(count_accounts(f), 1);
	fixture_check(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_comes_back),
		TEST(newer_is_refused),
		TEST(other_hash_is_refused),
		TEST(others_are_refused),
		TEST(older_is_migrated_and_copied),
		TEST(older_events_are_kept),
		TEST(a_failed_migration_changes_nothing),
		TEST(damaged_rows_are_named),
		TEST(second_process_is_refused),
		TEST(readers_see_commits_only),
		TEST(full_disk_refuses),
		TEST(floor_is_kept),
		TEST(unknown_commit_is_settled),
		TEST(failed_reading_is_told),
		TEST(moved_files_refuse),
		TEST(a_replacement_is_left_alone),
		TEST(a_removed_log_is_written_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
