/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of route tables. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Tables are forgotten at once: no driver holds one by itself. */
RESULT route_table_write(struct op *op, uuid account, uuid router, bool is_main, struct tags tags,
			 uuid *ret_table);
RESULT route_table_forget_with_routes(struct op *op, uuid table);
