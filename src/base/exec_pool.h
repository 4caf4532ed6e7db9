/* SPDX-License-Identifier: Apache-2.0
 * Threads shared by pooled actors: one is started when somebody waits and all others are busy, and ends after
 * being idle for a while. The queue is round-robin with one turn each, so nobody waits longer than one turn
 * of each other member. */
#pragma once

#include <stdbool.h>

/* Maximum number of threads. Beyond that turns wait, so it is well above the number of calls that may hang:
 * calls to hosts, limited by keep-alive, and to guests, a few per host. */
enum { EXEC_POOL_MAX = 512, EXEC_POOL_IDLE_S = 5 };

struct exec_pool;

/* A place in the queue. */
struct exec_turn {
	void (*take)(struct exec_turn *turn); /* on a pool thread; may queue itself again */
	struct exec_turn *next;               /* private */
};

struct exec_pool *exec_pool_new(void); /* NULL: out of memory */
/* Waits for the threads to end; the queue must be empty. */
void exec_pool_free(struct exec_pool *p);
/* Allocates nothing. If no thread can be started, the existing ones serve it later; without any, the next
 * call tries again. */
void exec_pool_add(struct exec_pool *p, struct exec_turn *turn);
/* Removes a turn from the queue; false: not queued, because it has been taken. */
bool exec_pool_remove(struct exec_pool *p, struct exec_turn *turn);
