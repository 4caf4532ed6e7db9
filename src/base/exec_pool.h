/* SPDX-License-Identifier: Apache-2.0
 * Threads that pooled actors share: one is started when somebody waits and all others are busy,
 * and ends when it was idle for a while. Whoever is in line gets one turn and goes to its end, so
 * that nobody waits for more than one turn of each of the others. */
#pragma once

#include <stdbool.h>

/* At most so many at a time. Beyond that who is in line waits, so it is well above the number of
 * those that may hang: a host's calls, bounded by its keep-alive, and those to guests, a few a host. */
enum { EXEC_POOL_MAX = 512, EXEC_POOL_IDLE_S = 5 };

struct exec_pool;

/* A place in the line. */
struct exec_turn {
	void (*take)(struct exec_turn *turn); /* on a thread of the pool; may put itself in line again */
	struct exec_turn *next;               /* private */
};

struct exec_pool *exec_pool_new(void); /* NULL when out of memory */
/* Waits for its threads to end; nobody may be in line. */
void exec_pool_free(struct exec_pool *p);
/* Allocates nothing. Where no thread can be started, those there are come to it; where there are
 * none, whoever comes next tries again. */
void exec_pool_add(struct exec_pool *p, struct exec_turn *turn);
/* Out of the line; false when it is not in it: its turn has come. */
bool exec_pool_remove(struct exec_pool *p, struct exec_turn *turn);
