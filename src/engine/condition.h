/* SPDX-License-Identifier: Apache-2.0
 * Conditions: what is in the way of a resource. To set a condition again with the same words
 * changes nothing, so its created_us says since when it holds. */
#pragma once

#include "engine/operation.h"

struct condition_wish {
	enum kind kind;
	uuid subject;
	struct str name; /* "HostDown" */
	struct str message, advice;
};
OPERATION(engine_set_condition, condition_wish)
/* Clears a condition by its name; an empty name clears all of the subject. Absent: OK. */
OPERATION(engine_clear_condition, condition_wish)
