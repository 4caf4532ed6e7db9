/* SPDX-License-Identifier: Apache-2.0
 * Copies of a region: rows of every kind and all history arrive unchanged, and the copy can be used. */
#include "database.h"
#include "fixture.h"
#include "store/account.h"
#include "store/copy.h"

#include <stdio.h>
#include <unistd.h>

#include "../model/fill.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_arrives, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_made_of_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
