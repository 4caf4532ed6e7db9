/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: Keystone's extra attributes. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

enum { EXTRA_COUNT_MAX = 64, EXTRA_SIZE_MAX = 16384 };
/* Adds attributes, replacing those with the same name; an empty value, which is no JSON, removes one. ERR_INVALID with the kind: too many, or too large. */
RESULT keystone_extra_add(struct op *op, enum kind kind, struct tags more, struct tags *extra);
