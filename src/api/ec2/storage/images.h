/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: whose images and snapshots are. Those of the region's operator have no account;
 * they are shown as Amazon's are. */
#pragma once

#include "api/ec2/core/action.h"

struct image_device;

/* Whether it is the one meant by "self", "amazon" or an account number. */
bool ec2_is_owner(struct ec2_call *e, uuid account, struct str owner);
/* <blockDeviceMapping> of an image. */
void ec2_write_image_devices(struct xml *x, const struct image_device *const *devices, size_t count);
/* A region that is named is this one: there is no other. ERR_INVALID. */
RESULT ec2_check_region(struct ec2_call *e, struct str region, const char *parameter);
