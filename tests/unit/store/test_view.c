/* SPDX-License-Identifier: Apache-2.0
 * Views: rows exist while they are pinned and are freed afterwards, also with readers in other threads. */
#include "fixture.h"
#include "store/volume.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/log.h"

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	fixture_open(&f, NULL);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

static RESULT put_volume(struct op *op, void *arg)
{
	struct volume v = fixture_volume(1, 1, 1);
	v.size = *(const int64_t *) arg;
	return volume_put(op, &v);
}

static size_t retired_of(struct store *s)
{
	struct store_figures figures;
	store_read_figures(s, &figures);
	return figures.retired;
}

static const struct volume *gather(struct store *s, struct view *v)
{
	view_open(s, v);
	const struct volume *row = volume_find(v->tables, uuid_of(1));
	view_end_read(v);
	return row;
}

static void pinned_rows_stay(void **state)
{
	struct fixture *f = *state;
	int64_t size = 1;
	assert_ok(fixture_commit(f, put_volume, &size));
	struct view v[3];
	const struct volume *rows[3];
	for (size_t n = 0; n < 3; n++) {
		rows[n] = gather(f->store, &v[n]);
		size++;
		assert_ok(fixture_commit(f, put_volume, &size));
	}
	assert_int_equal(retired_of(f->store), 3);
	for (size_t n = 0; n < 3; n++)
		assert_int_equal(rows[n]->size, n + 1);
	view_close(&v[1]); /* an older one holds it still */
	fixture_step(f);
	assert_int_equal(retired_of(f->store), 3);
	assert_int_equal(rows[1]->size, 2);
	view_close(&v[0]);
	fixture_step(f);
	assert_int_equal(retired_of(f->store), 1);
	assert_int_equal(rows[2]->size, 3);
	view_close(&v[2]);
	fixture_step(f);
	assert_int_equal(retired_of(f->store), 0);
	struct store_figures figures;
	store_read_figures(f->store, &figures);
	assert_int_equal(figures.rows, 1);
	const struct volume *last = volume_find(&f->store->head, uuid_of(1));
	assert_int_equal(figures.row_bytes, version_of(KIND_VOLUME, &last->row)->size);
}

static void unpinned_rows_go_at_once(void **state)
{
	struct fixture *f = *state;
	for (int64_t size = 0; size < 100; size++)
		assert_ok(fixture_commit(f, put_volume, &size));
	assert_int_equal(retired_of(f->store), 0);
	struct view none = {0};
	view_close(&none);
	view_end_read(&none);
}

/* ---- threads ---- */

enum { READERS = 3, ROUNDS = 400, PAIRS = 8 };

struct reading {
	struct store *store;
	atomic_bool *stop;
	size_t views;
};

/* Each change gives all volumes of the account one size: a reader must never see two. */
static RESULT put_all(struct op *op, void *arg)
{
	for (unsigned n = 1; n <= PAIRS; n++) {
		struct volume v = fixture_volume(n, 1, n);
		v.size = *(const int64_t *) arg;
		v.device_slot = *(const int64_t *) arg % 3; /* moves in an index */
		TRY(volume_put(op, &v));
	}
	return OK;
}

static void *read_for_a_while(void *data)
{
	struct reading *r = data;
	int64_t newest = -1;
	while (!atomic_load(r->stop)) {
		AUTO_VIEW v;
		view_open(r->store, &v);
		const struct volume *rows[PAIRS];
		size_t count = 0;
		for (const struct volume *row = volume_first_by_account(v.tables, uuid_of(1));
		     row && count < PAIRS; row = volume_next_by_account(v.tables, row))
			rows[count++] = row;
		for (size_t n = 0; n < count; n++)
			if (volume_find(v.tables, rows[n]->row.id) != rows[n])
				return "lost";
		if (r->views % 2)
			view_end_read(&v);
		for (size_t n = 0; n < count; n++)
			if (rows[n]->size != rows[0]->size || !str_is(rows[n]->name, "data") ||
			    rows[n]->size < newest)
				return "torn";
		if (count) {
			newest = rows[0]->size;
			if (count != PAIRS)
				return "half";
		}
		r->views++;
	}
	return NULL;
}

static RESULT add_one(struct op *op, void *arg)
{
	(void) arg;
	const struct volume *v = volume_find(op->head, uuid_of(1));
	int64_t size = v ? v->size + 1 : 1;
	struct volume other =
		fixture_volume(1000 + (unsigned) size, 2, 1); /* the tables grow during the view */
	TRY(volume_put(op, &other));
	return put_all(op, &size);
}

static void *write_for_a_while(void *data)
{
	struct reading *r = data;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	bool ok = arena;
	for (int n = 0; ok && n < ROUNDS; n++)
		ok = result_is_ok(store_commit(r->store, &c, "test", add_one, NULL));
	arena_free(arena);
	return ok ? NULL : "refused";
}

static void readers_beside_writers(void **state)
{
	struct fixture *f = *state;
	store_close(TAKE(f->store));
	executor_free(f->executor);
	f->executor = executor_new_threads();
	fixture_open(f, NULL);
	atomic_bool stop = false;
	struct reading readers[READERS], writers[2];
	pthread_t threads[READERS + 2];
	for (size_t n = 0; n < READERS; n++) {
		readers[n] = (struct reading){f->store, &stop, 0};
		assert_int_equal(pthread_create(&threads[n], NULL, read_for_a_while, &readers[n]), 0);
	}
	for (size_t n = 0; n < 2; n++) {
		writers[n] = (struct reading){f->store, &stop, 0};
		assert_int_equal(pthread_create(&threads[READERS + n], NULL, write_for_a_while, &writers[n]),
				 0);
	}
	void *wrong = NULL;
	for (size_t n = READERS + 2; n-- > 0;) {
		assert_int_equal(pthread_join(threads[n], &wrong), 0);
		assert_ptr_equal(wrong, NULL);
		if (n == READERS) /* the writers are done */
			atomic_store(&stop, true);
	}
	fixture_check(f);
	assert_int_equal(volume_find(&f->store->head, uuid_of(1))->size, 2 * ROUNDS);
	while (retired_of(f->store)) /* the committer was woken by the last view that held something */
		sched_yield();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pinned_rows_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(unpinned_rows_go_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_beside_writers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
