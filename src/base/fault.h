/* SPDX-License-Identifier: Apache-2.0
 * Fault points: every allocation, file operation, SQL statement and driver call asks here first, so
 * that a test can make the n-th one fail, once or from there on. While nothing is armed, a point
 * costs one relaxed load. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fault {
	FAULT_ALLOC = 1 << 0,
	FAULT_FILE = 1 << 1,
	FAULT_SQL = 1 << 2,
	FAULT_DRIVER = 1 << 3,
	FAULT_KILL = 1 << 4 /* the process ends here at once, as by kill -9 */
};

extern _Atomic unsigned fault_armed; /* private: the points armed now */
bool fault_count_down(enum fault point);

/* True when the operation at hand must fail now. */
static inline bool fault_fires(enum fault point)
{
	return (__atomic_load_n((unsigned *) &fault_armed, __ATOMIC_RELAXED) & (unsigned) point) &&
	       fault_count_down(point);
}
/* Arms a set of points: the n-th one that is reached (from 0) fails; with forever, all later ones
 * do, too. With FAULT_KILL in the set, the process ends there instead. FAULT_KILL alone counts
 * points of every class. */
void fault_arm(unsigned points, uint64_t n, bool forever);
/* After fault_arm(): when that fault has fired, these points are armed in its place, and counted
 * from 0. */
void fault_arm_next(unsigned points, uint64_t n);
void fault_disarm(void);
/* Between these two calls no point fires or is counted: for what a test itself does. */
unsigned fault_suspend(void);
void fault_resume(unsigned suspended); /* what fault_suspend() gave */
/* Armed points of these classes that were passed since the last fault_arm(). */
uint64_t fault_count_reached(unsigned points);
bool fault_has_fired(void); /* since the last fault_arm() */
