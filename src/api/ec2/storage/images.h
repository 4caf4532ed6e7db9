/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: owners of images and snapshots. Those of the region's operator have no account and are shown
 * as Amazon's. */
#pragma once

#include "api/ec2/core/action.h"

/* True if `owner` ("self", "amazon" or an account number) means the account. */
bool ec2_is_owner(struct ec2_call *e, uuid account, struct str owner);
/* Checks that a region in a request is this one, the only one. ERR_INVALID. */
RESULT ec2_check_region(struct ec2_call *e, struct str region, const char *parameter);
