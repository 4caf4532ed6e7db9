/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: whose images and snapshots are. Those of the region's operator have no account;
 * they are shown as Amazon's are. */
#pragma once

#include "api/ec2/core/action.h"

/* Whether it is the one meant by "self", "amazon" or an account number. */
bool ec2_is_owner(struct ec2_call *e, uuid account, struct str owner);
/* A region that is named is this one: there is no other. ERR_INVALID. */
RESULT ec2_check_region(struct ec2_call *e, struct str region, const char *parameter);
