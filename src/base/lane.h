/* SPDX-License-Identifier: Apache-2.0
 * A lane: a few threads for work that a parked call waits for, and that occupies a CPU or a remote system for
 * a while (hashing, key generation, fetching). Waiting work is limited in total and per asker, so that a busy
 * asker doesn't displace others. Any thread. */
#pragma once

#include "base/uuid.h"
#include "base/work_item.h"

struct lane;

struct lane_config {
	struct executor *executor; /* must outlive the lane */
	const char *name;          /* thread name; static */
	size_t threads;
	size_t waiting_max;    /* work that waits or is being done */
	size_t waiting_of_one; /* the same, of one asker */
	size_t reserve;        /* places of waiting_max that administrators alone get (base/ceiling.h) */
	size_t threads_of_one; /* threads that one asker's work may occupy; 0: all. Set it where work can
				* last as long as somebody else's server likes */
};

/* ERR_NO_MEMORY. */
RESULT lane_new(struct ctx *c, const struct lane_config *config, struct lane **ret_lane);
/* Waits for running work; waiting work ends with ERR_GONE. Ignores NULL. */
void lane_free(struct lane *l);
DEFINE_AUTO(lane)

/* The number of threads for CPU-bound work: half the number of processors, at most four, so that floods leave
 * CPU time for the rest. */
size_t lane_count_threads(void);

/* Whose share the work counts against, and whether the reserve is open to them. */
struct lane_asker {
	uuid id;
	bool is_administrator;
};
/* Runs w on one of the threads. If too much waits already, done() gets ERR_THROTTLED at once, with the words of
 * refusal. */
void lane_work(struct lane *l, struct lane_asker asker, const char *refusal, struct work_item *w);
