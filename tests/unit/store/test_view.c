/* SPDX-License-Identifier: Apache-2.0
 * Views: rows exist while they are pinned and are freed afterwards, also with readers in other threads. */
#include "fixture.h"
#include "store/volume.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reads.h"
#include "model/term.h"
#include "store/audit.h"
#include "store/event.h"
#include "store/health.h"
#include "store/hooks.h"
#include "store/ledger.h"
#include "store/past.h"
#include "store/prune.h"
#include "store/series.h"
#include "store/upgrade.h"

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

/* ---- records of what was read ---- */

enum { HASHED = 3 }; /* the index of volumes by instance */

static bool has_kind(enum kind kind)
{
	return reads_here.kinds[kind / 64] >> kind % 64 & 1;
}

/* Readers of the tables. Each is called on tables without a row, as the absence of one counts, too. */
static void find(const struct tables *t, const struct row *row)
{
	(void) tables_find(t, KIND_VOLUME, row->id);
}

static void find_prefix(const struct tables *t, const struct row *row)
{
	(void) tables_find_prefix(t, KIND_VOLUME, row->id, 32);
}

static void first(const struct tables *t, const struct row *row)
{
	(void) tables_first(t, KIND_VOLUME, HASHED, row, 1);
}

static void first_of_all(const struct tables *t, const struct row *row)
{
	(void) row;
	(void) tables_first(t, KIND_VOLUME, 0, NULL, 0);
}

static void next(const struct tables *t, const struct row *row)
{
	(void) tables_next(t, KIND_VOLUME, HASHED, row, 1);
}

static void next_of_all(const struct tables *t, const struct row *row)
{
	(void) tables_next(t, KIND_VOLUME, 0, row, 0);
}

static void seek(const struct tables *t, const struct row *row)
{
	(void) tables_seek(t, KIND_VOLUME, 1, row, 1);
}

static void first_term(const struct tables *t, const struct row *row)
{
	(void) row;
	(void) tables_first_term(t, KIND_VOLUME, 1, (struct row_place){0});
}

static void next_term(const struct tables *t, const struct row *row)
{
	uint64_t hash = term_of_tag_key(uuid_of(1), STR("Name"));
	const struct term *term = tables_first_term(t, KIND_VOLUME, hash, (struct row_place){0});
	(void) row;
	assert_non_null(term);
	reads_begin(NULL);
	(void) tables_next_term(t, KIND_VOLUME, term);
}

static void count(const struct tables *t, const struct row *row)
{
	(void) row;
	(void) tables_count(t, KIND_VOLUME);
}

static void kind_commit(const struct tables *t, const struct row *row)
{
	(void) row;
	(void) tables_kind_commit(t, KIND_VOLUME);
}

static void whole_commit(const struct tables *t, const struct row *row)
{
	(void) tables_whole_commit(t, KIND_VOLUME, row);
	assert_true(has_kind(KIND_VOLUME_ATTACHMENT)); /* a part of a volume */
}

static void readers_are_recorded(void **state)
{
	static void (*const readers[])(const struct tables *t, const struct row *row) = {
		find, find_prefix, first,     first_of_all, next,        next_of_all,
		seek, first_term,  next_term, count,        kind_commit, whole_commit};
	struct fixture *f = *state;
	int64_t size = 1;
	assert_ok(fixture_commit(f, put_volume, &size));
	AUTO_VIEW v;
	view_open(f->store, &v);
	const struct row *row = tables_find(v.tables, KIND_VOLUME, uuid_of(1));
	for (size_t n = 0; n < sizeof readers / sizeof readers[0]; n++) {
		reads_begin(NULL);
		assert_false(has_kind(KIND_VOLUME));
		readers[n](v.tables, row);
		if (!has_kind(KIND_VOLUME))
			fail_msg("reader %zu is not recorded", n);
		assert_false(has_kind(KIND_INSTANCE));
	}
}

static RESULT no_event(void *arg, const struct event *event)
{
	(void) arg, (void) event;
	return OK;
}

static RESULT no_usage(void *arg, const struct usage *usage)
{
	(void) arg, (void) usage;
	return OK;
}

static RESULT no_ledger(void *arg, const struct ledger_record *record)
{
	(void) arg, (void) record;
	return OK;
}

static RESULT no_audit(void *arg, const struct audit_record *record)
{
	(void) arg, (void) record;
	return OK;
}

static RESULT no_series(void *arg, const struct series *series)
{
	(void) arg, (void) series;
	return OK;
}

#define assert_outside(read)                                                                                 \
	do {                                                                                                 \
		reads_begin(NULL);                                                                           \
		read;                                                                                        \
		assert_true(reads_here.has_outside);                                                         \
	} while (0)

/* An answer made from one of these has no commit that tells when the answer is outdated. */
static void sources_outside_are_recorded(void **state)
{
	struct fixture *f = *state;
	struct store *s = f->store;
	struct ctx *c = &f->c;
	struct store_figures figures;
	struct audit_segment segment;
	struct past_row past;
	struct upgrade upgrade;
	int64_t us = 0, at_us = 0;
	assert_outside(IGNORE(store_read_events(s, c, &(struct event_query){0}, no_event, NULL)));
	assert_outside(IGNORE(store_read_usage(s, c, &(struct usage_query){0}, no_usage, NULL)));
	assert_outside(IGNORE(store_read_ledger(s, c, &(struct ledger_query){0}, no_ledger, NULL)));
	assert_outside(IGNORE(store_read_audit(s, c, 0, 1, no_audit, NULL)));
	assert_outside(IGNORE(store_read_audit_back(s, c, 1, 1, no_audit, NULL)));
	assert_outside(IGNORE(store_read_series(s, c, &(struct series_query){0}, no_series, NULL)));
	assert_outside(IGNORE(store_read_segment(s, c, &segment)));
	assert_outside(IGNORE(store_read_past(s, c, STR("00000000"), NULL, 0, &past)));
	assert_outside(IGNORE(store_read_upgrade(s, c, &upgrade)));
	assert_outside(store_read_figures(s, &figures));
	assert_outside(store_read_slowest_commit(s, &us, &at_us));
	assert_outside(store_read_clock(s, &us, &at_us));
}

static void clocks_and_figures_are_recorded(void **state)
{
	static int64_t (*const clocks[])(void) = {clock_now_us, clock_steady_us, clock_monotonic_us};
	const struct volume v = fixture_volume(1, 1, 1);
	(void) state;
	for (size_t n = 0; n < sizeof clocks / sizeof clocks[0]; n++) {
		reads_begin(NULL);
		(void) clocks[n]();
		assert_true(reads_here.has_clock);
		assert_false(reads_here.has_figures);
	}
	reads_begin(NULL);
	(void) row_figures(&v.row);
	assert_true(reads_here.has_figures);
	assert_false(reads_here.has_clock);
}

static RESULT put_account(struct op *op, void *arg)
{
	struct account a = fixture_account(*(const unsigned *) arg);
	return tables_find(op->head, KIND_ACCOUNT, a.row.id) ? OK : op_put(op, KIND_ACCOUNT, &a.row);
}

static RESULT note_figures(struct op *op, void *arg)
{
	(void) arg;
	op_note_figures(op);
	return OK;
}

static bool still_has(struct fixture *f, const struct reads *reads)
{
	AUTO_VIEW v;
	view_open(f->store, &v);
	return view_still_has(&v, reads);
}

/* Takes a record of a read of volumes. */
static struct reads read_volumes(struct fixture *f)
{
	AUTO_VIEW v;
	reads_begin(NULL);
	view_open(f->store, &v);
	(void) tables_count(v.tables, KIND_VOLUME);
	return reads_here;
}

static void record_lasts_until_its_kind_changes(void **state)
{
	struct fixture *f = *state;
	int64_t size = 1;
	unsigned account = 77;
	struct view old;
	view_open(f->store, &old);
	view_end_read(&old);
	assert_ok(fixture_commit(f, put_volume, &size));
	struct reads reads = read_volumes(f), without = {.commit = UINT64_MAX};
	assert_true(still_has(f, &reads));
	assert_false(still_has(f, &without)); /* no view was opened */
	assert_false(view_still_has(&old, &reads));
	assert_ok(fixture_commit(f, put_account, &account));
	assert_true(still_has(f, &reads));
	size++;
	assert_ok(fixture_commit(f, put_volume, &size));
	assert_false(still_has(f, &reads));
	reads = read_volumes(f);
	size++;
	assert_ok(fixture_commit(f, put_volume, &size)); /* the very next commit */
	assert_false(still_has(f, &reads));
	view_close(&old);
}

/* The record has the earliest commit of the views that were open, and a view that is not read can't tell of kinds. */
static void record_has_its_earliest_view(void **state)
{
	struct fixture *f = *state;
	int64_t size = 1;
	unsigned account = 77;
	assert_ok(fixture_commit(f, put_volume, &size));
	struct reads reads = read_volumes(f);
	size++;
	assert_ok(fixture_commit(f, put_volume, &size));
	struct view v;
	view_open(f->store, &v);
	assert_true(v.commit > reads.commit);
	assert_int_equal(reads_here.commit, reads.commit);
	view_close(&v);
	reads = read_volumes(f);
	assert_ok(fixture_commit(f, put_account, &account));
	view_open(f->store, &v);
	assert_true(view_still_has(&v, &reads));
	view_end_read(&v);
	assert_false(view_still_has(&v, &reads));
	view_close(&v);
}

/* Figures have no commit: any change of a row, and a change that only sets figures, end the answer. */
static void figures_end_with_each_change(void **state)
{
	struct fixture *f = *state;
	unsigned account = 77;
	struct reads reads = read_volumes(f), shown = reads;
	shown.has_figures = true;
	assert_true(still_has(f, &shown));
	assert_ok(fixture_commit(f, note_figures, NULL));
	assert_false(still_has(f, &shown));
	assert_true(still_has(f, &reads));
	shown = read_volumes(f);
	shown.has_figures = true;
	assert_ok(fixture_commit(f, put_account, &account));
	assert_false(still_has(f, &shown));
	reads = read_volumes(f);
	assert_ok(fixture_commit(f, note_figures, NULL));
	struct view v;
	view_open(f->store, &v); /* figures may have been read in the first view */
	view_close(&v);
	shown = reads_here;
	shown.has_figures = true;
	assert_int_equal(shown.commit, reads.commit);
	assert_false(still_has(f, &shown));
}

/* ---- threads ---- */

enum { READERS = 3, ROUNDS = 400, PAIRS = 8 };

struct reading {
	struct store *store;
	atomic_bool *stop;
	size_t views;
	struct reads rows, figures; /* records of a former view */
	int64_t size, figure;       /* that the records are of */
};

/* Stands for a row's figure: set on the committer before the change that it counts is published. */
static _Atomic int64_t figure;

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

/* True if a former view's size or figure passes for right, but is not. Otherwise records this view's, if the former ones are
 * outdated. */
static bool takes_old(struct reading *r, const struct view *v, int64_t size)
{
	bool has_rows = view_still_has(v, &r->rows), has_figures = view_still_has(v, &r->figures);
	if ((has_rows && r->size != size) || (has_figures && r->figure < size))
		return true;
	if (has_rows && r->rows.commit < v->commit) /* as the cache of answers does */
		r->rows.commit = v->commit;
	if (!has_rows) {
		r->rows = reads_here;
		r->size = size;
	}
	if (!has_figures) {
		r->figures = reads_here;
		memset(r->figures.kinds, 0, sizeof r->figures.kinds);
		r->figures.has_figures = true;
		r->figure = atomic_load_explicit(&figure, memory_order_relaxed);
	}
	return false;
}

static void *read_for_a_while(void *data)
{
	struct reading *r = data;
	int64_t newest = -1;
	while (!atomic_load(r->stop)) {
		AUTO_VIEW v;
		reads_begin(NULL);
		view_open(r->store, &v);
		const struct volume *rows[PAIRS];
		size_t count = 0;
		for (const struct volume *row = volume_first_by_account(v.tables, uuid_of(1));
		     row && count < PAIRS; row = volume_next_by_account(v.tables, row))
			rows[count++] = row;
		for (size_t n = 0; n < count; n++)
			if (volume_find(v.tables, rows[n]->row.id) != rows[n])
				return "lost";
		if (takes_old(r, &v, count ? rows[0]->size : 0))
			return "old";
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
	TRY(put_all(op, &size));
	atomic_store_explicit(&figure, size, memory_order_relaxed);
	op_note_figures(op);
	return OK;
}

static void *write_for_a_while(void *data)
{
	struct reading *r = data;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	bool ok = arena;
	for (unsigned n = 0; ok && n < ROUNDS; n++) {
		unsigned account = 100 + n;
		ok = result_is_ok(store_commit(r->store, &c, "test", add_one, NULL)) &&
		     result_is_ok(store_commit(r->store, &c, "test", put_account, &account));
	}
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
		readers[n] = (struct reading){.store = f->store, .stop = &stop};
		readers[n].rows.commit = readers[n].figures.commit = UINT64_MAX;
		assert_int_equal(pthread_create(&threads[n], NULL, read_for_a_while, &readers[n]), 0);
	}
	for (size_t n = 0; n < 2; n++) {
		writers[n] = (struct reading){.store = f->store, .stop = &stop};
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
		cmocka_unit_test_setup_teardown(readers_are_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(sources_outside_are_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(clocks_and_figures_are_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(record_lasts_until_its_kind_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(record_has_its_earliest_view, setup, teardown),
		cmocka_unit_test_setup_teardown(figures_end_with_each_change, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_beside_writers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
