/* SPDX-License-Identifier: Apache-2.0
 * ARNs of EC2 Auto Scaling. */
#include "engine/scaling/scaling.h"
#include "store/launch_configuration.h"
#include "store/scaling_activity.h"

bool engine_is_scaling_kind(enum kind kind)
{
	return kind == KIND_SCALING_GROUP || kind == KIND_SCALING_MEMBER || kind == KIND_SCALING_ACTIVITY ||
	       kind == KIND_SCALING_HOOK || kind == KIND_SCALING_POLICY || kind == KIND_SCALING_SCHEDULE ||
	       kind == KIND_LAUNCH_CONFIGURATION;
}

/* The group that a row belongs to. */
static uuid group_of(enum kind kind, const struct row *row)
{
	return kind == KIND_SCALING_MEMBER     ? scaling_member_of(row)->scaling_group
	       : kind == KIND_SCALING_ACTIVITY ? scaling_activity_of(row)->scaling_group
	       : kind == KIND_SCALING_HOOK     ? scaling_hook_of(row)->scaling_group
	       : kind == KIND_SCALING_POLICY   ? scaling_policy_of(row)->scaling_group
	       : kind == KIND_SCALING_SCHEDULE ? scaling_schedule_of(row)->scaling_group
					       : row->id;
}

static struct str group_part(struct arena *a, const struct scaling_group *group)
{
	if (!group)
		return STR("autoScalingGroup:*:autoScalingGroupName/*");
	return str_print(a, "autoScalingGroup:%" STR_FMT ":autoScalingGroupName/%" STR_FMT,
			 STR_ARG(uuid_to_str(a, group->row.id)), STR_ARG(group->name));
}

static struct str write_part(const struct tables *t, struct arena *a, enum kind kind, const struct row *row)
{
	if (kind == KIND_LAUNCH_CONFIGURATION) {
		const struct launch_configuration *c = launch_configuration_of(row);
		return c ? str_print(a, "launchConfiguration:%" STR_FMT ":launchConfigurationName/%" STR_FMT,
				     STR_ARG(uuid_to_str(a, c->row.id)), STR_ARG(c->name))
			 : STR("launchConfiguration:*:launchConfigurationName/*");
	}
	if (kind == KIND_SCALING_GROUP)
		return group_part(a, scaling_group_of(row));
	const struct scaling_group *group = row ? scaling_group_find(t, group_of(kind, row)) : NULL;
	if (kind == KIND_SCALING_SCHEDULE && group)
		return str_print(a,
				 "scheduledUpdateGroupAction:%" STR_FMT ":autoScalingGroupName/%" STR_FMT
				 ":scheduledActionName/%" STR_FMT,
				 STR_ARG(uuid_to_str(a, row->id)), STR_ARG(group->name),
				 STR_ARG(scaling_schedule_of(row)->name));
	if (kind != KIND_SCALING_POLICY || !group)
		return group_part(a, group);
	return str_print(a,
			 "scalingPolicy:%" STR_FMT ":autoScalingGroupName/%" STR_FMT ":policyName/%" STR_FMT,
			 STR_ARG(uuid_to_str(a, row->id)), STR_ARG(group->name),
			 STR_ARG(scaling_policy_of(row)->name));
}

struct str engine_write_scaling_arn(const struct tables *t, struct arena *a, struct str region,
				    struct str account_number, enum kind kind, const struct row *row)
{
	return str_print(a, "arn:aws:autoscaling:%" STR_FMT ":%" STR_FMT ":%" STR_FMT, STR_ARG(region),
			 STR_ARG(account_number), STR_ARG(write_part(t, a, kind, row)));
}
