/* SPDX-License-Identifier: Apache-2.0
 * The countdown behind the fault points. Everything is atomic and relaxed: tests arm before starting the
 * work, and a point concurrent with fault_arm() may count before or after it. */
#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

_Atomic unsigned fault_armed;

enum { CLASSES = 4 }; /* number of point classes */

static _Atomic uint64_t fault_reached;                /* armed points passed since fault_arm() */
static _Atomic uint64_t fault_reached_class[CLASSES]; /* per class, by its bit number */
static _Atomic uint64_t fault_n;
static atomic_bool fault_forever;
static atomic_bool fault_fired;
static _Atomic unsigned next_points; /* armed after the first has fired; 0: none */
static _Atomic uint64_t next_n;

static _Noreturn void die_as_by_kill(void)
{
	(void) raise(SIGKILL);
	_exit(137); /* unreachable; for the compiler */
}

static void arm(unsigned points, uint64_t n, bool forever)
{
	atomic_store_explicit(&fault_reached, 0, memory_order_relaxed);
	for (size_t k = 0; k < CLASSES; k++)
		atomic_store_explicit(&fault_reached_class[k], 0, memory_order_relaxed);
	atomic_store_explicit(&fault_n, n, memory_order_relaxed);
	atomic_store_explicit(&fault_forever, forever, memory_order_relaxed);
	atomic_store_explicit(&fault_armed, points, memory_order_relaxed);
}

bool fault_count_down(enum fault point)
{
	unsigned armed = atomic_load_explicit(&fault_armed, memory_order_relaxed);
	if (!(armed & (unsigned) point))
		return false; /* disarmed after the caller's check */
	uint64_t index = atomic_fetch_add_explicit(&fault_reached, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&fault_reached_class[__builtin_ctz(point)], 1, memory_order_relaxed);
	uint64_t n = atomic_load_explicit(&fault_n, memory_order_relaxed);
	bool forever = atomic_load_explicit(&fault_forever, memory_order_relaxed);
	if (index != n && !(forever && index > n))
		return false;
	if (armed & FAULT_KILL)
		die_as_by_kill();
	atomic_store_explicit(&fault_fired, true, memory_order_relaxed);
	unsigned next = atomic_exchange_explicit(&next_points, 0, memory_order_relaxed);
	if (next)
		arm(next, atomic_load_explicit(&next_n, memory_order_relaxed), forever);
	return true;
}

void fault_arm(unsigned points, uint64_t n, bool forever)
{
	fault_disarm();
	if (points == FAULT_KILL) /* alone: counts points of every class */
		points = FAULT_ALLOC | FAULT_FILE | FAULT_SQL | FAULT_DRIVER | FAULT_KILL;
	atomic_store_explicit(&fault_fired, false, memory_order_relaxed);
	arm(points, n, forever);
}

void fault_arm_next(unsigned points, uint64_t n)
{
	atomic_store_explicit(&next_n, n, memory_order_relaxed);
	atomic_store_explicit(&next_points, points, memory_order_relaxed);
}

void fault_disarm(void)
{
	atomic_store_explicit(&next_points, 0, memory_order_relaxed);
	atomic_store_explicit(&fault_armed, 0, memory_order_relaxed);
}

unsigned fault_suspend(void)
{
	return atomic_exchange_explicit(&fault_armed, 0, memory_order_relaxed);
}

void fault_resume(unsigned suspended)
{
	atomic_store_explicit(&fault_armed, suspended, memory_order_relaxed);
}

uint64_t fault_count_reached(unsigned points)
{
	uint64_t count = 0;
	for (size_t k = 0; k < CLASSES; k++)
		if (points & (1U << k))
			count += atomic_load_explicit(&fault_reached_class[k], memory_order_relaxed);
	return count;
}

bool fault_has_fired(void)
{
	return atomic_load_explicit(&fault_fired, memory_order_relaxed);
}
