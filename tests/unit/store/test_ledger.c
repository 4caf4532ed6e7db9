/* SPDX-License-Identifier: Apache-2.0
 * The usage log and the ledger: order and times in spite of changes of the clock, SQL's refusals, resource
 * names, and a log from before names were introduced. */
#include "database.h"
#include "fixture.h"

#include <sqlite3.h>
#include <stdio.h>

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

static RESULT use_of(struct op *op, void *arg)
{
	const struct usage *usage = arg;
	return op_usage(op, KIND_VOLUME, usage->id, usage->account, STR("volume:gp2"), usage->level);
}

static RESULT use_and_fail(struct op *op, void *arg)
{
	TRY(use_of(op, arg));
	return FAIL(GONE);
}

static RESULT write_record(struct op *op, void *arg)
{
	return op_ledger(op, arg);
}

struct seen {
	struct usage at[16];
	char meters[16][32]; /* which are valid during a record's call only */
	size_t count;
};

static RESULT take_usage(void *arg, const struct usage *usage)
{
	struct seen *seen = arg;
	assert_true(seen->count < 16);
	snprintf(seen->meters[seen->count], sizeof seen->meters[0], "%" STR_FMT, STR_ARG(usage->meter));
	seen->at[seen->count] = *usage;
	seen->at[seen->count++].meter = STR_NONE;
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
	assert_true(stamps_draw(&stamps, AT(1)) == AT(1)); /* a step of an hour: reported and accepted */
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

/* ---- SQL's refusals ---- */

static void refused(const char *path, const char *sql, const char *says)
{
	const char *words = database_exec(path, sql, false);
	if (!words || !strstr(words, says))
		fail_msg("%s: %s", sql, words ? words : "done");
}

static void nothing_that_was_written_changes(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
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
	refused(path, "UPDATE usage SET level = 7", "the usage log is only added to");
	refused(path, "DELETE FROM usage", "the usage log is only added to");
	refused(path, "UPDATE ledger SET text = ''", "the ledger is only added to");
	refused(path, "DELETE FROM ledger", "the ledger is only added to");
	refused(path,
		"INSERT INTO ledger SELECT seq + 100, type, at_us, from_us, 0, 0, id, account, name, "
		"text FROM ledger"
		" WHERE type = 'charge'",
		"the billing period is closed");
}

/* ---- names of resources ---- */

struct names {
	char text[256];
};

static RESULT take_name(void *arg, const struct ledger_record *r)
{
	struct names *names = arg;
	size_t n = strlen(names->text);
	snprintf(names->text + n, sizeof names->text - n, "%" STR_FMT "=%" STR_FMT ";", STR_ARG(r->name),
		 STR_ARG(r->text));
	return OK;
}

static struct names read_names(struct fixture *f, uuid id)
{
	const struct ledger_query query = {.type = LEDGER_SUBJECT, .from_us = LEDGER_ANY_TIME, .id = id};
	struct names names = {.text = ""};
	assert_ok(store_read_ledger(f->store, &f->c, &query, take_name, &names));
	return names;
}

static RESULT use_and_name(struct op *op, void *arg)
{
	int64_t level = 1;
	TRY(use(op, &level));
	return op_ledger(op, arg);
}

static int64_t count_rows(const char *path, const char *sql)
{
	return database_ask(path, sql);
}

/* A name goes into the row of its resource's usage; it is no usage, and another's name has a row of its own. */
static void names_are_in_the_log(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	struct ledger_record own = {.type = LEDGER_SUBJECT,
				    .id = uuid_of(5),
				    .account = uuid_of(1),
				    .name = STR("disk"),
				    .text = STR("{}")};
	struct ledger_record others = own, empty = own;
	others.id = uuid_of(6);
	others.name = STR("other");
	empty.name = STR("");
	fixture_open(f, path);
	assert_ok(fixture_commit(f, use_and_name, &own));
	assert_int_equal(count_rows(path, "SELECT count(*) FROM usage"), 1);
	assert_ok(fixture_commit(f, use_and_name, &others));
	assert_int_equal(count_rows(path, "SELECT count(*) FROM usage"), 3);
	assert_ok(fixture_commit(f, write_record, &empty));
	assert_string_equal(read_names(f, UUID_NONE).text, "other={};disk={};={};");
	assert_string_equal(read_names(f, uuid_of(5)).text, "disk={};={};");
	assert_int_equal(read_usage(f).count, 2);
}

/* A log from before names were introduced: names are added in the order of their numbers, which do not
 * change. */
static void names_of_a_table_of_their_own_are_kept(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	sqlite3 *db = NULL;
	fixture_open(f, path);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "DROP TABLE usage; CREATE TABLE usage (seq INTEGER PRIMARY KEY, at_us "
				      "BIGINT NOT NULL, kind TEXT NOT NULL,"
				      " id TEXT NOT NULL, account TEXT NOT NULL, meter TEXT NOT NULL, level "
				      "BIGINT NOT NULL);"
				      "CREATE INDEX usage_by_account ON usage (account);"
				      "CREATE TABLE subject (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL, "
				      "id TEXT NOT NULL,"
				      " account TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL);"
				      "INSERT INTO usage VALUES (NULL, 10, 'volume', '', '', 'volume:gp2', "
				      "1), (NULL, 20, 'volume', '', 'z', "
				      "'volume:gp3', 0);"
				      "INSERT INTO subject VALUES (NULL, 10, '', '', 'a', '{}'), (NULL, 20, "
				      "'', '', 'b', '{}')",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	fixture_open(f, path);
	assert_string_equal(read_names(f, UUID_NONE).text, "a={};b={};");
	struct seen seen = read_usage(f);
	assert_true(seen.count == 2 && seen.at[0].seq == 1 && seen.at[0].at_us == 10);
	assert_true(seen.at[1].seq == 2 && seen.at[1].at_us == 20 &&
		    strcmp(seen.meters[1], "volume:gp3") == 0);
	assert_int_equal(
		count_rows(path,
			   "SELECT count(*) FROM sqlite_master WHERE name IN ('subject', 'usage_by_number')"),
		0);
	use_at(f, AT(0), 1);
	assert_int_equal(count_rows(path, "SELECT max(seq) FROM usage"), 3);
}

/* The end of the log is each account's last record, and of these the last. */
static void the_next_start_numbers_on(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	clock_set_us(AT(0));
	fixture_open(f, path);
	for (int n = 1; n < 9; n++) {
		struct usage usage = {.id = uuid_of(5), .account = uuid_of(1 + n * 5 % 3), .level = n};
		assert_ok(fixture_commit(f, use_of, &usage));
		assert_err(fixture_commit(f, use_and_fail, &usage), GONE); /* takes no number */
	}
	store_close(f->store);
	f->store = NULL;
	fixture_open(f, path);
	use_at(f, AT(0), 9);
	struct seen seen = read_usage(f);
	bool is_seen[10] = {false};
	assert_int_equal(seen.count, 9);
	for (size_t k = 0; k < seen.count; k++) {
		assert_true(seen.at[k].seq == seen.at[k].level && !is_seen[seen.at[k].seq]);
		is_seen[seen.at[k].seq] = true;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(times_never_go_back),
		TEST(a_leap_of_days_is_not_believed),
		TEST(the_next_start_goes_on_from_the_log),
		TEST(nothing_that_was_written_changes),
		TEST(names_are_in_the_log),
		TEST(the_next_start_numbers_on),
		TEST(names_of_a_table_of_their_own_are_kept), /* SQLite alone has had such a table */
	};
	size_t count = sizeof tests / sizeof *tests - database_is_postgresql();
	return _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
}
