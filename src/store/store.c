/* SPDX-License-Identifier: Apache-2.0
 * Life of the store: loads all rows from SQL, registers listeners, closes; and compares memory with SQL. */
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/heap.h"
#include "store/event.h"
#include "store/hooks.h"
#include "store/internal.h"

enum { BATCH_ARENA_CAP = 64 * 1024 * 1024 };

/* ---- loading ---- */

struct loading {
	struct ctx *c;
	const struct kind_info *k;
	struct row **rows;
	size_t count, capacity;
};

static RESULT store_no_memory_to_load(const struct loading *l)
{
	return ctx_fail(l->c, ERR_NO_MEMORY, "out of memory while loading the rows of %s", l->k->name);
}

static RESULT store_load_row(void *arg, const struct row *row)
{
	struct loading *l = arg;
	if (l->count && uuid_compare(l->rows[l->count - 1]->id, row->id) >= 0)
		return ctx_fail(l->c, ERR_STATE, "the database gives the rows of %s out of order",
				l->k->name);
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 256;
		struct row **rows = heap_resize(l->rows, capacity * sizeof(struct row *));
		if (!rows)
			return store_no_memory_to_load(l);
		l->rows = rows;
		l->capacity = capacity;
	}
	struct row *made = version_new(l->k, row);
	if (!made)
		return store_no_memory_to_load(l);
	l->rows[l->count++] = made;
	version_of(l->k->kind, made)->owns_usage = true; /* until the row is in the tables */
	made->usage = l->k->usage_size ? heap_alloc(l->k->usage_size) : NULL;
	return l->k->usage_size && !made->usage ? store_no_memory_to_load(l) : OK;
}

static RESULT store_load_kind(struct store *s, struct ctx *c, enum kind kind)
{
	struct loading l = {.c = c, .k = &model_kinds[kind]};
	struct result r = s->config.sql->load(s->config.sql, c, kind, store_load_row, &l);
	if (result_is_ok(r) && !tables_build(&s->head, kind, l.rows, l.count))
		r = store_no_memory_to_load(&l);
	for (size_t n = 0; n < l.count; n++) {
		struct version *v = version_of(kind, l.rows[n]);
		if (!result_is_ok(r)) {
			version_free(v);
			continue;
		}
		v->owns_usage = false;
		s->figures.row_bytes += v->size;
	}
	s->figures.rows += result_is_ok(r) ? l.count : 0;
	heap_free(l.rows);
	return r;
}

/* Called when all rows are loaded, since an observer also looks at other rows. */
static void store_observe_all(struct store *s)
{
	for (enum kind kind = 1; s->config.observe && kind < KIND_COUNT; kind++) {
		const struct row *row = tables_first(&s->head, kind, 0, NULL, 0);
		for (; row; row = tables_next(&s->head, kind, 0, row, 0))
			s->config.observe(&s->head, kind, NULL, row);
	}
}

static RESULT store_load(struct store *s, struct ctx *c)
{
	struct sql_driver *sql = s->config.sql;
	TRY(s->refusal ? sql->open_follower(sql, c) : sql->open(sql, c));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		TRY(store_load_kind(s, c, kind));
	TRY(sql->read_commit(sql, c, &s->sql_commit));
	int64_t last_us = 0;
	TRY(sql->read_last_stamp(sql, c, &last_us));
	stamps_init(&s->stamps, last_us);
	if (!tables_copy(&s->published, &s->head))
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory while loading the rows");
	s->commit = s->sql_commit;
	s->figures.commit = s->sql_commit;
	s->shown_figures = s->figures;
	store_observe_all(s);
	return OK;
}

/* ---- life ---- */

/* Prefers writers: a publish waits for reads in progress, not for later ones. */
static void store_init_locks(struct store *s)
{
	pthread_rwlockattr_t attributes;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	pthread_mutex_init(&s->queue_lock, NULL);
	pthread_mutex_init(&s->still, NULL);
	pthread_mutex_init(&s->listening, NULL);
	for (size_t n = 0; n < PIN_STRIPES; n++)
		pthread_mutex_init(&s->pins[n].lock, NULL);
}

static void store_free_rows(struct store *s)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		struct row *row = NULL;
		while ((row = s->head.roots[kind][0])) {
			tables_exchange(&s->head, kind, row, NULL);
			version_of(kind, row)->owns_usage = true;
			version_free(version_of(kind, row));
		}
	}
}

static void store_free(struct store *s)
{
	if (!s)
		return;
	view_free_retired(s, true);
	store_free_rows(s);
	tables_done(&s->head);
	tables_done(&s->published);
	op_log_done(&s->log);
	audit_floods_free(s->floods);
	audit_reserve_done(&s->reserve);
	arena_free(s->arena);
	s->config.sql->close(s->config.sql);
	for (size_t n = 0; n < PIN_STRIPES; n++)
		pthread_mutex_destroy(&s->pins[n].lock);
	pthread_mutex_destroy(&s->still);
	pthread_mutex_destroy(&s->listening);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_rwlock_destroy(&s->lock);
	heap_free(s->block);
}
DEFINE_AUTO(store)

/* Aligns the store to a cache line, as its pins and locks require. */
static struct store *store_new(const struct store_config *config)
{
	size_t alignment = _Alignof(struct store);
	char *block = heap_alloc(sizeof(struct store) + alignment);
	if (!block)
		return NULL;
	size_t over = (uintptr_t) block % alignment;
	struct store *s = (struct store *) (void *) (over ? block + (alignment - over) : block);
	s->block = block;
	s->config = *config;
	s->config.batch_max = config->batch_max ? config->batch_max : BATCH_MAX;
	s->head.tree = TREE_HEAD;
	s->published.tree = TREE_PUBLISHED;
	for (size_t n = 0; n < QUEUES; n++)
		s->queues[n].end = &s->queues[n].first;
	s->job.run = committer_run;
	op_log_init(&s->log);
	store_init_locks(s);
	return s;
}

RESULT store_open(struct ctx *c, const struct store_config *config, struct store **ret_store)
{
	return store_open_follower(c, config, NULL, ret_store);
}

RESULT store_open_follower(struct ctx *c, const struct store_config *config, const char *refusal,
			   struct store **ret_store)
{
	AUTO(store) s = store_new(config);
	if (!s) {
		config->sql->close(config->sql);
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the store");
	}
	s->refusal = refusal;
	s->arena = arena_new(ARENA_FIRST_SIZE, BATCH_ARENA_CAP);
	s->floods = audit_floods_new();
	if (!s->arena || !s->floods)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the store");
	int64_t since_us = clock_boot_us();
	TRY(store_load(s, c));
	atomic_store(&s->fed_us, since_us);
	s->actor = actor_new(config->executor, "committer");
	if (!s->actor)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the committer");
	*ret_store = TAKE(s);
	return OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->queue_lock);
	s->closing = true;
	pthread_mutex_unlock(&s->queue_lock);
	actor_free(s->actor);
	committer_drain(s);
	committer_write_reserve(s);
	store_free(s);
}

void store_listen(struct store *s, store_listener fn, void *self)
{
	assert(s->listener_count < LISTENERS_MAX);
	s->listeners[s->listener_count].fn = fn;
	s->listeners[s->listener_count++].self = self;
}

/* `listening` is free only while no listener runs, so fn will not be called again. */
void store_unlisten(struct store *s, store_listener fn, void *self)
{
	pthread_mutex_lock(&s->listening);
	size_t kept = 0;
	for (size_t n = 0; n < s->listener_count; n++)
		if (s->listeners[n].fn != fn || s->listeners[n].self != self)
			s->listeners[kept++] = s->listeners[n];
	s->listener_count = kept;
	pthread_mutex_unlock(&s->listening);
}

void store_read_figures(struct store *s, struct store_figures *ret_figures)
{
	pthread_mutex_lock(&s->queue_lock);
	*ret_figures = s->shown_figures;
	pthread_mutex_unlock(&s->queue_lock);
}

struct events_reading {
	sql_each_event each;
	void *arg;
	struct buf text; /* text of the present event */
};

static RESULT render_event(void *arg, const struct event *event)
{
	struct events_reading *reading = arg;
	struct event rendered = *event;
	reading->text.size = 0;
	event_render(&reading->text, event->sentence, event->arguments);
	TRY(buf_finish(&reading->text));
	rendered.text = buf_str(&reading->text);
	return reading->each(reading->arg, &rendered);
}

RESULT store_read_events(struct store *s, struct ctx *c, const struct event_query *query,
			 RESULT (*each)(void *arg, const struct event *event), void *arg)
{
	struct events_reading reading = {.each = each, .arg = arg};
	buf_init(&reading.text, BUF_ANSWER_CAP);
	struct result result = s->config.sql->read_events(s->config.sql, c, query, render_event, &reading);
	buf_done(&reading.text);
	return result;
}

RESULT store_read_usage(struct store *s, struct ctx *c, const struct usage_query *query,
			RESULT (*each)(void *arg, const struct usage *usage), void *arg)
{
	return s->config.sql->read_usage(s->config.sql, c, query, each, arg);
}

/* ---- waiting for a change ---- */

struct waiting {
	struct change change;
	pthread_mutex_t lock; /* guards the two results */
	pthread_cond_t ended;
	bool is_done;
	struct result result;
};

static void store_end_wait(struct change *change, struct result result)
{
	struct waiting *w = (struct waiting *) (void *) change;
	pthread_mutex_lock(&w->lock);
	w->result = result;
	w->is_done = true;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
}

static RESULT store_submit_and_wait(struct store *s, const struct change *change)
{
	struct waiting w = {
		.change = *change, .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	w.change.done = store_end_wait;
	store_submit(s, &w.change);
	pthread_mutex_lock(&w.lock);
	while (!w.is_done)
		pthread_cond_wait(&w.ended, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.ended);
	pthread_mutex_destroy(&w.lock);
	return w.result;
}

RESULT store_commit(struct store *s, struct ctx *c, const char *action, op_run run, void *arg)
{
	return store_submit_and_wait(s, &(struct change){.run = run, .arg = arg, .ctx = c, .action = action});
}

RESULT store_commit_by_clock(struct store *s, struct ctx *c, const char *action, op_run run, void *arg)
{
	return store_submit_and_wait(
		s, &(struct change){.run = run, .arg = arg, .ctx = c, .action = action, .by_clock = true});
}

/* ---- the audit ---- */

struct comparing {
	struct ctx *c;
	const struct tables *t;
	const struct kind_info *k;
	const struct row *next; /* the next row that SQL must return */
};

static RESULT store_say_difference(struct comparing *m, const struct row *row, const char *what)
{
	char id[UUID_TEXT_SIZE];
	return ctx_fail_kind(m->c, ERR_CONFLICT, (int) m->k->kind, "%s %s %s", m->k->name,
			     uuid_write(row->id, id), what);
}

/* SQL returns rows in order of ids, so both sides are walked once. */
static RESULT store_compare_row(void *arg, const struct row *row)
{
	struct comparing *m = arg;
	int order = m->next ? uuid_compare(row->id, m->next->id) : -1;
	if (order < 0)
		return store_say_difference(m, row, "is in the database, but not in memory");
	if (order > 0)
		return store_say_difference(m, m->next, "is in memory, but not in the database");
	if (!row_equal(m->k, row, m->next) || row->commit != m->next->commit ||
	    row->created_us != m->next->created_us || row->updated_us != m->next->updated_us)
		return store_say_difference(m, row, "is not the same in memory and in the database");
	m->next = tables_next(m->t, m->k->kind, 0, m->next, 0);
	return OK;
}

static RESULT store_compare_kind(struct store *s, struct ctx *c, enum kind kind)
{
	const struct row *row = tables_first(&s->published, kind, 0, NULL, 0);
	struct comparing m = {c, &s->published, &model_kinds[kind], row};
	TRY(s->config.sql->load(s->config.sql, c, kind, store_compare_row, &m));
	if (m.next)
		return store_say_difference(&m, m.next, "is in memory, but not in the database");
	for (; row; row = tables_next(&s->published, kind, 0, row, 0))
		if (tables_find(&s->head, kind, row->id) != row)
			return store_say_difference(&m, row, "is published, but not on the head");
	if (s->head.counts[kind] != s->published.counts[kind])
		return ctx_fail_kind(c, ERR_CONFLICT, (int) kind,
				     "the head has %zu rows of %s, %zu are published", s->head.counts[kind],
				     m.k->name, s->published.counts[kind]);
	return OK;
}

static RESULT store_compare_still(struct store *s, struct ctx *c)
{
	uint64_t commit = 0;
	TRY(s->config.sql->read_commit(s->config.sql, c, &commit));
	if (commit != s->sql_commit)
		return ctx_fail(c, ERR_CONFLICT, "the database is at commit %" PRIu64 ", memory at %" PRIu64,
				commit, s->sql_commit);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		TRY(store_compare_kind(s, c, kind));
	return OK;
}

RESULT store_compare_with_sql(struct store *s, struct ctx *c)
{
	TRY(committer_hold(s, c));
	struct result r = store_compare_still(s, c);
	committer_let_go(s);
	return r;
}

void store_set_room(struct store *s, bool (*has_room)(void *self), void *self)
{
	s->room_self = self;
	s->has_room = has_room;
}

void store_set_judge(struct store *s, struct service_judge *judge)
{
	s->judge = judge;
}

struct service_judge *store_get_judge(struct store *s)
{
	return s->judge;
}

bool store_is_full(struct store *s)
{
	return s->is_full;
}

RESULT store_find_database(struct store *s, struct ctx *c)
{
	struct sql_driver *sql = s->config.sql;
	return sql->find_files ? sql->find_files(sql, c) : OK;
}
