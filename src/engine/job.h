/* SPDX-License-Identifier: Apache-2.0
 * Jobs: a face answers a change at once and tells later what came of it. A job is written in the change's own
 * commit, so that a crash loses neither or both. What it waits for follows from rows alone: whenever its subject
 * changes the job is weighed again (reconcile/job.c), so that no thread and no timer belongs to one. */
#pragma once

#include "engine/operation.h"
#include "model/async_job.h"

#define JOB_KEPT_US HOUR /* from its end on */

struct job_wish {
	struct str command;
	enum kind kind; /* of the subject; KIND_NONE: there is none */
	uuid subject;
	uuid machine; /* plugged, unplugged: which one's disk the subject is, or was */
	enum async_job_outcome outcome;
	struct str secret; /* sealed; empty: none */
	/* made: */
	uuid job;
};
/* Inside the change that the job is about, once its rows are written. ERR_QUOTA. */
OPERATION(engine_create_job, job_wish)

/* Jobs on one instance run one after the other: what waits for its turn is not asked of the instance so far. */
struct job_queuing {
	struct job_wish job; /* of an instance */
	enum async_job_turn turn;
	const char *permission; /* of what is asked: "instance.start" */
	struct ref instance;
	bool is_forced;
	struct refs volumes; /* as in struct instances_wish */
};
/* Whether jobs on the instance are under way, so that a further one waits for its turn. */
bool engine_has_jobs(const struct tables *t, uuid instance);
/* Finds the instance, checks that the caller may ask this of it, and writes the job. */
OPERATION(engine_queue_job, job_queuing)

/* What has come of a job so far. problem is in the arena, or the rows'. */
struct job_verdict {
	enum async_job_ended ended;
	struct str problem;
};
struct job_verdict engine_weigh_job(const struct tables *t, struct arena *a, const struct async_job *job);
/* The oldest that has not ended of those about the subject; NULL: none. */
const struct async_job *engine_first_job(const struct tables *t, uuid subject);

/* For the reconciler. Asks the instance what the job's turn says; ends the job where that is refused. Absent or ended: OK. */
struct job_target {
	uuid job;
};
OPERATION(engine_take_turn, job_target)
/* Ends a job whose verdict is there. */
OPERATION(engine_end_job, job_target)
/* Forgets jobs that ended JOB_KEPT_US ago, at most so many. */
struct job_sweep {
	size_t max;
};
OPERATION(engine_sweep_jobs, job_sweep)
