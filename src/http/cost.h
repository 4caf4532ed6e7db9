/* SPDX-License-Identifier: Apache-2.0
 * What calls cost the threads of the pool. A connection stays with its thread, so a call that uses
 * the processor for long makes the thread's other connections wait. No run should take longer than
 * COST_LONG_NS; longer work belongs on a lane (base/lane.h).
 *
 * Each run of a face on such a thread (begin(), a piece of a body, handle(), resume()) is measured
 * by the processor time that the thread used, and counted for the call's action. Of a thread's runs
 * the first COST_ALL_RUNS are measured, and then one in COST_ONE_RUN_IN, because reading that clock
 * twice cost a long list a tenth of its rate. Counting takes no lock and no memory. Any thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COST_LONG_NS INT64_C(1000000)
enum { COST_ALL_RUNS = 4096, COST_ONE_RUN_IN = 64 };
enum { COST_ACTIONS_MAX = 2048 };

struct cost {
	const char *face, *action; /* static; action "-": not known yet */
	uint64_t runs, long_runs;
	int64_t longest_ns; /* of one run */
};

struct cost_table {
	struct {
		/* The action's name, or the face's if the action was not known. NULL: the row is
		 * free. */
		_Atomic(const char *) key;
		_Atomic(const char *) face;
		_Atomic uint64_t runs, long_runs;
		_Atomic int64_t longest_ns;
	} rows[COST_ACTIONS_MAX];
};

/* Counts one run. A table of zeros is empty. When the table is full, further actions are not
 * counted. */
void cost_add(struct cost_table *t, const char *face, const char *action, int64_t used_ns);
/* Reads at most max actions and returns how many. only_long: only those with a long run. */
size_t cost_read(const struct cost_table *t, bool only_long, struct cost *ret_costs, size_t max);
