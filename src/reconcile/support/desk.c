/* SPDX-License-Identifier: Apache-2.0
 * Polls desks for changed tickets, from the cursor of the last poll. A changed ticket is read by the step of
 * its link (ticket_link.c), on the same thread. A webhook from a desk only makes the next poll happen
 * sooner. */
#include "reconcile/support/desk.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/random.h"
#include "engine/support/desk.h"
#include "engine/support/ticket_sync.h"
#include "store/desk.h"

const struct desk_driver *desk_find_driver(const struct reconciler *r, const struct desk *desk)
{
	bool is_sim = str_starts_with(desk->url, STR("sim:"));
	unsigned k = is_sim ? DESK_SPEAKS_SIM : (unsigned) desk->speaks;
	return k < RECONCILE_DESKS_MAX ? r->desks[k] : NULL;
}

RESULT desk_open_place(struct step *s, const struct desk *desk, struct desk_place *ret_place)
{
	*ret_place = (struct desk_place){.name = desk->name,
					 .url = desk->url,
					 .queue = desk->queue,
					 .login = desk->login,
					 .options = desk->options,
					 .is_mirror = desk->mode == DESK_MODE_MIRROR,
					 .timeout_us = DESK_TIMEOUT_S * SECOND};
	if (!desk->secret.n)
		return OK;
	return crypto_open(&s->ctx, s->r->master_key,
			   (struct str){(const char *) desk->row.id.b, sizeof desk->row.id.b}, desk->secret,
			   &ret_place->secret);
}

void desk_close_place(struct desk_place *place)
{
	crypto_wipe((void *) place->secret.p, place->secret.n); /* the copy in our arena */
	place->secret = STR_NONE;
}

bool desk_may_help_later(enum err err)
{
	return err == ERR_GONE || err == ERR_TIMEOUT || err == ERR_AGAIN || err == ERR_IO ||
	       err == ERR_THROTTLED;
}

int64_t desk_next_try_us(int64_t tries, int64_t wait_us)
{
	int64_t after_us = SECOND;
	for (int64_t k = 0; k < tries && after_us < HOUR; k++)
		after_us *= 2;
	if (after_us > HOUR)
		after_us = HOUR;
	after_us += (int64_t) random_below((uint64_t) after_us * 2 / 5 + 1) - after_us / 5;
	return clock_now_us() + (wait_us > after_us ? wait_us : after_us);
}

static RESULT poll(struct step *s, const struct desk *desk, struct desk_report *report)
{
	const struct desk_driver *driver = desk_find_driver(s->r, desk);
	struct desk_place place;
	struct desk_changes changes = {0};
	if (!driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "nothing here speaks what the desk does");
	TRY(desk_open_place(s, desk, &place));
	struct result result = driver->poll(&s->ctx, &place, desk->cursor, &changes);
	desk_close_place(&place);
	if (place.now_us) {
		report->has_skew = true;
		report->skew_s = (place.now_us - clock_now_us()) / SECOND;
	}
	report->cursor = changes.cursor;
	report->changed = changes.ids;
	report->asks_all = changes.is_any;
	return result;
}

/* An unreachable desk is reported in its row, not as a failed step, so that the polling interval is kept. */
static RESULT step_desk(struct step *s)
{
	const struct desk *desk = NULL;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct desk *row = desk_find(view.tables, s->id);
		if (!row || row->is_off)
			return OK;
		desk = STEP_COPY(s, KIND_DESK, struct desk, row);
	}
	struct desk_report *report = STEP_NEW(s, struct desk_report);
	report->desk = s->id;
	struct result result = poll(s, desk, report);
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (!result_is_ok(result)) {
		report->problem = s->ctx.problem.message;
		report->changed = (struct strs){0};
		report->asks_all = false;
	}
	ctx_clear_problem(&s->ctx);
	step_report(s, engine_see_desk_run, report);
	step_again_at(s, clock_now_us() + desk->poll_s * SECOND);
	return OK;
}

static void wake_desk(struct reconciler *r, const struct row *row)
{
	if (!desk_of(row)->is_off)
		work_wake(r, lane_desks(r, row->id), KIND_DESK, row->id, WAKE_WISH);
}

/* Reports of the step itself leave gen as it was. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen)
		wake_desk(r, after);
}

const struct resource reconcile_desk = {
	.step = step_desk, .is_swept = true, .wake = wake_desk, .wake_changed = wake_changed};
