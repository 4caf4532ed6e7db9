/* SPDX-License-Identifier: Apache-2.0
 * Samples usage: each host's lane reads the counters, which are added up here, and completed intervals are
 * written to SQL. Failures are silent: a host that does not answer has a gap. */
#include "reconcile/figures/figures.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/reads.h"
#include "reconcile/figures/internal.h"
#include "reconcile/work.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/series.h"

enum { BUCKETS = 4096, RING = 90, RINGS_MAX = 4096, STEPS = 2, MINUTES = 66, MINUTES_MAX = 4096 };
enum { READ_ARENA_CAP = 16 << 20, PACK_CAP = 8 << 20 };
#define LOOKED_FOR_US (15 * MINUTE) /* a ring is freed after this time without a reader */
#define WATCHED_FOR_US (2 * HOUR)   /* likewise, of the minutes that alarms read */
#define GAP_US (5 * MINUTE)         /* counters over a longer gap are not charted */
/* a subject not seen for this time is gone or off; its intervals have been written */
#define FORGOTTEN_US (2 * HOUR)

static const struct {
	int64_t step_us, keep_us;
} steps[STEPS] = {{FIGURES_SHORT_US, FIGURES_SHORT_KEPT_US}, {FIGURES_LONG_US, FIGURES_LONG_KEPT_US}};

struct ring {
	struct figure_point at[RING];
	size_t count; /* points ever put; the ring holds the last RING of them */
	int64_t looked_us;
};

/* Sums of the last minutes. */
struct minutes {
	struct figure_point at[MINUTES]; /* by the number of the minute; from_us tells which one it is */
	int64_t looked_us;
};

/* A guest or a host. */
struct subject {
	struct subject *next; /* in its bucket */
	uuid id, host;
	struct compute_usage last;
	int64_t last_us;                 /* time of `last`; 0: never read */
	struct figure_point sums[STEPS]; /* sums of the intervals in progress */
	struct ring *ring;               /* NULL: nobody reads this subject's points */
	struct minutes *minutes;         /* NULL: no alarm watches it */
};

struct figures {
	int64_t interval_us;
	pthread_mutex_t lock; /* guards everything below */
	struct subject *buckets[BUCKETS];
	size_t ring_count, minutes_count;
	struct figure_totals totals; /* without `guests`, which is counted on request */
};

static struct figures *new_figures(int64_t interval_us)
{
	struct figures *f = heap_new(struct figures);
	if (!f)
		return NULL;
	f->interval_us = interval_us;
	(void) pthread_mutex_init(&f->lock, NULL);
	return f;
}

static struct subject **bucket_of(struct figures *f, uuid id)
{
	uint32_t bits = 0;
	memcpy(&bits, id.b + 4, sizeof bits);
	return &f->buckets[bits % BUCKETS];
}

static void free_subject(struct figures *f, struct subject *s)
{
	f->ring_count -= s->ring != NULL;
	f->minutes_count -= s->minutes != NULL;
	heap_free(s->ring);
	heap_free(s->minutes);
	heap_free(s);
}

void figures_free(struct figures *f)
{
	if (!f)
		return;
	for (size_t k = 0; k < BUCKETS; k++)
		while (f->buckets[k]) {
			struct subject *s = f->buckets[k];
			f->buckets[k] = s->next;
			free_subject(f, s);
		}
	(void) pthread_mutex_destroy(&f->lock);
	heap_free(f);
}

/* With the lock held, as are all functions down to the readings. NULL: unknown, or out of memory with
 * `makes`. */
static struct subject *find_subject(struct figures *f, uuid id, bool makes)
{
	struct subject *s = *bucket_of(f, id);
	while (s && !uuid_equal(s->id, id))
		s = s->next;
	if (s || !makes)
		return s;
	s = heap_new(struct subject);
	if (s) {
		s->id = id;
		s->next = *bucket_of(f, id);
		*bucket_of(f, id) = s;
	}
	return s;
}

static void drop_ring(struct figures *f, struct subject *s)
{
	heap_free(s->ring);
	s->ring = NULL;
	f->ring_count--;
}

/* Adds a point and frees the ring once nobody has read it for LOOKED_FOR_US. */
static void put_in_ring(struct figures *f, struct subject *s, const struct figure_point *p)
{
	if (!s->ring)
		return;
	s->ring->at[s->ring->count++ % RING] = *p;
	if (p->to_us - s->ring->looked_us > LOOKED_FOR_US)
		drop_ring(f, s);
}

/* A reading counts for the minute in which it ended. */
static void put_in_minute(struct figures *f, struct subject *s, const struct figure_point *p)
{
	int64_t from_us = (p->to_us - 1) / MINUTE * MINUTE;
	if (!s->minutes)
		return;
	struct figure_point *at = &s->minutes->at[from_us / MINUTE % MINUTES];
	if (!at->samples || at->from_us / MINUTE * MINUTE != from_us)
		*at = (struct figure_point){0};
	figure_add(at, p);
	at->from_us = from_us;
	at->to_us = from_us + MINUTE;
	if (p->to_us - s->minutes->looked_us > WATCHED_FOR_US) {
		heap_free(s->minutes);
		s->minutes = NULL;
		f->minutes_count--;
	}
}

/* The caller has checked that the id belongs to us. */
static void take_usage(struct figures *f, const struct compute_usage *usage, uuid id, uuid host,
		       int64_t now_us)
{
	struct subject *s = find_subject(f, id, true);
	if (!s)
		return;
	bool is_first = !s->last_us || !uuid_equal(s->host, host) || now_us <= s->last_us ||
			now_us - s->last_us > GAP_US;
	if (!is_first) {
		struct figure_point p = figure_between(&s->last, s->last_us, usage, now_us);
		put_in_ring(f, s, &p);
		put_in_minute(f, s, &p);
		for (size_t k = 0; k < STEPS; k++)
			figure_add(&s->sums[k], &p);
		for (enum figure k = 0; k < FIGURE_MEMORY && !uuid_equal(id, host); k++)
			f->totals.at[k] += p.at[k];
	}
	s->host = host;
	s->last = *usage;
	s->last_us = now_us;
}

static void forget_old(struct figures *f, int64_t now_us)
{
	for (size_t k = 0; k < BUCKETS; k++)
		for (struct subject **at = &f->buckets[k]; *at;) {
			struct subject *s = *at;
			int64_t seen_us =
				s->ring && s->ring->looked_us > s->last_us ? s->ring->looked_us : s->last_us;
			if (now_us - seen_us <= FORGOTTEN_US) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			free_subject(f, s);
		}
}

/* ---- stored intervals ---- */

/* A completed interval on its way to SQL. */
struct keeping {
	struct change change;
	struct ctx ctx;
	struct reconciler *r;
	struct series series;
	struct buf text;
};

static RESULT keep_run(struct op *op, void *arg)
{
	struct keeping *keeping = arg;
	return op_series(op, &keeping->series);
}

static void keep_done(struct change *change, struct result result)
{
	struct keeping *keeping = change->arg;
	struct reconciler *r = keeping->r;
	if (!result_is_ok(result))
		log_event(LOG_WARN, "figures-lost", "error=%s message=%s", err_name(result.code),
			  log_quote(keeping->ctx.problem.message));
	buf_done(&keeping->text);
	arena_free(keeping->ctx.arena);
	heap_free(keeping);
	reconciler_release(r);
}

/* Packs the sums of everything on the host and resets them. */
static void pack_host(struct figures *f, uuid host, size_t step, struct buf *text)
{
	figures_begin_pack(text);
	for (size_t k = 0; k < BUCKETS; k++)
		for (struct subject *s = f->buckets[k]; s; s = s->next)
			if (s->sums[step].samples && uuid_equal(s->host, host)) {
				figures_pack(text, s->id, &s->sums[step]);
				s->sums[step] = (struct figure_point){0};
			}
}

void figures_keep(struct reconciler *r, const struct series *series, struct buf *text)
{
	struct keeping *keeping = heap_new(struct keeping);
	struct arena *arena = keeping ? arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP) : NULL;
	if (!arena) {
		heap_free(keeping);
		buf_done(text);
		return;
	}
	ctx_init(&keeping->ctx, arena);
	keeping->r = r;
	keeping->text = *text;
	keeping->series = *series;
	keeping->series.bytes = buf_str(&keeping->text);
	keeping->change = (struct change){.run = keep_run,
					  .arg = keeping,
					  .ctx = &keeping->ctx,
					  .done = keep_done,
					  .action = "figures",
					  .by_clock = true};
	atomic_fetch_add(&r->references, 1);
	store_submit(r->store, &keeping->change);
}

static void keep_stretch(struct reconciler *r, uuid host, size_t step, int64_t from_us)
{
	struct buf text;
	const struct series series = {.host = host,
				      .step_us = steps[step].step_us,
				      .from_us = from_us,
				      .keep_us = steps[step].keep_us};
	buf_init(&text, PACK_CAP);
	(void) pthread_mutex_lock(&r->figures->lock);
	pack_host(r->figures, host, step, &text);
	(void) pthread_mutex_unlock(&r->figures->lock);
	figures_keep(r, &series, &text);
}

/* Writes the intervals that ended between two readings of the host. */
static void keep_ended(struct reconciler *r, uuid host, int64_t before_us, int64_t now_us)
{
	for (size_t k = 0; before_us && k < STEPS; k++) {
		int64_t from_us = before_us / steps[k].step_us * steps[k].step_us;
		if (now_us / steps[k].step_us * steps[k].step_us != from_us)
			keep_stretch(r, host, k, from_us);
	}
}

/* ---- readings ---- */

/* Marks the guests whose live row is on this host. */
static bool *find_ours(struct reconciler *r, struct ctx *c, uuid host, const struct compute_usages *usages)
{
	bool *is_ours = arena_new_array(c->arena, bool, usages->count + 1);
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	for (size_t k = 0; is_ours && k < usages->count; k++) {
		const struct instance *i = instance_find(view.tables, usages->at[k].id);
		is_ours[k] = i && row_is_live(&i->row) && uuid_equal(i->host, host);
	}
	return is_ours;
}

static void take_usages(struct reconciler *r, struct ctx *c, uuid host, const struct compute_usages *usages)
{
	struct figures *f = r->figures;
	int64_t now_us = clock_now_us(), before_us = 0;
	struct compute_usage whole = usages->host;
	const bool *is_ours = find_ours(r, c, host, usages);
	if (!is_ours)
		return;
	(void) pthread_mutex_lock(&f->lock);
	struct subject *s = find_subject(f, host, false);
	before_us = s ? s->last_us : 0;
	(void) pthread_mutex_unlock(&f->lock);
	keep_ended(r, host, before_us, now_us);
	(void) pthread_mutex_lock(&f->lock);
	for (size_t k = 0; k < usages->count; k++) {
		const struct compute_usage *u = &usages->at[k];
		if (!is_ours[k])
			continue;
		take_usage(f, u, u->id, host, now_us);
		whole.rx_bytes += u->rx_bytes;
		whole.tx_bytes += u->tx_bytes;
		whole.rx_packets += u->rx_packets;
		whole.tx_packets += u->tx_packets;
		whole.read_bytes += u->read_bytes;
		whole.write_bytes += u->write_bytes;
		whole.read_requests += u->read_requests;
		whole.write_requests += u->write_requests;
	}
	take_usage(f, &whole, host, host, now_us);
	(void) pthread_mutex_unlock(&f->lock);
}

static RESULT read_usages(struct rec_host *h, struct ctx *c, struct compute_usages *usages)
{
	struct host_connection *connection = host_connection_enter(h->lane, KIND_NONE, UUID_NONE);
	struct result result = connection->connection
				       ? connection->driver->read_usages(connection->connection, c, usages)
				       : FAIL(GONE);
	if (result.code == ERR_GONE)
		host_connection_lost(connection);
	host_connection_leave(connection);
	return result;
}

/* On the host's lane. */
static void read_host(struct job *job)
{
	struct rec_host *h =
		(struct rec_host *) (void *) ((char *) job - offsetof(struct rec_host, figures_job));
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, READ_ARENA_CAP);
	struct compute_usages usages = {0};
	struct ctx c;
	atomic_store(&h->figures_posted, false);
	if (!arena)
		return;
	ctx_init(&c, arena);
	if (result_is_ok(read_usages(h, &c, &usages)))
		take_usages(h->reconciler, &c, h->id, &usages);
}

/* A host whose previous job is still queued, for example behind a call that hangs, is not asked again. */
static void ask_hosts(struct reconciler *r)
{
	(void) pthread_mutex_lock(&r->hosts_lock);
	for (size_t k = 0; k < HOST_BUCKETS; k++)
		for (struct rec_host *h = r->hosts[k]; h; h = h->next)
			if (!h->is_pool && atomic_load(&h->is_ready) &&
			    !atomic_exchange(&h->figures_posted, true)) {
				h->figures_job = (struct job){.run = read_host};
				actor_post(h->lane.actor, &h->figures_job);
			}
	(void) pthread_mutex_unlock(&r->hosts_lock);
}

static void figures_run(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, figures_job));
	int64_t now_us = clock_now_us(), interval_us = r->figures->interval_us;
	ask_hosts(r);
	(void) pthread_mutex_lock(&r->figures->lock);
	forget_old(r->figures, now_us);
	(void) pthread_mutex_unlock(&r->figures->lock);
	actor_post_at(r->home_actor, &r->figures_job, (now_us / interval_us + 1) * interval_us);
}

RESULT reconciler_start_figures(struct reconciler *r, struct ctx *c, int64_t interval_us)
{
	r->figures = new_figures(interval_us);
	if (!r->figures)
		return ctx_no_memory(c);
	r->figures_job = (struct job){.run = figures_run};
	actor_post(r->home_actor, &r->figures_job);
	return OK;
}

/* ---- queries ---- */

int64_t reconciler_figures_interval(const struct reconciler *r)
{
	return r->figures ? r->figures->interval_us : 0;
}

struct kept_walk {
	struct ctx *c;
	const struct uuids *ids;
	struct figure_points *points;
};

static RESULT take_kept(void *arg, const struct series *series)
{
	struct kept_walk *walk = arg;
	for (size_t k = 0; k < walk->ids->count; k++) {
		struct figure_point p = {0};
		if (!figures_unpack(series->bytes, walk->ids->at[k], &p))
			continue;
		p.from_us = series->from_us;
		p.to_us = series->from_us + series->step_us;
		if (!VEC_PUSH(walk->c->arena, walk->points, p))
			return ctx_no_memory(walk->c);
	}
	return OK;
}

RESULT figures_read_kept(struct reconciler *r, struct ctx *c, const struct uuids *ids, uuid host,
			 int64_t step_us, int64_t from_us, int64_t before_us, struct figure_points *points)
{
	struct series_query query = {
		.host = host, .step_us = step_us, .from_us = from_us, .before_us = before_us};
	struct kept_walk walk = {c, ids, points};
	return uuid_is_none(host) ? OK : store_read_series(r->store, c, &query, take_kept, &walk);
}

RESULT reconciler_read_figures_kept(struct reconciler *r, struct ctx *c, uuid id, uuid host, int64_t step_us,
				    int64_t from_us, int64_t before_us, struct figure_points *points)
{
	const struct uuids ids = {&id, 1};
	return figures_read_kept(r, c, &ids, host, step_us, from_us, before_us, points);
}

/* With the lock held. */
static RESULT copy_ring(struct ctx *c, const struct ring *ring, struct figure_points *points)
{
	size_t first = ring->count > RING ? ring->count - RING : 0;
	for (size_t k = first; k < ring->count; k++)
		if (!VEC_PUSH(c->arena, points, ring->at[k % RING]))
			return ctx_no_memory(c);
	return OK;
}

RESULT reconciler_look_at_figures(struct reconciler *r, struct ctx *c, uuid id, struct figure_points *points)
{
	reads_note_outside();
	struct figures *f = r->figures;
	struct result result = OK;
	if (!f)
		return OK;
	(void) pthread_mutex_lock(&f->lock);
	struct subject *s = find_subject(f, id, false); /* whatever runs has been sampled already */
	if (s && !s->ring && f->ring_count < RINGS_MAX && (s->ring = heap_new(struct ring)))
		f->ring_count++;
	if (s && s->ring) {
		s->ring->looked_us = clock_now_us();
		result = copy_ring(c, s->ring, points);
	}
	(void) pthread_mutex_unlock(&f->lock);
	return result;
}

/* With the lock held. */
static RESULT copy_minutes(struct ctx *c, const struct minutes *minutes, int64_t from_us, int64_t before_us,
			   struct figure_points *points)
{
	for (size_t k = 0; k < MINUTES; k++) {
		const struct figure_point *p = &minutes->at[k];
		if (p->samples && p->from_us >= from_us && p->from_us < before_us &&
		    !VEC_PUSH(c->arena, points, *p))
			return ctx_no_memory(c);
	}
	return OK;
}

RESULT reconciler_look_at_minutes(struct reconciler *r, struct ctx *c, uuid id, int64_t from_us,
				  int64_t before_us, struct figure_points *points)
{
	reads_note_outside();
	struct figures *f = r->figures;
	struct result result = OK;
	if (!f)
		return OK;
	(void) pthread_mutex_lock(&f->lock);
	struct subject *s = find_subject(f, id, false);
	if (s && !s->minutes && f->minutes_count < MINUTES_MAX && (s->minutes = heap_new(struct minutes)))
		f->minutes_count++;
	if (s && s->minutes)
		s->minutes->looked_us = clock_now_us();
	if (s && s->minutes)
		result = copy_minutes(c, s->minutes, from_us, before_us, points);
	(void) pthread_mutex_unlock(&f->lock);
	return result;
}

void reconciler_sum_figures(struct reconciler *r, struct figure_totals *ret_totals)
{
	reads_note_outside();
	struct figures *f = r->figures;
	*ret_totals = (struct figure_totals){0};
	if (!f)
		return;
	int64_t since_us = clock_now_us() - 3 * f->interval_us;
	(void) pthread_mutex_lock(&f->lock);
	*ret_totals = f->totals;
	for (size_t k = 0; k < BUCKETS; k++)
		for (const struct subject *s = f->buckets[k]; s; s = s->next)
			if (s->last_us > since_us && !uuid_equal(s->id, s->host)) {
				ret_totals->guests++;
				ret_totals->at[FIGURE_MEMORY] += s->last.memory;
			}
	(void) pthread_mutex_unlock(&f->lock);
}
