/* SPDX-License-Identifier: Apache-2.0
 * Copies of a region: rows of every kind and all history arrive unchanged, and the copy can be used. */
#include "database.h"
#include "fixture.h"
#include "store/account.h"
#include "store/copy.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../model/fill.h"
#include "base/fault.h"
#include "base/random.h"

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

struct filled {
	const struct row *row;
	const struct kind_info *k;
};

static RESULT put_filled(struct op *op, void *arg)
{
	const struct filled *filled = arg;
	const struct audit_record record = {.texts[AUDIT_ACTION] = STR("put")};
	TRY(op_put(op, filled->k->kind, filled->row));
	TRY(op_audit(op, &record));
	return op_event(op, filled->k->kind, filled->row->id, UUID_NONE, "made", STR("\xff in no UTF-8"),
			STR_NONE);
}

static void fill_all(struct fixture *f, struct filled *filled)
{
	random_set_seed(5);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		filled[kind] = (struct filled){fill_row(f->arena, &model_kinds[kind]), &model_kinds[kind]};
		assert_ok(fixture_commit(f, put_filled, &filled[kind]));
	}
	random_set_seed(0);
}

static RESULT count_event(void *arg, const struct event *event)
{
	(void) event;
	++*(size_t *) arg;
	return OK;
}

static void all_arrives(void **state)
{
	struct fixture *f = *state;
	const char *folder = fixture_make_folder();
	const char *from = str_print(f->arena, "%s/dari.db", folder).p;
	const char *to = str_print(f->arena, "%s/copy.db", folder).p;
	struct filled *filled = arena_new_array(f->arena, struct filled, KIND_COUNT);
	struct store_copied copied, refused;
	size_t events = 0;
	fixture_open(f, from);
	fill_all(f, filled);
	assert_err(store_copy(&f->c, database_place(from), to, &refused), IN_USE);
	ctx_clear_problem(&f->c);
	store_close(TAKE(f->store));
	assert_ok(store_copy(&f->c, database_place(from), to, &copied));
	assert_int_equal(copied.row_count, KIND_COUNT - 1);
	assert_in_range(copied.record_count, 2 * (KIND_COUNT - 1), 4 * KIND_COUNT);
	assert_err(store_copy(&f->c, database_place(from), to, &refused), EXISTS);
	ctx_clear_problem(&f->c);

	struct store_config config = {.executor = f->executor, .sql = NULL};
	assert_ok(sqlite_open(&f->c, to, &config.sql));
	assert_ok(store_open(&f->c, &config, &f->store));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct row *row = tables_find(&f->store->head, kind, filled[kind].row->id);
		assert_true(row && row_equal(filled[kind].k, row, filled[kind].row));
	}
	const struct event_query all = {.max = SIZE_MAX};
	assert_ok(store_read_events(f->store, &f->c, &all, count_event, &events));
	assert_int_equal(events, KIND_COUNT - 1);
	assert_int_equal(f->store->sql_commit, copied.commit);
	assert_ok(fixture_commit(f, put_filled, &filled[KIND_ACCOUNT])); /* the logs go on */
	store_close(TAKE(f->store));
	(void) unlink(to);
	(void) unlink(str_print(f->arena, "%s.lock", to).p);
}

static void nothing_is_made_of_nothing(void **state)
{
	struct fixture *f = *state;
	const char *folder = fixture_make_folder();
	const char *from = str_print(f->arena, "%s/dari.db", folder).p;
	const char *to = str_print(f->arena, "%s/copy.db", folder).p;
	struct store_copied copied;
	if (!database_is_postgresql())
		assert_err(store_copy(&f->c, from, to, &copied), NOT_FOUND);
	ctx_clear_problem(&f->c);
	fixture_open(f, from); /* without a commit */
	store_close(TAKE(f->store));
	assert_err(store_copy(&f->c, database_place(from), to, &copied), NOT_FOUND);
	ctx_clear_problem(&f->c);
	assert_int_equal(access(to, F_OK), -1);
}

/* ---- moving ---- */

/* True if a process would start with the region there. */
static bool starts(struct fixture *f, const char *place)
{
	struct sql_driver *driver = NULL;
	uint64_t commit = 0;
	if (!sql_is_url(str_from(place)) && access(place, F_OK) != 0)
		return false;
	assert_ok(sql_open(&f->c, place, &driver));
	struct result r = driver->open(driver, &f->c);
	if (result_is_ok(r))
		r = driver->read_commit(driver, &f->c, &commit);
	driver->close(driver);
	assert_true(result_is_ok(r) || r.code == ERR_STATE);
	ctx_clear_problem(&f->c);
	return result_is_ok(r) && commit > 0;
}

struct places {
	const char *from, *to;
	bool into_server; /* `to` is the database of the tests' server */
};

static void reset(struct fixture *f, const struct places *p)
{
	struct sql_driver *driver = NULL;
	assert_ok(sql_open(&f->c, p->from, &driver));
	driver->takes_marked = true;
	assert_ok(driver->open(driver, &f->c));
	for (enum sql_mark mark = 0; mark < SQL_MARKS; mark++)
		assert_ok(driver->mark(driver, &f->c, mark, STR_NONE));
	driver->close(driver);
	if (p->into_server) {
		database_remove();
		(void) database_place("/again");
		return;
	}
	(void) unlink(p->to);
}

static void move_until(struct fixture *f, const struct places *p, uint64_t point)
{
	struct store_copied copied;
	int status = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fault_arm(FAULT_KILL | FAULT_SQL | FAULT_FILE, point, false);
		_exit(result_is_ok(store_move(&f->c, p->from, p->to, &copied)) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 1);
}

/* A process that is killed leaves at most one database with which dari starts, and the same call goes on from there. */
static void check_kill(struct fixture *f, const struct places *p, uint64_t point, bool *ret_former,
		       bool *ret_later)
{
	struct store_copied copied;
	reset(f, p);
	move_until(f, p, point);
	*ret_former = starts(f, p->from);
	*ret_later = starts(f, p->to);
	assert_false(*ret_former && *ret_later);
	assert_ok(store_move(&f->c, p->from, p->to, &copied));
	assert_true(starts(f, p->to) && !starts(f, p->from));
}

/* The first point from `low` on behind which the former database does not start, or the later one does. */
static uint64_t find_end(struct fixture *f, const struct places *p, uint64_t low, uint64_t high,
			 bool of_later)
{
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		bool former = false, later = false;
		check_kill(f, p, middle, &former, &later);
		if (of_later ? later : !former)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The marks are changed at some of the last points. */
static void check_kills(struct fixture *f, const struct places *p)
{
	enum { EARLY = 4, LAST = 256 };
	struct store_copied copied;
	bool former = false, later = false;
	reset(f, p);
	fault_arm(FAULT_SQL | FAULT_FILE, UINT64_MAX, false);
	assert_ok(store_move(&f->c, p->from, p->to, &copied));
	uint64_t points = fault_count_reached(FAULT_SQL | FAULT_FILE);
	fault_disarm();
	assert_in_range(points, 2 * LAST, 100000);
	for (uint64_t point = 1; point < points - LAST; point += points / EARLY) {
		check_kill(f, p, point, &former, &later);
		assert_true(former && !later);
	}
	uint64_t former_ends = find_end(f, p, points - LAST, points, false);
	uint64_t later_begins = find_end(f, p, former_ends, points, true);
	assert_in_range(former_ends, points - LAST + 1, points - 2);
	assert_in_range(later_begins, former_ends + 1, points);
}

static void one_of_two_starts(void **state)
{
	struct fixture *f = *state;
	const char *folder = fixture_make_folder();
	const char *from = str_print(f->arena, "%s/dari.db", folder).p;
	const char *to = str_print(f->arena, "%s/copy.db", folder).p;
	struct filled *filled = arena_new_array(f->arena, struct filled, KIND_COUNT);
	struct store_copied copied;
	fixture_open(f, from);
	fill_all(f, filled);
	store_close(TAKE(f->store));
	from = str_to_z(f->arena, str_from(database_place(from)));
	check_kills(f, &(struct places){from, to, false});
	if (database_is_postgresql())
		check_kills(f, &(struct places){to, from, true});

	reset(f, &(struct places){from, "", false});
	(void) unlink(to);
	assert_ok(store_move(&f->c, from, to, &copied));
	assert_err(store_copy(&f->c, from, folder, &copied),
		   STATE); /* nothing is copied out of the former one */
	ctx_clear_problem(&f->c);
	assert_err(store_move(&f->c, from, str_print(f->arena, "%s/else.db", folder).p, &copied), STATE);
	assert_non_null(strstr(str_to_z(f->arena, f->c.problem.message), "/copy.db on "));
	ctx_clear_problem(&f->c);
	assert_ok(store_reopen(&f->c, from));
	assert_true(starts(f, from));
	assert_err(store_reopen(&f->c, from), STATE);
	ctx_clear_problem(&f->c);
	(void) unlink(to);
	(void) unlink(str_print(f->arena, "%s.lock", to).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_of_two_starts, setup, teardown),
		cmocka_unit_test_setup_teardown(all_arrives, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_made_of_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
