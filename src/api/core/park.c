/* SPDX-License-Identifier: Apache-2.0
 * Parks a call while a change, a host or a lane works for it. The wait lives in the call's arena and
 * occupies call->face_data until the call resumes.
 */
#include "api/core/park.h"

#include "auth/guard/guard.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/people/policy/arm_lock.h"

struct api_wait {
	struct call *call;
	void *face_data; /* the face's own value, restored before resume() */
	void (*resume)(struct call *call, struct result result);
	struct result result;
	struct change change;
	struct audit_call *audit; /* NULL: the change is not recorded */
	struct ctx ctx;           /* for a change that only writes an audit record */
	void (*then)(struct audit_call *a, struct result written);
	struct observation observation;
	struct work_item work;
};

/* Returns NULL after resuming the call with the failure. */
static struct api_wait *wait_new(struct call *call, void (*resume)(struct call *call, struct result result))
{
	struct api_wait *w = arena_new_object(call->ctx.arena, struct api_wait);
	if (!w) {
		resume(call, ctx_no_memory(&call->ctx));
		return 0;
	}
	*w = (struct api_wait){.call = call, .face_data = call->face_data, .resume = resume};
	return w;
}

/* Resumes the call. Runs on a pool thread, after call_wake(). */
static void wait_over(struct call *call)
{
	struct api_wait *w = call->face_data;
	call->face_data = w->face_data;
	if (w->then && !result_is_ok(w->result))
		log_event(LOG_ERROR, "audit-not-written", "request=%s action=%s error=%s message=%s",
			  log_quote(call->ctx.request_id), w->change.action, err_name(w->result.code),
			  log_quote(w->ctx.problem.message));
	if (w->then)
		w->then(w->audit, w->result);
	else
		w->resume(call, w->result);
}

static void wait_park(struct api_wait *w)
{
	w->call->face_data = w;
	call_park(w->call, wait_over);
}

/* Runs on the committer's thread. After call_wake() another thread may own the call, so nothing may
 * follow. */
static void change_done(struct change *change, struct result result)
{
	struct api_wait *w = (struct api_wait *) ((char *) change - offsetof(struct api_wait, change));
	w->result = result;
	if (w->audit && result_is_ok(result))
		w->audit->is_told = true;
	call_wake(w->call);
}

/* Runs a dry run's operation. A dry run checks permission and parameters only, so errors about the state
 * of resources count as success. */
static RESULT run_dry(struct op *op, const struct api_change *asked)
{
	struct result result = asked->run(op, asked->wish);
	if (result.code != ERR_STATE && result.code != ERR_IN_USE)
		return result;
	ctx_clear_problem(op->ctx);
	return OK;
}

/* Runs the operation and the checks that need its rows, then copies the rows for the answer. On the
 * committer. */
static RESULT run_asked(struct op *op, void *arg)
{
	struct api_change *asked = arg;
	op_show(op, asked->returns);
	TRY(asked->is_dry ? run_dry(op, asked) : asked->run(op, asked->wish));
	TRY(engine_check_locks(op));
	TRY(guard_check_made(op));
	TRY(guard_check_rest(op->ctx));
	if (asked->is_dry) /* failing rolls the change back */
		return ctx_fail(op->ctx, ERR_DRY_RUN,
				"Request would have succeeded, but DryRun flag is set.");
	if (asked->audit)
		TRY(audit_append(op, asked->audit));
	return asked->returns ? op_copy_shown(op, &asked->returned) : OK;
}

void api_commit(struct call *call, struct store *store, struct api_change *change,
		void (*resume)(struct call *call, struct result result))
{
	struct api_wait *w = wait_new(call, resume);
	if (!w)
		return;
	w->change = (struct change){.run = run_asked,
				    .arg = change,
				    .ctx = &call->ctx,
				    .done = change_done,
				    .action = change->action};
	w->audit = change->audit;
	wait_park(w);
	store_submit(store, &w->change);
}

/* ---- records of what changes nothing ---- */

static RESULT run_record(struct op *op, void *arg)
{
	struct audit_call *a = arg;
	return audit_append_outcome(op, a, a->result.code);
}

bool api_record(struct audit_call *a, struct store *store, struct result result, struct str code,
		void (*then)(struct audit_call *a, struct result written))
{
	if (!a || a->is_told)
		return false;
	a->is_told = true; /* also set if writing fails: there is one attempt */
	a->result = result;
	a->record.texts[AUDIT_CODE] = code;
	struct api_wait *w = arena_new_object(a->call->ctx.arena, struct api_wait);
	if (!w) {
		then(a, FAIL(NO_MEMORY));
		return true;
	}
	*w = (struct api_wait){.call = a->call,
			       .face_data = a->call->face_data,
			       .audit = a,
			       .ctx = a->call->ctx,
			       .then = then};
	ctx_clear_problem(&w->ctx); /* the call keeps its own problem */
	w->ctx.who = NULL;          /* no caller: the system may write the record even on a full disk */
	w->change = (struct change){
		.run = run_record, .arg = a, .ctx = &w->ctx, .done = change_done, .action = a->what->action};
	wait_park(w);
	store_submit(store, &w->change);
	return true;
}

static void answer_written(struct audit_call *a, struct result written)
{
	if (result_is_ok(written)) {
		call_answer(a->call, a->status, a->content_type, a->content_type ? &a->body : NULL);
		return;
	}
	buf_done(&a->body);
	call_drop_answer_headers(a->call);
	/* the disk is full to the last byte, or another process writes now */
	if (written.code == ERR_AGAIN)
		a->fail(a->call, ctx_fail(&a->call->ctx, ERR_AGAIN,
					  "The audit log cannot be written now. Try again later."));
	else
		a->fail(a->call, ctx_fail(&a->call->ctx, ERR_IO, "the audit log could not be written"));
}

void api_answer_recorded(struct audit_call *a, struct store *store, int status, const char *content_type,
			 struct buf *body, void (*fail)(struct call *call, struct result result))
{
	a->status = status;
	a->content_type = content_type;
	a->body = *body;
	a->fail = fail;
	if (!api_record(a, store, OK, STR_NONE, answer_written))
		call_answer(a->call, status, content_type, content_type ? body : NULL);
}

const struct row *api_find_in_change(const struct api_change *change, enum kind kind, uuid id)
{
	for (size_t k = 0; kind == change->returns && k < change->returned.count; k++)
		if (uuid_equal(change->returned.at[k]->id, id))
			return change->returned.at[k];
	return NULL;
}

/* Runs on the host's thread, or on any other. */
static void observation_done(struct observation *o, struct result result)
{
	struct api_wait *w = (struct api_wait *) ((char *) o - offsetof(struct api_wait, observation));
	w->result = result;
	call_wake(w->call);
}

void api_observe(struct call *call, const struct api_look *look,
		 void (*resume)(struct call *call, struct result result))
{
	if (!look->reconciler) {
		resume(call, ctx_fail(&call->ctx, ERR_GONE, "no host can be asked here"));
		return;
	}
	struct api_wait *w = wait_new(call, resume);
	if (!w)
		return;
	w->observation = (struct observation){.host = look->host,
					      .deadline_us = clock_now_us() + look->timeout_us,
					      .ctx = &call->ctx,
					      .look = look->look,
					      .done = observation_done,
					      .arg = look->arg};
	wait_park(w);
	reconciler_observe(look->reconciler, &w->observation);
}

RESULT api_new_key_lane(struct ctx *c, struct executor *executor, struct lane **ret_lane)
{
	const struct lane_config config = {executor,
					   "keys",
					   lane_count_threads(),
					   KEYS_WAITING_MAX,
					   KEYS_WAITING_OF_ONE,
					   KEYS_WAITING_MAX / 8};
	return lane_new(c, &config, ret_lane);
}

/* Runs on the work's thread, or on any other. */
static void work_done(struct work_item *work, struct result result)
{
	struct api_wait *w = (struct api_wait *) ((char *) work - offsetof(struct api_wait, work));
	w->result = result;
	call_wake(w->call);
}

void api_work(struct call *call, const struct api_work *work,
	      void (*resume)(struct call *call, struct result result))
{
	struct api_wait *w = wait_new(call, resume);
	if (!w)
		return;
	w->work =
		(struct work_item){.ctx = &call->ctx, .run = work->run, .done = work_done, .arg = work->arg};
	wait_park(w);
	if (work->threads)
		work->threads->start(work->threads->self, &w->work);
	else if (work->lane)
		lane_work(work->lane,
			  (struct lane_asker){work->asker, call->ctx.who && identity_is_admin(call->ctx.who)},
			  work->refusal, &w->work);
	else
		reconciler_work_on_image(work->reconciler, work->image, &w->work);
}
