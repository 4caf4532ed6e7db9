/* SPDX-License-Identifier: Apache-2.0
 * Deletion of history: events by age, by number and by command, and audit records once they are sealed, with
 * a chain that stays valid. Usage and everything else is kept. */
#include "database.h"
#include "fixture.h"
#include "store/instance.h"
#include "store/past.h"
#include "store/sql.h"
#include "store/support_ticket.h"
#include "store/zone.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

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

static int64_t now_us;

/* Events of a time that the test draws. */
static RESULT add_events(struct op *op, void *arg)
{
	op->now_us = now_us;
	for (int k = 0; k < *(const int *) arg; k++)
		TRY(op_event(op, KIND_ZONE, uuid_of(1), UUID_NONE, "told", STR("a text of an event"),
			     STR_NONE));
	return OK;
}

static void add(struct fixture *f, int count)
{
	for (int left = count; left > 0; left -= 100) {
		int n = left < 100 ? left : 100;
		assert_ok(fixture_commit(f, add_events, &n));
	}
}

struct seen {
	int64_t count, first_seq, last_seq, first_us;
};

static RESULT see(void *arg, const struct event *e)
{
	struct seen *s = arg;
	assert_true(!s->count || e->seq > s->last_seq);
	if (!s->count++) {
		s->first_seq = e->seq;
		s->first_us = e->at_us;
	}
	s->last_seq = e->seq;
	return OK;
}

static struct seen events(struct fixture *f)
{
	struct seen s = {0};
	const struct event_query query = {.after_seq = -1, .max = SIZE_MAX};
	assert_ok(store_read_events(f->store, &f->c, &query, see, &s));
	return s;
}

static void limit(struct fixture *f, int64_t age_us, int64_t max)
{
	f->store->config.sql->limits = (struct history_limits){age_us, max};
}

static void by_number(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	now_us = HOUR;
	limit(f, 0, 1000);
	add(f, 10000);
	struct seen s = events(f);
	assert_in_range(s.count, 1000, 1000 + 256);
	assert_int_equal(s.last_seq, 10000);
}

static void by_age(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	limit(f, 10 * HOUR, 0);
	for (int hour = 1; hour <= 30; hour++) {
		now_us = hour * HOUR;
		add(f, 300);
	}
	struct seen s = events(f);
	assert_in_range(s.first_us, 20 * HOUR, 21 * HOUR);
	assert_int_equal(s.last_seq, 9000);
}

static RESULT prune(struct op *op, void *arg)
{
	return op_prune_events(op, *(const int64_t *) arg);
}

static const char pages_sql[] = "PRAGMA page_count";

/* A piece at a time, never the last one, whose number would be drawn again; and the file becomes smaller. */
static void by_command(void **state)
{
	struct fixture *f = *state;
	const char *path = str_print(f->arena, "%s/dari.db", fixture_make_folder()).p;
	int64_t before_us = 2 * HOUR, pages = 0, empty = 0;
	fixture_open(f, path);
	empty = database_is_postgresql() ? 0 : database_ask(path, pages_sql);
	now_us = HOUR;
	add(f, PRUNE_PIECE + 100);
	pages = database_ask(path, pages_sql);
	assert_ok(fixture_commit(f, prune, &before_us));
	assert_int_equal(events(f).count, 100);
	assert_ok(fixture_commit(f, prune, &before_us));
	assert_int_equal(events(f).count, 1);
	if (!database_is_postgresql()) /* PostgreSQL's autovacuum keeps the pages for later rows */
		assert_true(database_ask(path, pages_sql) - empty < (pages - empty) / 2);
	add(f, 1);
	assert_int_equal(events(f).last_seq, PRUNE_PIECE + 101);
}

/* ---- former states ---- */

struct tags_change {
	int count;
	size_t bytes; /* size of the tag's value */
};

/* Changes the tag of one instance. */
static RESULT retag(struct op *op, void *arg)
{
	static char value[1024];
	static unsigned changes;
	struct str texts[] = {STR("k"), {value, ((const struct tags_change *) arg)->bytes}};
	struct instance i = {.row.id = uuid_of(1), .account = uuid_of(9)};
	const struct instance *was = instance_find(op->head, i.row.id);
	if (was)
		i = *was;
	memset(value, 'a' + (int) (changes++ % 26), sizeof value);
	i.tags = (struct tags){(const struct tag *) texts, 1};
	op->now_us = now_us;
	return instance_put(op, &i);
}

static void change(struct fixture *f, int count, size_t bytes)
{
	struct tags_change how = {count, bytes};
	while (how.count--)
		assert_ok(fixture_commit(f, retag, &how));
}

struct former {
	int64_t count, bytes, first_us;
	uuid id; /* the oldest record's */
	bool has_secret;
};

static RESULT see_former(void *arg, const struct past *past)
{
	struct former *s = arg;
	s->count++;
	s->id = past->id;
	s->bytes += (int64_t) past->was.n;
	s->has_secret |= memmem(past->was.p, past->was.n, "hunter2", 7) != NULL;
	return OK;
}

static struct former formers_of(struct fixture *f, const char *beginning)
{
	struct former s = {0};
	struct sql_driver *sql = f->store->config.sql;
	const struct past_query query = {.id = str_from(beginning), .max = 1000000, .after_us = -1};
	assert_ok(sql->read_past(sql, &f->c, &query, see_former, &s, &s.first_us));
	return s;
}

static struct former formers(struct fixture *f)
{
	return formers_of(f, "");
}

static void past_by_number_and_bytes(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	now_us = HOUR;
	limit(f, 0, 300);
	change(f, 1200, 1);
	assert_in_range(formers(f).count, 300, 300 + 256);
	change(f, 600, 1024);
	struct former s = formers(f);
	assert_in_range(s.count, 1, 300);
	/* each counts for more than four, and up to 256 are added between two sweeps */
	assert_in_range(s.bytes, 1024, 300 * PAST_RECORD_BYTES + 256 * 1400);
}

static void past_by_age_and_command(void **state)
{
	struct fixture *f = *state;
	/* later than the clock of a server that begins the log */
	int64_t start_us = 4000000000 * SECOND, before_us = start_us + 100 * HOUR;
	fixture_open(f, NULL);
	limit(f, 10 * HOUR, 0);
	for (int hour = 1; hour <= 20; hour++) {
		now_us = start_us + hour * HOUR;
		change(f, 100, 1);
	}
	assert_in_range(formers(f).first_us, start_us + 8 * HOUR, start_us + 11 * HOUR);
	assert_ok(fixture_commit(f, prune, &before_us));
	assert_int_equal(formers(f).count, 1); /* says how far the log reaches */
	assert_int_equal(formers(f).first_us, start_us + 20 * HOUR);
}

/* No record holds what no API shows, nor a person's letters. */
static RESULT put_secrets(struct op *op, void *arg)
{
	const struct str secret = STR("hunter2");
	struct instance i = {.row.id = uuid_of(2), .account = uuid_of(9), .name = STR("n")};
	struct support_ticket t = {.row.id = uuid_of(3), .account = uuid_of(9), .subject = secret};
	i.file_contents = (struct strs){&secret, 1};
	i.file_paths = i.file_contents;
	i.guest_password = i.admin_password = i.client_token = secret;
	i.vcpus = *(const int *) arg;
	t.last_message = i.vcpus;
	TRY(support_ticket_put(op, &t));
	return instance_put(op, &i);
}

static RESULT forget_secrets(struct op *op, void *arg)
{
	(void) arg;
	TRY(support_ticket_forget(op, uuid_of(3)));
	return instance_forget(op, uuid_of(2));
}

static void past_without_secrets(void **state)
{
	struct fixture *f = *state;
	fixture_open(f, NULL);
	for (int k = 1; k <= 3; k++)
		assert_ok(fixture_commit(f, put_secrets, &k));
	assert_ok(fixture_commit(f, forget_secrets, NULL));
	struct former s = formers(f);
	assert_int_equal(s.count, 3); /* two changes of the instance, and its end */
	assert_false(s.has_secret);
}

/* A log from before ids were integers: records, their ids and their numbers stay. */
static void past_with_ids_of_text(void **state)
{
	static const char *const ids[] = {"0fffffff-ffff-4fff-8000-000000000001",
					  "f0000000-0000-4000-8000-000000000002",
					  "f0000000-0000-4000-9000-000000000003"};
	static const struct {
		const char *beginning;
		int64_t count;
	} searches[] = {{"", 3},
			{"0", 1},
			{"1", 0},
			{"f", 2},
			{"f0000000-0000-4000", 2},
			{"f0000000-0000-4000-8", 1},
			{"f0000000-0000-4000-a", 0},
			{"f00000000000400090", 1},
			{"g", 0}};
	struct fixture *f = *state;
	const char *path = str_print(f->arena, "%s/dari.db", fixture_make_folder()).p;
	fixture_open(f, path);
	store_close(TAKE(f->store));
	assert_null(database_exec(
		path,
		"DROP TABLE past; CREATE TABLE past (seq BIGINT PRIMARY KEY, at_us BIGINT NOT NULL, kind"
		" TEXT NOT NULL, id TEXT NOT NULL, was TEXT NOT NULL);"
		"CREATE INDEX past_by_id ON past (id, seq); INSERT INTO past VALUES (1, 5, '', '', ''),"
		" (2, 10, 'instance', '0fffffff-ffff-4fff-8000-000000000001', 'gen 1:1'),"
		" (4, 20, 'instance', 'f0000000-0000-4000-8000-000000000002', 'gen 1:2'),"
		" (5, 30, 'instance', 'f0000000-0000-4000-9000-000000000003', 'gen 1:3')",
		false));
	for (int start = 0; start < 2; start++) { /* the second one finds nothing to do */
		fixture_open(f, path);
		for (size_t k = 0; k < sizeof searches / sizeof *searches; k++)
			assert_int_equal(formers_of(f, searches[k].beginning).count, searches[k].count);
		for (size_t k = 0; k < sizeof ids / sizeof *ids; k++) {
			uuid id;
			assert_ok(uuid_parse(str_from(ids[k]), &id));
			assert_true(uuid_equal(formers_of(f, ids[k]).id, id));
		}
		assert_int_equal(formers(f).first_us, 5);
		store_close(TAKE(f->store));
	}
	fixture_open(f, path);
	now_us = HOUR;
	change(f, 2, 1);
	store_close(TAKE(f->store));
	assert_int_equal(database_ask(path, "SELECT max(seq) FROM past"), 6);
	fixture_open(f, path);
}

/* ---- the audit log ---- */

static RESULT record(struct op *op, void *arg)
{
	const struct audit_record made = {.texts[AUDIT_SUBJECT] = STR("s"),
					  .texts[AUDIT_OUTCOME] = STR("ok")};
	(void) arg;
	return op_audit(op, &made);
}

struct reading {
	struct audit_chain chain;
	int64_t count, broken;
	struct audit_segment at[3];
};

static RESULT take(void *arg, const struct audit_record *a)
{
	struct reading *r = arg;
	if (a->seq <= 2) {
		r->at[a->seq].seq = a->seq;
		memcpy(r->at[a->seq].digest, a->digest, SHA256_SIZE);
	}
	r->count++;
	if (!audit_follows(&r->chain, a))
		r->broken = a->seq;
	return OK;
}

static RESULT cut(struct op *op, void *arg)
{
	return op_cut_audit(op, arg);
}

static void reopen(struct fixture *f, const char *path)
{
	store_close(TAKE(f->store));
	fixture_open(f, path);
}

/* The records behind a segment follow it, also when the log is empty but for it and the program was started again; a
 * segment that ends with no record, and a second one before it, are refused. */
static void segments(void **state)
{
	struct fixture *f = *state;
	char path[256];
	(void) snprintf(path, sizeof path, "%s/dari.db", fixture_make_folder());
	struct reading r = {0};
	fixture_open(f, path);
	for (int k = 0; k < 2; k++)
		assert_ok(fixture_commit(f, record, NULL));
	assert_ok(store_read_audit(f->store, &f->c, 0, 100, take, &r));
	struct audit_segment wrong = r.at[2], found = {0};
	wrong.digest[0] ^= 1;
	assert_err(fixture_commit(f, cut, &wrong), IO);
	fixture_clear(f);
	assert_ok(fixture_commit(f, cut, &r.at[1]));
	assert_ok(fixture_commit(f, cut, &r.at[2]));
	assert_err(fixture_commit(f, cut, &r.at[1]), IO);
	fixture_clear(f);
	reopen(f, path);
	assert_ok(fixture_commit(f, record, NULL));
	assert_ok(store_read_segment(f->store, &f->c, &found));
	assert_int_equal(found.seq, 2);
	r.count = 0;
	r.chain.seq = found.seq;
	memcpy(r.chain.digest, found.digest, SHA256_SIZE);
	assert_ok(store_read_audit(f->store, &f->c, found.seq, 100, take, &r));
	assert_int_equal(r.count, 1);
	assert_int_equal(r.broken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_number, setup, teardown),
		cmocka_unit_test_setup_teardown(by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(by_command, setup, teardown),
		cmocka_unit_test_setup_teardown(past_by_number_and_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(past_by_age_and_command, setup, teardown),
		cmocka_unit_test_setup_teardown(past_without_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(past_with_ids_of_text, setup, teardown),
		cmocka_unit_test_setup_teardown(segments, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
