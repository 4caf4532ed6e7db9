/* SPDX-License-Identifier: Apache-2.0
 * Private to the sign-ups of engine/people/. */
#pragma once

#include "engine/operation.h"

/* ERR_DENIED: the caller is no administrator. */
RESULT signup_check_administrator(struct op *op);
/* Gives an account the quotas of a template. */
RESULT signup_set_limits(struct op *op, uuid account, struct tags limits);
