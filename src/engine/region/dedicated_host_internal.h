/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of dedicated hosts. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* It takes instances of that type. ERR_COMBINATION with KIND_DEDICATED_HOST. */
RESULT dedicated_host_check_type(struct op *op, const struct dedicated_host *dedicated,
				 const struct instance_type *type, struct str field);
