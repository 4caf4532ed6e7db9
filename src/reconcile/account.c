/* SPDX-License-Identifier: Apache-2.0
 * Empties accounts that are deleted with all their resources, and wakes an account's ports when its network
 * limits change. */
#include "engine/people/account/account_purge.h"

#include "base/clock.h"
#include "reconcile/work.h"
#include "store/account.h"
#include "store/port.h"

#define LOOK_AGAIN_US (2 * SECOND)

static RESULT step_account(struct step *s)
{
	bool is_due = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct account *account = account_find(view.tables, s->id);
		is_due = account && row_is_live(&account->row) && account->is_deleting;
	}
	if (!is_due)
		return OK;
	struct account_emptying *wish = STEP_NEW(s, struct account_emptying);
	*wish = (struct account_emptying){.account = s->id, .guard = s->r->later_guard};
	step_report(s, engine_empty_account_run, wish);
	step_again_at(s, clock_now_us() + LOOK_AGAIN_US); /* hosts need time to delete disks and domains */
	return OK;
}

static void wake_account(struct reconciler *r, const struct row *row)
{
	const struct account *account = account_of(row);
	if (account->is_deleting && row_is_live(row))
		work_wake(r, lane_home(r), KIND_ACCOUNT, row->id, WAKE_WISH);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct account *was = account_of(before), *is = account_of(after);
	bool is_other = was && (was->is_cut != is->is_cut || was->egress_limit != is->egress_limit);
	const struct port *p = is_other ? port_first_by_account(t, is->row.id) : NULL;
	for (; p; p = port_next_by_account(t, p))
		wake_network(r, KIND_PORT, p->row.id);
	wake_account(r, after);
}

const struct resource reconcile_account = {
	.step = step_account, .is_swept = true, .wake = wake_account, .wake_changed = wake_changed};
