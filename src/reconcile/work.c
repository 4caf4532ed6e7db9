/* SPDX-License-Identifier: Apache-2.0
 * The reconciler's queue: which resources wait for a step, on which lane, and when a failed step is retried.
 * A resource is queued at most once and its steps never overlap. The next step starts only after the
 * committer has processed the reports of the last one, so that no step acts on rows that predate its own
 * effects. All retries live in this file. */
#include "reconcile/work.h"

#include "base/clock.h"
#include "base/heap.h"

static const int64_t RETRY_FIRST_US = 50 * MILLISECOND, RETRY_LAST_US = 10 * SECOND;

/* A resource that asks for another step at once pauses for STREAK_PAUSE_US after STREAK_MAX steps, so that a
 * driver whose state never converges cannot occupy the lane. */
enum { STREAK_MAX = 32 };
static const int64_t STREAK_PAUSE_US = SECOND;
/* Between two looks whether this process may call drivers. */
static const int64_t POSTPONE_US = 100 * MILLISECOND;

/* ---- the map; all with its lock held ---- */

static unsigned bucket_of(enum kind kind, uuid id)
{
	uint32_t bits = 0;
	memcpy(&bits, id.b + 4, sizeof bits); /* bytes 4 to 7 are random in every UUID version we generate */
	return (bits ^ (unsigned) kind * 0x9e3779b9u) % WORK_BUCKETS;
}

static struct work *map_find(struct work_map *m, enum kind kind, uuid id)
{
	struct work *w = m->buckets[bucket_of(kind, id)];
	while (w && !(w->kind == kind && uuid_equal(w->id, id)))
		w = w->next;
	return w;
}

static void work_run(struct job *job);

/* Finds or creates the resource's work; NULL: out of memory. */
static struct work *map_ensure(struct reconciler *r, enum kind kind, uuid id)
{
	struct work_map *m = &r->work;
	struct work *w = map_find(m, kind, id);
	if (w)
		return w;
	w = heap_new(struct work);
	if (!w) {
		m->has_lost = true;
		return NULL;
	}
	struct work **bucket = &m->buckets[bucket_of(kind, id)];
	*w = (struct work){
		.job = {.run = work_run}, .reconciler = r, .kind = kind, .id = id, .next = *bucket};
	*bucket = w;
	m->count++;
	return w;
}

static void map_leave_fetch_lane(struct work_map *m, const struct work *work)
{
	struct work **at = &m->fetches[work->fetch_lane - 1];
	while (*at != work)
		at = &(*at)->next_fetch;
	*at = work->next_fetch;
}

static void map_remove(struct work_map *m, struct work *work)
{
	struct work **at = &m->buckets[bucket_of(work->kind, work->id)];
	while (*at != work)
		at = &(*at)->next;
	*at = work->next;
	m->count--;
	if (work->fetch_lane)
		map_leave_fetch_lane(m, work);
	m->failing -= work->failures > 0;
	heap_free(work);
}

static void map_queue(struct work *w)
{
	w->state = WORK_QUEUED;
	w->lane = w->next_lane;
	actor_post(w->lane.actor, &w->job);
}

static void map_wake(struct work *w)
{
	if (w->state == WORK_IDLE)
		map_queue(w);
	else if (w->state != WORK_QUEUED)
		w->woken = true;
}

struct fetch_lane_use {
	size_t count; /* works on the lane */
	bool is_own;  /* at least one of them belongs to the account */
};

static struct fetch_lane_use map_look_at_fetches(const struct work_map *m, unsigned lane, uuid account)
{
	struct fetch_lane_use use = {0};
	for (const struct work *w = m->fetches[lane]; w; w = w->next_fetch) {
		use.count++;
		use.is_own = use.is_own || uuid_equal(w->fetch_account, account);
	}
	return use;
}

/* Chooses the lane with the fewest works: among all lanes of downloads or of playbooks, or among the account's lanes once
 * it occupies its share of them. */
static unsigned map_find_fetch_lane(const struct work_map *m, uuid account, bool is_playbooks)
{
	struct fetch_lane_use uses[LONG_LANES];
	unsigned first = is_playbooks ? FETCH_LANES : 0, end = is_playbooks ? LONG_LANES : FETCH_LANES;
	unsigned own = 0, best = end, share = is_playbooks ? PLAYBOOK_SHARE : FETCH_SHARE;
	for (unsigned k = first; k < end; k++) {
		uses[k] = map_look_at_fetches(m, k, account);
		own += uses[k].is_own;
	}
	for (unsigned k = first; k < end; k++)
		if ((own < share || uses[k].is_own) && (best == end || uses[k].count < uses[best].count))
			best = k;
	return best;
}

/* A work keeps its lane until it is removed: the lane counts are exact only while each work is on one
 * list. */
static struct lane map_choose_fetch_lane(struct reconciler *r, struct work *w, const struct lane *wanted)
{
	struct work_map *m = &r->work;
	if (!w->fetch_lane) {
		unsigned lane = map_find_fetch_lane(m, wanted->account, wanted->is_playbooks);
		w->fetch_account = wanted->account;
		w->next_fetch = m->fetches[lane];
		m->fetches[lane] = w;
		w->fetch_lane = lane + 1;
	}
	return (struct lane){.actor = r->fetch_actors[w->fetch_lane - 1]};
}

void work_wake(struct reconciler *r, struct lane lane, enum kind kind, uuid id, enum wake why)
{
	struct work_map *m = &r->work;
	if (!step_is_known(kind))
		return;
	(void) pthread_mutex_lock(&m->lock);
	struct work *w = m->stopping ? NULL : map_ensure(r, kind, id);
	if (w) {
		w->next_lane = lane.actor ? lane : map_choose_fetch_lane(r, w, &lane);
		if (why == WAKE_WISH)
			map_wake(w);
		else if (w->state != WORK_IDLE)
			w->has_news = true;
		else if (w->failures == 0 || w->due_us == 0)
			map_wake(w);
	}
	(void) pthread_mutex_unlock(&m->lock);
}

/* ---- timers ---- */

/* A pending retry. It names its work by kind and id because the work may be removed before the timer fires.
 * If several timers are pending for one work, only the one that matches w->due_us (the earliest) counts. */
struct timer {
	struct job job;
	struct reconciler *r;
	enum kind kind;
	uuid id;
	int64_t due_us;
};

static void timer_drop(struct job *job)
{
	heap_free(job);
}

static void timer_run(struct job *job)
{
	struct timer *t = (struct timer *) job; /* job is the first member */
	struct work_map *m = &t->r->work;
	(void) pthread_mutex_lock(&m->lock);
	struct work *w = m->stopping ? NULL : map_find(m, t->kind, t->id);
	if (w && w->due_us == t->due_us) {
		w->due_us = 0;
		map_wake(w);
	}
	(void) pthread_mutex_unlock(&m->lock);
	heap_free(t);
}

/* With the map's lock held. Keeps an earlier pending time. */
static void map_wake_at(struct work *w, int64_t due_us)
{
	struct reconciler *r = w->reconciler;
	if (w->due_us != 0 && w->due_us <= due_us)
		return;
	struct timer *t = heap_new(struct timer);
	if (!t) {
		r->work.has_lost = true;
		return;
	}
	w->due_us = due_us;
	*t = (struct timer){.job = {.run = timer_run, .drop = timer_drop},
			    .r = r,
			    .kind = w->kind,
			    .id = w->id,
			    .due_us = due_us};
	actor_post_at(r->home_actor, &t->job, due_us);
}

/* ---- the step's frame ---- */

static int64_t retry_delay_us(unsigned failures)
{
	int64_t delay = RETRY_FIRST_US;
	for (unsigned k = 1; k < failures && delay < RETRY_LAST_US; k++)
		delay *= 2;
	return delay < RETRY_LAST_US ? delay : RETRY_LAST_US;
}

/* A resource on a disconnected host is not retried: the host's return wakes it (wake_all_on()). A host or
 * pool is retried, since nothing else reconnects it. */
static bool waits_for_host(const struct work *w, struct result result)
{
	return result.code == ERR_GONE && w->lane.host && w->kind != KIND_HOST &&
	       w->kind != KIND_STORAGE_POOL && !(w->lane.is_disks && atomic_load(&w->lane.host->is_ready));
}

static void count_end(struct work_map *m, struct work *w, struct result result)
{
	m->failing -= w->failures > 0;
	if (result_is_ok(result))
		w->failures = 0;
	else
		w->failures = waits_for_host(w, result) ? 1 : w->failures + 1;
	m->failing += w->failures > 0;
	m->steps++;
}

static void map_conclude(struct work_map *m, struct work *w, const struct step_end *end)
{
	bool failed = !result_is_ok(end->result);
	count_end(m, w, end->result);
	bool at_once = w->woken || (!failed && (w->has_news || end->again == AGAIN_SOON));
	if (at_once && ++w->streak <= STREAK_MAX) {
		map_queue(w);
		return;
	}
	w->state = WORK_IDLE;
	w->streak = 0;
	if (at_once)
		map_wake_at(w, clock_now_us() + STREAK_PAUSE_US);
	else if (failed && !waits_for_host(w, end->result))
		map_wake_at(w, clock_now_us() + retry_delay_us(w->failures));
	else if (!failed && end->again == AGAIN_LATER)
		map_wake_at(w, end->due_us);
	else if (!failed) /* nothing is pending: an earlier AGAIN_LATER is covered by this step, which has
			   * just looked */
		map_remove(m, w);
}

void work_conclude(struct reconciler *r, struct work *w, const struct step_end *end)
{
	struct work_map *m = &r->work;
	(void) pthread_mutex_lock(&m->lock);
	if (!m->stopping) /* while stopping, work_free_all() may have freed w */
		map_conclude(m, w, end);
	(void) pthread_mutex_unlock(&m->lock);
}

void work_wait_for_reports(struct reconciler *r, struct work *w)
{
	(void) pthread_mutex_lock(&r->work.lock);
	w->state = WORK_REPORTING;
	(void) pthread_mutex_unlock(&r->work.lock);
}

void reconciler_read_next(struct reconciler *r, enum kind kind, uuid id, struct reconcile_next *ret_next)
{
	bool is_looked_at_often = kind == KIND_HOST || kind == KIND_STORAGE_POOL ||
				  kind == KIND_INSTANCE_EVENT ||
				  /* the kinds that wake_hosts() wakes at every tick */
				  kind == KIND_SNAPSHOT_POLICY;
	int64_t look_us = atomic_load(is_looked_at_often ? &r->tick_due_us : &r->resync_due_us);
	*ret_next = (struct reconcile_next){.has_steps = step_is_known(kind), .look_us = look_us};
	(void) pthread_mutex_lock(&r->work.lock);
	const struct work *w = map_find(&r->work, kind, id);
	if (w) {
		ret_next->is_now = w->state != WORK_IDLE;
		ret_next->failures = w->failures;
		ret_next->due_us = w->due_us;
	}
	(void) pthread_mutex_unlock(&r->work.lock);
}

static bool may_act(const struct reconciler *r)
{
	return !r->may_act || r->may_act(r->may_act_self);
}

/* Ends a step that did not run. Failures keep their count. */
static void work_postpone(struct reconciler *r, struct work *w)
{
	(void) pthread_mutex_lock(&r->work.lock);
	if (!r->work.stopping) {
		w->state = WORK_IDLE;
		map_wake_at(w, clock_now_us() + POSTPONE_US);
	}
	(void) pthread_mutex_unlock(&r->work.lock);
}

static void work_run(struct job *job)
{
	struct work *w = (struct work *) job; /* job is the first member */
	struct reconciler *r = w->reconciler;
	(void) pthread_mutex_lock(&r->work.lock);
	struct lane lane = w->lane;
	bool moves = lane.actor != w->next_lane.actor; /* the resource's lane changed while it was queued,
						        * for example because it was placed on a host */
	if (moves && !r->work.stopping) {
		map_queue(w);
	} else {
		w->state = WORK_RUNNING;
		w->woken = w->has_news = false;
	}
	(void) pthread_mutex_unlock(&r->work.lock);
	if (moves)
		return;
	if (may_act(r))
		step_run(r, w, lane);
	else
		work_postpone(r, w);
}

/* ---- stopping, and lost wake-ups ---- */

void work_note_loss(struct reconciler *r)
{
	(void) pthread_mutex_lock(&r->work.lock);
	r->work.has_lost = true;
	(void) pthread_mutex_unlock(&r->work.lock);
}

bool work_take_loss(struct reconciler *r)
{
	struct work_map *m = &r->work;
	(void) pthread_mutex_lock(&m->lock);
	bool has_lost = m->has_lost && !m->stopping;
	m->has_lost = false;
	for (size_t k = 0; has_lost && k < WORK_BUCKETS; k++)
		for (struct work *w = m->buckets[k]; w; w = w->next)
			if (w->state == WORK_IDLE && w->due_us == 0)
				map_queue(w);
	(void) pthread_mutex_unlock(&m->lock);
	return has_lost;
}

void work_stop(struct reconciler *r)
{
	(void) pthread_mutex_lock(&r->work.lock);
	r->work.stopping = true;
	(void) pthread_mutex_unlock(&r->work.lock);
}

bool work_is_stopping(struct reconciler *r)
{
	(void) pthread_mutex_lock(&r->work.lock);
	bool is = r->work.stopping;
	(void) pthread_mutex_unlock(&r->work.lock);
	return is;
}

void work_free_all(struct reconciler *r)
{
	for (size_t k = 0; k < WORK_BUCKETS; k++)
		while (r->work.buckets[k]) {
			struct work *w = r->work.buckets[k];
			r->work.buckets[k] = w->next;
			heap_free(w);
		}
}
