/* SPDX-License-Identifier: Apache-2.0
 * Private to the sign-ups of engine/people/. */
#pragma once

#include "engine/operation.h"

/* ERR_DENIED: the caller is no administrator. */
RESULT signup_check_administrator(struct op *op);
/* What follows for a stranger, or from whoever's payment, the region does itself: nobody's rights are asked for until the caller is back. */
struct signup_caller {
	struct guard *guard;
	const struct identity *who;
};
struct signup_caller signup_act_as_region(struct op *op);
void signup_act_as(struct op *op, struct signup_caller caller);
/* Gives an account the quotas of a template. */
RESULT signup_set_limits(struct op *op, uuid account, struct tags limits);
