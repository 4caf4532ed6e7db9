/* SPDX-License-Identifier: Apache-2.0
 * Warm pools of groups. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"

struct put_args {
	struct scaling_pool_wish wish;
	struct str group, state;
};
static const struct param put_params[] = {
	AUTOSCALING_GROUP(struct put_args, group),
	PARAM(struct put_args, "MinSize", wish.min.value, .min = 0, .max = SCALING_SIZE_MAX,
	      .given = offsetof(struct put_args, wish.min.is_given) + 1,
	      .doc = "Minimum size of the warm pool; absent in a new pool: 0."),
	PARAM(struct put_args, "MaxGroupPreparedCapacity", wish.max.value, .min = -1, .max = SCALING_SIZE_MAX,
	      .given = offsetof(struct put_args, wish.max.is_given) + 1,
	      .doc = "Maximum size of group and warm pool together; -1 or absent in a new pool: the group's "
		     "MaxSize."),
	PARAM(struct put_args, "PoolState", state, .words = "Stopped|Running|Hibernated",
	      .doc = "State of instances in the pool; absent in a new pool: Stopped. Hibernated is refused."),
	PARAM(struct put_args, "InstanceReusePolicy.ReuseOnScaleIn", wish.reuses,
	      .doc = "true: instances that a smaller group releases return into the pool."),
};

static RESULT prepare_put(struct autoscaling_call *e, void *args)
{
	struct put_args *a = args;
	if (str_is(a->state, "Hibernated"))
		return autoscaling_refuse(e, "PoolState", "hibernation is not supported");
	a->wish.has_state = a->state.n > 0;
	a->wish.state = str_is(a->state, "Running") ? SCALING_GROUP_POOL_STATE_RUNNING
						    : SCALING_GROUP_POOL_STATE_STOPPED;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

struct delete_args {
	struct scaling_pool_target wish;
	struct str group;
};
static const struct param delete_params[] = {
	AUTOSCALING_GROUP(struct delete_args, group),
	PARAM(struct delete_args, "ForceDelete", wish.is_forced,
	      .doc = "Deletes the pool at once; lifecycle hooks hold none of its instances."),
};

static RESULT prepare_delete(struct autoscaling_call *e, void *args)
{
	struct delete_args *a = args;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

/* ---- shown ---- */

void autoscaling_write_pool(struct xml *x, const struct scaling_group *g)
{
	if (!g->has_pool)
		return;
	xml_open(x, "WarmPoolConfiguration");
	if (g->pool_max >= 0)
		xml_int(x, "MaxGroupPreparedCapacity", g->pool_max);
	xml_int(x, "MinSize", g->pool_min);
	xml_z(x, "PoolState", g->pool_state == SCALING_GROUP_POOL_STATE_RUNNING ? "Running" : "Stopped");
	if (g->pool_is_deleting)
		xml_z(x, "Status", "PendingDelete");
	if (g->pool_reuse != SCALING_GROUP_POOL_REUSE_UNSET) {
		xml_open(x, "InstanceReusePolicy");
		xml_bool(x, "ReuseOnScaleIn", g->pool_reuse == SCALING_GROUP_POOL_REUSE_YES);
		xml_close(x, "InstanceReusePolicy");
	}
	xml_close(x, "WarmPoolConfiguration");
}

struct list_args {
	struct str group;
	struct query_pages pages;
};
static const struct param list_params[] = {
	AUTOSCALING_GROUP(struct list_args, group),
	AUTOSCALING_PAGES_TO(struct list_args, pages, 50),
};

/* Pages are in the order of members' ids. */
static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_group *group = NULL;
	struct query_page page;
	TRY(autoscaling_find_group_row(e, a->group, &group));
	TRY(autoscaling_open_page(e, &a->pages, &page));
	autoscaling_write_pool(x, group);
	xml_open(x, "Instances");
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		struct str key = str_print(e->c->arena, "%020lld:%" STR_FMT, (long long) m->row.created_us,
					   STR_ARG(uuid_to_str(e->c->arena, m->row.id)));
		if (m->pool == SCALING_MEMBER_POOL_WARM && query_page_takes(&page, key))
			autoscaling_write_member(e, x, m, false);
	}
	xml_close(x, "Instances");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("PutWarmPool"), .flags = API_WRITES, .args = PARAMS(struct put_args, put_params),
	 .prepare = prepare_put, .operation = engine_put_scaling_pool_run,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates or changes the warm pool of a group: instances that are launched ahead."},
	{AUTOSCALING_ACTION("DeleteWarmPool"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_scaling_pool_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes the warm pool of a group with its instances."},
	{AUTOSCALING_ACTION("DescribeWarmPool"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Shows the warm pool of a group and its instances."},
};
const struct api_actions autoscaling_pool_actions = API_ACTIONS(actions);
