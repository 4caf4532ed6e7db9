/* SPDX-License-Identifier: Apache-2.0
 * Peerings that nobody accepted expire, those that are over stay visible for a while; then the look at
 * everything finds them. One that was accepted is part of its routers' steps. */
#include "engine/peering.h"

#include "base/clock.h"
#include "reconcile/work.h"
#include "store/rows.h"

RESULT reconcile_step_peering(struct step *s)
{
	bool has_expired = false, is_due = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct peering *p = peering_find(view.tables, s->id);
		has_expired = p && row_is_live(&p->row) && !p->is_accepted &&
			      clock_now_us() >= p->row.created_us + PEERING_EXPIRES_US;
		is_due = p && p->ended_us != 0 && !engine_is_peering_shown(p, UUID_NONE);
	}
	if (!has_expired && !is_due)
		return OK;
	struct peering_sight *sight = STEP_NEW(s, struct peering_sight);
	sight->peering = s->id;
	step_report(s, has_expired ? engine_expire_peering_run : engine_forget_peering_run, sight);
	return OK;
}
