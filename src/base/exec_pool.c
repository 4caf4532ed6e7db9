/* SPDX-License-Identifier: Apache-2.0
 * The shared threads of pooled actors. */
#include "base/exec_pool.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

#include "base/exec_internal.h"
#include "base/heap.h"

struct exec_pool {
	pthread_mutex_t lock; /* guards the members below */
	pthread_cond_t woken; /* somebody is queued, or stopping was set */
	pthread_cond_t ended; /* a thread ended */
	struct exec_turn *first, *last;
	size_t thread_count, idle_count;
	bool is_coming; /* a thread was woken or started for the queue but hasn't arrived yet */
	bool stopping;
};

/* With the lock held. False: idle too long. */
static bool wait_for_turn(struct exec_pool *p)
{
	struct timespec until;
	(void) clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += EXEC_POOL_IDLE_S;
	int failed = 0;
	p->idle_count++;
	while (!p->first && !p->stopping && !failed) {
		failed = pthread_cond_clockwait(&p->woken, &p->lock, CLOCK_MONOTONIC, &until);
		p->is_coming = false;
	}
	p->idle_count--;
	return p->first != NULL;
}

static struct exec_turn *take_first(struct exec_pool *p)
{
	struct exec_turn *turn = p->first;
	p->first = turn->next;
	if (!p->first)
		p->last = NULL;
	return turn;
}

static void *pool_main(void *data);

/* With the lock held, which it releases. Wakes or starts a single thread. Each arriving thread brings the
 * next one if needed; often the busy threads have emptied the queue before. */
static void unlock_and_bring_one(struct exec_pool *p)
{
	pthread_t thread;
	bool is_wanted = p->first && !p->is_coming, has_idle = p->idle_count > 0;
	if (is_wanted && has_idle) {
		p->is_coming = true;
	} else if (is_wanted && p->thread_count < EXEC_POOL_MAX && exec_start_thread(&thread, pool_main, p)) {
		(void) pthread_detach(thread);
		p->thread_count++;
		p->is_coming = true;
	}
	(void) pthread_mutex_unlock(&p->lock);
	if (is_wanted && has_idle) /* after unlocking, since the woken thread takes this lock first */
		(void) pthread_cond_signal(&p->woken);
}

static void *pool_main(void *data)
{
	struct exec_pool *p = data;
	(void) pthread_setname_np(pthread_self(), "pool");
	(void) pthread_mutex_lock(&p->lock);
	p->is_coming = false;
	while (p->first || wait_for_turn(p)) {
		struct exec_turn *turn = take_first(p);
		unlock_and_bring_one(p);
		turn->take(turn);
		(void) pthread_mutex_lock(&p->lock);
	}
	p->thread_count--;
	(void) pthread_cond_signal(&p->ended);
	(void) pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct exec_pool *exec_pool_new(void)
{
	struct exec_pool *p = heap_new(struct exec_pool);
	if (!p)
		return NULL;
	(void) pthread_mutex_init(&p->lock, NULL);
	(void) pthread_cond_init(&p->woken, NULL);
	(void) pthread_cond_init(&p->ended, NULL);
	return p;
}

void exec_pool_free(struct exec_pool *p)
{
	if (!p)
		return;
	(void) pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void) pthread_cond_broadcast(&p->woken);
	while (p->thread_count > 0)
		(void) pthread_cond_wait(&p->ended, &p->lock);
	(void) pthread_mutex_unlock(&p->lock);
	(void) pthread_cond_destroy(&p->woken);
	(void) pthread_cond_destroy(&p->ended);
	(void) pthread_mutex_destroy(&p->lock);
	heap_free(p);
}

void exec_pool_add(struct exec_pool *p, struct exec_turn *turn)
{
	(void) pthread_mutex_lock(&p->lock);
	turn->next = NULL;
	if (p->last)
		p->last->next = turn;
	else
		p->first = turn;
	p->last = turn;
	unlock_and_bring_one(p);
}

bool exec_pool_remove(struct exec_pool *p, struct exec_turn *turn)
{
	struct exec_turn **at = &p->first, *before = NULL;
	(void) pthread_mutex_lock(&p->lock);
	while (*at && *at != turn) {
		before = *at;
		at = &before->next;
	}
	bool found = *at != NULL;
	if (found) {
		*at = turn->next;
		p->last = p->last == turn ? before : p->last;
	}
	(void) pthread_mutex_unlock(&p->lock);
	return found;
}
