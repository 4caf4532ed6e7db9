/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: instance types, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

/* Removes a key (if present) from the specs of a type or aggregate, and sets others. With the kind:
 * ERR_INVALID, a bad key or value; ERR_QUOTA, too many. */
RESULT instance_type_change_specs(struct op *op, enum kind kind, struct tags set, struct str removed,
				  struct tags *specs);
/* Forgets a deleted type once nothing refers to it. */
RESULT instance_type_forget_unused(struct op *op, uuid type);
