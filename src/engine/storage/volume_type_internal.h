/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of volume types. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Those that are always there. */
RESULT volume_type_add_standard(struct op *op, uuid region);
