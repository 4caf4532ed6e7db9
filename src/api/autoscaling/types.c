/* SPDX-License-Identifier: Apache-2.0
 * Limits of the account, and lists of the accepted values of parameters. Source: Amazon EC2 Auto Scaling API
 * Reference. */
#include "api/autoscaling/internal.h"
#include "engine/limits.h"
#include "engine/resolve.h"
#include "store/launch_configuration.h"

struct no_args {
	bool none;
};
#define NO_PARAMS                                                                                            \
	{                                                                                                    \
		NULL, 0, sizeof(struct no_args)                                                              \
	}

static RESULT answer_limits(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct tables *t = autoscaling_tables(e);
	int64_t groups = 0, configurations = 0;
	(void) args;
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g;
	     g = scaling_group_next_by_account(t, g))
		groups++;
	const struct launch_configuration *c = launch_configuration_first_by_account(t, e->c->who->account);
	for (; c; c = launch_configuration_next_by_account(t, c))
		configurations++;
	xml_int(x, "MaxNumberOfAutoScalingGroups", SCALING_GROUPS_MAX);
	xml_int(x, "MaxNumberOfLaunchConfigurations", LAUNCH_CONFIGURATIONS_MAX);
	xml_int(x, "NumberOfAutoScalingGroups", groups);
	xml_int(x, "NumberOfLaunchConfigurations", configurations);
	return OK;
}

#define WORDS(name, list, member, words)                                                                     \
	static RESULT name(struct autoscaling_call *e, const void *args, struct xml *x)                      \
	{                                                                                                    \
		(void) e;                                                                                    \
		(void) args;                                                                                 \
		autoscaling_write_words(x, list, member, words);                                             \
		return OK;                                                                                   \
	}
WORDS(answer_adjustments, "AdjustmentTypes", "AdjustmentType",
      "ChangeInCapacity|ExactCapacity|PercentChangeInCapacity")
WORDS(answer_hooks, "LifecycleHookTypes", NULL,
      "autoscaling:EC2_INSTANCE_LAUNCHING|autoscaling:EC2_INSTANCE_TERMINATING")
WORDS(answer_processes, "Processes", "ProcessName",
      "AZRebalance|AddToLoadBalancer|AlarmNotification|HealthCheck|InstanceRefresh|Launch|ReplaceUnhealthy|"
      "ScheduledActions|Terminate")
WORDS(answer_termination, "TerminationPolicyTypes", NULL,
      "ClosestToNextInstanceHour|Default|NewestInstance|OldestInstance|OldestLaunchConfiguration|"
      "OldestLaunchTemplate")
static RESULT answer_metrics(struct autoscaling_call *e, const void *args, struct xml *x)
{
	(void) e;
	(void) args;
	autoscaling_write_words(x, "Metrics", "Metric", SCALING_METRICS_EACH("|"));
	autoscaling_write_words(x, "Granularities", "Granularity", "1Minute");
	return OK;
}

/* ---- empty lists ---- */

struct none_args {
	struct str group;
	struct query_pages pages;
};
static const struct param group_params[] = {
	AUTOSCALING_GROUP(struct none_args, group),
	AUTOSCALING_PAGES(struct none_args, pages),
};
/* A group that is named must be there. */
static RESULT answer_none(struct autoscaling_call *e, const struct none_args *a, struct xml *x,
			  const char *list)
{
	const struct scaling_group *group = NULL;
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	if (a->group.n)
		TRY(autoscaling_find_group_row(e, a->group, &group));
	xml_empty(x, list);
	return OK;
}

#define NONE(name, list)                                                                                     \
	static RESULT name(struct autoscaling_call *e, const void *args, struct xml *x)                      \
	{                                                                                                    \
		return answer_none(e, args, x, list);                                                        \
	}
NONE(answer_warm_pool, "Instances")

/* ---- warm pools ---- */

struct pool_args {
	struct str group, state;
	int64_t most, least;
	enum choice reuses;
	bool is_forced;
};
/* Values are checked before the call is refused. */
static const struct param put_pool_params[] = {
	AUTOSCALING_GROUP(struct pool_args, group),
	PARAM(struct pool_args, "MaxGroupPreparedCapacity", most, .min = -1, .max = SCALING_SIZE_MAX,
	      .doc = "Maximum of instances in the group and its warm pool; -1: MaxSize."),
	PARAM(struct pool_args, "MinSize", least, .min = 0, .max = SCALING_SIZE_MAX,
	      .doc = "Minimum of instances in the warm pool."),
	PARAM(struct pool_args, "PoolState", state, .words = "Stopped|Running|Hibernated",
	      .doc = "State of instances in the warm pool."),
	PARAM(struct pool_args, "InstanceReusePolicy.ReuseOnScaleIn", reuses,
	      .doc = "Whether a smaller group returns instances to the warm pool."),
};
static const struct param delete_pool_params[] = {
	AUTOSCALING_GROUP(struct pool_args, group),
	PARAM(struct pool_args, "ForceDelete", is_forced, .doc = "Terminates the instances of the pool."),
};

/* A group that is named must be there. */
static RESULT refuse_pool(struct autoscaling_call *e, void *args)
{
	const struct pool_args *a = args;
	const struct scaling_group *group = NULL;
	TRY(autoscaling_find_group_row(e, a->group, &group));
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("AutoScalingGroupName"), "%s", e->action->never);
}

#define REFUSED(word, params, reason, says)                                                                  \
	{                                                                                                    \
		AUTOSCALING_ACTION(word), .args = PARAMS(struct pool_args, params), .prepare = refuse_pool,  \
					  .never = (reason), .doc = (says)                                   \
	}

#define TYPES(word, answers, says)                                                                           \
	{                                                                                                    \
		AUTOSCALING_ACTION(word), .args = NO_PARAMS, .answer = (answers), .doc = (says)              \
	}
static const struct autoscaling_action actions[] = {
	TYPES("DescribeAccountLimits", answer_limits, "Returns the limits of the account."),
	TYPES("DescribeAdjustmentTypes", answer_adjustments, "Lists the adjustment types of policies."),
	TYPES("DescribeLifecycleHookTypes", answer_hooks, "Lists the types of lifecycle hooks."),
	TYPES("DescribeMetricCollectionTypes", answer_metrics, "Lists the metrics of groups."),
	TYPES("DescribeScalingProcessTypes", answer_processes, "Lists the processes that can be suspended."),
	TYPES("DescribeTerminationPolicyTypes", answer_termination, "Lists the termination policies."),
	{AUTOSCALING_ACTION("DescribeWarmPool"), .args = PARAMS(struct none_args, group_params),
	 .answer = answer_warm_pool, .never = "Warm pools are not implemented.",
	 .doc = "Describes the warm pool of a group. There is none."},
	REFUSED("PutWarmPool", put_pool_params, "Warm pools are not supported in this region.",
		"Adds a warm pool to a group."),
	REFUSED("DeleteWarmPool", delete_pool_params, "The Auto Scaling group has no warm pool.",
		"Deletes the warm pool of a group."),
};
const struct api_actions autoscaling_type_actions = API_ACTIONS(actions);
