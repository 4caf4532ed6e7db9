/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's AutoScale on scaling groups (scaling.h). A group launches by a profile, and its instances in service are the
 * members of a load balancer rule. Each AutoScale policy of a group becomes a simple scaling policy of that group, with one
 * alarm for each condition; the policy acts while all its alarms are in ALARM. A disabled group has all processes suspended. */
#pragma once

#include "engine/scaling/scaling.h"
#include "store/autoscale_condition.h"
#include "store/autoscale_policy.h"
#include "store/autoscale_profile.h"

enum {
	AUTOSCALE_POLICY_CONDITIONS_MAX = 3, /* each counter once */
	AUTOSCALE_GROUP_POLICIES_MAX = 10,   /* in each direction */
	AUTOSCALE_PARAMETERS_MAX = 16,       /* in otherdeployparams of a profile */
	AUTOSCALE_GRACE_DEFAULT_S = 120,
	AUTOSCALE_QUIET_DEFAULT_S = 300,
	AUTOSCALE_INTERVAL_DEFAULT_S = 30,
	AUTOSCALE_SECONDS_MAX = 86400
};

/* ---- conditions ---- */

/* ERR_QUOTA. */
struct autoscale_condition_wish {
	enum autoscale_condition_counter counter;
	enum autoscale_condition_comparison comparison;
	int64_t threshold;
	/* outputs: */
	uuid condition;
};
OPERATION(engine_create_autoscale_condition, autoscale_condition_wish)
/* ERR_IN_USE: a group that is not disabled evaluates it. */
struct autoscale_condition_change {
	struct ref condition;
	enum autoscale_condition_comparison comparison;
	int64_t threshold;
};
OPERATION(engine_update_autoscale_condition, autoscale_condition_change)
/* ERR_IN_USE: a policy names it. */
struct autoscale_condition_target {
	struct ref condition;
};
OPERATION(engine_delete_autoscale_condition, autoscale_condition_target)

/* ---- policies ---- */

/* ERR_INVALID: no condition, or two on one counter. ERR_QUOTA. */
struct autoscale_policy_wish {
	struct str name;
	bool is_down;
	int64_t duration_s;
	struct scaling_number quiet_s;
	struct refs conditions;
	/* outputs: */
	uuid policy;
};
OPERATION(engine_create_autoscale_policy, autoscale_policy_wish)
/* ERR_INVALID also: a group of the policy is not disabled, or has a longer interval than the duration. */
struct autoscale_policy_change {
	struct ref policy;
	const struct str *name; /* NULL: unchanged */
	struct scaling_number duration_s, quiet_s;
	struct refs conditions; /* none: unchanged */
};
OPERATION(engine_update_autoscale_policy, autoscale_policy_change)
/* ERR_INVALID: a group has it. */
struct autoscale_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_autoscale_policy, autoscale_policy_target)

/* ---- profiles ---- */

/* Parameters of the machines. The face has read them; a group tries a launch when it is created. ERR_QUOTA. */
struct autoscale_profile_wish {
	struct ref zone, offering, image;
	struct strs parameters; /* twos: name and value */
	struct str user_data;
	struct scaling_number grace_s;
	/* outputs: */
	uuid profile;
};
OPERATION(engine_create_autoscale_profile, autoscale_profile_wish)
/* ERR_INVALID: a group of the profile is not disabled. */
struct autoscale_profile_change {
	struct ref profile, offering, image; /* offering, image of kind none: unchanged */
	bool has_parameters;
	struct strs parameters;
	const struct str *user_data; /* NULL: unchanged */
	struct scaling_number grace_s;
};
OPERATION(engine_update_autoscale_profile, autoscale_profile_change)
/* ERR_INVALID: a group launches by it. */
struct autoscale_profile_target {
	struct ref profile;
};
OPERATION(engine_delete_autoscale_profile, autoscale_profile_target)

/* ---- groups ---- */

/* Creates a group, enabled, with the least number of machines. ERR_INVALID: sizes; a policy of the other direction, or with a
 * shorter duration than the interval; the load balancer has members, a group, or no network. */
struct autoscale_group_wish {
	struct str name; /* empty: a name is drawn */
	struct ref balancer, profile;
	struct refs up, down;
	struct scaling_number interval_s;
	struct scaling_settings
		settings; /* sizes and launches; zone and source are filled in from the profile */
	/* outputs: */
	uuid group;
};
OPERATION(engine_create_autoscale_group, autoscale_group_wish)
/* ERR_INVALID: the group is not disabled. */
struct autoscale_group_change {
	struct ref group;
	struct scaling_number min, max, interval_s;
	struct refs up, down; /* none: unchanged */
};
OPERATION(engine_update_autoscale_group, autoscale_group_change)
struct autoscale_group_target {
	struct ref group;
	bool is_forced; /* with its machines */
};
OPERATION(engine_enable_autoscale_group, autoscale_group_target)
OPERATION(engine_disable_autoscale_group, autoscale_group_target)
/* ERR_INVALID: the group is enabled, or has machines, and the deletion is not forced. */
OPERATION(engine_delete_autoscale_group, autoscale_group_target)

/* True if the group neither adds nor removes machines. */
bool engine_is_autoscale_disabled(const struct scaling_group *group);
