/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/machine_policy/: times of schedules. */
#pragma once

#include "base/ctx.h"
#include "model/machine_policy_words.h"

struct machine_policy;

/* The first time after after_us at which a schedule stops or starts its machines, and which of the two; 0 and none for other
 * rules. If both are due at once, the machines start. Reads the time zone's file. */
RESULT machine_policy_find_next(struct ctx *c, const struct machine_policy *p, int64_t after_us,
				int64_t *ret_at_us, enum machine_policy_turn *ret_turn);
