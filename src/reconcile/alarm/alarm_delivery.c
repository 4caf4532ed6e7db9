/* SPDX-License-Identifier: Apache-2.0
 * Steps of alarms' requests: a step posts one to its server. A failed post is repeated three times, 20 seconds apart, and the alarm's
 * history then says so. Steps run on fetch lanes, of which an account has a share, so slow servers of one account delay
 * nobody else. Aodh repeats at once and does not look at the status; a refused request (4xx) is not repeated here. */
#include "base/clock.h"
#include "drivers/web_post.h"
#include "engine/alarm/alarm.h"
#include "reconcile/work.h"

enum { RETRIES = 3, POST_MS = 15000 };
#define RETRY_US (20 * SECOND)

static RESULT post(struct step *s, const struct alarm_delivery *d)
{
	struct alarm_delivery_report *report = STEP_NEW(s, struct alarm_delivery_report);
	struct web_post post = {.url = str_to_z(s->ctx.arena, d->url),
				.reach = s->r->reach,
				.headers = {"Content-Type: application/json"},
				.body = d->body,
				.timeout_ms = POST_MS};
	/* Aodh draws an id for each request; the delivery's stays the same when it is repeated. */
	struct str id = str_print(s->ctx.arena, "x-openstack-request-id: req-%" STR_FMT,
				  STR_ARG(uuid_to_str(s->ctx.arena, d->row.id)));
	post.headers[1] = str_to_z(s->ctx.arena, id);
	if (!post.url || !post.headers[1])
		return ctx_no_memory(&s->ctx);
	struct result result = web_post_send(&s->ctx, &post);
	if (result.code == ERR_NO_MEMORY)
		return result;
	bool is_answered = result_is_ok(result), is_refused = post.status >= 400 && post.status < 500;
	*report = (struct alarm_delivery_report){
		.delivery = d->row.id,
		.is_taken = is_answered && post.status < 400,
		.is_final = (is_answered && is_refused && post.status != 429) || d->tries >= RETRIES,
		.retry_us = clock_now_us() + RETRY_US};
	if (!report->is_taken)
		report->problem = is_answered ? str_print(s->ctx.arena, "The server answers %d.", post.status)
					      : s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	step_report(s, engine_see_alarm_delivery_run, report);
	step_again_at(s, report->retry_us);
	return OK;
}

static RESULT step_alarm_delivery(struct step *s)
{
	const struct alarm_delivery *d = NULL;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct alarm_delivery *row = alarm_delivery_find(view.tables, s->id);
		if (!row)
			return OK;
		d = STEP_COPY(s, KIND_ALARM_DELIVERY, struct alarm_delivery, row);
	}
	if (d->retry_us > clock_now_us()) {
		step_again_at(s, d->retry_us);
		return OK;
	}
	return post(s, d);
}

static void wake(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_fetches(alarm_delivery_of(row)->account), KIND_ALARM_DELIVERY, row->id, WAKE_WISH);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before)
		wake(r, after);
}

const struct resource reconcile_alarm_delivery = {
	.step = step_alarm_delivery, .is_swept = true, .wake = wake, .wake_changed = wake_changed};
