/* SPDX-License-Identifier: Apache-2.0
 * What calls cost the pool's threads. A connection stays with its thread, so whatever takes a processor there
 * makes the thread's other connections wait: nothing should take over COST_LONG_NS, and what does belongs on
 * a lane (base/lane.h). Every run of a face on such a thread (begin(), a piece of a body, handle(), resume())
 * is measured by the processor time that the thread used, and counted by the call's action; of a thread's
 * runs the first COST_ALL_RUNS, and then one in COST_ONE_RUN_IN, because two looks at that clock cost a long
 * list a tenth of its rate. Counting takes no lock of ours and no memory. Any thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COST_LONG_NS INT64_C(1000000)
enum { COST_ALL_RUNS = 4096, COST_ONE_RUN_IN = 64 };
enum { COST_ACTIONS_MAX = 2048 };

struct cost {
	const char *face, *action; /* static; action "-": none was known by then */
	uint64_t runs, long_runs;
	int64_t longest_ns; /* run */
};

struct cost_table {
	struct {
		_Atomic(const char *)
			key; /* the action's name, or the face's where none is known; NULL: free */
		_Atomic(const char *) face;
		_Atomic uint64_t runs, long_runs;
		_Atomic int64_t longest_ns;
	} rows[COST_ACTIONS_MAX];
};

/* All zero: an empty table. What finds no row any more is not counted. */
void cost_add(struct cost_table *t, const char *face, const char *action, int64_t used_ns);
/* So many at most; returns how many. only_long: of those with a long run. */
size_t cost_read(const struct cost_table *t, bool only_long, struct cost *ret_costs, size_t max);
