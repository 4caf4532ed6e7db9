/* SPDX-License-Identifier: Apache-2.0
 * Jobs: a face answers a change at once and reports its outcome later. The job is written in the change's
 * commit, so a crash loses both or neither. Its outcome is derived from rows alone: it is evaluated again
 * whenever its subject changes (reconcile/job.c), so no job needs a thread or a timer. */
#pragma once

#include "engine/operation.h"
#include "model/async_job_words.h"

struct async_job;

#define JOB_KEPT_US HOUR /* after its end */

struct job_wish {
	struct str command;
	enum kind kind; /* the subject's kind; KIND_NONE: no subject */
	uuid subject;
	uuid machine; /* plugged, unplugged: the instance of the disk */
	enum async_job_outcome outcome;
	struct str secret; /* sealed; empty: none */
	uuid source;       /* backup that a restore uses; none: none */
	/* result: */
	uuid job;
};
/* Runs inside the change, after its rows are written. ERR_QUOTA. */
OPERATION(engine_create_job, job_wish)

/* Jobs on one instance run one after the other: a waiting job has not changed the instance yet. */
struct job_queuing {
	struct job_wish job; /* for an instance */
	enum async_job_turn turn;
	const char *permission; /* for the requested action: "instance.start" */
	struct ref instance;
	bool is_forced;
	struct refs volumes; /* as in struct instances_wish */
};
/* True if jobs on the instance are in progress, so that a further one must wait. */
bool engine_has_jobs(const struct tables *t, uuid instance);
/* Finds the instance, checks the caller's permission, and writes the job. */
OPERATION(engine_queue_job, job_queuing)

/* A job's outcome so far. problem is in the arena, or in the rows. */
struct job_verdict {
	enum async_job_ended ended;
	struct str problem;
};
struct job_verdict engine_weigh_job(const struct tables *t, struct arena *a, const struct async_job *job);
/* The oldest unfinished job about the subject, or NULL. */
const struct async_job *engine_first_job(const struct tables *t, uuid subject);
/* The oldest job that waits for the subject's end, or NULL: whose user asked for the deletion. */
const struct async_job *engine_first_deletion(const struct tables *t, uuid subject);

/* For the reconciler: performs the job's action on the instance; ends the job if that is refused. OK if
 * absent or ended. */
struct later_guard; /* engine/people/asker.h */
struct job_target {
	uuid job;
	struct later_guard *guard; /* asks the asker's policies again; NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_take_turn, job_target)
/* Ends a job that has an outcome. */
SYSTEM_OPERATION(engine_end_job, job_target)
/* Forgets up to `max` jobs that ended more than JOB_KEPT_US ago. */
struct job_sweep {
	size_t max;
};
SYSTEM_OPERATION(engine_sweep_jobs, job_sweep)
