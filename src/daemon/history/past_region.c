/* SPDX-License-Identifier: Apache-2.0
 * A region as it was. The store loads its rows from a driver that merges the present rows with the former ones. Nothing
 * is ever written there. */
#include "daemon/history/past_region.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/core/face.h"
#include "base/heap.h"
#include "base/vec.h"
#include "engine/engine.h"
#include "http/internal_call.h"
#include "store/account.h"
#include "store/past.h"
#include "store/sql.h"

enum { ROWS_CAP = 512 * 1024 * 1024 };

/* A row that has changed since. */
struct former {
	enum kind kind;
	uuid id;
	const struct row *row; /* NULL: it did not exist then */
};

struct present {
	const struct row **at;
	size_t count;
};

/* Must begin with the driver, which the store closes. */
struct past_driver {
	struct sql_driver driver;
	struct arena *arena;
	struct view view; /* keeps the present rows */
	uint64_t commit;
	int64_t at_us;
	struct present present[KIND_COUNT];
	VEC(struct past) records; /* newest first for each row, once sorted */
	VEC(struct former) formers;
};

struct past_region {
	struct store *store;
	struct daemon *daemon;
};

/* ---- reading the log ---- */

static RESULT take_record(void *arg, const struct past *record)
{
	struct past_driver *p = arg;
	struct past own = *record;
	own.was = str_copy(p->arena, record->was);
	if (p->records.count >= PAST_REGION_MAX)
		return FAIL(TOO_LARGE);
	return own.was.p && VEC_PUSH(p->arena, &p->records, own) ? OK : FAIL(NO_MEMORY);
}

static int compare_records(const void *a, const void *b)
{
	const struct past *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	int order = uuid_compare(x->id, y->id);
	return order ? order : x->seq > y->seq ? -1 : 1;
}

static const struct row *find_present(const struct present *rows, uuid id)
{
	size_t from = 0, to = rows->count;
	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = uuid_compare(rows->at[middle]->id, id);
		if (order == 0)
			return rows->at[middle];
		*(order < 0 ? &from : &to) = order < 0 ? middle + 1 : middle;
	}
	return NULL;
}

/* Applies the records of one row. */
static RESULT make_former(struct ctx *c, struct past_driver *p, size_t first, size_t end)
{
	const struct past *r = &p->records.at[first];
	const struct kind_info *k = &model_kinds[r->kind];
	const struct row *now = find_present(&p->present[r->kind], r->id);
	struct row *row = now ? row_copy(p->arena, k, now) : arena_alloc(p->arena, k->row_size);
	if (!row)
		return ctx_no_memory(c);
	row->id = r->id;
	row->kind = r->kind;
	row->usage = NULL;
	for (size_t n = first; n < end; n++)
		TRY(past_apply(c, &p->records.at[n], row));
	past_empty_unrecorded(r->kind, row);
	const struct former former = {r->kind, r->id, row->created_us <= p->at_us ? row : NULL};
	return VEC_PUSH(p->arena, &p->formers, former) ? OK : ctx_no_memory(c);
}

static RESULT make_formers(struct ctx *c, struct past_driver *p)
{
	size_t count = p->records.count;
	if (count)
		qsort((void *) p->records.at, count, sizeof(struct past), compare_records);
	for (size_t first = 0, end = 0; first < count; first = end) {
		const struct past *r = &p->records.at[first];
		for (end = first; end < count && p->records.at[end].kind == r->kind &&
				  uuid_equal(p->records.at[end].id, r->id);)
			end++;
		TRY(make_former(c, p, first, end));
	}
	return OK;
}

/* The view is read only while it is walked. */
static bool gather_present(struct past_driver *p, struct store *s)
{
	view_open(s, &p->view);
	p->commit = p->view.commit;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		struct present *rows = &p->present[kind];
		const struct row *row = tables_first(p->view.tables, kind, 0, NULL, 0);
		for (size_t room = 0; row; row = tables_next(p->view.tables, kind, 0, row, 0)) {
			if (rows->count == room) {
				size_t more = room ? 2 * room : 64;
				const struct row **at = arena_new_array(p->arena, const struct row *, more);
				if (!at)
					return false;
				if (room)
					memcpy(at, rows->at, room * sizeof *at);
				rows->at = at;
				room = more;
			}
			rows->at[rows->count++] = row;
		}
	}
	view_end_read(&p->view);
	return true;
}

/* ---- the driver ---- */

static RESULT open_nothing(struct sql_driver *driver, struct ctx *c)
{
	(void) driver, (void) c;
	return OK;
}

/* A row of a kept kind that was made later was not there; of another kind nothing is known. */
static RESULT load_present(struct past_driver *p, enum kind kind, const struct row *row, sql_each_row each,
			   void *arg)
{
	return past_is_kept(kind) && row->created_us > p->at_us ? OK : each(arg, row);
}

static RESULT load(struct sql_driver *driver, struct ctx *c, enum kind kind, sql_each_row each, void *arg)
{
	struct past_driver *p = (struct past_driver *) driver;
	const struct present *rows = &p->present[kind];
	size_t n = 0, f = 0;
	(void) c;
	while (f < p->formers.count && p->formers.at[f].kind < kind)
		f++;
	while (n < rows->count || (f < p->formers.count && p->formers.at[f].kind == kind)) {
		bool has_former = f < p->formers.count && p->formers.at[f].kind == kind;
		int order = !has_former        ? -1
			    : n >= rows->count ? 1
					       : uuid_compare(rows->at[n]->id, p->formers.at[f].id);
		if (order < 0)
			TRY(load_present(p, kind, rows->at[n], each, arg));
		else if (p->formers.at[f].row)
			TRY(each(arg, p->formers.at[f].row));
		n += order <= 0;
		f += order >= 0;
	}
	return OK;
}

static RESULT read_commit(struct sql_driver *driver, struct ctx *c, uint64_t *ret_commit)
{
	(void) c;
	*ret_commit = ((struct past_driver *) driver)->commit;
	return OK;
}

static RESULT read_last_stamp(struct sql_driver *driver, struct ctx *c, int64_t *ret_us)
{
	(void) driver, (void) c;
	*ret_us = 0;
	return OK;
}

static RESULT begin(struct sql_driver *driver, struct ctx *c)
{
	(void) driver;
	return ctx_fail(c, ERR_IO, "the past cannot be changed");
}

static void rollback(struct sql_driver *driver)
{
	(void) driver;
}

static RESULT read_no_events(struct sql_driver *driver, struct ctx *c, const struct event_query *query,
			     sql_each_event each, void *arg)
{
	(void) driver, (void) query, (void) each, (void) arg;
	return ctx_fail(c, ERR_UNSUPPORTED, "events are read from the present region");
}

static void close_driver(struct sql_driver *driver)
{
	struct past_driver *p = (struct past_driver *) driver;
	view_close(&p->view);
	arena_free(p->arena);
	heap_free(p);
}

static RESULT new_driver(struct ctx *c, struct daemon *d, int64_t at_us, struct sql_driver **ret_driver)
{
	const struct past_query query = {.after_us = at_us, .max = PAST_REGION_MAX + 1};
	int64_t reach_us = 0;
	struct past_driver *p = heap_new(struct past_driver);
	if (!p)
		return ctx_no_memory(c);
	p->driver = (struct sql_driver){.open = open_nothing,
					.load = load,
					.read_commit = read_commit,
					.read_last_stamp = read_last_stamp,
					.begin = begin,
					.rollback = rollback,
					.read_events = read_no_events,
					.close = close_driver};
	p->at_us = at_us;
	p->arena = arena_new(ARENA_FIRST_SIZE, ROWS_CAP);
	/* Rows first: a change in between then has a record too many, which only puts back what is there. */
	struct result r = p->arena && gather_present(p, d->store) ? OK : ctx_no_memory(c);
	if (result_is_ok(r))
		r = d->sql->read_past(d->sql, c, &query, take_record, p, &reach_us);
	if (r.code == ERR_TOO_LARGE)
		r = ctx_fail(
			c, ERR_TOO_LARGE,
			"the region has changed more than %d times since: ask for a later time, or without "
			"--as",
			PAST_REGION_MAX);
	if (result_is_ok(r))
		r = make_formers(c, p);
	if (result_is_ok(r))
		*ret_driver = &p->driver;
	else
		close_driver(&p->driver);
	return r;
}

/* ---- the region ---- */

RESULT past_region_open(struct ctx *c, struct daemon *d, int64_t at_us, struct past_region **ret_region)
{
	struct store_config config = {.executor = d->executor, .observe = engine_observe};
	AUTO(past_region) region = heap_new(struct past_region);
	if (!region)
		return ctx_no_memory(c);
	region->daemon = d;
	TRY(new_driver(c, d, at_us, &config.sql));
	TRY(store_open(c, &config, &region->store));
	*ret_region = TAKE(region);
	return OK;
}

void past_region_free(struct past_region *region)
{
	if (!region)
		return;
	store_close(region->store);
	heap_free(region);
}

struct store *past_region_store(struct past_region *region)
{
	return region->store;
}

/* ---- asking a face ---- */

struct asking {
	struct job job;
	struct internal_call wish;
	struct actor *actor;
	struct api_face *face;
	struct arena *arena;
	pthread_mutex_t lock; /* guards the members below: the face answers on the actor's thread */
	pthread_cond_t ended;
	bool is_done;
	int status;
	struct str text;
};

static void take_answer(void *owner, int status, struct str body)
{
	struct asking *a = owner;
	pthread_mutex_lock(&a->lock);
	a->status = status;
	a->text = str_copy(a->arena, body);
	a->is_done = true;
	pthread_cond_signal(&a->ended);
	pthread_mutex_unlock(&a->lock);
}

static void begin_call(struct job *job)
{
	struct asking *a = (struct asking *) (void *) job;
	call_begin_internal(a->actor, api_handle_call, a->face, &a->wish);
}

static bool await_answer(struct executor *executor, struct asking *a)
{
	a->actor = actor_new(executor, "whatwas");
	if (!a->actor)
		return false;
	actor_post(a->actor, &a->job);
	pthread_mutex_lock(&a->lock);
	while (!a->is_done)
		pthread_cond_wait(&a->ended, &a->lock);
	pthread_mutex_unlock(&a->lock);
	actor_free(a->actor);
	return a->status && a->text.p;
}

static bool describe_member(struct arena *a, struct store *s, uuid id, struct identity *ret_who)
{
	AUTO_VIEW view = {0};
	view_open(s, &view);
	const struct account *account = account_find(view.tables, id);
	if (!account)
		return false;
	*ret_who = (struct identity){.scope = IDENTITY_ACCOUNT,
				     .rights = RIGHTS_OF_MEMBER,
				     .account = id,
				     .domain = account->domain,
				     .account_number = str_copy(a, account->number),
				     .user_name = STR("operator")};
	return true;
}

RESULT past_region_ask(struct ctx *c, struct past_region *region, const struct api_protocol *protocol,
		       uuid account, struct str path, struct str query, int *ret_status, struct str *ret_text)
{
	struct daemon *d = region->daemon;
	const struct api_config config = {.store = region->store,
					  .executor = d->executor,
					  .key_lane = d->key_lane,
					  .master_key = d->master_key,
					  .region = d->settings.region,
					  .endpoint = settings_endpoint(c->arena, &d->settings)};
	struct identity who = {0};
	struct asking a = {.job.run = begin_call,
			   .arena = c->arena,
			   .lock = PTHREAD_MUTEX_INITIALIZER,
			   .ended = PTHREAD_COND_INITIALIZER};
	if (!describe_member(c->arena, region->store, account, &who))
		return ctx_fail(c, ERR_NOT_FOUND, "its account is no more: ask without --as");
	TRY(api_face_new(c, protocol, &config, &a.face));
	a.wish = (struct internal_call){.method = HTTP_GET,
					.path = path,
					.query = query,
					.who = &who,
					.done = take_answer,
					.owner = &a};
	bool is_answered = await_answer(d->executor, &a);
	api_face_free(a.face);
	*ret_status = a.status;
	*ret_text = a.text;
	return is_answered ? OK : ctx_no_memory(c);
}
