/* SPDX-License-Identifier: Apache-2.0
 * Every allocation and SQL statement fails, once or from then on: a refused change leaves nothing behind.
 * Also a COMMIT without an answer, and a
 * database that is away. */
#include "database.h"
#include "fixture.h"
#include "store/account.h"
#include "store/volume.h"
#include "store/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fault_disarm();
	fixture_done(*state);
	return 0;
}

static RESULT put_base(struct op *op, void *arg)
{
	(void) arg;
	struct account a = fixture_account(1);
	struct volume v = fixture_volume(10, 1, 1), w = fixture_volume(11, 1, 1);
	TRY(account_put(op, &a));
	TRY(volume_put(op, &v));
	return volume_put(op, &w);
}

/* Something of everything. */
static RESULT change_base(struct op *op, void *arg)
{
	(void) arg;
	struct account a = fixture_account(1), b = fixture_account(2);
	a.enabled = false;
	struct volume v = fixture_volume(10, 1, 2), w = fixture_volume(12, 2, 1);
	TRY(account_put(op, &a));
	TRY(account_put(op, &b));
	TRY(volume_put(op, &v));
	TRY(volume_put(op, &w));
	TRY(volume_delete(op, uuid_of(10)));
	TRY(volume_forget(op, uuid_of(11)));
	TRY(op_usage(op, KIND_VOLUME, uuid_of(11), uuid_of(1), STR("volume:gp2"), 0));
	const struct audit_record record = {.texts[AUDIT_ACTION] = STR("change")};
	TRY(op_audit(op, &record));
	return op_event(op, KIND_VOLUME, uuid_of(11), uuid_of(1), "deleted", STR("for good"), STR_NONE);
}

/* Adds enough rows to make the tables grow. */
static RESULT add_zones(struct op *op, void *arg)
{
	(void) arg;
	for (unsigned n = 0; n < 40; n++) {
		struct zone z = {.row = {.id = uuid_of(3 + n)}, .name = str_print(op->ctx->arena, "z%u", n)};
		TRY(zone_put(op, &z));
	}
	return OK;
}

static RESULT take_event(void *arg, const struct event *event)
{
	(void) event;
	++*(size_t *) arg;
	return OK;
}

static size_t count_events(struct fixture *f)
{
	size_t count = 0;
	struct sql_driver *sql = f->store->config.sql;
	assert_ok(sql->read_events(sql, &f->c, &(struct event_query){.id = uuid_of(11), .max = 9}, take_event,
				   &count));
	return count;
}

static RESULT take_audit(void *arg, const struct audit_record *a)
{
	(void) a;
	++*(size_t *) arg;
	return OK;
}

static size_t count_audit(struct fixture *f)
{
	size_t count = 0;
	assert_ok(store_read_audit(f->store, &f->c, 0, 9, take_audit, &count));
	return count;
}

/* A change between two others, with a fault. */
static bool run_with_fault(struct fixture *f, unsigned points, uint64_t n, bool forever)
{
	struct str before = fixture_dump(f, &f->store->head);
	struct counted change, other;
	fixture_submit(f, &change, change_base, NULL);
	fixture_submit(f, &other, add_zones, NULL);
	fault_arm(points, n, forever);
	fixture_step(f);
	bool fired = fault_has_fired();
	fault_disarm();
	assert_true(change.is_done && other.is_done);
	bool ok = result_is_ok(change.result), other_ok = result_is_ok(other.result);
	assert_true(fired || (ok && other_ok));
	if (!ok)
		assert_true(change.result.code == ERR_NO_MEMORY || change.result.code == ERR_IO);
	if (!ok)
		assert_int_equal(change.c.problem.err, change.result.code);
	if (!ok && !other_ok)
		assert_true(str_equal(before, fixture_dump(f, &f->store->head)));
	assert_int_equal(!volume_find(&f->store->head, uuid_of(11)), ok);
	assert_int_equal(tables_count(&f->store->head, KIND_ZONE), other_ok ? 40 : 0);
	assert_int_equal(count_events(f), ok);
	assert_int_equal(count_audit(f), ok);
	fixture_check(f);
	if (!ok) /* it works once the trouble is over */
		assert_ok(fixture_commit(f, change_base, NULL));
	fixture_check(f);
	store_close(TAKE(f->store));
	fixture_clear(f);
	return fired;
}

/* A child process has the store's database in memory as it is, which costs a tenth of opening another. It ends with
 * exit(), so that a sanitizer looks for leaks there. */
static bool fork_with_fault(struct fixture *f, unsigned points, uint64_t n, bool forever)
{
	enum { FIRED = 100, NOT_FIRED = 101 };
	int status = 0;
	if (database_is_postgresql()) { /* two processes can't use one connection */
		store_close(TAKE(f->store));
		fixture_open(f, NULL);
		assert_ok(fixture_commit(f, put_base, NULL));
		return run_with_fault(f, points, n, forever);
	}
	(void) fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		exit(run_with_fault(f, points, n, forever) ? FIRED : NOT_FIRED);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == FIRED || WEXITSTATUS(status) == NOT_FIRED));
	return WEXITSTATUS(status) == FIRED;
}

/* Opening a server's database takes fifty times as long as SQLite's: only every seventh place fails then. */
static uint64_t step_of_server(void)
{
	return database_is_postgresql() && !getenv("CLOUD_ALL_SEEDS") ? 7 : 1;
}

/* Each place fails once or from there on, in turn; with CLOUD_ALL_SEEDS in the environment each place fails both ways. */
static void run_each_fault(struct fixture *f, unsigned points)
{
	bool both = getenv("CLOUD_ALL_SEEDS");
	uint64_t n = 0;
	fixture_open(f, NULL);
	assert_ok(fixture_commit(f, put_base, NULL));
	for (; fork_with_fault(f, points, n, !both && n % 2); n += step_of_server())
		if (both)
			(void) fork_with_fault(f, points, n, true);
	assert_in_range(n, 5, 1000);
}

static void each_allocation_in_a_batch(void **state)
{
	run_each_fault(*state, FAULT_ALLOC);
}

static void each_statement_in_a_batch(void **state)
{
	run_each_fault(*state, FAULT_SQL);
}

static void each_fault_at_open(void **state)
{
	struct fixture *f = *state;
	const char *path = str_print(f->arena, "%s/dari.db", fixture_make_folder()).p;
	path = heap_copy_z(path);
	bool fired = true;
	for (uint64_t n = 0; fired; n += step_of_server()) {
		fault_arm(FAULT_ALLOC | FAULT_SQL | FAULT_FILE, n, n % 2);
		struct result r = fixture_try_open(f, path, NULL);
		fired = fault_has_fired();
		fault_disarm();
		assert_true(fired || result_is_ok(r));
		assert_true(result_is_ok(r) || f->c.problem.err == r.code);
		if (!result_is_ok(r))
			assert_null(f->store);
		/* the next open finds damage, too: a good one of the whole costs twice as much as a failed one */
		if (!f->store && (n % 8 == 0 || getenv("CLOUD_ALL_SEEDS")))
			fixture_open(f, path);
		if (f->store)
			fixture_check(f);
		store_close(TAKE(f->store));
		fixture_clear(f);
	}
	heap_free((void *) path);
}

/* ---- killed ---- */

/* The child's part: killed at its n-th point of any class, unless it ends before. */
static void change_until_killed(struct fixture *f, const char *path, uint64_t n)
{
	fixture_open(f, path);
	assert_ok(fixture_commit(f, put_base, NULL));
	fault_arm(FAULT_KILL, n, false);
	IGNORE(fixture_commit(f, change_base, NULL));
	fault_disarm();
	_exit(0);
}

/* After a kill at any point, the change is applied completely or not at all. */
static void killed_at_each_point(void **state)
{
	struct fixture *f = *state;
	const char *path = heap_copy_z(str_print(f->arena, "%s/dari.db", fixture_make_folder()).p);
	size_t undone = 0;
	bool killed = true;
	for (uint64_t n = 0; killed; n++) {
		(void) database_place(path); /* a server's database is emptied here, not by the child */
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			change_until_killed(f, path, n);
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		killed = WIFSIGNALED(status);
		assert_true(killed || WEXITSTATUS(status) == 0);
		fixture_open(f, path);
		bool there = !volume_find(&f->store->head, uuid_of(11));
		assert_int_equal(!!account_find(&f->store->head, uuid_of(2)), there);
		assert_int_equal(!!volume_find(&f->store->head, uuid_of(12)), there);
		assert_int_equal(!account_find(&f->store->head, uuid_of(1))->enabled, there);
		assert_int_equal(count_events(f), there);
		assert_true(killed || there);
		undone += (size_t) !there;
		fixture_check(f);
		store_close(TAKE(f->store));
		fixture_remove_database();
		fixture_clear(f);
	}
	assert_in_range(undone, 20, 1000);
	heap_free((void *) path);
}

/* ---- a COMMIT without an answer ---- */

/* The database behind a bad line. */
static struct liar {
	struct sql_driver driver;
	struct sql_driver *real;
	bool commits, knows; /* whether it really commits; whether it can be asked later */
	bool lies;           /* now */
	int away;            /* the database cannot be reached so many more times */
	struct store *store; /* whose lock each attempt needs */
	bool was_loose;      /* an attempt lacked it */
} liar;

static RESULT liar_open(struct sql_driver *self, struct ctx *c)
{
	(void) self;
	return liar.real->open(liar.real, c);
}

static RESULT liar_load(struct sql_driver *self, struct ctx *c, enum kind kind, sql_each_row each, void *arg)
{
	(void) self;
	return liar.real->load(liar.real, c, kind, each, arg);
}

static RESULT liar_begin(struct sql_driver *self, struct ctx *c)
{
	(void) self;
	return liar.away ? ctx_fail(c, ERR_TIMEOUT, "the database cannot be reached")
			 : liar.real->begin(liar.real, c);
}

/* The lock guards the connection, which store_compare_with_sql() uses, too. */
static RESULT liar_reach(struct sql_driver *self, struct ctx *c)
{
	(void) self;
	if (pthread_mutex_trylock(&liar.store->still) == 0) {
		liar.was_loose = true;
		(void) pthread_mutex_unlock(&liar.store->still);
	}
	if (!liar.away)
		return OK;
	liar.away--;
	return ctx_fail(c, ERR_TIMEOUT, "the database cannot be reached");
}

static RESULT liar_put(struct sql_driver *self, struct ctx *c, enum kind kind, const struct row *row)
{
	(void) self;
	return liar.real->put(liar.real, c, kind, row);
}

static RESULT liar_forget(struct sql_driver *self, struct ctx *c, enum kind kind, uuid id)
{
	(void) self;
	return liar.real->forget(liar.real, c, kind, id);
}

static RESULT liar_add_event(struct sql_driver *self, struct ctx *c, const struct event *event)
{
	(void) self;
	return liar.real->add_event(liar.real, c, event);
}

static RESULT liar_add_usage(struct sql_driver *self, struct ctx *c, const struct usage *usage,
			     const struct ledger_record *subject)
{
	(void) self;
	return liar.real->add_usage(liar.real, c, usage, subject);
}

static RESULT liar_add_ledger(struct sql_driver *self, struct ctx *c, const struct ledger_record *record)
{
	(void) self;
	return liar.real->add_ledger(liar.real, c, record);
}

static RESULT liar_read_ledger(struct sql_driver *self, struct ctx *c, const struct ledger_query *query,
			       sql_each_ledger each, void *arg)
{
	(void) self;
	return liar.real->read_ledger(liar.real, c, query, each, arg);
}

static RESULT liar_read_last_stamp(struct sql_driver *self, struct ctx *c, int64_t *ret_us)
{
	(void) self;
	return liar.real->read_last_stamp(liar.real, c, ret_us);
}

static RESULT liar_add_audit(struct sql_driver *self, struct ctx *c, const struct audit_record *audit)
{
	(void) self;
	return liar.real->add_audit(liar.real, c, audit);
}

static RESULT liar_read_audit(struct sql_driver *self, struct ctx *c, int64_t after, size_t max,
			      audit_each each, void *arg)
{
	(void) self;
	return liar.real->read_audit(liar.real, c, after, max, each, arg);
}

static RESULT liar_commit(struct sql_driver *self, struct ctx *c, uint64_t commit)
{
	(void) self;
	if (!liar.lies || liar.commits)
		TRY(liar.real->commit(liar.real, c, commit));
	return liar.lies ? ctx_fail(c, ERR_AGAIN, "the line went dead") : OK;
}

static void liar_rollback(struct sql_driver *self)
{
	(void) self;
	liar.real->rollback(liar.real);
}

static RESULT liar_read_commit(struct sql_driver *self, struct ctx *c, uint64_t *ret_commit)
{
	(void) self;
	if (liar.lies && !liar.knows)
		return ctx_fail(c, ERR_IO, "the line is still dead");
	return liar.real->read_commit(liar.real, c, ret_commit);
}

static RESULT liar_read_events(struct sql_driver *self, struct ctx *c, const struct event_query *query,
			       sql_each_event each, void *arg)
{
	(void) self;
	return liar.real->read_events(liar.real, c, query, each, arg);
}

static RESULT liar_read_usage(struct sql_driver *self, struct ctx *c, const struct usage_query *query,
			      sql_each_usage each, void *arg)
{
	(void) self;
	return liar.real->read_usage(liar.real, c, query, each, arg);
}

static void liar_close(struct sql_driver *self)
{
	(void) self;
	liar.real->close(liar.real);
}

static struct sql_driver *wrap_in_liar(struct sql_driver *real)
{
	liar = (struct liar){.driver = {.open = liar_open,
					.load = liar_load,
					.begin = liar_begin,
					.put = liar_put,
					.forget = liar_forget,
					.add_event = liar_add_event,
					.add_usage = liar_add_usage,
					.add_ledger = liar_add_ledger,
					.add_audit = liar_add_audit,
					.commit = liar_commit,
					.rollback = liar_rollback,
					.read_commit = liar_read_commit,
					.read_events = liar_read_events,
					.read_usage = liar_read_usage,
					.read_ledger = liar_read_ledger,
					.read_last_stamp = liar_read_last_stamp,
					.read_audit = liar_read_audit,
					.close = liar_close},
			     .real = real};
	return &liar.driver;
}

static void commit_into_the_dark(struct fixture *f, bool commits)
{
	assert_ok(fixture_try_open(f, NULL, wrap_in_liar));
	assert_ok(fixture_commit(f, put_base, NULL));
	struct str before = fixture_dump(f, &f->store->head);
	liar.lies = liar.knows = true;
	liar.commits = commits;
	struct result r = fixture_commit(f, change_base, NULL);
	liar.lies = false;
	if (commits) {
		assert_ok(r);
	} else {
		assert_err(r, IO);
		assert_true(str_equal(before, fixture_dump(f, &f->store->head)));
		assert_ok(fixture_commit(f, change_base, NULL));
	}
	fixture_check(f);
}

static void unknown_commit_that_happened(void **state)
{
	commit_into_the_dark(*state, true);
}

static void unknown_commit_that_did_not(void **state)
{
	commit_into_the_dark(*state, false);
}

static RESULT need_volume(struct op *op, void *arg)
{
	return volume_find(op->head, *(const uuid *) arg) ? OK
							  : ctx_fail(op->ctx, ERR_NOT_FOUND, "it is gone");
}

/* A reason that was taken back is none: of two calls in a batch the first forgets what the second
 * needs, and then the database refuses the batch. */
static void refusal_for_what_never_happened(void **state)
{
	struct fixture *f = *state;
	uuid nobody = uuid_of(99), forgotten = uuid_of(11);
	struct counted early, change, late;
	fixture_open(f, NULL);
	assert_ok(fixture_commit(f, put_base, NULL));
	fixture_submit(f, &early, need_volume, &nobody);
	fixture_submit(f, &change, change_base, NULL);
	fixture_submit(f, &late, need_volume, &forgotten);
	fault_arm(FAULT_SQL, 1, true);
	fixture_step(f);
	fault_disarm();
	assert_err(early.result, NOT_FOUND); /* its refusal depends on no lost change */
	assert_err(change.result, IO);
	assert_err(late.result, IO);
	assert_int_equal(late.c.problem.err, ERR_IO);
}

/* A change without a deadline, and one with a deadline that comes just after that one was refused. */
static struct counted undated, dated;

static void submit_dated(struct change *change, struct result result)
{
	struct counted *first = (struct counted *) (void *) change;
	first->is_done = true;
	first->result = result;
	store_submit(liar.store, &dated.change);
}

static void take_note(struct change *change, struct result result)
{
	struct counted *second = (struct counted *) (void *) change;
	second->is_done = true;
	second->result = result;
}

static void change_that_comes_while_nothing_waits(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_try_open(f, NULL, wrap_in_liar));
	undated = dated = (struct counted){.change = {.run = put_base, .done = take_note, .action = "test"}};
	undated.change.done = submit_dated;
	ctx_init(&undated.c, f->arena);
	ctx_init(&dated.c, f->arena);
	undated.change.ctx = &undated.c;
	dated.change.ctx = &dated.c;
	dated.c.deadline_us = clock_now_us() + 30 * SECOND;
	liar.store = f->store;
	liar.driver.reach = liar_reach;
	liar.away = 5;
	store_submit(f->store, &undated.change);
	fixture_step(f);
	assert_true(undated.is_done && dated.is_done);
	assert_false(liar.was_loose);
	assert_err(undated.result, AGAIN); /* the reconciler asks again */
	assert_ok(dated.result);
	liar.driver.reach = NULL;
	fixture_check(f);
}

static void unknown_commit_for_ever_ends_the_process(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_try_open(f, NULL, wrap_in_liar));
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		liar.lies = true;
		struct counted n;
		fixture_submit(f, &n, put_base, NULL);
		fixture_step(f);
		_exit(n.is_done ? 1 : 2);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_allocation_in_a_batch),
		TEST(each_statement_in_a_batch),
		TEST(each_fault_at_open),
		TEST(killed_at_each_point),
		TEST(unknown_commit_that_happened),
		TEST(unknown_commit_that_did_not),
		TEST(refusal_for_what_never_happened),
		TEST(change_that_comes_while_nothing_waits),
		TEST(unknown_commit_for_ever_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
