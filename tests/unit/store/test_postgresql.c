/* SPDX-License-Identifier: Apache-2.0
 * The PostgreSQL driver: all kinds' fields are written and read back, incompatible databases are refused, another
 * writer is fenced out, and lost connections are settled. */
#include "database.h"
#include "fixture.h"
#include "store/account.h"
#include "store/volume.h"

#include <stdio.h>

#include "../model/fill.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "store/follow.h"
#include "store/postgresql_internal.h"

static const char path[] = "/a"; /* any: the fixture's database of files */

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	database_remove();
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

static void run_sql(const char *sql)
{
	const char *failure = database_exec(path, sql, true);
	if (failure)
		fail_msg("%s: %s", sql, failure);
}

static void expect_words(struct fixture *f, const char *words)
{
	if (!str_matches(f->c.problem.message, str_from(words)))
		fail_msg("\"%" STR_FMT "\" is not \"%s\"", STR_ARG(f->c.problem.message), words);
	ctx_clear_problem(&f->c);
}

static void refuse(struct fixture *f, enum err err, const char *words)
{
	assert_string_equal(err_name(fixture_try_open(f, path, NULL).code), err_name(err));
	expect_words(f, words);
	assert_null(f->store);
}

static struct postgresql *driver_of(struct fixture *f)
{
	return (struct postgresql *) f->store->config.sql;
}

static RESULT put_account(struct op *op, void *arg)
{
	struct account a = fixture_account(*(const unsigned *) arg);
	return account_put(op, &a);
}

static RESULT add_account(struct fixture *f, unsigned n)
{
	return fixture_commit(f, put_account, &n);
}

static size_t count_accounts(struct fixture *f)
{
	return f->store->head.counts[KIND_ACCOUNT];
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
	fixture_open(f, path);
	random_set_seed(3);
	struct filled *filled = arena_new_array(f->arena, struct filled, KIND_COUNT);
	assert_non_null(filled);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		filled[kind].k = &model_kinds[kind];
		for (size_t n = 0; n < 8; n++)
			filled[kind].rows[n] = fill_row(f->arena, filled[kind].k);
		struct result r = fixture_commit(f, put_filled, &filled[kind]);
		if (r.code == ERR_EXISTS) /* random keys may collide */
			filled[kind].k = NULL;
		else
			assert_ok(r);
	}
	random_set_seed(0);
	fixture_check(f);
	store_close(TAKE(f->store));
	fixture_open(f, path);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		for (size_t n = 0; filled[kind].k && n < 8; n++) {
			const struct row *row = tables_find(&f->store->head, kind, filled[kind].rows[n]->id);
			assert_true(row && row_equal(filled[kind].k, row, filled[kind].rows[n]));
		}
	fixture_check(f);
}

static RESULT put_named(struct op *op, void *arg)
{
	struct account a = fixture_account(1);
	a.name = *(const struct str *) arg;
	return account_put(op, &a);
}

/* Texts that PostgreSQL cannot hold, and one that looks like their stored form. */
static void any_bytes_come_back(void **state)
{
	static const struct str names[] = {STR("a\0b"), STR("\xff\xfe"), STR("\x01hex:61"), STR("")};
	struct fixture *f = *state;
	for (size_t n = 0; n < 4; n++) {
		fixture_open(f, path);
		assert_ok(fixture_commit(f, put_named, (void *) &names[n]));
		fixture_check(f);
		store_close(TAKE(f->store));
		fixture_open(f, path);
		assert_true(str_equal(account_find(&f->store->head, uuid_of(1))->name, names[n]));
		store_close(TAKE(f->store));
	}
}

/* A transaction of 20 MB is sent in two parts, and is one commit. */
static RESULT put_large(struct sql_driver *sql, struct ctx *c)
{
	static char name[100000];
	memset(name, 'x', sizeof name);
	TRY(sql->begin(sql, c));
	for (unsigned n = 1; n <= 200; n++) {
		struct volume v = fixture_volume(n, 1, 1);
		v.name = (struct str){name, sizeof name};
		TRY(sql->put(sql, c, KIND_VOLUME, &v.row));
	}
	return OK;
}

static RESULT write_large(struct sql_driver *sql, struct ctx *c, uint64_t commit)
{
	TRY(put_large(sql, c));
	return sql->commit(sql, c, commit);
}

static void a_large_batch_is_whole(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	struct sql_driver *sql = f->store->config.sql;
	assert_ok(write_large(sql, &f->c, 1));
	assert_int_equal(database_ask(path, "SELECT count(*) FROM volume"), 200);
	assert_int_equal(database_ask(path, "SELECT batch FROM writer"), 1);
	run_sql("DELETE FROM volume; UPDATE writer SET epoch = epoch + 1");
	assert_false(result_is_ok(write_large(sql, &f->c, 2)));
	sql->rollback(sql);
	ctx_clear_problem(&f->c);
	assert_int_equal(database_ask(path, "SELECT count(*) FROM volume"), 0);
}

static bool was_told;

static void note_told(void *self)
{
	(void) self;
	was_told = true;
}

/* A follower may take another batch of that number for the lost one, so the process does not write on. */
static void a_large_batch_that_is_lost_ends_the_writer(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	struct sql_driver *sql = f->store->config.sql;
	was_told = false;
	sql->lease.lost = note_told;
	assert_ok(put_large(sql, &f->c));
	run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' "
		"AND datname = current_database()");
	assert_err(sql->commit(sql, &f->c, 1), GONE);
	assert_true(was_told);
	sql->rollback(sql);
	ctx_clear_problem(&f->c);
	assert_int_equal(database_ask(path, "SELECT count(*) FROM volume"), 0);
}

/* ---- refusals ---- */

static void others_are_refused(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	store_close(TAKE(f->store));
	run_sql("UPDATE meta SET value = '9999' WHERE name = 'schema_version'");
	refuse(f, ERR_STATE,
	       "the database postgresql://*/file is of schema version 9999, this program knows up to *");
	run_sql("UPDATE meta SET value = '1' WHERE name = 'schema_version'");
	run_sql("UPDATE meta SET value = 'abc' WHERE name = 'schema_hash'");
	run_sql("DELETE FROM meta WHERE name = 'schema_level'");
	refuse(f, ERR_STATE, "the database * of another build of it (its hash is abc, *");
	run_sql("DELETE FROM meta WHERE name = 'schema_version'");
	refuse(f, ERR_STATE, "the database * does not say its schema_version: *");
	run_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE recipes (name TEXT)");
	refuse(f, ERR_STATE, "*has tables, but none of Dari's*");
	run_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	struct sql_driver *sql = NULL;
	assert_err(postgresql_open(&f->c, "postgresql:///x?host=/nowhere&password=secret", &sql), TIMEOUT);
	assert_false(str_contains(f->c.problem.message, STR("secret")));
	expect_words(f, "the database postgresql:///nowhere/x cannot be reached: *");
	assert_err(postgresql_open(&f->c, "postgresql://[", &sql), INVALID);
	ctx_clear_problem(&f->c);
}

static void damaged_rows_are_named(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	store_close(TAKE(f->store));
	run_sql("UPDATE account SET enabled = 'perhaps'");
	refuse(f, ERR_STATE, "the database * is damaged: account *-*-*-*-* has no usable enabled");
	run_sql("UPDATE account SET id = 'x'");
	refuse(f, ERR_STATE, "the database * is damaged: a row of account has the id \"x\"");
}

/* The program of the next schema. */
static struct sql_driver *as_later(struct sql_driver *sql)
{
	static const struct migration migrations[] = {
		{1, "never run"},
		{2, "ALTER TABLE account ADD COLUMN colour TEXT; UPDATE account SET colour = 'blue';"},
		{0},
	};
	((struct postgresql *) sql)->schema = (struct postgresql_schema){2, "later", migrations};
	return sql;
}

static struct sql_driver *as_broken(struct sql_driver *sql)
{
	static const struct migration migrations[] = {
		{2, "ALTER TABLE account ADD COLUMN colour TEXT; UPDATE nothing SET colour = 'blue';"}, {0}};
	((struct postgresql *) sql)->schema = (struct postgresql_schema){2, "later", migrations};
	return sql;
}

static void older_is_migrated(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	store_close(TAKE(f->store));
	assert_err(fixture_try_open(f, path, as_broken), IO);
	ctx_clear_problem(&f->c);
	fixture_open(f, path); /* nothing was changed */
	store_close(TAKE(f->store));
	assert_ok(fixture_try_open(f, path, as_later));
	assert_int_equal(count_accounts(f), 1);
	store_close(TAKE(f->store));
	assert_int_equal(database_ask(path, "SELECT count(*) FROM account WHERE colour = 'blue'"), 1);
	refuse(f, ERR_STATE, "*knows up to 1*");
	run_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

/* ---- one writer ---- */

static RESULT open_second(struct fixture *f, int patience_ms, struct sql_driver **ret_second)
{
	struct sql_driver *second = NULL;
	TRY(postgresql_open(&f->c, database_place(path), &second));
	second->lease.patience_ms = patience_ms;
	struct result r = second->open(second, &f->c);
	if (result_is_ok(r))
		*ret_second = second;
	else
		second->close(second);
	return r;
}

/* The lease belongs to one process until it expires, even if that process's sessions end. */
static void a_second_process_is_refused(void **state)
{
	struct fixture *f = *state;
	struct sql_driver *second = NULL;
	struct sql_writer writer;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	assert_err(open_second(f, 0, &second), IN_USE);
	expect_words(f, "the database postgresql://* is in use by another dari process (*");
	assert_ok(postgresql_open(&f->c, database_place(path), &second));
	assert_ok(second->read_writer(second, &f->c, &writer));
	assert_false(writer.is_free || writer.is_dead);
	assert_int_equal(writer.commit, 1);
	second->close(second);
	assert_true(driver_of(f)->driver.may_answer(&driver_of(f)->driver));
	fixture_check(f);
}

/* The lease expired while its holder was stopped: another process takes it, the former holder's next commit fails at the
 * fence, and the new holder calls no driver before the former one's time is over. */
static void an_expired_lease_changes_hands(void **state)
{
	struct fixture *f = *state;
	struct sql_driver *second = NULL;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	was_told = false;
	driver_of(f)->driver.lease.lost = note_told;
	struct result r = FAIL(IN_USE);
	while (r.code == ERR_IN_USE) { /* the holder's thread may have renewed it in between */
		ctx_clear_problem(&f->c);
		run_sql("UPDATE writer_lease SET expires = clock_timestamp() - interval '10 ms'");
		r = open_second(f, 0, &second);
	}
	assert_ok(r);
	assert_false(second->may_act(second));
	assert_true(second->may_answer(second));
	assert_err(add_account(f, 2), GONE);
	assert_true(was_told);
	assert_false(driver_of(f)->driver.may_answer(&driver_of(f)->driver));
	assert_int_equal(database_ask(path, "SELECT count(*) FROM account"), 1);
	second->close(second);
	store_close(TAKE(f->store)); /* does not give back what it has lost */
	assert_int_equal(database_ask(path, "SELECT count(*) FROM writer_lease WHERE expires = '-infinity'"),
			 1);
	fixture_open(f, path); /* given back: only a lost take-over may have followed */
	assert_true(driver_of(f)->driver.may_answer(&driver_of(f)->driver));
	assert_false(driver_of(f)->driver.may_act(&driver_of(f)->driver));
}

/* A standby lacks the last take-over, and the epochs are ahead of its clock: the next writer must get another epoch, or it and
 * the lost one would renew the same lease, and followers would mix their batches. */
static void no_epoch_is_given_twice(void **state)
{
	struct fixture *f = *state;
	static const char ahead[] = "UPDATE writer SET epoch = 8000000000000000";
	fixture_open(f, path);
	store_close(TAKE(f->store));
	run_sql(ahead);
	fixture_open(f, path);
	int64_t lost = f->store->config.sql->lease.epoch;
	assert_true(lost > 8000000000000000);
	store_close(TAKE(f->store));
	run_sql(ahead);
	fixture_open(f, path);
	assert_int_not_equal(f->store->config.sql->lease.epoch, lost);
}

/* ---- followers ---- */

static struct store *open_follower(struct fixture *f)
{
	struct store *follower = NULL;
	struct store_config config = {.executor = f->executor, .observe = fixture_observe};
	assert_ok(postgresql_open(&f->c, database_place(path), &config.sql));
	assert_ok(store_open_follower(&f->c, &config, "ask the writer", &follower));
	return follower;
}

static void follow(struct fixture *f, struct store *follower)
{
	store_follow(follower);
	fixture_step(f);
}

static void assert_same(struct fixture *f, struct store *follower)
{
	struct str writer = fixture_dump(f, &f->store->published);
	assert_true(str_equal(fixture_dump(f, &follower->published), writer));
	assert_true(str_equal(fixture_dump(f, &follower->head), writer));
	assert_int_equal(store_read_commit(follower), f->store->commit);
}

static RESULT forget_account(struct op *op, void *arg)
{
	return account_forget(op, uuid_of(*(const unsigned *) arg));
}

static RESULT put_volume(struct op *op, void *arg)
{
	struct volume v = fixture_volume(*(const unsigned *) arg, 1, 0);
	return volume_put(op, &v);
}

/* New, changed and forgotten rows, several batches at once, with their figures. */
static void a_follower_shows_what_was_committed(void **state)
{
	struct fixture *f = *state;
	unsigned n = 7, gone = 2;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	assert_ok(add_account(f, 2));
	struct store *follower = open_follower(f);
	assert_same(f, follower);
	assert_ok(add_account(f, 3));
	assert_ok(add_account(f, 1)); /* again */
	assert_ok(fixture_commit(f, put_volume, &n));
	assert_ok(fixture_commit(f, forget_account, &gone));
	follow(f, follower);
	assert_int_equal(store_read_following(follower), STORE_FOLLOWS);
	assert_same(f, follower);
	follow(f, follower); /* nothing is new */
	assert_same(f, follower);
	store_close(follower);
}

static void a_follower_changes_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned n = 5;
	fixture_open(f, path);
	struct store *writer = f->store;
	f->store = open_follower(f);
	assert_err(fixture_commit(f, put_account, &n), AGAIN);
	ctx_clear_problem(&f->c);
	store_close(f->store);
	f->store = writer;
	assert_int_equal(database_ask(path, "SELECT count(*) FROM account"), 0);
}

/* A caller that has seen a commit elsewhere is not answered from an older state. */
static void a_follower_knows_when_it_is_up_to_date(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	struct store *follower = open_follower(f);
	assert_true(store_has_fed(follower));
	assert_ok(add_account(f, 1));
	store_ask_feed(follower);
	assert_false(store_has_fed(follower));
	fixture_step(f);
	assert_true(store_has_fed(follower));
	assert_same(f, follower);
	clock_advance_us(2 * SECOND); /* it was stopped */
	assert_false(store_has_fed(follower));
	follow(f, follower);
	assert_true(store_has_fed(follower));
	store_close(follower);
}

static void a_follower_refuses_gaps_and_older_databases(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	struct store *follower = open_follower(f);
	run_sql("UPDATE writer SET batch = 0");
	follow(f, follower);
	assert_int_equal(store_read_following(follower), STORE_OTHER);
	assert_false(store_has_fed(follower));
	run_sql("UPDATE writer SET batch = 1");
	follow(f, follower);
	assert_int_equal(store_read_following(follower), STORE_FOLLOWS);
	run_sql("UPDATE writer_lease SET pruned = 2");
	follow(f, follower);
	assert_int_equal(store_read_following(follower), STORE_BEHIND);
	run_sql("UPDATE writer_lease SET pruned = 0");
	store_close(follower);
}

/* A standby took over without the last commit, and the next writer overtook the number that this follower had seen: two lines of
 * history must not mix. */
static void a_follower_refuses_another_line_of_history(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	assert_ok(add_account(f, 2));
	struct store *follower = open_follower(f), *heir = NULL;
	store_close(TAKE(f->store));
	fixture_open(f, path); /* a take-over without a loss */
	follow(f, follower);
	assert_int_equal(store_read_following(follower), STORE_FOLLOWS);
	assert_same(f, follower);
	store_close(TAKE(f->store));
	run_sql("DELETE FROM account WHERE name = 'account-2'; UPDATE writer SET batch = batch - 1");
	fixture_open(f, path);
	assert_ok(add_account(f, 3));
	assert_ok(add_account(f, 4));
	follow(f, follower);
	assert_int_equal(store_read_following(follower), STORE_BEHIND);
	heir = open_follower(f);
	assert_same(f, heir);
	store_close(TAKE(f->store));
	run_sql("DELETE FROM writer_start"); /* as after a thousand take-overs */
	fixture_open(f, path);
	follow(f, heir);
	assert_int_equal(store_read_following(heir), STORE_BEHIND);
	store_close(heir);
	store_close(follower);
}

/* A second writer took over while this one's session was gone: nothing more is written. */
static void a_fenced_writer_stops(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	run_sql("UPDATE writer SET epoch = epoch + 1");
	for (int n = 0; n < 2; n++) {
		assert_err(add_account(f, 2), GONE);
		ctx_clear_problem(&f->c);
	}
	assert_err(store_find_database(f->store, &f->c), GONE);
	expect_words(f, "another dari process writes to the database postgresql://*");
	assert_int_equal(count_accounts(f), 1);
	assert_int_equal(database_ask(path, "SELECT count(*) FROM account"), 1);
	run_sql("UPDATE writer SET epoch = epoch - 1");
	assert_ok(add_account(f, 2));
	fixture_check(f);
}

/* OVN and the hosts keep the epoch that they saw last. The first writer of a new database, from a backup or a copy, must come
 * after it. */
static void epochs_of_a_new_database_follow(void **state)
{
	struct fixture *f = *state;
	int64_t before = 0;
	fixture_open(f, path);
	store_close(TAKE(f->store));
	/* a test before this one has set the epoch ahead of the clock */
	run_sql("UPDATE writer SET epoch = 0; UPDATE writer_lease SET epoch = 0");
	fixture_open(f, path);
	before = f->store->config.sql->lease.epoch;
	assert_true(before > 0);
	store_close(TAKE(f->store));
	run_sql("UPDATE writer SET epoch = 0; UPDATE writer_lease SET epoch = 0");
	fixture_open(f, path);
	assert_true(f->store->config.sql->lease.epoch >= before);
	before = f->store->config.sql->lease.epoch;
	store_close(TAKE(f->store));
	fixture_open(f, path); /* with the clock as it is, or set back */
	assert_true(f->store->config.sql->lease.epoch > before);
	run_sql("UPDATE writer SET epoch = epoch + 1000000000; UPDATE writer_lease SET epoch = epoch + "
		"1000000000");
	store_close(TAKE(f->store));
	fixture_open(f, path);
	assert_true(f->store->config.sql->lease.epoch > before + 1000000000);
	store_close(TAKE(f->store));
}

/* An old copy of the database behind the same name. */
static void an_older_database_is_refused(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	assert_ok(add_account(f, 2));
	run_sql("UPDATE writer SET batch = 1");
	assert_err(add_account(f, 3), GONE);
	ctx_clear_problem(&f->c);
	run_sql("UPDATE writer SET batch = 2");
	assert_ok(add_account(f, 3));
	fixture_check(f);
}

/* ---- lost connections ---- */

static const char end_sessions[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
				   " WHERE application_name LIKE 'dari%' AND datname LIKE 'file%'";

static void a_lost_session_is_replaced(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	for (unsigned n = 1; n <= 5; n++) {
		run_sql(end_sessions);
		assert_ok(add_account(f, n));
	}
	assert_int_equal(count_accounts(f), 5);
	fixture_check(f);
}

/* The server ends the session within the transaction: at the row, and behind the COMMIT's last row. */
static void a_session_lost_in_a_commit_is_settled(void **state)
{
	static const char *const triggers[] = {
		/* immediately: the transaction is lost */
		"CREATE CONSTRAINT TRIGGER t AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION die()",
		/* within COMMIT */
		"CREATE CONSTRAINT TRIGGER t AFTER INSERT ON account DEFERRABLE INITIALLY DEFERRED"
		" FOR EACH ROW EXECUTE FUNCTION die()",
	};
	struct fixture *f = *state;
	fixture_open(f, path);
	/* dies in every second transaction; a sequence does not roll back */
	run_sql("CREATE SEQUENCE IF NOT EXISTS deaths;"
		"CREATE OR REPLACE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		" IF nextval('deaths') % 2 = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
		" RETURN NULL; END $$");
	for (unsigned n = 0; n < 2; n++) {
		run_sql(triggers[n]);
		assert_ok(add_account(f, 2 * n + 1));
		assert_ok(add_account(f, 2 * n + 2));
		run_sql("DROP TRIGGER t ON account");
	}
	assert_int_equal(count_accounts(f), 4);
	assert_int_equal(f->store->sql_commit, 4);
	assert_int_equal(driver_of(f)->commit, 4);
	fixture_check(f);
	run_sql("DROP FUNCTION die; DROP SEQUENCE deaths");
}

/* The commit took place, and its answer was lost: it is neither refused nor repeated. */
static void an_unanswered_commit_is_found(void **state)
{
	struct fixture *f = *state;
	struct sql_driver *sql = NULL;
	struct account a = fixture_account(1);
	uint64_t commit = 0;
	fixture_open(f, path);
	sql = f->store->config.sql;
	assert_ok(sql->begin(sql, &f->c));
	assert_ok(sql->put(sql, &f->c, KIND_ACCOUNT, &a.row));
	assert_ok(sql->commit(sql, &f->c, 1));
	driver_of(f)->commit = 0; /* as before the answer */
	driver_of(f)->is_unknown = true;
	assert_ok(sql->read_commit(sql, &f->c, &commit));
	assert_int_equal(commit, 1);
	assert_int_equal(driver_of(f)->commit, 1);
	assert_false(driver_of(f)->is_unknown);
	assert_int_equal(database_ask(path, "SELECT count(*) FROM account"), 1);
}

/* The server is not there: changes are refused, and taken again later. */
static void an_absent_server_refuses(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, path);
	assert_ok(add_account(f, 1));
	struct postgresql *driver = driver_of(f);
	char *url = driver->url, nowhere[] = "postgresql:///x?host=/nowhere";
	driver->url = nowhere;
	postgresql_disconnect(&driver->db);
	for (int n = 0; n < 2; n++) {
		assert_err(add_account(f, 2), AGAIN);
		expect_words(f, "The region's database cannot be reached: *");
	}
	assert_int_equal(count_accounts(f), 1);
	driver->url = url;
	driver->not_before_us = 0;
	assert_ok(add_account(f, 2));
	fixture_check(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_comes_back),
		TEST(any_bytes_come_back),
		TEST(a_large_batch_is_whole),
		TEST(a_large_batch_that_is_lost_ends_the_writer),
		TEST(others_are_refused),
		TEST(damaged_rows_are_named),
		TEST(older_is_migrated),
		TEST(a_second_process_is_refused),
		TEST(an_expired_lease_changes_hands),
		TEST(a_follower_shows_what_was_committed),
		TEST(a_follower_changes_nothing),
		TEST(a_follower_knows_when_it_is_up_to_date),
		TEST(a_follower_refuses_gaps_and_older_databases),
		TEST(a_follower_refuses_another_line_of_history),
		TEST(a_fenced_writer_stops),
		TEST(epochs_of_a_new_database_follow),
		TEST(no_epoch_is_given_twice),
		TEST(an_older_database_is_refused),
		TEST(a_lost_session_is_replaced),
		TEST(a_session_lost_in_a_commit_is_settled),
		TEST(an_unanswered_commit_is_found),
		TEST(an_absent_server_refuses),
	};
	assert_true(database_is_postgresql()); /* tests/contract/operator/postgresql.py starts one */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
