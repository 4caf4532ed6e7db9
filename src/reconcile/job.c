/* SPDX-License-Identifier: Apache-2.0
 * Steps of asynchronous jobs. A job is evaluated whenever a row it waits for changes, and ended when the row
 * has reached its target. Jobs on one subject run one at a time, oldest first. Ended jobs are deleted after
 * JOB_KEPT_US. */
#include "engine/job.h"
#include "base/clock.h"
#include "reconcile/work.h"
#include "store/async_job.h"

enum { JOBS_A_SWEEP = 1000 };

static bool has_old_jobs(struct step *s)
{
	const struct async_job probe = {.ended_us = 1};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct row *first =
		tables_seek(view.tables, KIND_ASYNC_JOB, ASYNC_JOB_INDEX_ENDED, &probe.row, 1);
	return first && async_job_of(first)->ended_us + JOB_KEPT_US <= clock_now_us();
}

static RESULT sweep(struct step *s)
{
	if (!has_old_jobs(s))
		return OK;
	struct job_sweep *wish = STEP_NEW(s, struct job_sweep);
	*wish = (struct job_sweep){.max = JOBS_A_SWEEP};
	step_report(s, engine_sweep_jobs_run, wish);
	step_again(s); /* for the rest: one long change would hold up all others */
	return OK;
}

/* Operation to run on the job now; NULL: none. */
static op_run choose(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct async_job *job = async_job_find(view.tables, s->id);
	if (!job || job->ended != ASYNC_JOB_ENDED_NONE)
		return NULL;
	if (job->turn != ASYNC_JOB_TURN_NONE)
		return engine_first_job(view.tables, job->subject) == job ? engine_take_turn_run : NULL;
	return engine_weigh_job(view.tables, s->ctx.arena, job).ended == ASYNC_JOB_ENDED_NONE
		       ? NULL
		       : engine_end_job_run;
}

static RESULT step_job(struct step *s)
{
	if (uuid_is_none(s->id))
		return sweep(s);
	op_run run = choose(s);
	if (!run)
		return OK;
	struct job_target *target = STEP_NEW(s, struct job_target);
	*target = (struct job_target){.job = s->id, .guard = s->r->later_guard};
	step_report(s, run, target);
	return OK;
}

/* ---- wake-ups ---- */

static void wake_job(struct reconciler *r, const struct row *row)
{
	if (async_job_of(row)->ended == ASYNC_JOB_ENDED_NONE)
		work_wake(r, lane_home(r), KIND_ASYNC_JOB, row->id, WAKE_WISH);
}

void wake_jobs(struct reconciler *r, const struct tables *t, uuid subject)
{
	if (uuid_is_none(subject))
		return;
	for (const struct async_job *j = async_job_first_by_subject(t, subject); j;
	     j = async_job_next_by_subject(t, j))
		wake_job(r, &j->row);
}

/* The end of a job lets the next job on the same subject start. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) before;
	wake_job(r, after);
	if (async_job_of(after)->ended != ASYNC_JOB_ENDED_NONE)
		wake_jobs(r, t, async_job_of(after)->subject);
}

const struct resource reconcile_async_job = {
	.step = step_job,
	.is_swept = true,
	.wake = wake_job,
	.wake_changed = wake_changed,
};
