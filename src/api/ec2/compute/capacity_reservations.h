/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: which capacity reservations an instance uses, in RunInstances and
 * ModifyInstanceCapacityReservationAttributes. */
#pragma once

#include "api/ec2/core/action.h"
#include "model/instance_words.h"

struct ec2_capacity_options {
	struct str preference;
	struct ref target;
};

#define EC2_CAPACITY_PREFERENCES "open|none|capacity-reservations-only"

/* Rows for a struct T with a struct ec2_capacity_options `m`. */
#define EC2_CAPACITY_OPTIONS(T, m)                                                                           \
	PARAM(T, "CapacityReservationSpecification.CapacityReservationPreference", m.preference,             \
	      .words = EC2_CAPACITY_PREFERENCES,                                                             \
	      .doc = "Which capacity reservations the instance may use; absent: open ones that match."),     \
		PARAM(T, "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId", \
		      m.target, .kind = KIND_CAPACITY_RESERVATION,                                           \
		      .doc = "The only capacity reservation that the instance may use."),                    \
		NOT_BUILT("CapacityReservationSpecification.CapacityReservationTarget."                      \
			  "CapacityReservationResourceGroupArn")

/* Checks the options. ERR_COMBINATION. */
RESULT ec2_take_capacity(struct ec2_call *e, const struct ec2_capacity_options *o,
			 enum instance_capacity_preference *ret_preference, struct ref *ret_target);
