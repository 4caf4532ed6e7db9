/* SPDX-License-Identifier: Apache-2.0
 * Empties resource groups that are being deleted, and frees the names of deleted resources. A group is woken
 * by its row and by each change of a resource in it, a name by the deletion of its resource. */
#include "engine/resource_group.h"

#include "base/clock.h"
#include "reconcile/work.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

#define LOOK_AGAIN_US (2 * SECOND) /* obstacles without a name in the group wake nothing */

static RESULT step_group(struct step *s)
{
	bool is_due = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct resource_group *g = resource_group_find(view.tables, s->id);
		is_due = g && g->is_deleting;
	}
	if (!is_due)
		return OK;
	struct resource_group_emptying *wish = STEP_NEW(s, struct resource_group_emptying);
	*wish = (struct resource_group_emptying){.group = s->id, .guard = s->r->later_guard};
	step_report(s, engine_empty_resource_group_run, wish);
	step_again_at(s, clock_now_us() + LOOK_AGAIN_US);
	return OK;
}

static void wake_group(struct reconciler *r, const struct row *row)
{
	if (resource_group_of(row)->is_deleting)
		work_wake(r, lane_home(r), KIND_RESOURCE_GROUP, row->id, WAKE_WISH);
}

const struct resource reconcile_resource_group = {.step = step_group, .is_swept = true, .wake = wake_group};

static RESULT step_resource(struct step *s)
{
	bool is_gone = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct arm_resource *resource = arm_resource_find(view.tables, s->id);
		is_gone = resource && engine_is_resource_gone(view.tables, resource);
	}
	if (!is_gone)
		return OK;
	struct arm_resource_target *wish = STEP_NEW(s, struct arm_resource_target);
	wish->resource = s->id;
	step_report(s, engine_forget_resource_run, wish);
	return OK;
}

static void wake_resource(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_ARM_RESOURCE, row->id, WAKE_WISH);
}

const struct resource reconcile_arm_resource = {
	.step = step_resource, .is_swept = true, .wake = wake_resource};

void wake_names_of(struct reconciler *r, const struct tables *t, uuid target)
{
	const struct arm_resource *resource = arm_resource_first_by_target(t, target);
	for (; resource; resource = arm_resource_next_by_target(t, resource)) {
		const struct resource_group *g = resource_group_find(t, resource->resource_group);
		if (g)
			wake_group(r, &g->row);
		if (engine_is_resource_gone(t, resource))
			wake_resource(r, &resource->row);
	}
}
