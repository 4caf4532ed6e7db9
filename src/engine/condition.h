/* SPDX-License-Identifier: Apache-2.0
 * Conditions: problems of a resource. Setting a condition again with the same text changes nothing, so its
 * created_us is the start of the problem. */
#pragma once

#include "engine/operation.h"

struct condition_wish {
	enum kind kind;
	uuid subject;
	struct str name; /* "HostDown" */
	struct str message, advice;
};
SYSTEM_OPERATION(engine_set_condition, condition_wish)
/* Clears a condition by its name; an empty name clears all conditions of the subject. OK if absent. */
SYSTEM_OPERATION(engine_clear_condition, condition_wish)
