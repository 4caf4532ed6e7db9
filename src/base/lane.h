/* SPDX-License-Identifier: Apache-2.0
 * A lane: a few threads for work that takes a processor, or somebody else, a while, and that a parked call
 * waits for. What may wait is bounded, in sum and for each who asks, so that nobody who asks for much takes
 * the places of the others. Any thread. */
#pragma once

#include "base/uuid.h"
#include "base/work_item.h"

struct lane;

struct lane_config {
	struct executor *executor; /* must live longer */
	const char *name;          /* of its threads */
	size_t threads;
	size_t waiting_max;    /* work that waits or is done */
	size_t waiting_of_one; /* of one asker's */
};

/* ERR_NO_MEMORY. */
RESULT lane_new(struct ctx *c, const struct lane_config *config, struct lane **ret_lane);
/* NULL: nothing. What waits ends with ERR_GONE. */
void lane_free(struct lane *l);
DEFINE_AUTO(lane)

/* For work that does nothing but calculate: half as many threads as the machine has processors, four at most,
 * so that a flood leaves it the rest. */
size_t lane_count_threads(void);

/* Runs it on one of the threads. asker: for whom. ERR_THROTTLED to done(), at once and in the words of
 * refusal, when as much waits as may. */
void lane_work(struct lane *l, uuid asker, const char *refusal, struct work_item *w);
