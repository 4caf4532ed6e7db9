/* SPDX-License-Identifier: Apache-2.0
 * Forgets ended NAT gateways after NAT_GATEWAY_VISIBLE_US; the resync finds them. Before the end, the
 * router's step implements them. */
#include "engine/network/routing/nat_gateway.h"
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

/* ---- wake-ups ---- */

/* The router implements the gateway until it has ended; then the home lane forgets it. */
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
