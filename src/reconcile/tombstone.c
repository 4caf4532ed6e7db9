/* SPDX-License-Identifier: Apache-2.0
 * Forgets tombstones, which are only listed, after ENDED_LISTED_US; the resync finds them. */
#include "engine/tombstone.h"
#include "base/clock.h"
#include "reconcile/work.h"

RESULT step_forget(struct step *s, enum kind kind, uuid id)
{
	struct tombstone *forget = STEP_NEW(s, struct tombstone);
	*forget = (struct tombstone){kind, id};
	step_report(s, engine_forget_deleted_run, forget);
	return OK;
}

RESULT step_ended(struct step *s)
{
	bool is_due = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct row *row = tables_find(view.tables, s->kind, s->id);
		is_due = row && !row_is_live(row) && clock_now_us() >= row->deleted_us + ENDED_LISTED_US;
	}
	if (!is_due)
		return OK;
	struct tombstone *forget = STEP_NEW(s, struct tombstone);
	*forget = (struct tombstone){s->kind, s->id};
	step_report(s, engine_forget_tombstone_run, forget);
	return OK;
}

static void wake_ended(struct reconciler *r, enum kind kind, const struct row *row)
{
	if (!row_is_live(row))
		work_wake(r, lane_home(r), kind, row->id, WAKE_WISH);
}

void wake_ended_addresses(struct reconciler *r, const struct row *row)
{
	wake_ended(r, KIND_ADDRESS_GROUP, row);
}

static void wake_dedicated_host(struct reconciler *r, const struct row *row)
{
	wake_ended(r, KIND_DEDICATED_HOST, row);
}

const struct resource reconcile_dedicated_host = {
	.step = step_ended, .is_swept = true, .wake = wake_dedicated_host};
