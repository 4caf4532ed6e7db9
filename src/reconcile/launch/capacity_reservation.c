/* SPDX-License-Identifier: Apache-2.0
 * Steps of capacity reservations. A step finds room for units that lack it, and ends a reservation at its end date.
 * engine/reservation/capacity_reservation.c decides what is next. */
#include "engine/reservation/capacity_reservation.h"

#include "base/clock.h"
#include "engine/tombstone.h"
#include "reconcile/work.h"
#include "store/capacity_reservation.h"

enum { AGAIN_S = 60 /* between two looks for room */ };

static RESULT step_capacity_reservation(struct step *s)
{
	enum capacity_turn turn = CAPACITY_WAIT;
	int64_t due_us = INT64_MAX, now_us = clock_now_us();
	bool has_ended = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct capacity_reservation *r = capacity_reservation_find(view.tables, s->id);
		if (!r)
			return OK;
		has_ended = !row_is_live(&r->row);
		turn = engine_find_capacity_turn(view.tables, r, now_us, &due_us);
	}
	if (has_ended)
		return step_ended(s);
	if (turn == CAPACITY_PLACE && due_us > now_us + AGAIN_S * SECOND)
		due_us = now_us + AGAIN_S * SECOND;
	step_again_by(s, due_us);
	if (turn == CAPACITY_WAIT)
		return OK;
	struct capacity_following *report = STEP_NEW(s, struct capacity_following);
	*report = (struct capacity_following){.reservation = s->id};
	step_report(s, engine_follow_capacity_reservation_run, report);
	return OK;
}

static void wake_capacity_reservation(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_CAPACITY_RESERVATION, row->id, WAKE_WISH);
}

const struct resource reconcile_capacity_reservation = {
	.step = step_capacity_reservation, .is_swept = true, .wake = wake_capacity_reservation};
