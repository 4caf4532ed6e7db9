/* SPDX-License-Identifier: Apache-2.0
 * The usage log and the ledger: their order and their times whatever the clock does, what SQL refuses, and a log from before it
 * had numbers. */
#include "fixture.h"

#include <sqlite3.h>

#include "base/clock.h"
#include "store/ledger.h"

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	clock_set_us(0);
	fixture_done(*state);
	return 0;
}

static const char *database_path(struct fixture *f)
{
	return str_print(f->arena, "%s/dari.db", fixture_make_folder()).p;
}

static RESULT use(struct op *op, void *arg)
{
	return op_usage(op, KIND_VOLUME, uuid_of(5), uuid_of(1), STR("volume:gp2"), *(const int64_t *) arg);
}

static RESULT write_record(struct op *op, void *arg)
{
	return op_ledger(op, arg);
}

struct seen {
	struct usage at[16];
	size_t count;
};

static RESULT take_usage(void *arg, const struct usage *usage)
{
	struct seen *seen = arg;
	assert_true(seen->count < 16);
	seen->at[seen->count++] = *usage;
	return OK;
}

static struct seen read_usage(struct fixture *f)
{
	const struct usage_query query = {.before_us = INT64_MAX};
	struct seen seen = {.count = 0};
	assert_ok(store_read_usage(f->store, &f->c, &query, take_usage, &seen));
	return seen;
}

static void use_at(struct fixture *f, int64_t at_us, int64_t level)
{
	clock_set_us(at_us);
	assert_ok(fixture_commit(f, use, &level));
}

#define AT(hours) (INT64_C(1800000000) * SECOND + (hours) *HOUR)

static void times_never_go_back(void **state)
{
	struct fixture *f = *state;
	int64_t behind_us = 0, ahead_us = 0;
	clock_set_us(AT(0));
	fixture_open(f, NULL);
	use_at(f, AT(2), 1);
	use_at(f, AT(1), 2); /* set back by an hour: it lasts no time */
	use_at(f, AT(1), 3);
	store_read_clock(f->store, &behind_us, &ahead_us);
	assert_int_equal(behind_us, HOUR);
	use_at(f, AT(3), 4);
	store_read_clock(f->store, &behind_us, &ahead_us);
	assert_int_equal(behind_us, 0);
	struct seen seen = read_usage(f);
	assert_int_equal(seen.count, 4);
	for (size_t k = 0; k < 4; k++)
		assert_true(seen.at[k].level == (int64_t) k + 1 &&
			    (k == 0 || seen.at[k].seq > seen.at[k - 1].seq));
	assert_true(seen.at[0].at_us == AT(2) && seen.at[1].at_us == AT(2) && seen.at[2].at_us == AT(2));
	assert_true(seen.at[3].at_us == AT(3));
}

static void a_leap_of_days_is_not_believed(void **state)
{
	(void) state;
	/* Both clocks of a test stand still together, so the steady one is moved by hand here. */
	struct stamps stamps;
	clock_set_us(AT(0));
	stamps_init(&stamps, 0);
	assert_true(stamps_draw(&stamps, AT(0)) == AT(0));
	assert_true(stamps_draw(&stamps, AT(1)) == AT(1)); /* by an hour: told, and believed */
	clock_advance_us(MINUTE);
	assert_true(stamps_draw(&stamps, AT(1000)) == AT(1) + MINUTE);
	assert_true(stamps.ahead_us > 0);
	stamps.is_confirmed = true;
	assert_true(stamps_draw(&stamps, AT(1001)) == AT(1001));
	assert_true(stamps.ahead_us == 0);
	assert_true(stamps_draw(&stamps, AT(2)) ==
		    AT(1001)); /* the clock was right before: now the log is ahead */
	assert_true(stamps.behind_us > 0);
}

static void the_next_start_goes_on_from_the_log(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	clock_set_us(AT(0));
	fixture_open(f, path);
	use_at(f, AT(5), 1);
	struct ledger_record later = {.type = LEDGER_SUBJECT, .id = uuid_of(5)};
	clock_set_us(AT(6));
	assert_ok(fixture_commit(f, write_record, &later));
	store_close(f->store);
	f->store = NULL;
	clock_set_us(AT(1));
	fixture_open(f, path);
	use_at(f, AT(1), 2);
	struct seen seen = read_usage(f);
	assert_true(seen.count == 2 && seen.at[1].at_us == AT(6));
}

/* ---- what SQL refuses ---- */

static void refused(sqlite3 *db, const char *sql, const char *says)
{
	char *words = NULL;
	assert_int_not_equal(sqlite3_exec(db, sql, NULL, NULL, &words), SQLITE_OK);
	if (!strstr(words, says))
		fail_msg("%s: %s", sql, words);
	sqlite3_free(words);
}

static void nothing_that_was_written_changes(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	sqlite3 *db = NULL;
	clock_set_us(AT(0));
	fixture_open(f, path);
	use_at(f, AT(0), 1);
	struct ledger_record charge = {
		.type = LEDGER_CHARGE, .from_us = AT(-24), .name = STR("key"), .text = STR("values")};
	struct ledger_record closed = {.type = LEDGER_CLOSED,
				       .from_us = AT(-24),
				       .level = AT(0),
				       .name = STR("1"),
				       .text = STR("digest")};
	struct ledger_record early = {.type = LEDGER_PRICES, .from_us = AT(-1)},
			     late = {.type = LEDGER_PRICES, .from_us = AT(0)};
	assert_ok(fixture_commit(f, write_record, &charge));
	assert_ok(fixture_commit(f, write_record, &closed));
	assert_err(fixture_commit(f, write_record, &charge), IO); /* the period is closed */
	assert_err(fixture_commit(f, write_record, &closed), IO);
	assert_err(fixture_commit(f, write_record, &early), IO);
	assert_ok(fixture_commit(f, write_record, &late));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	refused(db, "UPDATE usage SET level = 7", "the usage log is only added to");
	refused(db, "DELETE FROM usage", "the usage log is only added to");
	refused(db, "INSERT INTO usage SELECT NULL, at_us - 1, kind, id, account, meter, level FROM usage",
		"the usage log goes on");
	refused(db, "UPDATE ledger SET text = ''", "the ledger is only added to");
	refused(db, "DELETE FROM ledger", "the ledger is only added to");
	refused(db,
		"INSERT OR REPLACE INTO ledger SELECT seq, type, at_us, from_us, 0, 0, id, account, name, "
		"text FROM ledger"
		" WHERE type = 'charge'",
		"the billing period is closed");
	sqlite3_close(db);
}

static void a_log_without_numbers_gets_them(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	sqlite3 *db = NULL;
	fixture_open(f, path);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "DROP TABLE usage; CREATE TABLE usage (at_us BIGINT NOT NULL, kind TEXT NOT "
			     "NULL, id TEXT NOT "
			     "NULL, account TEXT NOT NULL, meter TEXT NOT NULL, level BIGINT NOT NULL);"
			     "CREATE INDEX usage_by_account ON usage (account, at_us);"
			     "INSERT INTO usage VALUES (10, 'volume', '', '', 'volume:gp2', 1), (30, "
			     "'address', '', '', "
			     "'address:elastic', 1), (20, 'volume', '', '', 'volume:gp2', 0)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	fixture_open(f, path);
	struct seen seen = read_usage(f);
	assert_int_equal(seen.count, 3);
	assert_true(seen.at[0].seq == 2); /* address:idle, before the volumes by its meter */
	assert_true(seen.at[1].seq == 1 && seen.at[1].at_us == 10 && seen.at[1].level == 1);
	assert_true(seen.at[2].seq == 3 && seen.at[2].at_us == 30 && seen.at[2].level == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(times_never_go_back),
		TEST(a_leap_of_days_is_not_believed),
		TEST(the_next_start_goes_on_from_the_log),
		TEST(nothing_that_was_written_changes),
		TEST(a_log_without_numbers_gets_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
