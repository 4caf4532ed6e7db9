/* SPDX-License-Identifier: Apache-2.0
 * Actors and the two executors.
 *
 * Threads: each actor's thread sleeps on its condition variable. With timers, it sleeps for the time left on
 * clock_steady_us(), so setting the wall clock back delays nothing. No event reports that the wall clock was
 * set forward, so no sleep is longer than LONGEST_SLEEP_US. While a test has frozen the clock, timers are
 * polled every few milliseconds; freezing during a sleep is noticed at the actor's next post, or at the end
 * of the sleep.
 *
 * Pooled actors have no thread. While one has jobs, it waits in the pool's queue and runs one job per turn.
 *
 * Stepped: no threads; executor_step() chooses. The choice depends only on the seed, the order in which
 * actors were created and the queued jobs, so a run can be repeated. */
#include "base/exec.h"
#include "base/exec_stepped.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/exec_internal.h"
#include "base/exec_pool.h"
#include "base/exec_queue.h"
#include "base/heap.h"

enum { NAME_SIZE = 16 /* the kernel's limit, including NUL */, FROZEN_POLL_US = 2000 };
#define LONGEST_SLEEP_US (30 * SECOND)

struct executor {
	pthread_mutex_t lock; /* guards the list of actors and the dice; taken before an actor's lock */
	bool stepped;
	uint64_t dice;
	struct exec_pool *pool;     /* NULL when stepped */
	struct actor *first, *last; /* in order of creation */
};

struct actor_thread {
	pthread_t id;
	struct actor *actor;
	bool is_busy;     /* running a job */
	bool is_relieved; /* replaced by another thread: ends after its current job */
};

struct actor {
	struct executor *executor;
	struct actor *previous, *next;
	pthread_mutex_t lock; /* guards queue, stopping and the threads' state */
	pthread_cond_t woken; /* signalled on a post, on stopping, and when a relieved thread ends */
	struct job_queue queue;
	bool stopping;
	bool is_pooled;
	bool has_turn; /* pooled: in the pool's queue, or running a job */
	struct exec_turn turn;
	struct actor_thread *thread; /* for a pooled actor: the one running its current job; NULL: none */
	size_t relieved_count;       /* threads still running their last job */
	char name[NAME_SIZE];
};

static struct executor *executor_new(bool stepped, uint64_t seed)
{
	struct executor *ex = heap_new(struct executor);
	if (!ex)
		return NULL;
	ex->pool = stepped ? NULL : exec_pool_new();
	if (!stepped && !ex->pool) {
		heap_free(ex);
		return NULL;
	}
	(void) pthread_mutex_init(&ex->lock, NULL);
	ex->stepped = stepped;
	ex->dice = seed;
	return ex;
}

struct executor *executor_new_threads(void)
{
	return executor_new(false, 0);
}

struct executor *executor_new_stepped(uint64_t seed)
{
	return executor_new(true, seed);
}

bool executor_is_stepped(const struct executor *ex)
{
	return ex->stepped;
}

void executor_free(struct executor *ex)
{
	if (!ex)
		return;
	assert(!ex->first);
	exec_pool_free(ex->pool);
	(void) pthread_mutex_destroy(&ex->lock);
	heap_free(ex);
}

static void executor_link(struct executor *ex, struct actor *a)
{
	(void) pthread_mutex_lock(&ex->lock);
	a->previous = ex->last;
	if (ex->last)
		ex->last->next = a;
	else
		ex->first = a;
	ex->last = a;
	(void) pthread_mutex_unlock(&ex->lock);
}

static void executor_unlink(struct executor *ex, struct actor *a)
{
	(void) pthread_mutex_lock(&ex->lock);
	if (a->previous)
		a->previous->next = a->next;
	else
		ex->first = a->next;
	if (a->next)
		a->next->previous = a->previous;
	else
		ex->last = a->previous;
	(void) pthread_mutex_unlock(&ex->lock);
}

static void wait_until(struct actor *a, int64_t due_us)
{
	if (due_us == INT64_MAX) {
		(void) pthread_cond_wait(&a->woken, &a->lock);
		return;
	}
	int64_t left_us = clock_is_frozen() ? FROZEN_POLL_US : due_us - clock_steady_us();
	int64_t until_us = clock_system_us() + (left_us < LONGEST_SLEEP_US ? left_us : LONGEST_SLEEP_US);
	struct timespec until = {.tv_sec = until_us / SECOND, .tv_nsec = until_us % SECOND * 1000};
	(void) pthread_cond_clockwait(&a->woken, &a->lock, CLOCK_MONOTONIC, &until);
}

/* With the lock held. */
static void end_relieved(struct actor *a)
{
	a->relieved_count--;
	(void) pthread_cond_broadcast(&a->woken);
}

/* Releases the lock, which the caller holds. */
static void end_thread(struct actor *a, struct actor_thread *self)
{
	bool is_relieved = self->is_relieved;
	if (is_relieved)
		end_relieved(a);
	(void) pthread_mutex_unlock(&a->lock);
	if (is_relieved)
		heap_free(self);
}

static void *actor_main(void *data)
{
	struct actor_thread *self = data;
	struct actor *a = self->actor;
	(void) pthread_setname_np(pthread_self(), a->name);
	(void) pthread_mutex_lock(&a->lock);
	while (!a->stopping && !self->is_relieved) {
		struct job *job = job_queue_take_due(&a->queue, clock_steady_us());
		if (!job) {
			wait_until(a, job_queue_next_due(&a->queue));
			continue;
		}
		self->is_busy = true;
		(void) pthread_mutex_unlock(&a->lock);
		job->run(job);
		(void) pthread_mutex_lock(&a->lock);
		self->is_busy = false;
	}
	end_thread(a, self);
	return NULL;
}

bool exec_start_thread(pthread_t *ret_thread, void *(*main)(void *), void *arg)
{
	sigset_t none_but_faults, before;
	(void) sigfillset(&none_but_faults);
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	for (size_t k = 0; k < sizeof faults / sizeof faults[0]; k++)
		(void) sigdelset(&none_but_faults, faults[k]);
	(void) pthread_sigmask(SIG_SETMASK, &none_but_faults, &before);
	int failed = pthread_create(ret_thread, NULL, main, arg);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !failed;
}

/* NULL: out of memory or threads. */
static struct actor_thread *start_thread(struct actor *a)
{
	struct actor_thread *t = heap_new(struct actor_thread);
	if (!t)
		return NULL;
	t->actor = a;
	if (exec_start_thread(&t->id, actor_main, t))
		return t;
	heap_free(t);
	return NULL;
}

/* With the lock held: ends a pooled actor's turn, and queues it again if it has more jobs. */
static void end_turn(struct actor *a)
{
	a->thread = NULL;
	a->has_turn = !a->stopping && a->queue.count > 0;
	if (a->has_turn)
		exec_pool_add(a->executor->pool, &a->turn);
	else
		(void) pthread_cond_signal(&a->woken);
}

/* Runs one job of a pooled actor. */
static void take_turn(struct exec_turn *turn)
{
	struct actor *a = (struct actor *) (void *) ((char *) turn - offsetof(struct actor, turn));
	struct actor_thread self = {.actor = a, .is_busy = true};
	(void) pthread_mutex_lock(&a->lock);
	struct job *job = a->stopping ? NULL : job_queue_take_any(&a->queue);
	a->thread = job ? &self : NULL;
	(void) pthread_mutex_unlock(&a->lock);
	if (job)
		job->run(job);
	(void) pthread_mutex_lock(&a->lock);
	if (self.is_relieved)
		end_relieved(a);
	else
		end_turn(a);
	(void) pthread_mutex_unlock(&a->lock);
}

static void actor_destroy(struct actor *a)
{
	(void) pthread_cond_destroy(&a->woken);
	(void) pthread_mutex_destroy(&a->lock);
	heap_free(a);
}

static struct actor *make_actor(struct executor *ex, const char *name, bool is_pooled)
{
	struct actor *a = heap_new(struct actor);
	if (!a)
		return NULL;
	a->executor = ex;
	a->is_pooled = is_pooled;
	a->turn.take = take_turn;
	(void) snprintf(a->name, sizeof a->name, "%s", name);
	(void) pthread_mutex_init(&a->lock, NULL);
	(void) pthread_cond_init(&a->woken, NULL);
	if (!ex->stepped && !is_pooled && !(a->thread = start_thread(a))) {
		actor_destroy(a);
		return NULL;
	}
	executor_link(ex, a);
	return a;
}

struct actor *actor_new(struct executor *ex, const char *name)
{
	return make_actor(ex, name, false);
}

struct actor *actor_new_pooled(struct executor *ex, const char *name)
{
	return make_actor(ex, name, true);
}

static void await_last_job(struct actor *a)
{
	if (a->executor->stepped)
		return;
	if (!a->is_pooled) {
		(void) pthread_join(a->thread->id, NULL);
		heap_free(a->thread);
	}
	bool is_in_line = a->is_pooled && exec_pool_remove(a->executor->pool, &a->turn);
	(void) pthread_mutex_lock(&a->lock);
	while (a->relieved_count > 0 || (a->has_turn && !is_in_line))
		(void) pthread_cond_wait(&a->woken, &a->lock);
	(void) pthread_mutex_unlock(&a->lock);
}

void actor_free(struct actor *a)
{
	if (!a)
		return;
	executor_unlink(a->executor, a);
	(void) pthread_mutex_lock(&a->lock);
	a->stopping = true;
	(void) pthread_cond_signal(&a->woken);
	(void) pthread_mutex_unlock(&a->lock);
	await_last_job(a);
	(void) pthread_mutex_lock(&a->lock);
	struct job *job = NULL;
	while ((job = job_queue_take_any(&a->queue))) { /* unlocked meanwhile, because drop() may post jobs
							 * or read the count */
		(void) pthread_mutex_unlock(&a->lock);
		if (job->drop)
			job->drop(job);
		(void) pthread_mutex_lock(&a->lock);
	}
	(void) pthread_mutex_unlock(&a->lock);
	actor_destroy(a);
}

/* With the lock held. */
static bool replace_thread(struct actor *a)
{
	struct actor_thread *fresh = start_thread(a);
	if (!fresh)
		return false;
	(void) pthread_detach(a->thread->id);
	a->thread = fresh;
	return true;
}

bool actor_relieve(struct actor *a)
{
	(void) pthread_mutex_lock(&a->lock);
	struct actor_thread *old = a->thread;
	bool is_busy = old && old->is_busy && !a->stopping;
	bool is_relieved = is_busy && (a->is_pooled || replace_thread(a));
	if (is_relieved) {
		old->is_relieved = true;
		a->relieved_count++;
	}
	if (is_relieved && a->is_pooled)
		end_turn(a);
	(void) pthread_mutex_unlock(&a->lock);
	return is_relieved;
}

void actor_post(struct actor *a, struct job *job)
{
	int64_t now_us = clock_steady_us();
	bool uses_pool = a->is_pooled && !a->executor->stepped;
	(void) pthread_mutex_lock(&a->lock);
	job_queue_add_now(&a->queue, job, now_us);
	bool takes_turn = uses_pool && !a->has_turn && !a->stopping;
	a->has_turn = a->has_turn || takes_turn; /* keeps actor_free() waiting until the turn has been
						  * taken, so the actor outlives exec_pool_add() below */
	if (!uses_pool)
		(void) pthread_cond_signal(&a->woken);
	(void) pthread_mutex_unlock(&a->lock);
	if (takes_turn) /* after unlocking, because the pool's thread takes this lock first */
		exec_pool_add(a->executor->pool, &a->turn);
}

void actor_post_at(struct actor *a, struct job *job, int64_t due_us)
{
	assert(!a->is_pooled);
	/* converts to the steady clock, so that later changes of the wall clock don't affect the remaining
	 * time */
	due_us += clock_steady_us() - clock_now_us();
	(void) pthread_mutex_lock(&a->lock);
	int64_t before = job_queue_next_due(&a->queue);
	job_queue_add_at(&a->queue, job, due_us);
	if (due_us < before) /* otherwise the thread wakes up early enough anyway */
		(void) pthread_cond_signal(&a->woken);
	(void) pthread_mutex_unlock(&a->lock);
}

size_t actor_queued_count(struct actor *a)
{
	(void) pthread_mutex_lock(&a->lock);
	size_t count = a->queue.count;
	(void) pthread_mutex_unlock(&a->lock);
	return count;
}

static uint64_t roll(struct executor *ex, uint64_t sides)
{
	ex->dice += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64; the slight bias of % is harmless */
	uint64_t z = ex->dice;
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return (z ^ z >> 31) % sides;
}

static int64_t actor_next_due(struct actor *a)
{
	(void) pthread_mutex_lock(&a->lock);
	int64_t due_us = job_queue_next_due(&a->queue);
	(void) pthread_mutex_unlock(&a->lock);
	return due_us;
}

/* Takes a job from a random actor that has one due; NULL: none. *ret_next_us: earliest due time of the
 * others. */
static struct job *take_one_due(struct executor *ex, int64_t now_us, int64_t *ret_next_us)
{
	struct actor *chosen = NULL;
	uint64_t candidates = 0;
	*ret_next_us = INT64_MAX;
	for (struct actor *a = ex->first; a; a = a->next) {
		int64_t due_us = actor_next_due(a);
		if (due_us > now_us) {
			*ret_next_us = due_us < *ret_next_us ? due_us : *ret_next_us;
			continue;
		}
		if (roll(ex, ++candidates) == 0) /* reservoir sampling: each of n candidates is chosen with
						  * probability 1/n */
			chosen = a;
	}
	if (!chosen)
		return NULL;
	(void) pthread_mutex_lock(&chosen->lock);
	struct job *job = job_queue_take_due(&chosen->queue, now_us);
	(void) pthread_mutex_unlock(&chosen->lock);
	return job;
}

bool executor_step(struct executor *ex, int64_t until_us)
{
	assert(ex->stepped);
	int64_t next_us = 0;
	(void) pthread_mutex_lock(&ex->lock);
	struct job *job = take_one_due(ex, clock_now_us(), &next_us);
	if (!job && next_us < until_us) {
		clock_set_us(next_us);
		job = take_one_due(ex, next_us, &next_us);
	}
	(void) pthread_mutex_unlock(&ex->lock);
	if (!job)
		return false;
	job->run(job);
	return true;
}
