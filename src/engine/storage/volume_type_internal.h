/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of volume types. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "store/volume_type.h"

/* Whether encryption as the type says it is the one that there is. */
bool volume_type_is_known_crypt(const struct volume_type *type);
/* Those that are always there. */
RESULT volume_type_add_standard(struct op *op, uuid region);
