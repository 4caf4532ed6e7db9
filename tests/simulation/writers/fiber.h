/* SPDX-License-Identifier: Apache-2.0
 * Threads of simulated processes, as fibers of one thread, on one simulated clock. tests/simulation/writers/meson.build has the
 * linker put the functions of fiber_wraps.c in the place of pthreads, clocks, poll() and others, so the product's code runs unchanged. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fiber;

/* A simulated process: its fibers run while it is alive and does not stand still. */
struct fiber_group {
	bool is_alive, stands_still;
	int number;             /* counts processes, from 0 */
	int machine;            /* on which it runs */
	int64_t clock_ahead_us; /* the machine's wall clock against the true one */
	bool is_told_to_end;    /* SIGTERM waits */
	void (*exited)(struct fiber_group *group,
		       int status); /* it ended by itself; status -1: it starts its program again */
};

/* True if a process with that number is alive: process.c. */
bool process_is_alive(int pid);

int64_t sim_now_us(void); /* true time, which no simulated clock has to show */

/* The running fiber's process; NULL: an event runs. */
struct fiber_group *fiber_self_group(void);
struct fiber *fiber_start(struct fiber_group *group, void *(*run)(void *arg), void *arg);
/* Waits until fiber_wake() names the object, or until that time. False: it was the time. */
bool fiber_wait(const void *object, int64_t until_us);
bool fiber_is_running(const struct fiber *fiber); /* its function has not returned */
void fiber_sleep(int64_t us);
void fiber_wake(const void *object);
/* Ends the group: none of its fibers runs again. Does not return if one of them calls it. */
void fiber_end_group(struct fiber_group *group);

/* Runs a function later, outside of any fiber. Events of one time run in random order. */
void event_at(int64_t at_us, void (*run)(void *arg), void *arg);
/* Runs everything up to that time. */
void sim_run_until(int64_t until_us);
void sim_start(int64_t now_us);
/* Steps of fibers so far. */
uint64_t sim_steps(void);
