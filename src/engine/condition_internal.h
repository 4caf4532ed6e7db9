/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: conditions. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Like engine_set_condition() and engine_clear_condition(), inside another operation. */
RESULT condition_set(struct op *op, enum kind kind, uuid subject, const char *name, struct str message,
		     const char *advice);
RESULT condition_clear(struct op *op, uuid subject, struct str name);
RESULT condition_clear_all(struct op *op, uuid subject);
