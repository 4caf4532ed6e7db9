/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: instance profiles, as instances and launches name and show them. */
#pragma once

#include "api/ec2/core/action.h"

struct instance_profile;

/* Rows for the parameters of a struct that has refs to one by ARN and by name. */
#define EC2_PROFILE(T, arn, name)                                                                            \
	PARAM(T, "IamInstanceProfile.Arn", arn, .flags = BY_NAME, .kind = KIND_INSTANCE_PROFILE,             \
	      .max = 2048, .doc = "Instance profile whose role the guest gets."),                            \
		PARAM(T, "IamInstanceProfile.Name", name, .flags = BY_NAME, .kind = KIND_INSTANCE_PROFILE,   \
		      .max = 128, .doc = "Or by name.")

/* Texts empty: there is none. */
struct ec2_profile_item {
	struct str arn, id;
};
/* On the tables of an open view; in the arena. */
struct ec2_profile_item ec2_gather_profile(struct ec2_call *e, const struct instance_profile *profile);
/* <iamInstanceProfile>, if there is one. */
void ec2_write_profile(struct xml *x, const struct ec2_profile_item *profile);
