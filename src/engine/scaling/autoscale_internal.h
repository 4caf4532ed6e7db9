/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: parts of AutoScale groups. Everything here runs inside an operation, and asks for no permission. */
#pragma once

#include "engine/scaling/autoscale.h"
#include "engine/scaling/scaling_internal.h"

/* Gives the group these policies of one direction, and takes the others of that direction from it. */
RESULT autoscale_put_policies(struct op *op, uuid group, const struct refs *named, bool is_down);
/* Writes the alarms of the group's policies for its present interval. ERR_INVALID: a policy's duration is shorter. */
RESULT autoscale_refresh_policies(struct op *op, uuid group);
RESULT autoscale_check_duration(struct op *op, const struct autoscale_policy *policy, int64_t interval_s);

/* ---- for the turns of a group; groups of EC2 stay as they are ---- */

/* Names a new machine of an AutoScale group. */
RESULT autoscale_name_machine(struct op *op, const struct scaling_group *group, uuid instance);
/* Adds the profile's grace period to the waits of a machine that is to end. */
RESULT autoscale_drain(struct op *op, const struct scaling_group *group, struct strs *waits);
/* Makes the machine a member of the group's load balancer, or takes it out. A refusal is an event of the group. */
RESULT autoscale_balance(struct op *op, const struct scaling_group *group, uuid instance, bool is_added);
