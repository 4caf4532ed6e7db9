/* SPDX-License-Identifier: Apache-2.0
 * The executor: who runs what, and when. An *actor* is a serial queue: it runs its jobs one at a
 * time, in the order in which they are due, on a thread of its own. The committer, the reconciler,
 * each host's connection and OVN's connection are actors.
 *
 * Two kinds of executor have this interface. One has threads: one for each actor, or a few that
 * pooled actors share. The other is stepped: nothing runs until executor_step() picks one due job
 * of one actor by a seeded random choice and runs it on the caller's thread. When nothing is due,
 * it moves the test clock forward. So a test can run the whole process in one thread, and repeat a
 * run by its seed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/result.h"

struct executor;
struct actor;

/* A piece of work. Its owner keeps it alive until it has run or was dropped. It is a link of the
 * queue itself, so posting allocates nothing and cannot fail. It must not be posted again before it
 * has begun to run. */
struct job {
	void (*run)(struct job *job);  /* on the actor's thread; may free the job, or post it again */
	void (*drop)(struct job *job); /* called instead of run when the actor is freed; may be NULL */
	/* private: */
	struct job *next, *child; /* the next in line or in the heap's level; the heap's level below */
	int64_t due_us;
	uint64_t order;
};

/* NULL: out of memory. seed decides which of the due jobs runs next. */
struct executor *executor_new_threads(void);
struct executor *executor_new_stepped(uint64_t seed);
void executor_free(struct executor *ex); /* after all of its actors */
DEFINE_AUTO(executor)

/* An actor with a thread, which bears the name. The name is copied. NULL: out of memory. */
struct actor *actor_new(struct executor *ex, const char *name);
/* An actor without a thread: whichever of the executor's shared threads is free runs its next job,
 * never two of its jobs at a time. It costs nothing while it has no job, and takes no timers:
 * actor_post_at() must not be called on it. */
struct actor *actor_new_pooled(struct executor *ex, const char *name);
/* Takes no more jobs, waits for the one that runs, drops the rest, and ends the thread. Must not be
 * called on the actor's own thread. */
void actor_free(struct actor *a);
DEFINE_AUTO(actor)
/* For a job that hangs: the job keeps its thread and goes on beside the actor, and the actor goes
 * on with its next job on another thread. actor_free() still waits for it. Any other thread. False:
 * no job runs, or no thread can be had. */
bool actor_relieve(struct actor *a);
void actor_post(struct actor *a, struct job *job); /* any thread */
/* due_us: on the scale of clock_now_us(), before INT64_MAX / 2. A wall clock that is set back later
 * doesn't hold it up; one set forward past due_us makes it due, within half a minute. */
void actor_post_at(struct actor *a, struct job *job, int64_t due_us);
size_t actor_queued_count(struct actor *a);

/* Stepped executor only. Runs one due job. When none is due, moves the clock to the next due time,
 * if that is before until_us, and runs that job. False: nothing is left to run before until_us. */
bool executor_step(struct executor *ex, int64_t until_us);
