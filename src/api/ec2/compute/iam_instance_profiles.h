/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: instance profiles, as instances and launches name and show them. */
#pragma once

#include "api/ec2/core/action.h"

struct instance_profile;

/* Rows for the parameters of a struct that has refs to one by ARN and by name. */
#define EC2_PROFILE(T, arn, name)                                                                            \
	PARAM(T, "IamInstanceProfile.Arn", arn, .flags = BY_NAME, .kind = KIND_INSTANCE_PROFILE,             \
	      .max = 2048, .doc = "Instance profile by ARN; the guest gets credentials of its role."),       \
		PARAM(T, "IamInstanceProfile.Name", name, .flags = BY_NAME, .kind = KIND_INSTANCE_PROFILE,   \
		      .max = 128, .doc = "Instance profile by name, instead of its ARN.")

/* The row for the members of <iamInstanceProfile>, on the tables of an open view; in the arena. NULL: there is none. */
extern const struct attributes ec2_profile_members;
const void *ec2_show_profile(struct ec2_call *e, const struct instance_profile *profile);
