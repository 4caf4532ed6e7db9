/* SPDX-License-Identifier: Apache-2.0
 * Launches that are read again after their call was answered. For the reconciler's configuration. */
#pragma once

#include "reconcile/reconcile.h"

reconcile_read_spot ec2_read_later_spot;
reconcile_read_fleet ec2_read_later_fleet;
reconcile_read_scaling ec2_read_later_scaling;

/* Reads what a scaling group's source launches, as c's caller in an open view. For the face of EC2 Auto Scaling. */
struct scaling_source;
RESULT ec2_read_scaling_source(struct ctx *c, const struct view *view, const struct scaling_source *source,
			       struct fleet_override **ret_launches, size_t *ret_count);
