/* SPDX-License-Identifier: Apache-2.0
 * CPU time of calls on pool threads. A connection stays on its thread, so a long call delays the thread's
 * other connections. No run should exceed COST_LONG_NS; longer work belongs on a lane (base/lane.h).
 *
 * Each run of a face on a pool thread (begin(), a piece of a body, handle(), resume()) is measured as CPU
 * time of the thread and counted for the call's action. Of a thread's runs the first COST_ALL_RUNS are
 * measured, then one in COST_ONE_RUN_IN, because reading that clock twice reduced the rate of a long list by
 * a tenth. Counting takes no lock and no memory. Any thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COST_LONG_NS INT64_C(1000000)
enum { COST_ALL_RUNS = 4096, COST_ONE_RUN_IN = 64 };
enum { COST_ACTIONS_MAX = 2048 };

struct cost {
	const char *face, *action; /* static strings; action "-": not known */
	uint64_t runs, long_runs;
	int64_t longest_ns; /* longest single run */
};

struct cost_table {
	struct {
		/* The action's name, or the face's if the action is unknown. NULL: free row. */
		_Atomic(const char *) key;
		_Atomic(const char *) face;
		_Atomic uint64_t runs, long_runs;
		_Atomic int64_t longest_ns;
	} rows[COST_ACTIONS_MAX];
};

/* Counts one run. A zeroed table is empty. A full table ignores further actions. */
void cost_add(struct cost_table *t, const char *face, const char *action, int64_t used_ns);
/* Reads at most max actions; returns their number. only_long: only those with a long run. */
size_t cost_read(const struct cost_table *t, bool only_long, struct cost *ret_costs, size_t max);
