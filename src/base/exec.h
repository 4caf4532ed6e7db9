/* SPDX-License-Identifier: Apache-2.0
 * The executor: who runs what, and when. An actor is a serial queue: its jobs run one at a time,
 * in order of their due time, each on the actor's own thread. Two kinds of executor share the
 * interface: threads (one per actor, or shared by pooled actors), and stepped, where nothing runs until
 * executor_step() picks one due job of one actor with a seeded random choice, on the caller's thread, moving
 * the test clock forward when nothing is due. The committer, the reconciler, each host connection and the OVN
 * connection are actors; this is what makes the whole process steppable in one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/result.h"

struct executor;
struct actor;

/* A job's owner keeps it alive until it has run or was dropped. Intrusive: posting allocates
 * nothing and cannot fail. A job must not be posted again before it starts to run. */
struct job {
	void (*run)(struct job *job);  /* on the actor's thread; may free or re-post the job */
	void (*drop)(struct job *job); /* instead of run, when the actor is freed; may be NULL */
	/* private: */
	struct job *next, *child; /* the next in line or in the heap's level; the heap's level below */
	int64_t due_us;
	uint64_t order;
};

/* NULL when out of memory. seed decides who runs next. */
struct executor *executor_new_threads(void);
struct executor *executor_new_stepped(uint64_t seed);
void executor_free(struct executor *ex); /* after its actors */
DEFINE_AUTO(executor)

/* name is copied, shown as the thread's name. NULL when out of memory. */
struct actor *actor_new(struct executor *ex, const char *name);
/* One without a thread of its own: whichever of the executor's shared threads is free runs its next
 * job (never two of its jobs at a time), so that it costs nothing while it has none. It takes no
 * timers: no actor_post_at(). */
struct actor *actor_new_pooled(struct executor *ex, const char *name);
/* Stops taking jobs, lets a running one end, drops the rest, joins. Never from the actor's own
 * thread. */
void actor_free(struct actor *a);
DEFINE_AUTO(actor)
/* The job that runs now goes on beside the actor, on the thread that it has, and the actor goes on with the
 * next one on another: for a job that hangs. actor_free() still waits for it. False: none runs, or there is
 * no thread to be had. Any other thread. */
bool actor_relieve(struct actor *a);
void actor_post(struct actor *a, struct job *job);                    /* any thread */
void actor_post_at(struct actor *a, struct job *job, int64_t due_us); /* clock_now_us() scale */
size_t actor_queued_count(struct actor *a);

/* Stepped executor only. Runs one due job; with none due, moves the clock to the next due time if
 * that is before until_us and runs it. False when nothing is left to run before until_us. */
bool executor_step(struct executor *ex, int64_t until_us);
