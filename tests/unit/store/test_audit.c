/* SPDX-License-Identifier: Apache-2.0
 * The audit log: a record is written with its change or not at all, even if the process is killed. SQL
 * refuses changes of records, and other manipulations break the chain. */
#include "database.h"
#include "fixture.h"
#include "store/zone.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
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

/* ---- changes with records ---- */

/* Zone n, and its record. */
static RESULT put_audited(struct op *op, void *arg)
{
	unsigned n = *(unsigned *) arg;
	struct zone z = {.row = {.id = uuid_of(n)}, .name = str_print(op->ctx->arena, "z%u", n)};
	const struct audit_record record = {.texts[AUDIT_ACTION] = STR("test:PutZone"),
					    .texts[AUDIT_SUBJECT] = z.name,
					    .texts[AUDIT_OUTCOME] = STR("ok")};
	TRY(zone_put(op, &z));
	return op_audit(op, &record);
}

static RESULT put_and_fail(struct op *op, void *arg)
{
	TRY(put_audited(op, arg));
	return ctx_fail(op->ctx, ERR_DENIED, "no");
}

static RESULT audit_only(struct op *op, void *arg)
{
	const struct audit_record record = {.count = 7, .texts[AUDIT_SUBJECT] = *(const struct str *) arg};
	return op_audit(op, &record);
}

static void commit_zone(struct fixture *f, unsigned n)
{
	assert_ok(fixture_commit(f, put_audited, &n));
}

/* ---- reading them ---- */

struct reading {
	struct audit_chain chain;
	size_t count;
	int64_t calls;  /* sum of the counts */
	int64_t broken; /* the first record that does not follow; 0: all do */
	int64_t last_count;
	char subject[AUDIT_TEXT_MAX + 1];
};

static RESULT take(void *arg, const struct audit_record *a)
{
	struct reading *r = arg;
	r->count++;
	r->calls += a->count;
	r->last_count = a->count;
	snprintf(r->subject, sizeof r->subject, "%" STR_FMT, STR_ARG(a->texts[AUDIT_SUBJECT]));
	if (!r->broken && !audit_follows(&r->chain, a))
		r->broken = a->seq;
	return OK;
}

static struct reading read_all(struct fixture *f)
{
	struct reading r = {0};
	assert_ok(store_read_audit(f->store, &f->c, 0, 1000, take, &r));
	return r;
}

/* ---- the same transaction ---- */

static void with_its_change(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, database_path(f));
	commit_zone(f, 1);
	commit_zone(f, 2);
	struct reading r = read_all(f);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.broken, 0);
	assert_int_equal(r.last_count, 1);
	assert_string_equal(r.subject, "z2");
}

static void not_without_it(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	unsigned n = 1;
	assert_err(fixture_commit(f, put_and_fail, &n), DENIED);
	assert_int_equal(read_all(f).count, 0);
	assert_int_equal(tables_count(&f->store->head, KIND_ZONE), 0);
	fixture_clear(f);
	commit_zone(f, 2);
	assert_int_equal(read_all(f).count, 1);
}

/* A record without a change, as a refused call leaves it, is a batch of its own. */
static void without_a_row(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	struct str subject = STR("ann");
	assert_ok(fixture_commit(f, audit_only, &subject));
	struct reading r = read_all(f);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.last_count, 7);
	fixture_check(f);
}

/* ---- a full disk ---- */

static int set_room(struct fixture *f, int pages)
{
	char sql[64];
	(void) snprintf(sql, sizeof sql, "PRAGMA max_page_count = %d", pages);
	return sqlite3_exec(((struct sqlite *) f->store->config.sql)->db, sql, NULL, NULL, NULL);
}

struct sign_in {
	unsigned n;
	const char *account;
};

static RESULT record_sign_in(struct op *op, void *arg)
{
	const struct sign_in *s = arg;
	const struct audit_record record = {.texts[AUDIT_ACTION] = STR("test:SignIn"),
					    .texts[AUDIT_ACCOUNT] = str_from(s->account),
					    .texts[AUDIT_ID] = str_print(op->ctx->arena, "%u", s->n),
					    .texts[AUDIT_SUBJECT] =
						    str_print(op->ctx->arena, "%0400u", s->n / 1000)};
	return op_audit(op, &record);
}

/* A row and a record that is as long as those of the sign-ins: a shorter one may find room in a page. */
static RESULT put_with_long_record(struct op *op, void *arg)
{
	struct zone z = {.row = {.id = uuid_of(2)}, .name = STR("z2")};
	TRY(zone_put(op, &z));
	return record_sign_in(op, arg);
}

static bool can_sign_in(struct fixture *f, const char *account, unsigned n)
{
	struct sign_in s = {n, account};
	struct result r = fixture_commit(f, record_sign_in, &s);
	assert_true(result_is_ok(r) || r.code == ERR_AGAIN);
	fixture_clear(f);
	return result_is_ok(r);
}

static struct reading read_more(struct fixture *f)
{
	struct reading r = {0};
	assert_ok(store_read_audit(f->store, &f->c, 0, 100000, take, &r));
	assert_int_equal(r.broken, 0);
	return r;
}

/* Without room a call that only leaves a record goes on, a change does not; with room the records are there. */
static void waits_for_room(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, database_path(f));
	commit_zone(f, 1);
	assert_int_equal(set_room(f, 1), SQLITE_OK);
	unsigned n = 0;
	while (!f->store->reserve.first)
		assert_true(can_sign_in(f, "a", n++));
	struct reading before = read_more(f);
	assert_int_equal(before.count, n); /* the zone's record is the one more, the last one waits */
	for (unsigned k = 0; k < 100; k++, n++)
		assert_true(can_sign_in(f, "a", n));
	assert_err(fixture_commit(f, put_with_long_record, &(struct sign_in){n, "a"}), AGAIN);
	assert_null(zone_find(&f->store->head, uuid_of(2)));
	fixture_clear(f);
	assert_int_equal(read_more(f).count, before.count);
	fixture_check(f);

	assert_int_equal(set_room(f, 1000000), SQLITE_OK);
	commit_zone(f, 2);
	struct reading after = read_more(f);
	assert_int_equal(after.count, n + 2);
	assert_string_equal(after.subject, "z2"); /* what waited comes first */
	assert_int_equal(f->store->reserve.size, 0);
	fixture_check(f);
}

/* An account that has used its share up signs in as before, counted, and leaves the others theirs. */
static void room_for_records_is_shared(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, database_path(f));
	assert_int_equal(set_room(f, 1), SQLITE_OK);
	unsigned n = 1;
	while (can_sign_in(f, "a", 1000 * n))
		assert_true(++n < 10000);
	assert_true(can_sign_in(f, "a", 1000 * n - 1)); /* like the last one that was kept */
	assert_false(can_sign_in(f, "a", 1000 * (n + 1)));
	assert_true(can_sign_in(f, "b", 1000 * n));
	assert_int_equal(set_room(f, 1000000), SQLITE_OK);
	commit_zone(f, 2);
	assert_int_equal(f->store->reserve.size, 0);
	assert_true(read_more(f).calls == n + 2); /* n - 1 of a, one counted, b's, and the zone */
}

/* What waits when the store closes is written if there is room by then. */
static void written_at_the_end(void **state)
{
	struct fixture *f = *state;
	char path[256];
	(void) snprintf(path, sizeof path, "%s", database_path(f));
	fixture_open(f, path);
	assert_int_equal(set_room(f, 1), SQLITE_OK);
	unsigned n = 0;
	while (!f->store->reserve.first)
		assert_true(can_sign_in(f, "a", n++));
	assert_int_equal(set_room(f, 1000000), SQLITE_OK);
	store_close(f->store);
	f->store = NULL;
	fixture_open(f, path);
	assert_int_equal(read_more(f).count, n);
}

/* ---- names of outsiders ---- */

struct guess {
	unsigned n;
	const char *from, *id;
};

static RESULT guess_key(struct op *op, void *arg)
{
	const struct guess *g = arg;
	const struct audit_record record = {.texts[AUDIT_ACTION] = STR("dari:ProveKey"),
					    .texts[AUDIT_FROM] = str_from(g->from),
					    .texts[AUDIT_ID] = str_from(g->id),
					    .texts[AUDIT_SUBJECT] =
						    str_print(op->ctx->arena, "access-key=AKIA%04u", g->n)};
	return op_audit_flood(op, &record);
}

static void guess_keys(struct fixture *f, unsigned count, const char *from)
{
	char address[64];
	for (unsigned n = 0; n < count; n++) {
		(void) snprintf(address, sizeof address, from, n);
		assert_ok(fixture_commit(f, guess_key, &(struct guess){n, address, ""}));
		fixture_clear(f);
	}
}

/* Names that no key has make two records of a source and minute: the first one, and the count with examples. A key
 * that exists has records of its own, however many names were made up. */
static void made_up_names_are_counted(void **state)
{
	struct fixture *f = *state;
	bool all = true;
	fixture_open(f, NULL);
	guess_keys(f, 500, "192.0.2.1");
	assert_int_equal(read_more(f).count, 1);
	assert_ok(fixture_commit(f, guess_key, &(struct guess){7, "192.0.2.1", "0123"}));
	assert_int_equal(read_more(f).count, 2);
	assert_ok(fixture_commit(f, op_sweep_audit, &all));
	struct reading r = read_more(f);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.calls, 501);
	assert_string_equal(r.subject, "access-key=AKIA0001 access-key=AKIA0002 access-key=AKIA0003 "
				       "access-key=AKIA0004");
}

/* The addresses of one IPv6 network are one source. */
static void addresses_of_a_network_are_one_source(void **state)
{
	struct fixture *f = *state;
	bool all = true;
	fixture_open(f, NULL);
	guess_keys(f, 300, "2001:db8:0:1::%x");
	guess_keys(f, 1, "2001:db8:0:2::%x");
	assert_int_equal(read_more(f).count, 2);
	assert_ok(fixture_commit(f, op_sweep_audit, &all));
	assert_int_equal(read_more(f).calls, 301);
}

/* Each statement fails once, and the next change goes on with the chain as it is in SQL. */
static void chain_survives_faults(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	commit_zone(f, 1);
	size_t records = 1;
	bool fired = true;
	for (unsigned n = 0; fired; n++) {
		unsigned zone = 10 + 2 * n;
		fault_arm(FAULT_SQL, n, false);
		bool ok = result_is_ok(fixture_commit(f, put_audited, &zone));
		fired = fault_has_fired();
		fault_disarm();
		fixture_clear(f);
		records += ok;
		assert_int_equal(!zone_find(&f->store->head, uuid_of(zone)), !ok);
		commit_zone(f, zone + 1);
		records++;
		struct reading r = read_all(f);
		assert_int_equal(r.count, records);
		assert_int_equal(r.broken, 0);
	}
	assert_true(records > 5);
}

/* ---- killed in between ---- */

enum { DIES_BEHIND_RECORD, DIES_BEFORE_COMMIT, DIES_BEHIND_COMMIT, DEATHS };

static struct {
	struct sql_driver driver, real;
	struct sql_driver *inner;
	int death;
} mortal;

static RESULT mortal_add_audit(struct sql_driver *self, struct ctx *c, const struct audit_record *audit)
{
	TRY(mortal.real.add_audit(self, c, audit));
	if (mortal.death == DIES_BEHIND_RECORD)
		_exit(9);
	return OK;
}

static RESULT mortal_commit(struct sql_driver *self, struct ctx *c, uint64_t commit)
{
	if (mortal.death == DIES_BEFORE_COMMIT)
		_exit(9);
	TRY(mortal.real.commit(self, c, commit));
	_exit(9);
}

/* SQLite's own driver, with two of its calls replaced. */
static struct sql_driver *make_mortal(struct sql_driver *inner)
{
	mortal.real = *inner;
	inner->add_audit = mortal_add_audit;
	inner->commit = mortal_commit;
	return inner;
}

static void die_at(const char *path, int death)
{
	pid_t child = fork();
	if (child == 0) {
		static struct fixture own;
		unsigned n = 50;
		mortal.death = death;
		fixture_init(&own);
		assert_ok(fixture_try_open(&own, path, make_mortal));
		IGNORE(fixture_commit(&own, put_audited, &n)); /* does not return */
		_exit(1);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 9);
}

static void killed_in_between(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	for (int death = 0; death < DEATHS; death++) {
		fixture_open(f, path);
		commit_zone(f, 1);
		store_close(TAKE(f->store));
		die_at(path, death);
		fixture_open(f, path);
		bool is_there = zone_find(&f->store->head, uuid_of(50));
		assert_int_equal(is_there, death == DIES_BEHIND_COMMIT);
		struct reading r = read_all(f);
		assert_int_equal(r.count, is_there ? 2 : 1);
		commit_zone(f, 2);
		assert_int_equal(read_all(f).broken, 0);
		store_close(TAKE(f->store));
		fixture_remove_database();
	}
}

/* ---- only added to ---- */

static void run_sql(const char *path, const char *sql, const char *refusal)
{
	const char *words = database_exec(path, sql, false);
	if (refusal ? !words || !strstr(words, refusal) : words != NULL)
		fail_msg("%s: %s", sql, words ? words : "done");
}

static void drop_triggers(const char *path)
{
	static const char *const names[] = {"audit_stays", "audit_is_kept", "audit_goes_on"};
	for (size_t k = 0; k < 3; k++) {
		char sql[80];
		(void) snprintf(sql, sizeof sql, "DROP TRIGGER %s %s", names[k],
				database_is_postgresql() ? "ON audit" : "");
		run_sql(path, sql, NULL);
	}
}

static void make_five(struct fixture *f, const char *path)
{
	fixture_open(f, path);
	for (unsigned n = 1; n <= 5; n++)
		commit_zone(f, n);
	store_close(TAKE(f->store));
}

static void sql_refuses(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	make_five(f, path);
	run_sql(path, "UPDATE audit SET outcome = 'ok' WHERE seq = 3", "no record is changed");
	run_sql(path, "UPDATE audit SET seq = 9 WHERE seq = 5", "no record is changed");
	run_sql(path, "DELETE FROM audit WHERE seq = 5", "no record is deleted");
	run_sql(path, "DELETE FROM audit", "no record is deleted");
	run_sql(path, "INSERT INTO audit SELECT * FROM audit WHERE seq = 5", "this is not its next record");
	if (!database_is_postgresql())
		run_sql(path, "REPLACE INTO audit SELECT * FROM audit WHERE seq = 5",
			"this is not its next record");
	run_sql(path,
		"CREATE TEMP TABLE t AS SELECT * FROM audit WHERE seq = 5;"
		"UPDATE t SET seq = 8; INSERT INTO audit SELECT * FROM t",
		"this is not its next record");
	fixture_open(f, path);
	struct reading r = read_all(f);
	assert_int_equal(r.count, 5);
	assert_int_equal(r.broken, 0);
}

/* Taken away, they are there again after a start. */
static void triggers_come_back(void **state)
{
	struct fixture *f = *state;
	const char *path = database_path(f);
	make_five(f, path);
	drop_triggers(path);
	fixture_open(f, path);
	store_close(TAKE(f->store));
	run_sql(path, "DELETE FROM audit WHERE seq = 5", "no record is deleted");
	run_sql(path, "UPDATE audit SET outcome = 'ok'", "no record is changed");
}

static void tampering_shows(void **state)
{
	static const struct {
		const char *sql;
		int64_t broken;
	} deeds[] = {
		{"UPDATE audit SET outcome = 'DENIED' WHERE seq = 3", 3},
		{"UPDATE audit SET at_us = at_us + 1 WHERE seq = 1", 1},
		{"UPDATE audit SET count = 2 WHERE seq = 5", 5},
		{"UPDATE audit SET subject = subject || ' ' WHERE seq = 2", 2},
		{"UPDATE audit SET action = '', permission = action WHERE seq = 2", 2},
		{"UPDATE audit SET digest = (SELECT digest FROM audit WHERE seq = 4) WHERE seq = 2", 2},
		{"DELETE FROM audit WHERE seq = 1", 2},
		{"DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", 3},
	};
	struct fixture *f = *state;
	const char *path = database_path(f);
	for (size_t k = 0; k < sizeof deeds / sizeof deeds[0]; k++) {
		make_five(f, path);
		drop_triggers(path);
		run_sql(path, deeds[k].sql, NULL);
		fixture_open(f, path);
		assert_int_equal(read_all(f).broken, deeds[k].broken);
		store_close(TAKE(f->store));
		fixture_remove_database();
	}
}

/* ---- texts ---- */

static void long_texts_are_cut(void **state)
{
	struct fixture *f = *state;
	char many[AUDIT_TEXT_MAX + 10];
	fixture_open(f, NULL);
	memset(many, 'x', sizeof many);
	memcpy(many + AUDIT_TEXT_MAX - 1, "\xea\xb0\x80", 3); /* one character, from the last byte on */
	struct str subject = {many, sizeof many};
	assert_ok(fixture_commit(f, audit_only, &subject));
	struct reading r = read_all(f);
	assert_int_equal(strlen(r.subject), AUDIT_TEXT_MAX - 1);
	assert_int_equal(r.broken, 0);
}

static void pages(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	for (unsigned n = 1; n <= 9; n++)
		commit_zone(f, n);
	struct reading r = {0};
	assert_ok(store_read_audit(f->store, &f->c, 0, 4, take, &r));
	assert_int_equal(r.count, 4);
	assert_ok(store_read_audit(f->store, &f->c, r.chain.seq, 4, take, &r));
	assert_ok(store_read_audit(f->store, &f->c, r.chain.seq, 4, take, &r));
	assert_int_equal(r.count, 9);
	assert_int_equal(r.broken, 0);
	assert_ok(store_read_audit(f->store, &f->c, r.chain.seq, 4, take, &r));
	assert_int_equal(r.count, 9);
}

/* Expects the record before the last one, which *arg is the number of. */
static RESULT take_older(void *arg, const struct audit_record *a)
{
	int64_t *last = arg;
	assert_int_equal(a->seq, --*last);
	return OK;
}

static void pages_back(void **state)
{
	struct fixture *f = *state;
	int64_t last = 10;
	fixture_open(f, NULL);
	for (unsigned n = 1; n <= 9; n++)
		commit_zone(f, n);
	assert_ok(store_read_audit_back(f->store, &f->c, INT64_MAX, 4, take_older, &last));
	assert_int_equal(last, 6);
	assert_ok(store_read_audit_back(f->store, &f->c, last, 9, take_older, &last));
	assert_int_equal(last, 1);
	assert_ok(store_read_audit_back(f->store, &f->c, last, 4, take_older, &last));
	assert_int_equal(last, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(with_its_change),
		TEST(not_without_it),
		TEST(without_a_row),
		TEST(chain_survives_faults),
		TEST(killed_in_between),
		TEST(sql_refuses),
		TEST(triggers_come_back),
		TEST(tampering_shows),
		TEST(long_texts_are_cut),
		TEST(pages),
		TEST(pages_back),
		TEST(made_up_names_are_counted),
		TEST(addresses_of_a_network_are_one_source),
	};
	/* SQLite limits its file's pages; a server's disk cannot be filled from here. */
	const struct CMUnitTest of_sqlite[] = {
		TEST(waits_for_room),
		TEST(room_for_records_is_shared),
		TEST(written_at_the_end),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed + (database_is_postgresql() ? 0 : cmocka_run_group_tests(of_sqlite, NULL, NULL));
}
