/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of instance types. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* What is said of a type or an aggregate, without the key removed (it may have none such) and with these.
 * ERR_INVALID: a key or a value; ERR_QUOTA: too many; with the kind. */
RESULT instance_type_change_specs(struct op *op, enum kind kind, struct tags set, struct str removed,
				  struct tags *specs);
/* Forgets it once it is deleted and no instance has it any more. */
RESULT instance_type_forget_unused(struct op *op, uuid type);
