/* SPDX-License-Identifier: Apache-2.0
 * Security groups with their rules: what is wanted → a port group with ACLs. */
#include "engine/security_group.h"

#include "reconcile/work.h"

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
	if (row_is_live(&wish.group->row))
		return driver->apply_group(s->r->network.self, &s->ctx, &wish);
	TRY(driver->remove_group(s->r->network.self, &s->ctx, wish.group->row.id));
	struct security_group_forget *forget = STEP_NEW(s, struct security_group_forget);
	forget->group = wish.group->row.id;
	step_report(s, engine_forget_security_group_run, forget);
	return OK;
}
