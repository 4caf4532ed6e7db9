/* SPDX-License-Identifier: Apache-2.0
 * Steps of import tasks: download a disk image into the image store, completely or not at all, on a fetch
 * lane. Progress is committed while the download runs, and cancellation is checked at the same time. A
 * restarted process begins again; an error is final and recorded in the row. Ended tasks are forgotten at a
 * resync. */
#include "engine/storage/image/import_task.h"
#include "drivers/image/image_file.h"
#include "engine/quota.h"
#include "reconcile/work.h"
#include "store/import_image_task.h"
#include "store/import_snapshot_task.h"

enum { FETCHED_SHARE = 70, PROGRESS_STEP = 5 }; /* percent */
#define LOOK_INTERVAL_US SECOND

static RESULT forget(struct step *s)
{
	struct import_forget *forget = STEP_NEW(s, struct import_forget);
	*forget = (struct import_forget){.kind = s->kind, .task = s->id};
	step_report(s, engine_forget_import_run, forget);
	return OK;
}

/* ---- progress ---- */

struct watch {
	struct step *step;
	int64_t looked_us, reported; /* percent */
};

/* A progress report. It is a change of its own because the step is still running. */
struct news {
	struct change change;
	struct ctx ctx;
	struct reconciler *r;
	struct import_report report;
};

static void news_done(struct change *change, struct result result)
{
	struct news *news = change->arg;
	struct reconciler *r = news->r;
	(void) result; /* the next report replaces a lost one, and the step reports the end */
	arena_free(news->ctx.arena);
	reconciler_release(r);
}

static RESULT news_run(struct op *op, void *arg)
{
	return engine_see_import(op, &((struct news *) arg)->report);
}

static void report_progress(struct step *s, int64_t progress)
{
	struct arena *arena = arena_new(4096, 1 << 20);
	struct news *news = arena ? arena_new_object(arena, struct news) : NULL;
	if (!news) {
		arena_free(arena);
		return;
	}
	*news = (struct news){.r = s->r,
			      .report = {.task = s->id, .progress = progress, .guard = s->r->later_guard}};
	ctx_init(&news->ctx, arena);
	news->change = (struct change){
		.run = news_run, .arg = news, .ctx = &news->ctx, .done = news_done, .action = "reconcile"};
	atomic_fetch_add(&s->r->references, 1);
	store_submit(s->r->store, &news->change);
}

static bool is_wanted(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct import_snapshot_task *task = import_snapshot_task_find(view.tables, s->id);
	return task && !task->ended;
}

static bool goes_on(void *arg, int64_t done, int64_t size)
{
	struct watch *w = arg;
	if (work_is_stopping(w->step->r))
		return false;
	int64_t now_us = clock_now_us(), progress = size > 0 ? done * FETCHED_SHARE / size : 0;
	if (now_us < w->looked_us + LOOK_INTERVAL_US)
		return true;
	w->looked_us = now_us;
	if (progress >= w->reported + PROGRESS_STEP) {
		report_progress(w->step, progress);
		w->reported = progress;
	}
	return is_wanted(w->step);
}

/* ---- the step ---- */

static RESULT take_in(struct step *s, const struct import_snapshot_task *task, const struct disk_payer *payer,
		      struct import_report *report)
{
	struct image_file file = {0};
	const struct disk_key *key = NULL;
	struct watch watch = {.step = s, .looked_us = clock_now_us()};
	const struct image_fetch fetch = {.url = str_to_z(s->ctx.arena, task->url),
					  .cap_size = IMAGE_DATA_MAX,
					  .reach = s->r->reach,
					  .goes_on = goes_on,
					  .arg = &watch};
	AUTO(image_upload) upload = NULL;
	TRY(image_upload_new(&s->ctx, s->r->image_directory, &upload));
	image_upload_charge(upload, payer);
	TRY(image_upload_fetch(upload, &s->ctx, &fetch));
	report_progress(s, FETCHED_SHARE);
	if (task->is_encrypted) {
		TRY(disk_key_draw(&s->ctx, s->r->master_key, &report->data_key));
		TRY(gather_disk_key(s, report->data_key, &key));
	}
	TRY(image_upload_import(upload, &s->ctx, task->format, key, &file));
	report->data_size = image_upload_size(upload);
	report->sha256 = file.sha256;
	report->file_size = file.file_size;
	report->virtual_size = file.virtual_size;
	return OK;
}

static RESULT fetch(struct step *s, const struct import_snapshot_task *task, const struct disk_payer *payer)
{
	struct import_report *report = STEP_NEW(s, struct import_report);
	*report = (struct import_report){.task = s->id, .guard = s->r->later_guard};
	struct result result = take_in(s, task, payer, report);
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (result.code == ERR_AGAIN) {
		if (is_wanted(s) && !work_is_stopping(s->r))
			return result;
		ctx_clear_problem(&s->ctx); /* cancelled, or the process is stopping; in the second case
					     * the task begins again at the next start */
		return OK;
	}
	if (!result_is_ok(result)) { /* final: only the caller can mend the cause */
		report->problem = s->ctx.problem.message;
		ctx_clear_problem(&s->ctx);
	}
	step_report(s, engine_see_import_run, report);
	return OK;
}

static RESULT step_import_snapshot(struct step *s)
{
	const struct import_snapshot_task *task = NULL;
	struct disk_payer payer = {0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct import_snapshot_task *row = import_snapshot_task_find(view.tables, s->id);
		task = row ? STEP_COPY(s, KIND_IMPORT_SNAPSHOT_TASK, struct import_snapshot_task, row) : NULL;
		if (row)
			payer = engine_pay_disk(view.tables, row->account, KIND_SNAPSHOT);
	}
	if (!task)
		return OK;
	if (!task->ended)
		return fetch(s, task, &payer);
	bool is_part = !uuid_is_none(task->import_image_task);
	return !is_part && engine_import_is_over(task->ended_us, clock_now_us()) ? forget(s) : OK;
}

static RESULT step_import_image(struct step *s)
{
	int64_t ended_us = 0;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct import_image_task *row = import_image_task_find(view.tables, s->id);
		ended_us = row ? row->ended_us : 0;
	}
	return engine_import_is_over(ended_us, clock_now_us()) ? forget(s) : OK;
}

/* ---- wake-ups ---- */

static void wake_import_snapshot(struct reconciler *r, const struct row *row)
{
	const struct import_snapshot_task *task = import_snapshot_task_of(row);
	work_wake(r, lane_fetches(task->account), KIND_IMPORT_SNAPSHOT_TASK, row->id, WAKE_WISH);
}

static void wake_import_image(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_IMPORT_IMAGE_TASK, row->id, WAKE_WISH);
}

const struct resource reconcile_import_snapshot_task = {
	.step = step_import_snapshot,
	.is_swept = true,
	.wake = wake_import_snapshot,
};
const struct resource reconcile_import_image_task = {
	.step = step_import_image, /* acts on ended tasks only; the tasks of the disks do the work */
	.is_swept = true,
	.wake = wake_import_image,
};
