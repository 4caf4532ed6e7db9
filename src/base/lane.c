/* SPDX-License-Identifier: Apache-2.0
 * Work on a lane: each item occupies a slot while it waits and runs. */
#include "base/lane.h"

#include <pthread.h>
#include <unistd.h>

#include "base/ceiling.h"
#include "base/heap.h"

enum { THREADS_MAX = 4 };

struct slot {
	struct job job; /* must be first */
	struct lane *owner;
	struct work_item *work; /* NULL: a free slot */
	uuid asker;
	size_t thread;
};

struct lane_thread {
	struct actor *actor;
	size_t count;   /* work that waits or is being done */
	bool is_askers; /* has work of the asker that looks for a thread (mark_threads_of) */
};

struct lane {
	struct lane_config config;
	pthread_mutex_t lock; /* guards the following */
	struct lane_thread *threads;
	size_t thread_count;
	struct slot *slots;
};

RESULT lane_new(struct ctx *c, const struct lane_config *config, struct lane **ret_lane)
{
	AUTO(lane) l = heap_new(struct lane);
	if (!l)
		return ctx_no_memory(c);
	l->config = *config;
	(void) pthread_mutex_init(&l->lock, NULL);
	l->threads = heap_alloc_array(config->threads, sizeof *l->threads);
	l->slots = heap_alloc_array(config->waiting_max, sizeof *l->slots);
	if (!l->threads || !l->slots)
		return ctx_no_memory(c);
	while (l->thread_count < config->threads) {
		l->threads[l->thread_count].actor = actor_new(config->executor, config->name);
		if (!l->threads[l->thread_count].actor)
			return ctx_no_memory(c);
		l->thread_count++;
	}
	*ret_lane = TAKE(l);
	return OK;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	for (size_t k = 0; k < l->thread_count; k++)
		actor_free(l->threads[k].actor);
	heap_free(l->threads);
	heap_free(l->slots);
	(void) pthread_mutex_destroy(&l->lock);
	heap_free(l);
}

size_t lane_count_threads(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors < 4 ? 1 : processors > 2 * THREADS_MAX ? THREADS_MAX : (size_t) processors / 2;
}

/* Afterwards the slot can be used for other work. */
static struct work_item *leave_slot(struct slot *slot)
{
	struct lane *l = slot->owner;
	(void) pthread_mutex_lock(&l->lock);
	struct work_item *w = slot->work;
	slot->work = NULL;
	l->threads[slot->thread].count--;
	(void) pthread_mutex_unlock(&l->lock);
	return w;
}

static void run_slot(struct job *job)
{
	struct slot *slot = (struct slot *) job;
	struct result result = slot->work->run(slot->work);
	struct work_item *w = leave_slot(slot);
	w->done(w, result);
}

static void drop_slot(struct job *job)
{
	work_item_refuse(leave_slot((struct slot *) job));
}

/* With the lock held. NULL: no free slot, or the asker has reached its share. */
static struct slot *find_slot(struct lane *l, const struct lane_asker *asker)
{
	const struct ceiling ceiling = {l->config.waiting_max, l->config.waiting_of_one, l->config.reserve};
	struct slot *found = NULL;
	size_t count = 0, count_of_one = 0;
	for (size_t k = 0; k < l->config.waiting_max; k++) {
		if (!l->slots[k].work)
			found = &l->slots[k];
		else
			count++, count_of_one += uuid_equal(l->slots[k].asker, asker->id);
	}
	return ceiling_admits(&ceiling, count, count_of_one, asker->is_administrator) ? found : NULL;
}

/* Marks the threads that have work of the asker; returns how many they are. */
static size_t mark_threads_of(struct lane *l, uuid asker)
{
	size_t count = 0;
	for (size_t k = 0; k < l->thread_count; k++)
		l->threads[k].is_askers = false;
	for (size_t k = 0; k < l->config.waiting_max; k++) {
		const struct slot *slot = &l->slots[k];
		if (!slot->work || l->threads[slot->thread].is_askers || !uuid_equal(slot->asker, asker))
			continue;
		l->threads[slot->thread].is_askers = true;
		count++;
	}
	return count;
}

/* Returns the thread with the least work, with the lock held. Chooses among all threads, so that no work waits
 * behind a long one while another thread is free. Once the asker occupies its share of threads, chooses among
 * those. */
static size_t find_thread(struct lane *l, uuid asker)
{
	bool is_bound = l->config.threads_of_one && mark_threads_of(l, asker) >= l->config.threads_of_one;
	size_t found = l->thread_count;
	for (size_t k = 0; k < l->thread_count; k++)
		if ((found == l->thread_count || l->threads[k].count < l->threads[found].count) &&
		    (!is_bound || l->threads[k].is_askers))
			found = k;
	return found;
}

void lane_work(struct lane *l, struct lane_asker asker, const char *refusal, struct work_item *w)
{
	(void) pthread_mutex_lock(&l->lock);
	struct slot *slot = find_slot(l, &asker);
	if (slot) {
		*slot = (struct slot){.job = {.run = run_slot, .drop = drop_slot},
				      .owner = l,
				      .work = w,
				      .asker = asker.id,
				      .thread = find_thread(l, asker.id)};
		l->threads[slot->thread].count++;
		actor_post(l->threads[slot->thread].actor, &slot->job);
	}
	(void) pthread_mutex_unlock(&l->lock);
	if (!slot)
		w->done(w, ctx_fail(w->ctx, ERR_THROTTLED, "%s", refusal));
}
