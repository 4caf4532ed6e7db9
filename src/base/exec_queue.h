/* SPDX-License-Identifier: Apache-2.0
 * One actor's waiting jobs: a line for what is posted for now, and an intrusive pairing heap for
 * what has a time, so that posting never allocates, costs O(1), and taking the earliest O(log n)
 * over time. Both are ordered by (due, order of posting). Not locked: the actor's lock covers it. */
#pragma once

#include "base/exec.h"

struct job_queue {
	struct job *line_head, *line_tail;
	struct job *heap;
	size_t count;
	uint64_t posted; /* gives each job its order */
};

/* Behind all that is due now; or in line by its time. Neither can fail. */
void job_queue_add_now(struct job_queue *q, struct job *job, int64_t now_us);
void job_queue_add_at(struct job_queue *q, struct job *job, int64_t due_us);
/* The earliest job if it is due at now_us, taken out; else NULL. */
struct job *job_queue_take_due(struct job_queue *q, int64_t now_us);
/* The earliest job, due or not; NULL when empty. */
struct job *job_queue_take_any(struct job_queue *q);
/* When the earliest job is due; INT64_MIN if that is "now", INT64_MAX when there is none. */
int64_t job_queue_next_due(const struct job_queue *q);
