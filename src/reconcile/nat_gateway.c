/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways that have ended stay visible for a while; then the look at everything finds them.
 * Before that they are part of their router's steps. */
#include "engine/network/nat_gateway.h"
#include "base/clock.h"
#include "reconcile/work.h"
#include "store/nat_gateway.h"

static RESULT step_nat_gateway(struct step *s)
{
	bool is_due = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct nat_gateway *n = nat_gateway_find(view.tables, s->id);
		is_due = n && n->ended_us != 0 && clock_now_us() >= n->ended_us + NAT_GATEWAY_VISIBLE_US;
	}
	if (!is_due)
		return OK;
	struct nat_gateway_report *forget = STEP_NEW(s, struct nat_gateway_report);
	forget->nat_gateway = s->id;
	step_report(s, engine_forget_nat_gateway_run, forget);
	return OK;
}

/* ---- who looks because of it ---- */

/* It is part of its router until it has ended; then it is to be forgotten some day. */
static void wake_nat_gateway(struct reconciler *r, const struct row *row)
{
	const struct nat_gateway *n = nat_gateway_of(row);
	if (n->ended_us != 0)
		work_wake(r, lane_home(r), KIND_NAT_GATEWAY, row->id, WAKE_WISH);
	else
		wake_network(r, KIND_ROUTER, n->router);
}

const struct resource reconcile_nat_gateway = {
	.step = step_nat_gateway,
	.is_swept = true,
	.wake = wake_nat_gateway,
};
