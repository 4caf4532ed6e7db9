/* SPDX-License-Identifier: Apache-2.0
 * The executor runs jobs on actors. An *actor* is a serial queue: it runs its jobs one at a time, in the
 * order in which they are due, on a thread of its own. The committer, the reconciler, each host's connection
 * and OVN's connection are actors.
 *
 * There are two kinds of executor. One uses threads: one per actor, or a few shared by pooled actors. The
 * other is stepped: nothing runs until executor_step() picks one due job of one actor by a seeded random
 * choice and runs it on the caller's thread. When nothing is due, it advances the test clock. So a test can
 * run the whole process in one thread, and repeat a run by its seed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/result.h"

struct executor;
struct actor;

/* A piece of work. Its owner keeps it alive until it has run or was dropped. It is itself the queue's link,
 * so posting allocates nothing and can't fail. It must not be posted again before it has started to run. */
struct job {
	void (*run)(struct job *job);  /* on the actor's thread; may free the job, or post it again */
	void (*drop)(struct job *job); /* called instead of run when the actor is freed; may be NULL */
	/* private: */
	struct job *next, *child; /* next in the queue or on the heap's level; the level below */
	int64_t due_us;
	uint64_t order;
};

/* NULL: out of memory. seed determines the order of due jobs. */
struct executor *executor_new_threads(void);
struct executor *executor_new_stepped(uint64_t seed);
void executor_free(struct executor *ex); /* after all its actors */
DEFINE_AUTO(executor)

/* An actor with a thread of that name, which is copied. NULL: out of memory. */
struct actor *actor_new(struct executor *ex, const char *name);
/* An actor without a thread: any free shared thread of the executor runs its next job, but never two at a
 * time. It costs nothing while idle, and supports no timers: actor_post_at() must not be used with it. */
struct actor *actor_new_pooled(struct executor *ex, const char *name);
/* Accepts no more jobs, waits for the running one, drops the rest, and ends the thread. Must not be called on
 * the actor's own thread. */
void actor_free(struct actor *a);
DEFINE_AUTO(actor)
/* For a hanging job: it keeps its thread and continues in parallel, while the actor runs its next job on
 * another thread. actor_free() still waits for it. Call it from another thread. False: no job is running, or
 * no thread is available. */
bool actor_relieve(struct actor *a);
void actor_post(struct actor *a, struct job *job); /* any thread */
/* due_us: on clock_now_us()'s scale, below INT64_MAX / 2. Setting the wall clock back later doesn't delay it;
 * setting it beyond due_us makes it due within half a minute. */
void actor_post_at(struct actor *a, struct job *job, int64_t due_us);
size_t actor_queued_count(struct actor *a);

/* Stepped executor only. Runs one due job. If none is due, advances the clock to the next due time before
 * until_us and runs that job. False: nothing left before until_us. */
bool executor_step(struct executor *ex, int64_t until_us);
