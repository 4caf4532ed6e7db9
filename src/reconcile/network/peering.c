/* SPDX-License-Identifier: Apache-2.0
 * Expires peerings that were not accepted in time and forgets ended ones after a while; the resync finds
 * them. The routers' steps implement accepted peerings. */
#include "engine/network/routing/peering.h"
#include "base/clock.h"
#include "reconcile/work.h"
#include "store/peering.h"
#include "store/security_group_rule.h"

static RESULT step_peering(struct step *s)
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
	struct peering_report *report = STEP_NEW(s, struct peering_report);
	report->peering = s->id;
	step_report(s, has_expired ? engine_expire_peering_run : engine_forget_peering_run, report);
	return OK;
}

/* ---- wake-ups ---- */

/* Both routers implement the peering until it has ended; a pending peering expires and an ended one is
 * forgotten on the home lane. */
static void wake_peering(struct reconciler *r, const struct row *row)
{
	const struct peering *p = peering_of(row);
	if (p->is_accepted && p->ended_us == 0) {
		wake_network(r, KIND_ROUTER, p->router);
		wake_network(r, KIND_ROUTER, p->peer_router);
	} else {
		work_wake(r, lane_home(r), KIND_PEERING, row->id, WAKE_WISH);
	}
}

/* Rules that name a peer's group stop matching when the peering ends, and the two virtual networks become
 * one, or two again. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) before;
	const struct security_group_rule *rule =
		row_is_live(after) ? NULL : security_group_rule_first_by_peering(t, after->id);
	for (; rule; rule = security_group_rule_next_by_peering(t, rule))
		wake_network(r, KIND_SECURITY_GROUP, rule->group);
	if (peering_of(after)->is_accepted) {
		wake_policies_behind(r, t, peering_of(after)->router);
		wake_policies_behind(r, t, peering_of(after)->peer_router);
	}
	wake_peering(r, after);
}

const struct resource reconcile_peering = {
	.step = step_peering,
	.is_swept = true,
	.wake = wake_peering,
	.wake_changed = wake_changed,
};
