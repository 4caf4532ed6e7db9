/* SPDX-License-Identifier: Apache-2.0
 * Benchmarks of the store: `meson test --benchmark`. Prints figures and never fails because of them. */
#include "fixture.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/reference.h"

#include <stdio.h>
#include <stdlib.h>

#include "../model/fill.h"
#include "base/clock.h"
#include "base/random.h"

enum { QUEUED = 64, ROWS_PER_CHANGE = 4, ROUNDS = 50, LOADED = 100000, LOOKS = 1000000, FOLLOWED = 1000 };

static uuid ids[LOADED];

struct wish {
	struct arena *arena;
	size_t from, count;
};

static RESULT put_instances(struct op *op, void *arg)
{
	const struct wish *w = arg;
	for (size_t n = w->from; n < w->from + w->count; n++) {
		struct instance *i = (struct instance *) fill_row(w->arena, &model_kinds[KIND_INSTANCE]);
		ids[n % LOADED] = i->row.id;
		TRY(instance_put(op, i));
		if (n % 16 == 15)
			arena_reset(w->arena);
	}
	return OK;
}

static RESULT touch_instances(struct op *op, void *arg)
{
	const struct wish *w = arg;
	for (size_t n = 0; n < w->count; n++) {
		struct instance i = *instance_find(op->head, ids[(w->from + n) % LOADED]);
		i.wanted_boots++;
		TRY(instance_put(op, &i));
	}
	return OK;
}

static void say(const char *what, double value, const char *unit)
{
	printf("%-58s %12.1f %s\n", what, value, unit);
}

/* Rounds of 64 changes of 4 rows, as 64 clients that wait for each answer would ask. */
static void bench_commits(struct fixture *f, const char *what, op_run run)
{
	static struct counted n[QUEUED];
	struct wish w[QUEUED];
	int64_t since_us = clock_monotonic_us();
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t k = 0; k < QUEUED; k++) {
			w[k] = (struct wish){f->arena, (round * QUEUED + k) * ROWS_PER_CHANGE,
					     ROWS_PER_CHANGE};
			fixture_submit(f, &n[k], run, &w[k]);
		}
		executor_step(f->executor, INT64_MAX);
		for (size_t k = 0; k < QUEUED; k++)
			assert_true(n[k].is_done && result_is_ok(n[k].result));
		arena_reset(f->arena);
	}
	double spent_us = (double) (clock_monotonic_us() - since_us);
	struct store_figures figures;
	store_read_figures(f->store, &figures);
	say(what, ROUNDS * QUEUED * 1e6 / spent_us, "changes/s");
	say("  a batch of them", spent_us / ROUNDS / 1000, "ms");
	say("  the last COMMIT of it", (double) figures.last_commit_us / 1000, "ms");
}

/* A deletion's cost is that of the rows that refer, not of those that are there: instances are referred to by kinds of
 * which there are as many. */
static RESULT put_ports(struct op *op, void *arg)
{
	const struct wish *w = arg;
	for (size_t n = w->from; n < w->from + w->count; n++) {
		struct port *p = (struct port *) fill_row(w->arena, &model_kinds[KIND_PORT]);
		p->instance = ids[n % LOADED];
		p->row.deleted_us = 0;
		TRY(port_put(op, p));
		if (n % 16 == 15)
			arena_reset(w->arena);
	}
	return OK;
}

static RESULT follow_references(struct op *op, void *arg)
{
	const struct wish *w = arg;
	size_t count = 0;
	int64_t since_us = clock_monotonic_us();
	for (size_t n = w->from; n < w->from + w->count; n++)
		count += reference_find_user(op->head, KIND_INSTANCE, ids[n], true) != NULL;
	say("references to an instance among 100,000 with ports",
	    (double) (clock_monotonic_us() - since_us) * 1000 / (double) w->count, "ns");
	assert_int_equal(count, w->count);
	return OK;
}

static void bench_references(struct fixture *f, struct arena *rows)
{
	for (size_t from = 0; from < LOADED; from += 1000) {
		struct wish w = {rows, from, 1000};
		assert_ok(fixture_commit(f, put_ports, &w));
	}
	struct wish w = {rows, 0, FOLLOWED};
	assert_ok(fixture_commit(f, follow_references, &w));
}

static void *sleep_on(void *lock)
{
	pthread_mutex_lock(lock);
	pthread_mutex_unlock(lock);
	return NULL;
}

static void bench_views(struct fixture *f)
{
	/* With a second thread there, locks cost what they cost in a server. */
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	pthread_mutex_lock(&lock);
	assert_int_equal(pthread_create(&thread, NULL, sleep_on, &lock), 0);
	int64_t since_us = clock_monotonic_us();
	for (size_t n = 0; n < LOOKS; n++) {
		struct view v;
		view_open(f->store, &v);
		view_close(&v);
	}
	say("view_open and view_close", (double) (clock_monotonic_us() - since_us) * 1000 / LOOKS, "ns");
	pthread_mutex_unlock(&lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void bench_reads(struct fixture *f)
{
	AUTO_VIEW v;
	view_open(f->store, &v);
	size_t found = 0;
	int64_t since_us = clock_monotonic_us();
	for (size_t n = 0; n < LOOKS; n++)
		found += instance_find(v.tables, ids[n * 7919 % LOADED]) ? 1 : 0;
	say("find by id among 100,000", (double) (clock_monotonic_us() - since_us) * 1000 / LOOKS, "ns");
	assert_int_equal(found, LOOKS);
	size_t count = 0;
	since_us = clock_monotonic_us();
	for (const struct instance *i = instance_first(v.tables); i; i = instance_next(v.tables, i))
		count++;
	say("walk of 100,000, each", (double) (clock_monotonic_us() - since_us) * 1000 / (double) count,
	    "ns");
}

/* Part of each COMMIT. */
static void bench_files(struct fixture *f)
{
	int64_t since_us = clock_monotonic_us();
	for (size_t n = 0; n < LOADED; n++)
		assert_true(result_is_ok(store_find_database(f->store, &f->c)));
	say("store_find_database", (double) (clock_monotonic_us() - since_us) * 1000 / LOADED, "ns");
}

static void bench_load(struct fixture *f, const char *path)
{
	store_close(TAKE(f->store));
	int64_t since_us = clock_monotonic_us();
	fixture_open(f, path);
	clock_set_us(0);
	say("open with 100,000 instances", (double) (clock_monotonic_us() - since_us) / 1000, "ms");
	struct store_figures figures;
	store_read_figures(f->store, &figures);
	say("  memory of a row", (double) figures.row_bytes / (double) figures.rows, "bytes");
	since_us = clock_monotonic_us();
	assert_ok(store_compare_with_sql(f->store, &f->c));
	say("store_compare_with_sql", (double) (clock_monotonic_us() - since_us) / 1000, "ms");
}

int main(void)
{
	struct fixture f;
	fixture_init(&f);
	clock_set_us(0);                              /* real time */
	const char *name = getenv("DARI_BENCH_PATH"); /* for a database on another disk */
	static char path[4096];
	snprintf(path, sizeof path, "%s%s", name ? name : fixture_make_folder(), name ? "" : "/dari.db");
	random_set_seed(5);
	fixture_open(&f, path);
	struct arena *rows = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	bench_commits(&f, "64 queued changes of 4 new instances", put_instances);
	bench_commits(&f, "64 queued changes of 4 instances changed", touch_instances);
	for (size_t from = 0; from < LOADED; from += 1000) {
		struct wish w = {rows, from, 1000};
		assert_ok(fixture_commit(&f, put_instances, &w));
	}
	bench_load(&f, path);
	bench_files(&f);
	bench_views(&f);
	bench_reads(&f);
	bench_commits(&f, "64 queued changes of 4 instances changed among 100,000", touch_instances);
	bench_references(&f, rows);
	arena_free(rows);
	fixture_done(&f);
	return 0;
}
