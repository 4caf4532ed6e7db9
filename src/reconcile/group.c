/* SPDX-License-Identifier: Apache-2.0
 * Security groups with their rules: what is wanted → a port group with ACLs. */
#include "engine/security_group.h"

#include "base/clock.h"
#include "reconcile/work.h"

/* Revoked long ago: the network has it no more. */
static RESULT forget_revoked(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	int64_t until_us = clock_now_us() - RULE_TRACKED_US;
	const struct security_group_rule *r = security_group_rule_first_by_group(view.tables, s->id);
	for (; r; r = security_group_rule_next_by_group(view.tables, r)) {
		if (row_is_live(&r->row) || r->row.deleted_us > until_us)
			continue;
		struct rule_forget *forget = STEP_NEW(s, struct rule_forget);
		forget->rule = r->row.id;
		step_report(s, engine_forget_rule_run, forget);
	}
	return OK;
}

RESULT reconcile_step_group(struct step *s)
{
	struct network_group wish = {0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		TRY(gather_group(s, view.tables, s->id, &wish));
	}
	if (!wish.group)
		return OK;
	const struct network_driver *driver = s->r->network.driver;
	if (row_is_live(&wish.group->row)) {
		TRY(driver->apply_group(s->r->network.self, &s->ctx, &wish));
		return forget_revoked(s);
	}
	TRY(driver->remove_group(s->r->network.self, &s->ctx, wish.group->row.id));
	struct security_group_forget *forget = STEP_NEW(s, struct security_group_forget);
	forget->group = wish.group->row.id;
	step_report(s, engine_forget_security_group_run, forget);
	return OK;
}
