/* SPDX-License-Identifier: Apache-2.0
 * Private to the sign-ups of engine/people/. */
#pragma once

#include "engine/operation.h"

/* ERR_DENIED: the caller is no administrator. */
RESULT signup_check_administrator(struct op *op);
/* The region itself carries out what follows from a stranger's confirmation or a payment: permissions are not
 * checked until the caller is restored. */
struct signup_caller {
	struct guard *guard;
	const struct identity *who;
};
struct signup_caller signup_act_as_region(struct op *op);
void signup_act_as(struct op *op, struct signup_caller caller);
/* Sets an account's quotas from a template. */
RESULT signup_set_limits(struct op *op, uuid account, struct tags limits);
