/* SPDX-License-Identifier: Apache-2.0
 * Limits of the account, and lists of the accepted values of parameters. Source: Amazon EC2 Auto Scaling API
 * Reference. */
#include "api/autoscaling/internal.h"
#include "engine/limits.h"
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
};
const struct api_actions autoscaling_type_actions = API_ACTIONS(actions);
