/* SPDX-License-Identifier: Apache-2.0
 * SetDesiredCapacity, SuspendProcesses and ResumeProcesses. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"

struct desired_args {
	struct scaling_desired wish;
	struct str name;
};
static const struct param desired_params[] = {
	AUTOSCALING_GROUP(struct desired_args, name),
	PARAM(struct desired_args, "DesiredCapacity", wish.desired, .flags = REQUIRED, .min = 0,
	      .max = SCALING_SIZE_MAX, .doc = "Desired capacity in units."),
	PARAM(struct desired_args, "HonorCooldown", wish.honours_cooldown,
	      .doc = "Fails if the group is in a cooldown."),
};

static RESULT prepare_desired(struct autoscaling_call *e, void *args)
{
	struct desired_args *a = args;
	return autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group);
}

struct processes_args {
	struct scaling_processes wish;
	struct str name;
};
static const struct param processes_params[] = {
	AUTOSCALING_GROUP(struct processes_args, name),
	PARAM(struct processes_args, "ScalingProcesses.member", wish.processes,
	      .words = "Launch|Terminate|AddToLoadBalancer|AlarmNotification|AZRebalance|HealthCheck|"
		       "InstanceRefresh|ReplaceUnhealthy|ScheduledActions",
	      .doc = "Processes; absent: all."),
};

static RESULT prepare_processes(struct autoscaling_call *e, void *args)
{
	struct processes_args *a = args;
	return autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group);
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("SetDesiredCapacity"), .flags = API_WRITES,
	 .args = PARAMS(struct desired_args, desired_params), .prepare = prepare_desired,
	 .operation = engine_set_scaling_desired_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets the desired capacity of a group."},
	{AUTOSCALING_ACTION("SuspendProcesses"), .flags = API_WRITES,
	 .args = PARAMS(struct processes_args, processes_params), .prepare = prepare_processes,
	 .operation = engine_suspend_scaling_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Suspends automatic processes of a group."},
	{AUTOSCALING_ACTION("ResumeProcesses"), .flags = API_WRITES,
	 .args = PARAMS(struct processes_args, processes_params), .prepare = prepare_processes,
	 .operation = engine_resume_scaling_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Resumes automatic processes of a group."},
};
const struct api_actions autoscaling_capacity_actions = API_ACTIONS(actions);
