/* SPDX-License-Identifier: Apache-2.0
 * Fault points: every allocation, file operation, SQL statement and driver call checks one, so that a test
 * can make the n-th one fail, once or from then on. While nothing is armed, a check costs one relaxed load.
 * Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fault {
	FAULT_ALLOC = 1 << 0,
	FAULT_FILE = 1 << 1,
	FAULT_SQL = 1 << 2,
	FAULT_DRIVER = 1 << 3,
	FAULT_KILL = 1 << 4 /* ends the process immediately, as by kill -9 */
};

extern _Atomic unsigned fault_armed; /* private: the armed points */
bool fault_count_down(enum fault point);

/* True if the current operation must fail. */
static inline bool fault_fires(enum fault point)
{
	return (__atomic_load_n((unsigned *) &fault_armed, __ATOMIC_RELAXED) & (unsigned) point) &&
	       fault_count_down(point);
}
/* Arms a set of points: the n-th one reached (from 0) fails; with forever, all later ones as well. With
 * FAULT_KILL in the set, the process ends instead. FAULT_KILL alone counts points of every class. */
void fault_arm(unsigned points, uint64_t n, bool forever);
/* Arms further points, counted from 0, once the fault of fault_arm() has fired. */
void fault_arm_next(unsigned points, uint64_t n);
void fault_disarm(void);
/* Between these calls no point fires or counts: for a test's own actions. */
unsigned fault_suspend(void);
void fault_resume(unsigned suspended); /* result of fault_suspend() */
/* Number of armed points of these classes passed since the last fault_arm(). */
uint64_t fault_count_reached(unsigned points);
bool fault_has_fired(void); /* since the last fault_arm() */
