/* SPDX-License-Identifier: Apache-2.0
 * A lane: a few threads for work that a parked call waits for, and that takes a processor or
 * somebody else's machine for a while (hashing, key generation, fetching). How much may wait is
 * bounded, in sum and for each asker, so that somebody who asks for much does not take the places
 * of others. Any thread. */
#pragma once

#include "base/uuid.h"
#include "base/work_item.h"

struct lane;

struct lane_config {
	struct executor *executor; /* must live longer than the lane */
	const char *name;          /* of its threads; static */
	size_t threads;
	size_t waiting_max;    /* work that waits or is being done */
	size_t waiting_of_one; /* the same, of one asker */
	size_t reserve;        /* places of waiting_max that administrators alone get (base/ceiling.h) */
};

/* ERR_NO_MEMORY. */
RESULT lane_new(struct ctx *c, const struct lane_config *config, struct lane **ret_lane);
/* Waits for work that runs; work that still waits ends with ERR_GONE. NULL: nothing. */
void lane_free(struct lane *l);
DEFINE_AUTO(lane)

/* How many threads to have for work that only calculates: half as many as the machine has
 * processors, four at most, so that a flood leaves it the rest. */
size_t lane_count_threads(void);

/* Whose share the work counts against, and whether the reserve is open to them. */
struct lane_asker {
	uuid id;
	bool is_administrator;
};
/* Runs w on one of the threads. If too much waits already, done() gets ERR_THROTTLED at once, with the words of
 * refusal. */
void lane_work(struct lane *l, struct lane_asker asker, const char *refusal, struct work_item *w);
