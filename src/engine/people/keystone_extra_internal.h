/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of the names and values that Keystone keeps besides. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

enum { EXTRA_COUNT_MAX = 64, EXTRA_SIZE_MAX = 16384 };
/* These, too; in the place of those of the same name. ERR_INVALID with the kind: too many, or too large. */
RESULT keystone_extra_add(struct op *op, enum kind kind, struct tags more, struct tags *extra);
