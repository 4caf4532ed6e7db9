/* SPDX-License-Identifier: Apache-2.0
 * Implements queue_waits.h. A wait is one timer of the home actor, which frees it; a message that comes earlier takes the call off
 * the wait and leaves the rest to the timer. */
#include "reconcile/messaging/queue_waits.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/heap.h"
#include "engine/messaging/messaging.h"
#include "reconcile/work.h"

enum { BUCKETS = 256 };

struct queue_wait {
	struct job job; /* the timer; must be the first member */
	struct queue_waits *all;
	struct queue_wait *next;
	uuid queue;
	int64_t due_us;         /* when it looks at the latest */
	struct work_item *item; /* NULL: the call has gone on */
};

/* A timer for a message that appears earlier than a wait looks. */
struct appearance {
	struct job job; /* must be the first member */
	struct queue_waits *all;
	uuid queue;
};

struct queue_waits {
	struct reconciler *r;
	pthread_mutex_t lock;
	struct queue_wait *buckets[BUCKETS]; /* in order of arrival */
};

static struct queue_wait **bucket_of(struct queue_waits *w, uuid queue)
{
	return &w->buckets[queue.b[15] % BUCKETS];
}

struct queue_waits *queue_waits_new(struct reconciler *r)
{
	struct queue_waits *w = heap_new(struct queue_waits);
	if (!w)
		return NULL;
	w->r = r;
	(void) pthread_mutex_init(&w->lock, NULL);
	return w;
}

void queue_waits_free(struct queue_waits *w)
{
	if (!w)
		return;
	(void) pthread_mutex_destroy(&w->lock);
	heap_free(w);
}

/* Takes the call off the wait; NULL: somebody else has. */
static struct work_item *take(struct queue_wait *wait)
{
	struct work_item *item = wait->item;
	wait->item = NULL;
	return item;
}

static void unlink_wait(struct queue_wait *wait)
{
	struct queue_wait **at = bucket_of(wait->all, wait->queue);
	while (*at != wait)
		at = &(*at)->next;
	*at = wait->next;
}

static void end_wait(struct job *job, struct result result)
{
	struct queue_wait *wait = (struct queue_wait *) (void *) job;
	(void) pthread_mutex_lock(&wait->all->lock);
	struct work_item *item = take(wait);
	unlink_wait(wait);
	(void) pthread_mutex_unlock(&wait->all->lock);
	heap_free(wait);
	if (item)
		item->done(item, result);
}

static void run_wait(struct job *job)
{
	end_wait(job, OK);
}

static void drop_wait(struct job *job)
{
	end_wait(job, FAIL(AGAIN));
}

void queue_waits_wake(struct queue_waits *w, uuid queue)
{
	struct work_item *item = NULL;
	(void) pthread_mutex_lock(&w->lock);
	for (struct queue_wait *wait = *bucket_of(w, queue); wait && !item; wait = wait->next)
		if (uuid_equal(wait->queue, queue))
			item = take(wait);
	(void) pthread_mutex_unlock(&w->lock);
	if (item)
		item->done(item, OK);
}

static void run_appearance(struct job *job)
{
	struct appearance *made = (struct appearance *) (void *) job;
	queue_waits_wake(made->all, made->queue);
	heap_free(made);
}

static void drop_appearance(struct job *job)
{
	heap_free(job);
}

static bool has_wait(struct queue_waits *w, uuid queue, int64_t due_after_us)
{
	bool has = false;
	(void) pthread_mutex_lock(&w->lock);
	for (struct queue_wait *wait = *bucket_of(w, queue); wait && !has; wait = wait->next) {
		has = wait->item && uuid_equal(wait->queue, queue) && wait->due_us > due_after_us;
		if (has && due_after_us)
			wait->due_us = due_after_us; /* one timer for each wait and time */
	}
	(void) pthread_mutex_unlock(&w->lock);
	return has;
}

bool queue_waits_has(struct queue_waits *w, uuid queue)
{
	return has_wait(w, queue, 0);
}

void queue_waits_wake_at(struct queue_waits *w, uuid queue, int64_t at_us)
{
	if (!has_wait(w, queue, at_us))
		return;
	struct appearance *made = heap_new(struct appearance);
	if (!made)
		return; /* the wait looks when its time has passed */
	*made = (struct appearance){
		.job = {.run = run_appearance, .drop = drop_appearance}, .all = w, .queue = queue};
	actor_post_at(w->r->home_actor, &made->job, at_us);
}

static void link_wait(struct queue_wait *wait)
{
	struct queue_wait **at = bucket_of(wait->all, wait->queue);
	(void) pthread_mutex_lock(&wait->all->lock);
	while (*at)
		at = &(*at)->next;
	*at = wait;
	(void) pthread_mutex_unlock(&wait->all->lock);
}

/* When a message is there, or may be: hidden ones appear without a commit. */
static int64_t find_due(struct reconciler *r, uuid queue, int64_t until_us)
{
	int64_t now_us = clock_now_us(), next_us = INT64_MAX;
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct queue *row = queue_find(view.tables, queue);
	if (!row || engine_has_message(view.tables, row, now_us, &next_us))
		return now_us;
	return next_us < until_us ? next_us : until_us;
}

void reconciler_wait_for_message(struct reconciler *r, uuid queue, int64_t until_us, struct work_item *item)
{
	struct queue_wait *wait = heap_new(struct queue_wait);
	if (!wait) {
		item->done(item, FAIL(NO_MEMORY));
		return;
	}
	*wait = (struct queue_wait){.job = {.run = run_wait, .drop = drop_wait},
				    .all = r->queue_waits,
				    .queue = queue,
				    .due_us = until_us,
				    .item = item};
	link_wait(wait); /* before it looks, so that no message comes in between unseen */
	int64_t due_us = find_due(r, queue, until_us);
	actor_post_at(r->home_actor, &wait->job, due_us);
}
