/* SPDX-License-Identifier: Apache-2.0
 * An actor's waiting jobs: a FIFO for immediate ones and an intrusive pairing heap for timers, so that
 * posting takes O(1) without allocating, and taking the earliest amortised O(log n). Both are ordered by
 * (due, order of posting). Protected by the actor's lock. */
#pragma once

#include "base/exec.h"

struct job_queue {
	struct job *line_head, *line_tail;
	struct job *heap;
	size_t count;
	uint64_t posted; /* gives each job its order */
};

/* Adds a job after everything due now, or by its due time. Neither can fail. */
void job_queue_add_now(struct job_queue *q, struct job *job, int64_t now_us);
void job_queue_add_at(struct job_queue *q, struct job *job, int64_t due_us);
/* Takes the earliest job if due at now_us; else NULL. */
struct job *job_queue_take_due(struct job_queue *q, int64_t now_us);
/* Takes the earliest job, due or not; NULL: empty. */
struct job *job_queue_take_any(struct job_queue *q);
/* Due time of the earliest job; INT64_MIN: immediately; INT64_MAX: none. */
int64_t job_queue_next_due(const struct job_queue *q);
